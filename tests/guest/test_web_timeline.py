# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""The timeline of `oscope web`, as it travels: against the reports of the same recording."""

import json
import struct
import subprocess
import time

import pytest

from harness import OSCOPE, Talk, Web, Wire, wait_until

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
            folder = tmp_path_factory.mktemp("timeline") / "trace"
            with subprocess.Popen([OSCOPE, "record", "-s", guest.session, "--for", "3", "-o", folder, *SETS],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as r:
                while r.poll() is None:
                    guest.sh(WORK, check=False)
                assert r.wait() == 0
            made[guest.session] = folder
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
    assert {r["tid"]: (r["cpu_time"], r["slices"] if r["tid"] else 0) for r in tables["tasks"]} == \
        {tid: sums for tid, sums in runs.items() if sums[0]}

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
