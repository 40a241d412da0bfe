/* SPDX-License-Identifier: MIT */
/*
 * JSON, streamed: an array of flat objects, whatever the view. Field names are the columns' names;
 * `consistency` is always there. Addresses are strings ("0x…", 64 bits do not fit a JSON number),
 * what is not known is null, sizes are bytes, times nanoseconds.
 */
#include "draw/render.h"
#include "draw/text.h"

#include <math.h>

void render_json_value(struct out *o, const struct oscope_column *c, const void *row)
{
    bool unknown;
    size_t n;

    if (c->kind == OSCOPE_TEXT || c->kind == OSCOPE_CHARS) {
        const char *s = render_chars(c, row, &n);
        if (s)
            text_json(o, s, n);
        else
            out_str(o, "null");
        return;
    }
    if (c->kind == OSCOPE_REAL) {
        double d;
        memcpy(&d, (const char *)row + c->offset, sizeof d);
        if (isfinite(d))
            out_printf(o, "%.9g", d);
        else
            out_str(o, "null");
        return;
    }
    uint64_t v = render_uint(c, row, &unknown);
    if (unknown) {
        out_str(o, "null");
        return;
    }
    switch (c->kind) {
    case OSCOPE_INT: out_signed(o, (int64_t)v); break;
    case OSCOPE_HEX:
        out_char(o, '"');
        out_hex(o, v);
        out_char(o, '"');
        break;
    case OSCOPE_BOOLEAN: out_str(o, v ? "true" : "false"); break;
    default: out_dec(o, v); break;
    }
}

static void json_row(struct out *o, const struct oscope_view *v, const struct oscope_table *t,
                     const struct oscope_column *const *cols, size_t ncols, size_t row)
{
    enum oscope_consistency consistency = render_consistency(t, row);
    bool has_own = false;

    out_char(o, '{');
    if (v->ntables > 1) {
        out_str(o, "\"table\":");
        text_json(o, t->name, strlen(t->name));
        out_char(o, ',');
    }
    for (size_t k = 0; k < ncols; k++) {
        if (cols[k]->kind == OSCOPE_CONSISTENCY)
            continue;
        out_char(o, '"');
        out_str(o, cols[k]->name);
        out_str(o, "\":");
        render_json_value(o, cols[k], render_row(t, row));
        out_char(o, ',');
    }
    for (const struct oscope_column *c = t->columns; c->name; c++)
        has_own = has_own || c->kind == OSCOPE_CONSISTENCY;
    if (!has_own)
        consistency = v->consistency;
    out_str(o, "\"consistency\":\"");
    out_str(o, oscope_consistency_name(consistency));
    out_str(o, "\"}");
}

void render_json(struct out *o, const struct oscope_view *v, const struct render_options *r)
{
    const struct oscope_column *cols[RENDER_COLUMNS_MAX];
    bool first = true;

    out_char(o, '[');
    for (size_t k = 0; k < v->ntables; k++) {
        const struct oscope_table *t = &v->tables[k];
        if (r->tables && !render_wanted(t, r))
            continue;
        size_t ncols = render_columns(t, r, cols);
        if (!ncols && v->ntables > 1) /* the columns wanted are of other tables */
            continue;
        for (size_t i = 0; i < t->nrows; i++) {
            if (!first)
                out_char(o, ',');
            if (!r->one_line)
                out_char(o, '\n');
            first = false;
            json_row(o, v, t, cols, ncols, i);
        }
    }
    out_str(o, r->one_line || first ? "]\n" : "\n]\n");
}
