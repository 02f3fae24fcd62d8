#!/bin/bash
# Reads the secrets again and reloads only the programs whose secrets changed. What is in place stays on any failure.
. "$(dirname "$0")/log.sh"

changed=$root/run/platform/changed
: >"$changed"
"$library/steps/60-secrets.sh"
"$library/steps/70-compose.sh"

status=0
for program in $(sort --unique "$changed"); do
  log "reloading $program"
  systemctl reload "$program.service" || status=$?
done
[ "$status" -eq 0 ] || fail "a program did not take its new secrets" "see systemctl --failed, then: systemctl restart it"
