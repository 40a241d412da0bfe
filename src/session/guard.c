/* SPDX-License-Identifier: MIT */
/*
 * The guard reads one byte per change from a socket: 's' stopped, 'r' running, 'q' quit. End of
 * file while stopped means that the broker died holding the guest.
 */
#include "session/guard.h"

#include "base/util.h"
#include "target/qmp.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* Body of the guard process. The broker's descriptors are closed: they would keep QMP connected. */
__attribute__((noreturn)) static void guard_main(int fd, const char *qmp_path)
{
    struct qmp *q;
    char c = 'r', last = 'r';

    setsid();
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    if (dup2(fd, 3) == 3)
        close_range(4, ~0U, 0);
    int null = open("/dev/null", O_RDWR);
    for (int i = 0; i < 3 && null >= 0; i++)
        dup2(null, i);
    for (;;) {
        ssize_t n = read(3, &c, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || c == 'q')
            break;
        last = c;
    }
    /* QEMU accepts the next client once it has noticed that the last one is gone. */
    for (int i = 0; last == 's' && c != 'q' && i < 5; i++) {
        struct oscope_error *err = qmp_connect(qmp_path, QMP_GREETING_MS, &q);
        if (!err)
            err = qmp_set_running(q, true);
        if (!err)
            break;
        oscope_error_free(err);
        usleep(100000);
    }
    _exit(0);
}

static struct oscope_error *start(struct guard *g, const char *qmp_path)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
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

struct oscope_error *guard_tell(struct guard *g, const char *qmp_path, bool stopped)
{
    if (g->fd < 0)
        TRY(start(g, qmp_path));
    if (send(g->fd, stopped ? "s" : "r", 1, MSG_NOSIGNAL) == 1)
        return NULL;
    /* Somebody killed it: have a new one. */
    close(g->fd);
    g->fd = -1;
    TRY(start(g, qmp_path));
    if (send(g->fd, stopped ? "s" : "r", 1, MSG_NOSIGNAL) != 1)
        return error_errno(errno, "talk to the guard process");
    return NULL;
}

void guard_dismiss(struct guard *g)
{
    if (g->fd < 0)
        return;
    if (send(g->fd, "q", 1, MSG_NOSIGNAL) < 0)
        return;
    close(g->fd);
    g->fd = -1;
}
