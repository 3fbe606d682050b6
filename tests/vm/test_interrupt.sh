#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Searches of a slow device: a fatal signal ends one soon, another search is not held up
# by it, and unmounting, freezing and remounting while searches and inserts run neither
# hang nor lose rows. Runs in a test machine with VEXFS_DISK; formats it. Prints the times
# that it measured; only a hang (10 s) fails.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2

export PATH=$PWD/build:/usr/sbin:/sbin:$PATH
mnt=/mnt/slow
failed=0
mkdir -p $mnt

report()
{
	if [ "$2" = 0 ]; then
		echo "ok $1"
	else
		failed=$((failed + 1))
		echo "not ok $1"
	fi
}

now() { date +%s%3N; }

# A device of which every read takes so many milliseconds.
delay()
{
	local sectors table
	sectors=$(blockdev --getsz "$VEXFS_DISK")
	table="0 $sectors delay $VEXFS_DISK 0 $1 $VEXFS_DISK 0 0"
	if dmsetup info slow >/dev/null 2>&1; then
		dmsetup suspend --nolockfs slow && dmsetup load slow --table "$table" &&
			dmsetup resume slow
	else
		dmsetup create slow --table "$table"
	fi
}

# killed NAME COMMAND...: how long it lives after SIGKILL
killed()
{
	local name=$1 pid begun took
	shift
	"$@" >/tmp/out 2>&1 &
	pid=$!
	sleep 2
	if ! kill -0 $pid 2>/dev/null; then
		echo "# it was done before it could be killed: $(head -n 1 /tmp/out)"
		report "$name" 1
		return
	fi
	begun=$(now)
	kill -9 $pid
	wait $pid 2>/dev/null
	took=$(($(now) - begun))
	echo "# $name: ended $took ms after the signal"
	report "$name" $((took > 10000))
}

modprobe dm-delay 2>/dev/null
mkfs.vexfs -q -f "$VEXFS_DISK" && delay 0 && mount -t vexfs /dev/mapper/slow $mnt || exit 1
head -c 67108864 /dev/urandom >/tmp/random
vexfs create $mnt/large --dim 1024 --type u8 >/tmp/out && cat /tmp/random >>$mnt/large
vexfs create $mnt/small --dim 1024 --type u8 >/tmp/out && head -c 1024000 /tmp/random >>$mnt/small
rm /tmp/random
umount $mnt
mount -t vexfs /dev/mapper/slow $mnt
vexfs search $mnt/small --id 3 -k 1 >/tmp/small
report "rows are found" $((! $(awk '{ print ($3 == 3 && $4 == 0) }' /tmp/small)))
delay 400
killed "a search of a slow device is killed" vexfs search $mnt/large --id 5 -k 10

vexfs search $mnt/large --id 5 -k 10 >/tmp/out 2>&1 &
slow=$!
sleep 1
begun=$(now)
vexfs search $mnt/small --id 3 -k 1 >/tmp/small2
report "another search goes on meanwhile" $?
echo "# it took $(($(now) - begun)) ms"
cmp -s /tmp/small /tmp/small2
report "with the same answer" $?
timeout 60 fsfreeze -f $mnt && timeout 60 fsfreeze -u $mnt
report "freezing meanwhile" $?
timeout 120 mount -o remount,ro $mnt && timeout 60 mount -o remount,rw $mnt
report "remounting read-only meanwhile" $?
umount $mnt 2>/dev/null
report "a volume that is searched is busy" $((! $?))
umount -l $mnt
report "and is unmounted lazily" $?
kill -9 $slow
wait $slow 2>/dev/null
delay 0
sleep 1
mount -t vexfs /dev/mapper/slow $mnt
(while vexfs search $mnt/large --id 5 -k 10 >/tmp/out 2>&1; do :; done) &
searcher=$!
(for _ in $(seq 200); do head -c 102400 /dev/zero >>$mnt/large || break; done) &
writer=$!
for _ in 1 2 3; do
	sleep 0.2
	timeout 60 fsfreeze -f $mnt && sleep 0.1 && timeout 60 fsfreeze -u $mnt
	report "freezing while rows are searched and appended" $?
done
wait $writer
report "the appends went on" $?
kill $searcher 2>/dev/null
wait $searcher 2>/dev/null
report "every row is there" $(($(stat -c %s $mnt/large) != 67108864 + 200 * 102400))
for _ in $(seq 100); do
	umount $mnt 2>/dev/null && break
	sleep 0.1
done
fsck.vexfs -n /dev/mapper/slow
report "the volume is clean" $?
dmsetup remove slow
exit $((failed > 0))
