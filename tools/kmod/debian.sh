# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Sourced by the kernel scripts: the download cache, and Debian packages of any
# suite fetched and unpacked into it without installing them.  Uses apt with an
# index of its own under the cache; the machine's own apt state is only read.

# top: the repository.  VEXFS_CACHE: where downloads and kernel builds live.
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
VEXFS_CACHE=${VEXFS_CACHE:-$top/.cache}
mkdir -p "$VEXFS_CACHE"
VEXFS_CACHE=$(cd "$VEXFS_CACHE" && pwd -P)
export VEXFS_CACHE

say()
{
	echo "${0##*/}: $*" >&2
}

die()
{
	say "$*"
	exit 1
}

# need_programs NAME...: stops with the one command that installs what is missing
need_programs()
{
	local program missing=()
	for program; do
		command -v "$program" >/dev/null || missing+=("$program")
	done
	[ ${#missing[@]} -eq 0 ] ||
		die "missing programs: ${missing[*]}; run tools/install-packages --with vm"
}

# run_logged LOG COMMAND...: the output goes to LOG, its tail to stderr on failure
run_logged()
{
	local log=$1
	shift
	"$@" >>"$log" 2>&1 </dev/null && return 0
	say "failed: $*"
	tail -n 30 "$log" >&2
	say "the whole log is $log"
	return 1
}

# debian_sources SUITE: the sources.list lines that SUITE needs, on the mirror that
# this machine's apt is configured with
debian_sources()
{
	local suite=$1 release=${1%-backports} mirror security targets
	# shellcheck disable=SC2016 # apt-get expands them
	targets=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' \
		'Identifier: Packages' 2>/dev/null) || true
	mirror=$(awk '$2 ~ /^(bookworm|trixie|stable|oldstable)$/ { print $1; exit }' <<<"$targets")
	security=$(awk '$2 ~ /^(bookworm|trixie|stable|oldstable)-security$/ { print $1; exit }' <<<"$targets")
	[ -n "$mirror" ] ||
		die "the apt configuration names no Debian mirror (looked for a suite bookworm or trixie)"
	echo "deb $mirror $release main"
	echo "deb $mirror $release-updates main"
	[ -z "$security" ] || echo "deb $security $release-security main"
	[ "$suite" = "$release" ] || echo "deb $mirror $suite main"
}

# debian_apt SUITE PROGRAM ARG...: apt-get or apt-cache on SUITE's private index
debian_apt()
{
	local state=$VEXFS_CACHE/apt/$1 program=$2
	shift 2
	"$program" -q -o Dir::Etc::SourceList="$state/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
		-o Dir::State="$state" -o Dir::State::Lists="$state/lists" \
		-o Dir::State::status="$state/status" -o Dir::Cache="$state/cache" \
		-o Dir::Cache::Archives="$state/archives" -o Dir::Cache::pkgcache= \
		-o Dir::Cache::srcpkgcache= -o APT::Architecture=amd64 -o APT::Architectures=amd64 \
		-o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=3 \
		-o APT::Install-Recommends=false -o Debug::NoLocking=true \
		-o DPkg::Pre-Install-Pkgs::= -o APT::Update::Post-Invoke::= \
		-o APT::Update::Post-Invoke-Success::= "$@"
}

# debian_update SUITE: an index no older than a day
debian_update()
{
	local state=$VEXFS_CACHE/apt/$1
	mkdir -p "$state/lists/partial" "$state/archives/partial" "$state/cache"
	(
		flock 9
		[ -z "$(find "$state/updated" -mmin -1440 2>/dev/null)" ] || exit 0
		debian_sources "$1" >"$state/sources.list" || exit 1
		: >"$state/status"
		say "reading the package index of Debian $1"
		run_logged "$state/update.log" debian_apt "$1" apt-get update || exit 1
		# apt-get update succeeds when a mirror is away: look for a package
		[ -n "$(debian_apt "$1" apt-cache madison libc6)" ] || {
			say "the mirror gave no index of $1; see $state/update.log"
			exit 1
		}
		touch "$state/updated"
	) 9>"$state/lock"
}

# debian_newest SUITE REGEX: the name of the package with the highest version number
# in its name, of those that REGEX matches as a whole
debian_newest()
{
	local found
	found=$(debian_apt "$1" apt-cache pkgnames | grep -xE "$2" | sort -V | tail -n 1) || true
	[ -n "$found" ] || die "Debian $1 has no package that matches $2"
	echo "$found"
}

# debian_version SUITE PACKAGE: the newest version in the index
debian_version()
{
	local version best=
	while read -r version; do
		if [ -z "$best" ] || dpkg --compare-versions "$version" gt "$best"; then
			best=$version
		fi
	done < <(debian_apt "$1" apt-cache madison "$2" | awk -F'|' '{ gsub(/ /, "", $2); print $2 }')
	[ -n "$best" ] || die "Debian $1 has no package $2"
	echo "$best"
}

# debian_download SUITE DIR PACKAGE[=VERSION]...: the .deb files into DIR, checked by apt
debian_download()
{
	local suite=$1 dir=$2
	shift 2
	mkdir -p "$dir"
	say "downloading $*"
	(cd "$dir" && run_logged "$dir/download.log" debian_apt "$suite" apt-get download "$@")
}

# debian_unpack ROOT DEB [TAR-OPTION...]: the files of a .deb under ROOT
debian_unpack()
{
	local root=$1 deb=$2
	shift 2
	mkdir -p "$root"
	dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" --no-same-owner "$@"
}
