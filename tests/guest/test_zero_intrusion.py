# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""A guest under QEMU's deterministic settings is the same to the last bit, watched or not.

Each run boots the same kernel, runs a mix of programs for a while and powers off. A small plugin of
the tests (measure/measure.c), the same in all runs, tells at the power-off instruction how many
instructions were executed, a hash of their places in the order of execution, and a hash of RAM.
docs/ZERO-INTRUSION.md says what follows.
"""

import collections
import concurrent.futures
import csv
import dataclasses
import functools
import io
import json
import lzma
import os
import pathlib
import re
import struct
import subprocess
import tempfile
import time

import pytest
from harness.guest import BUILD, OSCOPE, boot_command

# QEMU's: guest time is counted in instructions, nothing random comes from the host, no device that
# is not named.
EXACT = ("-icount", "shift=2,sleep=off", "-rtc", "clock=vm,base=2026-01-01T00:00:00", "-nodefaults")
# The kernel's self-tests take longer than all the rest.
APPEND = ('cryptomgr.notests rdinit=/bin/sh -- -c "mount -t proc proc /proc;'
          "mount -t devtmpfs dev /dev; mount -t tmpfs tmp /tmp; work mixed; sleep 1;"
          'cat /proc/stat /proc/interrupts; poweroff -f"')
MEM = {"riscv64": "128M", "amd64": "256M"}
SMP = {"riscv64": (1, 2), "amd64": (1,)}
LIMIT = 150
PROBES = ("sched", "syscalls", "traps", "modes")


@dataclasses.dataclass
class Run:
    measured: dict  # instructions, path, ram
    console: bytes
    traps: list     # QEMU's own riscv_trap, in order: (hart, async, cause, epc, tval)
    events: list    # oscope's: (cpu, name, {field: value})
    notes: str
    second: int     # what a second client came to: how often it came and went, accesses it counted


@functools.cache
def unpacked(path):
    """The ELF kernel in an x86 bzImage (Documentation/arch/x86/boot.rst: setup_sects,
    payload_offset, payload_length). Unpacking itself takes it several times as long as booting."""
    image = pathlib.Path(path).read_bytes()
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = ((image[0x1f1] or 4) + 1) * 512 + offset
    return lzma.decompress(image[start:start + length - 4])  # its size follows


def exact(arch, smp, folder, seed, trace):
    """The command line; without oscope."""
    ram = folder / "ram"
    extra = [*EXACT, "-seed", str(seed), "-monitor", "none", "-serial", f"file:{folder}/console",
             "-object", f"memory-backend-file,id=ram,size={MEM[arch]},mem-path={ram},share=on",
             "-machine", "memory-backend=ram", "-plugin",
             f"{BUILD}/tests/guest/liboscope-measure.so,ram={ram},out={folder}/measured"]
    if trace and arch == "riscv64":
        extra += ["-trace", "riscv_trap", "-D", f"{folder}/trace"]
    command = boot_command(arch, smp=smp, mem=MEM[arch], append=APPEND, extra=extra)
    if arch == "amd64":
        at = command.index("-kernel") + 1
        (folder / "kernel").write_bytes(unpacked(command[at]))
        command[at] = f"{folder}/kernel"
    return command


def flip(qemu, name):
    """A second client that comes and goes: each time the set in force is exchanged."""
    times = 0
    while qemu.poll() is None:
        r = subprocess.run([str(OSCOPE), "events", "sched", "-s", name, "--for", "0.1"],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=LIMIT)
        times += r.returncode == 0
        time.sleep(0.5)  # each time all code is translated anew
    return times


def heat(qemu, name):
    """A client that counts each access for a second, once; how many that were. It is slow."""
    command = [str(OSCOPE), "report", "heat", "--duty", "exact", "--for", "1", "-s", name, "-o", "json"]
    counted = 0
    while qemu.poll() is None and counted < 1_000_000:
        r = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
        rows = json.loads(r.stdout) if r.returncode == 0 else []
        counted += sum(row["reads"] + row["writes"] for row in rows
                       if row["table"] == "owners" and row["owner"] == "total")
        time.sleep(0.2)
    return counted


def record(qemu, name, sets, folder):
    """Records from as soon as there is a session until the guest ends; what oscope said."""
    said = "no session came"
    while qemu.poll() is None:
        r = subprocess.run([str(OSCOPE), "record", *sets, "-s", name, "-o", f"{folder}/recording"],
                           capture_output=True, text=True, timeout=LIMIT, stdin=subprocess.DEVNULL)
        said = r.stdout + r.stderr
        if r.returncode == 0:
            break
        time.sleep(0.05)
    return said


def read_traps(path):
    line = re.compile(r"riscv_trap hart:(\d+), async:(\d), cause:(\d+), epc:0x(\w+), tval:0x(\w+)")
    text = path.read_text() if path.exists() else ""
    return [(int(h), int(a), int(c), int(e, 16), t) for h, a, c, e, t in line.findall(text)]


def read_events(folder):
    """Whole events from the one-field-a-line form."""
    r = subprocess.run([str(OSCOPE), "export", "-t", str(folder), "--to", "csv", "-o", "-"],
                       capture_output=True, text=True, timeout=LIMIT)
    events, last = [], None
    for row in csv.DictReader(io.StringIO(r.stdout)):
        if row["n"] != last:
            last = row["n"]
            events.append((int(row["cpu"]), row["event"], {}))
        events[-1][2][row["field"]] = row["value"]
    return events


@functools.cache
def run(arch, smp, sets=None, seed=1):
    """One life of the guest. sets None: without oscope; (): with nothing switched on."""
    shm = pathlib.Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="oscope-exact-",
                                     dir=shm if os.access(shm, os.W_OK) else None) as folder:
        folder = pathlib.Path(folder)
        command = exact(arch, smp, folder, seed, trace=sets != ("all",))
        name = f"exact-{os.getpid()}-{smp}-{len(sets or ())}"
        if sets is not None:
            command = [str(OSCOPE), "run", "--name", name, "--", *command]
        with open(folder / "log", "wb") as log:
            qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                    stderr=subprocess.STDOUT, start_new_session=True)
        try:
            with concurrent.futures.ThreadPoolExecutor() as pool:
                other = {PROBES: flip, ("all",): heat if smp == 1 else None}.get(sets)
                second = pool.submit(other, qemu, name) if other else None
                notes = record(qemu, name, sets, folder) if sets else ""
                qemu.wait(LIMIT)
                second = second.result() if second else 0
        finally:
            if qemu.poll() is None:
                os.killpg(qemu.pid, 9)
                qemu.wait()
        assert (folder / "measured").exists(), (folder / "log").read_text()
        measured = dict(line.split() for line in (folder / "measured").read_text().splitlines())
        return Run(measured, (folder / "console").read_bytes(), read_traps(folder / "trace"),
                   read_events(folder / "recording") if sets else [], notes, second)


def cases(arch):
    if arch == "arm64":
        pytest.skip("there are no events of arm64 guests")
    return SMP[arch]


# Traps that OpenSBI takes: illegal instructions, calls of the kernel; software and timer interrupts.
FIRMWARE = {(0, 2), (0, 9), (1, 3), (1, 7)}


def same(a, b):
    assert a.measured == b.measured
    assert a.console == b.console
    assert b"reboot: Power down" in a.console
    assert int(a.measured["instructions"]) > 500_000_000 and int(a.measured["ram"], 16)


def test_with_nothing_on(arch):
    for smp in cases(arch):
        if arch == "riscv64":  # for the others, see the next one, which has this in it
            same(run(arch, smp), run(arch, smp, ()))
            assert run(arch, smp).traps == run(arch, smp, ()).traps


def test_with_all_on(arch):
    """Switched on while it boots, at a moment that is the host's and another one each time."""
    for smp in cases(arch):
        watched = run(arch, smp, ("all",))
        same(run(arch, smp), watched)
        seen = collections.Counter(name.split("_")[0] for _, name, _ in watched.events)
        for kind in ("sched", "syscall", "trap", "vcpu", "mmio", "uart"):
            assert seen[kind] > 100, (seen, watched.notes)
        if smp == 1:  # accesses of several vCPUs that share a thread are not told apart
            assert watched.second > 1_000_000


def test_the_traps_are_the_same(arch):
    """QEMU's own account of them, in order and with all it tells; sets come and go meanwhile."""
    for smp in cases(arch):
        if arch == "riscv64":
            watched = run(arch, smp, PROBES)
            same(run(arch, smp), watched)
            assert watched.second > 1
            assert len(watched.traps) > 10000
            assert watched.traps == run(arch, smp).traps


def test_who_did_it(arch):
    """vCPUs that share a thread are told apart: each one's traps are those that QEMU tells of it."""
    if arch != "riscv64":
        pytest.skip("QEMU tells the traps of riscv64")
    watched = run(arch, 2, PROBES)
    for cpu in range(2):
        mine = [(int(f["cause"]), int(f["epc"], 16)) for c, name, f in watched.events
                if c == cpu and name.startswith("trap_entry")]
        told = [(cause + 0x8000 * is_async, epc) for hart, is_async, cause, epc, _ in watched.traps
                if hart == cpu and (is_async, cause) not in FIRMWARE]
        assert len(mine) > 1000
        # The last one may come when the other vCPU powers off, before its handler's first instruction.
        assert mine in (told[-len(mine):], told[-len(mine) - 1:-1])


def test_a_difference_is_seen(arch):
    """The guest whose random numbers begin elsewhere is another one: what is compared can differ."""
    if arch != "riscv64":
        pytest.skip("once is enough")
    a, b = run(arch, 1), run(arch, 1, seed=2)
    assert b"reboot: Power down" in b.console
    for what in a.measured:
        assert a.measured[what] != b.measured[what], what
    assert a.console != b.console
    assert a.traps != b.traps
