# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""`oscope web`: how soon its page is there, and what it costs the host and the guest."""

import contextlib
import gzip
import signal
import statistics
import threading
import time

from common import BUILD, cpu_seconds, memory_rows, row

from harness import Browser, Guest, Talk, Web, Wire  # noqa: E402

WORK = "i=0; while [ $i -lt 40 ]; do /bin/true; i=$((i+1)); done; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"


def first_paint(guest, runs):
    """ms from the request until something is painted, and until the guest's data stand there."""
    painted, filled = [], []
    for _ in range(runs):
        with Web("-s", guest.session) as web, Browser(web.url) as b:
            b.until(lambda b: b.tell(eval="!!document.querySelector('[data-fact=release]')"), "the guest")
            # the page that sets the cookie and leads on is in it
            late = b.tell(eval="performance.timeOrigin") - b.tell(begun=True)
            filled.append(late + b.tell(eval="""performance.getEntriesByName('first-view')[0]?.startTime ?? performance.now()"""))
            painted.append(late + b.tell(eval="performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN"))
    row("web: first paint", f"{statistics.median(painted):.0f} ms", "<= 1000")
    row("  and the guest's first data", f"{statistics.median(filled):.0f} ms")


def cost(seconds):
    """Of the server, one page, a guest that does as much as it can."""
    with Guest("riscv64", smp=4, via="run", workload="mixed") as guest, \
            Web("-s", guest.session) as web, Browser(web.url) as b:
        b.show(guest.session, "overview")
        b.until("these sets are off")
        b.switch_on()
        b.until(lambda b: b.rows("Busiest tasks"), "events")
        time.sleep(10)

        def share():
            before, begun = cpu_seconds(web.process.pid), time.monotonic()
            time.sleep(seconds)
            return (cpu_seconds(web.process.pid) - before) / (time.monotonic() - begun) * 100
        row("web: of a core, busy 4 vCPUs, overview with its sets", f"{share():.1f} %", "<= 5")
        memory_rows("web: RSS, the same", web.process.pid, 64)
        shares = {}
        for address in b.tabs():
            b.tell(eval=f"location.hash = {address!r}")
            time.sleep(1)
            b.switch_on()
            time.sleep(2)
            shares[address.rsplit("/", 1)[1]] = share()
        dear = max(shares, key=shares.get)
        row(f"  of a core, the tab that takes most ({dear}), all sets on by then", f"{shares[dear]:.1f} %", "<= 5")
        memory_rows("web: RSS, all tabs seen", web.process.pid, 64)


class Reader(threading.Thread):
    """A page as the server sees it, which draws nothing: the browser is another machine's."""

    def __init__(self, web, guest):
        super().__init__(daemon=True)
        wire = Wire(web)
        wire.enter()
        self.talk = Talk(wire)
        self.talk.until(lambda m: m["op"] == "guests" and any(g["id"] == guest.session for g in m["guests"]))
        self.talk.say(op="watch", guest=guest.session, views=["memory", "modes", "rates", "sched"])
        self.talk.say(op="sets", guest=guest.session, sets=["sched", "modes", "traps"])
        self.talk.until(lambda m: m["op"] == "view" and m["view"] == "sched" and m.get("tables"))
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                self.talk.hear()


def slowdown(what, pairs, page):
    """
    The guest's time with an open page, and with the server stopped (SIGSTOP), in turns: what the page
    switched on stays on in both.
    """
    with Guest("riscv64", smp=1, via="run") as guest, Web("-s", guest.session) as web, contextlib.ExitStack() as stack:
        page(web, guest, stack)

        def run(sig):
            web.process.send_signal(sig)
            time.sleep(0.2)
            start = time.perf_counter()
            guest.sh(WORK, timeout=120)
            return time.perf_counter() - start
        ratios = []
        for i in range(pairs + 2):
            order = (signal.SIGCONT, signal.SIGSTOP)[::1 if i % 2 else -1]
            seconds = {sig: run(sig) for sig in order}
            if i >= 2:
                ratios.append(seconds[signal.SIGCONT] / seconds[signal.SIGSTOP])
        web.process.send_signal(signal.SIGCONT)
    low, _, high = statistics.quantiles(ratios, n=4)
    row(f"{what} ({pairs} pairs)", f"{statistics.median(ratios):.3f} [{low:.2f}-{high:.2f}]", "<= 1.02")


def drawn(web, guest, stack):
    b = stack.enter_context(Browser(web.url))
    b.show(guest.session, "overview")
    b.until("these sets are off")
    b.switch_on()
    b.until(lambda b: b.rows("Busiest tasks"), "events")


def bench_web(args):
    script = (BUILD / "src/web/app.js").read_bytes()
    row("web: script, compressed / as it is", f"{len(gzip.compress(script)) / 1024:.0f} / {len(script) / 1024:.0f} KiB", "<= 300")
    with Guest("riscv64", smp=1, via="run", workload="quiet") as guest:
        first_paint(guest, 3 if args.quick else 9)
    cost(5 if args.quick else 20)
    pairs = 6 if args.quick else 40
    slowdown("web: guest time with an open page / its sets alone", pairs, drawn)
    slowdown("  the same, the page drawn by another machine", pairs, lambda web, guest, _: Reader(web, guest))
