# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""What a guest says of itself in /proc, parsed: the truth that oscope's answers are held against."""

import re

from harness import wait_until

# Symbol owners in /proc/kallsyms that are no modules: trampolines and programs made at run time.
PSEUDO_MODULES = ("bpf", "__builtin__ftrace", "__builtin__kprobes")

STATUS = re.compile(r"^(Name|State|Tgid|Pid|PPid|VmRSS):\t(.*)$", re.M)


def wait_for_processes(guest, ps):
    """Until the rows that ps() returns have those of /proc, but for two that come and go."""
    def same():
        pids = {r["pid"] for r in ps()}
        truth = {int(p) for p in guest.sh("ls /proc").split() if p.isdigit()}
        return len(truth - pids) <= 2 and len(pids) >= 200
    wait_until(same, "the processes of /proc")


def tasks(guest):
    """{pid: (tgid, ppid, state letter, comm)} of every thread, read in one command.

    The command's own processes are told by their comm.
    """
    text = guest.sh("cat /proc/[0-9]*/task/[0-9]*/status 2>/dev/null", check=False)
    found = {}
    for part in text.split("Name:\t")[1:]:
        field = dict(STATUS.findall("Name:\t" + part))
        name = re.sub(r"\\([\\n])", lambda m: {"\\": "\\", "n": "\n"}[m[1]], field["Name"])
        found[int(field["Pid"])] = (int(field["Tgid"]), int(field["PPid"]), field["State"][0], name)
    return found


def kallsyms(guest):
    """[(address, type, name, module or "")] without run-time trampolines."""
    rows = []
    for line in guest.sh_bytes("cat /proc/kallsyms", timeout=120).decode(errors="surrogateescape").split("\n"):
        if not line:
            continue
        address, kind, rest = line.split(" ", 2)  # names may hold blanks: ".L0 "
        name, _, module = rest.partition("\t")
        module = module.strip("[]")
        if module not in PSEUDO_MODULES:
            rows.append((int(address, 16), kind, name, module))
    return rows


def maps(guest, pid):
    """[(start, end, perms, offset, device, inode, path)] of /proc/PID/maps."""
    rows = []
    for line in guest.sh(f"cat /proc/{pid}/maps").splitlines():
        span, perms, offset, device, inode, *path = line.split(None, 5)
        start, end = (int(x, 16) for x in span.split("-"))
        rows.append((start, end, perms, int(offset, 16), device, int(inode),
                     path[0] if path else ""))
    return rows


def meminfo(guest):
    """{field: bytes}"""
    return {name: int(kib) * 1024
            for name, kib in re.findall(r"^(\S+):\s+(\d+) kB", guest.sh("cat /proc/meminfo"), re.M)}


def percpu_free(guest):
    """Bytes on the per-CPU lists of free pages (pagesets in /proc/zoneinfo)."""
    text = guest.sh("cat /proc/zoneinfo")
    return 4096 * sum(int(n) for n in re.findall(r"^\s+count:\s+(\d+)", text, re.M))


def buddyinfo(guest):
    """{(node, zone): [free blocks of order 0, 1, …]}"""
    rows = {}
    for line in guest.sh("cat /proc/buddyinfo").splitlines():
        m = re.match(r"Node (\d+), zone\s+(\S+)\s+(.*)", line)
        rows[int(m[1]), m[2]] = [int(x) for x in m[3].split()]
    return rows


def slabinfo(guest):
    """[{name, active, objects, size, per_slab, slab_pages, slabs}] of /proc/slabinfo, in its order"""
    names = ("active", "objects", "size", "per_slab", "slab_pages", "slabs")
    return [{"name": m[1], **dict(zip(names, map(int, m.groups()[1:])))} for m in re.finditer(
        r"^(\S.*?) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) : tunables.*: slabdata +\d+ +(\d+) ",
        guest.sh("cat /proc/slabinfo"), re.M)]


def slab_attributes(guest, *names):
    """{cache: {attribute: its line}} of /sys/kernel/slab"""
    found = {}
    files = " ".join(f"*/{name}" for name in names)
    for line in guest.sh(f"cd /sys/kernel/slab; grep -s . {files}", check=False).splitlines():
        path, _, value = line.rpartition(":")  # merged caches are called ":0000192"
        cache, _, name = path.rpartition("/")
        found.setdefault(cache, {})[name] = value
    return found


def stack(guest, pid, tid=None):
    """["symbol+0x1/0x2", …] of /proc/PID/stack, top first."""
    path = f"/proc/{pid}/task/{tid or pid}/stack"
    return re.findall(r"^\[<0>\] (\S+)(?: \[\S+\])?$", guest.sh(f"cat {path}", check=False), re.M)


def pids_named(guest, prefix):
    """PIDs of processes whose comm starts with prefix and that outlive the asking."""
    def ask():
        text = guest.sh(f"grep -l '^{prefix}' /proc/[0-9]*/comm", check=False)
        return [int(p) for p in re.findall(r"/proc/(\d+)/comm", text)]

    first = ask()
    still = set(ask())
    return [pid for pid in first if pid in still]


def page_frames(guest, pid, va, n=1):
    """PFNs of n pages from va on, by /proc/PID/pagemap; None where no page is present."""
    text = guest.sh(f"dd if=/proc/{pid}/pagemap bs=8 skip={va >> 12} count={n} 2>/dev/null"
                    " | od -A n -v -t x8")
    words = (int(word, 16) for word in text.split())
    return [w & ((1 << 55) - 1) if w >> 63 else None for w in words]
