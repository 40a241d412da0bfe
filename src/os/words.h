/* SPDX-License-Identifier: MIT */
/* Words for numbers, as models and sessions make them: texts that lie one behind the other in a
 * buffer that somebody else has. */
#ifndef OS_WORDS_H
#define OS_WORDS_H

#include "trace/schema.h"

#include <stddef.h>

struct os_words {
    char *at;
    size_t room;
};

/* Keeps a text; NULL: it has no room. */
const char *words_keep(struct os_words *w, const char *text);
/* "first|A|B|0x40" of the bits; first may be "". NULL: none of them has a name, or no room. */
const char *words_bits(struct os_words *w, const struct trace_value *values, uint64_t v,
                       const char *first);
/* The value's name, NULL: it has none. */
const char *words_value(const struct trace_value *values, uint64_t v);

/*
 * The next byte of text that is escaped as events have it (capture/wire.h, WIRE_OP_PUT_DATA), *p
 * behind it; -1: there is none, or (a backslash that stands alone) more that the text has not.
 */
int words_byte(const char **p);

/* Of strings as WIRE_OP_PUT_TEXT has them: where the text ends, before the backslash that says that
 * there is more; */
size_t words_length(const char *s);
/* "NULL", or the first of a longer one with an ellipsis behind it (*cut becomes true); NULL: it is
 * simply its text, or there is no room. */
const char *words_string(struct os_words *w, const char *s, bool *cut);

#endif
