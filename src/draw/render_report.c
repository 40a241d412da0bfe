/* SPDX-License-Identifier: MIT */
/*
 * Reports as text: a line that says what they cover, then each table under its name. Histograms
 * become bars, many of them a heatmap, disks maps. Which tables are shown without being asked for
 * is the view's to say.
 */
#include "draw/render.h"
#include "draw/text.h"

enum { REPORT_BAR = 40 };

bool render_wanted(const struct oscope_table *t, const struct render_options *r)
{
    if (!r->tables)
        return r->json || !(t->flags & OSCOPE_TABLE_JSON_ONLY);
    for (size_t i = 0; r->tables[i]; i++)
        if (!strcmp(r->tables[i], t->name))
            return true;
    return false;
}

static void report_interval(struct out *o, const struct oscope_view *v,
                            const struct oscope_table *t, const struct render_options *r)
{
    const struct oscope_report_interval *i = t->rows;
    struct out line;

    if (t->row_size != sizeof *i || !t->nrows)
        return;
    out_init(&line, -1);
    out_printf(&line, "%s: ", v->name);
    text_fine(&line, i->duration);
    out_printf(&line, ", %u vCPU%s, %llu events", i->vcpus, i->vcpus == 1 ? "" : "s",
               (unsigned long long)i->events);
    if (i->gaps || i->lost || i->discarded || i->damaged)
        out_str(&line, ", some lost");
    render_sgr(o, r, "1", line.buf, line.len);
    out_char(o, '\n');
    out_free(&line);
}

static void report_bars(struct out *o, const struct oscope_table *t, const struct render_options *r)
{
    const struct oscope_histogram_bin *b = t->rows;
    uint64_t most = 0;

    for (size_t i = 0; i < t->nrows; i++)
        most = b[i].count > most ? b[i].count : most;
    for (size_t i = 0; i < t->nrows; i++) {
        struct out cell;
        bool begins = !i || strcmp(b[i].name, b[i - 1].name) != 0;
        if (begins && strcmp(b[0].name, b[t->nrows - 1].name) != 0) { /* more than one */
            render_text_safe(o, r, b[i].name, 0);
            out_char(o, '\n');
        }
        out_init(&cell, -1);
        text_fine(&cell, b[i].low);
        out_fill(o, ' ', cell.len < 9 ? 9 - cell.len : 0);
        out_mem(o, cell.buf, cell.len);
        out_printf(o, " %8llu %5.1f %%  ", (unsigned long long)b[i].count, b[i].share);
        size_t n = (size_t)((double)b[i].count * REPORT_BAR / (double)(most ? most : 1) + 0.5);
        for (n = !n && b[i].count ? 1 : n; n--;)
            out_str(o, r->term.utf8 ? "\xe2\x96\x88" : "#");
        while (o->len && o->buf[o->len - 1] == ' ')
            o->len--;
        out_char(o, '\n');
        out_free(&cell);
    }
}

static void report_table(struct out *o, const struct oscope_table *t,
                         const struct render_options *r)
{
    struct oscope_table shown = *t;

    if (r->top && shown.nrows > r->top)
        shown.nrows = r->top;
    size_t more = t->nrows - shown.nrows;
    bool newest = t->flags & OSCOPE_TABLE_NEWEST;
    if (newest && more)
        shown.rows = (char *)t->rows + more * t->row_size;
    render_table(o, &shown, r);
    if (more)
        out_printf(o, "%s %zu more%s (--top)\n", r->term.utf8 ? "\xe2\x80\xa6" : "...", more,
                   newest ? " before these" : "");
}

void render_report(struct out *o, const struct oscope_view *v, const struct render_options *r)
{
    bool chosen = r->tables || r->names, first = true;

    for (size_t k = 0; k < v->ntables; k++) {
        const struct oscope_table *t = &v->tables[k];
        bool interval = !k && !chosen && !strcmp(t->name, "interval");
        if (!render_wanted(t, r) || (!t->nrows && !r->tables))
            continue;
        if (interval) {
            report_interval(o, v, t, r);
            first = false;
            continue;
        }
        const struct oscope_column *cols[RENDER_COLUMNS_MAX];
        if (!render_columns(t, r, cols)) /* none of the columns wanted */
            continue;
        if (!first)
            out_char(o, '\n');
        first = false;
        if (!r->no_header) {
            render_sgr(o, r, "1", t->name, strlen(t->name));
            out_char(o, '\n');
        }
        bool bars = t->row_size == sizeof(struct oscope_histogram_bin) && render_column(t, "low") &&
                    !r->names;
        bool map = t->row_size == sizeof(struct oscope_blk_region) && render_column(t, "sectors") &&
                   render_column(t, "disk") && !r->names;
        bool grid =
            t->row_size == sizeof(struct oscope_heat_cell) && render_column(t, "hot") && !r->names;
        bool many = (t->flags & OSCOPE_TABLE_HEATMAP) && render_column(t, "low") && !r->names;
        (map    ? render_disks
         : grid ? render_heat
         : many ? render_heatmap
         : bars ? report_bars
                : report_table)(o, t, r);
    }
}
