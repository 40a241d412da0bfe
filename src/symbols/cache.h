/* SPDX-License-Identifier: MIT */
/*
 * The on-disk cache of what was learned about a kernel build: one file per key, made of named
 * sections (layout, symbols, BTF, offsets …) that are used where they are mapped.
 *
 * A cache is a shortcut and never a source of trouble: any doubt about a file is a miss, a folder
 * that can't be written means no cache (logged, not an error).
 *
 * Trust: the folder must belong to this user and be writable by nobody else, or it is not used.
 * Files are checked for truncation and for having been written by this build of oscope, not for
 * every byte; whoever decodes a section treats its contents as untrusted anyway.
 */
#ifndef SYMBOLS_CACHE_H
#define SYMBOLS_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CACHE_SECTIONS_MAX = 16,
    CACHE_NAME_MAX = 24,         /* of a section's name, terminator included */
    CACHE_TOTAL_MAX = 512 << 20, /* bytes in a folder: the files not used for longest go */
};

struct cache; /* an open file, mapped read-only */

struct cache_section {
    const char *name;
    const void *data;
    size_t n;
};

/* Opens the file of key in folder dir. NULL: there is none (or no good one, which is removed). */
struct cache *cache_open(const char *dir, uint64_t key);
/* A section, aligned to 64 bytes, valid until cache_close(). NULL: no such section. */
const void *cache_section(const struct cache *c, const char *name, size_t *n);
void cache_close(struct cache *c); /* NULL allowed */
/* Gives back to the host what reading it has mapped; it comes again as it is read. NULL allowed. */
void cache_rest(struct cache *c);

/*
 * Writes the file of key, replacing an older one at once as a whole; readers that have it open keep
 * theirs, of several writers the last wins. Makes the folder (0700) when it is missing. Sections
 * of the old file are not kept: to add one, hand in all. False: not written (and why is logged).
 */
bool cache_put(const char *dir, uint64_t key, const struct cache_section *sections, size_t n);

#endif
