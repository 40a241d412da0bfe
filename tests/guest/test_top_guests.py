# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""`oscope top` with guests that do not stay as they are: another one beside, events lost, a reboot."""

import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile

import pytest

from harness import OSCOPE, Guest, Screen, wait_until
from test_record import FORKS, Record, reboot
from test_top import saved, top

@pytest.fixture(scope="module")
def second(arch):
    """Its rings hold little, and it may be reset. One architecture will do: one with KASLR."""
    if arch != "amd64":
        pytest.skip("not amd64")
    with Guest(arch, smp=1, via="run", mem="256M", run_args=["--event-ring", "64K"],
               extra=["-action", "reboot=reset"]) as guest:
        yield guest


@contextlib.contextmanager
def empty_guests(names):
    """Sessions of guests that never begin, and no others: the environment in which they are."""
    with tempfile.TemporaryDirectory(prefix="oscope-run-") as folder, contextlib.ExitStack() as stack:
        env = {"XDG_RUNTIME_DIR": folder}
        for name in names:
            process = subprocess.Popen(
                [str(OSCOPE), "run", "-q", "--name", name, "--", "qemu-system-riscv64", "-M", "virt",
                 "-m", "32M", "-display", "none", "-nic", "none", "-bios", "none", "-S"],
                stdin=subprocess.DEVNULL, env={**os.environ, **env}, start_new_session=True)
            stack.callback(process.wait, 20)
            stack.callback(process.terminate)
        yield env


def test_of_several_sessions_one_is_chosen():
    names = ("alpha", "beta", "gamma")
    with empty_guests(names) as env:
        wait_until(lambda: all(n in Guest.oscope_run("list", env=env).stdout for n in names), "sessions")
        for keys, line in ((["Down"], 1), (["Down", "Down", "Up"], 1), (["End"], 2), ([], 0)):
            with Screen("top", width=100, env=env) as s:
                text = s.until(lambda text: all(n in text for n in names), "all sessions")
                assert "which session?" in text
                s.keys(*keys, "Enter")
                name = text.split("\n")[2 + line].split()[0]
                assert name in names
                s.until(lambda text, n=name: re.match(rf" oscope +{n}\b", text), name)
                s.keys("q")
                assert s.ended() == (0, 0)
        with Screen("top", width=100, env=env) as s:
            s.until("which session?")
            s.keys("q")
            assert s.ended() == (0, 0)


def test_what_is_lost_is_on_the_screen(second, tmp_path):
    """Live; and of a recording, as much as its views say in JSON."""
    with top(second, "sched", width=120) as s:
        s.until("none lost")
        record = Record(second, tmp_path / "t", "sched", "--on-full", "drop")
        second.sh("true")
        for pid in (s.pid(), record.process.pid):
            os.kill(pid, signal.SIGSTOP)
        second.sh(f"for k in 1 2 3 4; do {FORKS}; done")
        for pid in (s.pid(), record.process.pid):
            os.kill(pid, signal.SIGCONT)
        s.until(lambda text: re.search(r"LOST ([1-9]\d* events|0 events, [1-9])", text), "losses")
        assert "none lost" not in s.text()
        s.keys("p")
        lost = re.search(r"LOST (\d+) events, (\d+) packets", s.until("PAUSED"))
        said = saved(s)["top"]
        assert (said["lost_events"], said["lost_packets"]) == tuple(map(int, lost.groups()))
        assert record.stop() == 0
    said = Guest.oscope_run("report", "sched", "-t", record.folder, "-o", "json")
    interval = next(r for r in json.loads(said.stdout) if r["table"] == "interval")
    assert interval["lost"] + interval["discarded"] > 0, record.stderr
    with Screen("top", "-t", record.folder, width=120) as s:
        s.keys("9", "End")
        s.until(f"LOST {interval['discarded']} events, {interval['lost']} packets")


def test_a_reboot(second):
    """All comes back by itself: the tasks of the new kernel, and events as they were on."""
    with top(second, "sched", width=100, height=60) as s:
        second.sh("cp /bin/busybox /tmp/sleep; (exec /tmp/sleep 100000) >/dev/null 2>&1 &")
        s.keys("2")
        s.until(" sleep\n")
        reboot(second)
        s.until(lambda text: "kthreadd" in text and " sleep\n" not in text, "the new kernel's tasks")
        second.sh("cp /bin/busybox /tmp/usleep; (while /tmp/usleep 9000; do :; done) >/dev/null 2>&1 &")
        s.keys("3")
        s.until(lambda text: re.search(r"(?m)^ *\d+ usleep ", text), "what runs now")
        assert "GUEST ENDED" not in s.text()
        s.keys("q")
        assert s.ended() == (0, 0)
