# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# BULK TOP: every view of the guest's recording, printed by the program of this machine.
bulk=$1 top=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
tar -xzf "$bulk" -C "$tmp"
cd "$tmp"
compared=0
for arguments in view*.arguments; do
	read -ra view <"$arguments"
	"$top/vmtrace" "${view[@]}" -i a.vmt >here
	if ! diff "${arguments%.arguments}" here; then
		echo "${view[*]}: not what the guest printed"
		exit 1
	fi
	compared=$((compared + 1))
done
"$top/vmtrace" events --json -i a.vmt >here.jsonl
"$top/tests/golden/read_vmt.py" a.vmt here.jsonl
echo "$compared views are the same"
[ "$compared" -gt 10 ]
