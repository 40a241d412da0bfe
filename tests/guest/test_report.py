# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Reports against what the guest itself says of its tasks."""

import collections
import contextlib
import itertools
import json
import signal
import subprocess

from harness import Guest, try_again, wait_until
from harness.guest import OSCOPE

TICK = 10_000_000  # ns: /proc/PID/stat counts in 1/100 s


def table(rows, name):
    return [r for r in rows if r["table"] == name]


class Report:
    """A live report in the background, until it is stopped; then .rows and .stderr are whole."""

    def __init__(self, guest, *args):
        self.guest = guest
        self.args = [str(OSCOPE), "report", *args, "-s", guest.session, "-o", "json", "--for", "60"]

    def __enter__(self):
        self.process = subprocess.Popen(self.args, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        wait_until(lambda: self.process.poll() is not None
                   or (self.guest.oscope("probe", "list", "-o", "json") and self.reads()), "probes")
        assert self.process.poll() is None, "no probes came"
        return self

    def reads(self):
        """From then on it waits for events, and for SIGINT."""
        with open(f"/proc/{self.process.pid}/status") as f:
            blocked = next(int(line.split()[1], 16) for line in f if line.startswith("SigBlk:"))
        return blocked >> (signal.SIGINT - 1) & 1

    def __exit__(self, *exc):
        self.process.send_signal(signal.SIGINT)
        out, self.stderr = self.process.communicate(timeout=60)
        self.status = self.process.returncode
        self.rows = json.loads(out) if out else []


def check_shape(rows, guest):
    """What holds of every report: shares are whole, slices do not overlap, tables agree."""
    [interval] = table(rows, "interval")
    assert interval["vcpus"] == guest.smp
    assert interval["lost"] == interval["discarded"] == interval["damaged"] == interval["gaps"] == 0
    cpus = {c["cpu"]: c for c in table(rows, "cpus")}
    assert set(cpus) == set(range(guest.smp))
    for c in cpus.values():
        assert c["run"] + c["idle"] + c["unknown"] == interval["duration"]
        assert abs(c["run_share"] + c["idle_share"] + c["unknown_share"] - 100) < 1e-6
    until = dict.fromkeys(cpus, interval["start"])
    known = dict.fromkeys(cpus, 0)
    for s in table(rows, "slices"):
        assert s["start"] >= until[s["cpu"]]
        until[s["cpu"]] = s["start"] + s["duration"]
        known[s["cpu"]] += s["duration"]
    assert known == {n: c["run"] + c["idle"] for n, c in cpus.items()}
    assert sum(t["run"] for t in table(rows, "tasks")) == sum(c["run"] for c in cpus.values())


def start_spin(guest):
    """Starts a task that does nothing but compute; its id."""
    guest.sh("setsid spin </dev/null >/dev/null 2>&1 &")
    guest.wait_for("pidof spin")
    return int(guest.sh("pidof spin"))


@contextlib.contextmanager
def pipes(guest):
    """Two tasks that wake each other, while the block lasts; their ids."""
    guest.sh("setsid pipeio 1 </dev/null >/dev/null 2>&1 &")
    names = "for p in $(pidof pipeio ping-0 pong-0); do echo $(cat /proc/$p/comm) $p; done"
    guest.wait_for(f"n=$({names}); case $n in *ping-0*pong-0*|*pong-0*ping-0*) true;; *) false;; esac")
    ids = dict(line.split() for line in guest.sh(names).splitlines())
    try:
        yield int(ids["ping-0"]), int(ids["pong-0"])
    finally:
        guest.sh("killall pipeio; killall ping-0 pong-0 2>/dev/null; true")


def test_a_spinning_task(eventful):
    """Its run time is what the guest's /proc/PID/stat counts meanwhile; its vCPU has no other."""
    guest = eventful
    # As it changes, at a tick: between ticks the guest tells what was at the last, which may be long ago.
    look = "counts() { cut -d' ' -f14,15 /proc/$p/stat; }; " \
           "look() { v=$(counts); while [ \"$(counts)\" = \"$v\" ]; do :; done; counts; }"
    guest.sh("for m in a b c d; do ln -sf /bin/busybox /tmp/mark-$m; done")
    pid = start_spin(guest)
    try:
        for _ in range(5):  # who has a vCPU alone may not be switched to or from for seconds
            with Report(guest, "sched") as report:
                out = guest.sh(f"p={pid}; {look}; /tmp/mark-a 2>/dev/null; look; /tmp/mark-b 2>/dev/null;"
                               "usleep 2000000;"
                               f"/tmp/mark-c 2>/dev/null; look; /tmp/mark-d 2>/dev/null; true")
            before, after = (sum(map(int, line.split())) for line in out.splitlines())
            # Nor does the guest count ticks that a busy host withheld.
            if (any(t["tid"] == pid and t["share"] > 30 for t in table(report.rows, "tasks"))
                    and (after - before) * TICK > 1.5e9):
                break
        assert report.status == 0 and "lost" not in report.stderr
        check_shape(report.rows, guest)
        slices = table(report.rows, "slices")
        [interval] = table(report.rows, "interval")
        [task] = [t for t in table(report.rows, "tasks") if t["tid"] == pid]
        ran = [s for s in slices if s["tid"] == pid]
        assert task["comm"] == "spin" and task["share"] > 30
        assert sum(s["duration"] for s in ran) == task["run"] <= interval["duration"]
        # The marks before and after each look of the guest are tasks of their own.
        at = {m: next(s["start"] for s in slices if s["comm"] == f"mark-{m}") for m in "abcd"}
        grown = (after - before) * TICK
        assert overlap(ran, at["b"], at["c"]) - 2 * TICK <= grown
        # What a vCPU runs is unknown until its first switch, which may be long in coming.
        unknown = max(c["unknown"] for c in table(report.rows, "cpus"))
        assert grown <= overlap(ran, at["a"], at["d"]) + unknown + 2 * TICK
        assert grown > 50 * TICK, "it spun"
    finally:
        guest.sh("killall spin")


def overlap(slices, lo, hi):
    return sum(max(0, min(s["start"] + s["duration"], hi) - max(s["start"], lo)) for s in slices)


def test_a_pipe_pair_wakes_each_other(eventful):
    guest = eventful
    with pipes(guest) as (ping, pong):
        guest.wait_for(f"[ $(sed -n 's/^voluntary.*:.//p' /proc/{ping}/status) -ge 50 ]")
        rows = guest.oscope("report", "sched", "--for", "2", "-o", "json")
    check_shape(rows, guest)
    count = {(w["waker_tid"], w["tid"]): w["count"] for w in table(rows, "wakers")}
    # ping is woken by pong alone. pong sleeps by the clock, too; and where ping runs as soon as it
    # is woken, by nothing else: ping's token is there before pong looks for it.
    assert count.get((pong, ping), 0) > 10, (count, ping, pong)
    assert sum(n for (waker, tid), n in count.items() if tid == pong) > 10, (count, ping, pong)
    by_others = sum(n for (waker, tid), n in count.items()
                    if tid == pong and waker not in (ping, 0))
    assert by_others <= count[pong, ping] / 10, (count, ping, pong)
    others = sum(n for (waker, tid), n in count.items() if tid == ping and waker != pong)
    assert others <= count[pong, ping] / 10
    tasks = {t["tid"]: t for t in table(rows, "tasks")}
    assert tasks[ping]["wakeups"] >= count[pong, ping]
    assert tasks[ping]["latency_avg"] <= tasks[ping]["latency_max"]
    woken = [s for s in table(rows, "slices") if s["tid"] == ping and s["latency"] is not None]
    assert {s["woken_comm"] for s in woken} >= {"pong-0"}


def test_a_recording_gives_the_same_views(eventful, tmp_path):
    """One folder: parts of the interval add up, filters agree with the whole."""
    guest = eventful
    trace = tmp_path / "trace"
    with pipes(guest):
        guest.oscope("record", "sched", "--for", "2", "-o", trace)

    def report(*args):
        r = Guest.oscope_run("report", "sched", "-t", trace, "-o", "json", *args)
        assert r.returncode == 0, r.stderr
        return json.loads(r.stdout)

    whole = report()
    first, second = report("--to", "1"), report("--from", "1")
    for rows in (whole, first, second):
        [interval] = table(rows, "interval")
        for c in table(rows, "cpus"):
            assert c["run"] + c["idle"] + c["unknown"] == interval["duration"]
    events = [table(rows, "interval")[0]["events"] for rows in (whole, first, second)]
    assert abs(events[0] - events[1] - events[2]) <= 1
    for c, a, b in zip(*(table(rows, "cpus") for rows in (whole, first, second))):
        assert c["run"] == a["run"] + b["run"] and c["idle"] == a["idle"] + b["idle"]
    ping = next(t for t in table(whole, "tasks") if t["comm"] == "ping-0")
    [alone] = table(report("--task", str(ping["tid"])), "tasks")
    assert alone == ping
    per_cpu = [t["run"] for n in range(guest.smp) for t in
               table(report("--cpu", str(n), "--task", "ping-0"), "tasks")]
    assert sum(per_cpu) == ping["run"]


def test_modes_traps_and_syscalls(eventful, tmp_path):
    """A recording of all sets while one task spins: where its time goes, and what interrupts it."""
    guest = eventful
    pid = start_spin(guest)

    def report(view):
        r = Guest.oscope_run("report", view, "-t", trace, "-o", "json")
        assert r.returncode == 0 and "contradict" not in r.stderr, r.stderr
        return json.loads(r.stdout)

    try:
        for i in range(5):  # who has a vCPU alone may not be switched to or from for seconds
            trace = tmp_path / str(i)
            guest.oscope("record", "sched", "modes", "traps", "syscalls", "--for", "2", "-o", trace)
            if any(t["tid"] == pid for t in table(report("sched"), "tasks")):
                break
    finally:
        guest.sh("killall spin")

    modes, traps, calls, sched = map(report, ("modes", "traps", "syscalls", "sched"))
    [interval] = table(modes, "interval")
    for c in table(modes, "cpus"):
        names = "firmware", "kernel", "user", "idle", "unknown"
        assert sum(c[name] or 0 for name in names) == interval["duration"]
        # A lone hart calls its firmware for nothing: timers are its own (Sstc).
        assert (c["firmware"] is not None) == (guest.arch == "riscv64" and guest.smp > 1)
        shares = [c[f"{name}_share"] for name in names]
        assert abs(sum(shares) - 100) < 1e-6
    [spin] = [t for t in table(modes, "tasks") if t["tid"] == pid]
    [ran] = [t for t in table(sched, "tasks") if t["tid"] == pid]
    assert spin["comm"] == "spin" and spin["idle"] == 0
    assert spin["user"] > spin["kernel"]
    # Traps name who runs earlier than the first switch of a vCPU does.
    unknown = max(c["unknown"] for c in table(sched, "cpus"))
    assert spin["user"] + spin["kernel"] + (spin["firmware"] or 0) <= (ran["run"] + unknown) * 1.01
    assert ran["run"] <= (spin["user"] + spin["kernel"] + (spin["firmware"] or 0) + max(
        c["unknown"] for c in table(modes, "cpus"))) * 1.01
    known = "firmware", "kernel", "user", "idle"
    assert sum(t[k] or 0 for t in table(modes, "tasks") for k in known) == sum(
        c[k] or 0 for c in table(modes, "cpus") for k in known)
    # Folded stacks have the same time.
    r = Guest.oscope_run("export", "-t", trace, "--to", "folded", "-o", "-")
    assert r.returncode == 0 and r.stderr == "", r.stderr
    stacks = collections.Counter()
    for line in r.stdout.splitlines():
        path, ns = line.rsplit(" ", 1)
        task, mode = path.split(";")[:2]
        stacks[task.rsplit("-", 1)[-1], mode] += int(ns)
    for t in table(modes, "tasks"):
        tid = "(not known)" if t["tid"] is None else str(t["tid"])
        assert all(stacks[tid, k] == (t[k] or 0) for k in known)
    # System calls are traps: each is seen in both views.
    causes = table(traps, "causes")
    entered = sum(c["count"] for c in causes if c["kind"] == "syscall")
    assert abs(entered - sum(c["count"] for c in table(calls, "calls"))) <= guest.smp
    assert all(c["from_kernel"] == 0 for c in causes if c["kind"] == "syscall")
    # The timer interrupts who spins; handlers return.
    ticks = [t for t in table(traps, "traps") if t["tid"] == pid and t["from"] == "user"
             and any(c["cause"] == t["cause"] and c["kind"] == "timer" for c in causes)]
    assert len(ticks) > 20
    assert sum(t["duration"] is None for t in ticks) <= 1
    assert sum(c["count"] for c in causes) == len(table(traps, "traps"))


def test_modes_of_a_machine_in_the_guest(eventful, tmp_path):
    """KVM in the guest: its machine is three quarters of its time in VU mode, the rest in VS."""
    guest = eventful
    nests = guest.arch == "riscv64"
    guest.sh("work kvm" if nests else "setsid spin </dev/null >/dev/null 2>&1 &")
    try:
        name = "kvm" if nests else "spin"
        guest.wait_for(f"pidof {name}")
        guest.sh("usleep 500000")  # its machine is made first
        pid = int(guest.sh(f"pidof {name}"))
        folders = (tmp_path / str(i) for i in itertools.count())

        def recorded():
            trace = next(folders)
            guest.oscope("record", "sched", "modes", "traps", "syscalls", "--for", "1", "-o", trace)
            r = Guest.oscope_run("report", "modes", "-t", trace, "-o", "json")
            assert r.returncode == 0 and "contradict" not in r.stderr, r.stderr
            modes = json.loads(r.stdout)
            [ran] = [t for t in table(modes, "tasks") if t["tid"] == pid]
            return trace, modes, ran
        # where a busy host lets it stand still counts, too
        trace, modes, ran = try_again(recorded, lambda r: not nests or
                                      r[2]["guest_user"] > r[2]["guest_kernel"] > r[2]["user"])
    finally:
        guest.sh("killall kvm spin; sleep 1; rmmod kvm", check=False)
    [interval] = table(modes, "interval")
    names = "firmware", "kernel", "user", "guest_kernel", "guest_user", "idle", "unknown"
    for c in table(modes, "cpus"):
        assert sum(c[name] or 0 for name in names) == interval["duration"]
        assert (c["guest_user"] is not None) == nests
    if nests:
        assert ran["guest_user"] > ran["guest_kernel"] > ran["user"]
        for mode in ("guest_user", "guest_kernel"):
            assert sum(t[mode] for t in table(modes, "tasks")) == sum(
                c[mode] for c in table(modes, "cpus"))
    # It neither calls the guest's kernel nor returns from it.
    r = Guest.oscope_run("export", "-t", trace, "--to", "csv", "-o", "-")
    seen = {}
    for line in r.stdout.splitlines()[1:]:
        n, _, cpu, _, _, event, field, value = line.split(",", 7)
        seen.setdefault((int(n), int(cpu), event), {})[field] = value
    entered = sum(event == "guest_entry" for _, _, event in seen)
    left = sum(event == "guest_exit" for _, _, event in seen)
    assert abs(entered - left) <= 1 and (entered > 10) == nests
    returns = [v for (_, _, event), v in seen.items() if event == "trap_exit"]
    if nests:
        assert all(int(v["pc"], 16) >= 1 << 63 for v in returns if v["to"] == "1")
        assert all(int(v["pc"], 16) > 0x1000 for v in returns)


def test_text_faces(guest1):
    """What a person reads: a picture with a line a vCPU, tables; errors are one line."""
    if guest1.arch == "arm64":
        r = Guest.oscope_run("report", "sched", "-s", guest1.session)
        assert r.returncode == 1 and len(r.stderr.splitlines()) <= 2
        return
    lines = guest1.oscope("report", "sched", "--gantt", "--for", "0.5").splitlines()
    assert [line[:7].split() for line in lines[:guest1.smp]] == [
        ["cpu", str(n)] for n in range(guest1.smp)]
    assert all(len(line) == 80 for line in lines[:guest1.smp])
    with pipes(guest1):
        assert "tasks" in guest1.oscope("report", "sched", "--for", "2").splitlines()
    r = Guest.oscope_run("report", "nonsense", "-s", guest1.session)
    assert r.returncode == 2 and "sched" in r.stderr
