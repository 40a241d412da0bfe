/* SPDX-License-Identifier: MIT */
/* The timeline's store: which slices follow from which events, windows of them, bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "analysis/tracks.h"
#include "fake_fold.h"

#define SECOND UINT64_C(1000000000)

struct fixture {
    struct trace_schema schema;
    struct tracks *t;
    bool gap; /* of the next event */
    char text[4096];
};

static void begin(struct fixture *x, const struct tracks_options *o)
{
    struct tracks_options own = o ? *o : (struct tracks_options){0};

    own.follow.arch = arch_find("riscv64");
    assert_null(tracks_begin(x->t, &own));
}

static int setup(void **state)
{
    static const struct trace_field tid = {"tid", TRACE_S32, 0, NULL};
    const struct trace_type types[] = {
        {TRACE_USER_FIRST, 1, "syscall_entry_read", NULL, NULL, &tid},
        {TRACE_USER_FIRST + 1, 1, "syscall_exit_read", NULL, NULL, &tid}};
    struct fixture *x = calloc(1, sizeof *x);

    *state = x;
    trace_schema_init(&x->schema);
    if (trace_schema_add_builtin(&x->schema) || trace_schema_add(&x->schema, &types[0]) ||
        trace_schema_add(&x->schema, &types[1]) || !(x->t = tracks_new()))
        return -1;
    begin(x, NULL);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *x = *state;

    tracks_free(x->t);
    trace_schema_free(&x->schema);
    free(x);
    return 0;
}

static void give(struct fixture *x, const char *name, uint32_t cpu, uint64_t time,
                 const struct fake_value *values)
{
    struct trace_event ev = {
        .time = time, .cpu = cpu, .gap = x->gap, .type = trace_schema_find(&x->schema, name)};
    uint8_t bytes[FAKE_BYTES];

    fake_event_fill(&ev, bytes, values);
    x->gap = false;
    tracks_event(x->t, &ev);
}

#define GIVE(name, cpu, time, ...)                                                                 \
    give(x, name, cpu, time, (const struct fake_value[]){__VA_ARGS__})

/* Tasks are called "t" and their number. */
static void sched(struct fixture *x, uint32_t cpu, uint64_t time, int32_t from, int state,
                  int32_t to)
{
    char prev[16], next[16];

    snprintf(prev, sizeof prev, "t%d", (int)from);
    snprintf(next, sizeof next, "t%d", (int)to);
    GIVE("sched_switch", cpu, time, FAKE_T(prev), FAKE_N(from), FAKE_N(20), FAKE_N(state),
         FAKE_T(next), FAKE_N(to), FAKE_N(20));
}

static void wake(struct fixture *x, const char *name, uint64_t time, int32_t tid)
{
    char comm[16];

    snprintf(comm, sizeof comm, "t%d", (int)tid);
    GIVE(name, 0, time, FAKE_T(comm), FAKE_N(tid), FAKE_N(20), FAKE_N(0));
}

static void trap(struct fixture *x, uint64_t time, int cause, int from)
{
    GIVE("trap_entry", 0, time, FAKE_N(1), FAKE_N(cause), FAKE_N(from), FAKE_N(0));
}

static void trap_exit(struct fixture *x, uint64_t time, int to)
{
    GIVE("trap_exit", 0, time, FAKE_N(1), FAKE_N(to), FAKE_N(0));
}

static const struct track_lane *lane_of(struct fixture *x, enum track_kind kind, int32_t number)
{
    for (size_t i = 0; i < tracks_lanes(x->t); i++) {
        const struct track_lane *lane = tracks_lane(x->t, i);
        if (lane->kind == kind && (lane->cpu == number || lane->tid == number))
            return lane;
    }
    return NULL;
}

/* The lane's items in that window, with times since its beginning:
 * "DEPTH:START+DURATION=NAME/KIND", xN for N slices, > for one that goes on. */
static const char *look(struct fixture *x, const struct track_lane *lane, uint64_t from,
                        uint64_t to, uint32_t width)
{
    const struct tracks_window w = {from, to, width};
    struct track_items items = {0};
    size_t n = 0;

    x->text[0] = 0;
    assert_non_null(lane);
    assert_true(tracks_look(x->t, lane, &w, &items));
    vec_each (struct track_item, i, &items.items) {
        unsigned count = i->info >> TRACK_ITEM_COUNT_SHIFT & TRACKS_FRAME_MORE;
        char times[16] = "";
        if (count > 1)
            snprintf(times, sizeof times, "x%u", count);
        n += (size_t)snprintf(x->text + n, sizeof x->text - n, "%s%u:%u+%u=%s/%u%s%s", n ? " " : "",
                              i->info & 255, i->start, i->duration, tracks_name(x->t, i->name),
                              i->info >> TRACK_ITEM_KIND_SHIFT & 255, times,
                              i->info & TRACK_ITEM_OPEN ? ">" : "");
    }
    vec_free(&items.items);
    return x->text;
}

/* In full resolution. */
#define SHOWS(lane, to, text) assert_string_equal(look(x, lane, 1000, to, 1U << 20), text)

/* ---- slices ---- */

static void test_tasks(void **state)
{
    struct fixture *x = *state;

    sched(x, 0, 1000, 0, 0, 7);
    wake(x, "sched_waking", 1010, 8);
    wake(x, "sched_wakeup", 1015, 8);
    sched(x, 0, 1020, 7, 0, 8); /* preempted */
    sched(x, 0, 1030, 8, 1, 7);
    sched(x, 0, 1050, 7, 2, 0);
    tracks_settle(x->t, 1100);
    SHOWS(lane_of(x, TRACK_CPU, 0), 1100,
          "0:0+20=t7 7/0 0:20+10=t8 8/0 0:30+20=t7 7/0 0:50+50=idle/1>");
    SHOWS(lane_of(x, TRACK_TASK, 7), 1100,
          "0:0+20=vCPU 0/0 0:20+10=/1 0:30+20=vCPU 0/0 0:50+50=/3>");
    SHOWS(lane_of(x, TRACK_TASK, 8), 1100, "0:10+10=t7 7/1 0:20+10=vCPU 0/0 0:30+70=/2>");
    assert_int_equal(lane_of(x, TRACK_CPU, 0)->busy, 50);
    assert_int_equal(lane_of(x, TRACK_TASK, 7)->busy, 40);
    /* it dies: nothing of it after that */
    sched(x, 0, 1100, 0, 0, 7);
    sched(x, 0, 1110, 7, 0x10, 0);
    tracks_settle(x->t, 1200);
    assert_string_equal(look(x, lane_of(x, TRACK_TASK, 7), 1100, 1200, 1000), "0:0+10=vCPU 0/0");
}

static void test_wakings(void **state)
{
    struct fixture *x = *state;

    sched(x, 0, 1000, 0, 0, 7);
    wake(x, "sched_waking", 1010, 7); /* on its way to sleep: it waits from the switch on */
    sched(x, 0, 1020, 7, 1, 0);
    wake(x, "sched_wakeup", 1030, 7);
    sched(x, 1, 1040, 0, 0, 7);
    wake(x, "sched_waking", 1041, 7); /* that of an earlier sleep: it sleeps all the same */
    wake(x, "sched_wakeup", 1042, 7);
    sched(x, 1, 1050, 7, 1, 0);
    tracks_settle(x->t, 1060);
    SHOWS(lane_of(x, TRACK_TASK, 7), 1060,
          "0:0+20=vCPU 0/0 0:20+20=t7 7/1 0:40+10=vCPU 1/0 0:50+10=/2>"); /* by itself */
    /* by nobody who is known; by an interrupt of an idle vCPU; without being woken */
    GIVE("sched_wakeup", 0, 1060, FAKE_T("t8"), FAKE_N(8), FAKE_N(20), FAKE_N(0));
    GIVE("sched_waking", 1, 1060, FAKE_T("t9"), FAKE_N(9), FAKE_N(20), FAKE_N(0));
    GIVE("sched_waking", 3, 1060, FAKE_T("t10"), FAKE_N(10), FAKE_N(20), FAKE_N(0));
    sched(x, 0, 1070, 0, 0, 8);
    sched(x, 0, 1080, 8, 0, 9);
    tracks_settle(x->t, 1090);
    SHOWS(lane_of(x, TRACK_TASK, 8), 1090, "0:60+10=/1 0:70+10=vCPU 0/0 0:80+10=/1>");
    SHOWS(lane_of(x, TRACK_TASK, 9), 1090, "0:60+20=idle/1 0:80+10=vCPU 0/0>");
    SHOWS(lane_of(x, TRACK_TASK, 10), 1090, "0:60+30=/1>");
    /* what is looked for is what is called so, not what it wakes */
    const struct tracks_find f = {.text = "idle", .from = 1055};
    assert_null(tracks_find(x->t, &f).lane);
}

static void test_names(void **state)
{
    struct fixture *x = *state;

    /* it runs another program: the slice is called what it is when it is left */
    GIVE("sched_switch", 0, 1000, FAKE_T("idle"), FAKE_N(0), FAKE_N(20), FAKE_N(0), FAKE_T("sh"),
         FAKE_N(7), FAKE_N(20));
    GIVE("sched_switch", 0, 1010, FAKE_T("ls"), FAKE_N(7), FAKE_N(20), FAKE_N(1), FAKE_T("idle"),
         FAKE_N(0), FAKE_N(20));
    SHOWS(lane_of(x, TRACK_CPU, 0), 1010, "0:0+10=ls 7/0");
    assert_string_equal(lane_of(x, TRACK_TASK, 7)->name, "ls");
}

static void test_losses(void **state)
{
    struct fixture *x = *state;

    sched(x, 0, 1000, 0, 0, 7);
    trap(x, 1005, 0x8005, 0);
    x->gap = true;
    wake(x, "sched_waking", 1020, 9);
    sched(x, 0, 1030, 8, 1, 0);
    sched(x, 0, 1040, 0, 0, 7); /* and one that nobody told: 8 ran in between */
    sched(x, 0, 1050, 8, 1, 7);
    tracks_settle(x->t, 1060);
    SHOWS(lane_of(x, TRACK_CPU, 0), 1060,
          "0:0+5=t7 7/0 0:5+25=(not recorded)/2 0:30+10=idle/1 "
          "0:40+10=(not recorded)/2 0:50+10=t7 7/0>");
    SHOWS(lane_of(x, TRACK_TRAP, 0), 1060, "0:5+0=supervisor timer interrupt/0");
    SHOWS(lane_of(x, TRACK_TASK, 7), 1060, "0:0+5=vCPU 0/0 0:5+35=/5 0:40+10=/5 0:50+10=vCPU 0/0>");
    struct tracks_state s;
    tracks_state(x->t, &s);
    assert_int_equal(s.losses, 1);
    /* other events from now on */
    tracks_break(x->t, 1070);
    tracks_settle(x->t, 1100);
    assert_string_equal(look(x, lane_of(x, TRACK_CPU, 0), 1050, 1100, 1000),
                        "0:0+50=(not recorded)/2>");
}

static void test_beginning(void **state)
{
    struct fixture *x = *state;
    const struct trace_task tasks[] = {{7, 7, 1, "seven", 0, 900},
                                       {8, 8, 1, "eight", 1, 900},
                                       {9, 9, 1, "nine", 2, 900},
                                       {10, 10, 1, "ten", 0, 0}};

    begin(x, &(struct tracks_options){.follow = {.tasks = tasks, .ntasks = 4}, .starts = true});
    wake(x, "sched_waking", 1000, 10);
    sched(x, 0, 1010, 7, 1, 0); /* as known */
    sched(x, 1, 1010, 6, 1, 0); /* another one: 8 did not run all the time */
    tracks_settle(x->t, 1100);
    assert_string_equal(look(x, lane_of(x, TRACK_CPU, 0), 900, 1100, 1000),
                        "0:0+110=t7 7/0 0:110+90=idle/1>");
    assert_string_equal(look(x, lane_of(x, TRACK_CPU, 1), 900, 1100, 1000), "0:110+90=idle/1>");
    /* nobody has come to run on this one */
    assert_string_equal(look(x, lane_of(x, TRACK_CPU, 2), 900, 1100, 1000), "0:0+200=nine 9/0>");
    sched(x, 2, 1200, 5, 1, 0); /* but it has, as is known now */
    assert_string_equal(look(x, lane_of(x, TRACK_CPU, 2), 900, 1200, 1000),
                        "0:0+300=(not recorded)/2");
    assert_string_equal(lane_of(x, TRACK_TASK, 10)->name, "t10");
}

static void test_traps(void **state)
{
    struct fixture *x = *state;

    trap(x, 1000, 8, 0);
    trap(x, 1010, 0x8005, 1);
    GIVE("irq_handler_entry", 0, 1012, FAKE_N(5), FAKE_T("timer"), FAKE_N(5));
    GIVE("irq_softirq_entry", 0, 1013, FAKE_N(1));
    GIVE("irq_softirq_exit", 0, 1014, FAKE_N(1));
    GIVE("irq_handler_exit", 0, 1015, FAKE_N(5), FAKE_N(1));
    trap_exit(x, 1020, 1);
    trap_exit(x, 1030, 0);
    trap(x, 1040, 13, 0);
    tracks_settle(x->t, 1100);
    SHOWS(lane_of(x, TRACK_TRAP, 0), 1100,
          "0:0+30=environment call from U/4 0:40+60=load page fault/3> "
          "1:10+10=supervisor timer interrupt/0");
    SHOWS(lane_of(x, TRACK_IRQ, 0), 1100, "0:12+3=irq 5 timer/0 1:13+1=softirq timer/1");
    assert_int_equal(lane_of(x, TRACK_TRAP, 0)->nrows, 2);
    assert_int_equal(lane_of(x, TRACK_TRAP, 0)->busy, 30);
}

static void test_calls(void **state)
{
    struct fixture *x = *state;
    struct oscope_view *v;

    GIVE("syscall_entry_read", 0, 1000, FAKE_N(7));
    GIVE("syscall_exit_read", 1, 1100, FAKE_N(7));
    GIVE("syscall_entry_read", 0, 1200, FAKE_N(7)); /* its end is missing */
    GIVE("syscall_entry_read", 0, 1300, FAKE_N(7));
    GIVE("syscall_entry_read", 0, 1400, FAKE_N(8));
    tracks_settle(x->t, 1500);
    SHOWS(lane_of(x, TRACK_CALL, 7), 1500, "0:0+100=read/0 0:200+100=read/0 0:300+200=read/0>");
    static const struct {
        uint64_t from, to;
        const char *row; /* count total max inside */
    } stretches[] = {{1000, 1500, "4 100 100 500"}, {1000, 1500, "4 100 100 500"},
                     {1001, 1500, "3 0 -1 499"},    {1000, 1099, "1 0 -1 99"},
                     {1000, 1100, "1 100 100 100"}, {1150, 1450, "3 0 -1 300"}};
    for (size_t i = 0; i < ARRAY_SIZE(stretches); i++) {
        char row[64];
        assert_null(tracks_select(x->t, stretches[i].from, stretches[i].to, &v));
        const struct oscope_table *t = fake_fold_table(v, "calls");
        assert_int_equal(t->nrows, 1);
        const uint64_t *n = (const uint64_t *)((const char *)t->rows + t->columns[1].offset);
        snprintf(row, sizeof row, "%d %d %d %d", (int)n[0], (int)n[1], (int)n[2], (int)n[3]);
        assert_string_equal(row, stretches[i].row);
        oscope_view_free(v);
    }
}

static void mmio(struct fixture *x, uint64_t time, const char *device, const char *reg, int value,
                 bool write)
{
    GIVE("mmio", 0, time, FAKE_T(device), FAKE_T(reg), FAKE_N(0), FAKE_N(0), FAKE_N(value),
         FAKE_N(4), FAKE_N(write));
}

static void test_interrupts(void **state)
{
    struct fixture *x = *state;
    struct track_arrow arrows[TRACKS_ARROWS];

    trap(x, 1000, 0x8009, 0);
    mmio(x, 1010, "plic", "claim[0]", 3, false);
    GIVE("irq_handler_entry", 0, 1020, FAKE_N(5), FAKE_T("disk"), FAKE_N(3));
    GIVE("irq_handler_exit", 0, 1030, FAKE_N(5), FAKE_N(1));
    mmio(x, 1040, "plic", "complete[0]", 3, true);
    trap_exit(x, 1050, 0);
    const struct track_lane *plic = NULL;
    for (size_t i = 0; i < tracks_lanes(x->t); i++)
        if (tracks_lane(x->t, i)->kind == TRACK_MMIO)
            plic = tracks_lane(x->t, i);
    SHOWS(plic, 1100, "0:10+0=read claim[0]/0 0:40+0=write complete[0]/0");
    assert_string_equal(plic->name, "plic");
    assert_int_equal(tracks_arrows(x->t, 1000, 1100, arrows), 3);
    const uint32_t trap_id = lane_of(x, TRACK_TRAP, 0)->id, irq = lane_of(x, TRACK_IRQ, 0)->id;
    const struct track_arrow expected[] = {{1000, 1010, trap_id, plic->id, 1},
                                           {1010, 1020, plic->id, irq, 1},
                                           {1020, 1040, irq, plic->id, 1}};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(arrows[i].from, expected[i].from);
        assert_int_equal(arrows[i].to, expected[i].to);
        assert_int_equal(arrows[i].from_lane, expected[i].from_lane);
        assert_int_equal(arrows[i].to_lane, expected[i].to_lane);
        assert_int_equal(arrows[i].id, expected[i].id);
    }
    assert_int_equal(tracks_arrows(x->t, 1015, 1030, arrows), 2); /* those that reach into it */
    assert_int_equal(tracks_arrows(x->t, 1060, 1100, arrows), 0);
}

/* ---- windows ---- */

/* Slices of a few names: long ones, short ones, gaps. */
static uint64_t many(struct fixture *x, unsigned n, unsigned seed)
{
    uint64_t time = 1000;
    int32_t runs = 0;

    for (unsigned i = 0; i < n; i++) {
        seed = seed * 1103515245 + 12345;
        int32_t next = runs ? 0 : 1 + (int32_t)(seed >> 16) % 5;
        sched(x, 0, time, runs, 1, next);
        runs = next;
        time += 1 + (seed >> 8) % ((seed >> 20) % 97 ? 50 : 20000);
    }
    tracks_settle(x->t, time);
    return time;
}

struct slice_sum {
    uint64_t n, longest;
    uint32_t name;
};

/* What is between two moments, of the row as it is. */
static struct slice_sum sum_of(const struct track_row *r, uint64_t from, uint64_t to)
{
    struct slice_sum sum = {0};
    struct track_slice s;

    for (struct track_at at = {0}; track_row_get(r, at, &s); at = track_row_next(r, at)) {
        if (s.start < from || s.start >= to)
            continue;
        sum.n++;
        if (s.duration >= sum.longest)
            sum = (struct slice_sum){sum.n, s.duration, s.name};
    }
    return sum;
}

static void check_window(struct fixture *x, const struct track_lane *lane, uint64_t from,
                         uint64_t to, uint32_t width)
{
    const struct tracks_window w = {from, to, width};
    const struct track_row *r = &lane->rows[0];
    struct track_items items = {0};
    struct track_slice s;
    uint64_t n = 0, all = 0, end = 0;

    for (struct track_at at = {0}; track_row_get(r, at, &s); at = track_row_next(r, at))
        all += s.start < to && (s.start >= from || s.start + s.duration > from);
    assert_true(tracks_look(x->t, lane, &w, &items));
    assert_true(items.items.len <= 2 * (size_t)width + 1);
    vec_each (struct track_item, i, &items.items) {
        uint64_t count = i->info >> TRACK_ITEM_COUNT_SHIFT & TRACKS_FRAME_MORE;
        n += count;
        assert_true(i->start >= end);
        end = (uint64_t)i->start + i->duration;
        assert_true(end <= to - from);
        if (i->start && end < to - from && count < TRACKS_FRAME_MORE) {
            struct slice_sum sum = sum_of(r, from + i->start, from + end);
            assert_int_equal(sum.n, count);
            track_row_get(r, track_row_seek(r, from + i->start), &s);
            if (count == 1 && !(i->info & TRACK_ITEM_OPEN))
                assert_int_equal(s.duration, i->duration);
            else if (count > 1) /* several may be the longest */
                assert_true(sum.longest * width <= to - from + width);
        }
        assert_true(count < TRACKS_FRAME_MORE);
    }
    assert_int_equal(n, all);
    vec_free(&items.items);
}

static void test_windows(void **state)
{
    struct fixture *x = *state;
    uint64_t last = many(x, 9000, 1);
    const struct track_lane *lane = lane_of(x, TRACK_CPU, 0);
    unsigned seed = 7;

    /* the origin is 0, so that rows' times are these */
    check_window(x, lane, 1000, last, 500);
    check_window(x, lane, 0, last + 5000, 1);
    check_window(x, lane, 1000, last, 1 << 20);
    for (int i = 0; i < 300; i++) {
        seed = seed * 1103515245 + 12345;
        uint64_t from = (seed >> 4) % last;
        seed = seed * 1103515245 + 12345;
        uint64_t length = 1 + (seed >> 4) % ((seed >> 3) % 4 ? 3000 : last);
        check_window(x, lane, from, from + length, 1 + (seed >> 12) % 700);
    }
    assert_string_equal(look(x, lane, last + 10, last + 20, 10), "");
    assert_string_equal(look(x, lane, 0, 500, 10), "");
}

static void test_merging(void **state)
{
    struct fixture *x = *state;

    for (int i = 0; i < 200; i++) { /* the longest is the 101st */
        sched(x, 0, 1000 + (uint64_t)i * 10, 0, 0, i == 100 ? 7 : 8);
        sched(x, 0, 1004 + (uint64_t)i * 10 + (i == 100), i == 100 ? 7 : 8, 1, 0);
    }
    sched(x, 0, 3000, 0, 0, 9);
    sched(x, 0, 4000, 9, 1, 0);
    sched(x, 0, 4001, 0, 0, 9);
    SHOWS(lane_of(x, TRACK_CPU, 0), 1010, "0:0+4=t8 8/0 0:4+6=idle/1");
    /* one pixel is 3000: all but the last, which is open */
    assert_string_equal(look(x, lane_of(x, TRACK_CPU, 0), 1000, 4001, 1), "0:0+3001=t9 9/0x402");
    /* 500 each */
    assert_string_equal(look(x, lane_of(x, TRACK_CPU, 0), 1000, 4000, 6),
                        "0:0+500=idle/1x100 0:500+500=idle/1x100 0:1000+500=idle/1x100 "
                        "0:1500+500=idle/1x100 0:2000+1000=t9 9/0");
}

static void test_finding(void **state)
{
    struct fixture *x = *state;

    sched(x, 0, 1000, 0, 0, 7);
    sched(x, 0, 1010, 7, 1, 8);
    sched(x, 0, 1020, 8, 1, 7);
    sched(x, 1, 1015, 0, 1, 70);
    tracks_settle(x->t, 1100);
    const struct track_lane *cpu = lane_of(x, TRACK_CPU, 0);
    static const struct {
        const char *text;
        uint64_t from;
        bool back, all;
        uint64_t start; /* 0: none */
    } asked[] = {
        {"", 0, false, false, 1000},      {"", 1000, false, false, 1010},
        {"", 1019, false, false, 1020},   {"", 1020, false, false, 0},
        {"", 1020, true, false, 1010},    {"", 1015, true, false, 1010},
        {"", 1000, true, false, 0},       {"T7", 0, false, false, 1000},
        {"t7", 1000, false, false, 1020}, {"t7", 5000, true, false, 1020},
        {"t7", 1020, true, false, 1000},  {"t7", 1000, false, true, 1015},
        {"t70", 5000, true, true, 1015},  {"nobody", 0, false, true, 0},
        {"t70", 0, false, false, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
        const struct tracks_find f = {asked[i].text, asked[i].from, asked[i].back,
                                      asked[i].all ? NULL : cpu};
        struct tracks_found found = tracks_find(x->t, &f);
        assert_int_equal(found.lane ? found.start : 0, asked[i].start);
    }
    struct tracks_found open = tracks_find(x->t, &(struct tracks_find){"", 1015, false, cpu});
    assert_true(open.open);
    assert_int_equal(open.duration, 80);
}

/* ---- bounds ---- */

static void state_of(struct fixture *x, struct tracks_state *s)
{
    tracks_state(x->t, s);
}

static void test_room(void **state)
{
    struct fixture *x = *state;
    struct tracks_state s;

    /* of a recording what comes too late finds none */
    begin(x, &(struct tracks_options){.bytes = 64 << 10});
    uint64_t last = many(x, 20000, 2);
    state_of(x, &s);
    assert_true(s.dropped > 10000);
    assert_int_equal(s.from, 1000);
    assert_true(s.slices > 2000 && s.slices * 16 <= 64 << 10);
    assert_string_not_equal(look(x, lane_of(x, TRACK_CPU, 0), 1000, 2000, 1000), "");
    assert_string_equal(look(x, lane_of(x, TRACK_CPU, 0), last - 50, last, 1000), "");
    /* of a live guest the oldest goes */
    begin(x, &(struct tracks_options){.bytes = 64 << 10, .moves = true});
    last = many(x, 20000, 2);
    state_of(x, &s);
    assert_true(s.dropped > 10000 && s.from > 1000 && s.from < last);
    assert_true(s.slices > 1000 && s.slices * 16 <= 64 << 10);
    assert_string_equal(look(x, lane_of(x, TRACK_CPU, 0), 1000, 2000, 1000), "");
    assert_string_not_equal(look(x, lane_of(x, TRACK_CPU, 0), last - 50, last, 1000), "");
    check_window(x, lane_of(x, TRACK_CPU, 0), s.from, last, 300);
}

static void test_bytes(void **state)
{
    struct fixture *x = *state;
    struct track_memory m = {.most = SIZE_MAX};
    struct track_row r = {0};

    (void)x;
    for (uint64_t i = 0; i < 1000000; i++)
        assert_true(track_row_add(&r, &m, (struct track_slice){i * 2, 1, 5, 1, true}));
    assert_int_equal(m.slices, 1000000);
    assert_true(m.used <= 1000000 * 16 + 1000000 / 2);
    track_row_free(&r, &m);
    assert_int_equal(m.used, 0);
    assert_int_equal(m.slices, 0);
}

static void test_too_many_tasks(void **state)
{
    struct fixture *x = *state;
    struct tracks_state s;

    for (int pass = 0; pass < 2; pass++) {
        begin(x, &(struct tracks_options){.moves = pass});
        for (int i = 0; i < 2 * TRACKS_TASKS; i++) {
            sched(x, 0, 1000 + (uint64_t)i * 10, i, 1, i + 1);
            GIVE("syscall_entry_read", 0, 1001 + (uint64_t)i * 10, FAKE_N(i + 1));
        }
        state_of(x, &s);
        assert_true(pass ? !s.laneless && s.gone : s.laneless && !s.gone);
        assert_true(tracks_lanes(x->t) <= 3 * TRACKS_TASKS + 8);
        assert_true(!pass == !lane_of(x, TRACK_TASK, 2 * TRACKS_TASKS));
        /* lanes are found by their numbers, whichever are gone */
        for (size_t i = 0; i < tracks_lanes(x->t); i += 100)
            assert_ptr_equal(tracks_lane_find(x->t, tracks_lane(x->t, i)->id),
                             tracks_lane(x->t, i));
        assert_null(tracks_lane_find(x->t, UINT32_MAX));
    }
}

static void test_too_many_names(void **state)
{
    struct fixture *x = *state;
    struct tracks_state s;
    char comm[2][16] = {"a"};

    for (int i = 0; i < TRACKS_RECORDING_NAMES + 100; i++) {
        snprintf(comm[1], sizeof comm[1], "%d", i);
        GIVE("sched_switch", 0, 1000 + (uint64_t)i, FAKE_T(comm[0]), FAKE_N(7 - i % 2), FAKE_N(20),
             FAKE_N(1), FAKE_T(comm[1]), FAKE_N(6 + i % 2), FAKE_N(20));
        memcpy(comm[0], comm[1], sizeof comm[0]);
    }
    state_of(x, &s);
    assert_true(s.names_full);
    assert_int_equal(s.names, TRACKS_RECORDING_NAMES);
}

/* Task i runs from 1000 + i * 10 on, until the next one does. */
static void one_by_one(struct fixture *x, int from, int to)
{
    for (int i = from; i < to; i++)
        sched(x, 0, 1000 + (uint64_t)i * 10, i - 1, 0x10, i);
    tracks_settle(x->t, 1000 + (uint64_t)to * 10);
}

/* How many slices the vCPU's lane has; each is of the task that its time says. */
static unsigned check_names(struct fixture *x)
{
    const struct track_row *r = &lane_of(x, TRACK_CPU, 0)->rows[0];
    struct track_slice s;
    unsigned n = 0;

    for (struct track_at at = {0}; track_row_get(r, at, &s); at = track_row_next(r, at), n++) {
        char name[32];
        int tid = (int)(s.start - 1000) / 10; /* the origin is 0 */
        snprintf(name, sizeof name, "t%d %d", tid, tid);
        assert_string_equal(tracks_name(x->t, s.name), name);
    }
    return n;
}

static void test_tasks_come_and_go(void **state)
{
    enum { ROUND = 20000, ROUNDS = 10 };
    struct fixture *x = *state;
    struct tracks_state s;

    /* the slices find room, the names do not; or the slices go before their names are too many */
    for (int pass = 0; pass < 2; pass++) {
        unsigned epoch, at_least = pass ? 4000 : TRACKS_LIVE_NAMES / 4;
        begin(x, &(struct tracks_options){.moves = true, .bytes = pass ? 4 << 20 : 0});
        state_of(x, &s);
        epoch = s.epoch;
        for (int i = 0; i < ROUNDS; i++) {
            one_by_one(x, i * ROUND + 1, (i + 1) * ROUND + 1);
            state_of(x, &s);
            assert_false(s.names_full);
            assert_true(s.names <= TRACKS_LIVE_NAMES);
            assert_true(check_names(x) >= MIN(at_least, (unsigned)ROUND));
        }
        assert_true(s.epoch >= epoch + 2 && s.epoch < epoch + ROUNDS);
        SHOWS(lane_of(x, TRACK_CPU, 0), 1010, "");
        /* what goes on has its name, and what has its name is found */
        const struct tracks_find f = {.text = "t200000 ", .from = 0};
        struct tracks_found found = tracks_find(x->t, &f);
        assert_non_null(found.lane);
        assert_true(found.open);
        assert_int_equal(found.start, 1000 + (uint64_t)ROUND * ROUNDS * 10);
        look(x, lane_of(x, TRACK_TASK, ROUND * ROUNDS), found.start, found.start + 10, 10);
        assert_string_equal(x->text, "0:0+10=vCPU 0/0>");
        /* known names are known still */
        sched(x, 0, found.start + 10, ROUND * ROUNDS, 1, 0);
        state_of(x, &s);
        size_t names = s.names;
        sched(x, 0, found.start + 20, 0, 0, ROUND * ROUNDS);
        sched(x, 0, found.start + 30, ROUND * ROUNDS, 1, 0);
        state_of(x, &s);
        assert_int_equal(s.names, names);
        look(x, lane_of(x, TRACK_CPU, 0), found.start, found.start + 30, 30);
        assert_string_equal(x->text, "0:0+10=t200000 200000/0 0:10+10=idle/1 "
                                     "0:20+10=t200000 200000/0");
    }
}

/* Half of the slices have names of their own, more than there is place for. */
static void test_names_of_use(void **state)
{
    struct fixture *x = *state;
    struct tracks_state s;
    uint64_t time = 1000;

    begin(x, &(struct tracks_options){.moves = true});
    sched(x, 1, time, 0, 0, 5000000); /* goes on all the time */
    for (int i = 1; i < 2 * TRACKS_LIVE_NAMES; i++, time += 10) {
        sched(x, 0, time, 0, 0, i);
        sched(x, 0, time + 5, i, 0x10, 0);
    }
    tracks_settle(x->t, time);
    state_of(x, &s);
    assert_false(s.names_full);
    assert_true(s.from > 1000 && s.dropped > 0);
    look(x, lane_of(x, TRACK_CPU, 0), time - 10, time, 10);
    assert_string_equal(x->text, "0:0+5=t131071 131071/0 0:5+5=idle/1>");
    look(x, lane_of(x, TRACK_CPU, 1), time - 10, time, 10);
    assert_string_equal(x->text, "0:0+10=t5000000 5000000/0>");
}

struct task_sums {
    size_t rows, others;
    uint64_t all, unknown;
};

/* Each task ran for 10 ns, but those that nobody can tell apart. */
static struct task_sums sum_tasks(struct fixture *x, uint64_t to)
{
    struct task_sums sums = {0};
    struct oscope_view *v;

    assert_null(tracks_select(x->t, 1000, to, &v));
    const struct oscope_table *t = fake_fold_table(v, "tasks");
    for (size_t i = 0; i < t->nrows; i++) {
        const char *row = (const char *)t->rows + i * t->row_size;
        const char *comm = row + t->columns[1].offset;
        char name[32];
        int32_t tid;
        uint64_t ns;
        memcpy(&tid, row + t->columns[0].offset, sizeof tid);
        memcpy(&ns, row + t->columns[2].offset, sizeof ns);
        sums.all += ns;
        if (tid < 0) {
            assert_string_equal(comm, "(others)");
            sums.others++;
            sums.unknown += ns;
            continue;
        }
        snprintf(name, sizeof name, "t%d", (int)tid);
        assert_string_equal(comm, name);
        assert_int_equal(ns, 10);
        sums.rows++;
    }
    oscope_view_free(v);
    return sums;
}

static void test_many_tasks_of_recording(void **state)
{
    enum { TASKS = 100000 };
    struct fixture *x = *state;
    struct tracks_state s;
    uint64_t end = 1000 + (uint64_t)TASKS * 10;

    one_by_one(x, 1, TASKS);
    state_of(x, &s);
    assert_false(s.names_full);
    struct task_sums sums = sum_tasks(x, end);
    assert_int_equal(sums.rows, TASKS - 1);
    assert_int_equal(sums.others, 0);
    assert_int_equal(sums.all, (uint64_t)(TASKS - 1) * 10);
    /* there is no memory for all names, and little later for no slice */
    begin(x, &(struct tracks_options){.bytes = 4 << 20});
    one_by_one(x, 1, TASKS);
    state_of(x, &s);
    assert_true(s.names_full);
    sums = sum_tasks(x, end);
    assert_true(sums.rows > TRACKS_TASKS);
    assert_int_equal(sums.others, 1);
    assert_true(sums.unknown > 10);
    assert_int_equal(sums.all, sums.rows * 10 + sums.unknown);
}

static void test_hostile_times(void **state)
{
    struct fixture *x = *state;
    struct tracks_state s;

    sched(x, 0, 100 * SECOND, 0, 0, 7);
    sched(x, 0, 200 * SECOND, 7, 1, 8); /* that was no time */
    sched(x, 0, 101 * SECOND, 8, 1, 7);
    sched(x, 0, 102 * SECOND, 7, 1, 8);
    tracks_settle(x->t, 102 * SECOND);
    state_of(x, &s);
    assert_true(s.backwards > 0);
    look(x, lane_of(x, TRACK_CPU, 0), 101 * SECOND, 102 * SECOND, 1000);
    assert_string_equal(x->text, "0:0+1000000000=t7 7/0");
    /* what went is not counted any more */
    assert_int_equal(lane_of(x, TRACK_CPU, 0)->busy, SECOND);
    assert_int_equal(lane_of(x, TRACK_TASK, 7)->busy, SECOND);
    assert_int_equal(lane_of(x, TRACK_TASK, 8)->busy, 0);
    /* beyond all days, and the very last moment */
    sched(x, 0, UINT64_MAX - 1, 8, 1, 7);
    sched(x, 0, UINT64_MAX, 7, 1, 8);
    tracks_settle(x->t, UINT64_MAX);
    look(x, lane_of(x, TRACK_CPU, 0), UINT64_MAX - 100, UINT64_MAX, 10);
    look(x, lane_of(x, TRACK_CPU, 0), 0, UINT64_MAX, 10);
    for (int i = 0; i < 300; i++) { /* again and again */
        sched(x, 0, i % 2 ? 0 : UINT64_MAX - (uint64_t)i, 7, 1, 8);
        sched(x, 1, (uint64_t)i * (UINT64_MAX / 300), 7, 1, 8);
    }
    struct oscope_view *v;
    assert_null(tracks_select(x->t, 0, UINT64_MAX, &v));
    oscope_view_free(v);
    /* live the store begins anew some day */
    begin(x, &(struct tracks_options){.moves = true});
    sched(x, 0, 100 * SECOND, 0, 0, 7);
    state_of(x, &s);
    unsigned epoch = s.epoch;
    sched(x, 0, 1000000 * SECOND, 7, 1, 8);
    sched(x, 0, 1000001 * SECOND, 8, 1, 7);
    tracks_settle(x->t, 1000001 * SECOND);
    state_of(x, &s);
    assert_true(s.epoch != epoch);
    assert_string_equal(look(x, lane_of(x, TRACK_CPU, 0), 1000000 * SECOND, 1000001 * SECOND, 1000),
                        "0:0+1000000000=t8 8/0");
}

static void test_nothing(void **state)
{
    struct fixture *x = *state;
    struct trace_event ev = {.time = 1000, .type = trace_schema_find(&x->schema, "vcpu_idle")};
    struct oscope_view *v;
    struct tracks_state s;
    struct track_arrow arrows[TRACKS_ARROWS];

    tracks_clear(x->t);
    tracks_event(x->t, &ev);
    tracks_settle(x->t, 5);
    tracks_break(x->t, 6);
    tracks_end(x->t);
    state_of(x, &s);
    assert_int_equal(s.to, 0);
    assert_int_equal(tracks_lanes(x->t), 0);
    assert_int_equal(tracks_arrows(x->t, 0, 100, arrows), 0);
    assert_null(tracks_find(x->t, &(struct tracks_find){.text = ""}).lane);
    assert_null(tracks_select(x->t, 0, 100, &v));
    oscope_view_free(v);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_tasks),          TEST(test_wakings),
        TEST(test_names),          TEST(test_losses),
        TEST(test_beginning),      TEST(test_traps),
        TEST(test_calls),          TEST(test_interrupts),
        TEST(test_windows),        TEST(test_merging),
        TEST(test_finding),        TEST(test_room),
        TEST(test_bytes),          TEST(test_too_many_tasks),
        TEST(test_too_many_names), TEST(test_tasks_come_and_go),
        TEST(test_names_of_use),   TEST(test_many_tasks_of_recording),
        TEST(test_hostile_times),  TEST(test_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
