/* SPDX-License-Identifier: MIT */
/*
 * Facts of QEMU's stub (gdbstub/gdbstub.c, gdbstub/system.c) that shape this:
 *
 * - A client that comes stops the machine; one that goes leaves it so. "D" resumes it.
 * - A client that comes while there is another one waits in the socket's queue; it is taken up
 * later even if it has gone meanwhile, and what it had sent is thrown away then.
 * - Any byte but an acknowledgement, sent to a machine that runs, stops it. So "D" is sent once,
 * and again only when the stub said that it was damaged ('-').
 * - "D" is refused ("E22") for good once any client has said that it knows about processes; then
 *   "D;1" is what it wants, with the number of the process that "qC" names.
 * - The parser keeps half a packet of a client that died; the next one then is damaged.
 * - Qqemu.PhyMemMode holds for the whole of QEMU, not for the connection.
 *
 * The guard runs between fork() and _exit() of a process that may have had threads: it takes no
 * memory and no locks.
 */
#include "target/gdb_guard.h"

#include "base/clock.h"
#include "base/util.h"
#include "target/gdb_packet.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { CONNECT_MS = 5000, ANSWER_MS = 5000, QUIET_MS = 50, QUIET_MOST_MS = 500, TRIES = 3 };

struct guard {
    int fd;
    bool resume, asked, heard, no_ack, physical, idle;
    char buf[256];
    struct gdb_decoder dec;
};

/* ---- in the child ---- */

static bool guard_send(struct guard *g, const char *data, size_t n)
{
    for (int tries = 0; n && tries < 100; tries++) {
        ssize_t w = send(g->fd, data, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        struct pollfd p = {g->fd, POLLOUT, 0};

        if (w > 0)
            data += w, n -= (size_t)w;
        else if (errno != EAGAIN && errno != EINTR)
            return false;
        else
            poll(&p, 1, 10);
    }
    return !n;
}

/* The next bytes that come within ms; 0: none, -1: the stub hung up. */
static ssize_t guard_receive(struct guard *g, char *buf, size_t n, int ms)
{
    struct pollfd p = {g->fd, POLLIN, 0};

    if (poll(&p, 1, ms) <= 0)
        return 0;
    ssize_t got = recv(g->fd, buf, n, MSG_DONTWAIT);
    return got > 0 ? got : got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

/* What the stub still had to say to the parent. */
static void guard_drain(struct guard *g)
{
    uint64_t end = clock_ns() + (uint64_t)QUIET_MOST_MS * 1000000;
    char bytes[4096];

    while (clock_ns() < end && guard_receive(g, bytes, sizeof bytes, QUIET_MS) > 0)
        ;
}

/* Waits for an answer, which is in buf then: 'a'. '-': the request was damaged, 0: none came. */
static char guard_answer(struct guard *g)
{
    /* One that has not said anything yet may serve another client: that can last. */
    uint64_t end = g->heard ? clock_ns() + (uint64_t)ANSWER_MS * 1000000 : UINT64_MAX;
    char bytes[256];
    int damaged = 0;

    gdb_decoder_init(&g->dec, g->buf, sizeof g->buf);
    for (uint64_t now; (now = clock_ns()) < end;) {
        int ms = g->heard ? (int)((end - now) / 1000000) + 1 : -1;
        ssize_t n = guard_receive(g, bytes, sizeof bytes, ms);
        if (n < 0)
            return 0;
        for (size_t at = 0, used; at < (size_t)n; at += used) {
            enum gdb_event e = gdb_decode(&g->dec, bytes + at, (size_t)n - at, &used);
            if (e == GDB_NAK)
                return '-';
            if (e == GDB_DAMAGED && !g->no_ack && damaged++ < TRIES)
                guard_send(g, "-", 1);
            if (e != GDB_PACKET)
                continue;
            if (!g->no_ack)
                guard_send(g, "+", 1);
            return 'a';
        }
    }
    return 0;
}

/* Asks; false: there is no answer in buf. */
static bool guard_request(struct guard *g, const char *payload)
{
    char frame[GDB_FRAME_MAX], answer = '-';
    size_t n = gdb_allowed(payload) ? gdb_frame(payload, frame) : 0;

    for (int i = 0; i < TRIES && n && answer == '-'; i++)
        answer = guard_send(g, frame, n) ? guard_answer(g) : 0;
    return answer == 'a';
}

static bool guard_ask(struct guard *g, const char *payload)
{
    return guard_request(g, payload) && !strcmp(g->buf, "OK");
}

/* "D;PID", with the process of "QCp1.1". */
static bool guard_detach_process(struct guard *g)
{
    static const char start[] = "QCp";
    char payload[24] = "D;";

    if (!guard_request(g, "qC") || strncmp(g->buf, start, sizeof start - 1) != 0)
        return false;
    const char *pid = g->buf + sizeof start - 1;
    size_t n = strspn(pid, "0123456789abcdef");
    if (!n || n > 16 || pid[n] != '.')
        return false;
    memcpy(payload + 2, pid, n);
    payload[2 + n] = '\0';
    return guard_ask(g, payload);
}

static bool guard_detach(struct guard *g)
{
    if (!guard_request(g, "D"))
        return false;
    g->heard = true;
    /* The first answer may be to what the parent had asked, unnoticed. */
    if (strcmp(g->buf, "OK") != 0 && !gdb_is_error(g->buf, strlen(g->buf)) && !g->idle &&
        guard_answer(g) != 'a')
        return false;
    if (!strcmp(g->buf, "OK"))
        return true;
    return gdb_is_error(g->buf, strlen(g->buf)) && guard_detach_process(g);
}

/* False for a socket that never was. */
static bool guard_connected(struct guard *g)
{
    struct pollfd p = {g->fd, POLLOUT, 0};

    return poll(&p, 1, CONNECT_MS) > 0 && !(p.revents & (POLLERR | POLLHUP));
}

static bool guard_end(struct guard *g)
{
    bool ok = true;

    if (!guard_connected(g))
        return !g->asked; /* of one that hung up nobody knows */
    if (g->asked && !g->heard) {
        struct pollfd p = {g->fd, POLLIN, 0};
        poll(&p, 1, -1);
        g->heard = true;
    }
    if (!g->idle) {
        guard_drain(g);
        if (!g->no_ack)
            guard_send(g, "+", 1); /* of an answer that the parent could not take any more */
    }
    if (g->physical)
        ok = guard_ask(g, "Qqemu.PhyMemMode:0");
    if (g->resume)
        ok = guard_detach(g) && ok;
    return ok;
}

__attribute__((noreturn)) static void guard_main(int fd, int orders, bool resume)
{
    struct guard g = {.fd = fd, .resume = resume};
    sigset_t all;
    char c;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    setsid();
    /* What else the parent has open ends with it: a pipe that somebody waits on, for one. */
    int low = MIN(fd, orders), high = MAX(fd, orders);
    if (low > 0)
        close_range(0, (unsigned)low - 1, 0);
    if (high > low + 1)
        close_range((unsigned)low + 1, (unsigned)high - 1, 0);
    close_range((unsigned)high + 1, ~0U, 0);
    while (recv(orders, &c, 1, 0) > 0) {
        g.no_ack |= c == GDB_GUARD_NO_ACK;
        g.physical |= c == GDB_GUARD_PHYSICAL;
        g.idle |= c == GDB_GUARD_IDLE;
        g.asked |= c == GDB_GUARD_ASKED;
        g.heard |= c == GDB_GUARD_HEARD;
    }
    _exit(guard_end(&g) ? 0 : 1);
}

/* ---- in the parent ---- */

struct oscope_error *gdb_guard_start(int fd, bool resume, struct gdb_guard *out)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return error_errno(errno, "socketpair");
    pid_t pid = fork();
    if (pid == 0) {
        close(pair[1]);
        guard_main(fd, pair[0], resume);
    }
    int errnum = errno;
    close(pair[0]);
    if (pid < 0) {
        close(pair[1]);
        return error_errno(errnum, "fork");
    }
    *out = (struct gdb_guard){pid, pair[1]};
    return NULL;
}

struct oscope_error *gdb_guard_tell(struct gdb_guard *g, enum gdb_guard_order order)
{
    char c = (char)order;

    while (send(g->orders, &c, 1, MSG_NOSIGNAL) < 0)
        if (errno != EINTR)
            return error_errno(errno, "the guard of the GDB connection");
    return NULL;
}

void gdb_guard_leave(struct gdb_guard *g)
{
    if (!g->pid)
        return;
    close(g->orders);
    g->pid = 0;
}

bool gdb_guard_finish(struct gdb_guard *g, bool idle)
{
    int status = -1;

    if (!g->pid)
        return true;
    if (idle)
        oscope_error_free(gdb_guard_tell(g, GDB_GUARD_IDLE));
    close(g->orders);
    while (waitpid(g->pid, &status, 0) < 0 && errno == EINTR)
        ;
    g->pid = 0;
    return WIFEXITED(status) && !WEXITSTATUS(status);
}
