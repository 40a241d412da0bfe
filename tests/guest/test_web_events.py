# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Views of `oscope web` that are made of events: what they show is what `oscope report` says."""

import json
import re
import subprocess

import pytest

from harness import OSCOPE, Browser, Web, number, record

ALL_SETS = ("sched", "modes", "traps", "faults", "irq", "mmio", "syscalls", "uart")


@pytest.fixture(scope="module")
def recordings():
    return {}


@pytest.fixture
def recording(eventful, recordings, tmp_path_factory):
    """One of each guest."""
    if eventful.session not in recordings:
        recordings[eventful.session] = record(eventful, tmp_path_factory.mktemp("web") / "trace", ALL_SETS)
    return recordings[eventful.session]


def report(path, name):
    """Its tables: {name: [row]}."""
    r = subprocess.run([OSCOPE, "report", name, "-t", path, "-o", "json"], capture_output=True, text=True, check=True)
    tables = {}
    for row in json.loads(r.stdout):
        tables.setdefault(row["table"], []).append(row)
    return tables


def test_traps(recording):
    causes = report(recording, "traps")["causes"]
    with Web("-t", recording) as web, Browser(web.url) as b:
        b.show(recording, "traps")
        page = b.until(lambda b: b.rows("Causes of traps"), "causes")
        assert sorted((r["name"], r["kind"], number(r["count"])) for r in page) == \
            sorted((r["name"], r["kind"], r["count"]) for r in causes)
        kinds = {}
        for r in causes:
            kinds[r["kind"]] = kinds.get(r["kind"], 0) + r["count"]
        ring = {r["name"].strip(): r for r in b.rows("Time in traps by kind")}
        assert {k: number(r["more"]) for k, r in ring.items()} == kinds
        assert abs(sum(float(r["share"].rstrip(" %")) for r in ring.values()) - 100) < 1
        assert b.rows("Traps")
        # by number; a kind: its causes alone; the address keeps both
        b.press("b")
        b.until(lambda b: {r["name"].strip(): number(r["value"]) for r in b.rows("Traps by kind")} == kinds, "counts")
        b.tell(eval="document.querySelector(\"table[aria-label='Traps by kind'] tr[data-key=syscall]\").click()")
        b.until(lambda b: {r["kind"] for r in b.rows("Causes of traps")} == {"syscall"}, "one kind")
        assert "kind=syscall" in b.tell(eval="location.hash") and "by=count" in b.tell(eval="location.hash")
        names = {r["name"] for r in causes if r["kind"] == "syscall"}
        assert {r["name"] for r in b.rows("Traps")} <= names
        b.press("Escape")
        b.until(lambda b: len(b.rows("Causes of traps")) == len(causes), "all of them again")
        assert b.tell(problems=True) == []


def test_modes(recording):
    tables = report(recording, "modes")
    modes = {"user": "user", "kernel": "kernel", "firmware": "firmware", "idle": "idle", "unknown": "not known"}
    with Web("-t", recording) as web, Browser(web.url) as b:
        b.show(recording, "cpu")
        page = b.until(lambda b: b.rows("Time by mode"), "modes")
        sums = {name: sum(r[mode] or 0 for r in tables["cpus"]) for mode, name in modes.items()}
        whole = sum(sums.values())
        got = {r["name"].strip(): float(r["share"].rstrip(" %")) for r in page}
        assert got.keys() == {name for name, ns in sums.items() if ns}
        for name, share in got.items():
            assert abs(share - 100 * sums[name] / whole) <= 0.06, name
        # of one task
        task = max((r for r in tables["tasks"] if r["tid"]), key=lambda r: (r["user"] or 0) + (r["kernel"] or 0))
        b.until(lambda b: b.rows("Time by task"), "tasks")
        b.tell(eval=f"document.querySelector(\"table[aria-label='Time by task'] tr[data-key='{task['tid']}']\").click()")
        b.until(lambda b: f"task {task['tid']}" in b.text(".donut"), "the task's ring")
        assert f"of=task+{task['tid']}" in b.tell(eval="location.hash")
        got = {r["name"].strip() for r in b.rows("Time by mode")}
        assert got == {name for mode, name in modes.items() if task.get(mode)}
        assert {r["name"].strip() for r in b.rows("Time in traps by kind")} == \
            {r["kind"] for r in report(recording, "traps")["causes"]}
        assert b.tell(problems=True) == []


def test_interrupts(recording):
    tables = report(recording, "irqflow")
    with Web("-t", recording) as web, Browser(web.url) as b:
        b.show(recording, "interrupts")
        page = b.until(lambda b: b.rows("Interrupt lines"), "lines")
        assert sorted((r["irq"], r["name"], number(r["count"])) for r in page) == \
            sorted(("–" if r["irq"] is None else str(r["irq"]), r["name"], r["count"]) for r in tables["lines"])
        line = max(tables["lines"], key=lambda r: r["count"])
        hops = {r["hop"]: r for r in tables["hops"] if (r["irq"], r["name"]) == (line["irq"], line["name"])}
        got = {r["hop"]: r for r in b.rows("Hops")}
        assert got.keys() == hops.keys()
        whole = "not in the medians" not in b.text()  # of more interrupts than a page keeps, the last ones
        assert whole or sum(r["count"] for r in tables["lines"]) > 1000
        for hop, r in got.items():
            assert r["how"] == hops[hop]["how"]
            assert number(r["count"]) == hops[hop]["count"] if whole else 0 < number(r["count"]) <= hops[hop]["count"]
        # one of them, by the keyboard alone
        first = b.until(lambda b: b.rows("Interrupts"), "interrupts")[0]
        b.tell(eval="document.querySelector(\"table[aria-label='Interrupts'] tbody tr\").focus()")
        b.press("Enter")
        b.until("One interrupt")
        assert "at=" in b.tell(eval="location.hash")
        said = b.tell(eval="document.querySelector('.sequence svg').getAttribute('aria-label')")
        assert line["name"] in said
        row = max((r for r in tables["interrupts"] if (r["irq"], r["name"]) == (line["irq"], line["name"])),
                  key=lambda r: r["time"])
        assert abs(float(first["time"]) - row["time"] / 1e9) < 1e-6
        for hop in ("entry", "handler"):
            assert (f"{hop} not seen" in said) == (row[hop] is None), said
            assert "(inferred)" not in re.search(rf"{hop} ([^,]*)", said)[1]
        b.press("Escape")
        b.until("The newest interrupt")
        assert b.tell(problems=True) == []


def test_faults(recording):
    tables = report(recording, "faults")
    with Web("-t", recording) as web, Browser(web.url) as b:
        b.show(recording, "faults")
        page = b.until(lambda b: b.rows("Faults by kind"), "kinds")
        assert {r["name"].strip(): number(r["value"]) for r in page} == {r["kind"]: r["count"] for r in tables["kinds"]}
        assert {(r["tid"], number(r["count"])) for r in b.rows("Faults by task")} == \
            {(str(r["tid"]), r["count"]) for r in tables["tasks"]}
        b.tell(eval="document.querySelector(\"table[aria-label='Page faults'] tbody tr\").click()")
        b.until(lambda b: b.rows("Page table entries"), "one fault")
        address, tid = (b.tell(eval=f"document.querySelector('[data-fact={fact}]').innerText") for fact in ("address", "tid"))
        fault = max((r for r in tables["faults"]), key=lambda r: r["time"])
        assert (address, tid) == (fault["address"], f"{fault['tid']} {fault['comm']}")
        for r in b.rows("Page table entries"):
            for column, field in (("before", r["level"]), ("after", f"{r['level']}_after")):
                want = fault[field]
                assert r[column] == ("not seen" if want is None else "0" if int(want, 16) == 0 else want)
        b.press("Escape")
        b.until(lambda b: not b.rows("Page table entries"), "it closed")
        assert b.tell(problems=True) == []


def test_devices(recording):
    tables = report(recording, "mmio")
    lines = report(recording, "uart")["lines"]
    with Web("-t", recording) as web, Browser(web.url) as b:
        b.show(recording, "devices")
        page = b.until(lambda b: b.rows("Devices"), "devices")
        assert sorted((r["device"], number(r["reads"]), number(r["writes"])) for r in page) == \
            sorted((r["device"], r["reads"], r["writes"]) for r in tables["devices"])
        name = max(tables["devices"], key=lambda r: r["reads"] + r["writes"])["device"]
        b.tell(eval=f"[...document.querySelectorAll(\"table[aria-label='Devices'] tbody tr\")]"
                    f".find(tr => tr.children[0].innerText == {json.dumps(name)}).click()")
        want = sorted((r["register"], r["access"], r["count"]) for r in tables["registers"] if r["device"] == name)
        b.until(lambda b: sorted((r.get("register", ""), r["access"], number(r["count"])) for r in b.rows("Registers")) == want,
                "its registers")
        assert "device=" in b.tell(eval="location.hash")
        b.press("v")
        b.until("A recording has no state of devices.")
        b.press("v")
        page = b.until(lambda b: b.rows("Serial lines"), "lines")
        assert sorted((r["direction"], r["text"].strip()) for r in page) == \
            sorted((r["direction"], " ".join(r["text"].split())) for r in lines)
        assert b.tell(problems=True) == []


def test_controllers(guest1):
    """As `dev` has them."""
    g = guest1
    with Web("-s", g.session) as web, Browser(web.url) as b:
        b.tell(eval=f"location.hash = '#' + encodeURIComponent({json.dumps(g.session)}) + '/devices?part=controllers'")
        ranges = g.oscope("dev", "-o", "json")
        b.until(lambda b: len(b.rows("Machine")) == len(ranges), "the devices")
        views = {r["view"] for r in ranges if r["view"]}
        if "plic" in views:
            sources = {str(r["source"]): str(r["priority"]) for r in g.oscope("dev", "plic", "-o", "json") if r["table"] == "sources"}
            b.until(lambda b: {r["source"]: r["priority"] for r in b.rows("PLIC sources")} == sources, "sources")
        if "aclint" in views:
            b.until(lambda b: len(b.rows("ACLINT harts")) == g.smp, "harts")
        if "apic" in views:
            b.until(lambda b: len(b.rows("Local APICs")) == g.smp, "local APICs")
        assert b.tell(problems=True) == []
