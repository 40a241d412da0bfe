/* SPDX-License-Identifier: MIT */
/* Inside of sites.c, which goes through functions: machine code of x86 (sites_x86.c). */
#ifndef OS_PROFILE_SITES_H
#define OS_PROFILE_SITES_H

#include "os/profile/probes.h"

/* Bytes of the instruction at code, of which there are n; 0: it is not known. */
unsigned sites_x86_insn(const uint8_t *code, size_t n);
bool sites_x86_return(const uint8_t *code, size_t n);
/* Does it jump, whatever was before, to *to bytes from its own first byte? */
bool sites_x86_jump(const uint8_t *code, size_t n, int64_t *to);
/* Is it a store to what a register points at? All of *out but where it is, what is added to the
 * register, and bytes that are stored. */
bool sites_x86_store(const uint8_t *code, size_t n, struct site_store *out, uint64_t *offset,
                     unsigned *size);

#endif
