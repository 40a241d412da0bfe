/* SPDX-License-Identifier: MIT */
/*
 * A reader's hold on the rings (struct wire_keeper): instead of overwriting what it has not read
 * yet, the engine drops new events, or lets the vCPU wait. The hold lapses when its owner is gone
 * or has not renewed it for KEEPER_LAPSE_NS.
 */
#ifndef CAPTURE_KEEPER_H
#define CAPTURE_KEEPER_H

#include "capture/control.h"

#define KEEPER_LAPSE_NS (10 * UINT64_C(1000000000))

struct keeper {
    struct wire_control *shared; /* NULL: holds nothing */
    const struct layout *layout;
    unsigned slot;
};

/*
 * Takes a hold that keeps nothing yet. The control must be mapped writable and outlive it. Errors:
 * OSCOPE_E_BUSY (WIRE_KEEPERS others have one).
 */
struct oscope_error *keeper_take(struct control *c, enum wire_keep mode,
                                 struct keeper *out) WARN_UNUSED;

/* From now on packets of that ring are kept from this one on. */
void keeper_keep(const struct keeper *k, uint32_t ring, uint64_t packet);

/* To be called much more often than it lapses; now is CLOCK_MONOTONIC. */
void keeper_renew(const struct keeper *k, uint64_t now);

void keeper_release(struct keeper *k); /* one that holds nothing is allowed */

#endif
