#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2034 # what tests/screen/ reads
# Drives the screen as a person would: `vmtrace replay` of a golden recording in tmux, key by key, at
# several sizes, and what is not a key: resizes, signals, terminals of all kinds, and ones that do not
# read. What it shows is held against what the other commands print of the same moment. Nothing here
# sleeps for a time: it waits for what is to come, and gives up after WAIT_S.
# screen.sh [PART...]: these parts (below), all if none is named.
# VMTRACE: the binary (default ./vmtrace).
set -u
here=$(dirname "$0")
vmtrace=$(realpath "${VMTRACE:-./vmtrace}")
file=$(realpath "$here/golden/busy.jsonl")
failing=$(realpath "$here/golden/failed.jsonl")
WAIT_S=10
passed=0
failed=0

for tool in tmux python3; do
	command -v $tool >/dev/null && continue
	echo "skip: no $tool (apt install $tool)"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
done
[ -x "$vmtrace" ] || { echo "$0: no $vmtrace: build it, or set VMTRACE" >&2; exit 1; }
if grep -a -q "was built without ncursesw" "$vmtrace"; then
	echo "skip: this vmtrace is built without the screen (ncursesw)"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi
all=$(mktemp -d) || exit 1
tmp=$all # of a part: a folder of its own

tm() {
	tmux -u -S "$all/socket" -f /dev/null "$@"
}
trap 'tm kill-server 2>/dev/null; rm -rf "$all"' EXIT
trap 'exit 1' INT TERM

for name in lib keys terminals; do
	# shellcheck source=/dev/null
	. "$here/screen/$name.sh"
done
mkfifo "$all/never"
"$vmtrace" replay --at=12s "$file" >"$all/block" 2>/dev/null
numbers "$all/block" >"$all/numbers"

# part NAME [ARGUMENT]: runs test_NAME beside the others, in a folder of its own, which gets what it
# printed and its sum.
part() {
	mkdir "$all/$1${2:+-$2}"
	(
		trap - EXIT
		tmp=$all/$1${2:+-$2}
		: >"$tmp/why"
		"test_$1" "${2:-}"
		echo "$passed $failed" >"$tmp/sum"
	) >"$all/$1${2:+-$2}/log" 2>&1 &
}

# PART or PART-ARGUMENT.
parts="sizes keys storm monkey losses signals suspend terminals colours_and_locales streams ptys"
for name in "$here"/golden/*.jsonl; do
	parts+=" recording-$(basename "$name" .jsonl)"
done
[ $# -eq 0 ] || parts=$*
tm new-session -d -s first -x 80 -y 24 'exec cat' # the server stays while parts come and go
for name in $parts; do
	case $name in
	recording-*) part recording "${name#recording-}" ;;
	*) part "$name" ;;
	esac
done
wait
for name in $parts; do
	cat "$all/$name/log"
	# A part that died has left no sum.
	read -r p f <"$all/$name/sum" || { p=0 f=1; echo "FAIL $name died"; }
	passed=$((passed + p))
	failed=$((failed + f))
done
echo "screen: $passed passed, $failed failed"
[ $failed -eq 0 ]
