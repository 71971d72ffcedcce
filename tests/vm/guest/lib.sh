# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# What a case can use. A case begins with `. /guest/lib.sh`.

# The reason goes into a file too: init reports it beside the name of the case.
fail() {
	echo "FAIL: $*"
	echo "$*" >"${VM_REASON:-/dev/null}"
	exit 1
}

skip() {
	echo "SKIP: $*"
	echo "$*" >"${VM_REASON:-/dev/null}"
	exit 77
}

# assert_eq GOT WANTED WHAT
assert_eq() {
	[ "$1" = "$2" ] || fail "$3: got '$1', wanted '$2'"
}

# wait_for SECONDS CMD...: until CMD succeeds; 1 if it did not in time.
wait_for() {
	local deadline
	deadline=$(($(uptime_cs) + $1 * 100))
	shift
	until "$@"; do
		[ "$(uptime_cs)" -lt "$deadline" ] || return 1
		sleep 0.1
	done
}

# Hundredths of a second since boot; the only clock here that needs no setting.
uptime_cs() {
	local up rest
	read -r up rest </proc/uptime
	: "$rest"
	echo "${up%.*}${up#*.}"
}

# Remembers this moment in the kernel log, in VM_MARK.
mark() {
	VM_MARK="vm-mark-$$-$(uptime_cs)"
	echo "$VM_MARK" >/dev/kmsg
}

# kernel_log_since [MARK]: all of the log if the mark has been overwritten.
kernel_log_since() {
	dmesg | awk -v mark="${1:-$VM_MARK}" '
		{ line[NR] = $0 }
		index($0, mark) { from = NR }
		END { for (i = from + 1; i <= NR; i++) print line[i] }'
}

# At 0 (the default) the addresses are hashed even for root, at 1 they are real.
vmallocinfo_real() {
	local before
	before=$(cat /proc/sys/kernel/kptr_restrict)
	echo 1 >/proc/sys/kernel/kptr_restrict
	cat /proc/vmallocinfo
	echo "$before" >/proc/sys/kernel/kptr_restrict
}
