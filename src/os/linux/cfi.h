/* SPDX-License-Identifier: MIT */
/*
 * Unwinding by DWARF call frame information (.debug_frame, .eh_frame; DWARF 5, 6.4) of the vmlinux
 * that the user gave: for kernels that keep neither frame pointers nor ORC tables. Without a
 * vmlinux nothing here does anything. The file is opened at the first need and kept with the model.
 */
#ifndef OS_LINUX_CFI_H
#define OS_LINUX_CFI_H

#include "os/linux/stack.h"

enum { CFI_REGS = 32 }; /* enough of the DWARF numbers of each architecture */

/* The registers of one frame, by DWARF number; bit n of known: value[n] is certain. */
struct cfi_regs {
    uint64_t value[CFI_REGS];
    uint64_t known;
};

/*
 * Is CFI the best there is? True if the user's vmlinux has CFI for this kernel and its functions
 * keep no frame pointer (arm64 always has them). Where ORC tables are, they go first: the
 * caller's choice. Opens the file; one that can't be used counts as none and is logged.
 */
bool stack_cfi_wanted(struct linux_model *lm);

/*
 * Readies an unwind whose innermost frame u holds: regs gets the registers of u->vcpu, or those
 * that the task_struct at task keeps of a task that does not run. False if there is no CFI.
 */
bool stack_cfi_start(struct unwind *u, uint64_t task, struct cfi_regs *regs);

/* One frame up; u and regs are then the caller's. */
enum unwind_result stack_cfi_step(struct unwind *u, struct cfi_regs *regs);

#endif
