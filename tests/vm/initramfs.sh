#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# initramfs.sh OUT [FLAVOUR]: packs what the guest needs into OUT (cpio.gz).
# Needs no root: devtmpfs makes the device nodes.

# shellcheck source-path=SCRIPTDIR source=../../tools/lib.sh disable=SC1091
. "$(dirname "$0")/../../tools/lib.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)

# Small ones that a case can load, use and unload. A case that needs another one
# says so in a header line `# modules: NAME...`.
modules="loop dummy ip_tables iptable_filter"

skeleton() {
	mkdir -p "$stage"/{bin,etc,lib,boot,cases,guest,kmod,root,usr}
	ln -s bin "$stage/sbin"
	ln -s ../bin "$stage/usr/bin"
	ln -s ../bin "$stage/usr/sbin"
	cp "$root/bin/busybox" "$stage/bin/"
	ln -s busybox "$stage/bin/sh"
}

ours() {
	local f
	cp "$top"/tests/vm/guest/* "$stage/guest/"
	mv "$stage/guest/init" "$stage/init"
	mv "$stage/guest/profile" "$stage/etc/profile"
	cp "$top"/tests/vm/cases/*.sh "$stage/cases/"
	for f in vmtrace stim ringflood fittrial onpty; do
		[ ! -x "$top/build/i386/$f" ] || cp "$top/build/i386/$f" "$stage/bin/"
	done
	for f in "$top/build/i386/kmod/$(kernel_link "$flavour")"/*.ko; do
		[ ! -e "$f" ] || cp "$f" "$stage/kmod/"
	done
	cp "$kernel/boot/config-$release" "$stage/boot/"
	f=$top/vmlinux/btf/$release.btf
	[ ! -e "$f" ] || cp "$f" "$stage/boot/btf-$release"
	f=$top/build/bpf/generic.btf
	[ ! -e "$f" ] || cp "$f" "$stage/boot/btf-generic"
}

# What the screen (ncursesw) has to know of terminals, and what UTF-8 is.
terminals() {
	local name
	for name in linux vt100 vt220 xterm xterm-256color screen screen-256color tmux tmux-256color; do
		install -D -m 644 "$root/lib/terminfo/${name:0:1}/$name" \
			"$stage/lib/terminfo/${name:0:1}/$name"
	done
	install -D -m 644 "$root/usr/lib/locale/C.utf8/LC_CTYPE" "$stage/usr/lib/locale/C.utf8/LC_CTYPE"
}

# with_dependencies NAME...: paths below lib/modules/RELEASE, built-ins left out.
with_dependencies() {
	awk -v wanted="$*" '
		function add(path) { if (!(path in seen)) { seen[path]; print path } }
		BEGIN { n = split(wanted, w, " "); for (i = 1; i <= n; i++) want[w[i]] }
		{
			path = $1; sub(/:$/, "", path)
			name = path; sub(/.*\//, "", name); sub(/\.ko.*/, "", name); gsub(/-/, "_", name)
			if (name in want) { add(path); for (i = 2; i <= NF; i++) add($i) }
		}' "$tree/modules.dep"
}

kernel_modules() {
	local path dest=$stage/lib/modules/$release extra
	extra=$(sed -n 's/^# modules: *//p' "$top"/tests/vm/cases/*.sh | tr '\n-' ' _')
	while read -r path; do
		install -D -m 644 "$tree/$path" "$dest/$path"
	done < <(with_dependencies "$modules $extra")
	mkdir -p "$dest"
	cp "$tree"/modules.{builtin,order} "$dest/"
	"$root/bin/busybox" depmod -b "$stage" "$release"
}

pack() {
	(cd "$stage" && find . -print0 | LC_ALL=C sort -z |
		cpio --null -o -H newc -R 0:0 --quiet | gzip -n -1)
}

main() {
	[ $# -ge 1 ] || die "usage: initramfs.sh OUT [FLAVOUR]"
	local out=$1
	flavour=${2:-686-pae}
	kernel=$("$top/tools/kernel.sh" "$flavour")
	release=${kernel##*/}
	tree=$kernel/lib/modules/$release
	root=$("$top/tools/i386-root.sh")
	stage=$(mktemp -d)
	trap 'rm -rf "$stage"' EXIT
	chmod 755 "$stage"
	skeleton
	terminals
	ours
	kernel_modules
	mkdir -p "$(dirname "$out")"
	pack >"$out.tmp.$$"
	mv "$out.tmp.$$" "$out"
}

main "$@"
