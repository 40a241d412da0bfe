/* SPDX-License-Identifier: MIT */
/* riscv64's paging modes, for riscv64.c. */
#ifndef ARCH_RISCV64_RISCV_H
#define ARCH_RISCV64_RISCV_H

#include "arch/arch.h"

extern const struct paging_mode riscv_sv39, riscv_sv48, riscv_sv57;

void riscv_pte_text(const struct paging_mode *m, unsigned level, uint64_t raw, char *buf, size_t n);

const char *riscv_trap_name(unsigned cause);
enum arch_trap riscv_trap_kind(unsigned cause);

#endif
