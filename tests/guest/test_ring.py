# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Rings that are too small for what happens: what is lost is as was asked for, and counted."""

import os
import re
import signal
import subprocess
import time

import pytest
from harness import Guest, wait_until
from test_record import FORKS, Record, babeltrace, holds


@pytest.fixture(scope="module")
def small(arch):
    if arch == "arm64":
        pytest.skip("see test_no_recording_of_arm64")
    with Guest(arch, smp=1, via="run", run_args=["--event-ring", "64K"]) as guest:
        guest.sh("for m in first last; do ln -sf /bin/busybox /tmp/$m; done")
        yield guest


def record_stalled(guest, folder, how, seconds=None):
    """Forks while the recorder stands still: for that time, or until they are done."""
    record = Record(guest, folder, "sched", "--on-full", how)
    time.sleep(0.2)
    os.kill(record.process.pid, signal.SIGSTOP)
    guest.sh("/tmp/first; true", check=False)
    if seconds is None:
        guest.sh(f"for k in 1 2 3 4; do {FORKS}; done")
    else:
        guest.sh(f"({FORKS}; touch /tmp/done) >/dev/null 2>&1 &")
        time.sleep(seconds)
    os.kill(record.process.pid, signal.SIGCONT)
    if seconds is not None:
        guest.wait_for("[ -e /tmp/done ]")
        guest.sh("rm /tmp/done")

    def last():
        """Once it has caught up there is room again."""
        guest.sh("/tmp/last; true", check=False)
        return holds(folder, "/tmp/last")

    wait_until(last, "it records on", pause=0.3)
    assert record.stop() == 0
    lost = re.search(r"LOST: (\d+) packets overwritten, (\d+) events without room", record.stderr)
    assert bool(lost) != ("nothing lost" in record.stderr)
    return record, [int(n) for n in lost.groups()] if lost else [0, 0]


def execs(folder):
    """Programs that were run, in order."""
    r = Guest.oscope_run("export", "-t", folder, "--to", "csv", "-o", "-")
    assert r.returncode == 0, r.stderr
    return re.findall(r"sched_process_exec.*?(/[\w/-]+)", r.stdout)


def test_overwrite_loses_the_oldest(small, tmp_path):
    record, (packets, events) = record_stalled(small, tmp_path / "t", "overwrite")
    assert packets > 0 and events == 0
    seen = execs(record.folder)
    assert "/tmp/last" in seen and "/tmp/first" not in seen


def test_drop_loses_the_newest(small, tmp_path):
    record, (packets, events) = record_stalled(small, tmp_path / "t", "drop")
    assert packets == 0 and events > 0
    seen = execs(record.folder)
    assert "/tmp/first" in seen and "/tmp/last" in seen and len(seen) < 150
    told = subprocess.run(["babeltrace2", str(record.folder)], capture_output=True, text=True,
                          timeout=60)
    assert "discarded" in told.stderr


def test_wait_loses_nothing(small, tmp_path):
    """The guest stands still as long as its recorder does, and goes on."""
    record, lost = record_stalled(small, tmp_path / "t", "wait", 0.6)
    assert lost == [0, 0]
    assert len(execs(record.folder)) >= 50
    assert sum(name == "sched_process_exec" for name, *_ in babeltrace(record.folder)) >= 50


def test_nobody_waits_for_a_recorder_that_was_killed(small, tmp_path):
    record = Record(small, tmp_path / "t", "sched", "--on-full", "wait")
    os.kill(record.process.pid, signal.SIGSTOP)
    small.sh(f"({FORKS}) >/dev/null 2>&1 &")
    time.sleep(0.3)
    record.stop(signal.SIGKILL)
    small.sh(FORKS)
    wait_until(lambda: not small.oscope("probe", "list", "-o", "json"), "its probes go with it")


def test_four_recorders_can_keep_events(small, tmp_path):
    records = [Record(small, tmp_path / str(i), "sched", "--on-full", "drop") for i in range(4)]
    fifth = Guest.oscope_run("record", "-s", small.session, "-o", tmp_path / "5", "--on-full",
                             "drop", "--for", "1")
    assert fifth.returncode == 1 and "4 others" in fifth.stderr
    assert not (tmp_path / "5").exists()
    for r in records:
        assert r.stop() == 0


def test_the_last_of_it_compressed(small, tmp_path):
    """A flight recorder: what was long ago goes, and with it the names of who is no more."""
    folder = tmp_path / "t"
    record = Record(small, folder, "sched", "syscalls", "--ring", "1M", "-z", "--on-full", "wait")
    small.sh("/tmp/first; true", check=False)
    deadline = time.monotonic() + 90
    while (folder / "channel_0.0.zst").exists() and time.monotonic() < deadline:
        small.sh(FORKS)
        assert folder_bytes(folder) <= 1100 << 10
    for _ in range(4):
        small.sh(FORKS)
    small.sh("/tmp/last; true", check=False)
    assert record.stop() == 0
    assert folder_bytes(folder) <= 1 << 20
    seen = execs(folder)
    assert "/tmp/last" in seen and len(seen) > 10
    r = Guest.oscope_run("report", "sched", "-t", folder, "-o", "json")
    assert r.returncode == 0, r.stderr
    subprocess.run(["zstd", "-q", "-d", "--rm", *folder.glob("*.zst")], check=True)
    assert execs(folder) == seen
    assert sum(n == "sched_process_exec" for n, *_ in babeltrace(folder)) == len(seen)


def folder_bytes(folder):
    """Of the pieces that are there: the oldest may go meanwhile."""
    sizes = 0
    for p in folder.glob("channel_*"):
        try:
            sizes += p.stat().st_size
        except FileNotFoundError:
            pass
    return sizes
