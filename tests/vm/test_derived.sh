#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Bits flipped at random in sketches and indexes, headers too: exact answers stay as they
# were, no search fails or hangs, fsck.vexfs warns of what is wrong, and building an index
# anew mends it. Runs in a test machine:  tests/vm/test_derived.sh [--quick]
# Prints "ok NAME" and "not ok NAME: why".
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2

# shellcheck source=tests/vm/cases.sh
. tests/vm/cases.sh
dir=/dev/shm/derived
image=$dir/image
mnt=/mnt/derived
rows=3000
rounds=4
[ "${1-}" != --quick ] || rounds=1
mkdir -p $dir $mnt
modprobe loop 2>/dev/null

up() { mount -t vexfs -o loop $image $mnt; }
look() { timeout 60 vexfs search $mnt/rows --query $dir/query --format raw -k 10 "$@"; }
same_as() { cmp "$1" <(look --exact); }
warned() { fsck.vexfs -n $image | grep -q 'warning: .*derived data damaged'; }
no_warning() { ! fsck.vexfs -n $image | grep warning; }
clean() { fsck.vexfs -n $image; }

# Whether the index is there, or known to be damaged, or gone: all will do; a search for it
# finds rows or says that it is not there.
by_index()
{
	look --index "$1" >$dir/found 2>&1 || grep -q 'index' $dir/found
}

# One image, damaged by FLIPS bits, used and mended.
round()
{
	local type=$1 flips=$2 seed=$3 name="$1, $2 bits, seed $3"
	cp --sparse=always $dir/sound $image
	build/tests/vm/mutate derived $image "$flips" "$seed" >$dir/out
	ok "$name: clean but for derived data" clean
	[ "$flips" -lt 100 ] || ok "$name: fsck warns" warned
	up
	ok "$name: exact answers" same_as $dir/before
	ok "$name: the default search" look
	ok "$name: search by index" by_index "$type"
	ok "$name: a row goes in" vexfs insert $mnt/rows $dir/query --format raw
	ok "$name: the index is built anew" timeout 120 vexfs index build $mnt/rows --type "$type" --wait
	ok "$name: and is ready" grep -q ready <(vexfs index status $mnt/rows)
	ok "$name: search by the new one" look --index "$type"
	umount $mnt
	ok "$name: nothing is left of the damage" no_warning
}

make_sound()
{
	truncate -s 32M $image
	mkfs.vexfs -q -f $image && up && vexfs create $mnt/rows --dim 32 --type u8 >$dir/out || exit 1
	head -c $((rows * 32)) /dev/urandom >$mnt/rows
	head -c 32 /dev/urandom >$dir/query
	ok "build by $1" timeout 120 vexfs index build $mnt/rows --type "$1" --wait
	look --exact >$dir/before
	umount $mnt
	ok "it is sound" no_warning
	cp --sparse=always $image $dir/sound
}

state() { vexfs index status "$@" $mnt/rows; }

# Pages of the index are damaged, its headers are not: it is there, does not serve, and says so.
states()
{
	local type=$1 kind=2
	[ "$type" = hnsw ] || kind=3
	cp --sparse=always $dir/sound $image
	build/tests/vm/mutate derived $image 3000 7 $kind >$dir/out
	ok "$type, pages: fsck warns" warned
	up
	ok "$type, pages: searches by it give rows" look --index "$type"
	ok "$type, pages: exact answers" same_as $dir/before
	ok "$type, pages: the status says damaged" grep -q damaged <(state)
	ok "$type, pages: and as JSON" grep -q '"state":"damaged"' <(state --json)
	ok "$type, pages: a remount does not mend it" eval "umount $mnt && up && look --index $type"
	ok "$type, pages: it is damaged still" grep -q damaged <(state)
	ok "$type, pages: the index is built anew" timeout 120 vexfs index build $mnt/rows --type "$type" --wait
	ok "$type, pages: and is ready" grep -q ready <(state)
	ok "$type, pages: the file is as it was" same_as $dir/before
	umount $mnt
	ok "$type, pages: nothing is left of the damage" no_warning
}

for type in hnsw ivf; do
	make_sound $type
	states $type
	for ((seed = 1; seed <= rounds; seed++)); do
		round $type $((seed % 2 ? 3000 : 12)) $seed
	done
done
rm -rf $dir
exit $((failed > 0))
