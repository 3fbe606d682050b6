#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A thousand threads that search a file and eight that insert into it, without an index
# and with one: tests/vm/crowd.c. Runs in a test machine with VEXFS_DISK:
#   tools/vm/run --timeout 600 -- tests/vm/crowd.sh [SECONDS]
# A thread's share of 120 seconds is a dozen ticks of the scheduler; of 30 it is three,
# and chance would decide.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export PATH=$PWD/build:/usr/sbin:/sbin:$PATH

mkfs.vexfs -q -f "$VEXFS_DISK"
mkdir -p /mnt/vexfs
mount -t vexfs "$VEXFS_DISK" /mnt/vexfs
status=0
build/tests/vm/crowd --seconds "${1:-120}" /mnt/vexfs || status=1
build/tests/vm/crowd --seconds "${1:-120}" --index hnsw /mnt/vexfs || status=1
umount /mnt/vexfs
fsck.vexfs -n "$VEXFS_DISK"
exit $status
