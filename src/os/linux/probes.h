/* SPDX-License-Identifier: MIT */
/*
 * What the files that write Linux's probes share: probes.c has the scheduler's, probes_entry.c
 * those at the kernel's entry and exit, probes_calls.c those of system calls, probes_irq.c those of
 * interrupts, probes_fault.c those of page faults, probes_boot.c those of the kernel's start,
 * probes_nested.c those of virtual machines in the guest.
 */
#ifndef OS_LINUX_PROBES_H
#define OS_LINUX_PROBES_H

#include "os/linux/linux.h"
#include "os/programs.h"
#include "os/riscv.h"
#include "trace/events.h"
#include "trace/schema.h"

/* A program that is being written, and which field of its event comes next. */
struct writer {
    struct linux_model *lm;
    struct probe_set *set;
    const struct trace_type *type;
    unsigned field;
};

/* Variables that Linux's programs keep (WIRE_OP_KEEP): who has which. */
enum {
    VAR_SYSCALL = 0,  /* by task: number + 1 of the call it is in */
    VAR_IRQ = 1,      /* by vCPU + 1: interrupt + 1 whose handler runs there */
    VAR_SOFTIRQ = 2,  /* by vCPU + 1: vector + 1 of the softirq that runs there */
    VAR_FAULT = 3,    /* by task, this and the two next: page of the fault that is being served */
    VAR_INITCALL = 6, /* by task, this and the next: bits of the initcall that it is in */
};

/* Puts the next field, as wide as the event's type has it. */
void writer_put(struct writer *w, unsigned slot);

/* The same for a string at the address in slot; longer ones are cut. */
void writer_put_text(struct writer *w, unsigned slot);
void writer_put_comm(struct writer *w, unsigned task);
/* Begins an event of a built-in type. */
void writer_begin(struct writer *w, uint16_t event);

/* Register of the n-th argument of the function at whose entry the probe stands. */
unsigned writer_argument(struct writer *w, unsigned n);
/* The running task, in kernel mode (linux_current_place()). */
unsigned writer_current(struct writer *w);

/* A member of an object whose address is in a slot, sign-extended. */
unsigned writer_member(struct writer *w, unsigned object, struct layout_field f);

/*
 * Where the running task is found in kernel mode: a register, and the offset of a variable from it
 * (x86), or 0 when the register is the task's address (riscv64). False: not known here.
 */
bool linux_current_place(const struct linux_model *lm, const char **reg, uint64_t *offset);

/* Sets "traps", "modes" and "syscalls". False: set is none of them. Errors: *err. */
bool linux_entry_probes(struct linux_model *lm, const char *set, struct probe_set *out,
                        struct os_list *notes, struct oscope_error **err);

/* probes_user.c: slots of a walk through a riscv64 page table. address: of user mode; one: holds 1;
 * the others may hold anything. All but `one` are used up; on x86_64 there is only the address. */
struct user_slots {
    unsigned address, one;
    unsigned at, table, shift, index, kind, ppn, two, below;
};

/* New slots, but for these two, which have done their duty. u->one must be there already. */
void writer_user_slots(struct writer *w, struct user_slots *u, unsigned at, unsigned table);
/* Can the user's memory be read at an sret? */
bool linux_riscv_user(const struct linux_model *lm);
/* There: u->address becomes the kernel's own for the same `size` bytes; one that can't be read
 * where they lie in two pages, or in none. */
void writer_riscv_user(struct writer *w, const struct user_slots *u, unsigned size);
/* probe_put_data() of the user's memory, at an sret to user mode; uses up `length`, too. Data goes
 * to the end of the page at most: where there was more the event is marked. */
void writer_put_riscv_user(struct writer *w, const struct user_slots *u, unsigned length,
                           unsigned most);

/* ---- probes_entry.c, for those at the kernel's entry and exit ---- */

enum {
    /* x86: Intel SDM volume 2 */
    ENTRY_SYSRETQ = 0x070f48,
    ENTRY_SYSRETQ_MASK = 0xffffff,
    ENTRY_IRETQ = 0xcf48,
    ENTRY_IRETQ_MASK = 0xffff,
};

bool entry_riscv(const struct linux_model *lm);
/* The running task's address where the per-CPU base is in that register. */
unsigned entry_x86_task(struct writer *w, const char *base);

/* Set "syscalls": probes_calls.c. */
struct oscope_error *linux_call_probes(struct writer *w, struct os_list *notes) WARN_UNUSED;

/* Set "irq": probes_irq.c. Same shape. */
bool linux_irq_probes(struct linux_model *lm, const char *set, struct probe_set *out,
                      struct os_list *notes, struct oscope_error **err);

/* Set "faults": probes_fault.c. Same shape. */
bool linux_fault_probes(struct linux_model *lm, const char *set, struct probe_set *out,
                        struct os_list *notes, struct oscope_error **err);

/* Set "boot": probes_boot.c. Same shape. */
bool linux_boot_probes(struct linux_model *lm, const char *set, struct probe_set *out,
                       struct os_list *notes, struct oscope_error **err);

/* Where KVM enters a virtual machine on riscv64, and where the trap that ends it arrives. */
struct linux_nested {
    uint64_t enter, leave;
};
/* False: the guest has no KVM, or (noted) another than is known. */
bool linux_nested_find(struct writer *w, struct os_list *notes, struct linux_nested *out);
/* Events guest_*, of the sets "traps" and "modes". */
void linux_nested_probes(struct writer *w, const struct linux_nested *n);
/* Probes that are begun from now on do nothing inside a virtual machine, if the guest may have
 * any; until probe_never_when() with NULL. */
void linux_nested_guard(struct linux_model *lm, struct probe_set *s);

/* The types that are not built in: those of system calls. Those that are there stay. */
struct oscope_error *linux_event_types(const struct linux_model *lm,
                                       struct trace_schema *schema) WARN_UNUSED;

#endif
