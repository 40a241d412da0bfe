#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Checks that the documents know what the program has: usage check-docs.py build/oscope.

Every command that `oscope help` lists has a man page and stands in the README; every file of ours
starts with its licence line; no relative link in a document points nowhere.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCES = (".c", ".h", ".py", ".sh", ".mk", ".build")


def tracked():
    """Files of the tree, committed or not yet, but none that are built."""
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True,
                         capture_output=True, text=True).stdout
    return [ROOT / line for line in out.splitlines() if (ROOT / line).is_file()]


def commands(oscope):
    """Names of the subcommands: the first word of each indented line of `oscope help`."""
    text = subprocess.run([oscope, "help"], check=True, capture_output=True, text=True,
                          timeout=30).stdout
    return sorted(set(re.findall(r"^\s+([a-z][a-z-]*)(?:\s|$)", text, re.M)))


def check_commands(oscope):
    names = commands(oscope)
    if len(names) < 5:
        yield f"`oscope help` lists only {names}"
    readme = (ROOT / "README.md").read_text()
    for name in names:
        if not list((ROOT / "man").glob(f"oscope-{name}.1*")):
            yield f"no man page man/oscope-{name}.1.scd"
        if not re.search(rf"oscope {name}\b", readme):
            yield f"README.md does not mention `oscope {name}`"
    for page in (ROOT / "man").glob("oscope-*.1*"):
        name = page.name.removeprefix("oscope-").split(".")[0]
        if name not in names:
            yield f"{page.name}: `oscope help` lists no such command"


def check_licences(files):
    for path in files:
        if path.suffix in SOURCES and "SPDX-License-Identifier" not in path.read_text()[:300]:
            yield f"{path.relative_to(ROOT)}: no SPDX-License-Identifier line"


def check_links(files):
    for path in files:
        if path.suffix != ".md":
            continue
        for target in re.findall(r"\]\(([^)#\s]+)", path.read_text()):
            if "://" not in target and not (path.parent / target).exists():
                yield f"{path.relative_to(ROOT)}: link to {target}, which does not exist"


def main():
    files = tracked()
    problems = [*check_commands(sys.argv[1]), *check_licences(files), *check_links(files)]
    print("\n".join(problems) or "documents are complete")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
