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
static unsigned by_state(struct writer *w, bool thread, unsigned value)
{
    const struct profile_states *states = thread ? &w->pm->thread_states : &w->pm->states;
    struct probe_table t = {{0}};

    for (size_t i = 0; i < states->n; i++) {
        const struct profile_state *st = &states->of[i];
        if (st->value >= 0 && st->value < WIRE_TABLE - 1)
            t.values[st->value] = state_number(st->none ? "X" : st->letter);
        else
            os_list_note(w->notes, "state %lld is too large a number: shown as runnable",
                         (long long)st->value);
    }
    return probe_table(w->set, &t, value);
}

static void put_state(struct writer *w, struct who who)
{
    enum profile_key key = who.thread ? KEY_THREAD_STATE : KEY_STATE;
    struct probe_set *s = w->set;
    unsigned mark = probe_mark(s), zero = probe_imm(s, 0), number = probe_imm(s, 0);
    unsigned idle = probe_jump(s, WIRE_OP_JEQ, who.slot, zero);

    if (profile_has(w->pm, key))
        probe_mov(s, number, by_state(w, who.thread, who_number(w, KEY_STATE, who, 0)));
    probe_label(s, idle);
    event_put(w, number);
    probe_release(s, mark);
}

/* ---- the scheduler's events ---- */

/* Without [switch] to the current task is the next one, if it is not the one before: then a context
 * of the scheduler's own is. */
static struct who next_task(struct writer *w, struct who from)
{
    struct probe_set *s = w->set;

    if (profile_has(w->pm, KEY_SWITCH_TO))
        return who_of(w, KEY_SWITCH_TO);
    struct who to = who_current(w);
    if (to.thread && !from.thread) {
        /* the profile tells only the process it was: so that they can be compared */
        to = (struct who){.slot = emit_access(s, &w->pm->access[KEY_CURRENT], 0)};
        who_only(w, to);
    }
    unsigned other = probe_jump(s, WIRE_OP_JNE, to.slot, from.slot);
    probe_imm_into(s, to.slot, 0);
    probe_label(s, other);
    return to;
}

/* 0 where [switch] leaves says that the scheduler is left: then `from` would be nonsense. */
static struct who task_before(struct writer *w)
{
    struct probe_set *s = w->set;

    if (!profile_has(w->pm, KEY_SWITCH_LEAVES))
        return who_of(w, KEY_SWITCH_FROM);
    unsigned from = probe_imm(s, 0), mark = probe_mark(s);
    unsigned idle = probe_jump(s, WIRE_OP_JEQ, site_number(w, KEY_SWITCH_LEAVES), from);
    probe_release(s, mark);
    struct who who = who_of(w, KEY_SWITCH_FROM);
    probe_mov(s, from, who.slot);
    probe_release(s, mark);
    probe_label(s, idle);
    return (struct who){from, who.thread};
}

static void put_switch(struct writer *w, uint16_t event)
{
    struct who from = task_before(w), to = next_task(w, from);

    event_begin(w, event);
    who_put_comm(w, from);
    who_put_id(w, from);
    event_put_number(w, 0);
    put_state(w, from);
    who_put_comm(w, to);
    who_put_id(w, to);
    event_put_number(w, 0);
}

/* sched_waking and sched_wakeup have the same fields. */
static void put_woken(struct writer *w, uint16_t event, struct who task)
{
    event_begin(w, event);
    who_put_comm(w, task);
    who_put_id(w, task);
    event_put_number(w, 0);
    who_put(w, KEY_TASK_CPU, task);
}

static void put_wakeup(struct writer *w, uint16_t event)
{
    struct who task = who_of(w, KEY_WAKEUP_TASK);
    unsigned none = probe_jump(w->set, WIRE_OP_JEQ, task.slot, probe_imm(w->set, 0));

    put_woken(w, event, task);
    probe_label(w->set, none);
}

/* The child's name is its parent's: it may not have been copied yet. One that nobody made (the
 * first) has its own. */
static void put_fork(struct writer *w, uint16_t event)
{
    struct probe_set *s = w->set;
    bool has_child = profile_has(w->pm, KEY_FORK_CHILD);
    struct who parent =
        profile_has(w->pm, KEY_FORK_PARENT) ? who_of(w, KEY_FORK_PARENT) : who_current(w);
    struct who child = has_child ? who_of(w, KEY_FORK_CHILD) : parent;
    unsigned id = has_child ? who_id(w, child) : site_number(w, KEY_FORK_CHILD_ID);
    unsigned zero = probe_imm(s, 0);
    struct who named = {probe_imm(s, 0), parent.thread};

    unsigned some = probe_jump(s, WIRE_OP_JSLT, zero, id);
    unsigned failed = probe_jump(s, WIRE_OP_JEQ, zero, zero);
    probe_label(s, some);
    if (child.thread == parent.thread)
        probe_mov(s, named.slot, child.slot);
    unsigned first = probe_jump(s, WIRE_OP_JEQ, parent.slot, zero);
    probe_mov(s, named.slot, parent.slot);
    probe_label(s, first);
    event_begin(w, event);
    who_put_comm(w, parent);
    who_put_id(w, parent);
    who_put_process(w, parent);
    who_put_comm(w, named);
    event_put(w, id);
    if (has_child && child.thread)
        who_put_process(w, child);
    else
        event_put(w, id);
    probe_label(s, failed);
}

static void put_exit(struct writer *w, uint16_t event)
{
    struct who task = profile_has(w->pm, KEY_EXIT_TASK) ? who_of(w, KEY_EXIT_TASK) : who_current(w);

    event_begin(w, event);
    who_put_comm(w, task);
    who_put_id(w, task);
    event_put_number(w, 0);
}

static void put_exec(struct writer *w, uint16_t event)
{
    struct probe_set *s = w->set;
    enum profile_key path = profile_has(w->pm, KEY_EXEC_PATH) ? KEY_EXEC_PATH : KEY_NAME;
    bool checks = profile_has(w->pm, KEY_EXEC_RESULT);
    struct who task = who_current(w);
    unsigned failed = 0;

    if (checks) {
        unsigned result = site_number(w, KEY_EXEC_RESULT);
        failed = probe_jump(s, WIRE_OP_JSLT, result, probe_imm(s, 0));
    }
    unsigned at = path == KEY_NAME ? who_number(w, KEY_NAME, task, 0) : site_number(w, path);
    event_begin(w, event);
    probe_put_str(s, at, w->type->fields[w->field++].most);
    who_put_id(w, task);
    who_put_id(w, task);
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

/* Is it threads that sleep and are woken? */
static bool has_scheduled_threads(const struct writer *w)
{
    return tells_threads(w) && profile_has(w->pm, KEY_THREAD_STATE);
}

/* Before the store: what is stored means runnable, what is there still means asleep. */
static void put_store(struct writer *w, uint16_t event)
{
    enum { ASLEEP = 3 }; /* S or D */
    const struct site_store *store = w->store;
    struct probe_set *s = w->set;
    struct who task = {probe_reg(s, store->object), has_scheduled_threads(w)};
    unsigned zero = probe_imm(s, 0);

    who_only(w, task);
    unsigned none = probe_jump(s, WIRE_OP_JEQ, task.slot, zero);
    unsigned mark = probe_mark(s);
    unsigned value = store->value ? probe_reg(s, store->value) : probe_imm(s, store->number);
    unsigned other = probe_jump(s, WIRE_OP_JNE, by_state(w, task.thread, value), zero);
    unsigned old = by_state(w, task.thread, who_number(w, KEY_STATE, task, 0));
    probe_alu(s, WIRE_OP_AND, old, probe_imm(s, ASLEEP));
    unsigned awake = probe_jump(s, WIRE_OP_JEQ, old, zero);
    probe_release(s, mark);
    put_woken(w, event, task);
    probe_label(s, none);
    probe_label(s, other);
    probe_label(s, awake);
}

/* The state as a plain member; false: it is more than that. */
static bool plain_state(const struct profile_model *pm, enum profile_key key, uint64_t *offset,
                        unsigned *size)
{
    const struct access *a = &pm->access[key];

    if (a->n != 2 || a->code[0].op != ACCESS_TASK || a->code[1].op != ACCESS_LOAD)
        return false;
    *offset = a->code[1].imm;
    *size = a->code[1].size;
    return true;
}

static struct oscope_error *stores(struct writer *w)
{
    AUTO_ADDRESSES addresses functions = {0};
    site_stores found = {0};
    uint64_t offset;
    unsigned size;

    TRY(sites_entries(w, KEY_WAKEUP_STORES, &functions));
    if (!functions.len)
        return NULL; /* this kernel need not have them */
    enum profile_key key = has_scheduled_threads(w) ? KEY_THREAD_STATE : KEY_STATE;
    if (!plain_state(w->pm, key, &offset, &size)) {
        os_list_note(w->notes, "no sched_wakeup events: %s is no plain member of a task",
                     profile_key_name(key));
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
    if (w->pm->thread && !tells_threads(w))
        os_list_note(w->notes,
                     "threads of a task are not told apart in events: profile %s does not say %s",
                     w->pm->name,
                     profile_key_name(!profile_has(w->pm, KEY_THREAD_PROCESS)   ? KEY_THREAD_PROCESS
                                      : !profile_has(w->pm, KEY_CURRENT_THREAD) ? KEY_CURRENT_THREAD
                                                                                : KEY_THREAD_ID));
    else if (w->pm->thread && profile_has(w->pm, KEY_SWITCH_FROM) &&
             !who_is_thread(w, KEY_SWITCH_FROM))
        os_list_note(w->notes,
                     "sched_switch between threads of a task: they are not told apart, %s of "
                     "profile %s is no thread",
                     profile_key_name(KEY_SWITCH_FROM), w->pm->name);
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
