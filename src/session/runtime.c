/* SPDX-License-Identifier: MIT */
/*
 * The runtime directory holds sockets that control a guest, so it is trusted only after checks: it
 * must be a real directory, owned by this user, closed to others. The checks are made on each level
 * that we created (/tmp is writable by all).
 */
#include "session/runtime.h"

#include "base/hash.h"
#include "base/util.h"
#include "base/vec.h"
#include "session/describe.h"
#include "session/sock.h"
#include "target/hostproc.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

enum { ID_MAX = 32, IDS_MAX = 4096, START_GRACE_S = 60 };

/* A directory of ours, made if missing. */
static struct oscope_error *own_dir(const char *path)
{
    struct stat st;

    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return error_errno(errno, "make runtime directory '%s'", path);
    if (lstat(path, &st) < 0)
        return error_errno(errno, "runtime directory '%s'", path);
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid())
        return error_hint(error_new(OSCOPE_E_PERMISSION,
                                    "runtime directory '%s' is not a directory of this user", path),
                          "remove it, or set XDG_RUNTIME_DIR to a directory of your own");
    if (st.st_mode & 077)
        return error_hint(
            error_new(OSCOPE_E_PERMISSION, "runtime directory '%s' is open to other users", path),
            "chmod 700 '%s'", path);
    return NULL;
}

/* XDG_RUNTIME_DIR when it is usable: absolute, there, and ours (under sudo it may not be). */
static const char *xdg_dir(void)
{
    const char *xdg = getenv("XDG_RUNTIME_DIR");
    struct stat st;

    return xdg && xdg[0] == '/' && stat(xdg, &st) == 0 && S_ISDIR(st.st_mode) &&
                   st.st_uid == geteuid()
               ? xdg
               : NULL;
}

struct oscope_error *runtime_base(char **out)
{
    const char *xdg = xdg_dir();
    char *path = NULL;

    if (xdg) {
        if (asprintf(&path, "%s/oscope", xdg) < 0)
            return error_nomem();
    } else {
        AUTO_FREE char *top = NULL;
        if (asprintf(&top, "/tmp/oscope-%u", (unsigned)geteuid()) < 0)
            return error_nomem();
        TRY(own_dir(top));
        if (asprintf(&path, "%s/oscope", top) < 0)
            return error_nomem();
    }
    struct oscope_error *err = own_dir(path);
    if (err) {
        free(path);
        return err;
    }
    *out = path;
    return NULL;
}

bool runtime_valid_id(const char *id)
{
    size_t n = strlen(id);

    return n && n <= ID_MAX && id[0] != '.' &&
           strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == n;
}

struct oscope_error *runtime_dir(const char *id, char **out)
{
    AUTO_FREE char *base = NULL;

    if (!runtime_valid_id(id))
        return error_hint(error_new(OSCOPE_E_USAGE, "'%s' is not a session id", id),
                          "letters, digits, '-', '_' and '.', at most %d", ID_MAX);
    TRY(runtime_base(&base));
    return asprintf(out, "%s/%s", base, id) < 0 ? error_nomem() : NULL;
}

/* Makes base/id; *taken tells whether it existed. */
static struct oscope_error *try_id(const char *base, const char *id, char **dir, bool *taken)
{
    char *path;

    *taken = false;
    if (asprintf(&path, "%s/%s", base, id) < 0)
        return error_nomem();
    if (mkdir(path, 0700) == 0) {
        *dir = path;
        return NULL;
    }
    int errnum = errno;
    *taken = errnum == EEXIST;
    struct oscope_error *err = *taken ? NULL : error_errno(errnum, "make '%s'", path);
    free(path);
    return err;
}

struct oscope_error *runtime_create(const char *name, char **id, char **dir)
{
    AUTO_FREE char *base = NULL;
    struct runtime_ids swept;
    char number[16], *made = NULL;
    bool taken = true;

    if (name && !runtime_valid_id(name))
        return error_hint(error_new(OSCOPE_E_USAGE, "'%s' can't be a session's name", name),
                          "letters, digits, '-', '_' and '.', at most %d", ID_MAX);
    TRY(runtime_base(&base));
    TRY(runtime_ids(&swept));
    runtime_ids_free(&swept);
    if (name) {
        TRY(try_id(base, name, &made, &taken));
        if (taken)
            return error_hint(error_new(OSCOPE_E_BUSY, "there is a session '%s' already", name),
                              "choose another name, or end that one: oscope detach %s", name);
    }
    for (unsigned i = 1; taken && i <= IDS_MAX; i++) {
        snprintf(number, sizeof number, "%u", i);
        name = number;
        TRY(try_id(base, number, &made, &taken));
    }
    if (taken)
        return error_new(OSCOPE_E_NOMEM, "there are %d sessions already", IDS_MAX);
    char *copy = strdup(name);
    if (!copy) {
        runtime_remove(made);
        free(made);
        return error_nomem();
    }
    *id = copy;
    *dir = made;
    return NULL;
}

/* Unlinks what is in dir, but for `keep` (may be NULL), and dir itself when it is empty then. */
static void empty_dir(const char *dir, const char *keep)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

    if (!d) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
            !(keep && !strcmp(e->d_name, keep)))
            unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
    rmdir(dir);
}

uint64_t runtime_mark(const char *dir)
{
    struct statx st = {0};

    if (statx(AT_FDCWD, dir, AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME, &st) < 0)
        return 0;
    /* numbers of inodes are used again */
    const uint64_t what[] = {st.stx_ino, (uint64_t)st.stx_btime.tv_sec, st.stx_btime.tv_nsec};
    return fnv1a(FNV_INIT, what, sizeof what) | 1;
}

void runtime_remove(const char *dir)
{
    empty_dir(dir, NULL);
}

void runtime_forget(const char *dir)
{
    AUTO_FREE char *mark = NULL;

    empty_dir(dir, "qmp.sock");
    if (access(dir, F_OK) < 0 || asprintf(&mark, "%s/detached", dir) < 0)
        return;
    int fd = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
}

/* ---- the list ---- */

/* True when nothing lives in this folder any more. */
static bool is_stale(const char *dir)
{
    struct session_desc desc;
    struct stat st;
    struct oscope_error *err = session_desc_load(dir, &desc);

    if (!err) {
        bool stale = desc.pid && !host_alive(desc.pid, desc.start_time);
        session_desc_free(&desc);
        return stale;
    }
    oscope_error_free(err);
    /* Being started, abandoned before it was usable, or detached with QEMU's socket for us still
     * there, so that it can be attached to again. */
    AUTO_FREE char *qmp = NULL, *mark = NULL;
    if (stat(dir, &st) < 0 || asprintf(&qmp, "%s/qmp.sock", dir) < 0 ||
        asprintf(&mark, "%s/detached", dir) < 0)
        return false;
    bool settled = access(mark, F_OK) == 0 || time(NULL) - st.st_mtime > START_GRACE_S;
    return settled && !sock_is_listening(qmp);
}

static bool has_description(const char *dir)
{
    AUTO_FREE char *path = NULL;

    return asprintf(&path, "%s/session.json", dir) >= 0 && access(path, F_OK) == 0;
}

static int by_id(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    bool xn = isdigit((unsigned char)x[0]), yn = isdigit((unsigned char)y[0]);

    if (xn && yn && atoi(x) != atoi(y))
        return atoi(x) < atoi(y) ? -1 : 1;
    return xn != yn ? (xn ? -1 : 1) : strcmp(x, y);
}

struct oscope_error *runtime_ids(struct runtime_ids *out)
{
    AUTO_FREE char *base = NULL;
    VEC(char *) ids = {0};

    *out = (struct runtime_ids){0};
    TRY(runtime_base(&base));
    DIR *d = opendir(base);
    if (!d)
        return error_errno(errno, "runtime directory '%s'", base);
    for (struct dirent *e; (e = readdir(d)) && ids.len < IDS_MAX;) {
        char dir[512];

        if (!runtime_valid_id(e->d_name))
            continue;
        if (snprintf(dir, sizeof dir, "%s/%s", base, e->d_name) >= (int)sizeof dir)
            continue;
        if (is_stale(dir)) {
            runtime_remove(dir);
            continue;
        }
        char *id = has_description(dir) ? strdup(e->d_name) : NULL;
        if (id && !vec_push(&ids, id))
            free(id);
    }
    closedir(d);
    if (ids.len)
        qsort(ids.data, ids.len, sizeof *ids.data, by_id);
    out->ids = ids.data;
    out->n = ids.len;
    return NULL;
}

void runtime_ids_free(struct runtime_ids *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->ids[i]);
    free(l->ids);
    *l = (struct runtime_ids){0};
}
