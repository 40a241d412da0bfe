/* SPDX-License-Identifier: MIT */
/*
 * The guard gets a struct guard_duty per change from a socket. End of file means that the broker is
 * gone: what stands in the last one is undone.
 */
#include "session/guard.h"

#include "base/util.h"
#include "capture/qemutrace/sets.h"
#include "capture/qemutrace/source.h"
#include "target/qmp.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { TRIM_MS = 1000 };

static struct oscope_error *undo(struct qmp *q, const struct guard_duty *d)
{
    if (d->stopped)
        TRY(qmp_set_running(q, true));
    for (unsigned i = 0; i < QEMUTRACE_POINTS; i++)
        if (d->points >> i & 1)
            TRY(qmp_trace_set(q, qemutrace_points[i].name, false));
    if (!d->points)
        return NULL;
    unlink(d->log); /* QEMU holds it until it opens the next */
    return qmp_log_file(q, d->after);
}

/* QEMU accepts the next client once it has noticed that the last one is gone. */
static void broker_gone(const char *qmp_path, const struct guard_duty *d)
{
    for (int i = 0; (d->stopped || d->points) && i < 5; i++) {
        struct qmp *q = NULL;
        struct oscope_error *err = qmp_connect(qmp_path, QMP_GREETING_MS, &q);
        if (!err)
            err = undo(q, d);
        qmp_close(q);
        if (!err)
            break;
        oscope_error_free(err);
        usleep(100000);
    }
}

/* Body of the guard process. The broker's descriptors are closed: they would keep QMP connected. */
__attribute__((noreturn)) static void guard_main(int fd, const char *qmp_path)
{
    struct guard_duty duty = {0}, next;

    setsid();
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    if (dup2(fd, 3) == 3)
        close_range(4, ~0U, 0);
    int null = open("/dev/null", O_RDWR);
    for (int i = 0; i < 3 && null >= 0; i++)
        dup2(null, i);
    while (!duty.quit) {
        struct pollfd p = {.fd = 3, .events = POLLIN};
        /* The broker keeps the log small; this is for one that stands still (SIGSTOP). */
        if (poll(&p, 1, duty.points ? TRIM_MS : -1) == 0) {
            qemutrace_log_trim(duty.log, 2 * QEMUTRACE_KEEP);
            continue;
        }
        ssize_t n = recv(3, &next, sizeof next, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n != sizeof next)
            break;
        duty = next;
    }
    if (!duty.quit)
        broker_gone(qmp_path, &duty);
    _exit(0);
}

static struct oscope_error *start(struct guard *g, const char *qmp_path)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return error_errno(errno, "socketpair");
    pid_t middle = fork();
    if (middle < 0) {
        int errnum = errno;
        close(pair[0]);
        close(pair[1]);
        return error_errno(errnum, "fork");
    }
    if (middle == 0) {
        /* A grandchild, so that the broker has no child but its QEMU. */
        if (fork() == 0)
            guard_main(pair[1], qmp_path);
        _exit(0);
    }
    close(pair[1]);
    while (waitpid(middle, NULL, 0) < 0 && errno == EINTR)
        ;
    g->fd = pair[0];
    return NULL;
}

static bool send_duty(const struct guard *g)
{
    return send(g->fd, &g->duty, sizeof g->duty, MSG_NOSIGNAL) == sizeof g->duty;
}

static struct oscope_error *tell(struct guard *g, const char *qmp_path)
{
    if (g->fd < 0)
        TRY(start(g, qmp_path));
    if (send_duty(g))
        return NULL;
    /* Somebody killed it: have a new one. */
    close(g->fd);
    g->fd = -1;
    TRY(start(g, qmp_path));
    return send_duty(g) ? NULL : error_errno(errno, "talk to the guard process");
}

struct oscope_error *guard_tell(struct guard *g, const char *qmp_path, bool stopped)
{
    g->duty.stopped = stopped;
    return tell(g, qmp_path);
}

struct oscope_error *guard_trace(struct guard *g, const char *qmp_path, uint32_t points,
                                 const char *log, const char *after)
{
    g->duty.points = points;
    str_copy(g->duty.log, sizeof g->duty.log, log);
    str_copy(g->duty.after, sizeof g->duty.after, after);
    return tell(g, qmp_path);
}

void guard_dismiss(struct guard *g)
{
    if (g->fd < 0)
        return;
    g->duty = (struct guard_duty){.quit = true};
    if (!send_duty(g))
        return;
    close(g->fd);
    g->fd = -1;
}
