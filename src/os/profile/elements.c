/* SPDX-License-Identifier: MIT */
/*
 * Arrays that are members of the kernel's objects: the children of a task, its threads. They are
 * C's, of a fixed length, or grow (Rust's Vec); their elements are the things themselves, or
 * (counted) pointers to them. Where they lie and how long they are is the guest's to say, so it is
 * checked.
 */
#include "os/profile/profile.h"

#include <inttypes.h>
#include <stdio.h>

static struct oscope_error *compile_growable(const struct access_scope *scope, const char *text,
                                             struct profile_elements *out)
{
    char buf[PROFILE_VALUE_MAX + 16];

    snprintf(buf, sizeof buf, "(%s).len", text);
    TRY(access_compile(scope, buf, ACCESS_NUMBER, &out->count));
    snprintf(buf, sizeof buf, "&(%s)[0]", text);
    return access_compile(scope, buf, ACCESS_NUMBER, &out->first);
}

struct oscope_error *profile_compile_elements(struct profile_model *pm, const struct type *of,
                                              const char *text, struct profile_elements *out)
{
    struct access_scope scope = {
        .types = pm->dwarf, .symtab = pm->base.symtab, .arch = pm->base.arch, .task = of};
    const struct type *t, *element;

    *out = (struct profile_elements){0};
    TRY(access_compile(&scope, text, ACCESS_OBJECT, &out->first));
    t = type_strip(out->first.type);
    if (t->kind == TYPE_ARRAY) {
        element = types_define(pm->dwarf, type_ref(t));
        out->fixed = t->count;
    } else {
        TRY(compile_growable(&scope, text, out));
        element = types_define(pm->dwarf, type_ref(type_strip(out->first.type)));
    }
    out->stride = element->size;
    if (!out->stride || (!out->fixed && !out->count.n))
        return error_new(OSCOPE_E_USAGE, "'%s' has no elements", text);
    scope.task = element;
    if (t->kind == TYPE_ARRAY && type_strip(element)->kind != TYPE_POINTER) {
        out->element.type = element;
        return NULL;
    }
    TRY(access_compile(&scope, "*task", ACCESS_NUMBER, &out->element));
    out->element.type = profile_pointee(pm, out->element.type);
    return NULL;
}

static bool value(struct profile_model *pm, const struct access *a, uint64_t of, uint64_t *out)
{
    const struct access_env env = {.vs = &pm->base.kernel, .task = of};

    return access_eval(a, &env, out) == ACCESS_OK;
}

bool profile_elements_of(struct profile_model *pm, const struct profile_elements *e,
                         enum profile_key key, const char *what, uint64_t object, uint64_t *first,
                         uint64_t *n, struct os_list *notes)
{
    *n = e->fixed;
    *first = 0;
    bool counted = !e->count.n || value(pm, &e->count, object, n);
    bool there = counted && (!*n || value(pm, &e->first, object, first));

    if (there && *n <= PROFILE_TASKS_MAX)
        return true;
    if (notes && there)
        profile_note(pm, notes, key, "the task at 0x%" PRIx64 " has %" PRIu64 " %s: that can't be",
                     object, *n, what);
    else if (notes)
        profile_note(pm, notes, key, "the %s of the task at 0x%" PRIx64 " can't be read", what,
                     object);
    if (notes)
        notes->consistency = OSCOPE_TORN;
    *n = 0;
    return false;
}

uint64_t profile_element(struct profile_model *pm, const struct profile_elements *e, uint64_t at)
{
    uint64_t v = at;

    if (e->element.n && !value(pm, &e->element, at, &v))
        return 0;
    return profile_is_null(v) ? 0 : v;
}
