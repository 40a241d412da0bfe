#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Runs every test and counts them: the last line is `N passed, N failed`.

    scripts/test.py [--only STEP,STEP…] [--skip STEP…] [--quiet] [--list] [-- PYTEST ARGS]

A step is a row of STEPS: a function that does its part and returns (passed, failed). Each step's
output goes to build-logs/STEP.log, and its end to the screen when the step fails; which tests failed,
and which passed at the second try only (see guest()), is said once more above the last line. Every
step and every program in it has a time limit.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOGS = ROOT / "build-logs"
FUZZ_SECONDS = int(os.environ.get("FUZZ_SECONDS", "6"))
SECOND_TRY = 0.01  # the share of a guest's tests that may fail and be tried again
JOBS = os.environ.get("JOBS", str(os.cpu_count() or 2))
BUILDING, CLANG = threading.Lock(), threading.Lock()


class Step:
    """What a step writes to and runs programs with."""

    def __init__(self, name):
        self.log = open(LOGS / f"{name}.log", "wb")
        self.notes = []
        self.failed = []  # what failed and why, in words
        self.second = []  # what passed at the second try, and why it failed before
        self.nice = [] if name.startswith("guest-") else ["nice", "-n", "10"]

    def run(self, *argv, timeout=1500, env=None):
        """True when the program ends with status 0 in time; its output goes to the log."""
        argv = [str(a) for a in argv]
        self.log.write(("$ " + " ".join(argv) + "\n").encode())
        self.log.flush()
        process = subprocess.Popen([*self.nice, *argv], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=self.log,
                                   stderr=subprocess.STDOUT, start_new_session=True,
                                   env={**os.environ, **(env or {})})
        try:
            return process.wait(timeout) == 0
        except subprocess.TimeoutExpired:
            self.log.write(f"\n*** not done after {timeout} s\n".encode())
            return False
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()

    def check(self, *argv, **kw):
        """One program that counts as one test."""
        return (1, 0) if self.run(*argv, **kw) else (0, 1)


def c_files(*folders):
    return sorted(p for f in folders for p in (ROOT / f).rglob("*.[ch]"))


def meson(step, folder, *options, cc="gcc"):
    """Configures once and builds."""
    if not (ROOT / folder / "build.ninja").exists():
        shutil.rmtree(ROOT / folder, ignore_errors=True)
        if not step.run("meson", "setup", folder, *options, env={"CC": cc}):
            return False
    return step.run("ninja", "-j", JOBS, "-C", folder)


def gcc(step):
    """With what checks the page, too, before others build it."""
    with BUILDING:
        return (step.run("scripts/web-deps.sh", "check")
                and meson(step, "build-gcc", "-Dwerror=true", "-Dweb=enabled"))


def build(step):
    return (1, 0) if gcc(step) else (0, 1)


def clang(step):
    """Everything, with the sanitizers and as the fuzzers need it: `unit` and `fuzz` run that, too."""
    with CLANG:
        return (1, 0) if meson(step, "build-fuzz", "-Dfuzz=true", "-Dbuildtype=debugoptimized",
                               "-Dwerror=true", "-Db_sanitize=address,undefined", "-Db_lundef=false",
                               cc="clang") else (0, 1)


def format_(step):
    files = c_files("include", "src", "tests", "bench", "guests")
    return step.check("clang-format", "--dry-run", "-Werror", *files)


def cppcheck(step):
    # returnDanglingLifetime: an error value is taken for a pointer to what the callee was given.
    return step.check("cppcheck", "-q", "-j", JOBS, "--enable=warning,performance,portability",
                      "--std=c11", "--error-exitcode=1", "--inline-suppr", "-D__linux__",
                      "--suppress=missingIncludeSystem", "--suppress=unusedFunction",
                      "--suppress=returnDanglingLifetime", "-Iinclude",
                      "-Isrc", "src")


def docs(step):
    """Each PASS and FAIL line of the documents' check is a test; licences and links are one more."""
    ok = step.run("sh", "tests/docs/check.sh", "build-gcc")
    lines = (LOGS / "docs.log").read_text(errors="replace").splitlines()
    passed = sum(line.startswith("PASS ") for line in lines)
    failed = sum(line.startswith("FAIL ") for line in lines)
    good, bad = step.check("/usr/bin/python3", "scripts/check-docs.py")
    return passed + good, bad + (failed if ok or failed else 1)


def page(step):
    """The types of the page that `oscope web` serves, and its unit tests."""
    good, bad = step.check("sh", "-c", "scripts/web-deps.sh check && node web/node_modules/typescript/bin/tsc -p web")
    ok = step.run("node", "web/test/run.mjs")
    log = (LOGS / "page.log").read_text(errors="replace")
    passed, failed = (sum(map(int, re.findall(rf"^# {what} (\d+)", log, re.M))) for what in ("pass", "fail"))
    return good + passed, bad + max(failed, 0 if ok and passed else 1)


def unit(step):
    """Every cmocka test under clang's ASan and UBSan; a program that dies counts as one that failed."""
    if not clang(step)[0]:
        return 0, 1
    env = {"CMOCKA_MESSAGE_OUTPUT": "TAP", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}
    log = ROOT / "build-fuzz/meson-logs/testlog.txt"
    log.unlink(missing_ok=True)
    ok = step.run("meson", "test", "-C", "build-fuzz", "--print-errorlogs", "--no-rebuild",
                  "-t", "4", env=env)
    text = log.read_text(errors="replace") if log.exists() else ""
    passed = len(re.findall(r"^ok \d", text, re.M))
    step.failed = re.findall(r"^not ok (\d.*)", text, re.M)
    return passed, max(len(step.failed), 0 if ok and passed else 1)


def indented(text):
    """The end of a test's failure, where the assertion and what was captured stand."""
    return "\n".join("    " + line[:200] for line in text.strip().splitlines()[-25:])


def pytest(step, arch, binaries, folder, report, *args):
    """Runs a guest's tests: {name: None or why it failed}, how many were skipped; None when it died."""
    ok = step.run("/usr/bin/python3", "-m", "pytest", "-o", f"cache_dir={folder}/cache", "-q", "-rs",
                  f"--arch={arch}", f"--junitxml={report}", *args, "tests/guest",
                  env={"OSCOPE_BUILD": binaries, "PYTHONDONTWRITEBYTECODE": "1",
                       "XDG_RUNTIME_DIR": folder})  # no other step's sessions
    if not report.exists():
        return None
    cases, skipped = {}, 0
    for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
        if case.find("skipped") is not None:
            skipped += 1
            continue
        name = f"{case.get('classname')}::{case.get('name')}"
        bad = next((e for e in case if e.tag in ("failure", "error")), None)
        cases[name] = cases.get(name) if bad is None else indented(bad.text or bad.get("message") or bad.tag)
    return (cases, skipped) if ok or any(cases.values()) else None


def guest(step, arch, args):
    """pytest's tests of one guest; skipped ones are told, not counted. A guest lives on, and its host
    may be busy: where a few tests failed, they alone are tried once more with a new guest. One that
    passes then counts, but what it said first is told: it is an error, of the test's or of ours."""
    binaries = os.environ.get("OSCOPE_BUILD") or gcc(step) and str(ROOT / "build-gcc")
    if not binaries or not step.run("guests/fetch.sh", arch):
        return 0, 1
    reports = [LOGS / f"guest-{arch}{n}.xml" for n in ("", "-second")]
    for report in reports:
        report.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="oscope-run-") as folder:
        first = pytest(step, arch, binaries, folder, reports[0], *args)
        if not first:
            return 0, 1
        cases, skipped = first
        failed = {name: why for name, why in cases.items() if why}
        if 0 < len(failed) <= len(cases) * SECOND_TRY:
            again, _ = pytest(step, arch, binaries, folder, reports[1], "--last-failed", *args) or ({}, 0)
            passed = {name for name in failed if name in again and not again[name]}
            step.second = [f"{name}\n{failed.pop(name)}" for name in sorted(passed)]
    if skipped:
        step.notes.append(f"{skipped} skipped")
    if step.second:
        step.notes.append(f"{len(step.second)} at the second try")
    step.failed = [f"{name}\n{why}" for name, why in failed.items()]
    return len(cases) - len(failed), len(failed)


def fuzz(step):
    """Each harness for a bounded time on its kept corpus."""
    if not clang(step)[0]:
        return 0, 1
    passed = failed = 0
    for harness in sorted((ROOT / "build-fuzz/tests/fuzz").glob("fuzz_*")):
        if not os.access(harness, os.X_OK) or harness.is_dir():
            continue
        name = harness.name.removeprefix("fuzz_")
        kept = ROOT / "tests/fuzz/corpus" / name
        with tempfile.TemporaryDirectory(prefix="oscope-fuzz-") as new:
            ok = step.run(harness, f"-max_total_time={FUZZ_SECONDS}", "-timeout=10",
                          "-rss_limit_mb=2048", "-print_final_stats=1",
                          f"-artifact_prefix={LOGS}/{name}-", new, *([kept] if kept.is_dir() else []),
                          timeout=FUZZ_SECONDS * 3 + 120)
        passed, failed = passed + ok, failed + (not ok)
        if not ok:
            step.failed.append(harness.name)
    return (passed, failed) if passed + failed else (0, 1)


# In the order in which two workers take them, the first of them alone: what takes longest comes
# early, and two architectures' guests meet for a while only.
STEPS = {
    "build": build,
    "guest-riscv64": lambda step, args: guest(step, "riscv64", args),
    "clang": clang,
    "unit": unit,
    "guest-arm64": lambda step, args: guest(step, "arm64", args),
    "guest-amd64": lambda step, args: guest(step, "amd64", args),
    "fuzz": fuzz,
    "cppcheck": cppcheck,
    "page": page,
    "format": format_,
    "docs": docs,
}


def run_step(name, args):
    """Runs a step and says how it ended, at once: lines of two steps never mix."""
    start = time.monotonic()
    step = Step(name)
    good, bad = STEPS[name](step, args.pytest) if name.startswith("guest-") else STEPS[name](step)
    step.log.close()
    told = [f"PASSED AT THE SECOND TRY {name}: {what}" for what in step.second]
    told += [f"FAILED {name}: {what}" for what in step.failed or ([f"see {name}.log"] if bad else [])]
    lines = []
    if bad:
        lines += (LOGS / f"{name}.log").read_text(errors="replace").splitlines()[-60:]
    if bad or not args.quiet:
        notes = "".join(f", {n}" for n in step.notes)
        lines.append(f"{'FAIL' if bad else 'ok  '} {name}: {good} passed, {bad} failed{notes}"
                     f" ({time.monotonic() - start:.0f} s)")
    sys.stdout.write("".join(line + "\n" for line in lines))
    sys.stdout.flush()
    return good, bad, told


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="comma-separated steps; `guest` means all guests")
    parser.add_argument("--skip", default="")
    parser.add_argument("--quiet", action="store_true", help="say nothing unless a step fails")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("pytest", nargs="*", help="arguments for pytest, after --")
    args = parser.parse_args()
    if args.list:
        print("\n".join(STEPS))
        return 0
    only, skip = (set(filter(None, v.split(","))) for v in (args.only, args.skip))
    unknown = (only | skip) - set(STEPS) - {"guest"}
    if unknown:
        parser.error(f"no such step: {', '.join(sorted(unknown))} (see --list)")

    LOGS.mkdir(exist_ok=True)
    chosen = [n for n in STEPS if (not only or {n, n.split("-")[0]} & only)
              and not {n, n.split("-")[0]} & skip]
    results = [run_step(n, args) for n in chosen[:1]]
    with concurrent.futures.ThreadPoolExecutor(2) as workers:
        results += workers.map(lambda n: run_step(n, args), chosen[1:])
    passed, failed = (sum(r[i] for r in results) for i in (0, 1))
    for what in (what for r in results for what in r[2]):
        print(what)
    if failed or not args.quiet:
        print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
