/* SPDX-License-Identifier: MIT */
/* Tasks and symbols of a recording: see context.h. */
#include "trace/context.h"

#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/stat.h>

#define NEW_TASKS ".tasks.json"

enum {
    SYMBOLS_MAX = 256 << 20, /* bytes of the files that are read */
    TASKS_MAX = 64 << 20,
    TASKS_COUNT = 1 << 20,
    SYMBOLS_NAME = 32, /* bytes of a file's name */
};

static char *path_of(const char *dir, const char *name)
{
    char *path = NULL;

    return asprintf(&path, "%s/oscope%s%s", dir, *name ? "/" : "", name) < 0 ? NULL : path;
}

/* ---- writing ---- */

static struct oscope_error *write_file(const char *dir, const char *name, const void *data,
                                       size_t n)
{
    AUTO_FREE char *path = path_of(dir, name);

    if (!path)
        return error_nomem();
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_errno(errno, "%s", path);
    for (size_t done = 0; done < n;) {
        ssize_t got = write(fd, (const char *)data + done, n - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return error_errno(got ? errno : ENOSPC, "%s", path);
        done += (size_t)got;
    }
    return NULL;
}

/* Functions, and no labels of the compiler's own. */
static bool is_wanted(const struct symbol *s)
{
    return s->type && strchr("tTwW", s->type) && !symbol_is_mapping(s->name);
}

/* The name of the n-th file of symbols, from 0 on. */
static const char *symbols_name(char name[SYMBOLS_NAME], unsigned n)
{
    if (n)
        snprintf(name, SYMBOLS_NAME, "symbols-%u", n + 1);
    else
        str_copy(name, SYMBOLS_NAME, "symbols");
    return name;
}

static struct oscope_error *write_symbols(const char *dir, const char *name,
                                          const struct symtab *symtab)
{
    struct symimage_builder *b = symimage_builder_new();
    struct symimage *image;
    struct symbol s;
    bool ok = b != NULL;
    size_t n;

    for (size_t i = 0; ok && i < symtab_count(symtab); i++)
        if (symtab_at(symtab, i, &s) && is_wanted(&s))
            ok = symimage_add(b, s.addr, s.size, s.type, false, s.name, strlen(s.name));
    if (!ok) {
        symimage_builder_free(b);
        return error_nomem();
    }
    TRY(symimage_finish(b, &image));
    const void *block = symimage_bytes(image, &n);
    struct oscope_error *err = write_file(dir, name, block, n);
    symimage_free(image);
    return err;
}

static struct oscope_error *write_tasks(const char *dir, const char *name,
                                        const struct trace_task *tasks, size_t n)
{
    json_t *all = json_array();
    char *text = NULL;

    for (size_t i = 0; i < n; i++) {
        json_t *t = json_pack("{s:i,s:i,s:i,s:s}", "tid", tasks[i].tid, "pid", tasks[i].pid, "ppid",
                              tasks[i].ppid, "comm", tasks[i].comm);
        if (t && tasks[i].at) {
            json_object_set_new(t, "cpu", json_integer(tasks[i].cpu));
            json_object_set_new(t, "at", json_integer((json_int_t)tasks[i].at));
        }
        json_array_append_new(all, t);
    }
    if (all)
        text = json_dumps(all, JSON_COMPACT);
    json_decref(all);
    struct oscope_error *err = text ? write_file(dir, name, text, strlen(text)) : error_nomem();
    free(text);
    return err;
}

struct oscope_error *trace_context_write(const char *dir, const struct symtab *symtab,
                                         const struct trace_task *tasks, size_t n)
{
    AUTO_FREE char *path = path_of(dir, "");

    if (!path)
        return error_nomem();
    if (mkdir(path, 0700))
        return error_errno(errno, "%s", path);
    if (symtab)
        TRY(write_symbols(dir, "symbols", symtab));
    return write_tasks(dir, "tasks.json", tasks, n);
}

struct oscope_error *trace_context_symbols(const char *dir, const struct symtab *symtab, unsigned n)
{
    char name[SYMBOLS_NAME];

    return write_symbols(dir, symbols_name(name, n), symtab);
}

/* A reader finds the old ones or the new ones. */
struct oscope_error *trace_context_tasks(const char *dir, const struct trace_task *tasks, size_t n)
{
    AUTO_FREE char *path = path_of(dir, "tasks.json"), *new = path_of(dir, NEW_TASKS);

    if (!path || !new)
        return error_nomem();
    unlink(new);
    TRY(write_tasks(dir, NEW_TASKS, tasks, n));
    return rename(new, path) ? error_errno(errno, "%s", path) : NULL;
}

void trace_context_remove(const char *dir)
{
    static const char *const names[] = {"tasks.json", NEW_TASKS};
    char name[SYMBOLS_NAME];

    for (unsigned i = 0; i < TRACE_CONTEXT_KERNELS; i++) {
        AUTO_FREE char *path = path_of(dir, symbols_name(name, i));
        if (path)
            unlink(path);
    }
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        AUTO_FREE char *path = path_of(dir, names[i]);
        if (path)
            unlink(path);
    }
    AUTO_FREE char *path = path_of(dir, "");
    if (path)
        rmdir(path);
}

/* ---- reading ---- */

/* The whole of a file of at most `most` bytes; NULL: there is none that can be used. */
static void *read_file(const char *dir, const char *name, size_t most, size_t *n)
{
    AUTO_FREE char *path = path_of(dir, name);
    AUTO_CLOSE int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || (uint64_t)st.st_size > most)
        return NULL;
    char *data = malloc((size_t)st.st_size + 1);
    for (*n = 0; data && *n < (size_t)st.st_size;) {
        ssize_t got = read(fd, data + *n, (size_t)st.st_size - *n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        *n += (size_t)got;
    }
    return data;
}

/* One kernel's; what is damaged is left out. */
static struct oscope_error *read_kernel(const char *dir, unsigned i, struct trace_context *out)
{
    char name[SYMBOLS_NAME];
    struct symimage *image;
    size_t n;

    out->blocks[i] = read_file(dir, symbols_name(name, i), SYMBOLS_MAX / (i ? 8 : 1), &n);
    if (!out->blocks[i])
        return NULL;
    struct oscope_error *err = symimage_over(out->blocks[i], n, &image);
    if (err) {
        oscope_error_free(err);
        return NULL;
    }
    if (!out->symtab)
        out->symtab = symtab_new();
    return out->symtab && symtab_add(out->symtab, image, 0, NULL) ? NULL : error_nomem();
}

static struct oscope_error *read_symbols(const char *dir, struct trace_context *out)
{
    for (unsigned i = 0; i < TRACE_CONTEXT_KERNELS; i++)
        TRY(read_kernel(dir, i, out));
    return NULL;
}

static void read_task(const json_t *j, struct trace_task *t)
{
    const char *comm = json_string_value(json_object_get(j, "comm"));
    json_int_t cpu = json_integer_value(json_object_get(j, "cpu"));
    json_int_t at = json_integer_value(json_object_get(j, "at"));

    *t = (struct trace_task){
        .tid = (int32_t)json_integer_value(json_object_get(j, "tid")),
        .pid = (int32_t)json_integer_value(json_object_get(j, "pid")),
        .ppid = (int32_t)json_integer_value(json_object_get(j, "ppid")),
    };
    if (at > 0 && cpu >= 0 && cpu <= INT32_MAX) {
        t->cpu = (uint32_t)cpu;
        t->at = (uint64_t)at;
    }
    str_copy(t->comm, sizeof t->comm, comm ? comm : "");
    for (char *p = t->comm; *p; p++)
        if (*p < ' ' || *p > '~')
            *p = '?';
}

static struct oscope_error *read_tasks(const char *dir, struct trace_context *out)
{
    size_t n;
    AUTO_FREE char *text = read_file(dir, "tasks.json", TASKS_MAX, &n);
    json_t *all = text ? json_loadb(text, n, 0, NULL) : NULL;
    size_t count = MIN(json_array_size(all), (size_t)TASKS_COUNT);
    struct oscope_error *err = NULL;

    if (count && !(out->tasks = calloc(count, sizeof *out->tasks)))
        err = error_nomem();
    for (size_t i = 0; !err && i < count; i++)
        read_task(json_array_get(all, i), &out->tasks[out->ntasks++]);
    json_decref(all);
    return err;
}

struct oscope_error *trace_context_open(const char *dir, struct trace_context *out)
{
    *out = (struct trace_context){0};
    struct oscope_error *err = read_symbols(dir, out);
    if (!err)
        err = read_tasks(dir, out);
    if (err)
        trace_context_close(out);
    return err;
}

void trace_context_close(struct trace_context *c)
{
    symtab_free(c->symtab);
    free(c->tasks);
    for (unsigned i = 0; i < TRACE_CONTEXT_KERNELS; i++)
        free(c->blocks[i]);
    *c = (struct trace_context){0};
}
