#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Checks what no program run can show: every file of ours starts with its licence line, no relative
link in a document points nowhere. (tests/docs/check.sh holds the documents against the program.)
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
    problems = [*check_licences(files), *check_links(files)]
    print("\n".join(problems) or "documents are complete")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
