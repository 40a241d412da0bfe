/* SPDX-License-Identifier: MIT */
/* probe/build.c, probe/merge.c, session/probes_json.c: writing probe sets, joining and sending
 * them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "probe/build.h"
#include "session/probes_json.h"

#include <string.h>

/* A probe with a predicate, two registers, a load and a string. */
static void one(struct probe_set *s, const char *name, uint64_t address, const char *first)
{
    probe_exec(s, name, address);
    unsigned a = probe_reg(s, first), b = probe_reg(s, "a1");
    unsigned v = probe_load_signed(s, a, 0x10, 4);
    unsigned skip = probe_jump(s, WIRE_OP_JEQ, v, probe_imm(s, 0));
    probe_event(s, 7);
    probe_put(s, v, 4);
    probe_put_str(s, b, 16);
    probe_label(s, skip);
    probe_end(s);
}

static void program(void **state)
{
    struct probe_set s;

    (void)state;
    probe_set_init(&s);
    one(&s, "x", 0x1000, "a0");
    assert_null(probe_set_finish(&s));
    assert_int_equal(s.probes.len, 1);
    assert_string_equal(s.names.data[0].text, "x");
    assert_int_equal(s.probes.data[0].address, 0x1000);
    assert_int_equal(s.probes.data[0].count, s.code.len);
    static const uint8_t ops[] = {WIRE_OP_REG,     WIRE_OP_REG, WIRE_OP_LOAD,  WIRE_OP_SEXT,
                                  WIRE_OP_IMM,     WIRE_OP_JEQ, WIRE_OP_EVENT, WIRE_OP_PUT,
                                  WIRE_OP_PUT_STR, WIRE_OP_END};
    assert_int_equal(s.code.len, sizeof ops);
    for (size_t i = 0; i < sizeof ops; i++)
        assert_int_equal(s.code.data[i].op, ops[i]);
    assert_int_equal(s.code.data[5].imm, 3); /* over EVENT, PUT and PUT_STR, onto END */
    assert_int_equal(s.nregisters, 2);
    assert_string_equal(s.registers[1], "a1");
    probe_set_free(&s);
}

static void expect_error(struct probe_set *s, const char *part)
{
    struct oscope_error *err = probe_set_finish(s);

    assert_non_null(err);
    assert_non_null(strstr(err->message, part));
    oscope_error_free(err);
    probe_set_free(s);
    probe_set_init(s);
}

static void mistakes_are_told_once(void **state)
{
    struct probe_set s;

    (void)state;
    probe_set_init(&s);
    probe_imm(&s, 1);
    probe_imm(&s, 1);
    expect_error(&s, "outside of a probe");
    probe_exec(&s, "open", 1);
    expect_error(&s, "probe open: its program has no end");
    probe_exec(&s, "slots", 1);
    for (unsigned i = 0; i <= WIRE_SLOTS; i++)
        probe_imm(&s, i);
    probe_end(&s);
    expect_error(&s, "probe slots: its program needs more than");
    probe_exec(&s, "long", 1);
    unsigned v = probe_imm(&s, 1);
    for (unsigned i = 0; i < WIRE_PROGRAM; i++)
        probe_alu(&s, WIRE_OP_ADD, v, v);
    probe_end(&s);
    expect_error(&s, "probe long: its program is too long");
    probe_exec(&s, "big", 1);
    probe_event(&s, 1);
    probe_put_mem(&s, probe_imm(&s, 0), WIRE_RECORD);
    probe_end(&s);
    expect_error(&s, "probe big: its event exceeds");
    probe_exec(&s, "alu", 1);
    probe_alu(&s, WIRE_OP_LOAD, 0, 0);
    probe_end(&s);
    expect_error(&s, "not arithmetic");
    for (unsigned i = 0; i <= WIRE_PROBES; i++) {
        probe_exec(&s, "many", i);
        probe_end(&s);
    }
    expect_error(&s, "more than 1024 probes");
}

static void same_probes_are_one(void **state)
{
    struct probe_set a, b, all;

    (void)state;
    probe_set_init(&a);
    probe_set_init(&b);
    probe_set_init(&all);
    one(&a, "x", 0x1000, "a0");
    probe_direct(&a, 0x8000, 0x1000, 0x77);
    one(&b, "y", 0x2000, "a2"); /* its registers have other numbers than in a */
    one(&b, "x", 0x1000, "a0");
    one(&b, "x", 0x1000, "a2"); /* another program */
    probe_direct(&b, 0x8000, 0x1000, 0x77);
    assert_null(probe_set_finish(&a));
    assert_null(probe_set_finish(&b));
    assert_null(probe_set_add(&all, &a));
    assert_null(probe_set_add(&all, &b));
    assert_int_equal(all.probes.len, 3);
    assert_int_equal(all.direct.len, 1);
    assert_int_equal(all.nregisters, 3);
    const struct wire_probe *y = &all.probes.data[1];
    assert_string_equal(all.names.data[1].text, "y");
    assert_string_equal(all.registers[all.code.data[y->first].imm], "a2");
    assert_string_equal(all.registers[all.code.data[y->first + 1].imm], "a1");
    probe_set_free(&a);
    probe_set_free(&b);
    probe_set_free(&all);
}

static void probes_that_stay_keep_their_slots(void **state)
{
    struct probe_set before, after;

    (void)state;
    probe_set_init(&before);
    probe_set_init(&after);
    one(&before, "x", 1, "a0");
    one(&before, "y", 2, "a0");
    one(&before, "z", 3, "a0");
    probe_set_slots(&before, NULL);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(before.probes.data[i].slot, i);
    one(&after, "new", 4, "a0");
    one(&after, "z", 3, "a0");
    one(&after, "x", 1, "a0");
    probe_set_slots(&after, &before);
    assert_int_equal(after.probes.data[0].slot, 3);
    assert_int_equal(after.probes.data[1].slot, 2);
    assert_int_equal(after.probes.data[2].slot, 0);

    /* all slots were taken: those of probes that went are free again */
    for (size_t i = 0; i < 3; i++)
        before.probes.data[i].slot += WIRE_PROBES - 3;
    while (before.probes.len < WIRE_PROBES) {
        probe_exec(&before, "filler", before.probes.len);
        probe_end(&before);
        before.probes.data[before.probes.len - 1].slot = (uint32_t)before.probes.len - 4;
    }
    probe_set_slots(&after, &before);
    assert_int_equal(after.probes.data[0].slot, 0);
    assert_int_equal(after.probes.data[1].slot, WIRE_PROBES - 1);
    probe_set_free(&before);
    probe_set_free(&after);
}

static void the_largest_share_counts(void **state)
{
    struct probe_set users[3], all;
    static const unsigned shares[] = {10000, 500000, 0};
    struct wire_set *w = calloc(1, sizeof *w);

    (void)state;
    probe_set_init(&all);
    for (size_t i = 0; i < 3; i++) {
        probe_set_init(&users[i]);
        probe_heat(&users[i], shares[i]);
        assert_true(probe_ram(&users[i], 0x80000000, 0x1000, 0x7000));
        assert_null(probe_set_add(&all, &users[i]));
        probe_set_free(&users[i]);
    }
    assert_int_equal(all.heat, 500000);
    assert_int_equal(all.ram.len, 1);
    probe_set_write(&all, w);
    assert_int_equal(w->heat, WIRE_HEAT_PAUSED);
    assert_int_equal(w->nram, 1);
    all.heat_on = true;
    probe_set_write(&all, w);
    assert_int_equal(w->heat, WIRE_HEAT_ON);
    all.heat = 0;
    probe_set_write(&all, w);
    assert_int_equal(w->heat, WIRE_HEAT_OFF);
    for (uint64_t i = 1; i < WIRE_RAM; i++)
        assert_true(probe_ram(&all, i << 12, 0x1000, 0x7000));
    assert_false(probe_ram(&all, 0, 0x1000, 0x7000));
    probe_set_free(&all);
    free(w);
}

static void json_and_back(void **state)
{
    struct probe_set a, b;

    (void)state;
    probe_set_init(&a);
    one(&a, "x", 0xffffffff80001000, "a0");
    probe_opcode(&a, "csr", 0xfff0707f, 0x14101073);
    probe_end(&a);
    probe_memory(&a, "written", 0xffffffff81000000, UINT64_MAX >> 32, WIRE_ACCESS_WRITE);
    probe_value(&a, WIRE_VALUE_DATA);
    probe_end(&a);
    probe_block(&a, "block", 0, UINT64_MAX);
    probe_end(&a);
    probe_direct(&a, 0xffffffd800000000, 0x20000000, 0x7f0012345000);
    probe_heat(&a, 12345);
    assert_true(probe_ram(&a, 0x80000000, 0x20000000, 0x7f0012345000));
    assert_null(probe_set_finish(&a));
    json_t *j = probes_to_json(&a);
    assert_null(probes_from_json(j, &b));
    assert_int_equal(b.probes.len, 4);
    assert_memory_equal(a.probes.data, b.probes.data, 4 * sizeof *a.probes.data);
    /* of slots, only those of a live engine matter: the broker gives them */
    assert_int_equal(a.code.len, b.code.len);
    assert_memory_equal(a.code.data, b.code.data, a.code.len * sizeof *a.code.data);
    assert_memory_equal(a.registers, b.registers, sizeof a.registers);
    assert_memory_equal(a.direct.data, b.direct.data, sizeof *a.direct.data);
    assert_string_equal(b.names.data[1].text, "csr");
    assert_int_equal(b.heat, 12345);
    assert_int_equal(b.ram.len, 1);
    assert_memory_equal(a.ram.data, b.ram.data, sizeof *a.ram.data);
    json_decref(j);
    probe_set_free(&a);
    probe_set_free(&b);
}

/* Of the disabled probes those are told that are wanted; the broker's answer may be anything. */
static void disabled_ones_are_noted(void **state)
{
    AUTO(os_list_free) struct os_list notes;
    struct probe_set s;
    json_t *names = json_pack("[s,s,i,s]", "y", "x", 5, "x");

    os_list_init(&notes, 1);
    probe_set_init(&s);
    one(&s, "x", 0xffffffff80001000, "a0");
    probes_note_disabled(NULL, &s, &notes);
    assert_int_equal(notes.notes.n, 0);
    probes_note_disabled(names, &s, &notes);
    assert_int_equal(notes.notes.n, 1);
    assert_string_equal(notes.notes.data[0], "x is disabled: oscope probe enable x");
    json_decref(names);
    probe_set_free(&s);
}

static void bad_json(void **state)
{
    static const char *const texts[] = {
        "{}",
        "{\"probes\":[{}]}",
        "{\"probes\":[{\"name\":\"x\",\"site\":9,\"address\":\"0\",\"mask\":\"0\",\"value\":\"0\","
        "\"code\":\"00000000000000000000000000000000\"}]}",
        "{\"probes\":[{\"name\":\"x\",\"site\":0,\"address\":\"0\",\"mask\":\"0\",\"value\":\"0\","
        "\"code\":\"000000\"}]}",
        "{\"probes\":[{\"name\":\"x\",\"site\":0,\"address\":\"0\",\"mask\":\"0\",\"value\":\"0\","
        "\"code\":\"0000000000000000000000000000zz00\"}]}",
        /* WIRE_OP_REG of a register without a name */
        "{\"probes\":[{\"name\":\"x\",\"site\":0,\"address\":\"0\",\"mask\":\"0\",\"value\":\"0\","
        "\"code\":\"02000000000000000000000000000000\"}]}",
        "{\"registers\":[\"a-name-that-is-far-too-long-for-one\"],\"probes\":[]}",
        "{\"direct\":[[\"1\",\"2\"]],\"probes\":[]}",
        "{\"direct\":[[\"1\",\"2\",\"-3\"]],\"probes\":[]}",
        "{\"ram\":[[\"1\",\"2\"]],\"probes\":[]}",
        "{\"heat\":-1,\"probes\":[]}",
        "{\"heat\":1000001,\"probes\":[]}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct probe_set s;
        json_t *j = json_loads(texts[i], 0, NULL);
        assert_non_null(j);
        struct oscope_error *err = probes_from_json(j, &s);
        assert_non_null(err);
        assert_int_equal(err->code, OSCOPE_E_BAD_DATA);
        oscope_error_free(err);
        probe_set_free(&s);
        json_decref(j);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(program),
        cmocka_unit_test(disabled_ones_are_noted),
        cmocka_unit_test(mistakes_are_told_once),
        cmocka_unit_test(same_probes_are_one),
        cmocka_unit_test(probes_that_stay_keep_their_slots),
        cmocka_unit_test(the_largest_share_counts),
        cmocka_unit_test(json_and_back),
        cmocka_unit_test(bad_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
