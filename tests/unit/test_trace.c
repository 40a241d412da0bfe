/* SPDX-License-Identifier: MIT */
/* trace/reader.c on live rings: order, values, losses, damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include "fake_trace.h"

struct fixture {
    struct fake_trace f;
    struct trace_reader *r;
};

static int setup(void **state)
{
    struct fixture *x = calloc(1, sizeof *x);

    fake_trace_open(&x->f, 2);
    *state = x;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *x = *state;

    trace_reader_close(x->r);
    fake_trace_close(&x->f);
    free(x);
    return 0;
}

static void open_reader(struct fixture *x, enum trace_from from)
{
    assert_null(trace_reader_open_rings(&x->r, &x->f.rings, &x->f.schema, from));
}

static int32_t tid_of(const struct trace_event *ev)
{
    int field = trace_field_index(ev->type, "tid");

    assert_true(field >= 0);
    return (int32_t)trace_event_s64(ev, (unsigned)field);
}

/* The next event is the exit of tid at that time. */
static const struct trace_event *expect_exit(struct fixture *x, uint64_t time, int32_t tid)
{
    const struct trace_event *ev = trace_reader_next(x->r);

    assert_non_null(ev);
    assert_string_equal(ev->type->name, "sched_process_exit");
    assert_int_equal(ev->time, time);
    assert_int_equal(tid_of(ev), tid);
    return ev;
}

static void poll_all(struct fixture *x)
{
    trace_reader_poll(x->r, UINT64_MAX);
}

static void test_values(void **state)
{
    struct fixture *x = *state;

    open_reader(x, TRACE_FROM_NOW);
    fake_switch(&x->f, 1, 1000, "init", 1, "0123456789abcdef", 77);
    poll_all(x);
    const struct trace_event *ev = trace_reader_next(x->r);
    assert_non_null(ev);
    assert_string_equal(ev->type->name, "sched_switch");
    assert_int_equal(ev->time, 1000);
    assert_int_equal(ev->cpu, 1);
    assert_int_equal(ev->stream, 1);
    assert_string_equal(trace_event_str(ev, 0), "init");
    assert_int_equal(trace_event_u64(ev, 1), 1);
    assert_int_equal(trace_event_s64(ev, 2), 20);
    assert_int_equal(trace_event_u64(ev, 3), 1);
    assert_string_equal(trace_event_str(ev, 4), "0123456789abcdef");
    assert_int_equal(trace_event_s64(ev, 5), 77);
    /* what is not there */
    assert_string_equal(trace_event_str(ev, 1), "");
    assert_string_equal(trace_event_str(ev, 99), "");
    assert_int_equal(trace_event_u64(ev, 0), 0);
    assert_int_equal(trace_event_u64(ev, 7), 0);
    assert_null(trace_reader_next(x->r));
}

/* Signed values are sign-extended, and each kind is read in its width. */
static void test_kinds(void **state)
{
    static const struct trace_field fields[] = {
        {"a", TRACE_U8},  {"b", TRACE_U16}, {"c", TRACE_U32}, {"d", TRACE_U64}, {"e", TRACE_S8},
        {"f", TRACE_S16}, {"g", TRACE_S32}, {"h", TRACE_S64}, {"i", TRACE_HEX},
    };
    struct trace_type type = {TRACE_USER_FIRST, ARRAY_SIZE(fields), "mine:all", NULL, NULL, fields};
    struct fixture *x = *state;
    uint8_t bytes[38];

    open_reader(x, TRACE_FROM_NOW);
    assert_null(trace_schema_add(&x->f.schema, &type)); /* after the reader was opened */
    memset(bytes, 0xfe, sizeof bytes);
    fake_trace_event(&x->f, 0, 5, TRACE_USER_FIRST, bytes, sizeof bytes);
    poll_all(x);
    const struct trace_event *ev = trace_reader_next(x->r);
    assert_non_null(ev);
    assert_int_equal(ev->size, sizeof bytes);
    assert_int_equal(trace_event_u64(ev, 0), 0xfe);
    assert_int_equal(trace_event_u64(ev, 1), 0xfefe);
    assert_int_equal(trace_event_u64(ev, 2), 0xfefefefe);
    assert_true(trace_event_u64(ev, 3) == UINT64_C(0xfefefefefefefefe));
    assert_int_equal(trace_event_s64(ev, 4), -2);
    assert_int_equal(trace_event_s64(ev, 5), -258);
    assert_int_equal(trace_event_s64(ev, 6), -16843010);
    assert_true(trace_event_u64(ev, 7) == UINT64_C(0xfefefefefefefefe));
    assert_true(trace_event_u64(ev, 8) == UINT64_C(0xfefefefefefefefe));
}

static void test_merge(void **state)
{
    struct fixture *x = *state;

    open_reader(x, TRACE_FROM_NOW);
    fake_exit(&x->f, 1, 10, 1);
    fake_exit(&x->f, 0, 20, 2);
    fake_exit(&x->f, 0, 30, 3);
    fake_exit(&x->f, 1, 30, 4);
    fake_exit(&x->f, 1, 40, 5);
    fake_exit(&x->f, 0, 50, 6);
    poll_all(x);
    expect_exit(x, 10, 1);
    expect_exit(x, 20, 2);
    expect_exit(x, 30, 3); /* of the same time: the first stream's first */
    expect_exit(x, 30, 4);
    expect_exit(x, 40, 5);
    expect_exit(x, 50, 6);
    assert_null(trace_reader_next(x->r));
    assert_int_equal(trace_reader_stats(x->r).late, 0);
    assert_int_equal(trace_reader_stats(x->r).events, 6);
}

/* Events later than asked for wait; what is published after a poll is seen by the next. */
static void test_until(void **state)
{
    struct fixture *x = *state;

    open_reader(x, TRACE_FROM_NOW);
    assert_null(trace_reader_next(x->r));
    fake_exit(&x->f, 0, 10, 1);
    fake_exit(&x->f, 0, 20, 2);
    trace_reader_poll(x->r, 15);
    expect_exit(x, 10, 1);
    assert_null(trace_reader_next(x->r));
    fake_exit(&x->f, 1, 17, 3);
    assert_null(trace_reader_next(x->r));
    trace_reader_poll(x->r, 20);
    expect_exit(x, 17, 3);
    expect_exit(x, 20, 2);
    assert_null(trace_reader_next(x->r));
    fake_exit(&x->f, 1, 18, 4);
    trace_reader_poll(x->r, 30);
    expect_exit(x, 18, 4);
    assert_int_equal(trace_reader_stats(x->r).late, 1);
}

/* Packets are closed and wrap around, while the reader follows: nothing is lost or seen twice. */
static void test_wrap(void **state)
{
    struct fixture *x = *state;
    int32_t seen = 0;

    open_reader(x, TRACE_FROM_NOW);
    for (int32_t i = 0; i < 10000; i++) {
        fake_exit(&x->f, 0, 100 + (uint64_t)i, i);
        if (i % 97)
            continue;
        poll_all(x);
        for (; seen <= i; seen++)
            assert_false(expect_exit(x, 100 + (uint64_t)seen, seen)->gap);
        assert_null(trace_reader_next(x->r));
    }
    struct trace_stats stats = trace_reader_stats(x->r);
    assert_true(x->f.writers[0].n > 3 * FAKE_PACKETS);
    assert_int_equal(stats.lost, 0);
    assert_int_equal(stats.damaged, 0);
    assert_int_equal(stats.packets, (9991 / ((FAKE_PACKET - 76) / 16)) + 1);
}

/* A reader starts in the middle of a packet, or with what the ring holds. */
static void test_start(void **state)
{
    struct fixture *x = *state;

    fake_exit(&x->f, 0, UINT64_C(0x070000000), 1);
    fake_exit(&x->f, 0, UINT64_C(0x0e0000000), 2); /* 31 bits of time wrap before it */
    open_reader(x, TRACE_FROM_NOW);
    fake_exit(&x->f, 0, UINT64_C(0x150000000), 3); /* and again */
    poll_all(x);
    assert_false(expect_exit(x, UINT64_C(0x150000000), 3)->gap);
    assert_null(trace_reader_next(x->r));
    trace_reader_close(x->r);
    open_reader(x, TRACE_FROM_OLDEST);
    poll_all(x);
    expect_exit(x, UINT64_C(0x070000000), 1);
    expect_exit(x, UINT64_C(0x0e0000000), 2);
    expect_exit(x, UINT64_C(0x150000000), 3);
}

/* A packet that is full to the last byte is complete before its header says so. */
static void test_full_packet(void **state)
{
    static const struct trace_field two[] = {{"a", TRACE_U16}, {"b", TRACE_U16}};
    static const struct trace_type type = {TRACE_USER_FIRST, 2, "ten", NULL, NULL, two};
    enum { COUNT = (FAKE_PACKET - sizeof(struct wire_packet)) / 10 };
    struct fixture *x = *state;

    assert_null(trace_schema_add(&x->f.schema, &type));
    open_reader(x, TRACE_FROM_NOW);
    for (unsigned i = 0; i < COUNT; i++)
        fake_trace_event(&x->f, 0, i, TRACE_USER_FIRST, "abcd", 4);
    assert_int_equal(x->f.writers[0].at, FAKE_PACKET);
    assert_int_equal(atomic_load(&fake_ring(&x->f, 0)->position), FAKE_PACKET);
    poll_all(x);
    for (unsigned i = 0; i < COUNT; i++)
        assert_non_null(trace_reader_next(x->r));
    assert_null(trace_reader_next(x->r));
    fake_exit(&x->f, 0, 9999, 1);
    poll_all(x);
    assert_false(expect_exit(x, 9999, 1)->gap);
    assert_int_equal(trace_reader_stats(x->r).damaged, 0);
}

/* An overtaken reader goes on with newer packets, says so, and counts. */
static void test_overtaken(void **state)
{
    struct fixture *x = *state;
    const struct trace_event *ev;
    int32_t last = -1, gaps = 0;

    open_reader(x, TRACE_FROM_NOW);
    for (int32_t i = 0; i < 100; i++)
        fake_exit(&x->f, 0, (uint64_t)i, i);
    poll_all(x);
    for (int32_t i = 0; i < 50; i++)
        expect_exit(x, (uint64_t)i, i);
    for (int32_t i = 100; i < 5000; i++)
        fake_exit(&x->f, 0, (uint64_t)i, i);
    for (int32_t i = 0; i < 10; i++)
        fake_exit(&x->f, 1, (uint64_t)i, i);
    poll_all(x);
    uint64_t events = 50;
    while ((ev = trace_reader_next(x->r))) {
        events++;
        if (ev->stream)
            continue;
        gaps += ev->gap;
        assert_true(tid_of(ev) > last);
        last = tid_of(ev);
    }
    struct trace_stats stats = trace_reader_stats(x->r);
    assert_int_equal(last, 4999);
    assert_int_equal(gaps, 1);
    assert_true(stats.lost > 0);
    assert_int_equal(stats.events, events);
    assert_int_equal(stats.damaged, 0);
    /* each packet was lost, or read; the first was both */
    assert_int_equal(stats.lost + stats.packets, x->f.writers[0].n + 1 + 1 + 1);
}

/* While one stream lacks events those of the others say so, from the loss to the event after it. */
static void test_lossy(void **state)
{
    struct fixture *x = *state;
    const struct trace_event *ev;
    uint64_t last = 0, end = 0; /* of stream 0, before its gap and after */
    unsigned within = 0, lossy = 0, wrong = 0;

    open_reader(x, TRACE_FROM_NOW);
    for (int32_t i = 0; i < 10; i++)
        fake_exit(&x->f, 0, (uint64_t)i * 10, i);
    poll_all(x);
    for (int32_t i = 0; i < 10; i++)
        assert_false(expect_exit(x, (uint64_t)i * 10, i)->lossy);
    last = 90;
    for (int32_t i = 10; i < 5000; i++)
        fake_exit(&x->f, 0, (uint64_t)i * 10, i);
    for (uint64_t t = 95; t < 50000; t += 500)
        fake_exit(&x->f, 1, t, 1);
    poll_all(x);
    bool lossy_at[50000] = {0};
    while ((ev = trace_reader_next(x->r))) {
        if (ev->gap)
            end = ev->time;
        if (ev->stream)
            lossy_at[ev->time] = ev->lossy;
        else
            assert_int_equal(ev->lossy, ev->gap);
    }
    assert_true(end > last);
    for (uint64_t t = 95; t < 50000; t += 500) {
        within += t < end;
        lossy += lossy_at[t];
        wrong += lossy_at[t] != (t < end);
    }
    assert_true(within > 10 && within < 100);
    assert_int_equal(lossy, within);
    assert_int_equal(wrong, 0);
}

static void *write_forever(void *arg)
{
    struct fixture *x = arg;

    for (int32_t i = 0; i < 300000; i++)
        fake_exit(&x->f, 0, 100 + (uint64_t)i, i);
    return NULL;
}

/* A writer at full speed beside the reader: no event is wrong, and none is missing without a word.
 */
static void test_race(void **state)
{
    struct fixture *x = *state;
    const struct trace_event *ev;
    pthread_t writer;
    int32_t last = -1;

    open_reader(x, TRACE_FROM_NOW);
    assert_int_equal(pthread_create(&writer, NULL, write_forever, x), 0);
    while (last < 299999) {
        poll_all(x);
        while ((ev = trace_reader_next(x->r))) {
            assert_int_equal(ev->time, 100 + (uint64_t)tid_of(ev));
            assert_string_equal(trace_event_str(ev, 0), "task");
            assert_true(ev->gap ? tid_of(ev) > last : tid_of(ev) == last + 1);
            last = tid_of(ev);
        }
    }
    pthread_join(writer, NULL);
    assert_int_equal(trace_reader_stats(x->r).damaged, 0);
}

static void test_discarded(void **state)
{
    struct fixture *x = *state;

    atomic_store(&fake_ring(&x->f, 0)->discarded, 100);
    fake_exit(&x->f, 0, 1, 1);
    open_reader(x, TRACE_FROM_NOW);
    atomic_store(&fake_ring(&x->f, 0)->discarded, 107);
    fake_exit(&x->f, 0, 2, 2);
    fake_trace_end(&x->f, 0);
    fake_exit(&x->f, 0, 3, 3);
    poll_all(x);
    assert_false(expect_exit(x, 2, 2)->gap);
    assert_true(expect_exit(x, 3, 3)->gap);
    assert_int_equal(trace_reader_stats(x->r).discarded, 7);
}

/* ---- damage ---- */

/* Two packets; the first, which harm() gets, with three exits in it. */
static void with_damage(struct fixture *x, void (*harm)(uint8_t *packet), unsigned whole)
{
    for (int32_t i = 0; i < 3; i++)
        fake_exit(&x->f, 0, 10 + (uint64_t)i, i);
    fake_trace_end(&x->f, 0);
    fake_exit(&x->f, 0, 20, 20);
    fake_exit(&x->f, 0, 21, 21);
    harm(fake_packet(&x->f, 0, 0));
    open_reader(x, TRACE_FROM_OLDEST);
    poll_all(x);
    for (unsigned i = 0; i < whole; i++)
        expect_exit(x, 10 + i, (int32_t)i);
    assert_true(expect_exit(x, 20, 20)->gap);
    assert_false(expect_exit(x, 21, 21)->gap);
    assert_null(trace_reader_next(x->r));
    assert_int_equal(trace_reader_stats(x->r).damaged, 1);
    assert_int_equal(trace_reader_stats(x->r).packets, 2);
    trace_reader_close(x->r);
    x->r = NULL;
    fake_trace_close(&x->f);
    fake_trace_open(&x->f, 2);
}

enum { EVENT = sizeof(struct wire_event) + 11, SECOND = sizeof(struct wire_packet) + EVENT };

static void harm_magic(uint8_t *p)
{
    p[0] ^= 1;
}

static void harm_uuid(uint8_t *p)
{
    p[offsetof(struct wire_packet, uuid) + 15] ^= 1;
}

static void harm_stream(uint8_t *p)
{
    p[offsetof(struct wire_packet, stream_id)] = 1;
}

static void harm_content_huge(uint8_t *p)
{
    memset(p + offsetof(struct wire_packet, content_size), 0xf8, 8);
}

static void harm_content_bits(uint8_t *p)
{
    p[offsetof(struct wire_packet, content_size)] |= 1;
}

static void harm_content_zero(uint8_t *p)
{
    memset(p + offsetof(struct wire_packet, content_size), 0, 8);
}

static void harm_content_short(uint8_t *p)
{
    uint64_t bits_ = (SECOND + EVENT + 3) * 8;
    memcpy(p + offsetof(struct wire_packet, content_size), &bits_, 8);
}

static void harm_size(uint8_t *p)
{
    memset(p + offsetof(struct wire_packet, packet_size), 0xf8, 8);
}

static void harm_times(uint8_t *p)
{
    p[offsetof(struct wire_packet, timestamp_end)] = 1;
}

static void harm_id(uint8_t *p)
{
    memset(p + SECOND, 0xff, 2);
}

static void harm_id_small(uint8_t *p)
{
    memset(p + SECOND, 0, 2);
}

static void harm_string(uint8_t *p)
{
    memset(p + SECOND + sizeof(struct wire_event), 'x', FAKE_PACKET - 200);
}

static void harm_time(uint8_t *p)
{
    p[SECOND + sizeof(uint16_t)] = 9; /* its time goes back: 2^31 later, after the end */
}

static void test_damage(void **state)
{
    with_damage(*state, harm_magic, 0);
    with_damage(*state, harm_uuid, 0);
    with_damage(*state, harm_stream, 0);
    with_damage(*state, harm_content_huge, 0);
    with_damage(*state, harm_content_bits, 0);
    with_damage(*state, harm_content_zero, 0);
    with_damage(*state, harm_content_short, 2);
    with_damage(*state, harm_size, 0);
    with_damage(*state, harm_times, 0);
    with_damage(*state, harm_id, 1);
    with_damage(*state, harm_id_small, 1);
    with_damage(*state, harm_string, 1);
    with_damage(*state, harm_time, 1);
}

/* Damage in a packet that is still written to, and a time that no clock has reached. */
static void test_damage_open(void **state)
{
    struct fixture *x = *state;

    open_reader(x, TRACE_FROM_NOW);
    fake_exit(&x->f, 0, 1, 1);
    fake_trace_event(&x->f, 0, 2, 999, NULL, 0);
    poll_all(x);
    expect_exit(x, 1, 1);
    assert_null(trace_reader_next(x->r));
    fake_exit(&x->f, 0, 3, 3);
    poll_all(x);
    assert_null(trace_reader_next(x->r));
    fake_trace_end(&x->f, 0);
    fake_exit(&x->f, 0, 4, 4);
    poll_all(x);
    assert_true(expect_exit(x, 4, 4)->gap);
    assert_int_equal(trace_reader_stats(x->r).damaged, 1);
    fake_trace_end(&x->f, 0);
    fake_exit(&x->f, 0, UINT64_C(1) << 62, 5);
    fake_trace_end(&x->f, 0);
    fake_exit(&x->f, 0, 6, 6);
    trace_reader_poll(x->r, 10);
    assert_true(expect_exit(x, 6, 6)->gap);
    assert_int_equal(trace_reader_stats(x->r).damaged, 2);
}

/* A position that no writer would write neither keeps the reader busy for ages nor stops it. */
static void test_wild_position(void **state)
{
    struct fixture *x = *state;

    fake_exit(&x->f, 1, 1, 1);
    open_reader(x, TRACE_FROM_OLDEST);
    atomic_store(&fake_ring(&x->f, 0)->position, UINT64_MAX - 5);
    trace_reader_poll(x->r, UINT64_MAX);
    atomic_store(&fake_ring(&x->f, 0)->position, 0);
    expect_exit(x, 1, 1);
    assert_null(trace_reader_next(x->r));
    assert_true(trace_reader_stats(x->r).lost > UINT64_C(1) << 50);
    assert_true(trace_reader_stats(x->r).damaged <= FAKE_PACKETS);
    poll_all(x);
    assert_null(trace_reader_next(x->r));
}

/* ---- where rings are ---- */

static void bad_control(struct wire_control *c, size_t mapped)
{
    struct trace_rings rings;
    struct oscope_error *err = trace_rings_find(c, mapped, &rings);

    assert_non_null(err);
    assert_int_equal(err->code, OSCOPE_E_BAD_DATA);
    oscope_error_free(err);
}

static void test_find(void **state)
{
    struct layout l;
    struct trace_rings rings;

    assert_null(layout_make(&l, 5, WIRE_PAGE, 4));
    struct wire_control *c = aligned_alloc(WIRE_PAGE, l.bytes);
    memset(c, 0, l.bytes);
    c->magic = WIRE_MAGIC;
    c->version = WIRE_VERSION;
    c->packet_bytes = l.packet_bytes;
    c->packets = l.packets;
    c->rings = l.rings;
    c->sets_at = l.sets_at;
    c->rings_at = l.rings_at;
    c->ring_stride = l.ring_stride;
    c->bytes = l.bytes;
    c->uuid[3] = 7;
    c->vcpus = 2; /* of the room for 5 */
    assert_null(trace_rings_find(c, l.bytes, &rings));
    assert_int_equal(rings.count, 2);
    assert_int_equal(rings.uuid[3], 7);
    assert_ptr_equal(trace_ring(&rings, 1), (uint8_t *)c + l.rings_at + l.ring_stride);
    bad_control(c, l.bytes - 1);
    c->vcpus = 99;
    assert_null(trace_rings_find(c, l.bytes, &rings));
    assert_int_equal(rings.count, 5);
    c->rings = 6;
    bad_control(c, l.bytes);
    free(c);
}

static void bad_rings(struct trace_rings rings)
{
    struct trace_reader *r;
    struct trace_schema s = {0};
    struct oscope_error *err = trace_reader_open_rings(&r, &rings, &s, TRACE_FROM_NOW);

    assert_non_null(err);
    assert_int_equal(err->code, OSCOPE_E_BAD_DATA);
    assert_null(r);
    oscope_error_free(err);
}

static void test_bad_rings(void **state)
{
    struct fixture *x = *state;
    struct trace_rings good = x->f.rings, bad;

    for (unsigned i = 0; i < 7; i++) {
        bad = good;
        switch (i) {
        case 0: bad.packets = 2; break;
        case 1: bad.packets = 5; break;
        case 2: bad.packet_bytes = WIRE_PAGE / 2; break;
        case 3: bad.packet_bytes = 0; break;
        case 4: bad.stride -= WIRE_PAGE; break;
        case 5: bad.count = WIRE_VCPUS + 1; break;
        case 6: bad.first++; break;
        }
        bad_rings(bad);
    }
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_values),      TEST(test_kinds),         TEST(test_merge),
        TEST(test_until),       TEST(test_wrap),          TEST(test_start),
        TEST(test_full_packet), TEST(test_overtaken),     TEST(test_lossy),
        TEST(test_race),        TEST(test_discarded),     TEST(test_damage),
        TEST(test_damage_open), TEST(test_wild_position), cmocka_unit_test(test_find),
        TEST(test_bad_rings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
