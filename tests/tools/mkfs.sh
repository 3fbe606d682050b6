#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Tests mkfs.vexfs over image files: what it makes, what it refuses, what it
# asks. Needs no root; with it, a loop device is tried too. One line a case.
set -u

build=${BUILD:-build}
mkfs=$build/mkfs.vexfs
fsck=$build/fsck.vexfs
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
passed=0
failed=0

ok()
{
	echo "ok - $1"
	passed=$((passed + 1))
}

not_ok()
{
	echo "not ok - $1"
	sed 's/^/# /' "$dir/out"
	failed=$((failed + 1))
}

# run NAME STATUS PATTERN COMMAND...: exit status and a line of the output
run()
{
	local name=$1 want=$2 pattern=$3 status=0
	shift 3
	"$@" >"$dir/out" 2>&1 </dev/null || status=$?
	if [ "$status" = "$want" ] &&
	   { [ -z "$pattern" ] || grep -q -e "$pattern" "$dir/out"; }; then
		ok "$name"
	else
		echo "exit status $status, not $want, or no '$pattern'" >>"$dir/out"
		not_ok "$name"
	fi
}

# clean NAME IMAGE: fsck finds nothing
clean()
{
	run "$1" 0 'clean$' "$fsck" -n "$2"
}

image=$dir/image

for size in 16M 17M 125M 126M 127M 134M 200M 1G 100G 15T; do
	rm -f "$image"
	run "make an image of $size" 0 'made a VexFS' "$mkfs" "$image" $size
	clean "an image of $size is clean" "$image"
done
for bytes in 4K 8K 1M 16M; do
	run "an inode for $bytes" 0 'made a VexFS' "$mkfs" -f -i $bytes -s 500M "$image"
	clean "it is clean" "$image"
done
for journal in 4M 130M 512M; do
	run "a journal of $journal" 0 'made a VexFS' "$mkfs" -f -J $journal -s 2G "$image"
	clean "it is clean" "$image"
done

rm -f "$image"
run "too small" 1 'fewer than 4096 blocks' "$mkfs" "$image" 15M
run "nothing is left behind" 1 '' test -e "$image"
run "no size for a file that is not there" 1 'give its size' "$mkfs" "$image"
run "no target" 1 'name a device' "$mkfs"
run "too many arguments" 1 'too many' "$mkfs" a 1G b
run "the size twice" 1 'given twice' "$mkfs" -s 1G "$image" 1G
run "unknown option" 1 'invalid option' "$mkfs" -z "$image" 1G
run "a size that is none" 1 'is not a size' "$mkfs" "$image" 1X
run "a negative size" 1 'is not a size' "$mkfs" -s -1 "$image"
run "a size beyond 64 bits" 1 'is not a size' "$mkfs" "$image" 99999999999P
run "larger than can be" 1 'cannot make' "$mkfs" -n "$image" 5000T
run "a bad UUID" 1 'not a UUID' "$mkfs" -U 1234 "$image" 16M
run "a label of 65 bytes" 1 'at most 64' "$mkfs" -L "$(printf 'x%.0s' {1..65})" "$image" 16M
run "a label that is not UTF-8" 1 'UTF-8' "$mkfs" -L $'\xff' "$image" 16M
run "bad errors behaviour" 1 'must be continue' "$mkfs" -e ignore "$image" 16M
run "a journal that is too small" 1 'is not a size of' "$mkfs" -J 1M "$image" 16M
run "a journal that is too large" 1 'from 4M to 512M' "$mkfs" -J 1G "$image" 16G
run "a journal larger than half" 1 'too large' "$mkfs" -J 16M "$image" 20M
run "a directory" 1 'neither a block device' "$mkfs" "$dir"
run "a character device" 1 'neither a block device' "$mkfs" /dev/null
run "help" 0 'Exit status' "$mkfs" -h
run "version" 0 'format version 1' "$mkfs" -V

run "dry run" 0 'Nothing was written' "$mkfs" -n "$image" 1G
run "it wrote nothing" 1 '' test -e "$image"

uuid=01234567-89ab-cdef-0123-456789abcdef
run "label, UUID, JSON" 0 "\"uuid\": \"$uuid\", \"label\": \"v \\\\\\\\ ö\"" \
	"$mkfs" -q --json -U $uuid -L 'v \ ö' "$image" 64M
cp "$dir/out" "$dir/json"
run "it is JSON" 0 '' /usr/bin/python3 -m json.tool "$dir/json"
clean "it is clean" "$image"

run "a filesystem is not overwritten without an answer" 1 'the VexFS filesystem "v' "$mkfs" "$image"
clean "it is as it was" "$image"
run "nor with no" 1 'nothing was written' sh -c "echo no | '$mkfs' '$image'"
run "but with y" 0 'made a VexFS' sh -c "yes | '$mkfs' '$image'"
run "and with -f" 0 'made a VexFS' "$mkfs" -f "$image"
clean "it is clean" "$image"

truncate -s 64M "$dir/foreign"
if mkfs.ext4 -q -F "$dir/foreign" 2>/dev/null; then
	run "ext4 is named" 1 'holds ext4' "$mkfs" "$dir/foreign"
	run "dry run on ext4" 0 'would ask' "$mkfs" -n "$dir/foreign"
	run "ext4 is overwritten with -f -K" 0 'made a VexFS' "$mkfs" -f -K "$dir/foreign"
	run "and gone" 2 '' blkid -p "$dir/foreign"
	clean "the image is clean" "$dir/foreign"
fi
if command -v sfdisk >/dev/null; then
	rm "$dir/foreign"
	truncate -s 64M "$dir/foreign"
	echo ',,L' | sfdisk -q --label gpt "$dir/foreign"
	run "a partition table is named" 1 'partition table' "$mkfs" "$dir/foreign"
fi

printf 'not empty, but nothing known' >"$dir/foreign"
truncate -s 20M "$dir/foreign"
run "unknown contents need no answer" 0 'made a VexFS' "$mkfs" "$dir/foreign"

if [ "$(id -u)" != 0 ]; then
	chmod 444 "$image"
	run "a read-only file" 1 'cannot write' "$mkfs" -f "$image"
	chmod 644 "$image"
elif loop=$(losetup -f --show "$image" 2>/dev/null); then
	run "an image in use as a loop device" 1 'is in use as /dev/loop' "$mkfs" -f "$image"
	run "the loop device itself" 0 'made a VexFS' "$mkfs" -f "$loop"
	clean "it is clean" "$loop"
	losetup -d "$loop"
	loop=$(losetup -r -f --show "$image") &&
		run "a read-only device" 1 'read-only' "$mkfs" -f "$loop"
	losetup -d "$loop"
fi

# What was in the blocks before must not matter.
head -c 40M /dev/urandom >"$image"
run "over random bytes" 0 'made a VexFS' "$mkfs" -f -K "$image"
clean "it is clean" "$image"

echo "$passed passed, $failed failed"
[ $failed = 0 ]
