#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Makes the C file with the page's files: embed.py OUT.c FILE... (index.html is served as /)."""
import os
import sys

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


def main():
    with open(sys.argv[1], "w", encoding="ascii") as out:
        out.write('/* Made by embed.py. */\n#include "web/assets.h"\n\n')
        rows = []
        for i, path in enumerate(sys.argv[2:]):
            with open(path, "rb") as f:
                data = f.read()
            name = os.path.basename(path)
            lines = (", ".join(map(str, data[at:at + 24])) for at in range(0, len(data), 24))
            out.write(f"static const unsigned char data{i}[] = {{\n    " + ",\n    ".join(lines) + "};\n")
            url = "/" if name == "index.html" else "/" + name
            rows.append(f'    {{"{url}", "{TYPES[os.path.splitext(name)[1]]}", data{i}, sizeof data{i}}},\n')
        out.write("\nconst struct asset assets[] = {\n" + "".join(rows) + "    {0},\n};\n")


main()
