# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""`oscope web`, and a browser that looks at its page."""

import json
import pathlib
import re
import selectors
import subprocess
import urllib.parse

from .guest import OSCOPE
from .waiting import wait_until

DRIVER = pathlib.Path(__file__).resolve().parent.parent / "web.mjs"


class Web:
    """`oscope web ARGS`: .url with the token, .host, .port; with --metrics also .metrics, its URL, and
    .bearer, the token that was printed for it (None: it is in a file)."""

    def __init__(self, *args):
        self.process = subprocess.Popen([str(OSCOPE), "web", *map(str, args)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.url = self.process.stdout.readline().strip()
        if "--metrics" in args:
            self.metrics, _, shown = self.process.stdout.readline().strip().partition(" ")
            self.bearer = shown[len("(Authorization: Bearer "):-1] or None
        if not self.url.startswith(("http://", "https://")):
            self.process.kill()
            raise AssertionError(f"oscope web: {self.url}{self.process.communicate()[0]}")
        parts = urllib.parse.urlsplit(self.url)
        self.host, self.port = parts.netloc, parts.port
        self.token = urllib.parse.parse_qs(parts.query)["token"][0]

    def close(self):
        self.process.terminate()
        return self.process.wait(30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(30)


class Browser:
    """A browser with one page; each answer has a time limit."""

    def __init__(self, url, between=False):
        """between: the driver stands between the page and the server, for `repeat`."""
        self.process = subprocess.Popen(["node", DRIVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.url = url.split("?")[0]
        try:
            if between:
                self.tell(between=True)
            self.status = self.tell(open=url)
        except BaseException:
            self.close()
            raise

    def tell(self, **deed):
        self.process.stdin.write(json.dumps(deed) + "\n")
        self.process.stdin.flush()
        with selectors.DefaultSelector() as s:
            s.register(self.process.stdout, selectors.EVENT_READ)
            if not s.select(180 if "repeat" in deed else 60):
                raise AssertionError(f"the browser did not answer: {deed}")
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": "the browser has ended"}
        if "error" in answer:
            raise AssertionError(f"{deed}: {answer['error']}")
        return answer["value"]

    def show(self, guest, tab):
        self.tell(eval=f"location.hash = '#' + encodeURIComponent({json.dumps(str(guest))}) + '/{tab}'")

    def tabs(self):
        """The address of each tab."""
        return self.tell(eval="[...document.querySelectorAll('.tabs a')].map(a => a.getAttribute('href'))")

    def switch_on(self):
        """All sets that the tab offers."""
        self.tell(eval="document.querySelectorAll('main .act').forEach(a => /^Switch on/.test(a.innerText) && a.click())")

    def press(self, key):
        self.tell(press=key)

    def text(self, selector="main"):
        return self.tell(eval=f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def rows(self, label):
        """The table of that name as a list of dicts, all as text."""
        return self.tell(eval="""[...document.querySelectorAll('table[aria-label="%s"] tbody tr')].map(tr =>
            Object.fromEntries([...tr.children].map(td => [td.dataset.column, td.innerText])))""" % label)

    def until(self, condition, what="the page"):
        """Until a text stands on the page, or a function of this says so."""
        def holds():
            return condition in self.text() if isinstance(condition, str) else condition(self)
        try:
            return wait_until(holds, condition if isinstance(condition, str) else what)
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.text('body')}") from None

    def close(self):
        if self.process.poll() is None:
            try:
                self.process.stdin.write('{"close":true}\n')
                self.process.stdin.close()
                self.process.wait(20)
            except (OSError, subprocess.TimeoutExpired):
                self.process.kill()
                self.process.wait(20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def number(text):
    """A whole number as the page writes it."""
    assert re.fullmatch(r"-?\d+", text), text
    return int(text)
