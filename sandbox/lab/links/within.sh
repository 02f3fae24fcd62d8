#!/bin/sh
# within.sh FOLDER COMMAND...: become the command, with the folder as its /run.
# So each daemon has its sockets and process files to itself, at short paths. Needs a mount namespace of its own, as
# `ip netns exec` makes one.
set -eu
mount --bind "$1" /run
shift
exec "$@"
