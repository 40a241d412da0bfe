/* SPDX-License-Identifier: MIT */
/* What the engine keeps for each vCPU, and how programs read its registers and memory. */
#ifndef CAPTURE_TCG_VCPU_H
#define CAPTURE_TCG_VCPU_H

#include "capture/tcg/api.h"
#include "capture/tcg/interp.h"
#include "capture/tcg/ring.h"
#include "capture/tcg/set.h"
#include "capture/tcg/translator.h"

#include <pthread.h>

struct vcpu {
    _Alignas(64) struct ring ring;
    struct wire_count *counts;
    struct vars *const *vars;   /* WIRE_VARS, of the engine; NULL: none used it so far */
    GByteArray *bytes;          /* reused for all that QEMU reads for us */
    _Atomic(struct set *) held; /* by its idle or resume callback */
    struct translator translator;
    struct qemu_plugin_register *registers[WIRE_REGISTERS]; /* of the set in force; NULL: none */
    GArray *names;                                          /* qemu_plugin_reg_descriptor */
    uint64_t generation; /* of the set whose events the ring's open packet has */
    uint64_t clock_cost; /* ns that timing adds to what it times */
    pthread_t thread;
    bool alive;
    bool locked;  /* discon.h: it executes, but QEMU's big lock is held */
    bool waiting; /* single.h: it went idle and was not seen since */
    struct qemu_plugin_register *identifier; /* single.h: tells this vCPU from others ... */
    uint64_t identity;                       /* ... by this value */
    uint8_t record[WIRE_RECORD];
};

/* In its thread, when it starts. */
void vcpu_begin(struct vcpu *v);

/* Finds the set's registers; while the vCPU executes nothing. NULL: no set. */
void vcpu_bind(struct vcpu *v, const struct set *s);

/* The first register of the set that the vCPU has not, or NULL. */
const char *vcpu_lacks(const struct vcpu *v, const struct set *s);

/* The value of the register of that name is what tells this vCPU from others; in its thread. False:
 * it can't be read. */
bool vcpu_identify(struct vcpu *v, const char *name);
/* That value, of the vCPU that executes, which may be another one; in a callback. */
bool vcpu_read_identity(struct vcpu *v, uint64_t *value);

/* Runs the program of a probe and counts. executing: in guest code, where registers and page tables
 * are at hand. */
void vcpu_fire(struct vcpu *v, const struct point *p, bool executing);

/* The same of a program that asks for values of its site (by enum wire_value), with the address of
 * the instruction. */
void vcpu_fire_at(struct vcpu *v, const struct point *p, uint64_t pc, const uint64_t *values);

#endif
