/* SPDX-License-Identifier: MIT */
/*
 * `vm`: as /proc/PID/maps, with resident pages. A row is one line, however narrow the terminal: the
 * sizes become short, the path is cut (its beginning: the end tells more), and where that does not
 * do columns go, the least asked for first; a last line names them.
 */
#include "draw/render.h"
#include "draw/text.h"

#include <stdio.h>

#define ULL(x) ((unsigned long long)(x))

enum maps_column {
    MAPS_ADDRESS,
    MAPS_PERM,
    MAPS_OFFSET,
    MAPS_DEV,
    MAPS_INODE,
    MAPS_RESIDENT,
    MAPS_ANON,
    MAPS_FILES,
    MAPS_PATH,
    MAPS_COLUMNS
};
enum { MAPS_PATH_MIN = 8, MAPS_SIZE_WIDTH = 10 };

static const struct maps_head {
    const char *text, *compact;
    const char *name; /* of the view's column */
    bool right;
} maps_heads[MAPS_COLUMNS] = {
    [MAPS_ADDRESS] = {"ADDRESS", "ADDRESS", "address", false},
    [MAPS_PERM] = {"PERM", "PERM", "perms", false},
    [MAPS_OFFSET] = {"OFFSET", "OFFSET", "offset", false},
    [MAPS_DEV] = {"DEV", "DEV", "device", false},
    [MAPS_INODE] = {"INODE", "INODE", "inode", true},
    [MAPS_RESIDENT] = {"RESIDENT", "RES", "resident", true},
    [MAPS_ANON] = {"ANON", "ANON", "anon", true},
    [MAPS_FILES] = {"FILE", "FILE", "file", true},
    [MAPS_PATH] = {"PATH", "PATH", "path", false},
};
/* What goes first where there is no room. */
static const enum maps_column maps_spare[] = {MAPS_INODE, MAPS_DEV,      MAPS_OFFSET, MAPS_FILES,
                                              MAPS_ANON,  MAPS_RESIDENT, MAPS_PATH,   MAPS_PERM};

struct maps {
    const struct render_options *r;
    bool compact, marks;
    bool hidden[MAPS_COLUMNS];
    size_t width[MAPS_COLUMNS]; /* of MAPS_PATH: what is left for it, 0: no limit */
    struct out cell;
};

static void maps_bytes(struct maps *m, uint64_t bytes)
{
    if (bytes == OSCOPE_UNKNOWN)
        out_char(&m->cell, '-');
    else
        (m->compact ? text_bytes_short : text_bytes)(&m->cell, bytes, m->r->exact);
}

/* Makes m->cell the cell's text; returns its width. */
static size_t maps_cell(struct maps *m, const struct oscope_vma *v, enum maps_column k)
{
    struct out *o = &m->cell;

    o->len = 0;
    switch (k) {
    case MAPS_ADDRESS: out_printf(o, "%08llx-%08llx", ULL(v->start), ULL(v->end)); break;
    case MAPS_PERM: return render_text_safe(o, m->r, v->perms, 4);
    case MAPS_OFFSET: out_printf(o, "%08llx", ULL(v->offset)); break;
    case MAPS_DEV: return render_text_safe(o, m->r, v->device, 16);
    case MAPS_INODE: out_dec(o, v->inode); break;
    case MAPS_RESIDENT: maps_bytes(m, v->resident); break;
    case MAPS_ANON: maps_bytes(m, v->anon); break;
    case MAPS_FILES: maps_bytes(m, v->file); break;
    default: return render_text_safe(o, m->r, v->path, 0);
    }
    return o->len;
}

static const char *maps_head(const struct maps *m, enum maps_column k)
{
    return m->compact ? maps_heads[k].compact : maps_heads[k].text;
}

/* Widths of all columns, of MAPS_PATH that of the longest. */
static void maps_measure(struct maps *m, const struct oscope_vma *v, size_t n)
{
    for (enum maps_column k = 0; k < MAPS_COLUMNS; k++) {
        bool size = k == MAPS_RESIDENT || k == MAPS_ANON || k == MAPS_FILES;
        m->width[k] = strlen(maps_head(m, k));
        if (size && !m->compact)
            m->width[k] = MAPS_SIZE_WIDTH; /* stands still while --watch looks */
        for (size_t i = 0; i < n; i++) {
            size_t w = maps_cell(m, &v[i], k);
            m->width[k] = w > m->width[k] ? w : m->width[k];
        }
    }
}

/* Width of a row without the path itself. */
static size_t maps_fixed(const struct maps *m)
{
    size_t total = m->marks ? 2 : 0;

    for (enum maps_column k = 0; k < MAPS_PATH; k++)
        total += m->hidden[k] ? 0 : m->width[k] + (k > 0);
    return total + (m->hidden[MAPS_PATH] ? 0 : m->compact ? 1 : 2);
}

static void maps_fit(struct maps *m, const struct oscope_vma *v, size_t n, struct out *left_out)
{
    size_t limit = (size_t)m->r->term.width, fixed, want = MAPS_PATH_MIN;

    maps_measure(m, v, n);
    if (!limit) {
        m->width[MAPS_PATH] = 0;
        return;
    }
    m->compact = maps_fixed(m) + m->width[MAPS_PATH] > limit;
    if (m->compact)
        maps_measure(m, v, n);
    if (m->width[MAPS_PATH] < want)
        want = m->width[MAPS_PATH];
    for (size_t i = 0; i < sizeof maps_spare / sizeof maps_spare[0]; i++) {
        fixed = maps_fixed(m);
        if (fixed + (m->hidden[MAPS_PATH] ? 0 : want) <= limit)
            break;
        m->hidden[maps_spare[i]] = true;
        render_left_out_add(left_out, maps_heads[maps_spare[i]].name);
    }
    fixed = maps_fixed(m);
    m->width[MAPS_PATH] = fixed < limit ? limit - fixed : 1;
}

/* m->cell, w cells wide, goes into the line. */
static void maps_put(struct maps *m, struct out *line, enum maps_column k, size_t w)
{
    const char *s = m->cell.buf ? m->cell.buf : "";
    size_t pad = w < m->width[k] ? m->width[k] - w : 0;

    if (m->hidden[k])
        return;
    if (k)
        out_char(line, ' ');
    if (k == MAPS_PATH) {
        if (!m->compact)
            out_char(line, ' ');
        if (m->width[k])
            text_cut_front(line, s, m->cell.len, m->width[k], m->r->term.utf8);
        else
            out_mem(line, s, m->cell.len);
        return;
    }
    out_fill(line, ' ', maps_heads[k].right ? pad : 0);
    out_mem(line, s, m->cell.len);
    out_fill(line, ' ', maps_heads[k].right ? 0 : pad);
}

/* Ends a line: nothing behind its last word, nothing over the terminal's edge. */
static void maps_line(struct maps *m, struct out *o, struct out *line, const char *sgr)
{
    size_t limit = (size_t)m->r->term.width, used = m->marks ? 2 : 0;
    struct out cut;

    while (line->len && line->buf[line->len - 1] == ' ')
        line->len--;
    out_init(&cut, -1);
    if (limit)
        text_cut(&cut, line->buf ? line->buf : "", line->len, limit > used ? limit - used : 0,
                 m->r->term.utf8);
    else
        out_mem(&cut, line->buf, line->len);
    render_sgr(o, m->r, sgr, cut.buf ? cut.buf : "", cut.len);
    out_char(o, '\n');
    out_free(&cut);
    line->len = 0;
}

void render_maps(struct out *o, const struct oscope_table *t, const struct render_options *r)
{
    const struct oscope_vma *v = t->rows;
    struct maps m = {.r = r, .marks = render_marked(t)};
    struct out line, left_out;

    if (t->row_size != sizeof *v)
        return;
    out_init(&m.cell, -1);
    out_init(&line, -1);
    out_init(&left_out, -1);
    maps_fit(&m, v, t->nrows, &left_out);
    if (!r->no_header) {
        if (m.marks)
            out_str(o, "  ");
        for (enum maps_column k = 0; k < MAPS_COLUMNS; k++) {
            const char *head = maps_head(&m, k);
            m.cell.len = 0;
            out_str(&m.cell, head);
            maps_put(&m, &line, k, strlen(head));
        }
        maps_line(&m, o, &line, "1");
    }
    for (size_t i = 0; i < t->nrows; i++) {
        if (m.marks)
            render_mark(o, r, render_consistency(t, i));
        for (enum maps_column k = 0; k < MAPS_COLUMNS; k++)
            maps_put(&m, &line, k, maps_cell(&m, &v[i], k));
        maps_line(&m, o, &line, NULL);
    }
    render_left_out(o, r, &left_out);
    out_free(&left_out);
    out_free(&line);
    out_free(&m.cell);
}
