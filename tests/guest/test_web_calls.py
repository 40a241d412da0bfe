# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""`oscope web`, system calls: from a cell of the heatmap to who made the calls, to single ones. What
is shown is what `oscope report syscalls` and `oscope events syscalls` say."""

import collections
import json
import re
import subprocess

import pytest

from harness import OSCOPE, Browser, Web, number
from test_web_events import report

ROUNDS = 12 # fewer than single calls are kept of a kind


@pytest.fixture(scope="module")
def recordings():
    return {}


@pytest.fixture
def recording(eventful, recordings, tmp_path_factory):
    """Of a program whose calls are known; one of each guest."""
    if eventful.session not in recordings:
        path = tmp_path_factory.mktemp("calls") / "trace"
        eventful.sh("cp /bin/knowncalls /tmp/known")
        with subprocess.Popen([OSCOPE, "record", "-s", eventful.session, "--for", "3", "-o", path, "sched", "syscalls"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as r:
            r.stdout.readline() # it has begun
            eventful.sh(f"/tmp/known {ROUNDS}")
            r.stdout.read()
            assert r.wait() == 0
        recordings[eventful.session] = path
    return recordings[eventful.session]


def lines(path):
    """Calls with their results as the command writes them, without those that something came between."""
    text = subprocess.run([OSCOPE, "events", "-t", path, "syscalls"], capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^ *(\d+\.\d+) \[(\d+)\] \[(\d+)\] ((\w+)\(.*?)\s+= (.*)$", text, re.M)
    return {(f"{int(t.split('.')[0])}.{t.split('.')[1]}", tid): (call, result) for t, _, tid, call, _, result in found
            if "<" not in call}


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
        task = max(of, key=lambda r: r["count"])
        choose(b, "System calls by task", tid=str(task["tid"]))
        assert task["count"] == 2 * ROUNDS
        assert where(b) == {"call": "pread64", "task": str(task["tid"])}
        bins = [r for r in tables["latency"] if r["name"] == "pread64"]
        if len(of) == 1: # its cells are the task's
            b.until(lambda b: len(b.rows("Single calls")) == sum(min(16, r["count"]) for r in bins), "single calls")
        rows = b.until(lambda b: b.rows("Single calls"), "single calls")
        assert {r["tid"] for r in rows} == {str(task["tid"])}
        written = {(f"{float(t):.6f}", tid): v for (t, tid), v in lines(recording).items()}
        seen = collections.Counter()
        for r in rows:
            assert r["call"].startswith("pread64("), r
            known = written.get((r["time"], r["tid"]))
            if known:
                assert (r["call"], r["result"]) == known
                seen[r["result"]] += 1
        assert seen, "none of them has a line of its own"
        assert {"-1 EFAULT (Bad address)", "20"} >= seen.keys()
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
        b.press("Escape") # the pointer's place first
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
