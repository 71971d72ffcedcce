# shellcheck shell=bash disable=SC2154,SC2317,SC2054
# SPDX-License-Identifier: GPL-2.0-only
# Sizes, every key, resize storms, keys at random.

# agrees PANE: it shows the numbers of the block.
agrees() {
	picture "$1" >"$tmp/picture"
	head -5 "$tmp/picture" | sed 's/   *used/ used/' >"$tmp/top"
	numbers "$tmp/top" | diff "$all/numbers" - >"$tmp/why"
}

# fits PANE COLUMNS ROWS: no line is longer, the first one is the title, the last one the keys.
fits() {
	picture "$1" >"$tmp/picture"
	awk -v columns="$2" -v rows="$3" '
		{ gsub(/[^\001-\177]/, "") }
		length > columns { bad = 1; print "  too long: " $0 }
		NR == 1 && !/^ vmtrace / { bad = 1; print "  no title: " $0 }
		END { if (NR > rows) { bad = 1; print "  " NR " lines" } exit bad }' "$tmp/picture" >"$tmp/why"
}

test_sizes() {
	local size columns rows
	start sizes 80 24 replay "$file" && still sizes 12s 12.0s && agrees sizes
	tell "80x24: the numbers of the block of that moment"
	sees sizes '^ q quit'
	tell "80x24: the keys on the last line"
	for size in 200x60 100x30 60x16 80x24 300x90; do
		columns=${size%x*} rows=${size#*x}
		tm resize-window -t sizes -x "$columns" -y "$rows"
		sees sizes "^ f77fe000 .{$((columns > 90 ? 64 : 40))}" && sees sizes 'OWNERS' &&
			fits sizes "$columns" "$rows" && until_true agrees sizes
		tell "$size: map, owners and the same numbers"
	done
	for size in 59x15 40x10 20x6 10x3 2x2; do
		columns=${size%x*} rows=${size#*x}
		tm resize-window -t sizes -x "$columns" -y "$rows"
		sees_not sizes 'OWNERS|── MAP'
		tell "$size: no map"
	done
	tm resize-window -t sizes -x 59 -y 15
	sees sizes 'used 6.8M' && sees sizes '107.5M' &&
		[ "$(picture sizes | grep -c .)" -le 7 ]
	tell "59x15: six lines with the numbers"
	tm resize-window -t sizes -x 80 -y 24
	sees sizes 'OWNERS' && agrees sizes
	tell "80x24 again"
	keys sizes q
	ends sizes 0 && as_before sizes && sees sizes '^watched'
	tell "q: exit 0, a summary, the terminal as before"
	stop_pane sizes
}

# press NAME KEYS... -- REGEX: each key is followed by what it brings on the screen.
press() {
	local name=$1 list=()
	shift
	while [ "$1" != -- ]; do
		list+=("$1")
		shift
	done
	keys k "${list[@]}"
	sees k "$2"
	tell "key: $name"
}

# The row that is selected: shown reversed.
selected() {
	tm capture-pane -e -p -t "$1" | grep -a $'\x1b\\[[0-9;]*7m' | sed 's/\x1b\[[0-9;]*m//g' |
		sed -n '/^ *[0-9.]*[KM] /p' | head -1
}
selected_is() {
	selected "$1" | grep -q -E -e "$2"
}

test_keys() {
	start k 80 24 replay "$file" && still k 18s 18.0s
	tell "keys: it stands at 18 s"
	press '?' '?' -- '── HELP'
	keys k -N 40 Down
	sees k 'is read anew'
	tell "key: Down in the help: its last line"
	press 'any other key leaves the help' q -- '── OWNERS'
	press h h -- '── HOLES'
	press l l -- '── LEAKS'
	press f f -- '── FAILURES'
	press e e -- '── EVENTS'
	press D D -- '── DIFF'
	press o o -- '── OWNERS'
	press Tab Tab -- '── HOLES'
	press Shift-Tab BTab -- '── OWNERS'
	keys k Home
	until_true selected_is k 'pcpu_create_chunk'
	tell "key: Home: the first row, and it shows as selected"
	keys k Down
	until_true selected_is k 'ring_alloc'
	tell "key: Down"
	keys k Up
	until_true selected_is k 'pcpu_create_chunk'
	tell "key: Up"
	keys k Down
	until_true selected_is k 'ring_alloc'
	press Enter Enter -- '── DETAIL'
	sees k 'foo_open' && sees k 'ring_alloc'
	tell "key: Enter: the whole stack"
	press Esc Escape -- '── OWNERS'
	keys k l o Home Down Enter
	sees k '── DETAIL' && sees k 'holds 900K in 7 areas'
	tell "keys in one burst: each finds what the one before it brought"
	press 'Esc again' Escape -- '── OWNERS'
	until_true selected_is k 'ring_alloc'
	tell "key: Esc: the row is selected still"
	press b b -- 'by stack'
	press 'b again' b -- 'by module'
	sees k '\[foo\]'
	tell "key: b: a module"
	keys k b b
	press 'b around' b -- 'by function'
	press s s -- 'function, areas'
	keys k s s s s
	sees k 'function, size'
	tell "key: s around"
	keys k S
	sees k '^ +[0-9.]+K .*' && until_true has_not k '^ +6\.0M '
	tell "key: S: the smallest first"
	keys k S
	keys k Home '*'
	sees k '^ f[0-9a-f]{7} .*\*'
	tell "key: *: its areas on the map"
	keys k '*'
	sees_not k '^ f[0-9a-f]{7} .*\*'
	tell "key: * again"
	test_keys_map
	test_keys_find
	test_keys_time
	test_keys_write
	keys k C-c
	ends k 0 && as_before k
	tell "key: Ctrl-C"
	stop_pane k
}

test_keys_map() {
	press '+' + -- 'MAP 1 char=(1[0-9][0-9]|[0-9]+)K'
	keys k + + + + + + + +
	press 'zoom to single pages' + -- '1 char=4\.0?K'
	press 'g' g -- '[Aa]ddress'
	keys k f7a20000 Enter
	sees k 'f7a20000-f7a25000.*e1000_probe'
	tell "key: g: the area at an address is named"
	keys k ']'
	sees_not k 'f7a20000-f7a25000.*e1000_probe'
	tell "key: ]: the next area"
	keys k '['
	sees k 'f7a20000-f7a25000.*e1000_probe'
	tell "key: [: the one before"
	press 'Enter on the map' Enter -- 'DETAIL'
	sees k 'udevd\[212\]'
	tell "key: Enter on the map: the area's task"
	keys k Escape
	keys k g C-u zzz Enter
	sees k "'zzz' is not a hexadecimal address"
	tell "key: g: what is no address is said"
	press 0 0 -- '1 char=240K'
	press m m -- '── OWNERS'
}

# What the cursor of the map is on: the line below the map.
cursor_line() {
	picture "$1" | grep -o -E '^ >?f[0-9a-f]{7}-f[0-9a-f]{7}' | tr -d ' >'
}
cursor_is() {
	[ "$(cursor_line "$1")" = "$2" ]
}
cursor_is_not() {
	[ "$(cursor_line "$1")" != "$2" ]
}

test_keys_find() {
	local first
	keys k /
	keys k -l 'mod=foo size>=16K'
	keys k Enter
	sees k 'mod=foo size>=16K' && sees_not k '^ +[0-9.]+K .*%.*e1000_probe'
	tell "key: /: only what passes is listed"
	keys k / C-u
	keys k -l 'size>>1'
	keys k Enter
	sees k 'expected a value'
	tell "key: /: what is wrong is said"
	keys k / C-u Enter
	sees k '^ +[0-9.]+K .*%.*e1000_probe'
	tell "key: /: empty: all"
	keys k F
	keys k -l 'kind=ioremap'
	keys k Enter
	sees k ' [1-7] of 7 areas like that' && sees k '^ >?f7[0-9a-f]+-f7[0-9a-f]+ .*(e1000_probe|acpi_os_map)'
	tell "key: F: finds an area"
	first=$(cursor_line k)
	keys k n
	until_true cursor_is_not k "$first" && sees k '^ >?f7[0-9a-f]+-f7[0-9a-f]+ .*(e1000_probe|acpi_os_map)'
	tell "key: n: the next one"
	keys k N
	until_true cursor_is k "$first"
	tell "key: N: the one before"
	keys k 9
	sees k '256M'
	tell "key: 9: would 256M fit?"
	press 'equals sign' '=' -- '[Ss]ize'
	keys k 20M Enter
	sees k '20M'
	tell "key: =: any size"
	keys k 0
}

test_keys_time() {
	keys k t 6s Enter
	sees k 'watched 6.0s'
	tell "key: t: back to 6 s"
	keys k .
	sees_not k 'watched 6.0s'
	tell "key: .: the next change"
	keys k t 6s Enter
	sees k 'watched 6.0s' && keys k ')'
	sees_not k 'watched 6.0s'
	tell "key: ): a twentieth on"
	keys k '('
	sees k 'watched 6.0s'
	tell "key: (: and back"
	keys k t 100h Enter
	sees k 'shorter' && sees k 'watched 18.3s'
	tell "key: t: beyond the end is the end"
	keys k t soon Enter
	sees k "'soon' is not a time"
	tell "key: t: what is no time is said"
	keys k x
	sees k 'no failure'
	tell "key: x: there is none"
	keys k t 1s Enter
	sees k 'watched 1.0s' && keys k ' ' '>' '>'
	sees k 'REPLAY 4x'
	tell "key: Space, >: it plays, 4 times as fast"
	keys k '<' '<' '<'
	sees k 'REPLAY 0\.5x'
	tell "key: <: half as fast"
	keys k ' '
	sees k 'STOPPED'
	tell "key: Space: it stands"
	keys k t 2s Enter
	sees k 'watched 2.0s' && keys k d && keys k t 18s Enter D
	sees k '── DIFF' && sees k 'ring_alloc.*came|came.*ring_alloc|\+.*ring_alloc'
	tell "key: d, D: what came since the mark"
	keys k o
}

test_keys_write() {
	keys k w
	keys k C-u
	keys k -l 'moment.vmt'
	keys k Enter
	until_true test -s "$tmp/moment.vmt"
	"$vmtrace" map --json -i "$tmp/moment.vmt" 2>/dev/null >"$tmp/written"
	"$vmtrace" replay --at=18s "$file" 2>/dev/null | grep -o 'used [0-9.]*M' >"$tmp/why"
	grep -q '"areas"' "$tmp/written"
	tell "key: w: a recording of the moment"
	keys k w C-u
	keys k -l 'moment.vmt'
	keys k Enter
	sees k '[Oo]verwrite'
	tell "key: w: asks before it overwrites"
	keys k n
	sees k 'nothing was written'
	tell "key: w: no"
	keys k w C-u
	keys k -l '/proc/nonexistent/x.vmt'
	keys k Enter
	sees k 'cannot|No such'
	tell "key: w: what cannot be written is said"
}

# Many sizes at once, then the picture of before, byte for byte.
test_storm() {
	local i
	start storm 80 24 replay "$file" && still storm 12s 12.0s
	keys storm Down Down
	until_true selected_is storm 'acpi_os_map|alloc_thread|ring_alloc'
	sees storm '^ q quit'
	selected storm >"$tmp/chosen"
	tm capture-pane -e -p -t storm >"$tmp/calm"
	for i in $(seq 60); do
		tm resize-window -t storm -x $((2 + (i * 37) % 180)) -y $((2 + (i * 23) % 60))
	done
	tm resize-window -t storm -x 80 -y 24
	same_as_calm() {
		tm capture-pane -e -p -t storm >"$tmp/after_storm"
		cmp -s "$tmp/calm" "$tmp/after_storm"
	}
	sees storm '^ q quit' && [ -s "$tmp/chosen" ] &&
		until_true selected_is storm "$(sed 's/[][().*+?]/./g' "$tmp/chosen")"
	tell "60 resizes: the same row is selected"
	keys storm Home # the list may have been scrolled meanwhile
	until_true selected_is storm 'pcpu_create_chunk' && keys storm Down Down
	until_true same_as_calm
	diff "$tmp/calm" "$tmp/after_storm" >"$tmp/why"
	tell "60 resizes: the same picture"
	# Keys that nobody has thought of, the mouse, an answer of the terminal: all swallowed whole.
	keys storm F1 F12 C-a C-e IC DC
	keys storm -l $'\x1b[<0;10;10M\x1b[?62;22c\x1bOPäöü€'
	keys storm Down
	until_true selected_is storm 'alloc_thread|i915' && keys storm Up
	until_true same_as_calm
	diff "$tmp/calm" "$tmp/after_storm" >"$tmp/why"
	tell "keys that mean nothing change nothing"
	stop_pane storm
}

# A thousand keys at random (not q, nor w, nor what stops it): it lives, and ends as it should.
test_monkey() {
	local keyset=('?' p h l f e D o Tab BTab Up Down PageUp PageDown Home End Enter Escape b s S '*' d m + - 0
		'[' ']' g / F n N 1 9 '=' ' ' . , x X '<' '>' '(' ')' t 7 Left Right f7a20000 'k' '~' C-l C-u BSpace)
	local i list
	RANDOM=4711
	start monkey 80 24 replay "$failing" && sees monkey '^ vmtrace'
	for _ in 1 2 3 4 5; do
		list=()
		for i in $(seq 200); do
			list+=("${keyset[RANDOM % ${#keyset[@]}]}")
		done
		keys monkey "${list[@]}"
		tm resize-window -t monkey -x $((40 + RANDOM % 100)) -y $((10 + RANDOM % 40))
	done
	tm resize-window -t monkey -x 100 -y 30
	keys monkey Escape Escape Escape Escape C-u Enter Escape o
	sees monkey '── OWNERS'
	tell "1000 keys at random: it goes on"
	keys monkey Escape Escape q
	ends monkey 0 && as_before monkey
	tell "1000 keys at random: then q"
	stop_pane monkey
}

# A recording of the golden tests, at its end, pane by pane: no byte of a hostile name reaches the
# terminal, and it ends as it should.
test_recording() {
	local key good=yes pane=recorded-$1
	start "$pane" 80 24 LANG=C replay "$(realpath "$here/golden/$1.jsonl")" && sees "$pane" '^ q quit'
	keys "$pane" t 100h Enter
	sees "$pane" 'END|STOPPED|shorter'
	for key in h:HOLES l:LEAKS f:FAILURES e:EVENTS D:DIFF o:OWNERS; do
		keys "$pane" "${key%:*}" End
		sees "$pane" "^-- .*${key#*:}" || good=no
		keys "$pane" Enter
		sees "$pane" '^-- .*DETAIL' || good=no
		keys "$pane" Escape
		sees_not "$pane" '^-- .*DETAIL' || good=no
	done
	[ $good = yes ] && ! picture "$pane" | grep -q -P '[^\x20-\x7e]'
	tell "$1: every pane"
	keys "$pane" Escape q
	ends "$pane" 0 && as_before "$pane"
	tell "$1: q"
	stop_pane "$pane"
}

test_losses() {
	start loss 80 24 replay "$(realpath "$here/golden/lost.jsonl")" && sees loss '^ q quit'
	keys loss t 100h Enter
	sees loss 'LOST 14' && sees loss 'used ~' && sees loss 'HOLE ~'
	tell "a loss: LOST, and '~' before the numbers"
	tm capture-pane -e -p -t loss | grep -q -a -P '\x1b\[(0;)?7m(\x1b\[[0-9;]*m)*LOST 14'
	tell "a loss: reversed"
	stop_pane loss
	start fail 80 24 replay "$failing" && sees fail '^ q quit'
	keys fail x
	sees fail 'FAILED 1' && sees fail 'insmod\[4211\] asked for 100M'
	tell "a failure: x goes to it"
	keys fail f Home Enter
	sees fail 'DETAIL' && sees fail 'insmod\[4211\]' && sees fail '100M|100\.0M'
	tell "a failure: its detail"
	stop_pane fail
}
