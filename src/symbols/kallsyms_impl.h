/* SPDX-License-Identifier: MIT */
/*
 * Inside of the kallsyms decoder: the window of guest RAM around the tables, and what each step
 * hands to the next. kallsyms_locate.c finds the token table, kallsyms_tables.c the others,
 * kallsyms_place.c where the kernel runs; kallsyms.c joins them.
 */
#ifndef SYMBOLS_KALLSYMS_IMPL_H
#define SYMBOLS_KALLSYMS_IMPL_H

#include "symbols/kallsyms.h"
#include "symbols/symimage.h"

/* ---- window: populated RAM around an address, one run without gaps ---- */

struct kwin {
    struct target *target;
    uint64_t base, size;   /* physical */
    const uint8_t *direct; /* RAM itself, or NULL */
    uint8_t *copy;         /* else pages read so far … */
    uint64_t *have;        /* … a bit for each chunk of them */
};

/* At most before bytes below pa and after bytes from it on, cut at gaps. */
struct oscope_error *kwin_open(struct kwin *w, struct target *t, uint64_t pa, uint64_t before,
                               uint64_t after);
void kwin_close(struct kwin *w);
/* n bytes at pa, valid until kwin_close(); NULL if not all in the window or unreadable. A live
 * guest may change them between two looks. */
const uint8_t *kwin_ptr(struct kwin *w, uint64_t pa, size_t n);

/* ---- tables ---- */

enum { KTOKEN_FAST = 16 };

/* A private, checked copy of the token table: token i is text + offset[i], len[i] bytes. */
struct ktokens {
    uint64_t pa, end;  /* the table in RAM, without the index */
    uint64_t index_pa; /* u16[256] */
    uint16_t len[256];
    uint32_t offset[256];
    uint32_t size;
    char *text; /* with KTOKEN_FAST bytes of slack after the end */
};

/* Whether the token table surrounds "0\0" "1\0" … at digits_pa; fills *out. */
bool ktokens_read(struct target *t, uint64_t digits_pa, struct ktokens *out);
/* The table that begins at pa. */
bool ktokens_at(struct target *t, uint64_t pa, struct ktokens *out);
void ktokens_free(struct ktokens *tok);
/* The hash that identifies the build. */
uint64_t ktokens_key(struct target *t, const struct ktokens *tok);

struct knames {
    uint64_t num_pa, names_pa, names_end, markers_pa;
    uint32_t count, nmarkers;
    bool byte_lengths; /* 5.10 … 6.0: one-byte lengths */
};

/* Finds markers, names and the count from where the tokens lie. */
struct oscope_error *knames_find(struct kwin *w, const struct ktokens *tok, struct knames *out);

/* Length of the name at p (of avail bytes, the length field included): bytes of the compressed
 * name, *head those before it. 0: bad. */
static inline size_t kname_len(const uint8_t *p, size_t avail, bool byte_lengths, size_t *head)
{
    if (!avail)
        return 0;
    size_t len = p[0];
    *head = 1;
    if (len & 0x80 && !byte_lengths) {
        if (avail < 2)
            return 0;
        len = (len & 0x7f) | (size_t)p[1] << 7;
        *head = 2;
    }
    return len <= avail - *head ? len : 0;
}

/* ---- addresses ---- */

enum kaddr_kind { KADDR_BASE, KADDR_ABSOLUTE, KADDR_SLOT };

struct kaddrs {
    const struct kaddr_row *row;
    enum kaddr_kind kind;
    uint64_t table_pa, base_pa, base; /* base_pa 0: none */
    uint32_t count;
    unsigned ptr_size;
    bool percpu;
    const uint8_t *table; /* in the window */
};

/* A row of the layout table: where the addresses lie and what they are. */
struct kaddr_row {
    const char *name;
    enum kaddr_kind kind;
    bool before;    /* before the count, else after the token index */
    unsigned align; /* of the label, 0: the pointer size */
};

extern const struct kaddr_row kaddr_rows[];
extern const unsigned kaddr_nrows;

/* Tries one row: false when the numbers there can't be a kernel's addresses. */
bool kaddrs_try(struct kwin *w, const struct ktokens *tok, const struct knames *names,
                const struct kaddr_row *row, unsigned ptr_size, struct kaddrs *out);

/* Address i: virtual, or for KADDR_SLOT physical. *absolute: not moved by KASLR. */
static inline uint64_t kaddr_of(enum kaddr_kind kind, bool percpu, unsigned ptr_size, uint64_t base,
                                uint64_t slot_pa, const uint8_t *slot, bool *absolute)
{
    uint32_t v;

    *absolute = false;
    __builtin_memcpy(&v, slot, sizeof v);
    if (kind == KADDR_SLOT)
        return slot_pa + (uint64_t)(int64_t)(int32_t)v;
    if (kind == KADDR_BASE) {
        if (!percpu)
            return base + v;
        if ((int32_t)v >= 0) {
            *absolute = true;
            return v;
        }
        return base - 1 - (uint64_t)(int64_t)(int32_t)v;
    }
    if (ptr_size == 4)
        return v;
    uint64_t v64;
    __builtin_memcpy(&v64, slot, sizeof v64);
    *absolute = v64 < UINT64_C(1) << 32; /* per-CPU offsets */
    return v64;
}

static inline size_t kaddr_width(enum kaddr_kind kind, unsigned ptr_size)
{
    return kind == KADDR_ABSOLUTE ? ptr_size : 4;
}

uint64_t kaddrs_at(const struct kaddrs *a, uint32_t i, bool *absolute);
/* FNV-1a of a sample of the table, the same at every boot of a build. False: unreadable. */
bool kaddrs_sample(struct target *t, const struct kallsyms *ks, uint64_t *hash);

/* ---- where the kernel runs ---- */

enum { KSYM_NONE = UINT32_MAX };

/* Indices in the tables, KSYM_NONE when there is no such symbol. */
struct kspecial {
    uint32_t text, stext, banner, proc_banner, init_task, first_text;
};

struct kplace {
    uint64_t text_va, va_minus_pa, banner_pa;
    unsigned npointers;
    struct {
        uint64_t word_pa, target_pa;
    } pointers[4];
};

/* Reads and checks the banner text at pa: false if there is none. n >= 32. */
bool kbanner_read(struct target *t, uint64_t pa, char *buf, size_t n);

/* Pairs addresses with RAM. img_types: type letter of each symbol (functions are t or T). */
struct oscope_error *kplace_find(struct kwin *w, const struct ktokens *tok, const struct kaddrs *a,
                                 const struct kspecial *sp, const char *types, struct kplace *out);

/* The kernel pointer range of a pointer size. */
static inline bool kernel_va(uint64_t va, unsigned ptr_size)
{
    return ptr_size == 8 ? va >> 56 == 0xff : va >= 0x40000000 && va <= UINT32_MAX;
}

#endif
