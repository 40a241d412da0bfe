# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""A guest without any OS: sets that need none are told, recorded and reported all the same."""

import concurrent.futures
import contextlib
import json
import struct
import subprocess
import time

import pytest
from harness import qemu_version
from harness.guest import OSCOPE
from test_report import table

ZERO, T0, T1, T2, T3, T4, T5, T6 = 0, 5, 6, 7, 28, 29, 30, 31
MTVEC, MEPC = 0x305, 0x341
RAM_PAGE = 0x80100000


def program():
    """riscv64, machine mode: for ever a byte to the serial port, a word to RAM, and a system call
    that its own trap vector returns from."""
    def u(op, rd, imm):
        return imm << 12 | rd << 7 | op

    def i(op, f3, rd, rs, imm):
        return (imm & 0xfff) << 20 | rs << 15 | f3 << 12 | rd << 7 | op

    def s(f3, rs, at, imm=0):
        return (imm >> 5 & 0x7f) << 25 | rs << 20 | at << 15 | f3 << 12 | (imm & 31) << 7 | 0x23

    begin = [
        u(0x37, T0, 0x10000),          # lui t0: the serial port
        i(0x13, 0, T2, ZERO, 1),       # li t2, 1
        i(0x13, 1, T2, T2, 31),        # slli t2, t2, 31
        u(0x37, T3, 0x100),            # lui t3, 0x100
        T3 << 20 | T2 << 15 | T2 << 7 | 0x33,  # add t2, t2, t3: a page of RAM
        u(0x17, T4, 0),                # auipc t4
        i(0x13, 0, T4, T4, 4 * 11),    # addi t4: the trap vector
        i(0x73, 1, 0, T4, MTVEC),      # csrw mtvec, t4
    ]
    loop = [
        i(0x13, 0, T1, ZERO, ord(".")),  # li t1, '.'
        s(0, T1, T0),                  # sb t1, (t0)
        s(3, T1, T2),                  # sd t1, (t2)
        0x73,                          # ecall
        u(0x37, T5, 0x40),             # lui t5: a while
        i(0x13, 0, T5, T5, -1),        # addi t5, t5, -1
        0xfe0f1ee3,                    # bnez t5, -4
        0xfe5ff06f,                    # j -28: the loop
    ]
    vector = [
        i(0x73, 2, T6, ZERO, MEPC),    # csrr t6, mepc
        i(0x13, 0, T6, T6, 4),         # addi t6, t6, 4
        i(0x73, 1, 0, T6, MEPC),       # csrw mepc, t6
        0x30200073,                    # mret
    ]
    assert len(begin) + len(loop) == 5 + 11
    return struct.pack("<20I", *begin, *loop, *vector)


@contextlib.contextmanager
def running(tmp_path):
    (tmp_path / "program").write_bytes(program())
    name = f"bare-{time.monotonic_ns()}"
    with open(tmp_path / "log", "wb") as log:
        qemu = subprocess.Popen(
            [str(OSCOPE), "run", "--name", name, "--", "qemu-system-riscv64", "-M", "virt", "-m",
             "128M", "-nographic", "-nic", "none", "-bios", str(tmp_path / "program")],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + 30
        while oscope("probe", "list", "-s", name).returncode and time.monotonic() < deadline:
            time.sleep(0.1)
        yield name
    finally:
        qemu.terminate()
        qemu.wait(20)


def oscope(*args):
    return subprocess.run([str(OSCOPE), *map(str, args)], capture_output=True, text=True,
                          timeout=60, stdin=subprocess.DEVNULL)


def good(*args):
    r = oscope(*args)
    assert r.returncode == 0, (args, r.stderr)
    return r


@pytest.fixture(scope="module")
def bare(request, tmp_path_factory):
    with running(tmp_path_factory.mktemp("bare")) as name:
        yield name


def sets():
    newer = qemu_version("qemu-system-riscv64") >= (11, 1)
    return {"uart": "uart_tx", "mmio": "mmio", "heat:exact": "page_heat",
            **({"cputraps": "cpu_trap"} if newer else {})}


def test_events(bare):
    for name, event in sets().items():
        r = good("events", "-s", bare, name, "-n", 5, "--for", 20, "-o", "json")
        rows = [json.loads(line) for line in r.stdout.splitlines()]
        assert len(rows) == 5, (name, r.stderr)
        if name != "heat:exact":
            assert {e["event"] for e in rows} == {event}, name
        if name == "uart":
            assert {e["byte"] for e in rows} == {ord(".")}


def test_records(bare, tmp_path):
    """All of them, and each alone; the trace is one to others, too, and says what it lacks."""
    wanted = sets()
    for i, names in enumerate([list(wanted), ["blk"], *([n] for n in wanted)]):
        folder = tmp_path / str(i)
        r = good("record", *names, "-s", bare, "-o", folder, "--for", 3)
        assert "nothing lost" in r.stderr, r.stderr
        assert "no tasks and no functions" in r.stderr, r.stderr
        b = subprocess.run(["babeltrace2", str(folder)], capture_output=True, text=True, timeout=60)
        assert b.returncode == 0 and b.stderr == "", b.stderr
        for name in names:
            assert name == "blk" or f" {wanted[name]}: " in b.stdout, (name, b.stdout[:2000])
        assert json.loads((folder / "oscope/tasks.json").read_text()) == []
        assert not (folder / "oscope/symbols").exists()


def test_reports(bare, tmp_path):
    """Live and of a recording."""
    folder = tmp_path / "t"
    good("record", "uart", "mmio", "blk", "heat:exact", "-s", bare, "-o", folder, "--for", 3)
    for where in ("-s", bare, "--for", 3), ("-t", folder):
        exact = ["--duty", "exact"] if where[0] == "-s" else []
        with concurrent.futures.ThreadPoolExecutor(4) as at_once:
            heat, uart, mmio, blk = (at_once.submit(good, "report", *view, *where, "-o", "json")
                                     for view in (["heat", *exact], ["uart"], ["mmio"], ["blk"]))
        pages = {int(p["address"], 16): p for p in table(json.loads(heat.result().stdout), "pages")}
        assert pages[RAM_PAGE]["writes"] > 0 and not pages[RAM_PAGE]["reads"], pages
        assert pages[RAM_PAGE]["owner"] == "unknown"
        assert "whose the pages are is not known" in heat.result().stderr
        rows = json.loads(uart.result().stdout)
        assert any("..." in line["text"] for line in table(rows, "lines")), rows
        rows = json.loads(mmio.result().stdout)
        assert any(r["register"] == "THR" for r in table(rows, "registers")), rows
        assert json.loads(blk.result().stdout)


def test_sets_of_an_os_say_that_there_is_none(bare, tmp_path):
    for command in (["events", "sched"], ["record", "sched", "uart", "-o", tmp_path / "t"],
                    ["report", "modes"]):
        r = oscope(*command, "-s", bare, "--wait", 0)
        assert r.returncode == 1 and "kernel" in r.stderr, (command, r.stderr)
        assert not (tmp_path / "t").exists()
