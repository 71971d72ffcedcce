#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# consumer.sh promtool|speedscope-schema|speedscope|pprof-format|devtools: prints the path of what opens
# an export in tests/export.sh, fetched into $CACHE once. Exit 77 where it cannot be had.
#
# promtool is taken out of Debian's package: to install that would start a server. The others are
# npm packages: speedscope's application (of the last release whose importers are a file of their
# own), a pprof decoder, and the trace model of Chrome's DevTools. Only the test runs them; nothing
# of them is run to install them.

# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

dir=$CACHE/consumers

lacking() { say "$*"; exit 77; }

promtool() {
	local deb=$dir/prometheus.tmp
	[ -x "$dir/promtool" ] && return
	{ command -v dpkg-deb && command -v apt-get; } >/dev/null ||
		lacking "no promtool: not a Debian host"
	rm -rf "$deb"
	mkdir -p "$deb"
	# As _apt, which may not write here, apt-get only warns.
	(cd "$deb" && apt-get -q download prometheus) >"$dir/promtool.log" 2>&1 ||
		lacking "apt-get download prometheus failed: $(tail -n 1 "$dir/promtool.log")"
	dpkg-deb --fsys-tarfile "$deb"/*.deb | tar x -C "$deb" ./usr/bin/promtool
	mv "$deb/usr/bin/promtool" "$dir/promtool"
	rm -rf "$deb"
}

# npm_package PACKAGE@VERSION: unpacks it below $dir/PACKAGE@VERSION.
npm_package() {
	[ -d "$dir/$1" ] && return
	command -v npm >/dev/null || lacking "no $1: no npm here"
	rm -rf "$dir/$1.tmp"
	mkdir -p "$dir/$1.tmp"
	(cd "$dir/$1.tmp" && npm pack --silent "$1") >"$dir/$1.log" 2>&1 ||
		lacking "npm pack $1 failed: $(tail -n 1 "$dir/$1.log")"
	tar xzf "$dir/$1.tmp"/*.tgz -C "$dir/$1.tmp"
	mv "$dir/$1.tmp" "$dir/$1"
}

# npm_tree PACKAGE@VERSION: the package and what it depends on, below $dir/PACKAGE@VERSION.
npm_tree() {
	[ -d "$dir/$1" ] && return
	command -v npm >/dev/null || lacking "no $1: no npm here"
	rm -rf "$dir/$1.tmp"
	mkdir -p "$dir/$1.tmp"
	(cd "$dir/$1.tmp" && npm install --silent --ignore-scripts --no-audit --no-fund "$1") >"$dir/$1.log" 2>&1 ||
		lacking "npm install $1 failed: $(tail -n 1 "$dir/$1.log")"
	mv "$dir/$1.tmp" "$dir/$1"
}

mkdir -p "$dir"
take_lock consumers
case ${1:-} in
promtool)
	promtool
	echo "$dir/promtool"
	;;
speedscope-schema)
	npm_package speedscope@1.25.0
	echo "$dir/speedscope@1.25.0/package/dist/release/file-format-schema.json"
	;;
speedscope)
	npm_package speedscope@1.20.0
	echo "$dir/speedscope@1.20.0/package/dist/release"
	;;
devtools)
	npm_tree devtools-timeline-model@1.4.0
	echo "$dir/devtools-timeline-model@1.4.0/node_modules/devtools-timeline-model"
	;;
pprof-format)
	npm_package pprof-format@2.3.2
	echo "$dir/pprof-format@2.3.2/package/dist/commonjs/index.js"
	;;
*) die "usage: consumer.sh promtool|speedscope-schema|speedscope|pprof-format|devtools" ;;
esac
