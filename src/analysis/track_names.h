/* SPDX-License-Identifier: MIT */
/*
 * Names of slices, each text once, as numbers. Bounded: when there are too many, or no memory is
 * left for them, all further ones are TRACK_NAME_MORE. Texts are the guest's bytes.
 */
#ifndef ANALYSIS_TRACK_NAMES_H
#define ANALYSIS_TRACK_NAMES_H

#include "base/hash.h"
#include "base/vec.h"

#include <stdint.h>

enum {
    TRACK_NAME_NONE,        /* "" */
    TRACK_NAME_MORE,        /* "(more names)" */
    TRACK_NAME_BYTES = 160, /* of one; longer ones are cut */
};

struct track_memory;

struct track_names {
    VEC(struct track_name {
        uint32_t at; /* in text */
        int32_t tid; /* of the task that it names, with its name; else TRACK_NO_TASK */
    })
    list;
    VEC(char) text;
    struct hash index;
    size_t most;                 /* names */
    struct track_memory *memory; /* that they are counted in; NULL: in none */
    size_t counted;              /* bytes, there */
    uint64_t refused;            /* that found no place */
    uint64_t tried;              /* those, and those that did: since track_names_init() */
};

#define TRACK_NO_TASK (-1)

/* Zeroed before; at most so many names, and (if memory is not NULL) bytes of that, which stays.
 * False: out of memory. */
bool track_names_init(struct track_names *n, size_t most, struct track_memory *memory);
void track_names_free(struct track_names *n);
size_t track_names_bytes(const struct track_names *n);

/* The number of that text. */
uint32_t track_names_put(struct track_names *n, const char *text, int32_t tid);

static inline const char *track_names_text(const struct track_names *n, uint32_t name)
{
    return name < n->list.len ? n->text.data + n->list.data[name].at : "";
}

static inline int32_t track_names_tid(const struct track_names *n, uint32_t name)
{
    return name < n->list.len ? n->list.data[name].tid : TRACK_NO_TASK;
}

#endif
