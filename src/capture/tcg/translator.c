/* SPDX-License-Identifier: MIT */
/*
 * When a plugin may stop watching translation: see translator.h. Whatever is not certain is taken
 * for unclean: watching on costs little, a mistake costs the guest.
 */
#include "capture/tcg/translator.h"

enum {
    PAGE = 4096, /* the smallest of the guests */
    INSN = 16,   /* bytes of an instruction at most, of any architecture */
};

void translator_begin(struct translator *t)
{
    *t = (struct translator){.ran = true};
}

void translator_idle(struct translator *t)
{
    atomic_store(&t->idle, true);
}

void translator_resume(struct translator *t)
{
    atomic_store(&t->idle, false);
    atomic_store(&t->ran, true);
}

void translator_watch(struct translator *t)
{
    t->tb = NULL;
    atomic_store(&t->ran, false);
    if (!atomic_load(&t->idle)) /* asked last: it may resume just now */
        atomic_store(&t->ran, true);
}

void translator_note(struct translator *t, const struct qemu_plugin_tb *tb)
{
    if (atomic_load_explicit(&t->idle, memory_order_relaxed))
        translator_resume(t); /* it was not told: callbacks are missed while sets are exchanged */
    t->tb = tb;
    t->n = qemu_plugin_tb_n_insns(tb);
    t->pc = t->n ? qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0)) : 0;
}

/*
 * A later translation that was not completed shows, by another address or another number of
 * instructions, unless it began at the same address and failed at just that instruction. It fails
 * only where an instruction goes on in another page; or at the first one, when the code is in no
 * ordinary RAM, of which QEMU translates one instruction at a time.
 */
bool translator_is_clean(const struct translator *t)
{
    if (!atomic_load(&t->ran))
        return true;
    return t->tb && t->n >= 2 && t->pc % PAGE + t->n * INSN < PAGE &&
           qemu_plugin_tb_n_insns(t->tb) == t->n &&
           qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(t->tb, 0)) == t->pc;
}
