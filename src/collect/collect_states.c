/* SPDX-License-Identifier: MIT */
/* The thread that asks for states, structures in guest memory: see collect.h. */
#include "collect/collect_impl.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/thread.h"
#include "base/util.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

/* The thread's own. */
struct states {
    struct oscope_session *s;        /* NULL: not open */
    struct oscope_page_looks *looks; /* while the map is asked for */
};

static struct oscope_error *view_mem(const struct states *t, enum oscope_mem_table table,
                                     const struct ask *a, struct oscope_view **out)
{
    struct oscope_session *s = t->s;

    return oscope_view_mem(s,
                           &(struct oscope_mem_options){.table = table,
                                                        .cells = a->cells,
                                                        .from = a->from,
                                                        .to = a->to,
                                                        .snug = true,
                                                        .page = a->va,
                                                        .looks = t->looks},
                           out);
}

static struct oscope_error *view_pt(struct oscope_session *s, const struct ask *a, bool chain,
                                    struct oscope_view **out)
{
    return oscope_view_pt(
        s,
        &(struct oscope_pt_options){
            .pid = a->pid, .vcpu = -1, .has_va = chain, .va = a->va, .from = a->from, .to = a->to},
        out);
}

static struct oscope_error *make(const struct states *t, const struct ask *a,
                                 struct oscope_view **out)
{
    struct oscope_session *s = t->s;

    switch (a->slot) {
    case SLOT_INFO: return oscope_view_info(s, out);
    case SLOT_TASKS:
    case SLOT_THREADS:
        return oscope_view_ps(
            s, &(struct oscope_ps_options){.threads = a->slot == SLOT_THREADS, .tree = a->tree},
            out);
    case SLOT_MEMORY: return view_mem(t, OSCOPE_MEM_OWNERS, a, out);
    case SLOT_BUDDY: return view_mem(t, OSCOPE_MEM_BUDDY, a, out);
    case SLOT_SLABS: return view_mem(t, OSCOPE_MEM_SLAB, a, out);
    case SLOT_MAP: return view_mem(t, OSCOPE_MEM_MAP, a, out);
    case SLOT_PAGE: return view_mem(t, OSCOPE_MEM_PAGE, a, out);
    case SLOT_VM: return oscope_view_vm(s, a->pid, out);
    case SLOT_PT: return view_pt(s, a, false, out);
    case SLOT_CHAIN: return view_pt(s, a, true, out);
    case SLOT_STACK: return oscope_view_bt(s, a->pid, out);
    case SLOT_DMESG: return oscope_view_dmesg(s, 0, out);
    case SLOT_DEVICES: return oscope_view_dev(s, NULL, false, out);
    case SLOT_PLIC: return oscope_view_dev(s, "plic", false, out);
    case SLOT_ACLINT: return oscope_view_dev(s, "aclint", false, out);
    case SLOT_APIC: return oscope_view_dev(s, "apic", false, out);
    case SLOT_SERIAL: return oscope_view_dev(s, "serial", false, out);
    default: *out = NULL; return NULL;
    }
}

bool ask_equal(const struct ask *a, const struct ask *b)
{
    return a->slot == b->slot && a->pid == b->pid && a->va == b->va && a->from == b->from &&
           a->to == b->to && a->cells == b->cells && a->tree == b->tree &&
           !strcmp(a->line, b->line);
}

/* The wish that is due, or when the next one will be; with the lock. */
static bool due(const struct collect *c, struct ask *out, uint64_t *next)
{
    uint64_t now = clock_ns();

    *next = now + COLLECT_IDLE_MS * UINT64_C(1000000);
    for (size_t i = 0; i < c->nasks; i++) {
        const struct ask *a = &c->asks[i];
        const struct shot *s = c->shots[a->slot];
        uint64_t at =
            s && ask_equal(&s->ask, a) ? collect_again(c, s, a->every_ms * UINT64_C(1000000)) : 0;
        if (at <= now) {
            *out = *a;
            return true;
        }
        *next = MIN(*next, at);
    }
    return false;
}

/* The next wish to fulfil; false: the end. */
static bool next_ask(struct collect *c, struct ask *out)
{
    uint64_t next;
    bool found = false;

    pthread_mutex_lock(&c->lock);
    while (!c->stop && !(found = due(c, out, &next)))
        collect_wait_until(c, next);
    pthread_mutex_unlock(&c->lock);
    return found;
}

static void tell_ended(struct collect *c, bool ended)
{
    pthread_mutex_lock(&c->lock);
    c->status.ended = ended;
    pthread_mutex_unlock(&c->lock);
}

static bool asks_for(struct collect *c, enum slot slot)
{
    bool found = false;

    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->nasks; i++)
        found = found || c->asks[i].slot == slot;
    pthread_mutex_unlock(&c->lock);
    return found;
}

static void forget_looks(struct states *t)
{
    oscope_page_looks_free(t->looks);
    t->looks = NULL;
}

static void keep_looks(struct states *t, struct collect *c)
{
    if (!asks_for(c, SLOT_MAP))
        forget_looks(t);
    else if (!t->looks) /* no memory: the map is shown without */
        t->looks = oscope_page_looks_new();
}

void *collect_states(void *arg)
{
    struct collect *c = arg;
    struct states t = {0};
    bool had = false; /* there was a session */
    struct ask a;

    while (next_ask(c, &a)) {
        struct shot made = {.ask = a};
        uint64_t began = clock_ns();
        keep_looks(&t, c);
        made.error = t.s ? NULL : collect_session(c, &t.s);
        if (!made.error && a.slot == SLOT_COMMAND && c->o.command)
            c->o.command(a.line, t.s, &made);
        else if (!made.error)
            made.error = make(&t, &a, &made.view);
        const struct oscope_error *err = made.error;
        bool open = t.s != NULL;
        bool gone = err && (err->code == OSCOPE_E_GONE ||
                            (had && err->code == OSCOPE_E_NOT_FOUND && !open));
        had = had || open;
        /* what the title shows needs the guest alone: another broker, or it is gone for good */
        bool lost = err && open && (gone || a.slot == SLOT_INFO);
        if (gone || (!err && a.slot == SLOT_INFO))
            tell_ended(c, gone);
        collect_publish(c, &made, began);
        if (lost) {
            oscope_session_close(t.s);
            t.s = NULL;
            forget_looks(&t);
        }
        if (!open)
            collect_pause_ms(c, COLLECT_RETRY_MS);
        if (t.s)
            oscope_session_rest(t.s); /* a look at all pages' structs maps megabytes */
    }
    oscope_session_close(t.s);
    forget_looks(&t);
    return NULL;
}
