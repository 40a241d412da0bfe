/* SPDX-License-Identifier: MIT */
/* capture/: the interpreter, the ring's writer, sets made ready, the memory file; without QEMU. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/util.h"
#include "capture/control.h"
#include "capture/layout.h"
#include "capture/tcg/interp.h"
#include "capture/tcg/ring.h"
#include "capture/tcg/set.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- the interpreter ---- */

enum { MEMORY = 0x10000, MEMORY_BYTES = 3 * 4096 };

static uint8_t memory[MEMORY_BYTES]; /* guest memory at MEMORY; what is beyond can't be read */
static uint8_t record[WIRE_RECORD];

static bool fake_register(void *arg, unsigned number, uint64_t *value)
{
    *value = 0x1000 + number;
    return number != 9;
}

static bool fake_memory(void *arg, uint64_t va, void *out, size_t n)
{
    if (va < MEMORY || n > MEMORY_BYTES || va - MEMORY > MEMORY_BYTES - n)
        return false;
    memcpy(out, memory + (va - MEMORY), n);
    return true;
}

static const uint16_t tables[2][WIRE_TABLE] = {[1] = {5, 6, [WIRE_TABLE - 1] = 99}};
static struct vars *vars[WIRE_VARS];

static uint32_t run_at(uint64_t pc, const struct wire_insn *code)
{
    struct machine m = {.pc = pc,
                        .vcpu = 3,
                        .reg = fake_register,
                        .memory = fake_memory,
                        .tables = tables,
                        .vars = vars};

    memset(record, 0xee, sizeof record);
    return interp_run(code, &m, record);
}

#define RUN(...) run_at(0x4000, (const struct wire_insn[]){__VA_ARGS__, {.op = WIRE_OP_END}})
#define IMM(slot, v)                                                                               \
    {                                                                                              \
        .op = WIRE_OP_IMM, .d = slot, .imm = v                                                     \
    }
#define EVENT                                                                                      \
    {                                                                                              \
        .op = WIRE_OP_EVENT, .imm = 0x1234                                                         \
    }
#define PUT8(slot)                                                                                 \
    {                                                                                              \
        .op = WIRE_OP_PUT, .s = slot, .size = 8                                                    \
    }

static struct wire_event header(void)
{
    struct wire_event e;

    memcpy(&e, record, sizeof e);
    return e;
}

static const uint8_t *fields(void)
{
    return record + sizeof(struct wire_event);
}

/* The event of a program that ends with one field of 8 bytes. */
static uint64_t value(uint32_t n)
{
    assert_int_equal(n, sizeof(struct wire_event) + 8);
    assert_int_equal(header().id, 0x1234);
    return load64(fields());
}

static void values(void **state)
{
    assert_int_equal(RUN(IMM(1, 5)), 0); /* publishes nothing */
    assert_int_equal(RUN(EVENT), sizeof(struct wire_event));
    assert_int_equal(value(RUN(EVENT, PUT8(4))), 0);
    assert_int_equal(value(RUN(IMM(15, 0x8877665544332211), EVENT, PUT8(15))), 0x8877665544332211);
    assert_int_equal(value(RUN({.op = WIRE_OP_REG, .d = 2, .imm = 7}, EVENT, PUT8(2))), 0x1007);
    assert_int_equal(header().flags, 0);
    assert_int_equal(value(RUN({.op = WIRE_OP_REG, .d = 2, .imm = 9}, EVENT, PUT8(2))), 0);
    assert_int_equal(header().flags, WIRE_EVENT_FAULT);
    assert_int_equal(value(RUN({.op = WIRE_OP_VCPU, .d = 2}, EVENT, PUT8(2))), 3);
    assert_int_equal(value(RUN({.op = WIRE_OP_PC, .d = 2}, EVENT, PUT8(2))), 0x4000);
    static const struct wire_insn pc[] = {
        {.op = WIRE_OP_PC, .d = 2}, EVENT, PUT8(2), {.op = WIRE_OP_END}};
    assert_int_equal(value(run_at(0, pc)), 0);
    assert_int_equal(header().flags, WIRE_EVENT_FAULT);
    assert_int_equal(value(RUN(IMM(1, 7), {.op = WIRE_OP_MOV, .d = 2, .s = 1}, EVENT, PUT8(2))), 7);
}

static uint64_t table_at(uint64_t i)
{
    return value(RUN(IMM(1, i), {.op = WIRE_OP_TABLE, .d = 2, .s = 1, .imm = 1}, EVENT, PUT8(2)));
}

static void tables_and_types(void **state)
{
    assert_int_equal(table_at(0), 5);
    assert_int_equal(table_at(1), 6);
    assert_int_equal(table_at(WIRE_TABLE - 1), 99);
    assert_int_equal(table_at(UINT64_MAX), 99);
    RUN(IMM(1, 3), {.op = WIRE_OP_EVENT_OF, .s = 1, .imm = 1000});
    assert_int_equal(header().id, 1003);
    RUN(IMM(1, UINT64_MAX), {.op = WIRE_OP_EVENT_OF, .s = 1, .imm = 1000});
    assert_int_equal(header().id, 1000 + WIRE_TABLE - 1);
}

static uint64_t recall(uint64_t key)
{
    return value(
        RUN(IMM(1, key), {.op = WIRE_OP_RECALL, .d = 2, .s = 1, .imm = 3}, EVENT, PUT8(2)));
}

static void keep(uint64_t key, uint64_t v)
{
    RUN(IMM(1, key), IMM(2, v), EVENT, {.op = WIRE_OP_KEEP, .d = 1, .s = 2, .imm = 3});
}

static void variables(void **state)
{
    const uint64_t base = UINT64_C(0xffffffd800000000);
    uint64_t room = 0;

    vars[3] = vars_new();
    assert_int_equal(recall(base), 0);
    keep(base, 0x10041);
    keep(base + 0x40, 7);
    assert_int_equal(recall(base), 0x41); /* 16 bits */
    keep(base, 0x42);
    assert_int_equal(recall(base), 0x42);
    assert_int_equal(recall(base + 0x40), 7);
    keep(base, 0);
    assert_int_equal(recall(base), 0);
    vars_clear(vars[3]);
    assert_int_equal(recall(base + 0x40), 0);
    /* Full, every key that was taken is there, and one that was not marks its event. */
    for (bool full = false; !full; room++) {
        keep(base + room * 0x1c40, 1 + room % 1000);
        full = header().flags & WIRE_EVENT_FAULT;
        assert_true(room < 70000);
    }
    assert_true(room > 20000);
    for (uint64_t i = 0; i + 1 < room; i++)
        assert_int_equal(vars_recall(vars[3], base + i * 0x1c40), 1 + i % 1000);
    assert_int_equal(recall(base + (room - 1) * 0x1c40), 0);
    free(vars[3]);
    vars[3] = NULL;
}

static uint64_t alu(uint8_t op, uint64_t a, uint64_t b)
{
    return value(RUN(IMM(1, a), IMM(2, b), {.op = op, .d = 1, .s = 2}, EVENT, PUT8(1)));
}

static uint64_t extend(uint8_t size, uint64_t v)
{
    return value(
        RUN(IMM(1, v), {.op = WIRE_OP_SEXT, .d = 2, .s = 1, .size = size}, EVENT, PUT8(2)));
}

static void arithmetic(void **state)
{
    assert_int_equal(alu(WIRE_OP_ADD, UINT64_MAX, 2), 1);
    assert_int_equal(alu(WIRE_OP_SUB, 1, 3), (uint64_t)-2);
    assert_int_equal(alu(WIRE_OP_MUL, 3, 5), 15);
    assert_int_equal(alu(WIRE_OP_AND, 12, 10), 8);
    assert_int_equal(alu(WIRE_OP_OR, 12, 10), 14);
    assert_int_equal(alu(WIRE_OP_XOR, 12, 10), 6);
    assert_int_equal(alu(WIRE_OP_SHL, 1, 63), UINT64_C(1) << 63);
    assert_int_equal(alu(WIRE_OP_SHL, 1, 64), 1);
    assert_int_equal(alu(WIRE_OP_SHR, UINT64_MAX, 60), 15);
    assert_int_equal(extend(1, 0x80), (uint64_t)-128);
    assert_int_equal(extend(2, 0x17fff), 0x7fff);
    assert_int_equal(extend(4, 0xffffffff), UINT64_MAX);
    assert_int_equal(extend(8, 1), 1);
}

static bool jumps(uint8_t op, uint64_t a, uint64_t b)
{
    return value(RUN(IMM(1, a), IMM(2, b), {.op = op, .d = 1, .s = 2, .imm = 1}, IMM(3, 1), EVENT,
                     PUT8(3))) == 0;
}

static void jumping(void **state)
{
    const uint64_t minus = (uint64_t)-1;

    assert_true(jumps(WIRE_OP_JEQ, 4, 4));
    assert_false(jumps(WIRE_OP_JEQ, 4, 5));
    assert_true(jumps(WIRE_OP_JNE, 4, 5));
    assert_false(jumps(WIRE_OP_JNE, 4, 4));
    assert_true(jumps(WIRE_OP_JLT, 4, minus));
    assert_false(jumps(WIRE_OP_JLT, minus, 4));
    assert_false(jumps(WIRE_OP_JLT, 4, 4));
    assert_true(jumps(WIRE_OP_JSLT, minus, 4));
    assert_false(jumps(WIRE_OP_JSLT, 4, minus));
}

static uint64_t load(uint64_t base, uint64_t offset, uint8_t size)
{
    return value(RUN(IMM(1, base),
                     {.op = WIRE_OP_LOAD, .d = 2, .s = 1, .size = size, .imm = offset}, EVENT,
                     PUT8(2)));
}

static void loads(void **state)
{
    for (unsigned i = 0; i < 8; i++)
        memory[0x10 + i] = (uint8_t)(0x81 + i);
    assert_int_equal(load(MEMORY, 0x10, 1), 0x81);
    assert_int_equal(load(MEMORY + 0x20, (uint64_t)-0x10, 2), 0x8281);
    assert_int_equal(load(MEMORY, 0x10, 4), 0x84838281);
    assert_int_equal(load(MEMORY, 0x10, 8), 0x8887868584838281);
    assert_int_equal(header().flags, 0);
    assert_int_equal(load(MEMORY, MEMORY_BYTES - 4, 8), 0);
    assert_int_equal(header().flags, WIRE_EVENT_FAULT);
    /* a fault in the predicate shows in the event */
    RUN({.op = WIRE_OP_LOAD, .d = 1, .size = 8}, {.op = WIRE_OP_JNE, .d = 1}, EVENT);
    assert_int_equal(header().flags, WIRE_EVENT_FAULT);
}

static void narrow_fields(void **state)
{
    uint32_t n =
        RUN(IMM(1, 0x8877665544332211), EVENT, {.op = WIRE_OP_PUT, .s = 1, .size = 1},
            {.op = WIRE_OP_PUT, .s = 1, .size = 2}, {.op = WIRE_OP_PUT, .s = 1, .size = 4});
    static const uint8_t expect[] = {0x11, 0x11, 0x22, 0x11, 0x22, 0x33, 0x44};

    assert_int_equal(n, sizeof(struct wire_event) + sizeof expect);
    assert_memory_equal(fields(), expect, sizeof expect);
    assert_int_equal(record[n], 0xee);
}

/* The string at va, read with at most `most` bytes, comes out as `text`. */
static void string(uint64_t va, uint64_t most, const char *text, uint8_t flags)
{
    uint32_t n = RUN(IMM(1, va), EVENT, {.op = WIRE_OP_PUT_STR, .s = 1, .imm = most});

    assert_string_equal((const char *)fields(), text);
    assert_int_equal(n, sizeof(struct wire_event) + strlen(text) + 1);
    assert_int_equal(header().flags, flags);
}

static void strings(void **state)
{
    char longest[101];

    memcpy(memory, "kworker\t\x80:0\0x", 13);
    string(MEMORY, 16, "kworker??:0", 0);
    string(MEMORY, 7, "kworker", 0);
    string(MEMORY, 0, "", 0);
    string(MEMORY + 11, 16, "", 0);
    /* read in pieces, over the end of a page */
    memset(longest, 'a', 100);
    longest[100] = '\0';
    memcpy(memory + 4096 - 30, longest, sizeof longest);
    string(MEMORY + 4096 - 30, 200, longest, 0);
    longest[90] = '\0';
    string(MEMORY + 4096 - 30, 90, longest, 0);
    memcpy(memory + MEMORY_BYTES - 3, "end", 3); /* and cannot be read on */
    string(MEMORY + MEMORY_BYTES - 3, 16, "end", WIRE_EVENT_FAULT);
    string(5, 16, "", WIRE_EVENT_FAULT);
}

/* n bytes at va, of which at most `most` are put, come out as `text`. */
static void data(uint64_t va, uint64_t n, uint64_t most, const char *text, uint8_t flags)
{
    uint32_t size =
        RUN(IMM(1, va), IMM(2, n), EVENT, {.op = WIRE_OP_PUT_DATA, .d = 2, .s = 1, .imm = most});

    assert_string_equal((const char *)fields(), text);
    assert_int_equal(size, sizeof(struct wire_event) + strlen(text) + 1);
    assert_int_equal(header().flags, flags);
    assert_int_equal(record[size], 0xee); /* nothing behind it was written */
}

static void data_as_text(void **state)
{
    memcpy(memory,
           "say \"hi\\\n\t\v\f\r\a\0\1"
           "7\0x\177\200\377",
           23);
    data(MEMORY, 22, 32, "say \\\"hi\\\\\\n\\t\\v\\f\\r\\7\\0\\0017\\0x\\177\\200\\377", 0);
    data(MEMORY, 22, 6, "say \\\"h", 0);
    data(MEMORY, 3, 32, "say", 0);
    data(MEMORY, 0, 32, "", 0);
    data(5, 0, 32, "", 0); /* nothing is read */
    data(MEMORY, UINT64_MAX, 3, "say", 0);
    data(5, 1, 32, "", WIRE_EVENT_FAULT);
    memset(memory, 0xff, 254);
    data(MEMORY, 254, 2, "\\377\\377", 0);
    /* over the end of a page, and to where nothing is */
    memcpy(memory + 4096 - 2, "abcd", 4);
    data(MEMORY + 4096 - 2, 4, 32, "abcd", 0);
    memcpy(memory + MEMORY_BYTES - 2, "ab", 2);
    data(MEMORY + MEMORY_BYTES - 2, 4, 32, "ab", WIRE_EVENT_FAULT);
}

static void blocks(void **state)
{
    static const uint8_t zeros[12];
    uint32_t n;

    memcpy(memory, "\1\2\3\4", 4);
    n = RUN(IMM(1, MEMORY), EVENT, {.op = WIRE_OP_PUT_MEM, .s = 1, .imm = 4},
            {.op = WIRE_OP_PUT_MEM, .s = 1, .imm = 0});
    assert_int_equal(n, sizeof(struct wire_event) + 4);
    assert_memory_equal(fields(), "\1\2\3\4", 4);
    assert_int_equal(header().flags, 0);
    RUN(IMM(1, MEMORY + MEMORY_BYTES - 4), EVENT, {.op = WIRE_OP_PUT_MEM, .s = 1, .imm = 12});
    assert_memory_equal(fields(), zeros, 12);
    assert_int_equal(header().flags, WIRE_EVENT_FAULT);
}

/* ---- the ring ---- */

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

/* ---- sets ---- */

/* Five probes: two at one address, two at opcodes of which one asks where it is, one at idle. */
static struct wire_set *five(void)
{
    struct wire_set *w = calloc(1, sizeof *w);

    assert_non_null(w);
    w->generation = 3;
    w->nprobes = 5;
    w->ncode = 3;
    w->nregisters = 1;
    w->registers[0][0] = 'r';
    w->code[0].op = WIRE_OP_END;
    w->code[1].op = WIRE_OP_PC;
    w->code[2].op = WIRE_OP_END;
    for (uint32_t i = 0; i < 5; i++)
        w->probes[i] = (struct wire_probe){.slot = i, .count = 1, .address = 0x1000};
    w->probes[2].site = w->probes[3].site = WIRE_SITE_OPCODE;
    w->probes[3].first = 1;
    w->probes[3].count = 2;
    w->probes[4].site = WIRE_SITE_IDLE;
    return w;
}

static void sets(void **state)
{
    AUTO_FREE struct wire_set *w = five();
    const char *why;
    struct set *s = set_take(w, 3, &why);

    assert_non_null(s);
    assert_true(s->translates);
    struct point *p = set_at(s, 0x1000);
    assert_int_equal(p->slot, 0);
    assert_int_equal(p->next->slot, 1);
    assert_null(p->next->next);
    assert_null(set_at(s, 0x1002));
    assert_int_equal(s->nopcodes, 2);
    assert_int_equal(s->idle->slot, 4);
    assert_null(s->resume);
    /* one point for all places, or one for each */
    assert_ptr_equal(set_place(s, 2, 0x2000), set_place(s, 2, 0x2004));
    p = set_place(s, 3, 0x2000);
    assert_ptr_not_equal(p, set_place(s, 3, 0x2004));
    assert_ptr_equal(p, set_place(s, 3, 0x2000));
    assert_int_equal(p->pc, 0x2000);
    set_free(s);
}

static void many_addresses(void **state)
{
    AUTO_FREE struct wire_set *w = five();
    const char *why;

    w->nprobes = WIRE_PROBES;
    for (uint32_t i = 0; i < WIRE_PROBES; i++)
        w->probes[i] = (struct wire_probe){.slot = i, .count = 1, .address = i * 4096};
    struct set *s = set_take(w, 3, &why);
    assert_non_null(s);
    for (uint32_t i = 0; i < WIRE_PROBES; i++) {
        assert_int_equal(set_at(s, i * 4096)->slot, i);
        assert_null(set_at(s, i * 4096 + 2));
    }
    set_free(s);
}

static void sets_refused(void **state)
{
    AUTO_FREE struct wire_set *w = five();
    const char *why = "x";

    assert_null(set_take(w, 5, &why)); /* being rewritten */
    assert_null(why);
    w->code[0].op = WIRE_OP_COUNT;
    assert_null(set_take(w, 3, &why));
    assert_string_equal(why, "an unknown operation");
}

/* ---- the memory file ---- */

static void expect(struct oscope_error *err, enum oscope_code code, const char *part)
{
    assert_non_null(err);
    assert_int_equal(err->code, code);
    if (!strstr(err->message, part))
        fail_msg("'%s' instead of '%s'", err->message, part);
    oscope_error_free(err);
}

static void file_is_made_and_opened(void **state)
{
    struct control *c, *reader;
    char link[64], path[64];
    size_t mapped;
    int fd;

    assert_null(control_create(3, 8192, 4, &fd));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(path, link, sizeof link - 1);
    assert_true(n > 0 &&
                !strncmp(link, "/memfd:" CONTROL_NAME " ", strlen("/memfd:" CONTROL_NAME " ")));
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(ftruncate(fd, 4096), -1);
    assert_null(control_open(fd, true, &c));
    assert_null(control_open(fd, false, &reader));
    const struct wire_control *w = control_mapped(reader, &mapped);
    assert_int_equal(w->rings, 3);
    assert_int_equal(w->bytes, mapped);
    assert_true(w->ring_stride >= layout_ring_head() + 4 * 8192);
    assert_int_equal(w->uuid[6] >> 4, 4);
    assert_int_equal(control_wished(reader), 0);
    control_close(c);
    control_close(reader);
    close(fd);
    expect(control_create(0, 8192, 4, &fd), OSCOPE_E_USAGE, "number of rings");
    expect(control_create(WIRE_VCPUS + 1, 8192, 4, &fd), OSCOPE_E_USAGE, "number of rings");
    expect(control_create(1, 8192, 3, &fd), OSCOPE_E_USAGE, "number of packets");
    expect(control_create(1, 2048, 4, &fd), OSCOPE_E_USAGE, "size of packets");
    expect(control_create(512, 1u << 31, 1u << 31, &fd), OSCOPE_E_USAGE, "too large");
    assert_int_equal(fd, -1);
}

/* Opening a file of which one number was changed. */
static void hostile(size_t offset, size_t size, uint64_t v, const char *part)
{
    struct control *c;
    int fd;

    assert_null(control_create(2, 4096, 4, &fd));
    assert_int_equal(pwrite(fd, &v, size, (off_t)offset), size);
    expect(control_open(fd, false, &c), OSCOPE_E_BAD_DATA, part);
    assert_null(c);
    close(fd);
}

#define HOSTILE(member, v, part)                                                                   \
    hostile(offsetof(struct wire_control, member), sizeof((struct wire_control *)0)->member, v,    \
            part)

static void hostile_files(void **state)
{
    struct control *c;

    HOSTILE(magic, 1, "not a memory file");
    HOSTILE(version, 99, "another version");
    HOSTILE(packet_bytes, 0, "size of packets");
    HOSTILE(packet_bytes, 12288, "size of packets");
    HOSTILE(packets, 0x80000000, "rings lie beyond");
    HOSTILE(rings, 0, "number of rings");
    HOSTILE(rings, 3, "rings lie beyond");
    HOSTILE(bytes, UINT64_MAX, "larger than");
    HOSTILE(bytes, 8192, "sets lie beyond");
    HOSTILE(sets_at, 0, "sets lie beyond");
    HOSTILE(sets_at, UINT64_MAX - 4095, "sets lie beyond");
    HOSTILE(sets_at, 4097, "sets lie beyond");
    HOSTILE(rings_at, 0, "rings lie beyond");
    HOSTILE(rings_at, 8192, "overlap");
    HOSTILE(rings_at, UINT64_MAX - 4095, "rings lie beyond");
    HOSTILE(ring_stride, 4096, "rings lie beyond");
    HOSTILE(ring_stride, UINT64_MAX - 4095, "rings lie beyond");
    AUTO_CLOSE int bare = memfd_create("bare", 0);
    assert_int_equal(ftruncate(bare, 1 << 20), 0);
    expect(control_open(bare, false, &c), OSCOPE_E_BAD_DATA, "not a file of oscope");
}

static void wishes(void **state)
{
    struct probe_set set;
    struct control *c;
    uint64_t generation;
    const char *why;
    size_t mapped;
    bool settled;
    int fd;

    assert_null(control_create(1, 4096, 4, &fd));
    assert_null(control_open(fd, true, &c));
    struct wire_control *w = (struct wire_control *)(uintptr_t)control_mapped(c, &mapped);
    const struct wire_set *sets = (const void *)((const uint8_t *)w + w->sets_at);
    probe_set_init(&set);
    assert_null(control_wish(c, &set, &generation));
    assert_int_equal(generation, 1);
    probe_exec(&set, "x", 0x1000);
    probe_end(&set);
    assert_null(control_wish(c, &set, &generation));
    assert_int_equal(generation, 2);
    assert_int_equal(control_wished(c), 2);
    assert_int_equal(sets[1].nprobes, 0); /* the other is as it was */
    struct set *s = set_take(&sets[0], 2, &why);
    assert_non_null(s);
    assert_int_equal(s->wire.nprobes, 1);
    set_free(s);
    /* how the engine answers */
    assert_null(control_settled(c, 2, &settled));
    assert_false(settled);
    atomic_store(&w->in_force, 1);
    strcpy(w->error, "no\x1b[31m");
    atomic_store(&w->refused, 2);
    expect(control_settled(c, 2, &settled), OSCOPE_E_UNSUPPORTED, "no?[31m");
    assert_null(control_settled(c, 1, &settled));
    assert_true(settled);
    atomic_store(&w->engine, WIRE_ENGINE_REFUSED);
    expect(control_settled(c, 3, &settled), OSCOPE_E_UNSUPPORTED, "no?[31m");
    /* what the verifier refuses is not published */
    set.probes.data[0].count = 0;
    expect(control_wish(c, &set, &generation), OSCOPE_E_USAGE, "empty or too long");
    assert_int_equal(control_wished(c), 2);
    probe_set_free(&set);
    control_close(c);
    control_close(NULL);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(tables_and_types),
        cmocka_unit_test(variables),
        cmocka_unit_test(arithmetic),
        cmocka_unit_test(jumping),
        cmocka_unit_test(loads),
        cmocka_unit_test(narrow_fields),
        cmocka_unit_test(strings),
        cmocka_unit_test(data_as_text),
        cmocka_unit_test(blocks),
        cmocka_unit_test(ring_begins),
        cmocka_unit_test(packets_are_closed),
        cmocka_unit_test(full_to_the_last_byte),
        cmocka_unit_test(time_wraps),
        cmocka_unit_test(ring_wraps),
        cmocka_unit_test(too_large),
        cmocka_unit_test(unread_packets_are_kept),
        cmocka_unit_test(a_vcpu_waits),
        cmocka_unit_test(sets),
        cmocka_unit_test(many_addresses),
        cmocka_unit_test(sets_refused),
        cmocka_unit_test(file_is_made_and_opened),
        cmocka_unit_test(hostile_files),
        cmocka_unit_test(wishes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
