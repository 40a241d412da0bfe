/* SPDX-License-Identifier: MIT */
/* Probes, and pieces of their programs, that have the same form under every kernel. */
#ifndef OS_PROGRAMS_H
#define OS_PROGRAMS_H

#include "probe/build.h"

/* vcpu_idle and vcpu_resume events, of set "modes". */
void program_vcpus(struct probe_set *s);

/* slot = (slot >> shift) & mask; returns slot. */
unsigned program_bits(struct probe_set *s, unsigned slot, unsigned shift, uint64_t mask);

/* What variables are kept under that are a vCPU's (WIRE_OP_KEEP), in a new slot: it is never 0. */
unsigned program_vcpu_key(struct probe_set *s);

#endif
