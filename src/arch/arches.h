/* SPDX-License-Identifier: MIT */
/* What each architecture's folder gives to the table in arch.c. */
#ifndef ARCH_ARCHES_H
#define ARCH_ARCHES_H

#include "arch/arch.h"

extern const struct arch arch_riscv64, arch_x86_64, arch_aarch64, arch_i386;

#endif
