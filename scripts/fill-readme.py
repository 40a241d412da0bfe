#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Puts real output into the README: make demo | scripts/fill-readme.py

Each block between `<!-- demo:NAME -->` and `<!-- /demo -->` gets what the demo printed under the
first heading `oscope NAME …`, at most LINES lines of it, cut to WIDTH columns.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINES, WIDTH = 24, 110


def main():
    text = sys.stdin.read()
    views = {}
    for command, body in re.findall(r"^== (oscope .*)\n((?:(?!== ).*\n)*)", text, re.M):
        lines = [line if len(line) <= WIDTH else line[:WIDTH - 1] + "…" for line in body.rstrip().splitlines()]
        views.setdefault(command.split()[1], []).append([f"$ {command}", *lines[:LINES]])

    def fill(match):
        shown = views.get(match[1], [])[:2 if match[1] in ("pt", "mem", "ps", "report") else 1]
        if match[1] == "pt":
            shown = [block[:10] if "--va" not in block[0] else block for block in shown]
        body = "\n\n".join("\n".join(block) for block in shown)
        return f"<!-- demo:{match[1]} -->\n```\n{body}\n```\n<!-- /demo -->" if body else match[0]

    readme = ROOT / "README.md"
    readme.write_text(re.sub(r"<!-- demo:(\S+) -->\n(?:.*\n)*?<!-- /demo -->", fill, readme.read_text()))


if __name__ == "__main__":
    main()
