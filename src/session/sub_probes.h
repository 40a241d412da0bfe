/* SPDX-License-Identifier: MIT */
/*
 * The engine's part of a subscription: the probes that its sets stand for, which the OS model
 * writes of the kernel that runs, and wishes that need no OS. The broker is asked for them, and
 * again for others when another kernel has booted. For subscription.c alone.
 */
#ifndef SESSION_SUB_PROBES_H
#define SESSION_SUB_PROBES_H

#include "session/subscription.h"

/* Has the engine anything to do for us? */
bool sub_probes_needed(const struct subscription *sub);

/*
 * All that we want of the engine, into an empty set that is the caller's, also on errors. Sets that
 * can't be had are noted; OSCOPE_E_UNSUPPORTED if none can.
 */
struct oscope_error *sub_probes_write(struct subscription *sub, struct probe_set *out) WARN_UNUSED;

/* Asks the broker for sub->set in place of what it was asked for before. */
struct oscope_error *sub_probes_ask(struct subscription *sub) WARN_UNUSED;

/* Notes that the guest was reset: the probes are of the kernel before. */
void sub_probes_check_reset(struct subscription *sub);

/* Writes the probes anew, and asks for them, when the kernel they were of is gone and another one
 * is found. It can take long. */
struct oscope_error *sub_probes_check_kernel(struct subscription *sub) WARN_UNUSED;

#endif
