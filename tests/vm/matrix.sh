#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# matrix.sh: the user-space cases on every stock kernel, one VM each, and a table of what was seen.
# A kernel that cannot be fetched is skipped with the reason.

# shellcheck source-path=SCRIPTDIR source=../../tools/lib.sh disable=SC1091
. "$(dirname "$0")/../../tools/lib.sh"

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
# FLAVOUR[,memory=MB][,append=ARGUMENT]
rows_wanted=(686-pae 686 rt-686-pae bullseye/686-pae bullseye/686 bookworm-backports/686-pae
	686-pae,append=vmalloc=64M 686-pae,memory=512)
# Others by hand: matrix.sh built/6.12 ...
[ $# -eq 0 ] || rows_wanted=("$@")
cases=(00-boot 15-stim 16-row 75-btf 85-layout)
passed=0 failed=0 skipped=0 rows=()
# Of its own: make check runs this beside run.sh.
export VMTRACE_LOGS=$top/build/vm/matrix

run_one() {
	local flavour=${1%%,*} memory='' append='' part log line row_cases=("${cases[@]}")
	for part in ${1//,/ }; do
		case $part in
		memory=*) memory=${part#*=} ;;
		append=*) append=${part#*=} ;;
		esac
	done
	# BTF and layout are those of 686-pae, and here each end of vmtrace takes 9 s.
	[ "$1" != rt-686-pae ] || row_cases=(00-boot 15-stim 16-row)
	# The kernel of make vm, which has seen the others on it.
	[ "$1" != 686-pae ] || row_cases=(16-row)
	# What a kernel without tracepoints does, make vm has seen on 6.1.
	case $flavour in
	bookworm-backports/* | built/*) row_cases+=(66-plans) ;;
	bullseye/686-pae) row_cases+=(79-leaks) ;;
	esac
	log=$VMTRACE_LOGS/$(kernel_link "$1").log
	echo "-- $1"
	if ! "$top/tools/kernel.sh" "$flavour" >/dev/null; then
		echo "  skip $1: its kernel cannot be fetched"
		skipped=$((skipped + 1))
		return
	fi
	VMTRACE_FLAVOUR=$flavour VMTRACE_MEMORY=$memory VMTRACE_APPEND=$append \
		"$here/run.sh" "${row_cases[@]}" | tee "$log" || true
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
	[[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed ]] || { failed=$((failed + 1)); return; }
	passed=$((passed + BASH_REMATCH[1]))
	failed=$((failed + BASH_REMATCH[2]))
	rows+=("$(sed -n 's/^ *row|//p' "$VMTRACE_LOGS/case-16-row.log" 2>/dev/null)")
}

mkdir -p "$VMTRACE_LOGS"
for row in "${rows_wanted[@]}"; do
	run_one "$row"
done
echo
echo '| kernel | space | plans | BTF | transports | events | lost | differences | own |'
echo '|---|---|---|---|---|---|---|---|---|'
for row in "${rows[@]}"; do
	[ -z "$row" ] || echo "| ${row//|/ | } |"
done
echo
if [ "$skipped" -gt 0 ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ]
