/* SPDX-License-Identifier: MIT */
/* See source.h. Chunks are read with pread(); a line that is not whole yet waits for its rest. */
#include "capture/qemutrace/source.h"

#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { CHUNK = 64 << 10, PAGE = 4096 };

struct qemutrace_source {
    int fd;
    uint64_t at;       /* file offset of the byte after those in buf */
    size_t from, upto; /* what of buf is not delivered yet */
    bool skip;         /* until the next newline: the line's beginning is lost, or it is too long */
    struct qemutrace_stats stats;
    char buf[CHUNK];
};

/* ---- the file ---- */

struct oscope_error *qemutrace_log_create(const char *path)
{
    AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return error_errno(errno, "make '%s'", path);
    if (ftruncate(fd, 2 * PAGE) == 0 &&
        fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE) == 0 &&
        ftruncate(fd, 0) == 0)
        return NULL;
    int errnum = errno;
    unlink(path);
    return error_hint(error_new(OSCOPE_E_UNSUPPORTED,
                                "the file system of '%s' can't keep QEMU's "
                                "trace log small: %s",
                                path, strerror(errnum)),
                      "set XDG_RUNTIME_DIR to a folder on tmpfs or ext4");
}

void qemutrace_log_trim(const char *path, uint64_t keep)
{
    AUTO_CLOSE int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size <= keep ||
        (uint64_t)st.st_blocks * 512 <= keep + PAGE)
        return;
    uint64_t gone = ALIGN_DOWN((uint64_t)st.st_size - keep, PAGE);
    if (gone && fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)gone) < 0)
        return; /* the next time, perhaps */
}

/* ---- following it ---- */

struct oscope_error *qemutrace_source_open(const char *path, uint64_t at,
                                           struct qemutrace_source **out)
{
    struct qemutrace_source *s = calloc(1, sizeof *s);

    *out = NULL;
    if (!s)
        return error_nomem();
    s->at = at;
    s->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (s->fd < 0) {
        free(s);
        return error_errno(errno, "open QEMU's trace log '%s'", path);
    }
    *out = s;
    return NULL;
}

void qemutrace_source_close(struct qemutrace_source *s)
{
    if (!s)
        return;
    close(s->fd);
    free(s);
}

/* What was read begins with a hole: goes on where there is data again. */
static void skip_hole(struct qemutrace_source *s)
{
    off_t data = lseek(s->fd, (off_t)s->at, SEEK_DATA);

    if (data < 0 || (uint64_t)data <= s->at) /* none is left, or it is only half a page */
        return;
    s->stats.lost += (uint64_t)data - s->at;
    s->at = (uint64_t)data;
}

/* Reads more of the file; false: there is nothing more by now. */
static bool fill(struct qemutrace_source *s)
{
    memmove(s->buf, s->buf + s->from, s->upto - s->from);
    s->upto -= s->from;
    s->from = 0;
    if (s->upto == sizeof s->buf) { /* no newline in all that */
        s->stats.other++;
        s->upto = 0;
        s->skip = true;
    }
    ssize_t n = pread(s->fd, s->buf + s->upto, sizeof s->buf - s->upto, (off_t)s->at);
    if (n <= 0)
        return false;
    s->upto += (size_t)n;
    s->at += (uint64_t)n;
    if (!s->buf[s->upto - 1]) { /* it was punched out before it was read */
        s->stats.lost += s->upto;
        s->upto = 0;
        s->skip = true;
        skip_hole(s);
    }
    return true;
}

/* Bytes at the beginning of a line that were punched out before they were copied. */
static size_t zeros(const char *p, size_t n)
{
    size_t i = 0;

    while (i < n && !p[i])
        i++;
    return i;
}

bool qemutrace_source_next(struct qemutrace_source *s, struct qemutrace_event *out)
{
    for (;;) {
        const char *line = s->buf + s->from, *nl = memchr(line, '\n', s->upto - s->from);
        if (!nl) {
            if (!fill(s))
                return false;
            continue;
        }
        size_t n = (size_t)(nl - line), gone = zeros(line, n);
        s->from += n + 1;
        if (gone || s->skip) {
            s->stats.lost += gone ? n + 1 : 0;
            s->skip = false;
            continue;
        }
        switch (qemutrace_parse(line, n, out)) {
        case QEMUTRACE_EVENT: s->stats.events++; return true;
        case QEMUTRACE_OTHER: s->stats.other++; break;
        case QEMUTRACE_BAD: s->stats.bad++; break;
        }
    }
}

struct qemutrace_stats qemutrace_source_stats(const struct qemutrace_source *s)
{
    return s->stats;
}
