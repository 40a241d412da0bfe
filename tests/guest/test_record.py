# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Recordings: whole, readable by others, whatever happens to the recorder or the guest."""

import collections
import itertools
import json
import os
import re
import resource
import signal
import subprocess
import time

import pytest
from harness import Events, Guest, GuestError, try_again, wait_until
from harness.agent import AgentError
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


def holds(folder, text):
    """Whether a recording, as it stands on the disk, has that text (it is not compressed)."""
    return any(text.encode() in p.read_bytes() for p in folder.glob("channel_*"))


POINTS = ("mmio", "uart", "blk")  # sets of QEMU's trace points, which come into force by themselves


class Record:
    """`oscope record` in the background, from when its probes are in force."""

    def __init__(self, guest, folder, *sets, **popen):
        self.guest, self.folder = guest, folder
        kinds = {s in POINTS for s in sets if not s.startswith("-")} or {False}
        before = self.users()
        self.process = subprocess.Popen(
            [str(OSCOPE), "record", *sets, "-s", guest.session, "-o", str(folder)],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **popen)
        deadline = time.monotonic() + 60
        settled = time.monotonic() + 3  # a guest that stands still does not come to it
        while time.monotonic() < deadline and self.process.poll() is None:
            now = self.users()
            if all(now[kind] > before[kind] for kind in kinds) and (self.in_force or time.monotonic() > settled):
                return
            time.sleep(0.02)
        raise AssertionError(f"no probes in force: {self.process.communicate()}")

    def users(self):
        """Of trace points (True) and of all other probes (False): who has most."""
        most = {True: 0, False: 0}
        r = self.guest.oscope_run("probe", "-s", self.guest.session, "list", "-o", "json")
        assert r.returncode == 0, r.stderr
        self.in_force = "not in force yet" not in r.stderr
        for p in json.loads(r.stdout):
            kind = p["site"] == "trace point"
            most[kind] = max(most[kind], p["users"])
        return most

    def stop(self, how=signal.SIGINT):
        self.process.send_signal(how)
        self.stderr = self.process.communicate(timeout=60)[1]
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
    eventful.sh(f"{FORKS}; ln -sf /bin/busybox /tmp/killed; /tmp/killed 2>/dev/null; true")
    wait_until(lambda: holds(record.folder, "/tmp/killed"), "all is on the disk before the end")
    record.stop(signal.SIGKILL)
    assert sum(name == "sched_process_exec" for name, *_ in babeltrace(record.folder)) >= 50
    wait_until(lambda: eventful.oscope("probe", "list", "-o", "json") == [], "no probes are left")


def is_json(path):
    try:
        return json.loads(path.read_text()) is not None
    except ValueError:  # as far as it is written
        return False


def test_a_full_disk(eventful, tmp_path):
    """The error is told, what was written before can be read, the guest is unharmed."""
    record = Record(eventful, tmp_path / "t",
                    preexec_fn=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN))
    tasks = record.folder / "oscope/tasks.json"  # is written last, before it goes on to record
    wait_until(lambda: tasks.exists() and is_json(tasks), "tasks and symbols are written")
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
            os.kill(guest.pid, signal.SIGKILL)
            record.stderr = record.process.communicate(timeout=60)[1]
            seen.mark = lambda name: None
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
        try:
            guest.wait(20)
            status, now = guest.agent.run(boot, 5)
            if status == 0 and now.decode() != before:
                return
        except (AgentError, GuestError, OSError):  # it resets just now
            pass
        assert time.monotonic() < deadline, "it does not reboot"


def test_a_reboot_is_recorded_through(tmp_path, arch):
    """After a reset the new kernel is found, wherever KASLR put it, and its events come."""
    if arch == "arm64":
        pytest.skip("see test_no_recording_of_arm64")
    with Guest(arch, smp=2, via="run", extra=["-action", "reboot=reset"]) as guest:
        with Events(guest, "sched") as seen:
            reboot(guest)
            guest.sh("for m in on a b c d off; do ln -sf /bin/busybox /tmp/mark-$m; done")
            seen.mark("a")
        assert "the guest was reset" in seen.stderr


def test_nothing_is_lost_while_a_kernel_is_sought(tmp_path, arch):
    """From power-on through a reboot, with all sets: finding the kernels holds up no reading."""
    if arch == "arm64":
        pytest.skip("see test_no_recording_of_arm64")
    folders = (tmp_path / f"t{i}" for i in itertools.count())
    # a busy host may stall a reader for longer than the rings last
    folder, stderr = try_again(lambda: record_through_a_reboot(arch, next(folders)),
                               lambda r: "nothing lost" in r[1])
    assert "the guest was reset" in stderr and "nothing lost" in stderr, stderr
    events = babeltrace(folder)  # which would say if a packet were missing
    assert any("/tmp/mark-e" in f.get("filename", "") for _, _, f in events)


def record_through_a_reboot(arch, folder):
    """The folder, with a run of /tmp/mark-e at the end, and what it said."""
    with Guest(arch, smp=2, via="run", workload="quiet", extra=["-action", "reboot=reset"],
               run_args=["--event-ring", "8M"],
               wait=False) as guest:
        record = subprocess.Popen(
            [str(OSCOPE), "record", "all", "--no-cache", "--wait", "60", "-s", guest.session,
             "-o", str(folder)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        guest.wait()
        reboot(guest)
        guest.sh("ln -sf /bin/busybox /tmp/mark-e")

        def seen():
            guest.sh("/tmp/mark-e 2>/dev/null; true")
            return holds(folder, "/tmp/mark-e")

        wait_until(seen, "events of the second kernel", pause=0.5)
        record.send_signal(signal.SIGINT)
        stderr = record.communicate(timeout=60)[1]
    assert record.returncode == 0, stderr
    return folder, stderr


def test_events_lose_nothing_while_a_kernel_is_sought(tmp_path, arch):
    """Nor does a stream, whose rings reach back a fraction of the time that takes."""
    if arch == "arm64":
        pytest.skip("see test_no_recording_of_arm64")
    stderr, initcalls = try_again(lambda: events_of_a_boot(arch, tmp_path / "events"),
                                  lambda r: "lost" not in r[0] and r[1] > 100)
    assert "lost" not in stderr and initcalls > 100, stderr


def events_of_a_boot(arch, path):
    """What it said, and how many initcalls began."""
    with Guest(arch, smp=2, via="run", run_args=["--event-ring", "2M"], wait=False) as guest:
        with open(path, "w") as out:
            events = subprocess.Popen(
                [str(OSCOPE), "events", "all", "--no-cache", "--wait", "60", "-o", "json", "-s",
                 guest.session], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE,
                text=True)
            guest.wait(120)
            events.send_signal(signal.SIGINT)
            stderr = events.communicate(timeout=60)[1]
    assert events.returncode == 0, stderr
    with open(path) as f:
        return stderr, sum('"initcall_start"' in line for line in f)


def sites(guest):
    return guest.oscope("probe", "list", "-o", "json")


def test_probes_go_with_their_kernel(tmp_path, arch):
    """One that lies elsewhere each time that it boots: its probes go with the reset, even if nobody
    can look for the new one; and come to where that lies."""
    if arch != "amd64":
        pytest.skip("its kernel lies where it was linked to, or has no events")
    with Guest(arch, smp=2, via="run", extra=["-action", "reboot=reset"]) as guest:
        assert guest.oscope("info", "-o", "json")[0]["kaslr_offset"] not in (0, "0x0", None)
        record = Record(guest, tmp_path / "t", "sched", "modes")
        assert any(p["site"] == "function" for p in sites(guest))
        os.kill(record.process.pid, signal.SIGSTOP)
        try:
            reboot(guest)
            assert {p["site"] for p in sites(guest)} == {"idle", "resume"}
        finally:
            os.kill(record.process.pid, signal.SIGCONT)
        deadline = time.monotonic() + 30
        while not (here := [p for p in sites(guest) if p["name"] == "sched_switch"]):
            assert time.monotonic() < deadline, "its probes do not come back"
            time.sleep(0.1)
        where = guest.sh("grep ' __switch_to$' /proc/kallsyms").split()[0]
        assert [int(p["address"], 16) for p in here] == [int(where, 16)]
        guest.sh(f"ln -sf /bin/busybox /tmp/mark-f; {FORKS}; /tmp/mark-f 2>/dev/null; true")
        assert record.stop() == 0
    assert "events go on when its kernel is found" in record.stderr
    assert any("/tmp/mark-f" in f.get("filename", "") for _, _, f in babeltrace(record.folder))


def test_its_size_is_a_limit(eventful, tmp_path):
    """Of what is on the disk, whoever looks, until the end."""
    most = 300 << 10
    record = subprocess.Popen(
        [str(OSCOPE), "record", "sched", "--size", "300K", "-s", eventful.session, "-o",
         str(tmp_path / "t")], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while record.poll() is None and time.monotonic() < deadline:
        eventful.sh(FORKS)
        assert sum(f.stat().st_size for f in (tmp_path / "t").glob("channel_*")) <= most
    stderr = record.communicate(timeout=20)[1]
    assert record.returncode == 0 and "it has its size" in stderr and "nothing lost" in stderr
    size = sum(f.stat().st_size for f in (tmp_path / "t").glob("channel_*"))
    assert most - (64 << 10) < size <= most
    assert len(babeltrace(tmp_path / "t")) > 500
