# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Accesses to memory: a program whose accesses are known exactly."""

import json
import signal
import subprocess

import pytest
from harness import Events, wait_until
from harness.guest import OSCOPE

PAGES, ROUNDS = 24, 2000


def of_recording(guest, trace, view, *args):
    r = guest.oscope_run("report", view, "-t", trace, "-o", "json", *args)
    assert r.returncode == 0, r.stderr
    return json.loads(r.stdout)


def table(rows, name):
    return [r for r in rows if r["table"] == name]


class Touch:
    """pagetouch in the guest: .pid, .hot and .cold (physical addresses); run() lets it go."""

    def __init__(self, guest, rounds=ROUNDS):
        self.guest = guest
        guest.sh("rm -f /tmp/pt; setsid pagetouch %d %d /tmp/pt </dev/null >/dev/null 2>&1 &"
                 % (PAGES, rounds))
        guest.wait_for(f"[ $(wc -l </tmp/pt) -gt {2 * PAGES} ]")
        pid, *pages = map(int, guest.sh("cat /tmp/pt").split())
        self.pid, self.hot, self.cold = pid, pages[:PAGES], pages[PAGES:]

    def __enter__(self):
        return self

    def run(self):
        self.guest.sh(f"kill -USR1 {self.pid}")
        self.guest.wait_for("grep -q done /tmp/pt")

    def __exit__(self, *exc):
        self.guest.sh(f"kill {self.pid}")


def counting(guest):
    """Waits until the engine counts accesses: the client has looked at the counters before it asks
    for that."""
    wait_until(lambda: any(r["name"] == "heat" for r in guest.oscope("probe", "list", "-o", "json")),
               "accesses are counted")


def check_touched(rows, touch):
    """Each page has exactly the accesses that the program made, the others none."""
    pages = {int(p["address"], 16): p for p in table(rows, "pages")}
    assert set(touch.hot) <= set(pages)
    for address in touch.hot:
        page = pages[address]
        assert (page["writes"], page["reads"]) == (ROUNDS, 2 * ROUNDS), page
        assert page["owner"] == "anon" and page["execs"] == 0
        assert (page["pid"], page["comm"], page["maps"]) == (touch.pid, "pagetouch", 1)
    assert not set(touch.cold) & set(pages), "what nobody touches is cold"
    [process] = [p for p in table(rows, "processes") if p["pid"] == touch.pid]
    assert process["hot"] >= PAGES
    assert process["writes"] >= PAGES * ROUNDS and process["reads"] >= 2 * PAGES * ROUNDS
    code = [p for p in pages.values() if p["pid"] == touch.pid and p["owner"] == "file"]
    assert sum(p["execs"] for p in code) >= 3 * PAGES * ROUNDS


def check_shape(rows, guest):
    """What holds of every report of heat: tables agree."""
    [watched] = table(rows, "watched")
    pages, owners = table(rows, "pages"), table(rows, "owners")
    total = next(o for o in owners if o["owner"] == "total")
    for what in ("reads", "writes", "execs"):
        assert watched[what] == sum(p[what] for p in pages) == total[what]
        assert total[what] == sum(o[what] for o in owners if o is not total)
        assert total[what] == sum(c[what] for c in table(rows, "cells"))
    assert total["hot"] == len(pages) == sum(c["hot"] for c in table(rows, "cells"))
    assert total["pages"] == total["hot"] + total["cold"]
    mem = {o["owner"]: o["pages"] for o in guest.oscope("mem", "-o", "json")}
    assert total["pages"] == mem["total"]
    assert sum(c["bytes"] for c in table(rows, "cells")) == 4096 * mem["total"]
    shares = [p["share"] for p in pages]
    assert shares == sorted(shares, reverse=True) and abs(sum(shares) - 100) < 1e-3
    return watched


def test_exact(eventful):
    guest = eventful
    with Touch(guest) as touch:
        process = subprocess.Popen(
            [OSCOPE, "report", "heat", "--duty", "exact", "-s", guest.session, "--for", "60",
             "-o", "json"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        try:
            counting(guest)
            touch.run()
        finally:
            process.send_signal(signal.SIGINT)
            rows = json.loads(process.communicate(timeout=30)[0])
        check_touched(rows, touch)
    assert check_shape(rows, guest)["share"] > 95


def test_recorded(eventful, tmp_path):
    """Together with another set, and to the last access."""
    guest = eventful
    with Touch(guest) as touch:
        process = subprocess.Popen(
            [OSCOPE, "record", "heat:exact", "sched", "-s", guest.session, "-o",
             tmp_path / "trace"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            counting(guest)
            touch.run()
        finally:
            process.send_signal(signal.SIGINT)
            assert "nothing lost" in process.communicate(timeout=30)[1]
        rows = of_recording(guest, tmp_path / "trace", "heat")
        check_touched(rows, touch)
    assert check_shape(rows, guest)["share"] > 80
    rows = of_recording(guest, tmp_path / "trace", "heat", "--task", touch.pid)
    assert {p["pid"] for p in table(rows, "pages")} == {touch.pid}
    sched = of_recording(guest, tmp_path / "trace", "sched")
    assert touch.pid in {t["tid"] for t in table(sched, "tasks")}


def test_alone_it_holds_nobodys_events(eventful, tmp_path):
    """Its events are not in the engine's rings, so that there is nothing to keep there."""
    guest = eventful
    with Events(guest, "sched") as seen:
        guest.sh("/tmp/mark-on 2>/dev/null; true")
        for how in ("drop", "wait"):
            guest.oscope("record", "heat:exact", "--on-full", how, "--for", "1", "-s", guest.session,
                         "-o", tmp_path / how)
            assert check_shape(of_recording(guest, tmp_path / how, "heat"), guest)
    assert len(seen.list) > 10 and "lost" not in seen.stderr, seen.stderr


def test_a_part_of_the_time(eventful):
    """It says which part, sees what is hot most of the time, and is off when it is done."""
    guest = eventful
    with Touch(guest, rounds=100000000) as touch:
        guest.sh(f"kill -USR1 {touch.pid}")
        r = guest.oscope_run("report", "heat", "--duty", "20%", "--for", "4", "-o", "json",
                             "-s", guest.session)
        rows = json.loads(r.stdout)
        watched = check_shape(rows, guest)
        assert 0 < watched["share"] < 60 and watched["watched"] < watched["duration"]
        assert "accesses were counted in" in r.stderr
        pages = {int(p["address"], 16): p for p in table(rows, "pages")}
        assert set(touch.hot) <= set(pages) and not set(touch.cold) & set(pages)
        for address in touch.hot:  # a slice may begin or end in a round
            page = pages[address]
            assert abs(page["reads"] - 2 * page["writes"]) <= 100, page
    assert guest.oscope("probe", "list", "-o", "json") == []


@pytest.mark.parametrize("duty", ["5", "0%", "101%", "x%"])
def test_no_share(eventful, duty):
    r = eventful.oscope_run("report", "heat", "--duty", duty, "-s", eventful.session)
    assert r.returncode != 0 and "share of the time" in r.stderr
