/* SPDX-License-Identifier: MIT */
/*
 * Probes of system calls of a kernel that a profile describes. They are seen where user mode asks
 * (riscv64: ecall, number in a7, arguments from a0 on; x86: int, whose number the profile says,
 * with the call's in eax) and where it goes on (sret, iret), whatever the kernel does in between,
 * or else at places that the profile says, with expressions.
 *
 * The call's number is kept under its task. A task that is killed leaves it there, for another one
 * in the same place: so a part of the id is kept, too, and must be the same at the end. A new task
 * returns from the call that made it: the profile says which, and where it begins to run. Without a
 * profile the user's page table (satp) stands for the task.
 */
#include "base/util.h"
#include "os/profile/callevents.h"
#include "os/profile/entry.h"

#include <stdlib.h>

enum { VAR_CALL = 0, VAR_CALLER = 1 };

static const enum profile_key arguments[ARCH_SYSCALL_ARGS] = {KEY_SYSCALL_ARG0, KEY_SYSCALL_ARG1,
                                                              KEY_SYSCALL_ARG2, KEY_SYSCALL_ARG3,
                                                              KEY_SYSCALL_ARG4, KEY_SYSCALL_ARG5};

/* False: some have no place. */
static bool make_map(const struct profile_model *pm, struct call_map *map)
{
    AUTO_FREE unsigned *numbers = calloc(pm->calls.len + 1, sizeof *numbers);

    *map = (struct call_map){.above = CALL_UNKNOWN};
    for (size_t i = 0; numbers && i < pm->calls.len; i++)
        numbers[i] = pm->calls.data[i].number;
    return numbers && call_map_make(numbers, pm->calls.len, map);
}

struct oscope_error *call_types(const struct profile_model *pm, struct trace_schema *schema)
{
    struct arch_syscall_args args;
    struct call_map map;

    make_map(pm, &map);
    for (size_t i = 0; i < pm->calls.len; i++) {
        const struct profile_call *c = &pm->calls.data[i];
        unsigned place = call_map_place(&map, c->number);
        if (place != CALL_UNKNOWN)
            TRY(call_add_types(schema, place, c->name, &c->args));
    }
    arch_syscall_args("unknown", &args);
    return call_add_types(schema, CALL_UNKNOWN, "unknown", &args);
}

static void make_tables(struct writer *w, struct call_tables *t)
{
    const struct profile_model *pm = w->pm;
    struct call_map map;

    if (!make_map(pm, &map))
        os_list_note(w->notes,
                     "some system calls have no names in events: the numbers that profile %s names "
                     "are too far apart, or too many",
                     pm->name);
    call_tables_init(t, &map);
    for (size_t i = 0; i < pm->calls.len; i++) {
        unsigned place = call_map_place(&map, pm->calls.data[i].number);
        if (place != CALL_UNKNOWN)
            call_tables_set(t, place, &pm->calls.data[i].args);
    }
}

/* ---- who calls ---- */

static void put_id(void *arg, struct probe_set *s, unsigned task)
{
    struct writer *w = arg;
    unsigned mark = probe_mark(s);

    probe_put(s, knows_current(w) ? task_id(w, task) : probe_imm(s, UINT64_MAX), 4);
    probe_release(s, mark);
}

/* ---- calls begin ---- */

static void by_register(void *arg, struct probe_set *s, unsigned into, unsigned i)
{
    struct writer *w = arg;

    probe_reg_into(s, into, entry_of(w->pm)->call_args[i]);
}

static void by_expression(void *arg, struct probe_set *s, unsigned into, unsigned i)
{
    struct writer *w = arg;
    unsigned mark = probe_mark(s);

    if (profile_has(w->pm, arguments[i]))
        probe_mov(s, into, site_number(w, arguments[i]));
    else
        probe_imm_into(s, into, 0);
    probe_release(s, mark);
}

/* Beside the event, at the same place. */
static void keep_caller(struct writer *w)
{
    unsigned task = site_caller(w);

    probe_keep(w->set, VAR_CALLER, task, site_caller_id(w, task));
}

static bool says_arguments(const struct profile_model *pm)
{
    for (size_t i = 0; i < ARRAY_SIZE(arguments); i++)
        if (profile_has(pm, arguments[i]))
            return true;
    return false;
}

/* At the instruction by which user mode asks. */
static void entries_by_insn(struct writer *w, const struct entry_ops *ops, uint64_t mask,
                            uint64_t value, const struct call_tables *t)
{
    const struct call_source from = {put_id, says_arguments(w->pm) ? by_expression : by_register,
                                     w};
    struct probe_set *s = w->set;
    struct call c;

    for (int caller = 0; caller < 2; caller++) {
        probe_opcode(s, caller ? "syscall_caller" : "syscall_entry", mask, value);
        unsigned mark = probe_mark(s), zero = probe_imm(s, 0);
        unsigned kernel = probe_jump(s, WIRE_OP_JNE, ops->calls(w), zero);
        probe_release(s, mark);
        if (caller) {
            keep_caller(w);
        } else {
            call_constants(s, &c);
            c.raw = profile_has(w->pm, KEY_SYSCALL_NUMBER) ? site_number(w, KEY_SYSCALL_NUMBER)
                                                           : probe_reg(s, ops->call_number);
            c.task = site_caller(w);
            call_put(s, &c, t, VAR_CALL, &from);
        }
        probe_label(s, kernel);
        probe_end(s);
    }
}

static struct oscope_error *entries_at(struct writer *w, const struct call_tables *t)
{
    AUTO_ADDRESSES addresses at = {0};
    struct probe_set *s = w->set;
    struct call c;

    TRY(sites_of(w->pm, KEY_SYSCALL_AT, &at));
    for (size_t i = 0; i < at.len; i++) {
        probe_exec(s, "syscall_entry", at.data[i]);
        call_constants(s, &c);
        c.raw = site_number(w, KEY_SYSCALL_NUMBER);
        c.task = site_caller(w);
        call_put(s, &c, t, VAR_CALL, &(struct call_source){put_id, by_expression, w});
        probe_end(s);
        probe_exec(s, "syscall_caller", at.data[i]);
        keep_caller(w);
        probe_end(s);
    }
    return NULL;
}

/* ---- calls return ---- */

/* The event, if that task is in a call; the result is what result() leaves in a new slot. */
static void put_return(struct writer *w, unsigned (*result)(struct writer *w))
{
    struct probe_set *s = w->set;
    unsigned task = site_caller(w), zero = probe_imm(s, 0), nr = probe_recall(s, VAR_CALL, task);
    unsigned none = probe_jump(s, WIRE_OP_JEQ, nr, zero);

    probe_keep(s, VAR_CALL, task, zero);
    unsigned was = probe_recall(s, VAR_CALLER, task);
    unsigned another = probe_jump(s, WIRE_OP_JNE, was, site_caller_id(w, task));
    probe_alu(s, WIRE_OP_SUB, nr, probe_imm(s, 1));
    probe_event_of(s, CALL_EXIT_FIRST, nr);
    put_id(w, s, task);
    unsigned value = result(w);
    if (w->pm->base.arch->ptr_size == 4)
        probe_sext(s, value, 4);
    probe_put(s, value, 8);
    probe_label(s, another);
    probe_label(s, none);
}

static unsigned result_register(struct writer *w)
{
    return probe_reg(w->set, entry_of(w->pm)->call_result);
}

static unsigned result_told(struct writer *w)
{
    return site_number(w, KEY_SYSCALL_RESULT);
}

static void exits_by_insn(struct writer *w, const struct entry_ops *ops)
{
    struct probe_set *s = w->set;

    probe_opcode(s, "syscall_exit", ops->return_mask, ops->return_value);
    unsigned mark = probe_mark(s), zero = probe_imm(s, 0);
    unsigned kernel = probe_jump(s, WIRE_OP_JNE, ops->stays(w), zero);
    probe_release(s, mark);
    put_return(w, result_register);
    probe_label(s, kernel);
    probe_end(s);
}

static struct oscope_error *exits_at(struct writer *w)
{
    AUTO_ADDRESSES addresses at = {0};

    TRY(sites_returns(w, KEY_SYSCALL_RETURNS, &at));
    for (size_t i = 0; i < at.len; i++) {
        probe_exec(w->set, "syscall_exit", at.data[i]);
        put_return(w, result_told);
        probe_end(w->set);
    }
    return NULL;
}

/* ---- new tasks ---- */

/* Where one begins to run: it is in the call that made it. The first task, which has no parent, was
 * made by none. */
static void put_start(struct writer *w, const struct call_tables *t, uint64_t number)
{
    struct probe_set *s = w->set;
    unsigned task = site_caller(w), first = 0, mark = probe_mark(s), zero = probe_imm(s, 0);

    keep_caller(w);
    probe_keep(s, VAR_CALL, task, zero);
    if (profile_has(w->pm, KEY_PARENT))
        first = probe_jump(s, WIRE_OP_JEQ, task_number(w, KEY_PARENT, task, 0), zero);
    probe_keep(s, VAR_CALL, task,
               probe_imm(s, 1U + t->numbers.values[call_map_place(&t->map, number)]));
    if (first)
        probe_label(s, first);
    probe_release(s, mark);
}

static struct oscope_error *starts(struct writer *w, const struct call_tables *t)
{
    AUTO_ADDRESSES addresses at = {0};
    uint64_t number = 0;

    TRY(sites_of(w->pm, KEY_FORK_START, &at));
    if (!knows_current(w))
        return NULL;
    if (!at.len || !profile_number(w->pm, KEY_FORK_CALL, 0, &number)) {
        os_list_note(w->notes,
                     "that a new task returns from the call that made it is not seen: profile %s "
                     "does not say %s",
                     w->pm->name, profile_key_name(at.len ? KEY_FORK_CALL : KEY_FORK_START));
        return NULL;
    }
    for (size_t i = 0; i < at.len; i++) {
        probe_exec(w->set, "syscall_start", at.data[i]);
        put_start(w, t, number);
        probe_end(w->set);
    }
    return NULL;
}

/* ---- the set ---- */

static struct oscope_error *calls_begin(struct writer *w, const struct call_tables *t)
{
    const struct entry_ops *ops = entry_of(w->pm);
    uint64_t mask, value;

    if (profile_value(w->pm, KEY_SYSCALL_AT)) {
        TRY(profile_need(w->pm, KEY_SYSCALL_NUMBER, "system calls"));
        return entries_at(w, t);
    }
    if (!ops || !ops->call(w, &mask, &value))
        return profile_need(w->pm, ops ? KEY_SYSCALL_VECTOR : KEY_SYSCALL_NUMBER,
                            ops ? "system calls" : "system calls of other architectures");
    entries_by_insn(w, ops, mask, value, t);
    return NULL;
}

static struct oscope_error *calls_end(struct writer *w)
{
    const struct entry_ops *ops = entry_of(w->pm);

    if (profile_value(w->pm, KEY_SYSCALL_RETURNS)) {
        TRY(profile_need(w->pm, KEY_SYSCALL_RESULT, "results of system calls"));
        return exits_at(w);
    }
    if (ops)
        exits_by_insn(w, ops);
    else
        os_list_note(w->notes, "results of system calls are not seen: profile %s does not say %s",
                     w->pm->name, profile_key_name(KEY_SYSCALL_RETURNS));
    return NULL;
}

struct oscope_error *call_probes(struct writer *w)
{
    const struct entry_ops *ops = entry_of(w->pm);
    struct call_tables t;

    if (!ops)
        TRY(profile_need(w->pm, KEY_CURRENT, "system calls of other architectures"));
    make_tables(w, &t);
    TRY(calls_begin(w, &t));
    TRY(calls_end(w));
    if (!w->pm->calls.len)
        os_list_note(w->notes, "system calls have no names: %s%s names none",
                     w->pm->text.entries.len ? "profile " : "there is no profile, it",
                     w->pm->text.entries.len ? w->pm->name : "");
    if (!knows_current(w) && ops)
        os_list_note(w->notes,
                     "who calls is not known: results are matched to calls by the page table (%s)",
                     ops->space);
    return starts(w, &t);
}
