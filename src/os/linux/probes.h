/* SPDX-License-Identifier: MIT */
/*
 * What the files that write Linux's probes share: probes.c has the scheduler's, probes_entry.c
 * those at the kernel's entry and exit.
 */
#ifndef OS_LINUX_PROBES_H
#define OS_LINUX_PROBES_H

#include "os/linux/linux.h"
#include "trace/events.h"
#include "trace/schema.h"

/* A program that is being written, and which field of its event comes next. */
struct writer {
    struct linux_model *lm;
    struct probe_set *set;
    const struct trace_type *type;
    unsigned field;
};

/* The built-in type. */
const struct trace_type *linux_event_type(uint16_t id);

/* Puts the next field, as wide as the event's type has it. */
void writer_put(struct writer *w, unsigned slot);

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

/* The types that are not built in: those of system calls. Those that are there stay. */
struct oscope_error *linux_event_types(const struct linux_model *lm,
                                       struct trace_schema *schema) WARN_UNUSED;

#endif
