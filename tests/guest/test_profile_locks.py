# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Locks and pages of the teaching kernel: the events against its own counters, and the reports that
are to find its troubles.

The kernel sums its counters up inside of a system call, before it takes a lock to print them. What
other CPUs do between the call and that moment may be counted or not: the number of such events,
none as a rule, is all that the counters may differ by; and where another CPU is just then between an
event and the counter, one.
"""

import collections
import contextlib
import json
import re
import signal
import subprocess
import time

import pytest
from test_profile_events import (LIMIT, OSCOPE, REPORT_STATS, Watched, pytest_generate_tests, table,
                                 watched)

__all__ = ["pytest_generate_tests", "watched"]
COUNTED = {("lock_acquired", "spin"): "spin_locks", ("lock_acquired", "sleep"): "sleep_locks",
           ("kmem_mm_page_alloc", None): "pages_allocated",
           ("kmem_mm_page_free", None): "pages_freed"}
KINDS = {1: "spin", 2: "sleep"}
SHELL = 2  # its pid; init's is 1


def over(rows):
    """Has all ended but init and the shell? (A child has the shell's name until it is another program.)"""
    return all(r[2] == "zombie" for r in rows if r[0] > SHELL)


def work(watched):
    """The shell's lines; `trouble` goes on in the background, until nothing of it is left."""
    yield "stats"
    yield "trouble inversion 100"
    yield from ("run forkstorm 60", "run syscalls 300", "run pingpong 50")
    watched.until(watched.ps, over)
    yield "trouble inversion off"
    watched.until(watched.ps, over)
    yield "stats"


@pytest.fixture(scope="module")
def seen(watched):
    """Events, the indices of both reports, how much the counters grew in between, stderr."""
    watched.type("run true")
    events, answers, notes = watched.events(("syscalls", "sched", "lock", "kmem"), work(watched))
    reports = [i for i, e in enumerate(events)
               if e["event"] == "syscall_entry_report" and e["kind"] == REPORT_STATS]
    assert len(reports) == 2
    before, after = ({k: int(v) for k, v in re.findall(r"^stats: (\w+) (\d+)$", a, re.M)}
                     for a in (answers[0], answers[-1]))
    return events, reports, {k: v - before.get(k, 0) for k, v in after.items()}, notes


def counters(events):
    n = collections.Counter()
    for e in events:
        n[COUNTED.get((e["event"], KINDS.get(e.get("kind")) if "lock" in e else None))] += 1
    return n


def test_events_are_what_the_kernel_counts(seen, watched):
    events, reports, grown, notes = seen
    assert not [e for e in events if e.get("partial")]
    assert "does not say" not in notes, notes
    # The report's own task takes the console's lock once it has the sums; interrupts it meets before,
    # others.
    summed = [next(i for i in range(r, len(events)) if events[i]["event"] == "lock_acquire"
                   and events[i]["tid"] == events[r]["tid"] and events[i]["name"] == "console")
              for r in reports]
    least = counters(events[summed[0]:reports[1]])
    most = counters(events[reports[0]:summed[1]])
    others = watched.smp - 1
    # what the others do while the report's task goes from its call to its sums, twice
    wide = 50 + 600 * sum(events[s]["time"] - events[r]["time"] for s, r in zip(summed, reports)) / 1e9
    for name in COUNTED.values():
        assert least[name] - others <= grown[name] <= most[name] + others, name
        assert most[name] - least[name] <= wide, name
        assert grown[name] > 0, name
    assert grown["spin_locks"] > 2000 and grown["pages_allocated"] > 500


def test_who_takes_what(seen):
    events = seen[0]
    locks = collections.defaultdict(set)
    for e in events:
        if "lock" in e:
            locks[e["lock"], e["kind"]].add(e["name"])
    assert all(len(names) == 1 for names in locks.values()), locks
    assert {"sched", "pages", "mail", "console"} <= set().union(*locks.values())
    callers = {e["caller_symbol"].split("+")[0] for e in events
               if e["event"] == "kmem_mm_page_alloc"}
    assert {"sys_exec", "vm_create", "vm_add_page"} <= callers
    assert all(e["bytes"] == 4096 for e in events if e["event"].startswith("kmem_"))
    # A CPU wants, has and gives back. (An interrupt may come before its first instruction.)
    for cpu in {e["cpu"] for e in events}:
        wanted, held = [], []
        for e in events:
            if e["cpu"] != cpu or "lock" not in e or KINDS[e["kind"]] != "spin":
                continue
            if e["event"] == "lock_acquire":
                wanted.append(e["lock"])
            elif e["event"] == "lock_acquired":
                assert wanted.pop() == e["lock"]
                held.append(e["lock"])
            elif held:  # the first one's beginning may not have been seen
                held.remove(e["lock"])
        assert len(wanted) <= 2 and len(held) <= 2
    low = [e for e in events if e["event"] == "lock_acquired" and e["name"] == "lock C"]
    assert "low" in {e["comm"] for e in low}


@contextlib.contextmanager
def recording(watched, path, *sets):
    """From when the sets' probes stand."""
    with subprocess.Popen([OSCOPE, "record", "-s", watched.session, "-o", path, *sets],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True) as p:
        try:
            deadline, fired = time.monotonic() + LIMIT, 0
            while not fired:  # all of them stand, or none
                assert time.monotonic() < deadline and p.poll() is None, "the recording begins late"
                watched.type("run true")
                rows = json.loads(watched.oscope("probe", "list", "-o", "json")[0] or "[]")
                fired = sum(r["fired"] for r in rows)
            yield
        finally:
            p.send_signal(signal.SIGINT)
            out, _ = p.communicate(timeout=LIMIT)
    assert p.returncode == 0 and "nothing lost" in out, out


def report(view, path, *options):
    r = subprocess.run([OSCOPE, "report", view, "-t", path, "-o", "json", *options],
                       capture_output=True, text=True, timeout=LIMIT, check=True)
    return r.stdout, r.stderr


def test_deadlock(watched, tmp_path):
    stuck = {("wants A", "lock A"), ("wants B", "lock B")}

    def waiting():
        return {(r[6], r[7]) for r in watched.ps()}

    with recording(watched, tmp_path / "rec", "lock"):
        watched.type("trouble deadlock")
        watched.until(waiting, lambda rows: stuck <= rows)
        pids = {r[6]: r[0] for r in watched.ps()}
    text, notes = report("locks", tmp_path / "rec")
    circle = {r["tid"]: r for r in table(text, "deadlocks")}
    a, b = pids["wants A"], pids["wants B"]
    assert circle.keys() == {a, b}
    assert (circle[a]["has_name"], circle[a]["wants_name"]) == ("lock B", "lock A")
    assert (circle[b]["has_name"], circle[b]["wants_name"]) == ("lock A", "lock B")
    assert all(r["deadlock"] == 1 and r["has_from"].startswith("sys_lock+")
               and r["wants_from"].startswith("sys_lock+") for r in circle.values())
    assert "DEADLOCK" in text + notes
    assert {(r["name"], r["tid"], r["holder"]) for r in table(text, "waiters")
            if r["kind"] == "sleep"} == {("lock A", a, b), ("lock B", b, a)}
    inverse = [r for r in table(text, "inversions")
               if {r["first_name"], r["second_name"]} == {"lock A", "lock B"}]
    assert len(inverse) == 1 and inverse[0]["count"] == inverse[0]["inverse"] == 1
    # Who waits already when the events begin is not seen; nor is that a deadlock's end.
    with recording(watched, tmp_path / "end", "lock"):
        watched.type(f"kill {b}")
        watched.until(waiting, lambda rows: not {r[0] for r in rows} & {"wants A", "wants B"})
    text, notes = report("locks", tmp_path / "end")
    assert not table(text, "deadlocks") and "DEADLOCK" not in text + notes
    assert all(r["tid"] == -1 and not r["waiters"] for r in table(text, "locks")
               if r["kind"] == "sleep")


def test_killed_while_it_waits(watched, tmp_path):
    """A wait that ends without the lock: the function says so by its result."""
    with recording(watched, tmp_path / "rec", "lock"):
        watched.type("trouble deadlock")
        watched.until(watched.ps, lambda rows: {("wants A", "lock A"), ("wants B", "lock B")}
                      <= {(r[6], r[7]) for r in rows})
        pids = {r[6]: r[0] for r in watched.ps()}
        watched.type(f"kill {pids['wants B']}")
        watched.until(watched.ps, lambda rows: not {r[6] for r in rows} & {"wants A", "wants B"})
    text, _ = report("locks", tmp_path / "rec")
    rows = {r["name"]: r for r in table(text, "locks") if r["kind"] == "sleep"}
    assert (rows["lock A"]["acquisitions"], rows["lock A"]["contended"]) == (2, 1)
    assert (rows["lock B"]["acquisitions"], rows["lock B"]["failed"]) == (1, 1)
    assert not table(text, "waiters") and not table(text, "deadlocks")
    assert len(table(text, "inversions")) == 1


def test_leak(watched, tmp_path):
    with recording(watched, tmp_path / "rec", "kmem"):
        watched.type("run true")
        watched.type("trouble leak 30")
        watched.until(watched.ps, over)
    watched.type("trouble leak off")
    text, notes = report("pages", tmp_path / "rec")
    (total,), sites = table(text, "total"), table(text, "sites")
    left = {r["caller"].split("+")[0]: r["outstanding"] for r in sites if r["outstanding"]}
    assert left == {"sys_exec": 30}
    assert sites[0]["caller"].startswith("sys_exec+") and sites[0]["bytes"] == 30 * 4096
    assert total["outstanding"] == 30 == len(table(text, "pages"))
    assert total["double_frees"] == total["failed"] == 0
    assert "DOUBLE FREE" not in text + notes
    assert {r["comm"] for r in table(text, "pages")} <= {"trouble", "trouble/child", "true", "child"}


def test_live(watched):
    text, _ = watched.oscope("report", "locks", "--for", "1", "-o", "json")
    rows = {r["name"]: r for r in table(text, "locks")}
    assert rows["sched"]["acquisitions"] > 0 and rows["sched"]["place"] == "sched_lock"


def test_without_a_profile(watched):
    with Watched(1, profile=False) as bare:
        bare.prompt()
        for name, what in (("lock", "locks"), ("kmem", "pages")):
            r = subprocess.run([OSCOPE, "events", name, "-s", bare.session, "--for", "1"],
                               capture_output=True, text=True, timeout=LIMIT, check=False)
            assert r.returncode == 1 and f"{what}: no profile tells" in r.stderr
