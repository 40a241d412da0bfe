/* SPDX-License-Identifier: MIT */
/* `oscope attach --gdb`: what a GDB stub is and where its RAM lies, kept as a session. */
#include "session/session.h"

#include "base/util.h"
#include "session/describe.h"
#include "session/runtime.h"
#include "session/symfiles.h"
#include "target/gdb.h"
#include "target/gdb_link.h"

#include <limits.h>
#include <time.h>

enum { RANGES_MAX = 64 };

struct ranges {
    struct gdb_range *r;
    size_t n;
    bool linear; /* virtual addresses are given */
};

static struct oscope_error *read_ranges(const struct oscope_gdb_options *o, struct ranges *out)
{
    if (o->nram > RANGES_MAX)
        return error_new(OSCOPE_E_USAGE, "over %d ranges of RAM", RANGES_MAX);
    out->r = calloc(MAX(o->nram, (size_t)GDB_RAM_MAX) + 1, sizeof *out->r);
    if (!out->r)
        return error_nomem();
    for (; out->n < o->nram; out->n++) {
        bool linear;

        TRY(gdb_range_parse(o->ram[out->n], &out->r[out->n], &linear));
        if (out->n && linear != out->linear)
            return error_new(OSCOPE_E_USAGE, "a virtual address is given for some RAM only");
        out->linear = linear;
    }
    if (out->linear && o->physical)
        return error_new(OSCOPE_E_USAGE, "RAM with virtual addresses contradicts --physical");
    return gdb_ranges_check(out->r, out->n);
}

/* RAM as the stub says; nothing but whole pages can be an OS's. */
static struct oscope_error *ranges_of_stub(const struct gdb_facts *facts, struct ranges *out)
{
    for (size_t i = 0; i < facts->nram; i++) {
        uint64_t start = ALIGN_UP(facts->ram[i].start, TARGET_PAGE_SIZE);
        uint64_t end = ALIGN_DOWN(facts->ram[i].start + facts->ram[i].size, TARGET_PAGE_SIZE);

        if (start >= facts->ram[i].start && end > start)
            out->r[out->n++] = (struct gdb_range){.pa = start, .size = end - start};
    }
    if (!out->n)
        return error_hint(
            error_new(OSCOPE_E_USAGE, "the GDB stub does not say where the target's RAM is"),
            "say it: --ram BASE:SIZE, as in --ram 0x80000000:512M");
    return gdb_ranges_check(out->r, out->n);
}

static struct oscope_error *describe(const char *address, const struct gdb_facts *facts,
                                     const struct ranges *ranges,
                                     const struct oscope_gdb_options *o, struct session_desc *d)
{
    /* QEMU's stub has physical addresses only when it is asked for them, whatever the user says. */
    const char *memory = ranges->linear ? "linear" : facts->physical ? "ask" : "physical";

    if (!ranges->linear && !o->physical && !facts->physical)
        return error_hint(
            error_new(OSCOPE_E_UNSUPPORTED,
                      "the GDB stub at %s can't be asked for physical "
                      "addresses, which page tables have",
                      address),
            "if its addresses are physical ones: --physical; if they are translated by the "
            "target's MMU, say where the kernel maps RAM: --ram BASE:SIZE@VIRTUAL");
    d->kind = strdup("gdb");
    d->arch = strdup(facts->arch);
    /* the path of a socket must hold wherever the next command is started */
    d->gdb = strchr(address, '/') ? realpath(address, NULL) : strdup(address);
    d->name = strdup(address);
    d->memory = strdup(memory);
    d->stay = o->stopped;
    d->created = (uint64_t)time(NULL);
    d->regions = calloc(ranges->n, sizeof *d->regions);
    if (!d->kind || !d->arch || !d->gdb || !d->name || !d->memory || !d->regions)
        return error_nomem();
    for (; d->nregions < ranges->n; d->nregions++) {
        const struct gdb_range *r = &ranges->r[d->nregions];

        d->regions[d->nregions] =
            (struct live_region){.gpa = r->pa, .size = r->size, .hva = r->va, .fd = -1};
        str_copy(d->regions[d->nregions].name, sizeof d->regions->name, "ram");
    }
    TRY(symfiles_fit(d->arch, &o->files));
    return symfiles_keep(d, &o->files);
}

static struct oscope_error *look(const char *address, const struct oscope_gdb_options *o,
                                 struct ranges *ranges, struct session_desc *d)
{
    AUTO_FREE struct gdb_facts *facts = calloc(1, sizeof *facts);

    if (!facts)
        return error_nomem();
    TRY(gdb_address_check(address));
    TRY(read_ranges(o, ranges));
    TRY(symfiles_check(NULL, &o->files));
    TRY(gdb_examine(address, o->arch, o->stopped, facts));
    if (!ranges->n)
        TRY(ranges_of_stub(facts, ranges));
    if (!strcmp(facts->arch, "x86_64") || !strcmp(facts->arch, "i386"))
        TRY(gdb_ranges_cut(&ranges->r, &ranges->n));
    return describe(address, facts, ranges, o, d);
}

static struct oscope_error *keep(struct session_desc *d, const char *name, char **id)
{
    AUTO_FREE char *dir = NULL, *made = NULL;

    TRY(runtime_create(name, &made, &dir));
    d->id = strdup(made);
    struct oscope_error *err = d->id ? session_desc_save(dir, d) : error_nomem();
    if (err) {
        runtime_remove(dir);
        return err;
    }
    if (id) {
        *id = made;
        made = NULL;
    }
    return NULL;
}

struct oscope_error *oscope_attach_gdb(const char *address, const struct oscope_gdb_options *opts,
                                       char **id)
{
    static const struct oscope_gdb_options defaults = {0};
    struct session_desc d = {0};
    struct ranges ranges = {0};

    opts = opts ? opts : &defaults;
    struct oscope_error *err = look(address, opts, &ranges, &d);
    if (!err)
        err = keep(&d, opts->name, id);
    session_desc_free(&d);
    free(ranges.r);
    return err;
}
