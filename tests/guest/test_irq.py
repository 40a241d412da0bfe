# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Interrupts and softirqs against the guest's /proc/interrupts and /proc/softirqs."""

import collections
import time

from harness import Events
from test_report import Report, table

SOFTIRQS = ["HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET", "SCHED", "HRTIMER", "RCU"]
VECTORS = {"LOC": ["local_timer"], "RES": ["reschedule"], "IWI": ["irq_work"],
           "CAL": ["call_function", "call_function_single"]}
PREFIX = "x86_irq_vectors_"


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
    # One that looks is between no count and its event; each of the others may be.
    others = guest.smp - 1
    for name in set(known) | set(outer):
        assert inner[name] - others <= known.get(name, 0) <= outer[name] + others, (
            name, inner, known, outer)
    timer = "LOC" if guest.arch == "amd64" else next(
        str(e["irq"]) for e in seen.list if e.get("name") == "riscv-timer")
    assert known[timer] > 10 and known["SCHED"] + known["TIMER"] > 0
    # Of 20 echoes; one interrupt may tell of several.
    assert sum(k for n, k in known.items() if n.isdigit() and n != timer) > 5, "devices"


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


def test_irqflow(eventful):
    """A device's interrupt, hop by hop, as often as the guest counts it."""
    guest = eventful
    controller = "PLIC" if guest.arch == "riscv64" else "PCI-MSI"
    with Report(guest, "irqflow") as report:
        time.sleep(0.5)
        before = guest.sh("cat /proc/interrupts")
        for _ in range(30):
            guest.sh("true")
        after = guest.sh("cat /proc/interrupts")
        time.sleep(0.5)
    assert report.status == 0 and "lost" not in report.stderr, report.stderr
    serial = [line for line in after.splitlines() if "virtio" in line and controller in line]
    assert serial, after
    grown = counts(after, guest.smp)
    grown.subtract(counts(before, guest.smp))
    lines = {r["irq"]: r for r in table(report.rows, "lines") if r["irq"] is not None}
    rows = table(report.rows, "interrupts")
    total = 0
    for line in serial:
        irq = int(line.split(":")[0])
        mine = [r for r in rows if r["irq"] == irq]
        total += grown[str(irq)]
        if not grown[str(irq)]:
            continue
        assert grown[str(irq)] <= lines[irq]["count"] == len(mine)
        assert lines[irq]["name"] in line
        # Those between the looks are whole: nothing is missing but what QEMU does not tell.
        whole = [r for r in mine if all(r[k] is not None for k in ("entry", "handler", "back"))]
        assert len(whole) >= len(mine) - 2
        told = ("claim", "complete") if guest.arch == "riscv64" else ("pending", "complete")
        for key in told:
            assert sum(r[key] is not None for r in whole) >= 0.9 * len(whole) - 1, (key, mine[:5])
        for r in whole:
            assert r["entry"] + r["handler"] <= r["back"] + 10_000
    assert total > 20
    timer = "local_timer" if guest.arch == "amd64" else "riscv-timer"
    assert any(r["name"] == timer and r["count"] > 5 for r in table(report.rows, "lines"))
    for hop in table(report.rows, "hops"):
        assert hop["median"] <= hop["p99"] <= hop["max"]
        assert hop["how"] == {"pending": "inferred", "claim": "device", "complete": "device"}.get(
            hop["hop"], "probes")
        own = [r for r in table(report.rows, "distribution") if all(r[k] == hop[k] for k in ("irq", "name", "hop"))]
        assert sum(r["count"] for r in own) == hop["count"], hop
        assert all(a["high"] <= b["low"] for a, b in zip(own, own[1:])) and all(r["count"] for r in own)
        for value in (hop["median"], hop["p99"], hop["max"]):
            assert [r for r in own if r["low"] <= value < r["high"]], (hop, own)
