/* SPDX-License-Identifier: MIT */
/*
 * What a trap from user mode saved of a task ([task] frame): its registers, and the frames of the
 * program itself, by its frame pointers. Registers are the members of the trap frame's type that
 * are called like one; of Rust's, the elements of an array x.
 *
 * Everything there is the program's: a frame counts if it lies above the one before it and returns
 * to what user mode may execute. So walks end.
 */
#include "os/profile/user.h"

#include "base/util.h"

#include <inttypes.h>
#include <stdio.h>

enum { FRAMES_MAX = 32, TEXT_BYTES = 1400 };

/* ---- the trap frame's type ---- */

static const char *const pc_names[] = {"pc", "epc", "sepc", "eip", "rip", "elr"};
static const char *const xabi[32] = {"zero", "ra", "sp",  "gp",  "tp", "t0", "t1", "t2",
                                     "s0",   "s1", "a0",  "a1",  "a2", "a3", "a4", "a5",
                                     "a6",   "a7", "s2",  "s3",  "s4", "s5", "s6", "s7",
                                     "s8",   "s9", "s10", "s11", "t3", "t4", "t5", "t6"};

static bool is_pc(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(pc_names); i++)
        if (!strcmp(name, pc_names[i]))
            return true;
    return false;
}

static bool is_register(const struct arch *a, const char *name)
{
    for (const struct arch_alias *alias = a->aliases; alias && alias->name; alias++)
        if (!strcmp(alias->name, name))
            return true;
    for (const char *const *r = a->registers; r && *r; r++)
        if (!strcmp(*r, name))
            return true;
    return false;
}

static void add(struct profile_frame *f, const char *name, uint64_t offset, uint64_t size)
{
    if (f->n == PROFILE_FRAME_MAX || (size != 4 && size != 8))
        return;
    struct profile_saved *s = &f->regs[f->n++];
    *s = (struct profile_saved){.offset = offset, .size = (uint8_t)size};
    str_copy(s->name, sizeof s->name, name);
}

static void add_member(struct profile_model *pm, const struct type_member *m)
{
    const struct type *t = type_strip(types_define(pm->dwarf, m->type));
    struct profile_frame *f = &pm->frame;

    if (m->bit_size || m->bit_offset % 8)
        return;
    if (t->kind == TYPE_ARRAY && t->count == ARRAY_SIZE(xabi) && !strcmp(m->name, "x")) {
        uint64_t size = type_strip(type_ref(t))->size;
        for (unsigned i = 1; i < ARRAY_SIZE(xabi); i++)
            add(f, xabi[i], m->bit_offset / 8 + i * size, size);
    } else if (t->kind == TYPE_INT && (is_pc(m->name) || is_register(pm->base.arch, m->name))) {
        add(f, m->name, m->bit_offset / 8, t->size);
    }
}

struct oscope_error *profile_compile_frame(struct profile_model *pm)
{
    enum profile_key key = profile_has(pm, KEY_THREAD_FRAME) ? KEY_THREAD_FRAME : KEY_FRAME;
    const struct access *a = &pm->access[key];
    size_t n = 0;

    if (!a->n)
        return NULL;
    const struct type *t = a->type ? type_strip(types_define(pm->dwarf, a->type)) : &type_void;
    if (t->kind == TYPE_POINTER)
        t = type_strip(types_define(pm->dwarf, type_ref(t)));
    const struct type_member *m = t->kind == TYPE_STRUCT ? type_members(t, &n) : NULL;
    for (size_t i = 0; i < n; i++)
        add_member(pm, &m[i]);
    for (size_t i = 0; i < pm->frame.n; i++)
        if (is_pc(pm->frame.regs[i].name))
            return NULL;
    pm->frame.n = 0;
    return profile_at(&pm->text, profile_entry_of(pm, key),
                      error_new(OSCOPE_E_USAGE,
                                "'%s' is no pointer to a structure that has a program counter",
                                profile_value(pm, key)));
}

/* ---- of a task ---- */

static const char *spelled(const struct arch *a, const char *reg)
{
    for (const struct arch_alias *alias = a->aliases; alias && alias->name; alias++)
        if (!strcmp(alias->reg, reg))
            return alias->name;
    return reg;
}

static void take(const struct arch *a, struct profile_user *u, const char *name, uint64_t v)
{
    if (is_pc(name))
        u->pc = v;
    else if (!strcmp(name, spelled(a, a->sp)))
        u->sp = v;
    else if (!strcmp(name, spelled(a, a->fp)))
        u->fp = v;
    else if (a->link && !strcmp(name, spelled(a, a->link)))
        u->link = v;
}

bool profile_user(struct profile_model *pm, const struct oscope_task *task, struct arena *strings,
                  struct profile_user *out)
{
    char text[TEXT_BYTES] = "";
    size_t at = 0;
    uint64_t frame, v;

    *out = (struct profile_user){.sp = OSCOPE_UNKNOWN};
    if (!pm->frame.n || !profile_row_number(pm, task, KEY_FRAME, &frame) || !frame)
        return profile_row_number(pm, task, KEY_USER_PC, &out->pc);
    for (size_t i = 0; i < pm->frame.n; i++) {
        const struct profile_saved *s = &pm->frame.regs[i];
        if (!vspace_uint(&pm->base.kernel, frame + s->offset, s->size, &v))
            return profile_row_number(pm, task, KEY_USER_PC, &out->pc);
        take(pm->base.arch, out, s->name, v);
        if (at < sizeof text)
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%s=0x%" PRIx64, i ? " " : "",
                                   s->name, v);
    }
    out->text = arena_strdup(strings, text);
    if (profile_has(pm, KEY_USER_PC))
        profile_row_number(pm, task, KEY_USER_PC, &out->pc);
    return true;
}

/* ---- its program's frames ---- */

static bool executes(struct vspace *vs, uint64_t va)
{
    struct mapping leaf;

    return va && paging_translate(&vs->low, vs->target, va, &leaf) &&
           (leaf.flags & (PTE_U | PTE_X)) == (PTE_U | PTE_X);
}

/* The frame at fp: the one before it and its return address; false: they can't be read. */
static bool read_frame(const struct arch *a, struct vspace *vs, uint64_t fp, uint64_t *prev,
                       uint64_t *ret)
{
    return fp % a->ptr_size == 0 && vspace_addr(vs, fp + (uint64_t)(int64_t)a->fp_prev, prev) &&
           vspace_addr(vs, fp + (uint64_t)(int64_t)a->fp_ret, ret);
}

/*
 * The innermost function's caller, by the register that has a return address. A function that calls
 * none may have saved the frame pointer alone, where others have the return address. One without a
 * frame has saved nothing; but one that has called another has in the register what that
 * returned to, so this is a guess.
 */
static uint64_t link_frame(const struct arch *a, struct vspace *vs, const struct profile_user *u,
                           profile_user_fn *fn, void *arg)
{
    uint64_t prev = 0, ret = 0;
    bool there = read_frame(a, vs, u->fp, &prev, &ret);

    if (!u->link || u->link == ret || !executes(vs, u->link))
        return u->fp;
    bool leaf = there && ret > u->fp && !executes(vs, ret) && read_frame(a, vs, ret, &prev, &prev);
    fn(arg, u->link, leaf ? u->fp : OSCOPE_UNKNOWN, "link", !leaf);
    return leaf ? ret : u->fp;
}

void profile_user_walk(struct profile_model *pm, const struct oscope_task *task,
                       const struct profile_user *u, profile_user_fn *fn, void *arg)
{
    const struct arch *a = pm->base.arch;
    struct vspace vs;
    struct oscope_error *err = profile_task_vspace(&pm->base, task, &vs);
    uint64_t prev, ret, end;

    if (err) {
        oscope_error_free(err);
        return;
    }
    uint64_t fp = link_frame(a, &vs, u, fn, arg);
    for (int i = 0; i < FRAMES_MAX && fp && read_frame(a, &vs, fp, &prev, &ret); i++) {
        if (!executes(&vs, ret))
            return;
        end = fp + (uint64_t)(int64_t)(MAX(a->fp_prev, a->fp_ret) + (int)a->ptr_size);
        fn(arg, ret, end, "fp", false);
        if (prev <= fp)
            return;
        fp = prev;
    }
}
