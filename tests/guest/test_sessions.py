# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Sessions as users meet them: run, attach, core; what goes wrong and how oscope says so."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import facts
import pytest
from harness import Guest, wait_until
from harness.guest import BUILD, OSCOPE

BARE = ["qemu-system-riscv64", "-M", "virt", "-m", "64M", "-nographic", "-nic", "none"]


def oscope(*args, **kw):
    return Guest.oscope_run(*args, **kw)


def fails(*args, status=1, **kw):
    """Runs oscope, which must fail with one line and at most a hint; returns stderr."""
    r = oscope(*args, **kw)
    lines = r.stderr.splitlines()
    assert r.returncode == status, (args, r)
    assert r.stdout == ""
    assert lines and lines[0].startswith("oscope"), r.stderr
    assert len(lines) <= 2 and all(len(line) < 400 for line in lines), r.stderr
    assert len(lines) == 1 or lines[1].lstrip().startswith("hint:"), r.stderr
    return r.stderr


def session_of(field, value):
    """The session whose field has that value; there may be those of other tests beside it."""
    return next(s for s in json.loads(oscope("list", "-o", "json").stdout) if s[field] == value)


@pytest.fixture
def firmware():
    """A machine that never gets past its firmware, under `oscope run`."""
    process = subprocess.Popen([str(OSCOPE), "run", "--name", "firmware", "--", *BARE],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 30
    while oscope("info", "-s", "firmware").returncode and time.monotonic() < deadline:
        time.sleep(0.05)
    yield process
    process.terminate()
    try:
        process.wait(60)
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


# -- run ---------------------------------------------------------------------------------------


def test_run_passes_the_exit_status_through():
    assert oscope("run", "--", "qemu-system-riscv64", "-version").returncode == 0
    assert oscope("run", "--", "qemu-system-riscv64", "-no-such-option").returncode == 1
    assert "no-such-program" in fails("run", "--", "no-such-program")


def test_run_ends_with_its_guest(firmware):
    pid = session_of("id", "firmware")["pid"]
    firmware.send_signal(signal.SIGTERM)
    firmware.wait(60)
    wait_until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), "its guest ends")
    assert "firmware" not in oscope("list").stdout


def test_two_sessions_need_a_choice(firmware, guest1):
    text = fails("ps", status=2)
    assert "firmware" in text and guest1.session in text
    assert guest1.oscope("ps", "-o", "json")


# -- guests without a (known) kernel -------------------------------------------------------------


def test_firmware_only(firmware):
    r = oscope("info", "-s", "firmware", "-o", "json")
    assert r.returncode == 0
    (info,) = json.loads(r.stdout)
    assert info["arch"] == "riscv64" and info["os"] == "unknown" and info["ram"] == 64 << 20
    for command in ("ps", "mem", "dmesg", "sym", "bt"):
        assert "kernel" in fails(command, "-s", "firmware")


def test_early_boot_is_told_apart(arch):
    """From reset to a shell: every answer is an error of one line or true."""
    with Guest(arch, smp=2, via="run", wait=False) as g:
        seen = set()
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            r = oscope("ps", "-s", g.session, "-o", "json")
            if r.returncode == 0:
                tasks = json.loads(r.stdout)
                seen.add("tasks" if tasks else "none")
                assert all(re.fullmatch(r"[ -~]+", t["comm"]) for t in tasks), tasks
                if any(t["comm"] == "agent" for t in tasks):
                    break
            else:
                assert r.returncode == 1 and len(r.stderr.splitlines()) <= 2, r.stderr
                seen.add("error")
        assert {"error", "tasks"} <= seen


# -- attach --------------------------------------------------------------------------------------


def test_attach_by_pid_and_detach(plain):
    plain.attach()
    try:
        (info,) = plain.oscope("info", "-o", "json")
        assert info["release"] == plain.sh("uname -r").strip()
        facts.wait_for_processes(plain, lambda: plain.oscope("ps", "-o", "json"))
    finally:
        session = plain.session
        assert oscope("detach", session).returncode == 0
        plain.session = None
    assert plain.alive() and plain.sh("echo still here").strip() == "still here"
    assert session not in oscope("list").stdout


def test_attach_by_socket(plain):
    plain.attach(plain.qmp_path)
    try:
        assert plain.oscope("ps", "-o", "json")
    finally:
        assert oscope("detach", plain.session).returncode == 0
        plain.session = None


def test_attach_to_nothing():
    assert "4194303" in fails("attach", "4194303")
    assert "QEMU" in fails("attach", str(os.getpid()))
    fails("attach", "/nonexistent/qmp.sock")
    fails("attach", "-1", status=2)


def test_busy_qmp_socket(plain):
    holder = plain.qmp()
    try:
        assert re.search(r"busy|another client", fails("attach", plain.qmp_path, timeout=30))
    finally:
        holder.close()
        plain._qmp = None


def test_broker_killed_and_attached_again():
    with Guest("riscv64", smp=1, via="run") as g:
        os.kill(g.process.pid, signal.SIGKILL)
        g.process.wait(5)
        time.sleep(0.3)
        assert g.sh("echo alive").strip() == "alive"
        r = oscope("attach", g.pid)
        assert r.returncode == 0, r.stderr
        session = session_of("pid", g.pid)["id"]
        try:
            tasks = json.loads(oscope("ps", "-s", session, "-o", "json").stdout)
            assert any(t["comm"] == "agent" for t in tasks)
        finally:
            oscope("detach", session)


def test_other_user_is_refused(plain, tmp_path):
    """Somebody else's QEMU: the host's kernel says no, and oscope says what would help."""
    program = pathlib.Path("/tmp") / f"oscope-test-{os.getpid()}"
    shutil.copy(OSCOPE, program)
    program.chmod(0o755)
    try:
        r = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                            program, "attach", str(plain.pid)], capture_output=True, text=True,
                           timeout=30, env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"})
    finally:
        program.unlink()
    assert r.returncode == 1
    assert re.search(r"permission|permitted|not allowed", r.stderr, re.I), r.stderr
    assert len(r.stderr.splitlines()) <= 2


# -- cores ---------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def core(plain, tmp_path_factory):
    path = tmp_path_factory.mktemp("core") / "vmcore.elf"
    qmp = plain.qmp()
    qmp("stop")
    try:
        qmp("dump-guest-memory", paging=False, protocol=f"file:{path}")
    finally:
        qmp("cont")
        qmp.close()
        plain._qmp = None
    return path


def test_core_as_a_session(core, plain):
    r = oscope("core", core)
    assert r.returncode == 0, r.stderr
    session = r.stdout.strip()
    assert session_of("id", session)["kind"] == "core"
    try:
        tasks = json.loads(oscope("ps", "-s", session, "-o", "json").stdout)
        assert len(tasks) >= 200 and all(t["consistency"] == "consistent" for t in tasks)
        frames = json.loads(oscope("bt", "1", "-s", session, "-o", "json").stdout)
        assert len(frames) >= 3
    finally:
        assert oscope("detach", session).returncode == 0


def test_core_by_path_equals_the_live_guest(core, plain):
    seen = {t["pid"]: t["comm"] for t in json.loads(oscope("ps", "-s", core, "-o", "json").stdout)}
    for pid, comm in seen.items():
        if comm.startswith("sleeper-"):
            assert plain.sh(f"cat /proc/{pid}/comm").strip() == comm


@pytest.mark.parametrize("keep", [100, 4096, 0.02, 0.3, 0.9])
def test_truncated_core(core, tmp_path, keep):
    size = core.stat().st_size
    part = tmp_path / "part.elf"
    with open(core, "rb") as f, open(part, "wb") as out:
        left = int(keep * size) if isinstance(keep, float) else keep
        while left:
            chunk = f.read(min(left, 1 << 20))
            out.write(chunk)
            left -= len(chunk)
    for command in (["info"], ["ps"], ["mem"], ["bt", "all"], ["dmesg"]):
        r = oscope(*command, "-s", part, timeout=120)
        assert r.returncode in (0, 1), (command, r.returncode, r.stderr)
        if r.returncode:
            assert len(r.stderr.splitlines()) <= 2, r.stderr
        else:
            assert "truncated" in r.stderr, (command, r)


def test_not_a_core(tmp_path):
    text = tmp_path / "text"
    text.write_text("not a dump\n")
    assert "ELF" in fails("core", text)
    fails("core", tmp_path / "missing")
    assert fails("ps", "-s", str(OSCOPE.resolve()))


def test_kernel_without_types(core, tmp_path):
    """BTF wiped from the dump: what needs no types still works, the rest says what would help."""
    copy = tmp_path / "no-btf.elf"
    shutil.copy(core, copy)
    (start,) = json.loads(oscope("sym", "__start_BTF", "-s", core, "-o", "json").stdout)
    chain = json.loads(oscope("pt", "--va", start["address"], "-s", core, "-o", "json").stdout)
    step = chain[-1]
    pa = int(step["pa"], 16) + (int(start["address"], 16) & (step["page_size"] - 1))
    offset = file_offset(copy, pa)
    with open(copy, "r+b") as f:
        f.seek(offset)
        assert f.read(2) == b"\x9f\xeb"
        f.seek(offset)
        f.write(b"\0" * 64)
    no_cache = ("--no-cache", "-s", copy)
    (info,) = json.loads(oscope("info", "-o", "json", *no_cache).stdout)
    assert info["confidence"].startswith("low")
    assert json.loads(oscope("sym", "schedule", "-o", "json", *no_cache).stdout)
    for command in ("ps", "mem", "dmesg"):
        assert "--vmlinux" in fails(command, *no_cache)


def test_kernel_with_function_symbols_only(core):
    """Without CONFIG_KALLSYMS_ALL the task list is found all the same."""
    out = subprocess.run([BUILD / "tests/guest/functions_only", core], capture_output=True, text=True,
                         timeout=60)
    assert out.returncode == 0, out.stderr
    seen = dict(line.split(" ", 1) for line in out.stdout.splitlines())
    truth = {str(t["pid"]): t["comm"]
             for t in json.loads(oscope("ps", "-s", core, "-o", "json").stdout)}
    assert seen == truth


def file_offset(path, pa):
    """Where a physical address lies in an ELF core."""
    text = subprocess.run(["readelf", "-lW", path], capture_output=True, text=True).stdout
    for line in text.splitlines():
        word = line.split()
        if word and word[0] == "LOAD":
            offset, _, physical, size = (int(x, 16) for x in word[1:5])
            if physical <= pa < physical + size:
                return offset + pa - physical
    raise AssertionError(f"{pa:#x} is not in {path}")


# -- wrong input ---------------------------------------------------------------------------------


@pytest.mark.parametrize("args", [
    ["nonsense"], ["ps", "--sort", "nonsense"], ["ps", "--columns", "pid,nonsense"], ["ps", "-o", "xml"],
    ["ps", "--filter", "pid"], ["vm"], ["vm", "x"], ["pt", "--va", "zz"], ["mem", "--map=0"],
    ["ps", "--watch", "-1"], ["ps", "--no-such-option"], ["print"],
])
def test_wrong_input(guest1, args):
    words = [*args, "-s", guest1.session] if args != ["nonsense"] else args
    fails(*words, status=2)


def test_things_that_are_not_there(guest1):
    assert "99999" in fails("vm", "99999", "-s", guest1.session)
    assert "no_such_symbol" in fails("sym", "no_such_symbol", "-s", guest1.session)
    assert "no_such_member" in fails("print", "init_task.no_such_member", "-s", guest1.session)
    assert "no_such_type" in fails("print", "struct no_such_type", "init_task", "-s", guest1.session)
    r = oscope("vm", "2", "-s", guest1.session)
    assert r.returncode == 0 and "kernel thread" in r.stderr  # as /proc/2/maps: empty
    assert "no-such-session" in fails("ps", "-s", "no-such-session")


# -- a guest that does not stand still -----------------------------------------------------------


def test_fork_storm(arch):
    with Guest(arch, smp=4, via="run", workload="storm") as g:
        known = re.compile(r"[A-Za-z0-9_/:+.@#()\-\[\] ]+")
        labels = set()
        for i in range(60):
            tasks = g.oscope("ps", *(["-t"] if i % 2 else []), "-o", "json")
            pids = [t["pid"] for t in tasks]
            assert len(pids) == len(set(pids)) and len(pids) > 20
            for t in tasks:
                assert known.fullmatch(t["comm"]), t
                assert t["state"] in "RSDTtXZPI" and 0 < t["pid"] < 1 << 22, t
                labels.add(t["consistency"])
        assert labels <= {"consistent", "retried", "torn"} and "consistent" in labels
        slabs = [g.oscope("mem", "--slab", "-o", "json") for _ in range(20)]
        for rows in slabs:
            assert {r["name"] for r in rows} == {r["name"] for r in slabs[0]}
            assert all(0 <= r["active"] <= r["objects"] for r in rows)
        assert sum(r["consistency"] == "torn" for rows in slabs for r in rows) < len(slabs)
        for command in (["mem"], ["bt", "all"], ["ps", "--tree"], ["info"], ["dmesg"]):
            assert g.oscope(*command, timeout=60).strip()
        for t in g.oscope("ps", "-o", "json")[-20:]:  # the short-lived ones
            for command in ("vm", "pt", "bt"):
                r = oscope(command, t["pid"], "-s", g.session, timeout=60)
                assert r.returncode in (0, 1), r


def test_reboot(arch, tmp_path):
    """After a reset the new kernel is found, wherever KASLR put it, and never the old one's tasks."""
    with Guest(arch, smp=2, via="run", extra=["-action", "reboot=reset"]) as g:
        g.quiet(1)
        (before,) = g.oscope("info", "-o", "json")
        with open(tmp_path / "watch", "w") as out:
            watch = subprocess.Popen(
                [str(OSCOPE), "info", "-s", g.session, "--watch", "0.5", "-o", "json"],
                stdout=out, stderr=subprocess.DEVNULL, text=True)

        def watched():
            """The last answer that is whole."""
            whole = (tmp_path / "watch").read_text().rpartition("\n")[0]
            return json.loads(whole.splitlines()[-1])[0] if whole else None

        wait_until(watched, "an answer")
        start = time.monotonic()
        with pytest.raises(Exception):
            g.sh("reboot -f", timeout=1)
        info = None
        while time.monotonic() - start < 120:
            r = oscope("info", "-s", g.session, "-o", "json")
            assert r.returncode == 0, (r, g.console()[-500:])
            (info,) = json.loads(r.stdout)
            comms = {t["comm"] for t in json.loads(
                oscope("ps", "-s", g.session, "-o", "json").stdout or "[]")}
            if (info["os"] == "linux" and {"init", "kthreadd", "agent"} <= comms
                    and info["uptime"] and info["uptime"] / 1e9 < time.monotonic() - start
                    and info["confidence"].startswith("high")):  # asked for before the tasks were
                break
            time.sleep(0.5)
        else:
            raise AssertionError(info)
        assert info["release"] == before["release"]
        log = json.loads(oscope("dmesg", "-s", g.session, "-o", "json").stdout)
        assert "Linux version" in log[0]["text"] + log[1]["text"]
        assert not any("Restarting system" in r["text"] for r in log)
        # A command that was running all the time sees the new kernel too: its last answer.

        def sees():
            seen = watched()
            return (seen["kaslr_offset"] == info["kaslr_offset"] and seen["tasks"]
                    and info["uptime"] <= seen["uptime"] < (time.monotonic() - start) * 1e9)

        wait_until(sees, f"{info}")
        watch.terminate()
        watch.wait(60)


def test_pause_gives_one_moment():
    with Guest("riscv64", smp=2, via="run", workload="storm") as g:
        for _ in range(5):
            tasks = g.oscope("ps", "-t", "--pause", "-o", "json")
            assert all(t["consistency"] == "consistent" for t in tasks)
        assert g.sh("echo running").strip() == "running"


def test_watch_follows_and_ends(guest1):
    watch = subprocess.Popen([str(OSCOPE), "ps", "-s", guest1.session, "--watch", "0.1", "-o", "json"],
                             stdout=subprocess.PIPE, text=True)
    rounds = [json.loads(watch.stdout.readline()) for _ in range(3)]
    watch.send_signal(signal.SIGINT)
    watch.stdout.read()
    assert watch.wait(60) in (0, 130, -signal.SIGINT)
    assert all(len(r) > 100 for r in rounds)
