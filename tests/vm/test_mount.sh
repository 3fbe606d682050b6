#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Mounting: options, read-only mounts, remounts, freezing, lazy unmounts, volumes that
# are cut off, wiped or of another version, and what a mount of 1 TiB costs. Runs in a
# test machine with VEXFS_DISK; formats it. Prints "ok NAME" and "not ok NAME: why".
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2

# shellcheck source=tests/vm/cases.sh
. tests/vm/cases.sh
mnt=/mnt/mount
disk=$VEXFS_DISK
image=/tmp/image
mkdir -p $mnt

# refused NAME PATTERN COMMAND...: the command fails, and the kernel says why
refused()
{
	local name=$1 pattern=$2 text
	shift 2
	dmesg -C
	if text=$("$@" 2>&1); then
		failed=$((failed + 1))
		echo "not ok $name: it succeeded"
	elif ! dmesg | grep -q -e "$pattern"; then
		failed=$((failed + 1))
		echo "not ok $name: no '$pattern' in: $text $(dmesg | grep vexfs | tail -n 3)"
	else
		echo "ok $name"
	fi
}

# With -w, as mount would fall back to a read-only mount by itself.
loop_mount() { mount "${3--w}" -t vexfs -o "loop,$1" "$2" "$mnt"; }

options()
{
	mkfs.vexfs -q -f "$disk"
	ok "mount with errors=continue" mount -t vexfs -o errors=continue "$disk" $mnt
	ok "its option is shown" grep -q " $mnt vexfs .*errors=continue" /proc/mounts
	ok "remount with errors=remount-ro" mount -o remount,errors=remount-ro $mnt
	umount $mnt
	ok "an unknown option is refused" fails mount -t vexfs -o frobnicate "$disk" $mnt
	ok "a wrong value is refused" fails mount -t vexfs -o errors=maybe "$disk" $mnt
}

read_only()
{
	mount -t vexfs "$disk" $mnt
	echo data >$mnt/file
	vexfs create $mnt/vectors --dim 2 >/tmp/out
	ok "remount read-only" mount -o remount,ro $mnt
	ok "then nothing is written" fails touch $mnt/other
	ok "but read" same "$(cat $mnt/file)" data
	ok "remount writable" mount -o remount,rw $mnt
	ok "then it is written" touch $mnt/other
	umount $mnt
	ok "mount read-only" mount -t vexfs -o ro "$disk" $mnt
	ok "what was written is there" test -e $mnt/other
	ok "nothing is written" fails rm $mnt/other
	umount $mnt
	ok "a clean volume on a read-only device" blockdev --setro "$disk"
	ok "is mounted read-only" mount -t vexfs -o ro "$disk" $mnt
	ok "and read" same "$(cat $mnt/file)" data
	ok "and not made writable" fails mount -o remount,rw $mnt
	umount $mnt
	blockdev --setrw "$disk"
}

# Rows are appended while the volume is frozen, made read-only, and unmounted lazily.
busy()
{
	local writer
	mount -t vexfs "$disk" $mnt
	vexfs create $mnt/rows --dim 16 --type u8 >/tmp/out
	ok "freeze" fsfreeze -f $mnt
	head -c 1600 /dev/zero >>$mnt/rows &
	writer=$!
	sleep 1
	ok "a writer waits" kill -0 $writer
	ok "thaw" fsfreeze -u $mnt
	wait $writer
	ok "then it goes on" same $? 0
	ok "and all rows are there" same "$(stat -c %s $mnt/rows)" 1600
	ok "remount read-only publishes" mount -o remount,ro $mnt
	umount $mnt
	mount -t vexfs "$disk" $mnt
	ok "every row" same "$(stat -c %s $mnt/rows)" 1600
	exec 9<$mnt/rows
	ok "unmount lazily while a file is open" umount -l $mnt
	ok "the file is read still" same "$(head -c 16 <&9 | wc -c)" 16
	exec 9<&-
	# The last close unmounts; a mount in between finds the same volume.
	ok "and mount again" mount -t vexfs "$disk" $mnt
	umount $mnt
}

# A volume whose bytes are wrong is refused with a word on what is wrong.
wrong()
{
	local poke="build/tests/vm/mutate poke"
	truncate -s 64M $image
	mkfs.vexfs -q -f $image
	cp $image $image.good
	truncate -s 32M $image
	refused "a volume that is cut off" "cut off" loop_mount rw $image
	dd if=/dev/zero of=$image bs=4096 count=1 conv=notrunc status=none
	refused "a superblock of zeros" "not a VexFS" loop_mount rw $image
	truncate -s 1000 $image
	ok "a file of 1,000 bytes" fails loop_mount rw $image
	cp $image.good $image
	$poke $image 0 64 02000000
	refused "another version" "version" loop_mount rw $image
	cp $image.good $image
	$poke $image 0 88 0100000000000000
	refused "an unknown incompatible feature" "feature" loop_mount rw $image
	cp $image.good $image
	$poke $image 0 80 0100000000000000
	refused "an unknown read-only feature, writable" "feature" loop_mount rw $image
	ok "the same, read-only" loop_mount ro $image -r
	umount $mnt
	cp $image.good $image
	printf 'x' | dd of=$image bs=1 seek=300 conv=notrunc status=none
	refused "a flipped byte in the superblock" "superblock" loop_mount rw $image
	rm -f $image $image.good
}

# What errors= says happens when damage is met: here in the one leaf of the root directory.
on_errors()
{
	local leaf
	truncate -s 32M $image
	mkfs.vexfs -q -f $image
	loop_mount rw $image
	touch $mnt/{a,b,c}
	umount $mnt
	# The journal, which may hold a copy, lies before it.
	leaf=$(LC_ALL=C grep -obUa VXTR $image | awk -F: '$1 % 4096 == 0 { n = $1 / 4096 } END { print n }')
	printf 'x' | dd of=$image bs=1 seek=$((leaf * 4096 + 300)) conv=notrunc status=none
	dmesg -C
	loop_mount errors=continue $image
	ok "a damaged directory is not listed" fails ls $mnt
	ok "the kernel names the block" sh -c "dmesg | grep -q 'wrong checksum (block $leaf'"
	ok "errors=continue: the volume stays writable" mount -o remount,errors=continue $mnt
	ok "as can be seen" grep -q " $mnt vexfs rw" /proc/mounts
	umount $mnt
	loop_mount errors=remount-ro $image
	ok "a damaged directory is not listed" fails ls $mnt
	ok "errors=remount-ro: the volume is read-only then" grep -q " $mnt vexfs ro" /proc/mounts
	umount $mnt
	loop_mount rw $image
	ok "the next mount tells of the damage" sh -c "dmesg | grep -q 'damage was found earlier'"
	umount $mnt
	rm -f $image
}

# Memory that the kernel has given away, in KiB, not counting caches that it takes back.
used()
{
	sync
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^(MemTotal|MemFree|Buffers|Cached|SReclaimable):/ { v[$1] = $2 }
		END { print v["MemTotal:"] - v["MemFree:"] - v["Buffers:"] - v["Cached:"] - v["SReclaimable:"] }' \
		/proc/meminfo
}

# The image is of 1 TiB on paper and some MiB in memory.
huge()
{
	local before after
	mount -t tmpfs -o size=600m none /tmp/huge
	truncate -s 1T /tmp/huge/image
	ok "mkfs of 1 TiB" mkfs.vexfs -q -f /tmp/huge/image
	before=$(used)
	ok "mount of 1 TiB" loop_mount rw /tmp/huge/image
	after=$(used)
	echo "a mounted 1 TiB volume takes $((after - before)) KiB"
	ok "in under 16 MiB" test $((after - before)) -lt 16384
	ok "and holds a file" dd if=/dev/zero of=$mnt/f bs=1M count=8 status=none
	umount $mnt
	umount /tmp/huge
}

mkdir -p /tmp/huge
options
read_only
busy
wrong
on_errors
huge
mkfs.vexfs -q -f "$disk"
exit $((failed > 0))
