/* SPDX-License-Identifier: MIT */
/*
 * Accesses and blocks: see sites.h.
 *
 * Which accesses an instruction makes is not known when it is translated, so every instruction has
 * a callback after each of them, and nearly all end at the comparison with a range. One callback
 * does for all probes, and is given the address of its instruction: nothing need be remembered for
 * each one. The probes it finds in `in_force`. Blocks are chosen where they are translated.
 */
#include "capture/tcg/sites.h"

/* Callbacks have no room for these. in_force changes only while no vCPU executes. */
static const struct set *in_force;
static struct vcpu *vcpus;
static uint32_t nvcpus;
static void (*vcpu_seen)(struct vcpu *v, const struct set *s);

void sites_init(struct vcpu *all, uint32_t n, void (*seen)(struct vcpu *v, const struct set *s))
{
    vcpus = all;
    nvcpus = n;
    vcpu_seen = seen;
    in_force = NULL;
}

void sites_use(const struct set *s)
{
    in_force = s;
}

/* ---- accesses ---- */

static uint64_t data_of(qemu_plugin_meminfo_t info)
{
    qemu_plugin_mem_value v = qemu_plugin_mem_get_value(info);

    switch (v.type) {
    case QEMU_PLUGIN_MEM_VALUE_U8: return v.data.u8;
    case QEMU_PLUGIN_MEM_VALUE_U16: return v.data.u16;
    case QEMU_PLUGIN_MEM_VALUE_U32: return v.data.u32;
    case QEMU_PLUGIN_MEM_VALUE_U64: return v.data.u64;
    default: return v.data.u128.low;
    }
}

/* An access near the probe's range: fires if it is one that the probe wants. */
static void reach(unsigned index, const struct point *p, qemu_plugin_meminfo_t info, uint64_t va,
                  uint64_t pc)
{
    const struct wire_probe *probe = p->probe;
    uint64_t size = UINT64_C(1) << qemu_plugin_mem_size_shift(info);
    bool write = qemu_plugin_mem_is_store(info);

    if (va - probe->address >= probe->value && probe->address - va >= size)
        return;
    if (!(probe->mask & (write ? WIRE_ACCESS_WRITE : WIRE_ACCESS_READ)) || index >= nvcpus)
        return;
    const uint64_t values[WIRE_VALUE_COUNT] = {[WIRE_VALUE_ADDRESS] = va,
                                               [WIRE_VALUE_SIZE] = size,
                                               [WIRE_VALUE_WRITE] = write,
                                               [WIRE_VALUE_DATA] =
                                                   p->reads_data ? data_of(info) : 0};
    vcpu_seen(&vcpus[index], p->set);
    vcpu_fire_at(&vcpus[index], p, pc, values);
}

/* userdata: the address of the instruction. */
static void on_access(unsigned index, qemu_plugin_meminfo_t info, uint64_t va, void *userdata)
{
    for (const struct point *p = in_force ? in_force->memory : NULL; p; p = p->next)
        if (va - p->low <= p->most)
            reach(index, p, info, va, (uintptr_t)userdata);
}

static void watch_accesses(const struct set *s, struct qemu_plugin_tb *tb)
{
    const enum qemu_plugin_cb_flags flags =
        s->access_registers ? QEMU_PLUGIN_CB_R_REGS : QEMU_PLUGIN_CB_NO_REGS;
    size_t n = qemu_plugin_tb_n_insns(tb);

    _Static_assert((int)WIRE_ACCESS_READ == QEMU_PLUGIN_MEM_R &&
                       (int)WIRE_ACCESS_WRITE == QEMU_PLUGIN_MEM_W,
                   "kinds of accesses");
    for (size_t i = 0; i < n; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        qemu_plugin_register_vcpu_mem_cb(insn, on_access, flags,
                                         (enum qemu_plugin_mem_rw)s->accesses,
                                         (void *)(uintptr_t)qemu_plugin_insn_vaddr(insn));
    }
}

/* ---- blocks ---- */

static void on_block(unsigned index, void *userdata)
{
    const struct point *p = userdata;
    const uint64_t values[WIRE_VALUE_COUNT] = {[WIRE_VALUE_INSNS] = p->insns};

    if (index >= nvcpus)
        return;
    vcpu_seen(&vcpus[index], p->set);
    vcpu_fire_at(&vcpus[index], p, p->pc, values);
}

static void watch_blocks(struct set *s, struct qemu_plugin_tb *tb)
{
    size_t n = qemu_plugin_tb_n_insns(tb);
    uint64_t pc = n ? qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0)) : 0;

    for (struct point *p = n ? s->blocks : NULL; p; p = p->next)
        if (pc - p->probe->address < p->probe->value)
            qemu_plugin_register_vcpu_tb_exec_cb(
                tb, on_block, p->reads_registers ? QEMU_PLUGIN_CB_R_REGS : QEMU_PLUGIN_CB_NO_REGS,
                set_block(s, p, pc, (uint32_t)n));
}

void sites_watch(struct set *s, struct qemu_plugin_tb *tb)
{
    if (s->memory)
        watch_accesses(s, tb);
    if (s->blocks)
        watch_blocks(s, tb);
}
