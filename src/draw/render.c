/* SPDX-License-Identifier: MIT */
/*
 * What all forms share: which columns, what one cell reads, what colour it has, and the lines that
 * say how good the answer is.
 */
#include <oscope/rows.h>

#include "draw/render.h"

#include "draw/text.h"

#include <inttypes.h>
#include <math.h>

const void *render_row(const struct oscope_table *t, size_t i)
{
    return (const char *)t->rows + i * t->row_size;
}

const struct oscope_column *render_column(const struct oscope_table *t, const char *name)
{
    for (const struct oscope_column *c = t->columns; c->name; c++)
        if (!strcmp(c->name, name))
            return c;
    return NULL;
}

/* Nothing to show in any row, in a column that is then left out. */
static bool render_blank(const struct oscope_table *t, const struct oscope_column *c)
{
    bool unknown = (c->flags & OSCOPE_COL_SPARSE) && t->nrows;

    for (size_t i = 0; unknown && i < t->nrows; i++) {
        double real = 1;
        if (c->kind == OSCOPE_REAL) {
            memcpy(&real, (const char *)render_row(t, i) + c->offset, sizeof real);
            unknown = real == 0;
        } else {
            render_uint(c, render_row(t, i), &unknown);
        }
    }
    return unknown;
}

/* Is it shown in text without being asked for? */
static bool render_usual(const struct oscope_table *t, const struct oscope_column *c)
{
    return !(c->flags & OSCOPE_COL_JSON_ONLY) && c->kind != OSCOPE_CONSISTENCY &&
           !render_blank(t, c);
}

size_t render_columns(const struct oscope_table *t, const struct render_options *r,
                      const struct oscope_column *cols[RENDER_COLUMNS_MAX])
{
    size_t n = 0;

    if (r->names) {
        for (size_t i = 0; r->names[i] && n < RENDER_COLUMNS_MAX; i++)
            if ((cols[n] = render_column(t, r->names[i])))
                n++;
        return n;
    }
    for (const struct oscope_column *c = t->columns; c->name && n < RENDER_COLUMNS_MAX; c++)
        if (r->json || render_usual(t, c))
            cols[n++] = c;
    return n;
}

const char *render_unknown_column(const struct oscope_view *v, const struct render_options *r)
{
    for (size_t i = 0; r->names && r->names[i]; i++) {
        bool known = false;
        for (size_t k = 0; k < v->ntables; k++)
            known = known || render_column(&v->tables[k], r->names[i]);
        if (!known)
            return r->names[i];
    }
    return NULL;
}

uint64_t render_uint(const struct oscope_column *c, const void *row, bool *unknown)
{
    const char *p = (const char *)row + c->offset;
    uint64_t v = 0;

    switch (c->size) {
    case 1: v = *(const uint8_t *)p; break;
    case 2: {
        uint16_t x;
        memcpy(&x, p, sizeof x);
        v = x;
        break;
    }
    case 4: {
        uint32_t x;
        memcpy(&x, p, sizeof x);
        v = x;
        break;
    }
    case 8: memcpy(&v, p, sizeof v); break;
    default: *unknown = true; return 0;
    }
    unsigned shift = 64 - 8 * (unsigned)c->size;
    *unknown = v == oscope_unknown(c->flags, c->size);
    return c->kind == OSCOPE_INT ? (uint64_t)((int64_t)(v << shift) >> shift) : v;
}

const char *render_chars(const struct oscope_column *c, const void *row, size_t *n)
{
    const char *p = (const char *)row + c->offset;

    if (c->kind == OSCOPE_CHARS) {
        *n = strnlen(p, c->size);
        return p;
    }
    const char *s;
    memcpy(&s, p, sizeof s);
    *n = s ? strlen(s) : 0;
    return s;
}

enum oscope_consistency render_consistency(const struct oscope_table *t, size_t row)
{
    for (const struct oscope_column *c = t->columns; c->name; c++) {
        if (c->kind != OSCOPE_CONSISTENCY)
            continue;
        bool unknown;
        uint64_t v = render_uint(c, render_row(t, row), &unknown);
        return v > OSCOPE_TORN ? OSCOPE_TORN : (enum oscope_consistency)v;
    }
    return OSCOPE_CONSISTENT;
}

static void render_number(struct out *o, const struct oscope_column *c, const void *row,
                          const struct render_options *r)
{
    char id[24];
    bool unknown;
    uint64_t v = render_uint(c, row, &unknown);

    if (unknown) {
        out_char(o, '-');
        return;
    }
    switch (c->kind) {
    case OSCOPE_INT:
        if (c->flags & OSCOPE_COL_THREAD)
            out_str(o, oscope_thread_text((int64_t)v, id));
        else
            out_signed(o, (int64_t)v);
        break;
    case OSCOPE_HEX: out_hex(o, v); break;
    case OSCOPE_BYTES: (r->compact ? text_bytes_short : text_bytes)(o, v, r->exact); break;
    case OSCOPE_DURATION:
        if (c->flags & OSCOPE_COL_FINE)
            text_fine(o, v);
        else
            text_duration(o, v);
        break;
    case OSCOPE_BOOLEAN: out_str(o, v ? "yes" : "no"); break;
    case OSCOPE_CONSISTENCY:
        out_str(
            o, oscope_consistency_name(v > OSCOPE_TORN ? OSCOPE_TORN : (enum oscope_consistency)v));
        break;
    case OSCOPE_UINT:
        if (c->flags & OSCOPE_COL_STAMP) {
            out_printf(o, "%" PRIu64 ".%09" PRIu64, v / 1000000000, v % 1000000000);
            break;
        }
        out_dec(o, v);
        break;
    default: out_dec(o, v); break;
    }
}

size_t render_cell(struct out *o, const struct oscope_column *c, const void *row,
                   const struct render_options *r)
{
    size_t before = o->len, n;

    if (c->kind == OSCOPE_TEXT || c->kind == OSCOPE_CHARS) {
        const char *s = render_chars(c, row, &n);
        if (s && n)
            return text_safe(o, s, n, r->term.utf8 || !r->term.tty);
        if (!s)
            out_char(o, '-');
    } else if (c->kind == OSCOPE_REAL) {
        double d;
        memcpy(&d, (const char *)row + c->offset, sizeof d);
        if (isfinite(d))
            out_printf(o, "%.1f", d);
        else
            out_char(o, '-');
    } else {
        render_number(o, c, row, r);
    }
    return o->len - before;
}

/* Sober: only what stands out for a reason. */
const char *render_color(const struct oscope_column *c, const char *s, size_t n)
{
    if (!n)
        return NULL;
    if (!strcmp(c->name, "state")) {
        switch (s[0]) {
        case 'R': return "32";
        case 'D': return "31";
        case 'Z':
        case 'X': return "35";
        case 'T':
        case 't': return "33";
        case 'I': return "2";
        default: return NULL;
        }
    }
    if (c->kind == OSCOPE_CONSISTENCY)
        return s[0] == 't' ? "31" : s[0] == 'r' ? "33" : NULL;
    if (!strcmp(c->name, "status"))
        return s[0] == 'r' ? "32" : s[0] == 'g' ? "31" : "33";
    /* writable and executable at once */
    if (!strcmp(c->name, "perm") && memchr(s, 'W', n) && memchr(s, 'X', n))
        return "31";
    return NULL;
}

void render_sgr(struct out *o, const struct render_options *r, const char *sgr, const char *s,
                size_t n)
{
    if (!sgr || !r->term.color) {
        out_mem(o, s, n);
        return;
    }
    out_str(o, "\033[");
    out_str(o, sgr);
    out_char(o, 'm');
    out_mem(o, s, n);
    out_str(o, "\033[0m");
}

size_t render_text_safe(struct out *o, const struct render_options *r, const char *s, size_t cells)
{
    bool utf8 = r->term.utf8 || !r->term.tty;
    struct out tmp;

    if (!s)
        return 0;
    if (!cells)
        return text_safe(o, s, strlen(s), utf8);
    out_init(&tmp, -1);
    text_safe(&tmp, s, strlen(s), utf8);
    size_t used = text_cut(o, tmp.buf ? tmp.buf : "", tmp.len, cells, utf8);
    out_free(&tmp);
    return used;
}

bool render_marked(const struct oscope_table *t)
{
    for (size_t i = 0; i < t->nrows; i++)
        if (render_consistency(t, i) != OSCOPE_CONSISTENT)
            return true;
    return false;
}

void render_mark(struct out *o, const struct render_options *r, enum oscope_consistency c)
{
    if (c == OSCOPE_CONSISTENT)
        out_char(o, ' ');
    else
        render_sgr(o, r, c == OSCOPE_TORN ? "31" : "33", c == OSCOPE_TORN ? "!" : "~", 1);
    out_char(o, ' ');
}

void render_left_out_add(struct out *names, const char *name)
{
    if (names->len)
        out_str(names, ", ");
    out_str(names, name);
}

/* One line for people, wrapped on a terminal. */
static void render_line(struct out *o, const struct render_options *r, const struct out *line)
{
    struct text_lines lines = {.width = r->json ? 0 : (size_t)r->term.width, .indent = 2};

    text_wrap(o, line->buf ? line->buf : "", line->len, &lines);
    out_char(o, '\n');
}

void render_left_out(struct out *o, const struct render_options *r, const struct out *names)
{
    struct out line;

    if (!names->len)
        return;
    out_init(&line, -1);
    out_str(&line, "columns not shown: ");
    out_mem(&line, names->buf, names->len);
    out_str(&line, "; --columns or a wider terminal");
    render_line(o, r, &line);
    out_free(&line);
}

/* How many rows are not consistent; "" if all are. */
static void render_consistencies(struct out *o, const struct oscope_view *v)
{
    size_t torn = 0, retried = 0;

    for (size_t k = 0; k < v->ntables; k++)
        for (size_t i = 0; i < v->tables[k].nrows; i++) {
            enum oscope_consistency c = render_consistency(&v->tables[k], i);
            torn += c == OSCOPE_TORN;
            retried += c == OSCOPE_RETRIED;
        }
    if (torn)
        out_printf(o, "%zu %s torn", torn, torn == 1 ? "row" : "rows");
    if (retried)
        out_printf(o, torn ? ", %zu retried" : "%zu %s retried", retried,
                   retried == 1 ? "row" : "rows");
    if (!torn && !retried && v->consistency != OSCOPE_CONSISTENT)
        out_printf(o, "this answer is %s", oscope_consistency_name(v->consistency));
}

/* In JSON the labels are in the rows; what is missing and why is for people. */
static void render_notes(struct out *o, const struct oscope_view *v, const struct render_options *r)
{
    struct out line;

    out_init(&line, -1);
    if (!r->json)
        render_consistencies(&line, v);
    if (line.len)
        render_line(o, r, &line);
    for (size_t i = 0; i < v->nnotes; i++) {
        line.len = 0;
        out_str(&line, "note: ");
        render_text_safe(&line, r, v->notes[i], 0);
        render_line(o, r, &line);
    }
    out_free(&line);
}

void render_view(struct out *o, struct out *notes, const struct oscope_view *v,
                 const struct render_options *r)
{
    static void (*const forms[])(struct out *, const struct oscope_table *,
                                 const struct render_options *) = {
        [RENDER_TABLE] = render_table, [RENDER_TREE] = render_table, [RENDER_INFO] = render_info,
        [RENDER_PRINT] = render_print, [RENDER_GRID] = render_grid,  [RENDER_BT] = render_bt,
        [RENDER_DMESG] = render_dmesg, [RENDER_MAPS] = render_maps,  [RENDER_CHAIN] = render_chain,
    };

    if (r->json) {
        render_json(o, v, r);
        render_notes(notes, v, r);
        return;
    }
    if (r->form == RENDER_REPORT || r->form == RENDER_GANTT) {
        (r->form == RENDER_REPORT ? render_report : render_gantt)(o, v, r);
        render_notes(notes, v, r);
        return;
    }
    for (size_t k = 0; k < v->ntables; k++) {
        if (k)
            out_char(o, '\n');
        /* chosen columns mean a plain table, whatever the view's usual form */
        (r->names ? render_table : forms[r->form])(o, &v->tables[k], r);
    }
    render_notes(notes, v, r);
}
