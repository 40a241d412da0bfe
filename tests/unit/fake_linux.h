/* SPDX-License-Identifier: MIT */
/*
 * A Linux model over a few pages of made-up RAM, for testing one decoder at a time: no page tables
 * (the RAM is one direct range), symbols and layout as the test says.
 */
#ifndef TESTS_FAKE_LINUX_H
#define TESTS_FAKE_LINUX_H

#include "base/util.h"
#include "os/linux/linux.h"

#define FAKE_VA UINT64_C(0xffffffff80000000)

struct fake_linux {
    struct target target;
    struct target_ram ram;
    uint8_t *bytes;
    size_t size;
    struct linux_model lm;
    struct symimage_builder *symbols;
};

static inline void fake_open(struct fake_linux *f, const char *arch, size_t size)
{
    *f = (struct fake_linux){.size = size, .bytes = calloc(1, size)};
    f->ram = (struct target_ram){.gpa = 0x1000, .size = size, .map = f->bytes, .fd = -1};
    f->target = (struct target){.arch = arch, .ram = &f->ram, .nram = 1};
    struct os_model *m = &f->lm.base;
    m->target = &f->target;
    m->arch = arch_find(arch);
    struct paging none = {0}, high = {m->arch->modes[0], 0};
    for (size_t i = 0; m->arch->modes[i]; i++)
        if (strcmp(arch, "aarch64") == 0 && m->arch->modes[i]->high_half &&
            m->arch->modes[i]->va_bits == 48)
            high.mode = m->arch->modes[i];
    vspace_init(&m->kernel, &f->target, m->arch, &none, &high);
    vspace_add_direct(&m->kernel, FAKE_VA, size, f->ram.gpa);
    f->lm.has_layout = true;
    f->lm.kernel_min = ~UINT64_C(0) << (high.mode->va_bits - !high.mode->high_half);
    f->symbols = symimage_builder_new();
}

/* Where a guest address lies in f->bytes. */
static inline uint8_t *fake_at(struct fake_linux *f, uint64_t va)
{
    return f->bytes + (va - FAKE_VA);
}

static inline void fake_put(struct fake_linux *f, uint64_t va, uint64_t value)
{
    memcpy(fake_at(f, va), &value, 8);
}

static inline void fake_put_n(struct fake_linux *f, uint64_t va, uint64_t value, size_t n)
{
    memcpy(fake_at(f, va), &value, n);
}

static inline void fake_symbol(struct fake_linux *f, const char *name, uint64_t va)
{
    symimage_add(f->symbols, va, 0, 'T', false, name, strlen(name));
}

/* Ends the list of symbols. False: out of memory. */
static inline bool fake_ready(struct fake_linux *f)
{
    struct symimage *img;
    struct oscope_error *err = symimage_finish(f->symbols, &img);

    f->symbols = NULL;
    oscope_error_free(err);
    f->lm.base.symtab = symtab_new();
    return !err && f->lm.base.symtab && symtab_add(f->lm.base.symtab, img, 0, NULL);
}

static inline void fake_close(struct fake_linux *f)
{
    if (f->symbols)
        symimage_builder_free(f->symbols);
    symtab_free(f->lm.base.symtab);
    free(f->bytes);
}

static inline struct layout_field fake_field(uint32_t offset, uint16_t size)
{
    return (struct layout_field){.offset = offset, .size = size, .present = 1};
}

static inline struct layout_field fake_bits(uint32_t offset, uint16_t size, uint8_t bit,
                                            uint8_t nbits)
{
    return (struct layout_field){
        .offset = offset, .size = size, .bit = bit, .bits = nbits, .present = 1};
}

/* ---- the kernel log, as kernels from 5.10 lay it out ---- */

/* Room for 8 records and 256 bytes of text. */
enum { FAKE_PRB = 0x100, FAKE_DESCS = 0x200, FAKE_INFOS = 0x300, FAKE_TEXT = 0x600 };

static inline void fake_log_layout(struct layout *l)
{
    l->size.prb_desc = 24;
    l->size.printk_info = 88;
    l->prb_count_bits = fake_field(0, 4);
    l->prb_descs = fake_field(8, 8);
    l->prb_infos = fake_field(16, 8);
    l->prb_head_id = fake_field(24, 8);
    l->prb_tail_id = fake_field(32, 8);
    l->prb_size_bits = fake_field(48, 4);
    l->prb_data = fake_field(56, 8);
    l->desc_state_var = fake_field(0, 8);
    l->desc_begin = fake_field(8, 8);
    l->desc_next = fake_field(16, 8);
    l->info_seq = fake_field(0, 8);
    l->info_time = fake_field(8, 8);
    l->info_text_len = fake_field(16, 2);
    l->info_facility = fake_field(18, 1);
    l->info_level = fake_bits(19, 1, 5, 3);
    l->info_caller = fake_field(20, 4);
}

/* The header of a ring of 2^count_bits records and 2^size_bits bytes of text; symbol `prb`. */
static inline void fake_log_header(struct fake_linux *f, unsigned count_bits, unsigned size_bits)
{
    uint64_t prb = FAKE_VA + FAKE_PRB;

    fake_log_layout(&f->lm.layout);
    fake_symbol(f, "prb", FAKE_VA + 0x80);
    fake_put(f, FAKE_VA + 0x80, prb);
    fake_put_n(f, prb, count_bits, 4);
    fake_put(f, prb + 8, FAKE_VA + FAKE_DESCS);
    fake_put(f, prb + 16, FAKE_VA + FAKE_INFOS);
    fake_put_n(f, prb + 48, size_bits, 4);
    fake_put(f, prb + 56, FAKE_VA + FAKE_TEXT);
}

#endif
