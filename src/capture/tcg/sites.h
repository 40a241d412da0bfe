/* SPDX-License-Identifier: MIT */
/*
 * Probes at accesses to memory and where blocks of code begin (capture/wire.h: WIRE_SITE_MEMORY,
 * WIRE_SITE_BLOCK). A set without them adds nothing to translated code.
 */
#ifndef CAPTURE_TCG_SITES_H
#define CAPTURE_TCG_SITES_H

#include "capture/tcg/set.h"
#include "capture/tcg/vcpu.h"

/* `seen` is called before a probe fires on a vCPU: it executes. */
void sites_init(struct vcpu *vcpus, uint32_t n, void (*seen)(struct vcpu *v, const struct set *s));

/* The set in force is another from now on (NULL: none); while no vCPU executes. */
void sites_use(const struct set *s);

/* Ties the probes of the set in force to a block that is being translated. */
void sites_watch(struct set *s, struct qemu_plugin_tb *tb);

#endif
