# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""`oscope probe`: what is in force, what it did and cost, and changes of it."""

import time

import pytest
from harness import Events, Guest, wait_until


@pytest.fixture
def eventful(guest1):
    if guest1.arch == "arm64":
        pytest.skip("see test_no_events_of_arm64")
    yield guest1
    for name in {p["name"] for p in probes(guest1)}:
        Guest.oscope_run("probe", "remove", "-s", guest1.session, name)


def probes(guest, what="list"):
    return guest.oscope("probe", what, "-o", "json")


def probe(guest, name, what="list"):
    return next(p for p in probes(guest, what) if p["name"] == name)


def test_no_probes_of_arm64(guest1):
    if guest1.arch != "arm64":
        pytest.skip("has events")
    r = Guest.oscope_run("probe", "enable", "-s", guest1.session, "sched")
    assert r.returncode == 1 and "aarch64" in r.stderr


def test_a_set_stands_until_it_is_removed(eventful):
    guest = eventful
    guest.oscope("probe", "enable", "sched")
    assert all(p["stands"] and p["users"] == 0 and p["state"] == "enabled" for p in probes(guest))
    guest.sh("true; true; /bin/busybox true")
    first = probe(guest, "sched_switch")
    assert first["events"] > 0
    with Events(guest, "sched"):
        assert probe(guest, "sched_switch")["users"] == 1
    after = probe(guest, "sched_switch")
    assert after["users"] == 0 and after["fired"] > first["fired"], "its counts go on"
    guest.oscope("probe", "remove", "sched")
    assert probes(guest) == []


def test_one_probe_alone(eventful):
    guest = eventful
    guest.oscope("probe", "enable", "sched_process_exec", "trap_entry")
    assert {p["name"] for p in probes(guest)} == {"sched_process_exec", "trap_entry"}
    guest.oscope("probe", "remove", "trap_entry")
    assert {p["name"] for p in probes(guest)} == {"sched_process_exec"}


def test_a_disabled_probe_is_left_out(eventful):
    """For everybody, though they go on wanting it."""
    guest = eventful
    with Events(guest, "sched") as seen:
        guest.oscope("probe", "disable", "sched_switch")
        assert probe(guest, "sched_switch")["state"] == "disabled"

        def settled():  # the vCPUs go on to what they are told when they come to it
            first = probe(guest, "sched_switch")["fired"]
            time.sleep(0.2)
            return probe(guest, "sched_switch")["fired"] == first
        wait_until(settled, "no more of them")
        before = probe(guest, "sched_switch")["fired"]
        guest.sh("/tmp/mark-a 2>/dev/null; usleep 100000; /tmp/mark-b 2>/dev/null; true")
        assert probe(guest, "sched_switch")["fired"] == before
        guest.oscope("probe", "enable", "sched_switch")
        guest.sh("/tmp/mark-c 2>/dev/null; usleep 100000; /tmp/mark-d 2>/dev/null; true")
    names = [{e["event"] for e in seen.list if seen.at(x) < e["time"] < seen.at(y)}
             for x, y in ("ab", "cd")]
    assert "sched_switch" not in names[0] and "sched_wakeup" in names[0]
    assert "sched_switch" in names[1]


def test_what_firing_costs(eventful):
    guest = eventful
    for _ in range(5):  # few are timed, and the host may have taken the CPU away in one of them
        with Events(guest, "sched"):
            guest.sh("i=0; while [ $i -lt 60 ]; do /bin/busybox true; i=$((i+1)); done")
            p = probe(guest, "sched_switch", "stats")
        if p["cost"] < 50000:
            break
    assert p["fired"] > 64 and p["dropped"] == 0 and p["faults"] == 0
    assert 10 < p["cost"] < 50000, "ns"
    assert p["rate"] == pytest.approx(p["fired"] / (p["since"] * 1e-9), rel=0.01)
    assert p["load"] == pytest.approx(p["rate"] * p["cost"] * 1e-7, rel=0.1, abs=0.01)


@pytest.mark.parametrize("args, status, text", [
    (("enable", "nothing-like-it"), 1, "no event set or probe 'nothing-like-it'"),
    (("enable", "mmio"), 2, "has no probes"),
    (("enable",), 2, "needs the name"),
    (("remove", "sched_switch"), 1, "no probe 'sched_switch' is wanted"),
    (("disable", "sched_switch"), 1, "no probe 'sched_switch' is wanted"),
    (("list", "sched"), 2, "takes no names"),
    (("frobnicate",), 2, "not 'frobnicate'"),
])
def test_mistakes(eventful, args, status, text):
    r = Guest.oscope_run("probe", "-s", eventful.session, *args)
    assert r.returncode == status and text in r.stderr, r.stderr
    assert r.stdout == "" and "Traceback" not in r.stderr
    assert probes(eventful) == []


def test_what_others_want_is_not_removed(eventful):
    with Events(eventful, "sched"):
        r = Guest.oscope_run("probe", "remove", "-s", eventful.session, "sched_switch")
        assert r.returncode == 2 and "does not stand" in r.stderr and "disable" in r.stderr
        assert probe(eventful, "sched_switch")["users"] == 1
