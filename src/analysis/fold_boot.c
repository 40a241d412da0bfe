/* SPDX-License-Identifier: MIT */
/*
 * `report boot`: how the kernel starts: its steps, and every initcall with its level and how long
 * it took; later the modules that are loaded.
 *
 * A trace may hold several starts. One begins with the first event that belongs to a start; another
 * when what comes only once comes again: a step, a level that is not higher than the last, or an
 * initcall of the first process after its program was begun.
 *
 * The level of an initcall is that of the last initcall_level before it. Before the first one it
 * is the level below, for the kernel goes through them in order; below level 0 there is `early`,
 * which has no event of its own. Those of modules have no level.
 */
#include "analysis/fold.h"

#include "analysis/columns.h"

#include <inttypes.h>
#include <stdio.h>

#define PHASE(member, kind, flags, doc)                                                            \
    OSCOPE_COLUMN(struct oscope_boot_phase, member, kind, flags, doc)
const struct oscope_column boot_phase_columns[] = {
    PHASE(boot, OSCOPE_UINT, 0, "number of the start, from 1 on"),
    PHASE(time, OSCOPE_UINT, OSCOPE_COL_STAMP | OSCOPE_COL_JSON_ONLY,
          "when, ns of the host's CLOCK_MONOTONIC"),
    PHASE(since, OSCOPE_DURATION, OSCOPE_COL_FINE,
          "ns since the guest was started or reset, or if that is not known since the first event "
          "of this start"),
    PHASE(duration, OSCOPE_DURATION, OSCOPE_COL_FINE,
          "ns until the next row of this start; null: there is none"),
    PHASE(cpu, OSCOPE_UINT, 0, "vCPU"),
    PHASE(phase, OSCOPE_TEXT, OSCOPE_COL_ELASTIC,
          "a function that is entered, the level of initcalls that begins, a CPU that comes up, "
          "the first program"),
    {0},
};

#define LEVEL(member, kind, flags, doc)                                                            \
    OSCOPE_COLUMN(struct oscope_boot_level, member, kind, flags, doc)
const struct oscope_column boot_level_columns[] = {
    LEVEL(boot, OSCOPE_UINT, 0, "number of the start; 0: before any that was seen"),
    LEVEL(level, OSCOPE_TEXT, 0,
          "early, pure, core, postcore, arch, subsys, fs, device, late; module: of modules; null: "
          "not known"),
    LEVEL(calls, OSCOPE_UINT, 0, "initcalls"),
    LEVEL(failed, OSCOPE_UINT, 0, "of these, that returned an error"),
    LEVEL(total, OSCOPE_DURATION, OSCOPE_COL_FINE, "ns in them; those of modules may overlap"),
    LEVEL(max, OSCOPE_DURATION, OSCOPE_COL_FINE, "ns, the longest"),
    LEVEL(longest, OSCOPE_TEXT, OSCOPE_COL_ELASTIC, "which that was"),
    {0},
};

#define CALL(member, kind, flags, doc)                                                             \
    OSCOPE_COLUMN(struct oscope_boot_call, member, kind, flags, doc)
const struct oscope_column boot_call_columns[] = {
    CALL(boot, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY, "as in levels"),
    CALL(time, OSCOPE_UINT, OSCOPE_COL_STAMP | OSCOPE_COL_JSON_ONLY,
         "when it began, ns of the host's CLOCK_MONOTONIC"),
    CALL(since, OSCOPE_DURATION, OSCOPE_COL_FINE, "as in phases; null: no start was seen"),
    CALL(duration, OSCOPE_DURATION, OSCOPE_COL_FINE, "ns; null if its return was not seen"),
    CALL(ret, OSCOPE_TEXT, 0, "what it returned; null if that was not seen"),
    CALL(level, OSCOPE_TEXT, 0, "as in levels"),
    CALL(tid, OSCOPE_INT, OSCOPE_COL_THREAD, "thread id of the task that called it"),
    CALL(func, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY, "address of the function"),
    CALL(symbol, OSCOPE_TEXT, OSCOPE_COL_ELASTIC,
         "its name; of a module's whose symbols are gone the module's; null if not known"),
    CALL(module, OSCOPE_TEXT, OSCOPE_COL_JSON_ONLY, "the module that it is of; null: none"),
    {0},
};

enum { WANT_LEVEL, WANT_START, WANT_FINISH, WANT_STEP, WANT_CPU, WANT_INIT, WANT_MODULE };

static const struct fold_want wants[] = {
    [WANT_LEVEL] = {"initcall_level", "boot", true, {"level", "number"}},
    [WANT_START] = {"initcall_start", "boot", false, {"func", "tid"}},
    [WANT_FINISH] = {"initcall_finish", "boot", true, {"func", "tid", "ret"}},
    [WANT_STEP] = {"boot_step", "boot", true, {"func"}},
    [WANT_CPU] = {"boot_cpu", "boot", true, {"number"}},
    [WANT_INIT] = {"boot_init", "boot", true, {"filename"}},
    [WANT_MODULE] = {"module_init", "boot", true, {"name", "func", "tid"}},
};
static const char *const sets[] = {"boot", NULL};

enum {
    PHASES = 1024,
    BOOTS = 64,  /* whose beginning is kept */
    STEPS = 32,  /* of a start */
    MODULE = 56, /* bytes of a module's name that are kept */
    /* levels of an initcall; the kernel's are those + LEVEL_PURE */
    LEVEL_UNKNOWN = 0,
    LEVEL_EARLY = 1,
    LEVEL_PURE = 2,
    LEVEL_MODULE = 10,
    LEVELS,
};

/* initcall_level_names[], init/main.c */
static const char *const level_names[LEVELS] = {
    NULL, "early", "pure", "core", "postcore", "arch", "subsys", "fs", "device", "late", "module"};

struct phase {
    uint64_t time, func; /* func: of a step, else 0 */
    uint32_t boot, cpu;
    char text[80];
};

struct call {
    uint64_t time, duration, func;
    uint32_t boot;
    int32_t tid, ret;
    uint8_t level;
    char module[MODULE];
};

/* An initcall of a task that has not returned. */
struct open {
    struct fold_row row;
    uint64_t seq, epoch; /* seq: in the ring of calls, + 1; 0: none */
    uint64_t func;
    char module[MODULE]; /* that is about to begin; "": none */
};

struct boot {
    struct fold_map open;
    struct call *calls;
    size_t room;
    uint64_t ncalls;
    struct phase phases[PHASES];
    uint64_t nphases;
    uint32_t boots;
    uint64_t begin[BOOTS]; /* of the starts, by number - 1 */
    bool running;          /* the first program has begun */
    uint8_t level;
    uint64_t steps[STEPS]; /* functions that were entered in this start */
    unsigned nsteps;
    uint64_t first_call; /* of this start */
    uint64_t epoch;
};

/* ---- events ---- */

static void begin_boot(struct fold *f)
{
    struct boot *b = f->state;

    if (b->boots < BOOTS)
        b->begin[b->boots] = f->time;
    b->boots++;
    b->running = false;
    b->level = LEVEL_UNKNOWN;
    b->nsteps = 0;
    b->first_call = b->ncalls;
    b->epoch++;
}

static struct phase *add_phase(struct fold *f, const struct trace_event *ev)
{
    struct boot *b = f->state;
    struct phase *p = &b->phases[b->nphases % PHASES];

    b->nphases++;
    *p = (struct phase){.time = f->time, .boot = b->boots, .cpu = ev->cpu};
    return p;
}

static void on_step(struct fold *f, const struct trace_event *ev, uint64_t func)
{
    struct boot *b = f->state;
    bool again = !b->boots || b->running;

    for (unsigned i = 0; i < b->nsteps; i++)
        again |= b->steps[i] == func;
    if (again)
        begin_boot(f);
    if (b->nsteps < STEPS)
        b->steps[b->nsteps++] = func;
    if (fold_counts(f) && fold_wants_cpu(f, ev->cpu))
        add_phase(f, ev)->func = func;
}

static void on_level(struct fold *f, const struct trace_event *ev, const char *name,
                     uint64_t number)
{
    struct boot *b = f->state;
    uint8_t level = (uint8_t)(LEVEL_PURE + MIN(number, UINT64_C(7)));

    if (!b->boots || b->running || level <= b->level)
        begin_boot(f);
    if (b->level == LEVEL_UNKNOWN) { /* now it is known what those before were of */
        uint64_t first = b->ncalls - MIN(b->ncalls, (uint64_t)b->room);
        for (uint64_t i = MAX(first, b->first_call); i < b->ncalls; i++)
            if (b->calls[i % b->room].level == LEVEL_UNKNOWN)
                b->calls[i % b->room].level = level - 1;
    }
    b->level = level;
    if (fold_counts(f) && fold_wants_cpu(f, ev->cpu)) {
        struct phase *p = add_phase(f, ev);
        snprintf(p->text, sizeof p->text, "initcalls: %.*s", MODULE, name);
    }
}

static struct open *open_of(struct fold *f, int32_t tid)
{
    struct boot *b = f->state;
    struct open *o = fold_map_get(&b->open, (uint32_t)tid, f->time);

    if (!o) {
        f->nomem = true;
    } else if (o->epoch != b->epoch) {
        o->seq = 0;
        o->module[0] = '\0';
        o->epoch = b->epoch;
    }
    return o;
}

static void on_module(struct fold *f, const char *name, uint64_t func, int32_t tid)
{
    struct open *o = open_of(f, tid);

    if (o && func)
        str_copy(o->module, sizeof o->module, name);
}

static void on_start(struct fold *f, const struct trace_event *ev, uint64_t func, int32_t tid)
{
    struct boot *b = f->state;
    struct open *o = open_of(f, tid);

    if (!o)
        return;
    bool module = o->module[0] || tid != 1;
    if (!module && (!b->boots || b->running)) {
        begin_boot(f);
        o->epoch = b->epoch;
    }
    o->seq = 0;
    if (fold_counts(f) && fold_wants_cpu(f, ev->cpu) && fold_wants_task(f, tid, "")) {
        struct call *c = &b->calls[b->ncalls++ % b->room];
        *c = (struct call){.time = f->time,
                           .duration = OSCOPE_UNKNOWN,
                           .func = func,
                           .boot = b->boots,
                           .tid = tid,
                           .level = module ? LEVEL_MODULE : b->level};
        str_copy(c->module, sizeof c->module, o->module);
        o->seq = b->ncalls;
        o->func = func;
    }
    o->module[0] = '\0';
}

static void on_finish(struct fold *f, uint64_t func, int32_t tid, int32_t ret)
{
    struct boot *b = f->state;
    struct open *o = open_of(f, tid);

    if (!o || !o->seq || o->func != func || f->time > f->o.to)
        return;
    struct call *c = &b->calls[(o->seq - 1) % b->room];
    if (b->ncalls - (o->seq - 1) <= b->room) {
        c->duration = f->time - MIN(c->time, f->time);
        c->ret = ret;
    }
    o->seq = 0;
}

static void boot_event(struct fold *f, const struct trace_event *ev, struct fold_bound *b)
{
    struct boot *s = f->state;

    switch (b->want) {
    case WANT_LEVEL: on_level(f, ev, fold_str(ev, b, 0), fold_u64(ev, b, 1)); break;
    case WANT_START: on_start(f, ev, fold_u64(ev, b, 0), fold_s32(ev, b, 1)); break;
    case WANT_FINISH:
        on_finish(f, fold_u64(ev, b, 0), fold_s32(ev, b, 1), fold_s32(ev, b, 2));
        break;
    case WANT_STEP: on_step(f, ev, fold_u64(ev, b, 0)); break;
    case WANT_MODULE:
        on_module(f, fold_str(ev, b, 0), fold_u64(ev, b, 1), fold_s32(ev, b, 2));
        break;
    case WANT_CPU:
        if (s->boots && fold_counts(f) && fold_wants_cpu(f, ev->cpu))
            snprintf(add_phase(f, ev)->text, sizeof s->phases->text, "CPU %" PRIu64 " comes up",
                     fold_u64(ev, b, 0));
        break;
    case WANT_INIT:
        if (!s->boots)
            begin_boot(f);
        s->running = true;
        if (fold_counts(f) && fold_wants_cpu(f, ev->cpu))
            snprintf(add_phase(f, ev)->text, sizeof s->phases->text, "runs %.64s",
                     fold_str(ev, b, 0));
        break;
    default: break;
    }
}

static void boot_lossy(struct fold *f)
{
    struct boot *b = f->state;

    b->epoch++;
    b->level = LEVEL_UNKNOWN; /* until the next one says so */
    b->first_call = b->ncalls;
}

/* A gap makes events lossy, too, which forgets what is open. */
static void boot_gap(struct fold *f, uint32_t cpu, uint64_t last)
{
    boot_lossy(f);
}

static struct oscope_error *boot_begin(struct fold *f)
{
    struct boot *b = f->state;

    fold_map_init(&b->open, sizeof(struct open), FOLD_TASKS);
    b->room = MAX(f->o.slices, (size_t)1);
    b->calls = calloc(b->room, sizeof *b->calls);
    return b->calls ? NULL : error_nomem();
}

static void boot_end(struct fold *f)
{
    struct boot *b = f->state;

    fold_map_free(&b->open);
    free(b->calls);
}

/* ---- tables ---- */

/* Is the guest's own start, or reset, known for this one? It is the last before its first event. */
static bool since_reset(const struct fold *f, uint32_t boot)
{
    const struct boot *b = f->state;
    uint64_t before = boot > 1 && boot <= BOOTS ? b->begin[boot - 2] : 0;

    return boot && boot <= BOOTS && f->o.started && f->o.started <= b->begin[boot - 1] &&
           f->o.started > before;
}

static uint64_t since(const struct fold *f, uint32_t boot, uint64_t time)
{
    const struct boot *b = f->state;

    if (!boot || boot > BOOTS)
        return OSCOPE_UNKNOWN;
    uint64_t from = since_reset(f, boot) ? f->o.started : b->begin[boot - 1];
    return time - MIN(from, time);
}

static const char *symbol(const struct fold *f, uint64_t func, struct arena *strings)
{
    struct symbol s;
    uint64_t offset;

    if (!f->o.symtab || !symtab_lookup(f->o.symtab, func, &s, &offset) || offset)
        return NULL;
    return arena_strdup(strings, s.name);
}

static struct oscope_error *phase_rows(const struct fold *f, struct os_list *l)
{
    const struct boot *b = f->state;

    for (uint64_t i = b->nphases - MIN(b->nphases, (uint64_t)PHASES); i < b->nphases; i++) {
        const struct phase *p = &b->phases[i % PHASES], *next = &b->phases[(i + 1) % PHASES];
        struct oscope_boot_phase *row = os_list_add(l);
        if (!row)
            return error_nomem();
        const char *name = p->func ? symbol(f, p->func, &l->strings) : p->text;
        if (!name)
            name = arena_printf(&l->strings, "0x%" PRIx64, p->func);
        else if (name == p->text)
            name = arena_strdup(&l->strings, name);
        bool last = i + 1 == b->nphases || next->boot != p->boot;
        *row = (struct oscope_boot_phase){.boot = p->boot,
                                          .time = p->time,
                                          .since = since(f, p->boot, p->time),
                                          .duration = last ? OSCOPE_UNKNOWN
                                                           : next->time - MIN(p->time, next->time),
                                          .cpu = p->cpu,
                                          .phase = name};
    }
    return NULL;
}

static int by_duration(const void *a, const void *b)
{
    const struct oscope_boot_call *x = a, *y = b;
    uint64_t m = x->duration + 1, n = y->duration + 1; /* what is not known is last */

    if (m != n)
        return m < n ? 1 : -1;
    return (x->time > y->time) - (x->time < y->time);
}

static struct oscope_error *call_rows(const struct fold *f, struct os_list *l)
{
    const struct boot *b = f->state;

    for (uint64_t i = b->ncalls - MIN(b->ncalls, (uint64_t)b->room); i < b->ncalls; i++) {
        const struct call *c = &b->calls[i % b->room];
        struct oscope_boot_call *row = os_list_add(l);
        if (!row)
            return error_nomem();
        bool known = c->duration != OSCOPE_UNKNOWN;
        *row = (struct oscope_boot_call){
            .boot = c->boot,
            .time = c->time,
            .since = since(f, c->boot, c->time),
            .duration = c->duration,
            .ret = known ? arena_printf(&l->strings, "%" PRIi32, c->ret) : NULL,
            .level = level_names[c->level],
            .tid = c->tid,
            .func = c->func,
            .symbol = symbol(f, c->func, &l->strings),
            .module = c->module[0] ? arena_strdup(&l->strings, c->module) : NULL};
        if (!row->symbol && row->module)
            row->symbol = arena_printf(&l->strings, "[%s]", row->module);
    }
    if (l->n)
        qsort(l->rows, l->n, l->row_size, by_duration);
    return NULL;
}

/* Of the calls, which are sorted: the first one with a time is a level's longest. */
static struct oscope_error *level_rows(const struct fold *f, const struct os_list *calls,
                                       struct os_list *l)
{
    const struct boot *b = f->state;
    const struct oscope_boot_call *c = calls->rows;

    for (uint32_t boot = 0; boot <= b->boots && boot <= BOOTS; boot++)
        for (unsigned level = 0; level < LEVELS; level++) {
            struct oscope_boot_level sum = {.boot = boot, .level = level_names[level]};
            for (size_t i = 0; i < calls->n; i++) {
                if (c[i].boot != boot || c[i].level != sum.level)
                    continue;
                sum.calls++;
                sum.failed += c[i].ret && c[i].ret[0] == '-';
                if (c[i].duration == OSCOPE_UNKNOWN)
                    continue;
                sum.total += c[i].duration;
                if (!sum.longest && c[i].symbol)
                    sum.longest = arena_strdup(&l->strings, c[i].symbol);
                sum.max = MAX(sum.max, c[i].duration);
            }
            struct oscope_boot_level *row = sum.calls ? os_list_add(l) : NULL;
            if (sum.calls && !row)
                return error_nomem();
            if (row)
                *row = sum;
        }
    return NULL;
}

static void boot_notes(const struct fold *f, const struct os_list *phases, struct os_list *notes)
{
    const struct boot *b = f->state;
    const struct oscope_boot_phase *p = phases->rows;
    uint64_t unreturned = 0;

    if (!b->boots)
        os_list_note(notes, "no start of a kernel was seen: record, or report, from before it on "
                            "(`oscope help report`)");
    for (uint32_t boot = 1; boot <= b->boots && boot <= BOOTS; boot++) {
        size_t i = 0;
        while (i < phases->n && p[i].boot != boot)
            i++;
        if (i < phases->n && !strcmp(p[i].phase, "start_kernel"))
            continue;
        if (since_reset(f, boot))
            os_list_note(notes,
                         "start %" PRIu32 ": the first %.1f ms after the guest's start or reset "
                         "were not seen: its firmware, and what the kernel did before it was found",
                         boot, (double)(b->begin[boot - 1] - f->o.started) * 1e-6);
        else
            os_list_note(notes,
                         "start %" PRIu32 ": its beginning was not seen, nor is it known how long "
                         "that took",
                         boot);
    }
    for (uint64_t i = b->ncalls - MIN(b->ncalls, (uint64_t)b->room); i < b->ncalls; i++)
        unreturned += b->calls[i % b->room].duration == OSCOPE_UNKNOWN;
    if (unreturned)
        os_list_note(notes, "%" PRIu64 " initcalls did not return, or not that it was seen",
                     unreturned);
    if (b->ncalls > b->room)
        os_list_note(notes,
                     "the first %" PRIu64 " initcalls are not listed%s, and "
                     "totals lack them",
                     b->ncalls - b->room, fold_keeps_more(f));
    if (b->nphases > PHASES || b->boots > BOOTS)
        os_list_note(notes, "too many starts: of the first ones something is missing");
}

static struct oscope_error *boot_finish(const struct fold *f, uint64_t end, struct fold_out *out)
{
    struct os_list *phases =
        fold_add_table(out, "phases", boot_phase_columns, sizeof(struct oscope_boot_phase), 0);
    struct os_list *levels =
        fold_add_table(out, "levels", boot_level_columns, sizeof(struct oscope_boot_level), 0);
    struct os_list *calls =
        fold_add_table(out, "initcalls", boot_call_columns, sizeof(struct oscope_boot_call), 0);

    TRY(phase_rows(f, phases));
    TRY(call_rows(f, calls));
    TRY(level_rows(f, calls, levels));
    boot_notes(f, phases, fold_notes(out));
    return NULL;
}

const struct fold_ops fold_boot = {
    .name = "boot",
    .summary = "how the kernel starts: its steps, and initcalls by how long they took",
    .sets = sets,
    .wants = wants,
    .nwants = ARRAY_SIZE(wants),
    .whole = true,
    .state_size = sizeof(struct boot),
    .begin = boot_begin,
    .event = boot_event,
    .gap = boot_gap,
    .lossy = boot_lossy,
    .finish = boot_finish,
    .end = boot_end,
};
