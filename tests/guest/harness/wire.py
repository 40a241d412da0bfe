# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""`oscope web` without a browser: requests and WebSocket frames, byte by byte."""

import base64
import json
import os
import re
import socket
import struct
import time


class Wire:
    """Requests as they are written, so that they may be wrong."""

    def __init__(self, web):
        self.web = web
        self.cookie = None

    def send(self, text, wait=30):
        """The answer's status and text; 0: it hung up without one."""
        with socket.create_connection(("127.0.0.1", self.web.port), timeout=30) as s:
            s.settimeout(wait)
            answer = b""
            try:
                s.sendall(text if isinstance(text, bytes) else text.encode())
                s.shutdown(socket.SHUT_WR)
                while chunk := s.recv(65536):
                    answer += chunk
            except OSError:  # in the middle of it
                pass
        m = re.match(rb"HTTP/1\.\d (\d+)", answer)
        return int(m[1]) if m else 0, answer.decode(errors="replace")

    def get(self, path="/", method="GET", **headers):
        lines = {"Host": self.web.host, "Connection": "close"}
        if self.cookie:
            lines["Cookie"] = self.cookie
        lines.update({k.replace("_", "-"): v for k, v in headers.items()})
        head = "".join(f"{k}: {v}\r\n" for k, v in lines.items() if v is not None)
        return self.send(f"{method} {path} HTTP/1.1\r\n{head}\r\n")

    def enter(self):
        status, text = self.get(f"/?token={self.web.token}")
        assert status == 200 and 'http-equiv=refresh content="0; url=/"' in text, text
        cookie = re.search(r"(?im)^set-cookie: (\S+); (.*?)\r?$", text)
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie[2].split("; "))
        self.cookie = cookie[1]

    def upgrade(self, **headers):
        return self.get("/ws", **{
            "Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13",
            "Sec_WebSocket_Protocol": "oscope", "Sec_WebSocket_Key": base64.b64encode(os.urandom(16)).decode(),
            "Origin": f"http://{self.web.host}", **headers})[0]

    def socket(self):
        """A WebSocket that is let in."""
        s = socket.create_connection(("127.0.0.1", self.web.port), timeout=30)
        key = base64.b64encode(os.urandom(16)).decode()
        s.sendall((f"GET /ws HTTP/1.1\r\nHost: {self.web.host}\r\nOrigin: http://{self.web.host}\r\n"
                   f"Cookie: {self.cookie}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                   f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: oscope\r\n"
                   f"Sec-WebSocket-Key: {key}\r\n\r\n").encode())
        answer = b""
        while b"\r\n\r\n" not in answer and (byte := s.recv(1)):
            answer += byte
        assert answer.startswith(b"HTTP/1.1 101"), answer
        return s


def frame(data, opcode=1, fin=True):
    """A client's WebSocket frame (RFC 6455, 5.2), masked with zeros."""
    n = len(data)
    size = bytes([0x80 | n]) if n < 126 else b"\xfe" + struct.pack(">H", n) if n < 65536 else \
        b"\xff" + struct.pack(">Q", n)
    return bytes([(0x80 if fin else 0) | opcode]) + size + bytes(4) + data


class Talk:
    """What a page says and hears: JSON messages as dicts, binary ones as bytes."""

    def __init__(self, wire):
        self.socket = wire.socket()

    def say(self, **message):
        self.socket.sendall(frame(json.dumps(message).encode()))

    def _bytes(self, n):
        data = bytearray()
        while len(data) < n:
            chunk = self.socket.recv(n - len(data))
            if not chunk:
                raise ConnectionError("it hung up")
            data += chunk
        return bytes(data)

    def hear(self):
        """The next message; pings are answered, or it hangs up after a while."""
        whole, first = b"", 0
        while True:
            head, size = self._bytes(2)
            n = size & 0x7f
            n = n if n < 126 else struct.unpack(">H", self._bytes(2))[0] if n == 126 else \
                struct.unpack(">Q", self._bytes(8))[0]
            data = self._bytes(n)
            if head & 0xf == 8:
                raise ConnectionError(data[2:].decode(errors="replace"))
            if head & 0xf == 9:
                self.socket.sendall(frame(data, opcode=10))
            if head & 0xf > 8:
                continue
            first = first or head & 0xf
            whole += data
            if head & 0x80:
                return json.loads(whole) if first == 1 else whole

    def until(self, holds, seconds=60):
        """The first message for which that holds."""
        self.socket.settimeout(seconds)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            message = self.hear()
            if holds(message):
                return message
        raise AssertionError("no such message came")

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
