/* SPDX-License-Identifier: MIT */
/* The RAM of a GDB target, as the user or the stub says where it is. */
#include "target/gdb.h"

#include "base/util.h"

#include <ctype.h>
#include <errno.h>

#define VGA_START UINT64_C(0xa0000)
#define VGA_END   UINT64_C(0x100000)

/* A number as in C; its end, NULL if there is none. */
static const char *number(const char *p, uint64_t *out)
{
    char *end;

    errno = 0;
    if (!isdigit((unsigned char)*p))
        return NULL;
    *out = strtoull(p, &end, 0);
    return errno ? NULL : end;
}

/* The same with k, M, G or T behind. */
static const char *size(const char *p, uint64_t *out)
{
    static const char units[] = "kmgt";
    const char *unit;

    p = number(p, out);
    if (!p || !*p || !(unit = strchr(units, tolower((unsigned char)*p))))
        return p;
    unsigned shift = 10 * (unsigned)(unit - units + 1);
    if (*out > UINT64_MAX >> shift)
        return NULL;
    *out <<= shift;
    return p + 1;
}

struct oscope_error *gdb_range_parse(const char *text, struct gdb_range *out, bool *linear)
{
    const char *p;

    *out = (struct gdb_range){0};
    *linear = false;
    p = size(text, &out->pa);
    p = p && *p == ':' ? size(p + 1, &out->size) : NULL;
    if (p && *p == '@') {
        *linear = true;
        p = number(p + 1, &out->va);
    }
    if (p && !*p && out->size)
        return NULL;
    return error_hint(error_new(OSCOPE_E_USAGE, "'%s' is no range of RAM", text),
                      "BASE:SIZE, as in 0x80000000:512M, or BASE:SIZE@VIRTUAL-ADDRESS");
}

static int by_address(const void *a, const void *b)
{
    const struct gdb_range *x = a, *y = b;

    return (x->pa > y->pa) - (x->pa < y->pa);
}

/* Cuts the window out of the range at i; the list has room for one more. */
static void cut_window(struct gdb_range *r, size_t *n, size_t i)
{
    uint64_t end = r[i].pa + r[i].size;

    if (r[i].pa >= VGA_END || end <= VGA_START)
        return;
    if (end > VGA_END) {
        r[*n] = (struct gdb_range){VGA_END, end - VGA_END, r[i].va + (VGA_END - r[i].pa)};
        ++*n;
    }
    if (r[i].pa < VGA_START)
        r[i].size = VGA_START - r[i].pa;
    else
        r[i] = r[--*n];
}

struct oscope_error *gdb_ranges_check(struct gdb_range *r, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!r[i].size || r[i].size > UINT64_MAX - r[i].pa ||
            ((r[i].pa | r[i].size | r[i].va) & (TARGET_PAGE_SIZE - 1)))
            return error_new(OSCOPE_E_USAGE,
                             "RAM at 0x%llx does not begin and end with a page of %d bytes",
                             (unsigned long long)r[i].pa, TARGET_PAGE_SIZE);
    if (n)
        qsort(r, n, sizeof *r, by_address);
    for (size_t i = 1; i < n; i++)
        if (r[i].pa < r[i - 1].pa + r[i - 1].size)
            return error_new(OSCOPE_E_USAGE, "RAM at 0x%llx is given twice",
                             (unsigned long long)r[i].pa);
    return NULL;
}

struct oscope_error *gdb_ranges_cut(struct gdb_range **ranges, size_t *n)
{
    struct gdb_range *r = realloc(*ranges, (*n + 1) * sizeof *r); /* one at most becomes two */

    if (!r)
        return error_nomem();
    *ranges = r;
    for (size_t i = *n; i-- > 0;)
        cut_window(r, n, i);
    return gdb_ranges_check(r, *n);
}
