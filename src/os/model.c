/* SPDX-License-Identifier: MIT */
/* The table of OS models, and the lists they fill. */
#include "os/model.h"

#include "os/linux/linux.h"
#include "os/profile/profile.h"
#include "symbols/elfsyms.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static const struct os_model_ops *const models[] = {
    &profile_ops, /* with a kernel file that is not Linux's */
    &linux_ops,
};

const char *const os_owner_names[OS_OWNER_COUNT] = {
    [OS_OWNER_FREE] = "free",           [OS_OWNER_SLAB] = "slab",
    [OS_OWNER_PAGETABLE] = "pagetable", [OS_OWNER_ANON] = "anon",
    [OS_OWNER_FILE] = "file",           [OS_OWNER_KERNEL] = "kernel",
    [OS_OWNER_RESERVED] = "reserved",   [OS_OWNER_NO_PAGE] = "unmanaged",
    [OS_OWNER_UNKNOWN] = "unknown",
};

struct oscope_error *os_cannot(const struct os_model *m, const char *what)
{
    return error_new(OSCOPE_E_UNSUPPORTED, "this kernel's %s: not known by model '%s'", what,
                     m->ops->name);
}

struct oscope_error *os_ready_probes(struct os_model *m)
{
    if (!m->ops->probes)
        return os_cannot(m, "events");
    return m->ops->symbols ? m->ops->symbols(m, false) : NULL;
}

/* Strings that one answer may hold: a bound on what a hostile guest makes us keep. */
enum { OS_STRINGS_MAX = 256 << 20 };

void os_list_init(struct os_list *l, size_t row_size)
{
    *l = (struct os_list){.row_size = row_size, .strings.cap = OS_STRINGS_MAX};
}

void *os_list_add(struct os_list *l)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 64;
        if (l->n >= OS_LIST_MAX)
            return NULL;
        void *rows = realloc(l->rows, cap * l->row_size);
        if (!rows)
            return NULL;
        l->rows = rows;
        l->cap = cap;
    }
    return memset((char *)l->rows + l->n++ * l->row_size, 0, l->row_size);
}

void os_list_note(struct os_list *l, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    for (size_t i = 0; i < l->notes.n; i++)
        if (strcmp(l->notes.data[i], text) == 0)
            return;
    if (l->notes.n == ARRAY_SIZE(l->notes.data))
        return;
    char *copy = arena_strdup(&l->strings, text);
    if (copy)
        l->notes.data[l->notes.n++] = copy;
}

void os_list_free(struct os_list *l)
{
    free(l->rows);
    arena_free(&l->strings);
    *l = (struct os_list){.row_size = l->row_size};
}

void os_forget_boot(const char *dir)
{
    AUTO_FREE char *path = NULL;

    if (asprintf(&path, "%s/" OS_SESSION_FILE, dir) >= 0)
        unlink(path);
}

struct oscope_error *os_open(struct target *t, const struct arch *arch,
                             const struct os_open_options *opts, struct os_model **out)
{
    *out = NULL;
    for (size_t i = 0; !*out && i < ARRAY_SIZE(models); i++)
        TRY(models[i]->open(t, arch, opts, out));
    return *out ? NULL : error_new(OSCOPE_E_NOT_FOUND, "no OS that is known was found");
}

bool os_known_kernel(struct elfsyms *kernel)
{
    for (size_t i = 0; i < ARRAY_SIZE(models); i++)
        if (models[i]->owns && models[i]->owns(kernel))
            return true;
    return false;
}

bool os_wants_symbols(const char *path)
{
    struct elfsyms *es;
    struct oscope_error *err = elfsyms_open(path, &es);

    if (err) {
        oscope_error_free(err);
        return false;
    }
    bool wanted = elfsyms_has_symbols(es) && !os_known_kernel(es);
    elfsyms_free(es);
    return wanted;
}

const struct os_model_ops *os_find(const char *name)
{
    for (size_t i = 0; name && i < ARRAY_SIZE(models); i++)
        if (!strcasecmp(models[i]->name, name))
            return models[i];
    return NULL;
}

void os_close(struct os_model *m)
{
    if (m)
        m->ops->close(m);
}
