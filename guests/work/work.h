/* SPDX-License-Identifier: MIT
 * Copyright the oscope authors
 *
 * The few things every workload needs: a rate or count from the command line, a name for `ps`,
 * and an end on SIGTERM that takes the children along. No stdio, so that a process stays small.
 */
#ifndef WORK_H
#define WORK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* argv[index] as a count, or the default when absent or not a number in 1..max. */
static inline long work_count(int argc, char **argv, int index, long def, long max)
{
    if (argc <= index)
        return def;
    char *end;
    long n = strtol(argv[index], &end, 10);
    return *end || n < 1 || n > max ? def : n;
}

static inline void work_sleep_ms(long ms)
{
    struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&ts, NULL);
}

/* A child dies with its parent, so that one SIGTERM ends a whole workload. */
static inline void work_child(const char *comm)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (comm)
        prctl(PR_SET_NAME, comm);
}

/* "prefix" followed by n; room for 16 bytes, as a comm has. */
static inline void work_name(char out[16], const char *prefix, unsigned long n)
{
    char digits[24];
    size_t d = 0, len = strnlen(prefix, 15);
    do
        digits[d++] = (char)('0' + n % 10);
    while (n /= 10);
    if (len + d > 15)
        len = d > 15 ? 0 : 15 - d;
    memcpy(out, prefix, len);
    while (d && len < 15)
        out[len++] = digits[--d];
    out[len] = 0;
}

static inline void work_die(const char *what)
{
    const char *why = strerrordesc_np(errno);
    (void)!write(2, what, strlen(what));
    (void)!write(2, ": ", 2);
    (void)!write(2, why, strlen(why));
    (void)!write(2, "\n", 1);
    _exit(1);
}

#endif
