# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the shell tests in a test machine have in common; they source it from the root of the
# checkout. A test prints "ok NAME" or "not ok NAME: why" for each case.

export PATH=$PWD/build:/usr/sbin:/sbin:$PATH
failed=0

# ok NAME COMMAND...: the command succeeds
ok()
{
	local name=$1 text
	shift
	if text=$("$@" 2>&1); then
		echo "ok $name"
	else
		failed=$((failed + 1))
		echo "not ok $name: $text"
	fi
}

# Conditions, which say why they do not hold.
fails() { ! "$@"; }
same() { [ "$1" = "$2" ] || { echo "$1 is not $2"; return 1; }; }
more() { [ "$1" -gt "$2" ] || { echo "$1 is not more than $2"; return 1; }; }
