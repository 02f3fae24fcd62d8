#!/bin/bash
# Reads the secrets again and reloads only the programs whose secrets changed. What is in place stays on any failure.
# shellcheck source=log.sh
. "$(dirname "$0")/log.sh"

changed=$root/run/platform/changed
: >"$changed"
"$library/steps/60-secrets.sh"
"$library/steps/70-compose.sh"

status=0
while read -r program; do
  # Started by a timer, it reads its secrets then.
  [ ! -e "$root/etc/systemd/system/$program.timer" ] || continue
  log "reloading $program"
  systemctl reload "$program.service" </dev/null || status=$?
done < <(sort --unique "$changed")
[ "$status" -eq 0 ] || fail "a program did not take its new secrets" "see systemctl --failed, then: systemctl restart it"
