#!/bin/bash
# Directories, and the owners of files: user data writes files before their owners exist.
# shellcheck source=log.sh
. "$(dirname "$0")/../log.sh"

while IFS=$'\t' read -r path mode owner; do
  case $path in
    */) install --directory --mode="$mode" --owner="${owner%%:*}" --group="${owner##*:}" "$root$path" ;;
    *)
      chown "$owner" "$root$path"
      chmod "$mode" "$root$path"
      ;;
  esac
done <"$settings/paths.tsv"
