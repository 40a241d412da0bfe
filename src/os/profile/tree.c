/* SPDX-License-Identifier: MIT */
/*
 * Tasks that form a tree: the first one, and of each task a growable array of (counted) pointers to
 * its children (Rust's Vec<Arc<Task>>). Its depth, each array and the whole are bounded, so a tree
 * that is torn or runs in a circle ends.
 */
#include "os/profile/profile.h"

enum { DEPTH_MAX = 64 };

/* ---- compiling ---- */

static struct oscope_error *compile_one(void *arg, const char *text)
{
    struct profile_model *pm = arg;

    return profile_compile_elements(pm, pm->task, text, &pm->children);
}

struct oscope_error *profile_compile_tree(struct profile_model *pm)
{
    const struct profile_entry *e = profile_text_find(&pm->text, "task", "children");

    if (!e)
        return NULL;
    TRY(profile_at(&pm->text, e, profile_first(e->value, compile_one, pm)));
    pm->access[KEY_CHILDREN] = pm->children.first;
    pm->tasks = TASKS_TREE;
    return NULL;
}

/* ---- walking ---- */

struct level {
    uint64_t at, left; /* the next element, and how many there are from it on */
};

static void descend(struct profile_model *pm, uint64_t task, struct level *l, struct os_list *notes)
{
    profile_elements_of(pm, &pm->children, KEY_CHILDREN, "children", task, &l->at, &l->left, notes);
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
        task = profile_element(pm, &pm->children, l->at);
        l->at += pm->children.stride;
        l->left--;
        if (!task)
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
