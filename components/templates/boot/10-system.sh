#!/bin/bash
# Kernel settings, no swap, names of the service catalogue.
# shellcheck source=log.sh
. "$(dirname "$0")/../log.sh"

# Secrets lie in memory-backed storage and Vault does not lock its memory: neither may reach a disk.
swapoff --all || log "swap stays on: it cannot be turned off here"

if [ -e "$root/etc/modules-load.d/60-hashicorp.conf" ]; then
  systemctl restart systemd-modules-load.service || log "not every kernel module could be loaded"
fi

# The unit skips itself where the kernel's settings are not ours to change; an untuned server still serves.
systemctl restart systemd-sysctl.service || log "not every kernel setting was taken; see journalctl -u systemd-sysctl"

if systemctl is-active --quiet systemd-resolved.service; then
  systemctl restart systemd-resolved.service
fi
