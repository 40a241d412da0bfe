# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""The page of `oscope web` for who uses no pointer, or a screen reader: axe-core's rules hold on every tab."""

import subprocess

import pytest

from harness import OSCOPE, Browser, Web

pytestmark = pytest.mark.one_arch


def check_all(b):
    b.until(Browser.tabs, "tabs")
    found = []
    for scheme in ("light", "dark"):
        b.tell(scheme=scheme)
        for address in b.tabs():
            b.tell(eval=f"location.hash = {address!r}")
            b.until(lambda b: b.tell(eval=f"document.querySelector('.tabs a[aria-current=page]')?.getAttribute('href')"
                                     ) == address and b.tell(eval="!document.body.innerText.includes('Being fetched')"),
                    address)
            found += [f"{address} {scheme}: {v}" for v in b.tell(axe="")]
    return found


def test_a_running_guest(eventful1):
    with Web("-s", eventful1.session) as web, Browser(web.url) as b:
        b.show(eventful1.session, "overview")
        assert check_all(b) == []  # sets are off: each view says so
        b.show(eventful1.session, "overview")
        b.press("e")
        b.until(lambda b: b.rows("Busiest tasks"), "events")
        assert check_all(b) == []
        b.press("?")
        assert b.tell(axe="dialog") == []
        b.tell(eval="document.querySelector('dialog').insertAdjacentHTML('beforeend', '<button></button>')")
        assert [v for v in b.tell(axe="dialog") if v.startswith("button-name")]  # it does look
        assert b.tell(problems=True) == []


def test_a_recording(eventful1, tmp_path):
    subprocess.run([OSCOPE, "record", "-s", eventful1.session, "--for", "1", "-o", tmp_path / "trace", "all"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with Web("-t", tmp_path / "trace") as web, Browser(web.url) as b:
        assert check_all(b) == []


@pytest.mark.parametrize("size", [(1280, 800), (2560, 1440), (700, 900)])
def test_nothing_is_wider_than_the_screen(guest1, size):
    with Web("-s", guest1.session) as web, Browser(web.url) as b:
        b.tell(size=size)
        b.until(Browser.tabs, "tabs")
        for address in b.tabs():
            b.tell(eval=f"location.hash = {address!r}")
            b.until(lambda b: b.tell(eval="!!document.querySelector('.page')"), address)
            assert b.tell(eval="document.documentElement.scrollWidth <= innerWidth"), address


def test_by_keyboard_alone(guest1):
    """Tab reaches every link and button, and what has the focus is marked."""
    with Web("-s", guest1.session) as web, Browser(web.url) as b:
        b.show(guest1.session, "tasks")
        b.until("kthreadd")
        left = "[...document.querySelectorAll('a[href], button, input')].filter(e => !e.reached).map(e => e.outerHTML)"
        for _ in range(3 * len(b.tell(eval=left))):  # tasks come and go meanwhile
            b.press("Tab")
            bare = b.tell(eval="""(() => { const e = document.activeElement;
                if (!e || e === document.body) return null;
                e.reached = true;
                return getComputedStyle(e).outlineStyle === 'none' ? e.outerHTML : null; })()""")
            assert bare is None
            if not b.tell(eval=left):
                break
        assert b.tell(eval=left) == []
