/* SPDX-License-Identifier: MIT */
/*
 * Growable arrays.
 *
 *     VEC(struct symbol) v = {0};
 *     if (!vec_push(&v, sym)) return error_nomem();
 *     vec_each(struct symbol, s, &v) ...
 *     vec_free(&v);
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *data;                                                                                \
        size_t len, cap;                                                                           \
    }

/* Makes room for n elements in all; false when out of memory (the vector stays valid). */
#define vec_reserve(v, n) vec_reserve_((void **)&(v)->data, &(v)->cap, (n), sizeof *(v)->data)

/* Appends x; false when out of memory. */
#define vec_push(v, ...)                                                                           \
    (vec_reserve((v), (v)->len + 1) ? ((v)->data[(v)->len++] = (__VA_ARGS__), true) : false)

#define vec_free(v)                                                                                \
    do {                                                                                           \
        free((v)->data);                                                                           \
        (v)->data = NULL;                                                                          \
        (v)->len = (v)->cap = 0;                                                                   \
    } while (0)

#define vec_each(type, it, v)                                                                      \
    for (type *it = (v)->data; (v)->len && it < (v)->data + (v)->len; it++)

static inline bool vec_reserve_(void **data, size_t *cap, size_t n, size_t size)
{
    if (n <= *cap)
        return true;
    size_t want = *cap ? *cap * 2 : 16, bytes;
    if (want < n)
        want = n;
    if (__builtin_mul_overflow(want, size, &bytes))
        return false;
    void *p = realloc(*data, bytes);
    if (!p)
        return false;
    *data = p;
    *cap = want;
    return true;
}

#endif
