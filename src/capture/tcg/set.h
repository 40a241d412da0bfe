/* SPDX-License-Identifier: MIT */
/*
 * A probe set in private memory, made ready for the translator: which probes stand at an address,
 * which want an instruction's bytes. Verified; never changes but for the points of places that
 * opcode and block probes found. Knows nothing of QEMU.
 */
#ifndef CAPTURE_TCG_SET_H
#define CAPTURE_TCG_SET_H

#include "capture/wire.h"

#include <stdbool.h>

struct set;

/* A probe at a place: what the translator ties to an instruction. */
struct point {
    const struct set *set;
    const struct wire_insn *code;
    const struct wire_probe *probe;
    uint64_t pc;
    uint32_t slot;
    uint32_t insns; /* of the block; 0: not known, or none */
    bool reads_registers;
    bool reads_data;    /* of an access */
    uint64_t low, most; /* an access that begins beyond low + most, or below low, is not meant */
    uint8_t traps;      /* the kinds that it wants, of enum wire_trap */
    struct point *next; /* in its chain: same address, or same kind of site */
};

struct set {
    struct wire_set wire;
    bool translates;       /* it has probes at instructions, or counts accesses */
    uint8_t vars;          /* bit n: its programs use variable n */
    struct set *next_dead; /* the engine's, while it waits to be freed */
    struct point *points;  /* one for each probe */
    struct point *idle, *resume;
    struct point *memory, *blocks;
    unsigned accesses;     /* of which kinds `memory` wants any, enum wire_access */
    bool access_registers; /* some of `memory` reads them */
    struct point *traps;
    unsigned trap_kinds;         /* that its probes want: of enum wire_trap */
    uint32_t *opcodes, nopcodes; /* probes with WIRE_SITE_OPCODE */
    struct point **addresses;    /* chains of probes with WIRE_SITE_EXEC, hashed by address */
    uint32_t mask;               /* of their hash */
    struct places *places;       /* points of probes whose programs ask where they are */
};

/*
 * A copy of the set in shared memory. NULL with static text in *why: the verifier said no, or no
 * memory; NULL and NULL: it is being rewritten, the wish is another by now.
 */
struct set *set_take(const struct wire_set *shared, uint64_t generation, const char **why);
void set_free(struct set *s); /* NULL is allowed */

/* The chain of probes at an address, or NULL. */
struct point *set_at(const struct set *s, uint64_t pc);

/* The point for an opcode probe (index into wire.probes) at an address, made when it is new; its pc
 * is 0 when there are too many. May be called by several threads at once. */
struct point *set_place(struct set *s, uint32_t probe, uint64_t pc);

/* The same for one of s->blocks, at a block of n instructions: pc and insns are set if the program
 * asks for them. */
struct point *set_block(struct set *s, struct point *p, uint64_t pc, uint32_t n);

#endif
