/* SPDX-License-Identifier: MIT */
/*
 * While the target stands still nothing in it changes, so memory and registers are read once a
 * pause and kept: up to 16 MiB, in blocks of what one request may ask for, direct-mapped. Big reads
 * go past the cache.
 */
#include "target/gdb.h"

#include "base/clock.h"
#include "base/util.h"
#include "target/gdb_regs.h"

#include <stdio.h>

enum {
    CACHE = 16 << 20,
    BLOCK_MIN = 256,
    SLOTS = CACHE / BLOCK_MIN,
    BULK = 64 << 10,
    SMALLEST = 16
};

struct gdb {
    char *address;
    enum gdb_memory memory;
    bool stay;
    struct gdb_range *ranges; /* as t->ram, same order */
    struct gdb_link *link;    /* NULL: not paused */
    uint64_t since, stopped;  /* when the pause began; how long the last one was */
    struct gdb_regs regs;     /* of this pause, as vcpus */
    struct target_vcpus vcpus;
    size_t block;         /* a power of two from BLOCK_MIN to a page */
    uint64_t tags[SLOTS]; /* number of the block + 1 */
    uint8_t *blocks;      /* CACHE bytes */
};

/* ---- memory ---- */

/* One request: up to n bytes at the stub's address; 0 when it refuses. */
static size_t read_some(struct gdb *g, uint64_t address, uint8_t *buf, size_t n)
{
    size_t most = gdb_link_features(g->link)->packet_size / 2; /* of hex digits, as GDB does */
    char payload[48];
    const char *text;
    size_t len;

    /* whole small units, for stubs that read them one by one */
    n = MIN(n, MAX(ALIGN_DOWN(most, SMALLEST), (uint64_t)SMALLEST));
    snprintf(payload, sizeof payload, "m%llx,%zx", (unsigned long long)address, n);
    struct oscope_error *err = gdb_request(g->link, payload, &text, &len);
    if (err) {
        oscope_error_free(err); /* the link stays failed: target_gdb_trouble() */
        return 0;
    }
    long got = gdb_answered(text, len) ? gdb_hex(text, len, buf, n) : 0;
    return got > 0 ? (size_t)got : 0;
}

static bool read_all(struct gdb *g, uint64_t address, uint8_t *buf, size_t n)
{
    while (n) {
        size_t got = read_some(g, address, buf, n);
        if (!got)
            return false;
        address += got, buf += got, n -= got;
    }
    return true;
}

static bool gdb_read(struct target *t, const struct target_ram *r, uint64_t off, void *buf,
                     size_t n)
{
    struct gdb *g = t->backend;
    const struct gdb_range *range = &g->ranges[r - t->ram];
    uint64_t base = g->memory == GDB_MEMORY_LINEAR ? range->va : range->pa;
    uint8_t *out = buf;

    if (!g->link)
        return false;
    if (n >= BULK)
        return read_all(g, base + off, out, n);
    while (n) {
        size_t skip = (size_t)(off & (g->block - 1)), chunk = MIN(n, g->block - skip);
        uint64_t tag = (r->gpa + off) / g->block + 1; /* ranges are of whole pages */
        size_t i = (size_t)(tag % (CACHE / g->block));
        uint8_t *data = g->blocks + i * g->block;

        if (g->tags[i] != tag) {
            g->tags[i] = 0;
            if (!read_all(g, base + off - skip, data, g->block))
                return false;
            g->tags[i] = tag;
        }
        memcpy(out, data + skip, chunk);
        out += chunk, off += chunk, n -= chunk;
    }
    return true;
}

/* ---- registers ---- */

static struct oscope_error *copy_vcpus(const struct target_vcpus *from, struct target_vcpus *out)
{
    out->vcpus = calloc(from->n, sizeof *out->vcpus);
    if (!out->vcpus)
        return error_nomem();
    for (; out->n < from->n; out->n++) {
        const struct target_vcpu *v = &from->vcpus[out->n];
        struct target_vcpu *to = &out->vcpus[out->n];

        *to = *v;
        to->regs = malloc(MAX(v->nregs, 1u) * sizeof *v->regs);
        if (!to->regs) {
            target_vcpus_free(out);
            return error_nomem();
        }
        memcpy(to->regs, v->regs, v->nregs * sizeof *v->regs);
    }
    return NULL;
}

static struct oscope_error *gdb_registers(struct target *t, struct target_vcpus *out)
{
    struct gdb *g = t->backend;
    const char *arch;

    if (!g->link)
        return error_new(OSCOPE_E_UNSUPPORTED,
                         "a GDB target's registers are read while it is stopped only");
    if (!g->regs.v.len)
        TRY(gdb_regs_learn(g->link, t->arch, &g->regs, &arch));
    if (!g->vcpus.n)
        TRY(gdb_regs_read(g->link, &g->regs, t->arch, &g->vcpus));
    return copy_vcpus(&g->vcpus, out);
}

/* ---- pauses ---- */

static void forget(struct gdb *g)
{
    memset(g->tags, 0, CACHE / g->block * sizeof g->tags[0]);
    target_vcpus_free(&g->vcpus);
    gdb_regs_free(&g->regs);
}

static struct oscope_error *begin(struct gdb *g)
{
    bool physical = true;

    g->since = clock_ns();
    TRY(gdb_link_open(g->address, g->stay, &g->link));
    g->block = BLOCK_MIN;
    while (g->block < TARGET_PAGE_SIZE && g->block <= gdb_link_features(g->link)->packet_size / 4)
        g->block *= 2;
    struct oscope_error *err =
        g->memory == GDB_MEMORY_ASK ? gdb_physical(g->link, &physical) : NULL;
    if (!err && !physical)
        err = error_hint(error_new(OSCOPE_E_UNSUPPORTED,
                                   "the GDB stub at %s does not read physical addresses any more",
                                   g->address),
                         "attach to it again");
    if (err) {
        oscope_error_free(gdb_link_close(g->link));
        g->link = NULL;
    }
    return err;
}

static struct oscope_error *gdb_pause(struct target *t, bool stop)
{
    struct gdb *g = t->backend;

    if (stop == (g->link != NULL))
        return NULL;
    forget(g);
    if (stop)
        return begin(g);
    struct oscope_error *err = gdb_link_close(g->link);
    g->link = NULL;
    g->stopped = clock_ns() - g->since;
    return err;
}

struct oscope_error *target_gdb_trouble(const struct target *t)
{
    const struct gdb *g = t->backend;

    return g->link ? gdb_link_trouble(g->link) : NULL;
}

uint64_t target_gdb_stopped(const struct target *t)
{
    const struct gdb *g = t->backend;

    return g->link ? clock_ns() - g->since : g->stopped;
}

static void gdb_close(struct target *t)
{
    struct gdb *g = t->backend;

    oscope_error_free(gdb_pause(t, false));
    forget(g);
    free(g->address);
    free(g->ranges);
    free(g->blocks);
    free(g);
}

static const struct target_ops gdb_ops = {
    .name = "gdb",
    .read = gdb_read,
    .registers = gdb_registers,
    .pause = gdb_pause,
    .close = gdb_close,
};

/* ---- opening ---- */

static bool fill(struct target *t, struct gdb *g, const struct gdb_desc *desc)
{
    g->address = strdup(desc->address);
    g->ranges = calloc(desc->nram, sizeof *g->ranges);
    g->blocks = malloc(CACHE);
    t->ram = calloc(desc->nram, sizeof *t->ram);
    if (!g->address || !g->ranges || !g->blocks || !t->ram)
        return false;
    for (; t->nram < desc->nram; t->nram++) {
        g->ranges[t->nram] = desc->ram[t->nram];
        t->ram[t->nram] = (struct target_ram){
            .gpa = desc->ram[t->nram].pa, .size = desc->ram[t->nram].size, .name = "ram", .fd = -1};
    }
    return true;
}

struct oscope_error *target_open_gdb(const struct gdb_desc *desc, struct target **out)
{
    TRY(gdb_ranges_check(desc->ram, desc->nram));

    struct target *t = calloc(1, sizeof *t);
    struct gdb *g = calloc(1, sizeof *g);
    if (!t || !g) {
        free(t);
        free(g);
        return error_nomem();
    }
    *g = (struct gdb){.memory = desc->memory, .stay = desc->stay, .block = BLOCK_MIN};
    *t = (struct target){.ops = &gdb_ops, .backend = g, .arch = desc->arch, .live = true};
    if (!fill(t, g, desc)) {
        target_close(t);
        return error_nomem();
    }
    *out = t;
    return NULL;
}

/* ---- looking at a stub for the first time ---- */

static struct oscope_error *examine(struct gdb_link *l, const char *arch, struct gdb_facts *out)
{
    AUTO(gdb_regs_free) struct gdb_regs regs = {0};
    struct target_vcpus vcpus;
    AUTO_FREE char *map = NULL;
    size_t n;

    TRY(gdb_regs_learn(l, arch, &regs, &out->arch));
    TRY(gdb_regs_read(l, &regs, out->arch, &vcpus));
    out->nvcpus = vcpus.n;
    target_vcpus_free(&vcpus);
    TRY(gdb_physical(l, &out->physical));
    if (!gdb_link_features(l)->memory_map)
        return NULL;
    struct oscope_error *err = gdb_transfer(l, "memory-map", "", GDB_XML_MAX, &map, &n);
    if (!err)
        return gdb_xml_memory(map, n, out->ram, &out->nram);
    if (err->code != OSCOPE_E_NOT_FOUND)
        return err;
    oscope_error_free(err);
    return NULL;
}

struct oscope_error *gdb_examine(const char *address, const char *arch, bool stay,
                                 struct gdb_facts *out)
{
    struct gdb_link *l;

    *out = (struct gdb_facts){0};
    TRY(gdb_link_open(address, stay, &l));
    struct oscope_error *err = examine(l, arch, out), *end = gdb_link_close(l);
    if (err)
        oscope_error_free(end);
    return err ? err : end;
}
