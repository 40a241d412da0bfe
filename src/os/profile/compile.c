/* SPDX-License-Identifier: MIT */
/* From a profile's text to what can be evaluated: see profile.h, keys.h. */
#include "os/profile/names.h"
#include "os/profile/probes.h"

#include "base/near.h"

#include <ctype.h>
#include <stdio.h>

enum profile_want {
    WANT_NUMBER,
    WANT_OBJECT,
    WANT_TEXT,
    WANT_POINTER,
    WANT_SITES,
    WANT_FUNCTIONS,
};

static const struct key {
    const char *section, *key;
    uint8_t want, about;
} keys[PROFILE_KEYS] = {
#define X(id, section, key, want, of) {section, key, WANT_##want, ABOUT_##of},
#include "os/profile/keys.h"
#undef X
};

/* Keys whose values are no expressions, and sections whose keys are the kernel's own names. */
static const char *const words[][2] = {
    {"profile", "name"},  {"profile", "arch"}, {"profile", "symbols"}, {"memory", "mode"},
    {"memory", "linear"}, {"switch", "idle"},  {"syscall", "names"},
};
static const char *const open_sections[] = {"states", "thread-states", "syscalls", "irqs", "traps"};

const struct profile_entry *profile_entry_of(const struct profile_model *pm, enum profile_key key)
{
    return profile_text_find(&pm->text, keys[key].section, keys[key].key);
}

const char *profile_value(const struct profile_model *pm, enum profile_key key)
{
    const struct profile_entry *e = profile_entry_of(pm, key);

    return e ? e->value : NULL;
}

const char *profile_key_name(enum profile_key key)
{
    static _Thread_local char text[64];

    snprintf(text, sizeof text, "[%s] %s", keys[key].section, keys[key].key);
    return text;
}

enum profile_key profile_key_of(const struct profile_entry *e)
{
    for (unsigned k = 0; k < PROFILE_KEYS; k++)
        if (!strcmp(e->section, keys[k].section) && !strcmp(e->key, keys[k].key))
            return (enum profile_key)k;
    return PROFILE_KEYS;
}

enum profile_about profile_key_about(enum profile_key key)
{
    return (enum profile_about)keys[key].about;
}

/* ---- what is wrong with lines ---- */

struct oscope_error *profile_keep(struct profile_model *pm, struct oscope_error *err)
{
    if (!err || !pm->lenient || err->code == OSCOPE_E_NOMEM)
        return err;
    if (vec_push(&pm->wrong, err))
        return NULL;
    oscope_error_free(err);
    return error_nomem();
}

const char *profile_wrong(const struct profile_model *pm, const struct profile_entry *e)
{
    size_t skip = strlen(pm->text.file) + 1;

    /* "FILE:LINE: KEY: what", or without the key */
    for (size_t i = 0; i < pm->wrong.len; i++) {
        const char *m = pm->wrong.data[i]->message;
        char *end;
        if (strlen(m) < skip || strtoul(m + skip, &end, 10) != e->line)
            continue;
        size_t n = strlen(e->key);
        end += strspn(end, ": ");
        return !strncmp(end, e->key, n) && end[n] == ':' ? end + n + 2 : end;
    }
    return NULL;
}

/* ---- is it for this kernel? ---- */

const char *profile_word(const char **p, size_t *n)
{
    *p += strspn(*p, " \t,");
    const char *word = *p;
    *n = strcspn(word, " \t,");
    *p += *n;
    return *n ? word : NULL;
}

static bool has_word(const char *words_text, const char *word)
{
    size_t n;

    for (const char *w; (w = profile_word(&words_text, &n));)
        if (strlen(word) == n && !memcmp(w, word, n))
            return true;
    return false;
}

bool profile_fits(const struct profile_text *t, const struct arch *arch, const struct symtab *st)
{
    const struct profile_entry *a = profile_text_find(t, "profile", "arch");
    const struct profile_entry *s = profile_text_find(t, "profile", "symbols");
    struct symbol sym;
    size_t n;

    if (a && !has_word(a->value, arch->name))
        return false;
    const char *p = s ? s->value : "";
    for (const char *w; (w = profile_word(&p, &n));) {
        char name[128];
        if (n >= sizeof name)
            return false;
        memcpy(name, w, n);
        name[n] = '\0';
        if (!symtab_find(st, name, &sym))
            return false;
    }
    return s != NULL;
}

struct oscope_error *profile_check_arch(const struct profile_text *t, const struct arch *arch)
{
    const struct profile_entry *e = profile_text_find(t, "profile", "arch");

    if (!e || has_word(e->value, arch->name))
        return NULL;
    return profile_at(
        t, e,
        error_new(OSCOPE_E_USAGE, "it is for %s, the kernel is for %s", e->value, arch->name));
}

/* ---- names of sections and keys ---- */

/* What a line may have meant: its section among all, its key among those of the section. */
struct lookup {
    const struct profile_entry *e;
    bool section, key; /* there is one of that name */
    struct near near_section, near_key;
};

static void look_at(struct lookup *l, const char *section, const char *key)
{
    near_try(&l->near_section, section);
    if (strcmp(l->e->section, section) != 0)
        return;
    l->section = true;
    l->key |= !key || !strcmp(l->e->key, key);
    if (key)
        near_try(&l->near_key, key);
}

static struct oscope_error *check_name(const struct profile_text *t, const struct profile_entry *e)
{
    struct lookup l = {.e = e, .near_section.word = e->section, .near_key.word = e->key};

    for (size_t i = 0; i < ARRAY_SIZE(open_sections); i++)
        look_at(&l, open_sections[i], NULL);
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        look_at(&l, words[i][0], words[i][1]);
    for (size_t i = 0; i < PROFILE_KEYS; i++)
        look_at(&l, keys[i].section, keys[i].key);
    if (l.key)
        return NULL;
    struct oscope_error *err = l.section
                                   ? error_new(OSCOPE_E_USAGE, "%s:%u: [%s] has no key '%s'",
                                               t->file, e->line, e->section, e->key)
                                   : error_new(OSCOPE_E_USAGE, "%s:%u: there is no section [%s]",
                                               t->file, e->line, e->section);
    const char *found = l.section ? l.near_key.found : l.near_section.found;
    if (found)
        return error_hint(err, "did you mean %s%s%s?", l.section ? "'" : "[", found,
                          l.section ? "'" : "]");
    return error_hint(err, "oscope help profile lists what there is");
}

static struct oscope_error *check_names(struct profile_model *pm)
{
    vec_each (struct profile_entry, e, &pm->text.entries)
        TRY(profile_keep(pm, check_name(&pm->text, e)));
    return NULL;
}

/* ---- expressions ---- */

static struct oscope_error *compile_text(const struct access_scope *scope, const char *text,
                                         struct access *out)
{
    struct oscope_error *err = access_compile(scope, text, ACCESS_OBJECT, out);
    const struct type *t = err ? NULL : type_strip(out->type);

    if (t && t->kind == TYPE_ARRAY && type_strip(type_ref(t))->size == 1)
        return NULL;
    oscope_error_free(err);
    TRY(access_compile(scope, text, ACCESS_NUMBER, out));
    t = out->type ? type_strip(out->type) : NULL;
    if (t && t->kind == TYPE_POINTER)
        return NULL;
    return error_new(OSCOPE_E_USAGE, "'%s' is neither an array of characters nor a pointer to them",
                     text);
}

/* Each file of the kernel has types of its own. */
bool profile_same_type(const struct type *a, const struct type *b)
{
    a = type_strip(a);
    b = type_strip(b);
    return a == b || (a->kind == b->kind && !strcmp(a->name, b->name));
}

static struct oscope_error *compile_pointer(const struct access_scope *scope, const char *text,
                                            const struct type *task, const struct type *thread,
                                            struct access *out)
{
    char is[128], wanted[128];

    TRY(access_compile(scope, text, ACCESS_NUMBER, out));
    const struct type *t = out->type ? type_strip(out->type) : NULL;
    if (!t || !task || t->kind != TYPE_POINTER)
        return NULL;
    const struct type *to = type_strip(type_ref(t)), *bare = type_strip(task);
    if (profile_same_type(to, bare) || (thread && profile_same_type(to, thread)) ||
        (to->kind != TYPE_STRUCT && to->kind != TYPE_UNION))
        return NULL;
    return error_new(OSCOPE_E_USAGE, "'%s' points to %s, a task is %s", text,
                     type_format(to, is, sizeof is), type_format(bare, wanted, sizeof wanted));
}

/* What an expression is to become. */
struct wish {
    const struct access_scope *scope;
    const struct type *task, *thread; /* what a pointer may point to */
    enum profile_want want;
    struct access *out;
};

static struct oscope_error *compile_one(void *arg, const char *text)
{
    const struct wish *w = arg;

    switch (w->want) {
    case WANT_TEXT: return compile_text(w->scope, text, w->out);
    case WANT_POINTER: return compile_pointer(w->scope, text, w->task, w->thread, w->out);
    case WANT_OBJECT: return access_compile(w->scope, text, ACCESS_OBJECT, w->out);
    default: return access_compile(w->scope, text, ACCESS_NUMBER, w->out);
    }
}

const struct type *profile_pointee(const struct profile_model *pm, const struct type *t)
{
    const struct type *bare = t ? type_strip(t) : NULL;

    return bare && bare->kind == TYPE_POINTER ? types_define(pm->dwarf, type_ref(bare)) : NULL;
}

/* What a key of a lock's address points to. */
static const struct type *lock_type(const struct profile_model *pm, enum profile_key lock)
{
    const struct type *t = profile_pointee(pm, pm->access[lock].type);

    return t ? t : &type_void;
}

/* What `task` is in a key's expression: a free page has no members; at a site it is the one that
 * runs there. */
static const struct type *task_type(const struct profile_model *pm, enum profile_key key)
{
    if (key == KEY_FREE_NEXT)
        return &type_void;
    if (keys[key].about == ABOUT_LOCK)
        return lock_type(pm, key == KEY_SPIN_NAME ? KEY_SPIN_LOCK : KEY_SLEEP_LOCK);
    if (keys[key].about == ABOUT_THREAD)
        return pm->thread;
    if (keys[key].about == ABOUT_SITE)
        return profile_has(pm, KEY_CURRENT) ? pm->task : NULL;
    return keys[key].about == ABOUT_TASK ? pm->task : NULL;
}

/* "none", the last of alternatives: where no other fits, the line counts for nothing. */
static bool is_none(const char *text)
{
    const char *p = text;
    size_t n;
    const char *word = profile_word(&p, &n);

    return word && n == 4 && !memcmp(word, "none", n) && !profile_word(&p, &n);
}

struct oscope_error *profile_first(const char *value,
                                   struct oscope_error *(*fn)(void *arg, const char *text),
                                   void *arg)
{
    struct oscope_error *first = NULL;

    for (const char *p = value;; p++) {
        char text[PROFILE_VALUE_MAX + 1];
        size_t n = strcspn(p, "|");
        str_copy(text, MIN(n + 1, sizeof text), p);
        struct oscope_error *err = first && !p[n] && is_none(text) ? NULL : fn(arg, text);
        if (!err) {
            oscope_error_free(first);
            return NULL;
        }
        if (first)
            oscope_error_free(err);
        else
            first = err;
        if (!*(p += n))
            return first;
    }
}

static struct oscope_error *compile_first(struct profile_model *pm,
                                          const struct access_scope *scope, const char *value,
                                          enum profile_want want, struct access *out)
{
    struct wish w = {
        .scope = scope, .task = pm->task, .thread = pm->thread, .want = want, .out = out};
    struct oscope_error *err = profile_first(value, compile_one, &w);

    if (err)
        *out = (struct access){0};
    return err;
}

/* Where the expression at p ends: at a comma outside of parentheses. */
static size_t piece(const char *p)
{
    int depth = 0;
    size_t n = 0;

    for (; p[n] && (p[n] != ',' || depth); n++)
        depth += (p[n] == '(') - (p[n] == ')');
    return n;
}

static struct oscope_error *compile_sites(struct profile_model *pm,
                                          const struct access_scope *scope, const char *value,
                                          enum profile_key key)
{
    for (const char *p = value;; p++) {
        char text[PROFILE_VALUE_MAX + 1];
        struct profile_site *s = &pm->sites[pm->nsites];
        size_t n = piece(p);
        if (pm->nsites == PROFILE_SITES_MAX)
            return error_new(OSCOPE_E_USAGE, "more than %d places in all", PROFILE_SITES_MAX);
        str_copy(text, MIN(n + 1, sizeof text), p);
        s->key = key;
        TRY(compile_first(pm, scope, text, WANT_NUMBER, &s->at));
        pm->nsites += s->at.n > 0;
        if (!*(p += n))
            return NULL;
    }
}

bool profile_function(const struct profile_model *pm, const char *word, size_t n,
                      struct symbol *out)
{
    for (size_t at = 0, len; at < n; at += len + 1) {
        char name[128];
        const char *bar = memchr(word + at, '|', n - at);
        len = bar ? (size_t)(bar - word) - at : n - at;
        str_copy(name, MIN(len + 1, sizeof name), word + at);
        if (profile_symbol(pm->base.symtab, name, out))
            return true;
    }
    return false;
}

static struct oscope_error *check_functions(const struct profile_model *pm, const char *value)
{
    size_t n;

    for (const char *p = value, *w; (w = profile_word(&p, &n));) {
        struct symbol sym;
        bool none = n > 5 && !memcmp(w + n - 5, "|none", 5);
        if (!none && !profile_function(pm, w, n, &sym))
            return error_new(OSCOPE_E_NOT_FOUND, "the kernel has no symbol '%.*s'",
                             (int)MIN(n, (size_t)128), w);
    }
    return NULL;
}

bool profile_left_out(const struct profile_model *pm, enum profile_key key)
{
    const struct profile_entry *e = profile_entry_of(pm, key);
    bool site = false;

    for (size_t i = 0; i < pm->nsites; i++)
        site |= pm->sites[i].key == key;
    return e && keys[key].want != WANT_FUNCTIONS && !profile_has(pm, key) && !site &&
           !profile_wrong(pm, e);
}

/* A probe has several expressions, and room for few instructions. */
static struct oscope_error *check_cost(const struct access *a)
{
    enum { MOST = 24 };
    unsigned cost = emit_cost(a);

    return cost && cost <= MOST ? NULL
                                : error_new(OSCOPE_E_USAGE,
                                            "the expression is too long for a probe: it has %u "
                                            "instructions there, at most %d are possible",
                                            cost, MOST);
}

bool profile_no_threads(const struct profile_model *pm)
{
    const struct profile_entry *e = profile_entry_of(pm, KEY_THREADS);

    return e && !pm->thread && !profile_wrong(pm, e);
}

static struct oscope_error *compile_key(struct profile_model *pm, enum profile_key key)
{
    const struct profile_entry *e = profile_text_find(&pm->text, keys[key].section, keys[key].key);
    bool cpu = keys[key].about == ABOUT_SITE || keys[key].about == ABOUT_CPU;
    bool probed = cpu || keys[key].about == ABOUT_LOCK;
    struct access_scope scope = {.types = pm->dwarf,
                                 .symtab = pm->base.symtab,
                                 .arch = pm->base.arch,
                                 .task = task_type(pm, key),
                                 .cpu = cpu,
                                 .registers = cpu};
    struct oscope_error *err;

    if (!e || (keys[key].about == ABOUT_THREAD && profile_no_threads(pm)))
        return NULL;
    if (!pm->dwarf)
        err = error_new(OSCOPE_E_NOT_FOUND, "%s", pm->no_dwarf->message);
    else if (keys[key].about == ABOUT_THREAD && !pm->thread)
        err = error_new(OSCOPE_E_USAGE, "what a thread is, [thread] array does not say");
    else if (keys[key].want == WANT_SITES)
        err = compile_sites(pm, &scope, e->value, key);
    else if (keys[key].want == WANT_FUNCTIONS)
        err = check_functions(pm, e->value);
    else
        err = compile_first(pm, &scope, e->value, keys[key].want, &pm->access[key]);
    if (!err && probed && profile_has(pm, key))
        err = check_cost(&pm->access[key]);
    return err ? profile_at(&pm->text, e, err) : NULL;
}

/* ---- tasks ---- */

static struct oscope_error *wrong_task(const struct profile_model *pm, const char *key,
                                       const char *what)
{
    const struct profile_entry *e = profile_text_find(&pm->text, "task", key);

    return profile_at(&pm->text, e, error_new(OSCOPE_E_USAGE, "'%s' %s", e->value, what));
}

/* What tells where the tasks are, and with that their type, comes before all that needs it. */
static struct oscope_error *compile_tasks(struct profile_model *pm)
{
    TRY(compile_key(pm, KEY_ARRAY));
    TRY(compile_key(pm, KEY_FIRST));
    if (profile_has(pm, KEY_ARRAY)) {
        const struct type *t = type_strip(pm->access[KEY_ARRAY].type);
        if (t->kind != TYPE_ARRAY)
            return wrong_task(pm, "array", "is no array");
        const struct type *element = types_define(pm->dwarf, type_ref(t));
        const struct type *behind = profile_pointee(pm, element);
        pm->tasks = behind ? TASKS_TABLE : TASKS_ARRAY;
        pm->task = behind ? behind : element;
        pm->stride = element->size;
        pm->count = t->count;
        if (!pm->stride || !pm->count)
            return wrong_task(pm, "array", "has no elements");
    } else if (profile_has(pm, KEY_FIRST)) {
        pm->tasks = TASKS_LIST;
        pm->task = profile_pointee(pm, pm->access[KEY_FIRST].type);
        if (!pm->task)
            return wrong_task(pm, "first", "is no pointer to a task");
        TRY(profile_compile_tree(pm));
    }
    return NULL;
}

/* Was it compiled with the tasks, or failed there? */
static bool is_elements(const struct profile_model *pm, enum profile_key key)
{
    return pm->dwarf && pm->task && (key == KEY_THREADS || key == KEY_CHILDREN);
}

struct oscope_error *profile_compile(struct profile_model *pm)
{
    TRY(check_names(pm));
    TRY(profile_keep(pm, compile_tasks(pm)));
    if (pm->dwarf)
        TRY(profile_keep(pm, profile_compile_threads(pm)));
    for (unsigned key = 0; key < PROFILE_KEYS; key++)
        if (!profile_has(pm, key) && !is_elements(pm, key))
            TRY(profile_keep(pm, compile_key(pm, key)));
    TRY(profile_keep(pm, profile_compile_frame(pm)));
    TRY(profile_compile_states(pm));
    return profile_keep(pm, profile_calls(pm));
}

/* ---- using it ---- */

struct oscope_error *profile_need(const struct profile_model *pm, enum profile_key key,
                                  const char *what)
{
    if (profile_has(pm, key))
        return NULL;
    if (!pm->text.entries.len)
        return error_hint(error_new(OSCOPE_E_UNSUPPORTED,
                                    "%s: no profile tells how this kernel keeps them", what),
                          "oscope profile new --vmlinux FILE proposes one; oscope help profile");
    return error_hint(error_new(OSCOPE_E_UNSUPPORTED, "%s: profile %s does not say %s", what,
                                pm->name, profile_key_name(key)),
                      "oscope help profile");
}

struct oscope_error *profile_once(struct profile_model *pm, const char *text, uint64_t *out)
{
    const struct access_scope scope = {
        .types = pm->dwarf, .symtab = pm->base.symtab, .arch = pm->base.arch};
    const struct access_env env = {.vs = &pm->base.kernel};
    struct access a;

    TRY(access_compile(&scope, text, ACCESS_NUMBER, &a));
    enum access_status s = access_eval(&a, &env, out);
    return s == ACCESS_OK ? NULL
                          : error_new(OSCOPE_E_FAULT, "'%s': %s", text, access_status_text(s));
}

bool profile_number(struct profile_model *pm, enum profile_key key, uint64_t task, uint64_t *out)
{
    const struct access_env env = {.vs = &pm->base.kernel, .task = task};

    *out = 0;
    return profile_has(pm, key) && access_eval(&pm->access[key], &env, out) == ACCESS_OK;
}
