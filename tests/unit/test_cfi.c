/* SPDX-License-Identifier: MIT */
/*
 * os/linux/cfi.c: made-up stacks unwound by the CFI of ELF files that the assembler makes here and
 * now. Their functions f0, f1 … have no code, only rules, and lie where fake_stack.h says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_stack.h"
#include "os/linux/cfi.h"

static char dir[] = "/tmp/oscope-test-cfi-XXXXXX";

/* Rules of f0, f1 …; f20 and f21 have none at all, not even those that functions begin with: they
 * are assembly. Functions that are not mentioned keep 16 bytes. */
static const char *const x86_rules[FUNCTIONS] = {
    [12] = ".cfi_def_cfa_offset 32; .cfi_offset 6,-16; .cfi_offset 3,-24",
    [1] = ".cfi_def_cfa 3, 48",                                    /* by rbx */
    [2] = ".cfi_escape 0x0f,3,0x76,0x78,0x06; .cfi_offset 6, -24", /* CFA = *(rbp - 8) */
    [3] = ".cfi_undefined 16",                                     /* nothing called this */
    [4] = ".cfi_def_cfa_offset 16; .cfi_signal_frame",
    [5] = ".cfi_def_cfa_offset 16; .cfi_escape 0x16,3,2,0x38,0x1c", /* rbx = CFA - 8 */
    [6] = ".cfi_register 16, 3",                                    /* returns to rbx */
    [7] = ".cfi_escape 0x0f,1,0x06",                                /* deref of nothing */
    [8] = ".cfi_escape 0x0f,4,0x77,0,0x2f,0xfd,0xff",               /* jumps */
    [9] = ".cfi_escape 0x0f,3,0x77,0,0x06",                         /* CFA = *rsp */
};
static const char *const riscv_rules[FUNCTIONS] = {
    [12] = ".cfi_def_cfa_offset 32; .cfi_offset 1,-8; .cfi_offset 9,-16",
    [1] = ".cfi_def_cfa 9, 16; .cfi_offset 1, -8; .cfi_offset 8, -16", /* by s1 */
    [2] = ".cfi_def_cfa_offset 0",                                     /* a leaf */
};
static const char *const arm_rules[FUNCTIONS] = {
    [12] = ".cfi_def_cfa_offset 32; .cfi_offset 29,-32; .cfi_offset 30,-24; .cfi_offset 19,-16",
    [1] = ".cfi_def_cfa 19, 16; .cfi_offset 30, -8",
};

/* Writes NAME.s and assembles dir/NAME; false when there is no compiler for it. */
static bool build(const char *name, const char *cc, const char *section, const char *rest,
                  const char *const rules[FUNCTIONS])
{
    char cmd[1024];

    snprintf(cmd, sizeof cmd, "command -v %s >/dev/null 2>&1", cc);
    if (system(cmd))
        return false;
    snprintf(cmd, sizeof cmd, "%s/%s.s", dir, name);
    FILE *f = fopen(cmd, "w");
    assert_non_null(f);
    fprintf(f, ".cfi_sections %s\n.text\n.globl _text\n_text:\n", section);
    for (unsigned i = 0; i < FUNCTIONS; i++)
        if (i == 20 || i == 21)
            fprintf(f, ".skip 0x100\n");
        else
            fprintf(f, ".cfi_startproc\n%s\n.skip 0x100\n.cfi_endproc\n",
                    rules[i] ? rules[i] : rest);
    fprintf(f, "nop\n"); /* without any code there is no .debug_info */
    fclose(f);
    snprintf(cmd, sizeof cmd,
             "cd %s && %s -nostdlib -static -no-pie -Wl,-e,_text -Wl,-Ttext=0x410000 "
             "-g -Wl,--build-id %s.s -o %s 2>%s.log",
             dir, cc, name, name, name);
    if (system(cmd))
        fail_msg("'%s' failed: see %s/%s.log", cmd, dir, name);
    return true;
}

static bool have_x86, have_riscv, have_arm;

static int setup_files(void **state)
{
    static const char *const by_fp[FUNCTIONS] = {0};
    const char *x86 = "x86_64-linux-gnu-gcc", *rest = ".cfi_def_cfa_offset 16";

    if (!mkdtemp(dir))
        return -1;
    have_x86 = build("x86", x86, ".debug_frame", rest, x86_rules);
    if (have_x86) {
        build("x86-eh", x86, ".eh_frame", rest, x86_rules);
        build("x86-fp", x86, ".debug_frame", ".cfi_def_cfa 6, 16; .cfi_offset 6, -16", by_fp);
    }
    have_riscv = build("riscv", "riscv64-linux-gnu-gcc", ".debug_frame", rest, riscv_rules);
    have_arm = build("arm", "aarch64-linux-gnu-gcc", ".debug_frame", rest, arm_rules);
    return 0;
}

static int teardown_files(void **state)
{
    char cmd[256];

    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    return system(cmd);
}

/* Moves the debugging sections of dir/x86 from a copy of it into a file of their own. */
static bool split(void)
{
    char cmd[512];

    snprintf(cmd, sizeof cmd,
             "cd %s && objcopy --only-keep-debug x86 split.debug 2>split.log && "
             "objcopy -g --add-gnu-debuglink=split.debug x86 split 2>>split.log",
             dir);
    return system(cmd) == 0;
}

/* ---- one kernel ---- */

struct fixture {
    struct fake_linux f;
    struct os_list list;
};

static struct fixture *open_kernel(const char *arch, const char *file)
{
    struct fixture *x = calloc(1, sizeof *x);
    char path[256];

    fake_stack_open(&x->f, arch);
    fake_symbol(&x->f, "__entry_text_start", F(20));
    fake_symbol(&x->f, "__entry_text_end", F(21) - 1);
    assert_true(fake_ready(&x->f));
    snprintf(path, sizeof path, "%s/%s", dir, file);
    x->f.lm.vmlinux = strdup(path);
    x->f.lm.ks.text_va = TEXT;
    return x;
}

static void close_kernel(struct fixture *x)
{
    linux_cfi_free(x->f.lm.cfi);
    free(x->f.lm.vmlinux);
    os_list_free(&x->list);
    fake_close(&x->f);
    free(x);
}

static void unwind(struct fixture *x, const struct target_vcpu *v)
{
    struct oscope_task task = fake_stack_task();

    os_list_free(&x->list);
    os_list_init(&x->list, sizeof(struct oscope_frame));
    assert_null(linux_stack(&x->f.lm.base, &task, v, &x->list));
}

static const struct oscope_frame *row(const struct fixture *x, size_t i)
{
    assert_true(i < x->list.n);
    return (const struct oscope_frame *)x->list.rows + i;
}

/* The frames' symbols with their distance, and how the note begins after "pid 7: " (NULL: none). */
static void expect(const struct fixture *x, const char *want, const char *note)
{
    char got[1024] = "";

    for (size_t i = 0; i < x->list.n && i < 20; i++) {
        size_t n = strlen(got);
        snprintf(got + n, sizeof got - n, "%s%s%s", i ? " " : "", row(x, i)->guess ? "?" : "",
                 row(x, i)->symbol);
        assert_string_equal(row(x, i)->method, i ? "cfi" : "pc");
    }
    assert_string_equal(got, want);
    assert_int_equal(x->list.notes.n, note != NULL);
    if (note && !strstr(x->list.notes.data[0], note))
        fail_msg("note '%s' instead of '%s'", x->list.notes.data[0], note);
}

/* ---- x86_64 ---- */

enum { SP_0 = 0x3000 };

#define REGS (TOP - X86_REGS) /* of the system call */

/* Sleeps in f12, which f1 called, which f2 called, which the system call's entry code called. */
static void three_calls(struct fixture *x)
{
    struct fake_linux *f = &x->f;
    uint64_t sp0 = STACK + SP_0, sp1 = sp0 + 32, sp2 = sp1 + 0x70;

    fake_x86_sleeps(f, sp0 - 56, F(12) + 8, 0xdead);
    fake_put(f, sp0 + 8, sp2 - 48);  /* rbx of f1 */
    fake_put(f, sp0 + 16, sp2 + 16); /* its rbp, and f2's */
    fake_put(f, sp0 + 24, F(1) + 8);
    fake_put(f, sp2 - 8, F(2) + 8);
    fake_put(f, sp2 + 8, REGS); /* CFA of f2 */
    fake_put(f, REGS - 24, 0x7fff1000);
    fake_put(f, REGS - 8, F(20) + 8);
    fake_put(f, REGS + X86_CS, 0x33);
}

static void check_three_calls(struct fixture *x)
{
    three_calls(x);
    unwind(x, NULL);
    expect(x, "f12+0x8 f1+0x8 f2+0x8 f20+0x8", NULL);
    assert_int_equal(row(x, 0)->sp, STACK + SP_0);
    assert_int_equal(row(x, 1)->sp, STACK + SP_0 + 32);
    assert_int_equal(row(x, 2)->sp, STACK + SP_0 + 32 + 0x70);
    assert_int_equal(row(x, 3)->sp, REGS);
}

static void test_x86_registers_and_expressions(void **state)
{
    if (!have_x86)
        skip();
    struct fixture *x = open_kernel("x86_64", "x86");

    check_three_calls(x);
    struct cfi *opened = x->f.lm.cfi;
    unwind(x, NULL);
    assert_ptr_equal(x->f.lm.cfi, opened); /* once */
    close_kernel(x);
}

static void test_x86_eh_frame(void **state)
{
    if (!have_x86)
        skip();
    struct fixture *x = open_kernel("x86_64", "x86-eh");

    check_three_calls(x);
    close_kernel(x);
}

static void test_x86_separate_debug_file(void **state)
{
    if (!have_x86 || !split())
        skip();
    struct fixture *x = open_kernel("x86_64", "split");

    check_three_calls(x);
    close_kernel(x);
}

/* A trap in the kernel: its pt_regs has the exact address and the registers to go on with. */
static void test_x86_trap(void **state)
{
    if (!have_x86)
        skip();
    struct fixture *x = open_kernel("x86_64", "x86");
    struct fake_linux *f = &x->f;
    uint64_t sp = STACK + 0x1000, regs = sp + 32, inner = STACK + 0x2000;

    fake_x86_sleeps(f, sp - 56, F(12) + 8, 0);
    fake_put(f, sp + 24, F(20) + 8);
    fake_put(f, regs + X86_IP, F(6)); /* its first instruction; f5 ends before */
    fake_put(f, regs + X86_CS, 0x10);
    fake_put(f, regs + X86_SP, inner);
    fake_put(f, regs + X86_BP + 8, F(3) + 4); /* rbx */
    unwind(x, NULL);
    expect(x, "f12+0x8 f20+0x8 f6 f3+0x4", NULL);
    assert_int_equal(row(x, 3)->sp, inner + 8);
    /* what can't be one: an address off the text, another segment, a user's in mid-stack */
    fake_put(f, regs + X86_IP, STACK);
    unwind(x, NULL);
    expect(x, "f12+0x8 f20+0x8", "a trap's registers");
    fake_put(f, regs + X86_IP, F(6));
    for (uint64_t cs = 3; cs < 0x40; cs += 0x10) {
        fake_put(f, regs + X86_CS, cs);
        unwind(x, NULL);
        expect(x, "f12+0x8 f20+0x8", "a trap's registers");
    }
    close_kernel(x);
}

/* Interrupted in assembly that has no rules: what its stack pointer is at leads behind a call. */
static void test_x86_leaf(void **state)
{
    if (!have_x86)
        skip();
    struct fixture *x = open_kernel("x86_64", "x86");
    struct fake_linux *f = &x->f;
    uint64_t sp = STACK + 0x1000;
    struct target_reg regs[] = {
        {"rip", F(21) + 4}, {"rsp", sp}, {"rbp", 1}, {"cpl", 0}, {"cs", 0x10}};
    struct target_vcpu v = {.index = 1, .regs = regs, .nregs = ARRAY_SIZE(regs)};

    fake_put(f, sp, F(11) + 8);
    fake_put(f, sp + 16, F(3) + 8);
    unwind(x, &v);
    assert_int_equal(x->list.n, 1); /* no call before that address */
    assert_int_equal(x->list.notes.n, 1);
    *fake_at(f, F(11) + 3) = 0xe8;
    unwind(x, &v);
    assert_int_equal(x->list.n, 3);
    assert_int_equal(x->list.notes.n, 0);
    assert_string_equal(row(x, 1)->method, "scan");
    assert_int_equal(row(x, 1)->address, F(11) + 8);
    assert_true(row(x, 1)->guess);
    assert_int_equal(row(x, 2)->address, F(3) + 8);
    assert_true(row(x, 2)->guess); /* what follows from a guess is one */
    close_kernel(x);
}

static void test_x86_signal_frame_and_values(void **state)
{
    if (!have_x86)
        skip();
    struct fixture *x = open_kernel("x86_64", "x86");
    struct fake_linux *f = &x->f;
    uint64_t sp = STACK + 0x1000;

    /* f4 is marked: what it returns to, f5's first byte, was interrupted. rbx = CFA - 8 there. */
    fake_x86_sleeps(f, sp - 56, F(4) + 8, 0);
    fake_put(f, sp + 8, F(5));
    fake_put(f, sp + 24, F(1) + 8);
    fake_put(f, sp + 64, F(3) + 4); /* CFA of f1: rbx + 48 */
    unwind(x, NULL);
    expect(x, "f4+0x8 f5 f1+0x8 f3+0x4", NULL);
    assert_int_equal(row(x, 3)->sp, sp + 32 - 8 + 48);
    close_kernel(x);
}

static void test_x86_interrupt_stack(void **state)
{
    if (!have_x86)
        skip();
    struct fixture *x = open_kernel("x86_64", "x86");
    struct fake_linux *f = &x->f;
    uint64_t task_sp = STACK + 0x2000, last = IRQ + 0x1000 - 8;
    struct target_reg regs[] = {
        {"rip", F(10) + 4}, {"rsp", last - 16}, {"rbp", 1}, {"cpl", 0}, {"cs", 0x10}};
    struct target_vcpu v = {.index = 1, .regs = regs, .nregs = ARRAY_SIZE(regs)};

    fake_put(f, last - 8, F(11) + 8); /* f11 changed the stack and called f10 */
    fake_put(f, last, task_sp);
    fake_put(f, task_sp + 8, F(3) + 8);
    unwind(x, &v);
    expect(x, "f10+0x4 f11+0x8 f3+0x8", NULL);
    assert_int_equal(row(x, 2)->sp, task_sp + 16);
    close_kernel(x);
}

static void test_x86_hostile_stacks(void **state)
{
    if (!have_x86)
        skip();
    struct fixture *x = open_kernel("x86_64", "x86");
    struct fake_linux *f = &x->f;
    uint64_t sp = STACK + 0x1000;

    /* a ring of frames */
    fake_x86_sleeps(f, sp - 56, F(9) + 8, 0);
    fake_put(f, sp, sp + 32);
    fake_put(f, sp + 24, F(9) + 8);
    fake_put(f, sp + 32, sp);
    fake_put(f, sp - 8, F(9) + 8);
    unwind(x, NULL);
    expect(x, "f9+0x8 f9+0x8", "does not move up");
    /* frames off the stack, at the end of the address space, unaligned */
    const uint64_t bad[] = {0, 8, UINT64_MAX - 7, TOP + 0x100000, sp + 13, STACK};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        fake_put(f, sp, bad[i]);
        unwind(x, NULL);
        expect(x, "f9+0x8", "pid 7: ");
    }
    fake_put(f, sp, sp + 32); /* returns to the stack itself */
    fake_put(f, sp + 24, sp);
    unwind(x, NULL);
    expect(x, "f9+0x8", "not in kernel text");
    /* rules that can't be followed, and none */
    for (unsigned i = 7; i <= 8; i++) {
        fake_x86_sleeps(f, sp - 56, F(i) + 8, 0);
        unwind(x, NULL);
        expect(x, i == 7 ? "f7+0x8" : "f8+0x8", "can't be worked out");
    }
    fake_x86_sleeps(f, sp - 56, F(6) + 8, 0); /* rbx, which was saved as 0 */
    unwind(x, NULL);
    expect(x, "f6+0x8", "not in kernel text");
    fake_x86_sleeps(f, sp - 56, F(2) + 8, 0xfff1); /* CFA = *(rbp - 8) */
    unwind(x, NULL);
    expect(x, "f2+0x8", "can't be worked out");
    close_kernel(x);
}

/* ---- riscv64, arm64 ---- */

static void test_riscv(void **state)
{
    if (!have_riscv)
        skip();
    struct fixture *x = open_kernel("riscv64", "riscv");
    struct fake_linux *f = &x->f;
    uint64_t sp0 = STACK + SP_0, sp1 = sp0 + 32, sp2 = TOP - RISCV_REGS;

    fake_sleeps(f, F(1) + 8, sp1, 0);
    fake_put(f, TASK + 24, sp2 - 16); /* thread.s[1] */
    fake_put(f, sp2 - 8, F(20) + 8);
    unwind(x, NULL);
    expect(x, "f1+0x8 f20+0x8", NULL);
    assert_int_equal(row(x, 1)->sp, sp2);
    fake_sleeps(f, F(12) + 8, sp0, 0);
    fake_put(f, TASK + 24, 1); /* f12 has another s1 */
    fake_put(f, sp0 + 16, sp2 - 16);
    fake_put(f, sp0 + 24, F(1) + 8);
    unwind(x, NULL);
    expect(x, "f12+0x8 f1+0x8 f20+0x8", NULL);

    /* runs in a leaf, whose return address is in ra only; then that is not known any more */
    struct target_reg regs[] = {{"pc", F(2) + 4},  {"x2", sp0},    {"x8", 0},
                                {"x1", F(12) + 4}, {"x9", 0x1234}, {"priv", 1}};
    struct target_vcpu v = {.index = 0, .regs = regs, .nregs = ARRAY_SIZE(regs)};
    unwind(x, &v);
    expect(x, "f2+0x4 f12+0x4 f1+0x8 f20+0x8", NULL);
    regs[3].value = F(2) + 8;
    unwind(x, &v);
    expect(x, "f2+0x4 f2+0x8", "does not move up");
    fake_sleeps(f, F(2) + 8, sp0, 0);
    unwind(x, NULL);
    expect(x, "f2+0x8", "the return address of");
    close_kernel(x);
}

/* arm64 kernels keep frame pointers, so CFI is not asked; the rules work all the same. */
static void test_arm64(void **state)
{
    if (!have_arm)
        skip();
    struct fixture *x = open_kernel("aarch64", "arm");
    struct fake_linux *f = &x->f;
    struct stack_text text;
    struct cfi_regs regs;
    uint64_t sp0 = STACK + SP_0, sp2 = sp0 + 0x100;

    assert_false(stack_cfi_wanted(&f->lm));
    stack_text_init(&text, &f->lm);
    /* cpu_context: x19 … x28, x29, sp, pc */
    f->lm.layout.thread_fp = fake_field(80, 8);
    fake_put(f, TASK, 0x19);
    struct unwind u = {.lm = &f->lm,
                       .text = &text,
                       .task_lo = STACK,
                       .task_hi = TOP,
                       .lo = STACK,
                       .hi = TOP,
                       .pc = F(12) + 8,
                       .sp = sp0,
                       .fp = sp0};
    assert_true(stack_cfi_start(&u, TASK, &regs));
    assert_int_equal(regs.value[19], 0x19);
    fake_put(f, sp0, 0xf0);
    fake_put(f, sp0 + 8, (F(1) + 8) ^ UINT64_C(0x0055000000000000)); /* signed */
    fake_put(f, sp0 + 16, sp2 - 16);
    fake_put(f, sp2 - 8, F(20) + 8);
    assert_int_equal(stack_cfi_step(&u, &regs), UNWIND_FRAME);
    assert_int_equal(u.pc, F(1) + 8);
    assert_int_equal(u.sp, sp0 + 32);
    assert_int_equal(u.fp, 0xf0);
    assert_int_equal(stack_cfi_step(&u, &regs), UNWIND_FRAME);
    assert_int_equal(u.pc, F(20) + 8);
    assert_int_equal(u.sp, sp2);
    stack_text_free(&text);
    close_kernel(x);
}

/* ---- when it is used, and files that are no good ---- */

static void test_wanted(void **state)
{
    if (!have_x86)
        skip();
    struct fixture *x = open_kernel("x86_64", "x86-fp");

    assert_false(stack_cfi_wanted(&x->f.lm)); /* this one keeps frame pointers */
    assert_non_null(x->f.lm.cfi);
    close_kernel(x);
    x = open_kernel("x86_64", "x86");
    assert_true(stack_cfi_wanted(&x->f.lm));
    close_kernel(x);
    x = open_kernel("x86_64", "x86");
    free(x->f.lm.vmlinux);
    x->f.lm.vmlinux = NULL;
    three_calls(x);
    unwind(x, NULL);
    assert_null(x->f.lm.cfi); /* no file: no work */
    close_kernel(x);
    x = open_kernel("x86_64", have_riscv ? "riscv" : "none");
    assert_false(stack_cfi_wanted(&x->f.lm));
    close_kernel(x);
    x = open_kernel("x86_64", "x86.s");
    assert_false(stack_cfi_wanted(&x->f.lm));
    close_kernel(x);
}

static void write_damaged(const char *bytes, size_t n)
{
    char path[256];

    snprintf(path, sizeof path, "%s/damaged", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

/* Any byte may be wrong: what comes out may be too, but it comes out, and is bounded. */
static void test_damaged_files(void **state)
{
    static char good[1 << 16], bad[1 << 16];
    char path[256];

    if (!have_x86)
        skip();
    snprintf(path, sizeof path, "%s/x86", dir);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t n = fread(good, 1, sizeof good, f);
    fclose(f);
    for (size_t i = 0; i < 1500; i++) {
        uint64_t r = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
        size_t from = n > 0x3000 ? 0x1000 + 0x2000 : 0; /* behind the text: tables */
        memcpy(bad, good, n);
        if (i % 3 == 0)
            from = 0;
        for (unsigned k = 0; k < 1 + i % 4;
             k++, r = r * 6364136223846793005u + 1442695040888963407u)
            bad[from + (r >> 33) % (n - from)] = (char)(r >> 25);
        write_damaged(bad, i % 50 ? n : (r >> 33) % n);
        struct fixture *x = open_kernel("x86_64", "damaged");
        three_calls(x);
        unwind(x, NULL);
        assert_true(x->list.n >= 1 && x->list.n <= STACK_FRAMES_MAX + 65);
        close_kernel(x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_x86_registers_and_expressions),
        cmocka_unit_test(test_x86_eh_frame),
        cmocka_unit_test(test_x86_separate_debug_file),
        cmocka_unit_test(test_x86_trap),
        cmocka_unit_test(test_x86_leaf),
        cmocka_unit_test(test_x86_signal_frame_and_values),
        cmocka_unit_test(test_x86_interrupt_stack),
        cmocka_unit_test(test_x86_hostile_stacks),
        cmocka_unit_test(test_riscv),
        cmocka_unit_test(test_arm64),
        cmocka_unit_test(test_wanted),
        cmocka_unit_test(test_damaged_files),
    };

    return cmocka_run_group_tests(tests, setup_files, teardown_files);
}
