/* SPDX-License-Identifier: MIT */
/* Memory nodes and zones (include/linux/mmzone.h). */
#ifndef OS_LINUX_ZONES_H
#define OS_LINUX_ZONES_H

#include "os/linux/linux.h"

/* Called for each zone (VA of struct zone) of each node; false stops. */
typedef bool (*zone_fn)(struct linux_model *lm, int node, uint64_t zone, void *arg);

/* Every zone, populated or not, nodes and zones in order. OSCOPE_E_UNSUPPORTED names what is
 * missing. */
struct oscope_error *zones_each(struct linux_model *lm, zone_fn fn, void *arg);

/* NUMA nodes that there may be, at most some 1000; 0: not known (a kernel without NUMA does not
 * say). */
unsigned zones_node_ids(struct linux_model *lm);

/* VA of node 0's struct pglist_data; false if unknown. */
bool zones_first_node(struct linux_model *lm, uint64_t *node);

/* Called for each CPU's list of free pages in a zone (VA of its struct per_cpu_pages, pages it
 * holds as it says itself); false stops. */
typedef bool (*pcp_fn)(struct linux_model *lm, uint64_t pcp, uint64_t count, void *arg);

/* Every CPU's list in a zone; false when fn stopped or the kernel's types lack them. */
bool zones_each_pcp(struct linux_model *lm, uint64_t zone, pcp_fn fn, void *arg);

/* Orders of free blocks: free_area[] has this many elements; 0 if unknown. */
unsigned zones_orders(const struct linux_model *lm);

#endif
