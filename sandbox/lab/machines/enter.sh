#!/bin/sh
# enter.sh IDENTITY GROUP... -- COMMAND...: join control groups, write down who this process is, become the command.
# The file appears whole, and before the command runs: a process that is not written down cannot be found again.
set -eu
identity=$1
shift
while [ "$1" != -- ]; do
  echo $$ >"$1/cgroup.procs"
  shift
done
shift
read -r stat <"/proc/$$/stat"
started=$(echo "${stat##*) }" | cut -d ' ' -f 20)
echo "$$ $started" >"$identity.new"
mv "$identity.new" "$identity"
exec "$@"
