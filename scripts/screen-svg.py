#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""A terminal's screen as a picture: tmux capture-pane -epN | scripts/screen-svg.py TITLE > FILE.svg

Text stays text, so that the picture can be searched and is small; block elements become rectangles,
which meet without seams whatever font is there. Colours are those of the screen: of SGR sequences
0, 1, 2, 4, 7, 30-49, 90-107, and 38 and 48 with 5 or 2.
"""

import html
import itertools
import re
import sys
import unicodedata

CELL_W, CELL_H, BORDER, BAR = 8.43, 17, 10, 26  # a cell: of DejaVu Sans Mono at 14 px
BACK, FRONT = "#16181d", "#d8dbe2"
BASE = ["#000000", "#cd3131", "#0dbc79", "#e5e510", "#2472c8", "#bc3fbc", "#11a8cd", "#e5e5e5",
        "#666666", "#f14c4c", "#23d18b", "#f5f543", "#3b8eea", "#d670d6", "#29b8db", "#ffffff"]

# Of a cell, by the character: x, y, width, height, and how much of the colour. (Unicode, 2580-259F)
BLOCKS = {"\u2580": (0, 0, 1, 1 / 2, 1),
          **{chr(0x2580 + n): (0, 1 - n / 8, 1, n / 8, 1) for n in range(1, 9)},
          **{chr(0x2588 + n): (0, 0, 1 - n / 8, 1, 1) for n in range(1, 8)},
          "\u2590": (1 / 2, 0, 1 / 2, 1, 1),
          **{chr(0x2590 + n): (0, 0, 1, 1, n / 4) for n in range(1, 4)}}


def colour(n):
    """Of 256."""
    if n < 16:
        return BASE[n]
    if n >= 232:
        return "#" + f"{8 + 10 * (n - 232):02x}" * 3
    steps = (0, 95, 135, 175, 215, 255)
    n -= 16
    return "#" + "".join(f"{steps[n // d % 6]:02x}" for d in (36, 6, 1))


class Style:
    def __init__(self):
        self.front = self.back = None
        self.bold = self.dim = self.underline = self.reverse = False

    def apply(self, codes):
        codes = [int(c or 0) for c in codes.split(";")] if codes else [0]
        while codes:
            c = codes.pop(0)
            if c == 0:
                self.__init__()
            elif c in (1, 2, 4, 7):
                setattr(self, {1: "bold", 2: "dim", 4: "underline", 7: "reverse"}[c], True)
            elif c in (22, 24, 27):
                for name in {22: ("bold", "dim"), 24: ("underline",), 27: ("reverse",)}[c]:
                    setattr(self, name, False)
            elif c in (38, 48) and codes:
                kind = codes.pop(0)
                value = colour(codes.pop(0)) if kind == 5 else "#" + "".join(f"{codes.pop(0):02x}" for _ in range(3))
                setattr(self, "front" if c == 38 else "back", value)
            elif c in (39, 49):
                setattr(self, "front" if c == 39 else "back", None)
            elif 30 <= c <= 37 or 90 <= c <= 97:
                self.front = BASE[c - 30 if c < 90 else c - 82]
            elif 40 <= c <= 47 or 100 <= c <= 107:
                self.back = BASE[c - 40 if c < 100 else c - 92]

    def key(self):
        front, back = self.front or FRONT, self.back
        if self.reverse:
            front, back = back or BACK, front
        return front, back, self.bold, self.dim, self.underline


def cells_of(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def runs(line, style):
    """(x, text, cells, style key) of stretches of one style."""
    x, out = 0, []
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        if m := re.fullmatch(r"\x1b\[([0-9;]*)m", part):
            style.apply(m[1])
        elif part:
            cells = cells_of(part)
            out.append((x, part, cells, style.key()))
            x += cells
    return out, x


def box(x, y, width, height, fill, more=""):
    """A rectangle, in cells, to whole pixels: what meets in cells does so in the picture."""
    left, right = (round(BORDER + at * CELL_W) for at in (x, x + width))
    top, bottom = (round(BAR + BORDER + at * CELL_H) for at in (y, y + height))
    return f'<rect x="{left}" y="{top}" width="{right - left}" height="{bottom - top}" fill="{fill}"{more}/>'


def blocks(x, y, char, count, front):
    """Rectangles for so many of one block element."""
    left, down, width, height, opacity = BLOCKS[char]
    if width == 1:
        width, count = count, 1
    more = f' fill-opacity="{opacity}"' if opacity < 1 else ""
    for i in range(count):
        yield box(x + i + left, y + down, width, height, front, more)


def run(x, y, text, cells, style):
    """What is drawn for one stretch of one style."""
    front, back, bold, dim, underline = style
    if back:
        yield box(x, y, cells, 1, back)
    more = (' font-weight="bold"' * bold + ' opacity="0.6"' * dim
            + ' text-decoration="underline"' * underline)
    for char, group in itertools.groupby(text, lambda c: c if c in BLOCKS else None):
        part = "".join(group)
        width = cells_of(part)
        if char:
            yield from blocks(x, y, char, len(part), front)
        elif part.strip():
            at = x + len(part) - len(part.lstrip())
            part = part.strip()
            yield (f'<text x="{BORDER + at * CELL_W:.1f}" y="{BAR + BORDER + y * CELL_H + 13}" '
                   f'textLength="{cells_of(part) * CELL_W:.1f}" lengthAdjust="spacingAndGlyphs" '
                   f'fill="{front}"{more}>{html.escape(part)}</text>')
        x += width


def main():
    title = sys.argv[1] if len(sys.argv) > 1 else ""
    lines, style, width = [], Style(), 0
    for line in sys.stdin.read().rstrip("\n").split("\n"):
        found, cells = runs(line, style)
        lines.append(found)
        width = max(width, cells)
    w, h = width * CELL_W + 2 * BORDER, len(lines) * CELL_H + 2 * BORDER + BAR
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{w:.0f}" height="{h:.0f}" viewBox="0 0 {w:.1f} {h}">')
    print(f'<title>{html.escape(title)}</title><rect width="100%" height="100%" rx="8" fill="{BACK}"/>')
    print(f'<text x="{w / 2:.0f}" y="18" fill="#8b909c" text-anchor="middle" font-family="sans-serif" '
          f'font-size="13">{html.escape(title)}</text>')
    print('<g font-family="DejaVu Sans Mono,Menlo,Consolas,monospace" font-size="14" xml:space="preserve" '
          'shape-rendering="crispEdges">')
    for y, found in enumerate(lines):
        for stretch in found:
            for element in run(stretch[0], y, *stretch[1:]):
                print(element)
    print("</g></svg>")


if __name__ == "__main__":
    main()
