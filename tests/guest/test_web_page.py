# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""What `oscope web` remembers and adds up for a page: the order of tables in its address."""

import pytest

from harness import Browser, Web, number
from test_web_events import record


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
