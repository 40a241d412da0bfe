/* SPDX-License-Identifier: MIT */
/*
 * Types that do nothing but hold one thing: Rust's Option, Arc, RefCell, Mutex, NonNull, newtypes
 * (and structures of C that look the same). A path of members goes through them unnamed.
 */
#ifndef OS_PROFILE_WRAP_H
#define OS_PROFILE_WRAP_H

#include "symbols/types.h"

enum { WRAP_DEPTH = 32 }; /* wrappers in each other */

struct wrap {
    struct type_place payload;
    /* Of an enum (Option): the payload is there only if the discriminant, that lies at this place,
     * has this value, or where otherwise is set, has it not. */
    bool conditional, otherwise;
    struct type_place discriminant;
    uint64_t value;
};

/* What t, a structure or union, wraps; false: it is no wrapper. */
bool wrap_payload(struct types *ts, const struct type *t, struct wrap *out);
/* Is t what a counted pointer (Arc, Rc) points to, counts and value in one? */
bool wrap_is_counted(const struct type *t);
/* The places of a growable array's first element's address and of its length; its elements' type
 * (NULL: what its pointer points to). False: t is none. */
bool wrap_vector(const struct type *t, struct type_place *buffer, struct type_place *length,
                 const struct type **element);

#endif
