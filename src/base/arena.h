/* SPDX-License-Identifier: MIT */
/*
 * Arena: many small allocations that live and die together (type graphs, rows' strings).
 * A cap bounds what a hostile guest can make us allocate.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena {
    struct arena_block *head;
    size_t used; /* bytes handed out */
    size_t cap;  /* 0: no cap */
};

/* Zeroed memory aligned to 16 bytes, or NULL (out of memory or over the cap). */
void *arena_alloc(struct arena *a, size_t n);
/* A terminated copy of the n bytes at s, or NULL. */
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void arena_free(struct arena *a);

#endif
