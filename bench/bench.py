#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""`make bench`: what oscope costs, as ratios and medians of one run. It prints; it asserts nothing.

    bench/bench.py [--only ROW,ROW…] [--quick]

Guests are booted one at a time. Paired figures alternate the two sides and give the median of the
pairs' ratios, so that a machine whose speed drifts does not decide the result.
"""

import argparse
import json
import os
import pathlib
import resource
import shutil
import re
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

from common import BUILD, OSCOPE, ROOT, row

from harness import Guest  # noqa: E402
from test_profile_events import Watched  # noqa: E402
from top import bench_top  # noqa: E402
from web import bench_web  # noqa: E402

BENCH_STATE = str(BUILD / "bench/bench_state")
BENCH_TRACE = str(BUILD / "bench/bench_trace")
BENCH_FOLD = str(BUILD / "bench/bench_fold")
BENCH_TRACKS = str(BUILD / "bench/bench_tracks")


def process(argv, env=None):
    """(milliseconds, peak RSS in KiB) of one whole process; its output is read and dropped."""
    start = time.perf_counter()
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             env={**os.environ, **(env or {})})
    child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"bench: {' '.join(argv)}: {child.stderr.read().decode()}")
    child.stdout.close(), child.stderr.close()
    child.returncode = 0
    return (time.perf_counter() - start) * 1e3, usage.ru_maxrss


def median_process(argv, runs=21, env=None):
    process(argv, env)
    samples = [process(argv, env) for _ in range(runs)]
    return statistics.median(s[0] for s in samples), max(s[1] for s in samples)


def state(guest):
    """The figures that bench_state takes inside one process."""
    out = subprocess.run([BENCH_STATE, guest.session], capture_output=True, text=True)
    if out.returncode:
        sys.exit(f"bench: {out.stderr}")
    return json.loads(out.stdout)


def sleepers(guest, n):
    guest.sh(f"sleepers {n} >/dev/null 2>&1 &")
    guest.wait_for(f"[ $(ls -d /proc/[0-9]* | wc -l) -ge {n} ]", timeout=300)
    guest.quiet(1)


def gdb_walk(guest, port, offsets, init_task):
    """Seconds gdb takes for the same list (pid and comm of each task) over QEMU's gdb stub."""
    script = f"""
import gdb, time
inferior = gdb.selected_inferior()
def u64(a): return int.from_bytes(bytes(inferior.read_memory(a, 8)), 'little')
def walk():
    n, head = 0, {init_task} + {offsets['tasks']}
    at = u64(head)
    while at != head:
        task = at - {offsets['tasks']}
        int.from_bytes(bytes(inferior.read_memory(task + {offsets['pid']}, 4)), 'little')
        bytes(inferior.read_memory(task + {offsets['comm']}, 16))
        at = u64(at)
        n += 1
    return n
times = []
for _ in range(5):
    gdb.execute('maintenance flush dcache', to_string=True)
    t = time.perf_counter(); n = walk(); times.append(time.perf_counter() - t)
times.sort()
print('WALK', n, times[2])
"""
    with tempfile.NamedTemporaryFile("w", suffix=".py") as f:
        f.write(script)
        f.flush()
        start = time.perf_counter()
        out = subprocess.run(["gdb-multiarch", "-nx", "-batch", "-ex", "set architecture riscv:rv64",
                              "-ex", f"target remote 127.0.0.1:{port}", "-x", f.name,
                              "-ex", "detach"], capture_output=True, text=True, timeout=300)
        whole = time.perf_counter() - start
    for line in out.stdout.splitlines():
        if line.startswith("WALK"):
            return int(line.split()[1]), float(line.split()[2]), whole
    sys.exit(f"bench: gdb: {out.stdout}{out.stderr}")


def member_offsets(guest):
    """Offsets of a few members of task_struct, and init_task's address, as oscope prints them."""
    rows = guest.oscope("print", "init_task", "-o", "json", "--depth", "1")
    base = int(rows[0]["address"], 16)
    return {r["name"]: int(r["address"], 16) - base for r in rows[1:]}, base


def bench_tasks(args):
    """Discovery, task walk, whole process, gdb: riscv64, 512 MB."""
    port = 20000 + os.getpid() % 20000
    with Guest("riscv64", smp=2, mem="512M", via="run",
               extra=["-gdb", f"tcp:127.0.0.1:{port}"]) as g:
        with tempfile.TemporaryDirectory() as cache:
            cold = [process([OSCOPE, "ps", "-s", g.session, "--no-cache"])[0] for _ in range(11)]
            warm, rss = median_process([OSCOPE, "ps", "-s", g.session], env={"XDG_CACHE_HOME": cache})
        s = state(g)
        row("riscv64 512 MB: discovery, no cache", f"{s['discovery_cold_ms']:.1f} ms", "<= 50 ms")
        row("riscv64 512 MB: discovery, on-disk cache", f"{s['discovery_cached_ms']:.2f} ms", "<= 10 ms")
        row("whole `oscope ps --no-cache`", f"{statistics.median(cold):.1f} ms")
        row(f"whole `oscope ps`, {s['tasks']} tasks", f"{warm:.1f} ms")
        small = s
        sleepers(g, 1000)
        s = state(g)
        row(f"task walk, {s['tasks']} tasks", f"{s['ns_per_task'] / 1e3:.3f} us/task", "<= 0.3 us")
        ms, rss = median_process([OSCOPE, "ps", "-s", g.session])
        row(f"whole `oscope ps`, {s['tasks']} tasks", f"{ms:.1f} ms", "<= 10 ms")
        row("  its anonymous memory / peak RSS with shared RAM",
            f"{s['session_anon_kib'] / 1024:.1f} / {rss / 1024:.1f} MiB", "<= 16 MiB own")
        row("session's own memory after every page was classified",
            f"{s['peak_anon_kib'] / 1024:.1f} MiB", "<= 64 MiB")
        row("classification of all pages", f"{s['mpages_per_s']:.0f} M pages/s", ">= 50 M/s")
        offsets, init_task = member_offsets(g)
        n, seconds, whole = gdb_walk(g, port, offsets, init_task)
        ours = s["ns_per_task"] * s["tasks"] / 1e9
        row(f"gdb stub, same list ({n} tasks; guest stopped)", f"{seconds * 1e3:.0f} ms")
        row("  ratio gdb / oscope, walk alone", f"{seconds / ours:.0f} x")
        row("  ratio gdb / oscope, whole process", f"{whole * 1e3 / ms:.0f} x")
    return small


def bench_many(args):
    """10,000 tasks."""
    with Guest("riscv64", smp=2, mem="4G", via="run", timeout=300) as g:
        sleepers(g, 10000)
        s = state(g)
        ms, rss = median_process([OSCOPE, "ps", "-s", g.session], runs=11)
        row(f"whole `oscope ps`, {s['tasks']} tasks", f"{ms:.1f} ms", "<= 20 ms")
        row("task walk at that size", f"{s['ns_per_task'] / 1e3:.3f} us/task", "<= 0.3 us")


def bench_large(args, small=None):
    """A large guest that uses little of its RAM costs what a small one costs."""
    with Guest("riscv64", smp=2, mem="16G", via="run") as g:
        g.sh("dd if=/dev/zero of=/tmp/fill bs=1M count=150 2>/dev/null")
        s = state(g)
        row("riscv64 16 GB, about 300 MB populated: discovery", f"{s['discovery_cold_ms']:.1f} ms",
            f"512 MB guest: {small['discovery_cold_ms']:.1f} ms" if small else "")
        if small:
            row("  ratio to the 512 MB guest",
                f"{s['discovery_cold_ms'] / small['discovery_cold_ms']:.2f}", "<= 1")


def bench_slowdown(args):
    """
    A fixed workload in the guest, with and without `oscope ps --watch 0.1` beside it. One watch runs
    all the time and is stopped (SIGSTOP) in every other run, so that pairs are short and close to
    each other and the machine's own drift cancels.
    """
    pairs = 15 if args.quick else 60
    work = "i=0; while [ $i -lt 40 ]; do /bin/true; i=$((i+1)); done; " \
           "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"

    with Guest("riscv64", smp=1, mem="512M", via="run") as g:
        watch = subprocess.Popen([OSCOPE, "ps", "-s", g.session, "--watch", "0.1"],
                                 stdout=subprocess.DEVNULL)

        def run(sig):
            watch.send_signal(sig)
            time.sleep(0.05)
            start = time.perf_counter()
            g.sh(work, timeout=120)
            return time.perf_counter() - start

        try:
            for _ in range(3):
                run(signal.SIGCONT)
            base, ratios = [], []
            for i in range(pairs):
                order = (signal.SIGCONT, signal.SIGSTOP)[::1 if i % 2 else -1]
                seconds = {sig: run(sig) for sig in order}
                ratios.append(seconds[signal.SIGCONT] / seconds[signal.SIGSTOP])
                base.append(seconds[signal.SIGSTOP])
            assert watch.poll() is None, "the watch ended"
        finally:
            watch.kill()
            watch.wait()
        low, _, high = statistics.quantiles(ratios, n=4)
        row(f"guest time with `ps --watch 0.1` / without ({pairs} pairs)",
            f"{statistics.median(ratios):.3f} [{low:.2f}-{high:.2f}]",
            f"<= 1.01 (runs of {statistics.median(base):.2f} s)")


EXECS = "i=0; while [ $i -lt 60 ]; do /bin/busybox true; i=$((i+1)); done"


def seconds_of(guest, work):
    start = time.perf_counter()
    guest.sh(work, timeout=120)
    return time.perf_counter() - start


def recorder(guest, sets, folder):
    """`oscope record`, from when its probes are in force."""
    shutil.rmtree(folder, ignore_errors=True)
    process = subprocess.Popen([OSCOPE, "record", *sets, "-s", guest.session, "-o", folder],
                               stderr=subprocess.DEVNULL)
    while not guest.oscope("probe", "list", "-o", "json"):
        assert process.poll() is None, "the recorder ended"
        time.sleep(0.005)
    return process


def events_on_disk(folder):
    """Events of a recording, and its bytes."""
    n = subprocess.run(f"babeltrace2 {folder} | wc -l", shell=True, capture_output=True, text=True)
    return int(n.stdout), sum(f.stat().st_size for f in pathlib.Path(folder).glob("channel_*"))


def slowdown_of_sets(guest, sets, pairs, folder):
    """Guest time of an exec storm while sets are recorded, as a ratio to without; [] pairs."""
    ratios, rate = [], 0
    for i in range(pairs):
        seconds = {}
        for on in (True, False) if i % 2 else (False, True):
            process = recorder(guest, sets, folder) if on else None
            guest.sh(EXECS)  # all code was flushed: translate it again
            seconds[on] = seconds_of(guest, EXECS)
            if process:
                process.send_signal(signal.SIGINT)
                process.wait(20)
        ratios.append(seconds[True] / seconds[False])
    events, size = events_on_disk(folder)
    rate = events / (2 * seconds[True])
    return ratios, rate, size / max(events, 1)


def bench_events(args):
    """What event sets cost the guest, and what the engine costs it when none is on."""
    pairs = 5 if args.quick else 25
    with tempfile.TemporaryDirectory() as tmp, Guest("riscv64", smp=1, via="run") as guest:
        for sets, target in ((["sched"], ""), (["sched", "syscalls", "traps", "modes"], "<= 1.15"),
                             (["all"], "<= 1.3")):
            ratios, rate, size = slowdown_of_sets(guest, sets, pairs, f"{tmp}/t")
            low, _, high = statistics.quantiles(ratios, n=4)
            row(f"guest time, {'+'.join(sets)} recorded / none ({pairs} pairs)",
                f"{statistics.median(ratios):.3f} [{low:.2f}-{high:.2f}]", target)
            row(f"  {rate:,.0f} events/s, bytes an event on disk", f"{size:.1f}", "<= 24")
        with Guest("riscv64", smp=1, via="plain") as plain:
            ratios = []
            for i in range(pairs * 2):
                order = (guest, plain)[::1 if i % 2 else -1]
                seconds = {g: seconds_of(g, EXECS) for g in order}
                ratios.append(seconds[guest] / seconds[plain])
        low, _, high = statistics.quantiles(ratios, n=4)
        row(f"guest time, all these off again / plain QEMU ({pairs * 2} pairs)",
            f"{statistics.median(ratios):.3f} [{low:.2f}-{high:.2f}]", "<= 1.01")
        bench_switching(guest, pairs)


def bench_heat(args):
    """What counting accesses to memory costs the guest: always, and 1 % of the time."""
    pairs = 3 if args.quick else 9
    with tempfile.TemporaryDirectory() as tmp, Guest("riscv64", smp=1, via="run") as guest:
        ratios, _, _ = slowdown_of_sets(guest, ["heat:exact"], pairs, f"{tmp}/t")
        row(f"guest time, heat:exact recorded / none ({pairs} pairs)",
            f"{statistics.median(ratios):.2f} [{min(ratios):.2f}-{max(ratios):.2f}]")
        # a slice comes every 25 s: runs are as long, so that there is one in each, wherever
        rounds = round(27 / seconds_of(guest, EXECS))
        work = f"n=0; while [ $n -lt {rounds} ]; do {EXECS}; n=$((n+1)); done"
        ratios = []
        for i in range((pairs + 1) // 2):
            seconds = {}
            for on in (True, False) if i % 2 else (False, True):
                process = recorder(guest, ["heat"], f"{tmp}/t") if on else None
                guest.sh(EXECS)
                seconds[on] = seconds_of(guest, work)
                if process:
                    process.send_signal(signal.SIGINT)
                    process.wait(20)
            ratios.append(seconds[True] / seconds[False])
        row(f"guest time, heat (1 %) recorded / none ({len(ratios)} pairs of {seconds[False]:.0f} s)",
            f"{statistics.median(ratios):.3f} [{min(ratios):.3f}-{max(ratios):.3f}]")


def bench_switching(guest, pairs):
    """From a set that is wished for to its being in force on every vCPU, and back: as the broker
    answers, and with the start of the two commands that wish and look."""
    times, on, off = [], [], []
    broker = Broker(guest.session)
    for _ in range(pairs):
        for registers, row_of in (([], on), (None, off)):
            before = time.perf_counter()
            broker.want(0x73, registers)
            row_of.append((time.perf_counter() - before) * 1e3)
    broker.socket.close()
    for _ in range(pairs):
        before = time.perf_counter()
        process = subprocess.Popen([OSCOPE, "events", "-s", guest.session, "--for", "0.05"],
                                   stdout=subprocess.DEVNULL)
        while not guest.oscope("probe", "list", "-o", "json"):
            pass
        times.append((time.perf_counter() - before) * 1e3)
        process.wait(20)
    row("a set switched on / off, in force on every vCPU",
        f"{statistics.median(on):.1f} / {statistics.median(off):.1f} ms", "<= 25")
    row("  on, with the start of two commands", f"{statistics.median(times):.1f} ms")


class Broker:
    """The session's broker, asked for probes that no command writes (src/session/client.h)."""

    OPS = [m[1] for m in re.finditer(r"^    WIRE_OP_(\w+),", (ROOT / "src/capture/wire.h").read_text(),
                                     re.M)]

    def __init__(self, session):
        top = os.environ.get("XDG_RUNTIME_DIR")
        dirs = ([pathlib.Path(top) / "oscope"] if top else []) \
            + [pathlib.Path(f"/tmp/oscope-{os.geteuid()}/oscope")]
        path = next(d / session / "broker.sock" for d in dirs
                    if (d / session / "broker.sock").exists())
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.file = self.socket.makefile("rw")

    def ask(self, **request):
        self.file.write(json.dumps(request) + "\n")
        self.file.flush()
        answer = json.loads(self.file.readline())
        assert answer["ok"], answer
        return answer

    def want(self, opcode, registers):
        """An event with the registers' values at each instruction of those 4 bytes; None: none."""
        code = []
        if registers is not None:
            code.append(("EVENT", 0, 0, 0, 5000))
            for i, name in enumerate(registers):
                code += [("REG", 0, 0, 0, i), ("PUT", 0, 0, 8, 0)]
            code.append(("END", 0, 0, 0, 0))
        program = b"".join(struct.pack("<BBBBiQ", self.OPS.index(op), d, s, size, 0, imm)
                           for op, d, s, size, imm in code)
        probe = {"name": "bench", "site": 1, "address": "0", "mask": "ffffffff",
                 "value": f"{opcode:x}", "code": program.hex()}
        self.ask(op="subscribe", set={"tables": [], "registers": registers or [], "direct": [],
                                      "probes": [probe] if code else []})
        answer = self.ask(op="probes")
        assert answer["settled"], answer
        return answer["probes"]


ECALLS = "dd if=/dev/zero of=/dev/null bs=1 count=100000 2>/dev/null"


def bench_hits(args):
    """What one recorded firing costs: guest time with a probe at every ecall, less that without."""
    pairs = 5 if args.quick else 15
    with Guest("riscv64", smp=1, via="run") as guest:
        broker = Broker(guest.session)
        inners = []
        for registers, target in (([], 40), (["a0", "a1", "a2", "a3", "a4", "a5"], 200)):
            costs, inner = [], 0
            for i in range(pairs):
                seconds, hits = {}, 0
                for on in (True, False) if i % 2 else (False, True):
                    broker.want(0x73, registers if on else None)
                    guest.sh("dd if=/dev/zero of=/dev/null bs=1 count=1000 2>/dev/null")
                    before = broker.ask(op="probes")["probes"]
                    seconds[on] = seconds_of(guest, ECALLS)
                    if on:
                        [p] = broker.ask(op="probes")["probes"]
                        hits = p["fired"] - before[0]["fired"]
                        inner = p["cost"] / max(p["timed"], 1)
                costs.append((seconds[True] - seconds[False]) / hits * 1e9)
            broker.want(0, None)
            inners.append(inner)
            low, _, high = statistics.quantiles(costs, n=4)
            row(f"a firing, {len(registers)} registers captured ({pairs} pairs of {hits:,} hits)",
                f"{statistics.median(costs):.0f} ns [{low:.0f}-{high:.0f}]",
                f"<= {target} (by the engine's own clock {inner:.0f})")
        ring = json.loads(subprocess.run([BENCH_TRACE, "ring"], check=True, capture_output=True).stdout)
        row("  of that: the host's clock / a register, read by QEMU",
            f"{ring['clock']:.0f} / {(inners[1] - inners[0]) / 6:.0f} ns")


def recorded(guest, work, folder):
    """Seconds that the work took while it was recorded, and MiB that the recorder took."""
    process = recorder(guest, ["syscalls", "traps"], folder)
    start = time.perf_counter()
    guest.sh(work, timeout=120)
    seconds = time.perf_counter() - start
    process.send_signal(signal.SIGINT)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return seconds, usage.ru_maxrss / 1024


def bench_trace(args):
    """From the ring to the disk and back: rates of events."""
    r = json.loads(subprocess.run([BENCH_TRACE, "ring"], check=True, capture_output=True).stdout)
    row("into the ring, a vCPU, no registers / six values",
        f"{1e3 / r['none']:.1f} / {1e3 / r['six']:.1f} M/s", ">= 5")
    with tempfile.TemporaryDirectory() as tmp, Guest("riscv64", smp=2, via="run") as guest:
        folder = f"{tmp}/t"
        _, short = recorded(guest, f"({ECALLS}) & {ECALLS}; wait", folder)
        few = json.loads(subprocess.run([BENCH_TRACE, "read", folder], check=True,
                                        capture_output=True).stdout)["events"]
        seconds, memory = recorded(guest, f"({ECALLS}; {ECALLS}; {ECALLS}) & "
                                          f"{ECALLS}; {ECALLS}; {ECALLS}; wait", folder)
        size = sum(f.stat().st_size for f in pathlib.Path(folder).glob("channel_*"))
        runs = [json.loads(subprocess.run([BENCH_TRACE, "read", folder], check=True,
                                          capture_output=True).stdout) for _ in range(5)]
        events = runs[0]["events"]
        row("recorded from 2 vCPUs, events/s", f"{events / seconds:,.0f}", ">= 1,000,000")
        row("  lost packets; bytes an event; recorder's memory",
            f"{runs[0]['lost']}; {size / events:.1f}; {memory:.0f} MiB", "0; <= 24; <= 64")
        row(f"  its memory after {few * 1e-6:.1f} M events / after {events * 1e-6:.1f} M",
            f"{short:.0f} / {memory:.0f} MiB")
        rate = statistics.median(events / run["seconds"] for run in runs) * 1e-6
        start = time.perf_counter()
        subprocess.run(["babeltrace2", "-o", "dummy", folder], check=True, capture_output=True)
        peer = events / (time.perf_counter() - start) * 1e-6
        row("read, one thread / babeltrace2 -o dummy", f"{rate:.1f} / {peer:.1f} M/s", ">= 20")
        ms, _ = median_process([OSCOPE, "export", "-t", folder, "--to", "perfetto", "-o",
                                f"{tmp}/p"], 5)
        row("exported for Perfetto, the whole command", f"{events / ms * 1e-3:.1f} M/s", ">= 5")
    for line in subprocess.run([BENCH_FOLD], check=True, capture_output=True,
                               text=True).stdout.splitlines():
        name, rate, unit = line.split(maxsplit=2)
        row(f"fold {name}", f"{rate} {unit}")
    t = json.loads(subprocess.run([BENCH_TRACKS], check=True, capture_output=True).stdout)
    row(f"timeline of {t['events'] * 1e-6:.0f} M events: filled in; bytes a slice; memory",
        f"{t['seconds']:.1f} s; {t['bytes']:.1f}; {t['mib']:.0f} MiB", "bytes <= 17")
    row(f"  its whole, {t['whole_items']:,} items / a thousandth, {t['part_items']:,} / a selection of all",
        f"{t['whole']:.0f} / {t['part']:.1f} / {t['select']:.0f} ms", "<= 50")


def bench_peers(args):
    """QEMU's own log of every interrupt, on the workload of the events' rows."""
    pairs = 5 if args.quick else 25
    with tempfile.TemporaryDirectory() as tmp, Guest("riscv64", smp=1, via="plain") as plain, \
            Guest("riscv64", smp=1, via="plain", extra=["-d", "int", "-D", f"{tmp}/log"]) as logs:
        ratios = []
        for i in range(pairs):
            order = (logs, plain)[::1 if i % 2 else -1]
            seconds = {g: seconds_of(g, EXECS) for g in order}
            ratios.append(seconds[logs] / seconds[plain])
        low, _, high = statistics.quantiles(ratios, n=4)
        row(f"guest time, QEMU's -d int -D FILE / plain QEMU ({pairs} pairs)",
            f"{statistics.median(ratios):.3f} [{low:.2f}-{high:.2f}]", "(a peer)")


def bench_profile(args):
    """A kernel that a profile describes: the teaching kernel with its process table full."""
    subprocess.run([ROOT / "guests/fetch.sh", "teachos"], check=True, stdout=subprocess.DEVNULL)
    with Watched(2) as guest:
        guest.prompt()
        guest.type("run sleepers 60 &")
        time.sleep(1)
        out = subprocess.run([BENCH_STATE, guest.session], check=True, capture_output=True)
        s = json.loads(out.stdout)
        row("profile: read, compiled, kernel found; DWARF not cached", f"{s['discovery_cold_ms']:.2f} ms")
        row("  the same, DWARF cached", f"{s['discovery_cached_ms']:.2f} ms", "<= 20")
        row(f"  its {s['tasks']} tasks", f"{s['ns_per_task'] * s['tasks'] / 1e3:.0f} us", "<= 100")


ROWS = {"tasks": bench_tasks, "large": bench_large, "many": bench_many, "slowdown": bench_slowdown,
        "events": bench_events, "peers": bench_peers, "hits": bench_hits, "trace": bench_trace,
        "heat": bench_heat, "profile": bench_profile, "top": bench_top,
        "web": bench_web}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(ROWS))
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if "model name" in line), "?")
    print(f"{os.cpu_count()} x {cpu}; load {os.getloadavg()[0]:.1f}; "
          f"open files {resource.getrlimit(resource.RLIMIT_NOFILE)[0]}")
    small = None
    for name in args.only.split(","):
        if name == "large":
            bench_large(args, small)
        else:
            result = ROWS[name](args)
            small = result if name == "tasks" else small


if __name__ == "__main__":
    main()
