#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""unread.py VMTRACE RECORDING: the screen on a terminal that does not read, and on one that goes
away; what tests/screen.sh cannot do with tmux. A line "ok NAME" or "FAIL NAME: why" for each."""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

WAIT_S = 10
WRITE = ("1", "4")  # the number of the system call on amd64, on i386


class Screen:
    """vmtrace on a pty of its own, of which it is the controlling terminal."""

    def __init__(self, arguments, ignores_hangup=False):
        self.output = b""
        self.status = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", LANG="C.UTF-8")
            if ignores_hangup:
                signal.signal(signal.SIGHUP, signal.SIG_IGN)
            os.execv(arguments[0], arguments)
        self.resize(24, 80)

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self):
        """What is there now. False if there is no more to come."""
        while select.select([self.fd], [], [], 0.02)[0]:
            try:
                got = os.read(self.fd, 65536)
            except OSError:
                return False
            if not got:
                return False
            self.output += got
        return True

    def until(self, condition, reading=True):
        """Waits until condition() holds; reads meanwhile if asked to."""
        end = time.monotonic() + WAIT_S
        while not condition():
            if time.monotonic() > end:
                return False
            if not reading or not self.read():
                time.sleep(0.02)
        return True

    def sees(self, text):
        return self.until(lambda: text in self.output)

    def ended(self):
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None

    def painter_is_stuck(self):
        """A thread waits in a write to the terminal: the pty is full."""
        for task in os.listdir(f"/proc/{self.pid}/task"):
            try:
                with open(f"/proc/{self.pid}/task/{task}/syscall", encoding="ascii") as call:
                    if call.read().split()[0] in WRITE:
                        return True
            except OSError:
                pass
        return False

    def close(self):
        if not self.ended():
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        try:
            os.close(self.fd)
        except OSError:
            pass


def fill(screen):
    """Has it draw without reading what it draws, until it can write no more."""
    end = time.monotonic() + WAIT_S
    while not screen.painter_is_stuck():
        if time.monotonic() > end:
            return False
        screen.resize(60, 200)
        time.sleep(0.01)
        screen.resize(59, 199)
        time.sleep(0.01)
    return True


def say(name, good, why=""):
    print(f"ok {name}" if good else f"FAIL {name}: {why}", flush=True)


def stuck(arguments):
    screen = Screen(arguments)
    good = screen.sees(b"OWNERS") and fill(screen)
    say("a terminal that does not read: it fills up", good)
    began = time.monotonic()
    os.kill(screen.pid, signal.SIGTERM)
    good = screen.until(screen.ended, reading=False)
    took = time.monotonic() - began
    say("a terminal that does not read: SIGTERM ends it", good and screen.status == 0,
        f"status {screen.status} after {took:.1f} s")
    screen.close()


def stuck_and_killed(arguments):
    screen = Screen(arguments)
    good = screen.sees(b"OWNERS") and fill(screen)
    os.kill(screen.pid, signal.SIGSEGV)
    good = good and screen.until(screen.ended, reading=False)
    say("a terminal that does not read: a crash ends it", good and screen.status == -signal.SIGSEGV,
        f"status {screen.status}")
    screen.close()


def released(arguments):
    """A terminal that reads again has the newest picture, and keys work."""
    screen = Screen(arguments)
    good = screen.sees(b"OWNERS") and fill(screen)
    screen.output = b""
    screen.resize(24, 80)
    good = good and screen.until(lambda: b"OWNERS" in screen.output)
    screen.output = b""
    os.write(screen.fd, b"h")
    good = good and screen.sees(b"HOLES")
    os.write(screen.fd, b"q")
    good = good and screen.until(screen.ended)
    say("a terminal that reads again: it goes on", good and screen.status == 0,
        f"status {screen.status}, last {screen.output[-80:]!r}")
    screen.close()


def vanished(arguments, name, ignores_hangup):
    screen = Screen(arguments, ignores_hangup)
    good = screen.sees(b"OWNERS")
    os.close(screen.fd)
    good = good and screen.until(screen.ended, reading=False)
    say(name, good, f"status {screen.status}")
    screen.close()


def last_bytes(arguments):
    """What restores the terminal is the last of what the screen itself writes, also in a crash."""
    for number in (signal.SIGTERM, signal.SIGSEGV):
        screen = Screen(arguments)
        good = screen.sees(b"q quit")
        screen.output = b""
        os.kill(screen.pid, number)
        good = good and screen.until(screen.ended)
        screen.read()
        left = screen.output.rfind(b"\x1b[?1049l")
        shown = screen.output.rfind(b"\x1b[?25h"), screen.output.rfind(b"\x1b[?12l\x1b[?25h")
        say(f"{signal.Signals(number).name}: main screen and cursor come back",
            good and left >= 0 and max(shown) >= 0 and b"\x1b[?1049h" not in screen.output,
            f"{screen.output[-200:]!r}")
        screen.close()


def main():
    arguments = [sys.argv[1], "replay", sys.argv[2]]
    stuck(arguments)
    stuck_and_killed(arguments)
    released(arguments)
    vanished(arguments, "the terminal goes away: it ends", False)
    # As under nohup: it must see for itself that nobody is there.
    vanished(arguments, "the terminal goes away and SIGHUP is ignored: it ends", True)
    last_bytes(arguments)


if __name__ == "__main__":
    main()
