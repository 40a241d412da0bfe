/* SPDX-License-Identifier: MIT */
/*
 * Set "faults" of a kernel that a profile describes: a page fault begins where the kernel is
 * entered with such a cause, and has been served when its task goes on in user mode. A task that is
 * ended for it never does. What the kernel knows of the place (areas, files) and the page table's
 * entries are not told: the events say so.
 *
 * The page's number is kept under the task from entry to exit, in three variables, the last of
 * which also says that there is one; and a part of the task's id, since another may come to the
 * same place.
 */
#include "os/profile/entry.h"

enum {
    VAR_FAULT = 2, /* and the next two; those before are probes_calls.c's */
    VAR_FAULTER = 5,
    KEPT = 0x8000, /* in the third: there is one */
    KEPT_PAGE = 0x1fff,
    PAGE_SHIFT = 12,

    AREA_UNKNOWN = 4,
    CHAIN = 5, /* pgd p4d pud pmd pte */
};

static void put_zeros(struct writer *w, unsigned zero, unsigned n)
{
    while (n--)
        event_put(w, zero);
}

static void fault_entry(struct writer *w, const struct entry_ops *ops)
{
    struct probe_set *s = w->set;
    unsigned flags = probe_imm(s, 0), zero = probe_imm(s, 0), other = NO_JUMP;

    ops->fault(w, flags, &other);
    unsigned task = site_current(w);
    event_begin(w, TRACE_PAGE_FAULT_ENTRY);
    event_put_tid(w, task);
    event_put_comm(w, task);
    event_put(w, ops->fault_address(w));
    event_put(w, ops->fault_pc(w));
    event_put(w, flags);
    put_zeros(w, zero, 3);
    event_put(w, probe_imm(s, AREA_UNKNOWN));
    probe_put_chars(s, "", w->type->fields[w->field++].most);
    put_zeros(w, zero, 1 + CHAIN);
    if (other != NO_JUMP)
        probe_label(s, other);
}

/* Beside it, at the same place, of user mode's: what the exit wants to know. */
static void fault_keep(struct writer *w, const struct entry_ops *ops)
{
    struct probe_set *s = w->set;
    unsigned flags = probe_imm(s, 0), mark = probe_mark(s), other = NO_JUMP;

    ops->fault(w, flags, &other);
    unsigned user = probe_imm(s, FAULT_USER);
    probe_alu(s, WIRE_OP_AND, flags, user);
    unsigned inside = probe_jump(s, WIRE_OP_JNE, flags, user);
    probe_release(s, mark);
    unsigned task = site_caller(w), shift = probe_imm(s, PAGE_SHIFT);
    unsigned page = ops->fault_address(w), part = probe_imm(s, UINT16_MAX), mask = part;
    probe_keep(s, VAR_FAULTER, task, site_caller_id(w, task));
    part = probe_imm(s, 0);
    probe_alu(s, WIRE_OP_SHR, page, shift);
    probe_imm_into(s, shift, 16);
    for (unsigned i = 0; i < 2; i++) {
        probe_mov(s, part, page);
        probe_keep(s, VAR_FAULT + i, task, probe_alu(s, WIRE_OP_AND, part, mask));
        probe_alu(s, WIRE_OP_SHR, page, shift);
    }
    probe_alu(s, WIRE_OP_AND, page, probe_imm(s, KEPT_PAGE));
    probe_keep(s, VAR_FAULT + 2, task, probe_alu(s, WIRE_OP_OR, page, probe_imm(s, KEPT)));
    probe_label(s, inside);
    if (other != NO_JUMP)
        probe_label(s, other);
}

/* At a return. */
static void fault_exit(struct writer *w, const struct entry_ops *ops)
{
    struct probe_set *s = w->set;
    unsigned zero = probe_imm(s, 0);
    unsigned kernel = probe_jump(s, WIRE_OP_JNE, ops->stays(w), zero);
    unsigned task = site_caller(w), page = probe_recall(s, VAR_FAULT + 2, task);
    unsigned none = probe_jump(s, WIRE_OP_JEQ, page, zero);
    probe_keep(s, VAR_FAULT + 2, task, zero);
    unsigned was = probe_recall(s, VAR_FAULTER, task);
    unsigned another = probe_jump(s, WIRE_OP_JNE, was, site_caller_id(w, task));
    unsigned k = probe_imm(s, KEPT_PAGE);
    probe_alu(s, WIRE_OP_AND, page, k);
    probe_imm_into(s, k, 16);
    for (int i = 1; i >= 0; i--) {
        unsigned mark = probe_mark(s);
        probe_alu(s, WIRE_OP_SHL, page, k);
        probe_alu(s, WIRE_OP_OR, page, probe_recall(s, VAR_FAULT + (unsigned)i, task));
        probe_release(s, mark);
    }
    probe_imm_into(s, k, PAGE_SHIFT);
    probe_alu(s, WIRE_OP_SHL, page, k);
    event_begin(w, TRACE_PAGE_FAULT_EXIT);
    event_put_tid(w, task);
    event_put(w, page);
    put_zeros(w, zero, 1 + CHAIN);
    probe_label(s, another);
    probe_label(s, none);
    probe_label(s, kernel);
}

struct oscope_error *fault_probes(struct writer *w)
{
    AUTO_ENTRIES entries at = {0};

    TRY(entry_places(w, "page faults", &at));
    const struct entry_ops *ops = entry_of(w->pm);
    vec_each (struct entry, e, &at) {
        if (!ops->may_fault(e))
            continue;
        probe_exec(w->set, "page_fault_entry", e->at);
        fault_entry(w, ops);
        probe_end(w->set);
        probe_exec(w->set, "page_fault_keep", e->at);
        fault_keep(w, ops);
        probe_end(w->set);
    }
    probe_opcode(w->set, "page_fault_exit", ops->return_mask, ops->return_value);
    fault_exit(w, ops);
    probe_end(w->set);
    os_list_note(w->notes, "what lies at an address (area, file) and the page table's entries are "
                           "not told of kernels that a profile describes; nor are signals: a task "
                           "that is ended for a fault leaves it unfinished");
    return NULL;
}
