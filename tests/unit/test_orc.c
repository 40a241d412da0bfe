/* SPDX-License-Identifier: MIT */
/* os/linux/orc.c and the x86_64 side of stack.c, in each form that ORC entries have had. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_stack.h"

/* Entries as a test writes them, without version. */
enum reg { UNDEF, PREV_SP, DX, DI, BP, SP, R10, R13, BP_IND, SP_IND, AX };
enum kind { NONE, END, CALL, REGS, PARTIAL };

struct entry {
    uint64_t at;
    enum kind kind;
    enum reg sp_reg;
    int sp_offset;
    enum reg bp_reg;
    int bp_offset;
};

/* How a kernel encodes them. */
struct form {
    const char *name;
    bool has_end, has_signal, renumbered;
};

static const struct form forms[] = {
    {"5.10, 6.1", true, false, false},
    {"6.3", true, true, false},
    {"6.4 to 7.0", false, true, false},
    {"7.2", false, true, true},
};

static void put_entry(struct fake_linux *f, const struct form *form, uint64_t ips, uint64_t table,
                      size_t i, const struct entry *e)
{
    static const unsigned new_number[] = {
        [UNDEF] = 0, [PREV_SP] = 8, [DX] = 2,      [DI] = 5,     [BP] = 4, [SP] = 3,
        [R10] = 6,   [R13] = 7,     [BP_IND] = 10, [SP_IND] = 9, [AX] = 1};
    unsigned sp = form->renumbered ? new_number[e->sp_reg] : e->sp_reg;
    unsigned bp = form->renumbered ? new_number[e->bp_reg] : e->bp_reg;
    unsigned signal = e->kind == REGS || e->kind == PARTIAL, flags = sp | bp << 4;

    if (!form->has_end)
        flags |= (unsigned)e->kind << 8 | signal << 11;
    else if (form->has_signal)
        flags |= (e->kind >= CALL ? e->kind - CALL : 0u) << 8 | signal << 10 |
                 (unsigned)(e->kind == END) << 11;
    else
        flags |= (e->kind >= CALL ? e->kind - CALL : 0u) << 8 | (unsigned)(e->kind == END) << 10;
    fake_put_n(f, ips + 4 * i, e->at - (ips + 4 * i), 4);
    fake_put_n(f, table + 6 * i, (uint64_t)e->sp_offset, 2);
    fake_put_n(f, table + 6 * i + 2, (uint64_t)e->bp_offset, 2);
    fake_put_n(f, table + 6 * i + 4, flags, 2);
}

static void set_form(struct layout *l, const struct form *form)
{
    l->orc_type = fake_bits(4, 4, 8, form->has_end ? 2 : 3);
    l->orc_end = (struct layout_field){0};
    l->orc_signal = (struct layout_field){0};
    if (form->has_signal)
        l->orc_signal = fake_bits(4, 4, form->has_end ? 10 : 11, 1);
    if (form->has_end)
        l->orc_end = fake_bits(4, 4, form->has_signal ? 11 : 10, 1);
}

/*
 * f0 f1: nothing but the return address on the stack. f2: 0x20 bytes of locals. f3: rbp frame.
 * f4: pt_regs at sp. f5: iret frame at sp. f6: first instruction of an idle task. f7: unknown.
 * f8: runs on another stack, whose first word is the old sp. f9: sp in r10. f10: bad offset.
 */
static const struct entry entries[] = {
    {F(0), CALL, SP, 8, UNDEF, 0},
    {F(2), CALL, SP, 0x28, UNDEF, 0},
    {F(3), CALL, BP, 16, PREV_SP, -16},
    {F(4), REGS, SP, 0, UNDEF, 0},
    {F(5), PARTIAL, SP, 0, UNDEF, 0},
    {F(6), END, UNDEF, 0, UNDEF, 0},
    {F(7), NONE, UNDEF, 0, UNDEF, 0},
    {F(8), CALL, SP_IND, 8, UNDEF, 0},
    {F(9), CALL, R10, 0, UNDEF, 0},
    {F(10), CALL, SP, -8, UNDEF, 0},
    {F(11), CALL, BP_IND, -8, UNDEF, 0},
    {F(12), CALL, SP, 8, UNDEF, 0},
    {F(12) + 0x80, CALL, SP, 0x48, UNDEF, 0},
    {F(13), CALL, SP, 8, UNDEF, 0},
    {F(14), CALL, SP, 8, UNDEF, 0},
    {F(15), CALL, SP, 8, UNDEF, 0},
};

static void open_form(struct fake_linux *f, const struct form *form)
{
    fake_stack_open(f, "x86_64");
    set_form(&f->lm.layout, form);
    for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
        put_entry(f, form, ORC_IP, ORC, i, &entries[i]);
    fake_symbol(f, "__start_orc_unwind_ip", ORC_IP);
    fake_symbol(f, "__stop_orc_unwind_ip", ORC_IP + 4 * ARRAY_SIZE(entries));
    fake_symbol(f, "__start_orc_unwind", ORC);
    fake_symbol(f, "__stop_orc_unwind", ORC + 6 * ARRAY_SIZE(entries));
    fake_symbol(f, "modules", MODULE + 0x100);
    fake_put(f, MODULE + 0x100, MODULE + 8);
    fake_put(f, MODULE + 8, MODULE + 0x100);
}

struct fixture {
    const struct form *form;
    struct fake_linux f;
    struct os_list list;
};

static int setup(void **state)
{
    struct fixture *x = calloc(1, sizeof *x);

    x->form = *state;
    open_form(&x->f, x->form);
    *state = x;
    return fake_ready(&x->f) ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *x = *state;

    os_list_free(&x->list);
    fake_close(&x->f);
    free(x);
    return 0;
}

static const struct oscope_frame *row(const struct fixture *x, size_t i)
{
    assert_true(i < x->list.n);
    return (const struct oscope_frame *)x->list.rows + i;
}

static void unwind(struct fixture *x, const struct target_vcpu *v)
{
    struct oscope_task task = fake_stack_task();

    os_list_free(&x->list);
    os_list_init(&x->list, sizeof(struct oscope_frame));
    struct oscope_error *err = linux_stack(&x->f.lm.base, &task, v, &x->list);
    if (err)
        print_error("%s\n", err->message);
    assert_null(err);
}

/* The frames' symbols, '?' before guesses, separated by spaces. */
static void expect(const struct fixture *x, const char *want)
{
    char got[1024] = "";

    for (size_t i = 0; i < x->list.n; i++) {
        size_t n = strlen(got);
        snprintf(got + n, sizeof got - n, "%s%s%s", i ? " " : "", row(x, i)->guess ? "?" : "",
                 row(x, i)->symbol);
        assert_int_equal(row(x, i)->frame, i);
        assert_int_equal(row(x, i)->pid, 7);
    }
    if (strcmp(got, want) != 0 && x->list.notes.n)
        print_error("%s: %s\n", x->form->name, x->list.notes.data[0]);
    assert_string_equal(got, want);
}

/* A call that is the last instruction of f1 returns to the start of f2: it belongs to f1. */
static void test_calls_down_to_the_user(void **state)
{
    struct fixture *x = *state;
    struct fake_linux *f = &x->f;

    uint64_t sp = TOP - 0x400;
    fake_x86_sleeps(f, sp, F(2) + 0x10, 0x1234);
    sp += 56 + 0x20;
    fake_put(f, sp, F(2));
    fake_put(f, sp + 8, F(3) + 7); /* f3's frame is where rbp points */
    uint64_t bp = sp + 0x40;
    fake_put(f, TOP - 0x400 + 40, bp);
    fake_put(f, bp, 0x77);
    fake_put(f, bp + 8, F(4) + 3);
    fake_put(f, bp + 16 + X86_IP, 0x401000);
    fake_put(f, bp + 16 + X86_CS, 0x33);
    unwind(x, NULL);
    expect(x, "f2+0x10 f1+0x100 f3+0x7 f4+0x3");
    assert_int_equal(x->list.notes.n, 0);
    assert_string_equal(row(x, 0)->method, "pc");
    assert_string_equal(row(x, 1)->method, "orc");
    assert_string_equal(row(x, 1)->task_state, "sleeping");
    assert_int_equal(row(x, 3)->sp, bp + 16);
}

/* Interrupted at the very first instruction of f3: the entry of f3 holds, not that of f2. */
static void test_through_an_interrupt(void **state)
{
    struct fixture *x = *state;
    struct fake_linux *f = &x->f;

    uint64_t sp = TOP - 0x800, regs = sp + 56, at = TOP - 0x200, bp = TOP - 0x100;
    fake_x86_sleeps(f, sp, F(4) + 3, 0x99);
    fake_put(f, regs + X86_IP, F(3));
    fake_put(f, regs + X86_CS, 0x10);
    fake_put(f, regs + X86_SP, at);
    fake_put(f, regs + X86_BP, bp);
    fake_put(f, bp, 0);
    fake_put(f, bp + 8, F(6) + 1);
    unwind(x, NULL);
    expect(x, "f4+0x3 f3 f6+0x1");
    assert_int_equal(x->list.notes.n, 0);
}

/* An iret frame keeps rbp and, through the full registers before it, r10. */
static void test_partial_registers(void **state)
{
    struct fixture *x = *state;
    struct fake_linux *f = &x->f;

    uint64_t sp = TOP - 0x800, regs = sp + 56, iret = TOP - 0x400, r10 = TOP - 0x300;
    fake_x86_sleeps(f, sp, F(4) + 3, 0);
    fake_put(f, regs + X86_IP, F(5) + 2);
    fake_put(f, regs + X86_CS, 0x10);
    fake_put(f, regs + X86_SP, iret);
    fake_put(f, regs + X86_R10, r10);
    fake_put(f, iret, F(9) + 5);
    fake_put(f, iret + X86_CS - X86_IP, 0x10);
    fake_put(f, iret + X86_SP - X86_IP, iret + 0x40);
    fake_put(f, r10 - 8, F(6) + 1);
    unwind(x, NULL);
    expect(x, "f4+0x3 f5+0x2 f9+0x5 f6+0x1");
    assert_int_equal(x->list.notes.n, 0);
}

static void test_from_interrupt_stack(void **state)
{
    struct target_reg regs[] = {{"rip", F(8)}, {"rsp", IRQ + 0x800}, {"rbp", 5},
                                {"cs", 8},     {"rfl", 2},           {"cpl", 0}};
    struct target_vcpu v = {.index = 3, .regs = regs, .nregs = ARRAY_SIZE(regs)};

    struct fixture *x = *state;
    struct fake_linux *f = &x->f;

    fake_put(f, IRQ + 0x800, TOP - 0x200);
    fake_put(f, TOP - 0x200, F(6) + 4);
    unwind(x, &v);
    expect(x, "f8 f6+0x4");
    assert_string_equal(row(x, 0)->task_state, "running on vCPU 3");
}

static void test_module_has_its_own_table(void **state)
{
    static const struct entry in_module[] = {{MODTEXT, CALL, SP, 0x18, UNDEF, 0},
                                             {MODTEXT + 0x40, CALL, SP, 8, UNDEF, 0}};

    struct fixture *x = *state;
    struct fake_linux *f = &x->f;

    for (size_t i = 0; i < 2; i++)
        put_entry(f, x->form, MODORC, MODORC + 0x100, i, &in_module[i]);
    fake_put(f, MODULE + 32, MODTEXT);
    fake_put_n(f, MODULE + 40, 0x1000, 4);
    fake_put_n(f, MODULE + 48, 2, 4);
    fake_put(f, MODULE + 56, MODORC);
    fake_put(f, MODULE + 64, MODORC + 0x100);
    uint64_t sp = TOP - 0x400;
    fake_x86_sleeps(f, sp, F(0) + 2, 0);
    fake_put(f, sp + 56, MODTEXT + 0x10);
    fake_put(f, sp + 64 + 0x10, F(6) + 2);
    unwind(x, NULL);
    assert_int_equal(x->list.n, 3);
    assert_int_equal(row(x, 1)->address, MODTEXT + 0x10);
    assert_string_equal(row(x, 2)->symbol, "f6+0x2");
    assert_int_equal(x->list.notes.n, 0);
}

/* BPF programs and trampolines are outside of all tables but keep rbp. */
static void test_generated_code_by_frame_pointer(void **state)
{
    struct fixture *x = *state;
    struct fake_linux *f = &x->f;

    uint64_t sp = TOP - 0x400, bp = TOP - 0x300;
    fake_x86_sleeps(f, sp, F(0) + 2, bp);
    fake_put(f, sp + 56, MODTEXT + 0x10);
    fake_put(f, bp, 0);
    fake_put(f, bp + 8, F(6) + 2);
    /* an address that follows no call, or lies in no executable page, is data */
    unwind(x, NULL);
    assert_int_equal(x->list.n, 1);
    assert_int_equal(x->list.notes.n, 1);
    assert_non_null(strstr(x->list.notes.data[0], "not in kernel text"));
    memcpy(fake_at(f, MODTEXT + 0x10 - 5), "\xe8\1\2\3\4", 5);
    unwind(x, NULL);
    assert_int_equal(x->list.n, 1);

    f->lm.base.kernel.high.mode = NULL; /* no page tables to ask */
    unwind(x, NULL);
    assert_int_equal(x->list.n, 3);
    assert_true(row(x, 1)->guess);
    assert_true(row(x, 2)->guess);
    assert_string_equal(row(x, 2)->method, "fp");
    assert_string_equal(row(x, 2)->symbol, "f6+0x2");
}

/* Where ORC ends, only words behind a call instruction count. */
static void test_lost_then_scan(void **state)
{
    struct fixture *x = *state;
    struct fake_linux *f = &x->f;

    uint64_t sp = TOP - 0x100;
    fake_x86_sleeps(f, sp, F(7) + 2, 0);
    memcpy(fake_at(f, F(1) + 0x20 - 5), "\xe8\1\2\3\4", 5); /* call rel32 */
    memcpy(fake_at(f, F(2) + 0x20 - 2), "\xff\xd0", 2);     /* call *%rax */
    memcpy(fake_at(f, F(3) + 0x20 - 7), "\xff\x14\xc5", 3); /* call *disp32(,%rax,8) */
    memcpy(fake_at(f, F(5) + 0x20 - 2), "\xff\xe0", 2);     /* jmp *%rax */
    const uint64_t words[] = {F(1) + 0x20, F(5) + 0x20, 42, F(2) + 0x20, F(3) + 0x20, F(1)};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        fake_put(f, sp + 56 + 8 * i, words[i]);
    unwind(x, NULL);
    expect(x, "f7+0x2 ?f1+0x20 ?f2+0x20 ?f3+0x20");
    assert_int_equal(x->list.notes.n, 1);
    assert_string_equal(row(x, 1)->method, "scan");
}

static void test_hostile_tables_end(void **state)
{
    struct fixture *x = *state;
    struct fake_linux *f = &x->f;

    /* each frame leads back below itself */
    fake_x86_sleeps(f, TOP - 0x400, F(10) + 2, 0);
    fake_put(f, TOP - 0x400 + 56 - 16, F(10) + 2);
    unwind(x, NULL);
    assert_true(x->list.n < 4);
    assert_int_equal(x->list.notes.n, 1);

    /* 256 frames and no end */
    fake_x86_sleeps(f, STACK, F(0) + 2, 0);
    for (uint64_t at = STACK + 56; at < TOP; at += 8)
        fake_put(f, at, F(0) + 2);
    unwind(x, NULL);
    assert_int_equal(x->list.n, 257);

    /* a table as large as the address space */
    fake_put_n(f, MODULE + 48, UINT32_MAX, 4);
    fake_put(f, MODULE + 32, MODTEXT);
    fake_put_n(f, MODULE + 40, 0x1000, 4);
    fake_put(f, MODULE + 56, MODORC);
    fake_put(f, MODULE + 64, MODORC + 0x100);
    fake_put(f, MODULE + 8, MODULE + 8); /* and a list that never ends */
    fake_x86_sleeps(f, TOP - 0x400, MODTEXT + 8, 0x13);
    unwind(x, NULL);
    assert_int_equal(row(x, 0)->address, MODTEXT + 8);

    /* sp outside of the stack, and not a kernel address */
    fake_put(f, TASK + 24, FAKE_VA);
    fake_put(f, FAKE_VA + 48, F(0) + 2);
    unwind(x, NULL);
    assert_true(x->list.n >= 1);
}

int main(void)
{
#define ON(test, i)                                                                                \
    cmocka_unit_test_prestate_setup_teardown(test, setup, teardown, (void *)&forms[i])
#define ALL(test) ON(test, 0), ON(test, 1), ON(test, 2), ON(test, 3)
    const struct CMUnitTest tests[] = {
        ALL(test_calls_down_to_the_user),   ALL(test_through_an_interrupt),
        ALL(test_partial_registers),        ALL(test_from_interrupt_stack),
        ALL(test_module_has_its_own_table), ALL(test_generated_code_by_frame_pointer),
        ALL(test_lost_then_scan),           ALL(test_hostile_tables_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
