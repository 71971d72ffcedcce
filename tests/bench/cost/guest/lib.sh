# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2034
#
# What the guest's half of the cost benchmarks shares. Rows for the host begin with "row ".
. /guest/lib.sh

BENCH=/sys/kernel/debug/vmbench
EVENTS=/sys/kernel/tracing
WINDOW_MS=1000

bench() { echo "$*" >$BENCH/cmd || fail "vmbench: '$*' failed"; }
result() { sed -n "s/.*$1=\([0-9]*\).*/\1/p" $BENCH/result; }
set_jit() { echo "$1" >/proc/sys/net/core/bpf_jit_enable; }

# The hooks of the plan that vmtrace takes here, as p:FUNCTION and r:FUNCTION.
hooks() {
	vmtrace doctor --probes="$1" --json 2>/dev/null | tr '{' '\n' |
		sed -n 's/.*"topic":"probe".*"text":"\([a-z]*\)  *\([^ ]*\) .*/\1:\2/p' |
		sed 's/^entry:/p:/; s/^return:/r:/'
}

# loop KIND COUNT THREADS: cost_ns and loop_ns of COUNT pairs, the consumer included: what the whole
# machine did in a window that begins with them, less what it does in such a window without any.
loop() {
	local idle
	if [ "$1" = modules ]; then
		loop_modules 2
		used=$(used_ns)
		loop_modules "$2"
		used=$(($(used_ns) - used)) loop_ns=$(result window_ns) cost_ns=$(result busy_ns) idle_us=0
		return
	fi
	bench "run $1 $2 $3 $WINDOW_MS" # the first time is dearer: symbols, stacks, pages
	bench "run none 0 0 $WINDOW_MS"
	idle=$(result busy_ns)
	used=$(used_ns)
	bench "run $1 $2 $3 $WINDOW_MS"
	used=$(($(used_ns) - used))
	loop_ns=$(result loop_ns)
	count=$(result count)
	cost_ns=$(($(result busy_ns) - idle))
	idle_us=$((idle / 1000))
}

# One of COUNT modules after the other, loaded and unloaded: as loop.
loop_modules() {
	local i=0
	bench mark
	while [ $i -lt "$1" ]; do
		insmod /kmod/textbook.ko
		rmmod textbook
		i=$((i + 1))
	done
	sleep 0.2
	bench since
}

# ns that the tool had on a CPU, all its threads: its share of the cost, and of the idle window.
used_ns() {
	[ -n "$tool" ] || { echo 0; return; }
	cat /proc/"$tool"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f\n", sum }'
}

# ---- what runs meanwhile: start_X leaves its pid in $tool, stop_X sets $lost and $events ----

start_nothing() { tool=''; }
stop_nothing() { lost=0 events=0; }

# start_program OBJECT PROGRAM HOOKS
start_program() {
	fresh /tmp/floor
	# shellcheck disable=SC2086  # a list
	floor "/guest/bench/$1.bpf.o" "$2" $3 >/tmp/floor 2>&1 &
	tool=$!
	wait_for 60 grep -q ready /tmp/floor || fail "floor: $(cat /tmp/floor)"
}
start_floor() { start_program floor floor_program "$(cat "/tmp/hooks.$1")"; }
stop_floor() { stop_program; }
stop_program() {
	kill $tool
	wait $tool 2>/dev/null || true
	lost=0 events=0
}

# start_vmtrace OPTION...
start_vmtrace() {
	fresh /tmp/v.err
	vmtrace verify --duration=1h -v "$@" >/tmp/v 2>/tmp/v.err &
	tool=$!
	wait_for 90 grep -q watching /tmp/v.err || fail "verify $*: $(cat /tmp/v.err)"
}
stop_vmtrace() {
	local rc=0
	kill -INT $tool
	wait $tool || rc=$?
	[ $rc -eq 0 ] || echo "verify: exit $rc: $(cat /tmp/v)"
	lost=$(sed -n 's/.* \([0-9]*\) lost.*/\1/p' /tmp/v)
	events=0
}

# start_screen OPTION...: the screen on a terminal of 80x24
start_screen() {
	fresh /tmp/s.pid /tmp/s.drawn
	# shellcheck disable=SC2016  # of that shell
	onpty 80x24 /tmp/s.drawn sh -c 'echo $$ >/tmp/s.pid; exec vmtrace "$@"' sh "$@" </dev/null 2>/tmp/s.err &
	terminal=$!
	wait_for 90 grep -q LIVE /tmp/s.drawn || fail "no screen: $(cat /tmp/s.err)"
	tool=$(cat /tmp/s.pid)
}
stop_screen() {
	kill -INT "$tool"
	wait $terminal || fail "the screen ended with $?: $(cat /tmp/s.err)"
	lost=$(tail -c 2000 /tmp/s.drawn | sed -n 's/^watched.* \([0-9]*\) lost.*/\1/p')
	events=0
}

start_record() {
	fresh /tmp/r.vmt /tmp/r.err
	vmtrace record -o /tmp/r.vmt --force "$@" 2>/tmp/r.err &
	tool=$!
	wait_for 90 grep -q 'recording into' /tmp/r.err || fail "record: $(cat /tmp/r.err)"
}
stop_record() {
	kill -INT $tool
	wait $tool || fail "record: $(cat /tmp/r.err)"
	vmtrace info --json -i /tmp/r.vmt >/tmp/info
	lost=$(json_number /tmp/info lost)
	events=$(json_number /tmp/info events)
	rm -f /tmp/r.vmt
}

# The peers get the same hooks as kprobe events of group bench.
make_events() {
	local hook n=0
	[ ! -e $EVENTS/events/bench ] || return 0
	for hook in $(cat "/tmp/hooks.$1"); do
		n=$((n + 1))
		echo "${hook%%:*}:bench/h$n ${hook#*:}" >>$EVENTS/kprobe_events || fail "no event for $hook"
	done
}
remove_events() { echo '-:bench/*' >>$EVENTS/kprobe_events 2>/dev/null || echo >$EVENTS/kprobe_events; }

# start_trace_cmd AREA|ALL [-T]
start_trace_cmd() {
	local hooks=$1
	shift
	make_events "$hooks"
	fresh /tmp/t.dat*
	trace-cmd record "$@" -e bench -o /tmp/t.dat >/tmp/t.log 2>&1 &
	tool=$!
	wait_for 90 trace_cmd_records || fail "trace-cmd: $(cat /tmp/t.log)"
}
# Its own words come late, through a pipe.
trace_cmd_records() { [ "$(cat $EVENTS/events/bench/enable)" = 1 ] && [ -e /tmp/t.dat.cpu0 ] && sleep 1; }
stop_trace_cmd() {
	cat $EVENTS/per_cpu/cpu*/stats >/tmp/t.stats
	lost=$(awk '/^(overrun|commit overrun|dropped events):/ { sum += $NF } END { print sum + 0 }' /tmp/t.stats)
	events=0
	kill -INT $tool
	wait $tool || true
	rm -f /tmp/t.dat*
	remove_events
}

# start_perf AREA|ALL
start_perf() {
	make_events "$1"
	fresh /tmp/p.data
	perf record -a -g -e 'bench:*' -o /tmp/p.data >/tmp/p.log 2>&1 &
	tool=$!
	wait_for 90 perf_records || fail "perf: $(cat /tmp/p.log)"
}
perf_records() { [ -s /tmp/p.data ] && sleep 1; }
stop_perf() {
	kill -INT $tool
	wait $tool || true
	lost=$(sed -n 's/.*LOST \([0-9]*\) events.*/\1/p' /tmp/p.log | tail -n 1)
	lost=${lost:-0}
	events=$(sed -n 's/.*(\([0-9]*\) samples).*/\1/p' /tmp/p.log)
	rm -f /tmp/p.data*
	remove_events
}

# measure ROW KIND COUNT TOOL ARGUMENT...: one row
measure() {
	local row=$1 kind=$2 count=$3 what=$4
	shift 4
	"start_$what" "$@"
	loop "$kind" "$count" "${THREADS:-0}"
	"stop_$what"
	echo "row $row|$kind|$count|$loop_ns|$cost_ns|$((used / 1000))|$idle_us|$lost|$events"
}
