/* SPDX-License-Identifier: MIT */
/*
 * See gantt.h: the window, the marks, and what cells stand for; gantt_draw.c draws them.
 *
 * Slices of one vCPU follow one another and all are sorted by their start, so one pass over them
 * fills all lines: each has the sums of the eighth of a cell that it is in (a "sub").
 */
#include "tui/gantt.h"

#include "base/util.h"
#include "tui/theme.h"

#include <stdlib.h>

enum {
    SUBS = 8,
    TASKS = 4096,  /* of the window that marks are chosen among; a power of two */
    CELL_NS = 100, /* of a cell, at least */
};
#define SPAN_NS   (UINT64_C(1000000000))
#define SPAN_MOST (UINT64_C(3600) * 1000000000)

/* ---- moving ---- */

void gantt_begin(struct gantt *g)
{
    g->span = SPAN_NS;
    g->follow = true;
}

static uint64_t cell_ns(const struct gantt *g)
{
    return MAX(g->span / (uint64_t)MAX(g->cells, 1), (uint64_t)1);
}

/* Brings the cursor into the window by moving that. */
static void show_cursor(struct gantt *g)
{
    if (g->cursor < g->from)
        g->from = g->cursor;
    else if (g->cursor - g->from >= g->span)
        g->from = g->cursor - g->span + cell_ns(g);
}

void gantt_fit(struct gantt *g, const struct gantt_data *d, int cells, int rows)
{
    uint64_t length = d->end > d->start ? d->end - d->start : 0;
    uint64_t most = MIN(MAX(length, SPAN_NS), SPAN_MOST);

    g->cells = MAX(cells, 1);
    g->rows = MAX(MIN(rows, (int)MIN(d->vcpus, (uint32_t)INT16_MAX)), 0);
    g->span = MIN(MAX(g->span, (uint64_t)g->cells * CELL_NS), most);
    if (g->follow) {
        g->from = d->end - MIN(d->end, g->span);
        g->cursor = d->end ? d->end - 1 : 0;
    }
    g->cpu = d->vcpus ? MIN(g->cpu, d->vcpus - 1) : 0;
    if (g->cpu < g->top)
        g->top = g->cpu;
    if (g->rows && g->cpu >= g->top + (uint32_t)g->rows)
        g->top = g->cpu - (uint32_t)g->rows + 1;
    g->top = MIN(g->top, d->vcpus - (uint32_t)g->rows);
    show_cursor(g);
}

void gantt_zoom(struct gantt *g, const struct gantt_data *d, bool out)
{
    uint64_t before = g->span, at = g->cursor - MIN(g->cursor, g->from);

    g->span = out ? g->span * 2 : g->span / 2;
    gantt_fit(g, d, g->cells, g->rows);
    if (g->follow)
        return;
    uint64_t left = (uint64_t)((double)at / (double)before * (double)g->span);
    g->from = g->cursor - MIN(g->cursor, left);
    show_cursor(g);
}

void gantt_go(struct gantt *g, uint64_t time, uint32_t cpu)
{
    g->follow = false;
    g->cursor = time;
    g->cpu = cpu;
    if (time < g->from || time - g->from >= g->span) /* far away: in the middle */
        g->from = time - MIN(time, g->span / 2);
}

void gantt_move(struct gantt *g, const struct gantt_data *d, int cells)
{
    uint64_t n = (uint64_t)MAX(g->cells, 1); /* rounded up: into the next cell */
    uint64_t step = (g->span * (uint64_t)abs(cells) + n - 1) / n;
    uint64_t last = MAX(d->last, MAX(d->end, (uint64_t)1)) - 1;

    g->follow = g->follow && cells > 0 && g->cursor >= last;
    if (cells < 0)
        g->cursor -= MIN(g->cursor, step);
    else
        g->cursor += MIN(MAX(last, g->cursor) - g->cursor, step);
    show_cursor(g);
}

/* How many slices begin before that time or then. */
static size_t begun(const struct gantt_data *d, uint64_t time)
{
    size_t low = 0, high = d->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (d->slices[mid].start <= time)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

bool gantt_switch(struct gantt *g, const struct gantt_data *d, int32_t tid, bool back)
{
    size_t i = begun(d, g->cursor);

    for (i = back ? i - 1 : i; i < d->n; i = back ? i - 1 : i + 1) {
        const struct oscope_sched_slice *s = &d->slices[i];
        if ((tid ? s->tid == tid : s->cpu == g->cpu) && s->start != g->cursor) {
            gantt_go(g, s->start, s->cpu);
            return true;
        }
    }
    return false;
}

const struct oscope_sched_slice *gantt_at(const struct gantt *g, const struct gantt_data *d)
{
    for (size_t i = begun(d, g->cursor); i--;) {
        const struct oscope_sched_slice *s = &d->slices[i];
        if (s->cpu == g->cpu)
            return g->cursor - s->start < s->duration ? s : NULL;
    }
    return NULL;
}

/* ---- marks ---- */

struct task {
    int32_t tid; /* 0: free */
    uint64_t run;
    const char *comm;
};

static struct task *find(struct task *tasks, int32_t tid)
{
    uint32_t i = (uint32_t)tid * 0x9e3779b1u >> 20;

    for (unsigned n = 0; n < TASKS; n++, i++) {
        struct task *t = &tasks[i % TASKS];
        if (!t->tid || t->tid == tid)
            return t;
    }
    return NULL;
}

/* How much of the slice lies in the window. */
static uint64_t in_window(const struct gantt *g, const struct oscope_sched_slice *s)
{
    uint64_t from = MAX(s->start, g->from);
    uint64_t to = MIN(s->start + s->duration, g->from + g->span);

    return to > from ? to - from : 0;
}

static void sum_up(const struct gantt *g, const struct gantt_data *d, struct task *tasks)
{
    size_t n = begun(d, g->from + g->span), have = 0;

    for (size_t i = 0; i < n; i++) {
        const struct oscope_sched_slice *s = &d->slices[i];
        uint64_t run = s->tid ? in_window(g, s) : 0;
        struct task *t = run ? find(tasks, s->tid) : NULL;
        if (!t || (!t->tid && ++have > TASKS / 2)) /* it has no mark then */
            continue;
        t->tid = s->tid;
        t->run += run;
        t->comm = s->comm;
    }
}

static int by_run(const void *a, const void *b)
{
    const struct task *x = a, *y = b;

    if (x->run != y->run)
        return x->run < y->run ? 1 : -1;
    return (x->tid > y->tid) - (x->tid < y->tid);
}

/* A mark of a task that is not to be seen, in the colour that is used least; the one that was not
 * used for longest. NULL: all are in use. */
static struct gantt_mark *spare(struct gantt *g, unsigned hues)
{
    unsigned used[GANTT_MARKS] = {0};
    struct gantt_mark *best = NULL;

    for (unsigned i = 0; i < GANTT_MARKS; i++)
        used[i % hues] += g->marks[i].run > 0;
    for (unsigned i = 0; i < GANTT_MARKS; i++) {
        struct gantt_mark *m = &g->marks[i];
        unsigned b = best ? (unsigned)(best - g->marks) : 0;
        if (!m->run && (!best || used[i % hues] < used[b % hues] ||
                        (used[i % hues] == used[b % hues] && m->seen < best->seen)))
            best = m;
    }
    return best;
}

void gantt_mark(struct gantt *g, const struct gantt_data *d)
{
    struct task *tasks = calloc(TASKS, sizeof *tasks);
    size_t n = 0;

    if (!tasks)
        return;
    sum_up(g, d, tasks);
    g->drawings++;
    for (unsigned i = 0; i < GANTT_MARKS; i++) {
        struct gantt_mark *m = &g->marks[i];
        struct task *t = m->tid ? find(tasks, m->tid) : NULL;
        m->run = t && t->tid ? t->run : 0;
        if (!m->run)
            continue;
        m->seen = g->drawings;
        memcpy(m->comm, t->comm, sizeof m->comm);
        t->run = 0; /* has one */
    }
    for (unsigned i = 0; i < TASKS; i++)
        if (tasks[i].tid && tasks[i].run) {
            tasks[n] = tasks[i];
            if (tasks[n].tid == g->selected) /* before all others */
                tasks[n].run |= UINT64_C(1) << 63;
            n++;
        }
    qsort(tasks, n, sizeof *tasks, by_run);
    for (size_t i = 0; i < n; i++) {
        struct gantt_mark *m = spare(g, THEME_HUES);
        if (!m)
            break;
        *m = (struct gantt_mark){.tid = tasks[i].tid, .run = tasks[i].run, .seen = g->drawings};
        memcpy(m->comm, tasks[i].comm, sizeof m->comm);
    }
    free(tasks);
}

unsigned gantt_kind(const struct gantt *g, int32_t tid)
{
    if (!tid)
        return GANTT_IDLE;
    for (unsigned i = 0; i < GANTT_MARKS; i++)
        if (g->marks[i].tid == tid)
            return i;
    return GANTT_OTHERS;
}

/* ---- cells ---- */

/* One vCPU's line as it is filled. */
struct lane {
    struct gantt_cell *cells;
    bool begun;               /* a slice came */
    long sub;                 /* that the sums are of */
    double sums[GANTT_KINDS]; /* of it; 1 is all */
    uint8_t kinds[SUBS];      /* of its cell so far */
    uint8_t little;
    double most; /* of little */
};

struct raster {
    const struct gantt *g;
    const struct gantt_data *d;
    unsigned selected; /* kind; GANTT_NOTHING: none */
    double sub_ns;
};

/* The kinds of a cell's eighths as two sides. */
static void split(const uint8_t kinds[SUBS], struct gantt_cell *c)
{
    unsigned best = 0, same = 1;

    while (same < SUBS && kinds[same] == kinds[0])
        same++;
    if (same == SUBS) {
        *c = (struct gantt_cell){kinds[0], kinds[0], SUBS, GANTT_NOTHING, c->whole};
        return;
    }
    for (unsigned at = SUBS; at > 0; at--) { /* whole first: only what is better splits */
        unsigned left[GANTT_KINDS] = {0}, right[GANTT_KINDS] = {0};
        uint8_t l = kinds[0], r = kinds[SUBS - 1];
        for (unsigned i = 0; i < SUBS; i++) {
            uint8_t k = kinds[i];
            if (i < at && ++left[k] > left[l])
                l = k;
            if (i >= at && ++right[k] > right[r])
                r = k;
        }
        unsigned fits = left[l] + (at < SUBS ? right[r] : 0);
        if (fits <= best)
            continue;
        best = fits;
        *c = (struct gantt_cell){l, at < SUBS ? r : l, (uint8_t)at, GANTT_NOTHING, c->whole};
    }
}

static void end_cell(struct lane *l, size_t cell)
{
    struct gantt_cell *c = &l->cells[cell];

    split(l->kinds, c);
    if (l->little != c->left && l->little != c->right)
        c->little = l->little;
    l->little = GANTT_NOTHING;
    l->most = 0;
}

/* What most of the sub went to. */
static void end_sub(const struct raster *r, struct lane *l)
{
    double sum = 0, most = 0;
    uint8_t best = GANTT_UNKNOWN;
    uint64_t time = r->g->from + (uint64_t)(((double)l->sub + 0.5) * r->sub_ns);

    for (unsigned k = 0; k < GANTT_KINDS; k++) {
        sum += l->sums[k];
        if (l->sums[k] > most) {
            most = l->sums[k];
            best = (uint8_t)k;
        }
        if (k > GANTT_OTHERS || l->sums[k] <= 0)
            continue;
        if (l->little == r->selected && l->little != GANTT_NOTHING)
            continue;
        if (k == r->selected || l->sums[k] > l->most) {
            l->most = l->sums[k];
            l->little = (uint8_t)k;
        }
    }
    if (1 - sum > most)
        best = l->begun && time >= r->d->start && time < r->d->end ? GANTT_UNKNOWN : GANTT_NOTHING;
    l->kinds[l->sub % SUBS] = best;
    memset(l->sums, 0, sizeof l->sums);
    if (++l->sub % SUBS == 0)
        end_cell(l, (size_t)(l->sub / SUBS) - 1);
}

static void add(const struct raster *r, struct lane *l, size_t i)
{
    const struct oscope_sched_slice *s = &r->d->slices[i];
    double from = s->start > r->g->from ? (double)(s->start - r->g->from) / r->sub_ns : 0;
    double to = (double)(s->start + s->duration - r->g->from) / r->sub_ns;
    long subs = (long)r->g->cells * SUBS;
    unsigned kind = gantt_kind(r->g, s->tid);

    from = MAX(from, (double)l->sub);
    to = MIN(to, (double)subs);
    while (l->sub < subs && (double)l->sub + 1 <= from)
        end_sub(r, l);
    l->begun = true;
    for (size_t c = (size_t)((from + SUBS - 1) / SUBS); (double)(c + 1) * SUBS <= to; c++)
        l->cells[c].whole = (uint32_t)i + 1;
    while (l->sub < subs && (double)l->sub < to) {
        double end = MIN(to, (double)l->sub + 1);
        l->sums[kind] += end - MAX(from, (double)l->sub);
        if (end < (double)l->sub + 1)
            break; /* more may come */
        end_sub(r, l);
    }
}

bool gantt_raster(const struct gantt *g, const struct gantt_data *d, struct gantt_cell *out)
{
    struct lane *lanes = calloc((size_t)MAX(g->rows, 1), sizeof *lanes);
    struct raster r = {g, d, g->selected ? gantt_kind(g, g->selected) : GANTT_NOTHING,
                       (double)g->span / ((double)g->cells * SUBS)};
    size_t n = begun(d, g->from + g->span);

    if (!lanes)
        return false;
    memset(out, 0, (size_t)g->rows * (size_t)g->cells * sizeof *out);
    for (int i = 0; i < g->rows; i++) {
        lanes[i].cells = out + (size_t)i * (size_t)g->cells;
        lanes[i].little = GANTT_NOTHING;
    }
    for (size_t i = 0; i < n; i++) {
        const struct oscope_sched_slice *s = &d->slices[i];
        if (s->cpu < g->top || s->cpu - g->top >= (uint32_t)g->rows)
            continue;
        struct lane *l = &lanes[s->cpu - g->top];
        if (s->start + s->duration > g->from)
            add(&r, l, i);
        l->begun = true;
    }
    for (int i = 0; i < g->rows; i++)
        while (lanes[i].sub < (long)g->cells * SUBS)
            end_sub(&r, &lanes[i]);
    free(lanes);
    return true;
}
