# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""What `oscope web` remembers and adds up for a page: the order of tables in its address, how the times of hops
are spread, how often pages of memory were allocated."""

import json
import os
import pathlib
import re
import subprocess
import time

import pytest

from harness import OSCOPE, Browser, Web, number, record
from test_web import open_page
from test_web_states import under

pytestmark = pytest.mark.one_arch


@pytest.fixture(scope="module")
def recordings():
    return {}


@pytest.fixture
def recording(eventful1, recordings, tmp_path_factory):
    if eventful1.session not in recordings:
        recordings[eventful1.session] = record(eventful1, tmp_path_factory.mktemp("page") / "trace", ("sched", "traps", "irq"))
    return recordings[eventful1.session]


def sort_by(b, label, column):
    b.tell(eval=f"""[...document.querySelectorAll("table[aria-label='{label}'] th button")]
        .find(e => e.innerText.replace(/ [▲▼]$/, '') == '{column}').click()""")


def sorted_by(b, label):
    """What the headings say to a screen reader."""
    return b.tell(eval=f"""Object.fromEntries([...document.querySelectorAll("table[aria-label='{label}'] th")]
        .filter(e => e.getAttribute('aria-sort') != 'none')
        .map(e => [e.innerText.replace(/ [▲▼]$/, ''), e.getAttribute('aria-sort')]))""")


def test_order_in_the_address(recording):
    causes = "Causes of traps"
    with Web("-t", recording) as web, Browser(web.url) as b:
        def address():
            return b.tell(eval="location.hash")

        def order(label=causes):
            return [r["name"] for r in b.rows(label)]
        b.show(recording, "traps")
        b.until(lambda b: len(b.rows(causes)) > 2, "causes")
        b.until(lambda b: b.rows("Traps"), "traps")
        counts = [number(r["count"]) for r in b.rows(causes)]
        assert counts == sorted(counts, reverse=True) and sorted_by(b, causes) == {"count": "descending"}
        assert "sort" not in address()
        at_first = order()

        sort_by(b, causes, "name")
        b.until(lambda b: sorted_by(b, causes) == {"name": "descending"}, "falling names")
        assert order() == sorted(at_first, reverse=True) and "sort.causes=-name" in address()
        sort_by(b, causes, "name")
        b.until(lambda b: sorted_by(b, causes) == {"name": "ascending"}, "names")
        sort_by(b, "Traps", "cpu")  # one table's order leaves the other's alone
        b.until(lambda b: "sort.causes=name&" in address() and "=-cpu" in address(), "both orders")
        by_name = order()
        assert by_name == sorted(at_first)

        # an address opens them again: anew, and by going back and forth
        here = address()
        b.tell(reload=True)
        b.until(lambda b: b.rows(causes) and b.rows("Traps"), "the tables again")
        assert order() == by_name and sorted_by(b, "Traps") == {"cpu": "descending"}
        b.tell(eval="[...document.querySelectorAll('.tabs a')].find(a => /interrupts/.test(a.hash)).click()")
        b.until(lambda b: b.rows("Interrupt lines"), "another tab")
        assert "sort" not in address()
        b.tell(eval="history.back()")
        b.until(lambda b: b.rows(causes), "the tab before")
        assert address() == here and order() == by_name and sorted_by(b, causes) == {"name": "ascending"}
        b.tell(eval="history.forward()")
        b.until(lambda b: b.rows("Interrupt lines"), "the other tab again")

        # as the rows come is an order, too; the one of the beginning needs no words
        b.show(recording, "traps")
        b.until(lambda b: b.rows(causes), "causes")
        for want, words in (({"count": "ascending"}, "sort.causes=count"), ({}, "sort.causes=-"), ({"count": "descending"}, "")):
            sort_by(b, causes, "count")
            b.until(lambda b: sorted_by(b, causes) == want, str(want))
            assert address().endswith(f"?{words}" if words else "/traps")

        for nonsense in ("nothing", "--name", "-", "<b>", "epc"):
            b.show(recording, f"traps?sort.causes={nonsense}&sort.nothing=-x")
            want = {} if nonsense == "-" else {"count": "descending"}
            b.until(lambda b: b.rows(causes) and sorted_by(b, causes) == want, nonsense)
        assert b.tell(problems=True) == []


def test_distribution_of_hops(recording):
    """The bars' table has the bins of `report irqflow`, and the bars say the same."""
    r = subprocess.run([OSCOPE, "report", "irqflow", "-t", recording, "--slices", "2048", "-o", "json"],  # as a page keeps
                       capture_output=True, text=True, check=True)
    tables = {}
    for row in json.loads(r.stdout):
        tables.setdefault(row["table"], []).append(row)
    with Web("-t", recording) as web, Browser(web.url) as b:
        b.show(recording, "interrupts")
        b.until(lambda b: len(b.rows("Interrupt lines")) == len(tables["lines"]), "lines")
        for line in tables["lines"]:
            def mine(table):
                return [r for r in tables[table] if (r["irq"], r["name"]) == (line["irq"], line["name"])]
            want = [(r["hop"], r["count"]) for r in mine("distribution")]
            key = f"{'-' if line['irq'] is None else line['irq']} {line['name']}"
            b.tell(eval=f"document.querySelector(`table[aria-label='Interrupt lines'] tr[data-key='{key}']`).click()")
            b.until(lambda b: [(r["hop"], number(r["count"])) for r in b.rows("Distribution of the hops")] == want, key)
            for r in mine("hops"):
                assert sum(n for hop, n in want if hop == r["hop"]) == r["count"]
            hops = [(r["hop"], number(r["count"])) for r in b.rows("Hops")]
            assert hops == [(r["hop"], r["count"]) for r in mine("hops")]
            # bar by bar, with the arrow keys
            said = [under(b, ".spread", "Home")] + [under(b, ".spread", "ArrowRight") for _ in want[:3]]
            for words, row, bin in zip(said, b.rows("Distribution of the hops"), mine("distribution")):
                where = f"{row['low']} to {row['high']}" if bin["low"] else f"less than {row['high']}"
                of = next(n for hop, n in hops if hop == row["hop"])
                assert words == f"{row['hop']}: {where}: {row['count']} of {of} ({row['share']})"
            assert b.tell(axe=".interrupts") == []
        assert b.tell(problems=True) == []


def test_a_large_screen(recording):
    """Text is larger there, in canvases too, and what the pointer is at is still what is drawn there."""
    with Web("-t", recording) as web, Browser(web.url) as b:
        b.show(recording, "interrupts")
        b.until(lambda b: b.rows("Distribution of the hops"), "bars")
        seen = []
        for size in ((1280, 800), (2560, 1440)):
            b.tell(size=size)
            b.until(lambda b: b.tell(eval="document.documentElement.scrollWidth <= innerWidth"), "that nothing sticks out")
            box = b.tell(eval="(r => [r.x, r.y, r.width, r.height])(document.querySelector('.spread canvas').getBoundingClientRect())")
            words = under(b, ".spread", "Home")  # the first bar of the first hop, and the pointer there
            tip = b.tell(eval="(r => [r.x, r.y])(document.querySelector('.spread .tip').getBoundingClientRect())")
            b.press("Escape")
            b.tell(move=[tip[0] + 1, box[1] + 4])
            b.until(lambda b: b.text(".spread .under") == words, words)
            b.tell(move=[2, 2])
            text = b.tell(eval="parseFloat(getComputedStyle(document.querySelector('td')).fontSize)")
            seen.append((text, tip[0] - box[0], box[3]))
        small, large = seen
        assert all(a < b for a, b in zip(small, large)), seen
        assert b.tell(problems=True) == []


def test_nothing_is_inherited(recording):
    """What it starts, as the browser, gets none of its descriptors."""
    with Web("-t", recording) as web, Browser(web.url) as b:
        b.show(recording, "traps")
        b.until(lambda b: b.rows("Traps"), "traps")
        left = {}
        for info in pathlib.Path(f"/proc/{web.process.pid}/fdinfo").iterdir():
            try:
                flags = int(re.search(r"flags:\s*(\d+)", info.read_text())[1], 8)
            except FileNotFoundError:  # closed meanwhile
                continue
            if int(info.name) > 2 and not flags & os.O_CLOEXEC:
                left[info.name] = os.readlink(f"/proc/{web.process.pid}/fd/{info.name}")
        assert left == {}


ALLOCATED = re.compile(r"allocated (\d+) times? in (\d+) looks? since (\d\d:\d\d:\d\d) "
                       r"\(what came and went between two looks is not seen\)")


def allocated(b, *keys):
    """What is said of the cell there: times, looks, since when; None: nothing yet."""
    m = ALLOCATED.search(under(b, ".physical", *keys))
    return m and (int(m[1]), int(m[2]), m[3])


def test_how_often_pages_were_allocated(guest1):
    g = guest1

    def work():
        g.sh("dd if=/dev/zero of=/tmp/big bs=1M count=100; sleep 1.5; rm /tmp/big; sleep 1.5")

    def most(b):
        """Of a cell, as the legend has it."""
        times = re.findall(r"(\d+) times", b.text("[data-view=map] .legend"))
        return int(times[0]) if times else 0
    web, b = open_page(g, "memory?show=allocated")
    with web, b:
        times, looks, since = b.until(lambda b: allocated(b, "Home"), "a first look")
        _, later, _ = b.until(lambda b: (a := allocated(b)) and a[1] > looks + 1 and a, "more looks")
        # what a process gets and gives back, and again, is counted each time
        grown = b.until(lambda b: work() or most(b), "allocations")
        b.until(lambda b: work() or most(b) > grown, "more of them")

        def found(b):
            a = allocated(b, "End")
            for _ in range(60):  # line by line
                if a and a[0] > 30:
                    return a
                a = allocated(b, "ArrowUp")
            return work()
        times, looks, same = b.until(found, "a cell whose pages were allocated")
        assert same == since and looks > later
        assert "its pages were allocated" in b.text(".physical .under")
        # a page's own: what is known stays, as all of RAM is looked at, whatever part is shown
        under(b, ".physical", "Enter")
        b.until(lambda b: "cells of 4.0 KiB" in b.tell(eval="document.querySelector('.physical canvas')?.ariaLabel ?? ''"), "pages")
        n = int(re.search(r"(\d+) cells", b.tell(eval="document.querySelector('.physical canvas').ariaLabel"))[1])
        pages = [b.until(lambda b: allocated(b, "Home"), "the first page")] + [allocated(b, "ArrowRight") for _ in range(n - 1)]
        assert sum(p[0] for p in pages) >= times and {p[2] for p in pages} == {since}
        assert min(p[1] for p in pages) >= looks
        # nothing is kept while nobody looks at that grid

        def anew(b):
            b.show(g.session, "overview")
            b.until(lambda b: not b.tell(eval="!!document.querySelector('.physical')"), "another tab")
            time.sleep(1.5)
            b.show(g.session, "memory?show=allocated")
            a = b.until(lambda b: allocated(b, "Home"), "the grid again")
            return a[1] < looks and a[0] == 0 and a[2] != since
        b.until(anew, "another beginning")
        assert b.tell(problems=True) == []
