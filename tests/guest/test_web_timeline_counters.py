# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Counters of the timeline: what they count is what `report` says of the same recording, in any window; and on the page."""

import pytest

from harness import Web, record
from test_web_timeline import SETS, Timeline, report
from test_web_timeline_page import Timeline as Page

pytestmark = pytest.mark.one_arch

WORK = "ls /proc >/dev/null; echo busy >/dev/console; dd if=/dev/vda of=/dev/null bs=4096 count=20 iflag=direct 2>/dev/null; " \
       "dd if=/dev/zero of=/dev/vda bs=8192 count=3 conv=fsync 2>/dev/null"


@pytest.fixture(scope="module")
def recording(disked, tmp_path_factory):
    """Three seconds of a guest that uses its disk; its console is a serial port."""
    folder = tmp_path_factory.mktemp("counters") / "trace"
    return record(disked, folder, [*SETS, "blk", "uart"], work=WORK)


@pytest.fixture(scope="module", autouse=True)
def one_way(disked):
    if disked.via != "run":
        pytest.skip("the same events, whoever brought the guest up")


def sums(folder, *span):
    """What the reports say of that time, by counter; 0 is left out."""
    disks = report(folder, "blk", *span).get("disks", [])
    said = {
        "Context switches": sum(r["switches"] for r in report(folder, "sched", *span)["cpus"]),
        "Traps": sum(r["count"] for r in report(folder, "traps", *span).get("causes", []) if r["to"] != "firmware"),
        "System calls": sum(r["count"] for r in report(folder, "syscalls", *span).get("calls", [])),
        "Page faults": sum(r["tries"] for r in report(folder, "faults", "--slices", "1000000", *span).get("faults", [])
                           if r["kind"] not in ("segv", "bus")),
        "MMIO accesses": sum(r["reads"] + r["writes"] for r in report(folder, "mmio", *span).get("devices", [])),
        "Disk reads": sum(r["bytes"] for r in disks if r["access"] == "read"),
        "Disk writes": sum(r["bytes"] for r in disks if r["access"] == "write"),
        **{name: sum(r["bytes"] for r in report(folder, "uart", *span).get("ports", []) if r["direction"] == way)
           for name, way in (("Serial output", "out"), ("Serial input", "in"))}}
    return {name: n for name, n in said.items() if n}


def counted(items):
    return sum(i["name"] + (i["count"] << 32) for i in items)


def test_sums_are_those_of_the_reports(recording):
    with Web("-t", recording) as web, Timeline(web, recording) as t:
        first, last = t.loaded()
        lanes = {lane["name"]: lane for lane in t.of("counter")}
        assert {lane["unit"] for lane in lanes.values()} >= {"switches", "traps", "calls", "faults", "accesses", "bytes"}
        assert all(lane["source"] and lane["cpu"] is None and lane["tid"] is None for lane in lanes.values())
        whole = sums(recording)
        assert set(whole) <= set(lanes) and {"Disk reads", "Disk writes", "Serial output", "MMIO accesses"} <= set(whole)
        ids = {lane["id"]: name for name, lane in lanes.items() if not lane["level"]}
        for start, end in ((first, last + 1), (first + 700_000_000, first + 1_900_000_001)):
            said = sums(recording, "--from", f"@{start // 10**9}.{start % 10**9:09}",
                        "--to", f"@{(end - 1) // 10**9}.{(end - 1) % 10**9:09}")
            assert start != first or said == whole
            table = {r["name"]: r for r in t.select(start, end - 1)["counters"]}
            interrupts, runnable = table.pop("Interrupts"), table.pop("Runnable tasks")
            assert interrupts["sum"] > 0 and runnable["sum"] is None
            runs = sum(r["cpu_time"] for r in t.select(start, end - 1)["tasks"] if r["tid"])
            assert runs / (end - 1 - start) < runnable["rate"] + 0.01 < 50
            assert {name: r["sum"] for name, r in table.items() if r["sum"]} == said
            for width in (1, 37, 1500, 8192):  # the same, however it is looked at
                frame = t.window(start, end, sorted(ids), width)["lanes"]
                assert {ids[i]: counted(items) for i, items in frame.items() if items and ids[i] != "Interrupts"} == said
                assert counted(frame[lanes["Interrupts"]["id"]]) == interrupts["sum"]
                for items in frame.values():
                    assert len(items) <= width // 2 + 2
                    for i, after in zip(items, items[1:]):
                        assert i["duration"] > 0 and i["start"] + i["duration"] <= after["start"]


def test_they_are_seen_and_told(recording):
    with Web("-t", recording) as web, Page(web, recording) as b:
        b.tell(down="Shift")
        b.tell(drag=[*b.at(0.2, 120), *b.at(0.8, 150)])
        b.tell(up="Shift")
        rows = {r["name"]: r for r in b.until(lambda b: b.rows("Counters"), "the area's sums")}
        begin, end = (int(v) for v in b.until(lambda b: b.params().get("sel"), "the area in the address").split("-"))
        said = sums(recording, *(x for name, ns in (("--from", begin), ("--to", end))
                                 for x in (name, f"@{ns // 10**9}.{ns % 10**9:09}")))
        assert {name: int(r["sum"]) for name, r in rows.items() if r["sum"] not in ("0", "–") and name != "Interrupts"} == said
        b.press("Escape")
        b.until(lambda b: "sel" not in b.params(), "no area")

        # by keys: vCPUs and tasks folded, the lanes that are left are devices' and counters'
        b.tell(eval="location.hash += '?folded=cpus,tasks,devices'")
        b.until(lambda b: b.params().get("folded") == "cpus,tasks,devices", "what is folded")
        b.press("ArrowDown")
        name = b.until(lambda b: b.said(), "a counter's lane")
        assert name in rows
        b.press("ArrowRight")
        value = b.until(lambda b: b.said() != name and b.said(), "its value in the middle")
        assert value.startswith(f"{name}: ") and "/s, " in value
        facts = b.tell(eval="Object.fromEntries([...document.querySelectorAll('.tl-chosen [data-fact]')]"
                            ".map(e => [e.dataset.fact, e.innerText]))")
        assert facts["where"] == name and facts["counted"] in value, (facts, value)
        assert "counted" in b.text(".tl-chosen") and "events" in b.text(".tl-chosen")
        b.press("ArrowRight")
        after = b.until(lambda b: b.said() not in (name, value) and b.said(), "the next value")
        b.press("ArrowLeft")
        b.until(lambda b: b.said() == value, "the one before")
        b.press("ArrowRight")
        b.until(lambda b: b.said() == after, "the next again")
        b.press("p")
        b.until(lambda b: {"pins", "at", "lane"} <= b.params().keys(), "all of it in the address")
        assert b.tell(reload=True) == 200
        b.until(lambda b: b.said().startswith(f"{name}: "), "a value again")

        # by name, in a group that is folded
        b.press("/")
        for key in "disk wr":
            b.press("Space" if key == " " else key)
        b.press("Enter")
        b.until(lambda b: b.said() == "Disk writes", "the counter of that name")
        b.press("Escape")

        # under the pointer: the pinned lane is the first
        b.tell(move=b.at(0.5, 80))
        tip = b.until(lambda b: b.text(".tl-tip"), "the tooltip")
        assert "/s" in tip.split("\n")[0] and name in tip and "counted" in tip and "made from" in tip
        assert b.tell(problems=True) == []
