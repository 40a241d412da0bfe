# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""/metrics of `oscope web`: who may scrape it, and that Prometheus gets what the guest counts itself."""

import json
import os
import re
import signal
import subprocess
import time

import pytest

from harness import ROOT, Guest, Prometheus, Web, Wire, scrape, total, wait_until
from test_record import reboot
from test_report import Report

pytestmark = pytest.mark.one_arch

WORK = "i=0; while [ $i -lt 100 ]; do /bin/busybox true; i=$((i+1)); done"
TOKEN = "a-token.of~the_tests+1/2="


# -- who may scrape ----------------------------------------------------------------------------


def test_who_may_scrape(tmp_path):
    with Web("-s", "no-such-session") as web:
        w = Wire(web)
        assert w.get("/metrics", Authorization="Bearer x")[0] == 404
        w.enter()
        assert w.get("/metrics")[0] == 404
    with Web("-s", "no-such-session", "--metrics", "all") as web:
        w = Wire(web)
        good = f"Bearer {web.bearer}"
        assert web.metrics == f"http://{web.host}/metrics"
        status, text = w.get("/metrics")
        assert status == 401 and re.search("(?im)^www-authenticate: Bearer\r?$", text)
        for wrong in ("", "Bearer", "Bearer ", f"Basic {web.bearer}", web.bearer, good[:-1], good + "0",
                      f"Bearer {web.token}", good.upper(), "Bearer " + "a" * 1900, "Bearer " + "a" * 5000):
            status, text = w.get("/metrics", Authorization=wrong)
            assert status in (0, 401, 403) and "# EOF" not in text, wrong
        assert w.get("/metrics", Authorization=good, Host="evil.example")[0] == 421
        assert w.get("/metrics", Authorization=good, Origin="http://evil.example")[0] == 403
        assert w.get("/metrics", "POST", Authorization=good)[0] != 200
        for path in ("/", "/app.js", "/metrics/", "/metrics/x", f"/?token={web.bearer}"):
            assert w.get(path, Authorization=good)[0] in (403, 404), path
        assert w.upgrade(Authorization=good) != 101
        status, text = w.get("/metrics", Authorization=good)
        assert status == 200 and text.endswith("\r\n\r\n# EOF\n")
        w.enter()  # the page's cookie is another thing
        assert w.get("/metrics")[0] == 401
        assert web.close() == 0

    token = tmp_path / "token"
    token.write_text(TOKEN + "\n")
    token.chmod(0o640)
    with Web("-s", "no-such-session", "--metrics", "none", "--metrics-token", token) as web:
        assert web.bearer is None
        assert Wire(web).get("/metrics", Authorization=f"Bearer {TOKEN}")[0] == 200
        with open(f"/proc/{web.process.pid}/cmdline") as f:
            assert TOKEN not in f.read()


def test_wrong_options(tmp_path):
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o644)
    for status, said, args in (
            (2, "--metrics", ["--metrics", "sched,nothing"]),
            (2, "--metrics", ["--metrics-token", token]),
            (2, "--metrics", ["--metrics-linger", "5"]),
            (2, "--metrics-linger", ["--metrics", "all", "--metrics-linger", "0"]),
            (1, "everybody can read it", ["--metrics", "all", "--metrics-token", token]),
            (1, "No such file", ["--metrics", "all", "--metrics-token", tmp_path / "none"]),
            (2, "both or none", ["--tls-cert", token]),
            (1, "No such file", ["--tls-cert", token, "--tls-key", tmp_path / "none"]),
            (1, "no certificate", ["--tls-cert", token, "--tls-key", token]),
            (2, "no name", ["--server-name", "a/b"]),
            (2, "--tls-cert", ["--listen", "192.0.2.1:80"])):
        r = Guest.oscope_run("web", *args)
        assert (r.returncode, r.stdout) == (status, "") and said in r.stderr, (args, r.stderr)
        assert TOKEN not in r.stderr


# -- what is counted ---------------------------------------------------------------------------


def probes(guest):
    return guest.oscope("probe", "list", "-o", "json")


def scrapes(web, guest, name, above=None, /, timeout=60, **labels):
    """Scrapes until the sum of that name's series is over a number (None: there is one)."""
    def holds():
        samples = scrape(web)
        if above is None:
            return samples if any(n == name for n, _ in samples) else None
        return samples if total(samples, name, guest=guest.session, **labels) > above else None
    return wait_until(holds, f"{name} over {above}", timeout=timeout, pause=0.3)


def fresh(web, guest):
    """A scrape of values that are all later than now."""
    now = total(scrape(web), "oscope_mode_seconds_total", guest=guest.session)
    return scrapes(web, guest, "oscope_mode_seconds_total", now + 3 * guest.smp)


def went_back(p):
    """Counters that did, whenever."""
    names = [n for n in p.ask("label/__name__/values") if n.startswith("oscope_") and n.endswith("_total")]
    assert len(names) > 3
    return [r for n in names for r in p.query(f"resets({n}[1h]) > 0")]


def job(web):
    return [f"authorization: {{credentials: '{web.bearer}'}}"]


def test_prometheus_has_what_the_guest_counts(eventful1):
    """In time what is off, on, and off again; in numbers /proc/stat, from both sides."""
    g = eventful1
    ctxt = "sed -n 's/^ctxt //p' /proc/stat"
    assert probes(g) == []
    with Web("-s", g.session, "--metrics", "all", "--metrics-linger", "10") as web:
        time.sleep(1)
        assert probes(g) == []
        with Prometheus(web.host, job(web)) as p:
            switches = f'sum(oscope_context_switches_total{{guest="{g.session}"}})'
            wait_until(lambda: p.value(switches), "context switches")
            wait_until(lambda: p.query("oscope_set_on == 1"), "sets")
            assert not p.query("oscope_set_on == 0")
            fresh(web, g)

            first = int(g.sh(ctxt))
            fresh(web, g)  # of other views than that of modes the next is no older than this
            before = fresh(web, g)
            inner = int(g.sh(ctxt))
            g.sh(WORK)
            grown = int(g.sh(ctxt)) - inner
            after = scrapes(web, g, "oscope_context_switches_total",
                            total(before, "oscope_context_switches_total") + grown - g.smp - 1)
            outer = int(g.sh(ctxt)) - first
            counted = total(after, "oscope_context_switches_total") - total(before, "oscope_context_switches_total")
            assert counted >= 100 and counted <= outer + g.smp
            assert total(after, "oscope_lost_events_total") == total(after, "oscope_lost_packets_total") == 0
            # what a scrape says is what Prometheus has, and time is all there
            wait_until(lambda: p.value(switches) >= total(after, "oscope_context_switches_total"), "the same")
            wait_until(lambda: {"kernel", "user", "idle", "unknown"} <= {m["mode"] for m, _ in p.query("oscope_mode_seconds_total")},
                       "modes")

            def all_time():
                shares = p.query("sum by (cpu) (rate(oscope_mode_seconds_total[10s]))")
                return len(shares) == g.smp and all(0.5 < s < 1.5 for _, s in shares)
            wait_until(all_time, "a second each second")
            assert went_back(p) == []
            wait_until(p.is_up, "the target")
            (info, _), = wait_until(lambda: p.query("oscope_guest_info"), "the guest")
            want = g.oscope("info", "-o", "json")[0]
            assert {k: info[k] for k in ("guest", "arch", "os", "release")} == \
                {"guest": g.session, **{k: want[k] for k in ("arch", "os", "release")}}
            assert p.value("oscope_guest_vcpus") == g.smp and p.value("oscope_guest_ram_bytes") == want["ram"]
            assert p.value("oscope_guest_up") == 1 and p.value("oscope_series_left_out") == 0
            assert p.value("oscope_guests_left_out") == 0
            assert 0 <= p.value("oscope_lag_seconds") < 60
            assert abs(p.value("oscope_watch_start_timestamp_seconds") - time.time()) < 600
            assert probes(g)
        wait_until(lambda: probes(g) == [], "no probes")
        samples = scrape(web)  # and they come again
        assert samples == {}
        scrapes(web, g, "oscope_context_switches_total", 0)
        assert probes(g)
    wait_until(lambda: probes(g) == [], "no probes")


def test_calls_faults_and_memory_are_what_commands_say(eventful1):
    g = eventful1
    with Web("-s", g.session, "--metrics", "all") as web:
        with Report(g, "syscalls") as report:
            scrapes(web, g, "oscope_context_switches_total", 0)
            fresh(web, g)
            before = fresh(web, g)
            g.sh("i=0; while [ $i -lt 50 ]; do mkdir /tmp/m$i; rmdir /tmp/m$i; mkdir /no/m$i 2>/dev/null;"
                 "i=$((i+1)); done; true")

            def made():
                now = scrape(web)
                return sum(total(s, "oscope_syscalls_total", name=n) * sign for n in ("mkdirat", "mkdir")
                           for s, sign in ((now, 1), (before, -1))) >= 100
            wait_until(made, "its calls")
            fresh(web, g)
            after = fresh(web, g)
        names = {r["name"]: r for r in report.rows if r["table"] == "calls"}

        def grown(metric, /, **labels):
            return total(after, metric, **labels) - total(before, metric, **labels)

        call = next(n for n in ("mkdirat", "mkdir") if n in names)
        assert grown("oscope_syscalls_total", name=call) == names[call]["count"] == 100
        assert grown("oscope_syscall_errors_total", name=call) == names[call]["errors"] == 50
        assert abs(grown("oscope_syscall_seconds_total", name=call) * 1e9 - names[call]["total"]) < 1000
        kinds = {dict(k)["kind"] for n, k in after if n == "oscope_page_faults_total"}
        assert {"minor", "cow"} <= kinds <= {"minor", "major", "cow", "segv", "bus", "oom"}
        assert grown("oscope_page_faults_total", kind="cow") >= 1
        calls = total(after, "oscope_traps_total", kind="syscall")
        if g.arch == "riscv64":  # elsewhere these are no traps
            assert calls >= total(after, "oscope_syscalls_total")
        assert grown("oscope_trap_seconds_total") > 0

        def same_owners():
            samples = scrape(web)
            have = {dict(k)["owner"]: v for (n, k), v in samples.items() if n == "oscope_memory_owner_bytes"}
            rows = {r["owner"]: r["bytes"] for r in g.oscope("mem", "-o", "json")}
            ram = rows.pop("total")
            return have == rows and total(samples, "oscope_guest_ram_bytes") >= ram
        wait_until(same_owners, "the owners of `mem`")
        assert total(scrape(web), "oscope_memory_looks_total") > 0


def test_disks_and_what_can_not_be_had(disked):
    """A guest without the probe engine still has what QEMU tells by itself; the rest is said to be off."""
    g = disked
    with Web("-s", g.session, "--metrics", "blk,sched") as web:
        g.sh("dd if=/dev/vda of=/dev/null bs=64k count=1 2>/dev/null")
        scrapes(web, g, "oscope_set_on", 0, set="blk")

        def read():
            g.sh("echo 3 > /proc/sys/vm/drop_caches; dd if=/dev/vda of=/dev/null bs=64k count=4 2>/dev/null")
            return total(scrape(web), "oscope_disk_bytes_total", access="read")
        wait_until(read, "bytes of the disk")
        sectors = "awk '{ print $3 * 512, $7 * 512 }' /sys/block/vda/stat"

        def both():
            g.quiet(2)
            s = scrape(web)
            return [total(s, "oscope_disk_bytes_total", access=a) for a in ("read", "write")], \
                [int(n) for n in g.sh(sectors).split()]

        def settled():
            last = both()
            return both() == last and last
        counted, real = wait_until(settled, "the same from both sides, twice")
        g.sh("echo 3 > /proc/sys/vm/drop_caches; dd if=/dev/vda of=/dev/null bs=64k count=16 2>/dev/null;"
             "dd if=/dev/zero of=/dev/vda bs=64k count=3 2>/dev/null; sync")

        def same():
            now, is_now = both()
            return is_now[0] > real[0] and is_now[1] > real[1] and \
                [b - a for a, b in zip(counted, now)] == [b - a for a, b in zip(real, is_now)]
        wait_until(same, "the bytes of /sys/block")
        sched = total(scrape(web), "oscope_set_on", set="sched")
        assert sched == (1 if g.via == "run" else 0)
        assert g.via != "run" or total(scrape(web), "oscope_context_switches_total") > 0
        names = {n for n, _ in scrape(web)}
        assert not names & {"oscope_syscalls_total", "oscope_traps_total", "oscope_mode_seconds_total"}
    wait_until(lambda: g.via != "run" or probes(g) == [], "no probes")


def test_none_needs_no_events(guest1):
    with Web("-s", guest1.session, "--metrics", "none") as web:
        samples = scrapes(web, guest1, "oscope_memory_owner_bytes")
        assert not [n for n, _ in samples if n in ("oscope_set_on", "oscope_context_switches_total")]
        assert probes(guest1) == []


def test_counters_go_on(arch):
    """Through a reboot, the broker's end, another one, and beyond the guest's end: never backwards."""
    if arch == "arm64":
        pytest.skip("see test_no_events")
    with Web("--metrics", "sched,modes,traps") as web, Prometheus(web.host, job(web)) as p:
        with Guest(arch, smp=2, via="run", extra=["-action", "reboot=reset"]) as g:
            switches = f'sum(oscope_context_switches_total{{guest="{g.session}"}})'
            wait_until(lambda: p.value(switches), "the first kernel's")
            reboot(g)
            before = p.value(switches)
            wait_until(lambda: g.sh(WORK) == "" and p.value(switches) >= before + 100, "the second kernel's")
            g.process.send_signal(signal.SIGKILL)  # `oscope run`, the broker
            g.process.wait(30)
            r = g.oscope_run("attach", "--name", g.session, g.pid)
            assert r.returncode == 0, r.stderr
            before = p.value(switches)
            wait_until(lambda: g.sh(WORK) == "" and p.value(switches) >= before + 100, "what another broker tells")
            last = total(scrape(web), "oscope_context_switches_total", guest=g.session)
            os.kill(g.pid, signal.SIGKILL)
            wait_until(lambda: p.value(f'oscope_guest_up{{guest="{g.session}"}}') == 0, "its end")
            assert total(scrape(web), "oscope_context_switches_total", guest=g.session) >= last
        assert went_back(p) == []
        wait_until(p.is_up, "the target")
        assert web.close() == 0


# -- what the documentation says ---------------------------------------------------------------


def expressions():
    """Of the dashboard and the alerts: (where, PromQL)."""
    board = json.loads((ROOT / "docs/grafana-oscope.json").read_text())
    for panel in board["panels"]:
        for t in panel.get("targets", []):
            yield panel["title"], t["expr"].replace("$guest", ".*").replace("$__rate_interval", "1m")
    for v in board["templating"]["list"]:
        if v["type"] == "query":
            yield v["name"], re.search(r"label_values\((.*), \w+\)", v["query"]["query"])[1]


def test_documented_metrics_are_there(disked):
    """Each metric that the dashboard, the rules and docs/FLEET.md name comes with a scrape, and there is
    none that FLEET.md does not name; and Prometheus understands every query and rule."""
    g = disked
    if g.via != "run":
        pytest.skip("has not all sets: test_disks_and_what_can_not_be_had")
    fleet = (ROOT / "docs/FLEET.md").read_text()
    rules = ROOT / "docs/prometheus-oscope.yml"
    named = {"text": set(re.findall(r"\boscope_\w+", fleet)),
             "rules": set(re.findall(r"\boscope_\w+", rules.read_text()))}
    named["board"] = {n for _, e in expressions() for n in re.findall(r"\boscope_\w+", e)}
    with Web("-s", g.session, "--metrics", "all") as web, Prometheus(web.host, job(web), rules) as p:
        scrapes(web, g, "oscope_context_switches_total", 0)

        def all_there():
            g.sh(f"echo 3 > /proc/sys/vm/drop_caches; dd if=/dev/vda of=/dev/null bs=64k count=1 2>/dev/null; {WORK}")
            return {"oscope_disk_bytes_total", "oscope_page_faults_total", "oscope_syscalls_total"} <= \
                {n for n, _ in scrape(web)}
        wait_until(all_there, "every metric")
        exported = {n for n, _ in scrape(web)}
        for where, names in named.items():
            own = {n for n in names if ":" not in n}
            assert own and own <= exported, f"{where}: {sorted(own - exported)}"
        assert exported <= named["text"], sorted(exported - named["text"])
        fresh(web, g)
        for where, expression in expressions():
            wait_until(lambda: p.query(expression) or g.sh("ls / >/dev/null"), f"{where}: {expression}", pause=0.5)
        groups = p.ask("rules")["groups"]
        assert groups and all(not r.get("lastError") for group in groups for r in group["rules"])
        fired = [r["name"] for group in groups for r in group["rules"] if r.get("state") == "firing"]
        assert fired == []
    subprocess.run(["promtool", "check", "rules", rules], check=True, capture_output=True)
