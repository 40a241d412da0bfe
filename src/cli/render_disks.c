/* SPDX-License-Identifier: MIT */
/*
 * `report blk`: disks as maps, one character a region: what was done there, a capital letter where
 * it was much (at least a quarter of what the busiest region of the disk has).
 */
#include "cli/render.h"

#include <stdio.h>

enum { DISKS_WIDTH = 64 };

static uint64_t disks_bytes(const struct oscope_blk_region *c)
{
    return c->read_bytes + c->write_bytes;
}

static void disks_cell(struct out *o, const struct oscope_blk_region *c, uint64_t busiest,
                       const struct render_options *r)
{
    bool much = disks_bytes(c) >= busiest / 4 + !!(busiest % 4);
    const char *sgr = "2", *mark = ".";

    if (c->read_bytes && c->write_bytes) {
        sgr = "33";
        mark = much ? "X" : "x";
    } else if (c->read_bytes) {
        sgr = "32";
        mark = much ? "R" : "r";
    } else if (c->write_bytes) {
        sgr = "31";
        mark = much ? "W" : "w";
    }
    render_sgr(o, r, sgr, mark, 1);
}

/* Cells on a line: a power of two, as many as fit. */
static size_t disks_per_line(const struct render_options *r, int digits)
{
    size_t n = DISKS_WIDTH, around = (size_t)digits + strlen(" |") + strlen("|");

    if (!r->term.width)
        return n;
    while (n > 8 && n + around > (size_t)r->term.width)
        n /= 2;
    while (n < 256 && n * 2 + around <= (size_t)r->term.width)
        n *= 2;
    return n;
}

static void disks_one(struct out *o, const struct oscope_blk_region *c, size_t n,
                      const struct render_options *r)
{
    int digits = snprintf(NULL, 0, "%llu", (unsigned long long)c[n - 1].first);
    size_t per_line = disks_per_line(r, digits);
    uint64_t busiest = 0;

    for (size_t i = 0; i < n; i++)
        busiest = disks_bytes(&c[i]) > busiest ? disks_bytes(&c[i]) : busiest;
    for (size_t i = 0; i < n; i++) {
        if (i % per_line == 0)
            out_printf(o, "%*llu |", digits, (unsigned long long)c[i].first);
        disks_cell(o, &c[i], busiest, r);
        if (i + 1 == n || (i + 1) % per_line == 0)
            out_str(o, "|\n");
    }
    out_printf(o, "disk %u, %llu sectors, one cell = %llu  r read  w written  x both  RWX much\n",
               c->disk, (unsigned long long)(c[n - 1].first + c[n - 1].sectors),
               (unsigned long long)c->sectors);
}

void render_disks(struct out *o, const struct oscope_table *t, const struct render_options *r)
{
    const struct oscope_blk_region *c = t->rows;

    for (size_t i = 0, n; i < t->nrows; i += n) {
        for (n = 1; i + n < t->nrows && c[i + n].disk == c[i].disk;)
            n++;
        disks_one(o, c + i, n, r);
    }
}
