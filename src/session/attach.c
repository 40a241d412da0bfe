/* SPDX-License-Identifier: MIT */
/*
 * `oscope attach` (a QEMU that runs already), `oscope core` (a dump) and `oscope detach`.
 *
 * Attaching to a QEMU whose session lost its broker takes that session over under its old id.
 */
#include "session/session.h"

#include "base/util.h"
#include "session/client.h"
#include "session/findqmp.h"
#include "session/machine.h"
#include "session/runtime.h"
#include "session/serve.h"
#include "session/symfiles.h"
#include "target/hostproc.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

struct attach {
    const struct oscope_attach_options *opts;
    struct serving s;
    struct qmp *q; /* until it is handed over */
};

/* True when a broker serves the session in dir. */
static bool has_broker(const char *dir)
{
    struct broker_link link = {dir, -1};
    struct oscope_error *err = broker_call(&link, "hello", 2000, NULL);
    /* One that is slow to answer is there too. */
    bool there = !err || err->code == OSCOPE_E_TIMEOUT;

    oscope_error_free(err);
    broker_hang_up(&link);
    return there;
}

static struct oscope_error *already_observed(const char *id, pid_t pid)
{
    return error_hint(
        error_new(OSCOPE_E_BUSY, "session '%s' observes QEMU %d already", id, (int)pid),
        "use it: oscope -s %s, or end it: oscope detach %s", id, id);
}

/* The session of that process, if there is one: takes it over, or says that it is served. */
static struct oscope_error *look_for_session(struct attach *a, pid_t pid, uint64_t start)
{
    struct runtime_ids ids;
    struct oscope_error *err = NULL;

    TRY(runtime_ids(&ids));
    for (size_t i = 0; i < ids.n && !err && !a->s.id; i++) {
        AUTO_FREE char *dir = NULL;
        struct session_desc d;

        err = runtime_dir(ids.ids[i], &dir);
        if (err)
            break;
        struct oscope_error *bad = session_desc_load(dir, &d);
        if (bad) {
            oscope_error_free(bad);
            continue;
        }
        if (d.pid == pid && d.start_time == start) {
            if (has_broker(dir)) {
                err = already_observed(ids.ids[i], pid);
            } else {
                a->s.id = strdup(ids.ids[i]);
                a->s.dir = dir;
                a->s.desc.kind = d.kind ? strdup(d.kind) : NULL;
                a->s.desc.qmp = d.qmp ? strdup(d.qmp) : NULL;
                a->s.desc.vmlinux = d.vmlinux ? strdup(d.vmlinux) : NULL;
                a->s.desc.system_map = d.system_map ? strdup(d.system_map) : NULL;
                a->s.desc.profile = d.profile ? strdup(d.profile) : NULL;
                dir = NULL;
            }
        }
        session_desc_free(&d);
    }
    runtime_ids_free(&ids);
    return err;
}

static struct oscope_error *attach_pid(struct attach *a, pid_t pid)
{
    uint64_t start = host_start_time(pid);

    if (!start)
        return error_new(OSCOPE_E_GONE, "there is no process %d", (int)pid);
    a->s.desc.pid = pid;
    TRY(look_for_session(a, pid, start));
    if (a->s.desc.qmp) {
        struct oscope_error *err = qmp_connect(a->s.desc.qmp, QMP_GREETING_MS, &a->q);
        if (!err)
            return NULL;
        oscope_error_free(err); /* its socket may be gone: look for another */
        free(a->s.desc.qmp);
        a->s.desc.qmp = NULL;
    }
    return findqmp_connect(pid, &a->q, &a->s.desc.qmp);
}

/* An error when one of our sessions is served through that socket: better said than "busy". */
static struct oscope_error *served_through(const char *qmp)
{
    struct runtime_ids ids;
    struct oscope_error *err = NULL;

    TRY(runtime_ids(&ids));
    for (size_t i = 0; i < ids.n && !err; i++) {
        AUTO_FREE char *dir = NULL;
        struct session_desc d = {0};

        err = runtime_dir(ids.ids[i], &dir);
        if (!err)
            oscope_error_free(session_desc_load(dir, &d));
        if (d.qmp && !strcmp(d.qmp, qmp) && has_broker(dir))
            err = already_observed(ids.ids[i], d.pid);
        session_desc_free(&d);
    }
    runtime_ids_free(&ids);
    return err;
}

static struct oscope_error *attach_socket(struct attach *a, const char *path)
{
    struct stat st;
    pid_t pid;

    a->s.desc.qmp = realpath(path, NULL);
    if (!a->s.desc.qmp)
        return error_hint(error_errno(errno, "QMP socket '%s'", path),
                          "give the PID of a QEMU or the path of its QMP socket");
    if (stat(a->s.desc.qmp, &st) == 0 && !S_ISSOCK(st.st_mode))
        return error_hint(error_new(OSCOPE_E_USAGE, "'%s' is not a socket", path),
                          "give the PID of a QEMU or the path of its QMP socket%s",
                          S_ISREG(st.st_mode) ? "; dumps are opened with oscope core" : "");
    TRY(served_through(a->s.desc.qmp));
    struct oscope_error *err = qmp_connect(a->s.desc.qmp, QMP_GREETING_MS, &a->q);
    if (err && (err->code == OSCOPE_E_BUSY || err->code == OSCOPE_E_BAD_DATA))
        return error_prefix(err, "'%s'", path); /* others name it themselves */
    TRY(err);
    TRY(machine_pid(a->q, &pid));
    AUTO_FREE char *qmp = a->s.desc.qmp;
    a->s.desc.qmp = NULL;
    a->s.desc.pid = pid;
    TRY(look_for_session(a, pid, host_start_time(pid)));
    free(a->s.desc.qmp);
    a->s.desc.qmp = qmp;
    qmp = NULL;
    return NULL;
}

/* True for a decimal PID. */
static bool parse_pid(const char *what, pid_t *pid)
{
    char *end;

    errno = 0;
    long n = strtol(what, &end, 10);
    if (!isdigit((unsigned char)what[0]) || *end || errno || n <= 0 || n > INT_MAX)
        return false;
    *pid = (pid_t)n;
    return true;
}

static struct oscope_error *open_session(struct attach *a, const char *what)
{
    struct session_desc *d = &a->s.desc;
    pid_t pid;

    TRY(symfiles_check(NULL, &a->opts->files));
    TRY(parse_pid(what, &pid) ? attach_pid(a, pid) : attach_socket(a, what));
    TRY(symfiles_keep(d, &a->opts->files));
    bool fresh = !a->s.id;
    if (fresh)
        TRY(runtime_create(a->opts->name, &a->s.id, &a->s.dir));
    if (!d->kind)
        d->kind = strdup("attach");
    struct qmp *q = a->q;
    a->q = NULL;
    struct oscope_error *err = serving_open(&a->s, q, 0);
    if (err && fresh)
        runtime_remove(a->s.dir);
    return err;
}

static struct oscope_error *serve_foreground(struct attach *a)
{
    char line[64];
    sigset_t old;
    int sigfd;

    TRY(broker_signals(&sigfd, &old));
    snprintf(line, sizeof line, "session %s", a->s.id);
    if (a->opts->message)
        a->opts->message(line, a->opts->message_arg);
    serving_run(&a->s, sigfd);
    close(sigfd);
    sigprocmask(SIG_SETMASK, &old, NULL);
    return NULL;
}

struct oscope_error *oscope_attach(const char *what, const struct oscope_attach_options *opts,
                                   char **id)
{
    static const struct oscope_attach_options defaults = {0};
    struct attach a = {.opts = opts ? opts : &defaults, .s.pidfd = -1};
    struct oscope_error *err = open_session(&a, what);

    if (!err)
        err = a.opts->foreground ? serve_foreground(&a) : serving_background(&a.s);
    if (!err && id) {
        *id = a.s.id;
        a.s.id = NULL;
    }
    if (a.q)
        qmp_close(a.q);
    serving_free(&a.s);
    return err;
}

/* What session.json says of a core; the folder is made when that is complete. */
static struct oscope_error *describe_core(const char *real, const struct oscope_core_options *opts,
                                          struct session_desc *d)
{
    const char *base = strrchr(real, '/');
    struct target *t;

    TRY(target_open_core(real, &t));
    d->kind = strdup("core");
    d->arch = strdup(t->arch);
    d->core = strdup(real);
    d->name = strdup(base ? base + 1 : real);
    d->created = (uint64_t)time(NULL);
    target_close(t);
    if (!d->kind || !d->arch || !d->core || !d->name)
        return error_nomem();
    TRY(symfiles_check(d->arch, &opts->files));
    return symfiles_keep(d, &opts->files);
}

struct oscope_error *oscope_core(const char *path, const struct oscope_core_options *opts,
                                 char **id)
{
    static const struct oscope_core_options defaults = {0};
    AUTO_FREE char *real = realpath(path, NULL), *dir = NULL, *made = NULL;
    struct session_desc d = {0};

    opts = opts ? opts : &defaults;
    if (!real)
        return error_errno(errno, "core '%s'", path);
    struct oscope_error *err = describe_core(real, opts, &d);
    if (!err)
        err = runtime_create(opts->name, &made, &dir);
    if (!err) {
        d.id = strdup(made);
        err = d.id ? session_desc_save(dir, &d) : error_nomem();
        if (err)
            runtime_remove(dir);
    }
    session_desc_free(&d);
    if (!err && id) {
        *id = made;
        made = NULL;
    }
    return err;
}

/* Waits until the broker has closed the connection, which it does last. */
static void wait_for_end(struct broker_link *link)
{
    struct pollfd p = {link->fd, POLLIN, 0};

    poll(&p, 1, 2000);
    broker_hang_up(link);
}

struct oscope_error *oscope_detach(const char *id)
{
    AUTO_FREE char *dir = NULL;
    struct session_desc d;

    TRY(runtime_dir(id, &dir));
    struct oscope_error *err = session_desc_load(dir, &d);
    if (err && err->code == OSCOPE_E_NOT_FOUND) {
        oscope_error_free(err);
        return error_hint(error_new(OSCOPE_E_NOT_FOUND, "there is no session '%s'", id),
                          "oscope list shows those there are");
    }
    if (err) {
        runtime_forget(dir); /* written by another version: nothing here can use it */
        return err;
    }
    if (d.pid) {
        struct broker_link link = {dir, -1};
        err = broker_call(&link, "detach", BROKER_TIMEOUT_MS, NULL);
        if (!err)
            wait_for_end(&link);
        else if (err->code == OSCOPE_E_TIMEOUT) /* a broker ignores clients that gave up */
            err = error_prefix(err, "session %s is not detached", id);
        else if (err->code == OSCOPE_E_GONE) { /* no broker: its folder is left to remove */
            oscope_error_free(err);
            err = NULL;
        }
        broker_hang_up(&link);
    }
    if (!err)
        runtime_forget(dir);
    session_desc_free(&d);
    return err;
}
