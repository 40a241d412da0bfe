# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Events that QEMU itself tells (mmio, uart, blk), against what the guest and its console know."""

import collections
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time

import pytest
from harness import Guest, qemu_version, wait_until
from harness.events import in_order
from harness.guest import OSCOPE
from harness.qmp import Qmp

POINTS = ["memory_region_ops_read", "memory_region_ops_write", "serial_read", "serial_write",
          "virtio_blk_handle_read", "virtio_blk_req_complete"]


class Trace:
    """`oscope events SET…` in the background; complete from the end of __enter__ on.

    `trigger` is a command in the guest that makes at least one event, to see that they come.
    """

    def __init__(self, guest, *sets, trigger):
        self.guest, self.trigger = guest, trigger
        self.args = [str(OSCOPE), "events", *sets, "-s", guest.session, "-o", "json"]

    def __enter__(self):
        self.out, self.err = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(self.args, stdin=subprocess.DEVNULL, stdout=self.out,
                                        stderr=self.err)
        self._see_more()
        return self

    def _see_more(self):
        """Until an event that is younger than now has come: so have all before it."""
        deadline = time.monotonic() + 60
        now = time.monotonic_ns()
        while self._youngest() <= now:
            if time.monotonic() > deadline or self.process.poll() is not None:
                self.__exit__(AssertionError)
                raise AssertionError(f"no events came: {self.stderr}")
            self.guest.sh(self.trigger)
            time.sleep(0.1)

    def _youngest(self):
        """Time of the last event, by the host's clock, as all of them; 0: none came yet."""
        size = os.fstat(self.out.fileno()).st_size
        whole = os.pread(self.out.fileno(), 4096, max(size - 4096, 0)).rpartition(b"\n")[0]
        return json.loads(whole.splitlines()[-1])["time"] if whole else 0

    def __exit__(self, *exc):
        if not exc or exc[0] is None:
            self._see_more()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.status = self.process.wait(60)
        self.out.seek(0)
        self.err.seek(0)
        self.stderr = self.err.read()
        self.list = [json.loads(line) for line in self.out]
        self.out.close()
        self.err.close()

    def of(self, name):
        return [e for e in self.list if e["event"] == name]


def settled_console(guest):
    """The console's bytes, once QEMU has written them all."""
    while True:
        before = guest.console_path.read_bytes()
        time.sleep(0.3)
        if guest.console_path.read_bytes() == before:
            return before


def test_uart_bytes_are_the_consoles(disked):
    """Each byte that the port took stands on the console, in order, and the other way round."""
    text = "".join(chr(ord("a") + i % 26) for i in range(700))
    before = len(settled_console(disked))
    with Trace(disked, "uart", "mmio", trigger="echo . > /dev/console") as seen:
        disked.sh(f"echo {text} > /dev/console")
    sent = bytes(e["byte"] for e in seen.of("uart_tx"))
    assert text.encode() + b"\r\n" in sent
    wait_until(lambda: sent in disked.console_path.read_bytes()[before:], f"{sent} on the console")
    # What was printed before the trace was on, or after it was off, are triggers.
    printed = settled_console(disked)[before:]
    start = printed.find(sent)
    assert not printed[:start].strip(b".\r\n") and not printed[start + len(sent):].strip(b".\r\n")
    # The same bytes as device accesses, with the register's name.
    stores = bytes(int(e["value"], 16) for e in seen.of("mmio")
                   if (e["device"], e["register"], e["write"]) == ("serial", "THR", 1))
    assert stores in sent or sent in stores
    assert text.encode() in stores
    assert {e["device"] for e in seen.of("uart_tx")} == {"16550"}
    assert not seen.of("uart_rx")
    if disked.via == "run":
        # QEMU 11.1's log names no threads.
        known = qemu_version(disked.qemu_command[0]) < (11, 1)
        assert {e["cpu"] for e in seen.of("uart_tx")} <= ({0, 1} if known else {None})
    assert in_order(seen.list)
    assert "lost" not in seen.stderr and seen.status == 0


def diskstats(guest):
    """Sectors read and written of the disk, as the guest counts them."""
    fields = guest.sh("grep ' vda ' /proc/diskstats").split()
    return int(fields[5]), int(fields[9])


def test_disk_requests_are_the_guests(disked):
    guest = disked
    # The trigger reads the first sector, which the work leaves alone.
    with Trace(guest, "blk", trigger="dd if=/dev/vda of=/dev/null bs=512 count=1 iflag=direct") as seen:
        before = diskstats(guest)
        guest.sh("dd if=/dev/vda of=/dev/null bs=4096 skip=16 count=20 iflag=direct;"
                 "dd if=/dev/zero of=/dev/vda bs=8192 seek=16 count=7 conv=fsync")
        after = diskstats(guest)
    reads, writes = ([e for e in seen.of("block_rq_issue") if e["write"] == w and e["sector"] > 0]
                     for w in (0, 1))
    assert (after[0] - before[0], after[1] - before[1]) == (
        sum(e["nr_sector"] for e in reads), sum(e["nr_sector"] for e in writes))
    assert sum(e["nr_sector"] for e in reads) >= 20 * 8 and sum(e["nr_sector"] for e in writes) == 7 * 16
    assert sorted(s for e in writes for s in range(e["sector"], e["sector"] + e["nr_sector"])) == list(
        range(256, 256 + 112))
    # Each is completed, once, with the same sectors (the last trigger may not be, yet).
    key = ("dev", "request", "sector", "nr_sector", "write")
    done = collections.Counter(tuple(e[k] for k in key) for e in seen.of("block_rq_complete")
                               if not e["partial"] and e["sector"] > 0)
    assert done == collections.Counter(tuple(e[k] for k in key) for e in reads + writes)
    assert not any(e["error"] for e in seen.of("block_rq_complete"))
    if guest.via == "run":
        assert all(e["latency"] > 0 for e in seen.of("block_rq_complete") if not e["partial"])


def plic_interrupts(guest, device):
    """Number of the interrupt of a device, and how many the guest has counted."""
    for line in guest.sh("cat /proc/interrupts").splitlines():
        words = line.split()
        if "PLIC" in words and words[-1] == device:
            at = words.index("PLIC")
            return int(words[at + 1]), sum(int(n) for n in words[1:at - 1])
    raise AssertionError(f"no interrupt of {device}")


def test_claims_are_the_guests_interrupts(disked):
    """Each interrupt that the guest counts was claimed from the PLIC, and completed."""
    guest = disked
    if guest.arch != "riscv64":
        pytest.skip("a machine without a PLIC")
    name = guest.sh("basename $(dirname $(dirname $(readlink -f /sys/block/vda)))").strip()
    with Trace(guest, "mmio", trigger="echo . > /dev/console") as seen:
        number, before = plic_interrupts(guest, name)
        guest.sh("dd if=/dev/vda of=/dev/null bs=4096 count=50 iflag=direct")
        _, after = plic_interrupts(guest, name)

    def count(register):
        return sum(1 for e in seen.of("mmio") if e["device"] == "riscv.sifive.plic"
                   and e["register"].startswith(register) and int(e["value"], 16) == number)
    assert after - before >= 50
    assert count("claim[") == count("complete[") == after - before
    # The device is asked why, and told that it was seen.
    for register in ("InterruptStatus", "InterruptACK"):
        assert sum(1 for e in seen.of("mmio") if e["register"] == register) >= after - before
    assert not any(e["partial"] for e in seen.of("mmio"))
    assert {e["cpu"] for e in seen.of("mmio")} <= {0, 1, None}


def test_registers_have_names(disked):
    with Trace(disked, "mmio", trigger="echo . > /dev/console") as seen:
        disked.sh("cat /proc/driver/rtc >/dev/null 2>&1; i=0; while [ $i -lt 20 ]; do"
                  " /bin/busybox true; i=$((i+1)); done")
    assert not any(e["partial"] for e in seen.of("mmio"))
    names = {(e["device"], e["register"]) for e in seen.of("mmio")}
    plain = {(device, register.split("[")[0]) for device, register in names}
    want = {("serial", "THR"), ("serial", "IIR")}
    want |= ({("riscv.sifive.plic", "claim")} if disked.arch == "riscv64"
             else {("apic-msi", "EOI"), ("apic-msi", "timer_initial")})
    assert want <= plain
    named = ("serial", "riscv.", "apic-msi", "hpet", "ioapic", "virtio-mmio", "rtc")
    assert not [n for n in names if not n[1] and n[0].startswith(named)]


def test_a_recording(disked, tmp_path):
    """The same events in a folder, beside those of probes, as babeltrace2 reads them."""
    folder, text = tmp_path / "trace", "".join(chr(ord("a") + i % 26) for i in range(300))
    sets = ["sched", "uart"] if disked.via == "run" else ["uart"]
    with subprocess.Popen([str(OSCOPE), "record", *sets, "-s", disked.session, "-o", str(folder)],
                          stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            deadline = time.monotonic() + 60
            while not any(p.stat().st_size for p in folder.glob("channel_*")):
                assert time.monotonic() < deadline and process.poll() is None
                disked.sh("echo . > /dev/console")
                time.sleep(0.1)
            before = disked.console_path.stat().st_size
            disked.sh(f"echo {text} > /dev/console")
            wait_until(lambda: text.encode() in disked.console_path.read_bytes()[before:], "the text is out")
            process.send_signal(signal.SIGINT)
            stderr = process.communicate(timeout=20)[1]
        finally:
            process.kill()
    assert process.returncode == 0 and "nothing lost" in stderr, stderr
    r = subprocess.run(["babeltrace2", str(folder)], capture_output=True, text=True, timeout=60)
    assert r.returncode == 0 and not r.stderr, r.stderr[-2000:]
    sent = re.findall(r" uart_tx: .*byte = (\d+)", r.stdout)
    assert text in bytes(map(int, sent)).decode()
    assert disked.via == "plain" or " sched_switch: " in r.stdout


# -- who switches what ---------------------------------------------------------------------------


class Switches:
    """A plain guest with a QMP of the tests' own beside the one that oscope takes."""

    def __init__(self, guest, path):
        self.guest, self.qmp = guest, Qmp(path)

    def on(self):
        return {p for p in POINTS
                if self.qmp("trace-event-get-state", name=p)[0]["state"] == "enabled"}

    def becomes(self, *points):
        deadline = time.monotonic() + 60
        while self.on() != set(points):
            assert time.monotonic() < deadline, (self.on(), points)
            time.sleep(0.05)

    def logs(self):
        """Files of the session that QEMU, or anybody, left."""
        base = os.environ.get("XDG_RUNTIME_DIR") or f"/tmp/oscope-{os.getuid()}"
        with contextlib.suppress(FileNotFoundError):
            return [f for f in os.listdir(f"{base}/oscope/{self.guest.session}") if "trace" in f]
        return []

    @staticmethod
    def is_read_by(process):
        """Has it QEMU's log open?"""
        fds = f"/proc/{process.pid}/fd"
        return any("/trace-" in os.path.realpath(f"{fds}/{n}") for n in os.listdir(fds))

    @contextlib.contextmanager
    def client(self, *sets):
        with subprocess.Popen([str(OSCOPE), "events", *sets, "-s", self.guest.session],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as process:
            try:
                yield process
            finally:
                process.kill()

    def broker(self):
        """The broker's process."""
        base = os.environ.get("XDG_RUNTIME_DIR") or f"/tmp/oscope-{os.getuid()}"
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(f"{base}/oscope/{self.guest.session}/broker.sock")
            s.sendall(b'{"op":"hello"}\n')
            return json.loads(s.makefile().readline())["broker"]


@pytest.fixture(scope="module")
def switches(tmp_path_factory):
    path = tmp_path_factory.mktemp("qmp") / "own.sock"
    with Guest("riscv64", smp=2, extra=["-qmp", f"unix:{path},server=on,wait=off"]) as guest:
        s = Switches(guest, path)
        yield s
        s.qmp.close()


@pytest.fixture
def attached(switches):
    switches.guest.attach()
    yield switches
    switches.guest.detach()


MMIO, UART, BLK = set(POINTS[:2]), set(POINTS[2:4]), set(POINTS[4:])


def test_nothing_is_on_unasked(attached):
    assert attached.on() == set()
    assert attached.logs() == []


def test_the_union_is_on(attached):
    with attached.client("mmio") as first:
        attached.becomes(*MMIO)
        with attached.client("uart", "mmio"):
            attached.becomes(*MMIO, *UART)
            with attached.client("blk"):
                attached.becomes(*MMIO, *UART, *BLK)
                first.kill()
                first.wait()
            attached.becomes(*MMIO, *UART)
        attached.becomes()
    wait_until(lambda: attached.logs() == [], "no log is left")


def test_what_others_switched_on_stays_on(attached):
    attached.qmp("trace-event-set-state", name="serial_read", enable=True)
    try:
        with attached.client("uart"):
            attached.becomes("serial_read", "serial_write")
        attached.becomes("serial_read")
    finally:
        attached.qmp("trace-event-set-state", name="serial_read", enable=False)


def test_detaching_switches_off(switches):
    switches.guest.attach()
    with switches.client("uart"):
        switches.becomes(*UART)
        switches.guest.detach()
        switches.becomes()


def test_a_killed_broker_leaves_nothing_on(switches):
    """The guest runs on; who takes the session over is told what is still wanted."""
    guest = switches.guest
    guest.attach()
    session = guest.session
    try:
        with switches.client("mmio") as client:
            switches.becomes(*MMIO)
            wait_until(lambda: switches.is_read_by(client), "QEMU's log is open")
            os.kill(switches.broker(), signal.SIGKILL)
            switches.becomes()
            assert guest.sh("echo alive").strip() == "alive"
            wait_until(lambda: switches.logs() == [], "no logs")
            guest.attach()
            guest.session = session  # it keeps its name
            switches.becomes(*MMIO)
        switches.becomes()
    finally:
        guest.detach()


def test_a_broker_that_stands_still_stops_nobody(attached):
    """QEMU writes to a file: neither a reader nor a broker that does not run makes it wait."""
    guest = attached.guest
    with attached.client("mmio") as client:
        attached.becomes(*MMIO)
        broker = attached.broker()
        try:
            os.kill(broker, signal.SIGSTOP)
            client.send_signal(signal.SIGSTOP)
            guest.sh("i=0; while [ $i -lt 50 ]; do /bin/busybox true; i=$((i+1)); done")
        finally:
            os.kill(broker, signal.SIGCONT)
            client.send_signal(signal.SIGCONT)
    attached.becomes()


def test_a_log_of_the_users_is_left_alone(tmp_path):
    log = tmp_path / "qemu.log"
    with Guest("riscv64", extra=["-D", str(log), "-d", "guest_errors"], wait=False) as guest:
        deadline = time.monotonic() + 20
        while not guest.qmp_path.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        guest.attach()
        r = Guest.oscope_run("events", "-s", guest.session, "mmio")
        assert r.returncode == 1
        assert "writes a log for its user" in r.stderr and "hint:" in r.stderr
        assert len(r.stderr.splitlines()) == 2
