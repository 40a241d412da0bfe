# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""`oscope events` in the background, its lines as dictionaries."""

import json
import signal
import subprocess
import tempfile
import time

from .guest import OSCOPE


def in_order(events):
    """Each vCPU's came in the order of their times; of all but a few that a busy host held back."""
    cpus = {}
    for e in events:
        cpus.setdefault(e["cpu"], []).append(e["time"])
    late = sum(a["time"] > b["time"] for a, b in zip(events, events[1:]))
    return all(times == sorted(times) for times in cpus.values()) and late <= len(events) // 100


class Events:
    """Events of a guest's sets, from `with` on until it ends; then .list (by time; .arrived as they
    came) and .stderr are whole.

    Marks are runs of a program that does not exist otherwise: mark("b") in the guest is an
    sched_process_exec event of /tmp/mark-b, see at().
    """

    def __init__(self, guest, *sets):
        self.guest = guest
        self.args = [str(OSCOPE), "events", *sets, "-s", guest.session, "-o", "json"]
        self.list = self.arrived = []
        self.stderr = ""

    def __enter__(self):
        self.out = tempfile.TemporaryFile("w+")
        self.err = tempfile.TemporaryFile("w+")
        self.guest.sh("for m in on a b c d off; do ln -sf /bin/busybox /tmp/mark-$m; done")
        self.process = subprocess.Popen(self.args, stdin=subprocess.DEVNULL, stdout=self.out,
                                        stderr=self.err)
        self.mark("on")
        return self

    def mark(self, name):
        """Runs the mark until it is seen: from then on, or until then, nothing is missing."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self.process.poll() is None:
            self.guest.sh(f"/tmp/mark-{name} 2>/dev/null || true")
            time.sleep(0.05)
            with open(f"/proc/self/fd/{self.out.fileno()}") as f:
                if f"/tmp/mark-{name}" in f.read():
                    return
        self.__exit__()
        raise AssertionError(f"no events came: {self.stderr}")

    def __exit__(self, *exc):
        if exc and exc[0] is None:
            self.mark("off")
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.status = self.process.wait(60)
        self.out.seek(0)
        self.err.seek(0)
        self.stderr = self.err.read()
        self.arrived = [json.loads(line) for line in self.out]
        self.list = sorted(self.arrived, key=lambda e: e["time"])
        self.out.close()
        self.err.close()

    def at(self, name):
        """Time of the last run of a mark."""
        return max(e["time"] for e in self.list if e["event"] == "sched_process_exec"
                   and e["filename"] == f"/tmp/mark-{name}")

    def count(self, event, after, before):
        """How many events of that name lie between two marks."""
        lo, hi = self.at(after), self.at(before)
        return sum(1 for e in self.list if e["event"] == event and lo < e["time"] < hi)
