/* SPDX-License-Identifier: MIT */
/* os/linux/stack*.c: frame pointers of each architecture, where stacks start and end, the scan. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_stack.h"

#define RUNQUEUES (FAKE_VA + 0x7000) /* per-CPU offsets are 0 */

struct fixture {
    struct fake_linux f;
    struct os_list list;
};

static struct fixture *open_arch(void **state, const char *arch)
{
    struct fixture *x = calloc(1, sizeof *x);

    fake_stack_open(&x->f, arch);
    *state = x;
    return x;
}

static int setup_riscv(void **state)
{
    struct fixture *x = open_arch(state, "riscv64");

    fake_symbol(&x->f, "handle_exception", F(20) + 0x80);
    fake_symbol(&x->f, "ret_from_exception_end", F(21));
    fake_symbol(&x->f, "ret_from_fork", F(22) + 0x80);
    fake_symbol(&x->f, "__switch_to", F(24) + 0x80);
    fake_symbol(&x->f, "runqueues", RUNQUEUES);
    fake_symbol(&x->f, "__irqentry_text_start", F(20) + 0x80);
    fake_symbol(&x->f, "__irqentry_text_end", F(21));
    return fake_ready(&x->f) ? 0 : -1;
}

static int setup_arm64(void **state)
{
    return fake_ready(&open_arch(state, "aarch64")->f) ? 0 : -1;
}

static int setup_x86(void **state)
{
    return fake_ready(&open_arch(state, "x86_64")->f) ? 0 : -1;
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

static void unwind_task(struct fixture *x, const struct oscope_task *task,
                        const struct target_vcpu *v)
{
    os_list_free(&x->list);
    os_list_init(&x->list, sizeof(struct oscope_frame));
    struct oscope_error *err = linux_stack(&x->f.lm.base, task, v, &x->list);
    if (err)
        print_error("%s\n", err->message);
    assert_null(err);
}

static void unwind(struct fixture *x, const struct target_vcpu *v)
{
    struct oscope_task task = fake_stack_task();

    unwind_task(x, &task, v);
}

/* The frames' symbols, '?' before guesses, separated by spaces; and whether there is a note. */
static void expect(const struct fixture *x, const char *want, bool note)
{
    char got[1024] = "";

    for (size_t i = 0; i < x->list.n && i < 20; i++) {
        size_t n = strlen(got);
        snprintf(got + n, sizeof got - n, "%s%s%s", i ? " " : "", row(x, i)->guess ? "?" : "",
                 row(x, i)->symbol);
    }
    if ((strcmp(got, want) != 0 || !note) && x->list.notes.n)
        print_error("note: %s\n", x->list.notes.data[0]);
    assert_string_equal(got, want);
    assert_int_equal(x->list.notes.n, note);
}

/* ---- riscv64: {s0, ra} lies below the address in s0 ---- */

static void riscv_record(struct fixture *x, uint64_t fp, uint64_t prev, uint64_t ra)
{
    fake_put(&x->f, fp - 16, prev);
    fake_put(&x->f, fp - 8, ra);
}

static void test_riscv_system_call(void **state)
{
    struct fixture *x = *state;
    uint64_t fp = TOP - 0x600, regs = TOP - RISCV_REGS;

    fake_sleeps(&x->f, F(1) + 8, fp - 0x40, fp);
    riscv_record(x, fp, fp + 0x80, F(2) + 4);
    riscv_record(x, fp + 0x80, regs, F(3) + 4);
    riscv_record(x, regs, 0x7fff1000, F(20) + 0x90);
    fake_put(&x->f, regs, 0x10ac); /* epc: the user's */
    unwind(x, NULL);
    expect(x, "f1+0x8 f2+0x4 f3+0x4 handle_exception+0x10", false);
    assert_int_equal(row(x, 1)->sp, fp);
    assert_string_equal(row(x, 0)->method, "pc");
    assert_string_equal(row(x, 1)->method, "fp");
    assert_string_equal(row(x, 0)->task_state, "sleeping");
}

static void test_riscv_trap_in_the_kernel(void **state)
{
    struct fixture *x = *state;
    uint64_t fp = TOP - 0x800, regs = TOP - 0x700, below = TOP - 0x300;

    fake_sleeps(&x->f, F(1) + 8, fp - 0x40, fp);
    riscv_record(x, fp, regs, F(2) + 4);
    riscv_record(x, regs, 0, F(20) + 0x90);
    fake_put(&x->f, regs, F(4));
    fake_put(&x->f, regs + RISCV_SP, below - 0x20);
    fake_put(&x->f, regs + RISCV_S0, below);
    riscv_record(x, below, 0x1234567, F(22) + 0x8e);
    /* a kernel thread: its function was left in s0; the stack ends close by */
    unwind(x, NULL);
    expect(x, "f1+0x8 f2+0x4 handle_exception+0x10 f4 ret_from_fork+0xe", true);
    below = TOP - 0x120;
    fake_put(&x->f, regs + RISCV_SP, below - 0x20);
    fake_put(&x->f, regs + RISCV_S0, below);
    riscv_record(x, below, 0x1234567, F(22) + 0x8e);
    unwind(x, NULL);
    expect(x, "f1+0x8 f2+0x4 handle_exception+0x10 f4 ret_from_fork+0xe", false);
}

static struct target_vcpu riscv_vcpu(struct target_reg *regs, uint64_t pc, uint64_t sp, uint64_t fp,
                                     uint64_t ra)
{
    regs[0] = (struct target_reg){"pc", pc};
    regs[1] = (struct target_reg){"x2", sp};
    regs[2] = (struct target_reg){"x8", fp};
    regs[3] = (struct target_reg){"x1", ra};
    regs[4] = (struct target_reg){"priv", 1};
    return (struct target_vcpu){.index = 2, .regs = regs, .nregs = 5};
}

static void put_call(struct fixture *x, uint64_t ret)
{
    const char *arch = x->f.lm.base.arch->name;

    if (strcmp(arch, "riscv64") == 0)
        fake_put_n(&x->f, ret - 4, 0x000780e7, 4); /* jalr ra, a5 */
    else
        fake_put_n(&x->f, ret - 4, 0x94000010, 4); /* bl */
}

static void test_riscv_leaf_functions(void **state)
{
    struct fixture *x = *state;
    struct target_reg regs[8];
    uint64_t fp = TOP - 0x400;

    put_call(x, F(2) + 0x10);
    riscv_record(x, fp, TOP - 0x100, F(3) + 4);
    fake_put(&x->f, TOP - 0x110, 0);
    fake_put(&x->f, TOP - 0x108, F(22) + 0x8e);

    /* no frame of its own: s0 is still f2's */
    struct target_vcpu v = riscv_vcpu(regs, F(1) + 2, fp - 0x40, fp, F(2) + 0x10);
    unwind(x, &v);
    expect(x, "f1+0x2 f2+0x10 f3+0x4 ret_from_fork+0xe", false);
    assert_string_equal(row(x, 0)->task_state, "running on vCPU 2");

    /* a leaf's frame: s0 where others have ra */
    uint64_t leaf = fp - 0x40;
    riscv_record(x, leaf, 0x55, fp);
    v = riscv_vcpu(regs, F(1) + 6, leaf - 0x10, leaf, F(2) + 0x10);
    unwind(x, &v);
    expect(x, "f1+0x6 f2+0x10 f3+0x4 ret_from_fork+0xe", false);

    /* after a call ra points into the function itself: the frame counts */
    put_call(x, F(1) + 0x20);
    v = riscv_vcpu(regs, F(1) + 0x24, fp - 0x40, fp, F(1) + 0x20);
    unwind(x, &v);
    expect(x, "f1+0x24 f3+0x4 ret_from_fork+0xe", false);
}

static void test_riscv_at_the_trap_vector(void **state)
{
    struct fixture *x = *state;
    struct target_reg regs[8];
    uint64_t fp = TOP - 0x100;

    riscv_record(x, fp, 0, F(22) + 0x8e);
    struct target_vcpu v = riscv_vcpu(regs, F(20) + 0x80, fp - 0x40, fp, F(5) + 0x20);
    regs[v.nregs++] = (struct target_reg){"sepc", F(5) + 0x30};
    unwind(x, &v);
    expect(x, "handle_exception f5+0x30 ret_from_fork+0xe", false);

    /* from user space: nothing of the kernel is below */
    v = riscv_vcpu(regs, F(20) + 0x80, 0x7fff0000, 0x7fff0100, 0);
    unwind(x, &v);
    expect(x, "handle_exception", false);

    /* in a trampoline outside of the kernel's text, the stack still empty */
    v = riscv_vcpu(regs, MODTEXT, TOP, 0x7fff0100, 0);
    unwind(x, &v);
    assert_int_equal(x->list.n, 1);
    assert_int_equal(x->list.notes.n, 0);
}

static void test_user_mode_and_firmware(void **state)
{
    struct fixture *x = *state;
    struct target_reg regs[8];
    struct target_vcpu v = riscv_vcpu(regs, 0x10ac, 0x7fff0000, 0x7fff0100, 0);

    regs[4].value = 0;
    unwind(x, &v);
    expect(x, "0x10ac (user)", false);
    assert_string_equal(row(x, 0)->task_state, "user mode on vCPU 2");

    v = riscv_vcpu(regs, 0x800004f0, 0x80049000, 0, 0);
    regs[4].value = 3;
    regs[v.nregs++] = (struct target_reg){"mepc", F(5) + 0x30};
    unwind(x, &v);
    expect(x, "(firmware) ?f5+0x30", true);
    assert_string_equal(row(x, 0)->task_state, "in firmware on vCPU 2");
}

static void test_loops_end(void **state)
{
    struct fixture *x = *state;
    uint64_t fp = TOP - 0x800;

    /* to itself; back down; off the stack; endless hopping between two stacks */
    const uint64_t prevs[] = {fp, fp - 0x100, 0x60, IRQ + 0x100};
    for (size_t i = 0; i < ARRAY_SIZE(prevs); i++) {
        fake_sleeps(&x->f, F(1) + 8, fp - 0x40, fp);
        riscv_record(x, fp, prevs[i], F(2) + 4);
        riscv_record(x, fp - 0x100, fp, F(2) + 4);
        riscv_record(x, IRQ + 0x100, fp, F(3) + 4);
        unwind(x, NULL);
        assert_true(x->list.n >= 2 && x->list.n < 24);
        assert_int_equal(x->list.notes.n, 1);
        assert_false(row(x, 1)->guess);
    }
    /* frame by frame up the whole stack: capped */
    for (fp = STACK + 16; fp < TOP; fp += 16)
        riscv_record(x, fp, fp + 16, F(2) + 4);
    fake_sleeps(&x->f, F(1) + 8, STACK, STACK + 16);
    unwind(x, NULL);
    assert_int_equal(x->list.n, 257);
    assert_int_equal(x->list.notes.n, 1);
}

/* A chain that ends is complete only where the stack ends. */
static void test_end_of_chain(void **state)
{
    struct fixture *x = *state;

    fake_sleeps(&x->f, F(1) + 8, TOP - 0x100, 0);
    unwind(x, NULL);
    expect(x, "f1+0x8", false);
    fake_sleeps(&x->f, F(1) + 8, TOP - 0x1000, 0);
    unwind(x, NULL);
    expect(x, "f1+0x8", true);
}

static void test_scan_checks_calls(void **state)
{
    struct fixture *x = *state;
    uint64_t sp = TOP - 0x200;

    fake_sleeps(&x->f, F(1) + 8, sp, 0x60);
    fake_put_n(&x->f, F(2) + 0x1c, 0x00000097, 4); /* auipc ra: no call */
    fake_put_n(&x->f, F(3) + 0x1c, 0x020000ef, 4); /* jal ra */
    fake_put_n(&x->f, F(4) + 0x1e, 0x9782, 2);     /* c.jalr a5 */
    fake_put_n(&x->f, F(5) + 0x1c, 0x0200006f, 4); /* j */
    fake_put_n(&x->f, F(6) + 0x1c, 0x000780e7, 4); /* jalr a5 */
    fake_put_n(&x->f, F(7) + 0x1e, 0x9002, 2);     /* c.ebreak */
    for (unsigned i = 2; i <= 7; i++)
        fake_put(&x->f, sp + 8 * i, F(i) + 0x20);
    fake_put(&x->f, sp - 8, F(6) + 0x20); /* below sp: dead */
    unwind(x, NULL);
    expect(x, "f1+0x8 ?f3+0x20 ?f4+0x20 ?f6+0x20", true);
    assert_string_equal(row(x, 1)->method, "scan");
}

/* ---- arm64: x29 points at {x29, lr} ---- */

static void arm_record(struct fixture *x, uint64_t fp, uint64_t prev, uint64_t lr)
{
    fake_put(&x->f, fp, prev);
    fake_put(&x->f, fp + 8, lr);
}

#define PAC(va, code) (((va) & ~(UINT64_C(0x7f) << 48)) | (uint64_t)(code) << 48)

static void test_arm64_signed_return_addresses(void **state)
{
    struct fixture *x = *state;
    uint64_t fp = TOP - 0x600, regs = TOP - ARM_REGS;

    fake_sleeps(&x->f, F(1) + 8, fp, fp);
    arm_record(x, fp, fp + 0x80, PAC(F(2) + 4, 0x2a));
    arm_record(x, fp + 0x80, regs + ARM_STACKFRAME, PAC(F(3) + 4, 0x51));
    unwind(x, NULL);
    expect(x, "f1+0x8 f2+0x4 f3+0x4", false);
    assert_int_equal(row(x, 1)->address, F(2) + 4);
}

static void test_arm64_trap_in_the_kernel(void **state)
{
    struct fixture *x = *state;
    uint64_t fp = TOP - 0x800, regs = TOP - 0x700, user = TOP - ARM_REGS;

    /* up to 6.12: the record in pt_regs is one of the chain */
    fake_sleeps(&x->f, F(1) + 8, fp, fp);
    arm_record(x, fp, regs + ARM_STACKFRAME, F(2) + 4);
    arm_record(x, regs + ARM_STACKFRAME, user + ARM_STACKFRAME, F(4) + 4);
    unwind(x, NULL);
    expect(x, "f1+0x8 f2+0x4 f4+0x4", false);

    /* from 6.13: it says what it is */
    x->f.lm.layout.regs_stackframe_type = fake_field(ARM_STACKFRAME + 16, 8);
    arm_record(x, regs + ARM_STACKFRAME, 0, 0);
    fake_put(&x->f, regs + ARM_STACKFRAME + 16, 2);
    fake_put(&x->f, regs + ARM_PC, F(5));
    fake_put(&x->f, regs + ARM_SP, regs + ARM_REGS);
    fake_put(&x->f, regs + ARM_X29, user + ARM_STACKFRAME);
    fake_put(&x->f, user + ARM_STACKFRAME + 16, 1);
    unwind(x, NULL);
    expect(x, "f1+0x8 f2+0x4 f5", false);

    fake_put(&x->f, regs + ARM_STACKFRAME + 16, 3);
    unwind(x, NULL);
    expect(x, "f1+0x8 f2+0x4", true);
}

static void test_arm64_leaf_function(void **state)
{
    struct fixture *x = *state;
    uint64_t fp = TOP - 0x600;
    struct target_reg regs[] = {
        {"pc", F(1) + 4}, {"sp", fp}, {"x29", fp}, {"x30", F(2) + 0x10}, {"pstate", 5}};
    struct target_vcpu v = {.regs = regs, .nregs = ARRAY_SIZE(regs)};

    put_call(x, F(2) + 0x10);
    arm_record(x, fp, TOP - ARM_REGS + ARM_STACKFRAME, F(3) + 8);
    unwind(x, &v);
    expect(x, "f1+0x4 f2+0x10 f3+0x8", false);
}

/* ---- x86_64 without ORC: rbp points at {rbp, return address} ---- */

static void test_x86_frame_pointers(void **state)
{
    struct fixture *x = *state;
    uint64_t sp = TOP - 0x600, bp = TOP - 0x500, regs = TOP - 0x400, user = TOP - X86_REGS;

    fake_x86_sleeps(&x->f, sp, F(1) + 8, bp);
    fake_put(&x->f, bp, regs | 1); /* encoded: a pt_regs */
    fake_put(&x->f, bp + 8, F(2) + 4);
    fake_put(&x->f, regs + X86_IP, F(3));
    fake_put(&x->f, regs + X86_SP, TOP - 0x300);
    fake_put(&x->f, regs + X86_BP, TOP - 0x2f0);
    fake_put(&x->f, TOP - 0x2f0, user | 1);
    fake_put(&x->f, TOP - 0x2e8, F(4) + 6);
    fake_put(&x->f, user + X86_CS, 0x33);
    unwind(x, NULL);
    expect(x, "f1+0x8 f2+0x4 f3 f4+0x6", false);
}

/* ---- tasks without a stack to show ---- */

static void refuse(struct fixture *x, const struct oscope_task *task, enum oscope_code code,
                   const char *word)
{
    struct oscope_error *err = linux_stack(&x->f.lm.base, task, NULL, &x->list);

    assert_non_null(err);
    assert_int_equal(err->code, code);
    assert_non_null(strstr(err->message, word));
    assert_int_equal(x->list.n, 0);
    oscope_error_free(err);
}

static void test_no_stack(void **state)
{
    struct fixture *x = *state;
    struct oscope_task task = fake_stack_task();

    os_list_init(&x->list, sizeof(struct oscope_frame));
    fake_sleeps(&x->f, F(1) + 8, TOP - 0x100, 0);
    task.running = true;
    refuse(x, &task, OSCOPE_E_BUSY, "vCPU");
    task.running = false;
    task.state = "Z";
    refuse(x, &task, OSCOPE_E_GONE, "ended");
    task.state = "S";
    task.stack = 0x4000;
    refuse(x, &task, OSCOPE_E_GONE, "no kernel stack");
    task.stack = STACK;
    task.address = FAKE_VA + FAKE_STACK_SIZE; /* gone */
    refuse(x, &task, OSCOPE_E_FAULT, "saved registers");
    x->f.lm.layout.thread_fp.present = 0;
    refuse(x, &task, OSCOPE_E_UNSUPPORTED, "thread.fp");
}

/* ---- guests that run on ---- */

/* Saved registers of a task that runs again are worthless. */
static void test_sleeper_that_runs_again(void **state)
{
    struct fixture *x = *state;
    struct oscope_task task = fake_stack_task();

    fake_sleeps(&x->f, F(1) + 8, TOP - 0x100, 0);
    x->f.target.live = true;
    x->f.lm.layout.task_on_cpu = fake_field(32, 4);
    unwind(x, NULL);
    expect(x, "f1+0x8", false);
    fake_put(&x->f, TASK + 32, 1);
    os_list_free(&x->list);
    os_list_init(&x->list, sizeof(struct oscope_frame));
    refuse(x, &task, OSCOPE_E_BUSY, "vCPU");
    /* in a stopped guest it is about to run, and they are whole */
    x->f.target.stopped = true;
    unwind(x, NULL);
    expect(x, "f1+0x8", false);
    assert_int_equal(row(x, 0)->consistency, OSCOPE_CONSISTENT);
}

static void test_saved_pc_is_no_code(void **state)
{
    struct fixture *x = *state;
    uint64_t sp = TOP - 0x200;

    fake_sleeps(&x->f, IRQ + 8, sp, 0x60);
    put_call(x, F(6) + 0x20);
    fake_put(&x->f, sp + 8, F(6) + 0x20);
    unwind(x, NULL);
    expect(x, "?f6+0x20", true);
}

/* Registers that do not fit the stack: torn, but only if the guest could run on. */
static void test_registers_that_contradict_the_stack(void **state)
{
    struct fixture *x = *state;
    struct target_reg regs[8];
    uint64_t fp = TOP - 0x400;

    riscv_record(x, fp, TOP - 0x100, F(3) + 4);
    riscv_record(x, TOP - 0x100, 0, F(22) + 0x8e);
    struct target_vcpu v = riscv_vcpu(regs, F(1) + 0x24, fp - 0x40, fp, 0);
    x->f.target.live = true;
    unwind(x, &v);
    expect(x, "f1+0x24", true); /* f3 does not call there */
    assert_int_equal(row(x, 0)->consistency, OSCOPE_TORN);
    assert_int_equal(x->list.consistency, OSCOPE_TORN);

    put_call(x, F(3) + 4);
    put_call(x, F(22) + 0x8e);
    unwind(x, &v);
    expect(x, "f1+0x24 f3+0x4 ret_from_fork+0xe", false);
    assert_int_equal(row(x, 0)->consistency, OSCOPE_CONSISTENT);

    fake_put(&x->f, fp - 8, IRQ);
    unwind(x, &v);
    assert_int_equal(row(x, 0)->consistency, OSCOPE_TORN);
    x->f.target.stopped = true;
    unwind(x, &v);
    assert_int_equal(row(x, 0)->consistency, OSCOPE_CONSISTENT);
    assert_int_equal(x->list.notes.n, 1);
}

/* ---- whose registers ---- */

static void test_stack_pointer_decides(void **state)
{
    struct fixture *x = *state;
    struct target_reg regs[8];
    struct oscope_task tasks[2] = {fake_stack_task(), fake_stack_task()};
    size_t index = 99;

    tasks[0].stack = FAKE_VA; /* another's */
    struct target_vcpu v = riscv_vcpu(regs, F(1), TOP - 0x40, TOP - 0x20, 0);
    assert_int_equal(linux_runs(&x->f.lm.base, &v, tasks, 2, &index), OS_RUNS_STACK);
    assert_int_equal(index, 1);
    regs[1].value = TOP; /* nothing pushed yet */
    assert_int_equal(linux_runs(&x->f.lm.base, &v, tasks, 2, &index), OS_RUNS_STACK);
    regs[1].value = IRQ + 0x100;
    assert_int_equal(linux_runs(&x->f.lm.base, &v, tasks, 2, &index), OS_RUNS_NONE);

    /* where it says nothing, the run queue does */
    x->f.lm.layout.rq_curr = fake_field(0, 8);
    x->f.lm.layout.size.task = 64;
    x->f.lm.ncpus = 3;
    fake_put(&x->f, RUNQUEUES, TASK);
    tasks[0].address = FAKE_VA;
    assert_int_equal(linux_runs(&x->f.lm.base, &v, tasks, 2, &index), OS_RUNS_CURRENT);
    assert_int_equal(index, 1);
    regs[1].value = 0x7fff0000;
    assert_int_equal(linux_runs(&x->f.lm.base, &v, tasks, 2, &index), OS_RUNS_CURRENT);

    /* amid a switch from the idle task: curr is new, the stack still the idle task's */
    x->f.lm.init_task = TASK + 0x400;
    x->f.lm.layout.task_stack = fake_field(0, 8);
    fake_put(&x->f, TASK + 0x400, IRQ);
    regs[1].value = IRQ + 0x100;
    assert_int_equal(linux_runs(&x->f.lm.base, &v, tasks, 2, &index), OS_RUNS_NONE);
}

/* Amid __switch_to the registers are of two tasks. */
static void test_amid_a_switch(void **state)
{
    struct fixture *x = *state;
    struct target_reg regs[8];
    uint64_t fp = TOP - 0x400, sp = fp - 0x40;

    riscv_record(x, fp, TOP - 0x100, F(3) + 4);
    riscv_record(x, TOP - 0x100, 0, F(22) + 0x8e);
    fake_sleeps(&x->f, F(2) + 8, sp, fp);
    struct target_vcpu v = riscv_vcpu(regs, F(24) + 0x84, sp, IRQ + 0x100, 0);
    unwind(x, &v);
    expect(x, "f2+0x8 f3+0x4 ret_from_fork+0xe", false);
    assert_string_equal(row(x, 0)->task_state, "running on vCPU 2");
    /* before it saves: what is saved is of an earlier switch */
    fake_sleeps(&x->f, F(2) + 8, sp - 0x80, fp - 0x80);
    v = riscv_vcpu(regs, F(24) + 0x84, sp, fp, 0);
    unwind(x, &v);
    expect(x, "__switch_to+0x4 f3+0x4 ret_from_fork+0xe", false);
}

int main(void)
{
#define ON(arch, name) cmocka_unit_test_setup_teardown(name, setup_##arch, teardown)
    const struct CMUnitTest tests[] = {
        ON(riscv, test_riscv_system_call),
        ON(riscv, test_riscv_trap_in_the_kernel),
        ON(riscv, test_riscv_leaf_functions),
        ON(riscv, test_riscv_at_the_trap_vector),
        ON(riscv, test_user_mode_and_firmware),
        ON(riscv, test_loops_end),
        ON(riscv, test_end_of_chain),
        ON(riscv, test_scan_checks_calls),
        ON(arm64, test_arm64_signed_return_addresses),
        ON(arm64, test_arm64_trap_in_the_kernel),
        ON(arm64, test_arm64_leaf_function),
        ON(x86, test_x86_frame_pointers),
        ON(riscv, test_no_stack),
        ON(riscv, test_sleeper_that_runs_again),
        ON(riscv, test_saved_pc_is_no_code),
        ON(riscv, test_registers_that_contradict_the_stack),
        ON(riscv, test_stack_pointer_decides),
        ON(riscv, test_amid_a_switch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
