# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Probes at accesses to memory and at blocks, against what the guest counts itself."""

import collections
import itertools
import subprocess

import pytest
from harness import Events, Guest
from harness.guest import BUILD

FORKS = "i=0; while [ $i -lt 40 ]; do /bin/busybox true; i=$((i+1)); done"


class Probes:
    """The probes of probe_sites.c, while the block lasts; then .writes, .blocks and .lost."""

    def __init__(self, guest, variable, size, function):
        self.args = [BUILD / "tests/guest/probe_sites", guest.session, variable, str(size), function]

    def __enter__(self):
        self.process = subprocess.Popen(self.args, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        ready = self.process.stdout.readline().split()
        if not ready:
            raise AssertionError(self.process.communicate(timeout=30)[1])
        self.variable, self.function, self.function_size = (int(x, 16) for x in ready[1:])
        return self

    def __exit__(self, *exc):
        out, err = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, err
        lines = [line.split() for line in out.splitlines()]
        assert not any("fault" in line for line in lines)
        self.writes = [self.event(line, "pc address size write data memory")
                       for line in lines if line[0] == "write"]
        self.blocks = [self.event(line, "pc insns") for line in lines if line[0] == "block"]
        self.lost = int(lines[-1][1])

    @staticmethod
    def event(line, names):
        return {"cpu": int(line[1]), **{n: int(x, 16) for n, x in zip(names.split(), line[2:])}}


def forks(guest):
    """How many tasks the guest made since it booted: its variable total_forks."""
    return int(next(line.split()[1] for line in guest.sh("cat /proc/stat").splitlines()
                    if line.startswith("processes ")))


def test_writes_to_a_counter_are_its_growth(eventful):
    guest = eventful
    with Probes(guest, "total_forks", 8, "kernel_clone") as p:
        rows = guest.oscope("probe", "list", "-o", "json")
        before = forks(guest)
        guest.sh(FORKS)
        after = forks(guest)
    assert p.lost == 0
    assert {r["name"]: (r["site"], int(r["address"], 16), r["size"]) for r in rows} == {
        "write": ("memory", p.variable, 8), "block": ("block", p.function, p.function_size)}
    values = [w["data"] for w in p.writes]
    assert after - before >= 40
    # One write each, with each value once; who asked forked, too.
    assert set(range(before + 1, after + 1)) <= set(values)
    assert values == list(range(values[0], values[-1] + 1))
    for w in p.writes:
        assert (w["address"], w["size"], w["write"]) == (p.variable, 8, 1)
        assert w["memory"] == w["data"], "the variable as it is right after the write"
    assert len({w["pc"] for w in p.writes}) == 1
    # What forks begins at the function's first instruction, each time.
    begun = [b for b in p.blocks if b["pc"] == p.function]
    assert abs(len(begun) - len(values)) <= 1, "one that had begun, or had yet to count"
    assert all(0 < b["insns"] <= 512 for b in p.blocks)
    # It may sleep and go on elsewhere before it counts: most do not.
    cpus, counted = (collections.Counter(e["cpu"] for e in events) for events in (begun, p.writes))
    assert (cpus & counted).total() > len(values) / 2
    assert all(p.function <= b["pc"] < p.function + p.function_size for b in p.blocks)


def test_ticks(eventful):
    """jiffies_64 is written at each tick, by one vCPU at a time, and only grows."""
    with Probes(eventful, "jiffies_64", 8, "kernel_clone") as p:
        eventful.sh("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done")
    assert p.lost == 0 and len(p.writes) > 10
    values = [w["data"] for w in p.writes]
    assert all(0 < b - a for a, b in itertools.pairwise(values))
    assert values[-1] - values[0] >= len(values) - 1
    assert all(w["address"] == p.variable and w["memory"] == w["data"] for w in p.writes)
    assert Guest.oscope_run("probe", "list", "-s", eventful.session, "-o", "json").stdout.strip() == "[]"


def test_with_all_accesses_counted(eventful):
    """Exact heat has a callback of its own at each access: neither fires twice, nor not at all."""
    with Events(eventful, "sched", "heat:exact"):
        with Probes(eventful, "total_forks", 8, "kernel_clone") as p:
            before = forks(eventful)
            eventful.sh(FORKS)
            after = forks(eventful)
    values = [w["data"] for w in p.writes]
    assert p.lost == 0 and set(range(before + 1, after + 1)) <= set(values)
    assert values == list(range(values[0], values[-1] + 1))


def test_switched_on_and_off_under_load(eventful):
    load = eventful.sh(f"(touch /tmp/busy; while [ -e /tmp/busy ]; do {FORKS}; done) >/dev/null 2>&1 & echo $!").strip()
    last = 0
    for _ in range(8):
        with Probes(eventful, "total_forks", 8, "kernel_clone") as p:
            eventful.sh("/bin/busybox true; /bin/busybox true")
        values = [w["data"] for w in p.writes]
        assert p.lost == 0 and len(values) >= 2 and values[0] > last
        assert values == list(range(values[0], values[-1] + 1))
        last = values[-1]
    eventful.sh("rm /tmp/busy")
    eventful.wait_for(f"! [ -e /proc/{load} ]")  # the tests that follow look at a guest at rest
    assert forks(eventful) >= last


# As with -icount, but without its time.
ONE_THREAD = ("-accel", "tcg,thread=single")


def test_one_thread_one_vcpu(arch):
    if arch == "arm64":
        pytest.skip("see test_no_events_of_arm64")
    with Guest(arch, smp=1, via="run", extra=ONE_THREAD) as guest:
        with Probes(guest, "total_forks", 8, "kernel_clone") as p:
            before = forks(guest)
            guest.sh(FORKS)
            after = forks(guest)
    values = [w["data"] for w in p.writes]
    assert set(range(before + 1, after + 1)) <= set(values)
    assert abs(sum(b["pc"] == p.function for b in p.blocks) - len(values)) <= 1


def test_one_thread_two_vcpus(arch):
    """QEMU does not tell which vCPU it was: refused, with the reason."""
    if arch == "arm64":
        pytest.skip("see test_no_events_of_arm64")
    with Guest(arch, smp=2, via="run", extra=ONE_THREAD) as guest:
        with pytest.raises(AssertionError) as refused:
            with Probes(guest, "total_forks", 8, "kernel_clone"):
                pass
        assert "multi-threaded TCG" in str(refused.value)
        assert guest.sh("echo alive").strip() == "alive"
