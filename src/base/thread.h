/* SPDX-License-Identifier: MIT */
/*
 * Threads that the library starts beside its user's. Signals are for the user's threads: one of
 * ours would otherwise be as good as any for SIGINT or SIGCHLD, and a handler would run in it while
 * the thread that is to be woken sleeps on.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <signal.h>

/*
 * As pthread_create(), but the new thread has all signals blocked; not those of its own errors:
 * blocked, they would end the process without asking a handler. 0, or an errno.
 */
static inline int thread_start(pthread_t *thread, void *(*run)(void *), void *arg)
{
    static const int own[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP};
    sigset_t all, before;

    sigfillset(&all);
    for (unsigned i = 0; i < sizeof own / sizeof own[0]; i++)
        sigdelset(&all, own[i]);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(thread, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

#endif
