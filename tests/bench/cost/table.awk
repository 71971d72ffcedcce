# SPDX-License-Identifier: GPL-2.0-only
# The rows that the guest prints, as tables. A cost is that beyond the row "nothing" of the same kind;
# the ratios are to the empty programs and to trace-cmd -T on the same hooks, in the same run.
#
#   row NAME|KIND|COUNT|LOOP_NS|COST_NS|USED_US|IDLE_US|LOST|EVENTS
#   burst RING|EVENTS|PER_SECOND|LOST        own WHAT|OF|AMOUNT        helper NAME|INSTRUCTIONS

function ratio(part, whole) { return whole > 0 ? sprintf("%.2f", part / whole) : "-" }

# The hooks that a row is about.
function hooks(name) { return name ~ /area/ ? "area" : "all" }

function row(line,   f, name, kind, us, beyond, set, jit, to_floor, to_peer) {
	split(line, f, "|")
	name = f[1]; kind = f[2]
	us = f[5] / f[3] / 1000
	if (name ~ /nothing$/) {
		base[kind] = us
		printf "\n%-10s %-42s %8s %8s %8s %7s %7s %5s\n", kind, "", "us", "beyond", "reader", "/floor", "/trace", "lost"
	}
	beyond = us - base[kind]
	set = hooks(name)
	jit = name ~ /jit=1/
	if (name ~ /trace-cmd/) peer[kind, set] = beyond
	if (name ~ /empty/) least[kind, set, jit] = beyond
	to_floor = name ~ /jit/ ? ratio(beyond, least[kind, set, jit]) : "-"
	to_peer = name ~ /nothing/ ? "-" : ratio(beyond, peer[kind, set])
	printf "%-10s %-42s %8.2f %8.2f %8.2f %7s %7s %5d\n", "", name, us, beyond, f[6] / f[3], to_floor, to_peer, f[8]
}

/^ *row / { sub(/^ *row /, ""); row($0); fflush(); next }
/^ *burst / { sub(/^ *burst /, ""); split($0, b, "|"); printf "  --ring=%-5s %8d events, %8d a second: %d lost\n", b[1], b[2], b[3], b[4]; fflush(); next }
/^ *own / { sub(/^ *own /, ""); split($0, o, "|"); printf "  %-36s %-40s %s\n", o[1], o[2], o[3]; fflush(); next }
/^ *helper / { sub(/^ *helper /, ""); split($0, h, "|"); printf "  %-24s %6d\n", h[1], h[2]; fflush(); next }
/^@@ fail/ { failed = 1 }
/^    / || /^@@ fail/ { print; fflush() }
END { exit failed }
