/* SPDX-License-Identifier: MIT */
/* See queries.h. One mutex guards all places; it is not held while a question is answered. */
#include "collect/queries.h"

#include "base/thread.h"
#include "base/util.h"
#include "base/wake.h"

#include <pthread.h>
#include <stdlib.h>

struct query {
    struct queries *all;
    struct query *next;
    query_answer *answer;
    void *arg;
    size_t bytes;
    void *question, *answered; /* the one that waits; the one that is being answered */
    bool waits, runs, ready;
    bool gone; /* to be freed by the thread, which is at it */
    struct out out;
};

struct queries {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    int wake;
    bool started, stop;
    struct query *first; /* places, the one whose turn it is first */
};

struct queries *queries_new(int wake)
{
    struct queries *q = calloc(1, sizeof *q);

    if (!q)
        return NULL;
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->changed, NULL);
    q->wake = wake;
    return q;
}

static void drop(struct query *p)
{
    out_free(&p->out);
    free(p->question);
    free(p->answered);
    free(p);
}

void queries_free(struct queries *q)
{
    if (!q)
        return;
    pthread_mutex_lock(&q->lock);
    q->stop = true;
    pthread_cond_signal(&q->changed);
    pthread_mutex_unlock(&q->lock);
    if (q->started)
        pthread_join(q->thread, NULL);
    pthread_cond_destroy(&q->changed);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

/* ---- the thread ---- */

/* With the lock: out of the list. */
static void leave(struct query *p)
{
    struct query **at = &p->all->first;

    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
}

/* With the lock: to its end. */
static void line_up(struct query *p)
{
    struct query **at = &p->all->first;

    while (*at)
        at = &(*at)->next;
    *at = p;
    p->next = NULL;
}

/* With the lock, which it lets go of meanwhile. */
static void answer_one(struct queries *q, struct query *p)
{
    struct out out;
    void *question = p->question;

    p->question = p->answered;
    p->answered = question;
    p->waits = false;
    p->runs = true;
    leave(p);
    line_up(p);
    pthread_mutex_unlock(&q->lock);
    out_init(&out, -1);
    p->answer(p->arg, question, &out);
    pthread_mutex_lock(&q->lock);
    p->runs = false;
    if (p->gone || p->waits) { /* nobody waits for this one */
        out_free(&out);
        if (p->gone)
            drop(p);
        return;
    }
    out_free(&p->out);
    p->out = out;
    p->ready = true;
    wake_up(q->wake);
}

static void *answer_all(void *arg)
{
    struct queries *q = arg;

    pthread_mutex_lock(&q->lock);
    while (!q->stop) {
        struct query *p = q->first;
        while (p && !p->waits)
            p = p->next;
        if (p)
            answer_one(q, p);
        else
            pthread_cond_wait(&q->changed, &q->lock);
    }
    pthread_mutex_unlock(&q->lock);
    return NULL;
}

/* ---- who asks ---- */

struct query *query_new(struct queries *q, size_t bytes, query_answer *answer, void *arg)
{
    struct query *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    *p = (struct query){.all = q, .answer = answer, .arg = arg, .bytes = bytes};
    out_init(&p->out, -1);
    p->question = malloc(bytes);
    p->answered = malloc(bytes);
    if (!p->question || !p->answered) {
        drop(p);
        return NULL;
    }
    pthread_mutex_lock(&q->lock);
    line_up(p);
    pthread_mutex_unlock(&q->lock);
    return p;
}

void query_free(struct query *p)
{
    if (!p)
        return;
    struct queries *q = p->all;

    pthread_mutex_lock(&q->lock);
    leave(p);
    p->gone = true;
    if (!p->runs)
        drop(p);
    pthread_mutex_unlock(&q->lock);
}

void query_ask(struct query *p, const void *question)
{
    struct queries *q = p->all;

    pthread_mutex_lock(&q->lock);
    memcpy(p->question, question, p->bytes);
    p->waits = true;
    p->ready = false;
    if (!q->started)
        q->started = !thread_start(&q->thread, answer_all, q);
    if (q->started)
        pthread_cond_signal(&q->changed);
    else
        answer_one(q, p); /* there can be no thread */
    pthread_mutex_unlock(&q->lock);
}

bool query_ready(struct query *p)
{
    pthread_mutex_lock(&p->all->lock);
    bool ready = p->ready;
    pthread_mutex_unlock(&p->all->lock);
    return ready;
}

bool query_take(struct query *p, struct out *out)
{
    pthread_mutex_lock(&p->all->lock);
    bool ready = p->ready;
    if (ready) {
        *out = p->out;
        out_init(&p->out, -1);
        p->ready = false;
    }
    pthread_mutex_unlock(&p->all->lock);
    return ready;
}
