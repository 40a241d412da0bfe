# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""A command on a terminal: keys go in, the screen that a user would see comes out."""

import ctypes
import itertools
import os
import platform
import re
import shlex
import shutil
import subprocess
import tempfile

from .guest import OSCOPE
from .waiting import wait_until

_numbers = itertools.count(1)
DONE = "the command ended with"


class Screen:
    """`oscope ARGS` in a tmux of its own, in an empty directory (.dir)."""

    def __init__(self, *args, width=80, height=24, locale="C.UTF-8", term="tmux-256color", env=None):
        self.name = f"oscope-test-{os.getpid()}-{next(_numbers)}"
        self.dir = tempfile.mkdtemp(prefix="oscope-screen-")
        self.args = args
        settings = {"LC_ALL": locale, "TERM": term, "OSCOPE_SESSION": "", **(env or {})}
        words = [f"{k}={v}" if v else f"-u{k}" for k, v in settings.items()]
        words.sort(key=lambda w: not w.startswith("-u"))
        command = shlex.join(["env", *words, str(OSCOPE), *map(str, args)])
        modes = "stty -a | tr ' ' '\\n' | grep -cx -e -icanon -e -echo"
        shell = f"{command}; s=$?; m=$({modes}); stty -echo; echo; echo {DONE} $s $m modes; exec sleep 600"
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", width, "-y", height, "-s", "t",
                   "-c", self.dir, shell)

    def _tmux(self, *args):
        return subprocess.run(["tmux", "-L", self.name, *map(str, args)], check=True,
                              capture_output=True, text=True, timeout=60).stdout

    def text(self, colors=False):
        return self._tmux("capture-pane", "-p", *(["-e"] if colors else []), "-t", "t")

    def lines(self):
        return self.text().split("\n")

    def keys(self, *keys):
        """As tmux names them ("Enter", "Up", "C-l"), or characters."""
        for key in keys:
            self._tmux("send-keys", "-t", "t", key)

    def type(self, text):
        self._tmux("send-keys", "-t", "t", "-l", text)

    def resize(self, width, height):
        self._tmux("resize-window", "-t", "t", "-x", width, "-y", height)

    def until(self, condition, what="the screen"):
        """Until a text stands on the screen, or a function of the text says so; the text."""
        def holds():
            text = self.text()
            return text if (condition in text if isinstance(condition, str) else condition(text)) else None
        try:
            return wait_until(holds, condition if isinstance(condition, str) else what)
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.text()}") from None

    def pid(self):
        """Of the command."""
        shell = self._tmux("list-panes", "-t", "t", "-F", "#{pane_pid}").strip()
        below = subprocess.run(["pgrep", "-P", shell], capture_output=True, text=True).stdout.split()
        return int(below[0])

    def signal(self, number):
        os.kill(self.pid(), number)

    def signal_threads(self, number):
        """To one of its threads that does not draw."""
        pid = self.pid()
        thread = max(int(t) for t in os.listdir(f"/proc/{pid}/task"))
        assert thread != pid
        tgkill = {"x86_64": 234, "aarch64": 131, "riscv64": 131}[platform.machine()]
        assert ctypes.CDLL(None).syscall(tgkill, pid, thread, int(number)) == 0

    def ended(self):
        """Waits for the end: its status, and how many terminal modes it left changed."""
        ends = re.compile(DONE + r" (\d+) (\d+) modes")
        m = ends.search(self.until(ends.search, "the end"))
        return int(m[1]), int(m[2])

    def close(self):
        subprocess.run(["tmux", "-L", self.name, "kill-server"], capture_output=True)
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

