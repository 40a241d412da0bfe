/* SPDX-License-Identifier: MIT */
/*
 * What in a kernel's DWARF are its tasks: a structure with an id and a name or a state, of which a
 * variable is an array, a table of pointers, or a list. And which variable points to the current
 * one.
 */
#include "os/profile/propose.h"

#include <stdio.h>

enum { HEADS_MAX = 16, TYPES_MAX = 64, ENOUGH = 20 };

/* ---- what a task has ---- */

static const struct word id_words[] = {{"pid", 12},    {"tid", 10},     {"id", 9}, {"taskid", 10},
                                       {"procid", 10}, {"threadid", 9}, {0}};
static const struct word name_words[] = {{"name", 10}, {"comm", 10},   {"title", 7},
                                         {"cmd", 6},   {"command", 7}, {0}};
static const struct word state_words[] = {{"state", 10}, {"status", 9}, {"runstate", 9}, {0}};
static const struct word parent_words[] = {{"parent", 11}, {"realparent", 10}, {"father", 8}, {0}};
static const struct word parent_id_words[] = {
    {"ppid", 11}, {"parentpid", 11}, {"parentid", 10}, {"father", 7}, {0}};
static const struct word size_words[] = {
    {"sz", 10}, {"memsize", 9}, {"memorysize", 9}, {"size", 7}, {0}};
static const struct word table_words[] = {{"pagetable", 12}, {"pgdir", 12},         {"pgd", 11},
                                          {"pagedir", 11},   {"pml4", 10},          {"satp", 11},
                                          {"cr3", 11},       {"root", 7},           {"pageroot", 9},
                                          {"ptroot", 9},     {"pagedirectory", 11}, {0}};
static const struct word stack_words[] = {
    {"kstack", 12}, {"kernelstack", 12}, {"stack", 8}, {"stackbase", 9}, {0}};

struct by_type {
    const struct type *type;
    const struct word *words;
    struct found *out;
};

static void try_pointer_to(const struct member *m, void *arg)
{
    const struct by_type *b = arg;
    const struct type *bare = type_strip(m->type);

    if (bare->kind == TYPE_POINTER && type_same(type_ref(bare), b->type))
        found_try(b->out, m->path, m->type, word_score(m->name, b->words) - (int)m->depth);
}

/* A member, by name, that points to a type. */
static void find_pointer_to(struct types *ts, const struct type *in, const struct type *type,
                            const struct word *words, struct found *out)
{
    struct by_type b = {type, words, out};

    each_member(ts, in, 0, try_pointer_to, &b);
}

static int score_task(struct profile_model *pm, const struct type *t, struct tasks_found *out)
{
    struct types *ts = pm->dwarf;

    *out = (struct tasks_found){.type = t};
    find_member(ts, t, 0, WANTS_INT, id_words, &out->id);
    find_member(ts, t, 0, WANTS_NAME, name_words, &out->name);
    find_member(ts, t, 0, WANTS_ENUM, state_words, &out->state);
    if (!out->state.score)
        find_member(ts, t, 0, WANTS_INT, state_words, &out->state);
    find_pointer_to(ts, t, t, parent_words, &out->parent);
    if (!out->parent.score)
        find_member(ts, t, 0, WANTS_INT, parent_id_words, &out->parent);
    find_member(ts, t, 0, WANTS_INT, size_words, &out->size);
    find_member(ts, t, 1, WANTS_WORD | WANTS_POINTER, table_words, &out->pagetable);
    find_member(ts, t, 0, WANTS_WORD | WANTS_POINTER, stack_words, &out->stack);
    if (!out->id.score || !(out->name.score || out->state.score))
        return 0;
    int score = out->id.score + out->name.score + out->state.score + out->parent.score +
                out->pagetable.score / 2 + out->stack.score / 2;
    return score >= ENOUGH ? score : 0;
}

/* ---- where they are ---- */

static const struct word all_words[] = {{"proc", 4}, {"procs", 4},  {"tasks", 4},
                                        {"task", 4}, {"thread", 3}, {0}};
static const struct word current_words[] = {{"current", 12}, {"curproc", 12},   {"curtask", 12},
                                            {"curr", 10},    {"cur", 10},       {"running", 10},
                                            {"self", 7},     {"curthread", 12}, {0}};
static const struct word next_words[] = {{"next", 8}, {"link", 6}, {"allnext", 8}, {0}};
static const struct word link_words[] = {{"list", 6},  {"link", 6},  {"node", 5}, {"all", 6},
                                         {"tasks", 7}, {"entry", 5}, {0}};

/* Heads of lists whose links are structures of their own; types of which there are pointers. */
struct seen {
    struct profile_model *pm;
    struct tasks_found best;
    struct found arrays; /* all that were considered */
    int score;
    struct {
        char path[FOUND_TEXT];
        const struct type *type;
    } heads[HEADS_MAX];
    size_t nheads;
    const struct type *types[TYPES_MAX];
    size_t ntypes;
};

static void consider(struct seen *s, const struct tasks_found *with, const char *path,
                     const struct type *type, int score)
{
    found_try(&s->arrays, path, type, score);
    if (score <= s->score)
        return;
    s->score = score;
    s->best = *with;
}

static void add_type(struct seen *s, const struct type *t)
{
    for (size_t i = 0; i < s->ntypes; i++)
        if (type_same(s->types[i], t))
            return;
    if (s->ntypes < TYPES_MAX)
        s->types[s->ntypes++] = t;
}

/* struct list { struct list *next, *prev; } */
static bool is_list_head(const struct type *t)
{
    const struct type *bare = type_strip(t);
    size_t n;
    const struct type_member *m = bare->kind == TYPE_STRUCT ? type_members(bare, &n) : NULL;

    if (!m || n < 1 || n > 2)
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct type *to = type_strip(m[i].type);
        if (to->kind != TYPE_POINTER || !type_same(type_ref(to), bare))
            return false;
    }
    return true;
}

static void look_at_pointer(struct seen *s, const struct member *m, const struct type *to)
{
    struct tasks_found f;
    struct found next = {0};
    int score = score_task(s->pm, to, &f);

    if (!score)
        return;
    add_type(s, to);
    find_pointer_to(s->pm->dwarf, to, to, next_words, &next);
    if (!next.score || word_score(m->name, current_words) >= LIKELY)
        return;
    f.how = TASKS_LIST;
    str_copy(f.next, sizeof f.next, next.text);
    consider(s, &f, m->path, m->type, score + next.score / 2 + word_score(m->name, all_words));
}

static void look_at(const struct member *m, void *arg)
{
    struct seen *s = arg;
    struct types *ts = s->pm->dwarf;
    const struct type *element = type_element(ts, m->type), *to = type_pointee(ts, m->type);
    const struct type *behind = element ? type_pointee(ts, element) : NULL;
    struct tasks_found f;
    int score, named = word_score(m->name, all_words) - (int)m->depth;

    if (type_is_struct(element) && (score = score_task(s->pm, element, &f))) {
        f.how = TASKS_ARRAY;
        consider(s, &f, m->path, m->type, score + 10 + named);
    } else if (type_is_struct(behind) && (score = score_task(s->pm, behind, &f))) {
        f.how = TASKS_TABLE;
        bool current = word_score(m->name, current_words) >= LIKELY;
        consider(s, &f, m->path, m->type, score + (current ? -10 : 8) + named);
    } else if (type_is_struct(to)) {
        look_at_pointer(s, m, to);
    } else if (is_list_head(m->type) && s->nheads < HEADS_MAX) {
        str_copy(s->heads[s->nheads].path, FOUND_TEXT, m->path);
        s->heads[s->nheads++].type = m->type;
    }
}

/* ---- lists whose links are structures ---- */

struct links {
    const struct type *type;
    struct found *out;
};

static void try_link(const struct member *m, void *arg)
{
    const struct links *l = arg;

    if (type_same(m->type, l->type))
        found_try(l->out, m->path, m->type, 1 + word_score(m->name, link_words));
}

static void look_at_head(struct seen *s, const char *head, const struct type *list,
                         const struct type *task)
{
    struct found link = {0};
    struct links l = {list, &link};
    struct tasks_found f;
    char type[96], first[FOUND_TEXT];
    size_t n;

    int score = score_task(s->pm, task, &f);
    each_member(s->pm->dwarf, task, 0, try_link, &l);
    const char *next = type_members(type_strip(list), &n)[0].name;
    if (!link.score || !score)
        return;
    type_format(type_strip(task), type, sizeof type);
    f.how = TASKS_LIST;
    if (snprintf(first, sizeof first, "container_of(%s.%s, %s, %s)", head, next, type, link.text) >=
            (int)sizeof first ||
        snprintf(f.next, sizeof f.next, "container_of(task->%s.%s, %s, %s)", link.text, next, type,
                 link.text) >= (int)sizeof f.next ||
        snprintf(f.end, sizeof f.end, "container_of(&%s, %s, %s)", head, type, link.text) >=
            (int)sizeof f.end)
        return;
    consider(s, &f, first, list, score + link.score / 2 + word_score(head, all_words));
}

/* ---- the current one ---- */

static const struct word of_cpu_words[] = {
    {"proc", 10}, {"current", 12}, {"curproc", 12}, {"curtask", 12},   {"curr", 11}, {"cur", 10},
    {"task", 9},  {"thread", 9},   {"running", 10}, {"curthread", 12}, {0}};

struct currents {
    struct profile_model *pm;
    const struct type *task;
    struct found *out;
};

static void look_for_current(const struct member *m, void *arg)
{
    const struct currents *c = arg;
    struct types *ts = c->pm->dwarf;
    const struct type *element = type_element(ts, m->type), *to = type_pointee(ts, m->type);
    const struct type *behind = element ? type_pointee(ts, element) : NULL;
    struct found inside = {0};
    char text[FOUND_TEXT];
    int bonus = strncmp(m->name, "cpu", 3) == 0 ? 3 : 0;

    if (to && type_same(to, c->task)) {
        bool in_cpu = m->depth && bonus;
        found_try(c->out, m->path, m->type,
                  word_score(m->name, in_cpu ? of_cpu_words : current_words));
    } else if (behind && type_same(behind, c->task)) {
        if (snprintf(text, sizeof text, "%s[cpu]", m->path) < (int)sizeof text)
            found_try(c->out, text, element, word_score(m->name, current_words) + bonus);
    } else if (type_is_struct(element) && !type_same(element, c->task)) {
        find_pointer_to(ts, element, c->task, of_cpu_words, &inside);
        if (inside.score &&
            snprintf(text, sizeof text, "%s[cpu].%s", m->path, inside.text) < (int)sizeof text)
            found_try(c->out, text, inside.type, inside.score + bonus - 3);
    }
}

bool find_tasks(struct profile_model *pm, struct tasks_found *out)
{
    AUTO_FREE struct seen *s = calloc(1, sizeof *s);

    if (!s)
        return false;
    s->pm = pm;
    each_variable(pm, 1, look_at, s);
    for (size_t i = 0; i < s->nheads; i++)
        for (size_t k = 0; k < s->ntypes; k++)
            look_at_head(s, s->heads[i].path, s->heads[i].type, s->types[k]);
    if (!s->score)
        return false;
    *out = s->best;
    out->where = s->arrays;
    struct currents c = {pm, out->type, &out->current};
    each_variable(pm, 1, look_for_current, &c);
    return true;
}
