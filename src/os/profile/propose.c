/* SPDX-License-Identifier: MIT */
/*
 * `oscope profile new`: the text of a proposed profile. Each expression is compiled before it is
 * written; one that is wrong becomes a comment. See propose.h.
 */
#include <oscope/profile.h>

#include "os/profile/propose.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- lines ---- */

static void put_others(FILE *out, const struct found *f)
{
    for (int i = 0; f && i < FOUND_OTHERS && f->other_scores[i] > 0; i++)
        fprintf(out, "%s%s", i ? ", " : "; also considered: ", f->others[i]);
}

static const char *how_sure(int score)
{
    return score >= SURE ? "sure" : score >= LIKELY ? "likely" : "a guess";
}

/* key = expression, once it is known to compile. f: what was considered; task: may it use one? */
bool proposal_put(struct proposal *p, const char *key, const char *text, const struct found *f,
                  int score, bool task)
{
    const struct access_scope scope = {.types = p->pm->dwarf,
                                       .symtab = p->pm->base.symtab,
                                       .arch = p->pm->base.arch,
                                       .task = task ? p->tasks.type : NULL,
                                       .cpu = !task,
                                       .registers = !task};
    struct access a;
    struct oscope_error *err = access_compile(&scope, text, ACCESS_OBJECT, &a);

    if (err) {
        oscope_error_free(err);
        err = access_compile(&scope, text, ACCESS_NUMBER, &a);
    }
    fprintf(p->out, "%s%s = %s  # %s", err ? "# " : "", key, text,
            err ? err->message : how_sure(score));
    put_others(p->out, f);
    fputc('\n', p->out);
    bool good = !err;
    oscope_error_free(err);
    return good;
}

void proposal_put_found(struct proposal *p, const char *key, const struct found *f, bool task)
{
    if (f->score)
        proposal_put(p, key, f->text, f, f->score, task);
}

/* What yields a physical address: pointers and arrays are the kernel's addresses. */
static void physical(const struct proposal *p, const struct found *f, char out[FOUND_TEXT])
{
    const char *last = strrchr(f->text, '.');

    last = last ? last + 1 : f->text;
    if (strcasestr(last, "satp")) /* bits 43:0 are the number of the page */
        snprintf(out, FOUND_TEXT, "(%.*s << 20) >> 8", FOUND_TEXT - 16, f->text);
    else if (p->delta && type_is(f->type, WANTS_POINTER | WANTS_ARRAY))
        snprintf(out, FOUND_TEXT, "(%s)%.*s - 0x%" PRIx64, p->word, FOUND_TEXT - 64, f->text,
                 p->delta);
    else if (type_is(f->type, WANTS_ARRAY))
        snprintf(out, FOUND_TEXT, "&%.*s", FOUND_TEXT - 2, f->text);
    else
        snprintf(out, FOUND_TEXT, "%s", f->text);
}

void proposal_put_physical(struct proposal *p, const char *key, const struct found *f, bool task)
{
    char text[FOUND_TEXT];

    if (!f->score)
        return;
    physical(p, f, text);
    proposal_put(p, key, text, f, f->score, task);
}

/* ---- [task] ---- */

/* Members that hold registers, and of what: a trap's have more than a switch's. */
static const char *const pc_names[] = {"ra", "eip", "rip", "pc", "lr", "x30", NULL};
static const char *const sp_names[] = {"sp", "esp", "rsp", NULL};
static const char *const fp_names[] = {"s0", "fp", "ebp", "rbp", "x29", "s[0]", NULL};
static const char *const user_pc_names[] = {"sepc", "epc", "eip", "rip", "elr", "pc", NULL};
static const char *const trap_marks[] = {"sepc", "epc", "cs", "eflags", "sstatus", "elr", NULL};

static const char *first_member(const struct type *t, const char *const *names)
{
    struct type_place place;

    for (; *names; names++)
        if (type_member(t, *names, &place))
            return *names;
    return NULL;
}

struct contexts {
    struct types *ts;
    struct found saved, user;
};

static void try_context(const struct member *m, void *arg)
{
    static const struct word saved_words[] = {{"context", 12}, {"ctx", 11}, {"switch", 8}, {0}};
    static const struct word user_words[] = {{"trapframe", 12}, {"tf", 11},         {"frame", 10},
                                             {"regs", 8},       {"usercontext", 9}, {0}};
    struct contexts *c = arg;
    const struct type *to = type_pointee(c->ts, m->type), *t = type_strip(to ? to : m->type);

    if (!type_is_struct(t))
        return;
    bool trap = first_member(t, trap_marks) != NULL;
    if (!trap && first_member(t, pc_names))
        found_try(&c->saved, m->path, m->type, 2 + word_score(m->name, saved_words));
    if (trap && first_member(t, user_pc_names))
        found_try(&c->user, m->path, m->type, 2 + word_score(m->name, user_words));
}

static void put_register(struct proposal *p, const char *key, const struct found *f,
                         const char *const *names)
{
    const struct type *to = type_pointee(p->pm->dwarf, f->type);
    const char *name = first_member(type_strip(to ? to : f->type), names);
    char text[FOUND_TEXT + 16];

    if (name && snprintf(text, sizeof text, "%s.%s", f->text, name) < FOUND_TEXT)
        proposal_put(p, key, text, NULL, f->score, true);
    else if (to && names == sp_names) { /* what was pushed lies there: the stack begins above it */
        snprintf(text, sizeof text, "%s + 1", f->text);
        proposal_put(p, key, text, NULL, f->score, true);
    }
}

static void put_contexts(struct proposal *p)
{
    struct contexts c = {.ts = p->pm->dwarf};

    each_member(c.ts, p->tasks.type, 0, try_context, &c);
    if (c.saved.score) {
        put_register(p, "saved-pc", &c.saved, pc_names);
        put_register(p, "saved-sp", &c.saved, sp_names);
        put_register(p, "saved-fp", &c.saved, fp_names);
    } else {
        fprintf(p->out, "# saved-pc, saved-sp, saved-fp: no saved registers were found\n");
    }
    if (c.user.score && type_pointee(p->pm->dwarf, c.user.type))
        proposal_put(p, "frame", c.user.text, NULL, c.user.score, true);
    else if (c.user.score)
        put_register(p, "user-pc", &c.user, user_pc_names);
}

static void put_stack(struct proposal *p)
{
    static const struct {
        const char *name, *text;
    } sizes[] = {{"KSTACK_SIZE", "KSTACK_SIZE"},
                 {"KSTACKSIZE", "KSTACKSIZE"},
                 {"STACK_SIZE", "STACK_SIZE"},
                 {"KERNEL_STACK_SIZE", "KERNEL_STACK_SIZE"},
                 {"KSTACK_PAGES", "KSTACK_PAGES << 12"}};
    int64_t value;

    if (!p->tasks.stack.score)
        return;
    proposal_put_found(p, "stack", &p->tasks.stack, true);
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
        if (types_constant(p->pm->dwarf, sizes[i].name, &value)) {
            proposal_put(p, "stack-size", sizes[i].text, NULL, LIKELY, true);
            return;
        }
    proposal_put(p, "stack-size", "4096", NULL, 1, true);
}

static void put_tasks(struct proposal *p)
{
    struct tasks_found *t = &p->tasks;
    struct found parent = t->parent;
    char type[96];

    fprintf(p->out, "\n[task]  # %s\n", type_format(type_strip(t->type), type, sizeof type));
    proposal_put_found(p, t->how == TASKS_LIST ? "first" : "array", &t->where, false);
    if (t->how == TASKS_LIST)
        proposal_put(p, "next", t->next, NULL, t->where.score, true);
    if (t->end[0])
        proposal_put(p, "end", t->end, NULL, t->where.score, false);
    proposal_put_found(p, "id", &t->id, true);
    if (parent.score && type_is(parent.type, WANTS_POINTER))
        snprintf(parent.text, sizeof parent.text, "%.*s.%.*s", FOUND_TEXT / 2 - 2, t->parent.text,
                 FOUND_TEXT / 2 - 2, t->id.text);
    proposal_put_found(p, "parent", &parent, true);
    proposal_put_found(p, "name", &t->name, true);
    proposal_put_found(p, "state", &t->state, true);
    proposal_put_found(p, "size", &t->size, true);
    proposal_put_physical(p, "pagetable", &t->pagetable, true);
    put_stack(p);
    put_contexts(p);
}

/* ---- [states] ---- */

/* The first that an enumerator contains tells what it means. */
static const struct {
    const char *word, *letter;
} meanings[] = {
    {"unused", "none"},
    {"free", "none"},
    {"empty", "none"},
    {"none", "none"},
    {"uninit", "I"},
    {"runnable", "R"},
    {"ready", "R"},
    {"zombie", "Z"},
    {"dead", "Z"},
    {"exit", "Z"},
    {"terminat", "Z"},
    {"dying", "Z"},
    {"sleep", "S"},
    {"block", "S"},
    {"wait", "S"},
    {"suspend", "S"},
    {"stop", "T"},
    {"running", "R running"},
    {"current", "R running"},
    {"embryo", "I"},
    {"new", "I"},
    {"used", "I"},
    {"init", "I"},
    {"creat", "I"},
    {"alloc", "I"},
    {"run", "R"},
};

const char *proposal_meaning(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
        if (strcasestr(name, meanings[i].word))
            return meanings[i].letter;
    return NULL;
}

static void put_states(struct proposal *p)
{
    const struct type *t = p->tasks.state.type ? type_strip(p->tasks.state.type) : NULL;
    size_t n = 0;

    fprintf(p->out, "\n[states]\n");
    if (t && t->kind == TYPE_INT && proposal_states(p))
        return;
    if (!t || t->kind != TYPE_ENUM) {
        fprintf(p->out, "# %s: NUMBER = a letter [running], or none\n",
                t ? "the state is a number without names" : "no state was found");
        return;
    }
    const struct type_value *v = type_values(t, &n);
    for (size_t i = 0; i < n; i++) {
        const char *means = proposal_meaning(v[i].name);
        if (means)
            fprintf(p->out, "%s = %s\n", v[i].name, means);
        else
            fprintf(p->out, "%s = %c  # a guess\n", v[i].name, v[i].name[0]);
    }
}

/* ---- the rest ---- */

/* Where all letters of a variable's path before the first '.' or '[' end: its own name. */
static void base_name(const char *path, char *out, size_t n)
{
    str_copy(out, MIN(n, strcspn(path, ".[ ") + 1), path);
}

/* Symbols by which this kernel is known. */
static void put_symbols(struct proposal *p, const char *const *more, size_t n)
{
    const char *paths[] = {p->tasks.where.text, p->tasks.current.text};
    struct symbol sym;
    char name[FOUND_TEXT];

    fprintf(p->out, "symbols =");
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        base_name(paths[i], name, sizeof name);
        if (name[0] && symtab_find(p->pm->base.symtab, name, &sym))
            fprintf(p->out, " %s", name);
    }
    for (size_t i = 0; i < n; i++)
        fprintf(p->out, " %s", more[i]);
    fprintf(p->out, "  # the kernel that has all of these is this one\n");
}

/* Functions by the names that kernels give them. */
static const char *const switch_names[] = {
    "swtch",          "switch_to",  "__switch_to", "context_switch",
    "switch_context", "cpu_switch", "_switch",     NULL};
static const char *const call_names[] = {"syscall",         "syscall_dispatch", "do_syscall",
                                         "syscall_handler", "trap_syscall",     NULL};
static const char *const trap_names[] = {"usertrap", "kerneltrap",  "trap", "trap_handler",
                                         "alltraps", "trap_vector", NULL};

static size_t functions(const struct proposal *p, const char *const *names, const char **out)
{
    struct symbol sym;
    size_t n = 0;

    for (; *names; names++)
        if (symtab_find(p->pm->base.symtab, *names, &sym))
            out[n++] = *names;
    return n;
}

static void put_functions(struct proposal *p)
{
    static const struct {
        const char *what;
        const char *const *names;
    } kinds[] = {{"switches tasks", switch_names},
                 {"dispatches system calls", call_names},
                 {"handles traps", trap_names}};

    fprintf(p->out, "\n# Functions that events may be taken from:\n");
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const char *found[8];
        size_t n = functions(p, kinds[i].names, found);
        fprintf(p->out, "# %s:%s", kinds[i].what, n ? "" : " none was found");
        for (size_t k = 0; k < n; k++)
            fprintf(p->out, " %s", found[k]);
        fputc('\n', p->out);
    }
}

static void put_cpu(struct proposal *p)
{
    fprintf(p->out, "\n[cpu]\n");
    if (p->tasks.current.score)
        proposal_put_found(p, "current", &p->tasks.current, false);
    else
        fprintf(p->out, "# current: no variable was found that points to the current task\n");
}

static void put_all(struct proposal *p)
{
    const char *name = strrchr(p->pm->vmlinux, '/'), *found[8];
    size_t n = functions(p, switch_names, found);

    fprintf(p->out,
            "# Proposed by `oscope profile new`. What is behind '#' says how sure that is.\n"
            "# `oscope profile check FILE` tells what each line yields in a running guest.\n\n"
            "[profile]\nname = %s\narch = %s\n",
            name ? name + 1 : p->pm->vmlinux, p->pm->base.arch->name);
    put_symbols(p, found, n);
    proposal_memory(p);
    put_tasks(p);
    put_states(p);
    put_cpu(p);
    proposal_log(p);
    proposal_calls(p);
    proposal_locks(p);
    put_functions(p);
}

/* ---- the file ---- */

/* How far above its place in RAM the image is linked, where the tasks are. */
static uint64_t image_delta(const struct proposal *p)
{
    char name[FOUND_TEXT];
    struct symbol sym;

    base_name(p->tasks.where.text, name, sizeof name);
    for (size_t i = 0; symtab_find(p->pm->base.symtab, name, &sym) && i < p->pm->nsegments; i++) {
        const struct elf_segment *s = &p->pm->segments[i];
        if (sym.addr - s->va < s->size)
            return s->va - s->pa;
    }
    return p->pm->nsegments ? p->pm->segments[0].va - p->pm->segments[0].pa : 0;
}

static const char *word_name(const struct profile_model *pm)
{
    static const char *const names[] = {"unsigned long", "unsigned int", "uint64_t", "uintptr_t",
                                        "unsigned long long"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (types_size(pm->dwarf, names[i]) == pm->base.arch->ptr_size)
            return names[i];
    return "unsigned long";
}

static struct oscope_error *write_text(struct profile_model *pm, char **text)
{
    AUTO_FREE struct proposal *p = calloc(1, sizeof *p);
    size_t n;

    if (!p)
        return error_nomem();
    p->pm = pm;
    if (!find_tasks(pm, &p->tasks))
        return error_hint(
            error_new(OSCOPE_E_NOT_FOUND,
                      "nothing in '%s' looks like tasks: an array, table or list of structures "
                      "with an id and a name or state",
                      pm->vmlinux),
            "oscope help profile says how to write one by hand");
    p->delta = image_delta(p);
    p->word = word_name(pm);
    if (!(p->out = open_memstream(text, &n)))
        return error_nomem();
    put_all(p);
    bool bad = ferror(p->out);
    if (!fclose(p->out) && !bad)
        return NULL;
    free(*text);
    *text = NULL;
    return error_nomem();
}

static struct oscope_error *propose(struct profile_model *pm, char **text)
{
    TRY(profile_guess_arch(pm));
    TRY(profile_open_files(pm, NULL));
    if (!pm->dwarf)
        return error_hint(error_new(OSCOPE_E_NOT_FOUND, "%s", pm->no_dwarf->message),
                          "build the kernel with -g");
    return write_text(pm, text);
}

struct oscope_error *oscope_profile_propose(const char *vmlinux, char **text)
{
    struct profile_model *pm = calloc(1, sizeof *pm);

    *text = NULL;
    if (!pm)
        return error_nomem();
    pm->vmlinux = strdup(vmlinux);
    struct oscope_error *err = pm->vmlinux ? propose(pm, text) : error_nomem();
    profile_close(&pm->base);
    return err;
}
