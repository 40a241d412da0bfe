# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Page faults against what the guest counts, and against a program whose faults are known."""

from harness import Events
from test_report import Report, table

RETRY = 0x400
BASE, NOTHING, PAGE, N = 0x1000000000, 0x2000000000, 4096, 64


def number(text):
    return int(text, 16)


def test_counts_are_the_guests(eventful):
    """pgfault counts each fault that is served, those tried again once (6.4 on) or twice."""
    guest = eventful
    fact = "sed -n 's/^pgfault //p;s/^pgmajfault //p' /proc/vmstat"
    work = "i=0; while [ $i -lt 30 ]; do /bin/busybox true; i=$((i+1)); done"
    with Events(guest, "sched", "faults") as seen:
        out = guest.sh(f"/tmp/mark-a 2>/dev/null; {fact}; /tmp/mark-b 2>/dev/null; {work};"
                       f"/tmp/mark-c 2>/dev/null; {fact}; /tmp/mark-d 2>/dev/null; true")
    assert "lost" not in seen.stderr and "no " not in seen.stderr, seen.stderr
    faults, major, faults_after, major_after = map(int, out.split())

    def served(after, before, again):
        lo, hi = seen.at(after), seen.at(before)
        ends = [e for e in seen.list if e["event"] == "page_fault_exit" and lo < e["time"] < hi]
        return sum(again or not e["result"] & RETRY for e in ends)

    grown = faults_after - faults
    assert served("b", "c", False) <= grown <= served("a", "d", True)
    assert served("b", "c", False) > 500
    assert major_after == major, "there is no disk"
    assert not [e for e in seen.list if e["event"] == "page_fault_exit" and e["result"] & 4]
    assert not any(e["partial"] for e in seen.list if e["event"].startswith("page_fault"))


def in_range(rows, comm, base=BASE):
    return [r for r in rows if r["comm"] == comm and base <= number(r["address"]) < base + N * PAGE]


def frame(row, suffix=""):
    return row["pte" + suffix]


def test_a_program_whose_faults_are_known(eventful):
    guest = eventful
    with Report(guest, "faults") as report:
        assert guest.sh(f"pagefaults {N}; echo $?") == "0\n"
    assert report.status == 0 and "lost" not in report.stderr
    [interval] = table(report.rows, "interval")
    assert interval["lost"] == interval["discarded"] == interval["gaps"] == 0
    rows = table(report.rows, "faults")
    fresh, copied = in_range(rows, "pf-anon"), in_range(rows, "pf-cow")
    assert [number(r["address"]) for r in fresh] == [BASE + i * PAGE for i in range(N)]
    for r in fresh:
        assert (r["kind"], r["access"], r["from"], r["perms"]) == ("minor", "w", "user", "rw-p")
        assert number(r["vma_start"]) == BASE and number(r["vma_end"]) == BASE + N * PAGE
        assert r["area"] == "[anon]" and r["tries"] >= 1 and r["duration"] > 0
        assert number(r["pte"]) == 0 != number(r["pte_after"])
    assert len({frame(r, "_after") for r in fresh}) == N
    # The child's pages are its parent's until it writes; then they are others.
    assert [number(r["address"]) for r in copied] == [BASE + i * PAGE for i in range(N)]
    assert {r["kind"] for r in copied} == {"cow"}
    assert not {frame(r, "_after") for r in copied} & {frame(r, "_after") for r in fresh}
    assert len({frame(r, "_after") for r in copied}) == N
    # Pages in the page cache come several at once.
    read = in_range(rows, "pf-file")
    assert N // 16 <= len(read) <= N and {r["access"] for r in read} == {"r"}
    assert {r["kind"] for r in read} == {"minor"}
    assert all(r["area"].startswith("pagefaults-") and r["perms"] == "r--s" for r in read)
    # Refused: nothing there, and not permitted. The trap tells where the instruction was.
    [nothing] = [r for r in rows if r["comm"] == "pf-segv" and number(r["address"]) == NOTHING]
    [denied] = [r for r in rows if r["comm"] == "pf-ro" and r["kind"] == "segv"]
    assert nothing["kind"] == "segv" and nothing["area"] == "" and nothing["vma_start"] is None
    assert number(denied["address"]) == BASE
    for r in (nothing, denied):
        assert r["access"] == "w" and 0 < number(r["ip"]) < BASE and r["duration"] > 0
    # The tables agree with each other.
    kinds = {k["kind"]: k for k in table(report.rows, "kinds")}
    assert kinds["cow"]["count"] >= N and kinds["segv"]["count"] == 2
    assert sum(k["count"] for k in kinds.values()) == len(rows)
    for name in ("user", "kernel", "gup"):
        assert sum(k[name] for k in kinds.values()) == sum(r["from"] == name for r in rows)
    assert {"user", "kernel", "gup"} == {r["from"] for r in rows}
    tasks = {t["tid"]: t for t in table(report.rows, "tasks")}
    assert tasks[copied[0]["tid"]]["cow"] >= N and tasks[nothing["tid"]]["failed"] == 1
    assert sum(t["count"] for t in tasks.values()) == len(rows)
    ended = [r for r in rows if r["duration"] is not None]
    assert sum(k["total"] or 0 for k in kinds.values()) == sum(r["duration"] for r in ended)
    assert any(r["symbol"] for r in rows if r["from"] == "kernel")


def test_areas(eventful):
    """Each fault's area is one that the process has: as `vm` shows it for one that holds still."""
    guest = eventful
    with Report(guest, "faults") as report:
        guest.sh("for i in 1 2 3; do /bin/busybox awk 'BEGIN { for (i = 0; i < 2000; i++) "
                 "x[i] = i }'; done")
    rows = [r for r in table(report.rows, "faults") if r["vma_start"] is not None]
    assert rows
    for r in rows:
        assert number(r["vma_start"]) <= number(r["address"]) < number(r["vma_end"]), r
        assert {"r": 0, "w": 1, "x": 2}[r["access"]] in [
            i for i in range(3) if r["perms"][i] != "-"] or r["from"] == "gup", r
    busybox = [r for r in rows if r["comm"] == "busybox"]
    assert {"[heap]", "[stack]", "busybox"} <= {r["area"] for r in busybox}, {
        r["area"] for r in busybox}
