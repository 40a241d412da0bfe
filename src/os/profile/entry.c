/* SPDX-License-Identifier: MIT */
/* Entries of kernels: the profile's, or the machine's; and those of riscv64. See entry.h. */
#include "os/profile/entry.h"

#include "base/util.h"
#include "os/riscv.h"

#include <string.h>

/* ---- any architecture ---- */

const struct entry_ops *entry_of(const struct profile_model *pm)
{
    static const struct entry_ops *const all[] = {&entry_riscv64, &entry_i386};

    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        if (!strcmp(all[i]->arch, pm->base.arch->name))
            return all[i];
    return NULL;
}

struct oscope_error *entry_need(const struct writer *w, const char *what,
                                const struct entry_ops **out)
{
    *out = entry_of(w->pm);
    return *out ? NULL
                : error_new(OSCOPE_E_UNSUPPORTED,
                            "%s on %s are not known of kernels that a profile describes", what,
                            w->pm->base.arch->name);
}

struct oscope_error *entry_places(struct writer *w, const char *what, entries *out)
{
    const struct entry_ops *ops;

    TRY(entry_need(w, what, &ops));
    TRY(ops->told(w, out));
    if (out->len)
        return NULL;
    TRY(ops->find(w, out));
    if (!out->len)
        return error_hint(error_new(OSCOPE_E_UNSUPPORTED,
                                    "no %s: neither %s nor the vCPUs' %s tells where the kernel is "
                                    "entered",
                                    what, profile_key_name(ops->key), ops->table),
                          "with QEMU 11.1, event set cputraps needs neither");
    os_list_note(w->notes,
                 "traps are seen at the places at which the vCPUs' %s pointed when this began: "
                 "%s%s does not say %s",
                 ops->table, w->pm->text.entries.len ? "profile " : "no profile: it",
                 w->pm->text.entries.len ? w->pm->name : "", profile_key_name(ops->key));
    return NULL;
}

/* ---- riscv64 ---- */

static bool has(const addresses *a, uint64_t address)
{
    for (size_t i = 0; i < a->len; i++)
        if (a->data[i] == address)
            return true;
    return false;
}

/* What a trap vector register of the vCPUs holds now. */
static struct oscope_error *vectors_now(struct writer *w, const char *reg, addresses *out)
{
    struct target_vcpus v = {0};
    struct oscope_error *err = target_registers(w->pm->base.target, &v);
    uint64_t at;

    for (size_t i = 0; !err && i < v.n; i++)
        if (target_reg(&v.vcpus[i], reg, &at) && (at &= ~UINT64_C(3)) && !has(out, at) &&
            !vec_push(out, at))
            err = error_nomem();
    target_vcpus_free(&v);
    return err;
}

static struct oscope_error *take_all(const addresses *at, entries *out)
{
    vec_each (uint64_t, a, at)
        if (!vec_push(out, (struct entry){.at = *a}))
            return error_nomem();
    return NULL;
}

static struct oscope_error *riscv_told(struct writer *w, entries *out)
{
    AUTO_ADDRESSES addresses at = {0};

    TRY(sites_of(w->pm, KEY_TRAP_ENTRY, &at));
    return take_all(&at, out);
}

static struct oscope_error *riscv_find(struct writer *w, entries *out)
{
    AUTO_ADDRESSES addresses at = {0};

    TRY(vectors_now(w, "stvec", &at));
    return take_all(&at, out);
}

static struct oscope_error *riscv_firmware(struct writer *w)
{
    AUTO_ADDRESSES addresses at = {0};

    TRY(sites_of(w->pm, KEY_TRAP_MACHINE, &at));
    if (!at.len)
        TRY(vectors_now(w, "mtvec", &at));
    for (size_t i = 0; i < at.len; i++)
        riscv_firmware_entry(w->set, at.data[i]);
    if (at.len)
        riscv_firmware_exit(w->set);
    else
        os_list_note(w->notes, "time in machine mode is not seen: neither [trap] machine nor the "
                               "vCPUs' mtvec tells where it is entered");
    return NULL;
}

static unsigned riscv_supervisor(struct writer *w)
{
    return program_bits(w->set, probe_reg(w->set, "sstatus"), RISCV_SPP_SHIFT, 1);
}

static void riscv_trap(struct writer *w, const struct entry *e)
{
    struct probe_set *s = w->set;
    unsigned task = site_current(w), interrupt;
    unsigned cause = riscv_cause(s, "scause", &interrupt);
    unsigned from = riscv_supervisor(w);
    unsigned zero = probe_imm(s, 0), more = probe_imm(s, 0);
    unsigned plain = probe_jump(s, WIRE_OP_JNE, interrupt, zero);

    (void)e;
    probe_imm_into(s, interrupt, RISCV_ECALL_FROM_U);
    unsigned call = probe_jump(s, WIRE_OP_JEQ, cause, interrupt);
    probe_imm_into(s, more, TRACE_TRAP_ENTRY_EXCEPTION - TRACE_TRAP_ENTRY);
    probe_label(s, plain);
    probe_label(s, call);
    w->type = trace_builtin_type(TRACE_TRAP_ENTRY_EXCEPTION); /* the other one is its beginning */
    w->field = 0;
    probe_event_of(s, TRACE_TRAP_ENTRY, more);
    event_put_tid(w, task);
    event_put(w, cause);
    event_put(w, from);
    event_put(w, probe_reg(s, "sepc"));
    unsigned done = probe_jump(s, WIRE_OP_JEQ, more, zero);
    event_put(w, zero);
    event_put(w, probe_reg(s, "stval"));
    probe_label(s, done);
}

static void riscv_leave(struct writer *w)
{
    unsigned task = site_current(w);

    event_begin(w, TRACE_TRAP_EXIT);
    event_put_tid(w, task);
    event_put(w, riscv_supervisor(w));
    event_put(w, probe_reg(w->set, "sepc"));
}

static bool riscv_may_fault(const struct entry *e)
{
    (void)e;
    return true;
}

/* Causes: RISC-V Privileged Specification, "scause". */
static void riscv_fault(struct writer *w, unsigned flags, unsigned *other)
{
    enum { FETCH = 12, LOAD = 13, STORE = 15 };
    struct probe_set *s = w->set;
    unsigned mark = probe_mark(s), cause = riscv_cause(s, "scause", NULL);
    unsigned k = probe_imm(s, FETCH), one = probe_imm(s, 1);

    probe_imm_into(s, flags, FAULT_INSTRUCTION);
    unsigned fetch = probe_jump(s, WIRE_OP_JEQ, cause, k);
    probe_imm_into(s, flags, 0);
    probe_imm_into(s, k, LOAD);
    unsigned load = probe_jump(s, WIRE_OP_JEQ, cause, k);
    probe_imm_into(s, flags, FAULT_WRITE);
    probe_imm_into(s, k, STORE);
    unsigned store = probe_jump(s, WIRE_OP_JEQ, cause, k);
    *other = probe_jump(s, WIRE_OP_JEQ, one, one);
    probe_label(s, fetch);
    probe_label(s, load);
    probe_label(s, store);
    probe_imm_into(s, k, 0);
    unsigned inside = probe_jump(s, WIRE_OP_JNE, riscv_supervisor(w), k);
    probe_imm_into(s, k, FAULT_USER);
    probe_alu(s, WIRE_OP_OR, flags, k);
    probe_label(s, inside);
    probe_release(s, mark);
}

static unsigned riscv_fault_address(struct writer *w)
{
    return probe_reg(w->set, "stval");
}

static unsigned riscv_fault_pc(struct writer *w)
{
    return probe_reg(w->set, "sepc");
}

static bool riscv_call(const struct writer *w, uint64_t *mask, uint64_t *value)
{
    (void)w;
    *mask = UINT32_MAX;
    *value = RISCV_ECALL;
    return true;
}

/* The kernel calls its firmware with the same instruction. */
static unsigned riscv_calls(struct writer *w)
{
    return probe_reg(w->set, "priv");
}

const struct entry_ops entry_riscv64 = {
    .arch = "riscv64",
    .table = "stvec",
    .key = KEY_TRAP_ENTRY,
    .told = riscv_told,
    .find = riscv_find,
    .firmware = riscv_firmware,
    .trap = riscv_trap,
    .may_fault = riscv_may_fault,
    .fault = riscv_fault,
    .fault_address = riscv_fault_address,
    .fault_pc = riscv_fault_pc,
    .return_mask = UINT32_MAX,
    .return_value = RISCV_SRET,
    .leave = riscv_leave,
    .stays = riscv_supervisor,
    .call = riscv_call,
    .calls = riscv_calls,
    .call_number = "a7",
    .call_args = {"a0", "a1", "a2", "a3", "a4", "a5"},
    .call_result = "a0",
    .space = "satp",
};
