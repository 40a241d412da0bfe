/* SPDX-License-Identifier: MIT */
/*
 * `print` on any text, on a made-up kernel whose RAM the input's tail has scribbled over. Input:
 * byte 0: bit 0 --list link (kin of a node), bits 1-2 depth, bits 3-7 elements; then the expression
 * up to a zero byte; then triples (u16 offset, u8 value) for the RAM.
 */
#include "../unit/print_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fixture f;

    if (size < 2 || size > 4096)
        return 0;
    size_t len = strnlen((const char *)data + 1, size - 1);
    char *text = malloc(len + 1);
    memcpy(text, data + 1, len);
    text[len] = '\0';
    if (!fixture_open(&f))
        abort();
    fixture_link(&f, size & 1);
    for (size_t i = len + 2; i + 3 <= size; i += 3)
        f.bytes[load16(data + i)] = data[i + 2];
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
