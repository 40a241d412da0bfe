# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Traps as QEMU tells them, with no OS model: against QEMU's own riscv_trap and Linux's entry."""

import re
import subprocess
import tempfile
import time

import pytest
from harness import Events, Guest, qemu_version
from harness.guest import OSCOPE

M, S = 3, 1


def only_newer():
    version = qemu_version("qemu-system-riscv64")
    if version < (11, 1):
        pytest.skip(f"QEMU {version[0]}.{version[1]} does not tell plugins of traps: "
                    "QEMU 11.1 and newer do")


def riscv64_only(arch):
    if arch != "riscv64":
        pytest.skip("cputraps is known for riscv64 only")


def events(session, *args):
    return subprocess.run([str(OSCOPE), "events", "-s", session, *args], capture_output=True,
                          text=True, timeout=60, stdin=subprocess.DEVNULL)


def test_an_older_qemu_is_named(guest1):
    riscv64_only(guest1.arch)
    if qemu_version("qemu-system-riscv64") >= (11, 1):
        pytest.skip("this QEMU tells plugins of traps: an older one is needed to see it refused")
    r = events(guest1.session, "cputraps")
    assert r.returncode != 0
    assert "this QEMU does not tell plugins of traps" in r.stderr


def is_part(part, whole):
    n = len(part)
    return any(whole[i:i + n] == part for i in range(len(whole) - n + 1) if whole[i] == part[0])


def by_cpu(rows, cpu):
    return [e for e in rows if e["cpu"] == cpu]


def test_equal_to_qemus_own_and_to_linuxs(arch):
    """Between the first and the last that is seen, every trap of QEMU's trace, in order."""
    riscv64_only(arch)
    only_newer()
    with tempfile.TemporaryDirectory(prefix="oscope-traps-") as folder:
        trace = f"{folder}/trace"
        with Guest(arch, smp=2, via="run", extra=["-trace", "riscv_trap", "-D", trace]) as guest:
            with Events(guest, "sched", "traps", "modes", "cputraps") as seen:
                guest.sh("i=0; while [ $i -lt 20 ]; do /bin/busybox true; i=$((i+1)); done")
        line = re.compile(r"riscv_trap hart:(\d+), async:(\d), cause:(\d+), epc:0x(\w+), "
                          r"tval:0x(\w+)")
        with open(trace) as f:
            own = [m.groups() for m in map(line.search, f) if m]
    for cpu in 0, 1:
        mine = [e for e in by_cpu(seen.list, cpu) if e["event"] == "cpu_trap"]
        assert len(mine) > 500
        assert not any(e["partial"] for e in mine)
        told = [(int(c) | int(a) << 15, int(epc, 16), int(tval, 16))
                for hart, a, c, epc, tval in own if int(hart) == cpu]
        assert is_part([(e["cause"], int(e["epc"], 16), int(e["tval"], 16)) for e in mine], told)
        # And what Linux's entry sees of it, and that of the firmware. Sets go on and off together,
        # which may be between a trap and the first instruction of its handler.
        kernel = [e for e in mine if e["to"] == S]
        entered = [e for e in by_cpu(seen.list, cpu) if e["event"].startswith("trap_entry")
                   and e["time"] > kernel[0]["time"]]
        assert 0 <= len(kernel) - len(entered) <= 1
        for a, b in zip(kernel, entered):
            assert [a[k] for k in ("cause", "from", "epc")] == [b[k] for k in
                                                               ("cause", "from", "epc")]
            assert a["time"] <= b["time"]
            assert a["tval"] == b.get("tval", a["tval"])
        machine = [e for e in mine if e["to"] == M]
        firmware = [e for e in by_cpu(seen.list, cpu) if e["event"] == "firmware_entry"
                    and e["time"] > machine[0]["time"]]
        assert 0 <= len(machine) - len(firmware) <= 1
        for a, b in zip(machine, firmware):
            assert (a["cause"], a["from"]) == (b["cause"], b["from"])


def test_without_any_os(arch, tmp_path):
    """Firmware that found nothing to start, and goes through its trap vector for ever."""
    riscv64_only(arch)
    only_newer()
    name = f"bare-{time.monotonic_ns()}"
    with open(tmp_path / "log", "wb") as log:
        qemu = subprocess.Popen(
            [str(OSCOPE), "run", "--name", name, "--", "qemu-system-riscv64", "-M", "virt", "-m",
             "128M", "-nographic", "-nic", "none"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        r = None
        while time.monotonic() < deadline and qemu.poll() is None:
            r = events(name, "-n", "20", "--for", "5", "-o", "json", "cputraps")
            if r.returncode == 0 and r.stdout.count("cpu_trap") >= 20:
                break
            time.sleep(0.5)
        assert r and r.stdout.count('"cpu_trap"') >= 20, r and r.stderr
        assert '"to":3' in r.stdout
    finally:
        qemu.terminate()
        qemu.wait(20)
