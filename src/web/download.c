/* SPDX-License-Identifier: MIT */
/* See download.h. */
#include "web/download.h"

#include "base/error.h"
#include "base/thread.h"
#include "base/util.h"
#include "web/tar.h"

#include <oscope/export.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

enum { PIPE = 1 << 20, NAME = 120 };

struct download {
    char *dir;
    char name[NAME];
    const char *format; /* NULL: as it is */
    pthread_t thread;
    bool runs;
    int from, to; /* the pipe's ends: ours, the thread's */
    pthread_mutex_t lock;
    bool stop, ended, failed; /* under the lock */
};

bool download_kind(size_t i, struct download_kind *out)
{
    size_t n = 0;

    while (n < i && oscope_export_format_name(n))
        n++;
    *out = (struct download_kind){.to = oscope_export_format_name(n),
                                  .title = oscope_export_format_title(n),
                                  .doc = oscope_export_format_doc(n),
                                  .suffix = oscope_export_format_suffix(n)};
    if (!out->to)
        *out = (struct download_kind){.to = "ctf",
                                      .title = "CTF",
                                      .doc = "the recording itself, as a tar archive",
                                      .suffix = ".tar",
                                      .itself = true};
    return n == i;
}

static bool find_kind(const char *to, struct download_kind *out)
{
    for (size_t i = 0; download_kind(i, out); i++)
        if (!strcmp(out->to, to))
            return true;
    return false;
}

bool download_format(const char *to)
{
    struct download_kind kind;

    return find_kind(to, &kind);
}

/* ---- the thread ---- */

static bool cancelled(void *arg)
{
    struct download *d = arg;

    pthread_mutex_lock(&d->lock);
    bool stop = d->stop;
    pthread_mutex_unlock(&d->lock);
    return stop;
}

static void *run(void *arg)
{
    struct download *d = arg;
    struct oscope_export_options o = {
        .dir = d->dir, .format = d->format, .fd = d->to, .cancelled = cancelled, .arg = d};
    struct oscope_export_result result;
    struct oscope_error *err = d->format ? oscope_export(&o, &result) : tar_write(d->dir, d->to);

    pthread_mutex_lock(&d->lock);
    d->ended = true;
    d->failed = err != NULL;
    pthread_mutex_unlock(&d->lock);
    close(d->to); /* after that: who has read to the end knows how it ended */
    oscope_error_free(err);
    return NULL;
}

/* ---- for who reads ---- */

ssize_t download_read(struct download *d, unsigned char *buf, size_t n)
{
    ssize_t got = read(d->from, buf, n);

    if (got > 0)
        return got;
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? DOWNLOAD_NONE : DOWNLOAD_FAILED;
    pthread_mutex_lock(&d->lock);
    bool whole = d->ended && !d->failed;
    pthread_mutex_unlock(&d->lock);
    return whole ? 0 : DOWNLOAD_FAILED;
}

const char *download_name(const struct download *d)
{
    return d->name;
}

/* The folder's name, as far as it can stand in a header. */
static void set_name(struct download *d, const char *suffix)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t end = strlen(d->dir), n = 0;

    while (end > 1 && d->dir[end - 1] == '/')
        end--;
    size_t from = end;
    while (from && d->dir[from - 1] != '/')
        from--;
    for (size_t i = from; i < end && n < NAME - 32; i++)
        d->name[n++] = memchr(plain, d->dir[i], sizeof plain - 1) ? d->dir[i] : '_';
    snprintf(d->name + n, NAME - n, "%s%s", n ? "" : "trace", suffix);
}

struct oscope_error *download_open(const char *dir, const char *to, struct download **out)
{
    struct download_kind kind;
    int ends[2];

    *out = NULL;
    if (!find_kind(to, &kind))
        return error_new(OSCOPE_E_USAGE, "'%s' is no format to export to", to);
    struct download *d = calloc(1, sizeof *d);
    if (!d || !(d->dir = strdup(dir)) || pipe2(ends, O_CLOEXEC)) {
        int errnum = d && d->dir ? errno : ENOMEM;
        if (d)
            free(d->dir);
        free(d);
        return error_errno(errnum, "cannot begin an export");
    }
    d->from = ends[0];
    d->to = ends[1];
    d->format = kind.itself ? NULL : kind.to;
    set_name(d, kind.suffix);
    pthread_mutex_init(&d->lock, NULL);
    fcntl(d->from, F_SETFL, O_NONBLOCK);
    fcntl(d->from, F_SETPIPE_SZ, PIPE); /* if it may; it works with less */
    int status = thread_start(&d->thread, run, d);
    d->runs = !status;
    if (status) {
        close(d->to);
        download_close(d);
        return error_errno(status, "cannot start a thread");
    }
    *out = d;
    return NULL;
}

void download_close(struct download *d)
{
    pthread_mutex_lock(&d->lock);
    d->stop = true;
    pthread_mutex_unlock(&d->lock);
    close(d->from); /* its next write fails */
    if (d->runs)
        pthread_join(d->thread, NULL);
    pthread_mutex_destroy(&d->lock);
    free(d->dir);
    free(d);
}
