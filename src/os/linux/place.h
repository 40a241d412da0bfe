/* SPDX-License-Identifier: MIT */
/*
 * Where a running Linux kernel lies: its page-table root, linear map, per-CPU areas. Everything is
 * found from symbols and checked by walking the page tables; nothing is assumed about the machine.
 */
#ifndef OS_LINUX_PLACE_H
#define OS_LINUX_PLACE_H

#include "os/linux/linux.h"

/*
 * With lm->ks and base.symtab filled: finds the kernel's page tables and fills base.kernel,
 * init_task, the linear map. OSCOPE_E_NOT_FOUND when no root works: a kernel that is loaded but
 * does not run (yet), or a stale copy of an image.
 */
struct oscope_error *linux_place_find(struct linux_model *lm);

/*
 * Finds init_task by its content, for kernels whose symbol table has functions only. Needs the
 * layout; leaves lm->init_task 0 when it is not there.
 */
void linux_place_init_task(struct linux_model *lm);

/* Physical range of the kernel image; its end is a generous guess when there is no symbol `_end`.
 */
void linux_place_image(const struct linux_model *lm, uint64_t *start, uint64_t *end);

/*
 * Is this kernel the one that runs? A reboot leaves the old image in RAM, whole but for what the
 * new kernel has overwritten. Needs linux_place_finish().
 */
enum linux_life {
    LINUX_DEAD,    /* no vCPU uses its page tables, and its task list is gone */
    LINUX_UNKNOWN, /* no registers to ask, and no task list (yet) */
    LINUX_IDLE,    /* no vCPU uses its page tables at this moment, but its task list is whole */
    LINUX_WHOLE,   /* no registers to ask; its task list is whole */
    LINUX_RUNS,    /* a vCPU uses its page tables */
};
enum linux_life linux_place_life(struct linux_model *lm);
/* The cheap half of it: the linear map is known and the task list hangs together at its head. */
bool linux_place_whole(struct linux_model *lm);

/* Physical address of kernel code that a vCPU executes now: the kernel lies around it. False: none
 * does, or it can't be told. */
bool linux_place_near(struct target *t, const struct arch *arch, uint64_t *pa);

/* The linear map, per-CPU offsets: need the layout. Never fails: what is missing stays unknown. */
void linux_place_finish(struct linux_model *lm);

/* Does it choose where it lies each time that it boots (KASLR)? As far as can be told: true. */
bool linux_place_moves(struct linux_model *lm);

/* KASLR offset, from the kernel's VMCOREINFO note; OSCOPE_UNKNOWN if there is none. */
uint64_t linux_place_kaslr(struct linux_model *lm);

#endif
