#!/bin/bash
# Users of the programs. Ids are fixed: a data disk outlives its machine and must find its owner on the next one.
# shellcheck source=log.sh
. "$(dirname "$0")/../log.sh"

while IFS=$'\t' read -r name id home; do
  if found=$(id -u "$name" 2>/dev/null); then
    [ "$found" = "$id" ] ||
      fail "user $name has id $found and not $id" "boot an image in which no package has taken that name"
    continue
  fi
  groupadd --system --gid "$id" "$name"
  useradd --system --uid "$id" --gid "$id" --home-dir "$home" --no-create-home --shell /usr/sbin/nologin "$name"
  log "made user $name"
done <"$settings/accounts.tsv"
