/* SPDX-License-Identifier: MIT
 * Copyright the oscope authors
 *
 * threads N: one process with N named threads that wait in four different ways: a futex, a pipe
 * read, a timer, a signal. What thread lists and kernel stacks are checked on.
 */
#include "work.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static int pipefd[2];

static void *wait_somehow(void *arg)
{
    unsigned long n = (unsigned long)(uintptr_t)arg;
    char comm[16], byte;
    work_name(comm, "thread-", n);
    pthread_setname_np(pthread_self(), comm);
    for (;;) {
        switch (n % 4) {
        case 0:
            pthread_mutex_lock(&lock);
            pthread_cond_wait(&never, &lock);
            pthread_mutex_unlock(&lock);
            break;
        case 1: (void)!read(pipefd[0], &byte, 1); break;
        case 2: work_sleep_ms(3600 * 1000L); break;
        default: pause();
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    long count = work_count(argc, argv, 1, 50, 100000);
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 64 * 1024);
    if (pipe(pipefd))
        work_die("pipe");
    for (long n = 0; n < count; n++) {
        pthread_t t;
        errno = pthread_create(&t, &attr, wait_somehow, (void *)(uintptr_t)n);
        if (errno)
            work_die("pthread_create");
    }
    for (;;)
        pause();
}
