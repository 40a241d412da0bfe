/* SPDX-License-Identifier: MIT */
/*
 * `print` on any text, on a made-up kernel whose RAM the input's tail has scribbled over. Input: as
 * of fixture_open_input(); its first byte: bit 0 --list link (kin of a node), bits 1-2 depth, bits
 * 3-7 elements.
 */
#include "fuzz.h"

#include "../unit/print_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fixture f;
    char *text = fixture_open_input(&f, data, size);

    if (!text)
        return 0;
    const char *word = text, *member = strstr(text, "node") ? "kin" : "link";
    struct oscope_print_options o = {.words = &word,
                                     .nwords = 1,
                                     .list = data[0] & 1 ? member : NULL,
                                     .depth = data[0] >> 1 & 3,
                                     .max_elements = data[0] >> 3};
    struct os_list l;
    os_list_init(&l, sizeof(struct oscope_value));
    struct oscope_error *err = print_os(&f.os, &o, &l);
    for (size_t i = 0; i < l.n; i++) {
        const struct oscope_value *v = (const struct oscope_value *)l.rows + i;
        if (!v->path || !v->name || !v->type || (!v->value && !v->aggregate))
            abort(); /* a row must be complete */
    }
    oscope_error_free(err);
    os_list_free(&l);
    fixture_close(&f);
    free(text);
    return 0;
}
