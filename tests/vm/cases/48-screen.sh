# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091
# limit: 180
# The screen on a real kernel, on a terminal of its own (onpty): keys, an end with a summary, a terminal
# that is taken away. 49-screen-numbers has one that takes nothing, and holds the numbers against the kernel's.
. /guest/lib.sh

# on_screen NAME OPTION...: vmtrace on a pty; keys are typed by `type`; its pid in $pid.
on_screen() {
	local name=$1
	shift
	drawn=/tmp/$name.drawn
	rm -f /tmp/keys /tmp/pid "$drawn"
	mkfifo /tmp/keys
	onpty 80x24 "$drawn" sh -c 'echo $$ >/tmp/pid; exec vmtrace --interval=200ms "$@"' vmtrace "$@" \
		</tmp/keys 2>/tmp/pty.err &
	pty=$!
	exec 5>/tmp/keys
	wait_for 60 grep -q LIVE "$drawn" || fail "$name: no screen: $(tail -c 300 "$drawn")"
	pid=$(cat /tmp/pid)
}

type_keys() { printf '%s' "$1" >&5; }
# Read by itself: nothing is typed right before or after it.
order() {
	sleep 0.5
	printf '@%s\n' "$1" >&5
	sleep 0.5
}
# The bytes of what is drawn hold this text somewhere: curses leaves out what is there already.
shows() { wait_for 20 grep -a -q "$1" "$drawn" || fail "$2: $(tail -c 500 "$drawn")"; }

load_module vmtest

on_screen keys
type_keys h
shows 'ADDRESS' "h: holes"
type_keys 5
shows '16M vmalloc: yes' "5: would 16M fit"
type_keys '?'
shows 'EVERYWHERE' "?: help"
type_keys x
vmtest "vmalloc big 8M"
type_keys o
shows 'vmtest_do_vmalloc' "an area of 8M among the owners"
type_keys q
wait $pty || fail "q: exit $?"
tail -c 3000 "$drawn" | grep -a -q 'verify: 0 missing, 0 extra, 0 mismatched' || fail "q: no summary"
vmtest "free big"

# One that is taken away: a normal end.
on_screen gone -o /tmp/gone.vmt
order hangup
wait_for 30 test ! -d /proc/"$pid" || fail "it lives on without its terminal"
exec 5>&-
wait $pty || true
vmtrace info -i /tmp/gone.vmt >/tmp/info
grep -q 'end *complete' /tmp/info || fail "the recording was not ended: $(cat /tmp/info)"

# No terminal: --json is the stream alone.
vmtrace --json --duration=1s >/tmp/events.jsonl 2>/tmp/err </dev/null
tail -n 1 /tmp/events.jsonl | grep -q '"type":"trailer".*"lost":0' || fail "--json: $(tail -n 1 /tmp/events.jsonl)"
echo "keys, $(wc -c <"$drawn") bytes drawn"
