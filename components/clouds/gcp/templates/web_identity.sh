#!/bin/sh
# web-identity AUDIENCE: print a token, signed by Google, that tells AUDIENCE which machine this is.
set -eu

METADATA=http://metadata.google.internal/computeMetadata/v1

die() {
  printf 'web-identity: %s\n' "$1" >&2
  exit 1
}

[ $# -eq 1 ] || die 'usage: web-identity AUDIENCE'

# Stored before it is printed: a failed request must not leave half an answer as a token.
token=$(
  curl --fail --silent --max-time 10 --retry 5 --retry-connrefused --noproxy '*' --header 'Metadata-Flavor: Google' \
    --get --data-urlencode "audience=$1" --data-urlencode format=full \
    "$METADATA/instance/service-accounts/default/identity"
) || die "the metadata service gives no token for $1 (curl $?)"
[ -n "$token" ] || die "the metadata service gives an empty token for $1"
printf %s "$token"
