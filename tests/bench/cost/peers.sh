#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# peers.sh: fetches trace-cmd and perf for i386 with what they need to run, through the apt of the
# i386 root, and prints the path of a cpio archive of them, to be put behind an initramfs. Nothing is
# installed. Needs the network only the first time.

# shellcheck source-path=SCRIPTDIR source=../../../tools/lib.sh disable=SC1091
. "$(dirname "$0")/../../../tools/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../../../tools/kernel-lib.sh disable=SC1091
. "$(dirname "$0")/../../../tools/kernel-lib.sh"

top=$(cd "$(dirname "$0")/../../.." && pwd)
archive=$CACHE/peers/peers.cpio.gz
programs="usr/bin/trace-cmd usr/bin/perf"
debs=/var/tmp/vmtrace-peers

wanted_stamp() { { echo "$SUITE $programs"; cat "$0"; } | hash_of; }
is_current() { [ -r "$archive" ] && [ "$(cat "$CACHE/peers/.stamp" 2>/dev/null)" = "$stamp" ]; }

# What apt would install, beyond what the root has.
packages_needed() {
	in_root apt-get -q -s --no-install-recommends install trace-cmd linux-perf |
		sed -n 's/^Inst \([^ ]*\) .*/\1/p'
}

needed() { LC_ALL=C readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p'; }

# The path of a library, of the packages first.
library() {
	find "$unpacked" "$root/usr/lib/i386-linux-gnu" "$root/lib/i386-linux-gnu" "$root/lib" \
		-name "$1" 2>/dev/null | head -n 1
}

# with_libraries FILE...: copies what they need, and what that needs, into lib.
with_libraries() {
	local file name path
	for file in "$@"; do
		for name in $(needed "$file"); do
			[ ! -e "$stage/lib/$name" ] || continue
			path=$(library "$name")
			[ -n "$path" ] || die "no library $name for ${file##*/}"
			cp -L "$path" "$stage/lib/$name"
			with_libraries "$stage/lib/$name"
		done
	done
}

make_archive() {
	local deb program
	for deb in "$root$debs"/*.deb; do
		dpkg-deb -x "$deb" "$unpacked"
	done
	mkdir -p "$stage/bin" "$stage/lib"
	for program in $programs; do
		cp -L "$unpacked/$program" "$stage/bin/"
		with_libraries "$stage/bin/${program##*/}"
	done
	mkdir -p "$CACHE/peers"
	(cd "$stage" && find . -print0 | LC_ALL=C sort -z | cpio --null -o -H newc -R 0:0 --quiet |
		gzip -n -1) >"$archive.tmp.$$"
	mv "$archive.tmp.$$" "$archive"
	echo "$stamp" >"$CACHE/peers/.stamp"
}

fetch() {
	local list
	find_proxy
	need_root
	take_lock kernel
	root=$("$top/tools/i386-root.sh")
	! is_current || return 0
	use_suite ""
	update_index
	mapfile -t list < <(packages_needed)
	[ ${#list[@]} -gt 0 ] || die "apt finds no trace-cmd and linux-perf for i386"
	fetch_debs "$debs" "trace-cmd and perf" "${list[@]}" || die "cannot fetch them"
	unpacked=$(mktemp -d) stage=$(mktemp -d)
	trap 'rm -rf "$unpacked" "$stage"' EXIT
	chmod 755 "$stage"
	make_archive
	as_root rm -rf "$root$debs"
}

main() {
	stamp=$(wanted_stamp)
	is_current || fetch
	echo "$archive"
}

main "$@"
