/* SPDX-License-Identifier: MIT */
/*
 * Expressions of profiles as programs of probes: the program, verified and run by the engine's
 * interpreter, must yield what the expression does. And what is wrong with a profile's lines about
 * events is said with file, line and key.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "arch/arch.h"
#include "base/util.h"
#include "capture/tcg/interp.h"
#include "capture/tcg/vars.h"
#include "os/profile/callevents.h"
#include "os/profile/probes.h"
#include "probe/verify.h"

#include <stdio.h>
#include <stdlib.h>

enum { MEMORY = 0x10000, MEMORY_BYTES = 4096, TASK = MEMORY + 64 };

static uint8_t memory[MEMORY_BYTES]; /* guest memory at MEMORY; what is beyond can't be read */

static bool fake_register(void *arg, unsigned number, uint64_t *value)
{
    *value = MEMORY + 256 + number * 8u;
    return true;
}

static bool fake_memory(void *arg, uint64_t va, void *out, size_t n)
{
    if (va < MEMORY || n > MEMORY_BYTES || va - MEMORY > MEMORY_BYTES - n)
        return false;
    memcpy(out, memory + (va - MEMORY), n);
    return true;
}

/* What the program of an expression puts into an event; *fault: the event is marked. */
static uint64_t run(const struct access *a, bool *fault)
{
    static struct wire_set wire;
    uint8_t record[WIRE_RECORD];
    struct probe_set s;
    struct wire_event head;

    probe_set_init(&s);
    probe_exec(&s, "test", 0x4000);
    unsigned task = probe_imm(&s, TASK), before = probe_mark(&s);
    unsigned slot = emit_access(&s, a, task);
    assert_int_equal(slot, before);
    assert_int_equal(probe_mark(&s), before + 1); /* all others are free again */
    probe_event(&s, 7);
    probe_put(&s, slot, 8);
    probe_put(&s, task, 8);
    probe_end(&s);
    assert_null(probe_set_finish(&s));
    memset(&wire, 0, sizeof wire);
    probe_set_write(&s, &wire);
    assert_null(verify_set(&wire));
    struct machine m = {.pc = 0x4000, .vcpu = 3, .reg = fake_register, .memory = fake_memory};
    assert_int_equal(interp_run(wire.code, &m, record), sizeof head + 16);
    memcpy(&head, record, sizeof head);
    *fault = head.flags & WIRE_EVENT_FAULT;
    assert_int_equal(load64(record + sizeof head + 8), TASK); /* nobody else's slot was touched */
    probe_set_free(&s);
    return load64(record + sizeof head);
}

#define CODE(...)                                                                                  \
    (&(struct access){.code = {__VA_ARGS__},                                                       \
                      .n = sizeof((struct access_insn[]){__VA_ARGS__}) /                           \
                           sizeof(struct access_insn),                                             \
                      .registers = {"a0", "a1", "a2", "a3"},                                       \
                      .nregisters = 4})
#define DO(o, i)        ((struct access_insn){.op = ACCESS_##o, .imm = (uint64_t)(i)})
#define LOAD(n, sgn, i) ((struct access_insn){ACCESS_LOAD, n, sgn, (uint64_t)(i)})
#define BITS(n, sgn, i) ((struct access_insn){ACCESS_BITS, n, sgn, (uint64_t)(i)})

static void yields(const struct access *a, uint64_t value)
{
    bool fault;

    assert_int_equal(run(a, &fault), value);
    assert_false(fault);
}

static void members_and_pointers(void **state)
{
    uint64_t other = MEMORY + 512, null = 0, small = 8, wild = 0x500000;

    memcpy(memory + 64 + 16, &other, 8);
    memcpy(memory + 64 + 24, &null, 8);
    memcpy(memory + 64 + 32, &small, 8);
    memcpy(memory + 64 + 40, &wild, 8);
    memcpy(memory + 512 + 8, "\xfe\xff\xff\xff\x81\x7f", 6);
    yields(CODE(DO(TASK, 0)), TASK);
    yields(CODE(DO(CPU, 0)), 3);
    /* by the number that the set gives a register */
    yields(CODE(DO(REG, 1)), MEMORY + 256);
    yields(CODE(DO(REG, 1), DO(REG, 3), DO(SUB, 0)), (uint64_t)-8);
    yields(CODE(DO(IMM, 0x123456789abcdef0)), 0x123456789abcdef0);
    yields(CODE(DO(TASK, 0), LOAD(8, false, 16)), other);
    yields(CODE(DO(TASK, 0), LOAD(8, false, 16), LOAD(4, true, 8)), (uint64_t)-2);
    yields(CODE(DO(TASK, 0), LOAD(8, false, 16), LOAD(4, false, 8)), 0xfffffffe);
    yields(CODE(DO(TASK, 0), LOAD(8, false, 16), LOAD(1, true, 12)), (uint64_t)-127);
    yields(CODE(DO(TASK, 0), LOAD(8, false, 16), LOAD(2, false, 12)), 0x7f81);
    /* null pointers, and members of what they point to: 0, and nothing is wrong */
    yields(CODE(DO(TASK, 0), LOAD(8, false, 24), LOAD(4, true, 8)), 0);
    yields(CODE(DO(TASK, 0), LOAD(8, false, 32), LOAD(4, true, 8), DO(ADDI, 5)), 0);
    yields(CODE(DO(IMM, 0), LOAD(8, false, 0)), 0);
    /* what can't be read marks the event */
    bool fault;
    assert_int_equal(run(CODE(DO(TASK, 0), LOAD(8, false, 40), LOAD(4, true, 8)), &fault), 0);
    assert_true(fault);
}

static void arrays(void **state)
{
    uint64_t value = 77;

    memcpy(memory + 1024 + 3 * 40 + 8, &value, 8);
    yields(CODE(DO(IMM, MEMORY + 1024), DO(CPU, 0), DO(BOUND, 4), DO(SCALE, 40), DO(ADD, 0),
                LOAD(8, false, 8)),
           77);
    yields(CODE(DO(IMM, MEMORY + 1024), DO(CPU, 0), DO(BOUND, 3), DO(SCALE, 40), DO(ADD, 0),
                LOAD(8, false, 8)),
           0);
    yields(CODE(DO(IMM, MEMORY + 1024), DO(IMM, UINT64_MAX), DO(BOUND, 3), DO(ADD, 0)), 0);
    /* a bound inside of an expression that is already some slots deep */
    yields(CODE(DO(IMM, 1), DO(IMM, 2), DO(CPU, 0), DO(BOUND, 2), DO(ADD, 0), DO(ADD, 0)), 0);
}

static void bits_and_sums(void **state)
{
    yields(CODE(DO(IMM, 0xabcd), BITS(4, false, 4)), 0xc);
    yields(CODE(DO(IMM, 0xabcd), BITS(4, true, 4)), (uint64_t)-4);
    yields(CODE(DO(IMM, 0x7fff), BITS(16, true, 0)), 0x7fff);
    yields(CODE(DO(IMM, 0x8000), BITS(16, true, 0)), (uint64_t)-0x8000);
    yields(CODE(DO(IMM, UINT64_MAX), BITS(64, false, 0)), UINT64_MAX);
    yields(CODE(DO(IMM, 1), DO(IMM, 63), DO(SHL, 0)), UINT64_C(1) << 63);
    yields(CODE(DO(IMM, 5), DO(IMM, 7), DO(SUB, 0), DO(ADDI, 1)), (uint64_t)-1);
}

/* Whatever the expression, without memory: the state plane and the program agree. */
static void the_same_as_elsewhere(void **state)
{
    enum { ROUNDS = 3000 };
    const struct access_env env = {.task = TASK, .cpu = 3};

    srand(1);
    for (int round = 0; round < ROUNDS; round++) {
        struct access a = {.n = 0};
        unsigned depth = 0;
        while (a.n < 14 || depth != 1) {
            struct access_insn i = {.imm = (uint64_t)rand() << (rand() % 40)};
            static const uint8_t one[] = {ACCESS_ADDI, ACCESS_SCALE, ACCESS_BITS, ACCESS_BOUND};
            unsigned kind = a.n >= 14 ? 2 : (unsigned)rand() % 3;
            if (!depth || (kind == 0 && depth < 5)) {
                i.op =
                    (uint8_t)((const uint8_t[]){ACCESS_IMM, ACCESS_TASK, ACCESS_CPU}[rand() % 3]);
                depth++;
            } else if (kind == 2 && depth > 1) {
                i.op = (uint8_t)(ACCESS_ADD + rand() % 4);
                depth--;
            } else {
                i.op = one[(unsigned)rand() % ARRAY_SIZE(one)];
                i.size = (uint8_t)(1 + rand() % 64);
                i.is_signed = rand() % 2;
                if (i.op == ACCESS_BITS)
                    i.imm %= 64;
                if (i.op == ACCESS_BOUND)
                    i.imm |= 1;
            }
            a.code[a.n++] = i;
            assert_true(a.n < ACCESS_CODE_MAX);
        }
        uint64_t expected;
        access_eval(&a, &env, &expected);
        yields(&a, expected);
    }
}

/* ---- profiles that are wrong ---- */

static struct profile_model pm;

static void refused(const char *text, const char *what)
{
    pm = (struct profile_model){.base.arch = arch_find("riscv64"), .base.symtab = symtab_new()};
    pm.no_dwarf = error_new(OSCOPE_E_NOT_FOUND, "no DWARF");
    assert_null(profile_text_parse("p", text, strlen(text), &pm.text));
    struct oscope_error *err = profile_calls(&pm);
    assert_non_null(err);
    assert_string_equal(err->message, what);
    oscope_error_free(err);
    oscope_error_free(pm.no_dwarf);
    profile_text_free(&pm.text);
    vec_free(&pm.calls);
    symtab_free(pm.base.symtab);
}

static void wrong_calls(void **state)
{
    refused("[syscalls]\n1 = fork()\n65536 = x\n",
            "p:3: 65536: system calls have numbers from 0 to 65535, not 65536");
    refused("[syscalls]\n-1 = x\n", "p:2: -1: system calls have numbers from 0 to 65535, not -1");
    refused("[syscalls]\nSYS_x = x\n",
            "p:2: SYS_x: no number, and no enumerator or macro of that name");
    refused("[syscalls]\n1 = a b\n", "p:2: 1: 'NAME(ARGUMENT:KIND …)' is expected");
    refused("[syscalls]\n1 = f(x:q)\n", "p:2: 1: 'x:q': the kind of an argument is i, u, s or d");
    refused("[syscalls]\n1 = f(a b c d e f g)\n", "p:2: 1: more than 6 arguments");
    refused("[syscalls]\n1 = f(a, a)\n", "p:2: 1: two arguments are called 'a'");
    refused("[syscalls]\n1 = f(tid)\n",
            "p:2: 1: 'tid' is the caller's thread id: name it otherwise");
    refused("[syscalls]\n1 = f(a\n", "p:2: 1: 'f(a' must end with its only ')'");
    refused("[syscalls]\n1 = f\n2 = f\n", "p:3: 2: call 1 has the name 'f', too");
    refused("[irqs]\n1 = a\nx = b\n", "p:3: x: no number of an interrupt");
    refused("[irqs]\n1=a\n2=a\n3=a\n4=a\n5=a\n6=a\n7=a\n8=a\n9=a\n",
            "p:10: 9: more than 8 interrupts with names");
    refused("[syscall]\nnames = t\n", "p:2: names: no DWARF");
}

static void good_calls(void **state)
{
    static const char text[] =
        "[syscalls]\n7 = exec(path:s argv)\n9 = x\n7 = run()\n0x10 = w(b:d n:i)\n";
    struct profile_text t;

    pm = (struct profile_model){.base.arch = arch_find("riscv64")};
    struct oscope_error *err = profile_text_parse("p", text, strlen(text), &t);
    assert_string_equal(err->message, "p:4: '7' of [syscalls] stands in line 2 already");
    oscope_error_free(err);
    static const char good[] = "[syscalls]\n7 = exec(path:s argv)\n9 = x\n0x10 = w(b:d, n:i)\n";
    assert_null(profile_text_parse("p", good, strlen(good), &pm.text));
    assert_null(profile_calls(&pm));
    assert_int_equal(pm.calls.len, 3);
    const struct profile_call *c = pm.calls.data;
    assert_string_equal(c[0].name, "exec");
    assert_int_equal(c[0].args.n, 2);
    assert_int_equal(c[0].args.args[0].kind, ARCH_ARG_TEXT);
    assert_int_equal(c[0].args.args[1].kind, ARCH_ARG_HEX);
    assert_int_equal(c[1].args.n, ARCH_SYSCALL_ARGS);
    assert_int_equal(c[2].number, 16);
    assert_int_equal(c[2].args.args[0].kind, ARCH_ARG_DATA);
    profile_text_free(&pm.text);
    vec_free(&pm.calls);
}

/* ---- numbers of calls ---- */

static void no_id(void *arg, struct probe_set *s, unsigned task)
{
    probe_put(s, task, 4);
}

static void no_argument(void *arg, struct probe_set *s, unsigned into, unsigned i)
{
    probe_imm_into(s, into, 0);
}

/* The event of a call of that number: its type, and the number that it tells of an unknown one. */
static unsigned call(const struct call_tables *t, uint64_t number, uint64_t *told)
{
    static struct wire_set wire;
    uint8_t record[WIRE_RECORD];
    struct probe_set s;
    struct call c;
    struct wire_event head;

    probe_set_init(&s);
    probe_exec(&s, "test", 0x4000);
    call_constants(&s, &c);
    c.raw = probe_imm(&s, number);
    c.task = probe_imm(&s, TASK);
    call_put(&s, &c, t, 0, &(struct call_source){no_id, no_argument, NULL});
    probe_end(&s);
    assert_null(probe_set_finish(&s));
    memset(&wire, 0, sizeof wire);
    probe_set_write(&s, &wire);
    assert_null(verify_set(&wire));
    struct vars *vars[WIRE_VARS] = {vars_new()};
    struct machine m = {.pc = 0x4000,
                        .reg = fake_register,
                        .memory = fake_memory,
                        .tables = wire.tables,
                        .vars = vars};
    assert_true(interp_run(wire.code, &m, record) > 0);
    memcpy(&head, record, sizeof head);
    *told = load64(record + sizeof head + 4);
    probe_set_free(&s);
    free(vars[0]);
    return head.id - CALL_ENTRY_FIRST;
}

static void high_numbers(void **state)
{
    static const unsigned named[] = {64, 1000, 1002, 1022, 2000, 65535};
    static const uint64_t others[] = {63,   490,  508,   509,   510,        511,       999,
                                      1001, 1023, 65534, 65536, UINT32_MAX, UINT64_MAX};
    struct arch_syscall_args args = {0};
    struct call_map map;
    struct call_tables t;
    uint64_t told;

    assert_true(call_map_make(named, ARRAY_SIZE(named), &map));
    call_tables_init(&t, &map);
    for (size_t i = 0; i < ARRAY_SIZE(named); i++)
        call_tables_set(&t, call_map_place(&map, named[i]), &args);
    for (size_t i = 0; i < ARRAY_SIZE(named); i++)
        assert_int_equal(call(&t, named[i], &told), call_map_place(&map, named[i]));
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        assert_int_equal(call(&t, others[i], &told), CALL_UNKNOWN);
        assert_true(told == others[i]);
    }
}

/* Without types there are still registers, numbers and symbols. */
static void expression(const char *text, const char *what)
{
    struct symtab *st = symtab_new();
    const struct access_scope scope = {
        .symtab = st, .arch = arch_find("riscv64"), .cpu = true, .registers = true};
    struct access a;

    struct oscope_error *err = access_compile(&scope, text, ACCESS_NUMBER, &a);
    if (what) {
        assert_non_null(err);
        assert_string_equal(err->message, what);
    } else {
        assert_null(err);
    }
    oscope_error_free(err);
    symtab_free(st);
}

static void wrong_expressions(void **state)
{
    char text[400] = "";

    expression("$a0 + cpu", NULL);
    expression("$zero + $scause", NULL);
    expression("$nosuch", "riscv64 has no register $nosuch that can be read");
    expression("$rax", "riscv64 has no register $rax that can be read");
    expression("$a0 + $a1 + $a2 + $a3 + $a4", "too many registers, or too long a name: $a4");
    expression("nosuch", "the kernel has no symbol 'nosuch'");
    for (int i = 0; i < 30; i++)
        strcat(text, i ? " + $a0" : "$a0");
    expression(text, "the expression is too long");
    strcpy(text, "");
    for (int i = 0; i < 12; i++)
        strcat(text, "$a0 - (");
    strcat(text, "$a0");
    for (int i = 0; i < 12; i++)
        strcat(text, ")");
    expression(text, "the expression is too long"); /* too deep, that is */
}

static void cost(void **state)
{
    struct access a = {.n = 1, .code = {DO(IMM, 5)}};

    assert_int_equal(emit_cost(&a), 1);
    while (a.n < ACCESS_CODE_MAX)
        a.code[a.n++] = BITS(3, true, 4); /* 8 instructions each */
    assert_int_equal(emit_cost(&a), 1 + 8 * (ACCESS_CODE_MAX - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_and_pointers),
        cmocka_unit_test(arrays),
        cmocka_unit_test(bits_and_sums),
        cmocka_unit_test(the_same_as_elsewhere),
        cmocka_unit_test(wrong_calls),
        cmocka_unit_test(good_calls),
        cmocka_unit_test(high_numbers),
        cmocka_unit_test(wrong_expressions),
        cmocka_unit_test(cost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
