#!/bin/sh
# read-secret NAME: prints one secret of the region's key vault, read with this machine's own identity.
# Prints exactly the value. Tokens travel through variables and stdin, never through arguments, which others can see.
set -eu

fail() {
  printf 'read-secret: %s\n' "$1" >&2
  exit 1
}
get() {
  curl --fail-with-body --silent --show-error --max-time 10 --retry 5 --retry-connrefused "$@"
}
field() { # the field of the JSON object on stdin, byte for byte
  python3 -c 'import json, sys; sys.stdout.write(json.load(sys.stdin)[sys.argv[1]])' "$1" 2>/dev/null
}
reason() { # an error's own words, in one line
  printf %s "$1" | tr -cd '[:print:]' | cut -c 1-300
}

[ $# -eq 1 ] || fail 'usage: read-secret NAME'
# shellcheck source=/dev/null
. /etc/platform/azure.env

metadata=http://169.254.169.254/metadata/identity/oauth2/token
answer=$(get --noproxy '*' --header 'Metadata: true' \
  "$metadata?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net&client_id=$AZURE_CLIENT_ID") ||
  fail "no token for the identity $AZURE_CLIENT_ID: $(reason "$answer")"
token=$(printf %s "$answer" | field access_token) || fail 'the metadata service answered without a token'

answer=$(printf 'header = "Authorization: Bearer %s"\n' "$token" |
  get --config - "https://$AZURE_KEY_VAULT.vault.azure.net/secrets/$1?api-version=7.4") ||
  fail "the vault $AZURE_KEY_VAULT does not give $1: $(reason "$answer")"
printf %s "$answer" | field value || fail "the vault $AZURE_KEY_VAULT answered without a value for $1"
