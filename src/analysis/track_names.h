/* SPDX-License-Identifier: MIT */
/*
 * Names of slices, each text once, as numbers. Bounded: when there are too many, all further ones
 * are TRACK_NAME_MORE. Texts are the guest's bytes.
 */
#ifndef ANALYSIS_TRACK_NAMES_H
#define ANALYSIS_TRACK_NAMES_H

#include "base/hash.h"
#include "base/vec.h"

#include <stdint.h>

enum {
    TRACK_NAME_NONE, /* "" */
    TRACK_NAME_MORE, /* "(more names)" */
    TRACK_NAMES_MOST = 1 << 16,
    TRACK_NAME_BYTES = 160, /* of one; longer ones are cut */
};

struct track_names {
    VEC(struct track_name {
        uint32_t at; /* in text */
        int32_t tid; /* of the task that it names, with its name; else TRACK_NO_TASK */
    })
    list;
    VEC(char) text;
    struct hash index;
    uint64_t refused; /* that found no place */
};

#define TRACK_NO_TASK (-1)

/* Zeroed before. False: out of memory. */
bool track_names_init(struct track_names *n);
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
