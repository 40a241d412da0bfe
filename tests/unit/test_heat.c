/* SPDX-License-Identifier: MIT */
/* Accesses to memory: what is asked for, slices of time, counters as events, the report. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "draw/render.h"
#include "fake_fold.h"
#include "fake_target.h"
#include "session/drain.h"
#include "session/duty.h"
#include "session/heat.h"
#include "session/session.h"

#define MS UINT64_C(1000000)
enum { RAM = 0x80000000u };

/* ---- what is asked for ---- */

static unsigned share_of(const char *set)
{
    unsigned share = 77;

    return heat_set(set, &share) ? share : 77;
}

static void shares(void **state)
{
    assert_int_equal(share_of("heat"), 10000);
    assert_int_equal(share_of("heat:exact"), PROBE_HEAT_ALL);
    assert_int_equal(share_of("heat:100%"), PROBE_HEAT_ALL);
    assert_int_equal(share_of("heat:2.5%"), 25000);
    assert_int_equal(share_of("heat:0.01%"), 100);
    static const char *const wrong[] = {"heat:",     "heat:%",   "heat:5",
                                        "heat:0%",   "heat:-1%", "heat:nan%",
                                        "heat:101%", "heat:5%x", "heat:inf%"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_int_equal(share_of(wrong[i]), 0);
    assert_int_equal(share_of("heater"), 77);
    assert_int_equal(share_of("sched"), 77);
}

/* How much of a time is on, in ms. */
static uint64_t on_for(unsigned share, uint64_t ms)
{
    struct duty d = {0};
    uint64_t on = 0;

    duty_set(&d, share, 1000 * MS);
    for (uint64_t t = 0; t < ms; t++) {
        uint64_t now = (1000 + t) * MS;
        duty_set(&d, share, now); /* somebody else came: nothing changes */
        if (duty_due(&d, now)) {
            assert_int_equal(duty_wait_ms(&d, now), 0);
            duty_flip(&d, now);
        }
        on += d.on;
    }
    return on;
}

static void slices(void **state)
{
    struct duty d = {0};

    assert_int_equal(on_for(DUTY_WHOLE, 10000), 10000);
    assert_int_equal(on_for(10000, 25000), 250);
    assert_int_equal(on_for(10000, 25001), 251); /* the next one begins */
    assert_int_equal(on_for(500000, 10000), 5000);
    assert_int_equal(on_for(100, 2500000), 250);
    assert_int_equal(duty_wait_ms(&d, 5), -1);
    duty_set(&d, DUTY_WHOLE, 5);
    assert_true(d.on);
    assert_int_equal(duty_wait_ms(&d, 5), -1);
    duty_set(&d, 10000, 5);
    assert_true(d.on);
    assert_int_equal(duty_wait_ms(&d, 5), 251);
    duty_defer(&d, 250 * MS + 5);
    assert_false(duty_due(&d, 250 * MS + 6));
    duty_set(&d, 0, 9);
    assert_false(d.on || duty_due(&d, UINT64_MAX));
}

/* ---- counters as events ---- */

enum { PAGES = 5000, SHARDS = 2 };

/* The engine's file, an OS that owns the pages, and who reads the events. */
struct source {
    struct fake guest;
    struct oscope_session session;
    struct os_model os;
    int fd;
    struct wire_heat *heat;
    size_t bytes;
    struct heat_source *source;
    struct trace_schema schema;
    struct trace_reader *reader;
};

static struct oscope_error *owners(struct os_model *m, uint64_t pfn, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = pfn + i == RAM / 4096 + 4097 ? OS_OWNER_ANON : OS_OWNER_SLAB;
    return NULL;
}

static struct oscope_error *no_tasks(struct os_model *m, bool threads, struct os_list *list)
{
    return NULL;
}

static const struct os_model_ops os_ops = {.page_owners = owners, .tasks = no_tasks};

/* A file as the engine makes it; its counters are 0. */
static void make_file(struct source *x)
{
    struct wire_heat head = {.magic = WIRE_HEAT_MAGIC,
                             .version = WIRE_VERSION,
                             .shards = SHARDS,
                             .pages = PAGES,
                             .shards_at = WIRE_PAGE,
                             .shard_stride = 131072,
                             .nram = 1};

    head.ram[0] = (struct wire_ram){RAM, (uint64_t)PAGES * WIRE_PAGE, 0};
    x->bytes = head.bytes = head.shards_at + SHARDS * head.shard_stride;
    x->fd = memfd_create(WIRE_HEAT_NAME, MFD_CLOEXEC);
    assert_int_equal(ftruncate(x->fd, (off_t)x->bytes), 0);
    x->heat = mmap(NULL, x->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, x->fd, 0);
    assert_true(x->heat != MAP_FAILED);
    *x->heat = head;
}

static void drop_file(struct source *x)
{
    x->heat->closed = 1;
    munmap(x->heat, x->bytes);
    close(x->fd);
}

static void count(struct source *x, unsigned shard, unsigned page, uint64_t reads, uint64_t writes)
{
    uint8_t *at = (uint8_t *)x->heat + x->heat->shards_at + shard * x->heat->shard_stride;
    struct wire_page_heat *p = (struct wire_page_heat *)at + page;

    p->reads += reads;
    p->writes += writes;
}

static void open_source(struct source *x)
{
    struct heat_options o = {.session = &x->session, .pid = getpid()};

    fake_init(&x->guest, "riscv64", RAM, 1 << 20);
    x->os = (struct os_model){.ops = &os_ops, .target = &x->guest.target};
    x->session = (struct oscope_session){.target = &x->guest.target, .os = &x->os};
    trace_schema_init(&x->schema);
    assert_null(trace_schema_add_builtin(&x->schema));
    assert_null(heat_open(&o, &x->source));
    assert_null(
        trace_reader_open_rings(&x->reader, heat_rings(x->source), &x->schema, TRACE_FROM_NEXT));
}

static void close_source(struct source *x)
{
    trace_reader_close(x->reader);
    heat_close(x->source);
    trace_schema_free(&x->schema);
    fake_free(&x->guest);
}

static void look(struct source *x)
{
    bool last = true;

    for (; heat_pump(x->source, clock_ns(), last); last = false)
        ;
    trace_reader_poll(x->reader, UINT64_MAX);
}

/* The next event must be page_heat with these. */
static void expect_page(struct source *x, uint64_t page, const char *owner, uint64_t reads,
                        uint64_t writes)
{
    const struct trace_event *ev = trace_reader_next(x->reader);

    while (ev && strcmp(ev->type->name, "page_heat") != 0)
        ev = trace_reader_next(x->reader);
    assert_non_null(ev);
    assert_int_equal(ev->cpu, TRACE_CPU_NONE);
    assert_int_equal(trace_event_u64(ev, 0), RAM + page * 4096);
    assert_string_equal(trace_event_str(ev, 1), owner);
    assert_int_equal(trace_event_u64(ev, 5), reads);
    assert_int_equal(trace_event_u64(ev, 6), writes);
    assert_int_equal(trace_event_u64(ev, 7), 0);
}

static void expect_no_page(struct source *x)
{
    const struct trace_event *ev;

    while ((ev = trace_reader_next(x->reader)))
        assert_string_not_equal(ev->type->name, "page_heat");
}

static void counters_are_told(void **state)
{
    static struct source x;

    make_file(&x);
    count(&x, 0, 3, 1000, 1000); /* before we came */
    x.heat->watched = 50 * MS;
    open_source(&x);
    count(&x, 0, 3, 1, 2);
    count(&x, 1, 3, 10, 20);
    count(&x, 1, 4097, 5, 0);
    count(&x, 0, PAGES - 1, 0, 7);
    x.heat->watched += 1; /* ns */
    look(&x);
    const struct trace_event *ev = trace_reader_next(x.reader);
    assert_string_equal(ev->type->name, "heat_interval");
    assert_int_equal(trace_event_u64(ev, 1), 1);
    assert_int_equal(trace_event_u64(ev, 2), 3);
    assert_int_equal(trace_event_u64(ev, 3), PAGES);
    expect_page(&x, 3, "slab", 11, 22);
    expect_page(&x, 4097, "anon", 5, 0);
    expect_page(&x, PAGES - 1, "slab", 0, 7);
    expect_no_page(&x);
    look(&x);
    expect_no_page(&x);
    /* It was off in between: another file, from 0 on. What was counted last is not lost. */
    count(&x, 0, 3, 1, 0);
    x.heat->closed = 1;
    look(&x);
    expect_page(&x, 3, "slab", 1, 0);
    drop_file(&x);
    make_file(&x);
    count(&x, 0, 3, 4, 0);
    look(&x);
    expect_page(&x, 3, "slab", 4, 0);
    close_source(&x);
    drop_file(&x);
}

static void many_pages_at_once(void **state)
{
    static struct source x;
    unsigned told = 0;

    make_file(&x);
    open_source(&x);
    for (unsigned i = 0; i < PAGES; i++)
        count(&x, i % SHARDS, i, i + 1, 0);
    for (bool more = true, last = true; more; last = false) {
        more = heat_pump(x.source, clock_ns(), last);
        trace_reader_poll(x.reader, UINT64_MAX);
        for (const struct trace_event *ev; (ev = trace_reader_next(x.reader));)
            if (!strcmp(ev->type->name, "page_heat"))
                assert_int_equal(trace_event_u64(ev, 5), ++told);
    }
    assert_int_equal(told, PAGES);
    assert_int_equal(trace_reader_stats(x.reader).lost, 0);
    /* A last look is not forgotten while others are being told. */
    for (unsigned i = 0; i < PAGES; i++)
        count(&x, 0, i, 1, 0);
    assert_true(heat_pump(x.source, clock_ns(), true));
    count(&x, 0, 7, 70, 0);
    for (bool last = true; heat_pump(x.source, 0, last); last = false) {
        trace_reader_poll(x.reader, UINT64_MAX);
        while (trace_reader_next(x.reader))
            ;
    }
    trace_reader_poll(x.reader, UINT64_MAX);
    expect_page(&x, 7, "slab", 70, 0);
    expect_no_page(&x);
    close_source(&x);
    drop_file(&x);
}

/* ---- the thread that writes a recording ---- */

struct recording {
    struct source x;
    struct subscription sub;
    struct keeper keeper;
    struct drain drain;
    char top[32], dir[48];
};

static void open_recording(struct recording *r)
{
    const struct trace_rings *rings;

    make_file(&r->x);
    open_source(&r->x);
    strcpy(r->top, "/tmp/oscope-test-XXXXXX");
    assert_non_null(mkdtemp(r->top));
    snprintf(r->dir, sizeof r->dir, "%s/trace", r->top);
    rings = heat_rings(r->x.source);
    struct trace_recorder_options o = {
        .dir = r->dir, .rings = &rings, .nrings = 1, .schema = &r->x.schema};
    trace_clock_host(&o.clock);
    r->sub.heat = r->x.source;
    r->drain = (struct drain){.sub = &r->sub, .keeper = &r->keeper};
    assert_null(trace_recorder_open(&r->drain.recorder, &o));
    trace_schema_seal(&r->x.schema);
}

static void close_recording(struct recording *r)
{
    char command[80];

    trace_recorder_close(r->drain.recorder);
    close_source(&r->x);
    drop_file(&r->x);
    snprintf(command, sizeof command, "rm -rf %s", r->top);
    assert_int_equal(system(command), 0);
}

/* Accesses to all pages are found; the thread alone tells and writes them. */
static void find_all(struct recording *r, bool (*until)(const struct recording *r))
{
    uint64_t limit = clock_ns() + 20000 * MS;

    for (unsigned i = 0; i < PAGES; i++)
        count(&r->x, i % SHARDS, i, i + 1, 0);
    assert_true(heat_look(r->x.source, clock_ns(), true));
    while (!until(r) && clock_ns() < limit)
        usleep(1000);
    assert_true(until(r));
}

static bool all_told(const struct recording *r)
{
    return !heat_look(r->x.source, 0, false);
}

static unsigned pages_in(const char *dir)
{
    struct trace_reader *reader;
    unsigned n = 0;

    assert_null(trace_reader_open_dir(&reader, dir));
    for (const struct trace_event *ev; (ev = trace_reader_next(reader));)
        if (!strcmp(ev->type->name, "page_heat"))
            assert_int_equal(trace_event_u64(ev, 5), n++ % PAGES + 1);
    trace_reader_close(reader);
    return n;
}

/* Nobody but the thread reads; it can end and begin again, and what is left comes at the end. */
static void writing_goes_on(void **state)
{
    static struct recording r;

    open_recording(&r);
    assert_null(drain_start(&r.drain));
    find_all(&r, all_told);
    find_all(&r, all_told);
    assert_null(drain_end(&r.drain));
    assert_null(drain_end(&r.drain));
    assert_null(drain_start(&r.drain));
    find_all(&r, all_told);
    assert_null(drain_end(&r.drain));
    assert_null(drain_finish(&r.drain));
    assert_int_equal(drain_stats(&r.drain).lost, 0);
    assert_true(drain_stats(&r.drain).packets > 3);
    assert_int_equal(pages_in(r.dir), 3 * PAGES);
    const struct trace_type late = {.id = 60000, .name = "late"};
    struct oscope_error *err = trace_schema_add(&r.x.schema, &late);
    assert_non_null(err);
    oscope_error_free(err);
    close_recording(&r);
}

static bool has_failed(const struct recording *r)
{
    return drain_failed(&r->drain);
}

/* The thread ends; its error is given once, and the recording goes no further. */
static void writing_fails(void **state)
{
    static struct recording r;
    struct rlimit old, small;

    open_recording(&r);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = 100000;
    setrlimit(RLIMIT_FSIZE, &small);
    assert_null(drain_start(&r.drain));
    find_all(&r, has_failed);
    setrlimit(RLIMIT_FSIZE, &old);
    struct oscope_error *err = drain_end(&r.drain);
    assert_non_null(err);
    assert_int_equal(err->code, OSCOPE_E_IO);
    oscope_error_free(err);
    assert_false(drain_failed(&r.drain));
    assert_null(drain_end(&r.drain));
    err = drain_step(&r.drain);
    assert_non_null(err);
    oscope_error_free(err);
    assert_in_range(pages_in(r.dir), 500, PAGES);
    close_recording(&r);
}

static void a_file_that_lies(void **state)
{
    static struct source x;

    for (unsigned i = 0; i < 7; i++) {
        make_file(&x);
        switch (i) {
        case 0: x.heat->magic++; break;
        case 1: x.heat->pages = UINT32_MAX; break;
        case 2: x.heat->shards = WIRE_VCPUS + 1; break;
        case 3: x.heat->shard_stride = UINT64_MAX / 2; break;
        case 4: x.heat->shards_at = x.bytes; break;
        case 5: x.heat->nram = WIRE_RAM + 1; break;
        default: x.heat->shard_stride = PAGES; break;
        }
        open_source(&x);
        look(&x);
        expect_no_page(&x);
        close_source(&x);
        drop_file(&x);
    }
}

/* ---- the report ---- */

static void page(struct fake_fold *x, uint64_t time, unsigned i, const char *owner, int32_t pid,
                 const char *comm, uint64_t reads, uint64_t writes, uint64_t execs)
{
    FAKE_GIVE(x, "page_heat", TRACE_CPU_NONE, time, FAKE_N(RAM + i * 4096), FAKE_T(owner),
              FAKE_N(pid), FAKE_T(comm), FAKE_N(pid != 0), FAKE_N((int64_t)reads),
              FAKE_N((int64_t)writes), FAKE_N((int64_t)execs));
}

/* 8 pages of RAM; two looks, a tenth of the time watched. */
static void give(struct fake_fold *x)
{
    FAKE_GIVE(x, "heat_ram", TRACE_CPU_NONE, 1000, FAKE_N(RAM), FAKE_N(8 * 4096));
    FAKE_GIVE(x, "heat_memory", TRACE_CPU_NONE, 1000, FAKE_T("slab"), FAKE_N(3));
    FAKE_GIVE(x, "heat_memory", TRACE_CPU_NONE, 1000, FAKE_T("anon"), FAKE_N(5));
    FAKE_GIVE(x, "heat_interval", TRACE_CPU_NONE, 1000, FAKE_N(1000), FAKE_N(200), FAKE_N(2),
              FAKE_N(8));
    page(x, 1000, 0, "slab", 0, "", 10, 20, 0);
    page(x, 1000, 2, "anon", 7, "seven", 100, 0, 60);
    FAKE_GIVE(x, "heat_interval", TRACE_CPU_NONE, 2000, FAKE_N(1000), FAKE_N(0), FAKE_N(2),
              FAKE_N(8));
    page(x, 2000, 2, "anon", 7, "seven", 9, 0, 0);
    page(x, 2000, 3, "anon", 8, "eight", 1, 0, 0);
}

static void report(void **state)
{
    struct fake_fold x;

    fake_fold_open(&x, &fold_heat, NULL);
    give(&x);
    const struct oscope_view *v = fake_fold_view(&x, 2000);
    const struct oscope_heat_watch *w = fake_fold_table(v, "watched")->rows;
    assert_int_equal(w->duration, 2000);
    assert_int_equal(w->watched, 200);
    assert_true(w->share == 10);
    assert_int_equal(w->reads, 120);
    assert_int_equal(w->writes, 20);
    assert_int_equal(w->execs, 60);
    assert_true(fake_fold_noted(v, "counted in 10 %"));
    const struct oscope_table *t = fake_fold_table(v, "owners");
    const struct oscope_heat_kind *k = t->rows;
    assert_int_equal(t->nrows, 3);
    assert_string_equal(k[0].owner, "anon");
    assert_int_equal(k[0].pages, 5);
    assert_int_equal(k[0].hot, 2);
    assert_int_equal(k[0].cold, 3);
    assert_true(k[0].share == 85);
    assert_string_equal(k[1].owner, "slab");
    assert_int_equal(k[1].cold, 2);
    assert_string_equal(k[2].owner, "total");
    assert_int_equal(k[2].pages, 8);
    assert_int_equal(k[2].hot, 3);
    t = fake_fold_table(v, "processes");
    const struct oscope_heat_process *p = t->rows;
    assert_int_equal(t->nrows, 2);
    assert_int_equal(p[0].pid, 7);
    assert_string_equal(p[0].comm, "seven");
    assert_int_equal(p[0].reads, 109);
    assert_int_equal(p[0].hot, 1);
    t = fake_fold_table(v, "pages");
    const struct oscope_heat_page *g = t->rows;
    assert_int_equal(t->nrows, 3);
    assert_int_equal(g[0].address, RAM + 2 * 4096);
    assert_int_equal(g[0].reads, 109);
    assert_int_equal(g[0].execs, 60);
    assert_int_equal(g[1].address, RAM);
    assert_int_equal(g[1].pid, -1);
    t = fake_fold_table(v, "cells");
    const struct oscope_heat_cell *c = t->rows;
    assert_int_equal(t->nrows, 8);
    assert_int_equal(c[2].level, 9);
    assert_int_equal(c[0].level, 8); /* 30 of 169: less than a fourth */
    assert_int_equal(c[3].level, 6); /* 1 */
    assert_int_equal(c[1].level, 0);
    fake_fold_close(&x);
}

static void report_of_a_process(void **state)
{
    struct fold_options o = {.to = UINT64_MAX, .cpu = -1, .task = "eight"};
    struct fake_fold x;

    fake_fold_open(&x, &fold_heat, &o);
    give(&x);
    const struct oscope_table *t = fake_fold_table(fake_fold_view(&x, 2000), "pages");
    assert_int_equal(t->nrows, 1);
    assert_int_equal(((const struct oscope_heat_page *)t->rows)->pid, 8);
    assert_true(((const struct oscope_heat_page *)t->rows)->share == 0.5); /* of all accesses */
    fake_fold_close(&x);
}

static void grid(void **state)
{
    struct fake_fold x;
    struct out o;

    fake_fold_open(&x, &fold_heat, NULL);
    give(&x);
    FAKE_GIVE(&x, "heat_ram", TRACE_CPU_NONE, 2000, FAKE_N(0x1000), FAKE_N(2 * 4096));
    const struct oscope_table *t = fake_fold_table(fake_fold_view(&x, 2000), "cells");
    out_init(&o, -1);
    render_heat(&o, t, &(struct render_options){0});
    out_char(&o, '\0');
    assert_string_equal(o.buf, "0x1000     |  |\n"
                               "0x80000000 |# @*    |\n"
                               "one cell = 4 KiB: blank cold, .:-=+*o#@ hotter, each 4 times\n");
    out_free(&o);
    fake_fold_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares),
        cmocka_unit_test(slices),
        cmocka_unit_test(counters_are_told),
        cmocka_unit_test(many_pages_at_once),
        cmocka_unit_test(writing_goes_on),
        cmocka_unit_test(writing_fails),
        cmocka_unit_test(a_file_that_lies),
        cmocka_unit_test(report),
        cmocka_unit_test(report_of_a_process),
        cmocka_unit_test(grid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
