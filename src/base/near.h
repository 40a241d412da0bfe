/* SPDX-License-Identifier: MIT */
/* What somebody may have meant who wrote a word that is not known. */
#ifndef BASE_NEAR_H
#define BASE_NEAR_H

#include <stddef.h>

struct near {
    const char *word;  /* what was written */
    const char *found; /* the best candidate so far, NULL: none is near enough */
    unsigned distance; /* its */
};

/* Looks at one more candidate: kept if its edit distance to the word is the smallest so far, and
 * small enough for a typing mistake. Words are compared up to 64 bytes, in capitals or not. */
void near_try(struct near *n, const char *candidate);

#endif
