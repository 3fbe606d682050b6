#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The stress test on a volume of its own, which must be clean afterwards.
# Runs in a test machine: tools/vm/run -- tests/vm/stress.sh [OPERATIONS [SEED]]
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export PATH=$PWD/build:/usr/sbin:/sbin:$PATH

mkfs.vexfs -q -f "$VEXFS_DISK"
mkdir -p /mnt/vexfs
mount -t vexfs "$VEXFS_DISK" /mnt/vexfs
build/tests/vm/stress --operations "${1:-200000}" --seed "${2:-1}" /mnt/vexfs "$VEXFS_DISK"
umount /mnt/vexfs
fsck.vexfs -n "$VEXFS_DISK"
