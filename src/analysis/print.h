/* SPDX-License-Identifier: MIT */
/* Inside of `print`: evaluating (print_eval.c), rows (print_rows.c, print_scalar.c), lists
 * (print_list.c). */
#ifndef ANALYSIS_PRINT_H
#define ANALYSIS_PRINT_H

#include "symbols/expr.h"
#include "base/hash.h"
#include "os/model.h"

#include <oscope/session.h>

enum {
    PRINT_ELEMENTS = 64,  /* of arrays, when the user says nothing */
    PRINT_LIST = 1024,    /* of lists */
    PRINT_DEPTH = 3,      /* levels of members */
    PRINT_LIST_DEPTH = 1, /* the same for each element of a list */
    PRINT_DEPTH_MAX = 32,
    PRINT_ROWS_MAX = 1 << 20,
    PRINT_SNAPSHOT_MAX = 1 << 20,
    PRINT_STRING_MAX = 256, /* bytes of text behind a char pointer or in a char array */
};

/* A result: something in guest memory (lvalue) or a number. */
struct print_value {
    const struct type *type; /* NULL: an address whose type nobody knows */
    bool lvalue;
    uint64_t address;              /* of an lvalue */
    uint32_t bit_offset, bit_size; /* of an lvalue that is a bit-field of `size` bytes */
    uint64_t size;                 /* bytes to load at address */
    uint64_t span;    /* bytes of the symbol that the lvalue is, 0 unknown or no symbol */
    uint64_t number;  /* when no lvalue */
    const char *name; /* for messages: what was written */
};

struct print {
    struct os_model *os;
    struct vspace *vs;
    struct types *types;
    struct symtab *symtab;
    struct os_list *list; /* rows: struct oscope_value; strings and notes */
    struct arena *memory; /* for what lives as long as the call */
    uint32_t max_elements, max_list, max_depth;
    bool full;  /* no more rows: a cap or out of memory */
    bool moves; /* the guest runs meanwhile */
    /*
     * How many CPUs have their own copy of the per-CPU variable whose symbol is at var (0: it is
     * none), and where that of cpu lies. NULL: the OS model does not say.
     */
    unsigned (*per_cpu)(struct os_model *m, uint64_t var, unsigned cpu, uint64_t *address);
    /* The object being printed, read at once. */
    struct print_snapshot {
        uint8_t *bytes;
        uint64_t address, size;
        enum oscope_consistency consistency;
    } snapshot;
};

/* All of `print`: rows (struct oscope_value) and notes into list. */
struct oscope_error *print_os(struct os_model *m, const struct oscope_print_options *o,
                              struct os_list *list) WARN_UNUSED;

/* Evaluates an input (its type included). */
struct oscope_error *print_eval(struct print *p, const struct expr_input *in,
                                struct print_value *out) WARN_UNUSED;
/* The type of that spelling; OSCOPE_E_NOT_FOUND. */
struct oscope_error *print_type(struct print *p, const char *spelling,
                                const struct type **out) WARN_UNUSED;
/* The number an lvalue holds (at most 8 bytes, sign-extended if its type is signed). */
struct oscope_error *print_load(struct print *p, const struct print_value *v,
                                uint64_t *out) WARN_UNUSED;
/* Replaces an lvalue of pointer type by what it points to; others stay. */
struct oscope_error *print_follow(struct print *p, struct print_value *v) WARN_UNUSED;

/* Rows for a value and what is in it. path: how it was written. */
struct oscope_error *print_rows(struct print *p, const char *path,
                                const struct print_value *v) WARN_UNUSED;

/* Rows for each element of the list that v (an element, or a list's head) is on. type: of the
 * elements, NULL: v's own. member: path of the list_head in it. */
struct oscope_error *print_list(struct print *p, const char *path, const struct type *type,
                                const char *member, const struct print_value *v) WARN_UNUSED;

/* The n bytes at an address: in the snapshot, or read into scratch; NULL if not mapped. */
const uint8_t *print_bytes(struct print *p, uint64_t address, size_t n, void *scratch);

/* A scalar as text into list->strings. bytes: size of them; NULL: not mapped. */
const char *print_scalar(struct print *p, const struct type *t, const uint8_t *bytes, size_t size,
                         uint32_t bit_offset, uint32_t bit_size);
/* A number with a type (a computed value). */
const char *print_number(struct print *p, const struct type *t, uint64_t v);
/* n bytes of text in quotes, up to the first terminator, escaped as C does. */
const char *print_text(struct print *p, const uint8_t *s, size_t n);

#endif
