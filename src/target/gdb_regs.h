/* SPDX-License-Identifier: MIT */
/* The registers of a stub's threads as those of vCPUs. */
#ifndef TARGET_GDB_REGS_H
#define TARGET_GDB_REGS_H

#include "target/gdb_link.h"
#include "target/gdb_xml.h"
#include "target/target.h"

/*
 * Fills *out with the registers that the stub describes; where it describes none, with those that
 * stubs of that arch have (arch NULL: not known, OSCOPE_E_UNSUPPORTED). The caller frees *out, also
 * after an error. *found is the arch by QEMU's name; OSCOPE_E_UNSUPPORTED for one that oscope does
 * not know.
 */
struct oscope_error *gdb_regs_learn(struct gdb_link *l, const char *arch, struct gdb_regs *out,
                                    const char **found);

/* The arch that the description names, NULL: none that is known. */
const char *gdb_regs_arch(const struct gdb_regs *r);

/*
 * Registers of all threads, in the stub's order, names as in target.h: general ones and those that
 * say where page tables and traps are. The caller frees with target_vcpus_free().
 */
struct oscope_error *gdb_regs_read(struct gdb_link *l, const struct gdb_regs *r, const char *arch,
                                   struct target_vcpus *out);

#endif
