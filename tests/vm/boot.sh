#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# boot.sh: boots one VM with a stock i386 kernel; its console goes to stdout.
# Exit: 0 the guest said `@@ done`; 3 the VM was lost (panic, end of qemu, time
# limit), its last console lines are on stderr.

# shellcheck source-path=SCRIPTDIR source=../../tools/lib.sh disable=SC1091
. "$(dirname "$0")/../../tools/lib.sh"

usage() {
	cat <<'END'
usage: boot.sh --initrd FILE [OPTION...] [-- QEMU-ARGUMENT...]
  --run WHAT          cases=a,b,c | demo | shell (default)
  --flavour F         kernel flavour (686-pae)
  --memory MB         (2048)        --cpus N      (2)
  --cpu MODEL         (n270,+pse,+rdrand)
  --append "ARGS"     more kernel command line
  --limit SECONDS     for the whole VM (600); none with --interactive
  --log FILE          where the console log goes (build/vm/console.log)
  --interactive       console on this terminal
  --accel A           qemu accelerator (tcg,thread=multi); /dev/kvm often cannot
                      run 32-bit guests, so it is only used when asked for
  --icount HOW        qemu's -icount: guest time counts instructions
END
}

top=$(cd "$(dirname "$0")/../.." && pwd)
run=shell flavour=686-pae memory=2048 cpus=2 append='' limit=600
log=$top/build/vm/console.log interactive='' initrd='' accel=tcg,thread=multi icount=''
# An Atom N270 is what the 32-bit machines still in use are like, and no kernel
# warns about it. rdrand, so that the random pool (and with it %p hashing) is
# ready at once; pse, which qemu forgets.
cpu=n270,+pse,+rdrand

options() {
	while [ $# -gt 0 ]; do
		case $1 in
		--interactive) interactive=yes; shift; continue ;;
		--help) usage; exit 0 ;;
		--) shift; break ;;
		esac
		[ $# -ge 2 ] || die "boot.sh: $1 needs a value, or is unknown (--help)"
		case $1 in
		--run) run=$2 ;;
		--flavour) flavour=$2 ;;
		--memory) memory=$2 ;;
		--cpus) cpus=$2 ;;
		--cpu) cpu=$2 ;;
		--append) append=$2 ;;
		--limit) limit=$2 ;;
		--log) log=$2 ;;
		--initrd) initrd=$2 ;;
		--accel) accel=$2 ;;
		--icount) icount=$2 ;;
		*) die "boot.sh: unknown option $1 (--help)" ;;
		esac
		shift 2
	done
	more=("$@")
}

# The larger log buffer keeps the mark of a case that logs much; devkmsg=on lets
# the guest write many marks. The kernel's tests of its ciphers and the search for
# ISA cards are 3 s of 10 of a boot here.
command_line() {
	local line="console=ttyS0 quiet panic=-1 oops=panic log_buf_len=4M printk.devkmsg=on"
	line+=" cryptomgr.notests noisapnp"
	line+=" vmtrace.run=\"$run\""
	if [ -n "$interactive" ]; then
		line+=" vmtrace.tty=1 vmtrace.term=${TERM:-vt220} vmtrace.size=$(stty size | tr ' ' x)"
	fi
	echo "$line $append"
}

# Not -nographic: that makes the firmware write its screen to the serial line.
qemu() {
	exec "${guard[@]}" qemu-system-i386 -accel "$accel" -cpu "$cpu" -smp "$cpus" -m "$memory" \
		-display none -no-reboot -net none -nodefaults -no-user-config \
		-chardev "stdio,id=con,mux=on,signal=off,logfile=$log.raw" \
		-serial chardev:con -mon chardev=con \
		-kernel "$kernel/boot/vmlinuz-$release" -initrd "$initrd" \
		${icount:+-icount "$icount"} -append "$(command_line)" ${more[@]+"${more[@]}"}
}

# Carriage returns and terminal sequences are for terminals.
plain() { sed -u 's/\x1b\[[0-9;?]*[A-Za-z]//g; s/\x1bc//g; s/\r//g'; }

boot() {
	if [ -n "$interactive" ]; then
		guard=()
		(qemu)
	else
		guard=(timeout --foreground -k 5 "$limit")
		boot_in_background
	fi
}

# In the background, so that a signal to us ends the machine too.
boot_in_background() {
	local out plain_pid machine rc=0
	exec {out}> >(plain)
	plain_pid=$!
	qemu </dev/null >&"$out" 2>&1 &
	machine=$!
	# shellcheck disable=SC2064  # the pid of now
	trap "kill $machine 2>/dev/null" TERM INT HUP
	wait "$machine" || rc=$?
	# A signal interrupts wait; the machine still has to go.
	wait "$machine" 2>/dev/null || true
	trap - TERM INT HUP
	exec {out}>&-
	wait "$plain_pid" || true
	return "$rc"
}

lost() {
	local why="the machine ended early"
	[ "$1" -ne 124 ] || why="time limit of $limit s"
	grep -q 'Kernel panic' "$log" && why=$(grep -o 'Kernel panic.*' "$log" | head -n 1)
	echo "VM lost: $why; last console lines (all in $log):" >&2
	tail -n 40 "$log" | sed 's/^/    | /' >&2
	exit 3
}

main() {
	local rc=0
	options "$@"
	[ -r "$initrd" ] || die "boot.sh: no initramfs: give --initrd FILE (tests/vm/initramfs.sh makes it)"
	command -v qemu-system-i386 >/dev/null || die "qemu-system-i386 is missing: run tools/packages.sh vm"
	kernel=$("$top/tools/kernel.sh" "$flavour")
	release=${kernel##*/}
	mkdir -p "$(dirname "$log")"
	rm -f "$log.raw"
	boot || rc=$?
	plain <"$log.raw" >"$log"
	rm -f "$log.raw"
	grep -q '^@@ done' "$log" || lost "$rc"
}

main "$@"
