/* SPDX-License-Identifier: MIT */
/*
 * Switching QEMU's trace points: see qtrace.h. The guard process is told of a point before it is
 * switched on, and of one that is off afterwards: whenever the broker is killed, the guard knows at
 * least what is on.
 */
#include "session/qtrace.h"

#include "base/log.h"
#include "base/util.h"
#include "capture/qemutrace/source.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <sys/stat.h>

/* ---- where QEMU's log goes afterwards ---- */

/*
 * Without options it goes to QEMU's stderr. QEMU opens what it is given with O_TRUNC, and opening a
 * pipe may wait for ever: only a terminal is given back. Nothing writes to the log without being
 * asked to, so that /dev/null takes nothing from anybody.
 */
static void log_after(pid_t pid, char out[64])
{
    char path[64], link[64];

    snprintf(path, sizeof path, "/proc/%d/fd/2", (int)pid);
    ssize_t n = readlink(path, link, sizeof link - 1);
    link[n > 0 ? n : 0] = '\0';
    str_copy(out, 64, strncmp(link, "/dev/pts/", 9) ? "/dev/null" : link);
}

/* Does QEMU log for its user, by its command line? */
static bool logs_already(pid_t pid)
{
    static const char *const options[] = {"d", "D", "trace"};
    char path[64], text[32768];
    size_t n = 0;

    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    for (ssize_t got;
         fd >= 0 && n < sizeof text - 1 && (got = read(fd, text + n, sizeof text - 1 - n)) > 0;)
        n += (size_t)got;
    text[n] = '\0';
    for (const char *p = text; p < text + n; p += strlen(p) + 1) {
        const char *name = p + strspn(p, "-");
        for (size_t i = 0; i < ARRAY_SIZE(options); i++)
            if ((name == p + 1 || name == p + 2) && !strcmp(name, options[i]))
                return true;
    }
    return false;
}

/* ---- the log ---- */

static struct oscope_error *open_log(struct qtrace *t, const struct qtrace_host *h)
{
    char after[64], path[sizeof t->log];

    if (logs_already(h->desc->pid))
        return error_hint(
            error_new(OSCOPE_E_UNSUPPORTED, "QEMU writes a log for its user already"),
            "start QEMU without -d, -D and -trace: events of mmio, uart and blk need its log");
    int n = snprintf(path, sizeof path, "%s/trace-%d-%u.log", h->dir, (int)getpid(), ++t->logs);
    if (n < 0 || (size_t)n >= sizeof path)
        return error_new(OSCOPE_E_USAGE, "the path '%s' is too long", h->dir);
    log_after(h->desc->pid, after);
    TRY(qemutrace_log_create(path));
    struct oscope_error *err =
        guard_trace(h->guard, h->desc->qmp, qemutrace_points_of(QEMUTRACE_SET_ALL), path, after);
    if (!err)
        err = qmp_log_file(h->qmp, path);
    if (err) {
        unlink(path);
        oscope_error_free(guard_trace(h->guard, h->desc->qmp, 0, "", ""));
        return error_prefix(err, "QEMU's trace log");
    }
    memcpy(t->log, path, sizeof t->log);
    return NULL;
}

static void close_log(struct qtrace *t, const struct qtrace_host *h)
{
    char after[64];

    log_after(h->desc->pid, after);
    oscope_error_free(qmp_log_file(h->qmp, after));
    /* QEMU holds the file until all its threads have left it: give its memory back now. */
    if (truncate(t->log, 0) < 0 || unlink(t->log) < 0)
        log_info("the trace log '%s' stays: %s", t->log, strerror(errno));
    t->log[0] = '\0';
    oscope_error_free(guard_trace(h->guard, h->desc->qmp, 0, "", ""));
}

/* ---- trace points ---- */

static struct oscope_error *switch_on(struct qtrace *t, struct qmp *q, unsigned i)
{
    bool known, on;

    TRY(qmp_trace_get(q, qemutrace_points[i].name, &known, &on));
    if (!known)
        t->unknown |= UINT32_C(1) << i;
    if (!known || on)
        return NULL;
    t->on |= UINT32_C(1) << i; /* even if the answer is late */
    return qmp_trace_set(q, qemutrace_points[i].name, true);
}

static struct oscope_error *switch_off(struct qtrace *t, struct qmp *q, unsigned i)
{
    TRY(qmp_trace_set(q, qemutrace_points[i].name, false));
    t->on &= ~(UINT32_C(1) << i);
    return NULL;
}

static unsigned wanted(const struct qtrace *t)
{
    unsigned sets = 0;

    for (size_t i = 0; i < t->wants.len; i++)
        sets |= t->wants.data[i].sets;
    return sets;
}

unsigned qtrace_users(const struct qtrace *t, unsigned point)
{
    unsigned n = 0;

    for (size_t i = 0; i < t->wants.len; i++)
        n += qemutrace_points_of(t->wants.data[i].sets) >> point & 1;
    return n;
}

/* Makes QEMU do what is wanted. Switches off what it can even after an error. */
static struct oscope_error *apply(struct qtrace *t, const struct qtrace_host *h)
{
    uint32_t points = qemutrace_points_of(wanted(t));
    struct oscope_error *err = points && !t->log[0] ? open_log(t, h) : NULL;

    for (unsigned i = 0; i < QEMUTRACE_POINTS; i++) {
        uint32_t bit = UINT32_C(1) << i;
        struct oscope_error *bad = NULL;
        if ((points & bit) && !(t->on & bit) && !err)
            bad = switch_on(t, h->qmp, i);
        else if (!(points & bit) && (t->on & bit))
            bad = switch_off(t, h->qmp, i);
        if (err)
            oscope_error_free(bad);
        else
            err = bad;
    }
    if (!points && !t->on && t->log[0])
        close_log(t, h);
    return err;
}

/* ---- wanting ---- */

static struct qtrace_want *find(const struct qtrace *t, const void *user)
{
    for (size_t i = 0; i < t->wants.len; i++)
        if (t->wants.data[i].user == user)
            return &t->wants.data[i];
    return NULL;
}

bool qtrace_wants(const struct qtrace *t, const void *user)
{
    return user ? find(t, user) != NULL : t->wants.len > 0;
}

static bool note_want(struct qtrace *t, const void *user, unsigned sets)
{
    struct qtrace_want *w = find(t, user);

    if (w)
        *w = t->wants.data[--t->wants.len];
    return !sets || vec_push(&t->wants, (struct qtrace_want){user, sets});
}

struct oscope_error *qtrace_want(struct qtrace *t, const struct qtrace_host *h, const void *user,
                                 unsigned sets, uint64_t *at)
{
    struct stat st;

    *at = t->log[0] && stat(t->log, &st) == 0 ? (uint64_t)st.st_size : 0;
    if (!note_want(t, user, sets))
        return error_nomem();
    struct oscope_error *err = apply(t, h);
    if (!err && sets && !(qemutrace_points_of(sets) & ~t->unknown))
        err = error_new(OSCOPE_E_UNSUPPORTED, "this QEMU has none of the trace points for that");
    if (err && sets) {
        (void)note_want(t, user, 0);
        oscope_error_free(apply(t, h));
    }
    return err;
}

void qtrace_trim(const struct qtrace *t)
{
    if (t->log[0])
        qemutrace_log_trim(t->log, QEMUTRACE_KEEP);
}

void qtrace_clear(const struct qtrace_host *h)
{
    char pattern[300], after[64];
    glob_t found;

    snprintf(pattern, sizeof pattern, "%s/trace-*.log", h->dir);
    if (!h->qmp || glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
        return;
    log_after(h->desc->pid, after);
    for (unsigned i = 0; i < QEMUTRACE_POINTS; i++) {
        bool known, on;
        struct oscope_error *err = qmp_trace_get(h->qmp, qemutrace_points[i].name, &known, &on);
        if (!err && on)
            err = qmp_trace_set(h->qmp, qemutrace_points[i].name, false);
        oscope_error_free(err);
    }
    oscope_error_free(qmp_log_file(h->qmp, after));
    for (size_t i = 0; i < found.gl_pathc; i++)
        unlink(found.gl_pathv[i]);
    globfree(&found);
}

void qtrace_free(struct qtrace *t)
{
    vec_free(&t->wants);
    *t = (struct qtrace){0};
}
