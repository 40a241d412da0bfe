/* SPDX-License-Identifier: MIT */
/* The tasks of a guest, as what is known of them before their first event. */
#include "base/clock.h"
#include "base/util.h"
#include "capture/wire.h"
#include "session/session.h"
#include "trace/context.h"

/* What the first n vCPUs run; of the next one it is not known. */
struct running {
    struct oscope_task task[WIRE_VCPUS];
    unsigned n;
    uint64_t at;
};

static void find_running(struct os_model *m, struct running *r)
{
    r->at = clock_ns(); /* before: a switch in between is an event that tells of it */
    while (m->ops->current && r->n < WIRE_VCPUS && m->ops->current(m, r->n, &r->task[r->n]))
        r->n++;
}

static void copy_task(struct trace_task *out, const struct oscope_task *t)
{
    *out = (struct trace_task){.tid = t->pid, .pid = t->tgid, .ppid = t->ppid};
    str_copy(out->comm, sizeof out->comm, t->comm);
    for (char *p = out->comm; *p; p++)
        if (*p < ' ' || *p > '~')
            *p = '?';
}

/* Idle tasks are not among the OS's tasks, nor is who has ended since: there is room for them. */
static void add_running(const struct running *r, struct trace_task *tasks, size_t *n)
{
    size_t listed = *n;

    for (unsigned cpu = 0; cpu < r->n; cpu++) {
        const struct oscope_task *t = &r->task[cpu];
        size_t i = 0;
        while (i < listed && (!t->pid || tasks[i].tid != t->pid))
            i++;
        if (i == listed) {
            i = (*n)++;
            copy_task(&tasks[i], t);
        }
        tasks[i].cpu = cpu;
        tasks[i].at = r->at;
    }
}

struct oscope_error *session_tasks(struct oscope_session *s, struct trace_task **out, size_t *n)
{
    AUTO_FREE struct running *running = calloc(1, sizeof *running);
    AUTO(os_list_free) struct os_list list;
    struct os_model *m;

    *out = NULL;
    os_list_init(&list, sizeof(struct oscope_task));
    if (!running)
        return error_nomem();
    TRY(session_os(s, &m));
    find_running(m, running);
    struct oscope_error *err = m->ops->tasks(m, true, &list);
    bool none = err && err->code == OSCOPE_E_UNSUPPORTED; /* how it keeps them is not known */
    if (none)
        oscope_error_free(err);
    else
        TRY(err);
    struct trace_task *tasks = calloc(list.n + WIRE_VCPUS, sizeof *tasks);
    if (!tasks)
        return error_nomem();
    for (size_t i = 0; i < list.n; i++)
        copy_task(&tasks[i], (const struct oscope_task *)list.rows + i);
    *out = tasks;
    *n = list.n;
    add_running(running, tasks, n);
    return NULL;
}
