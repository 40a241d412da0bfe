/* SPDX-License-Identifier: MIT */
/*
 * `dev plic`: for each context (a hart in one mode) its threshold and what is enabled; for each
 * source its priority and whether it is pending. Memory map: RISC-V PLIC specification 1.0.0,
 * chapter 3. The claim registers are never read: that would claim.
 *
 * Registers are read one after another while the guest runs; what software configures is read until
 * two readings agree. Pending bits come and go and are those of the last reading.
 */
#include "analysis/dev.h"

#include "analysis/columns.h"
#include "base/util.h"

#include <inttypes.h>
#include <stdio.h>

#define CONTEXT(member, kind, flags, doc)                                                          \
    OSCOPE_COLUMN(struct oscope_plic_context, member, kind, flags, doc)
#define CONSISTENCY(type)                                                                          \
    OSCOPE_COLUMN(type, consistency, OSCOPE_CONSISTENCY, OSCOPE_COL_JSON_ONLY,                     \
                  "how good the row is: consistent, retried, torn")
const struct oscope_column plic_context_columns[] = {
    CONTEXT(plic, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY, "address of the PLIC"),
    CONTEXT(context, OSCOPE_UINT, 0, "number of the context"),
    CONTEXT(hart, OSCOPE_UINT, 0, "hart it interrupts; null: the device tree does not tell"),
    CONTEXT(mode, OSCOPE_TEXT, 0, "M or S: in which mode; null: not told"),
    CONTEXT(threshold, OSCOPE_UINT, 0, "only sources of a higher priority interrupt"),
    CONTEXT(enabled, OSCOPE_UINT, 0, "sources enabled for it"),
    CONTEXT(pending, OSCOPE_UINT, 0,
            "of those, how many are pending with a priority over the threshold: they interrupt it "
            "now"),
    CONTEXT(sources, OSCOPE_TEXT, OSCOPE_COL_ELASTIC, "the enabled ones, by number"),
    CONSISTENCY(struct oscope_plic_context),
    {0},
};

#define SOURCE(member, kind, flags, doc)                                                           \
    OSCOPE_COLUMN(struct oscope_plic_source, member, kind, flags, doc)
const struct oscope_column plic_source_columns[] = {
    SOURCE(plic, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY, "address of the PLIC"),
    SOURCE(source, OSCOPE_UINT, 0, "its number; operating systems call it hwirq"),
    SOURCE(name, OSCOPE_TEXT, OSCOPE_COL_ELASTIC,
           "node of the device tree that interrupts so; null: the tree does not tell"),
    SOURCE(priority, OSCOPE_UINT, 0, "0: it never interrupts"),
    SOURCE(pending, OSCOPE_BOOLEAN, 0, "has it interrupted, and nobody claimed that yet?"),
    SOURCE(contexts, OSCOPE_TEXT, OSCOPE_COL_ELASTIC, "for which it is enabled, by number"),
    CONSISTENCY(struct oscope_plic_source),
    {0},
};

#define HIDDEN UINT32_MAX
enum {
    PENDING = 0x1000,
    ENABLE = 0x2000,
    ENABLE_STEP = 0x80,
    THRESHOLD = 0x200000,
    THRESHOLD_STEP = 0x1000,
    SOURCES_MAX = 1023,
    SOURCES_USUAL = 127, /* read if nobody tells how many there are */
    CONTEXTS_MAX = 1024,
    CAUSE_S = 9, /* causes of interrupts: RISC-V privileged architecture, table "mcause values" */
    CAUSE_M = 11,
    READINGS = 3,
};

/* One PLIC, as it was read. Values: priorities, thresholds, enable bits of each context, pending
 * bits. */
struct plic {
    uint64_t base;
    const struct dev_tree *tree;
    const struct dev_tree_controller *told; /* NULL: the tree does not have it */
    unsigned sources, contexts, words;      /* words: of a bit for each source */
    uint64_t *values, *before;              /* before: the reading before */
    size_t n;
    enum oscope_consistency consistency;
};

static uint64_t priority(const struct plic *p, unsigned source)
{
    return p->values[source];
}

static uint64_t threshold(const struct plic *p, unsigned context)
{
    return p->values[p->sources + 1 + context];
}

static bool enabled(const struct plic *p, unsigned context, unsigned source)
{
    size_t at = p->sources + 1 + p->contexts + (size_t)context * p->words + source / 32;

    return p->values[at] >> source % 32 & 1;
}

static bool pending(const struct plic *p, unsigned source)
{
    return p->values[p->n - p->words + source / 32] >> source % 32 & 1;
}

/* ---- reading ---- */

static struct oscope_error *read_once(struct oscope_session *s, struct plic *p)
{
    size_t n = 2 + 2 * (size_t)p->contexts, at = 0;
    AUTO_FREE struct peek *reads = calloc(n, sizeof *reads);

    if (!reads)
        return error_nomem();
    reads[at++] = (struct peek){p->base, 4, p->sources + 1};
    for (unsigned i = 0; i < p->contexts; i++)
        reads[at++] = (struct peek){p->base + THRESHOLD + (uint64_t)i * THRESHOLD_STEP, 4, 1};
    for (unsigned i = 0; i < p->contexts; i++)
        reads[at++] = (struct peek){p->base + ENABLE + (uint64_t)i * ENABLE_STEP, 4, p->words};
    reads[at++] = (struct peek){p->base + PENDING, 4, p->words};
    return session_peek(s, reads, at, p->values);
}

static struct oscope_error *read_plic(struct oscope_session *s, struct plic *p)
{
    p->words = p->sources / 32 + 1;
    p->n = p->sources + 1 + p->contexts + (size_t)p->words * (p->contexts + 1);
    p->values = calloc(p->n, sizeof *p->values);
    p->before = calloc(p->n, sizeof *p->before);
    if (!p->values || !p->before)
        return error_nomem();
    TRY(read_once(s, p));
    for (int i = 1; target_moves(s->target); i++) {
        memcpy(p->before, p->values, p->n * sizeof *p->values);
        TRY(read_once(s, p));
        p->consistency = i == 1 ? OSCOPE_CONSISTENT : OSCOPE_RETRIED;
        if (!memcmp(p->before, p->values, (p->n - p->words) * sizeof *p->values))
            break;
        p->consistency = OSCOPE_TORN;
        if (i == READINGS)
            break;
    }
    return NULL;
}

/* ---- rows ---- */

/* "1, 3, 8" of the numbers below n that are chosen. */
static const char *numbers(const struct plic *p, unsigned from, unsigned n,
                           bool (*chosen)(const struct plic *p, unsigned of, unsigned i),
                           unsigned of, struct arena *strings)
{
    char text[512];
    size_t used = 0;

    text[0] = '\0';
    for (unsigned i = from; i < n && used + 16 < sizeof text; i++)
        if (chosen(p, of, i))
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%u", used ? " " : "", i);
    if (used + 16 >= sizeof text)
        snprintf(text + used, sizeof text - used, " ...");
    return arena_strdup(strings, text);
}

static bool enabled_of_source(const struct plic *p, unsigned source, unsigned context)
{
    return enabled(p, context, source);
}

/* Firmware that keeps the contexts of M mode to itself hides them from the kernel: OpenSBI's
 * fdt_plic_fixup() makes their causes HIDDEN. */
static const char *mode_name(uint32_t cause)
{
    return cause == CAUSE_M || cause == HIDDEN ? "M" : cause == CAUSE_S ? "S" : NULL;
}

static bool add_context(const struct plic *p, unsigned i, struct os_list *l)
{
    struct oscope_plic_context *row = os_list_add(l);
    const struct dev_tree_context *told =
        p->told && i < p->told->contexts.len ? &p->told->contexts.data[i] : NULL;

    if (!row)
        return false;
    *row = (struct oscope_plic_context){.plic = p->base,
                                        .context = i,
                                        .hart = told ? told->hart : OSCOPE_UNKNOWN,
                                        .mode = told ? mode_name(told->cause) : NULL,
                                        .threshold = (uint32_t)threshold(p, i),
                                        .sources =
                                            numbers(p, 1, p->sources + 1, enabled, i, &l->strings),
                                        .consistency = p->consistency};
    for (unsigned k = 1; k <= p->sources; k++) {
        row->enabled += enabled(p, i, k);
        row->pending += enabled(p, i, k) && pending(p, k) && priority(p, k) > threshold(p, i);
    }
    return row->sources;
}

static bool add_source(const struct plic *p, unsigned i, bool all, struct os_list *l)
{
    const char *name = dev_tree_source(p->tree, p->told, i);
    bool used = pending(p, i);

    for (unsigned k = 0; k < p->contexts && !used; k++)
        used = enabled(p, k, i);
    if (!used && !all)
        return true;
    struct oscope_plic_source *row = os_list_add(l);
    if (!row)
        return false;
    *row = (struct oscope_plic_source){
        .plic = p->base,
        .source = i,
        .name = name ? arena_strdup(&l->strings, name) : NULL,
        .priority = (uint32_t)priority(p, i),
        .pending = pending(p, i),
        .contexts = numbers(p, 0, p->contexts, enabled_of_source, i, &l->strings),
        .consistency = p->consistency};
    return row->contexts;
}

static struct oscope_error *one_plic(struct dev *d, struct plic *p, struct os_list *contexts,
                                     struct os_list *sources)
{
    bool ok = true;

    TRY(read_plic(d->session, p));
    for (unsigned i = 0; i < p->contexts; i++)
        ok = ok && add_context(p, i, contexts);
    for (unsigned i = 1; i <= p->sources; i++)
        ok = ok && add_source(p, i, d->all, sources);
    return ok ? NULL : error_nomem();
}

/* How many contexts and sources it has: the device tree tells. */
static struct oscope_error *size_plic(struct dev *d, struct plic *p, struct os_list *notes)
{
    AUTO(target_vcpus_free) struct target_vcpus vcpus = {0};

    if (p->told && p->told->contexts.len) {
        p->contexts = (unsigned)MIN(p->told->contexts.len, (size_t)CONTEXTS_MAX);
        p->sources = MIN(p->told->sources, (uint32_t)SOURCES_MAX);
    } else {
        TRY(target_registers(d->session->target, &vcpus));
        p->contexts = (unsigned)MIN(2 * vcpus.n, (size_t)CONTEXTS_MAX);
        os_list_note(notes, "no device tree of this machine was found in RAM: two contexts a vCPU "
                            "are assumed, harts, modes and names of sources are not known");
    }
    if (!p->sources)
        p->sources = SOURCES_USUAL;
    return NULL;
}

struct oscope_error *dev_plic(struct dev *d)
{
    struct os_list *contexts =
        dev_table(d, "contexts", plic_context_columns, sizeof(struct oscope_plic_context));
    struct os_list *sources =
        dev_table(d, "sources", plic_source_columns, sizeof(struct oscope_plic_source));
    struct oscope_error *err = NULL;
    struct dev_tree tree = {0};

    for (size_t i = 0; i < d->map.n && !err; i++) {
        struct plic p = {.base = d->map.devices[i].gpa, .tree = &tree};
        if (strcmp(d->map.devices[i].name, "riscv.sifive.plic") != 0)
            continue;
        if (!tree.found)
            err = dev_tree_find(d->session->target, p.base, &tree);
        p.told = dev_tree_at(&tree, p.base);
        if (!err)
            err = size_plic(d, &p, contexts);
        if (!err)
            err = one_plic(d, &p, contexts, sources);
        free(p.values);
        free(p.before);
    }
    dev_tree_free(&tree);
    return err;
}
