/* SPDX-License-Identifier: MIT */
/*
 * Everything that can fail is done before the process goes to the background, so that the user sees
 * the error where it happened. The descriptors (QMP, listener, pidfd) move to the new process.
 */
#include "session/serve.h"

#include "base/util.h"
#include "session/machine.h"
#include "session/runtime.h"
#include "target/hostproc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>

static struct oscope_error *fill_desc(struct serving *s, struct qmp *q)
{
    struct session_desc *d = &s->desc;

    d->start_time = host_start_time(d->pid);
    s->pidfd = pidfd_open(d->pid, 0);
    if (!d->start_time || s->pidfd < 0)
        return error_new(OSCOPE_E_GONE, "QEMU (process %d) has ended", (int)d->pid);
    d->created = (uint64_t)time(NULL);
    d->id = strdup(s->id);
    return d->id ? machine_learn(q, d) : error_nomem();
}

struct oscope_error *serving_open(struct serving *s, struct qmp *q, pid_t child)
{
    struct oscope_error *err = fill_desc(s, q);

    s->mark = runtime_mark(s->dir);
    if (err)
        qmp_close(q);
    else
        err = broker_open(&s->broker, s->dir, &s->desc, q, s->pidfd, -1, child);
    if (err)
        return err;
    err = session_desc_save(s->dir, &s->desc);
    if (err)
        broker_close(&s->broker);
    s->open = !err;
    return err;
}

bool serving_has_folder(const struct serving *s)
{
    return s->dir && (!s->mark || runtime_mark(s->dir) == s->mark);
}

enum broker_end serving_run(struct serving *s, int sigfd)
{
    s->broker.sigfd = sigfd;
    enum broker_end end = broker_serve(&s->broker);

    /* The folder first: who waits for the connection to close finds it gone. */
    bool ours = serving_has_folder(s);
    if (ours && end == BROKER_QEMU_ENDED)
        runtime_remove(s->dir);
    else if (ours)
        runtime_forget(s->dir);
    broker_close(&s->broker);
    s->open = false;
    return end;
}

/* Closes all descriptors but those of the session: what the caller had open is none of ours. */
static void keep_only(const int *keep, size_t n)
{
    unsigned from = 3;

    for (size_t round = 0; round <= n; round++) {
        unsigned next = ~0U;
        for (size_t i = 0; i < n; i++)
            if (keep[i] >= 0 && (unsigned)keep[i] >= from && (unsigned)keep[i] < next)
                next = (unsigned)keep[i];
        if (next > from)
            close_range(from, next == ~0U ? next : next - 1, 0);
        if (next == ~0U)
            return;
        from = next + 1;
    }
}

__attribute__((noreturn)) static void background_main(struct serving *s)
{
    const int keep[] = {qmp_fd(s->broker.qmp), s->broker.listen_fd, s->pidfd};
    int null = open("/dev/null", O_RDWR), sigfd;
    sigset_t old;

    for (int i = 0; i < 3 && null >= 0; i++)
        dup2(null, i);
    keep_only(keep, ARRAY_SIZE(keep));
    if (chdir("/") < 0)
        _exit(1);
    struct oscope_error *err = broker_signals(&sigfd, &old);
    if (err)
        _exit(1);
    serving_run(s, sigfd);
    _exit(0);
}

struct oscope_error *serving_background(struct serving *s)
{
    pid_t middle = fork();

    if (middle < 0)
        return error_errno(errno, "fork");
    if (middle == 0) {
        setsid();
        pid_t last = fork();
        if (last == 0)
            background_main(s);
        _exit(last < 0 ? 1 : 0);
    }
    int status;
    while (waitpid(middle, &status, 0) < 0 && errno == EINTR)
        ;
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        return error_new(OSCOPE_E_IO, "the background process could not be started");
    broker_close(&s->broker); /* our copies; no client is there yet */
    s->open = false;
    return NULL;
}

void serving_free(struct serving *s)
{
    if (s->open)
        broker_close(&s->broker);
    if (s->pidfd >= 0)
        close(s->pidfd);
    session_desc_free(&s->desc);
    free(s->id);
    free(s->dir);
    *s = (struct serving){.pidfd = -1};
}
