/* SPDX-License-Identifier: MIT */
/*
 * kallsyms in hostile guest RAM. Input: one byte that chooses the layout, then changes (offset from
 * the tables' first byte, 3 bytes; value, 1 byte) made to a small good image before it is located,
 * decoded and relocated. A bit of the first byte takes the mapping away, so that the window that
 * reads RAM piecemeal is used.
 */
#include "fuzz.h"

#include "../unit/kallsyms_encode.h"
#include "symbols/kallsyms.h"

static bool read_ram(struct target *t, const struct target_ram *ram, uint64_t off, void *buf,
                     size_t n)
{
    const struct fake *f = t->backend;

    memcpy(buf, f->mem + off, n);
    return true;
}

static void look(struct target *t)
{
    uint64_t skip[4];
    size_t nskip = 0;

    while (nskip < ARRAY_SIZE(skip)) {
        struct kallsyms ks;
        struct symimage *img = NULL;
        struct oscope_error *err = kallsyms_locate(t, ENC_GPA, skip, nskip, &ks);

        if (err) {
            oscope_error_free(err);
            return;
        }
        skip[nskip++] = ks.tokens_pa;
        err = kallsyms_decode(t, &ks, &img);
        if (err) {
            oscope_error_free(err);
            continue;
        }
        struct symtab *st = symtab_new();
        struct symbol s;
        if (!symtab_add(st, img, ks.text_va, NULL) || symtab_count(st) != ks.layout.count)
            abort();
        for (size_t i = 0; i < symtab_count(st); i += 7)
            if (!symtab_at(st, i, &s) || !symtab_find(st, s.name, &s))
                abort(); /* what was decoded can be found */
        symtab_free(st);
        /* a layout just learned fits the kernel it came from */
        uint64_t text_va = ks.text_va;
        err = kallsyms_relocate(t, &ks);
        if (err || ks.text_va != text_va)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct target_ops unmapped = {.name = "unmapped", .read = read_ram};
    static struct enc images[4];
    static uint8_t *good[4];

    if (!n)
        return 0;
    struct enc *e = &images[data[0] & 3];
    uint8_t **saved = &good[data[0] & 3];
    if (!*saved) {
        enc_init(e, (struct enc_options){.order = data[0] & 3,
                                         .functions = 600,
                                         .percpu = (data[0] & 3) == ENC_6_2});
        *saved = malloc(e->ram);
        memcpy(*saved, e->fake.mem, e->ram);
    }
    uint64_t from = MIN(e->addresses, e->num) - 16 - ENC_GPA, len = e->end + 16 - ENC_GPA - from;
    for (size_t i = 1; i + 4 <= n; i += 4)
        e->fake.mem[from + (data[i] | data[i + 1] << 8 | data[i + 2] << 16) % len] = data[i + 3];
    struct target t = e->fake.target;
    struct target_ram ram = e->fake.ram;
    t.ram = &ram;
    if (data[0] & 4) {
        ram.map = NULL;
        t.ops = &unmapped;
    }
    look(&t);
    memcpy(e->fake.mem + from, *saved + from, len);
    return 0;
}
