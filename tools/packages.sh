#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# packages.sh [build|vm|all|btf]: installs the host packages that are missing. All is what
# a build and its tests need; btf is for tools/btf.sh alone.

# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

build="clang llvm bpftool make gcc libc6-dev libbpf-dev libelf-dev zlib1g-dev libjansson-dev libzstd-dev libcmocka-dev python3 python3-jsonschema zstd pkg-config debootstrap libprotobuf-c-dev protobuf-c-compiler libncurses-dev libdw-dev"
vm="qemu-system-x86 cpio tmux ncurses-base ncurses-term"
# What opens the exports in tests/export.sh.
export="jq protobuf-compiler sqlite3"
btf="clang bpftool dwarves"

wanted() {
	case $1 in
	build) echo "$build" ;;
	vm) echo "$vm" ;;
	all) echo "$build $vm $export" ;;
	btf) echo "$btf" ;;
	*) die "usage: packages.sh [build|vm|all|btf]" ;;
	esac
}

# Asks dpkg, not apt: that is fast, and right without any package index.
missing() {
	local have p
	have=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true)
	for p in "$@"; do
		grep -qx "installed $p" <<<"$have" || echo "$p"
	done
}

apt() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"; }

install_packages() {
	local log=$CACHE/packages.log
	find_proxy
	need_root
	take_lock packages
	say "installing: $*"
	# One suite out of sync must not stop us: the install below decides.
	logged "$log" "apt-get update" apt update ||
		say "apt-get update had problems, going on with the indexes there are"
	logged "$log" "apt-get install" apt install -y --no-install-recommends "$@"
}

# On another distribution only the programs can be asked for; a missing library
# is then named by the compiler.
has_programs() {
	local p programs=
	case $1 in build | all) programs="clang bpftool make gcc pkg-config debootstrap" ;; esac
	case $1 in vm | all) programs+=" qemu-system-i386 cpio" ;; esac
	case $1 in btf) programs="clang bpftool pahole" ;; esac
	for p in $programs; do
		command -v "$p" >/dev/null || return
	done
}

main() {
	local list what=${1:-all}
	read -ra list <<<"$(wanted "$what")"
	if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
		has_programs "$what" && return
		die "not a Debian host: please install yourself what Debian calls ${list[*]}"
	fi
	mapfile -t list < <(missing "${list[@]}")
	[ ${#list[@]} -eq 0 ] || install_packages "${list[@]}"
}

main "$@"
