/* SPDX-License-Identifier: MIT */
/* The timeline as pages have it: questions are answered beside what else they are told, whoever
 * comes and goes meanwhile, and pages that watch the same recording share one store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <semaphore.h>
#include <sys/eventfd.h>

#include "analysis/tracks.h"
#include "base/thread.h"
#include "base/util.h"
#include "collect/queries.h"
#include "export_fixture.h"
#include "web/assets.h"
#include "web/page.h"
#include "web/timeline.h"

#include <jansson.h>

const struct asset assets[] = {{0}};

/* Until somebody wakes us. */
static void await(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    uint64_t n;

    assert_int_equal(poll(&p, 1, -1), 1);
    assert_int_equal(read(fd, &n, sizeof n), sizeof n);
}

/* ---- questions ---- */

/* Where questions are answered: each when it may be. */
struct desk {
    sem_t begun, may;
    unsigned answered; /* so many; read when none is */
};

static void answer(void *arg, const void *question, struct out *o)
{
    struct desk *d = arg;

    sem_post(&d->begun);
    sem_wait(&d->may);
    d->answered++;
    out_dec(o, *(const unsigned *)question);
}

static void desk_open(struct desk *d)
{
    sem_init(&d->begun, 0, 0);
    sem_init(&d->may, 0, 0);
    d->answered = 0;
}

static void desk_close(struct desk *d)
{
    sem_destroy(&d->begun);
    sem_destroy(&d->may);
}

static void assert_taken(struct query *p, const char *text)
{
    struct out o;

    assert_true(query_ready(p));
    assert_true(query_take(p, &o));
    assert_int_equal(o.len, strlen(text));
    assert_memory_equal(o.buf, text, o.len);
    out_free(&o);
    assert_false(query_ready(p));
    assert_false(query_take(p, &o));
}

static void test_the_newest_is_answered(void **state)
{
    int wake = eventfd(0, 0);
    struct queries *q = queries_new(wake);
    struct desk d;

    desk_open(&d);
    struct query *a = query_new(q, sizeof(unsigned), answer, &d);
    struct query *b = query_new(q, sizeof(unsigned), answer, &d);
    assert_false(query_ready(a));
    query_ask(a, &(unsigned){1});
    sem_wait(&d.begun); /* who asks goes on while it is answered: */
    for (unsigned i = 2; i < 10; i++)
        query_ask(a, &i);
    query_ask(b, &(unsigned){50});
    assert_false(query_ready(a));
    for (int i = 0; i < 3; i++) /* that one, the other's, and the newest: the rest is not */
        sem_post(&d.may);
    await(wake);
    while (!query_ready(a) || !query_ready(b))
        await(wake);
    assert_int_equal(d.answered, 3);
    assert_taken(a, "9");
    assert_taken(b, "50");
    /* asked again while there is an answer: that is of no use any more */
    sem_post(&d.may);
    query_ask(a, &(unsigned){11});
    await(wake);
    sem_post(&d.may);
    query_ask(a, &(unsigned){12});
    await(wake);
    assert_taken(a, "12");
    query_free(a);
    query_free(b);
    queries_free(q);
    queries_free(queries_new(wake));
    queries_free(NULL);
    query_free(NULL);
    desk_close(&d);
    close(wake);
}

static void test_who_asked_goes(void **state)
{
    int wake = eventfd(0, EFD_NONBLOCK);
    struct queries *q = queries_new(wake);
    struct desk d;
    uint64_t n;

    desk_open(&d);
    struct query *a = query_new(q, sizeof(unsigned), answer, &d);
    struct query *b = query_new(q, sizeof(unsigned), answer, &d);
    struct query *c = query_new(q, sizeof(unsigned), answer, &d);
    query_ask(a, &(unsigned){1});
    sem_wait(&d.begun);
    query_ask(b, &(unsigned){2});
    query_ask(a, &(unsigned){3});
    query_free(a); /* does not wait for it */
    query_free(b);
    query_ask(c, &(unsigned){4});
    sem_post(&d.may);
    sem_wait(&d.begun); /* c's */
    assert_int_equal(read(wake, &n, sizeof n), -1);
    query_free(c);
    sem_post(&d.may);
    queries_free(q);
    assert_int_equal(d.answered, 2);
    desk_close(&d);
    close(wake);
}

/* ---- a page's timeline ---- */

struct shown {
    struct trace_schema schema;
    struct tracks *k;
    struct queries *q;
    struct timeline *t;
    int wake;
    uint64_t clock;
};

static void show(struct shown *x)
{
    trace_schema_init(&x->schema);
    assert_null(trace_schema_add_builtin(&x->schema));
    x->wake = eventfd(0, 0);
    x->k = tracks_new();
    x->q = queries_new(x->wake);
    x->clock = 1;
    assert_null(tracks_begin(x->k, &(struct tracks_options){.moves = true}));
    x->t = timeline_new(x->k, x->q);
    assert_non_null(x->t);
}

static void hide(struct shown *x)
{
    timeline_free(x->t);
    queries_free(x->q);
    tracks_free(x->k);
    trace_schema_free(&x->schema);
    close(x->wake);
}

/* Time passes in which the vCPU waits now and then. */
static void feed(struct shown *x, uint64_t from, uint64_t to)
{
    struct trace_event ev = {0};

    tracks_hold(x->k);
    for (uint64_t time = from; time < to; time += 1000) {
        ev.type = trace_schema_find(&x->schema, time / 1000 % 2 ? "vcpu_resume" : "vcpu_idle");
        ev.time = time;
        tracks_event(x->k, &ev);
    }
    tracks_settle(x->k, to);
    tracks_release(x->k);
}

/* The next message; NULL: none, or a window. The caller's. */
static json_t *hear(struct shown *x, enum page_message *what)
{
    const struct collect_reading r = {0};
    struct out o;

    out_init(&o, -1);
    *what = timeline_next(x->t, "g", &r, x->clock, &o);
    json_t *j = *what == PAGE_TEXT ? json_loadb(o.buf, o.len, 0, NULL) : NULL;
    assert_int_equal(o.error, 0);
    assert_true(*what != PAGE_TEXT || j);
    out_free(&o);
    return j;
}

/* The next message that is an answer to `seq`; names and lanes are told before. */
static json_t *answered(struct shown *x, int seq)
{
    enum page_message what;

    for (;;) {
        json_t *j = hear(x, &what);
        if (json_integer_value(json_object_get(j, "seq")) == seq)
            return j;
        json_decref(j);
        if (what == PAGE_NONE)
            await(x->wake);
    }
}

static struct message find_after(uint32_t seq, uint64_t from)
{
    return (struct message){.op = MESSAGE_FIND, .guest = "g", .seq = seq, .from = from};
}

static void test_answers(void **state)
{
    const struct collect_reading r = {0};
    enum page_message what;
    struct shown x;

    show(&x);
    feed(&x, 1000, 101000);
    json_decref(hear(&x, &what)); /* lanes */
    assert_int_equal(what, PAGE_TEXT);
    assert_false(timeline_due(x.t, &r, x.clock));
    struct message m = {.op = MESSAGE_SELECT, .guest = "g", .seq = 5, .from = 1000, .to = 50000};
    timeline_hear(x.t, &m);
    await(x.wake);
    assert_true(timeline_due(x.t, &r, x.clock));
    json_t *j = answered(&x, 5);
    assert_string_equal(json_string_value(json_object_get(j, "op")), "selected");
    assert_int_equal(json_array_size(json_object_get(j, "tables")), 5);
    json_decref(j);
    m = find_after(6, 1000);
    timeline_hear(x.t, &m);
    j = answered(&x, 6);
    assert_string_equal(json_string_value(json_object_get(j, "op")), "found");
    assert_int_equal(json_integer_value(json_object_get(j, "start")), 2000);
    json_decref(j);
    /* only the newest is answered */
    for (uint32_t seq = 10; seq <= 30; seq++) {
        m = find_after(seq, seq * 1000);
        timeline_hear(x.t, &m);
    }
    j = answered(&x, 30);
    assert_int_equal(json_integer_value(json_object_get(j, "start")), 32000);
    json_decref(j);
    /* all is forgotten before the answer is taken: it is asked again, of what is there now */
    m = find_after(40, 1000);
    timeline_hear(x.t, &m);
    await(x.wake);
    assert_null(tracks_begin(x.k, &(struct tracks_options){.moves = true}));
    feed(&x, 500000, 600000);
    j = answered(&x, 40);
    assert_int_equal(json_integer_value(json_object_get(j, "start")), 500000);
    json_decref(j);
    hide(&x);
}

static void *go_on_feeding(void *arg)
{
    struct shown *x = arg;

    for (uint64_t time = 200000; time < 20000000; time += 100000)
        feed(x, time, time + 100000);
    return NULL;
}

/* Events come, questions are asked, pages come and go. */
static void test_all_at_once(void **state)
{
    struct shown x;
    pthread_t feeder;
    enum page_message what;

    show(&x);
    feed(&x, 1000, 200000);
    assert_int_equal(thread_start(&feeder, go_on_feeding, &x), 0);
    for (uint32_t i = 0; i < 300; i++) {
        struct message m = {
            .op = MESSAGE_SELECT, .guest = "g", .seq = i, .from = 1000, .to = UINT64_MAX >> 1};
        timeline_hear(x.t, &m);
        m = find_after(i, 20000);
        timeline_hear(x.t, &m);
        x.clock += UINT64_C(200000000);
        json_decref(hear(&x, &what));
        if (i % 7)
            continue;
        timeline_free(x.t);
        assert_non_null(x.t = timeline_new(x.k, x.q));
    }
    struct message last = find_after(1000, 20000);
    timeline_hear(x.t, &last);
    json_decref(answered(&x, 1000));
    pthread_join(feeder, NULL);
    hide(&x);
}

/* ---- recordings ---- */

static struct collect *watch(const char *dir, struct track_stores *stores, int wake)
{
    const struct collect_options o = {.dir = dir, .wake = wake, .stores = stores};
    struct collect *c;

    assert_null(collect_open(&o, &c));
    return c;
}

static struct tracks_state read_all(struct collect *c, int wake)
{
    struct collect_reading r;
    struct tracks_state s;

    for (collect_timeline(c, true);; await(wake)) {
        collect_reading(c, &r);
        if (!r.busy)
            break;
    }
    assert_string_equal(r.error, "");
    tracks_lock(collect_tracks(c));
    tracks_state(collect_tracks(c), &s);
    tracks_unlock(collect_tracks(c));
    return s;
}

static void test_a_recording_has_one_store(void **state)
{
    struct export_fixture *x = *state;
    struct track_stores *stores = track_stores_new();
    int wake = eventfd(0, 0);

    fixture_record(x, 5000, false);
    struct collect *a = watch(x->dir, stores, wake), *b = watch(x->dir, stores, wake);
    assert_int_equal(track_stores_count(stores), 1);
    assert_ptr_equal(collect_tracks(a), collect_tracks(b));
    assert_ptr_equal(collect_queries(a), collect_queries(b));
    struct collect *alone = watch(x->dir, NULL, wake);
    assert_ptr_not_equal(collect_tracks(a), collect_tracks(alone));
    collect_close(alone);
    struct tracks_state s = read_all(a, wake), same = read_all(b, wake);
    assert_true(s.slices > 1000);
    assert_int_equal(same.slices, s.slices);
    assert_int_equal(same.epoch, s.epoch); /* it was read once */
    collect_close(a);
    assert_int_equal(track_stores_count(stores), 1);
    same = read_all(b, wake);
    assert_int_equal(same.slices, s.slices);
    /* its files are others now: it is another recording */
    char path[96];
    snprintf(path, sizeof path, "%s/more", x->dir);
    fclose(fopen(path, "w"));
    struct collect *c = watch(x->dir, stores, wake);
    assert_int_equal(track_stores_count(stores), 2);
    assert_ptr_not_equal(collect_tracks(b), collect_tracks(c));
    collect_timeline(c, true);
    collect_close(c); /* while it is read */
    collect_close(b);
    assert_int_equal(track_stores_count(stores), 0);
    track_stores_free(stores);
    close(wake);
}

static void page_says(struct page *p, const char *op, const char *dir, const char *more)
{
    char text[256];

    int n = snprintf(text, sizeof text, "{\"op\":\"%s\",\"guest\":\"%s\",%s}", op, dir, more);
    assert_null(page_hear(p, text, (size_t)n));
}

/* Until it is told what `op` says, with that `seq`. */
static void page_hears(struct pages *all, struct page *p, int wake, const char *op, int seq)
{
    for (;;) {
        struct out o;
        out_init(&o, -1);
        enum page_message what = page_next(p, &o);
        json_t *j = what == PAGE_TEXT ? json_loadb(o.buf, o.len, 0, NULL) : NULL;
        const char *of = json_string_value(json_object_get(j, "op"));
        bool it = of && !strcmp(of, op) && json_integer_value(json_object_get(j, "seq")) == seq;
        json_decref(j);
        out_free(&o);
        if (it)
            return;
        if (what == PAGE_NONE) {
            await(wake);
            pages_poll(all);
        }
    }
}

#define SELECT "\"seq\":7,\"from\":0,\"to\":9223372036854775807"
#define FIND   "\"seq\":8,\"from\":0,\"text\":\"\",\"back\":false,\"lane\":null"

static void test_pages_of_a_recording(void **state)
{
    struct export_fixture *x = *state;
    int wake = eventfd(0, 0);
    const struct oscope_open_options open = {0};
    struct pages *all;

    fixture_record(x, 20000, false);
    const char *const sessions[] = {NULL}, *const recordings[] = {x->dir, NULL};
    const struct pages_options o = {
        .sessions = sessions, .recordings = recordings, .open = &open, .wake = wake};
    assert_null(pages_open(&o, &all));
    struct page *p[3];
    for (int i = 0; i < 3; i++) {
        p[i] = page_open(all);
        page_hears(all, p[i], wake, "guests", 0);
        page_says(p[i], "watch", x->dir, "\"views\":[\"timeline\"]");
    }
    for (int i = 0; i < 3; i++) {
        page_hears(all, p[i], wake, "lanes", 0);
        page_says(p[i], "select", x->dir, SELECT);
        page_says(p[i], "find", x->dir, FIND);
    }
    page_close(p[0]); /* while both are answered */
    page_hears(all, p[1], wake, "found", 8);
    page_says(p[1], "find", x->dir, FIND);
    page_says(p[1], "watch", x->dir, "\"views\":[\"sched\"]"); /* no timeline any more */
    page_hears(all, p[2], wake, "selected", 7);
    page_says(p[2], "select", x->dir, SELECT);
    page_says(p[2], "watch", x->dir, "\"views\":[]");
    page_says(p[1], "watch", x->dir, "\"views\":[\"timeline\"]");
    page_says(p[1], "find", x->dir, FIND);
    page_hears(all, p[1], wake, "found", 8);
    page_close(p[1]);
    page_close(p[2]);
    pages_close(all);
    close(wake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_newest_is_answered),
        cmocka_unit_test(test_who_asked_goes),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_all_at_once),
        cmocka_unit_test_setup_teardown(test_a_recording_has_one_store, export_setup,
                                        export_teardown),
        cmocka_unit_test_setup_teardown(test_pages_of_a_recording, export_setup, export_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
