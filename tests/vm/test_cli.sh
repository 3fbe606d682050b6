#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# End-to-end checks of the vexfs command on a mounted VexFS. Needs VEXFS_MNT, an
# empty directory on it, and vexfs on the PATH; otherwise only bash, coreutils and
# grep. Prints "ok N - NAME" and "not ok N - NAME"; exits 0 if all is well.
set -u

: "${VEXFS_MNT:?must name a directory on a mounted VexFS}"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$VEXFS_MNT" || exit 1
number=0
failed=0

# check NAME STATUS: counts a check; STATUS is 0 if it went well
check()
{
	number=$((number + 1))
	if [ "$2" -eq 0 ]; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		failed=$((failed + 1))
		sed 's/^/# out: /' "$work/out" | head -n 10
		sed 's/^/# err: /' "$work/err" | head -n 5
	fi
}

# expect CODE NAME COMMAND...: the command exits with CODE
expect()
{
	local wanted=$1 name=$2 code
	shift 2
	"$@" >"$work/out" 2>"$work/err" </dev/null
	code=$?
	[ "$code" -eq "$wanted" ]
	check "$name (exit $code)" $?
}

# said TEXT NAME, warned TEXT NAME: the last command's output, or message, holds TEXT
said()
{
	grep -qF -- "$1" "$work/out"
	check "$2" $?
}

warned()
{
	grep -qF -- "$1" "$work/err"
	check "$2" $?
}

same()
{
	cmp -s "$1" "$2"
	check "$3" $?
}

# The bytes of a float32 from 0 to 7.
f32()
{
	local bytes=('\0\0\0\0' '\0\0\200\77' '\0\0\0\100' '\0\0\100\100' '\0\0\200\100'
		'\0\0\240\100' '\0\0\300\100' '\0\0\340\100')
	printf '%b' "${bytes[$1]}"
}

row()
{
	f32 "$1"; f32 "$2"; f32 "$3"
}

make_data()
{
	local i
	for i in 0 1 2 3 4 5; do
		row "$i" 0 1 >>"$work/rows.raw"
		{ printf '\3\0\0\0'; row "$i" 0 1; } >>"$work/rows.fvecs"
		printf '%b' "\3\0\0\0\0$i\0\1" >>"$work/rows.bvecs"
		printf '%b' "\1\0\0\0\0$(printf %o $((i + 10)))\0\0\0" >>"$work/ids.ivecs"
	done
	head -c 90 "$work/rows.fvecs" >"$work/short.fvecs"
	{ cat "$work/rows.fvecs"; printf '\3\0\0\0'; f32 1; printf '\0\0\300\177'; f32 1; } \
		>"$work/nan.fvecs"
	{ printf "\223NUMPY\1\0\72\0{'descr': '<f4', 'fortran_order': False, 'shape': (6, 3)}\n"
	  cat "$work/rows.raw"; } >"$work/rows.npy"
}

test_create()
{
	expect 0 "create" vexfs create made --dim 3 --metric l1
	said "dim=3,type=f32,metric=l1,ids=auto" "create tells the schema"
	expect 0 "create again, the same" vexfs create made --dim 3 --metric l1
	expect 0 "info of an empty file" vexfs info made
	said "rows         0" "info counts no rows"
	expect 0 "info as JSON" vexfs info made --json
	said '"schema":"dim=3,type=f32,metric=l1,ids=auto"' "info tells the schema as JSON"
	echo text >ordinary
	expect 1 "create on a file with text in it" vexfs create ordinary --dim 3
	warned "not empty" "and it says why"
	same ordinary <(echo text) "and the text is still there"
	expect 5 "search in an ordinary file" vexfs search ordinary --vector 1
	warned "not a vector file" "and it says why"
	expect 0 "info of an ordinary file" vexfs info ordinary
	expect 0 "info of the volume" vexfs info .
	said "available" "info tells the volume's room"
	expect 2 "create without a dimension" vexfs create nothing --dim 0
	[ ! -e nothing ]
	check "and no file is left" $?
	mkdir dir
	expect 2 "create on a directory" vexfs create dir --dim 3
	expect 0 "create --inherit" vexfs create dir --inherit --dim 3 --metric ip
	expect 0 "cp into the directory" cp "$work/rows.raw" dir/copied
	expect 0 "info of the copy" vexfs info dir/copied --json
	said '"live_rows":6' "the copy has the rows"
	same dir/copied "$work/rows.raw" "and reads as what was copied"
	expect 0 "insert into the directory" vexfs insert dir/inserted "$work/rows.fvecs"
	expect 0 "info of what was inserted" vexfs info dir/inserted
	said "metric=ip" "it is as the directory hands down"
	expect 4 "insert of other rows into the directory" vexfs insert dir/other \
		"$work/rows.bvecs"
}

test_insert()
{
	expect 0 "insert fvecs into a new file" vexfs insert a "$work/rows.fvecs" --metric cosine
	said "6 rows inserted, ids 0 to 5" "insert tells rows and ids"
	[ ! -s "$work/err" ]
	check "insert is quiet in a pipe" $?
	same a "$work/rows.raw" "the file is the matrix"
	expect 0 "insert npy, synced" vexfs insert a "$work/rows.npy" --fsync --json --batch 4
	said '"inserted":6,"batches":2,"first_id":6,"last_id":11' "JSON tells batches and ids"
	vexfs insert a - --format raw <"$work/rows.raw" >"$work/out" 2>"$work/err"
	check "insert raw rows from standard input" $?
	cat "$work/rows.raw" "$work/rows.raw" "$work/rows.raw" >"$work/three.raw"
	same a "$work/three.raw" "the file holds all three"
	expect 4 "insert of another type" vexfs insert a "$work/rows.bvecs"
	warned "--convert" "and it says how to convert"
	expect 0 "insert with conversion" vexfs insert a "$work/rows.bvecs" --convert
	cat "$work/rows.raw" >>"$work/three.raw"
	same a "$work/three.raw" "conversion of bytes is exact"
	expect 4 "insert of a file cut off" vexfs insert b "$work/short.fvecs"
	warned "byte 80" "and it says where"
	[ ! -e b ]
	check "and no file is left" $?
	# a pipe's size is not known beforehand
	head -c 90 "$work/rows.fvecs" |
		vexfs insert a - --format fvecs --batch 2 >"$work/out" 2>"$work/err"
	[ "${PIPESTATUS[1]}" -eq 4 ]
	check "insert of a pipe cut off" $?
	warned "first 4 rows" "and it says how many rows went in"
	expect 4 "insert of a NaN" vexfs insert n "$work/nan.fvecs"
	warned "row 6" "and it says which row"
	[ ! -e n ]
	check "and no file is left" $?
	expect 3 "insert from a file that is not there" sh -c \
		'vexfs insert a /nonexistent.npy; test $? -eq 4 && exit 3'
}

test_own_ids()
{
	expect 0 "insert with ids" vexfs insert own "$work/rows.fvecs" --ids "$work/ids.ivecs"
	expect 2 "insert without ids" vexfs insert own "$work/rows.fvecs"
	expect 4 "insert of ids that are taken" vexfs insert own "$work/rows.fvecs" \
		--ids "$work/ids.ivecs"
	warned "row 0" "and it says which"
	expect 0 "get by own id" vexfs get own 12
	said "12	2 0 1" "get prints the row"
	vexfs insert own "$work/rows.fvecs" --ids - <<<"100 101 102 103 104" \
		>"$work/out" 2>"$work/err"
	[ $? -eq 4 ]
	check "insert with too few ids" $?
	expect 0 "search with own ids" vexfs search own --vector 5,0,1 -k 1
	said "0	1	15	0" "search tells own ids"
}

test_get()
{
	expect 0 "get" vexfs get a 3 0
	same "$work/out" <(printf '3\t3 0 1\n0\t0 0 1\n') "get prints rows in the order asked"
	expect 3 "get of an id that is not there" vexfs get a 0 4000
	warned "4000" "and it says which"
	[ ! -s "$work/out" ]
	check "and prints nothing" $?
	expect 0 "get as JSON" vexfs get a 2 --json
	same "$work/out" <(echo '{"id":2,"vector":[2,0,1]}') "JSON of a row"
	expect 0 "get into a .npy" vexfs get own --all --out "$work/own.npy" \
		--ids-out "$work/own-ids.npy"
	expect 0 "and back" vexfs insert own2 "$work/own.npy" --ids "$work/own-ids.npy"
	same own own2 "the same rows came back"
	vexfs get own --all --json >"$work/1" && vexfs get own2 --all --json >"$work/2"
	same "$work/1" "$work/2" "with the same ids"
	vexfs get own --all --out - --format fvecs >"$work/own.fvecs"
	same "$work/own.fvecs" "$work/rows.fvecs" "get as fvecs to standard output"
}

test_search()
{
	expect 0 "insert u8" vexfs insert u "$work/rows.bvecs"
	expect 0 "search by vector" vexfs search u --vector '[0, 0, 1]' -k 3
	same "$work/out" <(printf '0\t1\t0\t0\n0\t2\t1\t1\n0\t3\t2\t4\n') "the nearest three"
	expect 0 "search by id, another metric" vexfs search u --id 5 -k 2 --metric l1
	same "$work/out" <(printf '0\t1\t5\t0\n0\t2\t4\t1\n') "the nearest two"
	expect 0 "search by queries of f32 in bytes" vexfs search u --query "$work/rows.fvecs" \
		-k 1 --json
	same "$work/out" <(for i in 0 1 2 3 4 5; do
		echo "{\"query\":$i,\"results\":[{\"id\":$i,\"distance\":0}]}"; done) \
		"each row finds itself"
	expect 0 "search, limited" vexfs search u --query "$work/rows.bvecs" --limit 2 -k 1
	same "$work/out" <(printf '0\t1\t0\t0\n1\t1\t1\t0\n') "two queries"
	expect 0 "search for more than there are" vexfs search u --id 0 -k 100
	[ "$(wc -l <"$work/out")" -eq 6 ]
	check "gives all there are" $?
	expect 4 "search by a vector too short" vexfs search u --vector 1,2
	expect 4 "search by a vector too long" vexfs search u --vector 1,2,3,4
	expect 0 "search, exact" vexfs search u --id 5 -k 2 --metric l1 --exact
	same "$work/out" <(printf '0\t1\t5\t0\n0\t2\t4\t1\n') "the nearest two, exactly"
	expect 0 "search, a recall" vexfs search u --id 5 -k 1 --recall .95
	expect 0 "search, an effort" vexfs search u --id 5 -k 1 --effort 40 --index scan
	expect 3 "search by an index that is not there" vexfs search u --id 5 --index hnsw
	expect 2 "search by no index" vexfs search u --id 5 --index tree
	expect 2 "search with two aims" vexfs search u --id 5 --exact --effort 2
	expect 2 "search for more than all" vexfs search u --id 5 --recall 1.1
	expect 2 "search for nothing" vexfs search u --id 5 --recall 0
	expect 2 "search without k" vexfs search u --id 0 -k 0
	expect 3 "search by an id that is not there" vexfs search u --id 77
	head -c 60000 /dev/zero >"$work/zeros.raw"
	vexfs insert u - --format raw <"$work/zeros.raw" >/dev/null
	expect 0 "search by one thread" vexfs search u --id 3 -k 4000 --threads 1
	cp "$work/out" "$work/1"
	expect 0 "search by five threads" vexfs search u --id 3 -k 4000 --threads 5
	same "$work/out" "$work/1" "gives the same"
}

test_range()
{
	expect 0 "range" vexfs range own --vector 2,0,1 --radius 1
	same "$work/out" <(printf '0\t1\t12\t0\n0\t2\t11\t1\n0\t3\t13\t1\n') "within 1 of 2"
	expect 0 "range, nothing" vexfs range own --vector 2,0,1 --radius -1 --json
	same "$work/out" <(echo '{"query":0,"results":[]}') "nothing"
	expect 0 "range of many" vexfs range u --vector 0,0,0 --radius 0
	[ "$(wc -l <"$work/out")" -eq 20000 ]
	check "gives 20000 rows" $?
	expect 0 "range, some" vexfs range u --vector 0,0,0 --radius 0 --max 7
	[ "$(wc -l <"$work/out")" -eq 7 ]
	check "gives 7 rows" $?
	expect 2 "range without a radius" vexfs range own --vector 2,0,1
}

test_delete()
{
	expect 3 "delete of an id that is not there" vexfs delete own 12 99
	warned "99" "and it says which"
	expect 0 "get what was not deleted" vexfs get own 12
	expect 0 "delete" vexfs delete own 12
	expect 3 "get what was deleted" vexfs get own 12
	expect 0 "search after delete" vexfs search own --vector 2,0,1 -k 1
	said "0	1	11	1" "finds the next"
	expect 0 "delete from a file" vexfs delete own --from "$work/ids.ivecs" --ignore-missing --json
	said '"deleted":5,"missing":1' "tells how many"
	expect 0 "search in a file without rows" vexfs search own --vector 2,0,1
	[ ! -s "$work/out" ]
	check "finds nothing" $?
	expect 0 "info after delete" vexfs info own
	said "rows         0 (and 6 deleted)" "tells deleted rows"
	expect 0 "stats" vexfs stats own --json
	said '"rows_deleted":6' "counts deleted rows"
	expect 0 "compact" vexfs compact own
	said "own: 0 rows kept, 6 reclaimed" "tells what it did"
	expect 0 "compact again" vexfs compact --json own own
	said '"rows_kept":0,"rows_reclaimed":0,"bytes_freed":0' "finds nothing to do"
	expect 0 "info after compact" vexfs info own
	said "rows         0" "tells no deleted rows"
	expect 3 "compact of a file that is not there" vexfs compact not-there
	expect 5 "compact of a file elsewhere" vexfs compact "$work/ids.ivecs"
}

test_columns()
{
	printf '%s\n' 'lang,price,sold' 'en,1.5,true' '"a ""b"", c",-2,' ',,false' '"",1e300,true' \
		'en,20,false' 'de,3,false' >"$work/good.csv"
	expect 0 "create --columns" vexfs create goods --dim 3 \
		--columns price:f64,n:i64,lang:string,sold:bool
	said "columns=price:f64;n:i64;lang:string;sold:bool" "shows the columns"
	expect 2 "a type that is none" vexfs create x --dim 3 --columns price:float
	warned "character 1" "says where"
	expect 0 "info" vexfs info goods --json
	said '"columns":{"price":"f64","n":"i64","lang":"string","sold":"bool"}' "lists columns"
	expect 0 "insert --attributes" vexfs insert goods "$work/rows.raw" --format raw \
		--attributes "$work/good.csv"
	expect 0 "get" vexfs get goods 0 1 2 3
	said $'0\t0 0 1\tprice=1.5 n=null lang="en" sold=true' "shows attributes"
	said 'price=-2 n=null lang="a \"b\", c" sold=null' "keeps quotes"
	said 'price=null n=null lang=null sold=false' "keeps nulls"
	said 'lang=""' "keeps empty strings"
	expect 0 "get --json" vexfs get goods 0 --json
	said '"attributes":{"price":1.5,"n":null,"lang":"en","sold":true}' "as an object"
	expect 0 "search --where" vexfs search goods --id 0 \
		--where 'price < 20.5 and lang in ("en","de") and not sold' --json
	said '"results":[{"id":4,' "finds what passes"
	said '{"id":5,' "and the next"
	[ "$(grep -o '"id"' "$work/out" | wc -l)" -eq 2 ]
	check "and nothing else" $?
	expect 0 "range --where" vexfs range goods --id 0 --radius 100 --where 'lang is null'
	said $'0\t1\t2\t' "finds what passes"
	expect 2 "a column that is not there" vexfs search goods --id 0 --where 'price < 2 and x = 1'
	warned "character 15: there is no column 'x'" "says where"
	expect 0 "set" vexfs set goods 0 5 n=-7 price= 'lang=""'
	expect 0 "get what was set" vexfs get goods 5
	said 'price=null n=-7 lang="" sold=false' "is what was set"
	expect 3 "set an id that is not there" vexfs set goods 5 77 n=1
	warned "no row with id 77" "names the id"
	expect 2 "set a column that is not there" vexfs set goods 5 x=1
	expect 2 "set what the type cannot hold" vexfs set goods 5 n=1.5
	expect 0 "search what was set" vexfs search goods --id 0 --where 'n = -7' --json
	said '"results":[{"id":0,' "finds it"
	head -n 4 "$work/good.csv" >"$work/short.csv"
	expect 4 "attributes of too few rows" vexfs insert goods "$work/rows.raw" --format raw \
		--attributes "$work/short.csv"
	warned "only 3 rows" "says how many"
	printf '%s\n' 'price' '1' 'x' '3' '4' '5' '6' >"$work/bad.csv"
	expect 4 "a number that is none" vexfs insert goods "$work/rows.raw" --format raw \
		--attributes "$work/bad.csv"
	warned "line 3: 'x': a number is wanted" "says where"
	expect 0 "nothing of these was inserted" vexfs info goods
	said "rows         6" "says the count"
}

test_usage()
{
	local command
	for command in create insert get set delete compact search range info stats index; do
		expect 0 "$command --help" vexfs $command --help
		said "Usage: vexfs $command" "explains itself"
		expect 2 "$command without anything" vexfs $command
		expect 2 "$command with an unknown option" vexfs $command --unknown x
	done
	expect 3 "a file that is not there" vexfs info not-there --json
	said '"exit_code":3' "is told as JSON"
	expect 5 "a file that is not on VexFS" vexfs info /proc/self
	warned "not on a VexFS" "is told so"
	expect 2 "an unknown subcommand" vexfs frobnicate
}

make_data
test_create
test_insert
test_own_ids
test_get
test_search
test_range
test_delete
test_columns
test_usage
echo "1..$number"
[ "$failed" -eq 0 ]
