/* SPDX-License-Identifier: MIT */
/*
 * Inside of the compiler of expressions. It follows the tree and keeps, for what lies on top of the
 * stack, its type and a constant that is still to be added: so that a path of members is one offset
 * of one load.
 */
#ifndef OS_PROFILE_ACCESS_IMPL_H
#define OS_PROFILE_ACCESS_IMPL_H

#include "os/profile/access.h"
#include "os/profile/wrap.h"

struct access_compiler {
    const struct access_scope *scope;
    struct access *out;
    unsigned depth; /* of the stack */
};

/* What is on top of the stack. */
struct access_term {
    const struct type *type; /* NULL: not known, or a mere number */
    bool object;             /* an address: of an object of that type (or of unknown type) */
    uint64_t offset;         /* still to be added */
    uint64_t size;           /* of an object: bytes to load */
    uint32_t bit_offset, bit_size;
    const char *name; /* for messages */
};

/* A type for messages; NULL: "of unknown type". */
const char *access_type_text(const struct type *t, char *buf, size_t n);
/* Appends an instruction. */
struct oscope_error *access_emit(struct access_compiler *c, struct access_insn i) WARN_UNUSED;
/* What is still to be added becomes part of the constant it is to be added to, if that is one. */
void access_fold(struct access_compiler *c, struct access_term *t);
/* Adds what is still to be added. */
struct oscope_error *access_settle(struct access_compiler *c, struct access_term *t) WARN_UNUSED;
/* A member of what lies at offset. */
struct access_term access_member(const struct type_place *place, uint64_t offset, const char *name);
/* Without typedefs and qualifiers, and defined; NULL: it has no type. */
const struct type *access_bare(const struct access_compiler *c, const struct access_term *t);
bool access_aggregate(const struct type *bare);
/* What it wraps, in place of it, with what must hold for that to be there; *done: it does. */
struct oscope_error *access_unwrap(struct access_compiler *c, struct access_term *t,
                                   bool *done) WARN_UNUSED;
/* Is it a pointer to counts and a value, as those in Rust's Arc and Rc are? */
bool access_counted(const struct access_compiler *c, const struct access_term *t);
/* The number that stands for it: objects are loaded, arrays and what has no type are addresses, of
 * wrappers it is that of what is in them. */
struct oscope_error *access_number(struct access_compiler *c, struct access_term *t) WARN_UNUSED;

#endif
