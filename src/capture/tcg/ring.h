/* SPDX-License-Identifier: MIT */
/*
 * The writer of one vCPU's ring (capture/wire.h). Only the vCPU's own thread writes. What it needs
 * to know is private: the shared memory is written, never believed.
 */
#ifndef CAPTURE_TCG_RING_H
#define CAPTURE_TCG_RING_H

#include "capture/wire.h"

#include <stdbool.h>

struct ring {
    struct wire_ring *shared;
    uint8_t *packets;
    uint32_t packet_bytes, count; /* of packets: powers of two */
    uint32_t cpu;
    uint8_t uuid[16];
    uint64_t n;    /* the packet that is being written, or comes next */
    uint32_t at;   /* bytes of its content; 0: not begun */
    uint64_t last; /* time of the last event */
    uint64_t discarded;
    const struct wire_keeper *keepers; /* WIRE_KEEPERS; NULL: none */
    bool may_wait;                     /* the caller's: for a reader, now */
    bool tired;                        /* of waiting, until there was room again */
    uint64_t waited;                   /* ns, in the last ring_put() */
};

/* A ring that is all 0, its packets at `packets`. */
void ring_init(struct ring *r, struct wire_ring *shared, uint8_t *packets, uint32_t packet_bytes,
               uint32_t count, uint32_t cpu, const uint8_t uuid[16]);

/* Closes the packet that is being written, if there is one: the next event begins another. */
void ring_cut(struct ring *r);

/*
 * Appends an event of n bytes, a struct wire_event first, whose time is set here; now is
 * CLOCK_MONOTONIC in ns. False: no packet can hold it, or a reader keeps the ring's oldest packet;
 * it counts as discarded.
 */
bool ring_put(struct ring *r, uint8_t *record, uint32_t n, uint64_t now);

/* Is somebody in that place who renewed its hold and lives? Else it is free. */
bool ring_keeper_is_there(const struct wire_keeper *k, uint64_t now);

#endif
