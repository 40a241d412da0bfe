/* SPDX-License-Identifier: MIT */
/*
 * QEMU's trace log and memory map. Input: lines; each is parsed, what it tells is looked up in a
 * map made of the whole input, and the register is named.
 */
#include "fuzz.h"

#include "base/util.h"
#include "capture/qemutrace/devices.h"
#include "capture/qemutrace/map.h"

#define CHECK(x)                                                                                   \
    do {                                                                                           \
        if (!(x))                                                                                  \
            __builtin_trap();                                                                      \
    } while (0)

static void fuzz_event(struct qemutrace_map *m, const struct qemutrace_event *e)
{
    char name[QEMUTRACE_REGISTER];
    struct qemutrace_access a = {e->name, e->address, e->write, e->cpu >= 0};

    CHECK(memchr(e->name, 0, sizeof e->name));
    CHECK(e->cpu >= -1 && e->thread >= 0 && e->size <= 64);
    CHECK(!e->thread || e->realtime % 1000 == 0);
    qemutrace_map_offset(m, e->name, e->address, &a.offset);
    qemutrace_register(&a, name);
    CHECK(memchr(name, 0, sizeof name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = malloc(size + 1);

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    struct qemutrace_map *m = qemutrace_map_new(text);
    for (size_t at = 0; at < size;) {
        /* a line of its own in memory: reading beyond it is seen */
        const char *nl = memchr(text + at, '\n', size - at);
        size_t n = nl ? (size_t)(nl - (text + at)) : size - at;
        char *line = malloc(n ? n : 1);
        struct qemutrace_event e;
        if (line && m) {
            memcpy(line, text + at, n);
            if (qemutrace_parse(line, n, &e) == QEMUTRACE_EVENT)
                fuzz_event(m, &e);
        }
        free(line);
        at += n + 1;
    }
    qemutrace_map_free(m);
    return 0;
}
