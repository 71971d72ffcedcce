# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
#
# sizes_load FILE: the load of the cases 23, 24 and 25, recorded into FILE: areas of 12 to 16 MB, no
# two alike, some of them freed in between, with percpu chunks and modules. It wants about 150 MB at
# the end. Leaves in sizes_failed how many requests failed.
. /guest/lib.sh

sizes_load() {
	local i
	sizes_failed=0
	load_module vmtest
	start_recording "$1"
	vmtest "percpu chunks 32K 40"
	for i in 1 2 3 4 5 6; do sizes_want "a$i" $((3000 + 100 * i)); done
	for i in 1 3; do vmtest "free a$i"; done
	stim mixed 200 5 >/dev/null
	for i in 7 8 9 10 11 12; do sizes_want "a$i" $((3000 + 100 * i)); done
	modprobe loop
	rmmod loop
	sleep 1
	stop_recording "$1"
	vmtest freeall
}

# sizes_want NAME PAGES
sizes_want() {
	vmtest "vmap $1 $2" 2>/dev/null || sizes_failed=$((sizes_failed + 1))
}
