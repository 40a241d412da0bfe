# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""A small QMP client for what the tests do to a QEMU of their own: stop, cont, dump, quit."""

import json
import socket
import time


class QmpError(Exception):
    """QEMU refused a command or went away."""


class Qmp:
    def __init__(self, path, timeout=30):
        deadline = time.monotonic() + timeout
        while True:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(timeout)
            try:
                self.sock.connect(str(path))
                break
            except OSError as e:
                self.sock.close()
                if time.monotonic() > deadline:
                    raise QmpError(f"no QMP socket at {path}: {e}") from e
                time.sleep(0.05)
        self.lines = self.sock.makefile("rb")
        self._read()
        self("qmp_capabilities")

    def _read(self):
        line = self.lines.readline()
        if not line:
            raise QmpError("QEMU closed the QMP socket")
        return json.loads(line)

    def __call__(self, command, timeout=60, **arguments):
        self.sock.settimeout(timeout)
        self.sock.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        while True:
            answer = self._read()
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise QmpError(f"{command}: {answer['error']['desc']}")

    def hmp(self, line):
        """The text that the human monitor prints."""
        return self("human-monitor-command", **{"command-line": line})

    def close(self):
        self.lines.close()
        self.sock.close()
