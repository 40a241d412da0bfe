# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""The state views against the guest's own /proc at a quiet moment."""

import collections
import re

import facts
import pytest

from harness import Guest, try_again


def num(text):
    """A JSON address."""
    return int(text, 16)


def test_info(guest):
    (info,) = guest.oscope("info", "-o", "json")
    assert info["banner"].strip() == guest.sh("cat /proc/version").strip()
    assert info["release"] == guest.sh("uname -r").strip()
    assert info["vcpus"] == guest.smp
    assert info["os"] == "linux"
    assert info["confidence"].startswith("high")
    up = float(guest.sh("cat /proc/uptime").split()[0])
    # The kernel's clock is read as of its last update, which an idle guest may put off.
    assert up - 60 < info["uptime"] / 1e9 <= up + 1
    total = facts.meminfo(guest)["MemTotal"]
    assert total <= info["ram"]


def test_every_kernel_symbol(guest1):
    truth = facts.kallsyms(guest1)
    seen = [(num(s["address"]), s["type"], s["name"], s["module"] or "")
            for s in guest1.oscope("sym", "-o", "json", timeout=120)]
    assert len(truth) > 50000
    assert any(module for *_, module in truth), "the guest has modules loaded"
    wrong = collections.Counter(truth)
    wrong.subtract(seen)
    wrong = {k: n for k, n in wrong.items() if n}
    assert not wrong, f"{len(wrong)} differ (+: only the guest has it): {list(wrong.items())[:10]}"


def test_sym_by_name_and_address(guest1):
    address = next(a for a, _, name, module in facts.kallsyms(guest1)
                   if name == "vfs_read" and not module)
    (row,) = guest1.oscope("sym", "vfs_read", "-o", "json")
    assert num(row["address"]) == address
    (row,) = guest1.oscope("sym", hex(address + 4), "-o", "json")
    assert (row["name"], num(row["offset"])) == ("vfs_read", 4)


def test_every_task(guest):
    before = facts.tasks(guest)
    seen = guest.oscope("ps", "-t", "-o", "json")
    after = facts.tasks(guest)
    # The agent reads the guest's answers, so that it is never seen asleep by itself.
    stable = {pid: task for pid, task in before.items()
              if after.get(pid) == task and task[3] != "agent"}
    got = {t["pid"]: (t["tgid"], t["ppid"], t["state"], t["comm"]) for t in seen}

    assert len(got) == len(seen), "a pid is listed twice"
    assert len({t[0] for t in stable.values()}) >= 200
    assert sum(1 for pid, t in stable.items() if pid != t[0]) >= 50
    # Kernel workers change their name and state by themselves between two looks; RCU's threads and
    # the like run for a moment now and then, when oscope looks or twice when the guest does.
    moving = {pid for pid, t in stable.items() if t[3].startswith("kworker")}
    kernel = {pid for pid, t in stable.items() if t[1] == 2}
    wrong = {pid: (task, got.get(pid)) for pid, task in stable.items()
             if pid not in moving and got.get(pid) != task
             and not (pid in kernel and got.get(pid) in ((*task[:2], s, task[3]) for s in ("RSI" if task[2] == "R" else "R")))}
    assert not wrong, f"guest's task, oscope's: {wrong}"
    for pid in moving & got.keys():
        assert re.split("[-+]", got[pid][3])[0] == re.split("[-+]", stable[pid][3])[0]
    extra = {pid: t for pid, t in got.items()
             if pid not in before and pid not in after and not t[3].startswith("kworker")}
    assert not extra, f"only oscope's: {extra}"
    assert all(t["consistency"] in ("consistent", "retried") for t in seen)


def test_processes_only_without_t(guest1):
    seen = guest1.oscope("ps", "-o", "json")
    assert all(t["pid"] == t["tgid"] for t in seen)
    threads = facts.pids_named(guest1, "threads")
    assert {t["pid"] for t in seen} >= set(threads)


def test_rss(guest1):
    pids = facts.pids_named(guest1, "sleeper-")[:20] + [1]
    rss = {t["pid"]: t["rss"] for t in guest1.oscope("ps", "-o", "json")}
    for pid in pids:
        anon_file = guest1.sh(f"cat /proc/{pid}/smaps_rollup")
        truth = int(re.search(r"^Rss:\s+(\d+) kB", anon_file, re.M)[1]) * 1024
        assert rss[pid] == truth


def interesting_pids(guest):
    return [1, *facts.pids_named(guest, "faults")[:4], *facts.pids_named(guest, "threads")[:1],
            *facts.pids_named(guest, "sleeper-")[:2], *facts.pids_named(guest, "sh")[:1]]


def test_maps(guest):
    pids = interesting_pids(guest)
    assert len(pids) >= 5
    for pid in pids:
        truth = facts.maps(guest, pid)
        seen = [(num(v["start"]), num(v["end"]), v["perms"], num(v["offset"]) if
                 isinstance(v["offset"], str) else v["offset"], v["device"], v["inode"], v["path"] or "")
                for v in guest.oscope("vm", pid, "-o", "json")]
        assert seen == truth, f"pid {pid}"


def test_resident_pages(guest1):
    for pid in interesting_pids(guest1)[:5]:
        text = guest1.sh(f"cat /proc/{pid}/smaps")
        truth = [(int(m[1], 16), int(m[2]) * 1024, int(m[3]) * 1024) for m in re.finditer(
            r"^([0-9a-f]+)-[0-9a-f]+ .*?^Rss:\s+(\d+) kB.*?^Anonymous:\s+(\d+) kB", text, re.M | re.S)]
        seen = [(num(v["start"]), v["resident"], v["anon"])
                for v in guest1.oscope("vm", pid, "-o", "json")]
        seen = [s for s in seen if s[0] in {t[0] for t in truth}]
        assert seen == truth, f"pid {pid}"


def test_page_frames(guest1):
    """The walker's physical addresses are the ones the guest's pagemap tells."""
    (pid,) = facts.pids_named(guest1, "faults-cow")[:1]
    checked = 0
    for start, end, perms, *_, path in facts.maps(guest1, pid):
        # pagemap does not tell the frames of the kernel's own pages ([vvar]).
        if "r" not in perms or end > 1 << 63 or path.startswith("[v"):
            continue
        n = min((end - start) >> 12, 64)
        frames = facts.page_frames(guest1, pid, start, n)
        regions = guest1.oscope("pt", pid, "--from", hex(start), "--to", hex(start + n * 4096),
                                "-o", "json")
        seen = {}
        for r in regions:
            for va in range(num(r["start"]), num(r["end"]), 4096):
                seen[va] = (num(r["pa"]) + va - num(r["start"])) >> 12
        for i, pfn in enumerate(frames):
            assert seen.get(start + i * 4096) == pfn, f"va {start + i * 4096:#x}"
            checked += pfn is not None
    assert checked > 50


def test_one_address_level_by_level(guest1):
    (pid,) = facts.pids_named(guest1, "faults-cow")[:1]
    va, pfn = next((start, pfn) for start, *_ in facts.maps(guest1, pid)
                   for pfn in facts.page_frames(guest1, pid, start) if pfn)
    chain = guest1.oscope("pt", pid, "--va", hex(va), "-o", "json")
    assert [step["kind"] for step in chain] == ["table"] * (len(chain) - 1) + ["leaf"]
    assert num(chain[-1]["pa"]) >> 12 == pfn


def test_kernel_table_maps_the_kernel(guest1):
    (text,) = [s for s in guest1.oscope("sym", "_text", "-o", "json")]
    regions = guest1.oscope("pt", "-o", "json", timeout=120)
    va = num(text["address"])
    hit = [r for r in regions if num(r["start"]) <= va < (num(r["end"]) or 1 << 64)]
    assert hit and hit[0]["perm"][0] == "R"
    assert not [r for r in regions if r["perm"][1:3] == "WX"], "no writable and executable mapping"


def test_memory_totals(guest):
    truth = facts.meminfo(guest)
    rows = {r["owner"]: r["bytes"] for r in guest.oscope("mem", "-o", "json")}
    (info,) = guest.oscope("info", "-o", "json")
    total = rows.pop("total")
    assert sum(rows.values()) == total == info["ram"]
    # Batches on their way to an LRU list, counters not yet folded: at most some 250 pages a CPU
    # (mm/swap.c, mm/vmstat.c). What the per-CPU free lists hold is counted below.
    slack = guest.smp << 20

    def close(ours, theirs, what, less=0, more=0):
        assert -slack - less <= ours - theirs <= slack + more, \
            f"{what}: {ours >> 10} KiB, guest says {theirs >> 10} KiB"

    # MemFree is without the free pages on per-CPU lists, which may hold many MiB.
    # Between two looks whole batches move between these lists and the zones'.
    moved = guest.smp * 3 << 20
    percpu = facts.percpu_free(guest)
    zones = {(r["node"], r["zone"]): r for r in guest.oscope("mem", "--buddy", "-o", "json")}
    ours = sum(r["zone_percpu"] for r in zones.values())
    close(ours, percpu, "on per-CPU lists", moved, moved)
    close(rows["free"] - ours, truth["MemFree"], "free", moved, moved)
    close(sum(r["zone_free"] for r in zones.values()), truth["MemFree"], "free in zones", moved,
          moved)
    # Before Linux 6.15 nothing marks large kmallocs, which the guest counts as slab.
    close(rows["slab"], truth["Slab"], "slab", less=4 << 20)
    close(rows["anon"], truth["AnonPages"], "anon")
    close(rows["file"], truth["Cached"] + truth["Buffers"], "file")
    if "pagetable" in rows:
        close(rows["pagetable"], truth["PageTables"] + truth.get("SecPageTables", 0), "page tables")


def test_buddy_lists(guest):
    before = facts.buddyinfo(guest)
    rows = guest.oscope("mem", "--buddy", "-o", "json")
    after = facts.buddyinfo(guest)
    seen = collections.defaultdict(dict)
    for r in rows:
        seen[r["node"], r["zone"]][r["order"]] = r["blocks"]
    assert before.keys() <= seen.keys()
    for key, blocks in before.items():
        got = [seen[key][order] for order in range(len(blocks))]
        pages = [sum(n << order for order, n in enumerate(b)) for b in (blocks, got, after[key])]
        # The reading commands themselves allocate and free pages.
        assert abs(pages[1] - pages[0]) <= abs(pages[2] - pages[0]) + 512, key


def compare_slabs(guest):
    # Directory entries of all ages, of which most are given back: slabs that are partly in use.
    guest.sh("find /sys /proc/1 >/dev/null 2>&1; echo 2 >/proc/sys/vm/drop_caches", check=False)
    guest.quiet(1)  # RCU gives back for a while
    before, rows, after = try_again(
        lambda: (facts.slabinfo(guest), guest.oscope("mem", "--slab", "-o", "json"), facts.slabinfo(guest)),
        lambda r: all(row["consistency"] != "torn" for row in r[1]))
    assert len(before) > 100
    assert sorted(r["name"] for r in rows) == sorted(r["name"] for r in before)
    assert [r["bytes"] for r in rows] == sorted((r["bytes"] for r in rows), reverse=True)
    assert any(r["partial"] and r["active"] < r["objects"] for r in rows)
    assert {r["consistency"] for r in rows} <= {"consistent", "retried"}

    single = {n for n, k in collections.Counter(r["name"] for r in before).items() if k == 1}
    before, after, rows = ({r["name"]: r for r in some if r["name"] in single}
                           for some in (before, after, rows))
    counts = ("active", "objects", "slabs")
    same = 0
    for name, old in before.items():
        got, new = rows[name], after[name]
        assert (got["size"], got["per_slab"]) == (old["size"], old["per_slab"]), name
        assert got["bytes"] == got["slabs"] * old["slab_pages"] * 4096, name
        same += all(old[c] == got[c] == new[c] for c in counts)
        for c in counts:
            # What the reading commands take themselves comes and goes, a slab or two at a time.
            slack = abs(old[c] - new[c]) + 8 * guest.smp * (1 if c == "slabs" else got["per_slab"])
            assert abs(got[c] - old[c]) <= slack, (name, c, old, got, new)
    assert same > len(before) * 3 // 4, f"{same} of {len(before)} are as the guest has them"


def test_slab_caches(guest):
    compare_slabs(guest)


def test_slab_caches_of_two_nodes(arch):
    """Each node has slabs of its own: what is told is their sum."""
    nodes = [word for i in range(2) for word in (
        "-object", f"memory-backend-memfd,id=node{i},size=256M,share=on", "-numa", f"node,cpus={i},memdev=node{i}")]
    with Guest(arch, smp=2, via="run", workload="quiet", extra=nodes) as g:
        assert g.sh("cat /sys/devices/system/node/online").strip() == "0-1"
        compare_slabs(g)
        slabs = facts.slab_attributes(g, "slabs")["dentry"]["slabs"]
        assert int(re.search(r"N0=(\d+)", slabs)[1]) and int(re.search(r"N1=(\d+)", slabs)[1]), slabs


def test_slab_attributes(guest1):
    words = {"reclaim_account": "reclaimable", "destroy_by_rcu": "rcu", "hwcache_align": "aligned",
             "cache_dma": "dma", "red_zone": "redzone", "poison": "poison", "store_user": "tracked"}
    truth = facts.slab_attributes(guest1, "object_size", "aliases", "partial", *words)
    rows = [r for r in guest1.oscope("mem", "--slab", "-o", "json") if r["name"] in truth]
    assert len(rows) > 100
    for r in rows:
        is_ = truth[r["name"]]
        assert (r["object_size"], r["aliases"]) == tuple(int(is_[name]) for name in ("object_size", "aliases")), r
        flags = r["flags"].split()
        assert {w for w in flags if w != "account"} == \
            {w for name, w in words.items() if is_.get(name) == "1"}, (r, is_)
    assert sum(r["partial"] == int(truth[r["name"]]["partial"].split()[0]) for r in rows) > len(rows) * 3 // 4
    assert any("reclaimable" in r["flags"] for r in rows)


def test_memory_map(guest1):
    cells = guest1.oscope("mem", "--map", "-o", "json")
    (info,) = guest1.oscope("info", "-o", "json")
    assert sum(c["bytes"] for c in cells) == info["ram"]
    assert {"free", "reserved"} <= {c["owner"] for c in cells}


def test_kernel_log(guest):
    truth = guest.sh("dmesg -r 2>/dev/null || dmesg").splitlines()
    truth = [re.sub(r"^<\d+>", "", line) for line in truth]
    seen = guest.oscope("dmesg", "-o", "json")
    lines = []
    for r in seen:
        stamp = f"[{r['time'] // 10**9:5}.{r['time'] % 10**9 // 1000:06}] "
        lines += [stamp + part for part in r["text"].split("\n")]
    assert lines[:len(truth)] == truth
    text = guest.oscope("dmesg").splitlines()
    assert [line.rstrip() for line in text[:len(truth)]] == [line.rstrip() for line in truth]


def test_stacks_of_sleeping_tasks(guest):
    pids = [*facts.pids_named(guest, "sleeper-")[:3], *facts.pids_named(guest, "threads")[:1],
            *facts.pids_named(guest, "faults-cow")[:1], 1, 2]
    compared = 0
    for pid in pids:
        truth = facts.stack(guest, pid)
        frames = guest.oscope("bt", pid, "-o", "json")
        seen = [f["symbol"] for f in frames if f["symbol"]]
        assert not any(f["guess"] for f in frames), f"pid {pid}: {frames}"
        # The guest leaves out the scheduler's own frames at the top, and prints sym+off/size.
        names = [s.split("/")[0] for s in truth]
        if not names:
            continue
        compared += 1
        got = [s.split(" ")[0] for s in seen]
        assert names[0] in got, f"pid {pid}: guest {names}, oscope {got}"
        at = got.index(names[0])
        assert got[at:at + len(names)] == names, f"pid {pid}"
    assert compared >= 5


def test_print_follows_members_and_lists(guest1):
    text = guest1.oscope("print", "init_task.comm")
    assert "swapper" in text
    rows = guest1.oscope("print", "init_task", "--list", "tasks", "-o", "json", "--depth", "1",
                         "--max", "1000", timeout=120)
    pids = {int(r["value"].split()[0]) for r in rows if r["name"] == "pid"}
    tgids = {t["pid"] for t in guest1.oscope("ps", "-o", "json")}
    assert len(pids & tgids) >= len(tgids) - 5


def test_print_with_a_cast(guest1):
    task = next(t for t in guest1.oscope("ps", "-o", "json") if t["pid"] == 1)
    rows = guest1.oscope("print", "struct task_struct", task["address"], "-o", "json")
    value = {r["path"].split(".", 1)[-1]: r["value"] for r in rows}
    assert value["pid"].split()[0] == "1" and "init" in value["comm"]
    (row,) = guest1.oscope("print", f"((struct task_struct *){task['address']})->tgid", "-o", "json")
    assert row["value"].split()[0] == "1"


@pytest.mark.parametrize("command", [["ps"], ["info"], ["mem"], ["mem", "--map"], ["dmesg"],
                                     ["bt", "1"], ["vm", "1"], ["pt", "1"], ["sym", "schedule"],
                                     ["print", "init_task.pid"], ["ps", "--tree"]])
def test_piped_text_is_plain(guest1, command):
    text = guest1.oscope(*command)
    assert text.strip()
    assert "\x1b" not in text
