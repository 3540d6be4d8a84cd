#!/bin/bash
# in-chroot.sh COMMAND...: run COMMAND, in the same folder, within the Debian at $XTASK_CHROOT.
# $XTASK_SHARE: folders, separated by colons, that it finds there at the same paths as here.
# The mounts belong to this one call and go with it.
set -e
if [ "${1-}" != --mounting ]; then
    exec unshare --mount "$0" --mounting "$@"
fi
shift
IFS=:
for folder in $XTASK_SHARE; do
    mkdir -p "$XTASK_CHROOT$folder"
    mount --bind "$folder" "$XTASK_CHROOT$folder"
done
mount -t proc proc "$XTASK_CHROOT/proc"
mount --rbind /dev "$XTASK_CHROOT/dev"
# With it, Debian's Wine looks for its server where there is none, and crashes. It is meant for rustdoc, outside.
unset TMPDIR
# shellcheck disable=SC2016
exec chroot "$XTASK_CHROOT" /bin/sh -c 'cd "$0" && exec "$@"' "$PWD" "$@"
