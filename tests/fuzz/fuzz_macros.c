/* SPDX-License-Identifier: MIT */
/* Macros: a block of any bytes; definitions, a line each, that become a good block; what they are
 * worth. And the text that says what traps are for. */
#include "fuzz.h"

#include "base/util.h"
#include "os/trap_names.h"
#include "symbols/macros.h"

static void evaluate(void *arg, const char *name, const char *body)
{
    int64_t value;

    macros_eval(arg, body, NULL, NULL, &value);
}

static void find(void *arg, const char *name, const char *body)
{
    evaluate(arg, name, body);
    if (macros_body(arg, name) != body)
        abort();
}

static void block(const uint8_t *data, size_t size)
{
    uint8_t *copy = aligned_alloc(64, ALIGN_UP(size + 1, 64));

    if (!copy)
        return;
    memcpy(copy, data, size);
    const struct macros *m = macros_of(copy, size, size >= 16 ? load64(copy + 8) : 0);
    if (m)
        macros_each(m, "", evaluate, copy);
    free(copy);
}

static void definitions(char *text)
{
    struct macros_builder b = {0};
    unsigned unit = 1;

    for (char *line; (line = strsep(&text, "\n"));)
        macros_add(&b, unit += !*line, (uint64_t)*line, line);
    struct macros *m = macros_finish(&b, 1);
    if (!m || macros_of(m, macros_bytes(m), 1) != m)
        abort();
    macros_each(m, "", find, m);
    free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trap_name trap;
    char *text = size < 1 << 16 ? malloc(size + 1) : NULL;

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    block(data, size);
    if (trap_names_find(text, size ? data[0] : 0, &trap) && strlen(trap.name) >= TRAP_NAME_MAX)
        abort();
    definitions(text);
    free(text);
    return 0;
}
