/* SPDX-License-Identifier: MIT */
/*
 * Views whose text has a form that users know from elsewhere: dmesg(1), a debugger's backtrace and
 * structure printing; and those that are "key: value" lines or a chain. Long lines are broken at
 * words on a terminal.
 */
#include "draw/render.h"
#include "draw/text.h"

#include <stdio.h>

#define ULL(x) ((unsigned long long)(x))

/* Cells left for a text that begins at cell `at`; 0: no limit. */
static size_t forms_left(const struct render_options *r, size_t at)
{
    if (!r->term.width)
        return 0;
    return at + 8 < (size_t)r->term.width ? (size_t)r->term.width - at : 8;
}

/* ---- info ---- */

void render_info(struct out *o, const struct oscope_table *t, const struct render_options *r)
{
    const struct oscope_column *cols[RENDER_COLUMNS_MAX];
    size_t ncols = render_columns(t, r, cols), widest = 0;
    struct out cell;

    out_init(&cell, -1);
    for (size_t k = 0; k < ncols; k++)
        if (strlen(cols[k]->name) > widest)
            widest = strlen(cols[k]->name);
    for (size_t i = 0; i < t->nrows; i++) {
        for (size_t k = 0; k < ncols; k++) {
            size_t n = strlen(cols[k]->name);
            cell.len = 0;
            render_cell(&cell, cols[k], render_row(t, i), r);
            if (!cell.len || (cell.len == 1 && cell.buf[0] == '-'))
                continue; /* nothing to say */
            char head[64];
            for (size_t j = 0; j < n && j < sizeof head; j++)
                head[j] = cols[k]->name[j] == '_' ? ' ' : cols[k]->name[j];
            render_sgr(o, r, "1", head, n < sizeof head ? n : sizeof head);
            out_char(o, ':');
            out_fill(o, ' ', widest + 1 - n);
            text_wrap(o, cell.buf, cell.len,
                      &(struct text_lines){(size_t)r->term.width, widest + 2, widest + 2});
            out_char(o, '\n');
        }
    }
    out_free(&cell);
}

/* ---- print ---- */

static void print_open(struct out *o, const struct oscope_value *v, const struct render_options *r)
{
    out_fill(o, ' ', 2 * (size_t)v->depth);
    if (v->depth) {
        const char *name = v->name && *v->name ? v->name : NULL;
        if (name && name[0] != '[')
            out_char(o, '.');
        if (name) {
            render_text_safe(o, r, name, 0);
            out_str(o, " = ");
        }
        return;
    }
    if (v->type && *v->type) {
        render_text_safe(o, r, v->type, 0);
        out_char(o, ' ');
    }
    render_text_safe(o, r, v->path, 0);
    out_str(o, " = ");
}

/* Closes the braces of open aggregates down to `depth`. */
static void print_close(struct out *o, uint32_t *open, uint32_t depth)
{
    while (*open > depth) {
        --*open;
        out_fill(o, ' ', 2 * (size_t)*open);
        out_str(o, *open ? "},\n" : "}\n");
    }
}

void render_print(struct out *o, const struct oscope_table *t, const struct render_options *r)
{
    const struct oscope_value *v = t->rows;
    uint32_t open = 0; /* aggregates begun and not closed */

    if (t->row_size != sizeof *v)
        return;
    for (size_t i = 0; i < t->nrows; i++) {
        struct oscope_value row = v[i];
        /* rows come in order; a depth that skips levels would open braces nobody closes */
        if (row.depth > open)
            row.depth = open;
        print_close(o, &open, row.depth);
        print_open(o, &row, r);
        bool filled = row.aggregate && i + 1 < t->nrows && v[i + 1].depth > row.depth;
        if (filled) {
            out_char(o, '{');
            if (!row.depth)
                out_printf(o, " /* 0x%llx */", ULL(row.address));
            out_char(o, '\n');
            open = row.depth + 1;
            continue;
        }
        if (row.value && *row.value)
            render_text_safe(o, r, row.value, 0);
        else
            out_str(o, row.aggregate ? "{}" : "-");
        if (row.depth)
            out_char(o, ',');
        if (render_consistency(t, i) == OSCOPE_TORN)
            out_str(o, " /* torn */");
        out_char(o, '\n');
    }
    print_close(o, &open, 0);
}

/* ---- bt ---- */

static void bt_frame(struct out *o, const struct oscope_frame *f, const struct render_options *r)
{
    char head[64];
    int n = snprintf(head, sizeof head, "%s%-3u 0x%016llx ", "#", f->frame, ULL(f->address));

    out_mem(o, head, (size_t)n);
    struct out name;
    out_init(&name, -1);
    if (f->guess)
        out_str(&name, "? ");
    render_text_safe(&name, r, f->symbol, forms_left(r, (size_t)n + 2));
    render_sgr(o, r, f->guess ? "2" : NULL, name.buf ? name.buf : "", name.len);
    out_free(&name);
    out_char(o, '\n');
}

void render_bt(struct out *o, const struct oscope_table *t, const struct render_options *r)
{
    const struct oscope_frame *f = t->rows;
    char id[24];

    if (t->row_size != sizeof *f)
        return;
    for (size_t i = 0; i < t->nrows; i++) {
        if (!i || f[i].pid != f[i - 1].pid || f[i].frame <= f[i - 1].frame) {
            struct out head;
            if (i)
                out_char(o, '\n');
            out_init(&head, -1);
            out_printf(&head, "PID %s", oscope_thread_text(f[i].pid, id));
            if (f[i].tgid != f[i].pid && f[i].tgid > 0 && f[i].pid < OSCOPE_THREAD)
                out_printf(&head, " of %d", f[i].tgid);
            out_str(&head, " (");
            render_text_safe(&head, r, f[i].comm, 0);
            out_char(&head, ')');
            render_sgr(o, r, "1", head.buf ? head.buf : "", head.len);
            out_free(&head);
            if (f[i].task_state && *f[i].task_state) {
                out_str(o, ", ");
                render_text_safe(o, r, f[i].task_state, 0);
            }
            if (render_consistency(t, i) != OSCOPE_CONSISTENT)
                out_printf(o, " [%s]", oscope_consistency_name(render_consistency(t, i)));
            out_char(o, '\n');
        }
        /* a task without a kernel stack to show has one row without an address */
        if (f[i].address || (f[i].symbol && *f[i].symbol))
            bt_frame(o, &f[i], r);
    }
}

/* ---- dmesg ---- */

static const char *dmesg_color(unsigned level)
{
    if (level <= 2)
        return "1;31"; /* emergency, alert, critical */
    if (level == 3)
        return "31";
    if (level == 4)
        return "33";
    return level == 7 ? "2" : NULL;
}

void render_dmesg(struct out *o, const struct oscope_table *t, const struct render_options *r)
{
    const struct oscope_log_record *l = t->rows;
    struct out line;

    if (t->row_size != sizeof *l)
        return;
    out_init(&line, -1);
    for (size_t i = 0; i < t->nrows; i++) {
        char stamp[48];
        const char *s = l[i].text ? l[i].text : "", *end;
        uint64_t us = l[i].time / 1000;
        if (l[i].time == OSCOPE_UNKNOWN)
            snprintf(stamp, sizeof stamp, "[           -] ");
        else
            snprintf(stamp, sizeof stamp, "[%5llu.%06llu] ", ULL(us / 1000000), ULL(us % 1000000));
        do { /* a record may have several lines */
            end = strchrnul(s, '\n');
            line.len = 0;
            for (const char *part = s; part < end; part++) { /* tabs stay, as in dmesg(1) */
                size_t n = strcspn(part, "\t\n");
                text_safe(&line, part, n, r->term.utf8 || !r->term.tty);
                part += n;
                if (part < end)
                    out_char(&line, '\t');
            }
            render_sgr(o, r, "32", stamp, strlen(stamp));
            render_sgr(o, r, dmesg_color(l[i].level), line.buf ? line.buf : "", line.len);
            out_char(o, '\n');
            s = end + 1;
        } while (*end && *s);
    }
    out_free(&line);
}

/* ---- pt --va ---- */

static void chain_step(struct out *o, const struct oscope_pte_step *s,
                       const struct render_options *r)
{
    out_printf(o, "level %u  table 0x%llx [%u]", s->level, ULL(s->table), s->index);
    if (s->pte != OSCOPE_UNKNOWN)
        out_printf(o, " = 0x%016llx", ULL(s->pte));
    out_str(o, "  ");
    render_sgr(o, r, "1", s->kind ? s->kind : "-", s->kind ? strlen(s->kind) : 1);
    if (s->pa != OSCOPE_UNKNOWN)
        out_printf(o, " -> 0x%llx", ULL(s->pa));
    if (s->page_size && s->page_size != OSCOPE_UNKNOWN) {
        out_str(o, ", ");
        text_bytes(o, s->page_size, r->exact);
    }
    if (s->decoded && *s->decoded) {
        out_str(o, "  ");
        render_text_safe(o, r, s->decoded, 0);
    }
}

void render_chain(struct out *o, const struct oscope_table *t, const struct render_options *r)
{
    const struct oscope_pte_step *s = t->rows;
    struct out line;

    if (t->row_size != sizeof *s) { /* --va may be answered with a table of regions */
        render_table(o, t, r);
        return;
    }
    out_init(&line, -1);
    for (size_t i = 0; i < t->nrows; i++) {
        size_t indent = 2 * (i < 8 ? i : 8);
        line.len = 0;
        chain_step(&line, &s[i], r);
        out_fill(o, ' ', indent);
        text_wrap(o, line.buf ? line.buf : "", line.len,
                  &(struct text_lines){(size_t)r->term.width, indent, indent + 9});
        out_char(o, '\n');
    }
    out_free(&line);
}
