# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The apt of the i386 root, as what fetches kernels and their debug symbols uses
# it. Source it after lib.sh. The caller sets $root (i386-root.sh) and holds the
# lock "kernel" from use_suite on.
# shellcheck disable=SC2034,SC2153,SC2154

# split_flavour [SUITE/]NAME: sets $name, and $suite ("" = the root's own).
split_flavour() {
	name=${1##*/}
	suite=
	[ "$name" = "$1" ] || suite=${1%/*}
}

in_root() {
	as_root env LC_ALL=C DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"
}

apt() { in_root apt-get -q "${suite_options[@]}" -o APT::Sandbox::User=root -o Acquire::Retries=2 "$@"; }

# Another suite has lists of its own, so that it cannot change what the root's
# own suite resolves to.
use_suite() {
	local state=/var/lib/vmtrace-suites/$1 uri
	suite_options=()
	[ -n "$1" ] || return 0
	uri=$(apt_uri_of "$SUITE")
	[ -n "$uri" ] || die "no apt source to take $1 from"
	as_root mkdir -p "$root$state/lists/partial"
	echo "deb $uri $1 main" | as_root tee "$root$state/sources.list" >/dev/null
	suite_options=(-o "Dir::Etc::sourcelist=$state/sources.list" -o Dir::Etc::sourceparts=-
		-o "Dir::State::lists=$state/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=)
}

# depends_on PACKAGE PATTERN: names PACKAGE depends on, of its candidate version.
depends_on() {
	{ in_root apt-cache "${suite_options[@]}" show --no-all-versions "$1" 2>/dev/null || true; } |
		sed -n 's/^Depends: //p' | tr ',' '\n' | sed 's/^ *//; s/ .*//' | { grep -E "$2" || true; }
}

update_index() {
	as_root cp -L /etc/resolv.conf "$root/etc/resolv.conf"
	logged "$CACHE/kernel.log" "package index" apt update ||
		say "some package index is out of sync, going on with the others"
}

# fetch_debs DIR WHAT PACKAGE...: into DIR of the root, which is emptied first.
# Returns 1 when one of them cannot be had.
fetch_debs() {
	local dir=$1 what=$2
	shift 2
	as_root rm -rf "$root$dir"
	as_root mkdir -p "$root$dir"
	say "fetching $*"
	# shellcheck disable=SC2016  # $0 and $@ are of the inner shell
	logged "$CACHE/kernel.log" "$what" in_root sh -c \
		'cd "$0" && exec apt-get -q -o APT::Sandbox::User=root -o Acquire::Retries=2 "$@"' \
		"$dir" "${suite_options[@]}" download "$@"
}
