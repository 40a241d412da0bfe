/* SPDX-License-Identifier: MIT */
/* The timeline's store: which slices follow from which events, windows of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_tracks.h"

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
    wake(x, "sched_waking", 1010, 7); /* on its way to sleep: it waits once it is there */
    sched(x, 0, 1020, 7, 1, 0);
    wake(x, "sched_wakeup", 1030, 7);
    sched(x, 1, 1040, 0, 0, 7);
    wake(x, "sched_waking", 1041, 7); /* that of an earlier sleep: it sleeps all the same */
    wake(x, "sched_wakeup", 1042, 7);
    sched(x, 1, 1050, 7, 1, 0);
    tracks_settle(x->t, 1060);
    SHOWS(lane_of(x, TRACK_TASK, 7), 1060,
          "0:0+20=vCPU 0/0 0:20+10=/2 0:30+10=t7 7/1 0:40+10=vCPU 1/0 0:50+10=/2>"); /* by itself */
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
    /* woken as it runs it runs on, sleeps later, and is woken by another */
    sched(x, 0, 1090, 9, 0, 11);
    wake(x, "sched_waking", 1091, 11);
    sched(x, 0, 1100, 11, 1, 9);
    sched(x, 1, 1105, 0, 0, 12);
    wake(x, "sched_waking", 1110, 11);
    sched(x, 1, 1120, 12, 1, 11);
    GIVE("sched_waking", 1, 1130, FAKE_T("t12"), FAKE_N(12), FAKE_N(20), FAKE_N(0));
    tracks_settle(x->t, 1140);
    SHOWS(lane_of(x, TRACK_TASK, 11), 1140,
          "0:90+10=vCPU 0/0 0:100+10=/2 0:110+10=t9 9/1 0:120+20=vCPU 1/0>");
    SHOWS(lane_of(x, TRACK_TASK, 12), 1140, "0:105+15=vCPU 1/0 0:120+10=/2 0:130+10=t11 11/1>");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_tasks),     TEST(test_wakings), TEST(test_names),   TEST(test_losses),
        TEST(test_beginning), TEST(test_traps),   TEST(test_calls),   TEST(test_interrupts),
        TEST(test_windows),   TEST(test_merging), TEST(test_finding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
