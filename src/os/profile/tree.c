/* SPDX-License-Identifier: MIT */
/*
 * Tasks that form a tree: the first one, and of each task a growable array of (counted) pointers to
 * its children (Rust's Vec<Arc<Task>>). Its depth, each array and the whole are bounded, so a tree
 * that is torn or runs in a circle ends.
 */
#include "os/profile/profile.h"

#include <inttypes.h>
#include <stdio.h>

enum { DEPTH_MAX = 64 };

/* ---- compiling ---- */

static struct oscope_error *compile_one(void *arg, const char *text)
{
    struct profile_model *pm = arg;
    struct access_scope scope = {
        .types = pm->dwarf, .symtab = pm->base.symtab, .arch = pm->base.arch, .task = pm->task};
    struct access *at = &pm->access[KEY_CHILDREN];
    char buf[PROFILE_VALUE_MAX + 16];

    snprintf(buf, sizeof buf, "(%s).len", text);
    TRY(access_compile(&scope, buf, ACCESS_NUMBER, &pm->child_count));
    snprintf(buf, sizeof buf, "&(%s)[0]", text);
    TRY(access_compile(&scope, buf, ACCESS_NUMBER, at));
    const struct type *element = type_ref(type_strip(at->type));
    pm->child_stride = element->size;
    scope.task = element;
    return access_compile(&scope, "*task", ACCESS_NUMBER, &pm->child);
}

struct oscope_error *profile_compile_tree(struct profile_model *pm)
{
    const struct profile_entry *e = profile_text_find(&pm->text, "task", "children");

    if (!e)
        return NULL;
    TRY(profile_at(&pm->text, e, profile_first(e->value, compile_one, pm)));
    pm->tasks = TASKS_TREE;
    return NULL;
}

/* ---- walking ---- */

static uint64_t value(struct profile_model *pm, const struct access *a, uint64_t of, bool *ok)
{
    const struct access_env env = {.vs = &pm->base.kernel, .task = of};
    uint64_t v;

    *ok = access_eval(a, &env, &v) == ACCESS_OK;
    return v;
}

struct level {
    uint64_t at, left; /* the next element, and how many there are from it on */
};

static void descend(struct profile_model *pm, uint64_t task, struct level *l, struct os_list *notes)
{
    bool counted, there = true;

    l->left = value(pm, &pm->child_count, task, &counted);
    l->at = l->left ? value(pm, &pm->access[KEY_CHILDREN], task, &there) : 0;
    if (counted && there && l->left <= PROFILE_TASKS_MAX)
        return;
    if (counted && there)
        profile_note(pm, notes, KEY_CHILDREN,
                     "the task at 0x%" PRIx64 " has %" PRIu64 " children: that can't be", task,
                     l->left);
    else
        profile_note(pm, notes, KEY_CHILDREN,
                     "the children of the task at 0x%" PRIx64 " can't be read", task);
    notes->consistency = OSCOPE_TORN;
    l->left = 0;
}

void profile_each_of_tree(struct profile_model *pm,
                          bool (*fn)(struct profile_model *pm, uint64_t task, void *arg), void *arg,
                          struct os_list *notes)
{
    struct level levels[DEPTH_MAX];
    unsigned depth = 0, n = 0;
    uint64_t task;
    bool ok = profile_number(pm, KEY_FIRST, 0, &task) && task && fn(pm, task, arg);

    if (!ok)
        return;
    descend(pm, task, &levels[0], notes);
    for (;;) {
        struct level *l = &levels[depth];
        if (!l->left) {
            if (!depth--)
                return;
            continue;
        }
        task = value(pm, &pm->child, l->at, &ok);
        l->at += pm->child_stride;
        l->left--;
        if (!ok || !task)
            continue;
        if (++n == PROFILE_TASKS_MAX || depth + 1 == DEPTH_MAX) {
            profile_note(pm, notes, KEY_CHILDREN,
                         "the tree of tasks was followed for %u tasks only", n);
            return;
        }
        if (!fn(pm, task, arg))
            return;
        descend(pm, task, &levels[++depth], notes);
    }
}
