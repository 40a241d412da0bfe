# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""The timeline of `oscope web`, as it travels: against the reports of the same recording."""

import json
import struct
import subprocess
import time

import pytest

from harness import OSCOPE, Talk, Web, Wire, record, wait_until

SETS = ("sched", "syscalls", "traps", "irq", "faults", "mmio")
WORK = "ls /proc >/dev/null; ls /no-such-file 2>/dev/null; cat /proc/stat >/dev/null"
MERGED = 0x7fff


def decode(data):
    """A frame as a dict; of each lane a list of items."""
    magic, version, zero, seq, start, end, unit, nlanes, narrows = struct.unpack_from("<BBHIQQQII", data)
    assert (magic, version, zero) == (ord("T"), 1, 0)
    at, lanes = 40, {}
    for _ in range(nlanes):
        lane, n = struct.unpack_from("<II", data, at)
        columns = [struct.unpack_from(f"<{n}I", data, at + 8 + 4 * n * i) for i in range(4)]
        lanes[lane] = [{"start": s, "duration": d, "name": name, "depth": info & 0xff, "class": info >> 8 & 0xff,
                        "count": info >> 16 & MERGED, "open": bool(info >> 31)} for s, d, name, info in zip(*columns)]
        at += 8 + 16 * n
    arrows = [struct.unpack_from("<5I", data, at + 20 * i) for i in range(narrows)]
    assert at + 20 * narrows == len(data)
    return {"seq": seq, "from": start, "to": end, "unit": unit, "lanes": lanes, "arrows": arrows}


class Timeline(Talk):
    """A page that watches the timeline of one guest."""

    def __init__(self, web, guest, *sets):
        wire = Wire(web)
        wire.enter()
        super().__init__(wire)
        self.guest, self.seq = str(guest), 0
        self.lanes, self.names, self.last = {}, [], None
        self.until(lambda m: isinstance(m, dict) and m["op"] == "guests" and
                   any(g["id"] == self.guest for g in m["guests"]))
        self.say(op="watch", guest=self.guest, views=["timeline"])
        if sets:
            self.say(op="sets", guest=self.guest, sets=sets)

    def hear(self):
        m = super().hear()
        if isinstance(m, bytes):
            return decode(m)
        if m["op"] == "lanes":
            if m["base"] is None:
                self.lanes = {}
                if not self.last or m["n"] < self.last["n"]:
                    self.names = []
            self.lanes.update({lane["id"]: lane for lane in m["lanes"]})
            self.last = m
        if m["op"] == "names":
            assert m["base"] <= len(self.names)
            self.names[m["base"]:] = m["names"]
        return m

    def loaded(self):
        """Until the whole recording is read."""
        while not self.last or self.last["busy"] or not self.last["span"][1]:
            self.hear()
        return self.last["span"]

    def answer(self, op, **message):
        self.seq += 1
        self.say(op=op, guest=self.guest, seq=self.seq, **message)
        return self.until(lambda m: m.get("seq") == self.seq)

    def window(self, start, end, lanes, width=1000):
        return self.answer("window", **{"from": start, "to": end, "width": width, "lanes": lanes})

    def select(self, start, end):
        m = self.answer("select", **{"from": start, "to": end})
        return {t["name"]: [dict(zip([c["name"] for c in t["columns"]], row)) for row in t["rows"]] for t in m["tables"]}

    def of(self, kind):
        return [lane for lane in self.lanes.values() if lane["kind"] == kind]


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Of each guest one, made at the first need."""
    made = {}

    def get(guest):
        if guest.session not in made:
            made[guest.session] = record(guest, tmp_path_factory.mktemp("timeline") / "trace", SETS, work=WORK)
        return made[guest.session]
    return get


def report(folder, name, *args):
    done = subprocess.run([OSCOPE, "report", name, "-t", folder, "-o", "json", *args], capture_output=True, text=True,
                          check=True)
    tables = {}
    for row in json.loads(done.stdout):
        tables.setdefault(row["table"], []).append(row)
    return tables


def same_sums(t, folder, start, end):
    """A selection of the timeline against the reports of that stretch of time."""
    args = ("--from", f"@{start // 10**9}.{start % 10**9:09}", "--to", f"@{end // 10**9}.{end % 10**9:09}")
    tables = t.select(start, end)
    sched = report(folder, "sched", *args)
    runs = {}  # a number that is used again has two rows there
    for r in [*sched["tasks"], *({"tid": 0, "run": r["idle"], "slices": 0} for r in sched["cpus"])]:
        ns, slices = runs.get(r["tid"], (0, 0))
        runs[r["tid"]] = (ns + r["run"], slices + r["slices"])
    runs = {tid: sums for tid, sums in runs.items() if sums[0]}
    said = {r["tid"]: (r["cpu_time"], r["slices"] if r["tid"] else 0) for r in tables["tasks"]}
    # before a vCPU's first switch traps and calls tell who runs; the report has switches alone, and says "unknown" there. It
    # begins with the first event, the timeline where it is known what runs
    more = {tid: ns - runs.get(tid, (0, 0))[0] for tid, (ns, _) in said.items() if ns != runs.get(tid, (0, 0))[0]}
    assert len(more) <= len(sched["cpus"]) and all(ns > 0 for ns in more.values()), more
    late = max(0, sched["interval"][0]["start"] - start)
    assert sum(more.values()) <= sum(r["unknown"] + late for r in sched["cpus"]), (more, late)
    assert {tid: slices for tid, (_, slices) in said.items() if tid not in more} == \
        {tid: slices for tid, (_, slices) in runs.items() if tid not in more}

    calls = report(folder, "syscalls", *args).get("calls", [])
    assert {r["name"]: (r["count"], r["total"], r["max"]) for r in tables["calls"] if r["count"]} == \
        {r["name"]: (r["count"], r["total"], r["max"]) for r in calls if r["count"]}

    # the report's time lasts until the task goes on, asleep and elsewhere meanwhile; here it is that on the vCPU
    causes = {}
    for r in report(folder, "traps", *args).get("causes", []):
        if r["to"] != "firmware":
            causes[r["name"]] = causes.get(r["name"], 0) + r["count"]
    assert {r["name"]: r["count"] for r in tables["traps"] if r["count"] and r["kind"] != "firmware"} == causes

    # one that is tried again is one fault in the report, with so many tries, and several here
    faults = report(folder, "faults", "--slices", "1000000", *args).get("faults", [])
    assert sum(r["count"] for r in tables["faults"]) == sum(r["tries"] for r in faults if r["kind"] not in ("segv", "bus"))
    return tables


def test_a_recording_is_what_the_reports_say(eventful, recordings):
    folder = recordings(eventful)
    with Web("-t", folder) as web, Timeline(web, folder) as t:
        first, last = t.loaded()
        assert not t.last["dropped"], t.last["notes"]
        assert sorted(lane["cpu"] for lane in t.of("cpu")) == list(range(eventful.smp))
        whole = same_sums(t, folder, first, last)
        assert len(whole["tasks"]) > 3 and len(whole["calls"]) > 3 and whole["traps"] and whole["faults"]
        same_sums(t, folder, first + 500_000_000, first + 1_700_000_000)


def test_who_woke_whom(eventful, recordings):
    folder = recordings(eventful)
    rows = [r for r in report(folder, "sched", "--slices", "20000")["slices"] if r["woken_by"] is not None and r["latency"]]
    with Web("-t", folder) as web, Timeline(web, folder) as t:
        t.loaded()
        of = {lane["tid"]: lane["id"] for lane in t.of("task")}
        assert len(rows) > 50
        for r in rows[::len(rows) // 50]:
            waited, runs = t.window(r["start"] - 1, r["start"] + 1, [of[r["tid"]]], 2)["lanes"][of[r["tid"]]]
            name = t.names[waited["name"]]
            assert (waited["class"], runs["class"]) == (1, 0), (r, waited, runs)
            assert name.endswith(f" {r['woken_by']}") or (name == "idle" and not r["woken_by"]), (r, name)


def check_frame(frame, lanes, width):
    """What holds of every frame, whatever is in it."""
    span = (frame["to"] - frame["from"]) // frame["unit"]
    for lane, items in frame["lanes"].items():
        if lanes[lane]["kind"] == "counter":  # test_web_timeline_counters.py
            continue
        ends = {}
        for i in items:
            assert i["start"] >= ends.get(i["depth"], 0) and i["start"] + i["duration"] <= span + 1
            assert i["count"] >= 1 and i["depth"] < lanes[lane]["depth"]
            ends[i["depth"]] = i["start"] + i["duration"]
        for depth in ends:
            assert len([i for i in items if i["depth"] == depth]) <= 2 * width + 1
    for _, a, start, b, end in frame["arrows"]:
        assert start <= span and end <= span


def test_windows_of_a_recording(eventful, recordings):
    folder = recordings(eventful)
    with Web("-t", folder) as web, Timeline(web, folder) as t:
        first, last = t.loaded()
        lanes = sorted(t.lanes)[:256]
        middle = (first + last) // 2
        for start, end, width in ((first, last, 1500), (first, last, 1), (middle, middle + 10**7, 8192),
                                  (middle, middle + 1, 100), (0, last * 2, 1000), (last + 10**9, last + 2 * 10**9, 100)):
            frame = t.window(start, end, lanes, width)
            assert (frame["from"], frame["to"], sorted(frame["lanes"])) == (start, end, lanes)
            check_frame(frame, t.lanes, width)
            assert all(i["name"] < len(t.names) for lane, items in frame["lanes"].items() for i in items
                       if t.lanes[lane]["kind"] != "counter")
        assert t.window(first, last, [2**32 - 1, lanes[0]])["lanes"][2**32 - 1] == []

        # in full resolution a vCPU's slices follow each other, and are the selection's sums
        cpus = [lane["id"] for lane in t.of("cpu")]
        start, end = middle, middle + 400_000_000
        frame = t.window(start, end, cpus, 8192)
        assert frame["unit"] == 1
        sums, merged = {}, 0
        for items in frame["lanes"].values():
            for i, after in zip(items, items[1:]):
                assert i["start"] + i["duration"] == after["start"]
            assert items[0]["start"] == 0 and items[-1]["start"] + items[-1]["duration"] == end - start
            for i in items:
                if i["count"] > 1:
                    merged += i["duration"]
                else:
                    sums[t.names[i["name"]]] = sums.get(t.names[i["name"]], 0) + i["duration"]
        rows = t.select(start, end)["tasks"]
        assert merged + sum(sums.values()) == (end - start) * len(cpus)
        for r in rows:
            shown = sum(ns for name, ns in sums.items() if name.endswith(f" {r['tid']}") or (not r["tid"] and name == "idle"))
            assert r["cpu_time"] - merged <= shown <= r["cpu_time"]

        # interrupts: each arrow begins and ends where its lanes have something
        where = {lane: t.lanes[lane]["kind"] for lane in t.lanes}
        frame = t.window(start, start + 50_000_000, lanes)
        assert all({where[a], where[b]} <= {"trap", "irq", "mmio"} for _, a, _, b, _ in frame["arrows"])
        if eventful.arch == "riscv64":
            assert any(where[b] == "mmio" for step in range(0, 3000, 50) for _, _, _, b, _ in
                       t.window(first + step * 10**6, first + (step + 50) * 10**6, [])["arrows"])


def test_finding_in_a_recording(eventful, recordings):
    folder = recordings(eventful)
    with Web("-t", folder) as web, Timeline(web, folder) as t:
        first, last = t.loaded()
        at, starts = first, []
        for _ in range(5):
            found = t.answer("find", text="OPENAT", back=False, lane=None, **{"from": at})
            assert t.lanes[found["lane"]]["kind"] == "call" and found["start"] > at
            at = found["start"]
            starts.append(at)
        back = t.answer("find", text="openat", back=True, lane=None, **{"from": at})
        assert starts[0] <= starts[3] <= back["start"] < at
        frame = t.window(found["start"], found["start"] + max(1, found["duration"]), [found["lane"]])
        assert t.names[frame["lanes"][found["lane"]][0]["name"]] == "openat" == t.names[found["name"]]
        assert t.answer("find", text="openat", back=False, lane=None, **{"from": last})["lane"] is None
        cpu = t.of("cpu")[0]["id"]
        slices = [t.answer("find", text="", back=False, lane=cpu, **{"from": first})]
        slices.append(t.answer("find", text="", back=False, lane=cpu, **{"from": slices[0]["start"]}))
        assert slices[0]["start"] + slices[0]["duration"] == slices[1]["start"]
        # only the newest question of a kind is answered
        for seq in range(1000, 1050):
            t.say(op="select", guest=t.guest, seq=seq, to=last, **{"from": first})
        assert t.until(lambda m: m.get("op") == "selected" and m["seq"] == 1049)


def test_a_live_timeline(eventful):
    """It grows while somebody watches; what it switched on is off when nobody does."""
    with Web("-s", eventful.session) as web:
        with Timeline(web, eventful.session, "sched", "syscalls", "traps") as t:
            def work(m):
                if m.get("op") != "lanes":
                    return False
                eventful.sh(WORK, check=False)
                return m["span"][1] and \
                    {lane["cpu"] for lane in t.of("cpu")} == set(range(eventful.smp)) and t.of("call") and t.of("trap")
            for _ in range(20):
                eventful.sh(WORK, check=False)
            m = t.until(work)
            assert not m["busy"] and m["end"] == 0
            ends = [t.until(lambda m: m.get("op") == "lanes")["span"][1] for _ in range(3)]
            assert m["span"][1] < ends[0] < ends[1] < ends[2]
            start, end = ends[2] - 500_000_000, ends[2]
            cpus = [lane["id"] for lane in t.of("cpu")]
            frame = t.window(start, end, cpus, 8192)
            check_frame(frame, t.lanes, 8192)
            for items in frame["lanes"].values():
                assert sum(i["duration"] for i in items) == end - start
            tables = t.select(start, end)
            assert sum(r["cpu_time"] for r in tables["tasks"]) <= (end - start) * eventful.smp
            assert {r["tid"] for r in tables["tasks"]} >= {0}
            eventful.sh("ls /no-such-file", check=False)
            assert t.until(lambda m: m.get("op") == "lanes" and any(lane["comm"] == "ls" for lane in t.of("task")))

            # other sets: what was seen stays, what happens meanwhile is not known
            t.say(op="sets", guest=t.guest, sets=["sched"])

            def known_again():
                eventful.sh(WORK, check=False)
                eventful.on_each_vcpu()
                m = t.until(lambda m: m.get("op") == "lanes")
                lanes = t.window(ends[2] - 500_000_000, m["span"][1], cpus, 4000)["lanes"].values()
                return any(i["class"] == 2 for items in lanes for i in items) and \
                    all(items[-1]["class"] in (0, 1) for items in lanes) and m
            later = wait_until(known_again, "switches of every vCPU, after a time of which nothing is known")

            # counters know when they did not count
            def off(name):
                return next(lane["off"] for lane in t.of("counter") if lane["name"] == name)

            def exchanged(m):
                return m.get("op") == "lanes" and off("Context switches") and off("Context switches")[-1][1]
            exchanged(t.last) or t.until(exchanged)
            [(begun, none)] = off("System calls")
            assert none is None and off("Traps") == [[begun, None]]
            [(paused, resumed)] = off("Context switches")
            assert paused == begun < resumed < later["span"][1]
            t.say(op="sets", guest=t.guest, sets=["sched", "syscalls"])
            t.until(lambda m: m.get("op") == "lanes" and off("System calls")[-1][1])
            [(_, ended)] = off("System calls")
            assert ended == off("Context switches")[-1][1] > resumed and off("Traps") == [[begun, None]]
            ended = t.until(lambda m: m.get("op") == "lanes" and m["span"][1] > ended + 500_000_000)["span"][1]
            for _ in range(3):
                eventful.sh(WORK, check=False)
            rows = {r["name"]: r for r in t.select(begun, ended)["counters"]}
            assert rows["Traps"]["counted"] == 0 and rows["Traps"]["sum"] is None
            assert 0 < rows["System calls"]["counted"] < rows["Context switches"]["counted"] < ended - begun

            def begun_anew():
                t.say(op="watch", guest=t.guest, views=["info"])
                time.sleep(0.5)
                t.say(op="watch", guest=t.guest, views=["timeline"])
                return t.until(lambda m: m.get("op") == "lanes" and m["span"][1])["span"][0] > later["span"][0]
            wait_until(begun_anew, "a timeline that was forgotten")
        wait_until(lambda: eventful.oscope("probe", "list", "-o", "json") == [], "no probes")
