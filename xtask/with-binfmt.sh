#!/bin/bash
# with-binfmt.sh COMMAND...: run COMMAND where programs for aarch64 and s390x Linux, and all that they start, run by qemu.
# That is so in namespaces of this call (Linux 6.7, where user ids keep their meaning); an older kernel has one list of
# formats for the whole machine, which takes root to extend.
set -e

register() { # NAME MAGIC MASK INTERPRETER
    [ -e "/proc/sys/fs/binfmt_misc/$1" ] && return
    # F: the interpreter is opened now, and works from everywhere. O, C: as qemu's own packages have it.
    printf '%s' ":$1:M:0:$2:$3:$4:OCF" >/proc/sys/fs/binfmt_misc/register
}

case ${1-} in
--new)
    # This process gets rights when its ids are mapped, and only by another exec.
    shift
    until read -r _ </proc/self/uid_map; do sleep 0.01; done
    exec "$0" --mount "$@"
    ;;
--mount)
    shift
    mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
    register interprocess-aarch64 \
        '\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00' \
        '\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff' /usr/bin/qemu-aarch64-static
    register interprocess-s390x \
        '\x7fELF\x02\x02\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x16' \
        '\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff' /usr/bin/qemu-s390x-static
    exec "$@"
    ;;
--private)
    shift
    if [ "$(id -u)" != 0 ]; then
        exec unshare --map-root-user --mount "$0" --mount "$@"
    fi
    # The ids of the new namespace are written from outside it, to this process (exec keeps its number), by a process
    # that is no child of it: a test program would find a child that it did not start.
    outside=$(readlink /proc/$$/ns/user)
    (
        (
            while [ "$(readlink /proc/$$/ns/user)" = "$outside" ]; do sleep 0.01; done
            for map in gid_map uid_map; do awk '{ print $1, $1, $3 }' /proc/self/$map >/proc/$$/$map; done
        ) &
    )
    exec unshare --user --mount "$0" --new "$@"
    ;;
*)
    if "$0" --private true; then
        exec "$0" --private "$@"
    fi
    exec unshare --mount "$0" --mount "$@"
    ;;
esac
