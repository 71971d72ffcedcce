# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# BULK TOP: what live printed in the guest, printed by the program of this machine.
bulk=$1 top=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
tar -xzf "$bulk" -C "$tmp"
cd "$tmp"
compared=0
for blocks in *.blocks; do
	"$top/vmtrace" replay --interval=500ms "${blocks%.blocks}.vmt" >here
	if ! diff "$blocks" here; then
		echo "${blocks%.blocks}: not what live printed in the guest"
		exit 1
	fi
	compared=$((compared + 1))
done
echo "$compared sessions are the same"
[ "$compared" -eq 4 ]
