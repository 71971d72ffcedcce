#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Drives the screen as a person would: `vmtrace replay` of a golden recording in tmux, key by key, at
# several sizes, and what is not a key: resizes, signals, terminals of all kinds, and ones that do not
# read. What it shows is held against what the other commands print of the same moment. Nothing here
# sleeps for a time: it waits for what is to come, and gives up after WAIT_S.
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
if [ "$("$vmtrace" replay --help | grep -c -- --plain)" -eq 0 ]; then
	echo "skip: this vmtrace is built without the screen (ncursesw)"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi
tmp=$(mktemp -d) || exit 1

tm() {
	tmux -u -S "$tmp/socket" -f /dev/null "$@"
}
trap 'tm kill-server 2>/dev/null; rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM

# ---- what a test is made of ----------------------------------------------------------------------

# tell NAME: counts the last command; $tmp/why says why it failed.
tell() {
	if [ $? -eq 0 ]; then
		passed=$((passed + 1))
		echo "ok $1"
	else
		failed=$((failed + 1))
		echo "FAIL $1"
		cat "$tmp/why" 2>/dev/null
	fi
	: >"$tmp/why"
}

picture() {
	tm capture-pane -p -t "$1" 2>/dev/null
}

# until_true COMMAND...: runs it until it is true, or for WAIT_S.
until_true() {
	local end=$((SECONDS + WAIT_S))
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		read -r -t 0.02 <>"$tmp/never" || :
	done
}

has() { # PANE REGEX
	picture "$1" | grep -q -E -e "$2"
}
has_not() {
	! has "$1" "$2"
}

# sees PANE REGEX: it comes on the screen. sees_not: it goes.
sees() {
	until_true has "$1" "$2" && return
	{ echo "  not seen: $2"; picture "$1" | sed 's/^/  | /'; } >"$tmp/why"
	return 1
}
sees_not() {
	until_true has_not "$1" "$2" && return
	{ echo "  still there: $2"; picture "$1" | sed 's/^/  | /'; } >"$tmp/why"
	return 1
}

keys() {
	local pane=$1
	shift
	tm send-keys -t "$pane" "$@"
}

# start PANE COLUMNS ROWS [NAME=VALUE...] ARGUMENT...: runs vmtrace on a terminal of its own, and
# leaves its pid, its exit status, and the terminal's settings before and after in $tmp/PANE.*.
start() {
	local pane=$1 columns=$2 rows=$3 set=()
	shift 3
	while [[ $1 == *=* && $1 != -* ]]; do
		set+=("$1")
		shift
	done
	rm -f "$tmp/$pane".*
	{
		echo "cd '$tmp'"
		echo "stty -a >$pane.before"
		printf '( echo $BASHPID >%s.pid; exec env -i PATH="$PATH" HOME=. TERM=xterm-256color LANG=C.UTF-8 ' "$pane"
		printf '%q ' "${set[@]}" "$vmtrace" "$@"
		echo "${redirect:-} )"
		echo "status=\$?; stty -a >$pane.after; echo \$status >$pane.new; mv $pane.new $pane.status"
		echo 'exec 1<&- 2<&-; read -r never'
	} >"$tmp/$pane.sh"
	tm new-session -d -s "$pane" -x "$columns" -y "$rows" "exec bash '$tmp/$pane.sh'" 2>"$tmp/why"
}

# still PANE TIME: the replay stands at this time.
still() {
	sees "$1" 'watched' || return
	keys "$1" ' ' t
	sees "$1" '[Tt]ime' || return
	keys "$1" "$2" Enter
	sees "$1" "watched $3|\\+$3"
}

# ends PANE STATUS: it has ended so.
ends() {
	until_true test -s "$tmp/$1.status" || { echo "  it did not end" >"$tmp/why"; picture "$1" >>"$tmp/why"; return 1; }
	[ "$(cat "$tmp/$1.status")" = "$2" ] && return
	{ echo "  exit $(cat "$tmp/$1.status"), not $2"; picture "$1" | sed 's/^/  | /'; } >"$tmp/why"
	return 1
}

# as_before PANE: the terminal is as it was: settings, main screen, cursor, keypad, colours.
as_before() {
	local flags
	same_settings "$1" || return
	until_true back_on_main "$1" && return
	flags=$(tm display -p -t "$1" '#{alternate_on} #{cursor_flag} #{keypad_cursor_flag} #{keypad_flag}')
	echo "  alternate screen, cursor, application cursor, keypad: $flags, not 0 1 0 0" >"$tmp/why"
	return 1
}
# The settings before and after, but for the size, which tests change.
same_settings() {
	diff <(settings "$tmp/$1.before") <(settings "$tmp/$1.after") >"$tmp/why"
}
settings() {
	sed 's/rows [0-9]*; columns [0-9]*/ROWS AND COLUMNS/' "$1"
}
back_on_main() {
	[ "$(tm display -p -t "$1" '#{alternate_on} #{cursor_flag} #{keypad_cursor_flag} #{keypad_flag}')" = "0 1 0 0" ]
}

stop_pane() {
	tm kill-session -t "$1" 2>/dev/null
}

pid_of() {
	until_true test -s "$tmp/$1.pid"
	cat "$tmp/$1.pid"
}

# ---- tests ---------------------------------------------------------------------------------------

: >"$tmp/why"
mkfifo "$tmp/never"

# The numbers of a moment, as the blocks of text have them: used, guard, lazy, free; the hole.
"$vmtrace" replay --at=12s "$file" >"$tmp/block" 2>/dev/null
numbers() { # FILE
	grep -o -E '(used|guard|lazy|free) [0-9.]+[KMG]?' "$1" | sort -u
	grep -o -i -E 'largest hole [0-9.]+[KMG]( @[0-9a-f]+)? \([0-9.]+[KMG] after purge\)' "$1" |
		tr A-Z a-z | sed 's/ @[0-9a-f]*//; s/m\b/M/g; s/k\b/K/g'
}
numbers "$tmp/block" >"$tmp/numbers"

# agrees PANE: it shows the numbers of the block.
agrees() {
	picture "$1" >"$tmp/picture"
	head -5 "$tmp/picture" | sed 's/   *used/ used/' >"$tmp/top"
	numbers "$tmp/top" | diff "$tmp/numbers" - >"$tmp/why"
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
	keys k $(printf 'Down %.0s' $(seq 40))
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
	press = = -- '[Ss]ize'
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
	keys storm Home Down Down # the list may have been scrolled meanwhile
	until_true same_as_calm
	diff "$tmp/calm" "$tmp/after_storm" >"$tmp/why"
	tell "60 resizes: the same picture"
	# Keys that nobody has thought of: nothing breaks, and the next one is obeyed.
	keys storm F1 F12 M-x C-a C-e IC DC PageUp PageDown
	keys storm -l $'\x1b[<0;10;10M'
	keys storm -l 'äöü€'
	keys storm Escape Escape o Home
	sees storm '── OWNERS'
	tell "keys that mean nothing"
	stop_pane storm
}

# A thousand keys at random (not q, nor w, nor what stops it): it lives, and ends as it should.
test_monkey() {
	local keyset=('?' p h l f e D o Tab BTab Up Down PageUp PageDown Home End Enter Escape b s S '*' d m + - 0
		'[' ']' g / F n N 1 9 = ' ' . , x X '<' '>' '(' ')' t 7 Left Right f7a20000 'k' '~' C-l C-u BSpace)
	local round i list
	RANDOM=4711
	start monkey 80 24 replay "$failing" && sees monkey '^ vmtrace'
	for round in 1 2 3 4 5; do
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

# killed SIGNAL STATUS: what it ends with, and how the terminal is then.
killed() {
	start "kill$1" 80 24 replay "$file" && sees "kill$1" '^ q quit'
	kill "-$1" "$(pid_of "kill$1")"
	ends "kill$1" "$2"
	tell "SIG$1: exit $2"
	if [ "$1" = KILL ]; then
		# Nobody can: said in docs/SCREEN.md. That stty sane brings it back is what is left to do.
		! same_settings "kill$1"
		tell "SIGKILL: the settings are lost, as with every program"
	else
		as_before "kill$1"
		tell "SIG$1: the terminal as before"
	fi
	stop_pane "kill$1"
}

test_signals() {
	killed TERM 0
	killed HUP 0
	killed INT 0
	killed SEGV 139
	killed ABRT 134
	killed KILL 137
}

# Ctrl-Z and fg, in a shell with job control.
test_suspend() {
	tm new-session -d -s job -x 80 -y 24 \
		"cd '$tmp'; exec env -i PATH=\"$PATH\" HOME=. TERM=xterm-256color LANG=C.UTF-8 PS1='READY ' bash --norc --noprofile -i"
	sees job '^READY'
	keys job "stty -a >job.before" Enter
	keys job "$vmtrace replay $file" Enter
	still job 12s 12.0s && sees job '^ q quit'
	tm capture-pane -e -p -t job >"$tmp/calm"
	keys job C-z
	sees job 'Stopped'
	tell "Ctrl-Z: back in the shell"
	keys job "stty -a >job.after" Enter
	until_true test -s "$tmp/job.after" && as_before job
	tell "Ctrl-Z: the terminal as before"
	keys job fg Enter
	same_as_before() {
		tm capture-pane -e -p -t job >"$tmp/again"
		cmp -s "$tmp/calm" "$tmp/again"
	}
	until_true same_as_before
	diff "$tmp/calm" "$tmp/again" >"$tmp/why"
	tell "fg: the same picture"
	keys job C-z
	sees job 'Stopped' && tm resize-window -t job -x 100 -y 30 && keys job fg Enter
	sees job '── OWNERS' && fits job 100 30
	tell "a resize while it was stopped"
	keys job q
	sees job '^watched'
	rm -f "$tmp/job.after"
	keys job "stty -a >job.after" Enter
	until_true test -s "$tmp/job.after"
	same_settings job
	tell "q after fg: the terminal as before"
	stop_pane job
}

# The picture without the rate of events, which depends on when frames were drawn.
timeless() {
	picture "$1" | sed 's/ev [0-9.]*K*\/s/ev/'
}

# The same picture on every terminal that can place a cursor, blocks on the others.
test_terminals() {
	local name
	start xterm-256color 80 24 replay "$file" && still xterm-256color 12s 12.0s &&
		sees xterm-256color '^ q quit'
	timeless xterm-256color >"$tmp/calm"
	for name in linux vt100 screen tmux-256color; do
		infocmp "$name" >/dev/null 2>&1 || { echo "skip TERM=$name: terminfo has none"; continue; }
		start "$name" 80 24 TERM=$name replay "$file" && still "$name" 12s 12.0s
		same() {
			timeless "$name" >"$tmp/other"
			cmp -s "$tmp/calm" "$tmp/other"
		}
		until_true same
		diff "$tmp/calm" "$tmp/other" >"$tmp/why"
		tell "TERM=$name: the same picture"
		keys "$name" q
		ends "$name" 0 && same_settings "$name"
		tell "TERM=$name: the settings as before"
		stop_pane "$name"
	done
	stop_pane xterm-256color
	for name in dumb nonsense ''; do
		redirect='2>plain.stderr' start plain 80 24 TERM="$name" replay --speed=max "$file"
		ends plain 0 && sees plain '^watched' && grep -q 'no full screen' "$tmp/plain.stderr" &&
			same_settings plain
		tell "TERM='$name': blocks, and a note why"
		stop_pane plain
	done
}

colours() {
	tm capture-pane -e -p -t "$1" | grep -q -a -P '\x1b\[(\d+;)*(3[0-7]|38|4[0-7]|48|9[0-7]|10[0-7])[;m]'
}

test_colours_and_locales() {
	start colour 80 24 replay "$file" && still colour 12s 12.0s && colours colour
	tell "colours"
	picture colour | grep -q '█'
	tell "LANG=C.UTF-8: block characters"
	stop_pane colour
	start mono 80 24 NO_COLOR=1 replay "$file" && still mono 12s 12.0s && ! colours mono
	tell "NO_COLOR: none"
	keys mono Down Down Up
	until_true selected_is mono '[0-9]K'
	tell "NO_COLOR: the row selected can be seen"
	stop_pane mono
	start never 80 24 replay --color=never "$file" && still never 12s 12.0s && ! colours never
	tell "--color=never: none"
	stop_pane never
	start ascii 80 24 LANG=C replay "$file" && still ascii 12s 12.0s &&
		! picture ascii | grep -q -P '[^\x00-\x7f]' && sees ascii '^ f77fe000 [~%#.]+' && agrees ascii
	tell "LANG=C: ASCII alone, the same numbers"
	stop_pane ascii
}

test_streams() {
	redirect='<&-' start closed 80 24 replay "$file" && still closed 12s 12.0s && agrees closed
	tell "stdin closed: keys come from the terminal"
	keys closed q
	ends closed 0 && as_before closed
	tell "stdin closed: q"
	stop_pane closed
	redirect='</dev/null | cat' start piped 80 24 replay --speed=max "$file"
	ends piped 0 && sees piped '^watched' && back_on_main piped
	tell "stdout is a pipe: blocks"
	stop_pane piped
	start plain 80 24 replay --plain --speed=max "$file"
	ends plain 0 && sees plain '^watched'
	tell "--plain: blocks"
	stop_pane plain
	# The terminal goes.
	start gone 80 24 replay "$file" && sees gone '^ q quit'
	local pid
	pid=$(pid_of gone)
	stop_pane gone
	has_ended() { ! kill -0 "$1" 2>/dev/null; }
	until_true has_ended "$pid"
	tell "the terminal is closed: it ends"
}

# What tmux cannot do: a terminal that does not read.
test_ptys() {
	local line
	while read -r line; do
		[ "${line#ok }" != "$line" ]
		echo "  ${line#FAIL }" >"$tmp/why"
		[ "${line#ok }" != "$line" ]
		tell "${line#* }"
	done < <("$here/screen_pty.py" "$vmtrace" "$file" 2>&1)
}

test_sizes
test_keys
test_storm
test_monkey
test_signals
test_suspend
test_terminals
test_colours_and_locales
test_streams
test_ptys
echo "screen: $passed passed, $failed failed"
[ $failed -eq 0 ]
