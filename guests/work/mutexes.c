/* SPDX-License-Identifier: MIT
 * Copyright the oscope authors
 *
 * mutexes [N]: N threads (default 6) that fight over one mutex and one reader-writer lock and
 * sleep while they hold them, so that at any moment one thread owns and the others wait.
 */
#include "work.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;

static void *fight(void *arg)
{
    unsigned long self = (unsigned long)(uintptr_t)arg;
    char comm[16];
    work_name(comm, "mutex-", self);
    pthread_setname_np(pthread_self(), comm);
    for (unsigned long n = self;; n++) {
        pthread_mutex_lock(&lock);
        work_sleep_ms(5);
        pthread_mutex_unlock(&lock);
        if (n % 4)
            pthread_rwlock_rdlock(&table);
        else
            pthread_rwlock_wrlock(&table);
        work_sleep_ms(2);
        pthread_rwlock_unlock(&table);
        work_sleep_ms(20);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    long count = work_count(argc, argv, 1, 6, 1000);
    for (long n = 1; n < count; n++) {
        pthread_t t;
        errno = pthread_create(&t, NULL, fight, (void *)(uintptr_t)n);
        if (errno)
            work_die("pthread_create");
    }
    fight(NULL);
}
