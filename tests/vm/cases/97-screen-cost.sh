# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# run: named
# vm: own
# limit: 560
# cpus: 1
# accel: tcg,thread=single
# icount: shift=1,sleep=off
# What the screen costs: processor time of vmtrace on a pty of 80x24 and 200x60, idle and under load
# of about 4,700 events a second, beside that of verify, which keeps the map and shows nothing, and
# of a screen that draws once a minute, which has the evidence for leaks, growth and history.
# Guest time counts instructions here (500 a microsecond). It fails if the idle screen takes 1 % of
# the processor or an event is lost.
. /guest/lib.sh

IDLE_S=20
LOAD_S=10

# ns of all threads of $1 on the processor.
cpu_ns() { cat /proc/"$1"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f\n", sum }'; }

# on_a_pty SIZE INTERVAL: vmtrace in the background on a terminal of this size, its pid in $pid.
on_a_pty() {
	rm -f /tmp/pid /tmp/typescript
	onpty "$1" /tmp/typescript sh -c 'echo $$ >/tmp/pid; exec vmtrace --interval='"$2" </dev/null 2>/tmp/pty.err &
	wait_for 60 test -s /tmp/pid || fail "no start: $(cat /tmp/pty.err)"
	pid=$(cat /tmp/pid)
}

# spent SECONDS: thousandths of a percent that $pid takes of the processor meanwhile, in $share.
spent() {
	local cpu up
	cpu=$(cpu_ns "$pid")
	up=$(uptime_cs)
	sleep "$1"
	up=$(($(uptime_cs) - up))
	share=$(echo "$(cpu_ns "$pid") $cpu $up" |
		awk '{ printf "%.0f\n", ($1 - $2) / ($3 * 1e7) * 1e5 }')
}

percent() { echo "$1" | awk '{ printf "%.3f", $1 / 1000 }'; }

# measure NAME
measure() {
	sleep 8 # its own start, and the first report on leaks
	spent $IDLE_S
	idle=$share
	vmtest "mixed 0 7 0 pause=200"
	sleep 2
	spent $LOAD_S
	vmtest stop
	vmtest wait
	echo "$1: idle $(percent "$idle") % of the processor, under load $(percent "$share") %"
}

load_module vmtest
vmtrace verify --duration=500s -v >/tmp/v 2>/tmp/v.err &
pid=$!
wait_for 60 grep -q watching /tmp/v.err || fail "no start: $(cat /tmp/v.err)"
measure "verify"
alone=$share
kill -INT $pid
wait $pid || true
shown=0
for how in "80x24 60s" "80x24 1s" "200x60 1s"; do
	# shellcheck disable=SC2086
	on_a_pty $how
	wait_for 60 grep -q LIVE /tmp/typescript || fail "no screen: $(tail -c 500 /tmp/typescript)"
	measure "screen $how"
	case $how in
	*60s)
		evidence=$share quiet=$idle
		echo "  evidence: $(((share - alone) * 10)) us a second under load"
		;;
	*)
		grep -a -o '[0-9.]*[nu]s/ev' /tmp/typescript | tail -n 1 | sed 's/^/  probes in the kernel: /'
		echo "  a frame: $(((idle - quiet) * 10)) us idle, $(((share - evidence) * 10)) us under load"
		;;
	esac
	[ "$idle" -lt 1000 ] || fail "the idle screen takes $(percent "$idle") %"
	kill -INT "$pid"
	wait_for 30 test ! -d /proc/"$pid" || fail "it does not end"
	tail -c 2000 /tmp/typescript | tr -d '\r' >/tmp/end
	grep -q ' 0 lost' /tmp/end || fail "events were lost: $(tail -n 5 /tmp/end)"
	shown=$((shown + 1))
done
assert_eq $shown 3 "screens measured"
