/* SPDX-License-Identifier: MIT */
/*
 * What programs keep between events, by a key: small numbers, shared by all vCPUs, in a table that
 * is fixed in size and needs no lock. Knows nothing of QEMU.
 */
#ifndef CAPTURE_TCG_VARS_H
#define CAPTURE_TCG_VARS_H

#include <stdbool.h>
#include <stdint.h>

struct vars;

struct vars *vars_new(void); /* NULL: no memory; freed with free() */

/* Forgets all. */
void vars_clear(struct vars *v);

/*
 * Keeps the lowest 16 bits of value under the lowest 48 of key; 0 forgets. False: no room for
 * another key. Two vCPUs may keep at once; the same key at the same time gives one of the values.
 */
bool vars_keep(struct vars *v, uint64_t key, uint64_t value);

/* 0: nothing is kept. */
uint64_t vars_recall(const struct vars *v, uint64_t key);

#endif
