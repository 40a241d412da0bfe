# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Events of a kernel that a profile describes: the teaching kernel's, against its own counters.

The shell is asked for the counters, for some work, and for the counters again. Each report is made
inside of a system call (`report`), and the events between the two calls must be as many as the
counters say; all else of the guest is at rest at both moments, but for timer interrupts.
"""

import collections
import json
import os
import re
import signal
import subprocess
import tempfile
import time

import pytest
from harness import ROOT, boot_command
from harness.guest import OSCOPE
from test_teachos import LIMIT, Teachos

FOLDER = ROOT / "guests/teachos"
REPORT_STATS = 1  # enum report, guests/teachos/abi.h
PAGE_FAULTS = {12, 13, 15}
TIMER, EXTERNAL, IPI, ECALL = 0x8005, 0x8009, 0x8001, 8
SETS = ("sched", "syscalls", "modes", "faults", "irq")


def pytest_generate_tests(metafunc):
    if "watched" in metafunc.fixturenames:
        counts = [int(n) for n in metafunc.config.getoption("--smp").split(",")]
        metafunc.parametrize("watched", counts, ids=[f"smp{n}" for n in counts], indirect=True,
                             scope="module")


class Watched(Teachos):
    """The kernel under `oscope run`, with its console."""

    def __init__(self, smp, profile=True):
        self.text, self.seen, self.smp = "", 0, smp
        self.session = f"teachos-{os.getpid()}-{smp}{'' if profile else '-bare'}"
        self.model = ["--vmlinux", FOLDER / "kernel.elf"]
        if profile:
            self.model += ["--profile", FOLDER / "teachos.profile"]
        self.process = subprocess.Popen(
            [OSCOPE, "run", "-q", "--name", self.session, *self.model, "--",
             *boot_command("teachos", smp=smp, mem="128M")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, stderr=subprocess.STDOUT,
            start_new_session=True)

    def __exit__(self, *exc):
        try:
            self.process.stdin.write(b"halt\n")
            self.process.wait(10)
        except (OSError, subprocess.TimeoutExpired):
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def oscope(self, *args):
        r = subprocess.run([OSCOPE, *args, "-s", self.session], capture_output=True, text=True,
                           timeout=LIMIT, check=False)
        assert r.returncode == 0, r.stderr
        return r.stdout, r.stderr

    def events(self, sets, work):
        """All events from before the first line of work until after the last, and what its lines
        gave."""
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            with subprocess.Popen([OSCOPE, "events", *sets, "-s", self.session, "-o", "json"],
                                  stdin=subprocess.DEVNULL, stdout=out, stderr=err) as p:
                try:
                    self._until_seen(p, out)
                    answers = [self.type(line) for line in work]
                    self._until_seen(p, out)
                finally:
                    p.send_signal(signal.SIGINT)
                    p.wait(LIMIT)
            out.seek(0)
            err.seek(0)
            seen, notes = [json.loads(line) for line in out], err.read()
        assert not [e for e in seen if e.get("event") == "lost"], "events were lost"
        return seen, answers, notes

    def _until_seen(self, process, out):
        """Starts programs until one more of them is seen."""
        def count():
            with open(f"/proc/self/fd/{out.fileno()}") as f:
                return f.read().count('"nosuch"')

        deadline = time.monotonic() + LIMIT
        while True:
            assert time.monotonic() < deadline and process.poll() is None, "no events come"
            before = count()
            self.type("run nosuch")
            time.sleep(0.1)
            if count() > before:
                return


@pytest.fixture(scope="module")
def watched(request):
    subprocess.run([ROOT / "guests/fetch.sh", "teachos"], check=True, timeout=300)
    with Watched(request.param) as w:
        w.prompt()
        yield w


WORK = ("stats", "run forkstorm 60", "run syscalls 500", "run toucher 100", "run pingpong 50",
        "run crash null", "stats")


def reports_in(events):
    """Where the two reports begin."""
    found = [i for i, e in enumerate(events)
             if e["event"] == "syscall_entry_report" and e["kind"] == REPORT_STATS]
    assert len(found) == 2
    return found


@pytest.fixture(scope="module")
def told(watched):
    """All events of the work, what its lines gave, stderr."""
    return watched.events(SETS, WORK)


@pytest.fixture(scope="module")
def seen(told):
    """Events between two reports, how much the counters grew in between, stderr."""
    events, answers, notes = told
    reports = reports_in(events)
    before, after = ({k: int(v) for k, v in re.findall(r"^stats: (\w+) (\d+)$", a, re.M)}
                     for a in (answers[0], answers[-1]))
    times = [events[i]["time"] for i in reports]
    # The call that reports is counted before it does: the first is left out, the second is not.
    between = [e for e in events if times[0] < e["time"] <= times[1]]
    return between, collections.Counter(
        {k: v - before.get(k, 0) for k, v in after.items()}), notes


def table(text, name):
    """Rows of a report's table."""
    return [r for r in json.loads(text) if r["table"] == name]


def count(events):
    return collections.Counter(e["event"] for e in events)


def test_nothing_missing(seen):
    events, _, notes = seen
    assert not [e for e in events if e.get("partial")]
    assert notes.count("note:") <= 2 and "does not say" not in notes, notes


def test_scheduler(seen, watched):
    events, grown, _ = seen
    n = count(events)
    assert {k: n[k] for k in ("sched_switch", "sched_wakeup", "sched_waking", "sched_process_fork",
                              "sched_process_exit", "sched_process_exec")} == {
        "sched_switch": grown["switches"], "sched_wakeup": grown["wakeups"],
        "sched_waking": grown["wakeups"], "sched_process_fork": grown["forks"],
        "sched_process_exit": grown["exits"], "sched_process_exec": grown["execs"]}
    for cpu in range(watched.smp):
        mine = [e for e in events if e["event"] == "sched_switch" and e["cpu"] == cpu]
        assert len(mine) == grown[f"switches_cpu{cpu}"]
        for a, b in zip(mine, mine[1:]):
            assert a["next_tid"] == b["prev_tid"] and a["next_comm"][:4] != ""
    switches = [e for e in events if e["event"] == "sched_switch"]
    assert {e["prev_comm"] for e in switches if e["prev_tid"] == 0} <= {"idle"}
    ended = [e["tid"] for e in events if e["event"] == "sched_process_exit"]
    zombies = [e["prev_tid"] for e in switches if e["prev_state"] == 0x20]
    assert sorted(ended) == sorted(zombies) and len(set(ended)) == len(ended)
    programs = collections.Counter(e["filename"] for e in events
                                   if e["event"] == "sched_process_exec")
    assert programs["true"] == 60 and programs["forkstorm"] == 1


def test_system_calls(seen):
    events, grown, _ = seen
    n = count(events)
    for key, times in grown.items():
        if key.startswith("syscall_") and key != "syscall_invalid":
            assert n[key.replace("syscall_", "syscall_entry_")] == times, key
    begun = {k[14:]: v for k, v in n.items() if k.startswith("syscall_entry_")}
    ended = {k[13:]: v for k, v in n.items() if k.startswith("syscall_exit_")}
    assert ended["fork"] == 2 * begun["fork"] and "exit" not in ended
    for name in ("getpid", "uptime", "yield", "wait", "send", "receive", "sbrk"):
        assert begun[name] == ended[name], name
    assert begun["getpid"] >= 500 and begun["uptime"] == 250
    forks = [e for e in events if e["event"] == "syscall_exit_fork"]
    children = {e["tid"] for e in forks if e["ret"] == 0}
    assert children == {e["ret"] for e in forks if e["ret"] > 0}
    assert children == {e["child_tid"] for e in events if e["event"] == "sched_process_fork"}
    pids = {(e["tid"], e["ret"]) for e in events if e["event"] == "syscall_exit_getpid"}
    assert all(tid == ret for tid, ret in pids)
    names = {e["name"] for e in events if e["event"] == "syscall_entry_exec"}
    assert {"forkstorm", "true", "toucher"} <= names
    written = [e for e in events if e["event"] == "syscall_entry_write"]
    assert any("toucher: 100 pages" in e["buf"] for e in written)


def traps_around(events):
    """How often there was each cause from the first report's end to the second's beginning, and
    from the first one's beginning to the second one's end."""
    def end(i):
        return next(e["time"] for e in events[i:] if e["event"] == "syscall_exit_report"
                    and e["tid"] == events[i]["tid"])

    first, second = reports_in(events)
    return [collections.Counter(e["cause"] for e in events if e["event"].startswith("trap_entry")
                                and lo < e["time"] < hi)
            for lo, hi in ((end(first), events[second]["time"]), (events[first]["time"], end(second)))]


def test_traps_and_faults(seen, told, watched):
    events, grown, _ = seen
    causes = collections.Counter(e["cause"] for e in events if e["event"].startswith("trap_entry"))
    assert causes[ECALL] == grown["syscalls"]
    assert sum(causes[c] for c in PAGE_FAULTS) == grown["page_faults"]
    # Other CPUs go on with these while one reports; and each may have begun what it has yet to count.
    inner, outer = traps_around(told[0])
    for cause, key in ((TIMER, "timer"), (EXTERNAL, "external"), (IPI, "ipi")):
        assert inner[cause] - watched.smp <= grown[key] <= outer[cause] + watched.smp, key
    n = count(events)
    assert n["page_fault_entry"] == grown["page_faults"]
    assert n["page_fault_exit"] == grown["page_faults"] - 1, "the one of crash is never served"
    touched = [e for e in events if e["event"] == "page_fault_entry" and e["comm"] == "toucher"]
    pages = {int(e["address"], 16) >> 12 for e in touched}
    assert len(pages) == len(touched) == 100
    assert all(e["area"] == 4 and e["flags"] == 0x41 for e in touched)
    assert pages <= {int(e["address"], 16) >> 12 for e in events
                     if e["event"] == "page_fault_exit"}


def test_interrupts(seen):
    events, _, _ = seen
    begun = [e for e in events if e["event"] == "irq_handler_entry"]
    ended = [e for e in events if e["event"] == "irq_handler_exit"]
    assert len(begun) >= len(WORK) - 1, "each line that is typed comes by some"
    # The shell may ask for its report, and another CPU's handler that woke it be not yet at its end.
    assert abs(len(begun) - len(ended)) <= 1
    for cpu in {e["cpu"] for e in begun}:
        mine = [e["event"] for e in events if e["cpu"] == cpu and e["event"].startswith("irq_handler_")]
        assert all(a != b for a, b in zip(mine, mine[1:]))
    assert {(e["irq"], e["name"], e["hwirq"]) for e in begun} == {(10, "uart", 10)}
    traps = [e for e in events if e["event"] == "trap_entry" and e["cause"] == EXTERNAL]
    assert len(begun) <= len(traps)


def test_modes_add_up(watched):
    text, notes = watched.oscope("report", "modes", "--for", "3", "-o", "json")
    assert "contradict" not in text + notes
    rows = table(text, "cpus")
    assert len(rows) == watched.smp
    for row in rows:
        shares = [v for k, v in row.items() if k.endswith("_share")]
        assert abs(sum(shares) - 100) < 0.1, row
        assert row["firmware"] > 0 and row["unknown_share"] < 50, row


def test_gantt(watched):
    text, _ = watched.oscope("report", "sched", "--gantt", "--for", "1")
    assert len(re.findall(r"^cpu \d+ +\|", text, re.M)) == watched.smp


def test_without_a_profile(watched, tmp_path):
    """Only the ELF file: traps and calls are the architecture's."""
    with Watched(1, profile=False) as bare:
        bare.prompt()
        text, notes = bare.oscope("report", "traps", "--for", "1", "-o", "json")
        assert "stvec" in text + notes
        assert {"supervisor timer interrupt"} <= {r["name"] for r in table(text, "causes")}
        path = tmp_path / "events"
        with open(path, "w") as file:
            out = subprocess.Popen([OSCOPE, "events", "syscalls", "-s", bare.session, "-o", "json"],
                                   stdout=file, stderr=subprocess.PIPE, text=True)
        bare.until(lambda: bare.type("run nosuch"), lambda _: "syscall_" in path.read_text())
        bare.type("run syscalls 50")

        def calls():
            whole = path.read_text().rpartition("\n")[0]
            events = [json.loads(line) for line in whole.splitlines()]
            return [e for e in events if e["event"] == "syscall_entry_unknown" and e["nr"] == 5]

        bare.until(calls, lambda asked: len(asked) >= 50)
        out.send_signal(signal.SIGINT)
        errors = out.communicate(timeout=LIMIT)[1]
        asked = calls()
        assert len(asked) == 50 and {e["tid"] for e in asked} == {-1}
        assert "no names" in errors and "satp" in errors


def test_records_without_a_profile(watched, tmp_path):
    with Watched(1, profile=False) as bare:
        bare.prompt()
        bare.oscope("record", "--for", "1", "-o", tmp_path / "rec", "traps")
        r = subprocess.run([OSCOPE, "report", "-t", tmp_path / "rec", "traps", "-o", "json"],
                           capture_output=True, text=True, timeout=LIMIT, check=True)
        assert {"supervisor timer interrupt"} <= {e["name"] for e in table(r.stdout, "causes")}


def test_names_that_no_event_tells(watched):
    """Who computes all the time is not switched to: its name is in the process table only."""
    n = watched.smp
    watched.type(f"run spinner {n} 120000 &")
    watched.until(watched.ps, lambda rows: sum("child" in r[6] for r in rows) == n)
    text, _ = watched.oscope("report", "modes", "--for", "0.5", "-o", "json")
    busy = [r for r in table(text, "tasks") if r["user"] > 100e6]
    assert busy and {r["comm"] for r in busy} <= {"child", "spinner/child"}
    watched.kill("spinner/child")
