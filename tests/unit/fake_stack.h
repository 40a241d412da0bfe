/* SPDX-License-Identifier: MIT */
/*
 * A made-up kernel with one task and its stack, for the unwinders. Memory, from FAKE_VA:
 *
 *   0x01000 text: functions of 0x100 bytes, f0 f1 …     0x08000 the task's stack, 16 KiB
 *   0x04000 .orc_unwind_ip     0x05000 .orc_unwind      0x0c000 an interrupt stack
 *   0x06000 task_struct        0x06800 struct module    0x10000 module text, 0x11000 its ORC
 */
#ifndef TESTS_FAKE_STACK_H
#define TESTS_FAKE_STACK_H

#include "fake_linux.h"

#include <stdio.h>

#define TEXT    (FAKE_VA + 0x1000)
#define F(n)    (TEXT + 0x100 * (n)) /* function fn */
#define ORC_IP  (FAKE_VA + 0x4000)
#define ORC     (FAKE_VA + 0x5000)
#define TASK    (FAKE_VA + 0x6000)
#define MODULE  (FAKE_VA + 0x6800)
#define STACK   (FAKE_VA + 0x8000)
#define TOP     (STACK + 0x4000)
#define IRQ     (FAKE_VA + 0xc000)
#define MODTEXT (FAKE_VA + 0x10000)
#define MODORC  (FAKE_VA + 0x11000)

enum { FUNCTIONS = 32, FAKE_STACK_SIZE = 0x12000, ORC_MAX = 64 };

/* struct pt_regs, by arch */
enum {
    X86_R13 = 16,
    X86_BP = 32,
    X86_R10 = 56,
    X86_AX = 80,
    X86_DX = 96,
    X86_DI = 112,
    X86_IP = 128,
    X86_CS = 136,
    X86_SP = 152,
    X86_REGS = 168,
    RISCV_SP = 16,
    RISCV_S0 = 64,
    RISCV_REGS = 288,
    ARM_X29 = 232,
    ARM_SP = 248,
    ARM_PC = 256,
    ARM_STACKFRAME = 304,
    ARM_REGS = 344,
};

static inline void fake_stack_x86(struct layout *l)
{
    l->size.pt_regs = X86_REGS;
    l->size.inactive_frame = 56;
    l->size.orc_entry = 6;
    l->thread_sp = fake_field(24, 8);
    l->inactive_bp = fake_field(40, 8);
    l->inactive_ret = fake_field(48, 8);
    l->regs_pc = fake_field(X86_IP, 8);
    l->regs_sp = fake_field(X86_SP, 8);
    l->regs_fp = fake_field(X86_BP, 8);
    l->regs_cs = fake_field(X86_CS, 8);
    l->regs_ax = fake_field(X86_AX, 8);
    l->regs_dx = fake_field(X86_DX, 8);
    l->regs_di = fake_field(X86_DI, 8);
    l->regs_r10 = fake_field(X86_R10, 8);
    l->regs_r13 = fake_field(X86_R13, 8);
    l->orc_sp_offset = fake_field(0, 2);
    l->orc_bp_offset = fake_field(2, 2);
    l->orc_sp_reg = fake_bits(4, 4, 0, 4);
    l->orc_bp_reg = fake_bits(4, 4, 4, 4);
    l->orc_type = fake_bits(4, 4, 8, 3);
    l->orc_signal = fake_bits(4, 4, 11, 1);
}

static inline void fake_stack_layout(struct layout *l, const char *arch)
{
    l->list_next = fake_field(0, 8);
    l->module_list = fake_field(8, 8);
    l->module_text = fake_field(32, 8);
    l->module_text_size = fake_field(40, 4);
    l->module_orc_count = fake_field(48, 4);
    l->module_orc_ip = fake_field(56, 8);
    l->module_orc = fake_field(64, 8);
    if (strcmp(arch, "x86_64") == 0) {
        fake_stack_x86(l);
        return;
    }
    bool riscv = strcmp(arch, "riscv64") == 0;
    l->size.pt_regs = riscv ? RISCV_REGS : ARM_REGS;
    l->thread_pc = fake_field(0, 8);
    l->thread_sp = fake_field(8, 8);
    l->thread_fp = fake_field(16, 8);
    l->regs_pc = fake_field(riscv ? 0 : ARM_PC, 8);
    l->regs_sp = fake_field(riscv ? RISCV_SP : ARM_SP, 8);
    l->regs_fp = fake_field(riscv ? RISCV_S0 : ARM_X29, 8);
    if (!riscv)
        l->regs_stackframe = fake_field(ARM_STACKFRAME, 16);
}

/* Without fake_ready(): the test may add symbols. */
static inline void fake_stack_open(struct fake_linux *f, const char *arch)
{
    char name[16];

    fake_open(f, arch, FAKE_STACK_SIZE);
    fake_stack_layout(&f->lm.layout, arch);
    fake_symbol(f, "_stext", TEXT);
    for (unsigned i = 0; i < FUNCTIONS; i++) {
        snprintf(name, sizeof name, "f%u", i);
        fake_symbol(f, name, F(i));
    }
    fake_symbol(f, "_etext", F(FUNCTIONS));
    fake_symbol(f, "__start_init_stack", STACK);
    fake_symbol(f, "__end_init_stack", TOP);
}

static inline struct oscope_task fake_stack_task(void)
{
    return (struct oscope_task){
        .pid = 7, .tgid = 7, .state = "S", .comm = "fake", .address = TASK, .stack = STACK};
}

/* Where an x86 task left off: __switch_to_asm's frame at sp. */
static inline void fake_x86_sleeps(struct fake_linux *f, uint64_t sp, uint64_t ret, uint64_t bp)
{
    fake_put(f, TASK + 24, sp);
    fake_put(f, sp + 40, bp);
    fake_put(f, sp + 48, ret);
}

static inline void fake_sleeps(struct fake_linux *f, uint64_t pc, uint64_t sp, uint64_t fp)
{
    fake_put(f, TASK, pc);
    fake_put(f, TASK + 8, sp);
    fake_put(f, TASK + 16, fp);
}

#endif
