#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What record, export and the views do to files and pipes: that none eats its own input, that a full
# disk and a limit are told, and that what was cut short does not look whole. No VM: from recordings.
set -u
cd "$(dirname "$0")/.." || exit 1

vmtrace=$PWD/${VMTRACE:-./vmtrace}
tests=$PWD/tests
golden=$tests/golden
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0 skipped=0

# check NAME CMD...: in a folder of its own, with the recordings x.vmt and x.jsonl.
check() {
	local name=$1
	shift
	rm -rf "$tmp/d" && mkdir "$tmp/d"
	cp "$golden/busy.jsonl" "$tmp/d/x.jsonl"
	cp "$tmp/busy.vmt" "$tmp/d/x.vmt"
	if (cd "$tmp/d" && "$@") >"$tmp/log" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $name"
		head -n 20 "$tmp/log" | sed 's/^/  /'
	fi
}

# ends CODE WORDS CMD...: with this exit code and message.
ends() {
	local code=$1 words=$2 rc=0
	shift 2
	"$@" 2>err >out || rc=$?
	[ $rc -eq "$code" ] && grep -q -e "$words" err && return
	echo "exit $rc of $*:"
	cat err
	return 1
}

# same FILE: is as it was.
same() {
	case $1 in
	*.jsonl) cmp "$1" "$golden/busy.jsonl" ;;
	*) cmp "$1" "$tmp/busy.vmt" ;;
	esac
}

# at_end FILE WORDS: what info says of its end.
at_end() {
	"$vmtrace" info -i "$1" >info && grep -q "^ end .*$2" info && return
	cat info
	return 1
}

record() { "$vmtrace" record "$@"; }
export_as() {
	local format=$1
	shift
	"$vmtrace" export --format="$format" "$@"
}

# ---- the input is not the output ----

record_onto_itself() {
	ln -s x.vmt link.vmt && ln x.vmt hard.vmt && ln x.vmt r.2
	ends 1 'is the recording that is read' record -i x.vmt -o x.vmt --force && same x.vmt &&
		ends 1 'is the recording that is read' record -i x.vmt -o link.vmt --force &&
		ends 1 'is the recording that is read' record -i hard.vmt -o x.vmt --force &&
		ends 1 'is the recording that is read' record -i - -o x.vmt --force <x.vmt &&
		ends 1 'is the recording that is read' record -i x.vmt -o r --force --rotate=2 --max-size=128K &&
		same x.vmt && same r.2
}

export_onto_itself() {
	local format
	for format in jsonl csv prom; do
		ends 1 'is the recording that is read' export_as $format -i x.jsonl -o x.jsonl || return
		same x.jsonl || return
	done
}

# What is there stays if there is nothing to replace it by.
no_input() {
	local format
	for format in jsonl csv; do
		cp x.jsonl o.jsonl
		ends 1 'No such file' export_as $format -i none -o o.jsonl && same o.jsonl || return
	done
	ends 1 'No such file' record -i none -o x.vmt --force && same x.vmt
}

# A link that leads nowhere is there, and stays one.
dangling_link() {
	ln -s target link
	ends 1 'exists already' record -i x.jsonl -o link && [ ! -e target ] &&
		record -q -i x.jsonl -o link --force && same target && rm target &&
		export_as csv -i x.jsonl -o link && [ -L link ] && grep -q ^start target
}

# ---- stdout ----

stdout_appends() {
	record -q -i x.jsonl -o - >>a.vmt && at_end a.vmt complete
}

stdout_behind_something() {
	(echo 1234567 && record -q -i x.jsonl -o -) >a && tail -c +9 a >b.vmt && at_end b.vmt complete
}

stdout_file() {
	record -q -i x.jsonl -o - >a.vmt && same a.vmt
}

# The reader of a FIFO must not see an end before there is something in it.
into_fifo() {
	mkfifo fifo
	(cat fifo >got.csv) &
	(cat x.jsonl; sleep 0.5) | timeout -s KILL 5 "$vmtrace" export --format=csv -i - -o fifo &&
		wait $! && grep -q ^start got.csv
}

# A reader that has seen enough is no failure.
reader_goes() {
	local words
	(head -n 1 x.jsonl; awk 'BEGIN { for (i = 1; i <= 3000; i++)
		printf "{\"type\":\"alloc\",\"t\":%d,\"start\":\"0x%x\",\"end\":\"0x%x\"}\n", i,
			4160741376 + i * 4096, 4160741376 + (i + 1) * 4096 }') >many.jsonl
	for words in 'map --areas --json' 'map --areas' 'events --json' events 'export --format=perfetto' \
		'export --format=jsonl'; do
		# shellcheck disable=SC2086
		"$vmtrace" $words -q -i many.jsonl 2>err | head -c 1 >/dev/null
		[ "${PIPESTATUS[0]}" -eq 0 ] && [ ! -s err ] || { echo "$words:"; cat err; return 1; }
	done
}

# What it writes holds kernel addresses, whoever could read what was there.
forced_is_private() {
	chmod 644 x.vmt
	record -q -i x.jsonl -o x.vmt --force && [ "$(stat -c %a x.vmt)" = 600 ]
}

# ---- no room ----

full() {
	ends 1 'No space left on device' record -i x.jsonl -o /dev/full --force &&
		ends 1 'No space left on device' export_as folded -i x.jsonl -o /dev/full &&
		ends 1 'No space left on device' export_as perfetto -i x.jsonl -o /dev/full &&
		ends 1 'No space left on device' export_as jsonl -i x.jsonl -o /dev/full &&
		ends 1 'No space left on device' export_as jsonl -i "$golden/leak.jsonl" -o /dev/full &&
		ends 1 'No space left on device' sh -c "'$vmtrace' events --json -i '$golden/leak.jsonl' >/dev/full"
}

# A limit of the shell must not kill it in the middle.
size_limit() {
	(
		ulimit -f 1
		ends 1 'File too large' record -i x.jsonl -o a.vmt &&
			ends 1 'File too large' export_as perfetto -i x.jsonl -o a.json
	) && at_end a.vmt 'was not finished' && [ ! -e a.json ] && [ -z "$(ls -d .a.json* 2>/dev/null)" ]
}

# A file with hardly any room left ends as a full one, and has its facts.
nearly_full() {
	local n
	for n in 3000 3200 3300 3400 3500 3800; do
		"$tests/make_vmt.py" n.vmt $n && record -q -i n.vmt -o full.vmt --force --max-size=128K || return
		[ "$(stat -c %s full.vmt)" -le 131072 ] && at_end full.vmt complete || return
		[ "$(grep -c '^ fact' info)" -eq 12 ] && grep -q 'modules.*foo' info || return
	done
}

# Each file of a ring is complete by itself.
ring_has_facts() {
	local i
	"$tests/make_vmt.py" n.vmt 9000 && record -q -i n.vmt -o r --rotate=3 --max-size=128K || return
	for i in 1 2 3; do
		at_end r.$i complete && [ "$(grep -c '^ fact' info)" -eq 12 ] &&
			grep -q 'modules.*foo' info || { ls -l r.*; return 1; }
	done
}

nothing_in_it() {
	head -n 1 x.jsonl >none.jsonl
	record -i none.jsonl -o a.vmt && at_end a.vmt 'was not finished' &&
		ends 1 'cannot write' record -i none.jsonl -o none/a.vmt &&
		ends 1 'cannot write' record -i x.jsonl -o none/a.vmt && [ "$(wc -l <err)" -eq 1 ]
}

# What was read before the disk of the input failed is kept.
bad_input() {
	"$tests/make_vmt.py" n.vmt 5000
	ends 1 'Input/output error' strace -qq -o trace -P n.vmt -e inject=read:error=EIO:when=14 \
		"$vmtrace" record -i n.vmt -o a.vmt && at_end a.vmt 'was not finished' &&
		grep -q 'events  *[1-9][0-9]* in' info
}

# ---- cut short ----

truncated_stays_truncated() {
	"$vmtrace" events -q --json -i "$golden/truncated.jsonl" >a.jsonl &&
		export_as jsonl -q -i "$golden/truncated.jsonl" -o b.jsonl && cmp a.jsonl b.jsonl &&
		at_end a.jsonl 'was cut off'
}

# The input stops to flow; then comes a signal.
interrupted() {
	local pid
	mkfifo fifo
	"$vmtrace" "$@" -i fifo 2>err &
	pid=$!
	exec 5>fifo
	head -n 60 x.jsonl >&5
	sleep 0.3
	kill -TERM $pid
	wait $pid || { echo "exit $?"; cat err; return 1; }
	exec 5>&-
	grep -q 'was not read to its end' err || { cat err; return 1; }
	rm fifo
}

interrupted_copy() {
	interrupted record -o a.vmt && at_end a.vmt 'was not finished' &&
		interrupted export --format=jsonl -o a.jsonl && at_end a.jsonl 'was cut off' &&
		interrupted map >map && grep -q used map
}

# A signal while the reader of stdout sleeps loses nothing that was to be written.
interrupted_output() {
	local pid
	mkfifo fifo
	(head -n 1 x.jsonl; awk 'BEGIN { for (i = 1; i <= 1500; i++)
		printf "{\"type\":\"fail\",\"t\":%d,\"size\":8192,\"errno\":16}\n", i }') >long.jsonl
	"$vmtrace" events --json -i long.jsonl >fifo 2>err &
	pid=$!
	exec 6<fifo
	sleep 0.3
	kill -INT $pid
	sleep 0.1
	cat <&6 >got
	exec 6<&-
	wait $pid || { echo "exit $?"; cat err; return 1; }
	[ "$(tail -c 2 got)" = "}" ] && jq -e . got >/dev/null
}

# nohup means: go on when the terminal goes.
nohup_holds() {
	local pid
	mkfifo fifo
	(trap '' HUP; exec "$vmtrace" record -q -i fifo -o a.vmt) &
	pid=$!
	exec 5>fifo
	head -n 40 x.jsonl >&5
	sleep 0.3
	kill -HUP $pid
	sleep 0.2
	tail -n +41 x.jsonl >&5
	exec 5>&-
	wait $pid && same a.vmt
}

# What is not UTF-8 in a recording does not get into the JSON of it.
info_is_json() {
	"$tests/make_vmt.py" n.vmt 10 && "$vmtrace" info --json -i n.vmt >info.json &&
		jq -e '(.facts | length) == 12' info.json && iconv -f UTF-8 -t UTF-8 <info.json >utf8.json
}

# A file of a ring, and every recording a little, begins after the time 0: its begin is a whole map.
diff_before_begin() {
	sed -e '1s/}$/,"start":1000000000}/' -e '1a {"type":"fail","t":1000001000,"size":8192,"errno":16}' x.jsonl >late.jsonl &&
		"$vmtrace" diff --json late.jsonl@0s late.jsonl 2>err | jq -e '.a.unknown_bytes == 0 and .a.areas > 0' &&
		sed '1s/}$/,"start":1000000000}/' x.jsonl >late.jsonl && "$vmtrace" diff --json late.jsonl@5s @200s >diff.json 2>err &&
		jq -e '.a.unknown_bytes == 0 and .a.areas > 0 and .a.at_ns > 60e9 and .b.areas > .a.areas' diff.json &&
		grep -q "'late.jsonl' begins .* its begin is taken" err && [ "$(wc -l <err)" -le 2 ] || { cat diff.json err; return 1; }
}

# The source of a frame, what is inlined there before it, as text and as JSON, of a module that is
# compiled here; and of none where the file is not the module's.
leaks_lines() {
	local offset i at
	cat >leaky.c <<-'END'
		void *vmalloc(unsigned long);
		void *kept;
		static inline __attribute__((always_inline)) void *get(unsigned long n)
		{
			return vmalloc(n);
		}
		__attribute__((noinline)) void leak(void)
		{
			kept = get(1);
		}
	END
	cc -m32 -g -O2 -fno-pic -ffreestanding -fcf-protection=none -fno-asynchronous-unwind-tables -c leaky.c -o leaky.ko || return
	offset=$(objdump -d --no-show-raw-insn leaky.ko | awk '/call/ { getline; sub(":", "", $1); print $1; exit }')
	{
		head -n 1 x.jsonl
		echo '{"type":"stack","id":1,"frames":["vmalloc+0x5f","leak+0x'"$offset"' [leaky]"]}'
		for i in $(seq 0 39); do
			at=$((0xf7900000 + i * 8192))
			printf '{"type":"alloc","t":%d000000000,"start":"0x%x","end":"0x%x","guard_pages":1,"kind":"vmalloc","pid":1,"comm":"a","stack":1}\n' $((5 + i * 3)) $at $((at + 8192))
		done
		echo '{"type":"trailer","events":41,"lost":0}'
	} >leak.jsonl
	"$vmtrace" leaks -i leak.jsonl --vmlinux leaky.ko >out
	[ $? -eq 3 ] && grep -A1 '^          get (inlined) .* leaky.c:5$' out | grep "^          leak+0x$offset \[leaky\] .* leaky.c:9$" && grep ' next .* get .* leaky.c:5,' out || { cat out; return 1; }
	"$vmtrace" leaks -i leak.jsonl --vmlinux . --json >out
	[ $? -eq 3 ] &&
		jq -e '.suspects[0].source == [{frame: 1, function: "get", file: "leaky.c", line: 5, inlined: true}, {frame: 1, function: "leak", file: "leaky.c", line: 9, inlined: false}]' out &&
		sed "s/leak+0x$offset/leak+0x999/" leak.jsonl >other.jsonl && ends 3 'of another build' "$vmtrace" leaks -i other.jsonl --vmlinux leaky.ko &&
		ends 1 'no ELF file' "$vmtrace" leaks -i leak.jsonl --vmlinux x.jsonl &&
		ends 1 'No such file' "$vmtrace" leaks -i leak.jsonl --vmlinux none &&
		ends 1 'not of a 32-bit x86 kernel' "$vmtrace" leaks -i leak.jsonl --vmlinux /proc/self/exe &&
		strip --strip-debug leaky.ko && ends 1 'no debug information' "$vmtrace" leaks -i leak.jsonl --vmlinux leaky.ko
}

[ -x "$vmtrace" ] || { echo "$0: no $vmtrace: build it, or set VMTRACE" >&2; exit 1; }
"$vmtrace" record -q -i "$golden/busy.jsonl" -o "$tmp/busy.vmt" || exit 1
check "record onto its input" record_onto_itself
check "export onto its input" export_onto_itself
check "no input" no_input
check "dangling link" dangling_link
check "stdout appends" stdout_appends
check "stdout behind something" stdout_behind_something
check "stdout is a file" stdout_file
check "into a FIFO" into_fifo
check "the reader goes" reader_goes
check "--force is private" forced_is_private
check "full disk" full
check "limit of file size" size_limit
check "hardly any room" nearly_full
check "a recording of nothing" nothing_in_it
check "facts in a ring" ring_has_facts
if strace -qq -o /dev/null true 2>/dev/null; then
	check "bad input" bad_input
else
	skipped=1
	echo "SKIP bad input: no strace, or it may not trace"
fi
check "truncated stays truncated" truncated_stays_truncated
check "interrupted copy" interrupted_copy
check "interrupted output" interrupted_output
check "info --json" info_is_json
check "diff before the begin" diff_before_begin
check "nohup" nohup_holds
if "$vmtrace" leaks --vmlinux="$tmp" -i "$golden/empty.jsonl" >/dev/null 2>&1 && echo | cc -m32 -xc -c - -o "$tmp/o" 2>/dev/null &&
	! "$vmtrace" leaks --vmlinux="$golden/busy.jsonl" -i "$golden/busy.jsonl" 2>&1 | grep -q 'without libdw'; then
	check "lines of the source" leaks_lines
else
	skipped=$((skipped + 1))
	echo "SKIP lines of the source: built without libdw, or no compiler for i386"
fi
echo "record: $passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
