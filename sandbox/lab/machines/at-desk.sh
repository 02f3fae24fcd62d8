#!/bin/sh
# at-desk.sh FOLDER COMMAND...: become the command, with the desk's resolver and authorities as the system's own.
# Needs a mount namespace of its own, as `ip netns exec` makes one.
set -eu
mount --bind "$1/resolv.conf" /etc/resolv.conf
if [ -e /etc/ssl/certs/ca-certificates.crt ]; then
  mount --bind "$1/authorities.pem" /etc/ssl/certs/ca-certificates.crt
fi
# Those who look for single files and not for the bundle are told where it is.
export SSL_CERT_FILE="$1/authorities.pem"
shift
exec "$@"
