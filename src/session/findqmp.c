/* SPDX-License-Identifier: MIT */
/*
 * The command line in /proc/PID/cmdline is where QEMU was told to listen; paths in it are relative
 * to QEMU's working directory and lie in QEMU's mount namespace.
 */
#include "session/findqmp.h"

#include "base/util.h"
#include "base/vec.h"
#include "session/cmdline.h"
#include "target/hostproc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

enum { CMDLINE_MAX = 1 << 20, PATHS_MAX = 16 };

struct args {
    char *text;
    VEC(char *) v; /* pointers into text, NULL-terminated */
};

static void free_args(struct args *a)
{
    free(a->text);
    vec_free(&a->v);
}

static struct oscope_error *read_args(pid_t pid, struct args *a)
{
    char path[64];
    size_t n = 0;

    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_new(OSCOPE_E_GONE, "there is no process %d", (int)pid);
    a->text = calloc(1, CMDLINE_MAX + 1);
    if (!a->text)
        return error_nomem();
    for (ssize_t got; n < CMDLINE_MAX && (got = read(fd, a->text + n, CMDLINE_MAX - n)) > 0;)
        n += (size_t)got;
    for (char *p = a->text; p < a->text + n; p += strlen(p) + 1)
        if (!vec_push(&a->v, p))
            return error_nomem();
    return vec_push(&a->v, NULL) ? NULL : error_nomem();
}

/* ---- candidates ---- */

struct paths {
    char *p[PATHS_MAX];
    size_t n;
};

static void free_paths(struct paths *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->p[i]);
}

static bool names_monitor(const char *path)
{
    const char *base = strrchr(path, '/');

    base = base ? base + 1 : path;
    return strcasestr(base, "qmp") || strcasestr(base, "monitor");
}

static bool has_socket(pid_t pid, unsigned long ino)
{
    char dir[64], want[64], link[64];
    bool found = false;

    snprintf(dir, sizeof dir, "/proc/%d/fd", (int)pid);
    snprintf(want, sizeof want, "socket:[%lu]", ino);
    DIR *d = opendir(dir);
    for (struct dirent *e; d && !found && (e = readdir(d));) {
        ssize_t n = readlinkat(dirfd(d), e->d_name, link, sizeof link - 1);
        link[MAX(n, 0)] = '\0';
        found = !strcmp(link, want);
    }
    if (d)
        closedir(d);
    return found;
}

/* Adds what the process listens on and is called a monitor. */
static void add_listening(pid_t pid, struct paths *l)
{
    char name[64], line[512];

    snprintf(name, sizeof name, "/proc/%d/net/unix", (int)pid);
    FILE *f = fopen(name, "re");
    while (f && l->n < PATHS_MAX && fgets(line, sizeof line, f)) {
        unsigned flags;
        unsigned long ino;
        char path[256];

        if (sscanf(line, "%*s %*s %*s %x %*s %*s %lu %255[^\n]", &flags, &ino, path) == 3 &&
            (flags & 0x10000) && names_monitor(path) && has_socket(pid, ino) &&
            (l->p[l->n] = strdup(path)))
            l->n++;
    }
    if (f)
        fclose(f);
}

/* ---- connecting ---- */

/* A path as the process sees it, in a form that works here; the caller's. */
static char *reachable(pid_t pid, const char *path)
{
    char *out = NULL;
    int n;

    if (path[0] != '/')
        n = asprintf(&out, "/proc/%d/cwd/%s", (int)pid, path);
    else if (access(path, F_OK) == 0)
        n = asprintf(&out, "%s", path);
    else
        n = asprintf(&out, "/proc/%d/root%s", (int)pid, path);
    if (n < 0)
        return NULL;
    /* Plain paths outlive the process and are shorter. */
    char *real = path[0] != '/' ? realpath(out, NULL) : NULL;
    if (!real)
        return out;
    free(out);
    return real;
}

/* Tries each path; keeps the error that says most (busy before missing). */
static struct oscope_error *try_paths(pid_t pid, const struct paths *l, struct qmp **out,
                                      char **path)
{
    struct oscope_error *best = NULL;

    for (size_t i = 0; i < l->n; i++) {
        char *at = reachable(pid, l->p[i]);
        struct oscope_error *err = at ? qmp_connect(at, QMP_GREETING_MS, out) : error_nomem();
        if (!err) {
            oscope_error_free(best);
            *path = at;
            return NULL;
        }
        free(at);
        if (!best || err->code == OSCOPE_E_BUSY) {
            oscope_error_free(best);
            best = err;
        } else {
            oscope_error_free(err);
        }
    }
    return best;
}

static bool looks_like_qemu(pid_t pid, const struct args *a)
{
    char comm[32];

    host_comm(pid, comm, sizeof comm);
    return strstr(comm, "qemu") || !strcmp(comm, "kvm") ||
           (a->v.data[0] && strstr(a->v.data[0], "qemu-system"));
}

struct oscope_error *findqmp_connect(pid_t pid, struct qmp **out, char **path)
{
    struct args a = {0};
    struct paths l = {0};
    bool other = false;
    struct oscope_error *err = read_args(pid, &a);

    if (!err) {
        l.n = cmdline_qmp_paths(a.v.data, l.p, PATHS_MAX, &other);
        if (!l.n && !looks_like_qemu(pid, &a)) {
            char comm[32];
            host_comm(pid, comm, sizeof comm);
            err = error_new(OSCOPE_E_NOT_FOUND, "process %d is '%s', not a QEMU", (int)pid, comm);
        }
    }
    if (!err && !l.n)
        add_listening(pid, &l);
    if (!err && l.n)
        err = host_explain(error_prefix(try_paths(pid, &l, out, path), "QEMU %d", (int)pid), pid);
    else if (!err)
        err = error_hint(error_new(OSCOPE_E_NOT_FOUND, "QEMU %d has no QMP socket%s", (int)pid,
                                   other ? " on a unix path" : ""),
                         "start it with -qmp unix:PATH,server=on,wait=off, or with `oscope run`");
    free_paths(&l);
    free_args(&a);
    return err;
}
