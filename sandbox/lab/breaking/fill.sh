# fill.sh DIRECTORY FILE LEAVE: take the free space of a file system but LEAVE bytes; with 0, what is kept for root too.
# Read from standard input, inside the machine's mounts.
# shellcheck shell=sh
set -eu
file=$1/$2
: >"$file"
chmod 0600 "$file"
free=%f
[ "$3" -eq 0 ] || free=%a
blocks=$(stat --file-system --format="$free" "$1")
size=$(stat --file-system --format=%S "$1")
left=$((blocks * size - $3))
at=0
step=$left
# What is free is not to be had in one piece, nor without the blocks that describe it.
while [ "$step" -ge "$size" ]; do
  if fallocate --offset "$at" --length "$step" "$file" 2>/dev/null; then
    at=$((at + step))
    left=$((left - step))
    [ "$step" -le "$left" ] || step=$left
  else
    step=$((step / 2))
  fi
done
