#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the C file with the man pages' sources: embed.py OUT.c PAGE.1.scd..."""
import os
import sys


def page_lines(text):
    """The page's lines without comments ("; …" outside of examples)."""
    literal = False
    for line in text.splitlines(keepends=True):
        literal ^= line.strip() == "```"
        if literal or not line.startswith("; "):
            yield line


def c_string(text):
    out = []
    for line in page_lines(text):
        s = line.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
        out.append('     "' + s.replace("\n", "\\n").replace("?", "\\?") + '"')
    return "\n".join(out)


def main():
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        out.write("/* Made by embed.py from man/. */\n#include \"cli/cmd.h\"\n\n")
        out.write("const struct man_page man_pages[] = {\n")
        for path in sys.argv[2:]:
            name = os.path.basename(path)[: -len(".1.scd")]
            with open(path, encoding="utf-8") as page:
                out.write('    {"%s",\n%s},\n' % (name, c_string(page.read())))
        out.write("    {0},\n};\n")


main()
