# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Recordings: whole, readable by others, whatever happens to the recorder or the guest."""

import collections
import json
import os
import re
import resource
import signal
import subprocess
import time

import pytest
from harness import Events, Guest
from harness.guest import OSCOPE

FORKS = "i=0; while [ $i -lt 50 ]; do /bin/busybox true; i=$((i+1)); done"


def babeltrace(folder):
    """Events of a recording as babeltrace2 reads it, (name, cpu, {field: text}); no warnings."""
    r = subprocess.run(["babeltrace2", "--clock-seconds", str(folder)], capture_output=True,
                       text=True, errors="replace", timeout=120)
    assert r.returncode == 0 and r.stderr == "", r.stderr[-2000:]
    events = []
    for line in r.stdout.splitlines():
        m = re.match(r"\[([0-9.]+)\] \(\S+\) (?:\S+ )?(\w+): \{ cpu_id = (\d+) \}, .*?, \{ (.*?) ?\}$",
                     line)
        assert m, line
        fields = dict(re.findall(r"(\w+) = (\"(?:[^\"\\]|\\.)*\"|-?\w+)", m[4]))
        events.append((m[2], int(m[3]), fields))
    return events


class Record:
    """`oscope record` in the background, from when its probes are in force."""

    def __init__(self, guest, folder, *sets, **popen):
        self.guest, self.folder = guest, folder
        before = self.users()
        self.process = subprocess.Popen(
            [str(OSCOPE), "record", *sets, "-s", guest.session, "-o", str(folder)],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **popen)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            if self.users() > before:
                return
            time.sleep(0.02)
        raise AssertionError(f"no probes in force: {self.process.communicate()}")

    def users(self):
        return max((p["users"] for p in self.guest.oscope("probe", "list", "-o", "json")), default=0)

    def stop(self, how=signal.SIGINT):
        self.process.send_signal(how)
        self.stderr = self.process.communicate(timeout=20)[1]
        return self.process.returncode


def test_no_recording_of_arm64(guest1, tmp_path):
    if guest1.arch != "arm64":
        pytest.skip("has events")
    r = Guest.oscope_run("record", "-s", guest1.session, "-o", tmp_path / "t")
    assert r.returncode == 1 and "aarch64" in r.stderr and not (tmp_path / "t").exists()


def test_a_recording_has_what_events_show(eventful, tmp_path):
    """Two recorders and a stream at once: the same events between two marks."""
    guest = eventful
    first = Record(guest, tmp_path / "first", "sched")
    with Events(guest, "sched") as seen:
        second = Record(guest, tmp_path / "second", "sched")
        guest.sh(f"/tmp/mark-a 2>/dev/null; {FORKS}; /tmp/mark-b 2>/dev/null; true")
        assert second.stop() == 0
    assert first.stop() == 0
    lo, hi = seen.at("a"), seen.at("b")
    want = collections.Counter((e["event"], e["cpu"]) for e in seen.list if lo < e["time"] < hi)
    assert sum(n for (name, _), n in want.items() if name == "sched_process_exec") >= 50
    for record in first, second:
        assert "nothing lost" in record.stderr
        events = babeltrace(record.folder)
        marks = {f["filename"].strip('"')[-1]: i for i, (name, _, f) in enumerate(events)
                 if name == "sched_process_exec" and "/tmp/mark-" in f["filename"]}
        got = collections.Counter((name, cpu) for name, cpu, _
                                  in events[marks["a"] + 1:marks["b"]])
        assert got == want


def test_tasks_travel_with_it(eventful, tmp_path):
    record = Record(eventful, tmp_path / "t")
    assert record.stop() == 0
    tasks = json.loads((tmp_path / "t/oscope/tasks.json").read_text())
    live = {(t["tid"], t["tgid"], t["comm"]) for t in eventful.oscope("ps", "-t", "-o", "json")}
    kept = {(t["tid"], t["pid"], t["comm"]) for t in tasks}
    assert len(kept) >= 200 and len(kept - live) < 20
    assert (tmp_path / "t/oscope/symbols").stat().st_size > 1 << 20


def test_a_recording_begins_where_it_was_begun(eventful, tmp_path):
    """Not with what somebody else's probes published before."""
    with Events(eventful, "sched"):
        eventful.sh("/tmp/mark-c 2>/dev/null; true")
    record = Record(eventful, tmp_path / "t")
    eventful.sh("/tmp/mark-d 2>/dev/null; true")
    assert record.stop() == 0
    names = [f["filename"] for name, _, f in babeltrace(record.folder)
             if name == "sched_process_exec"]
    assert '"/tmp/mark-d"' in names and '"/tmp/mark-c"' not in names


def test_a_killed_recorder(eventful, tmp_path):
    record = Record(eventful, tmp_path / "t")
    eventful.sh(FORKS)
    time.sleep(1)
    record.stop(signal.SIGKILL)
    assert sum(name == "sched_process_exec" for name, *_ in babeltrace(record.folder)) >= 50
    deadline = time.monotonic() + 20
    while eventful.oscope("probe", "list", "-o", "json") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert eventful.oscope("probe", "list", "-o", "json") == []


def test_a_full_disk(eventful, tmp_path):
    """The error is told, what was written before can be read, the guest is unharmed."""
    record = Record(eventful, tmp_path / "t",
                    preexec_fn=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN))
    deadline = time.monotonic() + 20
    while not (record.folder / "oscope/tasks.json").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.2)
    resource.prlimit(record.process.pid, resource.RLIMIT_FSIZE, (2 * 65536, 2 * 65536))
    deadline = time.monotonic() + 60
    while record.process.poll() is None and time.monotonic() < deadline:
        eventful.sh(FORKS)
    stderr = record.process.communicate(timeout=20)[1]
    assert record.process.returncode == 1 and "File too large" in stderr, stderr
    assert len(babeltrace(record.folder)) > 1000
    assert eventful.sh("echo alive").strip() == "alive"


def test_a_guest_that_is_killed(tmp_path):
    """What QEMU had published when it died is all there."""
    with Guest("riscv64", smp=2, via="run", workload="quiet") as guest:
        with Events(guest, "sched") as seen:
            record = Record(guest, tmp_path / "t")
            guest.sh(FORKS)
            seen.process.terminate()
            seen.process.wait(10)
            time.sleep(0.3)
            os.kill(guest.pid, signal.SIGKILL)
            record.stderr = record.process.communicate(timeout=20)[1]
            seen._mark = lambda name: None
    assert record.process.returncode == 0 and "the guest has ended" in record.stderr
    execs = [name for name, *_ in babeltrace(record.folder) if name == "sched_process_exec"]
    assert len(execs) >= 50


def reboot(guest):
    """Returns when the new kernel's agent answers, however slow the host is."""
    boot = "cat /proc/sys/kernel/random/boot_id"
    before = guest.sh(boot)
    guest.sh("(usleep 300000; reboot -f) >/dev/null 2>&1 &", check=False)
    deadline = time.monotonic() + 120
    while True:
        time.sleep(1)
        guest.agent.close()
        guest.wait(90)
        if guest.sh(boot) != before:
            return
        assert time.monotonic() < deadline, "it does not reboot"


def test_a_reboot_is_recorded_through(tmp_path, arch):
    """After a reset the new kernel is found, wherever KASLR put it, and its events come."""
    if arch == "arm64":
        pytest.skip("see test_no_recording_of_arm64")
    with Guest(arch, smp=2, via="run", extra=["-action", "reboot=reset"]) as guest:
        with Events(guest, "sched") as seen:
            reboot(guest)
            guest.sh("for m in on a b c d off; do ln -sf /bin/busybox /tmp/mark-$m; done")
            time.sleep(1.5)
            guest.sh("/tmp/mark-a 2>/dev/null; true")
        assert seen.at("a")
        assert "the guest was reset" in seen.stderr


def test_nothing_is_lost_while_a_kernel_is_sought(tmp_path, arch):
    """From power-on through a reboot, with all sets: finding the kernels holds up no reading."""
    if arch == "arm64":
        pytest.skip("see test_no_recording_of_arm64")
    folder = tmp_path / "t"
    with Guest(arch, smp=2, via="run", workload="quiet", extra=["-action", "reboot=reset"],
               run_args=["--event-ring", "8M"],
               wait=False) as guest:
        record = subprocess.Popen(
            [str(OSCOPE), "record", "all", "--no-cache", "--wait", "60", "-s", guest.session,
             "-o", str(folder)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        guest.wait(90)
        reboot(guest)
        guest.sh("ln -sf /bin/busybox /tmp/mark-e")
        time.sleep(1.5)
        guest.sh("/tmp/mark-e 2>/dev/null; true")
        record.send_signal(signal.SIGINT)
        stderr = record.communicate(timeout=20)[1]
    assert record.returncode == 0 and "the guest was reset" in stderr, stderr
    assert "nothing lost" in stderr, stderr
    events = babeltrace(folder)  # which would say if a packet were missing
    assert any("/tmp/mark-e" in f.get("filename", "") for _, _, f in events)
