# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Debian's Prometheus, and what it scraped; and a scrape without it."""

import http.client
import json
import re
import socket
import ssl
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request

from .waiting import wait_until

LINE = re.compile(r'(\w+)(?:\{((?:\w+="(?:[^"\\]|\\.)*",?)+)\})? (\S+)')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def scrape(web, token=None, cafile=None):
    """/metrics as {(name, ((label, value), …)): value}, labels in order; its form is checked."""
    url = urllib.parse.urlsplit(web.metrics)
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    more = {"context": ssl.create_default_context(cafile=cafile)} if url.scheme == "https" else {}
    c = kind(url.hostname, url.port, timeout=30, **more)
    c.request("GET", url.path, headers={"Authorization": f"Bearer {token or web.bearer}"})
    answer = c.getresponse()
    text = answer.read().decode()
    c.close()
    assert answer.status == 200, text
    assert answer.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    return parse(text)


def parse(text):
    lines, family, seen, samples = text.split("\n"), None, set(), {}
    assert lines[-2:] == ["# EOF", ""], lines[-3:]
    for line in lines[:-2]:
        if line.startswith("# TYPE "):
            family, kind = line.split()[2:]
            assert family not in seen, f"{family} twice"
            seen.add(family)
            suffix = {"counter": "_total", "info": "_info", "gauge": ""}[kind]
        if line.startswith("#"):
            assert line.split()[2] == family, line
            continue
        m = LINE.fullmatch(line)
        assert m and m[1] == family + suffix, line
        key = m[1], tuple(sorted(LABEL.findall(m[2] or "")))
        assert key not in samples, line
        samples[key] = float(m[3]) if "." in m[3] else int(m[3])
    return samples


def total(samples, name, /, **labels):
    """The sum of all series of that name that have these labels."""
    want = {(k, str(v)) for k, v in labels.items()}
    return sum(v for (n, have), v in samples.items() if n == name and want <= set(have))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Prometheus:
    """Scrapes `target` (host:port) each second; job: more lines of its scrape configuration, rules: a
    file of these."""

    def __init__(self, target, job, rules=None):
        self.folder = tempfile.TemporaryDirectory(prefix="oscope-prometheus-")
        self.config = f"{self.folder.name}/prometheus.yml"
        with open(self.config, "w") as f:
            f.write("global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
                    + (f"rule_files: ['{rules}']\n" if rules else "")
                    + f"scrape_configs:\n- job_name: oscope\n  static_configs: [{{targets: ['{target}']}}]\n"
                    + "".join(f"  {line}\n" for line in job))
        self.log = open(f"{self.folder.name}/log", "w+")
        self.url = f"http://127.0.0.1:{free_port()}"
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={self.config}", f"--storage.tsdb.path={self.folder.name}/data",
             f"--web.listen-address={self.url[len('http://'):]}"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        try:
            wait_until(self._ready, "Prometheus")
        except BaseException:
            self.close()
            raise

    def _ready(self):
        assert self.process.poll() is None, self.said()
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def ask(self, path, **query):
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}", timeout=30) as answer:
            reply = json.load(answer)
        assert reply["status"] == "success", reply
        return reply["data"]

    def query(self, expression):
        """An instant vector as a list of (labels, value)."""
        try:
            data = self.ask("query", query=expression)
        except urllib.error.HTTPError as e:
            raise AssertionError(f"{expression}: {e.read().decode()}") from None
        return [(r["metric"], float(r["value"][1])) for r in data["result"]]

    def value(self, expression):
        """Of an expression with one result. There is none for a while after a scrape that took too long."""
        results = wait_until(lambda: self.query(expression), expression)
        assert len(results) == 1, results
        return results[0][1]

    def is_up(self):
        target = self.target()
        return (target["health"], target["lastError"]) == ("up", "")

    def target(self):
        return wait_until(lambda: self.ask("targets")["activeTargets"], "a target")[0]

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(30)
        self.log.close()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
