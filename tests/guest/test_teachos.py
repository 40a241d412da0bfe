# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""The teaching kernel by itself: it boots, counts right, and has the troubles that it is asked for.

What oscope sees of it is compared with what it prints, so what it prints must be true first.
"""

import os
import re
import select
import subprocess
import time

import pytest
from harness import ROOT, boot_command

LIMIT = 60  # seconds that anything may take


def pytest_generate_tests(metafunc):
    if "smp" in metafunc.fixturenames:
        counts = [int(n) for n in metafunc.config.getoption("--smp").split(",")]
        metafunc.parametrize("smp", counts, ids=[f"smp{n}" for n in counts])


@pytest.fixture(scope="module", autouse=True)
def kernel():
    subprocess.run([ROOT / "guests/fetch.sh", "teachos"], check=True, timeout=300)


class Teachos:
    """A boot of it, with its console."""

    def __init__(self, smp, append=""):
        self.text = ""
        self.seen = 0
        self.process = subprocess.Popen(boot_command("teachos", smp=smp, mem="128M", append=append),
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                                        stderr=subprocess.STDOUT)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def _more(self, deadline):
        """False at the console's end."""
        out = self.process.stdout
        ready, _, _ = select.select([out], [], [], max(0, deadline - time.monotonic()))
        assert ready, f"no answer in {LIMIT} s; the console so far:\n{self.text}"
        data = os.read(out.fileno(), 65536)
        self.text += data.decode(errors="replace").replace("\r", "")
        assert "panic:" not in self.text, self.text
        return bool(data)

    def expect(self, pattern):
        """The match of the first text of that kind that was not seen yet."""
        deadline = time.monotonic() + LIMIT
        while not (m := re.compile(pattern, re.M).search(self.text, self.seen)):
            assert self._more(deadline), f"ended without {pattern!r}:\n{self.text}"
        self.seen = m.end()
        return m

    def type(self, line):
        """Types a line and waits for the shell to read the next; what came in between."""
        self.process.stdin.write(line.encode() + b"\n")
        start = self.seen
        torn = r"(?:[^\n$]*: [^\n]*\n)*"  # lines of others, which come whenever these come to it
        self.expect(torn.join(map(re.escape, line)) + torn + r"\n(?:.*\n)*?.*teachos\$ ")
        return self.text[start:self.seen]

    def prompt(self):
        self.expect(r"teachos\$ ")

    def ps(self):
        """[(pid, ppid, state, cpu, prio, switches, name, what it waits for)]"""
        rows = re.findall(r"ps: +(\d+) +(\d+) (\w+) +(\d+) +(\d+) +(\d+) (.{15}) (.*)", self.type("ps"))
        return [(*map(int, r[:2]), r[2], *map(int, r[3:6]), r[6].strip(), r[7]) for r in rows]

    def numbers(self, command):
        return parse(self.type(command))

    def kill(self, name):
        """Ends all of that name, PROGRAM/PART, and waits until the program has ended, too."""
        for r in self.ps():
            if r[6] == name and r[2] != "zombie":
                self.type(f"kill {r[0]}")
        of = (name, name.partition("/")[0])
        self.until(self.ps, lambda rows: all(r[2] == "zombie" or r[6] not in of for r in rows))
        self.type("run true")  # for which the shell waits, and meanwhile for the others

    def until(self, ask, condition):
        """Asks until the answer is right; the answer."""
        deadline = time.monotonic() + LIMIT
        while not condition(answer := ask()):
            assert time.monotonic() < deadline, f"{answer}\n{self.text}"
            time.sleep(0.05)
        return answer

    def end(self):
        """All that it says, to the end."""
        deadline = time.monotonic() + LIMIT
        while self._more(deadline):
            pass
        assert self.process.wait(LIMIT) == 0
        assert self.text.endswith("teachos: power off\n"), self.text
        return self.text


def parse(text):
    return {k: int(v) for k, v in re.findall(r"^(?:stats|mem): (\w+) (\d+)$", text, re.M)}


def run(smp, work):
    """What a workload says, its counters at the end, and the free pages before it began."""
    with Teachos(smp, f"work={work} exit") as t:
        text = t.end()
    stats = parse(text)
    check(stats, smp)
    return text, stats, int(re.search(r"init: \d+ CPUs, (\d+) pages free", text)[1])


def check(stats, smp):
    assert balanced(stats, smp), stats


def balanced(stats, smp):
    """What must hold between counters however they came to be."""
    return (sum(stats[f"switches_cpu{i}"] for i in range(smp)) == stats["switches"]
            and sum(v for k, v in stats.items() if k.startswith("syscall_")) == stats["syscalls"]
            and stats["traps"] == sum(stats[k] for k in ("syscalls", "page_faults", "exceptions", "timer",
                                                         "external", "ipi"))
            and stats["ipi"] <= stats["ipi_sent"]
            and stats["forks"] == stats["syscall_fork"])


def check_ended(stats, free):
    """All processes but init have ended, and took nothing with them."""
    assert stats["exits"] == stats["forks"]
    assert stats["pages_free"] == free


def test_boots(smp):
    with Teachos(smp, "some words") as t:
        m = t.expect(r"teachos: (\d+) CPUs, booted by (\d+), 128 MiB, (\d+) of 32768 pages free")
        assert int(m[1]) == smp and int(m[2]) < smp
        t.expect(r'teachos: bootargs "some words"')
        t.prompt()
        # the shell may have its prompt out before init is back from fork() and waits
        t.until(t.ps, lambda rows: [r[:3] + r[6:] for r in rows] == [
            (1, 0, "sleeping", "init", "child"), (2, 1, "running", "sh", "-")])
        mem = t.numbers("mem")
        assert mem.pop("total") == 32768 == sum(mem.values())
        # vCPUs go on while they are counted
        stats = t.until(lambda: t.numbers("stats"), lambda stats: balanced(stats, smp))
        before = mem["free"]
        assert stats["pages_free"] == before
        t.until(lambda: t.numbers("stats"), lambda s: s["timer"] > stats["timer"])
        t.type("run sleepers 5 &")
        rows = t.until(t.ps, lambda rows: [r[7] for r in rows if r[6] == "sleeper"] == ["time"] * 5)
        parent = next(r for r in rows if r[6] == "sleepers")
        assert {r[1] for r in rows if r[6] == "sleeper"} == {parent[0]} and parent[1] == 2
        assert "no such program" in t.type("run nothing")
        for r in rows:
            if r[6].startswith("sleeper"):
                t.type(f"kill {r[0]}")
        t.until(t.ps, lambda rows: all(r[2] == "zombie" or r[0] < 3 for r in rows))
        assert "ended with status 0" in t.type("run true")
        t.until(t.ps, lambda rows: len(rows) == 2)  # init waits for what others left
        t.until(lambda: t.numbers("mem"), lambda mem: mem["free"] == before)
        t.process.stdin.write(b"halt\n")
        check(parse(t.end()[t.seen:]), smp)


def test_forkstorm(smp):
    text, stats, free = run(smp, "forkstorm,120")
    assert "forkstorm: 120 children, 0 failed" in text
    assert (stats["forks"], stats["execs"]) == (121, 122)
    check_ended(stats, free)


def test_syscalls(smp):
    text, stats, free = run(smp, "syscalls,1000")
    assert "syscalls: 1000 getpid, 500 uptime, 100 yield, 0 wrong" in text
    assert [stats[f"syscall_{k}"] for k in ("getpid", "uptime", "yield")] == [1000, 500, 100]
    check_ended(stats, free)


def test_pages(smp):
    text, stats, free = run(smp, "toucher,300")
    assert re.search(r"toucher: 300 pages at 0x\w+000, 0 wrong", text)
    assert stats["page_faults"] == 300
    check_ended(stats, free)


def test_messages(smp):
    text, stats, free = run(smp, "pingpong,200")
    assert "pingpong: 400 messages, 0 wrong" in text
    assert stats["syscall_send"] == stats["syscall_receive"] == 400
    # Who is woken on another CPU may answer before the sender sleeps.
    assert min(stats["wakeups"], stats["switches"]) >= (200 if smp == 1 else 100)
    check_ended(stats, free)


@pytest.mark.parametrize("how, cause", [("null", 15), ("text", 15), ("kernel", 13), ("stack", 15), ("illegal", 2)])
def test_wrong_programs_die(how, cause):
    text, stats, free = run(1, f"crash,{how}")
    assert re.search(rf"crash \(2\) killed: cause {cause} at", text) and "lives" not in text
    assert stats["page_faults"] == {"illegal": 0, "stack": 16}.get(how, 1)
    check_ended(stats, free)


# -- trouble -----------------------------------------------------------------------------------


def waits(rows):
    """{name: (state, what it waits for)}"""
    return {r[6]: (r[2], r[7]) for r in rows}


def test_deadlock(smp):
    with Teachos(smp, "trouble=deadlock") as t:
        t.prompt()
        stuck = {"wants A": ("sleeping", "lock A"), "wants B": ("sleeping", "lock B")}
        rows = t.until(t.ps, lambda rows: stuck.items() <= waits(rows).items())
        pids = {r[6]: r[0] for r in rows}
        locks = t.type("locks")
        assert f"lock A owner {pids['wants B']} acquired 1" in locks
        assert f"lock B owner {pids['wants A']} acquired 1" in locks
        t.type(f"kill {pids['wants B']}")
        t.until(t.ps, lambda rows: not stuck.keys() & waits(rows).keys())
        assert "wants A: has both locks" in t.text and "wants B: has both" not in t.text


def test_leak(smp):
    with Teachos(smp, "trouble=leak,60 exit") as t:
        text = t.end()
    assert "leak: 60 programs ended, 60 pages gone" in text
    free = int(re.search(r"init: \d+ CPUs, (\d+) pages free", text)[1])
    assert parse(text)["pages_free"] == free - 60


def test_lost_wakeup(smp):
    def stuck(rows):
        names = waits(rows)
        states = [names.get(n) for n in ("pingpong", "pong")]
        return all(states) and sorted(states) == [("sleeping", "mail"), ("sleeping", "mail +mail")]

    with Teachos(smp, "trouble=lostwake") as t:
        t.prompt()
        t.until(t.ps, stuck)
        before = t.numbers("stats")["syscall_send"]
        time.sleep(0.3)
        assert stuck(t.ps()) and t.numbers("stats")["syscall_send"] == before


def test_priority_inversion(smp):
    with Teachos(smp, "trouble=inversion,60000") as t:
        t.prompt()
        inverted = {"low": ("ready", "-"), "high": ("sleeping", "lock C")}
        rows = t.until(t.ps, lambda rows: inverted.items() <= waits(rows).items() and
                       sum(r[6] == "middle" for r in rows) == smp)
        for r in rows:
            if r[6] == "middle":
                t.type(f"kill {r[0]}")
        t.expect(r"high: got the lock after \d+ ms")
        t.expect(r"inversion: over")


def test_false_sharing(smp):
    with Teachos(smp, "trouble=sharing,200 exit") as t:
        text = t.end()
    assert "sharing: over" in text
    assert parse(text)["syscall_tally"] >= smp


def test_fault_loop(smp):
    with Teachos(smp, "trouble=faultloop") as t:
        t.prompt()
        rows = t.until(t.ps, lambda rows: "faultloop" in waits(rows))
        before = t.numbers("stats")["page_faults"]
        t.until(lambda: t.numbers("stats"), lambda s: s["page_faults"] > before + 1000)
        t.type(f"kill {next(r[0] for r in rows if r[6] == 'faultloop')}")
        t.until(t.ps, lambda rows: "faultloop" not in waits(rows))
        before = t.numbers("stats")["page_faults"]
        time.sleep(0.1)
        assert t.numbers("stats")["page_faults"] == before
        assert "has written" not in t.text


def test_interrupt_storm(smp):
    with Teachos(smp, "trouble=storm") as t:
        t.prompt()
        t.until(lambda: t.numbers("stats"), lambda s: s["external"] > 3000)
        t.type("trouble storm off")
        t.until(t.ps, lambda rows: "trouble: storm off" in t.text)
        before = t.numbers("stats")["external"]
        time.sleep(0.2)
        assert t.numbers("stats")["external"] < before + 50  # what is typed comes by interrupts, too
