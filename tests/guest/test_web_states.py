# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Views of `oscope web` that are made of guest memory: one task, its memory, page tables, physical memory."""

import json
import re
import struct
import time

from harness import Web, number, wait_until
from test_web import Wire, frame, open_page


def messages(s):
    """What a page is told, message by message (RFC 6455, 5.2: a server masks nothing)."""
    def exactly(n):
        data = b""
        while len(data) < n:
            chunk = s.recv(n - len(data))
            assert chunk, "hung up"
            data += chunk
        return data
    text = b""
    while True:
        first, size = exactly(2)
        if size == 126:
            [size] = struct.unpack(">H", exactly(2))
        elif size == 127:
            [size] = struct.unpack(">Q", exactly(8))
        data = exactly(size)
        if first & 15 in (0, 1):
            text += data
            if first & 128:
                yield json.loads(text)
                text = b""


def say(s, **message):
    s.sendall(frame(json.dumps(message).encode()))


def until_view(told, view, number):
    """The first whole frame of that view that was made as wish `number` says."""
    for _ in range(400):
        m = next(told)
        if m["op"] == "view" and m["view"] == view and m["as"] == number and "tables" in m and "base" not in m:
            return m
    raise AssertionError(f"no {view}")


def column(m, name):
    table = m["tables"][0]
    at = 1 + [c["name"] for c in table["columns"]].index(name)
    return [row[at] for row in table["rows"]]


def pid_of(guest, comm):
    return next(r["pid"] for r in guest.oscope("ps", "-o", "json") if r["comm"] == comm)


def starts(guest, pid):
    return [r["start"] for r in guest.oscope("vm", pid, "-o", "json")]


def reload(b):
    """The same address anew."""
    def fresh():
        try:
            return b.tell(eval="window.old") is None
        except AssertionError:  # between the two
            return False
    b.tell(eval="window.old = 1")
    b.tell(eval="void setTimeout(() => location.reload())")
    wait_until(fresh, "the page anew")


def test_pages_see_what_they_asked_for(guest1):
    """Two pages, one guest, other arguments: neither sees what is the other's. Then the same, shared."""
    g = guest1
    a, b = pid_of(g, "faults"), pid_of(g, "sleeper-7")
    assert starts(g, a) != starts(g, b)
    with Web("-s", g.session) as web:
        w = Wire(web)
        w.enter()
        with w.socket() as one, w.socket() as two:
            told = {s: messages(s) for s in (one, two)}
            for s in (one, two):
                while next(told[s])["op"] != "guests":
                    pass
            watch = {"op": "watch", "guest": g.session, "views": ["info", "vm"]}
            say(one, **watch, args={"pid": a}, **{"as": 1})
            say(two, **watch, args={"pid": b}, **{"as": 7})
            assert column(until_view(told[one], "vm", 1), "start") == starts(g, a)
            assert column(until_view(told[two], "vm", 7), "start") == starts(g, b)
            say(one, **watch, args={"pid": b}, **{"as": 2})
            assert column(until_view(told[one], "vm", 2), "start") == starts(g, b)
            say(two, **watch, args={"pid": a}, **{"as": 8})
            assert column(until_view(told[two], "vm", 8), "start") == starts(g, a)


def test_the_tree_of_tasks(guest1):
    g = guest1
    web, b = open_page(g, "tasks")
    with web, b:
        b.until("kthreadd")

        def seen(b):
            return b.tell(eval="""[...document.querySelectorAll('table[aria-label="Processes"] tbody tr')].map(tr =>
                [Number(tr.querySelector('[data-column=pid]').innerText),
                 parseInt(tr.querySelector('.branch').style.paddingLeft) / 14])""")

        def as_ps(b):
            before = [[r["pid"], r["depth"]] for r in g.oscope("ps", "--tree", "-o", "json")]
            return seen(b) == before
        b.until(as_ps, "the tree of `ps --tree`")
        sleepers = pid_of(g, "sleepers")
        b.tell(eval=f"document.querySelector('tr[data-key=\"{sleepers}\"] .fold').click()")
        b.until(lambda b: not [r for r in b.rows("Processes") if r["comm"].startswith("sleeper-")], "a branch that is closed")
        assert [r for r in b.rows("Processes") if r["pid"] == str(sleepers)]
        assert f"closed={sleepers}" in b.tell(eval="location.hash")
        reload(b)
        b.until("kthreadd")
        assert not [r for r in b.rows("Processes") if r["comm"].startswith("sleeper-")]
        b.tell(eval="document.querySelectorAll('th button')[0].click()")  # pid, falling: no tree
        b.until(lambda b: [r for r in b.rows("Processes") if r["comm"].startswith("sleeper-")], "all tasks")
        pids = [number(r["pid"]) for r in b.rows("Processes")]
        assert pids == sorted(pids, reverse=True) and "sort.tasks=-pid" in b.tell(eval="location.hash")
        assert b.tell(problems=True) == []


def test_one_task(guest1):
    g = guest1
    faults = pid_of(g, "faults")
    web, b = open_page(g, "tasks")
    with web, b:
        b.until("kthreadd")
        b.tell(eval=f"document.querySelector('tr[data-key=\"{faults}\"] a').focus()")
        b.press("Enter")
        b.until(f"Task {faults}")
        assert f"task={faults}" in b.tell(eval="location.hash")
        fact = "document.querySelector('[data-fact=%s]')?.innerText"
        b.until(lambda b: b.tell(eval=fact % "address"), "facts")
        [row] = [r for r in g.oscope("ps", "--threads", "-o", "json") if r["pid"] == faults]
        for name in ("comm", "state", "tgid", "ppid", "prio", "nice", "uid", "address", "mm", "stack"):
            assert b.tell(eval=fact % name) == str(row[name]), name

        def same_stack(b):
            page = [(r["frame"], r["symbol"], r["address"]) for r in b.rows("Kernel stack")]
            return page and page == [(str(r["frame"]), r["symbol"], r["address"]) for r in g.oscope("bt", faults, "-o", "json")]
        b.until(same_stack, "the stack of `bt`")

        threaded = next(r["tgid"] for r in g.oscope("ps", "--threads", "-o", "json") if r["comm"] == "thread-7")
        b.show(g.session, f"tasks?task={threaded}")
        expected = {r["tid"] for r in g.oscope("ps", "--threads", "-o", "json") if r["tgid"] == threaded}
        assert len(expected) >= 50
        b.until(lambda b: {number(r["tid"]) for r in b.rows("Threads of its process")} == expected, "threads")

        b.show(g.session, f"tasks?task={faults}&part=memory")
        b.until(lambda b: [r["start"] for r in b.rows("Memory areas")] == starts(g, faults), "the areas of `vm`")
        areas = {r["start"]: r for r in g.oscope("vm", faults, "-o", "json")}
        for r in b.rows("Memory areas"):
            assert (r["end"], r["perms"], r["path"]) == tuple(areas[r["start"]][k] for k in ("end", "perms", "path"))
        b.until(lambda b: "kernel" in under(b, ".layout", "Home"), "the kernel's half")
        low = under(b, ".layout", "End")
        first = next(iter(areas.values()))
        assert low.startswith(f"{first['start']}–{first['end']}: {first['path']}, {first['perms']}"), low

        b.show(g.session, "tasks?task=2147483647")
        b.until("There is no task 2147483647 now")
        b.show(g.session, "tasks?task=-5&part=%00&va=zz&half=x")  # nonsense: all tasks
        b.until("kthreadd")
        b.press("Escape")
        assert b.tell(problems=True) == []


def under(b, picture, *keys):
    """What is said of the thing that those keys lead to."""
    b.until(lambda b: b.tell(eval=f"!!document.querySelector('{picture} canvas')"), picture)
    b.tell(eval=f"document.querySelector('{picture} canvas').focus()")
    for key in keys:
        b.press(key)
    time.sleep(0.1)
    return b.text(f"{picture} .under")


def test_page_tables(guest1):
    g = guest1
    faults = pid_of(g, "faults")
    regions = g.oscope("pt", faults, "--to", "0x8000000000000000", "-o", "json")
    va = int(regions[0]["start"], 16)
    web, b = open_page(g, f"tasks?task={faults}&part=pt")
    with web, b:
        b.until(f"{len(regions)} stretches")
        said = under(b, ".va-map", "Home")
        assert said.startswith(regions[0]["start"]) and regions[0]["perm"] in said and regions[0]["pa"] in said
        b.press("Enter")
        b.until(lambda b: f"va={va:#x}" in b.tell(eval="location.hash"), "the address")
        walk = g.oscope("pt", faults, "--va", hex(va), "-o", "json")

        def seen(b):
            return b.tell(eval="""[...document.querySelectorAll('.walk li')].map(li => Object.fromEntries(
                [...li.querySelectorAll('[data-column]')].map(e => [e.dataset.column, e.innerText])))""")
        b.until(lambda b: len(seen(b)) == len(walk), "the walk")
        for r, level in zip(seen(b), walk):
            for name in ("level", "index", "table", "pte", "kind", "pa", "decoded"):
                assert r[name] == str(level[name]), (name, r, level)

        # the last table, entry by entry
        leaf = walk[-1]
        span = leaf["page_size"]
        base = va - va % (512 * span)
        raw = g.oscope("pt", faults, "--pte", "--from", hex(base), "--to", hex(base + 512 * span), "-o", "json")
        page = b.rows(f"Table of level {leaf['level']}")
        assert [(r["start"], r["perm"], r["pa"]) for r in page] == [(r["start"], r["perm"], r["pa"]) for r in raw]
        chosen = b.tell(eval="[...document.querySelectorAll('.level tr[aria-current] [data-column=index]')].map(e => e.innerText)")
        assert chosen == [str(level["index"]) for level in walk]

        # who maps the page
        b.tell(eval="document.querySelector('.walk a').click()")
        owners = g.oscope("mem", "--page", raw[0]["pa"], "-o", "json")

        def same_owners(b):
            page = {(r["pid"], r["va"], r["perm"]) for r in b.rows("Who maps the page")}
            return page == {(str(r["pid"]), r["va"], r["perm"]) for r in owners if r["va"]}
        b.until(same_owners, "the owners of `mem --page`")
        assert b.text("[data-fact=owner]") == owners[0]["owner"]

        # an address that nothing maps, and one that is none
        b.tell(eval="document.querySelector('.ask input').value = '0x7'; document.querySelector('.ask button').click()")
        b.until(lambda b: seen(b) and seen(b)[-1]["kind"] == "hole", "a hole")
        b.tell(eval="document.querySelector('.ask input').value = 'seven'; document.querySelector('.ask button').click()")
        b.until("That is no address")

        b.show(g.session, "pagetables")
        b.until("Kernel half of the address space")
        kernel = g.oscope("pt", "-o", "json")
        b.until(lambda b: under(b, ".va-map", "End").split("–")[0] == kernel[-1]["start"], "the kernel's last page")

        def same_stretches(b):
            now = {r["start"]: r["perm"] for r in g.oscope("pt", "-o", "json")}
            page = {r["start"]: r["perm"] for r in b.rows("Mapped stretches")}
            return 0 < len(page) <= len(now) and page.items() <= now.items() and list(page)[0] == list(now)[0] and page
        page = b.until(same_stretches, "the stretches of `pt`")
        start = list(page)[0]  # the kernel's stacks are further on, and come and go
        b.tell(eval=f"[...document.querySelectorAll('table[aria-label=\"Mapped stretches\"] a')].find(a => a.innerText == '{start}').click()")
        b.until(lambda b: seen(b) and seen(b)[-1]["kind"] == "leaf" and f"va={start}" in b.tell(eval="location.hash"), "its walk")
        assert b.tell(problems=True) == []


def test_physical_memory(guest1):
    g = guest1
    web, b = open_page(g, "memory")
    with web, b:
        def same_blocks(b):
            rows = g.oscope("mem", "--buddy", "-o", "json")
            page = b.rows("Free blocks")
            return page and all(next(p for p in page if p["order"].split()[0] == str(r["order"]))[r["zone"]] == str(r["blocks"])
                                for r in rows)
        b.until(same_blocks, "the blocks of `mem --buddy`")
        cells = g.oscope("mem", "--map", "-o", "json")
        b.until(lambda b: b.tell(eval="document.querySelector('.physical canvas')?.ariaLabel"), "the map")
        under(b, ".physical", "Home")
        said, tip = b.tell(eval="['.under', '.tip'].map(s => document.querySelector(`.physical ${s}`).innerText.trim())")
        assert tip == said  # also at the pointer
        assert said.startswith(cells[0]["start"] + "–"), said
        assert re.search(r"(free|reserved|kernel|file|anon|slab|pagetable|unmanaged), \d+ % of it", said)
        assert "seen to change" in said
        two = under(b, ".physical", "ArrowRight")
        assert int(two.split("–")[0], 16) == int(re.search("–(0x[0-9a-f]+)", said)[1], 16)

        under(b, ".physical", "Home", "Enter")
        b.until(lambda b: "zoom=" in b.tell(eval="location.hash"), "a range in the address")
        b.until(lambda b: "cells of 4.0 KiB" in b.tell(eval="document.querySelector('.physical canvas')?.ariaLabel ?? ''"),
                "pages")
        page = under(b, ".physical", "Home", "ArrowRight").split("–")[0]
        assert int(page, 16) == int(cells[0]["start"], 16) + 4096
        b.press("Enter")
        b.until(f"Physical page {page}")
        owners = g.oscope("mem", "--page", page, "-o", "json")
        b.until(lambda b: b.text("[data-fact=owner]") == owners[0]["owner"], "who owns it")
        address = b.tell(eval="location.hash")
        reload(b)
        b.until(f"Physical page {page}")
        assert b.tell(eval="location.hash") == address
        b.tell(eval="document.querySelector('.crumbs a').click()")
        b.until(lambda b: "zoom=" not in b.tell(eval="location.hash"), "all of RAM")
        assert b.tell(problems=True) == []


def test_what_is_hot(eventful1):
    web, b = open_page(eventful1, "memory?show=heat")
    with web, b:
        b.until("these sets are off: heat")
        b.press("e")
        b.until(lambda b: eventful1.sh("ls /proc") and b.rows("Hottest pages"), "hot pages")
        b.until(lambda b: "accessed" in under(b, ".physical", "Home"), "cells")
        b.tell(eval="document.querySelector('table[aria-label=\"Hottest pages\"] a').click()")
        b.until("Physical page 0x")
        b.until(lambda b: b.text("[data-fact=owner]"), "its owner")
        assert b.tell(problems=True) == []


def test_reports_of_one_task(eventful1):
    """A report is narrowed to the task; another task's is another one's, and a page that asks for less has that."""
    g = eventful1
    [agent] = [r["pid"] for r in g.oscope("ps", "-o", "json") if r["comm"] == "agent"]
    sleeper = pid_of(g, "sleeper-7")
    web, b = open_page(g, f"tasks?task={agent}&part=calls")
    with web, b:
        b.until("these sets are off")
        b.press("e")
        common = {"read", "write", "wait4", "clone", "ppoll", "clone3"}
        b.until(lambda b: g.sh("true") == "" and common & {r["name"] for r in b.rows("Its system calls")}, "its calls")
        b.show(g.session, f"tasks?task={sleeper}&part=calls")
        b.until(lambda b: g.sh("true") == "" and f"no task '{sleeper}' was seen" in b.text(), "that it did nothing")
        assert not b.rows("Its system calls")
        b.show(g.session, f"tasks?task={agent}&part=faults")
        b.until("these sets are off")
        b.press("e")
        b.until(lambda b: g.sh("true") == "" and b.rows("Its page faults"), "its faults")
        b.show(g.session, f"tasks?task={agent}&part=sched")
        [total] = b.until(lambda b: g.sh("true") == "" and b.rows("Slices") and b.rows("Time on vCPUs"), "its slices")
        assert number(total["slices"]) > 0
        assert b.tell(problems=True) == []
    wait_until(lambda: g.oscope("probe", "list", "-o", "json") == [], "no probes")


def test_disks(disked):
    web, b = open_page(disked, "disk")
    with web, b:
        b.until("these sets are off: blk")
        b.press("e")

        def written(b):
            disked.sh("dd if=/dev/zero of=/dev/vda bs=65536 seek=3 count=1 conv=notrunc,fsync")
            return [r for r in b.rows("Disks") if r["access"] == "write" and number(r["requests"])]
        [row] = b.until(written, "writes")
        assert row["errors"] == "0"
        b.until(lambda b: [r for r in b.rows("Requests") if r["access"] == "write" and r["sector"] == str(3 * 128)], "the request")
        n = int(re.search(r"(\d+) regions", b.tell(eval="document.querySelector('.disk-map canvas').ariaLabel"))[1])
        at = 3 * 65536 * n // (8 << 20)

        def region(b):
            """It is forgotten after some seconds."""
            said = written(b) and under(b, ".disk-map", "Home", *["ArrowRight"] * at)
            return said and re.search(r": [1-9]\d* writes", said) and said
        said = b.until(region, "the region that was written")
        first, last = map(int, re.match(r"sectors (\d+)–(\d+)", said).groups())
        assert first <= 3 * 128 <= last, said
        assert b.tell(problems=True) == []
