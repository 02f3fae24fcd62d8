#!/bin/sh
# customize.sh ROOT: what the installation copied from this host, or made once for all machines, is no image's business.
set -eu
rm -f "$1/etc/resolv.conf" "$1/etc/hostname"
: >"$1/etc/machine-id"
rm -rf "$1/var/lib/cloud" "$1/var/log/cloud-init.log" "$1/var/log/cloud-init-output.log"
