#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kernel.sh [--refresh] [FLAVOUR]: fetches a stock Debian i386 kernel and its
# headers into $CACHE/kernels/RELEASE and prints that path. FLAVOUR as in the
# name of the meta package linux-image-FLAVOUR, default 686-pae; SUITE/FLAVOUR
# takes it from another suite (bullseye/686-pae, bookworm-backports/686), and
# built/NAME is what tools/build-kernel.sh NAME made. Nothing is installed. Needs
# the network only the first time, or with --refresh.

# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=kernel-lib.sh disable=SC1091
. "$(dirname "$0")/kernel-lib.sh"

here=$(dirname "$0")
kernels=$CACHE/kernels

is_there() { [ -n "$1" ] && [ -e "$kernels/$1/.vmtrace-stamp" ]; }

# A suite without the meta package (backports) has the images all the same.
newest_image() {
	in_root apt-cache "${suite_options[@]}" pkgnames linux-image- |
		{ grep -E "^linux-image-[0-9][^ ]*[0-9]-$name\$" || true; } | sort -V | tail -n 1
}

resolve() {
	local image
	image=$(depends_on "linux-image-$name" '^linux-image-[0-9]' | head -n 1)
	[ -n "$image" ] || image=$(newest_image)
	[ -n "$image" ] || die "no package linux-image-$name for i386 in ${suite:-$SUITE} (try 686-pae, 686, rt-686-pae)"
	release=${image#linux-image-}
	packages=("$image")
	if [ -n "$(depends_on "linux-headers-$release" .)" ]; then
		mapfile -t -O 1 packages < <(echo "linux-headers-$release"
			depends_on "linux-headers-$release" '^linux-(headers|kbuild|compiler)-')
	else
		say "no headers for $release: modules cannot be built for it"
	fi
}

download() {
	debs=/var/tmp/vmtrace-kernel
	fetch_debs "$debs" "kernel $release" "${packages[@]}"
}

# A pool can lack what its index lists; then the plain suite has an older one.
download_or_fall_back() {
	download && return
	[ -z "$suite" ] || return
	say "cannot fetch $release: trying suite $SUITE alone"
	as_root rm -f "$root/etc/apt/sources.list.d/$SUITE-security.list" \
		"$root/etc/apt/sources.list.d/$SUITE-updates.list"
	update_index
	resolve
	download
}

# Joined by && because `logged` runs it where set -e is off.
unpack() {
	local new=$1 deb
	mkdir -p "$new" || return
	for deb in "$root$debs"/*.deb; do
		dpkg-deb -x "$deb" "$new" || return
	done
	# The package leaves this to its postinst; modprobe in the guest needs it,
	# and so does whoever picks modules for the guest.
	"$root/bin/busybox" depmod -b "$new" "$release" &&
		echo "${packages[*]}" >"$new/.vmtrace-stamp"
}

fetch() {
	local new
	find_proxy
	need_root
	take_lock kernel
	root=$("$here/i386-root.sh")
	use_suite "$suite"
	update_index
	resolve
	if ! is_there "$release"; then
		remove_leftovers "$kernels/$release"
		download_or_fall_back
		new=$kernels/$release.tmp.$$
		logged "$CACHE/kernel.log" "unpacking $release" unpack "$new"
		publish "$new" "$kernels/$release"
		as_root rm -rf "$root$debs"
	fi
	ln -sfn "$release" "$kernels/$link.tmp.$$"
	mv -T "$kernels/$link.tmp.$$" "$kernels/$link"
	say "kernel $release ready"
}

main() {
	local refresh=
	if [ "${1:-}" = --refresh ]; then refresh=yes; shift; fi
	flavour=${1:-686-pae}
	split_flavour "$flavour"
	link=$(kernel_link "$flavour")
	release=$(readlink "$kernels/$link" || true)
	if [ -n "$refresh" ] || ! is_there "$release"; then
		[ "$suite" != built ] || die "kernel $flavour is built by hand: tools/build-kernel.sh $name (5 to 15 minutes)"
		fetch
	fi
	echo "$kernels/$release"
}

main "$@"
