/* SPDX-License-Identifier: MIT */
/* Ids of threads that count in their process alone, as people write them: OSCOPE_THREAD. */
#include <oscope/rows.h>

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

const char *oscope_thread_text(int64_t id, char text[24])
{
    if (id >= OSCOPE_THREAD && id <= INT32_MAX)
        snprintf(text, 24, "%" PRId64 ".%" PRId64, id % OSCOPE_THREAD, id / OSCOPE_THREAD);
    else
        snprintf(text, 24, "%" PRId64, id);
    return text;
}

/* A whole number at text, at most max; *end: behind it. */
static bool number(const char *text, int base, uint64_t max, char **end, uint64_t *out)
{
    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    *out = strtoull(text, end, base);
    return !errno && *out <= max;
}

bool oscope_thread_parse(const char *text, int32_t *id)
{
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    uint64_t process, thread = 0;
    char *end;

    if (!number(text, hex ? 16 : 10, INT32_MAX, &end, &process))
        return false;
    if (*end == '.' &&
        (!number(end + 1, 10, OSCOPE_THREAD_PER_MAX, &end, &thread) || process >= OSCOPE_THREAD))
        return false;
    *id = (int32_t)(process + thread * OSCOPE_THREAD);
    return !*end;
}
