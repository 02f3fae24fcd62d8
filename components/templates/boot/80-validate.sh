#!/bin/bash
# Every program that can judge its configuration without a cluster does so before anything starts.
# Vault and Boundary cannot: they judge when they start.
# shellcheck source=log.sh
. "$(dirname "$0")/../log.sh"

while IFS=$'\t' read -r program user command; do
  read -ra words <<<"$command"
  output=$(runuser --user "$user" -- "${words[@]}" 2>&1) ||
    { printf '%s\n' "$output" >&2 && fail "$program refuses its configuration" "see the lines above; fix the template and replace this machine"; }
  log "$program accepts its configuration"
done <"$settings/validate.tsv"
