#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kmod.sh --can-build FLAVOUR: true if there are headers to build modules with.
# kmod.sh DIR FLAVOUR OUT: builds the kernel modules in DIR for the stock kernel
# of that FLAVOUR, in the i386 root, and puts the *.ko into OUT; for a self-built
# one in its tree. Does nothing when neither the sources nor the kernel have changed.

# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

here=$(dirname "$0")

find_sources() {
	mapfile -t sources < <(find "$dir" -maxdepth 1 -type f \( -name '*.[chS]' -o -name Makefile -o -name Kbuild \) | sort)
	[ ${#sources[@]} -gt 0 ] || die "no module sources in $dir"
}

# By content, not by time: a checkout touches times, and a changed flavour has
# to rebuild though no source is newer.
wanted_stamp() { { echo "$release"; cd "$dir" || exit; sha256sum "${sources[@]##*/}"; } | hash_of; }

# The headers name each other by absolute paths below /usr, so they have to be
# in the root. Hard links cost no space and, unlike mounts, nothing to undo.
put_headers_into_root() {
	local done=$root/usr/src/.vmtrace-$release dir
	[ ! -e "$done" ] || return 0
	for dir in "$kernel"/usr/src/linux-* "$kernel"/usr/lib/linux-*; do
		link_tree "$dir" "$root${dir#"$kernel"}" || return
	done
	as_root touch "$done"
}

link_tree() {
	as_root rm -rf "$2" &&
		{ as_root cp -a --link "$1" "$2" 2>/dev/null || as_root cp -a "$1" "$2"; }
}

# Both joined by && because `logged` runs them where set -e is off. CC: the headers name the
# compiler of their own suite, which the root of another need not have.
build_in_root() {
	as_root rm -rf "$root$work" &&
		as_root mkdir -p "$root$work" &&
		as_root cp "${sources[@]}" "$root$work/" &&
		put_headers_into_root &&
		as_root env LC_ALL=C chroot "$root" make -C "/usr/src/linux-headers-$release" \
			-j2 CC=gcc M="$work" modules
}

build_in_tree() {
	mkdir -p "$work" &&
		cp "${sources[@]}" "$work/" &&
		make -C "$kernel/usr/src/build" -j2 ARCH=i386 M="$work" modules
}

# What tools/build-kernel.sh left; the tree may be gone.
has_tree() { [ -e "$kernel/usr/src/build/Module.symvers" ]; }
has_headers() { has_tree || [ -d "$kernel/usr/src/linux-headers-${kernel##*/}" ]; }

main() {
	if [ $# -eq 2 ] && [ "$1" = --can-build ]; then
		kernel=$("$here/kernel.sh" "$2")
		has_headers
		return
	fi
	[ $# -eq 3 ] || die "usage: kmod.sh DIR FLAVOUR OUT"
	local flavour=$2 stamp
	dir=$1 out=$3
	kernel=$("$here/kernel.sh" "$flavour")
	release=${kernel##*/}
	find_sources
	stamp=$(wanted_stamp)
	[ "$(cat "$out/.stamp" 2>/dev/null || true)" = "$stamp" ] && return
	has_headers || die "no headers for $release: cannot build modules for it"
	has_tree || { root=$("$here/i386-root.sh"); need_root; }
	take_lock kmod
	mkdir -p "$out"
	rm -f "$out/.stamp" "$out"/*.ko
	if has_tree; then
		work=$CACHE/kmod.tmp.$$
		logged "$CACHE/kmod.log" "modules of $dir for $release" build_in_tree
		cp "$work"/*.ko "$out/"
		rm -r "$work"
	else
		work=/var/tmp/vmtrace-kmod
		logged "$CACHE/kmod.log" "modules of $dir for $release" build_in_root
		cp "$root$work"/*.ko "$out/"
		as_root rm -rf "$root$work"
	fi
	echo "$stamp" >"$out/.stamp"
}

main "$@"
