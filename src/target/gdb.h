/* SPDX-License-Identifier: MIT */
/*
 * Target over a GDB stub: of an emulator, a simulator, or a probe on a board. It is read only while
 * it is paused (target_ops.pause): that connects, which stops it; the end of the pause disconnects,
 * and it runs on. Between pauses others may use the stub.
 *
 * Stubs read memory at the addresses that the program uses, translated by the vCPU's page tables,
 * but OS models need physical ones. Three ways to those, see enum gdb_memory.
 */
#ifndef TARGET_GDB_H
#define TARGET_GDB_H

#include "target/gdb_xml.h"
#include "target/target.h"

/* What an address in m means. */
enum gdb_memory {
    GDB_MEMORY_ASK,      /* QEMU's stub can be switched to physical ones (gdb_physical()) */
    GDB_MEMORY_PHYSICAL, /* the user says that they are physical */
    GDB_MEMORY_LINEAR,   /* virtual, and the kernel maps all RAM: gdb_range.va */
};

/* RAM [pa, pa + size), whole pages. */
struct gdb_range {
    uint64_t pa, size;
    uint64_t va; /* GDB_MEMORY_LINEAR: where the kernel maps pa */
};

struct gdb_desc {
    const char *address; /* as for gdb_link_open() */
    const char *arch;    /* QEMU's name; must outlive the target */
    enum gdb_memory memory;
    bool stay;             /* the target is stopped already, and is not resumed */
    struct gdb_range *ram; /* any order */
    size_t nram;
};

/*
 * Reads "BASE:SIZE" or "BASE:SIZE@VA", numbers as in C, SIZE with k, M, G or T behind; *linear: a
 * VA is given. OSCOPE_E_USAGE.
 */
struct oscope_error *gdb_range_parse(const char *text, struct gdb_range *out, bool *linear);

/* Sorts ranges and refuses those that overlap or are not of whole pages (OSCOPE_E_USAGE). */
struct oscope_error *gdb_ranges_check(struct gdb_range *ranges, size_t n);
/* For x86: cuts the window of the VGA and the BIOS (0xa0000 to 0xfffff) out of checked ranges,
 * since reading device memory has effects. *ranges is reallocated. */
struct oscope_error *gdb_ranges_cut(struct gdb_range **ranges, size_t *n);

/* What `attach` finds out, connected for a moment. */
struct gdb_facts {
    const char *arch;
    bool physical; /* gdb_physical() works */
    size_t nvcpus;
    struct gdb_ram ram[GDB_RAM_MAX]; /* as the stub says, if it does */
    size_t nram;
};

/* arch: said by the user, or NULL. Errors as of gdb_link_open() and gdb_regs_learn(). */
struct oscope_error *gdb_examine(const char *address, const char *arch, bool stay,
                                 struct gdb_facts *out);

/* Opens the target, which does not connect yet. *out is the caller's. */
struct oscope_error *target_open_gdb(const struct gdb_desc *desc, struct target **out);

/* Why the stub answers no more in this pause; NULL: it does. */
struct oscope_error *target_gdb_trouble(const struct target *t);

/* How long the last pause has stopped the target, ns (a pause that lasts: until now). */
uint64_t target_gdb_stopped(const struct target *t);

#endif
