# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Guests for the tests: each is booted once per session and (arch, smp), and kept while used.

A test takes one of these fixtures and runs once for each arch (and smp) asked for:

    guest       a guest under `oscope run`, with the `quiet` workload: 200 sleepers, 50 threads, a
                process with every kind of mapping; nothing of it changes by itself. SMP 1 and 4
    eventful    the same, where there are events: see test_no_events for the others
    guest1      the same, SMP 1 only: for what does not depend on the number of CPUs
    plain       a guest that nobody looks at yet (SMP 2), for `attach`
    disked      a guest with a disk of DISK bytes (SMP 2), where there are events: under `oscope run`,
                and plain with `oscope attach`

Files marked `pytest.mark.one_arch` are about what is the same whatever the guest is (the page, the
server's doors): they run with the first architecture's guests alone.

    pytest tests/guest --arch riscv64,amd64 --smp 1
"""

import pathlib
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import DISK, Guest  # noqa: E402

ARCHES = ("riscv64", "amd64", "arm64")
GUESTS = ("guest", "guest1", "plain", "disked")


def pytest_configure(config):
    config.addinivalue_line("markers", f"one_arch: with guests of {ARCHES[0]} alone")


def pytest_addoption(parser):
    parser.addoption("--arch", default=",".join(ARCHES), help="guests to test, comma-separated")
    parser.addoption("--smp", default="1,4", help="CPU counts to test with, comma-separated")


def pytest_generate_tests(metafunc):
    arches = metafunc.config.getoption("--arch").split(",")
    counts = [int(n) for n in metafunc.config.getoption("--smp").split(",")]
    keys = {
        "guest": [("run", a, n) for a in arches for n in counts],
        "guest1": [("run", a, counts[0]) for a in arches],
        "plain": [("plain", a, 2) for a in arches],
        "disked": [(f"{via}-disk", a, 2) for a in arches if a != "arm64" for via in ("run", "plain")],
    }
    for name, params in keys.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, params, indirect=True, scope="session",
                                 ids=["-".join(map(str, p if name == "disked" else p[1:]))
                                      for p in params])
    if "arch" in metafunc.fixturenames:
        metafunc.parametrize("arch", arches, scope="session")


class Guests:
    """At most one guest at a time: the machine that runs the tests is small."""

    def __init__(self):
        self.key = self.guest = None

    def get(self, key):
        if self.key != key or not self.guest.alive():
            self.close()
            via, arch, smp = key
            make = disked_guest if via.endswith("-disk") else quiet_guest
            self.guest = make(arch, smp=smp, via=via.removesuffix("-disk"))
            self.key = key
        return self.guest

    def close(self):
        if self.guest:
            self.guest.close()
        self.key = self.guest = None


def rings(arch, via):
    """So large that nothing is lost when a busy host lets nobody read them for a while."""
    return ("--event-ring", "16M") if via == "run" and arch != "arm64" else ()


def quiet_guest(arch, via, **options):
    """A guest whose workload has come to rest."""
    guest = Guest(arch, workload="quiet", via=via, run_args=rings(arch, via), **options)
    try:
        guest.wait_for("[ $(cat /proc/[0-9]*/comm | grep -c sleeper-) -ge 200 ]")
        guest.wait_for("[ $(cat /proc/[0-9]*/task/*/comm | grep -c thread-) -ge 50 ]")
        guest.wait_for("grep -q faults-cow /proc/[0-9]*/comm")
        guest.sh("dmesg -n 1")  # the console is the tests'
        guest.quiet(1)
    except BaseException:
        guest.close()
        raise
    return guest


def disked_guest(arch, via, **options):
    device = "virtio-blk-device" if arch == "riscv64" else "virtio-blk-pci"
    with tempfile.NamedTemporaryFile(prefix="oscope-disk-") as disk:  # QEMU keeps it open
        disk.truncate(DISK)
        guest = Guest(arch, via=via, run_args=rings(arch, via), **options, extra=[
            "-drive", f"file={disk.name},if=none,id=d,format=raw", "-device", f"{device},drive=d"])
    try:
        if via == "plain":
            guest.attach()
        guest.sh("dmesg -n 1")
        guest.quiet(1)
    except BaseException:
        guest.close()
        raise
    return guest


@pytest.fixture(scope="session")
def guests():
    pool = Guests()
    yield pool
    pool.close()


def _fixture(name):
    @pytest.fixture(scope="session", name=name)
    def get(request, guests):
        return guests.get(request.param)

    return get


guest, guest1, plain, disked = (_fixture(f) for f in GUESTS)


def arch_of(item):
    """None: it has no guest."""
    params = item.callspec.params if hasattr(item, "callspec") else {}
    return next((params[g][1] for g in GUESTS if g in params), params.get("arch"))


def pytest_collection_modifyitems(config, items):
    """Tests of the same guest follow each other, so that it is booted once.

    What does not depend on the guest's architecture runs with the first architecture only, and what
    needs a guest that no architecture asked for has, not at all.
    """
    none = [i for i in items if hasattr(i, "callspec")
            and any(not isinstance(i.callspec.params.get(g, ()), tuple) for g in GUESTS)]
    config.hook.pytest_deselected(items=none)
    items[:] = [i for i in items if i not in none]
    if ARCHES[0] not in config.getoption("--arch").split(","):
        drop = [i for i in items if not hasattr(i, "callspec")
                or not {*GUESTS, "arch"} & set(i.callspec.params)]
        config.hook.pytest_deselected(items=drop)
        items[:] = [i for i in items if i not in drop]

    drop = [i for i in items if i.get_closest_marker("one_arch") and arch_of(i) not in (None, ARCHES[0])]
    config.hook.pytest_deselected(items=drop)
    items[:] = [i for i in items if i not in drop]

    def key(item):
        params = item.callspec.params if hasattr(item, "callspec") else {}
        for name in GUESTS:
            if name in params:
                return (1, *map(str, params[name]))
        return (2, str(params.get("arch", "")))

    items.sort(key=key)


@pytest.fixture
def eventful(guest):
    if guest.arch == "arm64":
        pytest.skip("see test_no_events")
    return guest


@pytest.fixture
def eventful1(guest1):
    """With one vCPU: where their number changes nothing."""
    if guest1.arch == "arm64":
        pytest.skip("see test_no_events")
    return guest1
