#!/bin/bash
# Programs from their release archives: checked against the published sum, and the pinned one where there is one.
# The verified archive stays on disk, so that neither a reboot nor a damaged program needs the network. A later start
# compares what is installed with its record, and looks at the archive only where that differs.
# shellcheck source=log.sh
. "$(dirname "$0")/../log.sh"

readonly cache=$root/var/cache/platform binaries=$root/usr/local/bin
work=$(mktemp --directory)
trap 'rm -rf "$work"' EXIT

fetch() { # URL FILE
  curl --fail --silent --show-error --location --connect-timeout 10 --output "$2" \
    --retry 100 --retry-delay 3 --retry-max-time "$patience" --retry-all-errors "$1"
}

sum_of() { # FILE
  sha256sum <"$1" | cut -d ' ' -f 1
}

# verify FILE NAME SUMS PINNED
verify() {
  local published actual
  published=$(awk -v name="$2" '{ sub(/^[*]/, "", $2) } $2 == name || NF == 1 { print $1 }' "$3")
  [ -n "$published" ] || fail "the published sums do not name $2" "check the version and the artefact address"
  actual=$(sum_of "$1")
  [ "$actual" = "$published" ] ||
    fail "$2 has SHA-256 $actual, published is $published" "the archive is damaged or forged: do not use this source"
  [ "$4" = - ] || [ "$actual" = "$4" ] ||
    fail "$2 has SHA-256 $actual, the configuration pins $4" "pin the sum of this version, or distrust the source"
}

# recorded RECORD LINES PINNED: those lines of the record are true, and its archive is the pinned one where there is one.
recorded() {
  [ -f "$1" ] && { [ "$3" = - ] || grep -q "^$3 " "$1"; } && sed --quiet "$2p" "$1" | sha256sum --check --status
}

unpack() { # ARCHIVE DIRECTORY
  case $1 in
    *.zip) python3 -m zipfile -e "$1" "$2" ;;
    *) tar --extract --gzip --no-same-owner --strip-components=1 --directory="$2" --file="$1" ;;
  esac
}

# place_tree ARTEFACT NAME: a program of many files, whole under its own name before its link leads there; prints where.
place_tree() {
  local tree=$root/opt/$2
  rm -rf "$tree"
  mkdir -p "$root/opt"
  mv "$work/$1" "$tree"
  ln --symbolic --force --no-dereference "$2" "$root/opt/.$1.new"
  mv --no-target-directory "$root/opt/.$1.new" "$root/opt/$1"
  printf '%s\n' "$tree"
}

mkdir -p "$cache" "$binaries"
while IFS=$'\t' read -r artefact archive url sums pinned; do
  # One line for the archive, then one for each installed file.
  record=$cache/$archive.sha256
  if recorded "$record" '2,$' "$pinned"; then
    log "$artefact is in place: $archive"
    continue
  fi
  if ! recorded "$record" 1 "$pinned"; then
    fetch "$sums" "$work/sums" || fail "$sums cannot be fetched" "check the artefact address and the way out of the network"
    fetch "$url" "$work/$archive" || fail "$url cannot be fetched" "check the artefact address and the way out of the network"
    verify "$work/$archive" "$archive" "$work/sums" "$pinned"
    mv "$work/$archive" "$cache/$archive"
  fi
  mkdir "$work/$artefact"
  unpack "$cache/$archive" "$work/$artefact"
  if [ -d "$work/$artefact/bin" ]; then
    installed=$(place_tree "$artefact" "${archive%.tar.gz}")
  else
    installed=$binaries/$artefact
    install --mode=0755 "$work/$artefact/$artefact" "$binaries/.$artefact.new"
    mv "$binaries/.$artefact.new" "$installed"
  fi
  find "$cache/$archive" "$installed" -type f -exec sha256sum {} + >"$record.new"
  mv "$record.new" "$record"
  log "installed $artefact from $archive"
done <"$settings/artefacts.tsv"
