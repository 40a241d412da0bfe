/* SPDX-License-Identifier: MIT */
/*
 * The system calls that a profile names. [syscall] names = TYPE [PREFIX]: the enumerators of an
 * enum, without their prefix; or macros PREFIX. [syscalls]: a line for each call,
 *
 *     NUMBER = NAME(ARGUMENT[:KIND] …)
 *
 * with the kinds of arch/syscalls.c: i int, u unsigned, s string, d data of as many bytes as the
 * next argument says, none: address or flags. NUMBER may be an enumerator or a macro. Without
 * parentheses nothing is known of the arguments.
 */
#include "os/profile/callevents.h"
#include "os/profile/profile.h"

#include "os/trap_names.h"
#include "os/words.h"

#include <oscope/events.h>

#include <ctype.h>
#include <stdio.h>

static bool is_name(const char *s, size_t n, size_t room)
{
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)s[i]) && s[i] != '_')
            return false;
    return n && n < room && !isdigit((unsigned char)s[0]);
}

static struct oscope_error *add_call(struct profile_model *pm, int64_t number, const char *name,
                                     size_t n, const struct arch_syscall_args *args)
{
    struct profile_call *c = NULL;

    if (number < 0 || number >= CALL_NUMBERS)
        return error_new(OSCOPE_E_USAGE, "system calls have numbers from 0 to %d, not %lld",
                         CALL_NUMBERS - 1, (long long)number);
    for (size_t i = 0; i < pm->calls.len; i++) {
        struct profile_call *other = &pm->calls.data[i];
        bool same = strlen(other->name) == n && !memcmp(other->name, name, n);
        if (other->number == number)
            c = other;
        else if (same)
            return error_new(OSCOPE_E_USAGE, "call %u has the name '%s', too", other->number,
                             other->name);
    }
    if (!c && !vec_push(&pm->calls, (struct profile_call){0}))
        return error_nomem();
    if (!c)
        c = &pm->calls.data[pm->calls.len - 1];
    *c = (struct profile_call){.number = (uint16_t)number, .args = *args};
    str_copy(c->name, MIN(n + 1, sizeof c->name), name);
    return NULL;
}

/* ---- arguments ---- */

static bool kind_of(char letter, enum arch_arg_kind *out)
{
    static const struct {
        char letter;
        enum arch_arg_kind kind;
    } kinds[] = {
        {'i', ARCH_ARG_INT}, {'u', ARCH_ARG_UINT}, {'s', ARCH_ARG_TEXT}, {'d', ARCH_ARG_DATA}};

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (kinds[i].letter == letter) {
            *out = kinds[i].kind;
            return true;
        }
    return false;
}

/* One of them, n bytes at word. */
static struct oscope_error *add_argument(const char *word, size_t n, struct arch_syscall_args *out)
{
    const char *colon = memchr(word, ':', n);
    size_t name = colon ? (size_t)(colon - word) : n, room = sizeof out->args[0].name;
    enum arch_arg_kind kind = ARCH_ARG_HEX;

    if (!is_name(word, name, room))
        return error_new(OSCOPE_E_USAGE, "'%.*s' is no name of an argument", (int)MIN(n, 40UL),
                         word);
    if (colon && (name + 2 != n || !kind_of(word[n - 1], &kind)))
        return error_new(OSCOPE_E_USAGE, "'%.*s': the kind of an argument is i, u, s or d",
                         (int)MIN(n, 40UL), word);
    if (out->n == ARCH_SYSCALL_ARGS)
        return error_new(OSCOPE_E_USAGE, "more than %d arguments", ARCH_SYSCALL_ARGS);
    for (unsigned i = 0; i < out->n; i++)
        if (strlen(out->args[i].name) == name && !memcmp(out->args[i].name, word, name))
            return error_new(OSCOPE_E_USAGE, "two arguments are called '%s'", out->args[i].name);
    if (name == 3 && !memcmp(word, "tid", 3))
        return error_new(OSCOPE_E_USAGE, "'tid' is the caller's thread id: name it otherwise");
    str_copy(out->args[out->n].name, name + 1, word);
    out->args[out->n++].kind = kind;
    return NULL;
}

static struct oscope_error *compile_call(struct profile_model *pm, const struct profile_entry *e)
{
    struct arch_syscall_args args = {0};
    const char *open = strchr(e->value, '(');
    size_t name = open ? (size_t)(open - e->value) : strlen(e->value), n;
    char *end;
    int64_t number = strtoll(e->key, &end, 0);

    if (*end && !types_constant(pm->dwarf, e->key, &number))
        return error_new(OSCOPE_E_NOT_FOUND, "no number, and no enumerator or macro of that name");
    if (!is_name(e->value, name, sizeof pm->calls.data->name))
        return error_new(OSCOPE_E_USAGE, "'NAME(ARGUMENT:KIND …)' is expected");
    if (!open) {
        arch_syscall_args("unknown", &args);
        return add_call(pm, number, e->value, name, &args);
    }
    const char *close = strchr(open, ')');
    if (!close || close[1])
        return error_new(OSCOPE_E_USAGE, "'%s' must end with its only ')'", e->value);
    for (const char *p = open + 1, *word; p < close && (word = profile_word(&p, &n));) {
        if (word + n > close)
            n = (size_t)(close - word);
        if (n)
            TRY(add_argument(word, n, &args));
    }
    return add_call(pm, number, e->value, name, &args);
}

/* ---- names of macros ---- */

struct macro_names {
    struct profile_model *pm;
    size_t skip; /* bytes of the prefix */
    bool plain;  /* those that are plain numbers; else those that stand for another macro */
    struct oscope_error *err;
};

enum { MACROS_BELOW = 4096 };

/* What begins so may be something else: a mask, how many there are. Of two with one number the
 * plain one counts, then the first. */
static void add_macro(void *arg, const char *name, int64_t value, bool plain)
{
    struct macro_names *m = arg;
    struct arch_syscall_args args;

    name += m->skip;
    if (m->err || plain != m->plain || value < 0 || value >= MACROS_BELOW ||
        !is_name(name, strlen(name), sizeof m->pm->calls.data->name))
        return;
    vec_each (struct profile_call, c, &m->pm->calls)
        if (c->number == value)
            return;
    arch_syscall_args("unknown", &args);
    m->err = add_call(m->pm, value, name, strlen(name), &args);
}

static struct oscope_error *add_macros(struct profile_model *pm, const char *prefix)
{
    struct macro_names m = {.pm = pm, .skip = strlen(prefix)};
    size_t before = pm->calls.len;

    for (int pass = 0; pass < 2; pass++) {
        m.plain = !pass;
        if (!types_each_macro(pm->dwarf, prefix, add_macro, &m))
            return error_hint(
                error_new(OSCOPE_E_NOT_FOUND, "the DWARF of '%s' has no macros", pm->vmlinux),
                "build the kernel with -g3 (clang: -gdwarf-4 -fdebug-macro)");
    }
    if (m.err || pm->calls.len > before)
        return m.err;
    return error_new(OSCOPE_E_NOT_FOUND, "no macro that is a system call's number begins with '%s'",
                     prefix);
}

/* ---- names of an enum ---- */

static struct oscope_error *add_names(struct profile_model *pm, const struct profile_entry *e)
{
    struct arch_syscall_args args;
    char type[128] = "enum ";
    const char *p = e->value, *word;
    size_t n, count, skip = 0, before = pm->calls.len;

    if (!(word = profile_word(&p, &n)) || n > 100)
        return error_new(OSCOPE_E_USAGE, "'ENUM [PREFIX]' or 'macros PREFIX' is expected");
    str_copy(type + 5, n + 1, word);
    const char *prefix = profile_word(&p, &skip);
    if (!strcmp(type + 5, "macros")) {
        char begins[64];
        if (!prefix || skip >= sizeof begins)
            return error_new(OSCOPE_E_USAGE, "'macros PREFIX' is expected");
        str_copy(begins, skip + 1, prefix);
        return add_macros(pm, begins);
    }
    const struct type *t = types_find(pm->dwarf, type);
    if (!t)
        return error_new(OSCOPE_E_NOT_FOUND, "no '%s' in the kernel's %s", type, pm->dwarf->source);
    arch_syscall_args("unknown", &args);
    const struct type_value *v = type_values(type_strip(t), &count);
    for (size_t i = 0; i < count; i++) {
        const char *name = v[i].name;
        if (prefix && (strncmp(name, prefix, skip) != 0 || !name[skip]))
            continue;
        name += prefix ? skip : 0;
        if (is_name(name, strlen(name), sizeof pm->calls.data->name))
            TRY(add_call(pm, v[i].value, name, strlen(name), &args));
    }
    return pm->calls.len > before
               ? NULL
               : error_new(OSCOPE_E_NOT_FOUND, "%s has no such enumerator", type);
}

/* [irqs] NUMBER = NAME: devices' interrupts. */
static struct oscope_error *check_irq(const struct profile_entry *e, unsigned n)
{
    char *end;
    unsigned long long number = strtoull(e->key, &end, 0);

    if (*end || !isdigit((unsigned char)e->key[0]) || number > UINT16_MAX)
        return error_new(OSCOPE_E_USAGE, "no number of an interrupt");
    if (n > PROFILE_IRQS_MAX)
        return error_new(OSCOPE_E_USAGE, "more than %d interrupts with names", PROFILE_IRQS_MAX);
    return NULL;
}

/* [traps] NUMBER = KIND [NAME]: what traps are for, as os/trap_names.h has it. */
static struct oscope_error *add_trap(struct profile_model *pm, const struct profile_entry *e)
{
    struct trap_name trap;
    char *end, *text;
    int64_t number = strtoll(e->key, &end, 0);

    if (*end && !types_constant(pm->dwarf, e->key, &number))
        return error_new(OSCOPE_E_NOT_FOUND, "no number, and no enumerator or macro of that name");
    if (number < 0 || number > UINT16_MAX)
        return error_new(OSCOPE_E_USAGE, "no number of a trap");
    if (!trap_names_parse(e->value, strlen(e->value), &trap))
        return error_new(OSCOPE_E_USAGE,
                         "'%s': timer, external, ipi, interrupt, fault, syscall or other is "
                         "expected, and a name or none",
                         e->value);
    if (asprintf(&text, "%s%s%u %s", pm->trap_names ? pm->trap_names : "",
                 pm->trap_names ? "; " : "", (unsigned)number, e->value) < 0)
        return error_nomem();
    free(pm->trap_names);
    pm->trap_names = text;
    return NULL;
}

struct oscope_error *profile_calls(struct profile_model *pm)
{
    const struct profile_entry *names = profile_text_find(&pm->text, "syscall", "names");
    unsigned irqs = 0;

    if (names && !pm->dwarf)
        return profile_at(&pm->text, names,
                          error_new(OSCOPE_E_NOT_FOUND, "%s", pm->no_dwarf->message));
    if (names)
        TRY(profile_at(&pm->text, names, add_names(pm, names)));
    vec_each (struct profile_entry, e, &pm->text.entries) {
        if (!strcmp(e->section, "syscalls"))
            TRY(profile_at(&pm->text, e, compile_call(pm, e)));
        if (!strcmp(e->section, "irqs"))
            TRY(profile_at(&pm->text, e, check_irq(e, ++irqs)));
        if (!strcmp(e->section, "traps"))
            TRY(profile_at(&pm->text, e, add_trap(pm, e)));
    }
    return NULL;
}

/* ---- events ---- */

void profile_call_words(struct oscope_event *e, struct os_words *w)
{
    static const char entry[] = "syscall_entry_";

    if (strncmp(e->name, entry, sizeof entry - 1) != 0)
        return;
    e->final = !arch_syscall_returns(e->name + sizeof entry - 1);
    for (size_t i = 1; i < e->nfields; i++) {
        struct oscope_field *f = &e->fields[i];
        if (f->kind == OSCOPE_FIELD_TEXT)
            f->meaning = words_string(w, f->value.text, &f->cut);
    }
}
