/* SPDX-License-Identifier: MIT */
/* `dev`: parts of the view of one controller each, and what the device tree adds to them. */
#ifndef ANALYSIS_DEV_H
#define ANALYSIS_DEV_H

#include <oscope/devices.h>

#include "analysis/view.h"
#include "base/vec.h"
#include "session/devices.h"

enum { DEV_TABLES = 4 };

/* A view in the making: the tables of one controller; notes go to lists[0]. */
struct dev {
    struct oscope_session *session;
    bool all; /* what is masked or unused, too */
    struct mtree_devices map;
    struct view_part parts[DEV_TABLES];
    struct os_list lists[DEV_TABLES];
    size_t n;
};

struct os_list *dev_table(struct dev *d, const char *name, const struct oscope_column *columns,
                          size_t row_size);

struct oscope_error *dev_plic(struct dev *d) WARN_UNUSED;
struct oscope_error *dev_aclint(struct dev *d) WARN_UNUSED;
struct oscope_error *dev_apic(struct dev *d) WARN_UNUSED;
struct oscope_error *dev_serial(struct dev *d) WARN_UNUSED;

/* ---- the device tree that firmware left in guest RAM (dev_tree.c) ---- */

struct dev_tree_context {
    uint64_t hart;  /* OSCOPE_UNKNOWN: none that the tree names */
    uint32_t cause; /* of the hart's interrupt that it leads to; UINT32_MAX: none */
};

/* A controller of interrupts: a PLIC, or a CLINT. */
struct dev_tree_controller {
    uint32_t phandle;
    uint64_t base, size;
    uint32_t sources; /* riscv,ndev */
    VEC(struct dev_tree_context) contexts;
};

struct dev_tree_source {
    uint32_t controller, number; /* phandle; */
    char name[64];               /* the node's: "serial@10000000" */
};

struct dev_tree {
    bool found;
    uint64_t at;       /* where it lies */
    uint64_t timebase; /* Hz of mtime; 0: not told */
    bool sstc;         /* harts have a timer of their own (stimecmp) */
    VEC(struct dev_tree_controller) controllers;
    VEC(struct dev_tree_source) sources;
};

/*
 * Looks for one in RAM, where QEMU puts it: at a multiple of 2 MiB (riscv_compute_fdt_addr() in
 * hw/riscv/boot.c). It must have a controller at `base`, for the guest can write one anywhere.
 */
struct oscope_error *dev_tree_find(struct target *t, uint64_t base,
                                   struct dev_tree *out) WARN_UNUSED;
/* From a blob; nothing found if it is none. */
struct oscope_error *dev_tree_parse(const uint8_t *blob, size_t n,
                                    struct dev_tree *out) WARN_UNUSED;
void dev_tree_free(struct dev_tree *t);

/* The controller that begins at base, or has it in its range; NULL. */
const struct dev_tree_controller *dev_tree_at(const struct dev_tree *t, uint64_t base);
/* The name of a source; NULL: not told. */
const char *dev_tree_source(const struct dev_tree *t, const struct dev_tree_controller *c,
                            uint32_t number);

#endif
