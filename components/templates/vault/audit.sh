#!/bin/bash
# audit.sh DAYS FILE...: moves each audit log aside, lets Vault open new ones, packs the old, drops those older than DAYS.
# Never copies and truncates: a line written in between would be lost.
# shellcheck source=log.sh
. "$(dirname "$0")/log.sh"

days=$1
shift
stamp=$(date --utc +%Y%m%dT%H%M%SZ)
for file in "$@"; do
  [ ! -s "$root$file" ] || mv "$root$file" "$root$file.$stamp"
done
# Without a running Vault there is no one to tell, and the next one opens new files by itself.
if systemctl is-active --quiet vault.service; then
  systemctl reload vault.service || fail "Vault did not open new audit logs" "systemctl restart vault, one server at a time"
fi
for file in "$@"; do
  # The newest may still get a line of a request under way.
  find "$(dirname "$root$file")" -name "$(basename "$file").*Z" -mmin +5 -exec gzip {} +
  find "$(dirname "$root$file")" -name "$(basename "$file").*Z.gz" -mtime "+$days" -delete
done
