/* SPDX-License-Identifier: MIT */
/*
 * Set "irq": interrupts and softirqs, by the names and fields of the kernel's own tracepoints
 * (include/trace/events/irq.h, arch/x86/include/asm/trace/irq_vectors.h).
 *
 * A handler is called through a pointer in the middle of a function, so that the event that it
 * begins is at that function's entry: __handle_irq_event_percpu(desc, …) calls the handlers of a
 * line, handle_percpu_devid_irq(desc) that of an interrupt that each CPU has for itself (riscv64's
 * timer and IPIs). A handler's return is the instruction after a call (calls.h). Which interrupt
 * runs on a vCPU is kept until then; a handler is not interrupted by another one.
 *
 * Softirqs: the actions are functions of their own, listed in softirq_vec[].
 */
#include "os/linux/calls.h"
#include "os/linux/probes.h"
#include "os/linux/vectors.h"

#include "base/util.h"

#include <string.h>

enum {
    SOFTIRQS = 10,        /* NR_SOFTIRQS, include/linux/interrupt.h, 4.2 to 7.x */
    IRQ_NUMBERS = 0xfffe, /* what a variable can keep, and more than there are */
};

/* What this file's steps share. */
struct irqs {
    struct linux_model *lm;
    struct probe_set *set;
    struct os_list *notes;
    unsigned added;
};

static bool riscv(const struct irqs *x)
{
    return !strcmp(x->lm->base.arch->name, "riscv64");
}

static uint64_t address(const struct irqs *x, const char *name)
{
    return symtab_addr(x->lm->base.symtab, name);
}

static struct writer writer(const struct irqs *x)
{
    return (struct writer){.lm = x->lm, .set = x->set};
}

/* ---- what runs on a vCPU ---- */

/* Keeps number + 1 under the vCPU; destroys the slot. */
static void keep(struct probe_set *s, unsigned var, unsigned number)
{
    unsigned key = program_vcpu_key(s);

    probe_keep(s, var, key, probe_alu(s, WIRE_OP_ADD, number, probe_imm(s, 1)));
}

/* The end of what was kept, as an event that tells its number and, if ret, the returned value;
 * nothing if nothing was. */
static void leave(struct irqs *x, uint64_t va, uint16_t event, unsigned var, bool ret)
{
    struct writer w = writer(x);

    probe_exec(x->set, trace_builtin_type(event)->name, va);
    unsigned key = program_vcpu_key(x->set), number = probe_recall(x->set, var, key);
    unsigned zero = probe_imm(x->set, 0);
    unsigned none = probe_jump(x->set, WIRE_OP_JEQ, number, zero);
    probe_keep(x->set, var, key, zero);
    probe_alu(x->set, WIRE_OP_SUB, number, probe_imm(x->set, 1));
    writer_begin(&w, event);
    writer_put(&w, number);
    if (ret)
        writer_put(&w, probe_reg(x->set, riscv(x) ? "a0" : "rax"));
    probe_label(x->set, none);
    probe_end(x->set);
}

/* ---- handlers ---- */

/* At the entry of a function whose first argument is the irq_desc. */
static void handler_entry(struct irqs *x, uint64_t va, bool keeps)
{
    const struct layout *l = &x->lm->layout;
    struct writer w = writer(x);

    probe_exec(x->set, "irq_handler_entry", va);
    unsigned desc = writer_argument(&w, 0);
    unsigned action = probe_load(x->set, desc, l->irq_desc_action.offset, 8);
    unsigned none = probe_jump(x->set, WIRE_OP_JEQ, action, probe_imm(x->set, 0));
    unsigned irq = writer_member(&w, desc, l->irq_desc_irq);
    writer_begin(&w, TRACE_IRQ_HANDLER_ENTRY);
    writer_put(&w, irq);
    writer_put_text(&w, probe_load(x->set, action, l->irqaction_name.offset, 8));
    writer_put(&w, probe_load(x->set, desc, l->irq_desc_hwirq.offset, 4));
    if (keeps)
        keep(x->set, VAR_IRQ, irq);
    probe_label(x->set, none);
    probe_end(x->set);
    x->added++;
}

/* At a call through a pointer in handle_percpu_devid_irq(): the handler's first argument is the
 * interrupt's number, that of all other functions that it calls is a pointer. */
static void percpu_call(struct irqs *x, uint64_t va)
{
    struct writer w = writer(x);

    probe_exec(x->set, "irq_handler_call", va);
    unsigned irq = writer_argument(&w, 0), most = probe_imm(x->set, IRQ_NUMBERS);
    unsigned other = probe_jump(x->set, WIRE_OP_JLT, most, irq);
    keep(x->set, VAR_IRQ, irq);
    probe_label(x->set, other);
    probe_end(x->set);
}

static struct oscope_error *percpu_handlers(struct irqs *x)
{
    AUTO_CALLS call_sites calls = {0};
    uint64_t from, to;

    if (!linux_function(x->lm, "handle_percpu_devid_irq", &from, &to)) {
        os_list_note(x->notes, "no events of interrupts that each CPU has for itself (the timer, "
                               "IPIs): the symbols lack handle_percpu_devid_irq");
        return NULL;
    }
    handler_entry(x, from, false);
    TRY(linux_calls(x->lm, from, to, NULL, 0, &calls));
    for (size_t i = 0; i < calls.len; i++)
        if (!calls.data[i].to) {
            percpu_call(x, calls.data[i].at);
            leave(x, calls.data[i].back, TRACE_IRQ_HANDLER_EXIT, VAR_IRQ, true);
        }
    return NULL;
}

/* ---- functions as a whole: an event at the entry, one at the return ---- */

enum { VECTORS = 5, HANDLERS = 2 };

/* Functions: DECLARE_IDTENTRY_SYSVEC in
 * arch/x86/include/asm/idtentry.h, 5.8 on. */
static const struct vector {
    uint16_t entry, exit, vector;
    const char *function;
} vectors[VECTORS] = {
    {TRACE_X86_IRQ_VECTORS_LOCAL_TIMER_ENTRY, TRACE_X86_IRQ_VECTORS_LOCAL_TIMER_EXIT,
     VECTOR_LOCAL_TIMER, "sysvec_apic_timer_interrupt"},
    {TRACE_X86_IRQ_VECTORS_RESCHEDULE_ENTRY, TRACE_X86_IRQ_VECTORS_RESCHEDULE_EXIT,
     VECTOR_RESCHEDULE, "sysvec_reschedule_ipi"},
    {TRACE_X86_IRQ_VECTORS_CALL_FUNCTION_ENTRY, TRACE_X86_IRQ_VECTORS_CALL_FUNCTION_EXIT,
     VECTOR_CALL_FUNCTION, "sysvec_call_function"},
    {TRACE_X86_IRQ_VECTORS_CALL_FUNCTION_SINGLE_ENTRY,
     TRACE_X86_IRQ_VECTORS_CALL_FUNCTION_SINGLE_EXIT, VECTOR_CALL_FUNCTION_SINGLE,
     "sysvec_call_function_single"},
    {TRACE_X86_IRQ_VECTORS_IRQ_WORK_ENTRY, TRACE_X86_IRQ_VECTORS_IRQ_WORK_EXIT, VECTOR_IRQ_WORK,
     "sysvec_irq_work"},
};

/* The one is inlined into the other where nobody calls it. */
static const char *const handlers[HANDLERS] = {"__handle_irq_event_percpu",
                                               "handle_irq_event_percpu"};

static void vector_event(struct irqs *x, uint64_t va, uint16_t event, uint16_t vector)
{
    struct writer w = writer(x);

    probe_exec(x->set, trace_builtin_type(event)->name, va);
    writer_begin(&w, event);
    writer_put(&w, probe_imm(x->set, vector));
    probe_end(x->set);
}

static unsigned count_calls(const call_sites *calls, uint64_t to)
{
    unsigned n = 0;

    for (size_t i = 0; to && i < calls->len; i++)
        n += calls->data[i].to == to;
    return n;
}

static void add_handlers(struct irqs *x, const call_sites *calls)
{
    for (unsigned k = 0; k < HANDLERS; k++) {
        uint64_t va = address(x, handlers[k]);
        if (!count_calls(calls, va))
            continue;
        handler_entry(x, va, true);
        for (size_t i = 0; i < calls->len; i++)
            if (calls->data[i].to == va)
                leave(x, calls->data[i].back, TRACE_IRQ_HANDLER_EXIT, VAR_IRQ, true);
        return;
    }
    os_list_note(x->notes, "no events of devices' interrupts: this kernel calls neither "
                           "__handle_irq_event_percpu nor handle_irq_event_percpu");
}

static void add_vectors(struct irqs *x, const call_sites *calls)
{
    for (unsigned k = 0; k < VECTORS; k++) {
        const struct vector *v = &vectors[k];
        uint64_t va = address(x, v->function);
        if (!va) {
            os_list_note(x->notes, "no %s events: the symbols lack %s",
                         trace_builtin_type(v->entry)->name, v->function);
            continue;
        }
        vector_event(x, va, v->entry, v->vector);
        x->added++;
        if (!count_calls(calls, va))
            os_list_note(x->notes, "no %s events: nobody is seen to call %s",
                         trace_builtin_type(v->exit)->name, v->function);
        for (size_t i = 0; i < calls->len; i++)
            if (calls->data[i].to == va)
                vector_event(x, calls->data[i].back, v->exit, v->vector);
    }
}

static struct oscope_error *handler_probes(struct irqs *x)
{
    const struct layout *l = &x->lm->layout;
    AUTO_CALLS call_sites calls = {0};
    uint64_t targets[HANDLERS + VECTORS];
    size_t n = 0;

    if (!l->irq_desc_action.present || !l->irq_desc_irq.present || !l->irq_desc_hwirq.present ||
        !l->irqaction_name.present) {
        os_list_note(x->notes, "no irq_handler events: the kernel's types lack irq_desc or "
                               "irqaction");
        return NULL;
    }
    for (unsigned k = 0; k < HANDLERS; k++)
        targets[n++] = address(x, handlers[k]);
    for (unsigned k = 0; k < VECTORS; k++)
        targets[n++] = address(x, vectors[k].function);
    TRY(linux_callers(x->lm, targets, n, &calls));
    add_handlers(x, &calls);
    if (riscv(x))
        return percpu_handlers(x);
    add_vectors(x, &calls);
    return NULL;
}

/* ---- softirqs ---- */

static void softirq_entry(struct irqs *x, uint64_t va, unsigned vec)
{
    struct writer w = writer(x);

    probe_exec(x->set, "irq_softirq_entry", va);
    unsigned number = probe_imm(x->set, vec);
    writer_begin(&w, TRACE_IRQ_SOFTIRQ_ENTRY);
    writer_put(&w, number);
    keep(x->set, VAR_SOFTIRQ, number);
    probe_end(x->set);
    x->added++;
}

/* An action runs from its first instruction until it returns into one of these. */
static struct oscope_error *softirq_exits(struct irqs *x)
{
    static const char *const loops[] = {"handle_softirqs", "__do_softirq"}; /* 6.10, 6.1.x */
    AUTO_CALLS call_sites calls = {0};

    for (unsigned k = 0; k < ARRAY_SIZE(loops); k++) {
        uint64_t from, to;
        if (linux_function(x->lm, loops[k], &from, &to))
            TRY(linux_calls(x->lm, from, to, NULL, 0, &calls));
    }
    for (size_t i = 0; i < calls.len; i++)
        leave(x, calls.data[i].back, TRACE_IRQ_SOFTIRQ_EXIT, VAR_SOFTIRQ, false);
    if (!calls.len)
        os_list_note(x->notes, "no irq_softirq_exit events: the symbols lack handle_softirqs and "
                               "__do_softirq");
    return NULL;
}

static void softirq_raise(struct irqs *x, uint64_t va)
{
    struct writer w = writer(x);

    probe_exec(x->set, "irq_softirq_raise", va);
    unsigned vec = writer_argument(&w, 0);
    writer_begin(&w, TRACE_IRQ_SOFTIRQ_RAISE);
    writer_put(&w, vec);
    probe_end(x->set);
    x->added++;
}

/* Does the function call one of those, or jump there? A jump that leaves a function at its end
 * looks like a call to somewhere else only in its opcode: it is looked for by its target. */
static bool leads_to(struct irqs *x, const char *name, const uint64_t *targets, size_t n)
{
    AUTO_CALLS call_sites calls = {0};
    uint64_t from, to;

    if (!linux_function(x->lm, name, &from, &to))
        return true; /* there is none to be inlined into */
    oscope_error_free(linux_calls(x->lm, from, to, targets, n, &calls));
    return calls.len;
}

/* raise_softirq_irqoff() and raise_softirq() may have their callee inlined: then they are probed
 * themselves. */
static void softirq_raises(struct irqs *x)
{
    static const char *const names[] = {"__raise_softirq_irqoff", "raise_softirq_irqoff",
                                        "raise_softirq"};
    uint64_t targets[ARRAY_SIZE(names)];

    for (unsigned k = 0; k < ARRAY_SIZE(names); k++) {
        targets[k] = address(x, names[k]);
        if (!targets[k])
            os_list_note(x->notes, "irq_softirq_raise may lack some: the symbols lack %s",
                         names[k]);
        else if (!k || !leads_to(x, names[k], targets, k))
            softirq_raise(x, targets[k]);
    }
}

static struct oscope_error *softirq_probes(struct irqs *x)
{
    uint64_t table = address(x, "softirq_vec"), actions[SOFTIRQS];

    softirq_raises(x);
    if (!table || !vspace_read(&x->lm->base.kernel, table, actions, sizeof actions)) {
        os_list_note(x->notes, "no irq_softirq_entry events: softirq_vec %s",
                     table ? "can't be read" : "is not among the symbols");
        return NULL;
    }
    for (unsigned i = 0; i < SOFTIRQS; i++)
        if (linux_is_kernel_address(x->lm, actions[i]))
            softirq_entry(x, actions[i], i);
    return softirq_exits(x);
}

bool linux_irq_probes(struct linux_model *lm, const char *set, struct probe_set *out,
                      struct os_list *notes, struct oscope_error **err)
{
    struct irqs x = {.lm = lm, .set = out, .notes = notes};

    if (strcmp(set, "irq") != 0)
        return false;
    *err = handler_probes(&x);
    if (!*err)
        *err = softirq_probes(&x);
    if (!*err && !x.added)
        *err = error_new(OSCOPE_E_UNSUPPORTED, "no event of set 'irq' can be had on this kernel");
    return true;
}
