#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# i386-root.sh: makes $CACHE/i386-root, a small Debian i386 tree, and prints its
# path. It is the sysroot of the static build, the place where kernel modules are
# built, and the apt that finds i386 kernels. A root of its own cannot disturb
# the host; i386 as a foreign architecture can.

# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

root=$CACHE/i386-root
# libelf is also what objtool needs, when a module is built; headers packages
# bring every other build tool ready made, so neither flex nor bison is needed.
include=gcc,make,libc6-dev,libbpf-dev,libelf-dev,zlib1g-dev,libjansson-dev,libzstd-dev,libcmocka-dev,libprotobuf-c-dev,libncurses-dev,libdw-dev,busybox-static

wanted_stamp() { echo "1 $SUITE minbase $include" | hash_of; }

is_current() { [ -r "$root/.vmtrace-stamp" ] && [ "$(<"$root/.vmtrace-stamp")" = "$stamp" ]; }

bootstrap() {
	local new=$1 mirror=$2
	logged "$CACHE/i386-root.log" "i386 root" as_root debootstrap --arch=i386 \
		--variant=minbase --include="$include" "$SUITE" "$new" ${mirror:+"$mirror"}
}

can_fetch() {
	as_root env LC_ALL=C chroot "$1" apt-get -q -o APT::Sandbox::User=root \
		-o Dir::Etc::sourcelist="$2" -o Dir::Etc::sourceparts=- \
		-o APT::Get::List-Cleanup=0 -o APT::Update::Error-Mode=any update >/dev/null 2>&1 </dev/null
}

# A suite that is out of sync for i386 (it happens to security) is left out.
add_suite() {
	local new=$1 name=$2 uri list
	uri=$(apt_uri_of "$name")
	[ -n "$uri" ] || return 0
	list=/etc/apt/sources.list.d/$name.list
	echo "deb $uri $name main" | as_root tee "$new$list" >/dev/null
	can_fetch "$new" "$list" && return
	say "suite $name cannot be used for i386 right now: going on without it"
	as_root rm -f "$new$list"
}

build() {
	local new=$root.tmp.$$ mirror
	say "making an i386 root in $root (about 1 minute, 620 MB)"
	mirror=$(apt_uri_of "$SUITE")
	bootstrap "$new" "$mirror"
	# https works in the root only with the host's certificates.
	[ ! -r /etc/ssl/certs/ca-certificates.crt ] ||
		as_root install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$new/etc/ssl/certs/ca-certificates.crt"
	add_suite "$new" "$SUITE-updates"
	add_suite "$new" "$SUITE-security"
	as_root rm -rf "$new/var/cache/apt/archives"
	as_root mkdir -p "$new/var/cache/apt/archives/partial"
	echo "$stamp" | as_root tee "$new/.vmtrace-stamp" >/dev/null
	publish "$new" "$root"
	say "i386 root ready"
}

main() {
	stamp=$(wanted_stamp)
	if ! is_current; then
		command -v debootstrap >/dev/null || die "debootstrap is missing: run tools/packages.sh build"
		find_proxy
		need_root
		take_lock i386-root
		# Whoever had the lock may have made it meanwhile.
		is_current || { remove_leftovers "$root"; build; }
	fi
	echo "$root"
}

main "$@"
