/* SPDX-License-Identifier: MIT */
/* Edit distance as in Wagner and Fischer, "The String-to-String Correction Problem" (1974), with
 * two rows: see near.h. */
#include "base/near.h"

#include "base/util.h"

#include <ctype.h>

enum { WORD_MAX = 64 };

static unsigned distance(const char *a, size_t na, const char *b, size_t nb)
{
    unsigned rows[2][WORD_MAX + 1];

    for (unsigned j = 0; j <= nb; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= na; i++) {
        const unsigned *above = rows[(i - 1) % 2];
        unsigned *row = rows[i % 2];
        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            bool same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);
            row[j] = MIN(above[j - 1] + !same, MIN(above[j], row[j - 1]) + 1);
        }
    }
    return rows[na % 2][nb];
}

void near_try(struct near *n, const char *candidate)
{
    size_t na = strnlen(n->word, WORD_MAX), nb = strnlen(candidate, WORD_MAX);
    unsigned most = na < 3 ? 1 : na < 8 ? 2 : 3, d = distance(n->word, na, candidate, nb);

    if (d > most || d >= nb || (n->found && d >= n->distance))
        return;
    n->found = candidate;
    n->distance = d;
}
