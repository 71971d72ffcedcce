#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# btf.sh [FLAVOUR]: writes vmlinux/btf/RELEASE.btf, the BTF of the types that vmtrace needs of
# the stock kernel that kernel.sh resolves FLAVOUR to ([SUITE/]NAME, default 686-pae), and prints
# its row for vmlinux/README.md. From the DWARF of the kernel's -dbg package: a download of some
# 765 MB, about 2 GB of disk below $CACHE meanwhile, a minute or two. By hand, when a kernel is
# added; a build needs only the file.

# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=kernel-lib.sh disable=SC1091
. "$(dirname "$0")/kernel-lib.sh"

here=$(dirname "$0")
vmlinux=$here/../vmlinux
log=$CACHE/btf.log
debs=/var/tmp/vmtrace-btf

# What every 32-bit x86 kernel has, in bytes: the layout of vmlinux/generic.c. Where vm and caller
# lie differs.
expected="
pt_regs 68
pt_regs.bx 0
pt_regs.cx 4
pt_regs.dx 8
pt_regs.si 12
pt_regs.di 16
pt_regs.bp 20
pt_regs.ax 24
pt_regs.ds 28
pt_regs.es 32
pt_regs.fs 36
pt_regs.gs 40
pt_regs.orig_ax 44
pt_regs.ip 48
pt_regs.cs 52
pt_regs.flags 56
pt_regs.sp 60
pt_regs.ss 64
vmap_area.va_start 0
vmap_area.va_end 4
vmap_area.vm [0-9]+
vm_struct.next 0
vm_struct.addr 4
vm_struct.size 8
vm_struct.flags 12
vm_struct.pages 16
vm_struct.nr_pages 20
vm_struct.phys_addr 24
vm_struct.caller [0-9]+"

# layout FILE: "TYPE SIZE" and "TYPE.MEMBER OFFSET" in bytes, members of anonymous ones included.
layout() {
	bpftool btf dump file "$1" format raw | tr -d "[]'" | awk -F '[ =\t]+' '
		/^[0-9]/ { id = $1; if ($2 == "STRUCT") { by_name[$3] = id; size[id] = $5 } }
		/^\t/ { n[id]++; name[id, n[id]] = $2; type[id, n[id]] = $4; bits[id, n[id]] = $6 }
		function members(id, base, prefix,    i, at) {
			for (i = 1; i <= n[id]; i++) {
				at = base + bits[id, i] / 8
				if (name[id, i] == "(anon)")
					members(type[id, i], at, prefix)
				else
					print prefix "." name[id, i], at
			}
		}
		END {
			for (s in by_name) {
				if (s == "(anon)") continue
				print s, size[by_name[s]]
				members(by_name[s], 0, s)
			}
		}'
}

# check FILE: it has all that is expected; names what it has not.
check() {
	local line bad='' found
	found=$(layout "$1") || return
	while read -r line; do
		[ -z "$line" ] || grep -Eqx "$line" <<<"$found" || bad+="; not '$line'"
	done <<<"$expected"
	[ -n "$bad" ] || return 0
	say "$release: not the layout of a 32-bit x86 kernel$bad"
	say "what it has: $(sort <<<"$found" | tr '\n' ',')"
	return 1
}

clean_up() {
	as_root rm -rf "$root$debs"
	remove_tree "$work"
}

fetch() {
	package=linux-image-$release-dbg
	[ -n "$(in_root apt-cache "${suite_options[@]}" show --no-all-versions "$package" 2>/dev/null)" ] ||
		die "no package $package for i386 in ${suite:-$SUITE}: $release stays with the generic BTF"
	fetch_debs "$debs" "debug symbols of $release" "$package" ||
		die "cannot fetch $package: $release stays with the generic BTF"
	deb=$(echo "$root$debs"/*.deb)
	version=$(dpkg-deb -f "$deb" Version)
	say "fetched $package $version: $(stat -c %s "$deb") bytes"
}

unpack() {
	dpkg-deb --fsys-tarfile "$deb" |
		tar -C "$work" -x --strip-components=5 -f - "./usr/lib/debug/boot/vmlinux-$release" &&
		mv "$work/vmlinux-$release" "$work/vmlinux"
}

wanted_object() {
	clang -O2 -g -target bpf -c "$vmlinux/wanted.bpf.c" -o "$work/wanted.o"
}

# step WHAT CMD...
step() {
	logged "$log" "$@" || die "$release: no BTF written"
}

make_btf() {
	work=$CACHE/btf.tmp.$$
	trap clean_up EXIT
	mkdir -p "$work"
	fetch
	step "unpacking vmlinux of $release" unpack
	as_root rm -rf "$root$debs"
	step "DWARF to BTF" pahole -J --btf_encode_detached="$work/full.btf" "$work/vmlinux"
	step "compiling wanted.bpf.c" wanted_object
	step "min_core_btf" bpftool gen min_core_btf "$work/full.btf" "$work/min.btf" "$work/wanted.o"
	check "$work/min.btf" || die "$release: no BTF written"
	say "$release: vmlinux $(stat -c %s "$work/vmlinux"), all BTF $(stat -c %s "$work/full.btf"), kept $(stat -c %s "$work/min.btf") bytes"
}

main() {
	local kernel out
	[ $# -le 1 ] || die "usage: btf.sh [[SUITE/]FLAVOUR]"
	"$here/packages.sh" btf
	kernel=$("$here/kernel.sh" "${1:-686-pae}")
	release=${kernel##*/}
	split_flavour "${1:-686-pae}"
	find_proxy
	need_root
	root=$("$here/i386-root.sh")
	take_lock kernel
	remove_leftovers "$CACHE/btf"
	use_suite "$suite"
	update_index
	make_btf
	mkdir -p "$vmlinux/btf"
	out=$vmlinux/btf/$release.btf
	mv "$work/min.btf" "$out.tmp.$$"
	chmod 644 "$out.tmp.$$"
	mv "$out.tmp.$$" "$out"
	echo "| \`$release\` | $version | $(stat -c %s "$out") |"
}

main "$@"
