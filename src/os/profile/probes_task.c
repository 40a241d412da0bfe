/* SPDX-License-Identifier: MIT */
/*
 * Tasks in programs of probes, and their threads: which one runs, what a key yields, ids and names.
 * Where a profile tells threads apart a slot holds the address of a thread, which leads to its
 * task, a process; who_is_thread() knows by the type of what a key yields.
 */
#include "os/profile/entry.h"

#include "base/util.h"

bool knows_current(const struct writer *w)
{
    return profile_has(w->pm, KEY_CURRENT) && profile_has(w->pm, KEY_ID);
}

/* ---- what is a task ---- */

/* The number that times odd is 1, of 64 bits. */
static uint64_t inverse(uint64_t odd)
{
    uint64_t x = odd; /* right in 3 bits; each step doubles them */

    for (int i = 0; i < 5; i++)
        x *= 2 - odd * x;
    return x;
}

/* Of n elements of that size from base on. */
struct row_of {
    uint64_t base, stride, n;
};

/* What is in the slot becomes 0, unless `of`, another slot, is the address of one: divides by the
 * elements' size, odd << shift, with the inverse of the odd part, which makes a large number of all
 * but multiples. `of` may be the same slot. */
static void only_elements(struct writer *w, unsigned slot, unsigned of, const struct row_of *row)
{
    unsigned shift = (unsigned)__builtin_ctzll(row->stride), mark = probe_mark(w->set);
    struct probe_set *s = w->set;
    unsigned k = probe_imm(s, row->base), n = probe_imm(s, 0);

    probe_mov(s, n, of);
    probe_alu(s, WIRE_OP_SUB, n, k);
    probe_imm_into(s, k, inverse(row->stride >> shift));
    probe_alu(s, WIRE_OP_MUL, n, k);
    probe_imm_into(s, k, (row->n << shift) - 1);
    unsigned beyond = probe_jump(s, WIRE_OP_JLT, k, n);
    probe_imm_into(s, k, BIT(shift) - 1);
    probe_alu(s, WIRE_OP_AND, n, k);
    probe_imm_into(s, k, 0);
    unsigned is = probe_jump(s, WIRE_OP_JEQ, n, k);
    probe_label(s, beyond);
    probe_imm_into(s, slot, 0);
    probe_label(s, is);
    probe_release(s, mark);
}

/* Turns the slot's thread into its process, in a new slot. */
static struct who to_process(struct writer *w, struct who who)
{
    unsigned slot = emit_access(w->set, &w->pm->access[KEY_THREAD_PROCESS], who.slot);

    return (struct who){slot, false};
}

/* Do threads lie in their task? Then at these distances from it. */
static bool threads_within(const struct profile_model *pm, struct row_of *out)
{
    const struct access *a = &pm->threads.first;

    *out = (struct row_of){a->n == 2 ? a->code[1].imm : 0, pm->threads.stride, pm->threads.fixed};
    return pm->threads.fixed && !pm->threads.element.n && a->code[0].op == ACCESS_TASK &&
           (a->n == 1 || (a->n == 2 && a->code[1].op == ACCESS_ADDI));
}

/* A thread lies in the process that it says it is of. */
static void only_threads(struct writer *w, unsigned slot, const struct row_of *row)
{
    struct probe_set *s = w->set;
    unsigned distance = probe_imm(s, 0), mark = probe_mark(s);

    probe_mov(s, distance, slot);
    probe_alu(s, WIRE_OP_SUB, distance, to_process(w, (struct who){slot, true}).slot);
    probe_release(s, mark);
    only_elements(w, slot, distance, row);
    probe_release(s, distance);
}

void who_only(struct writer *w, struct who who)
{
    struct profile_model *pm = w->pm;
    struct probe_set *s = w->set;
    struct row_of row;

    if (who.thread && threads_within(pm, &row)) {
        only_threads(w, who.slot, &row);
        return;
    }
    row = (struct row_of){0, pm->stride, pm->count};
    if (!who.thread && pm->tasks == TASKS_ARRAY && profile_number(pm, KEY_ARRAY, 0, &row.base)) {
        only_elements(w, who.slot, who.slot, &row);
        return;
    }
    unsigned mark = probe_mark(s), lowest = probe_imm(s, ACCESS_NULL_PAGE - 1);
    unsigned is = probe_jump(s, WIRE_OP_JLT, lowest, who.slot);
    probe_imm_into(s, who.slot, 0);
    probe_label(s, is);
    probe_release(s, mark);
}

/* ---- which ---- */

/* Threads have ids in events if what is known of one leads to its process and to its place there.
 */
static bool has_thread_ids(const struct profile_model *pm)
{
    struct row_of row;

    return pm->thread && profile_has(pm, KEY_THREAD_PROCESS) &&
           (profile_has(pm, KEY_THREAD_ID) || threads_within(pm, &row));
}

bool tells_threads(const struct writer *w)
{
    return has_thread_ids(w->pm) && profile_has(w->pm, KEY_CURRENT_THREAD);
}

bool who_is_thread(const struct writer *w, enum profile_key key)
{
    const struct type *to = profile_pointee(w->pm, w->pm->access[key].type);

    return has_thread_ids(w->pm) && to && profile_same_type(to, w->pm->thread);
}

static enum profile_key current_key(const struct writer *w)
{
    return tells_threads(w) ? KEY_CURRENT_THREAD : KEY_CURRENT;
}

struct who who_current(struct writer *w)
{
    struct who who = {.thread = tells_threads(w)};

    if (!profile_has(w->pm, KEY_CURRENT)) {
        who.slot = probe_imm(w->set, 0);
        return who;
    }
    who.slot = emit_access(w->set, &w->pm->access[current_key(w)], 0);
    who_only(w, who);
    return who;
}

unsigned site_current(struct writer *w)
{
    return who_current(w).slot;
}

/* What is `task` in an expression: never a thread. */
static unsigned current_process(struct writer *w)
{
    struct who who = {.thread = false};

    if (!profile_has(w->pm, KEY_CURRENT))
        return probe_imm(w->set, 0);
    who.slot = emit_access(w->set, &w->pm->access[KEY_CURRENT], 0);
    who_only(w, who);
    return who.slot;
}

unsigned site_number(struct writer *w, enum profile_key key)
{
    const struct access *a = &w->pm->access[key];
    unsigned result = probe_imm(w->set, 0), task = 0;

    if (access_uses_task(a))
        task = current_process(w);
    probe_mov(w->set, result, emit_access(w->set, a, task));
    probe_release(w->set, result + 1);
    return result;
}

struct who who_of(struct writer *w, enum profile_key key)
{
    struct who who = {site_number(w, key), who_is_thread(w, key)};

    who_only(w, who);
    return who;
}

/* ---- numbers of it ---- */

unsigned who_number(struct writer *w, enum profile_key key, struct who who, int64_t otherwise)
{
    enum profile_key own = profile_thread_key(key);
    struct probe_set *s = w->set;

    if (who.thread && own < PROFILE_KEYS && profile_has(w->pm, own))
        return emit_access(s, &w->pm->access[own], who.slot);
    if (!profile_has(w->pm, key))
        return probe_imm(s, (uint64_t)otherwise);
    if (!who.thread)
        return emit_access(s, &w->pm->access[key], who.slot);
    unsigned result = to_process(w, who).slot;
    probe_mov(s, result, emit_access(s, &w->pm->access[key], result));
    probe_release(s, result + 1);
    return result;
}

/* The number of a thread in its process, which is in that slot. */
static unsigned place(struct writer *w, struct who who, struct who process)
{
    const struct profile_model *pm = w->pm;
    struct probe_set *s = w->set;

    if (profile_has(pm, KEY_THREAD_ID))
        return emit_access(s, &pm->access[KEY_THREAD_ID], who.slot);
    unsigned shift = (unsigned)__builtin_ctzll(pm->threads.stride);
    unsigned n = probe_imm(s, 0), mark = probe_mark(s);
    probe_mov(s, n, who.slot);
    probe_alu(s, WIRE_OP_SUB, n, emit_access(s, &pm->threads.first, process.slot));
    probe_alu(s, WIRE_OP_MUL, n, probe_imm(s, inverse(pm->threads.stride >> shift)));
    probe_alu(s, WIRE_OP_SHR, n, probe_imm(s, shift));
    probe_release(s, mark);
    return n;
}

/* 0 of what is none. */
unsigned who_id(struct writer *w, struct who who)
{
    struct probe_set *s = w->set;

    if (!who.thread)
        return who_number(w, KEY_ID, who, -1);
    unsigned id = probe_imm(s, 0), mark = probe_mark(s);
    unsigned none = probe_jump(s, WIRE_OP_JEQ, who.slot, id);
    struct who process = to_process(w, who);
    probe_mov(s, id, emit_access(s, &w->pm->access[KEY_ID], process.slot));
    unsigned n = place(w, who, process);
    probe_alu(s, WIRE_OP_MUL, n, probe_imm(s, OSCOPE_THREAD));
    probe_alu(s, WIRE_OP_ADD, id, n);
    probe_label(s, none);
    probe_release(s, mark);
    return id;
}

/* -1 if the profile does not tell it. */
void who_put(struct writer *w, enum profile_key key, struct who who)
{
    unsigned mark = probe_mark(w->set);

    event_put(w, who_number(w, key, who, -1));
    probe_release(w->set, mark);
}

void who_put_id(struct writer *w, struct who who)
{
    unsigned mark = probe_mark(w->set);

    event_put(w, who_id(w, who));
    probe_release(w->set, mark);
}

void who_put_process(struct writer *w, struct who who)
{
    unsigned mark = probe_mark(w->set);

    if (who.thread)
        who = to_process(w, who);
    event_put(w, who_number(w, KEY_ID, who, -1));
    probe_release(w->set, mark);
}

void who_put_comm(struct writer *w, struct who who)
{
    const struct profile_entry *idle = profile_text_find(&w->pm->text, "switch", "idle");
    const struct access *a = &w->pm->access[KEY_NAME];
    struct probe_set *s = w->set;
    unsigned mark = probe_mark(s), most = w->type->fields[w->field++].most, zero = probe_imm(s, 0);
    unsigned some = probe_jump(s, WIRE_OP_JNE, who.slot, zero);

    probe_put_chars(s, idle ? idle->value : "idle", most);
    unsigned done = probe_jump(s, WIRE_OP_JEQ, zero, zero);
    probe_label(s, some);
    if (a->n && a->object && a->size < most)
        most = (unsigned)a->size;
    if (a->n)
        probe_put_str(s, who_number(w, KEY_NAME, who, 0), most);
    else
        probe_put_chars(s, "", most);
    probe_label(s, done);
    probe_release(s, mark);
}

/* ---- of the current one ---- */

static struct who current_in(const struct writer *w, unsigned slot)
{
    return (struct who){slot, tells_threads(w)};
}

unsigned task_number(struct writer *w, enum profile_key key, unsigned task, int64_t otherwise)
{
    return who_number(w, key, current_in(w, task), otherwise);
}

unsigned task_id(struct writer *w, unsigned task)
{
    return who_id(w, current_in(w, task));
}

void event_put_tid(struct writer *w, unsigned task)
{
    if (knows_current(w))
        who_put_id(w, current_in(w, task));
    else
        event_put_number(w, -1);
}

void event_put_comm(struct writer *w, unsigned task)
{
    who_put_comm(w, current_in(w, task));
}

/* The address, without a check whether it is one. */
unsigned site_caller(struct writer *w)
{
    const struct entry_ops *ops = entry_of(w->pm);

    if (!knows_current(w) && !ops)
        return probe_imm(w->set, 0);
    return knows_current(w) ? emit_access(w->set, &w->pm->access[current_key(w)], 0)
                            : probe_reg(w->set, ops->space);
}

unsigned site_caller_id(struct writer *w, unsigned task)
{
    enum { ID_BITS = 0x7fff };
    struct probe_set *s = w->set;

    if (!knows_current(w))
        return probe_imm(s, 1);
    unsigned id = task_id(w, task), mark = probe_mark(s);
    probe_alu(s, WIRE_OP_AND, id, probe_imm(s, ID_BITS));
    probe_alu(s, WIRE_OP_ADD, id, probe_imm(s, 1));
    probe_release(s, mark);
    return id;
}
