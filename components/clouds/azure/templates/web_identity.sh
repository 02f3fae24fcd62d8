#!/bin/sh
# web-identity AUDIENCE: prints an Entra token of this machine's identity that the audience can verify.
set -eu

fail() {
  printf 'web-identity: %s\n' "$1" >&2
  exit 1
}
reason() { # an error's own words, in one line
  printf %s "$1" | tr -cd '[:print:]' | cut -c 1-300
}

[ $# -eq 1 ] || fail 'usage: web-identity AUDIENCE'
# shellcheck source=/dev/null
. /etc/platform/azure.env

answer=$(curl --fail-with-body --silent --show-error --max-time 10 --retry 5 --retry-connrefused --noproxy '*' \
  --get --header 'Metadata: true' --data api-version=2018-02-01 --data-urlencode "resource=$1" \
  --data "client_id=$AZURE_CLIENT_ID" http://169.254.169.254/metadata/identity/oauth2/token) ||
  fail "no token for the identity $AZURE_CLIENT_ID and the audience $1: $(reason "$answer")"
printf %s "$answer" |
  python3 -c 'import json, sys; sys.stdout.write(json.load(sys.stdin)["access_token"])' 2>/dev/null ||
  fail 'the metadata service answered without a token'
