# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""`oscope web`: whom it serves, and that its page shows what the commands say."""

import json
import re
import signal
import socket
import time

import pytest

from harness import Browser, Guest, Web, Wire, frame, number, record, wait_until


# -- whom it serves, without a browser ---------------------------------------------------------


def hung_up(s):
    """Reads until the other side ends it: by a close frame, or as it is."""
    s.settimeout(30)
    data = b""
    try:
        while chunk := s.recv(65536):
            data += chunk
            while len(data) >= 2:  # frames of the server, unmasked (RFC 6455, 5.2)
                n, head = data[1] & 127, 2
                if n >= 126:
                    head = 4 if n == 126 else 10
                    n = int.from_bytes(data[2:head], "big") if len(data) >= head else len(data)
                if data[0] & 15 == 8:
                    return True
                if len(data) < head + n:
                    break
                data = data[head + n:]
    except ConnectionError:
        pass
    return True


@pytest.fixture(scope="module")
def lonely():
    """A server that has no guest to show."""
    with Web("-s", "no-such-session") as web:
        yield web


def test_nothing_without_the_cookie(lonely):
    w = Wire(lonely)
    for path in ("/", "/app.js", "/ws", "/nothing", "/?token=", f"/?token={'0' * 64}"):
        assert w.get(path)[0] == 403, path
    assert w.upgrade() != 101
    assert w.get(f"/?token={lonely.token}", Host=f"evil.example:{lonely.port}")[0] == 421
    assert w.get(f"/?token={lonely.token}", Host=None)[0] != 200
    w.enter()
    assert w.get()[0] == 200
    status, text = w.get("/app.js")
    assert status == 200 and "default-src 'none'" in text and "unsafe" not in text.split("\r\n\r\n")[0]
    # the URL was good once
    assert Wire(lonely).get(f"/?token={lonely.token}")[0] == 403

    for host in ("evil.example", f"evil.example:{lonely.port}", "127.0.0.1", f"127.0.0.1:{lonely.port + 1}"):
        assert w.get(Host=host)[0] == 421, host
    for origin in ("http://evil.example", "null", f"https://{lonely.host}"):
        assert w.get(Origin=origin)[0] == 403, origin
        assert w.upgrade(Origin=origin) != 101
    assert w.upgrade(Origin=None) != 101
    assert w.upgrade(Host=f"evil.example:{lonely.port}") != 101
    assert w.upgrade(Cookie="oscope=1") != 101
    # whatever protocol it asks for, or none
    for protocol in (None, "http", "wake", "stop", "nothing"):
        assert w.upgrade(Cookie=None, Sec_WebSocket_Protocol=protocol) != 101, protocol
        assert w.upgrade(Sec_WebSocket_Protocol=protocol) != 101, protocol
    assert w.upgrade() == 101


def test_odd_requests(lonely):
    w = Wire(lonely)
    w.cookie = "none"
    for path in ("/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd", "/app.js%00.html",
                 "//etc/passwd", "/" + "a" * 3000, "/" + "../" * 500):
        status, text = w.get(path)
        assert status in (0, 400, 403, 404, 414) and "root:" not in text, path
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "HEAD", "NONSENSE"):
        assert w.get(method=method)[0] != 200, method
    for text in (b"\0" * 5000, b"\xff" * 5000, b"GET", b"GET / HTTP/1.1\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 3000,
                 b"GET / HTTP/1.1\r\nHost: " + b"h" * 100000 + b"\r\n\r\n",
                 b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 20000 + b"\r\n"):
        assert w.send(text, wait=2)[0] != 200
    assert w.get()[0] == 403  # it serves on


def test_odd_messages():
    with Web("-s", "no-such-session") as web:
        w = Wire(web)
        w.enter()
        watch = {"op": "watch", "guest": "x", "views": ["info"]}
        for data, opcode in ((b"", 1), (b"{", 1), (b"[" * 4000, 1), (b"\xff\xfe", 1), (b"x" * 5000, 1), (b"y" * 70000, 1),
                             (json.dumps(watch).encode(), 2),
                             (json.dumps({**watch, "views": ["../x"]}).encode(), 1),
                             (json.dumps({**watch, "op": "run"}).encode(), 1)):
            with w.socket() as s:
                s.sendall(frame(data, opcode))
                assert hung_up(s), data
        with w.socket() as s:  # one message that never ends
            with pytest.raises(OSError):
                s.sendall(frame(b"a" * 100, fin=False))
                for _ in range(10000):
                    s.sendall(frame(b"a" * 100, opcode=0, fin=False))
                    time.sleep(0.001)
        with w.socket() as s:  # guests that are not there are no mistake: they may have gone
            s.sendall(frame(json.dumps(watch).encode()) + frame(b"{", 1))
            assert hung_up(s)
        sockets = [w.socket() for _ in range(40)]  # more than it lets in
        assert hung_up(sockets[-1])
        for s in sockets:
            s.close()
        wait_until(lambda: w.upgrade() == 101, "a place for a page")
        assert web.process.poll() is None
        assert web.close() == 0


def test_a_slow_reader_gets_less(eventful1):
    """It reads nothing for a while: what waits for it is bounded, and the rest is dropped, not kept."""
    with Web("-s", eventful1.session) as web:
        w = Wire(web)
        w.enter()

        def memory():
            with open(f"/proc/{web.process.pid}/status") as f:
                return int(re.search(r"RssAnon:\s+(\d+)", f.read())[1])
        with w.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            for m in ({"op": "watch", "guest": eventful1.session, "views": ["threads", "map", "rates", "sched"]},
                      {"op": "sets", "guest": eventful1.session, "sets": ["sched"]}):
                # the roster is looked up in a thread of its own: said again until it is known
                for _ in range(20):
                    s.sendall(frame(json.dumps(m).encode()))
                    time.sleep(0.1)
            time.sleep(2)
            before = memory()
            time.sleep(6)
            assert memory() < before + 4096  # KiB; a queue would grow by megabytes
        wait_until(lambda: eventful1.oscope("probe", "list", "-o", "json") == [], "no probes")


def test_where_it_listens(lonely):
    with open(f"/proc/{lonely.process.pid}/net/tcp") as f:
        listening = [line.split()[1] for line in f if line.split()[3] == "0A"]
    assert f"0100007F:{lonely.port:04X}" in listening
    assert not [a for a in listening if a.endswith(f":{lonely.port:04X}") and not a.startswith("0100007F")]


# -- the page ----------------------------------------------------------------------------------


def open_page(guest, tab, *args):
    """The server and a browser that shows that tab."""
    web = Web("-s", guest.session, *args)
    try:
        browser = Browser(web.url)
        browser.show(guest.session, tab)
        return web, browser
    except BaseException:
        web.close()
        raise


def test_the_page_says_what_the_commands_say(guest1):
    g = guest1
    web, b = open_page(g, "tasks")
    with web, b:
        assert b.status == 200
        b.until("kthreadd")

        def same_tasks(b):
            before = {r["pid"]: r for r in g.oscope("ps", "-o", "json")}
            page = {number(r["pid"]): r for r in b.rows("Processes")}
            after = {r["pid"]: r for r in g.oscope("ps", "-o", "json")}
            if not before.keys() & after.keys() <= page.keys() <= before.keys() | after.keys():
                return False
            return all(r["ppid"] == str(after[pid]["ppid"]) and r["prio"] == str(after[pid]["prio"]) and
                       (r["comm"] == after[pid]["comm"] or r["comm"].startswith("kworker"))
                       for pid, r in page.items() if pid in after)
        b.until(same_tasks, "the tasks of `ps`")
        b.press("t")
        b.until(lambda b: len([r for r in b.rows("Threads") if r["comm"].startswith("thread-")]) >= 50, "threads")
        b.press("/")
        for key in "comm=sleeper-7":
            b.press(key)
        b.until(lambda b: [r["comm"] for r in b.rows("Threads")] == ["sleeper-7"], "the filter")
        assert "threads=1" in b.tell(eval="location.hash") and "sleeper-7" in b.tell(eval="decodeURIComponent(location.hash)")
        b.press("Escape")

        b.show(g.session, "memory")
        b.until(lambda b: b.rows("Owners"), "owners")

        def same_owners(b):
            page = {r["owner"]: number(r["pages"]) for r in b.rows("Owners")}
            return page == {r["owner"]: r["pages"] for r in g.oscope("mem", "-o", "json")}
        b.until(same_owners, "the owners of `mem`")

        b.press("1")  # the first: the overview
        info = g.oscope("info", "-o", "json")[0]
        fact = "document.querySelector('[data-fact=%s]')?.innerText"
        b.until(lambda b: b.tell(eval=fact % "release") == info["release"], "the release")
        assert b.tell(eval=fact % "vcpus") == str(info["vcpus"])
        assert b.tell(eval=fact % "ram") == f"{info['ram'] / 2**20:.1f} MiB"
        assert b.tell(problems=True) == []


def test_nothing_is_on_unless_asked_for(eventful):
    """The zero rule: a page alone switches nothing on, and what it did is off when it is closed."""
    def probes():
        return eventful.oscope("probe", "list", "-o", "json")
    assert probes() == []
    web, b = open_page(eventful, "cpu")
    with web:
        with b:
            b.until("Made from events, and these sets are off: modes, traps, sched.")
            for key in "1234567890":
                b.press(key)
                time.sleep(0.3)
            assert probes() == []
            b.show(eventful.session, "cpu")
            b.until("these sets are off")
            b.press("e")
            wait_until(probes, "probes")

            def cpus(b):
                labels = b.tell(eval="[...document.querySelectorAll('canvas.stacked')].map(c => c.ariaLabel)")
                return len(labels) == eventful.smp and all("%" in text for text in labels)
            b.until(cpus, "a chart of each vCPU")
            for text in b.tell(eval="[...document.querySelectorAll('canvas.stacked')].map(c => c.ariaLabel)"):
                assert abs(sum(map(float, re.findall(r"([\d.]+) %", text))) - 100) < 0.5, text
            b.press("e")
            wait_until(lambda: probes() == [], "no probes")
            b.show(eventful.session, "syscalls")
            b.until("these sets are off: syscalls")
            b.press("e")
            b.until(lambda b: eventful.sh("ls /proc") and b.rows("System calls"), "system calls")
            assert probes()
            assert b.tell(problems=True) == []
        wait_until(lambda: probes() == [], "no probes")


def test_a_recording_is_what_report_says(eventful1, tmp_path):
    record(eventful1, tmp_path / "trace", ["syscalls", "sched"], work="ls /proc; ls /no-such-file")
    report = eventful1.oscope_run("report", "syscalls", "-t", tmp_path / "trace", "-o", "json")
    calls = {r["name"]: r for r in json.loads(report.stdout) if r["table"] == "calls"}
    assert calls
    with Web("-t", tmp_path / "trace") as web, Browser(web.url) as b:
        b.until("vCPUs")
        assert "Tasks" not in b.text(".tabs") and "Switch on" not in b.text()
        b.show(tmp_path / "trace", "syscalls")
        page = b.until(lambda b: b.rows("System calls"), "system calls")
        assert {r["name"]: (number(r["count"]), number(r["errors"])) for r in page} == \
            {name: (r["count"], r["errors"]) for name, r in calls.items()}
        # another moment is in the address, and there again after a reload
        b.tell(eval="location.hash += '?moment=1000000000'")
        b.until(lambda b: b.text(".seek").startswith("1.00 s"), "the moment")
        b.tell(reload=True)
        b.until(lambda b: b.text(".seek").startswith("1.00 s"), "the moment, again")
        assert b.tell(problems=True) == []


def test_the_server_goes(guest1):
    web, b = open_page(guest1, "tasks")
    with web, b:
        b.until("kthreadd")
        web.process.send_signal(signal.SIGTERM)
        assert web.process.wait(30) == 0
        b.until("The connection to oscope web is lost")
        assert b.rows("Processes")  # what was seen last


def test_why_a_set_is_not_to_be_had(plain):
    """A guest that `oscope run` did not start has no probes: the page says so, and shows the rest."""
    plain.attach()
    try:
        web, b = open_page(plain, "syscalls")
        with web, b:
            b.until("these sets are off")
            b.press("e")
            b.until(lambda b: "without oscope's probe engine" in b.text(".page"), "the reason")
            assert "no events are on" in b.text(".health") and "none lost" not in b.text(".health")
            assert not b.rows("System calls")
            b.show(plain.session, "memory")
            b.until(lambda b: b.rows("Owners"), "owners")
            plain.detach()
            b.until("There is no guest")
            assert b.tell(problems=True) == []
    finally:
        if plain.session:
            plain.detach()


def test_guests_side_by_side(guest1):
    with Guest(guest1.arch, smp=2) as plain:
        plain.attach()
        with Web("-s", guest1.session, "-s", plain.session) as web, Browser(web.url) as b:
            b.until(lambda b: plain.session in b.text("aside"), "both")
            b.show(guest1.session, "guests")
            both = {g.session: g for g in (guest1, plain)}

            def compared(b):
                return b.tell(eval="""Object.fromEntries([...document.querySelectorAll('.compare tbody tr[data-measure]')].map(tr =>
                    [tr.dataset.measure, Object.fromEntries([...tr.querySelectorAll('[data-guest]')].map(td =>
                    [td.dataset.guest, td.innerText.trim()]))]))""")

            def same(b):
                now = compared(b)
                return "threads" in now and "anonymous" in now and all(
                    now["threads"][name] == str(g.oscope("info", "-o", "json")[0]["threads"]) and
                    now["RAM"][name] == f"{g.oscope('info', '-o', 'json')[0]['ram'] / 2**20:.1f} MiB"
                    for name, g in both.items())
            b.until(same, "what `info` says of both")
            assert b.tell(eval="[...document.querySelectorAll('.column')].map(c => c.ariaLabel)") == \
                b.tell(eval="[...document.querySelectorAll('.compare th a')].map(a => a.innerText)")
            # sets are on for the guest whose button it was, and what can't be had is said
            b.press("e")
            b.until(lambda b: "not known" in b.text(f".column[aria-label='{guest1.session}']") or
                    "idle" in b.text(f".column[aria-label='{guest1.session}']"), "its modes")
            assert "these sets are off" in b.text(f".column[aria-label='{plain.session}']")
            # one less: it is in the address
            b.tell(eval="document.querySelectorAll('.choice input')[1].click()")
            b.until(lambda b: b.tell(eval="document.querySelectorAll('.column').length") == 1, "one column")
            assert "with=" in b.tell(eval="location.hash")
            assert b.tell(problems=True) == []
        wait_until(lambda: guest1.oscope("probe", "list", "-o", "json") == [], "no probes")
