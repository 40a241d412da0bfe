/* SPDX-License-Identifier: MIT */
/*
 * What `dev` reads: a device tree in guest RAM, which is hostile, and what QEMU's monitor prints of
 * interrupt controllers and registers. Input: the blob, or the text.
 */
#include "fuzz.h"

#include "analysis/dev.h"
#include "target/apictext.h"

#include "base/util.h"

#define CHECK(x)                                                                                   \
    do {                                                                                           \
        if (!(x))                                                                                  \
            __builtin_trap();                                                                      \
    } while (0)

static void fuzz_tree(const uint8_t *data, size_t size)
{
    struct dev_tree t;
    struct oscope_error *err = dev_tree_parse(data, size, &t);

    CHECK(!err);
    for (size_t i = 0; i < t.sources.len; i++)
        CHECK(memchr(t.sources.data[i].name, 0, sizeof t.sources.data[i].name));
    for (size_t i = 0; i < t.controllers.len; i++) {
        const struct dev_tree_controller *c = dev_tree_at(&t, t.controllers.data[i].base);
        CHECK(c);
        dev_tree_source(&t, c, 1);
    }
    dev_tree_free(&t);
}

static void fuzz_text(const char *text)
{
    struct apic_machine *m = malloc(sizeof *m);
    uint64_t values[64];
    struct apic_local a;

    if (apic_parse_local(text, &a)) {
        CHECK(a.nlvt && a.nlvt <= APIC_LVTS);
        for (size_t i = 0; i < a.nlvt; i++)
            CHECK(memchr(a.lvt[i].name, 0, sizeof a.lvt[i].name));
    }
    if (m) {
        apic_parse_machine(text, m);
        CHECK(m->nio <= APIC_IOAPICS && m->npic <= APIC_PICS);
        for (size_t i = 0; i < m->nio; i++)
            CHECK(m->io[i].npins <= APIC_PINS);
    }
    peek_parse(text, ARRAY_SIZE(values), values);
    free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *blob = malloc(size ? size : 1); /* exact size, for ASan */
    char *text = strndup((const char *)data, size);

    if (blob && text) {
        memcpy(blob, data, size);
        fuzz_tree(blob, size);
        fuzz_text(text);
    }
    free(blob);
    free(text);
    return 0;
}
