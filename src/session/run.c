/* SPDX-License-Identifier: MIT */
/*
 * `oscope run`: the user's own QEMU command line as a child, plus what observing needs: one more
 * QMP socket, RAM in a shared memfd where the command line leaves its RAM to the default, and the
 * probe engine (a QEMU plugin) where the guest is emulated.
 *
 * The child inherits stdin, stdout and stderr untouched and stays in our process group, so the
 * terminal treats it as if it had been started directly: ^C and ^Z reach it without us, and we
 * ignore what the terminal sends. SIGTERM and SIGHUP sent to us are passed on. Nothing ties QEMU's
 * life to ours: when this process is killed the guest runs on.
 */
#include "session/session.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "base/vec.h"
#include "capture/control.h"
#include "session/cmdline.h"
#include "session/machine.h"
#include "session/plugin.h"
#include "session/runtime.h"
#include "session/serve.h"
#include "session/symfiles.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>

enum {
    CONNECT_LIMIT_S = 60,
    GREETING_SLICE_MS = 250,
    POLL_SLICE_MS = 10,
    /* Rings for events: of their memory the host gives only what is written to. */
    EVENT_RINGS = 256,
    EVENT_RING = 4 << 20,
    EVENT_PACKET = 64 << 10, /* smaller if the ring is: it has four at least */
    EVENT_PACKETS_LEAST = 4,
    STILL_AT_START_S = 5, /* at most, until there is a session */
};

struct argv {
    VEC(char *) v; /* NULL-terminated once complete; only those from `own` on are ours */
    size_t own;
};

struct run {
    const struct oscope_run_options *opts;
    struct serving s;
    struct argv argv;
    char *qmp_path;
    bool shared; /* RAM was given a shared backend */
    pid_t child;
    int pidfd, sigfd;
    int events_fd; /* memory of the probe engine; -1: none */
    sigset_t old_mask;
    struct termios tty;
    bool has_tty;
};

__attribute__((format(printf, 2, 3))) static void tell(const struct run *r, const char *fmt, ...)
{
    char line[512];
    va_list ap;

    if (r->opts->quiet || !r->opts->message)
        return;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    r->opts->message(line, r->opts->message_arg);
}

/* ---- the command line ---- */

__attribute__((format(printf, 2, 3))) static bool add_arg(struct argv *a, const char *fmt, ...)
{
    char *s;
    va_list ap;

    va_start(ap, fmt);
    int n = vasprintf(&s, fmt, ap);
    va_end(ap);
    if (n < 0)
        return false;
    if (vec_push(&a->v, s))
        return true;
    free(s);
    return false;
}

/*
 * QEMU's configuration file with our monitor. Not -qmp or -mon: either switches off the monitor
 * that QEMU gives by default, and with it what ^C and ^A do on the user's console.
 */
static struct oscope_error *write_config(const struct run *r, char **path)
{
    if (strpbrk(r->qmp_path, "\"\n"))
        return error_new(OSCOPE_E_USAGE, "runtime directory '%s' has a quote in its name",
                         r->s.dir);
    if (asprintf(path, "%s/qemu.cfg", r->s.dir) < 0)
        return error_nomem();
    FILE *f = fopen(*path, "we");
    if (!f)
        return error_errno(errno, "write '%s'", *path);
    fprintf(f,
            "[chardev \"oscope-qmp\"]\n  backend = \"socket\"\n  path = \"%s\"\n"
            "  server = \"on\"\n  wait = \"off\"\n"
            "[mon \"oscope-qmp\"]\n  chardev = \"oscope-qmp\"\n  mode = \"control\"\n",
            r->qmp_path);
    bool bad = ferror(f);
    return fclose(f) || bad ? error_errno(errno, "write '%s'", *path) : NULL;
}

/* How many packets of what size make a ring of that many bytes, or the next power of two. */
static uint32_t packets_of(uint64_t ring, uint32_t *packet)
{
    uint64_t bytes = EVENT_PACKETS_LEAST * WIRE_PAGE;

    ring = ring ? MIN(ring, UINT64_C(1) << 30) : EVENT_RING;
    while (bytes < ring)
        bytes *= 2;
    *packet = (uint32_t)MIN(bytes / EVENT_PACKETS_LEAST, (uint64_t)EVENT_PACKET);
    return (uint32_t)(bytes / *packet);
}

/* The probe engine: does nothing, and costs nothing, until somebody asks for events. */
static struct oscope_error *add_plugin(struct run *r, char *const argv[])
{
    char path[PATH_MAX];
    struct wire_one_thread how;
    const char *why = NULL;
    uint32_t packet;

    if (!plugin_fits(argv, &why)) {
        log_info("no probe engine: %s", why);
        return NULL;
    }
    if (!plugin_file(path, sizeof path)) {
        log_info("no probe engine: its file is not installed");
        return NULL;
    }
    uint32_t packets = packets_of(r->opts->event_ring, &packet);
    TRY(control_create(EVENT_RINGS, packet, packets, &r->events_fd));
    if (plugin_one_thread(argv, &how))
        TRY(control_one_thread(r->events_fd, &how,
                               clock_ns() + (uint64_t)STILL_AT_START_S * 1000000000));
    return add_arg(&r->argv, "-plugin") && add_arg(&r->argv, "%s,fd=%d", path, r->events_fd)
               ? NULL
               : error_nomem();
}

static struct oscope_error *build_argv(struct run *r, char *const argv[])
{
    struct argv *a = &r->argv;
    struct cmdline_ram ram;
    AUTO_FREE char *config = NULL;
    bool ok = true;

    TRY(write_config(r, &config));
    for (size_t i = 0; ok && argv[i]; i++)
        ok = vec_push(&a->v, argv[i]);
    a->own = a->v.len;
    ok = ok && add_arg(a, "-readconfig") && add_arg(a, "%s", config);
    r->shared = cmdline_ram(argv, &ram);
    if (r->shared)
        ok = ok && add_arg(a, "-object") &&
             add_arg(a, "memory-backend-memfd,id=%s,size=%llu,share=on", ram.id,
                     (unsigned long long)ram.size) &&
             add_arg(a, "-machine") && add_arg(a, "memory-backend=%s", ram.id);
    /* Lines of QEMU's trace bear times then (capture/qemutrace/parse.h); so do its messages. */
    if (!cmdline_has(argv, "msg"))
        ok = ok && add_arg(a, "-msg") && add_arg(a, "timestamp=on");
    if (ok)
        TRY(add_plugin(r, argv));
    return ok && vec_push(&a->v, NULL) ? NULL : error_nomem();
}

static void free_argv(struct argv *a)
{
    for (size_t i = a->own; i < a->v.len; i++)
        free(a->v.data[i]);
    vec_free(&a->v);
}

/* ---- the child ---- */

static struct oscope_error *exec_failed(const struct run *r, int errnum)
{
    struct oscope_error *err = error_errno(errnum, "start '%s'", r->argv.v.data[0]);

    return errnum == ENOENT
               ? error_hint(err, "install QEMU (Debian: qemu-system), or check the command's name")
               : err;
}

static struct oscope_error *start_child(struct run *r)
{
    int report[2], errnum = 0;

    if (pipe2(report, O_CLOEXEC) < 0)
        return error_errno(errno, "pipe");
    r->child = fork();
    if (r->child == 0) {
        sigprocmask(SIG_SETMASK, &r->old_mask, NULL);
        if (r->events_fd >= 0)
            fcntl(r->events_fd, F_SETFD, 0);
        execvp(r->argv.v.data[0], r->argv.v.data);
        errnum = errno;
        ssize_t n = write(report[1], &errnum, sizeof errnum);
        _exit(n == sizeof errnum ? 127 : 126);
    }
    int fork_errno = errno;
    close(report[1]);
    ssize_t n = r->child > 0 ? read(report[0], &errnum, sizeof errnum) : 0;
    close(report[0]);
    if (r->child < 0)
        return error_errno(fork_errno, "fork");
    if (n == sizeof errnum) {
        waitpid(r->child, NULL, 0);
        return exec_failed(r, errnum);
    }
    r->pidfd = pidfd_open(r->child, 0);
    return r->pidfd < 0 ? error_errno(errno, "watch QEMU") : NULL;
}

/* Waits for ms (-1: as long as it takes); true when the child has ended. Passes signals on. */
static bool child_ended(struct run *r, int ms)
{
    struct pollfd p[] = {{r->pidfd, POLLIN, 0}, {r->sigfd, POLLIN, 0}};

    do {
        if (poll(p, ARRAY_SIZE(p), ms) < 0)
            continue;
        if (p[1].revents)
            broker_signal(r->sigfd, r->child);
        if (p[0].revents)
            return true;
    } while (ms < 0);
    return false;
}

/* Connects to the child's QMP; *out NULL without error when the child ended first. */
static struct oscope_error *connect_child(struct run *r, struct qmp **out)
{
    uint64_t limit = clock_ns() + (uint64_t)CONNECT_LIMIT_S * 1000000000;
    struct oscope_error *err = NULL;

    *out = NULL;
    while (!child_ended(r, POLL_SLICE_MS)) {
        oscope_error_free(err);
        err = qmp_connect(r->qmp_path, GREETING_SLICE_MS, out);
        if (!err)
            return NULL;
        bool early = err->code == OSCOPE_E_NOT_FOUND || err->code == OSCOPE_E_GONE ||
                     err->code == OSCOPE_E_BUSY;
        if (!early || clock_ns() > limit)
            return err;
    }
    oscope_error_free(err);
    return NULL;
}

/* ---- the session ---- */

static struct oscope_error *prepare_serving(struct run *r, pid_t pid)
{
    const char *kernel = cmdline_kernel(r->argv.v.data);
    struct oscope_kernel_files files = r->opts->files;
    struct session_desc *d = &r->s.desc;

    d->pid = pid;
    d->kind = strdup("run");
    d->qmp = strdup(r->qmp_path);
    if (!d->kind || !d->qmp)
        return error_nomem();
    if (!files.vmlinux && kernel && os_wants_symbols(kernel)) {
        files.vmlinux = kernel;
        tell(r, "symbols and types of the kernel: %s", kernel);
    }
    return symfiles_keep(d, &files);
}

static void tell_session(const struct run *r)
{
    tell(r, "session %s%s: look at it from another terminal (oscope info, oscope ps …)", r->s.id,
         r->shared ? "" : " (RAM not shared, read out of the process)");
}

/* Serves while the child lives. Not being able to observe is no reason to end the guest. */
static void observe(struct run *r)
{
    struct qmp *q;
    struct oscope_error *err = connect_child(r, &q);

    if (!err && !q)
        return;
    if (!err)
        err = prepare_serving(r, r->child);
    if (!err)
        err = serving_open(&r->s, q, r->child);
    if (err) {
        tell(r, "the guest runs, but can't be observed: %s%s%s%s", err->message,
             err->hint ? " (" : "", err->hint ? err->hint : "", err->hint ? ")" : "");
        oscope_error_free(err);
        return;
    }
    tell_session(r);
    serving_run(&r->s, r->sigfd);
}

/* -daemonize: our child has ended and QEMU lives on in the background; so does the session. */
static struct oscope_error *observe_daemon(struct run *r)
{
    struct qmp *q;
    pid_t pid = 0;

    TRY(qmp_connect(r->qmp_path, QMP_TIMEOUT_MS, &q));
    struct oscope_error *err = machine_pid(q, &pid);
    if (!err)
        err = prepare_serving(r, pid);
    if (err) {
        qmp_close(q);
        return err;
    }
    TRY(serving_open(&r->s, q, 0));
    tell_session(r);
    return serving_background(&r->s);
}

static struct oscope_error *prepare(struct run *r, char *const argv[])
{
    TRY(runtime_create(r->opts->name, &r->s.id, &r->s.dir));
    if (asprintf(&r->qmp_path, "%s/qmp.sock", r->s.dir) < 0)
        return error_nomem();
    if (strlen(r->qmp_path) >= sizeof((struct sockaddr_un *)0)->sun_path)
        return error_hint(error_new(OSCOPE_E_USAGE, "socket path '%s' is too long", r->qmp_path),
                          "set XDG_RUNTIME_DIR to a shorter path, or use a shorter --name");
    TRY(build_argv(r, argv));
    r->has_tty = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &r->tty) == 0;
    return broker_signals(&r->sigfd, &r->old_mask);
}

/* QEMU may have left the terminal raw when it was killed. In the background it is not ours. */
static void restore_terminal(const struct run *r)
{
    if (r->has_tty && tcgetpgrp(STDIN_FILENO) == getpgrp())
        tcsetattr(STDIN_FILENO, TCSADRAIN, &r->tty);
}

static struct oscope_error *run_guest(struct run *r, char *const argv[], int *status)
{
    TRY(prepare(r, argv));
    TRY(start_child(r));
    if (!cmdline_daemonizes(argv))
        observe(r);
    child_ended(r, -1);
    while (waitpid(r->child, status, 0) < 0 && errno == EINTR)
        ;
    restore_terminal(r);
    if (!cmdline_daemonizes(argv) || !WIFEXITED(*status) || WEXITSTATUS(*status))
        return NULL;
    struct oscope_error *err = observe_daemon(r);
    if (err) {
        tell(r, "the guest runs, but can't be observed: %s", err->message);
        oscope_error_free(err);
        return NULL;
    }
    free(r->s.dir); /* the background process removes it */
    r->s.dir = NULL;
    return NULL;
}

/* The ^C that ended QEMU may be waiting for us too: it was not meant for us. */
static void drain_signals(int sigfd)
{
    struct signalfd_siginfo info;

    while (read(sigfd, &info, sizeof info) == sizeof info)
        ;
}

struct oscope_error *oscope_run(char *const argv[], const struct oscope_run_options *opts,
                                int *status)
{
    static const struct oscope_run_options defaults = {0};
    struct run r = {
        .opts = opts ? opts : &defaults, .s.pidfd = -1, .pidfd = -1, .sigfd = -1, .events_fd = -1};

    if (!argv || !argv[0])
        return error_hint(error_new(OSCOPE_E_USAGE, "no QEMU command line given"),
                          "oscope run -- qemu-system-ARCH ARGS…");
    struct oscope_error *err = symfiles_check(NULL, &r.opts->files);
    if (!err)
        err = run_guest(&r, argv, status);
    if (r.sigfd >= 0) {
        drain_signals(r.sigfd);
        close(r.sigfd);
        sigprocmask(SIG_SETMASK, &r.old_mask, NULL);
    }
    if (r.pidfd >= 0)
        close(r.pidfd);
    if (r.events_fd >= 0)
        close(r.events_fd);
    if (serving_has_folder(&r.s))
        runtime_remove(r.s.dir);
    serving_free(&r.s);
    free_argv(&r.argv);
    free(r.qmp_path);
    return err;
}
