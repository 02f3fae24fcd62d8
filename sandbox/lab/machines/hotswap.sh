# hotswap.sh add|remove MAJOR MINOR DEVICE PATH...: show a disk inside a running machine, or hide it. Read from standard
# input, inside the machine's mounts.
# shellcheck shell=sh
set -eu
verb=$1 major=$2 minor=$3
shift 3
for path; do
  if [ "$verb" = add ]; then
    mkdir -p "$(dirname "$path")"
    [ -b "$path" ] || mknod -m 0660 "$path" b "$major" "$minor"
  elif mountpoint -q "$path"; then
    umount "$path"
  else
    rm -f "$path"
  fi
done
