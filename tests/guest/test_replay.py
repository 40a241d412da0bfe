# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Events of a recording, one by one: `oscope events -t`, and the tabs of `oscope top -t` that show them."""

import collections
import json

import pytest

from harness import Guest, Screen, wait_until
from test_record import FORKS, Record, babeltrace
from test_top import saved


@pytest.fixture
def recorded(eventful, tmp_path):
    record = Record(eventful, tmp_path / "t", "sched", "syscalls")
    eventful.sh(FORKS)
    assert record.stop() == 0
    return record.folder


def events(folder, *args):
    r = Guest.oscope_run("events", "-t", folder, "-o", "json", *args)
    assert r.returncode == 0 and not r.stderr, r.stderr
    return [json.loads(line) for line in r.stdout.splitlines()]


def test_events_are_those_that_were_recorded(recorded):
    all_ = events(recorded)
    names = collections.Counter(e["event"] for e in all_)
    assert names == collections.Counter(name for name, _, _ in babeltrace(recorded))
    assert all(a["time"] <= b["time"] for a, b in zip(all_, all_[1:]))
    middle = f"@{all_[len(all_) // 2]['time'] / 1e9:.9f}"
    assert events(recorded, "--to", middle) + events(recorded, "--from", middle) == all_
    sched = events(recorded, "sched")
    assert sched == [e for e in all_ if e["event"].startswith("sched_")] and sched
    assert events(recorded, "--filter", "event=sched_switch") == [
        e for e in all_ if e["event"] == "sched_switch"]
    assert events(recorded, "-n", "7") == all_[:7]


def test_mistakes(recorded, tmp_path):
    for args, text in ((("-t", recorded, "nonsense"), "no events of a set 'nonsense'"),
                       (("-t", recorded, "--for", "1"), "--for is for running guests"),
                       (("-t", recorded, "--from", "2", "--to", "1"), "must be later than --from"),
                       (("-t", recorded, "--filter", "x=1"), "x"), (("--from", "2"), "recordings"),
                       (("-t", tmp_path / "none"), "there is no recording")):
        r = Guest.oscope_run("events", *args)
        assert r.returncode in (1, 2) and text in r.stderr and not r.stdout, args


def test_top_shows_arguments_and_the_console(eventful, tmp_path):
    """As they were at the moment that it looks at."""
    record = Record(eventful, tmp_path / "t", "syscalls", "uart")
    eventful.sh("echo the first line >/dev/console; sleep 1; echo the second >/dev/console; sleep 0.3")
    assert record.stop() == 0
    calls = [e for e in events(record.folder) if "first line" in e.get("buf", "")]
    assert calls and calls[0]["event"] == "syscall_entry_write"
    second = next(e for e in events(record.folder) if "the second" in e.get("buf", ""))
    with Screen("top", "-t", record.folder, width=120, height=40) as s:
        s.until("/t")
        s.keys("8")
        s.until(lambda text: "the first line" in text and "the second" in text, "both lines")
        s.keys("9", "Home", "8")
        s.until("has sent nothing up to that moment")
        s.keys("9", "+", "+", "+")
        s.keys("g")
        s.type(f"@{second['time'] / 1e9 - 0.001:.9f}")
        s.keys("Enter", "8")
        text = s.until("the first line")
        assert "the second" not in text
        s.keys("v", "v")
        assert "the first line" in s.until(" out 74 68 65").replace("e.", "e ").replace(".l", " l")
        s.type("6vv")  # at once: they mean what they show before it is drawn
        text = s.until('write(1, "the first line\\n", 15)')
        assert "the second" not in text
        s.keys("9", "End", "6")
        s.until('write(1, "the second\\n", 11)')
        assert "top" in saved(s)


def test_typing_into_the_guest(tmp_path):
    """Only after `t`, and until Ctrl-]; keys that are commands elsewhere go to the guest, too."""
    socket = f"unix:{tmp_path}/serial,server=on,wait=off"
    with Guest("riscv64", via="run", smp=1, extra=["-serial", socket]) as guest:
        with Screen("top", "-s", guest.session, width=100, height=40) as s:
            s.keys("8", "e")
            s.until("t: type into the guest")
            s.type("xz")
            s.keys("t")
            s.until("TYPING INTO THE GUEST")
            s.type("echo quit: $((6 * 7))? | tee /tmp/typed")  # to the shell there
            s.keys("Enter")
            s.until("quit: 42?")
            wait_until(lambda: guest.sh("cat /tmp/typed") == "quit: 42?\n", "the file that tee writes after that")
            s.keys("C-]")
            s.until(lambda text: "TYPING" not in text)
            s.type("jk")
            s.keys("q")
            assert s.ended() == (0, 0)
    with Guest("riscv64", via="run", smp=1, extra=["-serial", socket]) as guest:
        with Screen("top", "-s", guest.session, "--no-console-input", width=100) as s:
            s.keys("8")
            s.until("no typing: --no-console-input")
            s.keys("t")
            s.until("no typing: --no-console-input")
