/* SPDX-License-Identifier: MIT */
/* See closing.h. */
#include "web/closing.h"

#include "base/util.h"

#include <pthread.h>
#include <stdlib.h>

struct closing {
    pthread_mutex_t lock;
    pthread_cond_t done;
    unsigned open; /* threads */
};

struct one {
    struct closing *all;
    void (*close)(void *what);
    void *what;
};

struct closing *closing_new(void)
{
    struct closing *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->done, NULL);
    return c;
}

void closing_end(struct closing *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    while (c->open)
        pthread_cond_wait(&c->done, &c->lock);
    pthread_mutex_unlock(&c->lock);
    pthread_cond_destroy(&c->done);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static void *close_one(void *arg)
{
    struct one *o = arg;
    struct closing *c = o->all;

    o->close(o->what);
    free(o);
    pthread_mutex_lock(&c->lock);
    c->open--;
    pthread_cond_signal(&c->done);
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

static bool begin(struct one *o)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, close_one, o))
        return false;
    pthread_detach(thread);
    return true;
}

void closing_begin(struct closing *c, void (*close)(void *what), void *what)
{
    struct one *o = malloc(sizeof *o);

    if (o) {
        *o = (struct one){c, close, what};
        pthread_mutex_lock(&c->lock);
        c->open++;
        pthread_mutex_unlock(&c->lock);
        if (begin(o))
            return;
        pthread_mutex_lock(&c->lock);
        c->open--;
        pthread_mutex_unlock(&c->lock);
        free(o);
    }
    close(what);
}
