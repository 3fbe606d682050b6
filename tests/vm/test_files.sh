#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Tests of ordinary files on a mounted VexFS: what is written is what is read, by every
# way in and out, after remounts, and when the volume is full. Runs in a test machine:
#   tools/vm/run -- tests/vm/test_files.sh
# Without VEXFS_MNT it formats and mounts VEXFS_DISK itself.
# Environment: VEXFS_MNT, a mounted VexFS directory to work in; TEST_OPS, operations of
# a random test (3000); TEST_SEED, where its seeds begin (1); TEST_BIN, where the
# compiled helpers are (build/tests/vm; compiled into /tmp when they are missing).
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2

ops=${TEST_OPS:-3000}
seed=${TEST_SEED:-1}
bin=${TEST_BIN:-build/tests/vm}
failed=0
count=0

# result NAME STATUS TEXT: print one test's line
result()
{
	count=$((count + 1))
	if [ "$2" = 0 ]; then
		echo "ok $1"
	else
		failed=$((failed + 1))
		echo "not ok $1: $3"
	fi
}

# try NAME COMMAND...: a test is a command, and what it prints says what is wrong
try()
{
	local name=$1 text
	shift
	text=$("$@" 2>&1)
	result "$name" $? "$(tail -n 3 <<<"$text" | tr '\n' ' ')"
}

helper()
{
	if [ ! -x "$bin/$1" ]; then
		cc -O2 -Wall -Wextra -o "/tmp/$1" "tests/vm/$1.c" || exit 2
		bin=/tmp
	fi
}

remount()
{
	umount "$mnt" && mount -t vexfs "$device" "$mnt"
}

free_blocks()
{
	sync
	stat -f -c %f "$mnt"
}

helper fsx_model
helper file_ops
helper file_race
own_mount=''
if [ -z "${VEXFS_MNT:-}" ]; then
	own_mount=yes
	VEXFS_MNT=/mnt/vexfs
	mkdir -p "$VEXFS_MNT"
	build/mkfs.vexfs -q -f "$VEXFS_DISK" && mount -t vexfs "$VEXFS_DISK" "$VEXFS_MNT" || exit 2
fi
mnt=$(findmnt -n -o TARGET --target "$VEXFS_MNT")
device=$(findmnt -n -o SOURCE --target "$VEXFS_MNT")
dir=$VEXFS_MNT/files.$$
mkdir "$dir" || exit 2

for name in direct map append nowait seek fallocate stale spare unlinked; do
	before=$(free_blocks)
	try "$name" "$bin/file_ops" "$name" "$dir/f"
	rm -f "$dir/f"
	after=$(free_blocks)
	[ "$before" = "$after" ]
	result "$name frees what it used" $? "$before blocks were free, now $after"
done

# Random changes: one file with remounts, then several at a time.
try "random changes, seed $seed" "$bin/fsx_model" -s "$seed" -n "$ops" -r $((ops / 8 + 1)) \
	-d "$device" -m "$mnt" "$dir/f"
try "random changes of a large file" "$bin/fsx_model" -s $((seed + 1)) -n $((ops / 4)) \
	-l $((48 << 20)) "$dir/f"
random_side_by_side()
{
	local n pids='' status=0
	for n in 1 2 3 4; do
		"$bin/fsx_model" -s $((seed + 10 + n)) -n $((ops / 2)) "$dir/f$n" &
		pids="$pids $!"
	done
	for n in $pids; do
		wait "$n" || status=1
	done
	return $status
}
try "random changes of four files" random_side_by_side

# The same files changed by several processes at once, then looked at from the disk.
races()
{
	mkdir "$dir/race" && "$bin/file_race" -s "$seed" -n $((ops / 10)) "$dir/race" &&
	remount && "$bin/file_race" -c "$dir/race" && rm -r "$dir/race"
}
try "races of six processes" races

# Contents survive a remount.
sums_after_remount()
{
	local n
	mkdir "$dir/many"
	head -c 40000000 /dev/urandom >"$dir/large"
	for n in $(seq 300); do
		head -c $((n * 37)) "$dir/large" >"$dir/many/$n"
	done
	(cd "$dir" && sha256sum large many/*) >/tmp/sums
	remount || return 1
	(cd "$dir" && sha256sum --quiet -c /tmp/sums)
}
try "contents after a remount" sums_after_remount

one_extent()
{
	filefrag "$dir/large" | grep -q ' [1-4] extent' || filefrag "$dir/large"
}
try "a large file lies in few extents" one_extent

copies()
{
	cp --sparse=always "$dir/large" "$dir/copy" && cmp "$dir/large" "$dir/copy" &&
	dd if="$dir/large" of="$dir/copy" bs=1M iflag=direct oflag=direct conv=notrunc \
		status=none && cmp "$dir/large" "$dir/copy" &&
	dd if="$dir/large" of="$dir/copy" bs=64k oflag=dsync count=20 status=none &&
	cmp -n 1310720 "$dir/large" "$dir/copy"
}
try "copies by different ways" copies

sparse()
{
	local file=$dir/sparse
	truncate -s 10T "$file" && echo end >>"$file" || return 1
	[ "$(stat -c %b "$file")" = 8 ] || { stat "$file"; return 1; }
	remount || return 1
	[ "$(stat -c %s "$file")" = $((10 << 40 | 4)) ] || { stat "$file"; return 1; }
	[ "$(tail -c 4 "$file")" = end ] || { echo "the end is lost"; return 1; }
	[ "$(head -c 1000 "$file" | tr -d '\0' | wc -c)" = 0 ] || { echo "a hole is not zero"; return 1; }
	truncate -s 0 "$file"
}
try "a sparse file of 10 TiB" sparse

times()
{
	local file=$dir/times before
	echo 1 >"$file"
	touch -d '2001-02-03 04:05:06.123456789' "$file"
	before=$(stat -c %y "$file")
	remount || return 1
	[ "$(stat -c %y "$file")" = "$before" ] || { echo "mtime is lost"; return 1; }
	truncate -s 1 "$file"
	[ "$(stat -c %y "$file")" != "$before" ] || { echo "truncation leaves mtime"; return 1; }
	touch -d '2001-02-03 04:05:06.123456789' "$file"
	printf x >>"$file"
	[ "$(stat -c %y "$file")" != "$before" ] || { echo "writing leaves mtime"; return 1; }
}
try "times of change" times

# A full volume. The first time may begin with less than the second: what fills up
# afterwards is the same.
rm -rf "${dir:?}"/*
before=$(free_blocks)
try "a full volume" "$bin/file_ops" full "$dir/f"
rm -f "$dir/f"
try "a full volume again" "$bin/file_ops" full "$dir/f"
small_when_full()
{
	local n=0
	while echo x 2>/dev/null >"$dir/small$n"; do
		n=$((n + 1))
		[ $n -lt 200 ] || break
	done
	rm -f "$dir"/small* "$dir/f"
}
try "small files on a full volume" small_when_full
after=$(free_blocks)
[ "$before" = "$after" ]
result "a full volume is as free as before" $? "$before blocks were free, now $after"
try "a remount after all" remount
[ "$(free_blocks)" = "$before" ]
result "free blocks after a remount" $? "$before blocks were free, now $(free_blocks)"
rmdir "$dir"
result "the directory is empty" $? "$dir cannot be removed"
[ -z "$own_mount" ] || umount "$mnt"
result "unmounting" $? "$mnt is busy"

! dmesg | grep -E 'vexfs.*(damage|error|could not)'
result "the kernel log is clean" $? "see above"
echo "$count tests, $failed failed"
[ $failed = 0 ]
