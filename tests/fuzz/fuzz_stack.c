/* SPDX-License-Identifier: MIT */
/*
 * Stacks, frame pointers, ORC tables and module lists from hostile guest RAM. Input: one byte
 * (which architecture and form, running or not), then all of the memory that
 * tests/unit/fake_stack.h lays out. The unwind must end, number its frames, and stay within its
 * bounds.
 */
#include "fuzz.h"

#include "../unit/fake_stack.h"

static void put_symbols(struct fake_linux *f)
{
    fake_symbol(f, "handle_exception", F(20) + 0x80);
    fake_symbol(f, "ret_from_exception_end", F(21));
    fake_symbol(f, "ret_from_fork", F(22) + 0x80);
    fake_symbol(f, "__start_orc_unwind_ip", ORC_IP);
    fake_symbol(f, "__stop_orc_unwind_ip", ORC_IP + 4 * ORC_MAX);
    fake_symbol(f, "__start_orc_unwind", ORC);
    fake_symbol(f, "__stop_orc_unwind", ORC + 6 * ORC_MAX);
    fake_symbol(f, "modules", MODULE + 0x100);
}

/* Fills the parts of memory from the input. */
static void put_memory(struct fake_linux *f, const uint8_t *p, size_t n)
{
    static const struct {
        uint64_t va;
        size_t size;
    } parts[] = {
        {TASK, 64},         {TOP - 0x600, 0x600}, {ORC_IP, 4 * ORC_MAX}, {ORC, 6 * ORC_MAX},
        {MODULE, 0x48},     {MODULE + 0x100, 8},  {IRQ, 0x100},          {MODORC, 0x40},
        {MODORC + 256, 96}, {F(1), 0x100},
    };

    for (size_t i = 0; i < ARRAY_SIZE(parts) && n; i++) {
        size_t part = MIN(n, parts[i].size);
        memcpy(fake_at(f, parts[i].va), p, part);
        p += part;
        n -= part;
    }
}

static void check(const struct os_list *list)
{
    const struct oscope_frame *rows = list->rows;

    if (list->n > 257 + 64)
        abort();
    for (size_t i = 0; i < list->n; i++)
        if (rows[i].frame != i || !rows[i].symbol || !rows[i].method || !rows[i].task_state)
            abort();
}

/* Registers anywhere in the made-up memory, or wherever the input says. */
static struct target_vcpu vcpu(const struct arch *arch, const uint8_t *p, struct target_reg *regs)
{
    size_t n = 0;
    const char *const names[] = {arch->pc, arch->sp, arch->fp, "x1", "x30", "r10", "r13"};

    for (; n < ARRAY_SIZE(names); n++) {
        str_copy(regs[n].name, sizeof regs[n].name, names[n]);
        regs[n].value = load16(p + 2 * n) * UINT64_C(2) + FAKE_VA;
    }
    str_copy(regs[n].name, sizeof regs[n].name, "pstate");
    regs[n++].value = 5;
    return (struct target_vcpu){.regs = regs, .nregs = n};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const arches[] = {"x86_64", "riscv64", "aarch64"};
    struct fake_linux f;
    struct os_list list;
    struct target_reg regs[8];
    struct oscope_task task = fake_stack_task();

    if (n < 17)
        return 0;
    fake_stack_open(&f, arches[data[0] % 3]);
    put_symbols(&f);
    struct layout *l = &f.lm.layout;
    if (data[0] & 8 && data[0] % 3 == 0) {
        l->orc_end = fake_bits(4, 4, 10, 1);
        l->orc_type = fake_bits(4, 4, 8, 2);
        l->orc_signal = (struct layout_field){0};
    } else if (data[0] & 8 && data[0] % 3 == 2) {
        l->regs_stackframe_type = fake_field(ARM_STACKFRAME + 16, 8);
    }
    put_memory(&f, data + 1, n - 1);
    if (fake_ready(&f)) {
        struct target_vcpu v = vcpu(f.lm.base.arch, data + 1, regs);
        os_list_init(&list, sizeof(struct oscope_frame));
        oscope_error_free(linux_stack(&f.lm.base, &task, data[0] & 16 ? &v : NULL, &list));
        check(&list);
        os_list_free(&list);
    }
    fake_close(&f);
    return 0;
}
