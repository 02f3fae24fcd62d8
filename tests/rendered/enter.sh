#!/bin/bash
# enter.sh SCRATCH FILES CONSOLE COMMAND...: run a command as root on a machine made of this one's programs and FILES.
# Everything written goes to memory and is gone afterwards, with every mount. Run by `unshare --mount`.
set -euo pipefail

scratch=$1 files=$2 console=$3
shift 3
mount -t tmpfs tmpfs "$scratch"
mkdir "$scratch"/{upper,work,root}
root=$scratch/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$scratch/upper,workdir=$scratch/work" "$root"
mount --rbind /dev "$root/dev"
mount --bind "$console" "$root/dev/console"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount -t tmpfs tmpfs "$root/run"
: >"$root/etc/fstab"
cp --recursive --preserve=mode "$files/." "$root/"
cd /
exec chroot "$root" "$@"
