# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Views of devices: what events tell (report mmio, uart, blk) and the state that they are in (dev),
against what the guest itself counts and what a recording holds."""

import collections
import contextlib
import json
import re
import signal
import subprocess
import time

import pytest
from harness import DISK, Guest, wait_until
from harness.guest import OSCOPE



def table(rows, name):
    return [r for r in rows if r["table"] == name]


@contextlib.contextmanager
def recording(guest, folder, *sets):
    """`oscope record` in the background; what the block does is in it as a whole."""
    with subprocess.Popen([str(OSCOPE), "record", *sets, "-s", guest.session, "-o", str(folder)],
                          stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            def more():
                """Until a byte that the guest writes now is in it."""
                before = sum(p.stat().st_size for p in folder.glob("channel_*"))
                deadline = time.monotonic() + 30
                while sum(p.stat().st_size for p in folder.glob("channel_*")) == before:
                    assert time.monotonic() < deadline and process.poll() is None
                    guest.sh("echo . > /dev/console")
                    time.sleep(0.1)

            more()
            yield
            more()
            process.send_signal(signal.SIGINT)
            stderr = process.communicate(timeout=20)[1]
        finally:
            process.kill()
    assert process.returncode == 0 and "nothing lost" in stderr, stderr


def raw_events(folder):
    """[(name, {field: text})] as babeltrace2 reads them."""
    r = subprocess.run(["babeltrace2", str(folder)], capture_output=True, text=True, timeout=120)
    assert r.returncode == 0 and not r.stderr, r.stderr[-2000:]
    events = []
    for line in r.stdout.splitlines():
        name = re.search(r" (\w+): \{", line).group(1)
        # the fields are the last braces of the line; names of devices have none in them
        fields = line[line.rindex("{") + 1:line.rindex("}")]
        events.append((name, dict(re.findall(r"(\w+) = (\"[^\"]*\"|[^,} ]+)", fields))))
    return events


def report(view, folder, *args):
    r = Guest.oscope_run("report", view, "-t", folder, "-o", "json", *args)
    assert r.returncode == 0, r.stderr
    return json.loads(r.stdout)


def diskstats(guest):
    """Reads, sectors read, writes, sectors written of the disk, as the guest counts them."""
    fields = guest.sh("grep ' vda ' /proc/diskstats").split()
    return [int(fields[i]) for i in (3, 5, 7, 9)]


def test_reports_of_a_recording(disked, tmp_path):
    """The same events, counted three times: by the views, by babeltrace2, and by the guest."""
    guest, folder = disked, tmp_path / "trace"
    text = "".join(chr(ord("a") + i % 26) for i in range(300))
    with recording(guest, folder, "mmio", "uart", "blk"):
        before = diskstats(guest)
        guest.sh(f"echo {text} > /dev/console; printf 'x\\033[2Jy\\n' > /dev/console;"
                 "dd if=/dev/vda of=/dev/null bs=4096 skip=16 count=20 iflag=direct;"
                 "dd if=/dev/zero of=/dev/vda bs=8192 seek=16 count=7 conv=fsync")
        after = diskstats(guest)
    events = raw_events(folder)

    # uart: each byte, and the text
    sent = [int(f["byte"]) for name, f in events if name == "uart_tx"]
    rows = report("uart", folder)
    [port] = [p for p in table(rows, "ports") if p["direction"] == "out"]
    assert port["bytes"] == len(sent) and port["device"] == "16550"
    assert port["lines"] == sent.count(10)
    lines = table(rows, "lines")
    assert sum(line["bytes"] for line in lines if line["direction"] == "out") == len(sent)
    whole = "".join(line["text"] + ("\n" if line["end"] == "newline" else "") for line in lines
                    if line["direction"] == "out")
    assert f"{text}\nx\033[2Jy\n" in whole
    shown = Guest.oscope_run("report", "uart", "-t", folder, "--top", "0").stdout
    assert "\033" not in shown and "x\\x1b[2Jy" in shown

    # blk: sectors as the guest counts them, and as the events say
    rows = report("blk", folder)
    disks = {d["access"]: d for d in table(rows, "disks")}
    delta = [b - a for a, b in zip(before, after)]
    # (of writes it counts the flush, too, which has no sectors)
    assert [disks["read"]["requests"], disks["read"]["bytes"] // 512,
            disks["write"]["bytes"] // 512] == [delta[0], delta[1], delta[3]]
    assert delta[1] == 20 * 8 and delta[3] == 7 * 16
    for access, d in disks.items():
        assert d["completed"] == d["requests"] and d["unfinished"] == d["errors"] == 0
        assert 0 < d["avg"] <= d["max"]
        bins = table(rows, f"{access}_latency")
        assert sum(b["count"] for b in bins) == d["requests"]
    issued = [f for name, f in events if name == "block_rq_issue"]
    assert len(issued) == sum(d["requests"] for d in disks.values()) == len(table(rows, "requests"))
    regions = table(rows, "map")
    assert sum(r["read_bytes"] for r in regions) == disks["read"]["bytes"]
    assert sum(r["write_bytes"] for r in regions) == disks["write"]["bytes"]
    assert sum(r["reads"] for r in regions) == disks["read"]["requests"]
    assert regions[-1]["first"] + regions[-1]["sectors"] == DISK // 512

    # mmio: each register
    want = collections.Counter(
        (f["device"].strip('"'), f["register"].strip('"'), int(f["address"], 0), int(f["size"]),
         "write" if int(f["write"]) else "read") for name, f in events if name == "mmio")
    rows = report("mmio", folder)
    got = {(r["device"], r["register"], int(r["address"], 0), r["size"], r["access"]): r["count"]
           for r in table(rows, "registers")}
    assert got == dict(want)
    devices = table(rows, "devices")
    assert sum(d["reads"] + d["writes"] for d in devices) == sum(want.values())
    assert len(table(rows, "accesses")) == min(sum(want.values()), 65536)
    outside = sum(a["cpu"] is None for a in table(rows, "accesses"))
    assert sum(d["outside"] for d in devices) == outside
    if guest.arch == "amd64":
        assert outside > 0  # the disk's messages


def test_live_reports(disked):
    """Live, the size of the disk is known, and the map is of all of it."""
    guest = disked
    guest.sh("(while true; do dd if=/dev/vda of=/dev/null bs=4096 count=50 iflag=direct; done)"
             " >/dev/null 2>&1 & echo $! > /tmp/reader")
    try:
        def look():
            rows = guest.oscope("report", "blk", "--for", "1", "-o", "json")
            return rows if any(d["requests"] for d in table(rows, "disks")
                               if d["access"] == "read") else None

        rows = wait_until(look, "it reads")
        text = wait_until(lambda: "|" in (said := guest.oscope("report", "blk", "--for", "1")) and said, "a map")
    finally:
        guest.sh("kill $(cat /tmp/reader)")
    regions = table(rows, "map")
    assert regions[0]["first"] == 0
    assert all(a["first"] + a["sectors"] == b["first"] for a, b in zip(regions, regions[1:]))
    assert regions[-1]["first"] + regions[-1]["sectors"] == DISK // 512
    [reads] = [d for d in table(rows, "disks") if d["access"] == "read"]
    assert reads["requests"] > 0 and reads["depth"] >= 1
    assert sum(r["reads"] for r in regions[:len(regions) // 8]) == reads["requests"]
    assert f"disk 0, {DISK // 512} sectors" in text and "|" in text


def test_reports_know_no_task(disked):
    for view in ("mmio", "uart", "blk"):
        r = Guest.oscope_run("report", view, "--task", "1", "-s", disked.session)
        assert r.returncode == 2 and "task" in r.stderr


# -- state ---------------------------------------------------------------------------------------


def plic_lines(guest):
    """{number of the source: (name, interrupts counted)} of the guest's PLIC."""
    out = {}
    for line in guest.sh("cat /proc/interrupts").splitlines():
        words = line.split()
        if "PLIC" in words:
            at = words.index("PLIC")
            out[int(words[at + 1])] = words[-1], sum(int(n) for n in words[1:at - 1])
    return out


def need(guest, arch):
    if guest.arch != arch:
        pytest.skip("another machine")


def test_plic(disked):
    need(disked, "riscv64")
    for _ in range(100):  # of interrupts that were just raised, on a busy host, one may be there
        rows = disked.oscope("dev", "plic", "-o", "json")
        if not any(s["pending"] for s in table(rows, "sources")):
            break
    contexts = table(rows, "contexts")
    assert [(c["hart"], c["mode"]) for c in contexts] == [(0, "M"), (0, "S"), (1, "M"), (1, "S")]
    known = set(plic_lines(disked))
    enabled = {int(n) for c in contexts for n in c["sources"].split()}
    assert enabled == known and len(known) >= 3
    assert all(c["threshold"] == 0 and not c["mode"] == "M" for c in contexts if c["enabled"])
    sources = {s["source"]: s for s in table(rows, "sources")}
    assert set(sources) == known
    for number in known:
        assert sources[number]["priority"] > 0 and not sources[number]["pending"]
        for c in sources[number]["contexts"].split():
            assert str(number) in contexts[int(c)]["sources"].split()
    assert sources[10]["name"].startswith("serial@") and sources[11]["name"].startswith("rtc@")
    everything = table(disked.oscope("dev", "plic", "--all", "-o", "json"), "sources")
    assert [s["source"] for s in everything] == list(range(1, 96))
    assert {c["consistency"] for c in contexts} <= {"consistent", "retried"}


def test_looking_at_the_plic_changes_nothing(disked, tmp_path):
    """While it is read all the time: what is claimed is completed, each interrupt counted once."""
    need(disked, "riscv64")
    guest, folder = disked, tmp_path / "trace"
    name = guest.sh("basename $(dirname $(dirname $(readlink -f /sys/block/vda)))").strip()
    [number] = [n for n, (device, _) in plic_lines(guest).items() if device == name]
    looks = 0
    with recording(guest, folder, "mmio"):
        before = plic_lines(guest)[number][1]
        guest.sh("rm -f /tmp/done; (dd if=/dev/vda of=/dev/null bs=4096 count=1900 iflag=direct;"
                 " touch /tmp/done) >/dev/null 2>&1 &")
        while looks < 100 or "done" not in guest.sh("ls /tmp"):
            guest.oscope("dev", "plic", "-o", "json")
            looks += 1
            assert looks < 10000, "the guest's disk stands still"
        after = plic_lines(guest)[number][1]
    accesses = [f for event, f in raw_events(folder) if event == "mmio"
                and "plic" in f["device"]]

    def count(register):
        return sum(1 for f in accesses if f["register"].startswith(f'"{register}[')
                   and int(f["value"], 0) == number)
    assert after - before >= 1900
    assert count("claim") == count("complete") == after - before
    assert sum(f["register"].startswith('"claim') for f in accesses) == sum(
        r["count"] for r in table(report("mmio", folder), "registers")
        if r["register"].startswith("claim"))
    # Our own reads are in the trace, as of no vCPU: none of them of a claim register, none writes.
    ours = [a for a in table(report("mmio", folder, "--slices", "4000000"), "accesses")
            if a["cpu"] is None and "plic" in a["device"]]
    assert len(ours) > 100 * 90
    assert {a["register"].split("[")[0] for a in ours} == {"priority", "threshold", "enable",
                                                           "pending"}
    assert {a["access"] for a in ours} == {"read"}


def test_aclint_and_a_kernel_that_uses_it():
    """Without Sstc, the kernel's timer is the ACLINT's."""
    with Guest("riscv64", smp=2, via="run", extra=["-cpu", "rv64,sstc=off"]) as guest:
        guest.sh("for i in 0 1; do (while true; do usleep 200000; done) & done >/dev/null 2>&1")
        looks = []

        def look():
            """On a busy host timers may be late, which is another state."""
            looks.append(guest.oscope("dev", "aclint", "-o", "json"))
            return len(looks) >= 20 and any(
                h["timer"] == "runs" for rows in looks for h in table(rows, "harts"))

        wait_until(look, "a timer runs", pause=0)
        uptime = float(guest.sh("cat /proc/uptime").split()[0])
        last = guest.oscope("dev", "aclint", "-o", "json")
    for rows in looks:
        [clock] = table(rows, "clock")
        harts = table(rows, "harts")
        assert clock["frequency"] == 10_000_000
        assert clock["time"] == clock["mtime"] * 100
        assert [h["hart"] for h in harts] == [0, 1]
        runs = [h for h in harts if h["timer"] == "runs"]
        for h in runs:
            assert h["due"] == (int(h["mtimecmp"], 0) - clock["mtime"]) * 100
        if runs:
            soonest = min(runs, key=lambda h: h["due"])
            assert (clock["next_hart"], clock["next"]) == (soonest["hart"], soonest["due"])
            # somebody sleeps for 0.2 s, always, or has just slept
            assert clock["next"] <= 10**9 or any(h["timer"] == "passed" for h in harts)
        assert all("MTIE" in h["enabled"] or "STIE" in h["enabled"] for h in harts)
    times = [table(rows, "clock")[0]["mtime"] for rows in looks]
    assert times == sorted(times) and times[0] < times[-1]
    assert table(last, "clock")[0]["time"] >= uptime * 1e9


def test_aclint_says_that_sstc_is_elsewhere(disked):
    need(disked, "riscv64")
    r = Guest.oscope_run("dev", "aclint", "-s", disked.session)
    assert r.returncode == 0 and "stimecmp" in r.stderr
    assert len(table(disked.oscope("dev", "aclint", "-o", "json"), "harts")) == 2


def test_apic(disked):
    """Pins that the kernel uses are those that are not masked; the timer is the kernel's vector."""
    need(disked, "amd64")
    rows = disked.oscope("dev", "apic", "-o", "json")
    local = table(rows, "local")
    assert [c["cpu"] for c in local] == [0, 1]
    for c in local:
        assert c["enabled"] and c["timer_vector"] == 236 and not c["timer_masked"]
        assert c["timer"] in ("one-shot", "periodic", "tsc-deadline")
        assert c["due"] is None or c["due"] <= c["initial"] * c["divide"]
    used = {}
    for line in disked.sh("cat /proc/interrupts").splitlines():
        m = re.search(r"IO-APIC +(\d+)-(\w+)", line)
        if m:
            used[int(m.group(1))] = "edge" if m.group(2) == "edge" else "level"
    pins = {p["pin"]: p for p in table(rows, "pins") if not p["masked"]}
    assert len(used) >= 3 and set(used) <= set(pins)
    assert {n: pins[n]["trigger"] for n in used} == used
    assert set(pins) - set(used) <= {1, 2}  # the keyboard's and the timer's, which have no user
    everything = disked.oscope("dev", "apic", "--all", "-o", "json")
    assert len(table(everything, "pins")) == 24
    assert {p["pic"] for p in table(everything, "pics")} == {0, 1}


def test_devices_and_what_there_is_not(disked):
    rows = disked.oscope("dev", "-o", "json")
    views = {r["view"] for r in rows if r["view"]}
    other = "apic" if disked.arch == "riscv64" else "plic"
    assert views == ({"plic", "aclint"} if disked.arch == "riscv64" else {"apic"})
    assert any(r["device"] == "serial" for r in rows)
    r = Guest.oscope_run("dev", other, "-s", disked.session)
    assert r.returncode == 1 and not r.stdout
    assert f"no {other}" in r.stderr and all(v in r.stderr for v in views)
    r = Guest.oscope_run("dev", "nonsense", "-s", disked.session)
    assert r.returncode == 2 and "plic, aclint, apic" in r.stderr
