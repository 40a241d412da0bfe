/* SPDX-License-Identifier: MIT */
/*
 * The text of a profile: sections of `key = value` lines (oscope-profile(1)). This part knows lines
 * and names; what values mean is compile.c's.
 *
 *     # a comment, also behind a value: two spaces or more and '#'
 *     [section]
 *     key = value
 *         which goes on where a line is indented
 */
#ifndef OS_PROFILE_TEXT_H
#define OS_PROFILE_TEXT_H

#include "base/arena.h"
#include "base/error.h"
#include "base/vec.h"

#include <stdbool.h>

enum {
    PROFILE_BYTES_MAX = 256 << 10,
    PROFILE_LINES_MAX = 2048,
    PROFILE_VALUE_MAX = 2048,
};

struct profile_entry {
    const char *section, *key, *value;
    unsigned line; /* from 1 */
};

struct profile_text {
    const char *file; /* for messages */
    VEC(struct profile_entry) entries;
    struct arena memory;
};

/* Parses n bytes. Errors name file and line: OSCOPE_E_USAGE. */
struct oscope_error *profile_text_parse(const char *file, const char *bytes, size_t n,
                                        struct profile_text *out) WARN_UNUSED;
/* The same of a file. */
struct oscope_error *profile_text_read(const char *path, struct profile_text *out) WARN_UNUSED;
void profile_text_free(struct profile_text *t);

/* The entry, or NULL. */
const struct profile_entry *profile_text_find(const struct profile_text *t, const char *section,
                                              const char *key);

/* "file:line: key: text": where in a profile something is wrong. */
struct oscope_error *profile_at(const struct profile_text *t, const struct profile_entry *e,
                                struct oscope_error *err) WARN_UNUSED;

#endif
