/* SPDX-License-Identifier: MIT */
/*
 * What all folds share. Binding: the first event of each type is looked up by name in what the fold
 * wants; from then on its id leads there. A recording's types are its own, so a type may have an
 * id and fields that ours has not.
 */
#include "analysis/fold.h"

#include "analysis/trap_words.h"

#include "analysis/columns.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

const struct fold_ops *const fold_table[] = {
    &fold_sched,   &fold_modes, &fold_traps, &fold_syscalls, &fold_faults,
    &fold_irqflow, &fold_locks, &fold_pages, &fold_mmio,     &fold_uart,
    &fold_blk,     &fold_heat,  &fold_boot,  &fold_rates,    NULL,
};

const struct fold_ops *fold_find(const char *name)
{
    for (size_t i = 0; fold_table[i]; i++)
        if (!strcmp(fold_table[i]->name, name))
            return fold_table[i];
    return NULL;
}

struct oscope_error *fold_unknown(const char *name)
{
    char text[256];
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; fold_table[i] && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? ", " : "",
                                 fold_table[i]->name);
    return error_hint(error_new(OSCOPE_E_USAGE, "there is no report '%s'", name), "reports: %s",
                      text);
}

bool oscope_report_kind(size_t i, const char **name, const char **summary)
{
    if (i >= ARRAY_SIZE(fold_table) - 1)
        return false;
    *name = fold_table[i]->name;
    *summary = fold_table[i]->summary;
    return true;
}

/* "all" leaves these out. */
static bool is_apart(const char *set)
{
    return !strcmp(set, "heat") || !strcmp(set, "lock") || !strcmp(set, "kmem") ||
           !strcmp(set, "cputraps");
}

bool fold_set_in(const char *sets, const char *set)
{
    const char *p = sets ? sets : "";
    size_t n;

    for (; *p; p += n + strspn(p + n, " ")) {
        n = strcspn(p, " ");
        if ((strlen(set) == n && !memcmp(p, set, n)) ||
            (n == 3 && !memcmp(p, "all", n) && !is_apart(set)))
            return true;
    }
    return false;
}

bool fold_has_set(const struct fold *f, const char *set)
{
    return fold_set_in(f->o.sets, set) || f->o.live;
}

/* ---- columns that folds share ---- */

#define INTERVAL(member, kind, flags, doc)                                                         \
    OSCOPE_COLUMN(struct oscope_report_interval, member, kind, flags, doc)
const struct oscope_column report_interval_columns[] = {
    INTERVAL(start, OSCOPE_UINT, OSCOPE_COL_STAMP,
             "when it begins, ns of the host's CLOCK_MONOTONIC, as the events bear"),
    INTERVAL(end, OSCOPE_UINT, OSCOPE_COL_STAMP, "when it ends"),
    INTERVAL(duration, OSCOPE_DURATION, OSCOPE_COL_FINE, "ns"),
    INTERVAL(vcpus, OSCOPE_UINT, 0,
             "vCPUs that the guest has, or, if that is not known, that had "
             "events"),
    INTERVAL(events, OSCOPE_UINT, 0, "events that this view is made from"),
    INTERVAL(lost, OSCOPE_UINT, 0,
             "packets of events that were overwritten before they were read "
             "or recorded"),
    INTERVAL(discarded, OSCOPE_UINT, 0, "events that found no room in their ring"),
    INTERVAL(damaged, OSCOPE_UINT, 0, "packets that could not be read, or not whole"),
    INTERVAL(gaps, OSCOPE_UINT, 0, "places where events of a vCPU are missing"),
    {0},
};

#define BIN(member, kind, flags, doc)                                                              \
    OSCOPE_COLUMN(struct oscope_histogram_bin, member, kind, flags, doc)
const struct oscope_column report_bin_columns[] = {
    BIN(name, OSCOPE_TEXT, 0, "of what"),
    BIN(low, OSCOPE_DURATION, OSCOPE_COL_FINE, "from this duration on, ns"),
    BIN(high, OSCOPE_DURATION, OSCOPE_COL_FINE, "up to this one, exclusive"),
    BIN(count, OSCOPE_UINT, 0, "how many took so long"),
    BIN(share, OSCOPE_REAL, 0, "percent of all"),
    {0},
};

/* ---- opening ---- */

struct oscope_error *fold_open(const struct fold_ops *ops, const struct fold_options *o,
                               struct fold **out)
{
    struct fold *f = calloc(1, sizeof *f);
    char *end;

    *out = NULL;
    if (!f)
        return error_nomem();
    *f = (struct fold){.ops = ops, .o = *o, .begin = o->from ? o->from : UINT64_MAX};
    f->sought = &f->sought_own;
    f->state = calloc(1, ops->state_size);
    f->cpus = calloc(FOLD_CPUS + 1, sizeof *f->cpus);
    if (o->task) {
        errno = 0;
        long tid = strtol(o->task, &end, 10);
        f->has_tid = *o->task && !*end && !errno && tid == (int32_t)tid;
        f->tid = f->has_tid ? (int32_t)tid : 0;
        f->has_tid = f->has_tid || oscope_thread_parse(o->task, &f->tid);
    }
    struct oscope_error *err = f->state && f->cpus ? ops->begin(f) : error_nomem();
    if (err)
        fold_close(f);
    else
        *out = f;
    return err;
}

void fold_close(struct fold *f)
{
    if (!f)
        return;
    if (f->state && f->cpus)
        f->ops->end(f);
    for (size_t i = 0; i < f->nbound; i++)
        free(f->bound[i]);
    free(f->bound);
    free(f->state);
    free(f->cpus);
    free(f);
}

/* ---- events ---- */

static bool matches(const char *pattern, const char *name)
{
    size_t n = strlen(pattern);

    if (n && pattern[n - 1] == '*')
        return !strncmp(pattern, name, n - 1);
    return !strcmp(pattern, name);
}

static void bind_fields(struct fold *f, struct fold_bound *b, int want)
{
    const struct fold_want *w = &f->ops->wants[want];

    for (unsigned i = 0; i < FOLD_FIELDS && w->fields[i]; i++) {
        int field = trace_field_index(b->type, w->fields[i]);
        if (field < 0) {
            f->odd = b->type;
            return;
        }
        b->field[i] = (uint8_t)field;
    }
    b->want = want;
}

/* What ev's type is to the fold, found out and kept. NULL: out of memory. */
static struct fold_bound *bind(struct fold *f, const struct trace_type *type)
{
    if (type->id >= f->nbound) {
        size_t n = (size_t)type->id + 1;
        struct fold_bound **p = realloc(f->bound, n * sizeof *p);
        if (!p)
            return NULL;
        memset(p + f->nbound, 0, (n - f->nbound) * sizeof *p);
        f->bound = p;
        f->nbound = n;
    }
    struct fold_bound *b = f->bound[type->id];
    if (!b)
        b = f->bound[type->id] = malloc(sizeof *b);
    if (!b)
        return NULL;
    *b = (struct fold_bound){.type = type, .want = -1};
    for (size_t i = 0; i < f->ops->nwants && b->want < 0; i++)
        if (matches(f->ops->wants[i].name, type->name))
            bind_fields(f, b, (int)i);
    return b;
}

void fold_event(struct fold *f, const struct trace_event *ev)
{
    struct fold_bound *b = ev->type->id < f->nbound ? f->bound[ev->type->id] : NULL;

    if (unlikely(!b || b->type != ev->type) && !(b = bind(f, ev->type))) {
        f->nomem = true;
        return;
    }
    uint32_t place = ev->cpu;
    if (unlikely(place >= FOLD_CPUS)) {
        if (place != TRACE_CPU_NONE || !f->ops->anywhere) {
            f->ignored += place != TRACE_CPU_NONE || b->want >= 0;
            return;
        }
        place = FOLD_CPUS;
    }
    struct fold_cpu *c = &f->cpus[place];
    if (unlikely(place >= f->ncpus && place < FOLD_CPUS))
        f->ncpus = ev->cpu + 1;
    if (unlikely(f->begin == UINT64_MAX))
        f->begin = ev->time;
    f->time = MAX(ev->time, c->last); /* a late one is as good as one of now */
    f->now = MAX(f->now, f->time);
    if (unlikely(ev->lossy) && f->ops->lossy)
        f->ops->lossy(f);
    if (unlikely(ev->gap)) {
        f->gaps += fold_counts(f);
        f->ops->gap(f, ev->cpu, c->last);
    }
    c->last = f->time;
    if (fold_counts(f)) {
        f->events++;
        if (b->want >= 0)
            f->seen[b->want]++;
    }
    if (b->want >= 0)
        f->ops->event(f, ev, b);
}

bool fold_restart(struct fold *f, uint64_t from)
{
    if (!f->ops->restart || f->nomem)
        return false;
    f->o.from = f->begin = from;
    f->events = f->gaps = f->ignored = 0;
    memset(f->seen, 0, sizeof f->seen);
    f->sought_own = (struct fold_sought){0};
    f->ops->restart(f);
    return true;
}

void fold_gap(struct fold *f, uint64_t time)
{
    for (size_t i = 0; i < f->nbound; i++) {
        free(f->bound[i]);
        f->bound[i] = NULL;
    }
    f->odd = NULL;
    for (uint32_t i = 0; i <= FOLD_CPUS; i++) {
        struct fold_cpu *c = &f->cpus[i];
        if (!c->last)
            continue;
        f->time = MAX(time, c->last);
        f->now = MAX(f->now, f->time);
        f->gaps += fold_counts(f);
        f->ops->gap(f, i < FOLD_CPUS ? i : TRACE_CPU_NONE, c->last);
        c->last = f->time;
    }
    if (f->ops->lossy)
        f->ops->lossy(f);
}

/* ---- views ---- */

struct os_list *fold_add_table(struct fold_out *out, const char *name,
                               const struct oscope_column *columns, size_t row_size, unsigned flags)
{
    struct os_list *l = &out->lists[out->n];

    os_list_init(l, row_size);
    out->parts[out->n++] =
        (struct view_part){.table = name, .columns = columns, .list = l, .flags = flags};
    return l;
}

struct os_list *fold_notes(struct fold_out *out)
{
    return &out->lists[0];
}

const char *fold_keeps_more(const struct fold *f)
{
    return f->o.fixed ? "" : " (--slices keeps more)";
}

struct oscope_error *fold_histogram_rows(const struct fold_histogram *h, const char *name,
                                         struct os_list *list)
{
    size_t first = FOLD_BINS, last = 0;
    uint64_t all = 0;

    for (size_t i = 0; i < FOLD_BINS; i++)
        if (h->bins[i]) {
            first = MIN(first, i);
            last = i;
            all += h->bins[i];
        }
    for (size_t i = first; i <= last && i < FOLD_BINS; i++) {
        struct oscope_histogram_bin *row = os_list_add(list);
        if (!row)
            return error_nomem();
        *row =
            (struct oscope_histogram_bin){.name = name,
                                          .low = i ? BIT(i) : 0,
                                          .high = i < FOLD_BINS - 1 ? BIT(i + 1) : OSCOPE_UNKNOWN,
                                          .count = h->bins[i],
                                          .share = fold_percent(h->bins[i], all)};
    }
    return NULL;
}

/* ---- names ---- */

struct name {
    struct fold_row row;
    char comm[FOLD_COMM];
};

void fold_names_init(struct fold *f, struct fold_map *names)
{
    fold_map_init(names, sizeof(struct name), FOLD_TASKS);
    for (size_t i = 0; i < f->o.ntasks; i++)
        fold_names_set(f, names, f->o.tasks[i].tid, f->o.tasks[i].comm);
}

void fold_names_set(struct fold *f, struct fold_map *names, int32_t tid, const char *comm)
{
    struct name *n = tid ? fold_map_get(names, (uint32_t)tid, f->time) : NULL;

    if (n)
        fold_comm(n->comm, comm);
    else if (tid)
        f->nomem = true;
}

const char *fold_names_get(const struct fold_map *names, int32_t tid)
{
    const struct name *n = tid > 0 ? fold_map_find(names, (uint32_t)tid) : NULL;

    return n ? n->comm : tid == 0 ? "idle" : "";
}

void fold_names_switch(struct fold *f, struct fold_map *names, const struct trace_event *ev,
                       const struct fold_bound *b)
{
    fold_names_set(f, names, fold_s32(ev, b, 1), fold_str(ev, b, 0));
    fold_names_set(f, names, fold_s32(ev, b, 3), fold_str(ev, b, 2));
}

static struct trap_words words(const struct fold *f)
{
    return (struct trap_words){f->o.arch, f->o.os, f->o.trap_names};
}

enum arch_trap fold_trap_kind(const struct fold *f, unsigned cause)
{
    const struct trap_words w = words(f);

    return trap_words_kind(&w, cause);
}

const char *fold_trap_name(const struct fold *f, unsigned cause, struct arena *strings)
{
    const struct trap_words w = words(f);
    char buf[TRAP_NAME];
    const char *name = trap_words_name(&w, cause, buf);

    if (name == buf)
        name = arena_strdup(strings, buf);
    return name ? name : "?";
}

const char *fold_place(const struct fold *f, uint64_t address, struct arena *strings)
{
    char text[160];
    struct symbol sym;
    uint64_t offset;
    const char *place = NULL;

    if (f->o.symtab && symtab_lookup(f->o.symtab, address, &sym, &offset))
        place = arena_strdup(strings, symtab_format(f->o.symtab, address, text, sizeof text));
    else
        place = arena_printf(strings, "0x%" PRIx64, address);
    return place ? place : "?";
}

static struct oscope_error *add_interval(const struct fold *f, uint64_t end,
                                         const struct trace_stats *st, struct fold_out *out)
{
    struct os_list *l = fold_add_table(out, "interval", report_interval_columns,
                                       sizeof(struct oscope_report_interval), 0);
    struct oscope_report_interval *row = os_list_add(l);

    if (!row)
        return error_nomem();
    bool any = f->begin != UINT64_MAX;
    *row = (struct oscope_report_interval){
        .start = any ? f->begin : OSCOPE_UNKNOWN,
        .end = any ? MAX(f->begin, MIN(end, f->o.to)) : OSCOPE_UNKNOWN,
        .duration = any ? fold_length(f, end) : 0,
        .vcpus = fold_vcpus(f),
        .events = f->events,
        .lost = st->lost,
        .discarded = st->discarded,
        .damaged = st->damaged,
        .gaps = f->gaps,
    };
    return NULL;
}

static void note_losses(const struct fold *f, const struct trace_stats *st, struct os_list *l)
{
    if (st->lost || st->discarded || st->damaged)
        os_list_note(l,
                     "events were lost: %" PRIu64 " without room in their ring, %" PRIu64
                     " packets overwritten, %" PRIu64
                     " damaged; what they would have told is unknown, not guessed",
                     st->discarded, st->lost, st->damaged);
    else if (f->gaps)
        os_list_note(l,
                     "events are missing in %" PRIu64 " places; what they would have told is "
                     "unknown, not guessed",
                     f->gaps);
    if (f->o.cut)
        os_list_note(l,
                     "%.3f s are left out: of the time before, events of some vCPUs were not kept",
                     (double)f->o.cut * 1e-9);
    if (st->late)
        os_list_note(l, "%" PRIu64 " events came late and count as of when they came", st->late);
    if (f->ignored)
        os_list_note(l, "%" PRIu64 " events of vCPUs beyond %d are left out", f->ignored,
                     FOLD_CPUS);
}

/* Which set the fold lacks. A want that helps is not missed. */
static void note_missing(const struct fold *f, struct os_list *l)
{
    if (f->o.beyond) {
        os_list_note(l, "the recording ends at %.3f s, before the interval",
                     (double)f->o.beyond * 1e-9);
        return;
    }
    for (size_t i = 0; i < f->ops->nwants; i++) {
        const struct fold_want *w = &f->ops->wants[i];
        if (!w->helps && !f->seen[i] && fold_has_set(f, w->set))
            os_list_note(l, "no %s event came in this time", w->name);
        else if (!w->helps && !f->seen[i])
            os_list_note(l,
                         "no %s event came: either none happened, or the event set '%s' was not "
                         "on",
                         w->name, w->set);
    }
    if (f->odd)
        os_list_note(l, "events '%s' have not the fields that they should have and are not used",
                     f->odd->name);
}

static struct oscope_error *fill(const struct fold *f, uint64_t end,
                                 const struct trace_stats *stats, struct fold_out *out)
{
    TRY(add_interval(f, end, stats, out));
    struct os_list *notes = fold_notes(out);
    for (size_t i = 0; i < f->nnotes; i++)
        os_list_note(notes, "%s", f->notes[i]);
    note_losses(f, stats, notes);
    note_missing(f, notes);
    TRY(f->ops->finish(f, end, out));
    if (f->sought->looked && !f->sought->found)
        os_list_note(notes, "no task '%s' was seen", f->o.task);
    return NULL;
}

struct oscope_error *fold_view(struct fold *f, uint64_t end, const struct trace_stats *stats,
                               struct oscope_view **out)
{
    struct fold_out *tables = calloc(1, sizeof *tables);

    *out = NULL;
    struct oscope_error *err = NULL;
    if (f->nomem || !tables)
        err = error_nomem();
    else if (!(err = fill(f, MAX(end, f->now), stats, tables)))
        err = view_from_lists(f->ops->name, tables->parts, tables->n, out);
    for (size_t i = 0; tables && i < tables->n; i++) /* empty if the view has them */
        os_list_free(&tables->lists[i]);
    free(tables);
    return err;
}
