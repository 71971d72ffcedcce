#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# run.sh [CASE...]: runs the cases in tests/vm/cases (all by default) in one VM;
# a case with a header line `# vm: own` gets one of its own, and one with `# run: named` runs only
# when it is named. VMTRACE_FLAVOUR, VMTRACE_MEMORY, VMTRACE_APPEND: kernel, MB, and more kernel
# command line; VMTRACE_LOGS: where the logs go (build/vm). Exit 1 if one fails.

# shellcheck source-path=SCRIPTDIR source=../../tools/lib.sh disable=SC1091
. "$(dirname "$0")/../../tools/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../clock.sh disable=SC1091
. "$(dirname "$0")/../clock.sh"

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
flavour=${VMTRACE_FLAVOUR:-686-pae}
memory=${VMTRACE_MEMORY:-}
append=${VMTRACE_APPEND:-}
logs=${VMTRACE_LOGS:-$top/build/vm}
kmod=$top/build/i386/kmod/$(kernel_link "$flavour")
initrd=$logs/initramfs-$(kernel_link "$flavour").gz
boot_allowance=90
passed=0 failed=0 skipped=0 vm=0 last_passed=''

header() { sed -n "s/^# $2: *//p" "$here/cases/$1.sh" | head -n 1; }

limit_of() {
	local limit
	limit=$(header "$1" limit)
	limit=${limit%%[!0-9]*}
	echo "${limit:-120}"
}

set_up() {
	"$top/tools/packages.sh" vm
	if "$top/tools/kmod.sh" --can-build "$flavour"; then
		"$top/tools/kmod.sh" "$top/tests/kmod" "$flavour" "$kmod"
	else
		rm -rf "$kmod"
	fi
	"$here/initramfs.sh" "$initrd" "$flavour"
	# An absent image would otherwise count as a lost VM.
	"$top/tools/kernel.sh" "$flavour" >/dev/null
}

# Two runs in one tree would write each other's logs.
take_logs() {
	mkdir -p "$logs"
	exec 8>"$logs/lock"
	flock -n 8 || { say "waiting for another run in $logs"; flock 8; }
	rm -f "$logs"/vm[0-9]*.log* "$logs"/case-*.log
}

choose_cases() {
	local f
	if [ $# -eq 0 ]; then
		for f in "$here"/cases/*.sh; do
			f=$(basename "$f" .sh)
			[[ $f = *.host ]] || [ "$(header "$f" run)" = named ] || set -- "$@" "$f"
		done
	fi
	for f in "$@"; do
		[ -r "$here/cases/$f.sh" ] || die "no such case: $f (there is no tests/vm/cases/$f.sh)"
		if [ "$(header "$f" vm)" = own ]; then own+=("$f"); else shared+=("$f"); fi
	done
}

# What a case may ask of a VM of its own, in its header.
vm_options() {
	local key value
	for key in append memory cpus accel icount; do
		value=$(header "$1" "$key")
		[ -z "$value" ] || printf '%s\n' "--$key" "$value"
	done
}

show_output() { sed 's/^    /    | /' "$logs/case-$1.log"; }

# What the guest wrote to its second serial line, judged on the host.
run_host_part() {
	local bulk=$logs/case-$1.bulk rc=0
	[ -r "$here/cases/$1.host.sh" ] && [ "$last_passed" = "$1" ] || return 0
	bash -eu "$here/cases/$1.host.sh" "$bulk" "$top" >"$logs/case-$1.log" 2>&1 || rc=$?
	if [ "$rc" -eq 0 ]; then passes "$1, on the host" 0; else fails "$1" "on the host"; fi
}

passes() { last_passed=$1; printf '  ok   %s  %ss\n' "$1" "$2"; passed=$((passed + 1)); }
skips() { printf '  skip %s: %s\n' "$1" "$2"; skipped=$((skipped + 1)); }
fails() {
	printf '  FAIL %s: %s\n' "$1" "$2"
	show_output "$1"
	failed=$((failed + 1))
}

# One line of the console.
on_line() {
	local word name rest
	case $1 in
	'@@ '*) read -r _ word name rest <<<"$1" ;;
	'    '*)
		[ -z "$current" ] || printf '%s\n' "$1" >>"$logs/case-$current.log"
		return
		;;
	*) return 0 ;;
	esac
	case $word in
	start)
		current=$name
		: "${first_case:=$((SECONDS - booting))}"
		: >"$logs/case-$name.log"
		# Beyond its own limit: ending what it left, waiting for probes to go.
		deadline=$((SECONDS + $(limit_of "$name") + 30))
		return
		;;
	pass) passes "$name" "$rest" ;;
	fail) fails "$name" "$rest" ;;
	skip) skips "$name" "$rest" ;;
	done) finished=yes ;;
	*) return 0 ;;
	esac
	current=''
	ended+=" $name "
	deadline=$((SECONDS + 30))
}

# Follows the console of one VM, and ends a VM that says nothing any more.
follow() {
	local line rc left
	current='' finished='' ended='' hung=''
	deadline=$((SECONDS + boot_allowance))
	while :; do
		left=$((deadline - SECONDS))
		rc=0
		if [ "$left" -gt 0 ]; then
			IFS= read -r -t "$left" line <&"$1" || rc=$?
		else
			rc=142
		fi
		if [ "$rc" -gt 128 ]; then
			hung="it hangs"
			kill "$boot_pid" 2>/dev/null || true
			return
		fi
		[ "$rc" -eq 0 ] || return 0
		on_line "$line"
	done
}

total_limit() {
	local sum=$((boot_allowance + 30)) c
	for c in "$@"; do
		sum=$((sum + $(limit_of "$c") + 30))
	done
	echo "$sum"
}

# boot_cases CASE...: sets $ended and $current, and $finished if all went well.
boot_cases() {
	local list options=() console
	start_clock
	booting=$SECONDS first_case=''
	vm=$((vm + 1))
	log=$logs/vm$vm.log
	list=$(IFS=,; echo "$*")
	[ "$(header "$1" vm)" != own ] || mapfile -t options < <(vm_options "$1")
	[ -z "$memory" ] || options=(--memory "$memory" ${options[@]+"${options[@]}"})
	[ -z "$append" ] || options=(--append "$append" ${options[@]+"${options[@]}"})
	[ ! -r "$here/cases/$1.host.sh" ] || options+=(-- -serial "file:$logs/case-$1.bulk")
	exec {console}< <(exec "$here/boot.sh" --initrd "$initrd" --flavour "$flavour" --log "$log" \
		--run "cases=$list" --limit "$(total_limit "$@")" ${options[@]+"${options[@]}"} 2>"$log.err")
	boot_pid=$!
	follow "$console"
	exec {console}<&-
	wait "$boot_pid" 2>/dev/null || true
	read_clock
	printf '  vm%s: %s, its first case after %s s\n' "$vm" "$took" "${first_case:-no}"
}

lost_reason() {
	local panic
	panic=$(grep -o 'Kernel panic.*' "$log" | head -n 1 || true)
	echo "${panic:-${hung:-the machine ended early}}"
}

report_loss() {
	local console
	printf '  LOST %s: VM lost in %s: %s\n' "$current" "$current" "$(lost_reason)"
	show_output "$current"
	console=${log#"$top"/}
	echo "    its last console lines (all in $console):"
	tail -n 40 "$log" | sed 's/^/    | /'
	failed=$((failed + 1))
}

# Runs a list to its end, in a new VM after each one that is lost.
run_list() {
	local todo=("$@") c rest
	while [ ${#todo[@]} -gt 0 ]; do
		boot_cases "${todo[@]}"
		if [ -z "$finished" ] && [ -z "$ended$current" ]; then
			cat "$log.err" >&2
			die "the VM did not get as far as a case: ${#todo[@]} not run; see $log"
		fi
		if [ -n "$current" ]; then
			report_loss
			ended+=" $current "
		fi
		rest=()
		for c in "${todo[@]}"; do
			[[ $ended == *" $c "* ]] || rest+=("$c")
		done
		[ ${#rest[@]} -lt ${#todo[@]} ] || die "no progress in the VM, see $log"
		todo=(${rest[@]+"${rest[@]}"})
	done
}

main() {
	local c summary
	shared=() own=()
	choose_cases "$@"
	take_logs
	set_up
	say "booting $(readlink "$CACHE/kernels/$(kernel_link "$flavour")") in qemu for $((${#shared[@]} + ${#own[@]})) case(s), about 10 s to the first"
	run_list ${shared[@]+"${shared[@]}"}
	for c in ${own[@]+"${own[@]}"}; do
		run_list "$c"
		run_host_part "$c"
	done
	summary="$passed passed, $failed failed"
	[ "$skipped" -eq 0 ] || summary+=", $skipped skipped"
	echo "$summary"
	[ "$failed" -eq 0 ]
}

main "$@"
