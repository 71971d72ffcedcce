#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# bpf.sh: the objects for kernels without a BPF ring buffer hold nothing that those kernels refuse
# (src/transport.bpf.h): a loop, global data, a helper that is too young, a program that is too long.
# No stock kernel checks that any more. Needs build/bpf (make i386).
set -u
cd "$(dirname "$0")/.." || exit 1

passed=0 failed=0

ok() { passed=$((passed + 1)); }
bad() { echo "FAIL $1"; failed=$((failed + 1)); }

# The allowed helpers: ids of include/uapi/linux/bpf.h. get_stack is 4.18, all others are older.
helpers="1 2 3 4 5 8 14 16 25"

# programs OBJECT: "name instructions", one a line
programs() {
	llvm-objdump -d --no-show-raw-insn "$1" | awk '
		/^[0-9a-f]+ <[^L].*>:$/ { if (name) print name, n; name = $2; n = 0 }
		/^ *[0-9]+:\t/ { n++ }
		END { if (name) print name, n }'
}

# loops OBJECT: jumps that close a circle. A jump back alone is none: blocks are laid out in any order.
loops() {
	llvm-objdump -d --no-show-raw-insn "$1" | awk '
		function visit(i,   t) {
			if (!(i in text) || state[i] == 2) return
			if (state[i] == 1) { print "at instruction " i; return }
			state[i] = 1
			if (match(text[i], /goto [+-][0-9]+/)) {
				t = substr(text[i], RSTART + 5, RLENGTH - 5)
				visit(i + 1 + t)
			}
			if (text[i] !~ /^(goto|exit)/) visit(follow[i])
			state[i] = 2
		}
		function section(   i) {
			for (i = 1; i <= starts; i++) visit(start[i])
			starts = 0; last = ""; split("", text); split("", follow); split("", state)
		}
		/^Disassembly of section/ { section() }
		/^[0-9a-f]+ <[^L].*>:$/ { begins = 1 }
		/^ *[0-9]+:\t/ {
			i = $1 + 0
			sub(/^ *[0-9]+:[ \t]*/, "")
			text[i] = $0
			if (last != "") follow[last] = i
			last = i
			if (begins) { start[++starts] = i; begins = 0 }
		}
		END { section() }'
}

check() {
	local object=build/bpf/$1.bpf.o allowed=$2 found
	[ -r "$object" ] || { bad "$object is not there: make i386"; return; }
	found=$(llvm-objdump -h "$object" | awk '$2 ~ /^\.(rodata|data|bss)/ && $3 != "00000000" { print $2 }')
	if [ -z "$found" ]; then ok; else bad "$object has global data: $found"; fi
	found=$(loops "$object")
	if [ -z "$found" ]; then ok; else bad "$object has a loop: $found"; fi
	found=$(llvm-objdump -d --no-show-raw-insn "$object" | sed -n 's/.*\tcall \([0-9]*\)$/\1/p' | sort -un |
		while read -r id; do [[ " $allowed " == *" $id "* ]] || echo "$id"; done)
	if [ -z "$found" ]; then ok; else bad "$object calls helpers $found"; fi
	found=$(programs "$object" | awk '$2 > 4096')
	if [ -z "$found" ]; then ok; else bad "$object has programs over 4096 instructions: $found"; fi
}

check vmtrace_perf "$helpers 67"
check vmtrace_perf_nostack "$helpers"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
