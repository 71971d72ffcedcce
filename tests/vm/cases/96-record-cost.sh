# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# run: named
# vm: own
# limit: 560
# cpus: 1
# accel: tcg,thread=single
# icount: shift=1,sleep=off
# What recording costs: processor time of vmtrace while about 10,000 events a second come, beside that
# of verify, which keeps the map and records nothing. Guest time counts instructions here (500 a
# microsecond). No threshold: it prints.
. /guest/lib.sh

# ns of all threads of $1 on the processor.
cpu_ns() { cat /proc/"$1"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f\n", sum }'; }
rss_kib() { awk '/VmHWM/ { print $2 }' /proc/"$1"/status; }

# Ticks in user mode and in the kernel (field 14 and 15 behind a name without blanks), and how often it
# was put on a processor, for each thread of $1.
threads() {
	local task
	for task in /proc/"$1"/task/*; do
		echo "$(cut -d' ' -f14,15 "$task/stat") $(cut -d' ' -f3 "$task/schedstat")"
	done
}

# measure NAME PID WHERE: 10 s of load
measure() {
	local begin cpu up events
	vmtest "mixed 0 7 0 pause=$pause"
	sleep 1
	begin=$(operations 1)
	cpu=$(cpu_ns "$2")
	threads "$2" >/tmp/threads
	up=$(uptime_cs)
	sleep 10
	up=$(($(uptime_cs) - up))
	threads "$2" >/tmp/threads.then
	cpu=$(echo "$(cpu_ns "$2") $cpu" | awk '{ printf "%.0f\n", $1 - $2 }')
	events=$(($(operations 1) - begin))
	vmtest stop
	vmtest wait
	echo "$1: $events operations in $up cs, $((cpu / 1000)) us on the processor, $(rss_kib "$2") KiB"
	paste /tmp/threads /tmp/threads.then | awk '{
		printf "  thread %d: %d0 ms in user mode, %d0 ms in the kernel, %d times on the processor\n",
			NR, $4 - $1, $5 - $2, $6 - $3 }'
	echo "$events $up $cpu" >"$3"
}

load_module vmtest
for pause in 200 50; do
	vmtrace verify --duration=300s -v >/tmp/v 2>/tmp/v.err &
	pid=$!
	wait_for 60 grep -q watching /tmp/v.err || fail "no start: $(cat /tmp/v.err)"
	measure "pause $pause, verify" $pid /tmp/of_verify
	kill -INT $pid
	wait $pid || true
	vmtrace record -o /tmp/r.vmt --force 2>/tmp/r.err &
	pid=$!
	wait_for 60 grep -q 'recording into' /tmp/r.err || fail "no start: $(cat /tmp/r.err)"
	measure "pause $pause, record" $pid /tmp/of_record
	kill -INT $pid
	wait $pid || fail "record: $(cat /tmp/r.err)"
	cat /tmp/r.err
	vmtrace info --json -i /tmp/r.vmt >/tmp/info
	# of_verify: what it takes without recording
	awk -v all="$(json_number /tmp/info events)" -v ns="$(json_number /tmp/info length_ns)" '
		FNR == NR { without = $3 / $1; next }
		{
			rate = all / ns * 1e9
			events = rate * $2 / 100
			us = ($3 - without * $1) / events / 1000
			printf "  %.0f events/s: %.2f us an event to record it, %.2f us in all; at 10,000 events/s %.1f %% and %.1f %% of this processor\n",
				rate, us, $3 / events / 1000, us, $3 / events / 1000
		}' /tmp/of_verify /tmp/of_record
done
