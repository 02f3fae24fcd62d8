#!/bin/sh
# updown.sh DEVICE: a tunnel's interface is up while IPsec carries it, so BGP learns of a dead peer as soon as charon does.
set -eu
case "$PLUTO_VERB" in
  up-*) ip link set "$1" up ;;
  # It may be gone already, with the tunnel.
  down-*) ip link set "$1" down 2>/dev/null || true ;;
esac
