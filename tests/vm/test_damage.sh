#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Damaged volumes in the kernel: every metadata block of a volume that holds some of
# everything gets flipped bits, with the checksum as it was and with one made to fit. Each
# time the volume is mounted, read, searched, changed, emptied and unmounted. Whatever is
# refused, the kernel must live; what the checksum shows must be found. Runs in a test
# machine:  tests/vm/test_damage.sh [--quick]
# DAMAGE_FLIPS: flips of every block with a checksum that fits (1). DAMAGE_SUPER=1 flips
# every byte of the superblock too, which takes minutes.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2

export PATH=$PWD/build:/usr/sbin:/sbin:$PATH
dir=/dev/shm/damage
image=$dir/image
bin=build/tests/vm
failed=0
mkdir -p $dir /mnt/damaged

report()
{
	if [ "$2" = 0 ]; then
		echo "ok $1: $3"
	else
		failed=$((failed + 1))
		echo "not ok $1: $3"
	fi
}

# try NAME MODE [FLIPS]: one run of mutations. The copy of the superblock, the last block of
# this one group, is not the kernel's business.
try()
{
	local begun=$SECONDS status=0
	$bin/mutate "$PWD/$bin/use_volume" $image "${@:2}" >$dir/out 2>&1
	if grep -v '^block 4095,.*exit status 0$' $dir/out | grep -q '^block ' ||
	   ! grep -q 'checked' $dir/out; then
		status=1
		head -n 5 $dir/out
	fi
	report "$1" $status "$(tail -n 1 $dir/out), $((SECONDS - begun)) s"
}

truncate -s 16M $image
mkfs.vexfs -q -f $image && $bin/populate $image >$dir/out || {
	echo "not ok the image could not be made: $(cat $dir/out)"
	exit 1
}
cp $image $dir/copy
modprobe loop 2>/dev/null
VEXFS_LOOP=$(losetup -f --show $dir/copy) || exit 1
VEXFS_COPY=$dir/copy
export VEXFS_LOOP VEXFS_COPY
$bin/use_volume -n $image
report "a sound volume is sound" $? "$(dmesg | grep vexfs | tail -n 1)"

# links NAME INO COUNT: an inode with fewer links than names lead to it, or a directory with
# fewer than it has subdirectories, is emptied without harm.
links()
{
	local status=0
	cp $image $dir/poked
	$bin/mutate poke $dir/poked $((5 + ($2 - 1) / 8)) $((64 + ($2 - 1) % 8 * 504 + 28)) \
		"0${3}000000" && $bin/use_volume -n $dir/poked || status=$?
	report "$1" $((status != 4)) "$(dmesg | grep 'vexfs.*links' | tail -n 1)"
}

links "a file with three names and one link" 919 1
links "a directory that does not count its subdirectory" 16 2
if [ "${1-}" != --quick ]; then
	try "flipped bits with checksums that fit" stamped "${DAMAGE_FLIPS:-1}"
	try "flipped bits with the checksum as it was" plain 1
fi
if [ -n "${DAMAGE_SUPER-}" ]; then
	try "every byte of the superblock" super
fi
losetup -d "$VEXFS_LOOP"
rm -rf $dir
exit $((failed > 0))
