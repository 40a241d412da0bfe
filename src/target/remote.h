/* SPDX-License-Identifier: MIT */
/*
 * Guest RAM that is no shared file: copied out of the QEMU process, with a small cache.
 */
#ifndef TARGET_REMOTE_H
#define TARGET_REMOTE_H

#include "target/target.h"

#include "base/util.h"

struct remote;

/* Opens the process's memory. OSCOPE_E_PERMISSION with what would help; OSCOPE_E_GONE. */
struct oscope_error *remote_open(pid_t pid, struct remote **out);
void remote_close(struct remote *rm); /* NULL allowed */

/* Copies bytes of a region; pages the process has not populated read as zero and stay so. What was
 * read in this epoch may come from the cache. False when the process is gone. */
bool remote_read(struct remote *rm, const struct target_ram *r, uint64_t off, void *buf, size_t n,
                 uint64_t epoch);

/* As target_ops.extent. */
bool remote_extent(struct remote *rm, const struct target_ram *r, uint64_t off, uint64_t *start,
                   uint64_t *end);

/* Does as a kernel without PAGEMAP_SCAN does. For tests. */
void remote_disable_scan(struct remote *rm);

/* Size of a bitmap with a bit for each page of a region of that many bytes. */
static inline size_t remote_bitmap_bytes(uint64_t size)
{
    return (size_t)(ALIGN_UP(size >> TARGET_PAGE_SHIFT, 64) / 8);
}

#endif
