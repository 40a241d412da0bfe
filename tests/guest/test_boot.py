# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""How the kernel starts, against what it says itself with initcall_debug."""

import json
import re

import pytest
from harness import Events, Guest
from test_record import Record, reboot
from test_report import table

STARTS = 2
CALLING = re.compile(r"^\[ *[\d.]+\] calling  (\w+)\+0x\w+/0x\w+ (?:\[(\w+)\] )?@ (\d+)$", re.M)
RETURNED = re.compile(r"^\[ *[\d.]+\] initcall (\w+)\+0x\w+/0x\w+ (?:\[(\w+)\] )?returned (-?\d+) ", re.M)
LEVELS = ["pure", "core", "postcore", "arch", "subsys", "fs", "device", "late"]


def name(function, module):
    return f"[{module}]" if module else function


def told(log):
    """What the guest says: [name], {name: [what it returned]}."""
    returned = {}
    for function, module, value in RETURNED.findall(log):
        returned.setdefault(name(function, module), []).append(value)
    return [name(f, m) for f, m, _ in CALLING.findall(log)], returned


def skip_arm64(arch):
    if arch == "arm64":
        pytest.skip("events of arm64 guests: see test_no_events")


def check_start(rows, number, log):
    calls = sorted((r for r in table(rows, "initcalls") if r["boot"] == number), key=lambda r: r["time"])
    seen = [name(r["symbol"], r["module"]) for r in calls]
    all_of_them, returned = told(log)
    # What came before the set was in force, and the consoles' own, which come first of all.
    # At the first start that depends on how soon the recorder was there.
    assert (len(all_of_them) // 2 if number > 1 else 0) < len(seen) <= len(all_of_them)
    assert all_of_them[-len(seen):] == seen
    once = [r for r in calls if len(returned.get(name(r["symbol"], r["module"]), [])) == 1]
    assert len(once) > len(calls) * 0.9
    for r in once:
        assert [r["ret"]] == returned[name(r["symbol"], r["module"])], r
        assert r["duration"] is not None and r["level"], r
    modules = [r for r in calls if r["level"] == "module"]
    assert modules and all(r["module"] for r in modules)
    assert all(r["level"] != "module" and r["tid"] == 1 for r in calls if not r["module"])
    levels = [r["level"] for r in calls if not r["module"]]
    order = ["early", *LEVELS]
    assert [order.index(x) for x in levels] == sorted(order.index(x) for x in levels)
    totals = {r["level"]: r for r in table(rows, "levels") if r["boot"] == number}
    assert sum(r["calls"] for r in totals.values()) == len(calls)
    assert totals["late"]["calls"] == levels.count("late")
    phases = [r["phase"] for r in table(rows, "phases") if r["boot"] == number]
    assert phases[-1] == "runs /init"
    assert [p for p in phases if p.startswith("initcalls: ")][-1] == "initcalls: late"
    return phases


def test_starts_are_the_guests(tmp_path, arch):
    """From the first start on, and through a reset: the initcalls that the guest tells, in its
    order, with what they returned."""
    skip_arm64(arch)
    logs = []
    with Guest(arch, smp=2, via="run", append="initcall_debug log_buf_len=8M", wait=False,
               extra=["-action", "reboot=reset"]) as guest:
        record = Record(guest, tmp_path / "t", "boot")
        for i in range(STARTS):
            guest.wait()
            logs.append(guest.sh("dmesg"))
            if i + 1 < STARTS:
                reboot(guest)
        record.stop()
    assert "the guest was reset" in record.stderr, record.stderr
    assert "nothing lost" in record.stderr, record.stderr
    rows = json.loads(Guest.oscope_run("report", "boot", "-t", record.folder, "-o", "json").stdout)
    for i, log in enumerate(logs):
        phases = check_start(rows, i + 1, log)
        assert i == 0 or "CPU 1 comes up" in phases


def test_a_guest_that_has_started(guest):
    """Long after: nothing but the modules that are loaded."""
    skip_arm64(guest.arch)
    module = guest.sh("ls /lib/modules/*/dummy.ko /modules/dummy.ko 2>/dev/null || "
                      "find / -xdev -name 'dummy.ko*' | head -n 1").split()
    assert module, "the guest has no module to load"
    guest.sh("rmmod dummy", check=False)
    with Events(guest, "sched", "boot") as seen:
        guest.sh("i=0; while [ $i -lt 50 ]; do /bin/busybox true; i=$((i+1)); done; cat /proc/*/maps >/dev/null",
                 check=False)
        guest.sh("/tmp/mark-a 2>/dev/null; true")
        guest.sh(f"insmod {module[0]}")
        guest.sh("/tmp/mark-b 2>/dev/null; true")
    found = [e for e in seen.list if not e["event"].startswith("sched_")]
    assert [e["event"] for e in found] == ["module_init", "initcall_start", "initcall_finish"], found
    begun, start, finish = found
    assert seen.at("a") < begun["time"] < finish["time"] < seen.at("b")
    assert begun["name"] == "dummy" and begun["func"] == start["func"] == finish["func"]
    assert begun["tid"] == start["tid"] == finish["tid"] and finish["ret"] == 0
    assert not any(e["partial"] for e in found)


def test_no_kernel_yet():
    """A guest that stands still before its first instruction: waited for as long as is said."""
    with Guest("riscv64", via="run", wait=False, extra=["-S"]) as guest:
        r = guest.oscope_run("events", "boot", "-s", guest.session, "--wait", "0")
        assert r.returncode == 1 and "waiting" not in r.stderr and "kernel" in r.stderr, r.stderr
        r = guest.oscope_run("events", "boot", "-s", guest.session, "--wait", "0.5")
        assert r.returncode == 1 and "waiting for the guest's kernel" in r.stderr, r.stderr
        r = guest.oscope_run("report", "boot", "-s", guest.session, "--wait", "x")
        assert r.returncode == 2
