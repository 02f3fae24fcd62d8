#!/bin/sh
# web-identity AUDIENCE: print a token, signed by Google, that says to AUDIENCE which machine this is.
set -eu

fail() {
  echo "web-identity: $*" >&2
  exit 1
}

[ $# -eq 1 ] || fail "usage: web-identity AUDIENCE"

answer=$(curl --silent --show-error --fail-with-body --max-time 10 --retry 8 --retry-connrefused --retry-delay 2 \
  --noproxy '*' --header 'Metadata-Flavor: Google' --get \
  --data-urlencode "audience=$1" --data-urlencode format=full \
  'http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/identity') ||
  fail "the metadata service gives no token for $1: $(printf '%s' "$answer" | tr -d '\n')"
printf '%s' "$answer"
