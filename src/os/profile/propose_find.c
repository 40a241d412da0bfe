/* SPDX-License-Identifier: MIT */
/* Members and variables by name and type: see propose.h. */
#include "os/profile/propose.h"

#include "symbols/dwarf.h"

#include <ctype.h>
#include <stdio.h>

enum { VISITS_MAX = 4096, NAME_BYTES = 64, NAME_LEAST = 4 };

/* ---- findings ---- */

void found_try(struct found *f, const char *text, const struct type *type, int score)
{
    char loser[FOUND_TEXT];
    int loser_score = score;

    if (score <= 0 || strlen(text) >= FOUND_TEXT)
        return;
    str_copy(loser, sizeof loser, text);
    if (score > f->score) {
        memcpy(loser, f->text, sizeof loser);
        loser_score = f->score;
        str_copy(f->text, sizeof f->text, text);
        f->type = type;
        f->score = score;
    }
    for (int i = 0; i < FOUND_OTHERS && loser_score > 0; i++) {
        if (loser_score <= f->other_scores[i])
            continue;
        memmove(f->others[i + 1 < FOUND_OTHERS ? i + 1 : i], f->others[i],
                sizeof f->others[0] * (size_t)(FOUND_OTHERS - 1 - i));
        memmove(&f->other_scores[i + 1 < FOUND_OTHERS ? i + 1 : i], &f->other_scores[i],
                sizeof f->other_scores[0] * (size_t)(FOUND_OTHERS - 1 - i));
        memcpy(f->others[i], loser, sizeof loser);
        f->other_scores[i] = loser_score;
        return;
    }
}

/* ---- names ---- */

static void plain(const char *name, char out[NAME_BYTES])
{
    size_t n = 0;

    for (; *name && n + 1 < NAME_BYTES; name++)
        if (*name != '_')
            out[n++] = (char)tolower((unsigned char)*name);
    out[n] = '\0';
}

int word_score(const char *name, const struct word *words)
{
    char bare[NAME_BYTES];
    size_t longest = 0;
    int score = 0;

    plain(name, bare);
    for (; words->text; words++) {
        size_t n = strlen(words->text);
        if (!strcmp(bare, words->text))
            return words->score;
        if (n > longest && strstr(bare, words->text)) {
            longest = n;
            score = words->score / 2;
        }
    }
    return score;
}

/* ---- types ---- */

bool type_is_struct(const struct type *t)
{
    const struct type *bare = t ? type_strip(t) : NULL;

    return bare && (bare->kind == TYPE_STRUCT || bare->kind == TYPE_UNION) && bare->size;
}

bool type_same(const struct type *a, const struct type *b)
{
    a = type_strip(a);
    b = type_strip(b);
    return a == b || (a->kind == b->kind && a->name[0] && !strcmp(a->name, b->name));
}

const struct type *type_pointee(struct types *ts, const struct type *t)
{
    const struct type *bare = type_strip(t);

    return bare->kind == TYPE_POINTER ? types_define(ts, type_ref(bare)) : NULL;
}

const struct type *type_element(struct types *ts, const struct type *t)
{
    const struct type *bare = type_strip(t);

    return bare->kind == TYPE_ARRAY && bare->count ? types_define(ts, type_ref(bare)) : NULL;
}

static bool is_name(const struct type *bare)
{
    if (bare->kind != TYPE_ARRAY && bare->kind != TYPE_POINTER)
        return false;
    const struct type *c = type_strip(type_ref(bare));
    return c->kind == TYPE_INT && c->size == 1 && !c->is_bool &&
           (bare->kind == TYPE_POINTER || bare->count >= NAME_LEAST);
}

bool type_is(const struct type *t, unsigned wants)
{
    const struct type *bare = type_strip(t);
    bool number = bare->kind == TYPE_INT && bare->size >= 2 && !bare->is_bool;

    return ((wants & WANTS_INT) && number) ||
           ((wants & WANTS_WORD) && number && bare->owner && bare->size == bare->owner->ptr_size) ||
           ((wants & WANTS_POINTER) && bare->kind == TYPE_POINTER) ||
           ((wants & WANTS_NAME) && is_name(bare)) ||
           ((wants & WANTS_ENUM) && bare->kind == TYPE_ENUM) ||
           ((wants & WANTS_ARRAY) && bare->kind == TYPE_ARRAY);
}

/* ---- walking members ---- */

struct visit {
    struct types *ts;
    member_fn *fn;
    void *arg;
    const struct type *root; /* not gone into again */
    unsigned left;
};

static void visit_members(struct visit *v, const struct type *t, const char *prefix, unsigned depth,
                          unsigned most)
{
    const struct type *bare = type_strip(t);
    size_t n;
    const struct type_member *m = type_members(bare, &n);

    for (size_t i = 0; i < n && v->left; i++) {
        char path[FOUND_TEXT];
        v->left--;
        if (!m[i].name[0]) {
            if (type_is_struct(m[i].type))
                visit_members(v, m[i].type, prefix, depth, most);
            continue;
        }
        if (snprintf(path, sizeof path, "%s%s%s", prefix, prefix[0] ? "." : "", m[i].name) >=
            (int)sizeof path)
            continue;
        struct member here = {
            .path = path, .name = m[i].name, .type = m[i].type, .in = bare, .depth = depth};
        v->fn(&here, v->arg);
        const struct type *to = type_pointee(v->ts, m[i].type);
        const struct type *inside = to ? to : m[i].type;
        if (depth < most && type_is_struct(inside) && !type_same(inside, v->root))
            visit_members(v, inside, path, depth + 1, most);
    }
}

void each_member(struct types *ts, const struct type *t, unsigned depth, member_fn *fn, void *arg)
{
    struct visit v = {.ts = ts, .fn = fn, .arg = arg, .root = t, .left = VISITS_MAX};

    if (type_is_struct(t))
        visit_members(&v, t, "", 0, depth);
}

/* ---- walking variables ---- */

struct variables {
    struct profile_model *pm;
    variable_fn *fn;
    void *arg;
    unsigned depth;
    const char *name;
};

static void variable_member(const struct member *m, void *arg)
{
    struct variables *v = arg;
    char path[FOUND_TEXT];
    struct member out = *m;

    if (snprintf(path, sizeof path, "%s.%s", v->name, m->path) >= (int)sizeof path)
        return;
    out.path = path;
    out.depth = m->depth + 1;
    v->fn(&out, v->arg);
}

static void variable(const char *name, void *arg)
{
    struct variables *v = arg;
    const struct type *t = types_variable(v->pm->dwarf, name);
    struct symbol sym;

    if (!t || !symtab_find(v->pm->base.symtab, name, &sym) || !strncmp(name, "__", 2))
        return;
    t = types_define(v->pm->dwarf, t);
    struct member m = {.path = name, .name = name, .type = t};
    v->name = name;
    v->fn(&m, v->arg);
    if (v->depth && type_is_struct(t))
        each_member(v->pm->dwarf, t, 0, variable_member, v);
}

void each_variable(struct profile_model *pm, unsigned depth, variable_fn *fn, void *arg)
{
    struct variables v = {.pm = pm, .fn = fn, .arg = arg, .depth = depth};

    dwarf_variables(pm->dwarf, variable, &v);
}

/* ---- by name and type ---- */

struct search {
    unsigned wants;
    const struct word *words;
    struct found *out;
};

static void search_one(const struct member *m, void *arg)
{
    const struct search *s = arg;

    /* the deeper, the less likely */
    if (type_is(m->type, s->wants))
        found_try(s->out, m->path, m->type, word_score(m->name, s->words) - (int)m->depth);
}

void find_member(struct types *ts, const struct type *t, unsigned depth, unsigned wants,
                 const struct word *words, struct found *out)
{
    struct search s = {wants, words, out};

    each_member(ts, t, depth, search_one, &s);
}

void find_variable(struct profile_model *pm, unsigned wants, const struct word *words,
                   struct found *out)
{
    struct search s = {wants, words, out};

    each_variable(pm, 1, search_one, &s);
}
