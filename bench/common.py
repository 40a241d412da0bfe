# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""What all benchmarks share: where the programs are, a row of the table, what a process costs."""

import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/guest"))

BUILD = pathlib.Path(os.environ.get("OSCOPE_BUILD", ROOT / "build"))
OSCOPE = str(BUILD / "oscope")
GUEST_RAM = "/memfd:memory-backend-memfd"  # as QEMU names what `oscope run` gives it


def row(name, value, target=""):
    print(f"{name:<58} {value:>22}  {target}", flush=True)


def cpu_seconds(pid):
    """CPU time of a process so far."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid):
    """MiB now: all that is resident; of it what no other process has; what is the guest's RAM."""
    sizes, name = {"Rss": 0, "Private": 0, "guest": 0}, ""
    with open(f"/proc/{pid}/smaps") as f:
        for line in f:
            word, value = line.split()[:2]
            if not word.endswith(":"):
                name = line.split(maxsplit=5)[5].strip() if len(line.split()) > 5 else ""
            elif word == "Rss:":
                sizes["Rss"] += int(value)
                sizes["guest"] += int(value) if name.startswith(GUEST_RAM) else 0
            elif word.startswith("Private_"):
                sizes["Private"] += 0 if name.startswith(GUEST_RAM) else int(value)
    return [kib / 1024 for kib in sizes.values()]


def peak(pid):
    """MiB that were resident at most."""
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) / 1024 for line in f if line.startswith("VmHWM"))


def memory_rows(what, pid, target):
    """RSS counts what is mapped of the guest's RAM once for each process that has looked at it."""
    rss, own, ram = memory(pid)
    row(f"{what}: now / at most", f"{rss:.1f} / {peak(pid):.1f} MiB", f"<= {target}")
    row("  of it its own (private) / pages of the guest's RAM / rest", f"{own:.1f} / {ram:.1f} / {rss - own - ram:.1f} MiB",
        f"own <= {target}")
