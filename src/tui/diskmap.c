/* SPDX-License-Identifier: MIT */
#include "tui/diskmap.h"

#include "base/util.h"
#include "draw/text.h"
#include "tui/theme.h"

#include <math.h>

enum { IN_ROW = 64, CELL_MOST = 4, CELLS_MOST = 1024 };

/* The regions of one disk. */
struct one {
    const struct oscope_blk_region *regions;
    size_t n;
    uint64_t most;          /* bytes written of one region */
    bool fresh[CELLS_MOST]; /* there was a request a moment ago */
};

static void find_most(struct one *o)
{
    for (size_t i = 0; i < o->n; i++)
        o->most = MAX(o->most, o->regions[i].write_bytes);
}

/* Requests are in the order of time. */
static void find_fresh(struct one *o, const struct diskmap *d)
{
    const struct oscope_blk_request *r = d->requests ? d->requests->rows : NULL;
    uint64_t size = o->regions->sectors;

    for (size_t i = r ? d->requests->nrows : 0; i-- > 0 && r[i].time >= d->since && size;) {
        if (r[i].disk != o->regions->disk)
            continue;
        uint64_t first = r[i].sector / size;
        uint64_t last = (r[i].sector + MAX(r[i].sectors, 1u) - 1) / size;
        for (uint64_t k = first; k <= last && k < MIN(o->n, (size_t)CELLS_MOST); k++)
            o->fresh[k] = true;
    }
}

static void draw_cell(struct screen *s, struct area a, int y, int x, int w, const struct one *o,
                      size_t i)
{
    const struct oscope_blk_region *r = &o->regions[i];
    bool fresh = i < CELLS_MOST && o->fresh[i];
    struct ink ink = theme_ink(ROLE_DIM);
    const char *mark = screen_utf8(s) ? "\xc2\xb7" : ".";

    if (r->write_bytes) {
        ink =
            theme_heat(o->most ? 0.25 + 0.75 * sqrt((double)r->write_bytes / (double)o->most) : 0);
        mark = screen_utf8(s) && screen_colors(s) >= 256 ? "\xe2\x96\x88" : fresh ? "W" : "w";
    } else if (r->read_bytes) {
        ink = theme_ink(ROLE_USER);
        mark = screen_utf8(s) && screen_colors(s) >= 256 ? "\xe2\x96\x91" : fresh ? "R" : "r";
    }
    if (fresh) {
        ink.attr |= INK_REVERSE;
        ink.mono |= INK_REVERSE;
        mark = r->write_bytes ? "W" : "R";
    }
    screen_fill(s, a, y, x, w, ink, mark);
}

static void draw_legend(struct screen *s, struct area a, int y, const struct one *o)
{
    const struct oscope_blk_region *last = &o->regions[o->n - 1];
    struct out text;

    out_init(&text, -1);
    out_printf(&text, "disk %u: ", last->disk);
    text_bytes(&text, last->disk_bytes, false);
    out_str(&text, ", a cell ");
    text_bytes(&text, o->regions->bytes, false);
    int x = screen_put(s, a, y, 0, a.w, theme_ink(ROLE_BOLD), text.buf ? text.buf : "", text.len);
    out_free(&text);
    screen_print(s, a, y, x + 2, theme_ink(ROLE_DIM),
                 "W, R: written, read just now; hotter: more written");
}

static int draw_one(struct screen *s, struct area a, const struct diskmap *d, struct one *o)
{
    int cell = MAX(1, MIN((a.w - 2) / IN_ROW, CELL_MOST)), in_row = MIN(IN_ROW, a.w - 2), y = 1;

    find_most(o);
    find_fresh(o, d);
    draw_legend(s, a, 0, o);
    for (size_t i = 0; i < o->n && in_row > 0; i++) {
        y = 1 + (int)(i / (size_t)in_row);
        draw_cell(s, a, y, 1 + (int)(i % (size_t)in_row) * cell, cell, o, i);
    }
    return y + 1;
}

int diskmap_draw(struct screen *s, struct area a, const struct diskmap *d)
{
    const struct oscope_blk_region *r = d->map->rows;
    int used = 0;

    for (size_t i = 0, n; i < d->map->nrows && used < a.h; i += n) {
        struct one o = {.regions = r + i};
        for (n = 1; i + n < d->map->nrows && r[i + n].disk == r[i].disk;)
            n++;
        o.n = n;
        struct area rest = {a.y + used, a.x, a.h - used, a.w};
        used += draw_one(s, rest, d, &o);
    }
    return used;
}
