# shellcheck shell=bash disable=SC2154,SC2317,SC2054
# SPDX-License-Identifier: GPL-2.0-only
# What is no key: signals, Ctrl-Z, terminals of all kinds, colours, locales, streams.

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
	start blocks 80 24 replay --plain --speed=max "$file"
	ends blocks 0 && sees blocks '^watched'
	tell "--plain: blocks"
	stop_pane blocks
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
	done < <("$here/screen/unread.py" "$vmtrace" "$file" 2>&1)
}
