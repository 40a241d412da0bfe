/* SPDX-License-Identifier: MIT */
/*
 * The kernel log from hostile guest RAM. Input: two bytes (size of the ring), then the memory that
 * holds the ring's header, descriptors, infos and text. Every row must be in order, its text
 * terminated and within what a record can hold.
 */
#include "fuzz.h"

#include "../unit/fake_linux.h"

enum { RAM = 0x800 };

static void check(const struct os_list *list, uint64_t from)
{
    const struct oscope_log_record *rows = list->rows;

    for (size_t i = 0; i < list->n; i++)
        if (rows[i].seq < from || (i && rows[i].seq <= rows[i - 1].seq) || !rows[i].text ||
            strlen(rows[i].text) > UINT16_MAX || rows[i].level > 7)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct fake_linux f;
    struct os_list list;

    if (n < 2)
        return 0;
    fake_open(&f, "x86_64", RAM);
    memcpy(f.bytes, data + 2, MIN(n - 2, (size_t)RAM));
    fake_log_header(&f, data[0] % 70, data[1] % 70);
    if (data[0] & 0x80) /* the pointers are the guest's too */
        memcpy(fake_at(&f, FAKE_VA + FAKE_PRB), data + 2, MIN(n - 2, (size_t)64));
    if (fake_ready(&f))
        for (uint64_t from = 0; from < 3; from++) {
            os_list_init(&list, sizeof(struct oscope_log_record));
            list.strings.cap = 8 << 20;
            oscope_error_free(linux_log(&f.lm.base, from * 5, &list));
            check(&list, from * 5);
            os_list_free(&list);
        }
    fake_close(&f);
    return 0;
}
