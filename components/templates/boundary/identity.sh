#!/bin/bash
# identity.sh AUDIENCE TOKEN_FILE: keeps a signed token of this machine's identity in a file.
# shellcheck source=log.sh
. "$(dirname "$0")/log.sh"
umask 077

fresh=$root$2.new
until web-identity "$1" >"$fresh" && [ -s "$fresh" ]; do
  [ "$SECONDS" -lt "$patience" ] ||
    fail "the metadata service gives no token" "check that the machine has its identity and can reach its metadata service"
  sleep 5
done
mv "$fresh" "$root$2"
