# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""`oscope web`, system calls: from a cell of the heatmap to who made the calls, to single ones. What
is shown is what `oscope report syscalls` and `oscope events syscalls` say."""

import collections
import json
import re
import subprocess

import pytest

from harness import OSCOPE, Browser, Web, number, record
from test_web_events import report

pytestmark = pytest.mark.one_arch

ROUNDS = 8  # of two calls each: as many as are kept of a kind


@pytest.fixture(scope="module")
def recordings():
    return {}


@pytest.fixture
def recording(eventful, recordings, tmp_path_factory):
    """Of a program whose calls are known; one of each guest."""
    if eventful.session not in recordings:
        eventful.sh("cp /bin/knowncalls /tmp/known")
        recordings[eventful.session] = record(eventful, tmp_path_factory.mktemp("calls") / "trace", ("sched", "syscalls"),
                                              work=f"/tmp/known {ROUNDS}")
    return recordings[eventful.session]


def lines(path):
    """{(time, task): (call, result)} as the command writes it, without calls that something came between."""
    text = subprocess.run([OSCOPE, "events", "-t", path, "syscalls"], capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^ *(\d+\.\d+) \[\d+\] \[(\d+)\] (\w+\(.*?) += (.*)$", text, re.M)
    return {(f"{float(time):.6f}", tid): (call, result) for time, tid, call, result in found}


def choose(b, table, **cells):
    """A click on the row of which these columns have these values."""
    test = " && ".join(f"tr.querySelector('[data-column={c}]').innerText == {json.dumps(v)}" for c, v in cells.items())
    b.tell(eval=f"[...document.querySelectorAll(\"table[aria-label='{table}'] tbody tr\")].find(tr => {test}).click()")


def where(b):
    """What the address says is chosen."""
    return dict(p.split("=") for p in b.tell(eval="location.hash").partition("?")[2].split("&") if p)


def test_from_call_to_single_calls(recording):
    tables = report(recording, "syscalls")
    with Web("-t", recording) as web, Browser(web.url) as b:
        b.show(recording, "syscalls")
        page = b.until(lambda b: b.rows("System calls"), "calls")
        assert {r["name"]: (number(r["count"]), number(r["errors"])) for r in page} == \
            {r["name"]: (r["count"], r["errors"]) for r in tables["calls"]}
        assert not b.rows("Single calls")
        # a call: who made it, and calls of it
        choose(b, "System calls", name="pread64")
        of = [r for r in tables["tasks"] if r["name"] == "pread64"]
        b.until(lambda b: {(r["tid"], number(r["count"])) for r in b.rows("System calls by task")}
                == {(str(r["tid"]), r["count"]) for r in of}, "its tasks")
        assert where(b) == {"call": "pread64"}
        task = next(r for r in of if r["count"] == 2 * ROUNDS)  # all of a run is in it
        choose(b, "System calls by task", tid=str(task["tid"]))
        b.until(lambda b: len(b.rows("Single calls")) == 2 * ROUNDS, "its calls")
        assert where(b) == {"call": "pread64", "task": str(task["tid"])}
        rows = b.rows("Single calls")
        assert {r["tid"] for r in rows} == {str(task["tid"])}
        written = lines(recording)
        seen = [written.get((r["time"], r["tid"])) for r in rows]
        assert [x for x in seen if x], "none of them has a line of its own"
        assert [(r["call"], r["result"]) for r, x in zip(rows, seen) if x] == [x for x in seen if x]
        # of the first all bytes are known only where both pages can be read
        results = collections.Counter(r["result"].removesuffix(" (partial)") for r in rows)
        assert results == {"20": ROUNDS, "-1 EFAULT (Bad address)": ROUNDS}
        # Escape leaves one level at a time
        b.press("Escape")
        b.until(lambda b: where(b) == {"call": "pread64"}, "the task left")
        b.press("Escape")
        b.until(lambda b: where(b) == {}, "the call left")
        b.until(lambda b: not b.rows("Single calls"), "no single calls")
        assert b.tell(problems=True) == []


def test_heatmap_by_keyboard(recording):
    tables = report(recording, "syscalls")
    shown = sorted(tables["calls"], key=lambda r: -r["count"])[:16]
    cells = [r for r in tables["latency"] if r["count"] and r["name"] in {c["name"] for c in shown}]
    with Web("-t", recording) as web, Browser(web.url) as b:
        b.show(recording, "syscalls")
        b.until(lambda b: b.rows("System calls"), "calls")
        b.tell(eval="document.querySelector('.calls-heat canvas').focus()")
        # each cell is reached, and says its number
        b.press("Home")
        said = []
        for i in range(len(shown) + len(cells)):
            said.append(b.tell(eval="document.querySelector('.calls-heat [aria-live]').innerText"))
            b.press("ArrowRight")
        counts = sorted(number(m[2]) for m in (re.match(r"(\w+): (\d+) took", s) for s in said) if m)
        assert counts == sorted(r["count"] for r in cells)
        assert len([s for s in said if re.match(r"\w+: \d+ calls, \d+ errors", s)]) == len(shown)
        # Enter chooses one: the address says it, its calls took as long
        b.press("Home")
        b.press("ArrowRight")
        b.press("Enter")
        first = where(b)
        cell = next(r for r in cells if r["name"] == first["call"] and r["low"] == int(first["low"]))
        rows = b.until(lambda b: len(b.rows("Single calls")) == min(16, cell["count"]) and b.rows("Single calls"), "its calls")
        assert all(r["call"].startswith(f"{cell['name']}(") for r in rows)
        b.press("Escape")  # the pointer's place first
        b.press("Escape")
        b.until(lambda b: where(b) == {"call": cell["name"]}, "the time left")
        # an address reopens it
        b.tell(eval=f"location.hash = location.hash.split('?')[0] + '?call={cell['name']}&low={cell['low']}'")
        b.until(lambda b: len(b.rows("Single calls")) == min(16, cell["count"]), "its calls again")
        assert b.tell(axe="main") == []
        assert b.tell(problems=True) == []


def test_live(eventful):
    g = eventful
    g.sh("cp /bin/knowncalls /tmp/known")
    with Web("-s", g.session) as web, Browser(web.url) as b:
        b.tell(eval=f"location.hash = '#' + encodeURIComponent({json.dumps(g.session)}) + '/syscalls?call=readlinkat'")
        b.until("these sets are off")
        b.press("e")
        b.until(lambda b: "these sets are off" not in b.text() and "Nothing yet" in b.text("[data-view=calls]"), "the sets")
        g.sh(f"/tmp/known {ROUNDS}")
        b.until(lambda b: len([r for r in b.rows("Single calls") if '"where/it/leads"' in r["call"] and r["result"] == "14"])
                == ROUNDS, "its calls")
        b.press("e")
        b.until("these sets are off")
        assert b.tell(problems=True) == []
