# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""`attach --gdb`: what QEMU's GDB stub gives, against what the same guest shows through QMP."""

import json
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import facts
import pytest
from conftest import quiet_guest
from harness import Guest, wait_until
from harness.guest import OSCOPE

# Where the machines that boot.sh starts have their RAM.
RAM = {"riscv64": "0x80000000:512M", "amd64": "0:512M", "arm64": "0x40000000:512M"}


class Both:
    """A guest with two sessions: `oscope run`'s, and one of its GDB stub."""

    def __init__(self, arch):
        self.arch = arch
        self.stub = Path(tempfile.mkdtemp(prefix="oscope-gdb-")) / "stub"
        self.guest = quiet_guest(arch, smp=2, via="run",
                                 extra=["-gdb", f"unix:{self.stub},server=on,wait=off"])
        self.session = f"{self.guest.session}-gdb"
        self.made = []

    def attach(self, name, *options):
        r = Guest.oscope_run("attach", "-n", name, "--gdb", self.stub, *options)
        assert r.returncode == 0, r.stderr
        assert r.stdout.strip() == name
        self.made.append(name)

    def view(self, *args, session=None):
        """(rows, notes) of a view through the stub."""
        r = Guest.oscope_run(args[0], "-s", session or self.session, *args[1:], "-o", "json")
        assert r.returncode == 0, r.stderr
        return json.loads(r.stdout), r.stderr

    def fails(self, *args):
        r = Guest.oscope_run(args[0], "-s", self.session, *args[1:])
        assert r.returncode == 1, r
        return r.stderr

    def status(self):
        """Not "silent", which a broker is for a while on a busy host."""
        def said():
            rows = json.loads(Guest.oscope_run("list", "-o", "json").stdout)
            status = next(r["status"] for r in rows if r["id"] == self.guest.session)
            return status != "silent" and status
        return wait_until(said, "the broker's word")

    def runs(self, within=60):
        """Whether the guest runs, soon."""
        deadline = time.monotonic() + within
        while self.status() != "running":
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return self.guest.sh("echo well").strip() == "well"

    def close(self):
        for name in self.made:
            Guest.oscope_run("detach", name)
        self.guest.close()
        self.stub.unlink(missing_ok=True)
        self.stub.parent.rmdir()


class Pool:
    """At most one such guest, kept while tests of its architecture follow each other."""

    def __init__(self):
        self.both = None

    def get(self, arch):
        if not self.both or self.both.arch != arch:
            self.close()
            self.both = Both(arch)
            self.both.attach(self.both.session, "--ram", RAM[arch])
        return self.both

    def close(self):
        if self.both:
            self.both.close()
        self.both = None


@pytest.fixture(scope="module")
def pool(guests):
    guests.close()  # one guest at a time
    p = Pool()
    yield p
    p.close()


@pytest.fixture
def both(arch, pool):
    return pool.get(arch)


def test_info(both):
    (row,), notes = both.view("info")
    (truth,) = both.guest.oscope("info", "-o", "json")
    fields = ["arch", "os", "release", "banner", "root", "vcpus", "symbols"]
    if both.arch != "amd64":  # where what lies below 1 MiB is RAM or not as the chipset is set
        fields += ["ram", "ram_map"]
    for field in fields:
        assert row[field] == truth[field], field
    assert str(both.stub) in row["guest"]
    assert "stood still for" in notes


def test_listed(both):
    rows = json.loads(Guest.oscope_run("list", "-o", "json").stdout)
    (row,) = [r for r in rows if r["id"] == both.session]
    assert (row["kind"], row["pid"], row["status"]) == ("gdb", None, "not asked")
    assert both.runs()


@pytest.mark.parametrize("view", ["ps", "ps --threads", "vm 1", "pt 1", "pt", "mem", "dmesg",
                                  "sym schedule", "print init_task.comm", "bt 1"])
def test_same_view(both, view):
    """Through the stub and through QMP: what a quiet guest does not change is the same."""
    changing = {"consistency", "time", "state", "rss", "cpu", "running", "pages", "bytes", "percent"}
    args = view.split()

    def steady(rows):
        return [{k: v for k, v in row.items() if k not in changing} for row in rows
                if not str(row.get("comm")).startswith("kworker")]

    for left in reversed(range(5)):  # no guest is quite quiet: between two looks it may do something
        rows, notes = both.view(*args)
        truth = both.guest.oscope(*args, "-o", "json")
        assert rows and "stood still for" in notes
        if steady(rows) == steady(truth) or not left:
            break
    assert steady(rows) == steady(truth)


def test_processes_are_the_guests_own(both):
    facts.wait_for_processes(both.guest, lambda: both.view("ps")[0])


def test_page_tables_of_a_vcpu(both):
    """On arm64, too, whose registers of page tables QEMU shows in no other way."""
    rows, _ = both.view("pt", "--vcpu", "1")
    assert rows


def test_guest_runs_on(both):
    def uptime():
        return float(both.guest.sh("cat /proc/uptime").split()[0])

    before = uptime()
    both.view("info")
    time.sleep(0.2)
    assert both.runs() and uptime() > before


def test_no_events(both, tmp_path):
    for args in (["events", "sched"], ["record", "-o", tmp_path / "trace", "sched"],
                 ["report", "sched"], ["probe", "list"], ["dev"]):
        assert "GDB stub" in both.fails(*args), args
    assert both.runs()


@pytest.mark.parametrize("sig", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_killed_while_it_reads(both, sig):
    for delay in (0.005, 0.02, 0.05, 0.1, 0.2):
        p = subprocess.Popen([str(OSCOPE), "info", "-s", both.session, "--no-cache"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        time.sleep(delay)
        p.send_signal(sig)
        p.wait(20)
        assert both.runs(), delay
    assert both.view("ps")[0]


def test_commands_take_turns(both):
    many = [subprocess.Popen([str(OSCOPE), "ps", "-s", both.session, "-o", "json"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL) for _ in range(4)]
    for p in many:
        assert len(json.loads(p.communicate(timeout=60)[0])) >= 200
        assert p.returncode == 0
    assert both.runs()


def test_watch(both):
    p = subprocess.Popen([str(OSCOPE), "ps", "-s", both.session, "--watch", "0.1", "--columns", "pid"],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    for _ in range(600):  # three rounds and more
        assert p.stdout.readline()
    p.send_signal(signal.SIGINT)
    p.communicate(timeout=30)
    assert both.runs()


def test_stopped_stays_so(both):
    name = f"{both.session}-stopped"
    both.attach(name, "--ram", RAM[both.arch], "--stopped")
    assert both.status() == "paused"
    assert "stands still" in both.view("ps", session=name)[1]
    assert both.status() == "paused"
    assert both.view("ps")[0]  # the other session lets it run
    assert both.runs()


def test_linear_map(both):
    """As with a stub that has virtual addresses only: the kernel's linear map is said to it."""
    if both.arch != "riscv64":
        pytest.skip("only there each process has the kernel's linear map in its tables")
    base, middle = 0x80000000, 0x90000000
    maps = [(int(r["start"], 16) - int(r["pa"], 16), r["size"])
            for r in both.guest.oscope("pt", "-o", "json")
            if int(r["pa"], 16) <= middle < int(r["pa_end"], 16)]
    offset = max(maps, key=lambda m: m[1])[0]
    name = f"{both.session}-linear"
    both.attach(name, "--ram", f"{base:#x}:512M@{base + offset:#x}")
    rows, _ = both.view("ps", session=name)
    # workers of the kernel come and go
    steady, truth = ({r["pid"] for r in some if not r["comm"].startswith("kworker")} for some in (rows, both.view("ps")[0]))
    assert steady == truth
    assert both.runs()


def test_another_client(both):
    """A debugger holds the stub, and goes without a word."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(both.stub))
        s.sendall(b"+$qSupported:multiprocess+#c6")
        wait_until(lambda: both.status() == "paused", "the stub has stopped the guest")
        text = both.fails("ps")
        assert "does not answer" in text and "one client" in text
    assert both.runs()
    assert both.view("ps")[0]
    assert both.runs()


def test_what_attach_wants(both):
    def refused(*args, status=1):
        r = Guest.oscope_run("attach", *args)
        assert r.returncode == status and r.stdout == "", r
        return r.stderr

    assert "--ram" in refused("--gdb", both.stub, status=2)
    assert "no range of RAM" in refused("--gdb", both.stub, "--ram", "512M", status=2)
    assert "twice" in refused("--gdb", both.stub, "--ram", "0:2M", "--ram", "1M:2M", status=2)
    assert "address of a GDB stub" in refused("--gdb", "nowhere", "--ram", "0:1M", status=2)
    assert "refused" in refused("--gdb", "127.0.0.1:1", "--ram", "0:1M")
    refused("--gdb", both.stub, "12345", status=2)
    refused("--ram", "0:1M", "12345", status=2)
    assert both.runs()
