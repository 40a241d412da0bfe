/* SPDX-License-Identifier: MIT */
/*
 * Small things every room needs: cleanup attributes (one way out of a function), unaligned
 * little-endian loads (all supported guests are little-endian), checked arithmetic, alignment.
 */
#ifndef BASE_UTIL_H
#define BASE_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(a)    (sizeof(a) / sizeof((a)[0]))
#define BIT(n)           (UINT64_C(1) << (n))
#define MIN(a, b)        ((a) < (b) ? (a) : (b))
#define MAX(a, b)        ((a) > (b) ? (a) : (b))
#define ALIGN_DOWN(x, a) ((x) & ~((uint64_t)(a)-1)) /* a: a power of two */
#define ALIGN_UP(x, a)   ALIGN_DOWN((x) + (uint64_t)(a)-1, a)

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

static inline void cleanup_free(void *p)
{
    free(*(void **)p);
}

static inline void cleanup_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

#define AUTO_FREE  __attribute__((cleanup(cleanup_free)))  /* free() at scope end */
#define AUTO_CLOSE __attribute__((cleanup(cleanup_close))) /* close() at scope end unless < 0 */
#define AUTO(fn)   __attribute__((cleanup(fn)))

/* Bits hi..lo of x, shifted down. */
static inline uint64_t bits(uint64_t x, unsigned hi, unsigned lo)
{
    return (x >> lo) & (~UINT64_C(0) >> (63 - (hi - lo)));
}

static inline uint16_t load16(const void *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint32_t load32(const void *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint64_t load64(const void *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* Loads an unsigned little-endian integer of 1, 2, 4 or 8 bytes; 0 for another size. */
static inline uint64_t load_uint(const void *p, size_t size)
{
    switch (size) {
    case 1: return *(const uint8_t *)p;
    case 2: return load16(p);
    case 4: return load32(p);
    case 8: return load64(p);
    default: return 0;
    }
}

/* Copies src, cut to fit, into dst of n > 0 bytes; always terminated. */
static inline void str_copy(char *dst, size_t n, const char *src)
{
    size_t len = strnlen(src, n - 1);
    memcpy(dst, src, len);
    dst[len] = '\0';
}

#endif
