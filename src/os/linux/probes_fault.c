/* SPDX-License-Identifier: MIT */
/*
 * Set "faults": page faults where the kernel serves them, handle_mm_fault(vma, address, flags,
 * regs) (mm/memory.c; regs since 5.9), which counts them for /proc/vmstat, too. What the kernel
 * faults in for itself (get_user_pages) comes this way as well, with regs NULL.
 *
 * Its return is seen at its callers (calls.h). By then no register has the address any more: its
 * page number is kept from the entry on under the task, in three variables, the last of which also
 * says that there is one. It is the same task that returns, whichever vCPU it runs on by then.
 *
 * The programs walk the page table themselves, through the linear map, so that entries are of that
 * very moment. A walk goes on while an entry points to a table.
 *
 * An address without an area, or an access that the area forbids, never gets that far; the kernel
 * then sends a signal: force_sig_fault(sig, code, addr) (kernel/signal.c).
 *
 * The events' flags and results have the bits of FAULT_FLAG_*, VM_FAULT_*
 * (include/linux/mm_types.h) and VM_* (mm.h): values go into them as they are.
 */
#include "os/linux/calls.h"
#include "os/linux/probes.h"

#include "base/util.h"

#include <string.h>

enum {
    PAGE_SHIFT = 12,
    FIELDS = PAGING_MAX_LEVELS, /* pgd p4d pud pmd pte */
    KEPT = 0x8000,              /* in the third variable: there is an address */
    KEPT_OTHER = 0x4000,        /* it is not in the task's own memory */
    KEPT_PAGE = 0x1fff,         /* the rest of it: bits 32 to 44 of the page number */

    AREA_ANON = 0,
    AREA_FILE = 1,
    AREA_HEAP = 2,
    AREA_STACK = 3,

    SIGNAL_BUS = 7,
    SIGNAL_SEGV = 11,
};

static bool riscv(const struct writer *w)
{
    return !strcmp(w->lm->base.arch->name, "riscv64");
}

static const struct paging_mode *mode_of(const struct linux_model *lm)
{
    return lm->base.kernel.high.mode;
}

/* ---- walking the page table ---- */

/* What an entry looks like that points to a table, and where: RISC-V Privileged Specification,
 * "Sv39" (R = W = X = 0); Intel SDM volume 3, "4-Level Paging" (PS = 0). */
struct geometry {
    uint64_t kind, next; /* masks: kind == 1; address of the table … */
    unsigned shift;      /* … after this shift to the left */
};

/* Which level of the table a field is of; -1: it is folded. */
static int level_of(const struct paging_mode *m, unsigned field)
{
    int skipped = FIELDS - (int)m->levels;

    return field == 0 ? 0 : (int)field > skipped ? (int)field - skipped : -1;
}

/* Puts the five fields: the entries for the address, from the root at `table` on (0: none). Both
 * slots are used up, and spare[], of which there are 7. */
static void put_chain(struct writer *w, unsigned address, unsigned table, unsigned zero,
                      const unsigned spare[7])
{
    const struct paging_mode *m = mode_of(w->lm);
    struct geometry g = riscv(w) ? (struct geometry){0xf, UINT64_C(0x3ffffffffffc00), 2}
                                 : (struct geometry){0x81, UINT64_C(0xffffffffff000), 0};
    unsigned at = spare[0], one = spare[1], kind = spare[2], next = spare[3], base = spare[4];
    unsigned index = spare[5], shift = spare[6], stop[FIELDS] = {0};
    struct probe_set *s = w->set;

    probe_imm_into(s, one, 1);
    probe_imm_into(s, kind, g.kind);
    probe_imm_into(s, next, g.next);
    probe_imm_into(s, base, w->lm->direct_base);
    probe_imm_into(s, index, 0xff8);
    unsigned none = probe_jump(s, WIRE_OP_JEQ, table, zero);
    for (unsigned f = 0; f < FIELDS; f++) {
        int level = level_of(m, f);
        if (level < 0) {
            probe_put(s, zero, 8);
            continue;
        }
        probe_mov(s, at, address);
        probe_imm_into(s, shift, m->shift[level] - 3u);
        probe_alu(s, WIRE_OP_SHR, at, shift);
        probe_alu(s, WIRE_OP_AND, at, index);
        probe_alu(s, WIRE_OP_ADD, at, table);
        probe_load_into(s, table, at, 0, 8);
        probe_put(s, table, 8);
        if (f + 1 == FIELDS)
            break;
        probe_mov(s, at, table);
        probe_alu(s, WIRE_OP_AND, at, kind);
        stop[f] = probe_jump(s, WIRE_OP_JNE, at, one);
        probe_alu(s, WIRE_OP_AND, table, next);
        if (g.shift) {
            probe_imm_into(s, shift, g.shift);
            probe_alu(s, WIRE_OP_SHL, table, shift);
        }
        probe_alu(s, WIRE_OP_ADD, table, base);
    }
    unsigned done = probe_jump(s, WIRE_OP_JEQ, zero, zero);
    probe_label(s, none);
    for (unsigned f = 0; f < FIELDS; f++) {
        probe_put(s, zero, 8);
        if (stop[f])
            probe_label(s, stop[f]);
    }
    probe_label(s, done);
    w->field += FIELDS;
}

/* ---- handle_mm_fault() begins ---- */

/* What the area is, into `kind`. `text` is its file, start and end are its bounds. */
static void area_kind(struct writer *w, unsigned mm, unsigned text, unsigned start, unsigned end,
                      unsigned kind, unsigned value, unsigned zero)
{
    const struct layout *l = &w->lm->layout;
    struct probe_set *s = w->set;

    probe_imm_into(s, kind, AREA_FILE);
    unsigned file = probe_jump(s, WIRE_OP_JNE, text, zero);
    probe_imm_into(s, kind, AREA_STACK);
    probe_load_into(s, value, mm, l->mm_start_stack.offset, 8);
    unsigned below = probe_jump(s, WIRE_OP_JLT, value, start);
    unsigned stack = probe_jump(s, WIRE_OP_JLT, value, end);
    probe_label(s, below);
    probe_imm_into(s, kind, AREA_ANON);
    probe_load_into(s, value, mm, l->mm_start_brk.offset, 8);
    unsigned before = probe_jump(s, WIRE_OP_JLT, end, value);
    probe_load_into(s, value, mm, l->mm_brk.offset, 8);
    unsigned after = probe_jump(s, WIRE_OP_JLT, value, start);
    probe_imm_into(s, kind, AREA_HEAP);
    probe_label(s, after);
    probe_label(s, before);
    probe_label(s, stack);
    probe_label(s, file);
}

static void put_file(struct writer *w, unsigned file, unsigned zero)
{
    const struct layout *l = &w->lm->layout;
    struct probe_set *s = w->set;

    unsigned none = probe_jump(s, WIRE_OP_JEQ, file, zero);
    probe_load_into(s, file, file, l->file_dentry.offset, 8);
    probe_load_into(s, file, file, l->dentry_name.offset, 8);
    writer_put_text(w, file);
    unsigned done = probe_jump(s, WIRE_OP_JEQ, zero, zero);
    probe_label(s, none);
    probe_put(s, zero, 1); /* an empty string */
    probe_label(s, done);
}

static void fault_entry(struct writer *w)
{
    const struct layout *l = &w->lm->layout;
    struct probe_set *s = w->set;
    unsigned vma = writer_argument(w, 0), address = writer_argument(w, 1);
    unsigned flags = writer_argument(w, 2), regs = writer_argument(w, 3);
    unsigned task = writer_current(w), zero = probe_imm(s, 0);

    writer_begin(w, TRACE_PAGE_FAULT_ENTRY);
    writer_put(w, probe_load(s, task, l->task_pid.offset, 4));
    writer_put_comm(w, task);
    writer_put(w, address);
    unsigned kernel = probe_jump(s, WIRE_OP_JEQ, regs, zero);
    probe_load_into(s, regs, regs, l->regs_pc.offset, 8);
    probe_label(s, kernel);
    writer_put(w, regs);
    writer_put(w, flags);
    unsigned start = probe_load(s, vma, l->vma_start.offset, 8);
    unsigned end = probe_load(s, vma, l->vma_end.offset, 8);
    unsigned file = probe_load(s, vma, l->vma_file.offset, 8);
    unsigned mm = probe_load(s, vma, l->vma_mm.offset, 8);
    writer_put(w, start);
    writer_put(w, end);
    probe_load_into(s, vma, vma, l->vma_flags.offset, 8);
    writer_put(w, vma);
    area_kind(w, mm, file, start, end, vma, flags, zero);
    writer_put(w, vma);
    put_file(w, file, zero);
    probe_imm_into(s, vma, mode_of(w->lm)->levels);
    writer_put(w, vma);
    probe_load_into(s, mm, mm, l->mm_pgd.offset, 8);
    const unsigned spare[] = {vma, flags, regs, task, start, end, file};
    put_chain(w, address, mm, zero, spare);
}

/* Beside it, at the same place: what the exit wants to know. */
static void fault_keep(struct writer *w)
{
    const struct layout *l = &w->lm->layout;
    struct probe_set *s = w->set;
    unsigned mm = probe_load(s, writer_argument(w, 0), l->vma_mm.offset, 8);
    unsigned page = writer_argument(w, 1), task = writer_current(w);
    unsigned own = probe_load(s, task, l->task_mm.offset, 8), k = probe_imm(s, PAGE_SHIFT);

    probe_alu(s, WIRE_OP_SHR, page, k);
    probe_keep(s, VAR_FAULT, task, page);
    probe_imm_into(s, k, 16);
    probe_alu(s, WIRE_OP_SHR, page, k);
    probe_keep(s, VAR_FAULT + 1, task, page);
    probe_alu(s, WIRE_OP_SHR, page, k);
    probe_imm_into(s, k, KEPT);
    unsigned same = probe_jump(s, WIRE_OP_JEQ, mm, own);
    probe_imm_into(s, k, KEPT | KEPT_OTHER);
    probe_label(s, same);
    probe_keep(s, VAR_FAULT + 2, task, probe_alu(s, WIRE_OP_OR, page, k));
}

/* ---- and returns ---- */

static void fault_exit(struct writer *w)
{
    const struct layout *l = &w->lm->layout;
    struct probe_set *s = w->set;
    unsigned task = writer_current(w), zero = probe_imm(s, 0);
    unsigned high = probe_recall(s, VAR_FAULT + 2, task);
    unsigned none = probe_jump(s, WIRE_OP_JEQ, high, zero);
    unsigned middle = probe_recall(s, VAR_FAULT + 1, task), page = probe_recall(s, VAR_FAULT, task);
    unsigned k = probe_imm(s, 16), other = probe_imm(s, KEPT_OTHER), mask = probe_imm(s, KEPT_PAGE);

    for (unsigned i = 0; i < 3; i++) /* all: the table is not large */
        probe_keep(s, VAR_FAULT + i, task, zero);
    probe_alu(s, WIRE_OP_AND, other, high);
    probe_alu(s, WIRE_OP_AND, high, mask);
    probe_alu(s, WIRE_OP_SHL, high, k);
    probe_alu(s, WIRE_OP_OR, high, middle);
    probe_alu(s, WIRE_OP_SHL, high, k);
    probe_alu(s, WIRE_OP_OR, page, high);
    probe_imm_into(s, k, PAGE_SHIFT);
    probe_alu(s, WIRE_OP_SHL, page, k);
    writer_begin(w, TRACE_PAGE_FAULT_EXIT);
    writer_put(w, probe_load(s, task, l->task_pid.offset, 4));
    writer_put(w, page);
    probe_reg_into(s, k, riscv(w) ? "a0" : "rax");
    writer_put(w, k);
    unsigned table = probe_imm(s, 0);
    unsigned foreign = probe_jump(s, WIRE_OP_JNE, other, zero);
    probe_load_into(s, table, task, l->task_mm.offset, 8);
    probe_load_into(s, table, table, l->mm_pgd.offset, 8);
    probe_label(s, foreign);
    const unsigned spare[] = {task, k, high, middle, other, mask, probe_imm(s, 0)};
    put_chain(w, page, table, zero, spare);
    probe_label(s, none);
}

/* ---- signals ---- */

static void fault_signal(struct writer *w)
{
    struct probe_set *s = w->set;
    unsigned signal = writer_argument(w, 0), task = writer_current(w);
    unsigned segv = probe_jump(s, WIRE_OP_JEQ, signal, probe_imm(s, SIGNAL_SEGV));
    unsigned other = probe_jump(s, WIRE_OP_JNE, signal, probe_imm(s, SIGNAL_BUS));

    probe_label(s, segv);
    writer_begin(w, TRACE_PAGE_FAULT_SIGNAL);
    writer_put(w, writer_member(w, task, w->lm->layout.task_pid));
    writer_put_comm(w, task);
    writer_put(w, signal);
    writer_put(w, writer_argument(w, 1));
    writer_put(w, writer_argument(w, 2));
    probe_label(s, other);
}

/* ---- the set ---- */

/* Why there are no page faults; NULL: there are. */
static const char *lacks(const struct linux_model *lm)
{
    const struct layout *l = &lm->layout;
    const char *reg;
    uint64_t offset;

    if (!linux_current_place(lm, &reg, &offset))
        return "the running task can't be told on this kernel";
    if (!symtab_addr(lm->base.symtab, "handle_mm_fault"))
        return "the symbols lack handle_mm_fault";
    if (!l->vma_start.present || !l->vma_end.present || !l->vma_flags.present ||
        !l->vma_file.present || !l->vma_mm.present || !l->mm_brk.present ||
        !l->mm_start_brk.present || !l->mm_start_stack.present || !l->file_dentry.present ||
        !l->dentry_name.present || !l->regs_pc.present)
        return "the kernel's types lack members of vm_area_struct, mm_struct, file, dentry or "
               "pt_regs";
    if (!mode_of(lm) || mode_of(lm)->pte_size != 8)
        return "the page tables are of a kind that is not known";
    return NULL;
}

static void one(struct linux_model *lm, struct probe_set *out, uint64_t va, const char *name,
                void (*write)(struct writer *w))
{
    struct writer w = {.lm = lm, .set = out};

    probe_exec(out, name, va);
    write(&w);
    probe_end(out);
}

bool linux_fault_probes(struct linux_model *lm, const char *set, struct probe_set *out,
                        struct os_list *notes, struct oscope_error **err)
{
    AUTO_CALLS call_sites calls = {0};
    uint64_t serve, signal;
    const char *why;

    if (strcmp(set, "faults") != 0)
        return false;
    *err = NULL;
    if ((why = lacks(lm))) {
        *err = error_new(OSCOPE_E_UNSUPPORTED, "no page faults: %s", why);
        return true;
    }
    if (!lm->has_direct) { /* a kernel that has begun: its probes are written again soon */
        os_list_note(notes, "no page faults before the kernel's linear map is known");
        return true;
    }
    serve = symtab_addr(lm->base.symtab, "handle_mm_fault");
    one(lm, out, serve, "page_fault_entry", fault_entry);
    if ((*err = linux_callers(lm, &serve, 1, &calls)))
        return true;
    if (calls.len)
        one(lm, out, serve, "page_fault_keep", fault_keep);
    else
        os_list_note(notes, "no page_fault_exit events: nobody is seen to call handle_mm_fault");
    for (size_t i = 0; i < calls.len; i++)
        one(lm, out, calls.data[i].back, "page_fault_exit", fault_exit);
    if ((signal = symtab_addr(lm->base.symtab, "force_sig_fault")))
        one(lm, out, signal, "page_fault_signal", fault_signal);
    else
        os_list_note(notes, "no page_fault_signal events: the symbols lack force_sig_fault");
    return true;
}
