/* SPDX-License-Identifier: MIT */
/* aarch64's paging modes, for aarch64.c. */
#ifndef ARCH_AARCH64_ARM_H
#define ARCH_AARCH64_ARM_H

#include "arch/paging.h"

/* Modes of TTBR1 (kernel), NULL-terminated; ->other_half is the TTBR0 mode of the same shape. */
extern const struct paging_mode *const arm_modes[];

/* By granule (12, 14, 16), VA bits, TTBR and TCR_EL1.DS; NULL: a shape that is not in the table. */
const struct paging_mode *arm_mode(unsigned granule, unsigned va_bits, bool high, bool ds);

void arm_pte_text(const struct paging_mode *m, unsigned level, uint64_t raw, char *buf, size_t n);

#endif
