# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What a part of the tests took: seconds, and seconds of processor of it and all that it has waited
# for. Source it, do not run it.

# start_clock: from now on.
start_clock() {
	clock_began=${EPOCHREALTIME/[.,]/}
	read_processor
	processor_began=$processor_now
}

# read_clock: sets $took to "12.3 s (processor 10.1 s)".
read_clock() {
	local us=$((${EPOCHREALTIME/[.,]/} - clock_began)) cs
	read_processor
	cs=$((processor_now - processor_began))
	# shellcheck disable=SC2034 # what this is for
	printf -v took '%d.%d s (processor %d.%d s)' $((us / 1000000)) $((us / 100000 % 10)) \
		$((cs / 100)) $((cs / 10 % 10))
}

# Hundredths of a second, user and system, this shell's and its ended children's: proc(5), 14 to 17.
# A $(...) would read
# those of another process.
read_processor() {
	local stat
	read -r stat <"/proc/$BASHPID/stat"
	read -ra stat <<<"${stat##*) }"
	processor_now=$((stat[11] + stat[12] + stat[13] + stat[14]))
}
