#!/bin/bash
# with-binfmt.sh COMMAND...: run COMMAND where programs for aarch64 and s390x Linux, and whatever such programs start,
# run under qemu-user. That is so in namespaces of its own (Linux 6.7); nothing changes outside. User ids keep their meaning.
set -e
case ${1-} in
--new)
    # Until the ids are mapped this process has no rights, and it gets them only by another exec.
    shift
    until read -r _ </proc/self/uid_map; do sleep 0.01; done 2>/dev/null
    exec "$0" --mapped "$@"
    ;;
--mapped)
    shift
    mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
    # O and F: the interpreter is opened here and now, so it works in every folder; C: as in qemu's own registration.
    printf '%s' ':aarch64:M:0:\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:/usr/bin/qemu-aarch64-static:OCF' >/proc/sys/fs/binfmt_misc/register
    printf '%s' ':s390x:M:0:\x7fELF\x02\x02\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x16:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff:/usr/bin/qemu-s390x-static:OCF' >/proc/sys/fs/binfmt_misc/register
    exec "$@"
    ;;
*)
    if [ "$(id -u)" != 0 ]; then
        exec unshare --mount --map-root-user "$0" --mapped "$@"
    fi
    # The ids of the new namespace are written from outside it, by a child, to this process (exec keeps its number).
    outside=$(readlink /proc/$$/ns/user)
    (
        while [ "$(readlink /proc/$$/ns/user)" = "$outside" ]; do sleep 0.01; done
        for map in gid_map uid_map; do awk '{ print $1, $1, $3 }' /proc/self/$map >/proc/$$/$map; done
    ) &
    exec unshare --user --mount "$0" --new "$@"
    ;;
esac
