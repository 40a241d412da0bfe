#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the C file with the built-in profiles' texts: embed.py OUT.c NAME.profile..."""
import os
import sys


def c_lines(text):
    for line in text.splitlines():
        yield '     "' + line.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?") + '\\n"'


def main():
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        out.write("/* Made by embed.py from profiles/. */\n#include \"os/profile/builtin.h\"\n\n")
        out.write("const struct profile_builtin profile_builtins[] = {\n")
        for path in sys.argv[2:]:
            name = os.path.basename(path)[: -len(".profile")]
            with open(path, encoding="utf-8") as profile:
                out.write('    {"%s",\n%s},\n' % (name, "\n".join(c_lines(profile.read()))))
        out.write("    {0},\n};\n")


main()
