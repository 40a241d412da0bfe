/* SPDX-License-Identifier: MIT */
/*
 * Counting accesses to guest memory by physical page: reads, writes, instructions executed. The
 * counters are a memory file of their own (capture/wire.h, struct wire_heat), so that an access
 * costs an addition and no event, and that they take memory only while they are wanted.
 */
#ifndef CAPTURE_TCG_HEAT_H
#define CAPTURE_TCG_HEAT_H

#include "capture/tcg/api.h"
#include "capture/wire.h"

struct heat;

/* Counters for a verified set, with a shard for each vCPU. NULL: *why tells. */
struct heat *heat_new(const struct wire_set *s, uint32_t shards, const char **why);
/* Nothing may count there any more; whoever has the file open sees that it is closed. NULL is
 * allowed. */
void heat_free(struct heat *h);

/* Are they for the same RAM? h may be NULL. */
bool heat_fits(const struct heat *h, const struct wire_set *s);

/* Tells readers of the file that accesses are counted from now on, or not. While no vCPU
 * executes; h may be NULL. */
void heat_switch(struct heat *h, bool on);

/* Adds the counting to a block that is being translated. */
void heat_watch(struct heat *h, struct qemu_plugin_tb *tb);

#endif
