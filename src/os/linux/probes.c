/* SPDX-License-Identifier: MIT */
/*
 * Linux's event sets as probes. A tracepoint is found again at the entry of a function that has the
 * same arguments at hand, one that exists and is not inlined in 5.10 to 7.x; the event types and
 * their fields are those of the kernel's own tracepoints (include/trace/events/sched.h), in the
 * form that LTTng gives them.
 */
#include "os/linux/probes.h"

#include "os/direct.h"

#include <string.h>

/* MAX_RT_PRIO, include/linux/sched/prio.h: what LTTng tells is prio less it. */
enum { PRIO_BASE = 100 };

/* ---- what programs have in common ---- */

unsigned writer_argument(struct writer *w, unsigned n)
{
    return probe_reg(w->set, w->lm->base.arch->args[n]);
}

unsigned writer_member(struct writer *w, unsigned object, struct layout_field f)
{
    return probe_load_signed(w->set, object, f.offset, f.size);
}

void writer_put(struct writer *w, unsigned slot)
{
    probe_put(w->set, slot, trace_kind_size(w->type->fields[w->field++].kind));
}

void writer_put_text(struct writer *w, unsigned slot)
{
    probe_put_str(w->set, slot, w->type->fields[w->field++].most);
}

void writer_begin(struct writer *w, uint16_t event)
{
    w->type = trace_builtin_type(event);
    w->field = 0;
    probe_event(w->set, event);
}

void writer_put_comm(struct writer *w, unsigned task)
{
    unsigned at = probe_imm(w->set, w->lm->layout.task_comm.offset);

    writer_put_text(w, probe_alu(w->set, WIRE_OP_ADD, at, task));
}

static void put_prio(struct writer *w, unsigned task)
{
    unsigned prio = writer_member(w, task, w->lm->layout.task_prio);

    writer_put(w, probe_alu(w->set, WIRE_OP_SUB, prio, probe_imm(w->set, PRIO_BASE)));
}

/* comm, tid, prio and target_cpu: the events about waking have them all. */
static void put_woken(struct writer *w, unsigned task)
{
    writer_put_comm(w, task);
    writer_put(w, writer_member(w, task, w->lm->layout.task_pid));
    put_prio(w, task);
    writer_put(w, writer_member(w, task, w->lm->layout.task_cpu));
}

/* riscv64: arch/riscv/include/asm/current.h; x86: arch/x86/include/asm/current.h. */
bool linux_current_place(const struct linux_model *lm, const char **reg, uint64_t *offset)
{
    struct layout_field hot = lm->layout.pcpu_hot_current;
    uint64_t var;

    *offset = 0;
    *reg = "tp";
    if (!strcmp(lm->base.arch->name, "riscv64"))
        return true;
    *reg = "gs_base";
    if ((var = symtab_addr(lm->base.symtab, "current_task")))
        *offset = var;
    else if (hot.present && (var = symtab_addr(lm->base.symtab, "pcpu_hot")))
        *offset = var + hot.offset;
    return !strcmp(lm->base.arch->name, "x86_64") && *offset;
}

unsigned writer_current(struct writer *w)
{
    const char *reg;
    uint64_t offset;

    linux_current_place(w->lm, &reg, &offset);
    unsigned slot = probe_reg(w->set, reg);
    return offset ? probe_load(w->set, slot, offset, 8) : slot;
}

/*
 * Why a task is left, as the kernel's own tracepoint reports it (task_state_index(),
 * include/linux/sched.h): the states that tools know (TASK_REPORT) and TASK_REPORT_IDLE for those
 * that wait without being a load. Whether it was preempted can't be told here: it is 0 then.
 */
static void put_state(struct writer *w, unsigned task)
{
    const struct layout *l = &w->lm->layout;
    enum { TASK_REPORT = 0x7f, TASK_IDLE = 0x402, TASK_REPORT_IDLE = 0x80 };
    unsigned state = writer_member(w, task, l->task_state);
    unsigned report = writer_member(w, task, l->task_exit_state);
    unsigned idle = probe_imm(w->set, TASK_IDLE);

    probe_alu(w->set, WIRE_OP_OR, report, state);
    probe_alu(w->set, WIRE_OP_AND, report, probe_imm(w->set, TASK_REPORT));
    probe_alu(w->set, WIRE_OP_AND, state, idle);
    unsigned other = probe_jump(w->set, WIRE_OP_JNE, state, idle);
    probe_alu(w->set, WIRE_OP_XOR, report, report);
    probe_alu(w->set, WIRE_OP_OR, report, probe_imm(w->set, TASK_REPORT_IDLE));
    probe_label(w->set, other);
    writer_put(w, report);
}

/* ---- the events, each at the entry of a function ---- */

/* __switch_to(prev, next) */
static void sched_switch(struct writer *w)
{
    const struct layout *l = &w->lm->layout;
    unsigned prev = writer_argument(w, 0), next = writer_argument(w, 1);

    probe_event(w->set, w->type->id);
    writer_put_comm(w, prev);
    writer_put(w, writer_member(w, prev, l->task_pid));
    put_prio(w, prev);
    put_state(w, prev);
    writer_put_comm(w, next);
    writer_put(w, writer_member(w, next, l->task_pid));
    put_prio(w, next);
}

/* try_to_wake_up(p, state, …): goes on only if p is in one of the states. */
static void sched_waking(struct writer *w)
{
    unsigned task = writer_argument(w, 0), wanted = writer_argument(w, 1);
    unsigned state = writer_member(w, task, w->lm->layout.task_state);

    probe_alu(w->set, WIRE_OP_AND, state, wanted);
    unsigned asleep = probe_jump(w->set, WIRE_OP_JEQ, state, probe_imm(w->set, 0));
    probe_event(w->set, w->type->id);
    put_woken(w, task);
    probe_label(w->set, asleep);
}

/* ttwu_do_activate(rq, p, …): p is put on a run queue because it was woken. */
static void sched_wakeup(struct writer *w)
{
    unsigned task = writer_argument(w, 1);

    probe_event(w->set, w->type->id);
    put_woken(w, task);
}

/* wake_up_new_task(p), at the end of kernel_clone(), in the task that made p. */
static void sched_process_fork(struct writer *w)
{
    const struct layout *l = &w->lm->layout;
    unsigned child = writer_argument(w, 0), parent = writer_current(w);

    probe_event(w->set, w->type->id);
    writer_put_comm(w, parent);
    writer_put(w, writer_member(w, parent, l->task_pid));
    writer_put(w, writer_member(w, parent, l->task_tgid));
    writer_put_comm(w, child);
    writer_put(w, writer_member(w, child, l->task_pid));
    writer_put(w, writer_member(w, child, l->task_tgid));
}

/* exit_signals(tsk), early in do_exit(). */
static void sched_process_exit(struct writer *w)
{
    unsigned task = writer_argument(w, 0);

    probe_event(w->set, w->type->id);
    writer_put_comm(w, task);
    writer_put(w, writer_member(w, task, w->lm->layout.task_pid));
    put_prio(w, task);
}

/* begin_new_exec(bprm): from here on the task is the new program, or dead. A thread that is not the
 * first of its process takes that one's id there. */
static void sched_process_exec(struct writer *w)
{
    const struct layout *l = &w->lm->layout;
    struct layout_field f = l->bprm_filename;
    unsigned bprm = writer_argument(w, 0), task = writer_current(w);

    probe_event(w->set, w->type->id);
    writer_put_text(w, probe_load(w->set, bprm, f.offset, f.size));
    writer_put(w, writer_member(w, task, l->task_tgid));
    writer_put(w, writer_member(w, task, l->task_pid));
}

enum { NEEDS_CURRENT = 1, NEEDS_CPU = 2, NEEDS_BPRM = 4 };

static const struct tracepoint {
    uint16_t event;
    uint8_t needs;
    const char *function;
    void (*write)(struct writer *w);
} tracepoints[] = {
    {TRACE_SCHED_SWITCH, 0, "__switch_to", sched_switch},
    {TRACE_SCHED_WAKING, NEEDS_CPU, "try_to_wake_up", sched_waking},
    {TRACE_SCHED_WAKEUP, NEEDS_CPU, "ttwu_do_activate", sched_wakeup},
    {TRACE_SCHED_PROCESS_FORK, NEEDS_CURRENT, "wake_up_new_task", sched_process_fork},
    {TRACE_SCHED_PROCESS_EXIT, 0, "exit_signals", sched_process_exit},
    {TRACE_SCHED_PROCESS_EXEC, NEEDS_CURRENT | NEEDS_BPRM, "begin_new_exec", sched_process_exec},
};

/* ---- sets ---- */

/* Why a tracepoint can't be had here; NULL: it can. */
static const char *lacks(const struct linux_model *lm, const struct tracepoint *t)
{
    const char *reg;
    uint64_t offset;

    if (!symtab_addr(lm->base.symtab, t->function))
        return "this kernel's symbols lack that function";
    if ((t->needs & NEEDS_CPU) && !lm->layout.task_cpu.present)
        return "the kernel's types do not tell a task's CPU";
    if ((t->needs & NEEDS_BPRM) && !lm->layout.bprm_filename.present)
        return "the kernel's types lack linux_binprm.filename";
    if ((t->needs & NEEDS_CURRENT) && !linux_current_place(lm, &reg, &offset))
        return "the running task can't be told on this kernel";
    return NULL;
}

static struct oscope_error *tracepoint_probes(struct linux_model *lm, const char *set,
                                              struct probe_set *out, struct os_list *notes)
{
    unsigned known = 0, added = 0;

    for (size_t i = 0; i < ARRAY_SIZE(tracepoints); i++) {
        const struct tracepoint *t = &tracepoints[i];
        const struct trace_type *type = trace_builtin_type(t->event);
        if (!type || strcmp(type->set, set) != 0)
            continue;
        known++;
        const char *why = lacks(lm, t);
        if (why) {
            os_list_note(notes, "no %s events (%s): %s", type->name, t->function, why);
            continue;
        }
        struct writer w = {.lm = lm, .set = out, .type = type};
        probe_exec(out, type->name, symtab_addr(lm->base.symtab, t->function));
        t->write(&w);
        probe_end(out);
        added++;
    }
    if (!known && (!strcmp(set, "lock") || !strcmp(set, "kmem")))
        return error_new(OSCOPE_E_UNSUPPORTED,
                         "no %s events: of Linux oscope does not know them, only of kernels that a "
                         "profile describes",
                         set);
    if (!known)
        return error_hint(
            error_new(OSCOPE_E_NOT_FOUND, "there is no event set '%s'", set),
            "sets: sched, syscalls, traps, modes, irq, faults, boot, mmio, uart, blk, heat, all");
    if (!added)
        return error_new(OSCOPE_E_UNSUPPORTED, "no event of set '%s' can be had on this kernel",
                         set);
    return NULL;
}

static struct oscope_error *one_set(struct linux_model *lm, const char *set, struct probe_set *out,
                                    struct os_list *notes)
{
    struct oscope_error *err = NULL;

    if (linux_entry_probes(lm, set, out, notes, &err) ||
        linux_irq_probes(lm, set, out, notes, &err) ||
        linux_fault_probes(lm, set, out, notes, &err) ||
        linux_boot_probes(lm, set, out, notes, &err))
        return err;
    return tracepoint_probes(lm, set, out, notes);
}

struct oscope_error *linux_probes(struct os_model *m, const char *set, struct probe_set *out,
                                  struct trace_schema *schema, struct os_list *notes)
{
    static const char *const all[] = {"sched", "modes",  "syscalls",
                                      "irq",   "faults", "boot"}; /* modes: traps */
    struct linux_model *lm = linux_of(m);

    TRY(linux_need_layout(lm, "event probes"));
    if (!m->arch->args)
        return error_new(OSCOPE_E_UNSUPPORTED, "events of %s guests are not known to oscope",
                         m->arch->name);
    /* Also if this set has none of them: the rings have what others asked for too. */
    TRY(linux_event_types(lm, schema));
    os_direct(&m->kernel, out);
    bool whole = !strcmp(set, "all");
    struct oscope_error *err = NULL;
    linux_nested_guard(lm, out);
    for (size_t i = 0; !err && i < (whole ? ARRAY_SIZE(all) : 1); i++)
        err = one_set(lm, whole ? all[i] : set, out, notes);
    probe_never_when(out, NULL, 0);
    return err;
}
