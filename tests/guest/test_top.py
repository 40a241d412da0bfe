# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""`oscope top` on a terminal (tmux): what it shows is what the commands say, and it leaves well."""

import glob
import json
import os
import random
import re
import signal
import subprocess
import time

import pytest

from harness import Guest, Screen, wait_until
from harness.screen import DONE

TABS = ("Overview", "Tasks", "Scheduler", "Memory", "Traps", "Syscalls", "Devices", "Console",
        "Recording")
MODES = r"us +([\d.]+) ke +([\d.]+) fw +([\d.]+) id +([\d.]+)"


def top(guest, *args, **options):
    return Screen("top", "-s", guest.session, *args, **options)


def saved(screen):
    """The views that the screen shows, by their names."""
    before = set(glob.glob(f"{screen.dir}/*.json"))
    screen.keys("w")

    def whole():
        for new in set(glob.glob(f"{screen.dir}/*.json")) - before:
            try:
                with open(new) as f:
                    return json.load(f)
            except ValueError:  # as far as it is written
                pass
        return None
    return wait_until(whole, "the file")


def test_tasks_are_those_of_ps(guest1):
    """All on one very tall screen; the kernel's workers may come and go between two looks."""
    def ps():
        return {r["pid"]: r for r in guest1.oscope("ps", "-o", "json")}

    def rows(text):
        return {int(m[1]): m for m in
                re.finditer(r"(?m)^ *(\d+) +(\d+) +\d+ (\S) +(?:-|\d+) +-?\d+ .*$", text)}
    before = ps()
    with top(guest1, width=120, height=len(before) + 60) as s:
        s.keys("2")
        seen = rows(s.until(lambda text: before.keys() & ps().keys() <= rows(text).keys(), "all tasks"))
    after = ps()
    strangers = [seen[pid][0] for pid in seen.keys() - before.keys() - after.keys()]
    # a worker that is being made has its maker's name
    assert all("kworker/" in line or line.rstrip().endswith("kthreadd") for line in strangers), strangers
    for pid, m in seen.items():
        if task := after.get(pid):
            comm = task["comm"]
            assert int(m[2]) == task["ppid"]
            assert m[3] == task["state"] or m[3] in "RSDI"
            assert m[0].rstrip().endswith(comm) or comm.startswith("kworker")  # their names change


def test_every_tab_every_size(guest1):
    for width, height, locale in ((80, 24, "C.UTF-8"), (80, 24, "POSIX"), (200, 60, "C.UTF-8")):
        with top(guest1, "sched", "syscalls", width=width, height=height, locale=locale) as s:
            s.until("Overview")
            for number, name in enumerate(TABS, 1):
                s.keys(str(number))
                s.until(lambda text, n=number: f" {n} {TABS[n - 1]} " in text.split("\n")[1] + " ",
                        name)
                text = s.until(lambda text: len(text.split("\n")[2:]) > 3, name)
                if locale == "POSIX":
                    assert text.isascii()
            for w, h in ((40, 10), (20, 5), (132, 43), (80, 24)):
                s.resize(w, h)
                s.until(lambda text, h=h: text.count("\n") == h and "oscope" in text.split("\n")[0],
                        f"{w}x{h}")
            s.keys("q")
            assert s.ended() == (0, 0)


DIRECT = """\
oscope-direct|tmux with 24-bit colours, as ncurses' tmux-direct has them, RGB, colors#0x1000000,
\tpairs#0x7fff, initc@, oc@, op=\\E[39;49m, use=tmux-256color,
\tsetab=\\E[%?%p1%{8}%<%t4%p1%d%e48;2;%p1%{65536}%/%d;%p1%{256}%/%{255}%&%d;%p1%{255}%&%d%;m,
\tsetaf=\\E[%?%p1%{8}%<%t3%p1%d%e38;2;%p1%{65536}%/%d;%p1%{256}%/%{255}%&%d;%p1%{255}%&%d%;m,
"""


def test_colours(guest1, tmp_path):
    """As many as the terminal has: none, 256, all."""
    (tmp_path / "direct").write_text(DIRECT)
    subprocess.run(["tic", "-x", "-o", tmp_path, tmp_path / "direct"], check=True, timeout=60)
    few, all_ = "\x1b\\[[0-9;]*[34]8;5;", "\x1b\\[[0-9;]*[34]8;2;"
    any_ = "\x1b\\[[0-9;]*(3[0-7]|4[0-7]|[34]8;)"
    for args, options, wanted in (
            (("--color", "never"), {}, ()), ((), {"env": {"NO_COLOR": "1"}}, ()),
            ((), {"term": "vt100"}, ()), ((), {}, (few,)),
            ((), {"env": {"COLORTERM": "truecolor"}}, (all_,)),
            ((), {"term": "oscope-direct", "env": {"TERMINFO": tmp_path}}, (all_,))):
        with top(guest1, *args, **options) as s:
            s.until("kthreadd")
            text = s.text(colors=True)
            for pattern in (few, all_):
                assert bool(re.search(pattern, text)) == (pattern in wanted), (args, options)
            assert bool(re.search(any_, text)) == bool(wanted), (args, options)


def test_search_filter_and_sort(guest1):
    with top(guest1, height=30, width=100) as s:
        s.keys("2")
        s.until("kthreadd")
        s.keys("\\")
        s.type("comm=sleeper-7")
        s.keys("Enter")
        text = s.until(lambda text: "sleeper-7" in text and "kthreadd" not in text)
        assert sum("sleeper-" in line for line in text.split("\n")[:-2]) == 1
        s.keys("\\", "C-u")
        s.type("pid>nonsense")
        s.until("'nonsense' is not a number")
        s.keys("Escape")
        s.until(lambda text: "nonsense" not in text and "sleeper-7" in text)
        s.keys("\\", "C-u", "Enter")
        s.until("sleeper-8")  # the cursor is on the task it was on
        s.keys("Home")
        s.until("kthreadd")
        s.keys("M")
        text = s.until(lambda text: "MiB" in text.split("\n")[3])
        sizes = [float(m[1]) for line in text.split("\n") if (m := re.search(r" ([\d.]+) MiB ", line))]
        assert sizes == sorted(sizes, reverse=True) and sizes
        s.keys("/")
        s.type("no such task")
        s.keys("Enter")
        s.until("'no such task' is not there")


def test_saved_views_are_what_commands_say(guest1):
    with top(guest1, width=100, height=30) as s:
        s.keys("2")
        s.until("kthreadd")
        s.keys("p")
        s.until("PAUSED")
        views = saved(s)
        ps = guest1.oscope("ps", "-o", "json")
        # the kernel's workers come, go and change their names, which first is that of who makes them
        there, here = ([r for r in rows if not r["comm"].startswith("kworker")
                        and (r["comm"], r["ppid"]) != ("kthreadd", 2)]
                       for rows in (views["ps"], ps))
        assert len(here) > 200
        for key in ("pid", "ppid", "comm", "tgid", "uid", "address", "start"):
            assert [r[key] for r in there] == [r[key] for r in here]


def test_events_are_on_while_they_are_wanted(eventful):
    def sets():
        return {r["name"] for r in eventful.oscope("probe", "list", "-o", "json")}
    with top(eventful) as s:
        s.until("these are off")
        assert not sets()
        s.keys("e")
        eventful.sh("for i in 1 2 3 4 5; do /bin/busybox true; done")
        s.until(lambda text: re.search(MODES, text), "modes")
        assert "sched_switch" in sets()
        rows = [list(map(float, m)) for m in
                re.findall(MODES, s.text())]
        assert len(rows) == eventful.smp
        s.keys("p")
        s.until("PAUSED")
        view = [r for r in saved(s)["modes"] if r["table"] == "cpus"]
        rows = [list(map(float, m)) for m in
                re.findall(MODES, s.text())]
        for cpu, shares in zip(view, rows):
            for mode, share in zip(("user", "kernel", "firmware", "idle"), shares):
                assert abs(cpu[f"{mode}_share"] - share) <= 0.051
        s.keys("p", "e")
        s.until("these are off")
        wait_until(lambda: not sets(), "no probe")
        s.keys("e")
        wait_until(sets, "probes")
        s.signal(signal.SIGKILL)
        wait_until(lambda: not sets(), "no probe after a kill")


@pytest.mark.parametrize("number", (signal.SIGTERM, signal.SIGHUP, signal.SIGSEGV, signal.SIGABRT))
def test_gives_the_terminal_back(guest1, number):
    with top(guest1) as s:
        s.until("kthreadd")
        s.signal(number)
        assert s.ended() == (128 + number, 0)


@pytest.mark.parametrize("number", (signal.SIGSEGV, signal.SIGABRT))
def test_a_thread_that_crashes_gives_the_terminal_back(guest1, number):
    with top(guest1) as s:
        s.until("kthreadd")
        s.signal_threads(number)
        assert s.ended() == (128 + number, 0)


@pytest.mark.parametrize("keys", (("2",), ("6", "v", "v", "e"), ("8", "e")),
                         ids=("tasks", "arguments", "console"))
def test_the_guest_ends(keys):
    """Also while it is read from in other threads, which try again for some seconds."""
    with Guest("riscv64", via="run", smp=1) as guest:
        with top(guest) as s:
            s.until("kthreadd")
            s.keys(*keys)
            if "e" in keys:
                wait_until(lambda: guest.oscope("probe", "list", "-o", "json") or "8" in keys, "probes")
            guest.sh("echo something >/dev/console")
            os.kill(guest.pid, signal.SIGKILL)
            guest.process.wait(60)
            s.until("GUEST ENDED")
            time.sleep(3)  # sessions are opened anew every second
            assert "GUEST ENDED" in s.text()
            s.keys("q")
            assert s.ended() == (0, 0)


def test_which_session(guest1, tmp_path):
    r = guest1.oscope_run("top", "-s", guest1.session)
    assert r.returncode == 2 and "not a terminal" in r.stderr
    with Screen("top", "-s", "no-such") as s:
        assert s.ended()[0] == 1
        assert "there is no session 'no-such'" in s.text()


def test_keys_of_the_help_page(guest1):
    with top(guest1, width=100, height=50) as s:
        s.keys("2", "?")
        text = s.until("Everywhere")
        for word in ("search", "filter", "pause", "quit", "sort", "tree"):
            assert word in text
        s.keys("x")
        s.until("kthreadd")
        s.keys("t")
        s.until(lambda text: re.search("[├└]─", text), "branches")
        s.keys("H")
        s.until("TGID")
        s.keys("Enter")
        s.until("Esc back")
        s.keys("Escape")
        s.until("TGID")


def test_keys_at_random(eventful):
    """Nothing that is typed, and no size, ends it but what is said to; the guest is the same after."""
    choice = random.Random(eventful.smp)
    keys = [c for c in map(chr, range(33, 127)) if c not in "q;"] + [
        "Up", "Down", "Left", "Right", "PPage", "NPage", "Home", "End", "Enter", "Escape", "Tab", "BTab",
        "F1", "F2", "F3", "F4", "F5", "F6", "Space", "BSpace", "C-l", "C-u"]
    with top(eventful) as s:
        s.until("kthreadd")
        for _ in range(60):
            s.keys(*choice.choices(keys, k=8))
            if choice.random() < 0.1:
                s.resize(choice.choice((1, 20, 80, 200)), choice.choice((2, 10, 24, 60)))
            assert DONE not in s.text()
        s.resize(80, 24)
        for _ in range(100):  # out of whatever it is in
            s.keys("C-]", "Escape", "Escape", "q")
            if DONE in s.text():
                break
        assert s.ended() == (0, 0)
    assert eventful.sh("echo here").strip() == "here"
    wait_until(lambda: not eventful.oscope("probe", "list", "-o", "json"), "no probe is left")
