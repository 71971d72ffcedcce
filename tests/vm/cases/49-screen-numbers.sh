# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC1091,SC2154
# limit: 120
# What the screen shows is what the kernel has: on a terminal of its own, with --json into a file. While
# the terminal is full and takes nothing more (the painter waits in write(2)), a load runs, and no event
# is lost; then it shows the newest numbers, which are those of the kernel's own list; and it leaves the
# terminal as it was (stty -a).
. /guest/lib.sh

OPERATIONS=10000
TYPED=/tmp/typed
DRAWN=/tmp/drawn
ESC=$(printf '\033')

# Typed as one write each; orders of onpty begin with @.
type() { printf '%b' "$1" >&3; }

# drawn FROM: what the screen drew behind that byte, each place a line, without colours.
drawn() {
	tail -c "+$(($1 + 1))" $DRAWN | tr -d '\017' | tr '\r' '\n' |
		sed "s/$ESC\[[0-9;]*[HGdABCD]/\n/g; s/$ESC\[[?0-9;]*[a-zA-Z]//g; s/$ESC[()][0AB]//g; s/$ESC[=>78]//g"
}
drew() { drawn "$1" >/tmp/seen && grep -q -e "$2" /tmp/seen; }

# The painter waits in write(2).
is_stuck() { grep -l '^4 ' /proc/"$pid"/task/*/syscall >/dev/null 2>&1; }
fill_up() {
	local i=0
	until is_stuck; do
		i=$((i + 1))
		[ $i -lt 300 ] || return 1
		type "@resize $((150 + i % 2))x50\n"
		sleep 0.05
	done
}

# As many lines more in the file as there were operations.
got_events() {
	more=$(($(wc -l </tmp/events.jsonl) - lines))
	[ $more -ge $OPERATIONS ]
}

# START END of each area that the kernel has, in hexadecimal, sorted.
kernel_areas() {
	vmallocinfo_real | grep -v unpurged | sed 's/^0x\([0-9a-f]*\)-0x\([0-9a-f]*\) .*/\1 \2/' | sort
}
screen_areas() {
	tr '{' '\n' <"$1" | grep '"state":"used"' |
		sed 's/.*"start":"0x\([0-9a-f]*\)","end":"0x\([0-9a-f]*\)".*/\1 \2/' | sort
}

# A recording of this moment, by w; the kernel's list was the same before and after it.
shoot() {
	kernel_areas >/tmp/kernel
	rm -f /tmp/shot.vmt
	before=$(wc -c <$DRAWN)
	type 'w'
	wait_for 20 drew "$before" 'write to' || fail "w does not ask: $(cat /tmp/seen)"
	type '/tmp/shot.vmt\r'
	wait_for 20 drew "$before" 'recording into' || fail "w writes nothing: $(cat /tmp/seen)"
	before=$(wc -c <$DRAWN)
	type 'w'
	wait_for 20 drew "$before" "shot.vmt': .* lost" || fail "w did not end: $(cat /tmp/seen)"
	vmtrace map --json -i /tmp/shot.vmt >/tmp/shot.json || fail "the shot cannot be read"
	kernel_areas >/tmp/kernel2
	cmp -s /tmp/kernel /tmp/kernel2
}

# As the screen writes bytes: "84.6M".
human() {
	echo "$1" | awk '{
		n = $1; unit = ""
		for (i = 1; n >= 1024 && i <= 3; i++) { n /= 1024; unit = substr("KMG", i, 1) }
		if (unit == "") printf "%d", n
		else if (n >= 1000 || (n >= 10 && n == int(n))) printf "%d%s", int(n + 0.5), unit
		else printf "%.1f%s", int(n * 10 + 0.5) / 10, unit }'
}

# The largest gap of the kernel's list, lazy areas included: "BYTES START".
largest_gap() {
	vmallocinfo_real | sed 's/^0x\([0-9a-f]*\)-0x\([0-9a-f]*\) .*/\1 \2/' | sort |
		awk -v start="$1" -v end="$2" '
		function hex(text, i, sum) {
			for (i = 1; i <= length(text); i++)
				sum = sum * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
			return sum
		}
		function look(to, name) { if (to - at > most) { most = to - at; where = name } }
		BEGIN { at = hex(start); name = start }
		{ look(hex($1), name); if (hex($2) > at) { at = hex($2); name = $2 } }
		END { look(hex(end), name); printf "%d %s\n", most, where }'
}

load_module vmtest
mkfifo $TYPED
cat >/tmp/on_it <<'END'
stty -a >/tmp/before
sh -c 'echo $$ >/tmp/pid; exec vmtrace --json >/tmp/events.jsonl'
echo $? >/tmp/status
stty -a >/tmp/after
END
rm -f /tmp/pid
onpty 100x30 $DRAWN sh /tmp/on_it <$TYPED 2>/tmp/pty.err &
exec 3>$TYPED
wait_for 60 test -s /tmp/pid || fail "no start: $(cat /tmp/pty.err)"
pid=$(cat /tmp/pid)
wait_for 60 drew 0 'LIVE' || fail "no screen: $(tail -c 500 $DRAWN)"

# A terminal that takes nothing is no reason for a lost event.
type '@hold\n'
fill_up || fail "the terminal does not fill up"
lines=$(wc -l </tmp/events.jsonl)
vmtest "mixed $OPERATIONS 4711 0"
vmtest "mixed $OPERATIONS 4712 0"
vmtest wait
wait_for 60 got_events || fail "only $more events while the terminal took nothing"
is_stuck || fail "it is not stuck any more"
echo "while the terminal took nothing: $more events in the file"
type '@resize 100x30\n'
type '@go\n'
before=$(wc -c <$DRAWN)
sleep 1
type '\014'
wait_for 20 drew "$before" 'LOST 0' || fail "it does not go on, or events were lost: $(cat /tmp/seen)"
drew "$before" 'MISSED 0' || fail "it says that events were missed"

# What it shows is what the kernel has.
tries=0
until shoot; do
	tries=$((tries + 1))
	[ $tries -lt 5 ] || fail "the kernel's list does not stand still"
done
screen_areas /tmp/shot.json >/tmp/screen
diff /tmp/kernel /tmp/screen >/tmp/diff || fail "areas: the kernel's < and the screen's >: $(head -n 5 /tmp/diff)"
[ -s /tmp/kernel ] || fail "no areas at all"
before=$(wc -c <$DRAWN)
type '\014'
wait_for 20 drew "$before" 'LARGEST HOLE' || fail "no picture: $(cat /tmp/seen)"
sleep 1
drawn "$before" >/tmp/seen
for what in used guard lazy free; do
	wanted="$what $(human "$(json_number /tmp/shot.json ${what}_bytes)")"
	grep -q "$wanted " /tmp/seen || fail "the screen does not say '$wanted': $(head -n 20 /tmp/seen)"
	echo "shown: $wanted"
done
start=$(sed 's/.*"vmalloc_start":"0x\([0-9a-f]*\)".*/\1/' /tmp/shot.json)
end=$(sed 's/.*"vmalloc_end":"0x\([0-9a-f]*\)".*/\1/' /tmp/shot.json)
gap=$(largest_gap "$start" "$end")
wanted="LARGEST HOLE $(human "${gap% *}") @${gap#* }"
grep -q "$wanted" /tmp/seen || fail "the kernel's list says '$wanted': $(grep LARGEST /tmp/seen)"
echo "shown: $wanted"

# The end.
type 'q'
wait_for 20 test -s /tmp/after || fail "q does not end it: $(drawn "$before" | tail -n 5)"
exec 3>&-
assert_eq "$(cat /tmp/status)" 0 "exit code"
diff /tmp/before /tmp/after >/tmp/diff || fail "the terminal is not as it was: $(cat /tmp/diff)"
tail -n 1 /tmp/events.jsonl >/tmp/last
grep -q '"type":"trailer"' /tmp/last || fail "the JSON has no end: $(cat /tmp/last)"
assert_eq "$(json_number /tmp/last lost)" 0 "events lost"
assert_stacks_defined /tmp/events.jsonl
