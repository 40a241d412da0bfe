# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Interrupts and softirqs against the guest's /proc/interrupts and /proc/softirqs."""

import collections

import pytest
from harness import Events

SOFTIRQS = ["HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET", "SCHED", "HRTIMER", "RCU"]
VECTORS = {"LOC": ["local_timer"], "RES": ["reschedule"], "IWI": ["irq_work"],
           "CAL": ["call_function", "call_function_single"]}
PREFIX = "x86_irq_vectors_"


@pytest.fixture
def eventful(guest):
    if guest.arch == "arm64":
        pytest.skip("events of arm64 guests: see test_no_events")
    return guest


def counts(text, cpus):
    """{first word of the line: sum over the CPUs}"""
    found = collections.Counter()
    for line in text.splitlines():
        name, colon, rest = line.partition(":")
        numbers = rest.split()[:cpus]
        if colon and numbers and all(n.isdigit() for n in numbers):
            found[name.strip()] += sum(map(int, numbers))
    return found


def seen_in(seen, after, before):
    """The same, from events: interrupts by number (riscv64's IPIs, which have none there, as
    "IPI"), x86 vectors by their name, softirqs by theirs."""
    lo, hi = seen.at(after), seen.at(before)
    found = collections.Counter()
    for e in seen.list:
        if not lo < e["time"] < hi:
            continue
        if e["event"] == "irq_handler_entry":
            found["IPI" if e["name"] == "IPI" else str(e["irq"])] += 1
        elif e["event"] == "irq_softirq_entry":
            found[SOFTIRQS[e["vec"]]] += 1
        elif e["event"].startswith(PREFIX) and e["event"].endswith("_entry"):
            name = e["event"].removeprefix(PREFIX).removesuffix("_entry")
            found[next(k for k, names in VECTORS.items() if name in names)] += 1
    return found


def test_counts_are_the_guests(eventful):
    guest = eventful
    look = "cat /proc/interrupts /proc/softirqs"
    work = ("i=0; while [ $i -lt 20 ]; do echo work > /dev/console; usleep 5000; /bin/busybox true;"
            "i=$((i+1)); done")
    guest.sh("cat /proc/interrupts >/dev/null")
    with Events(guest, "sched", "irq") as seen:
        before = guest.sh(f"/tmp/mark-a 2>/dev/null; {look}; /tmp/mark-b 2>/dev/null; true")
        guest.sh(work)
        after = guest.sh(f"/tmp/mark-c 2>/dev/null; {look}; /tmp/mark-d 2>/dev/null; true")
    assert "lost" not in seen.stderr and "no " not in seen.stderr, seen.stderr
    grown = counts(after, guest.smp)
    grown.subtract(counts(before, guest.smp))
    for name in [n for n in grown if n.startswith("IPI")]:
        grown["IPI"] += grown.pop(name)
    inner, outer = seen_in(seen, "b", "c"), seen_in(seen, "a", "d")
    known = {n: k for n, k in grown.items()
             if n.isdigit() or n in SOFTIRQS or n in VECTORS or n == "IPI"}
    for name in set(known) | set(outer):
        assert inner[name] <= known.get(name, 0) <= outer[name], (name, inner, known, outer)
    timer = "LOC" if guest.arch == "amd64" else next(
        str(e["irq"]) for e in seen.list if e.get("name") == "riscv-timer")
    assert known[timer] > 10 and known["SCHED"] + known["TIMER"] > 0
    assert sum(k for n, k in known.items() if n.isdigit() and n != timer) > 20, "devices"


def test_what_begins_ends(eventful):
    """On each vCPU: an exit for each entry, of the same interrupt, softirqs outside of handlers."""
    with Events(eventful, "sched", "irq") as seen:
        eventful.sh("i=0; while [ $i -lt 20 ]; do usleep 5000; /bin/busybox true; i=$((i+1)); done")
    pairs = {"irq_handler": "irq", "irq_softirq": "vec",
             **{PREFIX + n: "vector" for names in VECTORS.values() for n in names}}
    inside = collections.defaultdict(list)
    done = collections.Counter()
    for e in seen.list:
        kind, _, what = e["event"].rpartition("_")
        if kind not in pairs or what == "raise":
            continue
        stack, key = inside[e["cpu"]], (kind, e[pairs[kind]])
        if what == "entry":
            # An action may be interrupted; a handler is not, but by softirqs at its very end.
            assert all(k != "irq_handler" for k, _ in stack), (stack, e)
            stack.append(key)
        elif stack:
            assert stack.pop() == key, e
            done[kind] += 1
            assert kind != "irq_handler" or e["ret"] in (0, 1, 2, 3)
    assert all(len(stack) <= 4 for stack in inside.values())
    assert done["irq_softirq"] > 20
    assert done["irq_handler"] + done[PREFIX + "local_timer"] > 20
    names = {e["name"] for e in seen.list if e["event"] == "irq_handler_entry"}
    assert any(n.startswith("virtio") for n in names), names
