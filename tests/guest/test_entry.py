# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Traps, system calls and vCPUs that wait, against what the guest counts and does itself."""

import collections
import re
import signal
import subprocess

import pytest
from harness import Events, wait_until
from harness.guest import OSCOPE

FAULTS = {"riscv64": {12, 13, 15}, "amd64": {14}}
SYSCALL_TRAP = {"riscv64": 8, "amd64": 0x100}


def between(seen, after, before):
    lo, hi = seen.at(after), seen.at(before)
    return [e for e in seen.list if lo < e["time"] < hi]


def run_as(guest, name, command):
    """Runs a busybox applet under a path of its own; sh -c so that it is a process of its own."""
    guest.sh(f"ln -sf /bin/busybox /tmp/{name}; /tmp/{name} {command}", check=False)


def calls_of(seen, path):
    """The system calls of the process that ran path, from its execve's return on."""
    (tid,) = {e["tid"] for e in seen.list if e["event"] == "sched_process_exec"
              and e["filename"] == path}
    start = next(e["time"] for e in seen.list if e["event"] == "sched_process_exec"
                 and e["filename"] == path)
    return [e for e in seen.list if e["time"] > start and e.get("tid") == tid
            and e["event"].startswith("syscall_")]


def test_every_call_with_its_arguments(eventful):
    with Events(eventful, "sched", "syscalls") as seen:
        run_as(eventful, "dd", "if=/dev/zero of=/tmp/out bs=512 count=1000 2>/dev/null")
    calls = calls_of(seen, "/tmp/dd")
    names = collections.Counter(e["event"] for e in calls)
    reads = [e for e in calls if e["event"] == "syscall_entry_read" and e["count"] == 512]
    writes = [e for e in calls if e["event"] == "syscall_entry_write" and e["count"] == 512]
    assert len(reads) == len(writes) == 1000
    assert {e["fd"] for e in reads} == {0} and {e["fd"] for e in writes} == {1}
    returned = [e["ret"] for e in calls if e["event"] == "syscall_exit_write"]
    assert returned.count(512) == 1000
    opened = [e for e in calls if e["event"] in ("syscall_entry_openat", "syscall_entry_open")]
    assert {"/dev/zero", "/tmp/out"} <= {e["filename"] for e in opened}
    # Each call returns once, but for the execve it came from and the exit it does not come back of.
    begun = {n.removeprefix("syscall_entry_"): k for n, k in names.items() if "_entry_" in n}
    ended = {n.removeprefix("syscall_exit_"): k for n, k in names.items() if "_exit_" in n
             and "_entry_" not in n}
    assert ended.pop("execve") == 1
    assert begun.pop("exit_group") == 1
    assert begun == ended
    assert "unknown" not in begun
    # A path in a page that the program had not touched before: the kernel faults it in later.
    partial = [e for e in calls if e["partial"] and "readlink" not in e["event"]]
    assert not partial, partial[:3]


def test_errors_and_children(eventful):
    with Events(eventful, "sched", "syscalls") as seen:
        run_as(eventful, "cat", "/no/such/file 2>/dev/null")
        pid = int(eventful.sh("sh -c 'echo $$'"))
    calls = calls_of(seen, "/tmp/cat")
    i = next(i for i, e in enumerate(calls) if e.get("filename") == "/no/such/file")
    back = next(e for e in calls[i:] if e["event"].startswith("syscall_exit_"))
    assert back["ret"] == -2, "ENOENT"
    # fork returns in the child too.
    child = [e for e in seen.list if e.get("tid") == pid and e["event"].startswith("syscall_")]
    assert child[0]["event"] in ("syscall_exit_clone", "syscall_exit_fork", "syscall_exit_vfork",
                                 "syscall_exit_clone3")
    assert child[0]["ret"] == 0
    parent = [e for e in seen.list if e["event"] == child[0]["event"] and e["ret"] == pid]
    assert len(parent) == 1


def test_page_faults_are_the_guests(eventful):
    guest = eventful
    fact = "sed -n 's/^pgfault //p' /proc/vmstat"
    work = "i=0; while [ $i -lt 30 ]; do /bin/busybox true; i=$((i+1)); done"
    with Events(guest, "sched", "traps") as seen:
        out = guest.sh(f"/tmp/mark-a 2>/dev/null; x=$({fact}); /tmp/mark-b 2>/dev/null; {work};"
                       f"/tmp/mark-c 2>/dev/null; y=$({fact}); /tmp/mark-d 2>/dev/null; echo $x $y")
    x, y = map(int, out.split())
    inner, outer = (sum(e["event"].startswith("trap_entry") and e["cause"] in FAULTS[guest.arch]
                        for e in between(seen, *marks)) for marks in ("bc", "ad"))
    # The kernel counts a fault that it has to try again twice, and none that turns out spurious.
    slack = (y - x) // 50
    assert inner - slack <= y - x <= outer + slack
    assert inner > 500


def test_traps_nest(eventful):
    """What is entered is left, to where it came from."""
    with Events(eventful, "sched", "traps") as seen:
        eventful.sh("i=0; while [ $i -lt 20 ]; do /bin/busybox true; i=$((i+1)); done")
    entries = [e for e in seen.list if e["event"].startswith("trap_entry")]
    assert len(entries) > 1000
    user = 0 if eventful.arch == "riscv64" else 3
    assert {e["from"] for e in entries} <= {user, 1 if user == 0 else 0}
    kernel_half = 1 << 63
    mode = {}
    wrong = 0
    for e in seen.list:
        if e["event"].startswith("trap_entry"):
            wrong += mode.get(e["cpu"], e["from"]) == user != e["from"]
            assert (int(e["epc"], 16) < kernel_half) == (e["from"] == user), e
            mode[e["cpu"]] = "kernel"
        elif e["event"] == "trap_exit":
            assert (int(e["pc"], 16) < kernel_half) == (e["to"] == user), e
            mode[e["cpu"]] = e["to"]
    assert wrong == 0, "the kernel trapped while user code ran"
    calls = [e for e in entries if e["cause"] == SYSCALL_TRAP[eventful.arch]]
    assert calls and all(e["from"] == user for e in calls)


def test_vcpus_wait(eventful):
    with Events(eventful, "sched", "modes") as seen:
        eventful.sh("usleep 300000")
        eventful.on_each_vcpu()
    state = {}
    for e in seen.list:
        if e["event"] in ("vcpu_idle", "vcpu_resume"):
            assert state.get(e["cpu"]) != e["event"], e
            state[e["cpu"]] = e["event"]
    assert len(state) == eventful.smp
    assert any(e["event"].startswith("trap_entry") for e in seen.list)


def test_firmware_is_left_as_it_was_entered(eventful):
    """riscv64: machine mode goes back to where it came from; each of its calls (SBI) is one."""
    if eventful.arch != "riscv64" or eventful.smp == 1:
        pytest.skip("no machine mode, or nothing to call it for: timers are the hart's own (Sstc)")
    with Events(eventful, "sched", "modes") as seen:
        eventful.sh("i=0; while [ $i -lt 20 ]; do /bin/busybox true; i=$((i+1)); done")
    inside = {}
    entries = 0
    for e in seen.list:
        if e["event"] == "firmware_entry":
            assert e["cpu"] not in inside and e["from"] in (0, 1), e
            inside[e["cpu"]] = e["from"]
            entries += 1
        elif e["event"] == "firmware_exit" and entries:
            assert inside.pop(e["cpu"], e["to"]) <= e["to"], e
        elif e["event"].startswith("trap_entry"):
            assert e["cpu"] not in inside, "the kernel runs while the firmware does"
    assert entries > 10
    calls = [e for e in seen.list if e["event"] == "firmware_entry" and e["cause"] == 9]
    assert calls and all(e["from"] == 1 for e in calls)


def test_each_sees_what_it_asked_for(eventful):
    """Clients of different sets at once: each gets its own events, whole, and no others."""
    with Events(eventful, "sched", "syscalls") as both:
        with Events(eventful, "sched") as seen:
            eventful.sh("/tmp/mark-a 2>/dev/null; sleep 0.1; /tmp/mark-b 2>/dev/null; true")
    assert {e["event"].split("_")[0] for e in seen.list} == {"sched"}
    assert "lost" not in seen.stderr + both.stderr
    mine = [e for e in between(both, "a", "b") if e["event"].startswith("sched_")]
    assert mine == between(seen, "a", "b")
    assert any(e["event"].startswith("syscall_") for e in between(both, "a", "b"))


DATA = 'a\\"b\\\\c\\n\\t\\0012\\1x\\0\\0\\377end of what fits..'  # 32 bytes, as strace writes them


def test_data_of_calls(eventful):
    """A program whose calls and data are known: each is seen, each as often, with its data."""
    rounds = 20
    with Events(eventful, "sched", "syscalls") as seen:
        eventful.sh(f"cp /bin/knowncalls /tmp/known; /tmp/known {rounds}")
    calls = calls_of(seen, "/tmp/known")
    # pairs[i]: a call and its end
    begun = [e for e in calls if e["event"].startswith("syscall_entry_")]
    pairs = []
    for e, back in zip(calls, calls[1:]):
        if e in begun and back["event"] == e["event"].replace("_entry_", "_exit_"):
            pairs.append((e["event"].removeprefix("syscall_entry_"), e, back))

    def of(name, arg, **want):
        return collections.Counter(
            (e.get(arg), back.get(arg), back["ret"], e["partial"], back["partial"])
            for n, e, back in pairs if n == name and all(e[k] == v for k, v in want.items()))

    assert of("write", "buf") == {('a\\"b\\\\c\\n\\t\\1', None, 8, False, False): rounds}
    assert of("pwrite64", "buf") == {(DATA, None, 100, False, False): rounds}
    assert of("sendto", "buff", addr_len=0) == {("datagram", None, 8, False, False): rounds}
    assert {k[1:]: n for k, n in of("recvfrom", "ubuf").items()} == {
        ("datagram", 8, False, False): rounds}
    assert {k[1:]: n for k, n in of("readlinkat", "buf", pathname="/tmp/knownlink").items()} == {
        ("where/it/leads", 14, False, False): rounds}
    reads = {k[1:]: n for k, n in of("read", "buf").items()}
    assert reads == {(DATA, 100, False, False): rounds,
                     ("", 0, False, False): rounds,
                     (DATA[:-16], 16, False, False): rounds}
    # Over the end of a page: there a riscv64 guest's event has what lies before it, and says so.
    whole = 'a\\"b\\\\c\\n\\t\\0012\\1x\\0\\0\\377end of'
    assert {k[1:]: n for k, n in of("pread64", "buf", count=20).items()} == {
        (whole, 20, False, False) if eventful.arch != "riscv64" else
        ('a\\"b\\\\c\\n\\t\\0012\\1', 20, False, True): rounds}
    assert {k[1:]: n for k, n in of("pread64", "buf", count=4).items()} == {
        ("", -14, False, False): rounds}


class Lines:
    """`oscope events syscalls` as text; .text has all that the guest did in the block."""

    def __init__(self, guest, path):
        self.guest, self.path = guest, path

    def __enter__(self):
        with open(self.path, "w") as out:
            self.process = subprocess.Popen(
                [str(OSCOPE), "events", "syscalls", "-s", self.guest.session],
                stdin=subprocess.DEVNULL, stdout=out, text=True)
        self.guest.sh("for m in begun done; do ln -sf /bin/busybox /tmp/$m; done")
        self._see("begun")
        return self

    def _see(self, name):
        """Runs a program until it is seen: so is all that was before it."""
        def seen():
            assert self.process.poll() is None, "no events came"
            self.guest.sh(f"/tmp/{name} 2>/dev/null; true")
            return f'execve("/tmp/{name}"' in self.path.read_text()

        wait_until(seen, f"a line of /tmp/{name}")

    def __exit__(self, *exc):
        try:
            if exc[0] is None:
                self._see("done")
        finally:
            self.process.send_signal(signal.SIGINT)
            assert self.process.wait(60) == 0
        self.text = self.path.read_text()


def test_lines_like_strace(eventful, tmp_path):
    guest = eventful
    guest.sh("cp /bin/knowncalls /tmp/known")
    with Lines(guest, tmp_path / "out") as lines:
        guest.sh("/tmp/known 20")
        sleeper = guest.sh("sleep 1000 >/dev/null 2>&1 & echo $!").strip()
        guest.wait_for(f"grep -q '^Name:.sleep' /proc/{sleeper}/status && "
                       f"grep -q '^State:.S' /proc/{sleeper}/status")
    guest.sh(f"kill {sleeper}")
    text = lines.text
    prefix = r"^ *\d+\.\d{9} \[\d{3}\] \[\d+\] "
    data = re.escape(DATA)
    for line in (r'write\(\d+, "a\\"b\\\\c\\n\\t\\1", 8\) += 8$',
                 rf'pwrite64\(\d+, "{data}"\.\.\., 100, 0\) += 100$',
                 rf'read\(\d+, "{data}"\.\.\., 8192\) += 100$',
                 r'read\(\d+, "", 1\) += 0$',
                 r'pread64\(\d+, "", 4, 0\) += -1 EFAULT \(Bad address\)$',
                 r'readlinkat\(AT_FDCWD, "/tmp/knownlink", "where/it/leads", 64\) += 14$',
                 r'openat\(AT_FDCWD, "/tmp/knowncalls", O_RDWR\|O_CREAT\|O_TRUNC(\|O_LARGEFILE)?,'
                 r' 0600\) += \d+$',
                 r'exit_group\(0\) = \?$'):
        assert re.search(prefix + line, text, re.M), line
    assert re.search(prefix + r"(wait4|ppoll|clock_nanosleep)\([^)]* <unfinished \.\.\.>$",
                     text, re.M)
    last = [line for line in text.splitlines() if line.endswith("= ?") and "[---]" in line]
    assert any(f"[{sleeper}] <... " in line and "sleep resumed> <unfinished ...>) = ?" in line
               for line in last), text[-2000:]
    assert text.splitlines()[-len(last):] == last
