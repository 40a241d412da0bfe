/* SPDX-License-Identifier: MIT */
/* The interpreter of the probes' programs, with registers and memory made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/util.h"
#include "capture/tcg/interp.h"

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
static uint64_t site_values[WIRE_VALUE_COUNT] = {0x9000, 8, 0, 0};

static uint32_t run_at(uint64_t pc, const struct wire_insn *code)
{
    struct machine m = {.pc = pc,
                        .vcpu = 3,
                        .values = site_values,
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

static uint64_t site_value(enum wire_value v)
{
    return value(RUN({.op = WIRE_OP_VALUE, .d = 2, .imm = v}, EVENT, PUT8(2)));
}

static void values_of_a_site(void **state)
{
    assert_int_equal(site_value(WIRE_VALUE_ADDRESS), 0x9000);
    assert_int_equal(site_value(WIRE_VALUE_SIZE), 8);
    assert_int_equal(site_value(WIRE_VALUE_DATA), 0);
    assert_int_equal(header().flags, 0);
    assert_int_equal(site_value(WIRE_VALUE_INSNS), 0); /* not known */
    assert_int_equal(header().flags, WIRE_EVENT_FAULT);
    site_values[WIRE_VALUE_INSNS] = 7;
    assert_int_equal(site_value(WIRE_VALUE_INSNS), 7);
    assert_int_equal(header().flags, 0);
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

/* The string at va, or (list) those that an array there points at. */
static void text_of(bool list, uint64_t va, uint64_t most, const char *text, uint8_t flags)
{
    uint8_t op = list ? WIRE_OP_PUT_LIST : WIRE_OP_PUT_TEXT;
    uint32_t size = RUN(IMM(1, va), EVENT, {.op = op, .s = 1, .imm = most});

    assert_string_equal((const char *)fields(), text);
    assert_int_equal(size, sizeof(struct wire_event) + strlen(text) + 1);
    assert_int_equal(header().flags, flags);
    assert_int_equal(record[size], 0xee);
}

static void strings_as_text(void **state)
{
    strcpy((char *)memory, "/a \"b\"\\\n\1"
                           "2\377");
    text_of(false, MEMORY, 64, "/a \\\"b\\\"\\\\\\n\\0012\\377", 0);
    text_of(false, MEMORY, 21, "/a \\\"b\\\"\\\\\\n\\0012\\", 0);
    text_of(false, MEMORY, 22, "/a \\\"b\\\"\\\\\\n\\0012\\377", 0);
    text_of(false, MEMORY, 5, "/a \\", 0);
    text_of(false, MEMORY, 1, "\\", 0);
    text_of(false, MEMORY, 0, "", 0);
    text_of(false, 0, 2, "\\0", 0); /* nothing is read */
    text_of(false, 0, 1, "", 0);
    memory[0] = 0;
    text_of(false, MEMORY, 64, "", 0);
    text_of(false, 5, 64, "", WIRE_EVENT_FAULT);
    /* read in pieces, over the end of a page, an escape across two of them; just as long as fits */
    char longest[257];
    memset(longest, 'a', sizeof longest);
    longest[255] = '\0';
    memcpy(memory + 4096 - 30, longest, 256);
    text_of(false, MEMORY + 4096 - 30, 256, longest, 0);
    memset(memory + 4096 - 30, 'a', 257);
    longest[255] = '\\';
    longest[256] = '\0';
    text_of(false, MEMORY + 4096 - 30, 256, longest, 0);
    memcpy(memory + 4096 - 1, "\0012", 3);
    text_of(false, MEMORY + 4096 - 2, 8, "a\\0012", 0);
    memcpy(memory + MEMORY_BYTES - 3, "end", 3); /* and cannot be read on */
    text_of(false, MEMORY + MEMORY_BYTES - 3, 16, "end", WIRE_EVENT_FAULT);
}

static void lists_as_text(void **state)
{
    uint64_t list[] = {MEMORY + 100, MEMORY + 110, MEMORY + 120, 0};

    memcpy(memory, list, sizeof list);
    strcpy((char *)memory + 100, "sh");
    strcpy((char *)memory + 110, "");
    strcpy((char *)memory + 120, "a\"b");
    text_of(true, MEMORY, 64, "\"sh\", \"\", \"a\\\"b\"", 0);
    text_of(true, MEMORY, 17, "\"sh\", \"\", \"a\\\"b\"", 0);
    text_of(true, MEMORY, 16, "\"sh\", \"\", \"a\\\"\\", 0);
    text_of(true, MEMORY, 15, "\"sh\", \"\", \"a\\", 0);
    text_of(true, MEMORY, 13, "\"sh\", \"\"\\", 0);
    text_of(true, MEMORY, 10, "\"sh\", \"\"\\", 0);
    text_of(true, MEMORY, 9, "\"sh\"\\", 0);
    text_of(true, MEMORY, 3, "\\", 0);
    text_of(true, MEMORY, 1, "\\", 0);
    text_of(true, MEMORY, 0, "", 0);
    text_of(true, MEMORY + 24, 64, "", 0);
    text_of(true, 0, 64, "\\0", 0);
    text_of(true, 5, 64, "", WIRE_EVENT_FAULT);
    list[1] = 5; /* a string that can't be read is an empty one */
    memcpy(memory, list, sizeof list);
    text_of(true, MEMORY, 64, "\"sh\", \"\", \"a\\\"b\"", WIRE_EVENT_FAULT);
    for (unsigned i = 0; i < 1000; i++) /* no end */
        memcpy(memory + 4096 + 8 * i, &list[0], 8);
    text_of(true, MEMORY + 4096, 20, "\"sh\", \"sh\", \"sh\"\\", 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(values_of_a_site),
        cmocka_unit_test(tables_and_types),
        cmocka_unit_test(variables),
        cmocka_unit_test(arithmetic),
        cmocka_unit_test(jumping),
        cmocka_unit_test(loads),
        cmocka_unit_test(narrow_fields),
        cmocka_unit_test(strings),
        cmocka_unit_test(data_as_text),
        cmocka_unit_test(strings_as_text),
        cmocka_unit_test(lists_as_text),
        cmocka_unit_test(blocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
