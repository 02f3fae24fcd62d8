#!/bin/bash
# What programs want to find inside their configuration and not beside it: tokens and gossip keys.
# shellcheck source=log.sh
. "$(dirname "$0")/../log.sh"

for source in "$settings"/compose.d/*.json; do
  program=$(basename "$source" .json)
  python3 "$library/compose.py" "$source" "$root/run/platform/secrets/$program/config.json" "$root" ||
    fail "the secret part of $program's configuration cannot be written" "see the line above"
done
