# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# Runs cases one after the other; part of init.

alarming='WARNING:|BUG:|BUG |Oops|unable to handle|blocked for more than|soft lockup|hard LOCKUP|rcu.*(stall|self-detected)|general protection|refcount_t|list_(add|del) corruption'
# Said by every kernel on TCG's default AMD model; it means nothing.
known='This combination of AMD processors is not suitable for SMP'

run_cases() {
	local name
	for name in $(echo "$1" | tr ',' ' '); do
		run_case "$name"
	done
}

run_case() {
	local name=$1 limit start mark kptr rc=0 reason
	limit=$(sed -n 's/^# limit: *\([0-9][0-9]*\).*/\1/p' "/cases/$name.sh" | head -n 1)
	: "${limit:=120}"
	echo "@@ start $name"
	rm -rf /tmp/case
	mkdir -p /tmp/case
	mark
	mark=$VM_MARK
	kptr=$(cat /proc/sys/kernel/kptr_restrict)
	start=$(uptime_cs)
	run_limited "$name" "$limit"
	unload_ours
	rc=$(cat /tmp/case/rc)
	reason=$(why_failed "$rc" "$limit" "$start")
	aftermath "$mark" "$kptr" >/tmp/case/aftermath
	if [ -s /tmp/case/aftermath ]; then
		sed 's/^/    /' /tmp/case/aftermath
		[ "$rc" -eq 0 ] && reason=$(head -n 1 /tmp/case/aftermath) && rc=1
	fi
	report "$name" "$rc" "$reason" "$start"
}

report() {
	case $2 in
	0) echo "@@ pass $1 $(seconds_since "$4")" ;;
	77) echo "@@ skip $1 $3" ;;
	*) echo "@@ fail $1 $3" ;;
	esac
}

seconds_since() {
	local cs=$(($(uptime_cs) - $1))
	echo "$((cs / 100)).$((cs % 100 / 10))"
}

# Shown while it runs, so that a lost VM leaves its trace on the host. The case
# has a session of its own: what it leaves running is found by that, and ended.
run_limited() {
	local name=$1 limit=$2 session show rc=0
	mkfifo /tmp/case/out
	show_indented </tmp/case/out &
	show=$!
	VM_REASON=/tmp/case/reason setsid timeout -k 5 "$limit" sh -eu "/cases/$name.sh" \
		>/tmp/case/out 2>&1 </dev/null &
	session=$!
	wait "$session" || rc=$?
	end_session "$session"
	wait "$show"
	echo "$rc" >/tmp/case/rc
}

# The serial line is slow: of a very long output, the beginning and the end.
show_indented() {
	awk 'NR <= 500 { print "    " $0; fflush(); next }
		{ tail[NR % 40] = $0 }
		END {
			if (NR > 540) print "    ... " NR - 540 " lines left out ..."
			for (i = NR > 540 ? NR - 39 : 501; i <= NR; i++) print "    " tail[i % 40]
		}'
}

# The next case starts with none of our modules.
unload_ours() {
	rmmod textbook 2>/dev/null || true
	rmmod vmtest 2>/dev/null || true
}

# Politely first, then by force.
end_session() {
	local pids signal
	for signal in TERM KILL; do
		pids=$(session_members "$1")
		[ -n "$pids" ] || return 0
		echo "    (sending SIG$signal to what it left running: $(names_of "$pids"))"
		# shellcheck disable=SC2086  # a list
		kill -s "$signal" $pids 2>/dev/null
		wait_for 3 session_is_empty "$1" && return
	done
}

session_is_empty() { [ -z "$(session_members "$1")" ]; }

names_of() {
	local pid
	for pid in $1; do
		cat "/proc/$pid/comm" 2>/dev/null
	done | tr '\n' ' '
}

# One awk for all: forks are slow here. timeout's own watcher does not count.
session_members() {
	cat /proc/[0-9]*/stat 2>/dev/null | awk -v session="$1" '{
		pid = $1; name = $0
		sub(/^[^(]*\(/, "", name); sub(/\)[^)]*$/, "", name)
		sub(/.*\) /, "")
		if ($4 == session && $1 != "Z" && name != "timeout") print pid
	}'
}

why_failed() {
	if [ -s /tmp/case/reason ]; then
		head -n 1 /tmp/case/reason
	elif [ "$1" -ge 128 ] && [ "$(($(uptime_cs) - $3))" -ge "$(($2 * 100))" ]; then
		echo "time limit of $2 s"
	else
		echo "exit status $1"
	fi
}

# One line for everything a case must not leave behind; sets it right again.
aftermath() {
	kernel_log_since "$1" | grep -E "$alarming" | grep -vF "$known" | sed 's/^/kernel log: /'
	if [ "$(cat /proc/sys/kernel/kptr_restrict)" != "$2" ]; then
		echo "left kptr_restrict at $(cat /proc/sys/kernel/kptr_restrict), it was $2"
		echo "$2" >/proc/sys/kernel/kptr_restrict
	fi
	# BPF objects are freed after a grace period.
	wait_for 5 no_probe && return
	echo "left a probe behind: $(head -n 1 /sys/kernel/tracing/kprobe_events /sys/kernel/debug/kprobes/list | tr '\n' ' ')"
	echo >/sys/kernel/tracing/kprobe_events
}

# These files have no size: only reading tells.
no_probe() {
	[ -z "$(cat /sys/kernel/tracing/kprobe_events /sys/kernel/debug/kprobes/list)" ]
}
