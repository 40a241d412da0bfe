/* SPDX-License-Identifier: MIT */
/* DWARF expressions in call frame information (DWARF 5, 2.5 and 6.4.2). */
#ifndef OS_LINUX_CFI_EXPR_H
#define OS_LINUX_CFI_EXPR_H

#include "os/linux/cfi.h"

#include <elfutils/libdw.h>

static inline bool cfi_get(const struct cfi_regs *regs, uint64_t n, uint64_t *value)
{
    if (n >= CFI_REGS || !(regs->known & BIT(n)))
        return false;
    *value = regs->value[n];
    return true;
}

/*
 * What the operations give: a value, or with cfa (where it is known already) what lies there. Reads
 * the stack in use only (unwind_word()). False when a register or word is not known, or the
 * operations are none that compilers write into rules.
 */
bool cfi_evaluate(struct unwind *u, const struct cfi_regs *regs, const uint64_t *cfa,
                  const Dwarf_Op *ops, size_t n, uint64_t *out);

#endif
