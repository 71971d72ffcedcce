# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# Which BTF is taken without and with --btf, and that tracing proves itself with each of them.
. /guest/lib.sh

release=$(uname -r)
own=/boot/btf-$release

# uses SOURCE [OPTION]: that doctor takes it, and that its self-test passes
uses() {
	local wanted=$1
	shift
	vmtrace doctor "$@" >/tmp/doctor || fail "doctor $* ends with $?: $(cat /tmp/doctor)"
	grep -q '^ok *self-test  *passed' /tmp/doctor || fail "doctor $*: no self-test"
	assert_eq "$(sed -n 's/^ok *btf  *//p' /tmp/doctor)" "$wanted" "BTF that doctor $* takes"
	echo "doctor $*: $wanted"
}

# renamed FROM TO: a copy of the file of this release in /tmp/renamed, with one name changed
renamed() {
	local at
	at=$(strings -n 2 -t d "$own" | awk -v name="$1" '$2 == name { at = $1 } END { print at }')
	cp "$own" /tmp/renamed
	printf %s "$2" | dd of=/tmp/renamed bs=1 seek="$at" conv=notrunc 2>/dev/null
}

uses 'generic i386' --btf=generic
if [ -e "$own" ]; then
	uses "embedded $release" --btf=embedded
	uses file --btf="$own"
	head -c 400 "$own" >/tmp/cut
	expect 1 "'/tmp/cut' is not a BTF file" vmtrace doctor --btf=/tmp/cut
	renamed vmap_area vmap_tree
	expect 1 'has no struct vmap_area: is it of a 32-bit x86 kernel?' vmtrace map --btf=/tmp/renamed
	renamed va_end va_and
	expect 1 'has no va_end in struct vmap_area: is it' vmtrace map --btf=/tmp/renamed
	default="embedded $release"
else
	expect 1 "no BTF of kernel $release is built in" vmtrace map --btf=embedded
	default='generic i386'
fi
[ ! -e /sys/kernel/btf/vmlinux ] || default=kernel
uses "$default"
