/* SPDX-License-Identifier: MIT */
#include "tui/ptmap.h"

#include "base/util.h"

#include <inttypes.h>

enum { PAGE_SHIFT = 12, CELLS_MOST = 12, LABEL = 19 };

int ptmap_cells(uint64_t size)
{
    int log = 0;

    for (size >>= PAGE_SHIFT; size > 1; size >>= 1)
        log++;
    return MIN(1 + log / 2, (int)CELLS_MOST);
}

size_t ptmap_place(struct ptmap_layout *l, const struct oscope_region *regions, size_t i)
{
    for (;; l->next++) {
        const struct oscope_region *r = &regions[l->next];
        size_t hole = l->next && r->start != l->end;
        if (l->next >= i)
            return l->cells + hole;
        l->cells += hole + (size_t)ptmap_cells(r->size);
        l->end = r->start + r->size;
    }
}

enum role ptmap_role(const struct oscope_region *r, char *letter)
{
    bool x = r->perm && strchr(r->perm, 'X'), w = r->perm && strchr(r->perm, 'W');

    /* both is what nobody should see in a kernel */
    *letter = x && w ? '!' : x ? 'x' : w ? 'w' : r->perm && strchr(r->perm, 'R') ? 'r' : '-';
    return x && w ? ROLE_BAD : x ? ROLE_PERM_X : w ? ROLE_PERM_W : ROLE_PERM_R;
}

/* The cells [from, to) of the band, as far as they are in the area. */
static void put(struct screen *s, struct area a, const struct ptmap *p, size_t from, size_t to,
                struct ink ink, const char *first, const char *rest)
{
    size_t line = (size_t)p->per_line;

    for (size_t at = from; at < to; at++)
        if (at / line >= p->top && at / line < p->top + (size_t)MAX(a.h, 0))
            screen_fill(s, a, (int)(at / line - p->top), p->label + (int)(at % line), 1, ink,
                        at == from ? first : rest);
}

static void draw_region(struct screen *s, struct area a, const struct ptmap *p,
                        const struct oscope_region *r, size_t at, bool hole, bool cursor)
{
    bool colors = screen_colors(s) > 0;
    char letter[2] = "";
    struct ink ink = theme_fill(ptmap_role(r, letter));

    if (hole)
        put(s, a, p, at - 1, at, theme_ink(ROLE_DIM), screen_utf8(s) ? "\xc2\xb7" : ".", "");
    if (cursor)
        ink = theme_ink(ROLE_CURSOR);
    else if (!colors)
        ink = INK_PLAIN;
    put(s, a, p, at, at + (size_t)ptmap_cells(r->size), ink, letter, cursor || colors ? " " : "=");
}

int ptmap_lines(struct area a, const struct oscope_region *regions, size_t n)
{
    struct ptmap_layout l = {0};
    size_t per_line = (size_t)MAX(a.w - LABEL, 1);

    if (!n)
        return 0;
    size_t end = ptmap_place(&l, regions, n - 1) + (size_t)ptmap_cells(regions[n - 1].size);
    return (int)MIN((end - 1) / per_line + 1, (size_t)INT16_MAX);
}

void ptmap_draw(struct screen *s, struct area a, struct ptmap *p,
                const struct oscope_region *regions, size_t n, size_t cursor)
{
    struct ptmap_layout l = {0};
    size_t lines = (size_t)MAX(a.h, 1), last = SIZE_MAX;

    p->label = LABEL;
    p->per_line = MAX(a.w - LABEL, 1);
    if (cursor < n) {
        size_t line = ptmap_place(&l, regions, cursor) / (size_t)p->per_line;
        p->top = line < p->top ? line : line >= p->top + lines ? line - lines + 1 : p->top;
    }
    l = (struct ptmap_layout){0};
    for (size_t i = 0; i < n; i++) {
        size_t at = ptmap_place(&l, regions, i), line = at / (size_t)p->per_line;
        if (line >= p->top + lines)
            break;
        if (line + 1 < p->top)
            continue;
        if (line >= p->top && line != last)
            screen_print(s, a, (int)(line - p->top), 0, theme_ink(ROLE_DIM), "0x%" PRIx64,
                         regions[i].start);
        last = line;
        draw_region(s, a, p, &regions[i], at, i && regions[i].start != l.end, i == cursor);
    }
}

size_t ptmap_at(const struct ptmap *p, const struct oscope_region *regions, size_t n, int y, int x)
{
    struct ptmap_layout l = {0};

    if (y < 0 || x < p->label || x >= p->label + p->per_line)
        return n;
    size_t cell = (p->top + (size_t)y) * (size_t)p->per_line + (size_t)(x - p->label);
    for (size_t i = 0; i < n; i++) {
        size_t at = ptmap_place(&l, regions, i);
        if (cell < at)
            return n; /* a hole */
        if (cell < at + (size_t)ptmap_cells(regions[i].size))
            return i;
    }
    return n;
}
