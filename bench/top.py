# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""`oscope top`: how soon it is there, and what it costs the host."""

import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import subprocess
import sys
import termios
import time

from common import BUILD, OSCOPE, cpu_seconds, memory_rows, row

from harness import Guest  # noqa: E402

BENCH_TUI = str(BUILD / "bench/bench_tui")


class Top:
    """`oscope top` on a pseudo-terminal whose output is read and dropped."""

    def __init__(self, guest, *args, width=120, height=40):
        self.begun = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.environ.update(TERM="xterm-256color", LC_ALL="C.UTF-8")
            os.execv(OSCOPE, [OSCOPE, "top", "-s", guest.session, *args])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def until(self, text, timeout=30):
        """ms since the start when the text was on the screen."""
        seen, deadline = b"", time.monotonic() + timeout
        while text not in seen:
            if time.monotonic() > deadline or not select.select([self.fd], [], [], timeout)[0]:
                sys.exit(f"bench: oscope top did not show {text}")
            seen = seen[-100:] + os.read(self.fd, 65536)
        return (time.perf_counter() - self.begun) * 1e3

    def press(self, key):
        os.write(self.fd, key.encode())

    def drain(self, seconds):
        """Reads for so long; bytes."""
        n, end = 0, time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                n += len(os.read(self.fd, 1 << 20))
        return n

    def cpu(self):
        """Seconds of CPU time so far."""
        return cpu_seconds(self.pid)

    def share(self, seconds):
        """Percent of a core."""
        before = self.cpu()
        self.drain(seconds)
        return (self.cpu() - before) / seconds * 100

    def share_of_frames(self, seconds, per_second):
        """The same while each frame is another one, so often: a key a frame; and how many came."""
        before, begun, drawn = self.cpu(), time.monotonic(), 0
        for i in range(seconds * per_second):
            self.press(("\x1bOB", "\x1bOA")[i % 2])  # down, up
            drawn += self.drain(begun + (i + 1) / per_second - time.monotonic()) > 0
        took = time.monotonic() - begun
        return (self.cpu() - before) / took * 100, drawn / took

    def close(self):
        os.kill(self.pid, signal.SIGTERM)
        while select.select([self.fd], [], [], 5)[0]:
            try:
                if not os.read(self.fd, 65536):
                    break
            except OSError:
                break
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def bench_top_busy(seconds, starts):
    """Of a guest that does as much as it can."""
    sets = ("sched", "syscalls", "traps", "faults", "irq", "modes", "mmio", "uart", "blk")
    with Guest("riscv64", smp=4, via="run", workload="mixed") as guest:
        times = []
        for _ in range(starts):
            top = Top(guest)
            times.append(top.until(b"kthreadd"))
            top.close()
        row("top: first screen with tasks", f"{statistics.median(times):.0f} ms", "<= 200")
        top = Top(guest, *sets)
        top.until(b"kthreadd")
        top.drain(12)
        row("top: of a core, busy 4 vCPUs, all views' sets on", f"{top.share(seconds):.1f} %", "<= 15")
        memory_rows("top: RSS, all views' sets on, overview", top.pid, 32)
        shares = {}
        for tab in "23456789":
            top.press(tab)
            top.drain(1)
            shares[tab] = top.share(seconds / 2)
        tab = max(shares, key=shares.get)
        row(f"  the same, the tab that takes most ({tab})", f"{shares[tab]:.1f} %", "<= 15")
        memory_rows("top: RSS, all views' sets on, all tabs seen", top.pid, 32)
        top.close()


def bench_top(args):
    """The screen: how soon it is there, and what it costs the host."""
    seconds = 4 if args.quick else 20
    bench_top_busy(seconds, 5 if args.quick else 15)
    with Guest("riscv64", smp=1, via="run", workload="quiet") as guest:
        top = Top(guest)
        top.until(b"kthreadd")
        top.drain(2)
        row("top: of a core, idle guest, overview", f"{top.share(seconds):.1f} %", "<= 2")
        top.press("2")
        top.drain(1)
        row("  the same, tasks", f"{top.share(seconds):.1f} %", "<= 2")
        share, frames = top.share_of_frames(seconds, 10)
        row(f"  the same, a key for each of {frames:.1f} frames a second", f"{share:.1f} %", "<= 2")
        top.close()
    out = subprocess.run([BENCH_TUI, "10000", "50" if args.quick else "300"], check=True,
                         stdin=subprocess.DEVNULL, capture_output=True, text=True)
    for name, rest in re.findall(r"(?m)^(.{34}) +(.*)$", out.stdout + out.stderr):
        row(f"top: 10,000 tasks, {name.strip()}", *frame_rate(rest))


def frame_rate(text):
    """A line of bench_tui's, and what is aimed at."""
    ms = float(text.split()[0])
    return f"{ms:.2f} ms, {1000 / ms:.0f}/s", ">= 30/s"
