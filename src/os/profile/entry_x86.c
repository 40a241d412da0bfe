/* SPDX-License-Identifier: MIT */
/*
 * Entries of 32-bit x86 kernels. The CPU pushes, from the top down: of user mode ss and esp, then
 * eflags, cs and eip, and with some exceptions an error code (Intel SDM, volume 3, "Exception- and
 * Interrupt-Handler Procedures"). It does not say which vector it took: the handler that begins to
 * execute does, of which the interrupt descriptor table has one for each. Where handlers come
 * together would be too late, for a system call's can be interrupted on the way.
 */
#include "os/profile/entry.h"

#include "base/util.h"

#include <string.h>

enum {
    GATES = 256,
    GATE_BYTES = 8,
    GATE_PRESENT = 0x80,
    EXCEPTIONS = 32,
    PAGE_FAULT = 14,
    IRET = 0xcf,
    INT = 0xcd,
    USER = 3,
    FRAME_CS = 4, /* behind eip */
    /* of an error code */
    ERROR_WRITE = 1 << 1,
    ERROR_USER = 1 << 2,
    ERROR_INSTRUCTION = 1 << 4,
};

/* Vectors that push an error code (Intel SDM volume 3, table 6-1). */
static bool has_error_code(int vector)
{
    return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 ||
           vector == 29 || vector == 30;
}

/* ---- where ---- */

static bool table_now(struct writer *w, uint64_t *out)
{
    struct target_vcpus v = {0};
    struct oscope_error *err = target_registers(w->pm->base.target, &v);
    bool found = false;

    for (size_t i = 0; !err && !found && i < v.n; i++)
        found = target_reg(&v.vcpus[i], "idt_base", out) && *out;
    target_vcpus_free(&v);
    oscope_error_free(err);
    return found;
}

static bool known(const entries *e, uint64_t at)
{
    vec_each (struct entry, other, e)
        if (other->at == at)
            return true;
    return false;
}

/* One that several vectors share tells the first of them: what is not expected, as a rule. */
static struct oscope_error *add_handler(entries *out, int vector, uint64_t at)
{
    if (!at || known(out, at))
        return NULL;
    return vec_push(out, (struct entry){at, vector}) ? NULL : error_nomem();
}

static struct oscope_error *x86_find(struct writer *w, entries *out)
{
    uint8_t table[GATES * GATE_BYTES];
    uint64_t idt;

    if (!table_now(w, &idt) || !vspace_read(&w->pm->base.kernel, idt, table, sizeof table))
        return NULL;
    for (int i = 0; i < GATES; i++) {
        const uint8_t *gate = table + (size_t)i * GATE_BYTES;
        if (gate[5] & GATE_PRESENT)
            TRY(add_handler(out, i, load16(gate) | (uint64_t)load16(gate + 6) << 16));
    }
    return NULL;
}

static struct oscope_error *x86_told(struct writer *w, entries *out)
{
    uint8_t table[GATES * 4];
    uint64_t at;

    if (!profile_number(w->pm, KEY_TRAP_HANDLERS, 0, &at))
        return NULL;
    if (!vspace_read(&w->pm->base.kernel, at, table, sizeof table))
        return error_new(OSCOPE_E_FAULT, "%s can't be read", profile_key_name(KEY_TRAP_HANDLERS));
    for (int i = 0; i < GATES; i++)
        TRY(add_handler(out, i, load32(table + (size_t)i * 4)));
    return NULL;
}

/* ---- at a handler's first instruction ---- */

/* Where eip lies, from esp on. */
static unsigned frame(const struct entry *e)
{
    return has_error_code(e->vector) ? 4 : 0;
}

/* The privilege in the code segment's selector so far from where sp, a slot, points; in a new
 * slot. */
static unsigned privilege(struct writer *w, unsigned sp, unsigned offset)
{
    unsigned cs = probe_load(w->set, sp, offset, 4), mark = probe_mark(w->set);

    probe_alu(w->set, WIRE_OP_AND, cs, probe_imm(w->set, USER));
    probe_release(w->set, mark);
    return cs;
}

static void x86_trap(struct writer *w, const struct entry *e)
{
    struct probe_set *s = w->set;
    unsigned task = site_current(w), sp = probe_reg(s, "esp");
    bool exception = e->vector < EXCEPTIONS;

    event_begin(w, exception ? TRACE_TRAP_ENTRY_EXCEPTION : TRACE_TRAP_ENTRY);
    event_put_tid(w, task);
    event_put(w, probe_imm(s, (uint64_t)e->vector));
    event_put(w, privilege(w, sp, frame(e) + FRAME_CS));
    event_put(w, probe_load(s, sp, frame(e), 4));
    if (!exception)
        return;
    event_put(w, frame(e) ? probe_load(s, sp, 0, 4) : probe_imm(s, 0));
    event_put(w, e->vector == PAGE_FAULT ? probe_reg(s, "cr2") : probe_imm(s, 0));
}

/* ---- page faults ---- */

static bool x86_may_fault(const struct entry *e)
{
    return e->vector == PAGE_FAULT;
}

static void flag(struct probe_set *s, unsigned error, unsigned bit, unsigned flags, unsigned means)
{
    unsigned mark = probe_mark(s), one = probe_imm(s, 0), k = probe_imm(s, bit);

    probe_mov(s, one, error);
    probe_alu(s, WIRE_OP_AND, one, k);
    unsigned set = probe_jump(s, WIRE_OP_JNE, one, k);
    probe_imm_into(s, k, means);
    probe_alu(s, WIRE_OP_OR, flags, k);
    probe_label(s, set);
    probe_release(s, mark);
}

static void x86_fault(struct writer *w, unsigned flags, unsigned *other)
{
    struct probe_set *s = w->set;
    unsigned mark = probe_mark(s), error = probe_load(s, probe_reg(s, "esp"), 0, 4);

    (void)other;
    flag(s, error, ERROR_WRITE, flags, FAULT_WRITE);
    flag(s, error, ERROR_USER, flags, FAULT_USER);
    flag(s, error, ERROR_INSTRUCTION, flags, FAULT_INSTRUCTION);
    probe_release(s, mark);
}

static unsigned x86_fault_address(struct writer *w)
{
    return probe_reg(w->set, "cr2");
}

static unsigned x86_fault_pc(struct writer *w)
{
    return probe_load(w->set, probe_reg(w->set, "esp"), 4, 4);
}

/* ---- at an iret ---- */

static void x86_leave(struct writer *w)
{
    unsigned task = site_current(w), sp = probe_reg(w->set, "esp");

    event_begin(w, TRACE_TRAP_EXIT);
    event_put_tid(w, task);
    event_put(w, privilege(w, sp, FRAME_CS));
    event_put(w, probe_load(w->set, sp, 0, 4));
}

/* Not 0 unless what is in the slot, a privilege, is the user's. */
static unsigned no_user(struct writer *w, unsigned slot)
{
    unsigned mark = probe_mark(w->set);

    probe_alu(w->set, WIRE_OP_XOR, slot, probe_imm(w->set, USER));
    probe_release(w->set, mark);
    return slot;
}

static unsigned x86_stays(struct writer *w)
{
    return no_user(w, privilege(w, probe_reg(w->set, "esp"), FRAME_CS));
}

/* ---- at an int ---- */

static bool x86_call(const struct writer *w, uint64_t *mask, uint64_t *value)
{
    uint64_t vector;

    if (!profile_number(w->pm, KEY_SYSCALL_VECTOR, 0, &vector))
        return false;
    *mask = 0xffff;
    *value = INT | (vector & 0xff) << 8;
    return true;
}

static unsigned x86_calls(struct writer *w)
{
    unsigned cs = probe_reg(w->set, "cs"), mark = probe_mark(w->set);

    probe_alu(w->set, WIRE_OP_AND, cs, probe_imm(w->set, USER));
    probe_release(w->set, mark);
    return no_user(w, cs);
}

const struct entry_ops entry_i386 = {
    .arch = "i386",
    .table = "interrupt descriptor table",
    .key = KEY_TRAP_HANDLERS,
    .told = x86_told,
    .find = x86_find,
    .trap = x86_trap,
    .may_fault = x86_may_fault,
    .fault = x86_fault,
    .fault_address = x86_fault_address,
    .fault_pc = x86_fault_pc,
    .return_mask = 0xff,
    .return_value = IRET,
    .leave = x86_leave,
    .stays = x86_stays,
    .call = x86_call,
    .calls = x86_calls,
    .call_number = "eax", /* and the arguments as Linux has them */
    .call_args = {"ebx", "ecx", "edx", "esi", "edi", "ebp"},
    .call_result = "eax",
    .space = "cr3",
};
