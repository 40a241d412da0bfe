/* SPDX-License-Identifier: MIT */
/*
 * Kernel stacks of a kernel that a profile describes, by frame pointers as the architecture keeps
 * them (arch->fp_prev, fp_ret). A task that does not run begins at its saved registers, one that
 * runs at those of its vCPU.
 *
 * All words are the guest's: a frame counts if it lies on the task's stack, above the one before
 * it, and returns into code of the kernel's file. So walks end. The saved registers are read again
 * afterwards: they are another's when the task ran meanwhile.
 */
#include "os/profile/user.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    FRAMES_MAX = 128,
    TRIES = 4,
    NOTES_MAX = 4,      /* why walks ended early */
    TOP_ROOM = 64,      /* bytes that a stack's outermost frame may leave above it */
    TRAP_ROOM = 512,    /* bytes that what a trap saved may take at the top of a stack */
    STACK_MAX = 1 << 24 /* of one */
};

struct walk {
    struct profile_model *pm;
    const struct oscope_task *task;
    const struct target_vcpu *vcpu; /* whose registers it began with, or NULL */
    struct os_list *list;
    const char *state;
    uint64_t lo, hi; /* the stack */
    uint64_t pc, sp, fp;
    uint32_t frames;
    bool nomem;
    char lost[160]; /* why it ended early, or "" */
};

/* ---- rows ---- */

static bool is_text(const struct profile_model *pm, uint64_t pc)
{
    for (size_t i = 0; i < pm->ncode; i++)
        if (pc - pm->code[i].va < pm->code[i].size)
            return true;
    return false;
}

static void add_frame(struct walk *w, uint64_t pc, uint64_t sp, const char *symbol,
                      const char *method)
{
    struct oscope_frame *row = os_list_add(w->list);

    if (!row) {
        w->nomem = true;
        return;
    }
    row->pid = w->task->pid;
    row->tgid = w->task->tgid;
    memcpy(row->comm, w->task->comm, sizeof row->comm);
    row->task_state = w->state;
    row->frame = w->frames++;
    row->address = pc;
    row->sp = sp;
    row->method = method;
    row->symbol = arena_strdup(&w->list->strings, symbol);
    w->nomem |= !row->symbol;
}

/* An address behind a call belongs to the function that called, even if the call ends it. */
static void add_code(struct walk *w, uint64_t pc, bool behind_call, const char *method)
{
    struct symbol sym;
    char text[256];
    uint64_t off;

    if (symtab_lookup(w->pm->base.symtab, pc - behind_call, &sym, &off))
        snprintf(text, sizeof text, "%s+0x%llx", sym.name, (unsigned long long)off + behind_call);
    else
        snprintf(text, sizeof text, "0x%llx", (unsigned long long)pc);
    add_frame(w, pc, w->sp, text, method);
}

static void add_user(struct walk *w, uint64_t pc, uint64_t sp, const char *method)
{
    char text[48];

    snprintf(text, sizeof text, "0x%llx (user)", (unsigned long long)pc);
    add_frame(w, pc, sp, text, method);
}

static void add_of_program(void *arg, uint64_t pc, uint64_t sp, const char *method, bool guess)
{
    struct walk *w = arg;

    add_user(w, pc, sp, method);
    if (!w->nomem)
        ((struct oscope_frame *)w->list->rows)[w->list->n - 1].guess = guess;
}

/* Where it goes on in user mode, and how it came there. */
static void add_trap(struct walk *w)
{
    struct profile_user u;

    if (!profile_user(w->pm, w->task, &w->list->strings, &u))
        return;
    add_user(w, u.pc, u.sp, "trap");
    if (w->nomem)
        return;
    ((struct oscope_frame *)w->list->rows)[w->list->n - 1].registers = u.text;
    profile_user_walk(w->pm, w->task, &u, add_of_program, w);
}

/* The same of one that is there now. */
static void add_there(struct walk *w)
{
    struct profile_user u = {.pc = w->pc, .sp = w->sp, .fp = w->fp};
    const struct arch *arch = w->pm->base.arch;

    if (arch->link)
        target_reg(w->vcpu, arch->link, &u.link);
    add_user(w, w->pc, w->sp, "pc");
    profile_user_walk(w->pm, w->task, &u, add_of_program, w);
}

/* ---- frame by frame ---- */

static bool on_stack(const struct walk *w, uint64_t va, uint64_t n)
{
    return va >= w->lo && va < w->hi && n <= w->hi - va && va % n == 0;
}

static bool stack_word(struct walk *w, uint64_t va, uint64_t *out)
{
    return on_stack(w, va, w->pm->base.arch->ptr_size) && vspace_addr(&w->pm->base.kernel, va, out);
}

static __attribute__((format(printf, 2, 3))) bool lost(struct walk *w, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(w->lost, sizeof w->lost, fmt, ap);
    va_end(ap);
    return false;
}

/* Where the frame at fp ends: what lies above is its caller's. */
static uint64_t frame_end(const struct walk *w, uint64_t fp)
{
    const struct arch *a = w->pm->base.arch;

    return fp + (uint64_t)(int64_t)(MAX(a->fp_prev, a->fp_ret) + (int)a->ptr_size);
}

/*
 * A function that has not made its frame yet, or makes none, returns to what is in the link
 * register. Once it has called another, the link register points into the function itself.
 */
static bool returns_to_link(const struct walk *w, uint64_t ret, uint64_t *link)
{
    const struct symtab *st = w->pm->base.symtab;
    const char *name = w->pm->base.arch->link;
    struct symbol here, there;
    uint64_t off;

    return w->vcpu && w->frames == 1 && name && target_reg(w->vcpu, name, link) && *link != ret &&
           is_text(w->pm, *link) && symtab_lookup(st, w->pc, &here, &off) &&
           symtab_lookup(st, *link - 1, &there, &off) && here.addr != there.addr;
}

/* Is there no more above than what a trap from user mode saved, or what a new task begins with? The
 * outermost function's own frame reaches up to the top, as no other is above it. */
static bool near_top(const struct walk *w, uint64_t at, uint64_t room)
{
    return at <= w->hi && w->hi - at <= room;
}

/* One frame out; false: there is none, and w->lost tells if one was expected. */
static bool step(struct walk *w)
{
    const struct arch *arch = w->pm->base.arch;
    uint64_t prev, ret, link, end = frame_end(w, w->fp);

    if (!stack_word(w, w->fp + (uint64_t)(int64_t)arch->fp_prev, &prev) ||
        !stack_word(w, w->fp + (uint64_t)(int64_t)arch->fp_ret, &ret))
        return !w->fp || (w->frames > 1 && near_top(w, w->sp, TRAP_ROOM))
                   ? false
                   : lost(w, "the frame pointer 0x%llx is not on its stack",
                          (unsigned long long)w->fp);
    if (returns_to_link(w, ret, &link)) {
        w->pc = link;
        add_code(w, link, true, "link");
        if (ret > w->fp &&
            on_stack(w, ret - 1, 1)) /* a leaf: it has saved the frame pointer alone */
            w->fp = ret;
        return true;
    }
    if (!is_text(w->pm, ret))
        return near_top(w, end, TOP_ROOM)
                   ? false
                   : lost(w, "the return address 0x%llx is not in the kernel's code",
                          (unsigned long long)ret);
    w->pc = ret;
    w->sp = end;
    add_code(w, ret, true, "fp");
    if (prev && prev <= w->fp && on_stack(w, prev, 1))
        return lost(w, "the frame at 0x%llx does not move up", (unsigned long long)prev);
    w->fp = prev;
    return true;
}

/* From pc, sp and fp outwards; at the top of the stack to the user's own place. */
static void walk(struct walk *w)
{
    w->lost[0] = '\0';
    w->frames = 0;
    add_code(w, w->pc, false, "pc");
    while (!w->nomem && w->frames < FRAMES_MAX && step(w))
        ;
    if (w->frames == FRAMES_MAX)
        lost(w, "more than %d frames", FRAMES_MAX);
    if (!w->lost[0] && !w->nomem && !w->task->kernel)
        add_trap(w);
}

static void finish(struct walk *w, size_t start, enum oscope_consistency how)
{
    struct oscope_frame *rows = w->list->rows;

    for (size_t i = start; i < w->list->n; i++)
        rows[i].consistency = (uint8_t)how;
    w->list->consistency = MAX(w->list->consistency, how);
    if (w->lost[0] && w->list->notes.n < NOTES_MAX)
        os_list_note(w->list, "task %d: %s", (int)w->task->pid, w->lost);
}

/* ---- where to start ---- */

struct saved {
    uint64_t pc, sp, fp, state;
};

static bool read_saved(struct walk *w, struct saved *s)
{
    *s = (struct saved){0};
    profile_row_number(w->pm, w->task, KEY_STATE, &s->state);
    if (!profile_row_number(w->pm, w->task, KEY_SAVED_SP, &s->sp))
        s->sp = w->lo;
    return profile_row_number(w->pm, w->task, KEY_SAVED_PC, &s->pc) &&
           profile_row_number(w->pm, w->task, KEY_SAVED_FP, &s->fp);
}

/* An error unless the profile says that, of what this row is. */
static struct oscope_error *need(const struct walk *w, enum profile_key key)
{
    return profile_need(w->pm, profile_row_key(w->pm, w->task, key), "stacks");
}

static struct oscope_error *from_saved(struct walk *w)
{
    size_t start = w->list->n;
    struct saved before, after;
    bool same = false;
    int i;

    TRY(need(w, KEY_SAVED_PC));
    TRY(need(w, KEY_SAVED_FP));
    for (i = 0; i < TRIES && !same && !w->nomem; i++) {
        w->list->n = start;
        if (!read_saved(w, &before))
            return error_new(OSCOPE_E_FAULT, "task %d: its saved registers can't be read",
                             (int)w->task->pid);
        if (!is_text(w->pm, before.pc))
            return error_new(OSCOPE_E_BAD_DATA,
                             "task %d: the saved pc 0x%llx is not in the kernel's code",
                             (int)w->task->pid, (unsigned long long)before.pc);
        w->pc = before.pc;
        w->sp = before.sp;
        w->fp = before.fp;
        walk(w);
        same = read_saved(w, &after) && !memcmp(&before, &after, sizeof before);
    }
    if (w->nomem)
        return error_nomem();
    finish(w, start, !same ? OSCOPE_TORN : i > 1 ? OSCOPE_RETRIED : OSCOPE_CONSISTENT);
    return NULL;
}

/* Between two tasks the registers are those of the scheduler, on a stack of its own. */
static struct oscope_error *between(struct walk *w)
{
    if (target_moves(w->pm->base.target))
        return error_new(OSCOPE_E_BUSY, "task %d: its vCPU is between two tasks",
                         (int)w->task->pid);
    w->vcpu = NULL;
    w->state = "being switched";
    return from_saved(w);
}

static struct oscope_error *from_registers(struct walk *w)
{
    const struct arch *arch = w->pm->base.arch;
    const struct target_vcpu *v = w->vcpu;
    size_t start = w->list->n;
    bool user;

    if (!target_reg(v, arch->pc, &w->pc) || !target_reg(v, arch->sp, &w->sp) ||
        !target_reg(v, arch->fp, &w->fp))
        return error_new(OSCOPE_E_NOT_FOUND, "vCPU %u: registers %s, %s, %s are not known",
                         v->index, arch->pc, arch->sp, arch->fp);
    arch_privilege(arch, v, w->pm->base.target, &user);
    bool own = w->sp >= w->lo && w->sp <= w->hi, text = is_text(w->pm, w->pc);
    if (!user && text && !own)
        return between(w);
    /* Code that is not the file's, in kernel mode: the way in from user mode, or out. */
    user |= !text;
    w->state =
        arena_printf(&w->list->strings, "%s on vCPU %u", user ? "user mode" : "running", v->index);
    if (!w->state)
        return error_nomem();
    if (user)
        add_there(w);
    else
        walk(w);
    if (w->nomem)
        return error_nomem();
    bool torn = w->lost[0] && target_moves(w->pm->base.target);
    finish(w, start, torn ? OSCOPE_TORN : OSCOPE_CONSISTENT);
    return NULL;
}

/* By the letters that most profiles use. */
static const char *waiting(const char *letter)
{
    switch (letter ? letter[0] : '?') {
    case 'R': return "runnable";
    case 'S': return "sleeping";
    case 'Z': return "ended";
    case 'T': return "stopped";
    default: return "not running";
    }
}

struct oscope_error *profile_stack(struct os_model *m, const struct oscope_task *task,
                                   const struct target_vcpu *vcpu, struct os_list *list)
{
    struct profile_model *pm = profile_of(m);
    struct walk w = {
        .pm = pm, .task = task, .vcpu = vcpu, .list = list, .state = waiting(task->state)};
    uint64_t size = 0;

    TRY(need(&w, KEY_STACK));
    TRY(need(&w, KEY_STACK_SIZE));
    if (!profile_row_number(pm, task, KEY_STACK, &w.lo) || !w.lo)
        return error_new(OSCOPE_E_GONE, "task %d has no kernel stack", (int)task->pid);
    if (!profile_row_number(pm, task, KEY_STACK_SIZE, &size) || size > STACK_MAX ||
        w.lo + size < w.lo)
        return profile_at(
            &pm->text, profile_entry_of(pm, profile_row_key(pm, task, KEY_STACK_SIZE)),
            error_new(OSCOPE_E_BAD_DATA, "task %d: its kernel stack can't have %llu bytes",
                      (int)task->pid, (unsigned long long)size));
    w.hi = w.lo + size;
    if (vcpu)
        return from_registers(&w);
    if (task->running)
        return error_new(OSCOPE_E_BUSY, "task %d runs on a vCPU whose registers are not known",
                         (int)task->pid);
    return from_saved(&w);
}
