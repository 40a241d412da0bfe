/* SPDX-License-Identifier: MIT */
/*
 * What the machine's device tree says of interrupt controllers: which context belongs to which hart
 * and mode, what devices the sources are. See dev.h.
 *
 * Bindings: Devicetree Specification 0.4, 2.4 (interrupts), and dt-schema's
 * interrupt-controller/sifive,plic-1.0.0.yaml and timer/sifive,clint.yaml. A node's properties come
 * before its children; what a node refers to may come after it, so that names are looked up at the
 * end.
 */
#include "analysis/dev.h"

#include "base/util.h"
#include "target/fdt.h"

enum {
    CONTROLLERS = 16,
    CONTEXTS = 2048, /* of one controller */
    SOURCES = 1024,
    HARTS = 1024,
    ALIGNED = 2 << 20,
    CANDIDATES = 65536, /* places that are looked at: 128 GiB */
};

struct node {
    char name[64];
    uint32_t phandle, parent; /* parent: of its interrupts; 0: not told */
    uint64_t base, size, reg0;
    uint32_t ndev;
    bool controller;
    struct fdt_token extended, interrupts, map; /* len 0: none */
};

struct hart {
    uint32_t phandle; /* of its interrupt controller */
    uint64_t hart;
};

struct walk {
    struct dev_tree *tree;
    struct node nodes[FDT_DEPTH_MAX];
    VEC(struct hart) harts;
    bool nomem;
};

static bool is(const struct fdt_token *t, const char *name)
{
    return !strcmp(t->name, name);
}

static void take_property(struct walk *w, const struct fdt_token *t)
{
    struct node *n = &w->nodes[t->depth];

    if (is(t, "phandle")) {
        n->phandle = fdt_cell(t, 0);
    } else if (is(t, "reg")) { /* two cells each for address and size, but for CPUs: one */
        n->reg0 = fdt_cell(t, 0);
        n->base = (uint64_t)fdt_cell(t, 0) << 32 | fdt_cell(t, 1);
        n->size = (uint64_t)fdt_cell(t, 2) << 32 | fdt_cell(t, 3);
    } else if (is(t, "compatible")) {
        n->controller =
            fdt_has_string(t, "riscv,plic0") || fdt_has_string(t, "sifive,plic-1.0.0") ||
            fdt_has_string(t, "riscv,clint0") || fdt_has_string(t, "sifive,clint0") ||
            fdt_has_string(t, "riscv,aclint-mtimer") || fdt_has_string(t, "riscv,aclint-mswi");
    } else if (is(t, "interrupt-parent")) {
        n->parent = fdt_cell(t, 0);
    } else if (is(t, "interrupts-extended")) {
        n->extended = *t;
    } else if (is(t, "interrupts")) {
        n->interrupts = *t;
    } else if (is(t, "interrupt-map")) {
        n->map = *t;
    } else if (is(t, "riscv,ndev")) {
        n->ndev = fdt_cell(t, 0);
    } else if (is(t, "timebase-frequency")) {
        w->tree->timebase = fdt_cell(t, 0);
    } else if (is(t, "riscv,isa") && t->len) {
        w->tree->sstc |= memmem(t->value, t->len, "_sstc", 5) != NULL;
    } else if (is(t, "riscv,isa-extensions")) {
        w->tree->sstc |= fdt_has_string(t, "sstc");
    }
}

static void add_source(struct walk *w, uint32_t controller, uint32_t number, const char *name)
{
    struct dev_tree_source s = {.controller = controller, .number = number};

    if (w->tree->sources.len == SOURCES)
        return;
    str_copy(s.name, sizeof s.name, name);
    w->nomem |= !vec_push(&w->tree->sources, s);
}

/* Pairs of a hart's interrupt controller and the cause that is raised there. Which hart that is, is
 * found out at the end: until then `hart` is the phandle. */
static void add_controller(struct walk *w, const struct node *n)
{
    struct dev_tree_controller c = {
        .phandle = n->phandle, .base = n->base, .size = n->size, .sources = n->ndev};

    for (size_t i = 0; i < n->extended.len / 8 && i < CONTEXTS; i++) {
        struct dev_tree_context x = {fdt_cell(&n->extended, 2 * i),
                                     fdt_cell(&n->extended, 2 * i + 1)};
        w->nomem |= !vec_push(&c.contexts, x);
    }
    if (w->tree->controllers.len == CONTROLLERS || !vec_push(&w->tree->controllers, c))
        vec_free(&c.contexts);
}

/* Whom its interrupts go to, by itself or what it lies in. */
static uint32_t parent_of(const struct walk *w, unsigned depth)
{
    for (unsigned i = depth + 1; i--;)
        if (w->nodes[i].parent)
            return w->nodes[i].parent;
    return 0;
}

/* A PCI host's pins: three cells of address, one of the pin, the controller, the source (for a
 * controller with no address cells and one interrupt cell, as a PLIC is). */
enum { MAP_CELLS = 6, MAP_PARENT = 4, MAP_SOURCE = 5 };

static void leave_node(struct walk *w, unsigned depth)
{
    const struct node *n = &w->nodes[depth];

    if (!strcmp(n->name, "interrupt-controller") && depth && w->harts.len < HARTS &&
        !strncmp(w->nodes[depth - 1].name, "cpu@", 4))
        w->nomem |= !vec_push(&w->harts, (struct hart){n->phandle, w->nodes[depth - 1].reg0});
    if (n->controller) {
        add_controller(w, n);
        return;
    }
    for (size_t i = 0; i < n->interrupts.len / 4; i++)
        add_source(w, parent_of(w, depth), fdt_cell(&n->interrupts, i), n->name);
    for (size_t i = 0; i < n->map.len / 4 / MAP_CELLS; i++)
        add_source(w, fdt_cell(&n->map, i * MAP_CELLS + MAP_PARENT),
                   fdt_cell(&n->map, i * MAP_CELLS + MAP_SOURCE), n->name);
}

static void name_harts(const struct walk *w)
{
    vec_each (struct dev_tree_controller, c, &w->tree->controllers)
        vec_each (struct dev_tree_context, x, &c->contexts) {
            uint64_t hart = OSCOPE_UNKNOWN;
            for (size_t i = 0; i < w->harts.len; i++)
                if (w->harts.data[i].phandle == x->hart)
                    hart = w->harts.data[i].hart;
            x->hart = hart;
        }
}

struct oscope_error *dev_tree_parse(const uint8_t *blob, size_t n, struct dev_tree *out)
{
    struct walk *w = calloc(1, sizeof *w);
    struct fdt_token t;
    struct fdt f;

    *out = (struct dev_tree){0};
    if (!w)
        return error_nomem();
    w->tree = out;
    out->found = fdt_open(&f, blob, n);
    while (out->found && fdt_next(&f, &t)) {
        if (t.kind == FDT_PROP) {
            take_property(w, &t);
        } else if (t.kind == FDT_NODE) {
            w->nodes[t.depth] = (struct node){0};
            str_copy(w->nodes[t.depth].name, sizeof w->nodes[t.depth].name, t.name);
        } else {
            leave_node(w, t.depth);
        }
    }
    name_harts(w);
    bool nomem = w->nomem;
    vec_free(&w->harts);
    free(w);
    if (nomem)
        dev_tree_free(out);
    return nomem ? error_nomem() : NULL;
}

void dev_tree_free(struct dev_tree *t)
{
    vec_each (struct dev_tree_controller, c, &t->controllers)
        vec_free(&c->contexts);
    vec_free(&t->controllers);
    vec_free(&t->sources);
    *t = (struct dev_tree){0};
}

/* The blob at that address, if there is one that has the controller. */
static struct oscope_error *try_at(struct target *t, uint64_t pa, uint64_t base,
                                   struct dev_tree *out)
{
    uint8_t head[FDT_HEADER];
    size_t n;

    if (!target_read(t, pa, head, sizeof head) || !(n = fdt_size(head)))
        return NULL;
    AUTO_FREE uint8_t *blob = malloc(n); /* a copy stands still */
    if (!blob)
        return error_nomem();
    if (!target_read(t, pa, blob, n))
        return NULL;
    TRY(dev_tree_parse(blob, n, out));
    if (dev_tree_at(out, base)) {
        out->at = pa;
        return NULL;
    }
    dev_tree_free(out);
    return NULL;
}

struct oscope_error *dev_tree_find(struct target *t, uint64_t base, struct dev_tree *out)
{
    unsigned looked = 0;

    *out = (struct dev_tree){0};
    for (size_t i = t->nram; i-- && !out->found;) { /* QEMU puts it near the end */
        uint64_t first = t->ram[i].gpa, at = ALIGN_DOWN(first + t->ram[i].size - 1, ALIGNED);
        for (; at >= first && !out->found && looked < CANDIDATES; looked++) {
            TRY(try_at(t, at, base, out));
            if (at < ALIGNED)
                break;
            at -= ALIGNED;
        }
    }
    return NULL;
}

const struct dev_tree_controller *dev_tree_at(const struct dev_tree *t, uint64_t base)
{
    vec_each (const struct dev_tree_controller, c, &t->controllers)
        if (base >= c->base && base - c->base < MAX(c->size, (uint64_t)1))
            return c;
    return NULL;
}

const char *dev_tree_source(const struct dev_tree *t, const struct dev_tree_controller *c,
                            uint32_t number)
{
    vec_each (const struct dev_tree_source, s, &t->sources)
        if (c && s->controller == c->phandle && s->number == number)
            return s->name;
    return NULL;
}
