#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The suite of the real module: every test on a volume of its own, which must be clean
# afterwards. Runs in a test machine:
#   tools/vm/run -- tests/vm/suite.sh [--quick] [TEST]...
# --quick is for emulated machines: the same tests with fewer operations, and without the
# long compactions.
# The last line is "N passed, N failed".
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2

: "${VEXFS_DISK:?must name the block device to format: run it through tools/vm/run}"
export PATH=$PWD/build:/usr/sbin:/sbin:$PATH
bin=build/tests/vm
mnt=/mnt/vexfs
log=/tmp/suite.log
passed=0
failed=0
quick=

all_tests="names attributes files cli libvexfs filters upsert index selective compact abi64 abi32 badinput mount sketches interrupt damage derived columns"

volume_make()
{
	mkfs.vexfs -q -f "$VEXFS_DISK" && mkdir -p "$mnt" &&
		mount -t vexfs "$VEXFS_DISK" "$mnt"
}

# Unmount the volume, if the test left it mounted, and check it.
volume_check()
{
	if mountpoint -q "$mnt"; then
		umount "$mnt" || return 1
	fi
	fsck.vexfs -n "$VEXFS_DISK"
}

test_names() { $bin/test_names "$mnt" "$VEXFS_DISK"; }
test_attributes() { $bin/test_attributes "$mnt" "$VEXFS_DISK"; }
test_cli() { mkdir "$mnt/cli" && VEXFS_MNT=$mnt/cli tests/vm/test_cli.sh; }
test_libvexfs() { $bin/test_libvexfs "$mnt"; }
test_filters() { $bin/test_filters "$mnt" "$VEXFS_DISK"; }
test_abi64() { $bin/abi32_client "$mnt"; }
test_badinput() { $bin/test_badinput "$mnt"; }
test_sketches() { umount "$mnt" && tests/vm/test_sketches.sh; }
test_upsert() { $bin/test_upsert "$mnt" "$VEXFS_DISK"; }
test_index() { $bin/test_index "$mnt" "$VEXFS_DISK"; }
test_selective() { $bin/test_selective "$mnt" "$VEXFS_DISK"; }

test_compact()
{
	$bin/test_compact "$mnt" "$VEXFS_DISK" || return 1
	[ -n "$quick" ] || $bin/test_compact_long "$mnt" "$VEXFS_DISK"
}

test_mount() { umount "$mnt" && tests/vm/test_mount.sh; }

# Only for kernels that can make allocations fail; not among all tests.
test_memory()
{
	mount -t debugfs none /sys/kernel/debug 2>/dev/null
	echo N >/sys/kernel/debug/failslab/ignore-gfp-wait || return 1
	echo 0 >/sys/kernel/debug/failslab/verbose
	$bin/fail_nth "$mnt"
}

test_interrupt() { umount "$mnt" && tests/vm/test_interrupt.sh; }
test_damage() { umount "$mnt" && tests/vm/test_damage.sh $quick; }
test_derived() { umount "$mnt" && tests/vm/test_derived.sh $quick; }

test_columns() { umount "$mnt" && tests/vm/test_columns.sh; }

test_files()
{
	umount "$mnt" && TEST_OPS=${quick:+400} TEST_BIN=$bin tests/vm/test_files.sh
}

# A 32-bit program on a 64-bit kernel; UML runs 64-bit programs only.
test_abi32()
{
	if [ "${VEXFS_VM#uml}" != "$VEXFS_VM" ]; then
		echo "skip: this machine runs no 32-bit programs"
		return 0
	fi
	$bin/abi32_client_32 "$mnt"
}

# run NAME: one test, with its volume before and after
run()
{
	local begun=$SECONDS status=0 ok

	if ! volume_make >"$log" 2>&1; then
		status=1
	else
		"test_$1" >>"$log" 2>&1 || status=$?
		if ! volume_check >>"$log" 2>&1; then
			echo "the volume is not clean afterwards" >>"$log"
			status=1
		fi
	fi
	ok=$(grep -c '^ok ' "$log")
	if [ "$status" = 0 ] && ! grep -q '^not ok ' "$log"; then
		passed=$((passed + (ok ? ok : 1)))
		echo "ok   $1: ${ok:-1} cases, $((SECONDS - begun)) s"
	else
		passed=$((passed + ok))
		failed=$((failed + $(grep -c '^not ok ' "$log")))
		grep -q '^not ok ' "$log" || failed=$((failed + 1))
		echo "FAIL $1: status $status"
		grep -v '^ok ' "$log" | tail -n 40 | sed 's/^/     /'
	fi
}

if [ "${1-}" = --quick ]; then
	quick=--quick
	shift
fi
# shellcheck disable=SC2086 # the names are words
[ $# -gt 0 ] || set -- $all_tests
for name in "$@"; do
	if [ "$(type -t "test_$name")" != function ]; then
		echo "suite.sh: there is no test $name; there are: $all_tests" >&2
		exit 2
	fi
	run "$name"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
