# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Slab caches on the page's memory tab."""

from harness import number
from test_web import open_page


def titles(b):
    """What the table's headings say under the pointer, by heading."""
    return b.tell(eval="""Object.fromEntries([...document.querySelectorAll('table[aria-label="Slab caches"] th')]
        .map(th => [th.innerText.replace(/ [▲▼]/, ''), th.title]))""")


def test_the_caches_of_mem_slab(guest1):
    g = guest1
    web, b = open_page(g, "memory")
    with web, b:
        def page():
            return {r["name"]: r for r in b.rows("Slab caches")}

        def same(b):
            rows = g.oscope("mem", "--slab", "-o", "json")
            seen = page()
            return seen.keys() == {r["name"] for r in rows} and all(
                seen[r["name"]][c] == str(r[c]) for r in rows
                for c in ("objects", "active", "size", "per_slab", "slabs", "partial", "flags"))
        b.until(same, "the caches of `mem --slab`")
        rows = g.oscope("mem", "--slab", "-o", "json")
        for r in rows[:20]:
            shown = page()[r["name"]]
            assert abs(float(shown["used"]) - r["used"]) < 5
            value, unit = shown["bytes"].split()
            assert abs(float(value) * {"KiB": 1024, "MiB": 1 << 20}[unit] - r["bytes"]) < 0.2 * r["bytes"], (shown, r)
        b.until(lambda b: b.text("[data-fact=slabs]").startswith(f"{len(rows)} caches, "), "how many")
        assert all(len(says) > 10 for says in titles(b).values()), titles(b)
        assert "guest memory" in b.tell(eval="document.querySelector('[data-view=slabs] h2').title")

        # the largest first, or by another column
        def column(name):
            return [r[name] for r in b.rows("Slab caches")]
        b.until(lambda b: column("name")[0] == g.oscope("mem", "--slab", "-o", "json")[0]["name"], "the largest first")
        b.tell(eval="""[...document.querySelectorAll('table[aria-label="Slab caches"] th button')]
            .find(b => b.innerText.startsWith('objects')).click()""")
        b.until(lambda b: list(map(number, column("objects"))) == sorted(map(number, column("objects")), reverse=True),
                "sorted by objects")

        # those that are reclaimable
        b.press("/")
        for key in "reclaimable":
            b.press(key)
        b.until(lambda b: {r["name"] for r in b.rows("Slab caches")} ==
                {r["name"] for r in g.oscope("mem", "--slab", "-o", "json") if "reclaimable" in r["flags"]}, "the filter")
        assert "filter=reclaimable" in b.tell(eval="location.hash")
        assert b.tell(problems=True) == []
