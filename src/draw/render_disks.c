/* SPDX-License-Identifier: MIT */
/*
 * `report blk`: disks as maps, one character a region: what was done there, a capital letter where
 * it was much (at least a quarter of what the busiest region of the disk has).
 */
#include "draw/render.h"

struct disks_one {
    const struct oscope_blk_region *regions;
    uint64_t busiest; /* bytes of one region */
};

static uint64_t disks_bytes(const struct oscope_blk_region *c)
{
    return c->read_bytes + c->write_bytes;
}

static struct render_cell disks_cell(const void *arg, size_t i)
{
    const struct disks_one *d = arg;
    const struct oscope_blk_region *c = &d->regions[i];
    bool much = disks_bytes(c) >= d->busiest / 4 + !!(d->busiest % 4);
    struct render_cell cell = {c->first, c->sectors, '.', "2"};

    if (c->read_bytes && c->write_bytes) {
        cell.sgr = "33";
        cell.mark = much ? 'X' : 'x';
    } else if (c->read_bytes) {
        cell.sgr = "32";
        cell.mark = much ? 'R' : 'r';
    } else if (c->write_bytes) {
        cell.sgr = "31";
        cell.mark = much ? 'W' : 'w';
    }
    return cell;
}

static void disks_one(struct out *o, const struct oscope_blk_region *c, size_t n,
                      const struct render_options *r)
{
    struct disks_one d = {c, 0};

    for (size_t i = 0; i < n; i++)
        d.busiest = disks_bytes(&c[i]) > d.busiest ? disks_bytes(&c[i]) : d.busiest;
    render_cells(o, n, false, disks_cell, &d, r);
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
