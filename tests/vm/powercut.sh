#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The power-cut test: records every write and flush of a seeded workload, makes images of
# what the disk may hold after a cut at random points, mounts each and judges it.  Runs in
# a test machine; started outside of one, it starts one.
set -euo pipefail

usage()
{
	cat <<-TEXT
	Usage: tests/vm/powercut.sh [OPTION]...

	  --cuts N       power cuts (200)
	  --seed S       of workload and cuts (1)
	  --count N      operations of the workload (3000; 1000 with --index)
	  --index        half of the workload is about files with sketches, indexes and
	                 attributes; after every other cut background work is waited for
	  --plain        ordinary files only, no vector files
	  --only CUT     only this one of the cuts, to look into a failure
	  --fstype TYPE  judge another filesystem (ext4): shows that the test itself is right
	  --vm VM        machine to start (uml), see tools/vm/run --help

	Prints "N passed, N failed".  For each failure the image, the list of operations and
	what was wrong are kept in build/vm-out/powercut-CUT/.
	Exit status: 0 all passed, 1 some failed, 2 the test could not run.
	TEXT
}

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
programs=$top/build/tests
work=/dev/shm/powercut
mib=64

die()
{
	echo "powercut.sh: $*" >&2
	exit 2
}

make_fs()
{
	case $1 in
	vexfs) "$top/build/mkfs.vexfs" -q -f "$2" ;;
	*) "mkfs.$1" -q -F -b 4096 -O ^metadata_csum "$2" ;;
	esac
}

check_fs()
{
	case $1 in
	vexfs) "$top/build/fsck.vexfs" -n "$2" ;;
	*) "fsck.$1" -f -n "$2" ;;
	esac
}

# judge TYPE IMAGE ACKNOWLEDGED BEGUN CUT: what powercut_replay calls for each image
judge()
{
	local ok=yes report=$work/report keep=${VEXFS_OUT:-$work}/powercut-$5 settle=()
	[ $(($5 % 2)) != 0 ] || settle=(settle)
	if mount -t "$1" -o loop "$2" "$work/mnt" >"$report" 2>&1; then
		"$programs/powercut_check" "$work/mnt" "$work/list" "$3" "$4" "${settle[@]}" \
			>>"$report" 2>&1 || ok=no
		umount "$work/mnt" >>"$report" 2>&1 || ok=no
		check_fs "$1" "$2" >>"$report" 2>&1 || ok=no
	else
		ok=no
	fi
	[ $ok = no ] || return 0
	cat "$report"
	mkdir -p "$keep"
	cp --sparse=always "$2" "$keep/image"
	cp "$work/list" "$report" "$keep/"
	dmesg | tail -n 40 >"$keep/dmesg"
	return 1
}

# record TYPE: $work/base, and the log on the second disk
record()
{
	local sectors=$((mib * 2048)) arguments=(--count "$count" --seed "$seed")
	[ "$plain" = yes ] || arguments+=(--vectors)
	[ "$index" = no ] || arguments+=(--index)
	export DM_DISABLE_UDEV=1
	modprobe dm-log-writes || die "this kernel has no dm-log-writes"
	modprobe loop || die "this kernel has no loop devices"
	dmsetup create pcdata --table "0 $sectors linear $VEXFS_DISK 0"
	dd if=/dev/zero of=/dev/mapper/pcdata bs=1M count=$mib oflag=direct status=none
	make_fs "$1" /dev/mapper/pcdata
	dd if=/dev/mapper/pcdata of="$work/base" bs=1M iflag=direct conv=sparse status=none
	dmsetup remove pcdata
	# shellcheck disable=SC2153  # tools/vm/run sets both
	dmsetup create pclog --table "0 $sectors log-writes $VEXFS_DISK $VEXFS_DISK2"
	dmsetup message pclog 0 mark base
	mount -t "$1" /dev/mapper/pclog "$work/mnt"
	"$programs/powercut_load" "${arguments[@]}" --device pclog "$work/mnt" "$work/list" ||
		{ dmesg | tail -n 20 >&2; die "the workload failed"; }
	umount "$work/mnt"
	dmsetup remove pclog
}

if [ "${1:-}" = --judge ]; then
	shift
	judge "$@"
	exit
fi

given=("$@")
cuts=200 seed=1 count='' plain=no index=no only=0 fstype=vexfs vm=uml
while [ $# -gt 0 ]; do
	case $1 in
	--plain) plain=yes; shift; continue ;;
	--index) index=yes; shift; continue ;;
	-h | --help) usage; exit 0 ;;
	esac
	[ $# -ge 2 ] || die "$1 needs a value or is unknown (see --help)"
	case $1 in
	--cuts) cuts=$2 ;;
	--seed) seed=$2 ;;
	--count) count=$2 ;;
	--only) only=$2 ;;
	--fstype) fstype=$2 ;;
	--vm) vm=$2 ;;
	*) die "unknown option $1 (see --help)" ;;
	esac
	shift 2
done

if [ -z "${VEXFS_DISK:-}" ]; then
	exec "$top/tools/vm/run" --vm "$vm" --timeout 3000 -- "$top/tests/vm/powercut.sh" "${given[@]}"
fi
[ -n "$count" ] || { [ $index = yes ] && count=1000 || count=3000; }
mkdir -p "$work/mnt"
record "$fstype"
"$programs/powercut_replay" --cuts "$cuts" --seed "$seed" --only "$only" \
	"$work/base" "$VEXFS_DISK2" "$work/image" "$top/tests/vm/powercut.sh" --judge "$fstype"
