/* SPDX-License-Identifier: MIT */
/*
 * The documents of a GDB stub: target.xml (which registers there are, with the files that it
 * includes) and the memory map. Hostile ones: no entities, bounded depth, size and number.
 *
 * Source: "Debugging with GDB", appendix "Target Descriptions" and "Memory Map Format".
 */
#ifndef TARGET_GDB_XML_H
#define TARGET_GDB_XML_H

#include "base/error.h"
#include "base/vec.h"

#include <stdint.h>

enum { GDB_XML_MAX = 1 << 20, GDB_REGS_MAX = 8192, GDB_RAM_MAX = 64 };

struct gdb_reg {
    char name[24]; /* as the stub calls it, in lower case, cut to fit */
    uint32_t num;  /* for p */
    uint32_t bytes;
    uint32_t at; /* in the answer to g: registers come there in the order of their numbers */
};

struct gdb_regs {
    char arch[32];         /* <architecture>; "" if it does not say */
    char core[40];         /* name of the first feature whose name ends in ".core" or ".cpu" */
    VEC(struct gdb_reg) v; /* in the order of their numbers, each number once */
};

/* Gets a document by name; *text is taken over. */
typedef struct oscope_error *(*gdb_fetch_fn)(void *arg, const char *annex, char **text, size_t *n);

/* Reads "target.xml" and what it includes; the caller frees *out, also after an error. */
struct oscope_error *gdb_xml_target(gdb_fetch_fn fetch, void *arg, struct gdb_regs *out);
/* Adds a register behind those there are; false: no memory, or too many. For layouts that are known
 * without a description. */
bool gdb_regs_add(struct gdb_regs *r, const char *name, uint32_t num, uint32_t bits);
/* To be called when all are added: sorts them and sets where each is in g. */
void gdb_regs_finish(struct gdb_regs *r);
void gdb_regs_free(struct gdb_regs *r);

/* RAM by the stub's memory map; *n is at most GDB_RAM_MAX. */
struct gdb_ram {
    uint64_t start, size;
};
struct oscope_error *gdb_xml_memory(const char *text, size_t len, struct gdb_ram *out, size_t *n);

#endif
