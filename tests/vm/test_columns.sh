#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Damage in the blocks of attributes and strings, with the checksum as it was and with one
# that fits: fsck.vexfs names it; whoever asks for what is lost is told so; searches without
# a filter answer as before; the file can be removed. Runs in a test machine:
#   tests/vm/test_columns.sh
# Prints "ok NAME" and "not ok NAME: why".
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2

# shellcheck source=tests/vm/cases.sh
. tests/vm/cases.sh
dir=/dev/shm/columns
image=$dir/image
mnt=/mnt/columns
file=$mnt/goods
rows=2000
mutate=build/tests/vm/mutate
mkdir -p $dir $mnt
modprobe loop 2>/dev/null

up() { mount -t vexfs -o loop,errors=continue $image $mnt; }
search() { vexfs search $file --query $dir/query --format raw -k 10 --exact "$@"; }
same_as() { cmp "$1" <(search "${@:2}"); }
clean() { fsck.vexfs -n $image; }
# told COMMAND...: it fails because of what is on the disk, and not by a signal
told()
{
	local status=0
	"$@" >$dir/out 2>&1 || status=$?
	[ $status != 0 ] && [ $status -lt 124 ] && grep -qiE 'damage|structure|clean|bad message|EUCLEAN|EBADMSG' $dir/out ||
		{ echo "status $status: $(head -c 300 $dir/out)"; return 1; }
}
# named BLOCK: fsck.vexfs finds something wrong with a block, or with the file
named()
{
	local status=0
	fsck.vexfs -n $image >$dir/out || status=$?
	[ $status = 4 ] && grep -q "$1" $dir/out || { echo "status $status"; cat $dir/out; return 1; }
}
# forgotten: fsck.vexfs finds nothing wrong but that the kernel once did
forgotten()
{
	fsck.vexfs -n $image >$dir/out
	grep -q ' 1 finding' $dir/out && grep -q 'state: the kernel found damage' $dir/out ||
		{ cat $dir/out; return 1; }
}
logged() { dmesg | grep vexfs | grep -q "$1"; }

truncate -s 32M $image
mkfs.vexfs -q -f $image && up && vexfs create $file --dim 8 --type u8 --columns n:i64,lang:string \
	>$dir/out || exit 1
head -c $((rows * 8)) /dev/urandom >$dir/rows
head -c 8 /dev/urandom >$dir/query
awk -v rows=$rows 'BEGIN { print "n,lang"; for (i = 0; i < rows; i++) print i ",word number " i % 500 }' \
	>$dir/attributes
ok "rows with attributes" vexfs insert $file $dir/rows --format raw --attributes $dir/attributes
search >$dir/before
search --where 'n < 1000' >$dir/by_n
search --where 'lang = "word number 499"' >$dir/by_lang
umount $mnt
ok "it is sound" clean
cp --sparse=always $image $dir/sound
mapfile -t attributes < <($mutate list $image VXAT)
mapfile -t strings < <($mutate list $image VXSS)
ok "blocks of attributes" same ${#attributes[@]} $(((rows + 222) / 223))
ok "blocks of strings" more ${#strings[@]} 1

# flip BLOCK OFFSET: a byte becomes another, the checksum stays
flip()
{
	local byte
	byte=$(dd if=$image bs=1 skip=$(($1 * 4096 + $2)) count=1 status=none | od -An -tu1)
	printf "\\x$(printf %x $((byte ^ 64)))" |
		dd of=$image bs=1 seek=$(($1 * 4096 + $2)) conv=notrunc status=none
}

# damaged NAME BLOCK FINDING LOST... -- KEPT...: with the image damaged in that block, and fsck
# saying so, the searches and look-ups of LOST fail and those of KEPT are as before.
damaged()
{
	local name=$1 block=$2 finding=$3 call lost=yes
	shift 3
	ok "$name: fsck names it" named "$finding"
	dmesg -C
	up
	ok "$name: searches without a filter" same_as $dir/before
	for call; do
		if [ "$call" = -- ]; then
			lost=no
		elif [ $lost = yes ]; then
			# shellcheck disable=SC2086 # a command with its arguments
			ok "$name: told by $call" told $call
		else
			# shellcheck disable=SC2086
			ok "$name: $call" $call
		fi
	done
	ok "$name: the kernel says where" logged "damage found.*block $block"
	ok "$name: rows come and go" eval "vexfs insert $file $dir/query --format raw && vexfs delete $file 7"
	ok "$name: the file is removed" rm $file
	umount $mnt
	ok "$name: nothing is left of it" forgotten
	cp --sparse=always $dir/sound $image
}

by_n() { search --where 'n < 1000'; }
by_word() { search --where "lang = \"word number $1\""; }
look() { vexfs get $file "$1"; }
put() { vexfs set $file "$1" n=5; }

flip "${attributes[0]}" 100
damaged "attributes" "${attributes[0]}" "block ${attributes[0]}" by_n "look 3" "put 3" -- "look 1900" \
	"put 1900"
$mutate poke $image "${attributes[1]}" 4095 01
damaged "attributes, stamped" "${attributes[1]}" "block ${attributes[1]}" by_n "look 300" "put 300" -- \
	"look 3" "put 3"
# the place of a string beyond the dictionary
$mutate poke $image "${attributes[0]}" $((72 + 223 * 8)) 0000ff0000000000
damaged "a string that is nowhere" "" "string" "look 0" -- "look 1" by_n
flip "${strings[0]}" 90
damaged "strings" "${strings[0]}" "block ${strings[0]}" "look 0" "by_word 0" -- by_n
$mutate poke $image "${strings[1]}" 72 ffff
damaged "strings, stamped" "${strings[1]}" "block ${strings[1]}" "look 499" "by_word 499" -- "look 0" by_n
rm -rf $dir
exit $((failed > 0))
