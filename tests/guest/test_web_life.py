# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""`oscope web` while nothing stays as it was: guests end and start again, brokers die, a server sleeps, hours pass."""

import os
import re
import signal

import pytest

from harness import Browser, Guest, Talk, Web
from test_record import reboot
from test_web import Wire

pytestmark = pytest.mark.one_arch

UPTIME = "document.querySelector('[data-fact=uptime]')?.innerText"


@pytest.fixture(scope="module")
def second(arch):
    """May be reset, and killed at the end."""
    if arch == "arm64":
        pytest.skip("see test_no_events")
    with Guest(arch, smp=2, via="run", extra=["-action", "reboot=reset"]) as guest:
        yield guest


def switch_on(b):
    b.until("these sets are off")
    b.press("e")
    b.until(lambda b: b.rows("Busiest tasks"), "events")


def same_tasks(guest):
    def same(b):
        said = {str(r["pid"]) for r in guest.oscope("ps", "-o", "json")}
        return len(said) > 10 and len(said ^ {r["pid"] for r in b.rows("Processes")}) <= 3
    return same


def test_a_reboot(second):
    with Web("-s", second.session) as web, Browser(web.url) as b:
        b.show(second.session, "overview")
        switch_on(b)
        b.until(lambda b: b.tell(eval=UPTIME), "how long it is up")
        reboot(second)
        b.show(second.session, "tasks")
        b.until(same_tasks(second), "the new kernel's tasks")
        b.show(second.session, "overview")
        second.sh("cp /bin/busybox /tmp/usleep; (while /tmp/usleep 9000; do :; done) >/dev/null 2>&1 &")
        b.until(lambda b: [r for r in b.rows("Busiest tasks") if r["comm"] == "usleep"], "what runs now")
        assert b.tell(problems=True) == []


def test_a_broker_that_dies_and_comes_again(second):
    with Web("-s", second.session) as web, Browser(web.url) as b:
        b.show(second.session, "tasks")
        b.until("kthreadd")
        second.process.send_signal(signal.SIGKILL)  # `oscope run`, the broker
        second.process.wait(30)
        b.until("Its broker has gone.")
        r = second.oscope_run("attach", "--name", second.session, second.pid)
        assert r.returncode == 0, r.stderr
        b.until(lambda b: "Its broker" not in b.text(), "a broker")
        second.sh("cp /bin/busybox /tmp/usleep; (exec /tmp/usleep 900000000) >/dev/null 2>&1 &")
        b.until(lambda b: [r for r in b.rows("Processes") if r["comm"] == "usleep"], "tasks of now")


def test_a_guest_that_dies(second):
    with Web("-s", second.session) as web, Browser(web.url) as b:
        b.show(second.session, "tasks")
        b.until("kthreadd")
        os.kill(second.pid, signal.SIGKILL)
        b.until(lambda b: "There is no guest" in b.text() or "The guest has ended" in b.text(), "that it is gone")
        assert web.process.poll() is None


def test_a_server_that_sleeps(guest1):
    """As a laptop that was shut: the page says that nothing comes, and goes on by itself."""
    with Web("-s", guest1.session) as web, Browser(web.url) as b:
        b.show(guest1.session, "tasks")
        b.until("kthreadd")
        web.process.send_signal(signal.SIGSTOP)
        b.until("Nothing has come from oscope web")
        web.process.send_signal(signal.SIGCONT)
        b.until(lambda b: "Nothing has come" not in b.text() and "is lost" not in b.text(), "that it goes on")
        web.process.send_signal(signal.SIGSTOP)  # so long that the page gives the connection up
        b.until("The connection to oscope web is lost")
        web.process.send_signal(signal.SIGCONT)
        b.until(lambda b: "is lost" not in b.text(), "a new connection")
        guest1.sh("cp /bin/busybox /tmp/usleep; (exec /tmp/usleep 90000000) >/dev/null 2>&1 &")
        b.until(lambda b: [r for r in b.rows("Processes") if r["comm"] == "usleep"], "tasks of now")
        guest1.sh("kill $(pidof usleep); rm /tmp/usleep")


def test_a_server_that_has_nothing_to_say():
    """It is alive, and says so: silence means that it is not."""
    with Web("-s", "no-such-session") as web:
        w = Wire(web)
        w.enter()
        with w.socket() as s:
            s.settimeout(30)
            seen = b""
            while seen.count(b'{"op":"alive"}') < 2:
                seen += s.recv(65536)


def anon(web):
    """The server's own memory, KiB."""
    with open(f"/proc/{web.process.pid}/status") as f:
        return int(re.search(r"RssAnon:\s+(\d+)", f.read())[1])


CHANGES = 4 * 3600  # of a view in an hour, at four a second


def test_an_hour_of_changes(guest1):
    """As many changes of what is shown as an hour brings, as fast as the page takes them: memory stays as it was."""
    with Web("-s", guest1.session) as web, Browser(web.url, between=True) as b:
        b.show(guest1.session, "overview")
        b.until(lambda b: b.tell(eval=UPTIME), "the guest")
        b.tell(repeat=CHANGES // 10)
        before, server = b.tell(heap=True), anon(web)
        assert b.tell(repeat=CHANGES) >= 2 * CHANGES  # of two views and more
        after = b.tell(heap=True)
        assert after["bytes"] < before["bytes"] + (2 << 20), (before, after)
        assert after["nodes"] < before["nodes"] + 200, (before, after)
        assert after["listeners"] < before["listeners"] + 50, (before, after)
        assert anon(web) < server + 2048  # KiB
        b.until(lambda b: b.tell(eval=UPTIME), "the guest, as before")
        assert b.tell(problems=True) == []


def test_an_hour_of_questions(guest1):
    """
    As many as a page asks that looks at something else twice a second for an hour, and at another stretch of
    the timeline: the server keeps nothing of them.
    """
    views = [(["info", "tasks"], {}), (["map", "memory"], {"cells": 2048}), (["timeline", "page"], {"pa": "0x80200000"}),
             (["timeline", "vm"], {"pid": 1})]
    with Web("-s", guest1.session) as web:
        wire = Wire(web)
        wire.enter()
        with Talk(wire) as t:
            def ask(n):
                for i in range(n):
                    names, args = views[i % len(views)]
                    t.say(op="watch", guest=guest1.session, views=names, args=args, **{"as": i})
                    t.say(op="window", guest=guest1.session, seq=i, lanes=[0], width=1000, **{"from": i, "to": i + 10**9})
                    t.say(op="find", guest=guest1.session, seq=i, text="nobody", back=bool(i % 2), **{"from": i})
                    if i % 100 == 0:  # what was asked is answered, and the page reads it
                        t.until(lambda m: isinstance(m, dict) and m["op"] == "view" and m["as"] == i)
            t.until(lambda m: m["op"] == "guests" and any(g["id"] == guest1.session for g in m["guests"]))
            ask(CHANGES // 10)
            before = anon(web)
            ask(CHANGES // 2)
            assert anon(web) < before + 2048  # KiB
