# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Each tab of the page, with a guest that is busy: nothing sticks out, nothing is missing, and what the README shows.

    OSCOPE_PICTURES=docs/images pytest … test_web_pictures.py      keeps the pictures that the README has (`make pictures`)
"""

import os
import pathlib
import shutil
import struct
import time

import pytest

from harness import Browser, Guest, Web

pytestmark = pytest.mark.one_arch

README = {"timeline": "dark", "overview": "light", "memory": "dark", "interrupts": "light"}
SIZES = ((1280, 800), (2560, 1440))


@pytest.fixture(scope="module")
def busy(arch):
    with Guest(arch, smp=2, via="run", workload="mixed") as guest:
        yield guest


def png_size(path):
    head = path.read_bytes()[:24]
    assert head.startswith(b"\x89PNG\r\n")
    return struct.unpack(">II", head[16:24])


def test_every_tab(busy, tmp_path):
    keep = os.environ.get("OSCOPE_PICTURES")
    with Web("-s", busy.session) as web, Browser(web.url) as b:
        for address in b.until(Browser.tabs, "tabs"):
            name = address.split("?")[0].rsplit("/", 1)[1]
            b.tell(eval=f"location.hash = {address!r}")
            b.until(lambda b: b.tell(eval="!!document.querySelector('.page')"), name)
            time.sleep(0.2)
            b.switch_on()
            b.until(lambda b: not [w for w in ("Being fetched", "these sets are off") if w in b.text()], f"{name}: its views")
            time.sleep(6 if keep else 0.2)  # of the window that views of events cover
            for size in SIZES:
                b.tell(size=size)
                for scheme in ("light", "dark") if keep else ("dark",):
                    b.tell(scheme=scheme)
                    time.sleep(0.5 if keep else 0.1)
                    picture = tmp_path / f"web-{name}.png"
                    b.tell(shot=str(picture))
                    assert png_size(picture) == size
                    assert b.tell(eval="document.documentElement.scrollWidth <= innerWidth"), (name, size)
                    if keep and size == SIZES[0] and README.get(name) == scheme:
                        shutil.copy(picture, pathlib.Path(keep) / picture.name)
                    if keep and os.environ.get("OSCOPE_PICTURES_ALL"):
                        shutil.copy(picture, pathlib.Path(keep) / f"web-{name}-{size[0]}-{scheme}.png")
            b.tell(size=SIZES[0])
            assert b.tell(problems=True) == [], name
