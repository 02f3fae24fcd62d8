#!/bin/sh
# read-secret NAME: print one secret of the region's key vault, with the machine's own identity.
# Tokens and answers pass through pipes and memory only: arguments are readable by every process of a machine.
set -eu

die() {
  printf 'read-secret: %s\n' "$1" >&2
  exit 1
}

[ $# -eq 1 ] || die 'usage: read-secret NAME'

# AZURE_CLIENT_ID, AZURE_KEY_VAULT
# shellcheck source=/dev/null
. /etc/platform/azure.env

# field NAME: one string of the JSON object on standard input, exactly as it is.
field() {
  python3 -c 'import json, sys; sys.stdout.write(json.load(sys.stdin)[sys.argv[1]])' "$1" 2>/dev/null
}

# An error's own words, in one line.
reason() {
  printf %s "$1" | tr -s '[:space:]' ' ' | cut -c 1-300
}

# Each answer is stored before anything reads it: in a pipe, a failed request would look like an empty secret.
answer=$(
  curl --fail --silent --max-time 10 --retry 5 --retry-connrefused --noproxy '*' --header 'Metadata: true' \
    --get --data api-version=2018-02-01 --data-urlencode resource=https://vault.azure.net \
    --data "client_id=$AZURE_CLIENT_ID" http://169.254.169.254/metadata/identity/oauth2/token
) || die "the identity $AZURE_CLIENT_ID gets no token (curl $?)"
token=$(printf %s "$answer" | field access_token) || die 'the metadata service answered without a token'

# Not tried again here: curl would print the body of every try, one after the other. The boot asks again.
answer=$(
  printf 'header = "Authorization: Bearer %s"\n' "$token" |
    curl --config - --fail-with-body --silent --max-time 20 \
      "https://$AZURE_KEY_VAULT.vault.azure.net/secrets/$1?api-version=7.4"
) || die "$1 in $AZURE_KEY_VAULT: $(reason "${answer:-no answer (curl $?)}")"

printf %s "$answer" | field value || die "$1 in $AZURE_KEY_VAULT has no value"
