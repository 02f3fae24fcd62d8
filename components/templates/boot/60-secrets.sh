#!/bin/bash
# Secrets, read with the machine's own identity into memory-backed storage. Values never appear in arguments or logs.
# A file that changes names its program in run/platform/changed, for the daily refresh.
# shellcheck source=log.sh
. "$(dirname "$0")/../log.sh"
umask 077

# read_entry ENTRY FILE: a fresh machine's grants take a minute to reach every corner of a cloud.
read_entry() {
  local pause=1
  until read-secret "$1" >"$2" 2>"$2.why" && [ -s "$2" ]; do
    if [ "$SECONDS" -ge "$patience" ]; then
      local why
      why=$(tail -n 1 "$2.why")
      rm -f "$2" "$2.why"
      fail "secret $1 cannot be read: ${why:-it is empty}" "grant this machine's role access to it and see that it has a value"
    fi
    log "secret $1 is not readable yet, next try in $pause s"
    sleep "$pause"
    pause=$((pause < 30 ? pause * 2 : pause))
  done
  rm -f "$2.why"
}

while IFS=$'\t' read -r entry path mode owner; do
  file=$root$path
  read_entry "$entry" "$file.new"
  chown "$owner" "$file.new"
  chmod "$mode" "$file.new"
  if cmp --silent "$file" "$file.new"; then
    rm -f "$file.new"
    continue
  fi
  mv "$file.new" "$file"
  basename "$(dirname "$path")" >>"$root/run/platform/changed"
  log "secret $entry is in place"
done <"$settings/secrets.tsv"
