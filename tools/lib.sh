# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Shared by the set-up scripts: cache directory, messages, root, locks and
# directories that appear whole or not at all. Source it, do not run it.

set -euo pipefail
# debootstrap, chroot and bpftool are not on a user's PATH.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
umask 022

: "${SUITE:=bookworm}"
CACHE=${VMTRACE_CACHE:-${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/vmtrace}

# Results go to stdout, so everything for people goes to stderr.
say() { printf 'vmtrace-setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		# sudo drops the environment, and with it the proxy.
		sudo "${PROXY_ENV[@]}" "$@"
	fi
}

# Asks for the password (if any) while nothing else writes to the terminal.
need_root() {
	[ "$(id -u)" -ne 0 ] || return 0
	command -v sudo >/dev/null || die "${0##*/} needs root: run it as root, or install sudo"
	# Not sudo -v: that can ask although the command itself needs no password.
	sudo true || die "${0##*/} needs root, and sudo failed: run it as root, or allow yourself sudo"
}

# apt may know of a proxy that wget (in debootstrap) does not.
find_proxy() {
	local name value
	if [ -z "${http_proxy:-}" ] && command -v apt-config >/dev/null; then
		value=$(apt-config dump Acquire::http::Proxy | sed -n 's/^Acquire::http::Proxy "\(.*\)";$/\1/p')
		case $value in
		http://* | https://*) export http_proxy=$value ;;
		esac
	fi
	PROXY_ENV=(env)
	for name in http_proxy https_proxy no_proxy; do
		[ -z "${!name:-}" ] || PROXY_ENV+=("$name=${!name}")
	done
}
PROXY_ENV=(env)

# One lock per kind of thing. Children inherit it on purpose: when this script
# is killed, its debootstrap may go on for a while, and nobody may remove the
# directory under it.
take_lock() {
	mkdir -p "$CACHE"
	exec 9>"$CACHE/lock.$1"
	flock -n 9 && return
	say "waiting for another run that sets up $1"
	flock 9
}

mounts_below() {
	awk -v d="$1/" 'index($5 "/", d) == 1 { print $5 }' /proc/self/mountinfo | sort -r
}

# Unmounts first: rm -rf through a forgotten bind mount of /dev eats the host's.
remove_tree() {
	local dir=$1 m
	case $dir in
	"$CACHE"/*) ;;
	*) die "refusing to remove $dir: not below $CACHE" ;;
	esac
	[ -e "$dir" ] || [ -L "$dir" ] || return 0
	while read -r m; do
		as_root umount "$m" || die "cannot unmount $m: a leftover of an interrupted run"
	done < <(mounts_below "$dir")
	rm -rf --one-file-system -- "$dir" 2>/dev/null || as_root rm -rf --one-file-system -- "$dir"
}

# Call with the lock held: then every DIR.tmp.* belongs to a dead run.
remove_leftovers() {
	local left
	for left in "$1".tmp.*; do
		[ -e "$left" ] || continue
		say "removing the leftover of an interrupted run: ${left##*/}"
		remove_tree "$left"
	done
}

# publish NEW DIR: DIR is at every moment the old one, absent, or the new one.
publish() {
	local new=$1 dir=$2 old=$2.tmp.old.$$
	if [ -e "$dir" ]; then
		as_root mv "$dir" "$old"
	fi
	as_root mv "$new" "$dir"
	remove_tree "$old"
}

# logged LOG WHAT CMD...: runs CMD with its output in LOG and shows that it is
# alive; on failure shows the end of LOG. A function as CMD runs without set -e.
logged() {
	local log=$1 what=$2 rc=0 ticker
	shift 2
	: >"$log"
	tick "$log" "$what" 9>&- &
	ticker=$!
	"$@" >>"$log" 2>&1 </dev/null || rc=$?
	kill "$ticker" 2>/dev/null || true
	wait "$ticker" 2>/dev/null || true
	[ "$rc" -eq 0 ] && return 0
	say "$what: failed (status $rc), full log in $log; its last lines:"
	tail -n 15 "$log" | sed 's/^/    /' >&2
	return "$rc"
}

# Ends with its parent: a killed set-up must not leave a talking ghost.
tick() {
	local log=$1 what=$2 start=$SECONDS pause=2 last
	while sleep "$pause" && kill -0 $$ 2>/dev/null; do
		last=$(tail -c 300 "$log" | tr '\r' '\n' | tail -n 1 | cut -c 1-60)
		say "$what: $((SECONDS - start)) s${last:+ ($last)}"
		pause=5
	done
}

# The name of a flavour's link in $CACHE/kernels: bullseye/686 is bullseye_686.
kernel_link() { printf '%s\n' "${1//\//_}"; }

hash_of() { sha256sum | cut -c 1-16; }

# The URI under which the host's own apt finds a suite; nothing if it has none.
apt_uri_of() {
	command -v apt-get >/dev/null || return 0
	# shellcheck disable=SC2016  # apt's own variables
	apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
		awk -v suite="$1" '$2 == suite && $3 == "main" && $1 ~ /^https?:/ { print $1; exit }'
}
