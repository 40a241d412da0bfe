/* SPDX-License-Identifier: MIT */
/*
 * Probes at the beginning and the end of functions: whose call it is, and where it came from. The
 * return address is, at both, in the register that calls leave it in, or on top of the stack.
 */
#include "os/profile/probes.h"

#include "base/util.h"

#include <string.h>

struct oscope_error *sites_entries(const struct writer *w, enum profile_key key, addresses *out)
{
    const char *p = profile_value(w->pm, key);
    size_t n;

    for (const char *word; p && (word = profile_word(&p, &n));) {
        struct symbol sym;
        if (profile_function(w->pm, word, n, &sym) && !vec_push(out, sym.addr))
            return error_nomem();
    }
    return NULL;
}

void event_put_number(struct writer *w, int64_t v)
{
    unsigned mark = probe_mark(w->set);

    event_put(w, probe_imm(w->set, (uint64_t)v));
    probe_release(w->set, mark);
}

void event_put_current(struct writer *w)
{
    struct probe_set *s = w->set;
    unsigned mark = probe_mark(s), task = site_current(w);

    event_put_tid(w, task);
    if (knows_current(w))
        event_put_comm(w, task);
    else
        probe_put_chars(s, "", w->type->fields[w->field++].most);
    probe_release(s, mark);
}

/* As QEMU's gdbstub names them. link NULL: the return address is on the stack. */
static const struct convention {
    const char *arch, *stack, *link;
} conventions[] = {{"riscv64", "sp", "ra"},
                   {"aarch64", "sp", "x30"},
                   {"x86_64", "rsp", NULL},
                   {"i386", "esp", NULL}};

static const struct convention *convention(const struct writer *w)
{
    for (size_t i = 0; i < ARRAY_SIZE(conventions); i++)
        if (!strcmp(conventions[i].arch, w->pm->base.arch->name))
            return &conventions[i];
    return &conventions[0];
}

const char *site_stack_pointer(const struct writer *w)
{
    return convention(w)->stack;
}

void event_put_return_address(struct writer *w)
{
    const struct convention *c = convention(w);
    struct probe_set *s = w->set;
    unsigned mark = probe_mark(s);

    if (c->link)
        event_put(w, probe_reg(s, c->link));
    else
        event_put(w, probe_load(s, probe_reg(s, c->stack), 0, w->pm->base.arch->ptr_size));
    probe_release(s, mark);
}
