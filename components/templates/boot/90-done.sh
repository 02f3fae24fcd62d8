#!/bin/bash
# A metric that tells a machine that booted from one that is only up.
# shellcheck source=log.sh
. "$(dirname "$0")/../log.sh"

metrics=$root/var/lib/node_exporter/textfile
printf 'platform_boot_completed_timestamp_seconds %s\n' "$(date +%s)" >"$metrics/platform_boot.prom.new"
mv "$metrics/platform_boot.prom.new" "$metrics/platform_boot.prom"
log "done"
