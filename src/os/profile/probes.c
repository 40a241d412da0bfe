/* SPDX-License-Identifier: MIT */
/*
 * Event sets of a kernel that a profile describes, and the scheduler's events. They have the same
 * types as those of any other OS; what a profile does not tell is missing, and noted.
 */
#include "os/profile/entry.h"

#include "base/util.h"
#include "os/direct.h"

#include <string.h>

/* ---- what programs have in common ---- */

void event_begin(struct writer *w, uint16_t event)
{
    w->type = trace_builtin_type(event);
    w->field = 0;
    probe_event(w->set, event);
}

void event_put(struct writer *w, unsigned slot)
{
    probe_put(w->set, slot, trace_kind_size(w->type->fields[w->field++].kind));
}

static void put_number(struct writer *w, int64_t v)
{
    unsigned mark = probe_mark(w->set);

    event_put(w, probe_imm(w->set, (uint64_t)v));
    probe_release(w->set, mark);
}

void event_at(struct writer *w, uint16_t event, uint64_t at,
              void (*write)(struct writer *w, uint16_t event))
{
    probe_exec(w->set, trace_builtin_type(event)->name, at);
    write(w, event);
    probe_end(w->set);
    w->added = true;
}

void event_missing(struct writer *w, uint16_t event, enum profile_key key)
{
    os_list_note(w->notes, "no %s events: profile %s does not say %s",
                 trace_builtin_type(event)->name, w->pm->name, profile_key_name(key));
}

bool knows_current(const struct writer *w)
{
    return profile_has(w->pm, KEY_CURRENT) && profile_has(w->pm, KEY_ID);
}

/* The number that times odd is 1, of 64 bits. */
static uint64_t inverse(uint64_t odd)
{
    uint64_t x = odd; /* right in 3 bits; each step doubles them */

    for (int i = 0; i < 5; i++)
        x *= 2 - odd * x;
    return x;
}

/* Jumps if what is in the slot is no element of the array at base: divides by the elements' size,
 * odd << shift, with the inverse of the odd part, which makes a large number of all but multiples.
 */
static unsigned unless_element(struct writer *w, unsigned slot, uint64_t base, unsigned *bits)
{
    const struct profile_model *pm = w->pm;
    unsigned shift = (unsigned)__builtin_ctzll(pm->stride), mark = probe_mark(w->set);
    struct probe_set *s = w->set;
    unsigned k = probe_imm(s, base), n = probe_imm(s, 0);

    probe_mov(s, n, slot);
    probe_alu(s, WIRE_OP_SUB, n, k);
    probe_imm_into(s, k, inverse(pm->stride >> shift));
    probe_alu(s, WIRE_OP_MUL, n, k);
    probe_imm_into(s, k, (pm->count << shift) - 1);
    unsigned beyond = probe_jump(s, WIRE_OP_JLT, k, n);
    probe_imm_into(s, k, BIT(shift) - 1);
    probe_alu(s, WIRE_OP_AND, n, k);
    probe_imm_into(s, k, 0);
    *bits = probe_jump(s, WIRE_OP_JNE, n, k);
    probe_release(s, mark);
    return beyond;
}

/* What is no task (the scheduler's own context) becomes 0. */
static void only_tasks(struct writer *w, unsigned slot)
{
    struct profile_model *pm = w->pm;
    struct probe_set *s = w->set;
    uint64_t base;

    if (pm->tasks == TASKS_ARRAY && profile_number(pm, KEY_ARRAY, 0, &base)) {
        unsigned between, beyond = unless_element(w, slot, base, &between);
        unsigned is = probe_jump(s, WIRE_OP_JEQ, slot, slot);
        probe_label(s, beyond);
        probe_label(s, between);
        probe_imm_into(s, slot, 0);
        probe_label(s, is);
        return;
    }
    unsigned mark = probe_mark(s), lowest = probe_imm(s, ACCESS_NULL_PAGE - 1);
    unsigned is = probe_jump(s, WIRE_OP_JLT, lowest, slot);
    probe_imm_into(s, slot, 0);
    probe_label(s, is);
    probe_release(s, mark);
}

unsigned site_current(struct writer *w)
{
    if (!profile_has(w->pm, KEY_CURRENT))
        return probe_imm(w->set, 0);
    unsigned task = emit_access(w->set, &w->pm->access[KEY_CURRENT], 0);
    only_tasks(w, task);
    return task;
}

unsigned site_number(struct writer *w, enum profile_key key)
{
    const struct access *a = &w->pm->access[key];
    unsigned result = probe_imm(w->set, 0), task = 0;

    if (access_uses_task(a))
        task = site_current(w);
    probe_mov(w->set, result, emit_access(w->set, a, task));
    probe_release(w->set, result + 1);
    return result;
}

unsigned site_task(struct writer *w, enum profile_key key)
{
    unsigned task = site_number(w, key);

    only_tasks(w, task);
    return task;
}

unsigned task_number(struct writer *w, enum profile_key key, unsigned task, int64_t otherwise)
{
    if (!profile_has(w->pm, key))
        return probe_imm(w->set, (uint64_t)otherwise);
    return emit_access(w->set, &w->pm->access[key], task);
}

/* -1 if the profile does not tell it. */
static void put_of_task(struct writer *w, enum profile_key key, unsigned task)
{
    unsigned mark = probe_mark(w->set);

    event_put(w, task_number(w, key, task, -1));
    probe_release(w->set, mark);
}

static void put_id(struct writer *w, unsigned task)
{
    put_of_task(w, KEY_ID, task);
}

void event_put_tid(struct writer *w, unsigned task)
{
    if (knows_current(w))
        put_id(w, task);
    else
        put_number(w, -1);
}

/* The address, without a check whether it is one. */
unsigned site_caller(struct writer *w)
{
    const struct entry_ops *ops = entry_of(w->pm);

    if (!knows_current(w) && !ops)
        return probe_imm(w->set, 0);
    return knows_current(w) ? emit_access(w->set, &w->pm->access[KEY_CURRENT], 0)
                            : probe_reg(w->set, ops->space);
}

unsigned site_caller_id(struct writer *w, unsigned task)
{
    enum { ID_BITS = 0x7fff };
    struct probe_set *s = w->set;

    if (!knows_current(w))
        return probe_imm(s, 1);
    unsigned id = task_number(w, KEY_ID, task, 0), mark = probe_mark(s);
    probe_alu(s, WIRE_OP_AND, id, probe_imm(s, ID_BITS));
    probe_alu(s, WIRE_OP_ADD, id, probe_imm(s, 1));
    probe_release(s, mark);
    return id;
}

void event_put_comm(struct writer *w, unsigned task)
{
    const struct profile_entry *idle = profile_text_find(&w->pm->text, "switch", "idle");
    const struct access *a = &w->pm->access[KEY_NAME];
    struct probe_set *s = w->set;
    unsigned mark = probe_mark(s), most = w->type->fields[w->field++].most, zero = probe_imm(s, 0);
    unsigned some = probe_jump(s, WIRE_OP_JNE, task, zero);

    probe_put_chars(s, idle ? idle->value : "idle", most);
    unsigned done = probe_jump(s, WIRE_OP_JEQ, zero, zero);
    probe_label(s, some);
    if (a->n && a->object && a->size < most)
        most = (unsigned)a->size;
    if (a->n)
        probe_put_str(s, emit_access(s, a, task), most);
    else
        probe_put_chars(s, "", most);
    probe_label(s, done);
    probe_release(s, mark);
}

/* ---- states ---- */

/* The numbers that events have for the letters (events.toml, prev_state). */
static uint16_t state_number(const char *letter)
{
    static const struct {
        char letter;
        uint16_t number;
    } letters[] = {{'S', 1},    {'D', 2},    {'T', 4},    {'t', 8},
                   {'X', 0x10}, {'Z', 0x20}, {'P', 0x40}, {'I', 0x80}};

    for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
        if (letters[i].letter == letter[0])
            return letters[i].number;
    return 0;
}

/* By the kernel's value. */
static unsigned by_state(struct writer *w, unsigned value)
{
    struct probe_table t = {{0}};

    for (size_t i = 0; i < w->pm->nstates; i++) {
        const struct profile_state *st = &w->pm->states[i];
        if (st->value >= 0 && st->value < WIRE_TABLE - 1)
            t.values[st->value] = state_number(st->letter);
        else
            os_list_note(w->notes, "state %lld is too large a number: shown as runnable",
                         (long long)st->value);
    }
    return probe_table(w->set, &t, value);
}

static void put_state(struct writer *w, unsigned task)
{
    struct probe_set *s = w->set;
    unsigned mark = probe_mark(s), zero = probe_imm(s, 0), number = probe_imm(s, 0);
    unsigned idle = probe_jump(s, WIRE_OP_JEQ, task, zero);

    if (profile_has(w->pm, KEY_STATE))
        probe_mov(s, number, by_state(w, task_number(w, KEY_STATE, task, 0)));
    probe_label(s, idle);
    event_put(w, number);
    probe_release(s, mark);
}

/* ---- the scheduler's events ---- */

/* Without [switch] to the current task is the next one, if it is not the one before: then a context
 * of the scheduler's own is. */
static unsigned next_task(struct writer *w, unsigned from)
{
    if (profile_has(w->pm, KEY_SWITCH_TO))
        return site_task(w, KEY_SWITCH_TO);
    unsigned to = site_current(w);
    unsigned other = probe_jump(w->set, WIRE_OP_JNE, to, from);
    probe_imm_into(w->set, to, 0);
    probe_label(w->set, other);
    return to;
}

/* 0 where [switch] leaves says that the scheduler is left: then `from` would be nonsense. */
static unsigned task_before(struct writer *w)
{
    struct probe_set *s = w->set;

    if (!profile_has(w->pm, KEY_SWITCH_LEAVES))
        return site_task(w, KEY_SWITCH_FROM);
    unsigned from = probe_imm(s, 0), mark = probe_mark(s);
    unsigned idle = probe_jump(s, WIRE_OP_JEQ, site_number(w, KEY_SWITCH_LEAVES), from);
    probe_release(s, mark);
    probe_mov(s, from, site_task(w, KEY_SWITCH_FROM));
    probe_release(s, mark);
    probe_label(s, idle);
    return from;
}

static void put_switch(struct writer *w, uint16_t event)
{
    unsigned from = task_before(w), to = next_task(w, from);

    event_begin(w, event);
    event_put_comm(w, from);
    put_id(w, from);
    put_number(w, 0);
    put_state(w, from);
    event_put_comm(w, to);
    put_id(w, to);
    put_number(w, 0);
}

/* sched_waking and sched_wakeup have the same fields. */
static void put_woken(struct writer *w, uint16_t event, unsigned task)
{
    event_begin(w, event);
    event_put_comm(w, task);
    put_id(w, task);
    put_number(w, 0);
    put_of_task(w, KEY_TASK_CPU, task);
}

static void put_wakeup(struct writer *w, uint16_t event)
{
    unsigned task = site_task(w, KEY_WAKEUP_TASK);
    unsigned none = probe_jump(w->set, WIRE_OP_JEQ, task, probe_imm(w->set, 0));

    put_woken(w, event, task);
    probe_label(w->set, none);
}

/* The child's name is its parent's: it may not have been copied yet. One that nobody made (the
 * first) has its own. */
static void put_fork(struct writer *w, uint16_t event)
{
    struct probe_set *s = w->set;
    bool has_child = profile_has(w->pm, KEY_FORK_CHILD);
    unsigned parent =
        profile_has(w->pm, KEY_FORK_PARENT) ? site_task(w, KEY_FORK_PARENT) : site_current(w);
    unsigned child = has_child ? site_task(w, KEY_FORK_CHILD) : parent;
    unsigned id = has_child ? task_number(w, KEY_ID, child, -1) : site_number(w, KEY_FORK_CHILD_ID);
    unsigned zero = probe_imm(s, 0), named = probe_imm(s, 0);

    unsigned some = probe_jump(s, WIRE_OP_JSLT, zero, id);
    unsigned failed = probe_jump(s, WIRE_OP_JEQ, zero, zero);
    probe_label(s, some);
    probe_mov(s, named, child);
    unsigned first = probe_jump(s, WIRE_OP_JEQ, parent, zero);
    probe_mov(s, named, parent);
    probe_label(s, first);
    event_begin(w, event);
    event_put_comm(w, parent);
    put_id(w, parent);
    put_id(w, parent);
    event_put_comm(w, named);
    event_put(w, id);
    event_put(w, id);
    probe_label(s, failed);
}

static void put_exit(struct writer *w, uint16_t event)
{
    unsigned task =
        profile_has(w->pm, KEY_EXIT_TASK) ? site_task(w, KEY_EXIT_TASK) : site_current(w);

    event_begin(w, event);
    event_put_comm(w, task);
    put_id(w, task);
    put_number(w, 0);
}

static void put_exec(struct writer *w, uint16_t event)
{
    struct probe_set *s = w->set;
    enum profile_key path = profile_has(w->pm, KEY_EXEC_PATH) ? KEY_EXEC_PATH : KEY_NAME;
    bool checks = profile_has(w->pm, KEY_EXEC_RESULT);
    unsigned task = site_current(w), failed = 0;

    if (checks) {
        unsigned result = site_number(w, KEY_EXEC_RESULT);
        failed = probe_jump(s, WIRE_OP_JSLT, result, probe_imm(s, 0));
    }
    unsigned at =
        path == KEY_NAME ? emit_access(s, &w->pm->access[KEY_NAME], task) : site_number(w, path);
    event_begin(w, event);
    probe_put_str(s, at, w->type->fields[w->field++].most);
    put_id(w, task);
    put_id(w, task);
    if (checks)
        probe_label(s, failed);
}

#define NO_KEY PROFILE_KEYS

static const struct tracepoint {
    uint16_t event;
    enum profile_key at, returns; /* its places: NO_KEY: not so */
    enum profile_key needs, or ;  /* one of them */
    bool current;                 /* and the current task */
    void (*write)(struct writer *w, uint16_t event);
} tracepoints[] = {
    {TRACE_SCHED_WAKING, KEY_WAKEUP_AT, NO_KEY, KEY_WAKEUP_TASK, NO_KEY, false, put_wakeup},
    {TRACE_SCHED_WAKEUP, KEY_WAKEUP_AT, NO_KEY, KEY_WAKEUP_TASK, NO_KEY, false, put_wakeup},
    {TRACE_SCHED_PROCESS_FORK, KEY_FORK_AT, KEY_FORK_RETURNS, KEY_FORK_CHILD, KEY_FORK_CHILD_ID,
     true, put_fork},
    {TRACE_SCHED_PROCESS_EXIT, KEY_EXIT_AT, NO_KEY, KEY_ID, NO_KEY, true, put_exit},
    {TRACE_SCHED_PROCESS_EXEC, KEY_EXEC_AT, KEY_EXEC_RETURNS, KEY_EXEC_PATH, KEY_NAME, true,
     put_exec},
};

static bool lacks(struct writer *w, uint16_t event, enum profile_key key)
{
    if (profile_has(w->pm, key))
        return false;
    event_missing(w, event, key);
    return true;
}

static struct oscope_error *tracepoint(struct writer *w, const struct tracepoint *t)
{
    AUTO_ADDRESSES addresses at = {0};

    if (!profile_value(w->pm, t->at) &&
        (t->returns == NO_KEY || !profile_value(w->pm, t->returns))) {
        event_missing(w, t->event, t->at);
        return NULL;
    }
    if (!(t->or != NO_KEY && profile_has(w->pm, t->or)) && lacks(w, t->event, t->needs))
        return NULL;
    if (t->current && lacks(w, t->event, KEY_CURRENT))
        return NULL;
    TRY(sites_of(w->pm, t->at, &at));
    if (t->returns != NO_KEY)
        TRY(sites_returns(w, t->returns, &at));
    for (size_t i = 0; i < at.len; i++)
        event_at(w, t->event, at.data[i], t->write);
    return NULL;
}

/* ---- wake-ups, where no function has the task as its argument ---- */

/* Before the store: what is stored means runnable, what is there still means asleep. */
static void put_store(struct writer *w, uint16_t event)
{
    enum { ASLEEP = 3 }; /* S or D */
    const struct site_store *store = w->store;
    struct probe_set *s = w->set;
    unsigned task = probe_reg(s, store->object), zero = probe_imm(s, 0);

    only_tasks(w, task);
    unsigned none = probe_jump(s, WIRE_OP_JEQ, task, zero);
    unsigned mark = probe_mark(s);
    unsigned value = store->value ? probe_reg(s, store->value) : probe_imm(s, store->number);
    unsigned other = probe_jump(s, WIRE_OP_JNE, by_state(w, value), zero);
    unsigned old = by_state(w, task_number(w, KEY_STATE, task, 0));
    probe_alu(s, WIRE_OP_AND, old, probe_imm(s, ASLEEP));
    unsigned awake = probe_jump(s, WIRE_OP_JEQ, old, zero);
    probe_release(s, mark);
    put_woken(w, event, task);
    probe_label(s, none);
    probe_label(s, other);
    probe_label(s, awake);
}

/* The state as a plain member; false: it is more than that. */
static bool plain_state(const struct profile_model *pm, uint64_t *offset, unsigned *size)
{
    const struct access *a = &pm->access[KEY_STATE];

    if (a->n != 2 || a->code[0].op != ACCESS_TASK || a->code[1].op != ACCESS_LOAD)
        return false;
    *offset = a->code[1].imm;
    *size = a->code[1].size;
    return true;
}

static struct oscope_error *stores(struct writer *w)
{
    site_stores found = {0};
    uint64_t offset;
    unsigned size;

    if (!plain_state(w->pm, &offset, &size)) {
        os_list_note(w->notes, "no sched_wakeup events: %s is no plain member of a task",
                     profile_key_name(KEY_STATE));
        return NULL;
    }
    struct oscope_error *err = sites_stores(w, KEY_WAKEUP_STORES, offset, size, &found);
    for (size_t i = 0; !err && i < found.len; i++) {
        w->store = &found.data[i];
        event_at(w, TRACE_SCHED_WAKING, w->store->at, put_store);
        event_at(w, TRACE_SCHED_WAKEUP, w->store->at, put_store);
    }
    w->store = NULL;
    vec_free(&found);
    return err;
}

/* ---- sets ---- */

static struct oscope_error *sched(struct writer *w)
{
    AUTO_ADDRESSES addresses at = {0};

    TRY(profile_need(w->pm, KEY_ID, "events of tasks"));
    TRY(sites_of(w->pm, KEY_SWITCH_AT, &at));
    if (!at.len)
        event_missing(w, TRACE_SCHED_SWITCH, KEY_SWITCH_AT);
    else if (!lacks(w, TRACE_SCHED_SWITCH, KEY_SWITCH_FROM) &&
             (profile_has(w->pm, KEY_CURRENT) || !lacks(w, TRACE_SCHED_SWITCH, KEY_SWITCH_TO)))
        for (size_t i = 0; i < at.len; i++)
            event_at(w, TRACE_SCHED_SWITCH, at.data[i], put_switch);
    for (size_t i = 0; i < ARRAY_SIZE(tracepoints); i++) {
        bool other = tracepoints[i].at == KEY_WAKEUP_AT && profile_value(w->pm, KEY_WAKEUP_STORES);
        if (!other)
            TRY(tracepoint(w, &tracepoints[i]));
    }
    if (profile_value(w->pm, KEY_WAKEUP_STORES))
        TRY(stores(w));
    return w->added ? NULL
                    : error_new(OSCOPE_E_UNSUPPORTED,
                                "no event of set 'sched' can be had: profile %s does not say where",
                                w->pm->name);
}

static struct oscope_error *no_boot(struct writer *w)
{
    return error_new(OSCOPE_E_UNSUPPORTED,
                     "the start of a kernel that a profile describes (%s) has no events",
                     w->pm->name);
}

static const struct {
    const char *name;
    struct oscope_error *(*write)(struct writer *w);
    bool in_all;
} sets[] = {
    {"sched", sched, true},        {"modes", entry_modes, true}, /* traps, too */
    {"traps", entry_traps, false}, {"syscalls", call_probes, true}, {"faults", fault_probes, true},
    {"irq", irq_probes, true},     {"boot", no_boot, false},        {"lock", lock_probes, false},
    {"kmem", page_probes, false},
};

/* What another set than the only one asked for lacks is noted. */
static struct oscope_error *all_sets(struct writer *w)
{
    bool any = false;

    for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
        if (!sets[i].in_all)
            continue;
        w->added = false;
        struct oscope_error *err = sets[i].write(w);
        any |= !err;
        if (err && err->code != OSCOPE_E_UNSUPPORTED)
            return err;
        if (err)
            os_list_note(w->notes, "%s", err->message);
        oscope_error_free(err);
    }
    return any ? NULL : error_new(OSCOPE_E_UNSUPPORTED, "no events can be had of this kernel");
}

/* 32-bit code on a machine that could do 64: its registers have other names there. */
static void name_registers(const struct profile_model *pm, struct probe_set *s)
{
    if (!pm->machine || strcmp(pm->base.arch->name, "i386") != 0 ||
        strcmp(pm->machine->name, "x86_64") != 0)
        return;
    for (unsigned i = 0; i < s->nregisters; i++)
        if (s->registers[i][0] == 'e' && strlen(s->registers[i]) == 3)
            s->registers[i][0] = 'r'; /* eax, esp, eip … */
}

static struct oscope_error *write_set(struct writer *w, const char *set)
{
    if (!strcmp(set, "all"))
        return all_sets(w);
    for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
        if (!strcmp(sets[i].name, set))
            return sets[i].write(w);
    return error_new(OSCOPE_E_NOT_FOUND,
                     "event set '%s' is not known of kernels that a profile describes", set);
}

struct oscope_error *profile_probes(struct os_model *m, const char *set, struct probe_set *out,
                                    struct trace_schema *schema, struct os_list *notes)
{
    struct profile_model *pm = profile_of(m);
    struct writer w = {.pm = pm, .set = out, .notes = notes};

    if (!m->arch->args && !m->arch->stack_args)
        return error_new(OSCOPE_E_UNSUPPORTED, "events of %s guests are not known to oscope",
                         m->arch->name);
    TRY(call_types(pm, schema));
    os_direct(&m->kernel, out);
    TRY(write_set(&w, set));
    name_registers(pm, out);
    return NULL;
}
