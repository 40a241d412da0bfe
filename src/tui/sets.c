/* SPDX-License-Identifier: MIT */
#include "tui/sets.h"

#include <string.h>

bool sets_has(const struct sets *s, const char *set)
{
    for (size_t i = 0; i < s->n; i++)
        if (!strcmp(s->names[i], set))
            return true;
    return false;
}

bool sets_add(struct sets *s, const char *set)
{
    if (sets_has(s, set))
        return true;
    if (s->n == SETS_MAX)
        return false;
    s->names[s->n++] = set;
    return true;
}

void sets_drop(struct sets *s, const char *set)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->names[i], set) != 0)
            s->names[n++] = s->names[i];
    s->n = n;
}

struct sets sets_needed(const char *const *reports)
{
    struct sets all = {.n = 0};

    for (size_t i = 0; reports && reports[i]; i++) {
        const char *const *needs = oscope_monitor_needs(reports[i]);
        for (; needs && *needs; needs++)
            sets_add(&all, *needs);
    }
    return all;
}

struct sets sets_lacking(const struct sets *on, const struct sets *needed)
{
    struct sets lacking = {.n = 0};

    for (size_t i = 0; i < needed->n; i++)
        if (!sets_has(on, needed->names[i]))
            sets_add(&lacking, needed->names[i]);
    return lacking;
}

bool sets_toggle(struct sets *on, const struct sets *needed)
{
    bool off = !sets_lacking(on, needed).n;

    for (size_t i = 0; i < needed->n; i++) {
        if (off)
            sets_drop(on, needed->names[i]);
        else
            sets_add(on, needed->names[i]);
    }
    return !off;
}
