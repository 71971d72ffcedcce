# SPDX-License-Identifier: GPL-2.0-only
# The rows that the guest prints, as tables of 80 columns. A cost is that beyond the row "nothing" of the same
# kind; the ratios are to the empty programs and to trace-cmd -T on the same hooks, in the same run.
#
#   row NAME|KIND|COUNT|LOOP_NS|COST_NS|USED_US|IDLE_US|LOST|EVENTS
#   burst WHAT|RING|EVENTS|PER_SECOND|LOST    cpus CPUS|WHAT|NS NS...|LOST
#   own WHAT|OF|AMOUNT                        helper NAME|INSTRUCTIONS

function ratio(part, whole) { return whole > 0 ? sprintf("%.2f", part / whole) : "-" }

# The hooks that a row is about.
function hooks(name) { return name ~ /area/ ? "area" : "all" }

function row(line,   f, name, kind, us, beyond, set, jit, to_floor, to_peer) {
	split(line, f, "|")
	name = f[1]; kind = f[2]
	us = f[5] / f[3] / 1000
	if (name ~ /nothing$/) {
		base[kind] = us
		printf "\n  %-29s %8s %8s %8s %6s %6s %5s\n", kind, "us", "beyond", "reader", "/floor", "/trace", "lost"
	}
	beyond = us - base[kind]
	set = hooks(name)
	jit = name ~ /jit=1/
	if (name ~ /trace-cmd/) peer[kind, set] = beyond
	if (name ~ /empty/) least[kind, set, jit] = beyond
	to_floor = name ~ /jit/ ? ratio(beyond, least[kind, set, jit]) : "-"
	to_peer = name ~ /nothing/ ? "-" : ratio(beyond, peer[kind, set])
	printf "  %-29s %8.2f %8.2f %8.2f %6s %6s %5d\n", name, us, beyond, f[6] / f[3], to_floor, to_peer, f[8]
}

function burst(line,   f) {
	split(line, f, "|")
	if (!bursts++) printf "  %-28s %6s %10s %12s %9s\n", "", "ring", "events", "a second", "lost"
	printf "  %-28s %6s %10d %12d %9d\n", f[1], f[2], f[3], f[4], f[5]
}

# sorted(TEXT, LIST): the numbers of TEXT in LIST, rising; how many
function sorted(text, list,   n, i, j, x) {
	n = split(text, list, " ")
	for (i = 2; i <= n; i++) {
		x = list[i] + 0
		for (j = i - 1; j >= 1 && list[j] + 0 > x; j--) list[j + 1] = list[j]
		list[j + 1] = x
	}
	return n
}

# The median of the rounds with the least and the most, in us; the ratio is that of the medians.
function cpus(line,   f, list, n, mid, beyond) {
	split(line, f, "|")
	if (f[2] == "nothing")
		printf "\n  %-26s %8s %17s %8s %6s %5s\n", f[1] " CPU" (f[1] > 1 ? "s" : ""), "us",
			"from         to", "beyond", "/trace", "lost"
	n = sorted(f[3], list)
	mid = list[int((n + 1) / 2)] / 1000
	if (f[2] == "nothing") bare = mid
	beyond = mid - bare
	if (f[2] ~ /trace-cmd/) traced = beyond
	printf "  %-26s %8.2f %8.2f %8.2f %8.2f %6s %5d\n", f[2], mid, list[1] / 1000, list[n] / 1000, beyond,
		f[2] ~ /nothing/ ? "-" : ratio(beyond, traced), f[4]
}

/^ *row / { sub(/^ *row /, ""); row($0); fflush(); next }
/^ *burst / { sub(/^ *burst /, ""); burst($0); fflush(); next }
/^ *cpus / { sub(/^ *cpus /, ""); cpus($0); fflush(); next }
/^ *own / { sub(/^ *own /, ""); split($0, o, "|"); printf "  %-30s %-36s %9s\n", o[1], o[2], o[3]; fflush(); next }
/^ *helper / { sub(/^ *helper /, ""); split($0, h, "|"); printf "  %-24s %6d\n", h[1], h[2]; fflush(); next }
/^@@ fail/ { failed = 1 }
/^    / || /^@@ fail/ { print; fflush() }
END { exit failed }
