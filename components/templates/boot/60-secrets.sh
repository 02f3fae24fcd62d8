#!/bin/bash
# Secrets, read with the machine's own identity into memory-backed storage. Values never appear in arguments or logs.
# Every entry is read once, however many files hold it, and no file changes before all are read.
# A file that changes names its program in run/platform/changed, for the daily refresh.
# shellcheck source=log.sh
. "$(dirname "$0")/../log.sh"
umask 077

readonly why=$root/run/platform/secrets.why
trap 'rm -f "$why"' EXIT
declare -A values=()

# ask ENTRY...: takes the values that are to be had, in base64; the other entries are left in `missing`.
ask() {
  local entry value
  # A last line without an end is not taken: it may be half a value.
  while IFS=$'\t' read -r entry value; do
    values[$entry]=$value
  done < <(read-secret "$@" 2>"$why")
  missing=()
  for entry; do
    [ -n "${values[$entry]-}" ] || missing+=("$entry")
  done
}

# reason ENTRY: what was said of it, or else what was said last.
reason() {
  awk -v about="read-secret: $1 " '
    !own { said = $0; own = index($0, about) == 1 }
    END { print said ? said : "it is empty" }
  ' "$why"
}

mapfile -t missing < <(awk -F '\t' '!seen[$1]++ { print $1 }' "$settings/secrets.tsv")
ask "${missing[@]}"
pause=1
# A fresh machine's grants take a minute to reach every corner of a cloud.
while [ "${#missing[@]}" -gt 0 ]; do
  [ "$SECONDS" -lt "$patience" ] ||
    fail "secret ${missing[0]} cannot be read: $(reason "${missing[0]}")" "grant this machine's role access to it and see that it has a value"
  for entry in "${missing[@]}"; do
    log "secret $entry is not readable yet, next try in $pause s"
  done
  sleep "$pause"
  pause=$((pause < 30 ? pause * 2 : pause))
  ask "${missing[@]}"
done

while IFS=$'\t' read -r entry path mode owner; do
  file=$root$path
  printf %s "${values[$entry]}" | base64 --decode >"$file.new"
  if cmp --silent "$file" "$file.new"; then
    rm -f "$file.new"
    continue
  fi
  chown "$owner" "$file.new"
  chmod "$mode" "$file.new"
  mv "$file.new" "$file"
  program=${path%/*}
  printf '%s\n' "${program##*/}" >>"$root/run/platform/changed"
  log "secret $entry is in place"
done <"$settings/secrets.tsv"
