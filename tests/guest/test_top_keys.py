# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""The help page of each tab of `oscope top` lists the keys that do something there."""

import re
import string
import time

import pytest

from harness import Screen, try_again
from test_record import FORKS, Record
from test_top import TABS, top

NAMES = {"arrows": ("Up", "Down", "Left", "Right"), "up": ("Up",), "down": ("Down",),
         "left": ("Left",), "right": ("Right",), "PgUp": ("PPage",), "PgDn": ("NPage",),
         "Home": ("Home",), "End": ("End",), "Enter": ("Enter",), "Esc": ("Escape",),
         "Tab": ("Tab",), "S-Tab": ("BTab",), "S-left": ("S-Left",), "S-right": ("S-Right",),
         "space": ("Space",), "^L": ("C-l",), "^C": ("C-c",), "1-9": tuple("123456789"),
         **{f"F{n}": (f"F{n}",) for n in range(1, 11)}}
QUIT = {"q", "F10", "C-c"}
MOVES = {*"123456789", "Tab", "BTab"}
ALIASES = {"="}  # of "+", without Shift
OVER = {"?", "h", "F1", "i"}  # lie over the tab until the next key
# Open a line to be typed into.
LISTS = ("/", "F3", "\\", "F4")
ASK = {"Overview": (*LISTS, ":"), "Memory": ("P",), "Recording": ("d",)}
# Keys that open what a key of the help page is for, in each tab.
DOORS = {
    "Tasks": ((), ("End", "Enter")),
    "Memory": (("g",), ("t",)),
    "Syscalls": ((), ("v", "v")),
    "Traps": ((), ("v",), ("v",)),
    "Console": ((), ("v",)),
}


def keys_of(words):
    """tmux's names of the keys in a line's first column."""
    for word in words.split():
        while len(word) > 1 and word not in NAMES:
            word = word[:-1] if word[-1] in ",;)" else word[1:] if word[0] == "(" else None
            assert word, f"not a key: {words}"
        yield from NAMES.get(word, (word,))


def listed(s):
    """Of the help page: the keys of each of its sections."""
    s.keys("?")
    text = s.until("See oscope-top(1)")  # the last of it
    s.keys("Escape")
    s.until(lambda text: "Everywhere" not in text, "the tab")
    sections, name = {}, None
    for line in text.split("\n")[2:]:
        if re.match(r"\w+$", line):
            sections[name := line] = []
        elif name and re.match(r"  \S", line):
            sections[name] += keys_of(line[2:24])
    return sections


def still(text):
    """Without how old it is, and what time."""
    return re.sub(r"\S+ (behind|old)", r"\1", re.sub(r"trace-\d+-\d+", "trace-", text))


def settle(s):
    """What stands there after all keys so far."""
    s.keys("?")
    s.until("See oscope-top(1)")
    s.keys("Escape")
    return still(s.until(lambda text: "Everywhere" not in text and "See oscope-top(1)" not in text
                         and "1-9tabs" in text.rstrip().split("\n")[-1], "the tab, and no message below it"))


def press(s, tab, keys, doors):
    """Each of them, wherever in the tab it is for something: the tab is drawn after."""
    number = str(TABS.index(tab) + 1)
    for door in doors:
        s.keys(number, *door)
        for key in dict.fromkeys(keys):
            if key in QUIT:
                continue
            opens = key in OVER or key in ASK.get(tab, ())
            before = settle(s) if opens else None
            s.keys(key)
            if opens:
                s.until(lambda text: still(text) != before, f"{tab}: {key}")
                s.keys("Escape")
            elif key in MOVES:  # to another tab
                s.keys(number)
        text = settle(s)
        assert f" {number} {tab} " in text.split("\n")[1] + " ", f"{tab} {door}\n{text}"
        assert len(text.strip().split("\n")) > 3, f"{tab} {door}\n{text}"


def unlisted(s, keys):
    """Does any key that is not listed change what stands there?"""
    free = set(string.printable[:94]) - set(keys) - ALIASES
    before = settle(s)
    s.type("".join(sorted(free)))
    # a frame may come in pieces
    return before, try_again(lambda: settle(s), lambda after: after == before)


def test_help_lists_all_keys(guest1):
    """All that it lists are pressed; those that it does not list change nothing. One guest will do."""
    if guest1.arch != "riscv64":
        pytest.skip("not riscv64")
    other = {}
    with top(guest1, "sched", "syscalls", "faults", "traps", width=120, height=40) as s:
        s.until("none lost")
        for number, tab in enumerate(TABS, 1):
            s.keys(str(number))
            sections = listed(s)
            own, common = sections.get(tab, []), sections["Everywhere"] + sections["Lists"]
            s.keys("p")
            s.until("PAUSED")
            lines = [text.split("\n") for text in unlisted(s, own + common)]
            other[tab] = [pair for pair in zip(*lines) if pair[0] != pair[1]]
            s.keys("p")
            s.until(lambda text: "PAUSED" not in text, "it goes on")
            s.keys("Escape")
            press(s, tab, own, DOORS.get(tab, ((),)))
            if tab == "Overview":
                press(s, tab, common, ((),))
                s.keys("p")  # once more
                s.until(lambda text: "PAUSED" not in text, "it goes on")
        s.keys("Escape", "Escape", "q")
        assert s.ended() == (0, 0)
    assert not any(other.values()), other


# Ways through the tabs, each key of which changes what stands there: of a guest that rests, and of a
# recording, where nothing moves by itself. Keys before "|" only lead to the place.
LIVE_WAYS = {
    "Overview": ("| b v V Escape b b",),
    "Tasks": ("| t F5 M T P H", "End | Enter v m s l r c f Enter Escape", "End Enter m | k Enter"),
    "Memory": ("g | Right Left Down Up + - + 0 + Escape Enter c t o b s a g", "t | k Enter P Escape"),
    "Devices": ("| v V",),
    "Console": ("| v V", "v | PPage Up G PPage End"),  # typing: test_serial
    "Recording": ("| Down Up Space d Escape",),
}
TRACE_WAYS = {
    "Scheduler": ("Home | Right Left Right b f + - End [ Down Up Down Enter ] { } s S-Right S-Left v V",),
    "Traps": ("| v V", "v v | Enter Escape"),
    "Syscalls": ("| v V t Enter a", "v v | Up G PPage End"),
    "Recording": ("| Left Right PPage NPage Home End + - g Escape",),
}


def follows(s, key):
    """Whether a key changes what stands there."""
    before = still(s.text(colors=True))
    s.keys(key)
    for _ in range(100):
        time.sleep(0.1)
        if still(s.text(colors=True)) != before:
            return True
    return False


def dead_keys(s, ways):
    for tab, places in ways.items():
        for there, keys in (way.split("|") for way in places):
            s.keys(str(TABS.index(tab) + 1))
            settle(s)
            time.sleep(1)  # what the tab asks for comes
            s.keys(*there.split())
            settle(s)
            time.sleep(1)  # and what the place does
            for key in keys.split():
                if not follows(s, key):
                    yield f"{tab}: {there}| {key}\n{s.text()}"
            s.keys("Escape", "Escape")


def test_no_key_is_dead(guest1, tmp_path):
    if guest1.arch != "riscv64":
        pytest.skip("not riscv64")
    with top(guest1, width=120, height=40) as s:
        s.until("no events are on")
        dead = list(dead_keys(s, LIVE_WAYS))
    record = Record(guest1, tmp_path / "t", "sched", "syscalls", "faults", "traps")
    guest1.sh(FORKS)
    assert record.stop() == 0
    with Screen("top", "-t", record.folder, width=120, height=40) as s:
        s.keys("9", "End")
        s.until("we look at")
        dead += dead_keys(s, TRACE_WAYS)
    assert not dead, "\n".join(dead)
