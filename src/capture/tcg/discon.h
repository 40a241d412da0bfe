/* SPDX-License-Identifier: MIT */
/*
 * Traps, as QEMU itself tells of them (QEMU 11.1, qemu_plugin_register_vcpu_discon_cb()), whatever
 * their vector: probes of WIRE_SITE_TRAP.
 *
 * QEMU calls when the vCPU has taken the trap: the vCPU's registers are those that its handler
 * finds, and nothing of the handler was executed or even fetched. It holds its big lock then, so
 * that an event never waits for a reader. What the guest does not handle itself (semihosting) is no
 * trap here. The call names the vCPU that executes also where vCPUs share a thread; with several
 * of them there it is registered from the start, as all else (single.h).
 *
 * QEMU looks for callbacks anew at each trap (11.1.3, plugins/core.c: plugin_vcpu_cb__discon()), so
 * that one that is registered while no vCPU executes misses nothing from then on.
 */
#ifndef CAPTURE_TCG_DISCON_H
#define CAPTURE_TCG_DISCON_H

#include "capture/tcg/hooks.h"
#include "capture/tcg/vcpu.h"

/* Registers cb for the kinds of traps that the set (NULL: none) wants, or for all. */
void discon_register(const struct set *s, bool all, qemu_plugin_vcpu_discon_cb_t cb);

/* Why the set can't work with this QEMU, or NULL. */
const char *discon_lacks(const struct set *s);

/* In the callback: fires the set's probes. */
void discon_fire(struct vcpu *v, const struct set *s, enum qemu_plugin_discon_type type,
                 uint64_t from, uint64_t to);

#endif
