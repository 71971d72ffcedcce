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

# expect CODE WORDS CMD...: exit code and words on stderr
expect() {
	local code=$1 words=$2 rc=0
	shift 2
	"$@" >/tmp/out 2>/tmp/err || rc=$?
	echo "exit $rc: $* : $(head -n 1 /tmp/err)"
	assert_eq "$rc" "$code" "exit code of '$*'"
	grep -q -e "$words" /tmp/err || fail "'$*' does not say '$words': $(cat /tmp/err)"
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

# ---- vmtrace in the guest ----

VMTEST=/sys/kernel/debug/vmtest/cmd

# json_number FILE KEY: the first integer of that key.
json_number() {
	sed -n "s/.*\"$2\":\(-\{0,1\}[0-9][0-9]*\).*/\1/p" "$1" | head -n 1
}

# fresh FILE...: before a command in the background that writes them: what the one before it wrote
# would be taken for its own until it has opened them.
fresh() { rm -f "$@"; }

# start_recording FILE [OPTION...]: events --json in the background, until its first snapshot is
# complete. Its pid is left in recorder.
start_recording() {
	local file=$1
	shift
	fresh "$file" "$file.err"
	vmtrace events --json "$@" >"$file" 2>"$file.err" &
	recorder=$!
	wait_for 20 grep -q '"phase":"end"' "$file" || fail "no recording: $(cat "$file.err")"
}

# A normal end: drained, with a trailer.
stop_recording() {
	kill -INT "$recorder"
	wait "$recorder" || fail "the recording ended with $?: $(cat "$1.err")"
	tail -n 1 "$1" | grep -q '"type":"trailer"' || fail "the recording has no trailer"
	assert_stacks_defined "$1"
}

# Every stack that an event names was told before it.
assert_stacks_defined() {
	local undefined
	undefined=$(awk '
		/"type":"stack"/ { match($0, /"id":[0-9]+/); known[substr($0, RSTART + 5, RLENGTH - 5)] = 1; next }
		match($0, /"stack":[0-9]+/) {
			id = substr($0, RSTART + 8, RLENGTH - 8)
			if (!(id in known)) print id
		}' "$1" | sort -u | head -n 3)
	[ -z "$undefined" ] || fail "events have stacks that were never told: $undefined"
}

# load_module NAME: one of ours.
load_module() {
	insmod "/kmod/$1.ko" || fail "cannot load $1.ko"
}

# vmtest COMMAND: one operation of the test module.
vmtest() {
	echo "$*" >"$VMTEST"
}

# What the test module's mixed threads have done by now; nothing unless THREADS of them run.
operations() {
	vmtest status
	dmesg | sed -n "s/.*op=status .*running=$1 .*mixed_done=\([0-9]*\).*/\1/p" | tail -n 1
}

# start_verify FILE OPTION...: verify --json in the background, until it watches. Its pid is left
# in verifier.
start_verify() {
	local file=$1
	shift
	fresh "$file" "$file.err"
	vmtrace verify --json -v "$@" >"$file" 2>"$file.err" &
	verifier=$!
	wait_for 20 grep -q 'watching' "$file.err" || fail "verify did not start: $(cat "$file.err")"
}

# end_verify FILE: compare now; the counts must all be 0.
end_verify() {
	local rc=0
	kill -INT "$verifier"
	wait "$verifier" || rc=$?
	cat "$1.err" "$1"
	assert_eq "$rc" 0 "exit code of verify"
	assert_exact "$1"
}

assert_exact() {
	assert_eq "$(json_number "$1" missing)" 0 missing
	assert_eq "$(json_number "$1" extra)" 0 extra
	assert_eq "$(json_number "$1" mismatched)" 0 mismatched
	assert_eq "$(json_number "$1" lazy_diff_bytes)" 0 "lazy bytes that differ"
}

# recording_with_loss FILE SEED: a recording through a ring of 4K whose reader was stopped under a
# load, so that what the ring could not hold is lost for certain, and the snapshot that healed it.
recording_with_loss() {
	start_recording "$1" --ring=4K
	kill -STOP "$recorder"
	vmtest "mixed 2000 $2 0 keep"
	vmtest wait
	kill -CONT "$recorder"
	wait_for 30 grep -q '"type":"lost"' "$1" || fail "no lost event"
	wait_for 30 has_snapshots "$1" 2 || fail "no second snapshot after the loss"
	stop_recording "$1"
}

# has_snapshots FILE N: at least N complete ones
has_snapshots() { [ "$(grep -c '"phase":"end"' "$1")" -ge "$2" ]; }

# ---- why ----

# vmfail COMMAND: one step of the module that provokes failures.
vmfail() {
	echo "$*" >/sys/kernel/debug/vmfail/cmd
}

# first_of FILE KEY: the value of that key in the first failure that `why --json` explains.
first_of() {
	sed -n "s/^{\"failures\":\[\([^]]*\"$2\":\)/\1/p" "$1" | grep -o "\"$2\":\(\"[^\"]*\"\|[0-9]*\)" | head -n 1 | sed 's/^"[^"]*"://; s/"//g'
}

# assert_why FILE VERDICT FUNCTION BYTES: what the first failure is said to be.
assert_why() {
	assert_eq "$(first_of "$1" verdict)" "$2" "verdict of '$1'"
	first_of "$1" function | grep -q "^$3+0x[0-9a-f]* \[vmfail\]$" || fail "$1: asked by '$(first_of "$1" function)', not $3"
	assert_eq "$(first_of "$1" requested)" "$4" "$1: bytes asked for"
}

# held_by FUNCTION: the bytes of the areas that it holds, by the kernel's own list.
held_by() {
	vmallocinfo_real | awk -v name="$1+" 'index($3, name) == 1 { sum += $2 } END { printf "%d\n", sum }'
}

# said_to_hold FILE FUNCTION: the same as the owners in the first failure have it.
said_to_hold() {
	sed 's/.*"owners":\[//; s/"owners_other_bytes".*//' "$1" | tr '{' '\n' | grep "\"function\":\"$2+" | sed 's/.*"bytes":\([0-9]*\).*/\1/' | awk '{ sum += $1 } END { printf "%d\n", sum }'
}
