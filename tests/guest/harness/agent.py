# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""The host's end of the guest agent, whose source (agent.c) says what goes over the wire."""

import socket
import time


class AgentError(Exception):
    """The guest does not answer, or answers something else."""


class Agent:
    """One command at a time on a virtio-serial port that QEMU shows as a unix socket."""

    def __init__(self, path):
        self.path = path
        self.sock = None
        self.next_id = 0

    def connect(self, deadline):
        """Waits until the guest answers a first command; deadline is a time.monotonic()."""
        while True:
            try:
                self.sock = socket.socket(socket.AF_UNIX)
                self.sock.connect(str(self.path))
                break
            except OSError as e:
                self.close()
                if time.monotonic() > deadline:
                    raise AgentError(f"no agent socket at {self.path}: {e}") from e
                time.sleep(0.05)
        # QEMU keeps what is written until the guest has opened the port.
        status, _ = self.run("true", deadline - time.monotonic())
        if status:
            raise AgentError(f"the guest's `true` ended with status {status}")

    def run(self, command, timeout):
        """(status, output as bytes) of a shell command in the guest."""
        if "\n" in command:
            raise ValueError("one line per command: use ';'")
        self.next_id += 1
        mark = b"@@%d " % self.next_id
        deadline = time.monotonic() + timeout
        self.sock.settimeout(max(timeout, 0.01))
        self.sock.sendall(b"%d %s\n" % (self.next_id, command.encode()))
        parts, tail = [], b""
        while True:
            self.sock.settimeout(max(deadline - time.monotonic(), 0.01))
            try:
                data = self.sock.recv(1 << 20)
            except TimeoutError:
                got = sum(map(len, parts))
                raise AgentError(f"no answer in {timeout:.0f} s ({got} bytes so far): {command}") from None
            if not data:
                raise AgentError(f"the guest is gone; it was asked: {command}")
            parts.append(data)
            tail = (tail + data)[-64:]
            if not tail.endswith(b"\n"):
                continue
            last = tail[:-1].rsplit(b"\n", 1)[-1]
            if last.startswith(mark):
                out = b"".join(parts)
                return int(last[len(mark):]), out[: len(out) - len(last) - 1]

    def close(self):
        if self.sock:
            self.sock.close()
            self.sock = None
