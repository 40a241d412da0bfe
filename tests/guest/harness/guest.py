# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""A booted guest: QEMU as guests/boot.sh starts it, plain or under `oscope run`.

    with Guest("riscv64", smp=4, via="run", workload="quiet") as g:
        uptime = g.sh("cat /proc/uptime")        # what the guest says
        tasks = g.oscope("ps", "-o", "json")     # what oscope sees

Every wait has an end, and close() ends all that was started here.
"""

import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

from .agent import Agent, AgentError
from .qmp import Qmp

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("OSCOPE_BUILD", ROOT / "build"))
OSCOPE = pathlib.Path(os.environ.get("OSCOPE", BUILD / "oscope"))
CACHE = pathlib.Path(
    os.environ.get("OSCOPE_CACHE")
    or pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "oscope"
)
DISK = 8 << 20  # bytes, of a guest that is given a disk


_names = (f"test-{os.getpid()}-{n}" for n in itertools.count(1))


class GuestError(Exception):
    """The guest did not come up or is gone; the text ends with its last console lines."""


class CommandFailed(Exception):
    """A command in the guest, or oscope, ended with a status that was not expected."""

    def __init__(self, what, status, output):
        super().__init__(f"{what}: status {status}\n{output}")
        self.status = status
        self.output = output


def qemu_version(qemu):
    """Of a QEMU program: (major, minor)."""
    out = subprocess.run([qemu, "--version"], capture_output=True, text=True, timeout=30).stdout
    return tuple(int(n) for n in re.search(r"version (\d+)\.(\d+)", out).groups())


def boot_command(arch, *, suite=None, smp=1, mem="512M", append="", agent=None, extra=()):
    """The QEMU command line of a guest, as a list; boot.sh is the one place that knows it."""
    args = [str(ROOT / "guests/boot.sh"), arch, "--smp", str(smp), "--mem", mem, "--print"]
    for flag, value in (("--suite", suite), ("--append", append), ("--agent", agent)):
        if value:
            args += [flag, str(value)]
    r = subprocess.run([*args, "--", *extra], capture_output=True, text=True, timeout=30)
    if r.returncode:
        raise GuestError(r.stderr.strip())
    return r.stdout.splitlines()


class Guest:
    """A guest that has booted as far as its agent.

    via='plain' runs QEMU itself (the text under `attach` tests), with a QMP socket at .qmp_path;
    via='run' runs `oscope run -- QEMU…` and sets .session. workload is a name that
    guests/work.sh knows. wait=False returns while the guest is still in its firmware.
    """

    def __init__(self, arch, smp=1, mem="512M", suite=None, via="plain", workload=None,
                 append="", extra=(), run_args=(), timeout=180, wait=True):
        self.arch, self.smp, self.mem, self.suite, self.via = arch, smp, mem, suite, via
        self.timeout = timeout
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="oscope-guest-"))
        self.console_path = self.dir / "console.log"
        self.qmp_path = self.dir / "qmp.sock"
        self.session = None
        self.pid = None
        self._qmp = None
        self.process = None
        self.agent = Agent(self.dir / "agent.sock")
        words = f"{append} oscope.work={workload}" if workload else append
        extra = list(extra)
        if via == "plain":
            extra += ["-qmp", f"unix:{self.qmp_path},server=on,wait=off"]
        self.qemu_command = boot_command(arch, suite=suite, smp=smp, mem=mem, append=words.strip(),
                                         agent=self.agent.path, extra=extra)
        if via == "run":
            self.session = next(_names)
            self.command = [str(OSCOPE), "run", "--name", self.session, *run_args, "--",
                            *self.qemu_command]
        else:
            self.command = self.qemu_command
        try:
            with open(self.console_path, "wb") as log:
                self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log,
                                                stderr=subprocess.STDOUT, start_new_session=True)
            self._find_qemu()
            if wait:
                self.wait()
        except BaseException:
            self.close()
            raise

    # -- coming up ---------------------------------------------------------------------------

    def _find_qemu(self):
        """Sets .pid: the process itself or the child of `oscope run`."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise self._error(f"ended with status {self.process.returncode}")
            self.pid = self._qemu_below(self.process.pid)
            if self.pid and (self.via == "plain" or self._has_session()):
                return
            time.sleep(0.02)
        raise self._error("no QEMU process, or no session, after 30 s")

    def _qemu_below(self, pid):
        try:
            with open(f"/proc/{pid}/comm") as f:
                if f.read().startswith("qemu-system"):
                    return pid
            with open(f"/proc/{pid}/task/{pid}/children") as f:
                children = [int(p) for p in f.read().split()]
        except OSError:
            return None
        return next(filter(None, map(self._qemu_below, children)), None)

    def _has_session(self):
        """Whether `oscope list` shows our session."""
        r = self.oscope_run("list", "-o", "json")
        return r.returncode == 0 and any(row.get("id") == self.session
                                         for row in json.loads(r.stdout or "[]"))

    def wait(self, timeout=None):
        """Until the agent answers: all of /init is done but the workload's first steps."""
        deadline = time.monotonic() + (timeout or self.timeout)
        try:
            self.agent.connect(deadline)
        except (AgentError, OSError) as e:
            time.sleep(0.2)  # the process's end, if that is why
            raise self._error(f"{e}; status {self.process.poll()}") from e

    def _error(self, text):
        where = f"{self.arch} guest ({' '.join(self.command)})"
        return GuestError(f"{where}: {text}\n--- console ---\n{self.console()[-3000:]}")

    # -- asking ------------------------------------------------------------------------------

    def sh(self, command, check=True, timeout=60):
        """The output of a shell command in the guest; newlines become ';'."""
        lines = [line.strip() for line in command.strip().splitlines()]
        return self.sh_bytes("; ".join(lines), check, timeout).decode(errors="replace")

    def sh_bytes(self, command, check=True, timeout=60):
        try:
            status, out = self.agent.run(command, timeout)
        except AgentError as e:
            raise self._error(str(e)) from e
        if check and status:
            raise CommandFailed(f"{self.arch} guest: {command}", status, out.decode(errors="replace"))
        return out

    def oscope(self, *args, check=True, timeout=60, env=None):
        """What `oscope CMD -s SESSION …` prints: parsed when `-o json` is asked for."""
        args = [str(a) for a in args]
        if self.session:
            args = [args[0], "-s", self.session, *args[1:]]
        r = self.oscope_run(*args, timeout=timeout, env=env)
        if check and r.returncode:
            raise CommandFailed(f"oscope {' '.join(args)}", r.returncode, r.stderr + r.stdout[-2000:])
        if any(pair in (("-o", "json"), ("--output", "json")) for pair in zip(args, args[1:])):
            return json.loads(r.stdout)
        return r.stdout

    @staticmethod
    def oscope_run(*args, timeout=60, env=None):
        """oscope with just these arguments: a CompletedProcess, for tests of failures."""
        return subprocess.run([str(OSCOPE), *map(str, args)], capture_output=True, text=True,
                              errors="replace", timeout=timeout, stdin=subprocess.DEVNULL,
                              env={**os.environ, **(env or {})})

    def attach(self, target=None, timeout=60):
        """`oscope attach` on this (plain) guest; its broker stays in the background; sets .session."""
        name = next(_names)
        r = self.oscope_run("attach", "--name", name, target or self.pid, timeout=timeout)
        if r.returncode:
            raise CommandFailed("oscope attach", r.returncode, r.stderr + r.stdout)
        self.session = name

    def detach(self):
        """Ends the broker that attach() left; the guest runs on."""
        if self.session:
            self.oscope_run("detach", self.session)
        self.session = None

    def qmp(self):
        """The tests' own QMP connection (via='plain' only)."""
        if not self._qmp:
            self._qmp = Qmp(self.qmp_path)
        return self._qmp

    def console(self):
        return self.console_path.read_text(errors="replace") if self.console_path.exists() else ""

    def alive(self):
        return self.process.poll() is None

    def wait_for(self, condition, timeout=60):
        """Until a shell condition holds in the guest."""
        deadline = time.monotonic() + timeout
        while self.agent.run(condition, timeout)[0]:
            if time.monotonic() > deadline:
                raise self._error(f"not true after {timeout} s: {condition}")
            time.sleep(0.2)

    def on_each_vcpu(self, command="true"):
        """Runs a command on each vCPU in turn: whatever ran there has been left since, and a vCPU
        that waited, waits no more. By itself that may take many seconds."""
        for cpu in range(self.smp):
            self.sh(f"taskset {1 << cpu:x} /bin/busybox {command}")

    def quiet(self, seconds=0.3):
        """Lets what was just started settle, so that two looks see the same."""
        self.sh(f"sync; usleep {int(seconds * 1e6)}")

    # -- going away --------------------------------------------------------------------------

    def close(self):
        """Ends QEMU and all that was started for it; safe to call twice."""
        if self._qmp:
            self._qmp.close()
            self._qmp = None
        self.agent.close()
        if self.via == "plain":
            self.detach()
        if self.process:
            _end(self.process)
        if self.pid and self._qemu_below(self.pid) == self.pid:
            os.kill(self.pid, signal.SIGKILL)
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


def _end(process):
    """SIGTERM, then SIGKILL, to the process group that Popen made."""
    for sig, patience in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, sig)
        except (ProcessLookupError, PermissionError):
            pass
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
        if sig == signal.SIGTERM:
            try:  # whoever of the group outlived its leader
                os.killpg(process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
        return
