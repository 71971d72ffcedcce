#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# demo.sh [BOOT-OPTION...]: shows vmtrace at work on a stock 32-bit kernel. On a
# terminal it ends in a shell in the guest; otherwise by itself, with the status
# of the demo (3 if the VM is lost).

# shellcheck source-path=SCRIPTDIR source=../../tools/lib.sh disable=SC1091
. "$(dirname "$0")/../../tools/lib.sh"

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
flavour=${VMTRACE_FLAVOUR:-686-pae}
initrd=$top/build/vm/initramfs-$flavour.gz
log=$top/build/vm/demo.log

set_up() {
	"$top/tools/packages.sh" vm
	if compgen -G "$top/tests/kmod/*.c" >/dev/null; then
		"$top/tools/kmod.sh" "$top/tests/kmod" "$flavour" "$top/build/i386/kmod/$(kernel_link "$flavour")"
	fi
	"$here/initramfs.sh" "$initrd" "$flavour"
}

main() {
	local options=(--run demo --initrd "$initrd" --flavour "$flavour" --log "$log" --limit 300) rc=0
	set_up
	say "booting a stock $(readlink "$CACHE/kernels/$flavour") in qemu, about 8 s"
	if [ -t 0 ] && [ -t 1 ]; then
		"$here/boot.sh" "${options[@]}" --interactive "$@" || rc=$?
	else
		"$here/boot.sh" "${options[@]}" "$@" </dev/null |
			sed -u '/^@@ /d; /^\[ *[0-9.]*\] reboot: Power down/d' || rc=$?
	fi
	[ "$rc" -eq 0 ] || exit "$rc"
	exit "$(sed -n 's/^@@ exit \([0-9]*\).*/\1/p' "$log" | head -n 1)"
}

main "$@"
