# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""The timeline of `oscope web` in a browser: keys, pointer, address, and tables that say what `report` says."""

import json
import subprocess
import time
import urllib.parse

import pytest

from harness import OSCOPE, Browser, Web, record, wait_until

pytestmark = pytest.mark.one_arch

SETS = ("sched", "syscalls", "traps", "irq", "faults")


@pytest.fixture
def recording(eventful1, tmp_path):
    """Three seconds of a guest that runs programs."""
    folder = tmp_path / "trace"
    return record(eventful1, folder, SETS, work="ls /proc; ls /no-such-file")


class Timeline(Browser):
    """A browser that shows the timeline."""

    def __init__(self, web, guest, query=""):
        super().__init__(web.url)
        try:
            self.show(guest, f"timeline{query}")
            self.until(Timeline.span, "the whole recording")
            self.measure()
        except BaseException:
            self.close()
            raise

    def span(self):
        """What is known, from and to in ns; None: it is still being read."""
        span = self.tell(eval="document.querySelector('canvas.tl')?.dataset.span")
        return span and [int(v) for v in span.split(" ")]

    def measure(self):
        """The canvas' place and size; point: pixels of what is one where text has its usual size."""
        box = self.tell(eval="""(() => { const r = document.querySelector('canvas.tl').getBoundingClientRect();
                                         return [r.left, r.top, r.width, r.height,
                                                 parseFloat(getComputedStyle(document.documentElement).fontSize) / 13]; })()""")
        self.box = dict(zip(("x", "y", "w", "h", "point"), box))

    def params(self):
        query = self.tell(eval="location.hash").partition("?")[2]
        return dict(urllib.parse.parse_qsl(query))

    def window(self):
        """From, to in ns, as the address has them; (0, 0): everything, or the newest."""
        p = self.params()
        return int(p.get("from", 0)), int(p.get("to", 0))

    def after(self, deed, what):
        """The window that the address has once the deed has changed it."""
        before = self.window()
        deed()
        self.until(lambda b: b.window() != before, what)
        return self.window()

    def still(self):
        """The window that the address has once it stays."""
        def stays(b):
            window = b.window()
            time.sleep(1)
            return b.window() == window
        self.until(stays, "the same window for a second")
        return self.window()

    def key(self, key):
        return self.after(lambda: self.press(key), f"another window after {key}")

    def said(self):
        return self.text("#tl-said")

    def at(self, part, y):
        """The place of a part of the time, y points below the canvas' top."""
        point = self.box["point"]
        left = min(220, round(self.box["w"] / point * 0.3)) * point
        return self.box["x"] + left + part * (self.box["w"] - left), self.box["y"] + y * point


def length(window):
    return window[1] - window[0]


def report(folder, view, *args):
    """Rows of a view by table."""
    out = subprocess.run([OSCOPE, "report", view, "-t", folder, "-o", "json", *args], check=True, capture_output=True)
    tables = {}
    for r in json.loads(out.stdout):
        tables.setdefault(r["table"], []).append(r)
    return tables


def test_the_window_moves(recording):
    with Web("-t", recording) as web, Timeline(web, recording) as b:
        assert b.window() == (0, 0)  # everything
        b.key("w")
        near = b.key("w")
        far = b.key("s")
        assert length(far) > length(near)
        later = b.key("d")
        assert later[0] > far[0] and abs(length(later) - length(far)) <= 1
        earlier = b.key("a")
        assert earlier[0] < later[0] and abs(length(earlier) - length(later)) <= 1
        begin, end = b.key("Home"), b.key("End")
        assert begin[0] < end[0]
        assert b.key("z") == (0, 0)

        # the wheel goes closer to where the pointer is
        b.tell(eval="document.activeElement.blur()")
        b.key("w")
        b.key("w")
        first = b.key("w")
        b.tell(move=b.at(0.25, 120))
        b.after(lambda: b.tell(wheel=[0, -300]), "a closer window")
        closer = b.still()
        assert length(closer) < length(first) * 0.8
        kept = first[0] + 0.25 * length(first)
        assert abs(closer[0] + 0.25 * length(closer) - kept) < 0.01 * length(closer)

        # what is dragged stays under the pointer
        b.after(lambda: b.tell(drag=[*b.at(0.7, 120), *b.at(0.4, 120)]), "a window that was dragged")
        moved = b.still()
        assert abs(moved[0] - closer[0] - 0.3 * length(closer)) < 0.01 * length(closer)
        assert abs(length(moved) - length(closer)) <= 1

        # the overview goes there
        b.key("End")
        b.key("w")
        there = b.after(lambda: b.tell(click=b.at(0.5, 10)), "the middle")
        begun, ended = b.span()
        assert abs((there[0] + there[1]) / 2 - (begun + ended) / 2) < 0.01 * (ended - begun)
        assert b.tell(problems=True) == []


UNITS = {"ns": 1, "µs": 10**3, "ms": 10**6, "s": 10**9}


def same_time(text, ns):
    """Whether a time as the page writes it is so many ns, as far as its digits say; – is none."""
    if text == "–":
        return ns is None
    value, unit = text.split(" ")
    last = 10 ** -len(value.partition(".")[2]) * UNITS[unit]
    return abs(float(value) * UNITS[unit] - ns) <= 0.51 * last


def test_an_area_is_what_report_says(recording):
    with Web("-t", recording) as web, Timeline(web, recording) as b:
        b.tell(down="Shift")
        b.tell(drag=[*b.at(0.3, 120), *b.at(0.6, 150)])
        b.tell(up="Shift")
        page = {int(r["tid"]): r for r in b.until(lambda b: b.rows("CPU time by task"), "the area's table")}
        begin, end = (int(v) for v in b.until(lambda b: b.params().get("sel"), "the area in the address").split("-"))
        span = [x for name, ns in (("--from", begin), ("--to", end)) for x in (name, f"@{ns // 10**9}.{ns % 10**9:09}")]
        runs = {}  # a number that is used again has two rows there
        for r in report(recording, "sched", *span)["tasks"]:
            run, slices = runs.get(r["tid"], (0, 0))
            runs[r["tid"]] = (run + r["run"], slices + r["slices"])
        runs = {tid: sums for tid, sums in runs.items() if tid and sums[0]}
        assert page.keys() - {0} == runs.keys() and len(runs) > 2
        for tid, (run, slices) in runs.items():
            assert same_time(page[tid]["cpu_time"], run) and int(page[tid]["slices"]) == slices, page[tid]

        calls = {r["name"]: r for r in report(recording, "syscalls", *span)["calls"] if r["count"]}
        seen = {r["name"]: r for r in b.rows("System calls") if r["count"] != "0"}
        assert seen.keys() == calls.keys() and len(calls) > 2
        for name, r in calls.items():
            assert int(seen[name]["count"]) == r["count"] and same_time(seen[name]["total"], r["total"]), (r, seen[name])
        b.press("Escape")
        b.until(lambda b: "sel" not in b.params() and not b.rows("CPU time by task"), "no area")
        assert b.tell(problems=True) == []


def test_by_keys_alone_and_again_from_its_address(recording):
    with Web("-t", recording) as web:
        with Timeline(web, recording) as b:
            b.press("ArrowDown")
            b.until(lambda b: b.said() == "vCPU 0", "the first lane")
            b.press("ArrowRight")
            first = b.until(lambda b: b.said() != "vCPU 0" and b.said(), "its first slice")
            b.press("ArrowRight")
            second = b.until(lambda b: b.said() != first and b.said(), "its next slice")
            b.press("ArrowLeft")
            b.until(lambda b: b.said() == first, "the one before")
            b.press("ArrowRight")
            b.until(lambda b: b.said() == second, "the next again")
            b.press("p")
            b.press("f")
            b.until(lambda b: {"pins", "from", "at"} <= b.params().keys(), "all of it in the address")
            b.press("m")
            b.until(lambda b: "sel" in b.params() and b.rows("CPU time by task"), "its time selected")
            place = [b.params()[k] for k in ("lane", "at")]
            b.press("/")
            for key in "ls":
                b.press(key)
            b.press("Enter")
            found = b.until(lambda b: b.said() not in (first, second) and b.said(), "what is searched for")
            assert "ls" in found.lower()
            b.press("Escape")  # leaves the field
            b.until(lambda b: b.params().get("text") == "ls" and [b.params()[k] for k in ("lane", "at")] != place,
                    "the text and the slice in the address")
            address = b.tell(eval="location.hash")
            before = b.params()
            assert b.tell(problems=True) == []
            assert b.tell(reload=True) == 200
            b.until(lambda b: b.said() == found, "the same slice")
            assert b.until(lambda b: b.params() == before, "the same address")
            assert b.tell(eval="location.hash") == address
            b.until(lambda b: b.rows("CPU time by task"), "the same area")
            b.press("Escape")
            b.until(lambda b: "sel" not in b.params(), "no area")
            b.press("Escape")
            b.until(lambda b: "at" not in b.params(), "nothing chosen")
            b.press("?")
            b.until(lambda b: "pin the lane" in b.text("dialog"), "its keys")
            assert b.tell(problems=True) == []


def test_a_large_screen(recording):
    """All is drawn larger there: what is under the pointer is what one sees."""
    with Web("-t", recording) as web, Timeline(web, recording) as b:
        b.tell(size=[2560, 1440])
        b.until(lambda b: b.tell(eval="document.querySelector('canvas.tl').clientWidth") > 2000, "its size")
        b.measure()
        assert b.box["point"] > 1.1
        begun, ended = b.span()
        b.key("w")
        window = b.after(lambda: b.tell(click=b.at(0.4, 20)), "a window around what was clicked")
        assert abs((window[0] + window[1]) / 2 - (begun + 0.4 * (ended - begun))) < 0.01 * (ended - begun)
        x, y = b.at(0, 64 + 22 + 13)  # the first lane's middle: below the axis and a heading
        b.tell(click=[x - 20 * b.box["point"], y])
        b.until(lambda b: b.said() == "vCPU 0", "its name was clicked")
        b.tell(click=b.at(0.5, 64 + 22 + 13))
        b.until(lambda b: b.said() not in ("", "vCPU 0"), "its slice")
        b.until(lambda b: "at" in b.params(), "it in the address")
        assert int(b.params()["at"]) <= sum(window) / 2 + length(window) / 100
        assert b.tell(problems=True) == []


def test_a_running_guest_is_followed(eventful1):
    with Web("-s", eventful1.session) as web, Browser(web.url) as b:
        b.show(eventful1.session, "timeline")
        b.until("these sets are off")
        b.press("e")

        def lanes(b):
            eventful1.sh("ls /proc")
            return b.tell(eval="!document.querySelector('.tl-empty')")
        b.until(lanes, "lanes")
        b.until("Following")
        before = Timeline.span(b)
        b.until(lambda b: eventful1.sh("ls /proc") and Timeline.span(b)[1] > before[1] and "from" not in b.tell(eval="location.hash"),
                "newer events")
        b.press("a")
        b.until(lambda b: "from=" in b.tell(eval="location.hash"), "where it was moved to")
        assert "Following" not in b.text(".bar-top")
        b.press("l")
        b.until("Following")
        b.until(lambda b: "from=" not in b.tell(eval="location.hash"), "the newest")
        assert "+ syscalls" in b.text(".tl-sets")
        b.tell(eval="[...document.querySelectorAll('.tl-sets .act')].find(e => e.innerText === '+ syscalls').click()")
        b.until(lambda b: "+ syscalls" not in b.text(".tl-sets"), "system calls on")

        # of the time before, a lane of system calls says that there were none to be seen
        b.press("/")
        for key in "openat":
            b.press(key)
        b.until(lambda b: eventful1.sh("ls /proc") and (b.press("Enter") or "openat" in b.text(".tl-chosen")), "a call")
        b.press("Escape")
        b.press("p")
        b.press("z")
        Timeline.measure(b)
        b.until(lambda b: b.tell(move=Timeline.at(b, 0.01, 80)) or "not recorded" in b.text(".tl-tip"), "why there is nothing")
        assert "the event set syscalls was off" in b.text(".tl-tip")
        b.press("e")
        assert b.tell(problems=True) == []
    wait_until(lambda: eventful1.oscope("probe", "list", "-o", "json") == [], "no probes")
