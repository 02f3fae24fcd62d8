#!/bin/sh
# web-identity AUDIENCE: print an Entra token of this machine's identity that the audience can verify.
set -eu

die() {
  printf 'web-identity: %s\n' "$1" >&2
  exit 1
}

[ $# -eq 1 ] || die 'usage: web-identity AUDIENCE'

# AZURE_CLIENT_ID
# shellcheck source=/dev/null
. /etc/platform/azure.env

answer=$(
  curl --fail --silent --max-time 10 --retry 5 --retry-connrefused --noproxy '*' --header 'Metadata: true' \
    --get --data api-version=2018-02-01 --data-urlencode "resource=$1" \
    --data "client_id=$AZURE_CLIENT_ID" http://169.254.169.254/metadata/identity/oauth2/token
) || die "the identity $AZURE_CLIENT_ID gets no token for $1 (curl $?)"
printf %s "$answer" |
  python3 -c 'import json, sys; sys.stdout.write(json.load(sys.stdin)["access_token"])' 2>/dev/null ||
  die 'the metadata service answered without a token'
