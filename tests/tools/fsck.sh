#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Tests fsck.vexfs over images that tests/tools/populate fills: sound ones,
# ones with a journal to replay, and ones damaged in a known place, with the
# finding that must come of it. One line a case.
set -u

build=${BUILD:-build}
mkfs=$build/mkfs.vexfs
fsck=$build/fsck.vexfs
populate=$build/tests/populate
mutate=$build/tests/mutate
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
passed=0
failed=0
good=$dir/good
image=$dir/image

ok()
{
	echo "ok - $1"
	passed=$((passed + 1))
}

not_ok()
{
	echo "not ok - $1"
	head -20 "$dir/out" | sed 's/^/# /'
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

# le BYTES NUMBER: little-endian, in hexadecimal
le()
{
	local i n=$2
	for ((i = 0; i < $1; i++)); do
		printf '%02x' $((n & 255))
		n=$((n >> 8))
	done
}

# damage NAME BLOCK OFFSET HEX PATTERN: with a checksum that fits
damage()
{
	cp --sparse=always "$good" "$image"
	"$mutate" poke "$image" "$2" "$3" "$4" || return
	run "$1" 4 "$5" "$fsck" -n "$image"
}

# inode NAME INO OFFSET HEX PATTERN: damage an inode's record
inode()
{
	damage "$1" $((5 + ($2 - 1) / 8)) $((64 + ($2 - 1) % 8 * 504 + $3)) "$4" "$5"
}

"$mkfs" -q "$good" 20M && "$populate" "$good" || exit 1
run "a populated image is clean" 0 'clean$' "$fsck" "$good"
run "-n" 0 'clean$' "$fsck" -n "$good"
run "-v says what it checks" 0 '^checking directories' "$fsck" -v "$good"
run "--json" 0 '"clean": true, "complete": true' "$fsck" --json "$good"
cp "$dir/out" "$dir/json"
run "it is JSON" 0 '' /usr/bin/python3 -m json.tool "$dir/json"
run "-a" 0 'not checked' "$fsck" -a "$good"
run "-a -f" 0 'clean$' "$fsck" -a -f "$good"
run "-f alone" 16 'without -a' "$fsck" -f "$good"
run "-y" 16 'no repair' "$fsck" -y "$good"
run "no target" 16 'name a device' "$fsck"
run "a target that is not there" 8 'No such file' "$fsck" "$dir/none"
run "a directory" 8 'neither' "$fsck" "$dir"
run "help" 0 'Exit status' "$fsck" -h
run "the copy of the superblock" 0 'clean$' "$fsck" -b 5119 "$good"
run "no superblock there" 8 'not a VexFS' "$fsck" -b 300 "$good"
truncate -s 1M "$dir/empty"
run "not a VexFS" 8 'not a VexFS' "$fsck" "$dir/empty"

cp "$good" "$image"
truncate -s 10M "$image"
run "an image cut short" 4 'cut short' "$fsck" "$image"
cp --sparse=always "$good" "$image"
dd if=/dev/zero of="$image" bs=4096 count=1 conv=notrunc status=none
run "no superblock, but its copy" 4 'check with -b 5119' "$fsck" "$image"
run "with the copy" 4 'superblock: not a VexFS' "$fsck" -b 5119 "$image"

# Numbers are populate's: it makes the same files each time.
damage "a block marked free" 3 100 00 'in use, but marked free'
damage "a block marked in use" 3 $((64 + 5000 / 8)) ff 'nothing owns them'
damage "a count of free blocks" 2 64 "$(le 4 7)" 'g_free_blocks: 7, but'
damage "a count of directories" 2 72 "$(le 4 2)" 'g_directories: 2, but there are 5'
damage "an inode marked free" 4 $((64 + 20)) 00 'inode 1[67][0-9] .*in use, but marked free'
damage "a flag of the state" 1 72 02 'st_flags: unknown'
damage "errors that the kernel saw" 1 72 01 'the kernel found damage'
damage "a loop of orphans" $((5 + 936 / 8)) $((64 + 936 % 8 * 504 + 120)) "$(le 8 936)" 'leads in a circle'
damage "orphans that are free" 1 64 "$(le 8 1500)" 'st_orphan_head: 1500: the inode is free'
damage "a list of orphans cut off" 1 64 "$(le 8 0)" 'not on the list of orphans'
inode "a link count" 20 28 "$(le 4 2)" '/dir/name 3 of many).*ino_links: 2, but it has 1'
inode "a directory's link count" 16 28 "$(le 4 7)" '(/dir): ino_links: 7, but it has 3'
inode "a directory's parent" 917 112 "$(le 8 918)" '(/dir/below): ino_parent: 918'
inode "a directory's size" 16 40 "$(le 8 4096)" '(/dir): ino_size: 4096, but'
inode "blocks charged" 919 48 "$(le 8 1)" 'ino_blocks: 1, but it has 18'
inode "a block used twice" 919 $((264 + 16)) "$(le 8 1400)" 'used twice'
inode "a block outside" 919 $((264 + 16)) "$(le 8 3)" 'outside of the data area'
inode "a type" 20 8 "$(le 2 $((0x41a4)))" 'inode 20'
inode "a free inode with a name" 20 8 0000 'leads to inode 20, which is free'
inode "the journal's mode" 3 8 "$(le 2 0)" 'journal'
inode "a reserved inode" 7 100 01 'is reserved, but'
inode "deleted rows" 928 208 "$(le 8 251)" 'ino_deleted: 251, but there are tombstones for 250'
inode "published rows" 927 200 "$(le 8 4001)" 'ino_rows: more than ino_size'
inode "the dimension" 927 232 "$(le 4 0)" 's_dim'
inode "next id" 928 216 "$(le 8 9599)" 'was never given out'
inode "a fork of another file" 929 112 "$(le 8 927)" 'the fork of another file'
inode "a fork's kind" 935 264 03 'fork'
inode "a fork that nothing names" 928 152 "$(le 8 0)" 'is a fork that no file names'
inode "own ids without rows" 932 144 "$(le 8 0)" 'there is no rows fork'
inode "own ids without ids" 932 136 "$(le 8 0)" 'row 0 has no id'
inode "a symbolic link's length" 921 40 "$(le 8 9)" 'bytes not in use are not zero'
inode "an ACL" 919 128 "$(le 8 0)" 'marked in use, but nothing owns'
inode "columns without names" 939 128 "$(le 8 0)" 'they have no names'
inode "a column's type" 939 248 "$(le 8 81)" 's_column_types'
inode "fewer columns than names" 939 239 "$(le 1 1)" 's_column_types'
inode "a column of another type" 939 248 "$(le 8 67)" 'attributes fork: block'
inode "rows on an unwritten block" 927 $((264 + 28)) "$(le 4 1)" 'holds published rows, but is not written'

cp --sparse=always "$good" "$image"
"$mutate" poke "$image" $((5 + 938 / 8)) $((64 + 938 % 8 * 504 + 176)) "$(le 8 0)"
run "a fork of attributes that nothing names" 4 'is a fork that no file names' "$fsck" -n "$image"
cp "$dir/out" "$dir/said"
run "its blocks are not lost" 1 '' grep 'nothing owns' "$dir/said"

# Derived forks: the header slots of the sketches come first, then those of an index.
mapfile -t slots < <(grep -obUaF VXDV "$good" | cut -d: -f1)
run "there are four header slots" 0 '' test ${#slots[@]} = 4

# tear NAME PATTERN PLACE...: other bytes there, 100 behind each
tear()
{
	local name=$1 pattern=$2 place
	shift 2
	cp --sparse=always "$good" "$image"
	for place in "$@"; do
		printf 'torn' | dd of="$image" bs=1 seek=$((place + 100)) conv=notrunc status=none
	done
	run "$name" 0 "$pattern" "$fsck" -n "$image"
}

run "derived forks are read" 0 'its sketches cover 2000 rows' "$fsck" -v "$good"
tear "the older header slot of sketches" 'clean$' "${slots[0]}"
tear "the newer header slot of sketches" 'clean$' "${slots[1]}"
tear "both slots of sketches" 'warning: .*the sketches: no sound header' "${slots[@]:0:2}"
tear "both slots of an index" 'warning: .*the unfinished index: no sound header' "${slots[@]:2:2}"
tear "the centre of sketches" 'warning: .*the sketches: page 2)' $((slots[0] + 2 * 4096))
tear "a page of sketches" 'warning: .*the sketches: page 7)' $((slots[0] + 7 * 4096))
tear "a page of an index" 'warning: .*the unfinished index: page 4)' $((slots[2] + 4 * 4096))
cp --sparse=always "$good" "$image"
"$mutate" poke "$image" $((5 + 940 / 8)) $((64 + 940 % 8 * 504 + 200)) "$(le 8 100)"
run "sketches of more rows than there are" 0 'dv_rows: more than ino_rows' "$fsck" -n "$image"
"$mutate" poke "$image" $((5 + 940 / 8)) $((64 + 940 % 8 * 504 + 224)) "$(le 8 9)"
run "sketches of rows that were renumbered" 0 'clean$' "$fsck" -n "$image"
cp "$dir/out" "$dir/said"
run "are no damage" 1 '' grep warning "$dir/said"

# A compaction that is half done: 944 is the file, 946 its new matrix, 947 and 948 its ids.
inode "a compaction that nothing names" 944 440 "$(le 8 0)" 'inode 946.*is a fork that no file names'
inode "a compaction of more rows than there are" 946 216 "$(le 8 3001)" 'it has looked at 3001 rows, but there are 3000'
inode "more rows copied than looked at" 946 216 "$(le 8 899)" 'ino_rows: not those of a compaction'
inode "more rows of a compaction than were copied" 946 200 "$(le 8 1025)" 'block 63 of the file holds published rows'
inode "a compaction's ids in the place of its rows" 944 456 "$(le 8 947)" 'the same inode twice'
inode "a compaction without tombstones" 944 464 "$(le 8 0)" 'row 10'
inode "a compaction's block used twice" 946 $((264 + 16)) "$(le 8 1400)" 'inode 94[46]'
cp --sparse=always "$good" "$image"
"$mutate" poke "$image" $((5 + 945 / 8)) $((64 + 945 % 8 * 504 + 224)) "$(le 8 6)"
run "a compaction of rows that were renumbered" 0 'clean$' "$fsck" -n "$image"

"$mkfs" -q "$dir/logged" 20M && "$populate" --journaled "$dir/logged"
run "a journal is replayed in memory" 0 'replayed in memory: . transaction' "$fsck" "$dir/logged"
run "and read-only: again" 0 'replayed in memory: . transaction' "$fsck" "$dir/logged"
run "-a with a journal" 0 'not checked' "$fsck" -a "$dir/logged"
cp --sparse=always "$dir/logged" "$image"
printf 'torn' | dd of="$image" bs=1 seek=$((5 * 4096 + 3000)) conv=notrunc status=none
run "a block torn before the replay" 0 'clean$' "$fsck" "$image"
for block in 257 1263 1265 1275; do
	cp --sparse=always "$dir/logged" "$image"
	printf 'torn' | dd of="$image" bs=1 seek=$((block * 4096 + 40)) conv=notrunc status=none
	run "a damaged journal, block $block" 4 'journal: ' "$fsck" "$image"
done

run "a log of changed bytes" 0 ' 0 bad' "$mutate" "$fsck" "$dir/logged" raw 300 1260 60

run "every byte of the superblock" 0 ' 0 bad' "$mutate" "$fsck" "$good" super
run "every metadata block" 0 ' 0 bad' "$mutate" "$fsck" "$good" plain 2
run "every metadata block, stamped" 0 ' 0 bad' "$mutate" "$fsck" "$good" stamped 4
read -r checked _ found _ <<<"$(tail -1 "$dir/out")"
run "most of that is found ($found of $checked)" 0 '' test "$found" -gt $((checked * 3 / 4))
run "the image is clean again" 0 'clean$' "$fsck" "$good"

echo "$passed passed, $failed failed"
[ $failed = 0 ]
