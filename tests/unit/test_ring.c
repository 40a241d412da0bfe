/* SPDX-License-Identifier: MIT */
/* The writer of a vCPU's ring. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/util.h"
#include "capture/tcg/ring.h"

#include <unistd.h>

static uint8_t record[WIRE_RECORD];

enum { PACKET = WIRE_PAGE, PACKETS = 4 };

static const uint8_t uuid[16] = "0123456789abcdef";
static struct wire_ring shared;
static uint8_t packets[PACKET * PACKETS];
static struct ring ring;

static void fresh_ring(void)
{
    memset(&shared, 0, sizeof shared);
    memset(packets, 0, sizeof packets);
    ring_init(&ring, &shared, packets, PACKET, PACKETS, 5, uuid);
}

static void put_event(uint32_t n, uint64_t now)
{
    memset(record, 0x55, n);
    assert_true(ring_put(&ring, record, n, now));
}

static struct wire_packet packet(unsigned n)
{
    struct wire_packet p;

    memcpy(&p, packets + n % PACKETS * PACKET, sizeof p);
    return p;
}

static uint64_t position(void)
{
    return atomic_load(&shared.position);
}

static void ring_begins(void **state)
{
    struct wire_event e;

    fresh_ring();
    assert_int_equal(position(), 0);
    put_event(20, 0x100000005);
    assert_int_equal(position(), sizeof(struct wire_packet) + 20);
    struct wire_packet p = packet(0);
    assert_int_equal(p.magic, 0xC1FC1FC1);
    assert_memory_equal(p.uuid, uuid, 16);
    assert_int_equal(p.cpu_id, 5);
    assert_int_equal(p.packet_seq_num, 0);
    assert_int_equal(p.packet_size, PACKET * 8);
    assert_int_equal(p.timestamp_begin, 0x100000005);
    memcpy(&e, packets + sizeof p, sizeof e);
    assert_int_equal(e.time, 5);
    assert_int_equal(e.id, 0x5555);
    put_event(30, 0x100000006);
    assert_int_equal(shared.last_time, 0x100000006);
}

static void packets_are_closed(void **state)
{
    fresh_ring();
    for (unsigned i = 0; i < 4; i++)
        put_event(1000, 10 + i);
    assert_int_equal(position(), sizeof(struct wire_packet) + 4000);
    put_event(1000, 20); /* does not fit any more */
    assert_int_equal(position(), PACKET + sizeof(struct wire_packet) + 1000);
    struct wire_packet p = packet(0);
    assert_int_equal(p.content_size, (sizeof p + 4000) * 8);
    assert_int_equal(p.timestamp_begin, 10);
    assert_int_equal(p.timestamp_end, 13);
    assert_int_equal(packet(1).packet_seq_num, 1);
    assert_int_equal(packet(1).timestamp_begin, 20);
}

static void full_to_the_last_byte(void **state)
{
    const uint32_t room = PACKET - sizeof(struct wire_packet);

    fresh_ring();
    for (unsigned i = 0; i < 3; i++)
        put_event(1000, 1);
    put_event(room - 3000, 7);
    assert_int_equal(position(), PACKET);
    assert_int_equal(packet(0).content_size, PACKET * 8);
    assert_int_equal(packet(0).timestamp_end, 7);
    put_event(10, 8);
    assert_int_equal(position(), PACKET + sizeof(struct wire_packet) + 10);
}

static void time_wraps(void **state)
{
    fresh_ring();
    put_event(10, 1000);
    put_event(10, 1000 + UINT64_C(0x7fffffff)); /* can be told apart */
    assert_int_equal(position() / PACKET, 0);
    put_event(10, 1000 + UINT64_C(0xffffffff)); /* no more */
    assert_int_equal(position() / PACKET, 1);
    assert_int_equal(packet(0).timestamp_end, 1000 + UINT64_C(0x7fffffff));
    put_event(10, 5); /* time does not go back */
    assert_int_equal(shared.last_time, 1000 + UINT64_C(0xffffffff));
}

static void ring_wraps(void **state)
{
    fresh_ring();
    for (unsigned i = 0; i < 4 * 10; i++)
        put_event(1000, i);
    assert_int_equal(position(), 9 * PACKET + sizeof(struct wire_packet) + 4000);
    for (unsigned n = 6; n < 10; n++) {
        assert_int_equal(packet(n).packet_seq_num, n);
        assert_int_equal(packet(n).timestamp_begin, 4 * n);
        assert_int_equal(packet(n).content_size,
                         n < 9 ? (sizeof(struct wire_packet) + 4000) * 8 : 0);
    }
}

static void too_large(void **state)
{
    static uint8_t huge[PACKET];

    fresh_ring();
    put_event(10, 1);
    assert_false(ring_put(&ring, huge, PACKET - sizeof(struct wire_packet) + 1, 2));
    assert_int_equal(atomic_load(&shared.discarded), 1);
    assert_int_equal(position(), sizeof(struct wire_packet) + 10);
    for (unsigned i = 0; i < 5; i++)
        put_event(1000, 3);
    assert_int_equal(packet(0).events_discarded, 0);
    assert_int_equal(packet(1).events_discarded, 1);
}

/* Fills the ring as far as it goes with events of 1000 bytes; how many it took. */
static unsigned fill_ring(void)
{
    unsigned n = 0;

    for (memset(record, 0x55, 1000); n < 100 && ring_put(&ring, record, 1000, clock_ns()); n++)
        ;
    return n;
}

static void unread_packets_are_kept(void **state)
{
    struct wire_keeper keepers[WIRE_KEEPERS] = {
        [2] = {WIRE_KEEP_DROP, getpid(), clock_ns() + UINT64_C(100000000000)}};

    fresh_ring();
    for (int i = 0; i < WIRE_KEEPERS; i++)
        atomic_store(&shared.keep[i], UINT64_MAX);
    ring.keepers = keepers;
    assert_int_equal(fill_ring(), 100); /* it reads none of this ring */
    fresh_ring();
    ring.keepers = keepers;
    atomic_store(&shared.keep[2], 0);
    unsigned n = fill_ring();
    /* Packet 0 can still be copied: the rule of struct wire_ring. */
    assert_true(position() / PACKET < 0 + PACKETS - 1);
    assert_int_equal(n, (PACKETS - 2) * 4);
    assert_int_equal(atomic_load(&shared.discarded), 1);
    atomic_store(&shared.keep[2], 1);
    assert_int_equal(fill_ring(), 4);
    assert_true(position() / PACKET < 1 + PACKETS - 1);
    atomic_store(&keepers[2].until, 1); /* it lapsed */
    assert_int_equal(fill_ring(), 100);
}

static void a_vcpu_waits(void **state)
{
    struct wire_keeper keepers[WIRE_KEEPERS] = {
        {WIRE_KEEP_WAIT, getpid(), clock_ns() + UINT64_C(30000000)}};

    fresh_ring();
    ring.keepers = keepers;
    ring.may_wait = true;
    assert_int_equal(fill_ring(), 100); /* it waited until the hold lapsed */
    assert_true(clock_ns() >= atomic_load(&keepers[0].until));
    fresh_ring();
    ring.keepers = keepers;
    atomic_store(&keepers[0].until, clock_ns() + UINT64_C(100000000000));
    assert_int_equal(fill_ring(), (PACKETS - 2) * 4); /* where it can't wait */
    atomic_store(&keepers[0].pid, INT32_MAX);         /* for nobody */
    ring.may_wait = true;
    assert_int_equal(fill_ring(), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ring_begins),
        cmocka_unit_test(packets_are_closed),
        cmocka_unit_test(full_to_the_last_byte),
        cmocka_unit_test(time_wraps),
        cmocka_unit_test(ring_wraps),
        cmocka_unit_test(too_large),
        cmocka_unit_test(unread_packets_are_kept),
        cmocka_unit_test(a_vcpu_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
