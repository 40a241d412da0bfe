/* SPDX-License-Identifier: MIT */
/* See tar.h. */
#include "web/tar.h"

#include "base/error.h"
#include "base/util.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

enum { BLOCK = 512, COPY = 1 << 16, PATH = 156, DEPTH = 2 /* folders in the folder */ };
#define OCTAL_MAX UINT64_C(0777777777777) /* 11 digits */

/* The header block: offsets as in the standard. */
struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100];
    char magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is a block");

static struct oscope_error *write_all(int fd, const void *bytes, size_t n)
{
    for (const char *p = bytes; n;) {
        ssize_t some = write(fd, p, n);
        if (some < 0 && errno == EINTR)
            continue;
        if (some < 0)
            return error_errno(errno, "cannot write the archive");
        p += some;
        n -= (size_t)some;
    }
    return NULL;
}

/* n - 1 digits, and 0. */
static void put_octal(char *to, size_t n, uint64_t v)
{
    to[n - 1] = '\0';
    for (size_t i = n - 1; i--; v >>= 3)
        to[i] = (char)('0' + (v & 7));
}

/* False: the file can't be in such an archive. */
static bool make_header(struct header *h, const char *path, const char *name, const struct stat *st)
{
    uint64_t size = (uint64_t)st->st_size, time = (uint64_t)MAX(st->st_mtime, (time_t)0);
    unsigned sum = 0;

    *h = (struct header){.type = '0', .magic = "ustar", .version = {'0', '0'}};
    if (strlen(name) > sizeof h->name || size > OCTAL_MAX)
        return false;
    memcpy(h->name, name, strlen(name));
    memcpy(h->prefix, path, MIN(strlen(path), sizeof h->prefix));
    put_octal(h->mode, sizeof h->mode, 0644);
    put_octal(h->uid, sizeof h->uid, 0);
    put_octal(h->gid, sizeof h->gid, 0);
    put_octal(h->size, sizeof h->size, size);
    put_octal(h->mtime, sizeof h->mtime, MIN(time, OCTAL_MAX));
    memset(h->sum, ' ', sizeof h->sum);
    for (size_t i = 0; i < BLOCK; i++)
        sum += ((const unsigned char *)h)[i];
    put_octal(h->sum, sizeof h->sum - 1, sum); /* and the space that follows */
    return true;
}

static struct oscope_error *copy(int from, int to, uint64_t size)
{
    AUTO_FREE char *buf = malloc(COPY);
    uint64_t left = size;

    if (!buf)
        return error_nomem();
    while (left) {
        ssize_t got = read(from, buf, (size_t)MIN(left, (uint64_t)COPY));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got ? error_errno(errno, "cannot read the recording")
                       : error_new(OSCOPE_E_IO, "a file of the recording became shorter");
        TRY(write_all(to, buf, (size_t)got));
        left -= (uint64_t)got;
    }
    memset(buf, 0, BLOCK);
    return write_all(to, buf, (BLOCK - size % BLOCK) % BLOCK);
}

static struct oscope_error *add_folder(int fd, int folder, const char *path, int depth);

/* What lies in the folder under that name; path: the folder's own in the archive. */
static struct oscope_error *add(int fd, int folder, const char *path, const char *name, int depth)
{
    char inner[PATH];
    struct header h;
    struct stat st;

    AUTO_CLOSE int file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0)
        return errno == ELOOP || errno == ENOENT ? NULL : error_errno(errno, "open '%s'", name);
    if (fstat(file, &st))
        return error_errno(errno, "'%s'", name);
    if (S_ISDIR(st.st_mode) && depth) {
        if (snprintf(inner, sizeof inner, "%s/%s", path, name) >= (int)sizeof inner)
            return error_new(OSCOPE_E_IO, "'%s' has too long a name for an archive", name);
        return add_folder(fd, file, inner, depth - 1);
    }
    if (!S_ISREG(st.st_mode))
        return NULL;
    if (!make_header(&h, path, name, &st))
        return error_new(OSCOPE_E_IO, "'%s' is too large for an archive", name);
    TRY(write_all(fd, &h, sizeof h));
    return copy(file, fd, (uint64_t)st.st_size);
}

static struct oscope_error *add_folder(int fd, int folder, const char *path, int depth)
{
    int own = fcntl(folder, F_DUPFD_CLOEXEC, 0);
    DIR *d = own < 0 ? NULL : fdopendir(own);
    struct oscope_error *err = NULL;

    if (!d) {
        err = error_errno(errno, "'%s'", path);
        if (own >= 0)
            close(own);
        return err;
    }
    for (const struct dirent *e; !err && (e = readdir(d));)
        if (e->d_name[0] != '.')
            err = add(fd, folder, path, e->d_name, depth);
    closedir(d);
    return err;
}

struct oscope_error *tar_write(const char *dir, int fd)
{
    char end[2 * BLOCK] = "", path[PATH];
    size_t to = strlen(dir);

    AUTO_CLOSE int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return error_errno(errno, "'%s'", dir);
    while (to && dir[to - 1] == '/')
        to--;
    size_t from = to;
    while (from && dir[from - 1] != '/')
        from--;
    snprintf(path, sizeof path, "%.*s", (int)(to - from), dir + from);
    TRY(add_folder(fd, folder, *path ? path : "trace", DEPTH));
    return write_all(fd, end, sizeof end);
}
