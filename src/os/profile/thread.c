/* SPDX-License-Identifier: MIT */
/*
 * Threads of tasks: a task is a process then, and has an array of them, or of pointers to them.
 * What is a process's (parent, name, page table) a thread has from it; what [thread] does not say
 * of a thread it has from it, too.
 *
 * A thread's id counts in its process alone (OSCOPE_THREAD in oscope/rows.h). The guest says how
 * many there are: they are bounded by process and in all, and none counts twice.
 */
#include "os/profile/profile.h"

#include "base/util.h"

#include <inttypes.h>

enum { TRIES = 4 };

/* ---- compiling ---- */

static struct oscope_error *compile_one(void *arg, const char *text)
{
    struct profile_model *pm = arg;

    return profile_compile_elements(pm, pm->task, text, &pm->threads);
}

struct oscope_error *profile_compile_threads(struct profile_model *pm)
{
    const struct profile_entry *e = profile_entry_of(pm, KEY_THREADS);

    if (!e || !pm->task)
        return NULL;
    struct oscope_error *err = profile_first(e->value, compile_one, pm);
    if (!err && pm->threads.stride && !pm->threads.element.type)
        err = error_new(OSCOPE_E_USAGE, "the elements of '%s' are no threads", e->value);
    if (!err && pm->threads.stride) {
        pm->access[KEY_THREADS] = pm->threads.first;
        pm->thread = pm->threads.element.type;
    }
    return err ? profile_at(&pm->text, e, err) : NULL;
}

/* ---- what a row's key yields ---- */

enum profile_key profile_thread_key(enum profile_key key)
{
    switch (key) {
    case KEY_ID: return KEY_THREAD_ID;
    case KEY_STATE: return KEY_THREAD_STATE;
    case KEY_STACK: return KEY_THREAD_STACK;
    case KEY_STACK_SIZE: return KEY_THREAD_STACK_SIZE;
    case KEY_SAVED_PC: return KEY_THREAD_SAVED_PC;
    case KEY_SAVED_SP: return KEY_THREAD_SAVED_SP;
    case KEY_SAVED_FP: return KEY_THREAD_SAVED_FP;
    case KEY_FRAME: return KEY_THREAD_FRAME;
    case KEY_USER_PC: return KEY_THREAD_USER_PC;
    case KEY_TASK_CPU: return KEY_THREAD_CPU;
    default: return PROFILE_KEYS;
    }
}

static bool is_of_thread(const struct profile_model *pm, const struct oscope_task *row,
                         enum profile_key key)
{
    enum profile_key own = profile_thread_key(key);

    return row->process && own < PROFILE_KEYS && profile_has(pm, own);
}

bool profile_row_number(struct profile_model *pm, const struct oscope_task *row,
                        enum profile_key key, uint64_t *out)
{
    if (is_of_thread(pm, row, key))
        return profile_number(pm, profile_thread_key(key), row->address, out);
    return profile_number(pm, key, profile_process(row), out);
}

enum profile_key profile_row_key(const struct profile_model *pm, const struct oscope_task *row,
                                 enum profile_key key)
{
    return is_of_thread(pm, row, key) ? profile_thread_key(key) : key;
}

/* ---- a thread ---- */

/* What tells a thread from another in its place. */
struct identity {
    enum access_status status; /* ACCESS_OK: it has both */
    uint64_t id, state;
};

static void ask(struct profile_model *pm, enum profile_key key, uint64_t thread, uint64_t *out,
                enum access_status *status)
{
    const struct access_env env = {.vs = &pm->base.kernel, .task = thread};

    if (profile_has(pm, key))
        *status = MAX(*status, access_eval(&pm->access[key], &env, out));
}

static struct identity identify(struct profile_model *pm, uint64_t thread, uint64_t place)
{
    struct identity i = {.status = ACCESS_OK, .id = place};

    ask(pm, KEY_THREAD_ID, thread, &i.id, &i.status);
    ask(pm, KEY_THREAD_STATE, thread, &i.state, &i.status);
    return i;
}

/* False: no thread is in this place: its state says so, or it has no id. */
static bool read_thread(struct profile_model *pm, const struct oscope_task *process,
                        uint64_t thread, uint64_t place, struct oscope_task *row, struct os_list *l)
{
    bool has_state = profile_has(pm, KEY_THREAD_STATE);
    const struct profile_state *state;
    struct identity before, after;

    for (int i = 0;; i++) {
        before = identify(pm, thread, place);
        state = has_state ? profile_state_of(&pm->thread_states, before.state) : NULL;
        if (before.status > ACCESS_NULL && l)
            profile_note(pm, l, KEY_THREADS, "the thread at 0x%" PRIx64 " of task %d can't be read",
                         thread, (int)process->tgid);
        if (before.status != ACCESS_OK || (state && state->none))
            return false;
        *row = *process;
        row->address = thread;
        row->process = process->address;
        profile_row_number(pm, row, KEY_STACK, &row->stack);
        after = identify(pm, thread, place);
        bool stable =
            before.status == after.status && before.id == after.id && before.state == after.state;
        int how = stable ? (i ? OSCOPE_RETRIED : OSCOPE_CONSISTENT) : OSCOPE_TORN;
        row->consistency = (uint8_t)MAX((int)process->consistency, how);
        if (stable || i == TRIES)
            break;
    }
    if (before.id > OSCOPE_THREAD_PER_MAX || (before.id && process->tgid < 0)) {
        if (l)
            profile_note(pm, l, profile_has(pm, KEY_THREAD_ID) ? KEY_THREAD_ID : KEY_THREADS,
                         "thread %" PRId64 " of task %d is left out: an id has room for 0 to %d, "
                         "of tasks from 0 on",
                         (int64_t)before.id, (int)process->tgid, OSCOPE_THREAD_PER_MAX);
        return false;
    }
    row->pid = row->tid = process->tgid + (int32_t)before.id * OSCOPE_THREAD;
    if (has_state)
        row->state = profile_state_text(pm, KEY_THREAD_STATE, state, before.state, l);
    row->running = state && state->running;
    return true;
}

/* ---- those of a process ---- */

/* The next one of a process; where there is one its address in *thread. */
struct threads {
    struct profile_model *pm;
    uint64_t at, n, i; /* the next element, how many there are, how many were looked at */
};

static bool begin(struct threads *t, struct profile_model *pm, uint64_t process,
                  struct os_list *notes)
{
    *t = (struct threads){.pm = pm};
    return pm->thread && profile_elements_of(pm, &pm->threads, KEY_THREADS, "threads", process,
                                             &t->at, &t->n, notes);
}

static bool next(struct threads *t, uint64_t *thread, uint64_t *place)
{
    for (; t->i < t->n && t->pm->threads_left; t->pm->threads_left--) {
        *thread = profile_element(t->pm, &t->pm->threads, t->at);
        *place = t->i++;
        t->at += t->pm->threads.stride;
        if (*thread)
            return true;
    }
    return false;
}

/* Is it another's, or was it or its id there before? Then it is noted, and left out. */
static bool is_strange(struct profile_model *pm, const struct oscope_task *row,
                       const struct os_list *list, size_t first, struct os_list *notes)
{
    const struct oscope_task *rows = list->rows;
    uint64_t process;

    if (profile_number(pm, KEY_THREAD_PROCESS, row->address, &process) && process != row->process) {
        profile_note(pm, notes, KEY_THREAD_PROCESS,
                     "of a thread of the task at 0x%" PRIx64 " it is another one, 0x%" PRIx64,
                     row->process, process);
        notes->consistency = OSCOPE_TORN;
        return true;
    }
    for (size_t i = first; i < list->n; i++)
        if (rows[i].address == row->address || rows[i].tid == row->tid) {
            profile_note(pm, notes, KEY_THREADS, "task %d has a thread twice", (int)row->tgid);
            notes->consistency = OSCOPE_TORN;
            return true;
        }
    return false;
}

bool profile_threads_of(struct profile_model *pm, const struct oscope_task *process,
                        struct os_list *list, struct os_list *notes, bool *nomem)
{
    size_t first = list->n;
    struct oscope_task row, *to;
    uint64_t thread, place;
    struct threads t;

    *nomem = false;
    if (!begin(&t, pm, process->address, notes))
        return false;
    while (next(&t, &thread, &place)) {
        if (!read_thread(pm, process, thread, place, &row, notes) ||
            is_strange(pm, &row, list, first, notes))
            continue;
        if (!(to = os_list_add(list))) {
            *nomem = true;
            return false;
        }
        *to = row;
        notes->consistency = MAX(notes->consistency, row.consistency);
    }
    if (t.i < t.n)
        profile_note(pm, notes, KEY_THREADS, "only the first %d threads of all were looked at",
                     PROFILE_THREADS_MAX);
    return list->n > first;
}

bool profile_thread_row(struct profile_model *pm, const struct oscope_task *process,
                        uint64_t thread, struct oscope_task *out)
{
    struct threads t;
    uint64_t at, place;

    pm->threads_left = PROFILE_THREADS_MAX;
    if (begin(&t, pm, process->address, NULL))
        while (next(&t, &at, &place))
            if (at == thread)
                return read_thread(pm, process, thread, place, out, NULL);
    return false;
}

/* ---- a process by its threads ---- */

/* One that has ended says so itself. */
static bool has_ended(const char *state)
{
    return state && (state[0] == 'Z' || state[0] == 'X') && !state[1];
}

static int liveliness(const struct oscope_task *t)
{
    if (t->running)
        return 4;
    if (t->state && !strcmp(t->state, "R"))
        return 3;
    return has_ended(t->state) ? 1 : 2;
}

void profile_sum_threads(struct oscope_task *process, const struct oscope_task *threads, size_t n)
{
    const struct oscope_task *best = threads;

    for (size_t i = 0; i < n; i++) {
        if (liveliness(&threads[i]) > liveliness(best))
            best = &threads[i];
        process->consistency = MAX(process->consistency, threads[i].consistency);
    }
    if (!n)
        return;
    process->stack = threads[0].stack;
    if (has_ended(process->state))
        return;
    process->state = best->state;
    process->running = best->running;
}
