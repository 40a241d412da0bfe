/* SPDX-License-Identifier: MIT */
/* Runs the programs of probes (capture/wire.h). Knows nothing of QEMU. */
#ifndef CAPTURE_TCG_INTERP_H
#define CAPTURE_TCG_INTERP_H

#include "capture/tcg/vars.h"
#include "capture/wire.h"

#include <stdbool.h>
#include <stddef.h>

/* What a program reads. */
struct machine {
    uint64_t pc;   /* of the instruction at the site; 0: there is none, or it is not known */
    uint32_t vcpu; /* index */
    void *arg;     /* of the functions, which return false for what can't be read */
    bool (*reg)(void *arg, unsigned number, uint64_t *value);
    bool (*memory)(void *arg, uint64_t va, void *out, size_t n); /* n: 1 to WIRE_RECORD */
    const uint16_t (*tables)[WIRE_TABLE];
    struct vars *const *vars; /* WIRE_VARS; those that the program uses are there */
    uint64_t from, to;        /* of a trap: where it is taken, and its vector */
};

/*
 * Runs a program that verify_set() accepted. Returns the bytes of its event in record: a struct
 * wire_event of which the time is not set, then the fields; 0: it published nothing.
 */
uint32_t interp_run(const struct wire_insn *code, const struct machine *m,
                    uint8_t record[WIRE_RECORD]);

#endif
