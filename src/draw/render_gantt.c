/* SPDX-License-Identifier: MIT */
/*
 * `report sched --gantt`: one line a vCPU, time from left to right, a letter for the task that had
 * most of the cell. Draws the slices of the view, in which everything is decided already: idle is a
 * slice of thread 0, and where no slice lies it is not known what ran.
 */
#include "draw/render.h"
#include "draw/text.h"

#include <stdio.h>
#include <stdlib.h>

enum { GANTT_WIDTH = 80, GANTT_HEAD = 8, GANTT_MARKS = 62 };

struct gantt_task {
    int32_t tid;
    const char *comm; /* of its last slice, not terminated beyond its array */
    uint64_t run;
    char mark;
};

struct gantt {
    const struct oscope_sched_slice *slices;
    size_t n;
    uint64_t start, duration;
    size_t cells;
    uint64_t *shares; /* of this line: cells × (marks + idle) */
    struct gantt_task *tasks;
    size_t ntasks;
    bool whole; /* the slices are all of what is known */
};

static const char gantt_marks[GANTT_MARKS + 1] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
static const char *const gantt_colors[] = {"32", "36", "33", "35", "34", "31"};

static int gantt_by_tid(const void *a, const void *b)
{
    const struct gantt_task *x = a, *y = b;

    return (x->tid > y->tid) - (x->tid < y->tid);
}

static int gantt_by_run(const void *a, const void *b)
{
    const struct gantt_task *x = a, *y = b;

    return x->run != y->run ? (x->run < y->run ? 1 : -1) : gantt_by_tid(a, b);
}

/* The tasks by how much of the picture they fill; the first ones get a letter of their own. */
static bool gantt_legend(struct gantt *g)
{
    size_t n = 0;

    g->tasks = calloc(g->n ? g->n : 1, sizeof *g->tasks);
    if (!g->tasks)
        return false;
    for (size_t i = 0; i < g->n; i++)
        if (g->slices[i].tid)
            g->tasks[n++] = (struct gantt_task){g->slices[i].tid, g->slices[i].comm,
                                                g->slices[i].duration, '*'};
    qsort(g->tasks, n, sizeof *g->tasks, gantt_by_tid);
    for (size_t i = 0; i < n; i++) {
        if (g->ntasks && g->tasks[g->ntasks - 1].tid == g->tasks[i].tid)
            g->tasks[g->ntasks - 1].run += g->tasks[i].run;
        else
            g->tasks[g->ntasks++] = g->tasks[i];
    }
    qsort(g->tasks, g->ntasks, sizeof *g->tasks, gantt_by_run);
    for (size_t i = 0; i < g->ntasks && i < GANTT_MARKS; i++)
        g->tasks[i].mark = gantt_marks[i];
    qsort(g->tasks, g->ntasks, sizeof *g->tasks, gantt_by_tid);
    return true;
}

enum { GANTT_OTHERS = GANTT_MARKS, GANTT_IDLE, GANTT_KINDS };

static size_t gantt_kind(const struct gantt *g, int32_t tid)
{
    struct gantt_task key = {.tid = tid};

    if (!tid)
        return GANTT_IDLE;
    const struct gantt_task *t = bsearch(&key, g->tasks, g->ntasks, sizeof key, gantt_by_tid);
    const char *at = t && t->mark != '*' ? strchr(gantt_marks, t->mark) : NULL;
    return at ? (size_t)(at - gantt_marks) : GANTT_OTHERS;
}

/* Where a time lies, in cells: double, for a product of ns and cells may not fit. */
static double gantt_at(const struct gantt *g, uint64_t time)
{
    return (double)(time - g->start) / (double)g->duration * (double)g->cells;
}

static void gantt_fill(struct gantt *g, uint32_t cpu)
{
    enum { UNIT = 1 << 20 };

    memset(g->shares, 0, g->cells * GANTT_KINDS * sizeof *g->shares);
    for (size_t i = 0; i < g->n; i++) {
        const struct oscope_sched_slice *s = &g->slices[i];
        if (s->cpu != cpu || s->start < g->start)
            continue;
        double from = gantt_at(g, s->start), to = gantt_at(g, s->start + s->duration);
        size_t kind = gantt_kind(g, s->tid);
        for (size_t c = (size_t)from; c < g->cells && (double)c < to; c++) {
            double a = from > (double)c ? from : (double)c;
            double b = to < (double)c + 1 ? to : (double)c + 1;
            g->shares[c * GANTT_KINDS + kind] += (uint64_t)((b - a) * UNIT);
        }
    }
}

static void gantt_line(struct out *o, struct gantt *g, uint32_t cpu, const struct render_options *r)
{
    char head[32];
    int used = snprintf(head, sizeof head, "cpu %u", cpu);

    gantt_fill(g, cpu);
    out_mem(o, head, (size_t)used);
    out_fill(o, ' ', used < GANTT_HEAD - 1 ? (size_t)(GANTT_HEAD - 1 - used) : 0);
    out_char(o, '|');
    for (size_t c = 0; c < g->cells; c++) {
        const uint64_t *shares = &g->shares[c * GANTT_KINDS];
        size_t best = GANTT_KINDS;
        for (size_t k = 0; k < GANTT_KINDS; k++)
            if (shares[k] && (best == GANTT_KINDS || shares[k] > shares[best]))
                best = k;
        char mark = best < GANTT_MARKS     ? gantt_marks[best]
                    : best == GANTT_OTHERS ? '*'
                    : best == GANTT_IDLE   ? '.'
                                           : ' ';
        render_sgr(o, r, best < GANTT_MARKS ? gantt_colors[best % 6] : NULL, &mark, 1);
    }
    out_str(o, "|\n");
}

static void gantt_axis(struct out *o, const struct gantt *g, const struct render_options *r)
{
    struct out end;

    out_init(&end, -1);
    text_fine(&end, g->duration);
    out_fill(o, ' ', GANTT_HEAD);
    out_char(o, '0');
    if (g->cells > end.len + 1)
        out_fill(o, ' ', g->cells - end.len - 1);
    out_mem(o, end.buf, end.len);
    out_char(o, '\n');
    out_free(&end);
}

static void gantt_names(struct out *o, struct gantt *g, const struct render_options *r)
{
    struct text_lines lines = {.width = GANTT_HEAD + g->cells + 1, .indent = 2};
    struct out line;
    bool others = false;

    qsort(g->tasks, g->ntasks, sizeof *g->tasks, gantt_by_run);
    out_init(&line, -1);
    for (size_t i = 0; i < g->ntasks; i++) {
        const struct gantt_task *t = &g->tasks[i];
        char id[24];
        others = others || t->mark == '*';
        if (t->mark == '*')
            continue;
        /* blanks within an entry must not break it: they are no-break only in UTF-8 */
        out_printf(&line, "%s%c=", line.len ? "  " : "", t->mark);
        text_safe(&line, t->comm, strnlen(t->comm, sizeof g->slices->comm), r->term.utf8);
        out_printf(&line, "/%s", oscope_thread_text(t->tid, id));
    }
    if (others)
        out_str(&line, "  *=others");
    out_printf(&line, "%s.=idle  blank=%s", line.len ? "  " : "",
               g->whole ? "unknown" : "not shown or unknown");
    text_wrap(o, line.buf ? line.buf : "", line.len, &lines);
    out_char(o, '\n');
    out_free(&line);
}

static const struct oscope_table *gantt_table(const struct oscope_view *v, const char *name,
                                              size_t row_size)
{
    for (size_t k = 0; k < v->ntables; k++)
        if (!strcmp(v->tables[k].name, name) && v->tables[k].row_size == row_size)
            return &v->tables[k];
    return NULL;
}

void render_gantt(struct out *o, const struct oscope_view *v, const struct render_options *r)
{
    const struct oscope_table *slices = gantt_table(v, "slices", sizeof(struct oscope_sched_slice));
    const struct oscope_table *cpus = gantt_table(v, "cpus", sizeof(struct oscope_sched_cpu));
    const struct oscope_table *interval =
        gantt_table(v, "interval", sizeof(struct oscope_report_interval));
    size_t width = (size_t)r->term.width;

    if (!slices || !cpus || !interval || !interval->nrows)
        return;
    const struct oscope_report_interval *i = interval->rows;
    struct gantt g = {.slices = slices->rows,
                      .n = slices->nrows,
                      .start = i->start,
                      .duration = i->duration ? i->duration : 1};
    g.cells = (width > GANTT_WIDTH ? width : GANTT_WIDTH) - GANTT_HEAD - 1;
    g.shares = calloc(g.cells * GANTT_KINDS, sizeof *g.shares);
    if (g.shares && gantt_legend(&g)) {
        const struct oscope_sched_cpu *c = cpus->rows;
        uint64_t known = 0, shown = 0;
        for (size_t k = 0; k < g.n; k++)
            shown += g.slices[k].duration;
        for (size_t k = 0; k < cpus->nrows; k++) {
            known += c[k].run + c[k].idle;
            gantt_line(o, &g, c[k].cpu, r);
        }
        g.whole = shown >= known;
        gantt_axis(o, &g, r);
        if (!r->no_header)
            gantt_names(o, &g, r);
    }
    free(g.tasks);
    free(g.shares);
}
