# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# limit: 120
# vm: own
# memory: 300
# A vmalloc that gets an address and then no pages, or asks for more than the memory, is a failure
# of pages: seen once, with its size, in the recording and live, also under __GFP_NOWARN. With
# --probes=area it is not seen.
. /guest/lib.sh

load_module vmfail
MB=1048576
total=$(awk '/^MemTotal:/ { print $2 * 1024 }' /proc/meminfo)
failures() { grep -c '"type":"fail"' /tmp/events; }
# The recorder may have to wait for memory too. More than N would be seen a little later.
failures_are() { [ "$(failures)" -ge "$1" ]; }
assert_failures() {
	wait_for 10 failures_are "$1" || fail "$2 is not reported"
	sleep 0.5
	assert_eq "$(failures)" "$1" "failures after $2"
}

# What faults while there is no memory calls the OOM killer: it gets something to kill.
decoys=''
make_decoys() {
	for _ in 1 2 3 4; do
		sleep 1000 &
		decoys="$decoys $!"
		echo 1000 >/proc/$!/oom_score_adj
	done
}

# out_of_pages BYTES: asked for, and not had.
out_of_pages() {
	make_decoys
	vmfail "pages $1"
}
echo -900 >/proc/$$/oom_score_adj # and what it starts
start_recording /tmp/events
out_of_pages $((total - 4 * MB))
assert_failures 1 "one out of pages"
vmfail "ask $((total + 8 * MB))"
assert_failures 2 "one for more than the memory"
vmfail "fill 4M"
assert_failures 3 "the last step of filling"
vmfail "ask 16M"
assert_failures 4 "one for want of an address"
vmfail release
stop_recording /tmp/events
if grep '"type":"lost"' /tmp/events; then
	fail "events were lost"
fi
vmtrace why 4 -i /tmp/events
vmtrace why 4 --json -i /tmp/events | sed 's/{"verdict":/\n&/g' | grep '"verdict"' >/tmp/all
sed 's/,"space".*//' /tmp/all | cut -c 1-300
grep -q '^{"verdict":"pages".*"size":'$((total - 4 * MB + 4096))',"requested":'$((total - 4 * MB))',.*"errno":12,.*"function":"vmfail_ask+' /tmp/all || fail "the one out of pages"
grep -q '^{"verdict":"pages".*"requested":'$((total + 8 * MB))',.*"errno":12,.*"function":"vmfail_ask+' /tmp/all || fail "the one for more than the memory"
assert_eq "$(grep -c '^{"verdict":"pages"' /tmp/all)" 2 "failures of pages"

for options in "" --transport=perf --probe-plan=return --probe-plan=tracepoint,insert; do
	fresh /tmp/live.err
	# shellcheck disable=SC2086  # may be empty
	vmtrace why --json --duration=60s $options >/tmp/live.json 2>/tmp/live.err &
	watcher=$!
	wait_for 30 grep -q watching /tmp/live.err || fail "why does not watch: $(cat /tmp/live.err)"
	out_of_pages $((total - 3 * MB))
	wait $watcher || fail "why: exit $?"
	assert_why /tmp/live.json pages vmfail_ask $((total - 3 * MB))
done

vmtrace why --duration=2s --probes=area >/tmp/none 2>/tmp/none.err &
watcher=$!
wait_for 30 grep -q watching /tmp/none.err || fail "why does not watch: $(cat /tmp/none.err)"
out_of_pages $((total - 3 * MB))
wait $watcher || fail "why without a failure: exit $?"
cat /tmp/none
grep -q 'no allocation failed' /tmp/none || fail "no word about there being none"
# shellcheck disable=SC2086  # a list, and some may have been killed
kill $decoys 2>/dev/null || true
