/* SPDX-License-Identifier: MIT */
/* probe/verify.c: each rule has a set that keeps it and one that breaks it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "probe/verify.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static struct wire_set *set;

/* One probe with this program. */
static void program(const struct wire_insn *code, uint32_t n)
{
    memset(set, 0, sizeof *set);
    set->nprobes = 1;
    set->ncode = n;
    set->nregisters = 1;
    strcpy(set->registers[0], "a0");
    set->probes[0] = (struct wire_probe){.address = 0x1000, .count = n};
    memcpy(set->code, code, n * sizeof *code);
}

#define PROGRAM(...)                                                                               \
    program((const struct wire_insn[]){__VA_ARGS__},                                               \
            sizeof((const struct wire_insn[]){__VA_ARGS__}) / sizeof(struct wire_insn))
#define END                                                                                        \
    {                                                                                              \
        .op = WIRE_OP_END                                                                          \
    }
#define EVENT                                                                                      \
    {                                                                                              \
        .op = WIRE_OP_EVENT, .imm = 1                                                              \
    }

static void good(void)
{
    const char *wrong = verify_set(set);

    if (wrong)
        fail_msg("%s", wrong);
}

static void bad(const char *part)
{
    const char *wrong = verify_set(set);

    assert_non_null(wrong);
    if (!strstr(wrong, part))
        fail_msg("'%s' instead of '%s'", wrong, part);
}

static void sets(void **state)
{
    PROGRAM(EVENT, END);
    good();
    set->nprobes = 0;
    good();
    set->nprobes = WIRE_PROBES + 1;
    bad("more probes");
    PROGRAM(END);
    set->ncode = WIRE_CODE + 1;
    bad("more probes");
    PROGRAM(END);
    set->nregisters = WIRE_REGISTERS + 1;
    bad("more probes");
    PROGRAM(END);
    set->ndirect = WIRE_DIRECT + 1;
    bad("more probes");
    PROGRAM(END);
    memset(set->registers[0], 'a', WIRE_NAME);
    bad("register's name");
    set->registers[0][0] = '\0';
    bad("register's name");
}

static void ranges(void **state)
{
    PROGRAM(END);
    set->ndirect = 1;
    set->direct[0] = (struct wire_direct){0xffffffffffff0000, 0x10000, 0x7f0000000000};
    good();
    set->direct[0].size++;
    bad("range of memory");
    set->direct[0] = (struct wire_direct){0, 0x10000, 0xffffffffffff0001};
    bad("range of memory");
    set->direct[0] = (struct wire_direct){0x1000, 0, 0x1000};
    bad("range of memory");
}

static void counted_ram(void **state)
{
    PROGRAM(END);
    set->heat = WIRE_HEAT_ON;
    set->nram = 2;
    set->ram[0] = (struct wire_ram){0x80000000, 0x10000, 0x7f0000000000};
    set->ram[1] = (struct wire_ram){0xfffffffffffff000, 0x1000, 0xfffffffffffff000};
    good();
    set->ram[1].size += 0x1000;
    bad("wraps around");
    set->ram[1] = (struct wire_ram){0x1000, 0x800, 0};
    bad("no whole pages");
    set->ram[1] = (struct wire_ram){0x1800, 0x1000, 0};
    bad("no whole pages");
    set->ram[1] = (struct wire_ram){0, UINT64_C(0xffffffef) << 12, 0};
    good();
    set->ram[0].size = 0x11000;
    bad("more RAM than can be counted");
    set->nram = 0;
    bad("no or too many ranges");
    set->heat = WIRE_HEAT_OFF;
    good();
    set->nram = WIRE_RAM + 1;
    bad("no or too many ranges");
    set->nram = 0;
    set->heat = WIRE_HEAT_ON + 1;
    bad("unknown way");
}

static void probes(void **state)
{
    PROGRAM(END);
    set->probes[0].site = WIRE_SITE_COUNT;
    bad("kind of site");
    PROGRAM(END);
    set->probes[0].slot = WIRE_PROBES;
    bad("place for counts");
    PROGRAM(END);
    set->probes[0].count = 0;
    bad("empty or too long");
    set->probes[0].count = WIRE_PROGRAM + 1;
    bad("empty or too long");
    set->probes[0].count = 2;
    bad("outside of the set's code");
    set->probes[0].first = UINT32_MAX;
    bad("outside of the set's code");
}

static void ranges_of_sites(void **state)
{
    PROGRAM(END);
    struct wire_probe *p = &set->probes[0];
    p->site = WIRE_SITE_MEMORY;
    bad("range of memory");
    p->value = 8;
    bad("neither reads nor writes");
    p->mask = 4;
    bad("neither reads nor writes");
    p->mask = UINT64_C(1) << 32 | 1;
    bad("neither reads nor writes");
    for (p->mask = 1; p->mask <= 3; p->mask++)
        good();
    p->mask = 3;
    p->address = UINT64_MAX - 7; /* up to the last byte */
    good();
    p->value = 9;
    bad("wraps around");
    p->site = WIRE_SITE_BLOCK;
    bad("wraps around");
    p->address = 0;
    p->value = UINT64_MAX;
    good();
    p->value = 0;
    bad("range of memory");
}

/* Does a probe at that site have that value? */
static bool site_has(uint32_t site, uint64_t value)
{
    PROGRAM({.op = WIRE_OP_VALUE, .imm = value}, END);
    set->probes[0].site = site;
    set->probes[0].value = set->probes[0].mask = 1;
    if (!verify_set(set))
        return true;
    bad("a value that its site does not have");
    return false;
}

static void values(void **state)
{
    for (uint32_t site = 0; site < WIRE_SITE_COUNT; site++) {
        for (unsigned v = WIRE_VALUE_ADDRESS; v <= WIRE_VALUE_DATA; v++)
            assert_int_equal(site_has(site, v), site == WIRE_SITE_MEMORY);
        assert_int_equal(site_has(site, WIRE_VALUE_INSNS), site == WIRE_SITE_BLOCK);
        for (unsigned v = WIRE_VALUE_FROM; v <= WIRE_VALUE_TO; v++)
            assert_int_equal(site_has(site, v), site == WIRE_SITE_TRAP);
        assert_false(site_has(site, WIRE_VALUE_COUNT));
        assert_false(site_has(site, UINT64_MAX));
    }
}

static void traps(void **state)
{
    PROGRAM(END);
    set->probes[0].site = WIRE_SITE_TRAP;
    bad("of no or of unknown kinds");
    set->probes[0].mask = 4;
    bad("of no or of unknown kinds");
    set->probes[0].mask = UINT64_C(1) << 32;
    bad("of no or of unknown kinds");
    set->probes[0].mask = WIRE_TRAP_INTERRUPT | WIRE_TRAP_EXCEPTION;
    good();
    PROGRAM({.op = WIRE_OP_REG}, END);
    set->probes[0].site = WIRE_SITE_TRAP;
    set->probes[0].mask = WIRE_TRAP_INTERRUPT;
    good();
}

static void instructions(void **state)
{
    PROGRAM({.op = WIRE_OP_COUNT}, END);
    bad("unknown operation");
    PROGRAM({.op = WIRE_OP_IMM, .d = WIRE_SLOTS}, END);
    bad("slot that");
    PROGRAM({.op = WIRE_OP_MOV, .s = WIRE_SLOTS}, END);
    bad("slot that");
    PROGRAM({.op = WIRE_OP_IMM, .imm_high = 1}, END);
    bad("imm_high");
    PROGRAM({.op = WIRE_OP_LOAD, .size = 3}, END);
    bad("a size");
    PROGRAM({.op = WIRE_OP_SEXT}, END);
    bad("a size");
    PROGRAM(EVENT, {.op = WIRE_OP_PUT, .size = 16}, END);
    bad("a size");
    PROGRAM({.op = WIRE_OP_REG}, END);
    good();
    set->probes[0].site = WIRE_SITE_IDLE;
    bad("where there are none");
    set->probes[0].site = WIRE_SITE_RESUME;
    bad("where there are none");
    PROGRAM({.op = WIRE_OP_REG, .imm = 1}, END);
    bad("does not name");
    PROGRAM({.op = WIRE_OP_EVENT, .imm = 65534}, END);
    good();
    PROGRAM({.op = WIRE_OP_EVENT, .imm = 65535}, END);
    bad("event type");
    /* what no path leads to is looked at, too */
    PROGRAM(END, {.op = WIRE_OP_COUNT});
    bad("unknown operation");
}

static void ends_and_jumps(void **state)
{
    PROGRAM({.op = WIRE_OP_IMM});
    bad("without an end");
    PROGRAM({.op = WIRE_OP_JEQ, .s = 1, .imm = 1}, END, END);
    good();
    PROGRAM({.op = WIRE_OP_JEQ, .s = 1, .imm = 1}, END, {.op = WIRE_OP_IMM});
    bad("without an end");
    PROGRAM({.op = WIRE_OP_JNE, .imm = 1}, END);
    bad("jump out");
    PROGRAM({.op = WIRE_OP_JLT, .imm = UINT64_MAX}, END); /* back */
    bad("jump out");
    PROGRAM({.op = WIRE_OP_JSLT, .imm = 0}, END);
    good();
    PROGRAM({.op = WIRE_OP_JEQ, .s = 1, .imm = 1}); /* the last one of its program */
    bad("jump out");
}

static void events(void **state)
{
    static const struct wire_insn put = {.op = WIRE_OP_PUT, .size = 4};

    PROGRAM(put, END);
    bad("outside of an event");
    PROGRAM({.op = WIRE_OP_PUT_STR, .imm = 1}, END);
    bad("outside of an event");
    PROGRAM({.op = WIRE_OP_PUT_MEM, .imm = 1}, END);
    bad("outside of an event");
    PROGRAM({.op = WIRE_OP_PUT_DATA, .imm = 1}, END);
    bad("outside of an event");
    PROGRAM(EVENT, EVENT, END);
    bad("begun twice");
    /* begun on one of two paths, both of which then write, or begin */
    PROGRAM({.op = WIRE_OP_JEQ, .s = 1, .imm = 1}, EVENT, put, END);
    bad("outside of an event");
    PROGRAM({.op = WIRE_OP_JEQ, .s = 1, .imm = 1}, EVENT, EVENT, END);
    bad("begun twice");
    /* one of two types */
    PROGRAM({.op = WIRE_OP_JEQ, .s = 1, .imm = 3}, EVENT, put, END, EVENT, put, END);
    good();
}

static void sizes(void **state)
{
    enum { MOST = WIRE_RECORD - sizeof(struct wire_event) };

    PROGRAM(EVENT, {.op = WIRE_OP_PUT_MEM, .imm = MOST}, END);
    good();
    PROGRAM(EVENT, {.op = WIRE_OP_PUT_MEM, .imm = MOST + 1}, END);
    bad("too large");
    PROGRAM(EVENT, {.op = WIRE_OP_PUT_STR, .imm = MOST - 1}, END);
    good();
    PROGRAM(EVENT, {.op = WIRE_OP_PUT_STR, .imm = MOST}, END);
    bad("too large");
    PROGRAM(EVENT, {.op = WIRE_OP_PUT_MEM, .imm = UINT64_MAX - 3}, END);
    bad("too large");
    PROGRAM(EVENT, {.op = WIRE_OP_PUT_STR, .imm = UINT32_MAX}, END);
    bad("too large");
    enum { DATA = (MOST - 1) / 4 };
    PROGRAM(EVENT, {.op = WIRE_OP_PUT_DATA, .imm = DATA}, END);
    good();
    PROGRAM(EVENT, {.op = WIRE_OP_PUT_DATA, .imm = DATA + 1}, END);
    bad("too large");
    PROGRAM(EVENT, {.op = WIRE_OP_PUT_DATA, .imm = UINT64_C(1) << 62}, END);
    bad("too large");
    for (uint8_t op = WIRE_OP_PUT_TEXT; op <= WIRE_OP_PUT_LIST; op++) {
        PROGRAM(EVENT, {.op = op, .imm = MOST - 1}, END);
        good();
        PROGRAM(EVENT, {.op = op, .imm = MOST}, END);
        bad("too large");
        PROGRAM({.op = op, .imm = 1}, EVENT, END);
        bad("outside of an event");
    }
    /* the longer path counts, whichever it is; one that nothing leads to does not */
    PROGRAM(EVENT, {.op = WIRE_OP_JEQ, .d = 1, .s = 1, .imm = 1},
            {.op = WIRE_OP_PUT_MEM, .imm = MOST - 7}, {.op = WIRE_OP_PUT, .size = 8}, END);
    good();
    PROGRAM(EVENT, {.op = WIRE_OP_JEQ, .d = 1, .s = 2, .imm = 1},
            {.op = WIRE_OP_PUT_MEM, .imm = MOST - 7}, {.op = WIRE_OP_PUT, .size = 8}, END);
    bad("too large");
    PROGRAM(EVENT, {.op = WIRE_OP_JEQ, .s = 1, .imm = 1}, {.op = WIRE_OP_PUT_MEM, .imm = MOST - 7},
            {.op = WIRE_OP_PUT, .size = 8}, END);
    bad("too large");
    PROGRAM(EVENT, {.op = WIRE_OP_JEQ, .s = 1, .imm = 2}, {.op = WIRE_OP_PUT_MEM, .imm = MOST}, END,
            {.op = WIRE_OP_PUT, .size = 8}, END);
    good();
}

static void tables_and_variables(void **state)
{
    set->ntables = 0;
    PROGRAM({.op = WIRE_OP_TABLE}, END);
    set->ntables = 0;
    bad("a table that the set does not have");
    PROGRAM({.op = WIRE_OP_TABLE, .imm = 1}, END);
    set->ntables = 2;
    good();
    set->ntables = WIRE_TABLES + 1;
    bad("tables than a set can hold");
    PROGRAM({.op = WIRE_OP_KEEP, .imm = WIRE_VARS - 1}, {.op = WIRE_OP_RECALL}, END);
    good();
    PROGRAM({.op = WIRE_OP_KEEP, .imm = WIRE_VARS}, END);
    bad("a variable that does not exist");
    PROGRAM({.op = WIRE_OP_RECALL, .imm = WIRE_VARS}, END);
    bad("a variable that does not exist");
    PROGRAM({.op = WIRE_OP_EVENT_OF, .imm = UINT16_MAX - WIRE_TABLE}, END);
    good();
    PROGRAM({.op = WIRE_OP_EVENT_OF, .imm = UINT16_MAX - WIRE_TABLE + 1}, END);
    bad("an event type beyond");
    PROGRAM(EVENT, {.op = WIRE_OP_EVENT_OF}, END);
    bad("twice");
}

static int make(void **state)
{
    set = malloc(sizeof *set);
    return set ? 0 : -1;
}

static int drop(void **state)
{
    free(set);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets),           cmocka_unit_test(ranges),
        cmocka_unit_test(probes),         cmocka_unit_test(ranges_of_sites),
        cmocka_unit_test(values),         cmocka_unit_test(instructions),
        cmocka_unit_test(ends_and_jumps), cmocka_unit_test(events),
        cmocka_unit_test(sizes),          cmocka_unit_test(tables_and_variables),
        cmocka_unit_test(traps),          cmocka_unit_test(counted_ram),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
