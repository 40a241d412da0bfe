/* SPDX-License-Identifier: MIT */
/*
 * Counters of the timeline: which events they are made of, and what of them a window or a selection
 * shows. Like slices they know no more than the events that came: what was lost is not in them.
 */
#include "analysis/tracks_impl.h"

#include "base/error.h"

enum { READY = 1 }; /* tracks_count_ready() */

/* What a counter is made of: types of that name (or whose names begin so), of which each counts
 * 1, or if `amount` is given that field's value times `scale`. */
static const struct {
    struct track_counter counter;
    const char *type, *amount;
    const char *way; /* only if that field is not 0, with `not`: if it is; NULL: always */
    bool prefix, not ;
    unsigned scale;
} kinds[] = {
    {.counter = {"Context switches", "switches", "sched_switch events", "sched"},
     .type = "sched_switch"},
    [READY] = {.counter = {"Runnable tasks", "tasks",
                           "sched_switch, sched_waking and sched_wakeup events: tasks that run or "
                           "wait for a vCPU",
                           "sched", true}},
    {.counter = {"Traps", "traps", "trap_entry events", "traps"},
     .type = "trap_entry",
     .prefix = true},
    {.counter = {"Interrupts", "interrupts", "irq_handler_entry events", "irq"},
     .type = "irq_handler_entry"},
    {.counter = {"System calls", "calls", "syscall_entry events", "syscalls"},
     .type = "syscall_entry_",
     .prefix = true},
    {.counter = {"Page faults", "faults", "page_fault_entry events", "faults"},
     .type = "page_fault_entry"},
    {.counter = {"MMIO accesses", "accesses", "mmio events", "mmio"}, .type = "mmio"},
    {.counter = {"Disk reads", "bytes", "block_rq_issue events: bytes that they read", "blk"},
     .type = "block_rq_issue",
     .amount = "nr_sector",
     .way = "write",
     .not = true,
     .scale = 512},
    {.counter = {"Disk writes", "bytes", "block_rq_issue events: bytes that they write", "blk"},
     .type = "block_rq_issue",
     .amount = "nr_sector",
     .way = "write",
     .scale = 512},
    {.counter = {"Serial output", "bytes", "uart_tx events", "uart"}, .type = "uart_tx"},
    {.counter = {"Serial input", "bytes", "uart_rx events", "uart"}, .type = "uart_rx"},
};
_Static_assert(sizeof kinds / sizeof kinds[0] == TRACK_COUNTERS, "TRACK_COUNTERS");

enum { CUTS = 64 /* additions that were after a time that was the wrong one */ };
#define BACKWARDS_NS UINT64_C(1000000000)
#define STRETCH_NS   UINT64_C(1000) /* of less a rate says nothing */
#define STRETCH_MOST UINT64_C(1000000000000000000)

/* ---- types ---- */

/* A field's number + 1; 0: the type has no such integer. */
static uint8_t integer(const struct trace_type *type, const char *name)
{
    int at = name ? trace_field_index(type, name) : -1;

    return at < 0 || type->fields[at].kind == TRACE_STRING ? 0 : (uint8_t)(at + 1);
}

/* Of two counters for one type, which its field tells apart, the first is kept: they follow each
 * other in kinds[]. */
static void know(struct tracks_counted *out, const struct trace_type *type)
{
    *out = (struct tracks_counted){.asked = true};
    for (uint8_t i = 0; i < TRACK_COUNTERS && !out->counter; i++) {
        const char *name = kinds[i].type;
        if (!name)
            continue;
        if (kinds[i].prefix ? strncmp(type->name, name, strlen(name)) != 0
                            : strcmp(type->name, name) != 0)
            continue;
        out->field = integer(type, kinds[i].amount);
        out->way = integer(type, kinds[i].way);
        if ((kinds[i].amount && !out->field) || (kinds[i].way && !out->way))
            return;
        out->counter = (uint8_t)(i + 1);
    }
}

static const struct tracks_counted *counted(struct tracks *t, const struct trace_type *type)
{
    if (unlikely(type->id >= t->ncounted)) {
        size_t n = MAX((size_t)type->id + 1, t->ncounted * 2);
        struct tracks_counted *more = realloc(t->counted, n * sizeof *more);
        if (!more) {
            t->follow.nomem = true;
            return NULL;
        }
        memset(more + t->ncounted, 0, (n - t->ncounted) * sizeof *more);
        t->counted = more;
        t->ncounted = n;
    }
    if (unlikely(!t->counted[type->id].asked))
        know(&t->counted[type->id], type);
    return &t->counted[type->id];
}

void tracks_count_types(struct tracks *t)
{
    if (t->counted)
        memset(t->counted, 0, t->ncounted * sizeof *t->counted);
}

/* ---- counting ---- */

static struct track_lane *lane_of(struct tracks *t, unsigned i)
{
    struct track_lane **lane = &t->counters[i];

    if (likely(*lane))
        return *lane;
    *lane = tracks_lane_new(t, TRACK_COUNTER, -1, TRACK_NO_TASK, kinds[i].counter.name);
    if (*lane) {
        (*lane)->counter = &kinds[i].counter;
        (*lane)->count.level = kinds[i].counter.level;
        (*lane)->count.amounts = kinds[i].amount || kinds[i].counter.level;
    }
    return *lane;
}

/* The time as the counter takes it. A time long before its end: what is later was wrong, if that
 * is little; else this is. False: it is. */
static bool time_in_count(struct tracks *t, struct track_lane *lane, uint64_t *time)
{
    uint64_t end = track_count_end(&lane->count);

    if (likely(*time >= end))
        return true;
    if (end - *time >= BACKWARDS_NS) {
        t->backwards++;
        return track_count_cut(&lane->count, &t->memory, *time, CUTS);
    }
    *time = end;
    return true;
}

static bool add(struct tracks *t, struct track_lane *lane, uint64_t time, uint64_t amount)
{
    if (likely(track_count_add(&lane->count, &t->memory, time, amount)))
        return true;
    if (!t->o.moves)
        return false;
    tracks_make_room(t);
    return track_count_add(&lane->count, &t->memory, time, amount);
}

static void count(struct tracks *t, unsigned i, uint64_t ns, uint64_t amount)
{
    uint64_t time = tracks_in(t, ns);
    struct track_lane *lane = amount ? lane_of(t, i) : NULL;

    if (lane && time_in_count(t, lane, &time) && !add(t, lane, time, amount))
        t->uncounted++;
}

void tracks_count_ready(struct tracks *t, struct tracks_task *k, uint64_t time, bool ready)
{
    if (k->ready == ready)
        return;
    k->ready = ready;
    t->ready += ready ? 1 : -1;
    struct track_lane *lane = lane_of(t, READY);
    uint64_t since = tracks_in(t, time);
    if (!lane || !time_in_count(t, lane, &since))
        return;
    uint64_t amount = (uint64_t)t->ready - lane->count.total; /* with what found no place before */
    if (amount && !add(t, lane, since, amount))
        t->uncounted++;
}

uint64_t tracks_ready_since(const struct tracks *t, uint64_t time)
{
    const struct track_lane *lane = t->counters[READY];

    return lane ? MAX(time, tracks_out(t, track_count_end(&lane->count))) : time;
}

void tracks_count(struct tracks *t, const struct trace_event *ev)
{
    const struct tracks_counted *k = counted(t, ev->type);
    uint64_t amount = 1;

    if (!k || !k->counter)
        return;
    unsigned i = k->counter - 1U;
    if (k->way && !trace_event_u64(ev, k->way - 1U) != kinds[i].not )
        i++;
    if (k->field)
        amount = trace_event_u64(ev, k->field - 1U) * kinds[i].scale;
    count(t, i, ev->time, amount);
}

/* ---- asking ---- */

const struct track_counter *tracks_counter(unsigned place)
{
    return &kinds[place].counter;
}

unsigned tracks_counter_place(const struct track_lane *lane)
{
    unsigned i = 0;

    while (i + 1 < TRACK_COUNTERS && lane->counter != &kinds[i].counter)
        i++;
    return i;
}

/* The integral; 0 where times that were wrong have made it negative. */
static uint64_t integral(const struct tracks *t, const struct track_lane *lane,
                         struct track_count_at *at, uint64_t from, uint64_t to)
{
    uint64_t before = track_count_integral(&lane->count, at, tracks_in(t, from));
    int64_t sum = (int64_t)(track_count_integral(&lane->count, at, tracks_in(t, to)) - before);

    return sum > 0 ? (uint64_t)sum : 0;
}

/* Of all pieces in which it was counted. */
static uint64_t integrals(const struct tracks *t, const struct track_lane *lane, uint64_t from,
                          uint64_t to)
{
    struct track_count_at at = {0};
    uint64_t sum = 0;

    for (uint64_t end = to; tracks_piece(t, lane, &from, &end); from = end, end = to)
        sum += integral(t, lane, &at, from, end);
    return sum;
}

uint64_t tracks_sum(const struct tracks *t, const struct track_lane *lane, uint64_t from,
                    uint64_t to)
{
    struct track_count_at at = {0};

    if (to < t->origin)
        return 0;
    if (lane->counter->level)
        return integrals(t, lane, MAX(from, t->from), MIN(to, t->to));
    uint64_t before = track_count_seek(&lane->count, &at, tracks_in(t, from));
    return track_count_seek(&lane->count, &at, tracks_in(t, to) + 1) - before;
}

uint64_t tracks_stretch(const struct tracks_window *w)
{
    uint64_t least = MIN((w->to - w->from) / w->width, STRETCH_MOST / 2) * 2, ten = 1;

    least = MAX(least, STRETCH_NS);
    while (ten < least / 10)
        ten *= 10;
    for (;; ten *= 10)
        for (unsigned k = 1; k <= 5; k += k == 1 ? 1 : 3)
            if (k * ten >= least)
                return k * ten;
}

static bool put(struct track_items *out, const struct tracks_window *w, uint64_t start,
                uint64_t end, uint64_t amount)
{
    uint64_t unit = tracks_unit(w), first = (start - w->from) / unit, last = (end - w->from) / unit;

    return vec_push(
        &out->items,
        (struct track_item){.start = (uint32_t)first,
                            .duration = (uint32_t)MAX(last - first, (uint64_t)1),
                            .name = (uint32_t)amount,
                            .info = (uint32_t)MIN(amount >> 32, (uint64_t)TRACKS_FRAME_MORE)
                                    << TRACK_ITEM_COUNT_SHIFT});
}

/* The end of the stretch of that time, `to` at most. */
static uint64_t stretch_end(uint64_t time, uint64_t stretch, uint64_t to)
{
    uint64_t end;

    return __builtin_add_overflow(time - time % stretch, stretch, &end) || end > to ? to : end;
}

/* A level is there all the time that is known. */
static bool look_level(const struct tracks *t, const struct track_lane *lane,
                       const struct tracks_window *w, struct track_items *out)
{
    uint64_t stretch = tracks_stretch(w), to = MIN(w->to, t->to), time = MAX(w->from, t->from);
    struct track_count_at at = {0};

    for (uint64_t end = to; tracks_piece(t, lane, &time, &end); time = end, end = to) {
        end = stretch_end(time, stretch, end);
        uint64_t sum = integral(t, lane, &at, time, end);
        if (sum && !put(out, w, time, end, sum))
            return false;
    }
    return true;
}

bool tracks_look_counter(const struct tracks *t, const struct track_lane *lane,
                         const struct tracks_window *w, struct track_items *out)
{
    if (lane->counter->level)
        return look_level(t, lane, w, out);
    uint64_t stretch = tracks_stretch(w), since, from = MAX(w->from, t->origin);
    struct track_count_at at = {0};

    if (from >= w->to)
        return true;
    uint64_t before = track_count_seek(&lane->count, &at, tracks_in(t, from));
    while (track_count_next(&lane->count, &at, &since) && tracks_out(t, since) < w->to) {
        uint64_t time = tracks_out(t, since), start = time - time % stretch;
        if (time < from) /* the window is beyond all days */
            break;
        uint64_t end = stretch_end(time, stretch, w->to);
        uint64_t sum = track_count_seek(&lane->count, &at, end - t->origin);
        if (!put(out, w, MAX(start, w->from), end, sum - before))
            return false;
        before = sum;
    }
    return true;
}
