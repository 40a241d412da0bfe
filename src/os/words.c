/* SPDX-License-Identifier: MIT */
/* Words for numbers: see words.h. */
#include "os/words.h"

#include "capture/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *words_keep(struct os_words *w, const char *text)
{
    size_t n = strlen(text) + 1;
    char *at = w->at;

    if (n > w->room)
        return NULL;
    memcpy(at, text, n);
    w->at += n;
    w->room -= n;
    return at;
}

const char *words_bits(struct os_words *w, const struct trace_value *values, uint64_t v,
                       const char *first)
{
    char text[160];
    int n = snprintf(text, sizeof text, "%s", first);
    bool named = n > 0;

    for (; values->name && v; values++) {
        if (!values->value || (v & values->value) != values->value || n >= (int)sizeof text)
            continue;
        n += snprintf(text + n, sizeof text - (size_t)n, "%s%s", n ? "|" : "", values->name);
        v &= ~values->value;
        named = true;
    }
    if (v && n < (int)sizeof text)
        n += snprintf(text + n, sizeof text - (size_t)n, "%s0x%" PRIx64, n ? "|" : "", v);
    return named && n < (int)sizeof text ? words_keep(w, text) : NULL;
}

const char *words_value(const struct trace_value *values, uint64_t v)
{
    for (; values->name; values++)
        if (values->value == v)
            return values->name;
    return NULL;
}

int words_byte(const char **p)
{
    static const char named[] = "\t\n\v\f\r\"\\", names[] = "tnvfr\"\\";
    const char *s = *p, *name;
    int v = 0, n = 0;

    if (!*s || (*s == '\\' && !s[1]))
        return -1;
    if (*s != '\\') {
        *p = s + 1;
        return (unsigned char)*s;
    }
    s++;
    if ((name = strchr(names, *s))) {
        *p = s + 1;
        return named[name - names];
    }
    for (; n < 3 && *s >= '0' && *s <= '7'; n++)
        v = 8 * v + *s++ - '0';
    *p = n ? s : s + 1; /* no such escape: hostile, and skipped */
    return v & 0xff;
}

size_t words_length(const char *s)
{
    const char *end = s;

    while (words_byte(&end) >= 0)
        ;
    return (size_t)(end - s);
}

const char *words_string(struct os_words *w, const char *s, bool *cut)
{
    size_t n = words_length(s);
    char text[WIRE_RECORD + 8];

    if (!strcmp(s, "\\0"))
        return "NULL";
    if (!s[n])
        return NULL;
    *cut = true;
    snprintf(text, sizeof text, "\"%.*s\"...", (int)n, s);
    return words_keep(w, text);
}
