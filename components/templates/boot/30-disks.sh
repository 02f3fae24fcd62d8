#!/bin/bash
# Data disks: found by identity, formatted only if blank, mounted by UUID.
# A disk that holds anything else is refused: what looks like rubbish may be the last copy of a raft log.
# shellcheck source=log.sh
. "$(dirname "$0")/../log.sh"

readonly probe_bytes=1048576 options=noatime,nodev,nosuid

wait_for() { # DEVICE
  until [ -b "$1" ]; do
    [ "$SECONDS" -lt "$patience" ] ||
      fail "disk $1 did not appear in $patience s" "attach it to this machine, then reboot it"
    sleep 1
  done
}

# prepare DEVICE LABEL: leaves a file system with that label, or refuses.
prepare() {
  local found status=0
  found=$(blkid --probe --output export "$1") || status=$?
  if [ "$status" -eq 2 ]; then
    cmp --silent --bytes="$probe_bytes" "$1" /dev/zero ||
      fail "disk $1 is neither blank nor a file system" "attach the right disk; wipe this one only if nothing on it matters"
    log "formatting blank disk $1 as $2"
    mkfs.ext4 -q -L "$2" "$1"
  elif [ "$status" -ne 0 ]; then
    fail "disk $1 cannot be told: blkid ended with $status" "look at it with blkid -p $1; it is not touched"
  elif ! grep -qx "LABEL=$2" <<<"$found" || ! grep -qx "TYPE=ext4" <<<"$found"; then
    fail "disk $1 holds something else than the file system $2" "attach the right disk; this one is not touched"
  fi
}

# mount_at DEVICE MOUNT: recorded by UUID in fstab, so that later boots mount it early and units can demand it.
mount_at() {
  local uuid fstab=$root/etc/fstab
  uuid=$(blkid --probe --match-tag UUID --output value "$1")
  local line="UUID=$uuid $2 ext4 $options,nofail,x-systemd.device-timeout=300,x-systemd.growfs 0 2"
  if ! grep -qxF "$line" "$fstab"; then
    awk -v at="$2" '$2 != at' "$fstab" >"$fstab.new"
    printf '%s\n' "$line" >>"$fstab.new"
    mv "$fstab.new" "$fstab"
    [ -n "$root" ] || systemctl daemon-reload
  fi
  mkdir -p "$2"
  mountpoint --quiet "$2" || mount --options "$options" "$1" "$2"
  [ "$(mountpoint --fs-devno "$2")" = "$(mountpoint --devno "$1")" ] ||
    fail "something else than disk $1 is mounted at $2" "take it out of fstab, then reboot"
}

while IFS=$'\t' read -r device mount owner purpose; do
  wait_for "$device"
  real=$(readlink --canonicalize "$device")
  prepare "$real" "${owner%%:*}-$purpose"
  mount_at "$real" "$root$mount"
  chown "$owner" "$root$mount"
  chmod 0750 "$root$mount"
  log "disk $device is mounted at $mount"
done <"$settings/disks.tsv"
