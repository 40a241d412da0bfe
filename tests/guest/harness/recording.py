# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Recordings that tests of views look at."""

import shutil
import subprocess
import time

from .guest import OSCOPE
from .waiting import try_again

SLACK = 1.5  # seconds: of a recording of three a page shows all, as it shows the last five


def record(guest, path, sets, seconds=3, work="ls /proc >/dev/null; echo out >/dev/console; ls /no-such-file"):
    """A recording while the guest does that, again and again; another one if the host was too busy for
    it, so that it lost events or took too long."""
    def recorded():
        shutil.rmtree(path, ignore_errors=True)
        begin = time.monotonic()
        with subprocess.Popen([OSCOPE, "record", "-s", guest.session, "--for", str(seconds), "-o", path, *sets],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as r:
            while r.poll() is None:
                guest.sh(work, check=False)
            said = r.stderr.read()
            assert r.wait() == 0, said
        return "nothing lost" in said and time.monotonic() - begin < seconds + SLACK
    try_again(recorded, bool)
    return path
