/* SPDX-License-Identifier: MIT */
/*
 * Sections of a proposed profile about locks and pages: functions by the names that kernels give
 * them, whose prototypes say that they are what their names say. See propose.h.
 */
#include "os/profile/propose.h"

#include "symbols/dwarf.h"

struct pair {
    const char *take, *back;
    int score;
};

static const struct pair spin_pairs[] = {{"acquire", "release", 11},
                                         {"spin_lock", "spin_unlock", 12},
                                         {"spinlock_acquire", "spinlock_release", 12},
                                         {"spin_acquire", "spin_release", 12},
                                         {"acquire_lock", "release_lock", 9},
                                         {"lock_acquire", "lock_release", 8},
                                         {"acquire_spinlock", "release_spinlock", 12},
                                         {0}};
static const struct pair sleep_pairs[] = {
    {"acquiresleep", "releasesleep", 12},           {"sleep_lock", "sleep_unlock", 12},
    {"sleeplock_acquire", "sleeplock_release", 12}, {"mutex_lock", "mutex_unlock", 9},
    {"mutex_acquire", "mutex_release", 9},          {0}};
static const struct pair page_pairs[] = {{"kalloc", "kfree", 11},
                                         {"page_alloc", "page_free", 12},
                                         {"alloc_page", "free_page", 12},
                                         {"palloc", "pfree", 9},
                                         {"frame_alloc", "frame_free", 10},
                                         {"alloc_frame", "free_frame", 10},
                                         {"get_free_page", "free_page", 11},
                                         {0}};

/* Where functions have their first argument when they are entered, and their result when they
 * return, by the architecture's calling convention. */
static const struct convention {
    const char *arch, *argument, *result;
} conventions[] = {
    {"riscv64", "$a0", "$a0"},
    {"x86_64", "$rdi", "$rax"},
    {"aarch64", "$x0", "$x0"},
    {"i386", "*(unsigned int *)($esp + 4)", "$eax"},
};

static const struct convention *convention(const struct proposal *p)
{
    for (size_t i = 0; i < ARRAY_SIZE(conventions); i++)
        if (!strcmp(conventions[i].arch, p->pm->base.arch->name))
            return &conventions[i];
    return NULL;
}

static bool prototypes(const struct proposal *p, const struct pair *pair,
                       struct dwarf_prototype *take, struct dwarf_prototype *back)
{
    struct symbol sym;

    return symtab_find(p->pm->base.symtab, pair->take, &sym) &&
           symtab_find(p->pm->base.symtab, pair->back, &sym) &&
           dwarf_function(p->pm->dwarf, pair->take, take) &&
           dwarf_function(p->pm->dwarf, pair->back, back);
}

/* ---- locks ---- */

/* Both take a pointer to the same structure. */
static const struct type *lock_of(const struct proposal *p, const struct dwarf_prototype *take,
                                  const struct dwarf_prototype *back)
{
    struct types *ts = p->pm->dwarf;
    const struct type *lock = take->n ? type_pointee(ts, take->parameters[0]) : NULL;
    const struct type *other = back->n ? type_pointee(ts, back->parameters[0]) : NULL;

    return lock && other && type_is_struct(lock) && type_same(lock, other) ? lock : NULL;
}

/* Its members are those of `task` in this expression. */
static void put_lock_name(struct proposal *p, const struct type *lock)
{
    static const struct word words[] = {{"name", 12}, {"lockname", 12}, {"desc", 7}, {0}};
    const struct type *task = p->tasks.type;
    struct found name = {0};

    find_member(p->pm->dwarf, lock, 0, WANTS_NAME, words, &name);
    p->tasks.type = lock;
    proposal_put_found(p, "name", &name, true);
    p->tasks.type = task;
}

static void put_locks(struct proposal *p, const char *section, const struct pair *pairs,
                      const struct convention *c)
{
    for (; pairs->take; pairs++) {
        struct dwarf_prototype take, back;
        char text[FOUND_TEXT], type[96];
        const struct type *lock =
            prototypes(p, pairs, &take, &back) ? lock_of(p, &take, &back) : NULL;
        if (!lock)
            continue;
        fprintf(p->out, "\n[%s]\n", section);
        proposal_put(p, "acquire", pairs->take, NULL, pairs->score, false);
        proposal_put(p, "release", pairs->back, NULL, pairs->score, false);
        snprintf(text, sizeof text, "(%s *)%s", type_format(type_strip(lock), type, sizeof type),
                 c->argument);
        proposal_put(p, "lock", text, NULL, pairs->score, false);
        put_lock_name(p, lock);
        const struct type *result = type_strip(take.result);
        if (result->kind == TYPE_INT && result->is_bool)
            proposal_put(p, "result", c->result, NULL, LIKELY, false);
        else if (result->kind != TYPE_VOID)
            fprintf(p->out, "# result = %s  # if it returns 0 where it has not got the lock\n",
                    c->result);
        return;
    }
}

/* ---- pages ---- */

static void put_pages(struct proposal *p, const struct convention *c)
{
    for (const struct pair *pair = page_pairs; pair->take; pair++) {
        struct dwarf_prototype take, back;
        if (!prototypes(p, pair, &take, &back) || !back.n ||
            !type_is(take.result, WANTS_POINTER | WANTS_WORD) ||
            !type_is(back.parameters[0], WANTS_POINTER | WANTS_WORD))
            continue;
        fprintf(p->out, "\n[page]\n");
        proposal_put(p, "alloc", pair->take, NULL, pair->score, false);
        proposal_put(p, "result", c->result, NULL, pair->score, false);
        proposal_put(p, "free", pair->back, NULL, pair->score, false);
        proposal_put(p, "address", c->argument, NULL, pair->score, false);
        return;
    }
}

void proposal_locks(struct proposal *p)
{
    const struct convention *c = convention(p);

    if (!c)
        return;
    put_locks(p, "spinlock", spin_pairs, c);
    put_locks(p, "sleeplock", sleep_pairs, c);
    put_pages(p, c);
}
