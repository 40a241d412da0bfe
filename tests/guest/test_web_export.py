# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Recordings made from the page of `oscope web`, and taken away as files."""

import http.client
import io
import json
import os
import socket
import subprocess
import tarfile
import time

import pytest

from harness import OSCOPE, Browser, Web, record, wait_until
from test_web import Wire

pytestmark = pytest.mark.one_arch

FORMATS = ("perfetto", "chrome", "folded", "csv")


@pytest.fixture
def trace(eventful1, tmp_path):
    return record(eventful1, tmp_path / "a trace", ["sched", "modes", "traps"], seconds=2, work="ls /proc >/dev/null")


def get(web, cookie, path):
    """Its status, headers and body, whole: a body that broke off is an error."""
    c = http.client.HTTPConnection(web.host, timeout=60)
    c.request("GET", path, headers={"Cookie": cookie} if cookie else {})
    r = c.getresponse()
    return r.status, r.headers, r.read()


def test_exports(trace):
    quoted = str(trace).replace("/", "%2F").replace(" ", "%20")
    with Web("-t", trace) as web:
        w = Wire(web)
        for to in (*FORMATS, "ctf"):
            assert get(web, None, f"/export?guest={quoted}&to={to}")[0] == 403
        w.enter()
        for to in FORMATS:
            status, headers, body = get(web, w.cookie, f"/export?guest={quoted}&to={to}")
            assert status == 200 and headers["Content-Disposition"].startswith('attachment; filename="a_trace.')
            assert headers["X-Content-Type-Options"] == "nosniff"
            want = subprocess.run([OSCOPE, "export", "-t", trace, "--to", to, "-o", "-"], capture_output=True, check=True)
            assert body == want.stdout, to
        status, headers, body = get(web, w.cookie, f"/export?guest={quoted}&to=ctf")
        assert status == 200 and headers["Content-Disposition"] == 'attachment; filename="a_trace.tar"'
        with tarfile.open(fileobj=io.BytesIO(body)) as tar:
            files = {m.name: tar.extractfile(m).read() for m in tar.getmembers()}
        assert files == {f"a trace/{p.relative_to(trace)}": p.read_bytes() for p in trace.rglob("*") if p.is_file()}
        for path in ("/export", f"/export?guest={quoted}", f"/export?guest={quoted}&to=", f"/export?guest={quoted}&to=pdf",
                     "/export?guest=%2Fetc&to=ctf", f"/export?guest={quoted}%2F..&to=ctf", "/export?to=ctf", f"/exports?guest={quoted}&to=ctf"):
            assert get(web, w.cookie, path)[0] == 404, path
        assert web.process.poll() is None


def test_slow_readers_and_some_that_go(trace):
    """What they do not read is not kept, and they take no place for ever."""
    (trace / "big").write_bytes(os.urandom(1 << 20) * 32)
    quoted = str(trace).replace(" ", "%20")
    with Web("-t", trace) as web:
        w = Wire(web)
        w.enter()
        request = (f"GET /export?guest={quoted}&to=ctf HTTP/1.1\r\nHost: {web.host}\r\nCookie: {w.cookie}\r\n\r\n").encode()

        def memory():
            with open(f"/proc/{web.process.pid}/status") as f:
                return next(int(line.split()[1]) for line in f if line.startswith("RssAnon"))
        slow = []
        before = memory()
        for _ in range(4):
            s = socket.create_connection(("127.0.0.1", web.port), timeout=30)
            s.sendall(request)
            assert s.recv(12) == b"HTTP/1.1 200"
            slow.append(s)
        time.sleep(1)
        assert memory() < before + 8192  # KiB, of 128 MiB that they asked for
        assert get(web, w.cookie, f"/export?guest={quoted}&to=csv")[0] == 503  # enough of them
        for s in slow[1:]:
            s.close()
        wait_until(lambda: get(web, w.cookie, f"/export?guest={quoted}&to=csv")[0] == 200, "a place")
        # the slow one gets all there is
        got = bytearray()
        while not got.endswith(b"000000\r\n\r\n") and (chunk := slow[0].recv(1 << 20)):
            got += chunk
        assert len(got) > 32 << 20 and got.endswith(b"000000\r\n\r\n")
        slow[0].close()
        assert web.close() == 0


def test_one_that_breaks_off(trace):
    """A file that becomes shorter: the answer ends without its end, so that no browser takes it for whole."""
    with open(trace / "big", "wb") as f:
        f.truncate(64 << 20)  # more than all buffers on the way hold
    quoted = str(trace).replace(" ", "%20")
    with Web("-t", trace) as web:
        w = Wire(web)
        w.enter()
        with socket.create_connection(("127.0.0.1", web.port), timeout=30) as s:
            s.sendall((f"GET /export?guest={quoted}&to=ctf HTTP/1.1\r\nHost: {web.host}\r\nCookie: {w.cookie}\r\n\r\n").encode())
            got = bytearray()
            while b"big\0" not in got:  # until its length is told
                got += s.recv(4096)
            assert got.startswith(b"HTTP/1.1 200")
            os.truncate(trace / "big", 1 << 20)
            for p in trace.iterdir():
                if p.is_file() and p.name != "big":
                    os.truncate(p, 0)
            while chunk := s.recv(1 << 20):
                got += chunk
            assert not got.endswith(b"000000\r\n\r\n")
        assert web.process.poll() is None


def test_record_from_the_page(eventful1, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Web("-s", eventful1.session) as web, Browser(web.url) as b:
        b.show(eventful1.session, "syscalls")
        b.until("these sets are off")
        b.press("e")
        b.until(lambda b: eventful1.sh("ls /proc") and b.rows("System calls"), "calls")
        b.press("R")
        b.until(lambda b: b.tell(eval="[...document.querySelectorAll('button')].some(e => !e.disabled && e.innerText.startsWith('Stop recording'))"),
                "a recording that goes on")
        for _ in range(20):
            eventful1.sh("ls /no-such-file", check=False)
        b.press("R")
        b.until("recorded trace-")
        folder, = [p for p in tmp_path.iterdir() if p.name.startswith("trace-")]
        assert json.loads(subprocess.run([OSCOPE, "report", "syscalls", "-t", folder, "-o", "json"], capture_output=True,
                                         check=True, text=True).stdout)
        # it is among the guests, and has files
        b.until(lambda b: folder.name in b.text("aside"), "the recording among the guests")
        b.tell(eval="document.querySelector('main a.link').click()")
        b.until("Open in Perfetto")
        link = "[...document.querySelectorAll('.exports a')].find(a => a.innerText == '%s').href"
        names = b.tell(eval="[...document.querySelectorAll('.exports a')].map(a => a.innerText)")
        assert len(names) == len(FORMATS) + 1 and names[0] == "Open in Perfetto" and names[-1] == "CTF"
        for name in names:
            size = b.tell(eval=f"fetch({link % name}).then(r => r.ok ? r.arrayBuffer() : null).then(b => b?.byteLength ?? 0)")
            assert size > 100, name
        assert b.tell(problems=True) == []
    wait_until(lambda: eventful1.oscope("probe", "list", "-o", "json") == [], "no probes")
