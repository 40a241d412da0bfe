/* SPDX-License-Identifier: MIT */
/*
 * The event set cputraps: every trap that a vCPU takes, into whatever software. It needs no OS
 * model and no trap vector, but a QEMU that tells of traps (WIRE_SITE_TRAP).
 *
 * The set traps stays with probes at Linux's own entries. Both see the same traps of the kernel;
 * those at entries know the task, work with QEMU 10.0 too, and can wait for a reader that needs
 * every event, which cannot be done where QEMU tells of a trap: it holds its big lock there.
 */
#ifndef SESSION_CPUTRAPS_H
#define SESSION_CPUTRAPS_H

#include "probe/build.h"
#include "session/session.h"

bool cputraps_set(const char *set);

/* Adds its probe to out. OSCOPE_E_UNSUPPORTED: the guest's architecture is not known to do so. */
struct oscope_error *cputraps_want(struct oscope_session *s, struct probe_set *out) WARN_UNUSED;

#endif
