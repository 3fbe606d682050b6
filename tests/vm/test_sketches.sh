#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Sketches that the background makes of a vector file's rows: that they come and cover all
# rows, over remounts, read-only mounts, freezing, full volumes, dropped caches and damaged
# pages; and that they go with the rows. Runs in a test machine.
# Prints "ok NAME" and "not ok NAME: why".
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2

# shellcheck source=tests/vm/cases.sh
. tests/vm/cases.sh
dir=/dev/shm/sketches
image=$dir/image
mnt=/mnt/sketches
mkdir -p $dir $mnt
modprobe loop 2>/dev/null

up() { mount -t vexfs -o "loop${1:+,$1}" $image $mnt; }
blocks() { stat -c %b "$1"; }
rows() { head -c $(($1 * 64)) /dev/urandom; }
nearest() { vexfs search $mnt/rows --query $dir/query --format raw -k 5 --exact 2>&1; }

# How many rows the sketches on disk cover; - if there are none.
covered()
{
	fsck.vexfs -v $image | sed -n 's/.*its sketches cover \([0-9]*\) rows/\1/p' | grep . || echo -
}

# posix_fadvise(2): the file will be needed, and so its sketches are.
want()
{
	/usr/bin/python3 - $mnt/rows <<-CODE
		import os, sys
		os.posix_fadvise(os.open(sys.argv[1], os.O_RDONLY), 0, 0, os.POSIX_FADV_WILLNEED)
	CODE
}

# Unmount, which makes durable what is encoded; until all of ROWS rows are.
settle()
{
	local tries
	for tries in {1..60}; do
		sleep 1
		umount $mnt
		[ "$(covered)" = "$1" ] && return
		up
		want
	done
	umount $mnt
	echo "$(covered) rows are covered after $tries tries, not $1"
	return 1
}

clean() { fsck.vexfs -n $image; }
no_warning() { ! clean | grep warning; }

grow()
{
	truncate -s 64M $image
	mkfs.vexfs -q -f $image && up || exit 1
	vexfs create $mnt/rows --dim 64 --type u8 >$dir/out || exit 1
	rows 1 >$dir/query
	rows 100 >>$mnt/rows
	sleep 1
	umount $mnt
	ok "a few rows need none" same "$(covered)" -
	up
	rows 19900 >>$mnt/rows
	ok "many rows get sketches" settle 20000
	ok "the volume is clean" no_warning
	up nobackground
	ok "nobackground is shown" grep -q " $mnt vexfs .*nobackground" /proc/mounts
	rows 5000 >>$mnt/rows
	sleep 1
	umount $mnt
	ok "and makes none" same "$(covered)" 20000
	up
	rows 1 >>$mnt/rows
	ok "the rest gets them later" settle 25001
	ok "the volume is clean then" no_warning
}

states()
{
	up
	rows 10000 >>$mnt/rows
	ok "freeze while rows are encoded" fsfreeze -f $mnt
	sleep 1
	ok "thaw" fsfreeze -u $mnt
	rows 10000 >>$mnt/rows
	ok "remount read-only while rows are encoded" mount -o remount,ro $mnt
	nearest >$dir/before
	ok "remount writable" mount -o remount,rw $mnt
	ok "remount without background" mount -o remount,nobackground $mnt
	ok "and with it" mount -o remount,background $mnt
	nearest >$dir/after
	ok "the answers are the same" cmp $dir/before $dir/after
	ok "all rows are encoded at last" settle 45001
}

warned()
{
	clean >$dir/out
	grep -q 'warning: .*derived data damaged: will be rebuilt' $dir/out ||
		{ cat $dir/out; return 1; }
}

damage()
{
	up
	nearest >$dir/before
	umount $mnt
	build/tests/vm/mutate derived $image 3000 1 >$dir/out
	ok "fsck warns of damaged sketches" warned
	ok "but the volume is clean" clean
	up
	nearest >$dir/after
	ok "the answers are the same with it" cmp $dir/before $dir/after
	sync
	echo 3 >/proc/sys/vm/drop_caches
	echo 3 >/proc/sys/vm/drop_caches
	nearest >$dir/after
	ok "and without caches" cmp $dir/before $dir/after
	umount $mnt
}

end()
{
	up
	vexfs delete $mnt/rows 1 2 3 >$dir/out 2>&1
	ok "delete rows" same $? 0
	ok "cut rows off" truncate -s 128000 $mnt/rows
	ok "fewer rows are encoded anew" settle 2000
	up
	ok "cut all of them off" truncate -s 0 $mnt/rows
	ok "then nothing is left" same "$(blocks $mnt/rows)" 0
	rows 20000 >>$mnt/rows
	sleep 1
	dd if=/dev/zero of=$mnt/fill bs=1M status=none 2>/dev/null
	rows 40000 >>$mnt/rows 2>/dev/null
	sync
	nearest >$dir/after
	ok "a full volume is searched" same $? 0
	rm $mnt/fill
	rm $mnt/rows
	sleep 1
	ok "a removed file gives its blocks back" more "$(stat -f -c %f $mnt)" 14000
	umount $mnt
	ok "and the volume is clean" clean
}

grow
states
damage
end
exit $((failed != 0))
