/* SPDX-License-Identifier: MIT */
/*
 * One thread, one poll loop. A client is a connection with an input buffer and the number of pauses
 * it holds; when it goes, its pauses go. Each request is answered before the next is read. The
 * guest is resumed only if it ran before our first pause: a guest that the user had stopped stays
 * stopped.
 */
#include "session/broker.h"

#include "os/model.h"

#include "base/clock.h"
#include "base/util.h"
#include "base/vec.h"
#include "session/devices.h"
#include "session/machine.h"
#include "session/probe_ops.h"
#include "session/sock.h"
#include "target/hostproc.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

enum {
    REQUEST_MAX = 2 << 20, /* a probe set is some 100 KiB at most */
    SEND_TIMEOUT_MS = 2000,
    QEMU_TIMEOUT_MS = 4000,
    RUN_ON_MS = 100,
    CLEAR_MS = 2000, /* clients look for a new broker every 250 ms */
};

struct broker_client {
    int fd;
    unsigned pauses;
    size_t len, cap;
    char *buf;
};

/* ---- pausing ---- */

static struct oscope_error *no_qmp(void)
{
    return error_new(OSCOPE_E_GONE, "QEMU has closed its QMP connection");
}

struct oscope_error *broker_stop_guest(struct broker *b)
{
    bool running;

    if (!b->qmp)
        return no_qmp();
    if (b->pauses)
        return NULL;
    TRY(machine_running(b->qmp, &running));
    if (!running)
        return NULL;
    TRY(guard_tell(&b->guard, b->desc->qmp, true));
    struct oscope_error *err = qmp_set_running(b->qmp, false);
    if (err) {
        /* QEMU may stop late: then it must run on at once, see run_on() */
        b->stopped_here = err->code == OSCOPE_E_TIMEOUT;
        if (!b->stopped_here)
            oscope_error_free(guard_tell(&b->guard, b->desc->qmp, false));
        return err;
    }
    b->stopped_here = true;
    return NULL;
}

struct oscope_error *broker_run_guest(struct broker *b)
{
    if (b->pauses || !b->stopped_here)
        return NULL;
    if (!b->qmp)
        return no_qmp();
    TRY(qmp_set_running(b->qmp, true)); /* else it is tried again: run_on() */
    b->stopped_here = false;
    return guard_tell(&b->guard, b->desc->qmp, false);
}

/* A guest that we stopped and nobody wants stopped must not stay so because QEMU was slow to
 * answer. Returns how long to wait until the next try, ms; -1: no need. */
static int run_on(struct broker *b)
{
    if (b->stopped_here && !b->pauses && b->qmp)
        oscope_error_free(broker_run_guest(b));
    return b->stopped_here && !b->pauses && b->qmp ? RUN_ON_MS : -1;
}

static struct oscope_error *client_pause(struct broker *b, struct broker_client *c)
{
    TRY(broker_stop_guest(b));
    b->pauses++;
    c->pauses++;
    return NULL;
}

static struct oscope_error *client_resume(struct broker *b, struct broker_client *c)
{
    if (!c->pauses)
        return error_new(OSCOPE_E_USAGE, "resume without a pause");
    c->pauses--;
    b->pauses--;
    return broker_run_guest(b);
}

/* ---- QEMU's own trace points ---- */

/* {"threads":[[index, thread], …]}: of the vCPUs. */
static struct oscope_error *threads_json(struct broker *b, json_t *out)
{
    json_t *cpus, *threads = json_array();

    json_object_set_new(out, "threads", threads);
    TRY(qmp_query(b->qmp, "query-cpus-fast", &cpus));
    for (size_t i = 0; i < json_array_size(cpus); i++) {
        const json_t *cpu = json_array_get(cpus, i);
        json_array_append_new(threads, json_pack("[O,O]", json_object_get(cpu, "cpu-index"),
                                                 json_object_get(cpu, "thread-id")));
    }
    json_decref(cpus);
    return NULL;
}

static struct qtrace_host qtrace_host(struct broker *b)
{
    return (struct qtrace_host){b->qmp, &b->guard, b->dir, b->desc};
}

/* {"map":"…"}: QEMU's memory map, to tell registers by. */
static struct oscope_error *op_map(struct broker *b, json_t *out)
{
    AUTO_FREE char *map = NULL;

    if (!b->qmp)
        return no_qmp();
    TRY(qmp_hmp(b->qmp, "info mtree -f", &map));
    json_object_set_new(out, "map", json_string_nocheck(map));
    return NULL;
}

static struct oscope_error *op_trace(struct broker *b, const struct broker_client *c,
                                     const json_t *request, json_t *out)
{
    json_int_t sets = json_integer_value(json_object_get(request, "sets"));
    struct qtrace_host h = qtrace_host(b);
    uint64_t at = 0;

    if (!b->qmp)
        return no_qmp();
    if (sets < 0 || sets > QEMUTRACE_SET_ALL)
        return error_new(OSCOPE_E_BAD_DATA, "trace: no such sets");
    TRY(op_map(b, out));
    TRY(threads_json(b, out));
    TRY(qtrace_want(&b->trace, &h, c, (unsigned)sets, &at));
    json_object_set_new(out, "log", json_string(b->trace.log));
    json_object_set_new(out, "at", json_integer((json_int_t)at));
    return NULL;
}

static void forget_trace(struct broker *b, const struct broker_client *c)
{
    struct qtrace_host h = qtrace_host(b);
    uint64_t at;

    if (b->qmp && qtrace_wants(&b->trace, c))
        oscope_error_free(qtrace_want(&b->trace, &h, c, 0, &at));
}

/* ---- requests ---- */

static struct oscope_error *op_hello(struct broker *b, json_t *out)
{
    json_object_set_new(out, "id", json_string(b->desc->id));
    json_object_set_new(out, "pid", json_integer(b->desc->pid));
    json_object_set_new(out, "broker", json_integer(getpid()));
    json_object_set_new(out, "qemu", json_string(b->desc->version));
    return NULL;
}

static struct oscope_error *op_status(struct broker *b, json_t *out)
{
    bool running;

    if (!b->qmp)
        return no_qmp();
    TRY(machine_running(b->qmp, &running));
    const struct qmp_events *e = qmp_events(b->qmp);
    json_object_set_new(out, "running", json_boolean(running));
    json_object_set_new(out, "pauses", json_integer(b->pauses));
    json_object_set_new(out, "resets", json_integer(e->reset));
    json_object_set_new(out, "shutdowns", json_integer(e->shutdown));
    return NULL;
}

static struct oscope_error *op_registers(struct broker *b, json_t *out)
{
    AUTO_FREE char *text = NULL;

    if (!b->qmp)
        return no_qmp();
    TRY(qmp_hmp(b->qmp, "info registers -a", &text));
    TRY(threads_json(b, out));
    json_object_set_new(out, "text", json_string_nocheck(text));
    return NULL;
}

/* After a reset another kernel may lie elsewhere, with the old one still in RAM. */
static void note_reset(struct broker *b)
{
    unsigned resets = b->qmp ? qmp_events(b->qmp)->reset : b->resets;

    if (resets == b->resets)
        return;
    b->resets = resets;
    os_forget_boot(b->dir);
    if (b->engine)
        engine_tell_start(b->engine, clock_ns(), true);
    probe_ops_reset(b);
}

/* Has the client closed its end? What it sent before can still be read. */
static bool hung_up(const struct broker_client *c)
{
    struct pollfd p = {.fd = c->fd};

    return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR));
}

static struct oscope_error *dispatch(struct broker *b, struct broker_client *c, const char *op,
                                     const json_t *request, json_t *out)
{
    note_reset(b); /* probes may come that were written before it */
    if (!strcmp(op, "hello"))
        return op_hello(b, out);
    if (!strcmp(op, "status"))
        return op_status(b, out);
    if (!strcmp(op, "registers"))
        return op_registers(b, out);
    if (!strcmp(op, "pause"))
        return client_pause(b, c);
    if (!strcmp(op, "resume"))
        return client_resume(b, c);
    if (!strcmp(op, "subscribe"))
        return probe_ops_subscribe(b, c, request, out);
    if (!strcmp(op, "probes"))
        return probe_ops_list(b, out);
    if (!strcmp(op, "enable") || !strcmp(op, "disable") || !strcmp(op, "remove"))
        return probe_ops_change(b, op, request, out);
    if (!strcmp(op, "trace"))
        return op_trace(b, c, request, out);
    if (!strcmp(op, "map"))
        return op_map(b, out);
    if (devices_knows(op))
        return b->qmp ? devices_answer(b->qmp, op, request, out) : no_qmp();
    if (!strcmp(op, "detach")) {
        if (hung_up(c)) /* it waited in vain, and said that nothing happened */
            return error_new(OSCOPE_E_GONE, "the client has gone");
        b->detach = true;
        return NULL;
    }
    return error_new(OSCOPE_E_UNSUPPORTED, "the broker does not know '%s'", op);
}

static bool send_line(int fd, const char *text, size_t n)
{
    while (n) {
        ssize_t sent = send(fd, text, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0) {
            text += sent, n -= (size_t)sent;
            continue;
        }
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (poll(&p, 1, SEND_TIMEOUT_MS) == 0) /* a client that does not read its answer */
            return false;
    }
    return true;
}

/* Answers one request line; false: drop the client. */
static bool answer(struct broker *b, struct broker_client *c, const char *line, size_t n)
{
    json_t *request = json_loadb(line, n, 0, NULL);
    const char *op = json_string_value(json_object_get(request, "op"));
    json_t *out = json_object();
    struct oscope_error *err = op ? dispatch(b, c, op, request, out)
                                  : error_new(OSCOPE_E_USAGE, "a request without \"op\"");

    if (err) {
        json_object_clear(out);
        json_object_set_new(out, "code", json_integer(err->code));
        json_object_set_new(out, "error", json_string(err->message));
        json_object_set_new(out, "hint", json_string(err->hint));
    }
    json_object_set_new(out, "ok", json_boolean(!err));
    char *text = json_dumps(out, JSON_COMPACT);
    bool ok = text && send_line(c->fd, text, strlen(text)) && send_line(c->fd, "\n", 1);
    free(text);
    json_decref(out);
    json_decref(request);
    oscope_error_free(err);
    return ok;
}

/* ---- clients ---- */

static void drop_client(struct broker *b, size_t i)
{
    struct broker_client *c = b->clients[i];

    b->clients[i] = NULL;
    close(c->fd);
    b->pauses -= c->pauses;
    if (c->pauses)
        oscope_error_free(broker_run_guest(b));
    probe_ops_forget(b, c);
    forget_trace(b, c);
    free(c->buf);
    free(c);
}

static void accept_client(struct broker *b)
{
    int fd = accept4(b->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    struct ucred cred;
    socklen_t len = sizeof cred;
    size_t i = 0;

    if (fd < 0)
        return;
    while (i < BROKER_CLIENTS && b->clients[i])
        i++;
    bool ours = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 &&
                (cred.uid == geteuid() || cred.uid == 0);
    struct broker_client *c = ours && i < BROKER_CLIENTS ? calloc(1, sizeof *c) : NULL;
    if (!c) {
        close(fd);
        return;
    }
    c->fd = fd;
    b->clients[i] = c;
}

/* Reads what a client sent and answers whole lines; false: it is gone or broken. */
static bool serve_client(struct broker *b, struct broker_client *c)
{
    char *nl;

    if (!vec_reserve_((void **)&c->buf, &c->cap, c->len + 4096, 1))
        return false;
    ssize_t n = recv(c->fd, c->buf + c->len, c->cap - c->len, MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    if (n == 0)
        return false;
    c->len += (size_t)n;
    while ((nl = memchr(c->buf, '\n', c->len))) {
        size_t line = (size_t)(nl - c->buf) + 1;
        if (!answer(b, c, c->buf, line))
            return false;
        memmove(c->buf, c->buf + line, c->len - line);
        c->len -= line;
    }
    return c->len < REQUEST_MAX;
}

/* ---- the loop ---- */

struct oscope_error *broker_signals(int *sigfd, void *old_mask)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGQUIT);
    sigprocmask(SIG_BLOCK, &set, old_mask);
    *sigfd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (*sigfd >= 0)
        return NULL;
    int errnum = errno;
    sigprocmask(SIG_SETMASK, old_mask, NULL);
    return error_errno(errnum, "signalfd");
}

bool broker_signal(int sigfd, pid_t child)
{
    struct signalfd_siginfo info;

    if (read(sigfd, &info, sizeof info) != sizeof info)
        return false;
    if (!child)
        return true;
    /* ^C and ^\ of the terminal reach QEMU without us. Sent by hand they would not. */
    bool from_terminal = info.ssi_code == SI_KERNEL;
    if (!from_terminal)
        kill(child, (int)info.ssi_signo);
    return false;
}

static void hang_up(struct broker *b)
{
    qmp_close(b->qmp);
    b->qmp = NULL;
}

/* Probes that a broker which is no more left behind. Its clients have a moment to come here. */
static void find_probes(struct broker *b)
{
    struct oscope_error *err = engine_open(b->desc->pid, &b->engine);

    /* Of a guest that is not our child we do not know whether it was reset meanwhile. */
    if (!err) {
        engine_tell_start(b->engine, b->child ? host_start_ns(b->child) : 0, false);
        standstill_begin(&b->still, engine_control(b->engine), b->qmp, b->desc->pid);
    }
    if (!err && engine_was_used(b->engine))
        b->clear_at = clock_ns() + (uint64_t)CLEAR_MS * 1000000;
    oscope_error_free(err);
}

/* Does what is due without anybody asking; how long others may be waited for, ms, -1: for ever. */
static int until_due(struct broker *b)
{
    uint64_t now = clock_ns();
    bool settled;

    if (b->clear_at && now >= b->clear_at) {
        oscope_error_free(probe_ops_enforce(b, &settled));
        b->clear_at = 0;
    }
    int ms = b->clear_at ? (int)((b->clear_at - now) / 1000000) + 1 : -1;
    int again = probe_ops_due(b);
    if (again >= 0)
        ms = ms < 0 ? again : MIN(ms, again);
    probe_ops_flip(b);
    int slice = duty_wait_ms(&b->duty, clock_ns());
    if (slice >= 0)
        ms = ms < 0 ? slice : MIN(ms, slice);
    if (!qtrace_wants(&b->trace, NULL))
        return ms;
    qtrace_trim(&b->trace);
    return ms < 0 ? QTRACE_TRIM_MS : MIN(ms, QTRACE_TRIM_MS);
}

struct oscope_error *broker_open(struct broker *b, const char *dir, const struct session_desc *desc,
                                 struct qmp *q, int pidfd, int sigfd, pid_t child)
{
    *b = (struct broker){.dir = dir,
                         .desc = desc,
                         .qmp = q,
                         .pidfd = pidfd,
                         .sigfd = sigfd,
                         .child = child,
                         .guard = {-1}};
    b->listen_fd = sock_listen(dir, "broker.sock");
    if (b->listen_fd >= 0) {
        struct qtrace_host h = qtrace_host(b);
        find_probes(b);
        qtrace_clear(&h);
        return NULL;
    }
    int errnum = errno;
    hang_up(b);
    return error_errno(errnum, "listen in '%s'", dir);
}

enum { AT_PID, AT_SIGNAL, AT_LISTEN, AT_QMP, AT_CLIENTS };

static nfds_t fill_poll(const struct broker *b, struct pollfd *p)
{
    p[AT_PID] = (struct pollfd){b->pidfd, POLLIN, 0};
    p[AT_SIGNAL] = (struct pollfd){b->sigfd, POLLIN, 0};
    p[AT_LISTEN] = (struct pollfd){b->listen_fd, POLLIN, 0};
    p[AT_QMP] = (struct pollfd){b->qmp ? qmp_fd(b->qmp) : -1, POLLIN, 0};
    for (size_t i = 0; i < BROKER_CLIENTS; i++)
        p[AT_CLIENTS + i] = (struct pollfd){b->clients[i] ? b->clients[i]->fd : -1, POLLIN, 0};
    return AT_CLIENTS + BROKER_CLIENTS;
}

enum broker_end broker_serve(struct broker *b)
{
    /* Clients wait for this thread, so it does not wait long itself. */
    if (b->qmp)
        qmp_set_timeout(b->qmp, QEMU_TIMEOUT_MS);
    while (!b->detach) {
        struct pollfd p[AT_CLIENTS + BROKER_CLIENTS];

        int retry = run_on(b), due = until_due(b);
        if (poll(p, fill_poll(b, p), retry >= 0 && (due < 0 || retry < due) ? retry : due) < 0)
            continue;
        if (p[AT_PID].revents)
            return BROKER_QEMU_ENDED;
        if (p[AT_SIGNAL].revents && broker_signal(b->sigfd, b->child))
            break;
        if (p[AT_QMP].revents) {
            struct oscope_error *err = qmp_drain(b->qmp);
            if (err)
                hang_up(b);
            oscope_error_free(err);
        }
        for (size_t i = 0; i < BROKER_CLIENTS; i++)
            if (p[AT_CLIENTS + i].revents && !serve_client(b, b->clients[i]))
                drop_client(b, i);
        if (p[AT_LISTEN].revents)
            accept_client(b);
        note_reset(b);
    }
    return BROKER_DETACHED;
}

void broker_close(struct broker *b)
{
    for (size_t i = 0; i < BROKER_CLIENTS; i++)
        if (b->clients[i])
            drop_client(b, i);
    run_on(b);
    if (b->qmp)
        hang_up(b);
    guard_dismiss(&b->guard);
    engine_close(b->engine);
    b->engine = NULL;
    qtrace_free(&b->trace);
    close(b->listen_fd);
}
