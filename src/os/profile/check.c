/* SPDX-License-Identifier: MIT */
/*
 * `oscope profile check`: what each line of a profile yields in the guest now. The model was opened
 * leniently, so that wrong lines are rows as well.
 */
#include <oscope/profile.h>

#include "base/circle.h"
#include "os/profile/profile.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { SHOWN = 4, DETAIL_BYTES = 200, FREE_LINKS_MAX = 1 << 20 };

struct check {
    struct profile_model *pm;
    struct os_list *list;
    struct os_list tasks;   /* struct oscope_task; what could be had of them */
    struct os_list threads; /* and of their threads, where they have some */
    const char *no_tasks;   /* why there are none, or NULL */
    struct target_vcpus vcpus;
    struct oscope_profile_line *row; /* that is being filled */
    char detail[DETAIL_BYTES];
};

static const struct oscope_task *row_at(const struct os_list *l, size_t i)
{
    return (const struct oscope_task *)l->rows + i;
}

static const struct oscope_task *task_at(const struct check *c, size_t i)
{
    return row_at(&c->tasks, i);
}

/* ---- details ---- */

static __attribute__((format(printf, 2, 3))) void add(struct check *c, const char *fmt, ...)
{
    size_t n = strlen(c->detail);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(c->detail + n, sizeof c->detail - n, fmt, ap);
    va_end(ap);
}

/* A value among the first few, as people write such numbers. */
static void add_number(struct check *c, uint64_t v)
{
    const char *comma = c->detail[0] ? ", " : "";

    if (v < 100000 || -v < 100000)
        add(c, "%s%" PRId64, comma, (int64_t)v);
    else
        add(c, "%s0x%" PRIx64, comma, v);
}

/* What came of evaluating: the worst of several. */
static void settle(struct check *c, enum access_status worst)
{
    struct oscope_profile_line *r = c->row;

    if (r->count || (worst == ACCESS_OK && r->of)) {
        r->result = "ok";
        return;
    }
    r->result = worst == ACCESS_OK || worst == ACCESS_NULL ? "nothing" : "error";
    if (!c->detail[0])
        add(c, "%s",
            worst == ACCESS_OK ? "there is nothing to ask it of" : access_status_text(worst));
}

/* ---- by what a key is about ---- */

static void check_once(struct check *c, enum profile_key key)
{
    const struct access_env env = {.vs = &c->pm->base.kernel};
    uint64_t v;
    enum access_status s = access_eval(&c->pm->access[key], &env, &v);

    c->row->of = 1;
    c->row->count = s == ACCESS_OK;
    if (s == ACCESS_OK)
        c->row->value = v;
    settle(c, s);
}

static void check_array(struct check *c, enum profile_key key)
{
    check_once(c, key);
    if (strcmp(c->row->result, "ok") != 0)
        return;
    c->row->count = c->tasks.n;
    c->row->of = key == KEY_ARRAY ? c->pm->count : c->tasks.n;
    if (!c->tasks.n)
        c->row->result = "nothing";
    for (size_t i = 0; i < c->tasks.n && i < SHOWN; i++)
        add(c, "%s%d%s%s", i ? ", " : "", (int)task_at(c, i)->pid,
            task_at(c, i)->comm[0] ? " " : "", task_at(c, i)->comm);
    if (!c->tasks.n)
        add(c, "%s", c->no_tasks ? c->no_tasks : "no tasks");
}

/* Of each task, or of each thread. */
static void check_of_rows(struct check *c, enum profile_key key, const struct os_list *rows)
{
    enum access_status worst = ACCESS_OK;

    c->row->of = rows->n;
    for (size_t i = 0; i < rows->n; i++) {
        const struct access_env env = {.vs = &c->pm->base.kernel, .task = row_at(rows, i)->address};
        uint64_t v;
        enum access_status s = access_eval(&c->pm->access[key], &env, &v);
        worst = MAX(worst, s);
        if (s != ACCESS_OK)
            continue;
        if (c->row->count++ >= SHOWN)
            continue;
        if (key == KEY_NAME) {
            char text[32];
            profile_read_text(c->pm, key, env.task, text, sizeof text);
            add(c, "%s%s", c->row->count > 1 ? ", " : "", text);
        } else {
            add_number(c, v);
        }
    }
    settle(c, worst);
}

static void check_of_vcpus(struct check *c, enum profile_key key)
{
    enum access_status worst = ACCESS_OK;

    c->row->of = c->vcpus.n;
    for (size_t i = 0; i < c->vcpus.n; i++) {
        const struct access_env env = {
            .vs = &c->pm->base.kernel, .cpu = c->vcpus.vcpus[i].index, .vcpu = &c->vcpus.vcpus[i]};
        uint64_t v;
        enum access_status s = access_eval(&c->pm->access[key], &env, &v);
        worst = MAX(worst, s);
        c->row->count += s == ACCESS_OK && v;
        if (s == ACCESS_OK && i < SHOWN)
            add_number(c, v);
    }
    settle(c, worst);
}

/* How many there are in all, and of each task whose they are. */
static void check_threads(struct check *c)
{
    size_t shown = 0;

    c->row->count = c->row->of = c->threads.n;
    for (size_t i = 0, n = 1; i < c->threads.n; i += n, n = 1) {
        while (i + n < c->threads.n &&
               row_at(&c->threads, i + n)->tgid == row_at(&c->threads, i)->tgid)
            n++;
        if (shown++ < SHOWN)
            add(c, "%s%d has %zu", shown > 1 ? ", " : "", (int)row_at(&c->threads, i)->tgid, n);
    }
    settle(c, ACCESS_OK);
}

/* The list is followed: of each page the next. */
static void check_free_next(struct check *c)
{
    struct circle circle = CIRCLE_INIT;
    uint64_t va = 0;
    enum access_status s = ACCESS_OK;

    profile_number(c->pm, KEY_FREE_FIRST, 0, &va);
    for (; va && c->row->count < FREE_LINKS_MAX && s == ACCESS_OK; c->row->count++) {
        const struct access_env env = {.vs = &c->pm->base.kernel, .task = va};
        if (circle_step(&circle, va)) {
            add(c, "the list runs in a circle");
            c->row->result = "error";
            return;
        }
        s = access_eval(&c->pm->access[KEY_FREE_NEXT], &env, &va);
    }
    c->row->of = c->row->count;
    if (s != ACCESS_OK) {
        add(c, "after %" PRIu64 " pages: %s", c->row->count, access_status_text(s));
        c->row->result = "error";
        return;
    }
    add(c, "%" PRIu64 " free pages", c->row->count);
    settle(c, s);
}

static void check_key(struct check *c, enum profile_key key)
{
    if (key == KEY_FREE_NEXT) {
        check_free_next(c);
        return;
    }
    if (key == KEY_THREADS && c->pm->thread) {
        check_threads(c);
        return;
    }
    if (profile_left_out(c->pm, key)) {
        add(c, "left out: this kernel has nothing of the kind");
        c->row->result = "nothing";
        return;
    }
    switch (profile_key_about(key)) {
    case ABOUT_ONCE:
        if (key == KEY_ARRAY || key == KEY_FIRST)
            check_array(c, key);
        else if (profile_has(c->pm, key))
            check_once(c, key);
        break;
    case ABOUT_TASK: check_of_rows(c, key, &c->tasks); break;
    case ABOUT_THREAD: check_of_rows(c, key, &c->threads); break;
    case ABOUT_CPU: check_of_vcpus(c, key); break;
    case ABOUT_LOCK:
    case ABOUT_SITE: add(c, "compiles; it is evaluated at a probe"); break;
    }
}

/* ---- lines without an expression ---- */

static void check_state(struct check *c, const struct profile_entry *e, bool thread)
{
    struct profile_model *pm = c->pm;
    const struct profile_states *states = thread ? &pm->thread_states : &pm->states;
    const struct os_list *rows = thread ? &c->threads : &c->tasks;
    uint64_t v;

    for (size_t i = 0; i < states->n; i++)
        if (states->of[i].line == e->line)
            c->row->value = (uint64_t)states->of[i].value;
    c->row->of = rows->n;
    for (size_t i = 0; i < rows->n; i++) {
        bool has =
            profile_number(pm, thread ? KEY_THREAD_STATE : KEY_STATE, row_at(rows, i)->address, &v);
        const struct profile_state *state = has ? profile_state_of(states, v) : NULL;
        c->row->count += state && state->line == e->line;
    }
}

static void check_symbols(struct check *c, const struct profile_entry *e)
{
    AUTO_FREE char *words = strdup(e->value);
    struct symbol sym;
    char *rest = words;

    for (const char *w; rest && (w = strsep(&rest, " \t,"));) {
        if (!*w)
            continue;
        c->row->of++;
        if (symtab_find(c->pm->base.symtab, w, &sym)) {
            c->row->count++;
            continue;
        }
        add(c, "%s%s", c->detail[0] ? ", " : "the kernel has no symbol ", w);
        c->row->result = "error";
    }
}

static void check_words(struct check *c, const struct profile_entry *e)
{
    bool thread = !strcmp(e->section, "thread-states");

    if (thread || !strcmp(e->section, "states"))
        check_state(c, e, thread);
    else if (!strcmp(e->section, "profile") && !strcmp(e->key, "symbols"))
        check_symbols(c, e);
}

/* ---- all ---- */

static struct oscope_error *check_line(struct check *c, const struct profile_entry *e)
{
    struct arena *strings = &c->list->strings;
    const char *wrong = profile_wrong(c->pm, e);
    enum profile_key key = profile_key_of(e);

    if (!(c->row = os_list_add(c->list)))
        return error_nomem();
    *c->row = (struct oscope_profile_line){.line = e->line,
                                           .section = arena_strdup(strings, e->section),
                                           .key = arena_strdup(strings, e->key),
                                           .expression = arena_strdup(strings, e->value),
                                           .result = "ok",
                                           .value = OSCOPE_UNKNOWN};
    c->detail[0] = '\0';
    if (wrong) {
        c->row->result = "error";
        add(c, "%s", wrong);
    } else if (key < PROFILE_KEYS) {
        check_key(c, key);
    } else {
        check_words(c, e);
    }
    if (!c->row->of)
        c->row->count = c->row->of = OSCOPE_UNKNOWN;
    c->row->detail = arena_strdup(strings, c->detail);
    return c->row->section && c->row->key && c->row->expression && c->row->detail ? NULL
                                                                                  : error_nomem();
}

static struct oscope_error *check_all(struct check *c)
{
    vec_each (struct profile_entry, e, &c->pm->text.entries)
        TRY(check_line(c, e));
    for (size_t i = 0; i < c->tasks.notes.n; i++)
        os_list_note(c->list, "%s", c->tasks.notes.data[i]);
    return NULL;
}

/* A process without any is a row of that list, too: not here. */
static struct oscope_error *add_threads(struct check *c)
{
    struct os_list *l = &c->threads;
    struct oscope_task *rows;
    size_t n = 0;

    TRY(profile_tasks(&c->pm->base, true, l));
    rows = l->rows;
    for (size_t i = 0; i < l->n; i++)
        if (rows[i].process)
            rows[n++] = rows[i];
    l->n = n;
    return NULL;
}

struct oscope_error *profile_check(struct os_model *m, struct os_list *list)
{
    struct profile_model *pm = profile_of(m);
    struct check c = {.pm = pm, .list = list};

    if (!pm->text.entries.len)
        return error_hint(error_new(OSCOPE_E_NOT_FOUND,
                                    "no profile: none was given, and no built-in "
                                    "one fits '%s'",
                                    pm->vmlinux),
                          "oscope profile new --vmlinux FILE proposes one");
    os_list_init(&c.tasks, sizeof(struct oscope_task));
    os_list_init(&c.threads, sizeof(struct oscope_task));
    struct oscope_error *no_tasks = profile_tasks(m, false, &c.tasks);
    struct oscope_error *no_threads = c.pm->thread && !no_tasks ? add_threads(&c) : NULL;
    struct oscope_error *no_vcpus = target_registers(m->target, &c.vcpus);
    c.no_tasks = no_tasks ? no_tasks->message : NULL;
    if (no_vcpus)
        os_list_note(list, "registers not available (%s)", no_vcpus->message);
    struct oscope_error *err = no_threads ? no_threads : check_all(&c);
    oscope_error_free(no_tasks);
    oscope_error_free(no_vcpus);
    os_list_free(&c.tasks);
    os_list_free(&c.threads);
    target_vcpus_free(&c.vcpus);
    return err;
}
