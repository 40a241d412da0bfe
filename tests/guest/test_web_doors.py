# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""The doors of `oscope web`: TLS, the URL that a desktop opens, and crowds that stand in them."""

import http.client
import os
import pathlib
import pty
import re
import select
import socket
import ssl
import stat
import subprocess
import time

import pytest

from harness import OSCOPE, Browser, Prometheus, Web, Wire, scrape, wait_until

HALF = b"GET / HTTP/1.1\r\nHost: 127"


# -- TLS ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "key.pem",
                    "-out", folder / "cert.pem", "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    return folder


def tls(folder):
    return ["--tls-cert", folder / "cert.pem", "--tls-key", folder / "key.pem", "--server-name", "localhost"]


def ask(web, path, folder, **headers):
    c = http.client.HTTPSConnection("localhost", web.port, timeout=30,
                                    context=ssl.create_default_context(cafile=folder / "cert.pem"))
    c.request("GET", path, headers=headers)
    answer = c.getresponse()
    answer.read()
    c.close()
    return answer


def test_tls(certificate):
    with Web("-s", "no-such-session", "--metrics", "none", *tls(certificate)) as web:
        assert web.url.startswith(f"https://localhost:{web.port}/?token=")
        assert ask(web, "/", certificate).status == 403
        enter = ask(web, web.url[len(f"https://{web.host}"):], certificate)
        cookie = enter.headers["set-cookie"].split("; ")
        assert enter.status == 200 and {"Secure", "HttpOnly", "SameSite=Strict"} <= set(cookie)
        page = ask(web, "/", certificate, Cookie=cookie[0])
        assert page.status == 200 and "unsafe" not in page.headers["content-security-policy"]
        socket_ = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                   "Sec-WebSocket-Protocol": "oscope", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
                   "Cookie": cookie[0]}
        assert ask(web, "/ws", certificate, Origin=f"https://{web.host}", **socket_).status == 101
        with pytest.raises(http.client.RemoteDisconnected):
            assert ask(web, "/ws", certificate, Origin=f"http://{web.host}", **socket_).status != 101
        assert ask(web, "/", certificate, Cookie=cookie[0], Origin=f"http://{web.host}").status == 403
        assert ask(web, "/", certificate, Cookie=cookie[0], Host=f"evil.example:{web.port}").status == 421

        plain = Wire(web)  # what is not encrypted gets nothing
        assert plain.get()[0] == 0 and plain.get("/metrics")[0] == 0
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.load_verify_locations(certificate / "cert.pem")
        old.options |= ssl.OP_NO_TLSv1_2 | ssl.OP_NO_TLSv1_3
        old.set_ciphers("ALL:@SECLEVEL=0")  # the client would take it
        with socket.create_connection(("127.0.0.1", web.port), timeout=30) as s, pytest.raises((ssl.SSLError, OSError)):
            old.wrap_socket(s, server_hostname="localhost")

        assert scrape(web, cafile=certificate / "cert.pem") == {}
        with Prometheus(web.host, ["scheme: https", f"tls_config: {{ca_file: '{certificate}/cert.pem'}}",
                                   f"authorization: {{credentials: '{web.bearer}'}}"]) as p:
            wait_until(p.is_up, "the target")


def test_a_page_over_tls(guest1, certificate):
    with Web("-s", guest1.session, *tls(certificate)) as web, Browser(web.url) as b:
        assert b.status == 200
        b.show(guest1.session, "tasks")
        b.until("kthreadd")
        assert b.tell(eval="location.protocol") == "https:"
        assert b.tell(problems=True) == []


# -- the desktop -------------------------------------------------------------------------------


class Desktop:
    """`oscope web` at a terminal of a desktop, where xdg-open notes what it is told."""

    def __init__(self, folder, *args, **env):
        fake = folder / "bin"
        fake.mkdir(exist_ok=True)
        self.note = folder / "note"
        (fake / "xdg-open").write_text(
            "#!/bin/sh\n"
            f"{{ stat -c %a \"$1\"; printf '%s\\n' \"$@\"; cat \"$1\"; env; }} > {self.note}.new\n"
            f"mv {self.note}.new {self.note}\n")
        (fake / "xdg-open").chmod(0o755)
        runtime = folder / "run"
        runtime.mkdir(mode=0o700, exist_ok=True)
        clean = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
        self.terminal, side = pty.openpty()
        self.process = subprocess.Popen(
            [str(OSCOPE), "web", "-s", "no-such-session", *args], stdin=subprocess.DEVNULL, stdout=side, stderr=side,
            env={**clean, "PATH": f"{fake}:{os.environ['PATH']}", "XDG_RUNTIME_DIR": str(runtime), **env})
        os.close(side)
        self.base = runtime / "oscope"
        self.said = b""
        wait_until(self._url, "the URL")
        self.url = re.search(rb"http://\S+", self.said)[0].decode()
        self.token = self.url.partition("token=")[2]
        self.port = int(re.search(r":(\d+)/", self.url)[1])
        self.host = f"127.0.0.1:{self.port}"

    def _url(self):
        if select.select([self.terminal], [], [], 0)[0]:
            self.said += os.read(self.terminal, 65536)
        return b"\n" in self.said

    def files(self):
        return [f for f in self.base.iterdir() if f.name.startswith(".web-")] if self.base.exists() else []

    def close(self):
        self.process.terminate()
        status = self.process.wait(30)
        os.close(self.terminal)
        return status


def test_a_desktop_opens_it(tmp_path):
    d = Desktop(tmp_path, DISPLAY=":0")
    wait_until(d.note.exists, "xdg-open")
    mode, path, *page = d.note.read_text().splitlines()
    assert mode == "600" and pathlib.Path(path) in d.files()
    assert stat.S_IMODE(d.base.stat().st_mode) == 0o700
    assert d.token not in path and d.token not in pathlib.Path(f"/proc/{d.process.pid}/cmdline").read_text()
    text = "\n".join(page)
    assert text.count(f'url={d.url}"') == 1 and "no-referrer" in text
    assert d.token not in text.partition("</a>")[2]  # nor in the environment
    assert Wire(d).get("/")[0] == 403 and d.files()
    Wire(d).enter()
    assert d.files() == []  # it is of no use any more
    children = pathlib.Path(f"/proc/{d.process.pid}/task/{d.process.pid}/children").read_text()
    assert children == ""
    assert d.close() == 0

    d.note.unlink()
    d = Desktop(tmp_path, WAYLAND_DISPLAY="wayland-0")
    wait_until(d.note.exists, "xdg-open")
    assert d.files()
    assert d.close() == 0 and d.files() == []  # it goes with the server


def test_a_browser_gets_in_from_there(tmp_path):
    """Not from the address bar: cookies that are SameSite=Strict are for what the site itself leads to."""
    d = Desktop(tmp_path, DISPLAY=":0")
    wait_until(d.note.exists, "xdg-open")
    with Browser(d.files()[0].as_uri()) as b:
        assert b.status == 200
        b.until("There is no guest")
        assert b.tell(eval="location.href") == f"http://{d.host}/"
        assert b.tell(eval="history.length") <= 2  # an empty tab, and this: none to go back to that leads on
        assert b.tell(problems=True) == []
    assert d.close() == 0


def test_other_sites():
    with Web("-s", "no-such-session", "--metrics", "none") as web:
        wire = Wire(web)
        wire.enter()
        for site in ("same-site", "cross-site"):  # another port of this host's is the same site
            paths = {p: wire.get(p, Sec_Fetch_Site=site)[0] for p in ("/", "/app.js", "/export?guest=x&to=csv", "/metrics")}
            assert paths == {"/": 200, "/app.js": 403, "/export?guest=x&to=csv": 403, "/metrics": 403}
            assert wire.upgrade(Sec_Fetch_Site=site) != 101
        assert wire.get("/app.js", Sec_Fetch_Site="same-origin")[0] == 200
        assert wire.upgrade(Sec_Fetch_Site="same-origin") == 101


def test_where_nothing_is_opened(tmp_path):
    for args, env in ((["--no-open"], {"DISPLAY": ":0"}), ([], {}), ([], {"DISPLAY": ""})):
        d = Desktop(tmp_path, *args, **env)
        assert d.files() == [] and not d.note.exists(), (args, env)
        assert d.close() == 0
    env = {**os.environ, "DISPLAY": ":0", "XDG_RUNTIME_DIR": str(tmp_path / "run"),
           "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    with subprocess.Popen([OSCOPE, "web", "-s", "no-such-session"], stdout=subprocess.PIPE, env=env, text=True) as p:
        assert p.stdout.readline().startswith("http://")  # no terminal
        assert d.files() == [] and not d.note.exists()
        p.terminate()


# -- crowds ------------------------------------------------------------------------------------


def held(web):
    """Its descriptors, and its memory, KiB."""
    with open(f"/proc/{web.process.pid}/status") as f:
        return len(os.listdir(f"/proc/{web.process.pid}/fd")), int(re.search(r"RssAnon:\s+(\d+)", f.read())[1])


def crowd(web, n, says):
    sockets = []
    for _ in range(n):
        s = socket.create_connection(("127.0.0.1", web.port), timeout=30)
        sockets.append(s)
        try:
            s.sendall(says)
        except OSError:  # hung up on
            pass
    return sockets


@pytest.mark.parametrize("says", [b"", HALF, b"G", b"\x16\x03\x01"])
def test_a_thousand_that_say_nothing(says):
    """A page comes in past all of them, at once; they take a bounded amount of memory and descriptors."""
    with Web("-s", "no-such-session") as web:
        w = Wire(web)
        w.enter()
        before = held(web)
        with w.socket() as page:
            sockets = crowd(web, 1000, says)
            try:
                assert w.get()[0] == 200
                assert w.upgrade() == 101
                assert w.get("/app.js")[0] == 200
                now = held(web)
                assert now[0] < before[0] + 100 and now[1] < before[1] + 4096, (before, now)
                page.settimeout(0.2)
                with pytest.raises(TimeoutError):  # who was let in stays
                    while page.recv(65536):
                        pass
            finally:
                for s in sockets:
                    s.close()
        wait_until(lambda: held(web)[0] <= before[0] + 2, "they are gone")
        assert web.close() == 0


def test_a_thousand_at_the_door_of_tls(certificate):
    with Web("-s", "no-such-session", *tls(certificate)) as web:
        before = held(web)
        for says in (b"", b"\x16\x03\x01\x02\x00"):
            sockets = crowd(web, 1000, says)
            try:
                assert ask(web, "/", certificate).status == 403
                now = held(web)
                assert now[0] < before[0] + 100 and now[1] < before[1] + 16384, (before, now)
            finally:
                for s in sockets:
                    s.close()
        assert web.close() == 0


def test_crowds_do_not_stay():
    """Without anybody else coming, too."""
    with Web("-s", "no-such-session") as web:
        before = held(web)[0]
        sockets = crowd(web, 40, HALF) + crowd(web, 20, b"")
        wait_until(lambda: held(web)[0] >= before + 40, "the crowd", timeout=10)
        wait_until(lambda: held(web)[0] <= before, "nobody", timeout=90)
        for s in sockets:
            s.close()


def test_scrapes_that_are_not_read(guest1):
    """A scraper that asks and does not read keeps nobody waiting."""
    with Web("-s", guest1.session, "--metrics", "none") as web:
        wait_until(lambda: scrape(web), "samples")
        request = (f"GET /metrics HTTP/1.1\r\nHost: {web.host}\r\nAuthorization: Bearer {web.bearer}\r\n\r\n").encode()
        sockets = crowd(web, 50, request)
        try:
            began = time.monotonic()
            while time.monotonic() < began + 2:
                assert scrape(web)
            assert held(web)[0] < 200
        finally:
            for s in sockets:
                s.close()
