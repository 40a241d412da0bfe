/* SPDX-License-Identifier: MIT */
/*
 * Where devices lie, from the text of QEMU's `info mtree -f`: an access is told by its address, a
 * register by its offset in the device. One map for all address spaces (I/O ports too): name and
 * address together tell them apart. Format: mtree_print_flatview() in QEMU's system/memory.c.
 */
#ifndef CAPTURE_QEMUTRACE_MAP_H
#define CAPTURE_QEMUTRACE_MAP_H

#include "capture/qemutrace/parse.h"

struct qemutrace_map;

/* The ranges that are no RAM; at most 16384. NULL: out of memory. */
struct qemutrace_map *qemutrace_map_new(const char *mtree);
void qemutrace_map_free(struct qemutrace_map *m); /* NULL allowed */

/* The offset in device `name` of the register at address. False: it does not lie there. */
bool qemutrace_map_offset(struct qemutrace_map *m, const char *name, uint64_t address,
                          uint64_t *offset);

#endif
