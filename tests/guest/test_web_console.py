# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""The console of `oscope web`: it shows what the guest's serial port sends, and types only when asked to."""

import json
import time

import pytest

from harness import Browser, Guest, Web, wait_until
from test_web import Wire, frame, hung_up


@pytest.fixture(scope="module")
def typed(tmp_path_factory):
    """A guest whose serial port leads to a socket that nobody has."""
    path = tmp_path_factory.mktemp("console") / "serial"
    with Guest("riscv64", via="run", smp=1, extra=["-serial", f"unix:{path},server=on,wait=off"]) as guest:
        yield guest


def screen(b):
    return b.tell(eval="document.querySelector('.screen:not(.off) .xterm-rows')?.innerText ?? ''").replace("\u00a0", " ")


def type_in(b, text):
    for key in text:
        b.press("Space" if key == " " else key)


def probes(guest):
    return guest.oscope("probe", "list", "-o", "json")


def test_what_it_shows(typed):
    with Web("-s", typed.session) as web, Browser(web.url) as b:
        b.show(typed.session, "console")
        b.until("these sets are off: uart")
        assert probes(typed) == []
        b.press("e")
        b.until(lambda b: b.tell(eval="!!document.querySelector('.screen:not(.off)')"), "the screen")
        b.until(lambda b: typed.sh("printf 'the answer: \\033[31m%s\\033[m\\n' 42 >/dev/console; sleep 0.2") == "" and
                "the answer: 42" in screen(b), "what the guest said")
        red = "[...document.querySelectorAll('.xterm-rows span')].filter(s => s.innerText == '42' && " \
              "s.className.includes('xterm-fg-')).length"
        assert b.tell(eval=red) >= 1
        # a true colour is a style that xterm.js sets: the page's policy must let it
        typed.sh("printf '\\033[38;2;1;2;200mblue\\033[m\\n' >/dev/console")
        b.until(lambda b: b.tell(eval="[...document.querySelectorAll('.xterm-rows span')].some(s => s.innerText == 'blue' "
                                      "&& s.style.color)"), "a colour")
        # another view and back: what came before is there
        b.press("1")
        b.until("Busiest tasks")
        typed.sh("echo meanwhile >/dev/console")
        b.show(typed.session, "console")
        b.until(lambda b: "the answer: 42" in screen(b), "what came before")
        assert b.tell(problems=True) == []
    wait_until(lambda: probes(typed) == [], "no probes")


def test_typing(typed):
    """Only after `t`, and until Ctrl-]; keys that are commands elsewhere go to the guest, too."""
    with Web("-s", typed.session) as web, Browser(web.url) as b:
        b.show(typed.session, "console")
        b.until("Type into the guest")
        assert typed.oscope("dev", "serial", "-o", "json")[0]["free"]
        type_in(b, "xz")
        b.press("t")
        b.until("Typing into the guest: every key goes there.")
        type_in(b, "echo quit: $((6 * 7))? | tee /tmp/typed")
        b.press("Enter")
        b.until(lambda b: "quit: 42?" in screen(b), "what the guest answers")
        wait_until(lambda: typed.sh("cat /tmp/typed") == "quit: 42?\n", "the file that tee writes after that")
        assert probes(typed) == []  # the connection alone
        b.press("Control+]")
        b.until("Type into the guest")
        type_in(b, "jk")
        b.press("1")
        b.until("Busiest tasks")
        wait_until(lambda: typed.oscope("dev", "serial", "-o", "json")[0]["free"], "nobody is connected")
        # the page goes in the middle of it: so does the connection
        b.show(typed.session, "console")
        b.until("Type into the guest")
        b.press("t")
        b.until("every key goes there")
        wait_until(lambda: not typed.oscope("dev", "serial", "-o", "json")[0]["free"], "somebody is connected")
        assert b.tell(problems=True) == []
        b.close()
        wait_until(lambda: typed.oscope("dev", "serial", "-o", "json")[0]["free"], "nobody is connected")


def test_why_not(guest1):
    with Web("-s", guest1.session) as web, Browser(web.url) as b:
        b.show(guest1.session, "console")
        why = guest1.oscope("dev", "serial", "-o", "json")[0]["why"]
        b.until(f"No typing: serial0: {why}")
        b.press("t")
        b.until("no serial port is free")
        assert b.tell(problems=True) == []


def test_no_console(typed):
    """It is the server that forbids it, not the page that hides it."""
    def say(s, **message):
        s.sendall(frame(json.dumps({"guest": typed.session, **message}).encode()))

    with Web("-s", typed.session, "--no-console") as web:
        with Browser(web.url) as b:
            b.show(typed.session, "console")
            b.until("Busiest tasks")  # the first tab: there is no such one
            assert "Console" not in b.text(".tabs")
    with Web("-s", typed.session, "--no-console") as web:
        w = Wire(web)
        w.enter()
        for message in ({"op": "console", "on": True}, {"op": "type", "on": True}, {"op": "keys", "bytes": "0d"}):
            with w.socket() as s:
                say(s, op="watch", views=["info"])
                say(s, **message)
                assert hung_up(s)
        with w.socket() as s:
            for _ in range(20):
                say(s, op="watch", views=["info", "uart", "serial"])
                say(s, op="sets", sets=["uart"])
                time.sleep(0.1)
            typed.sh("echo seen-by-nobody >/dev/console")
            s.settimeout(10)
            heard, end = b"", time.monotonic() + 10
            while time.monotonic() < end or b'"view":"info"' not in heard:
                chunk = s.recv(65536)
                assert chunk
                heard += chunk
            assert b"seen-by-nobody" not in heard and b'"view":"uart"' not in heard and b'"view":"serial"' not in heard
