#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# run.sh [FLAVOUR:CASE...]: what vmtrace costs a real kernel, measured in qemu; the cases are in guest/,
# the default ones below. Guest time counts instructions (-icount) where it says so: then two runs agree.
# Prints tables, judges nothing.

# shellcheck source-path=SCRIPTDIR source=../../../tools/lib.sh disable=SC1091
. "$(dirname "$0")/../../../tools/lib.sh"

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
out=$top/build/bench
default="686-pae:pairs bullseye/686-pae:pairs 686-pae:kinds 686-pae:growth 686-pae:burst 686-pae:own 686-pae:cpus"

header() { sed -n "s/^# $2: *//p" "$here/guest/bench-$1.sh" | head -n 1; }

# overlay FLAVOUR: what the benchmarks need beside the initramfs of the tests.
overlay() {
	local stage kmod=$out/kmod-$(kernel_link "$1")
	"$top/tools/kmod.sh" "$here/kmod" "$1" "$kmod"
	stage=$(mktemp -d)
	mkdir -p "$stage"/{bin,kmod,cases,guest/bench}
	chmod 755 "$stage"
	cp "$top/build/i386/floor" "$stage/bin/"
	cp "$top/build/bpf/"{floor,helpers}.bpf.o "$here/guest/lib.sh" "$stage/guest/bench/"
	cp "$here"/guest/bench-*.sh "$stage/cases/"
	cp "$kmod"/*.ko "$stage/kmod/"
	(cd "$stage" && find . -print0 | LC_ALL=C sort -z | cpio --null -o -H newc -R 0:0 --quiet | gzip -n -1)
	rm -rf "$stage"
}

# Archives one after the other are one initramfs to the kernel.
make_initrd() {
	local flavour=$1 initrd=$2
	"$top/tests/vm/initramfs.sh" "$initrd.base" "$flavour"
	overlay "$flavour" >"$initrd.overlay"
	cat "$initrd.base" "$initrd.overlay" >"$initrd.small"
	cat "$initrd.small" "$("$here/peers.sh")" >"$initrd.full"
	rm -f "$initrd.base" "$initrd.overlay"
}

# boot FLAVOUR CASE INITRD CPUS
boot() {
	local flavour=$1 case=$2 initrd=$3 options=(--cpus "$4") key value
	for key in append memory accel icount limit; do
		value=$(header "$case" "$key")
		[ -z "$value" ] || options+=("--$key" "$value")
	done
	[ -z "$(header "$case" peers)" ] || initrd=$initrd.full
	[ -e "$initrd" ] || initrd=$initrd.small
	"$top/tests/vm/boot.sh" --initrd "$initrd" --flavour "$flavour" --run "cases=bench-$case" \
		--log "$out/$case-$(kernel_link "$flavour").log" "${options[@]}"
}

# Of mawk, so that a row is shown when it comes.
table() {
	local interactive=()
	[ "$(readlink -f "$(command -v awk)")" != /usr/bin/mawk ] || interactive=(-W interactive)
	awk "${interactive[@]}" -f "$here/table.awk"
}

main() {
	local pair flavour case cpus made='' initrd begun failed=0
	[ $# -gt 0 ] || read -ra default <<<"$default"
	[ $# -gt 0 ] || set -- "${default[@]}"
	mkdir -p "$out"
	for pair in "$@"; do
		flavour=${pair%:*} case=${pair##*:}
		[ -r "$here/guest/bench-$case.sh" ] || die "no such case: $case"
		initrd=$out/initrd-$(kernel_link "$flavour")
		[[ $made == *" $flavour "* ]] || make_initrd "$flavour" "$initrd"
		made+=" $flavour "
		begun=$SECONDS
		echo "== $(header "$case" title), $(basename "$("$top/tools/kernel.sh" "$flavour")")"
		for cpus in $(header "$case" cpus || true); do
			boot "$flavour" "$case" "$initrd" "$cpus"
		done | tee "$out/$case-$(kernel_link "$flavour").out" | table || failed=1
		echo "   ($((SECONDS - begun)) s)"
	done
	echo "bench: the cost to the kernel took $((SECONDS / 60)) min $((SECONDS % 60)) s"
	return "$failed"
}

main "$@"
