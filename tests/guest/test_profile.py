# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""A kernel that a profile describes: what oscope sees of the teaching kernel is what it prints itself."""

import itertools
import json
import os
import re
import signal
import subprocess
import time

import pytest
from harness import OSCOPE, ROOT, boot_command
from test_teachos import Teachos

KERNEL = ROOT / "guests/teachos/kernel.elf"
PROFILE = ROOT / "guests/teachos/teachos.profile"
STATES = {"new": "I", "ready": "R", "running": "R", "sleeping": "S", "zombie": "Z"}
_names = (f"profile-{os.getpid()}-{n}" for n in itertools.count(1))


def pytest_generate_tests(metafunc):
    if "teachos" in metafunc.fixturenames:
        counts = [int(n) for n in metafunc.config.getoption("--smp").split(",")]
        metafunc.parametrize("teachos", counts, indirect=True, scope="module",
                             ids=[f"smp{n}" for n in counts])


class Observed(Teachos):
    """The same kernel under `oscope run`."""

    def __init__(self, smp):
        self.session = next(_names)
        self.text = ""
        self.seen = 0
        command = [str(OSCOPE), "run", "-q", "--name", self.session, "--vmlinux", str(KERNEL),
                   "--profile", str(PROFILE), "--", *boot_command("teachos", smp=smp, mem="128M")]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, bufsize=0, start_new_session=True)

    def __exit__(self, *exc):
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def run(self, command, *args):
        return subprocess.run([str(OSCOPE), command, *args[:1 if command == "profile" else 0],
                               "-s", self.session, *args[1 if command == "profile" else 0:]],
                              capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)

    def rows(self, command, *args):
        r = self.run(command, *args, "-o", "json")
        assert r.returncode == 0, r.stderr
        return json.loads(r.stdout)

    def calm(self):
        """What `ps` says once only the shell runs, as (pid, ppid, state, name)."""
        rows = self.until(self.ps, lambda rows: all(r[2] == "sleeping" for r in rows if r[6] != "sh"))
        return [(r[0], r[1], STATES[r[2]], r[6]) for r in rows]


@pytest.fixture(scope="module")
def teachos(request):
    subprocess.run([ROOT / "guests/fetch.sh", "teachos"], check=True, timeout=300)
    with Observed(request.param) as t:
        t.smp = request.param
        t.prompt()
        t.type("run sleepers 9 &")
        t.until(t.ps, lambda rows: [r[7] for r in rows if r[6] == "sleeper"] == ["time"] * 9)
        yield t


def seen_by_oscope(rows):
    return [(r["pid"], r["ppid"], r["state"], r["comm"]) for r in rows]


def test_ps(teachos):
    # the shell ran when it asked for this, and waits for a line when oscope looks
    expected = [(p, pp, "S", name) for p, pp, _, name in teachos.calm()]
    assert len(expected) == 12
    # which it may do only after its prompt is out
    teachos.until(lambda: teachos.rows("ps"), lambda rows: seen_by_oscope(rows) == expected and
                  all(r["consistency"] == "consistent" for r in rows))


def test_mem(teachos):
    own = teachos.numbers("mem")
    seen = {r["owner"]: r["pages"] for r in teachos.rows("mem")}
    assert seen["free"] == own["free"]
    assert seen["anon"] == own["user"]
    assert seen["pagetable"] == own["table"]
    assert seen.pop("total") == own["total"] == sum(seen.values())
    assert teachos.run("print", "free_page_count").stdout.split()[-1] == str(own["free"])


def test_page_tables(teachos):
    own = teachos.numbers("mem")
    pids = [r["pid"] for r in teachos.rows("ps")]
    pages = 0
    for pid in pids:
        regions = teachos.rows("pt", str(pid))
        user = [r for r in regions if "U" in r["perm"]]
        pages += sum(r["size"] for r in user) // 4096
        assert user[0]["start"] == "0x10000"
    assert pages == own["user"]


def test_bt(teachos):
    frames = {}
    for f in teachos.rows("bt"):
        frames.setdefault((f["pid"], f["comm"]), []).append(f)
    sleepers = [v for (_, comm), v in frames.items() if comm == "sleeper"]
    assert len(sleepers) == 9
    for stack in sleepers:
        names = [f["symbol"].split("+")[0] for f in stack]
        top = next(i for i, f in enumerate(stack) if f["method"] == "trap")
        assert names[0] == "schedule" and names[top - 2:top] == ["usertrap", "from_user"], names
        assert {"sleep_until", "sys_sleep", "syscall_dispatch"} < set(names)
        assert all(f["symbol"].endswith("(user)") for f in stack[top:])
        assert {f["consistency"] for f in stack} == {"consistent"}


def user_functions(program):
    """(address, name) of a program's functions, sorted."""
    objects = ROOT / f"guests/teachos/obj/user/{program}.dbg"
    for nm in ("riscv64-linux-gnu-nm", "nm"):
        r = subprocess.run([nm, "-n", objects], capture_output=True, text=True, check=False)
        if r.returncode == 0 and r.stdout:
            return [(int(a, 16), n) for a, t, n in map(str.split, r.stdout.splitlines()) if t in "tT"]
    pytest.skip("no nm for riscv64")
    return None


def test_bt_of_a_program(teachos):
    """Where a system call came from, in the program; with what registers."""
    frames = [f for f in teachos.rows("bt", "2") if f["symbol"].endswith("(user)")]
    saved = dict(w.split("=") for w in frames[0]["registers"].split())
    own = dict(re.findall(r"\.(\w+) = (\d+)", teachos.run("print", "*procs[1].frame").stdout))
    assert saved == {k: hex(int(v)) for k, v in own.items() if k in saved} and len(saved) > 30
    assert saved["sepc"] == frames[0]["address"]
    assert teachos.run("print", "SYS_read").stdout.split()[-1] == str(int(saved["a7"], 0))
    functions = user_functions("sh")
    names = [max(f for f in functions if f[0] < int(r["address"], 0))[1] for r in frames]
    assert names == ["syscall", "read", "main", "_start"]
    assert not any(r["guess"] for r in frames)


def test_bt_running(teachos):
    """What computes in user mode is seen there, on as many vCPUs as there are."""
    teachos.type(f"run spinner {teachos.smp} 120000 &")
    deadline = time.monotonic() + 60
    found = set()
    while len(found) < teachos.smp and time.monotonic() < deadline:
        for f in teachos.rows("bt"):
            m = re.fullmatch(r"user mode on vCPU (\d+)", f["task_state"])
            if m and f["comm"] == "spinner/child" and f["frame"] == 0:
                assert f["symbol"].endswith("(user)")
                found.add(int(m[1]))
    assert found == set(range(teachos.smp))
    running = [r for r in teachos.rows("ps") if r["comm"] == "spinner/child"]
    assert len(running) == teachos.smp and {r["state"] for r in running} == {"R"}
    teachos.kill("spinner/child")


def test_dmesg(teachos):
    teachos.type("locks")
    kernels = r"^(?:teachos|ps|mem|stats|locks): .*$"
    printed = [line.rstrip() for line in re.findall(kernels, teachos.text, re.M)
               if not line.startswith("teachos: power")]
    logged = [r["text"].rstrip() for r in teachos.rows("dmesg")]
    # a ring that has gone round has lost its first lines
    assert logged == printed[-len(logged):] and len(logged) > 20
    ends = [r["seq"] for r in teachos.rows("dmesg")]
    assert ends == sorted(set(ends))


def test_proposal(teachos, tmp_path):
    path = tmp_path / "new.profile"
    r = subprocess.run([str(OSCOPE), "profile", "new", "--vmlinux", str(KERNEL), "-o", str(path)],
                       capture_output=True, text=True, timeout=60)
    assert r.returncode == 0, r.stderr
    assert seen_by_oscope(teachos.rows("ps", "--profile", str(path))) == \
        seen_by_oscope(teachos.rows("ps"))
    lines = {r["key"]: r for r in teachos.rows("profile", "check", str(path))}
    assert {r["result"] for r in lines.values()} <= {"ok", "nothing"}
    assert lines["free-next"]["count"] == teachos.numbers("mem")["free"]
    assert lines["array"]["count"] == 12 and lines["array"]["of"] == 64
    assert lines["PROC_SLEEPING"]["count"] == 12


@pytest.mark.parametrize("status, text, error", [
    (1, "[task]\narray = procs\nid = pidd\n", ":3: id: the kernel has no symbol 'pidd'"),
    (2, "[task]\narray = procs\nid = pid\nid = pid\n", ":4: 'id' of [task] stands in line 3 already"),
    (2, "[tasks]\narray = procs\n", ":2: there is no section [tasks]"),
    (2, "[task]\narray procs\n", ":2: 'KEY = VALUE' or '[SECTION]' expected"),
    (2, "[task]\narray = procs\nframe = pid\n",
     ":3: frame: 'pid' is no pointer to a structure that has a program counter"),
    (2, "[task]\narray = procs\nname = pid\n", ":3: name: 'pid' is neither an array of characters"),
])
def test_wrong_profiles(teachos, tmp_path, status, text, error):
    path = tmp_path / "bad.profile"
    path.write_text(text)
    r = teachos.run("ps", "--profile", str(path))
    lines = r.stderr.splitlines()
    assert r.returncode == status and r.stdout == ""
    assert lines[0].startswith(f"oscope ps: {path}{error}"), r.stderr
    assert len(lines) == 1 or (len(lines) == 2 and lines[1].startswith("  hint: ")), r.stderr
    # Before a guest is started, too.
    r = subprocess.run([OSCOPE, "run", "--vmlinux", KERNEL, "--profile", path, "--", "true"],
                       capture_output=True, text=True, timeout=20, check=False)
    assert r.returncode == status
    assert r.stderr.splitlines()[0].startswith(f"oscope run: {path}{error}"), r.stderr


def test_wrong_lines(teachos, tmp_path):
    """`profile check` tells all that is wrong at once."""
    path = tmp_path / "bad.profile"
    path.write_text("[task]\narray = procs\nid = pid\nparent = father\nnonsense = 1\n")
    r = teachos.run("profile", "check", str(path), "-o", "json")
    assert r.returncode == 1
    assert [(x["line"], x["result"]) for x in json.loads(r.stdout)] == [
        (2, "ok"), (3, "ok"), (4, "error"), (5, "error")]


TASK = "id = pid\nname = name\nstate = state\n[states]\nPROC_UNUSED = none\n"


@pytest.mark.parametrize("where, pids, line", [
    # of each process the place behind it; that behind the last is nobody's, so then the first
    ("first = &procs[63]\nnext = &procs[pid]\n", 12,
     "3: next: the list of tasks runs in a circle: it comes back to 0x"),
    ("first = &procs[0]\nnext = &procs[1]\n", 2,
     "3: next: the list of tasks runs in a circle: it comes back to 0x"),
    ("first = &procs[0]\nnext = (struct proc *)0x4000 + (pid << 20)\n", 1,
     "3: next: the list of tasks breaks off: "),
])
def test_lists_that_are_none(teachos, tmp_path, where, pids, line):
    """Each task once, and one line that says which of the profile's is to blame."""
    path = tmp_path / "bad.profile"
    path.write_text("[task]\n" + where + TASK)
    r = teachos.run("ps", "--profile", str(path), "-o", "json")
    assert r.returncode == 0
    assert len([n for n in r.stderr.splitlines() if f"{path}:{line}" in n]) == 1, r.stderr
    rows = json.loads(r.stdout)
    assert len(rows) == len({x["pid"] for x in rows}) == pids


def test_stack_that_is_too_large(teachos, tmp_path):
    path = tmp_path / "bad.profile"
    path.write_text("[task]\narray = procs\nstack = kstack\nstack-size = pid << 40\n" + TASK)
    r = teachos.run("bt", "--profile", str(path), "1")
    assert r.returncode == 1 and r.stdout == ""
    assert r.stderr.splitlines()[0] == (f"oscope bt: {path}:4: stack-size: task 1: its kernel stack "
                                        f"can't have {1 << 40} bytes")


def test_free_list_that_is_none(teachos, tmp_path):
    path = tmp_path / "bad.profile"
    text = PROFILE.read_text().replace("free-next = ((struct free_page *)task)->next",
                                       "free-next = free_pages")
    line = 1 + text.splitlines().index("free-next = free_pages")
    path.write_text(text)
    r = teachos.run("mem", "--profile", str(path))
    assert r.returncode == 0
    assert f"{path}:{line}: free-next: the list of free pages comes back to 0x" in r.stderr, r.stderr


def test_no_profile(teachos, tmp_path):
    """Without one there still are registers, page tables, symbols and types."""
    empty = tmp_path / "empty.profile"
    empty.write_text("[profile]\nname = bare\n")
    r = teachos.run("ps", "--profile", str(empty))
    assert r.returncode == 1
    assert "profile bare does not say [task] array" in r.stderr
    assert teachos.run("print", "--profile", str(empty), "page_count").stdout.split()[-1] == "32768"
    assert teachos.rows("info", "--profile", str(empty))[0]["paging"] == "Sv39"
    assert any(r["start"].startswith("0xffffffc0") for r in teachos.rows("pt", "--profile", str(empty)))
