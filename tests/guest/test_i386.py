# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""A 32-bit x86 kernel that a profile describes (tests/guest/i386), against its own counters.

A byte on its serial line makes it work, and it prints its counters inside of a system call (report).
The events between two such calls must be as many as the counters say.
"""

import collections
import json
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time

import pytest
from harness import ROOT
from harness.guest import OSCOPE

LIMIT = 60
FOLDER = ROOT / "tests/guest/i386"
REPORT = r"calls (\d+) switches (\d+) faults (\d+) timer (\d+) serial (\d+) woken (\d+)\r?\n"
COUNTERS = ("calls", "switches", "faults", "timer", "serial", "woken")
TIMER, SERIAL, CALL, FAULT = 32, 36, 64, 14


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("i386")
    with open(folder / "t.c", "w", encoding="ascii") as f:
        f.write("int x;\n")
    if subprocess.run(["gcc", "-m32", "-ffreestanding", "-c", "t.c"], cwd=folder, check=False,
                      capture_output=True).returncode:
        pytest.skip("this machine's gcc makes no 32-bit x86 code")
    subprocess.run(["make", "-s", "-C", FOLDER, f"OUT={folder}"], check=True, timeout=LIMIT)
    return folder / "kernel.elf"


class Kernel:
    """It under `oscope run`, with its serial line."""

    def __init__(self, qemu, kernel):
        self.session = f"i386-{os.getpid()}-{qemu}"
        self.text = ""
        self.process = subprocess.Popen(
            [OSCOPE, "run", "-q", "--name", self.session, "--vmlinux", kernel, "--profile",
             FOLDER / "kernel.profile", "--", qemu, "-kernel", kernel, "-m", "32", "-nodefaults",
             "-display", "none", "-monitor", "none", "-serial", "stdio"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def expect(self, pattern):
        """The match of the first such text, which is done with then."""
        deadline, out = time.monotonic() + LIMIT, self.process.stdout
        while not (m := re.search(pattern, self.text)):
            ready, _, _ = select.select([out], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"no answer in {LIMIT} s; so far:\n{self.text}"
            data = os.read(out.fileno(), 65536)
            assert data, self.text
            self.text += data.decode(errors="replace")
            assert "panic" not in self.text and "wrong" not in self.text, self.text
        self.text = self.text[m.end():]
        return m

    def work(self):
        self.process.stdin.write(b"g")
        return dict(zip(COUNTERS, map(int, self.expect(REPORT).groups())))

    def oscope(self, *args):
        r = subprocess.run([OSCOPE, *args, "-s", self.session], capture_output=True, text=True,
                           timeout=LIMIT, check=False)
        assert r.returncode == 0, r.stderr
        return r.stdout


@pytest.fixture(scope="module", params=["qemu-system-i386", "qemu-system-x86_64"])
def machine(request, kernel):
    if not shutil.which(request.param):
        pytest.skip(f"no {request.param}")
    with Kernel(request.param, kernel) as k:
        k.expect("ready")
        yield k


@pytest.fixture(scope="module")
def seen(machine):
    """Events between two reports, how much the counters grew in between, stderr."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        with subprocess.Popen([OSCOPE, "events", "sched", "syscalls", "modes", "faults", "irq", "lock",
                               "-s", machine.session, "-o", "json"], stdin=subprocess.DEVNULL, stdout=out,
                              stderr=err) as p:
            def reports():
                with open(f"/proc/self/fd/{out.fileno()}", encoding="utf-8") as f:
                    return f.read().count("syscall_exit_report")

            try:
                deadline = time.monotonic() + LIMIT
                while not (n := reports()): # until events come
                    assert time.monotonic() < deadline and p.poll() is None
                    before = machine.work()
                    time.sleep(0.2)
                after = machine.work()
                while reports() <= n:
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
            finally:
                p.send_signal(signal.SIGINT)
                p.wait(LIMIT)
        out.seek(0)
        err.seek(0)
        events = [json.loads(line) for line in out]
        notes = err.read()
    assert not [e for e in events if e.get("event") == "lost"]
    at = [i for i, e in enumerate(events) if e["event"] == "syscall_entry_report"][-2:]
    # The call that reports is counted before it does: the first is left out, the second is not.
    between = events[at[0] + 1:at[1] + 1]
    return between, {k: after[k] - before[k] for k in COUNTERS}, notes


def test_state(machine):
    deadline = time.monotonic() + LIMIT
    while True: # until both have begun, and sleep
        rows = json.loads(machine.oscope("ps", "-o", "json"))
        if [(r["pid"], r["comm"], r["state"]) for r in rows] == [(1, "ping", "S"), (2, "pong", "S")]:
            break
        assert time.monotonic() < deadline, rows
        time.sleep(0.05)
    assert all(r["prio"] is None and r["nice"] is None and r["uid"] is None for r in rows)
    assert "PRIO" not in machine.oscope("ps")
    assert machine.oscope("print", "P_SLEEPING + SYS_report").strip().endswith("= 8")


def test_profile(machine):
    lines = json.loads(machine.oscope("profile", "check", "-o", "json"))
    assert not [r for r in lines if r["result"] == "error"]


def test_counts(seen):
    events, grown, notes = seen
    assert not [e for e in events if e.get("partial")]
    n = collections.Counter(e["event"] for e in events)
    assert n["sched_switch"] == grown["switches"]
    assert n["sched_wakeup"] == n["sched_waking"] == grown["woken"]
    assert n["page_fault_entry"] == grown["faults"]
    assert n["irq_handler_entry"] == grown["serial"]
    entries = [e for e in events if e["event"].startswith("syscall_entry")]
    assert len(entries) == grown["calls"]
    traps = collections.Counter(e["cause"] for e in events if e["event"].startswith("trap_entry"))
    # of the second report the event is that of user mode; its trap comes behind it
    first = next(e["cause"] for e in events if e["event"].startswith("trap_entry")) == CALL
    assert traps == {TIMER: grown["timer"], SERIAL: grown["serial"], FAULT: grown["faults"],
                     CALL: grown["calls"] - 1 + first}
    assert "does not say [switch]" not in notes and "not known" not in notes


def test_calls(seen):
    events, _, _ = seen
    writes = [e for e in events if e["event"] == "syscall_entry_write"]
    assert {(e["tid"], e["buf"], e["n"]) for e in writes} == {(1, "ping\\n", 5)}
    results = collections.defaultdict(set)
    for e in events:
        if e["event"].startswith("syscall_exit"):
            results[e["event"], e["tid"]].add(e["ret"])
    assert results["syscall_exit_write", 1] == {5}
    assert results["syscall_exit_getpid", 2] == {2}
    assert results["syscall_exit_unknown", 1] == {-38}
    assert results["syscall_exit_yield", 1] == results["syscall_exit_yield", 2] == {0}


def test_locks(seen):
    """One that is had where the function jumps to another, instead of returning."""
    events, grown, notes = seen
    locks = [(e["event"], e["name"]) for e in events if e["event"].startswith("lock_")]
    assert collections.Counter(locks) == {(f"lock_{what}", "calls"): grown["calls"]
                                          for what in ("acquire", "acquired", "release")}
    assert "[spinlock]" not in notes


def test_switches(seen):
    """Each begins with what the one before ended with."""
    events, _, _ = seen
    switches = [e for e in events if e["event"] == "sched_switch"]
    for one, other in zip(switches, switches[1:]):
        assert (one["next_tid"], one["next_comm"]) == (other["prev_tid"], other["prev_comm"])
    assert {e["next_tid"] for e in switches} == {0, 1, 2}
    assert {e["prev_comm"] for e in switches if not e["prev_tid"]} == {"scheduler"}


def test_faults(seen):
    events, _, _ = seen
    faults = [e for e in events if e["event"] == "page_fault_entry"]
    assert all(int(str(e["address"]), 0) >= 0x40000000 for e in faults)
    ends = [e["address"] for e in events if e["event"] == "page_fault_exit"]
    assert ends == [e["address"] for e in faults]


def test_modes_agree(seen):
    """The privilege that a trap leaves is that to which the last return went."""
    events, _, _ = seen
    level = None
    for e in events:
        if e["event"].startswith("trap_entry"):
            assert level is None or e["from"] == level
            level = 0
        elif e["event"] == "trap_exit":
            level = e["to"]


def test_report(machine, tmp_path):
    """What traps are for is known live and of a recording."""
    folder = tmp_path / "trace"
    with subprocess.Popen([OSCOPE, "record", "-s", machine.session, "-o", folder, "--for", "3",
                           "traps", "sched"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as p:
        while p.poll() is None:
            machine.work()
            time.sleep(0.1)
    r = subprocess.run([OSCOPE, "report", "-t", folder, "traps", "-o", "json"], check=True,
                       capture_output=True, text=True, timeout=LIMIT)
    kinds = {r["cause"]: (r["name"], r["kind"]) for r in json.loads(r.stdout)
             if r["table"] == "causes"}
    assert kinds[TIMER] == ("timer", "timer")
    assert kinds[SERIAL] == ("uart", "external")
    assert kinds[CALL] == ("syscall", "syscall")
    assert kinds[FAULT] == ("page fault", "page fault")
