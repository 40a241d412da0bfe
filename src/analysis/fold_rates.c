/* SPDX-License-Identifier: MIT */
/*
 * `report rates`: how many events a second came, by set and over time; for lines that a screen
 * draws. It takes whatever sets are on, and knows nothing of what events mean.
 *
 * Events that were lost are not counted: rates are those of the events there are, and notes say
 * that some are missing.
 */
#include "analysis/columns.h"
#include "analysis/fold.h"
#include "analysis/fold_series.h"

#define SET(member, kind, flags, doc)                                                              \
    OSCOPE_COLUMN(struct oscope_rate_set, member, kind, flags, doc)
const struct oscope_column rate_set_columns[] = {
    SET(set, OSCOPE_TEXT, 0, "event set; other: events of none of these, as of the user's probes"),
    SET(count, OSCOPE_UINT, 0, "its events in the interval"),
    SET(rate, OSCOPE_REAL, 0, "the same a second"),
    SET(peak, OSCOPE_REAL, 0, "events a second in the bin that had most, see the table bins"),
    {0},
};

#define BIN(member, kind, flags, doc)                                                              \
    OSCOPE_COLUMN(struct oscope_rate_bin, member, kind, flags, doc)
const struct oscope_column rate_bin_columns[] = {
    BIN(time, OSCOPE_UINT, OSCOPE_COL_STAMP,
        "when this stretch of time begins, ns of the host's CLOCK_MONOTONIC"),
    BIN(duration, OSCOPE_DURATION, OSCOPE_COL_FINE, "how long it is, ns"),
    BIN(rate, OSCOPE_REAL, 0, "events a second in it, of all sets"),
    BIN(sched, OSCOPE_REAL, 0, "… of the set sched; 0 as well if it was not on"),
    BIN(modes, OSCOPE_REAL, 0, "… of modes, without traps"),
    BIN(traps, OSCOPE_REAL, 0, "… of traps"),
    BIN(syscalls, OSCOPE_REAL, 0, "… of syscalls"),
    BIN(faults, OSCOPE_REAL, 0, "… of faults"),
    BIN(irq, OSCOPE_REAL, 0, "… of irq"),
    BIN(mmio, OSCOPE_REAL, 0, "… of mmio"),
    BIN(uart, OSCOPE_REAL, 0, "… of uart"),
    BIN(blk, OSCOPE_REAL, 0, "… of blk"),
    BIN(heat, OSCOPE_REAL, 0, "… of heat: pages told of, not accesses"),
    BIN(boot, OSCOPE_REAL, 0, "… of boot"),
    BIN(cputraps, OSCOPE_REAL, 0, "… of cputraps"),
    BIN(other, OSCOPE_REAL, 0, "… of none of these, as of the user's probes"),
    {0},
};

/* The sets, and the member of a bin that has theirs. */
#define KIND(set)                                                                                  \
    {                                                                                              \
#set, offsetof(struct oscope_rate_bin, set)                                                \
    }
static const struct {
    const char *set;
    size_t at;
} kinds[] = {
    KIND(sched), KIND(modes), KIND(traps), KIND(syscalls), KIND(faults),   KIND(irq),   KIND(mmio),
    KIND(uart),  KIND(blk),   KIND(heat),  KIND(boot),     KIND(cputraps), KIND(other),
};
enum { KINDS = ARRAY_SIZE(kinds), OTHER = KINDS - 1 };

static const struct fold_want wants[] = {{"*", "sched", true, {NULL}}};
static const char *const sets[] = {"sched", "traps", "syscalls", NULL};

struct rates {
    struct fold_series bins;
    uint64_t count[KINDS];
};

static unsigned kind_of(const struct trace_type *type)
{
    for (unsigned i = 0; type->set && i < OTHER; i++)
        if (!strcmp(type->set, kinds[i].set))
            return i;
    return OTHER;
}

static void rates_event(struct fold *f, const struct trace_event *ev, struct fold_bound *b)
{
    struct rates *r = f->state;

    if (!fold_counts(f) || (ev->cpu != TRACE_CPU_NONE && !fold_wants_cpu(f, ev->cpu)))
        return;
    if (unlikely(!b->tag))
        b->tag = kind_of(b->type) + 1;
    if (unlikely(!r->bins.n))
        fold_series_reach(&r->bins, f->begin);
    r->count[b->tag - 1]++;
    fold_series_add(&r->bins, f->time, b->tag - 1);
}

static void rates_gap(struct fold *f, uint32_t cpu, uint64_t last)
{
}

static struct oscope_error *rates_begin(struct fold *f)
{
    struct rates *r = f->state;

    return fold_series_init(&r->bins, KINDS, f->o.bin) ? NULL : error_nomem();
}

static void rates_restart(struct fold *f)
{
    struct rates *r = f->state;

    fold_series_clear(&r->bins);
    memset(r->count, 0, sizeof r->count);
}

static void rates_end(struct fold *f)
{
    fold_series_free(&((struct rates *)f->state)->bins);
}

/* ---- tables ---- */

static double per_second(uint64_t n, uint64_t ns)
{
    return ns ? (double)n * 1e9 / (double)ns : 0;
}

static struct oscope_error *set_rows(const struct fold *f, uint64_t end, const double *peaks,
                                     struct os_list *l)
{
    const struct rates *r = f->state;

    for (unsigned k = 0; k < KINDS; k++) {
        struct oscope_rate_set *row = r->count[k] ? os_list_add(l) : NULL;
        if (!r->count[k])
            continue;
        if (!row)
            return error_nomem();
        *row = (struct oscope_rate_set){.set = kinds[k].set,
                                        .count = r->count[k],
                                        .rate = fold_rate(f, r->count[k], end),
                                        .peak = peaks[k]};
    }
    return NULL;
}

/* s: reaches the end of the interval. */
static struct oscope_error *bin_rows(const struct fold *f, uint64_t end,
                                     const struct fold_series *s, double *peaks, struct os_list *l)
{
    for (unsigned i = 0; i < s->n; i++) {
        const uint64_t *n = fold_series_bin(s, i);
        uint64_t time, ns, all = 0;
        fold_series_part(s, i, f->begin, end, &time, &ns);
        struct oscope_rate_bin *row = ns ? os_list_add(l) : NULL;
        if (!ns)
            continue;
        if (!row)
            return error_nomem();
        *row = (struct oscope_rate_bin){.time = time, .duration = ns};
        for (unsigned k = 0; k < KINDS; k++) {
            double rate = per_second(n[k], ns);
            memcpy((char *)row + kinds[k].at, &rate, sizeof rate);
            peaks[k] = MAX(peaks[k], rate);
            all += n[k];
        }
        row->rate = per_second(all, ns);
    }
    return NULL;
}

static struct oscope_error *rates_finish(const struct fold *f, uint64_t end, struct fold_out *out)
{
    const struct rates *r = f->state;
    struct os_list *setlist =
        fold_add_table(out, "sets", rate_set_columns, sizeof(struct oscope_rate_set), 0);
    struct os_list *bins = fold_add_table(out, "bins", rate_bin_columns,
                                          sizeof(struct oscope_rate_bin), OSCOPE_TABLE_JSON_ONLY);
    double peaks[KINDS] = {0};
    struct fold_series s;

    end = MIN(end, f->o.to);
    if (f->begin == UINT64_MAX || end <= f->begin)
        return set_rows(f, end, peaks, setlist);
    if (!fold_series_copy(&r->bins, &s))
        return error_nomem();
    fold_series_reach(&s, f->begin);
    fold_series_reach(&s, end - 1);
    struct oscope_error *err = bin_rows(f, end, &s, peaks, bins);
    fold_series_free(&s);
    TRY(err);
    return set_rows(f, end, peaks, setlist);
}

const struct fold_ops fold_rates = {
    .name = "rates",
    .summary = "events a second by set, over time",
    .sets = sets,
    .wants = wants,
    .nwants = ARRAY_SIZE(wants),
    .any = true,
    .anywhere = true,
    .state_size = sizeof(struct rates),
    .begin = rates_begin,
    .event = rates_event,
    .gap = rates_gap,
    .restart = rates_restart,
    .finish = rates_finish,
    .end = rates_end,
};
