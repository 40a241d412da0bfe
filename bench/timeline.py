# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""The timeline of `oscope web` in a browser: frames a second while a recording of ten million events is moved."""

import json
import pathlib
import signal
import subprocess
import tempfile
import time

from common import OSCOPE, row

from harness import Browser, Guest, Web  # noqa: E402

WORK = "for i in 1 2 3 4; do (while [ -e /tmp/go ]; do dd if=/dev/zero of=/dev/null bs=1 count=20000 2>/dev/null; " \
       "ls /proc >/dev/null; done) & done"
SECONDS = 5

# A wheel in each animation frame; how far these are from each other. The middle half of the window moves.
MOVE = """(async (kind, ms) => {
  const c = document.querySelector('canvas.tl'), box = c.getBoundingClientRect();
  const times = [];
  await new Promise((done) => {
    const frame = (now) => {
      times.push(now);
      const there = times.length %% 240 < 120 ? 1 : -1;
      c.dispatchEvent(new WheelEvent('wheel', { cancelable: true, clientX: box.left + box.width * 0.6, clientY: box.top + 150,
        shiftKey: kind === 'pan', deltaY: there * (kind === 'pan' ? 12 : -30) }));
      now - times[0] < ms ? requestAnimationFrame(frame) : done();
    };
    requestAnimationFrame(frame);
  });
  const gaps = times.slice(1).map((t, i) => t - times[i]).sort((a, b) => a - b);
  return [1000 * gaps.length / (times[times.length - 1] - times[0]), gaps[Math.floor(gaps.length * 0.95)]];
})(%s, %d)"""


def record(guest, folder, events):
    """A recording of at least so many events; how many."""
    guest.sh("touch /tmp/go")
    guest.sh(WORK)
    process = subprocess.Popen([OSCOPE, "record", "sched", "syscalls", "traps", "-s", guest.session, "-o", folder],
                               stderr=subprocess.DEVNULL)
    size = 0
    while size < events * 24:  # bytes: an event takes no more on average
        time.sleep(1)
        assert process.poll() is None, "the recorder ended"
        size = sum(f.stat().st_size for f in pathlib.Path(folder).glob("channel_*"))
    process.send_signal(signal.SIGINT)
    process.wait(60)
    guest.sh("rm /tmp/go")
    out = subprocess.run([OSCOPE, "report", "rates", "-t", folder, "-o", "json"], check=True, capture_output=True)
    return next(r["events"] for r in json.loads(out.stdout) if r["table"] == "interval")


def bench_timeline(args):
    with tempfile.TemporaryDirectory() as tmp:
        folder = f"{tmp}/t"
        with Guest("riscv64", smp=4, via="run") as guest:
            n = record(guest, folder, 1_000_000 if args.quick else 10_000_000)
        with Web("-t", folder) as web, Browser(web.url) as b:
            begun = time.monotonic()
            b.show(folder, "timeline")
            b.until(lambda b: b.tell(eval="!!document.querySelector('canvas.tl')?.dataset.span"), "all of it")
            row(f"web: timeline, {n * 1e-6:.1f} M events: read by the server", f"{time.monotonic() - begun:.1f} s")
            for size in (1280, 800), (2560, 1440):
                b.tell(size=size)
                for key in "zwww":
                    b.press(key)
                time.sleep(2)
                for kind in "pan", "zoom":
                    rate, gap = b.tell(eval=MOVE % (json.dumps(kind), SECONDS * 1000))
                    row(f"  {kind}, {size[0]}x{size[1]}: frames a second; 95 % come within", f"{rate:.1f}; {gap:.0f} ms", ">= 55")
