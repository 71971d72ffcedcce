# shellcheck shell=bash disable=SC2154,SC2317,SC2054
# SPDX-License-Identifier: GPL-2.0-only
# What the tests of the screen are made of; tests/screen.sh reads it.

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
		read -r -t 0.02 <>"$all/never" || :
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

# The numbers of a moment, as a block of text or the screen has them: used, guard, lazy, free; the
# largest hole.
numbers() { # FILE
	grep -o -E '(used|guard|lazy|free) [0-9.]+[KMG]?' "$1" | sort -u
	grep -o -i -E 'largest hole [0-9.]+[KMG]( @[0-9a-f]+)? \([0-9.]+[KMG] after purge\)' "$1" |
		tr '[:upper:]' '[:lower:]' | sed 's/ @[0-9a-f]*//; s/m\b/M/g; s/k\b/K/g'
}
