#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# build-kernel.sh NAME: builds a 32-bit x86 kernel that is in no table: the source, the options and
# the changes that tools/kernel-config/NAME.config (and NAME.patch) name, into $CACHE/kernels, as
# flavour built/NAME. By hand, never in CI: 5 to 15 minutes on 2 cores and 3 GB of disk. No root.
# Without NAME: lists the names.

# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

here=$(cd "$(dirname "$0")" && pwd)
configs=$here/kernel-config
kernels=$CACHE/kernels
work=$CACHE/build-kernel

# A NAME has a source line; a part that others include has none.
names() { grep -l '^# source: ' "$configs"/*.config | sed 's|.*/||; s/\.config$//'; }

# header KEY: what the line `# KEY: ...` of NAME.config says.
header() { sed -n "s/^# $1: *//p" "$configs/$name.config" | head -n 1; }

need_tools() {
	local pair missing=()
	for pair in flex: bison: bc: gcc: make: patch: perl: xz:xz-utils dpkg-deb:dpkg; do
		command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}${pair%%:*}")
	done
	if grep -q '^CONFIG_DEBUG_INFO_BTF=y' <<<"$fragment"; then
		command -v pahole >/dev/null || missing+=(pahole)
		[ -e /usr/include/libelf.h ] || missing+=(libelf-dev)
	fi
	[ ${#missing[@]} -eq 0 ] || die "missing here: ${missing[*]} (install them and run this again)"
	command -v apt-get >/dev/null || die "no apt-get: the source comes from a Debian package"
}

# The source is Architecture: all, so the host's own architecture finds it even where the suite's
# i386 index is out of sync. Lists of its own, and nothing is installed: no root.
apt() {
	local state=$work/apt/$from
	apt-get -q -o "Dir::Etc::sourcelist=$state/sources.list" -o Dir::Etc::sourceparts=- \
		-o "Dir::State::lists=$state/lists" -o "Dir::Cache=$state/cache" \
		-o Acquire::Retries=2 "$@"
}

fetch_source() {
	local state=$work/apt/$from uri
	uri=$(apt_uri_of "$SUITE")
	[ -n "$uri" ] || die "no apt source to take $from from"
	mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$work/deb"
	echo "deb $uri $from main" >"$state/sources.list"
	logged "$log" "package index of $from" apt update
	(cd "$work/deb" && logged "$log" "$package" apt download "$package")
}

newest_deb() {
	find "$work/deb" -name "${package}_*.deb" 2>/dev/null | sort -V | tail -n 1
}

# Joined by && because `logged` runs it where set -e is off.
unpack() {
	rm -rf "$tree" "$tree.tar" &&
		mkdir -p "$tree" &&
		dpkg-deb --fsys-tarfile "$deb" | tar -xO --wildcards './usr/src/linux-source-*.tar.xz' >"$tree.tar" &&
		tar -xJf "$tree.tar" --strip-components=1 -C "$tree" &&
		rm "$tree.tar" &&
		if [ -e "$configs/$name.patch" ]; then patch -d "$tree" -p1 <"$configs/$name.patch"; fi &&
		wanted_tree >"$tree/.vmtrace-tree"
}

wanted_tree() {
	local changes=none
	[ ! -e "$configs/$name.patch" ] || changes=$(hash_of <"$configs/$name.patch")
	echo "$(basename "$deb") $changes"
}

kmake() {
	nice -n 10 make -C "$tree" -j"$(nproc)" ARCH=i386 "$@"
}

# base.config, what NAME includes, NAME: a later line wins. Each has a release of its own.
fragments() {
	local part
	for part in base $(header include) "$name"; do
		cat "$configs/$part.config"
	done
	echo "CONFIG_LOCALVERSION=\"-built-$name\""
}

configure() {
	printf '%s\n' "$fragment" >"$tree/.vmtrace-fragment"
	KCONFIG_ALLCONFIG=.vmtrace-fragment kmake allnoconfig
}

# Kconfig drops what it cannot set without a word.
check_config() {
	local line lost=()
	while read -r line; do
		grep -qxF "$line" "$tree/.config" && continue
		# An option that this version does not have, or not here, is off too.
		[[ $line == '# CONFIG_'*' is not set' ]] && ! grep -q "^${line:2:-11}=" "$tree/.config" && continue
		lost+=("$line")
	done < <(awk -F '[ =]' '
		/^CONFIG_/ { last[$1] = $0 }
		/^# CONFIG_.* is not set$/ { last[$2] = $0 }
		END { for (o in last) print last[o] }' <<<"$fragment")
	[ ${#lost[@]} -eq 0 ] || die "this source does not take: $(printf '%s; ' "${lost[@]}")see $tree/.config"
}

# Where kernel.sh, initramfs.sh and boot.sh look for those of a package.
install_release() {
	local new=$1
	mkdir -p "$new/boot" "$new/lib/modules/$release" "$new/usr/src" &&
		ln -s "$tree" "$new/usr/src/build" &&
		cp "$tree/arch/x86/boot/bzImage" "$new/boot/vmlinuz-$release" &&
		cp "$tree/.config" "$new/boot/config-$release" &&
		cp "$tree/System.map" "$new/boot/System.map-$release" &&
		touch "$new/lib/modules/$release"/modules.{dep,order,builtin} &&
		echo "built/$name $(cat "$tree/.vmtrace-tree")" >"$new/.vmtrace-stamp"
}

main() {
	local from package deb tree log fragment release link new start=$SECONDS
	name=${1:-}
	if [ $# -ne 1 ] || [ ! -e "$configs/$name.config" ] || [ -z "$(header source)" ]; then
		die "usage: build-kernel.sh NAME, one of: $(names | tr '\n' ' ')"
	fi
	read -r from package <<<"$(header source)"
	fragment=$(fragments)
	tree=$work/$name log=$work/$name.log
	find_proxy
	need_tools
	take_lock "build-kernel.$name"
	mkdir -p "$work"
	deb=$(newest_deb)
	if [ -z "$deb" ]; then
		fetch_source
		deb=$(newest_deb)
	fi
	[ "$(cat "$tree/.vmtrace-tree" 2>/dev/null || true)" = "$(wanted_tree)" ] ||
		logged "$log" "unpacking $package" unpack
	logged "$log" "configuring $name" configure
	check_config
	# There are no modules; this makes Module.symvers, which ours (tools/kmod.sh) need.
	logged "$log" "building $name" kmake bzImage modules
	release=$(kmake -s kernelrelease)
	new=$kernels/$release.tmp.$$
	mkdir -p "$kernels"
	remove_leftovers "$kernels/$release"
	install_release "$new"
	remove_tree "$kernels/$release"
	mv "$new" "$kernels/$release"
	link=$kernels/$(kernel_link "built/$name")
	ln -sfn "$release" "$link.tmp.$$"
	mv -T "$link.tmp.$$" "$link"
	say "kernel $release ready after $((SECONDS - start)) s, as flavour built/$name; $tree is only needed for test modules, and has vmlinux"
}

main "$@"
