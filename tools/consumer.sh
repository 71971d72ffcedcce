#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# consumer.sh promtool|speedscope-schema|pprof-format: prints the path of what opens an export in
# tests/export.sh, fetched into $CACHE once. Exit 77 where it cannot be had.
#
# promtool is taken out of Debian's package: to install that would start a server. The other two
# are npm packages without dependencies; nothing of them is run but the decoder, by the test.

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

# npm_package PACKAGE@VERSION: unpacks it below $dir/PACKAGE.
npm_package() {
	local name=${1%@*}
	[ -d "$dir/$name" ] && return
	command -v npm >/dev/null || lacking "no $1: no npm here"
	rm -rf "$dir/$name.tmp"
	mkdir -p "$dir/$name.tmp"
	(cd "$dir/$name.tmp" && npm pack --silent "$1") >"$dir/$name.log" 2>&1 ||
		lacking "npm pack $1 failed: $(tail -n 1 "$dir/$name.log")"
	tar xzf "$dir/$name.tmp"/*.tgz -C "$dir/$name.tmp"
	mv "$dir/$name.tmp" "$dir/$name"
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
	echo "$dir/speedscope/package/dist/release/file-format-schema.json"
	;;
pprof-format)
	npm_package pprof-format@2.3.2
	echo "$dir/pprof-format/package/dist/commonjs/index.js"
	;;
*) die "usage: consumer.sh promtool|speedscope-schema|pprof-format" ;;
esac
