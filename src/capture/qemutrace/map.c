/* SPDX-License-Identifier: MIT */
/* See map.h. Few ranges, many look-ups of few addresses: a small cache before a plain search. */
#include "capture/qemutrace/map.h"

#include "base/util.h"
#include "base/vec.h"

#include <inttypes.h>
#include <stdio.h>

enum { RANGES_MAX = 16384, CACHE = 256 };

struct range {
    uint64_t first, last, offset; /* offset: of `first` in the device */
    char name[QEMUTRACE_NAME];
};

struct qemutrace_map {
    VEC(struct range) ranges;
    struct {
        uint64_t address;
        size_t range; /* index + 1 */
    } cache[CACHE];
};

/* "  0000000002000000-0000000002003fff (prio 0, i/o): riscv.aclint.swi @0000000000000000 KVM" */
static bool parse_range(const char *line, size_t n, struct range *r)
{
    char buf[256], kind[16];
    int at = 0;

    if (n >= sizeof buf)
        return false;
    memcpy(buf, line, n);
    buf[n] = '\0';
    if (sscanf(buf, " %16" SCNx64 "-%16" SCNx64 " (prio %*d, %15[a-z/]): %n", &r->first, &r->last,
               kind, &at) < 3 ||
        !at || r->last < r->first || !strcmp(kind, "ram") || !strcmp(kind, "rom"))
        return false;
    char *offset = strstr(buf + at, " @");
    r->offset = offset ? strtoull(offset + 2, NULL, 16) : 0;
    if (offset)
        *offset = '\0';
    size_t len = strlen(buf + at);
    if (len && buf[at + len - 1] == '\r')
        buf[at + len - 1] = '\0';
    str_copy(r->name, sizeof r->name, buf + at);
    return true;
}

static bool known(const struct qemutrace_map *m, const struct range *r)
{
    vec_each (const struct range, k, &m->ranges)
        if (k->first == r->first && k->last == r->last && !strcmp(k->name, r->name))
            return true;
    return false;
}

struct qemutrace_map *qemutrace_map_new(const char *mtree)
{
    struct qemutrace_map *m = calloc(1, sizeof *m);
    struct range r;

    for (const char *p = mtree; m && *p;) {
        size_t n = strcspn(p, "\n");
        if (m->ranges.len < RANGES_MAX && parse_range(p, n, &r) && !known(m, &r) &&
            !vec_push(&m->ranges, r)) {
            qemutrace_map_free(m);
            return NULL;
        }
        p += n + (p[n] == '\n');
    }
    return m;
}

void qemutrace_map_free(struct qemutrace_map *m)
{
    if (!m)
        return;
    vec_free(&m->ranges);
    free(m);
}

static bool holds(const struct range *r, const char *name, uint64_t address)
{
    return address >= r->first && address <= r->last && !strcmp(r->name, name);
}

bool qemutrace_map_offset(struct qemutrace_map *m, const char *name, uint64_t address,
                          uint64_t *offset)
{
    size_t slot = (size_t)(address ^ address >> 8 ^ address >> 20) % CACHE;
    size_t i = m->cache[slot].address == address ? m->cache[slot].range : 0;

    if (!i || !holds(&m->ranges.data[i - 1], name, address)) {
        for (i = 1; i <= m->ranges.len && !holds(&m->ranges.data[i - 1], name, address); i++)
            ;
        if (i > m->ranges.len)
            return false;
        m->cache[slot].address = address;
        m->cache[slot].range = i;
    }
    const struct range *r = &m->ranges.data[i - 1];
    *offset = address - r->first + r->offset;
    return true;
}
