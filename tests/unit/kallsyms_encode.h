/* SPDX-License-Identifier: MIT */
/*
 * A kernel image made by hand: code, banners, init_task, and its kallsyms tables as
 * scripts/kallsyms.c of one version or another writes them. Written from that script's output
 * format, not from the decoder. Used by the unit test and the fuzz harness.
 */
#ifndef TESTS_KALLSYMS_ENCODE_H
#define TESTS_KALLSYMS_ENCODE_H

#include "fake_target.h"

#include <stdio.h>

enum enc_order {
    ENC_5_10, /* addresses, base, num, names, markers, tokens, index */
    ENC_6_2,  /* the same with 3-byte seqs after the markers */
    ENC_6_4,  /* num, names, markers, tokens, index, addresses, base, seqs */
    ENC_7_0,  /* the same without base, per slot, all aligned to 4 */
};

struct enc_options {
    enum enc_order order;
    unsigned ptr_size; /* 0: 8 */
    bool absolute;     /* addresses themselves, no base */
    bool percpu;       /* absolute per-CPU symbols first */
    bool text_only;    /* KALLSYMS_ALL=n */
    bool byte_lengths; /* one-byte lengths */
    bool decoy;        /* sorted numbers in the noise */
    bool empty_tokens; /* unused codes have no token */
    unsigned functions;
    uint64_t va;  /* of _text; 0: a default */
    uint64_t pad; /* shifts the tables by so many bytes */
};

enum { ENC_TEXT = 64 << 10 }; /* of _text from the start of RAM */

#define ENC_GPA UINT64_C(0x80000000)
#define ENC_BANNER                                                                                 \
    "Linux version 6.99.0-oscope (me@here) (cc 1.0) #1 SMP Thu Jan 1 00:00:00 UTC 1970"
#define ENC_PROC_BANNER "%s version %s (me@here) (cc 1.0) %s"

struct enc_symbol {
    uint64_t va; /* or per-CPU offset */
    char type;
    bool absolute;
    char name[256];
};

struct enc {
    struct fake fake;
    struct enc_options o;
    struct enc_symbol *sym;
    uint32_t n, max;
    uint64_t data, tables, ram; /* offsets: banners, init_task, pointers; kallsyms; size of RAM */
    uint64_t va_minus_pa;
    char token[256][72];
    size_t token_len[256];
    /* where things were put (physical) */
    uint64_t num, names, markers, seqs, tokens, index, addresses, base, end;
    uint32_t *markers_value;
};

static inline struct enc_symbol *enc_add(struct enc *e, uint64_t va, char type, const char *name)
{
    struct enc_symbol *s = &e->sym[e->n++];

    assert(e->n <= e->max);
    *s = (struct enc_symbol){.va = va, .type = type};
    snprintf(s->name, sizeof s->name, "%s", name);
    return s;
}

static inline void enc_symbols(struct enc *e)
{
    uint64_t text = e->o.va, data = text - ENC_TEXT + e->data;
    char name[256];

    for (unsigned i = 0; e->o.percpu && i < 20; i++) {
        snprintf(name, sizeof name, i ? "percpu_thing_%u" : "fixed_percpu_data", i);
        enc_add(e, i * 64, 'A', name)->absolute = true;
    }
    enc_add(e, text, 'T', "_stext");
    enc_add(e, text, 'T', "_text");
    for (unsigned i = 0; i < e->o.functions; i++) {
        if (i == 7 && !e->o.byte_lengths) { /* a name of two length bytes */
            memset(name, 'q', 200);
            snprintf(name + 200, 40, "_%u", i);
        } else {
            snprintf(name, sizeof name, i % 3 ? "func_%u" : "a_very_common_long_prefix_of_names_%u",
                     i);
        }
        enc_add(e, text + 64 + 48 * i, i % 2 ? 't' : 'T', name);
        if (i % 50 == 0)
            enc_add(e, text + 64 + 48 * i, 't', "alias"); /* same address, same name each time */
    }
    if (!e->o.text_only) {
        enc_add(e, data + 0x120, 'D', "linux_proc_banner");
        enc_add(e, data + 0x1260, 'D', "linux_banner");
        enc_add(e, data + 0x4000, 'D', "init_task");
        enc_add(e, data + 0x8000, 'B', "_end");
    }
}

static inline uint64_t enc_pa(const struct enc *e, uint64_t va)
{
    return va - e->va_minus_pa;
}

static inline void enc_image(struct enc *e)
{
    uint64_t text = e->o.va, data = text - ENC_TEXT + e->data, ptr = e->o.ptr_size;
    static const uint8_t entry[4] = {0xf3, 0x0f, 0x1e, 0xfa};

    /* what is no kernel image: noise that is neither zero nor regular */
    uint32_t x = 1;
    for (uint64_t at = ENC_TEXT; at < e->data; at += 4) {
        x = x * 1664525 + 1013904223;
        uint32_t v = (x >> 4) & 0x7fffffff;
        memcpy(e->fake.mem + at, &v, 4);
    }
    for (uint32_t at = ENC_TEXT; e->o.decoy && at < 2 * ENC_TEXT; at += 4)
        fake_put32(&e->fake, ENC_GPA + at, at);
    for (unsigned i = 0; i < e->o.functions; i++)
        fake_put(&e->fake, enc_pa(e, text + 64 + 48 * i), entry, sizeof entry);
    fake_put(&e->fake, enc_pa(e, data + 0x120), ENC_PROC_BANNER, sizeof ENC_PROC_BANNER);
    fake_put(&e->fake, enc_pa(e, data + 0x1260), ENC_BANNER "\n", sizeof ENC_BANNER + 1);
    for (unsigned i = 0; i < 3; i++) { /* real_parent, parent, group_leader */
        uint64_t self = data + 0x4000;
        fake_put(&e->fake, enc_pa(e, self + 0x540 + 24 * i), &self, ptr);
    }
    for (unsigned i = 0; i < 8 * 256; i++) { /* operations structs, eight pages of them */
        uint64_t f = text + 64 + 48 * (i * 7 % e->o.functions);
        fake_put(&e->fake, enc_pa(e, data + 0x9000 + 16 * i), &f, ptr);
    }
}

static inline void enc_tokens(struct enc *e)
{
    for (unsigned c = 0; c < 256; c++)
        snprintf(e->token[c], sizeof e->token[c], "%s%u", "~", c);
    for (unsigned c = 0; c < 256 && e->o.empty_tokens; c++)
        e->token[c][0] = '\0';
    for (unsigned c = '!'; c < 0x7f; c++)
        snprintf(e->token[c], sizeof e->token[c], "%c", (char)c);
    snprintf(e->token[1], sizeof e->token[1], "Ta_very_common_long_prefix_of_names_");
    snprintf(e->token[2], sizeof e->token[2], "tfunc_");
    snprintf(e->token[0x80], sizeof e->token[0], "func_");
    snprintf(e->token[0xff], sizeof e->token[0],
             "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq");
    for (unsigned c = 0; c < 256; c++)
        e->token_len[c] = strlen(e->token[c]);
}

/* Compresses text by longest token; returns the length. */
static inline size_t enc_compress(const struct enc *e, const char *text, uint8_t *out)
{
    size_t n = 0;

    while (*text) {
        unsigned best = (unsigned char)*text;
        for (unsigned c = 0; c < 256; c++) {
            size_t len = e->token_len[c];
            if (len > e->token_len[best] && e->token[c][0] == *text &&
                !strncmp(text, e->token[c], len))
                best = c;
        }
        out[n++] = (uint8_t)best;
        text += e->token_len[best];
    }
    return n;
}

static inline void enc_label(struct enc *e, uint64_t *label)
{
    e->end = ALIGN_UP(e->end, e->o.order == ENC_7_0 ? 4 : e->o.ptr_size);
    *label = e->end;
}

static inline void enc_bytes(struct enc *e, const void *p, size_t n)
{
    fake_put(&e->fake, e->end, p, n);
    e->end += n;
}

static inline void enc_names(struct enc *e)
{
    e->markers_value = calloc(e->n / 256 + 1, 4);
    enc_label(e, &e->num);
    enc_bytes(e, &e->n, 4);
    enc_label(e, &e->names);
    for (uint32_t i = 0; i < e->n; i++) {
        char text[300];
        uint8_t buf[300], head[2];

        if (i % 256 == 0)
            e->markers_value[i / 256] = (uint32_t)(e->end - e->names);
        snprintf(text, sizeof text, "%c%s", e->sym[i].type, e->sym[i].name);
        size_t n = enc_compress(e, text, buf);
        head[0] = (uint8_t)n, head[1] = 0;
        if (n > 127 && !e->o.byte_lengths)
            head[0] = (uint8_t)(0x80 | (n & 0x7f)), head[1] = (uint8_t)(n >> 7);
        enc_bytes(e, head, head[1] ? 2 : 1);
        enc_bytes(e, buf, n);
    }
    enc_label(e, &e->markers);
    enc_bytes(e, e->markers_value, 4 * ((size_t)(e->n - 1) / 256 + 1));
}

static inline void enc_seqs(struct enc *e)
{
    enc_label(e, &e->seqs);
    for (uint32_t i = 0; i < e->n; i++) {
        uint32_t seq = (uint32_t)((uint64_t)i * 7919 % e->n);
        uint8_t b[3] = {(uint8_t)(seq >> 16), (uint8_t)(seq >> 8), (uint8_t)seq};
        enc_bytes(e, b, 3);
    }
}

static inline void enc_token_tables(struct enc *e)
{
    uint16_t index[256];

    enc_label(e, &e->tokens);
    for (unsigned c = 0; c < 256; c++) {
        index[c] = (uint16_t)(e->end - e->tokens);
        enc_bytes(e, e->token[c], strlen(e->token[c]) + 1);
    }
    enc_label(e, &e->index);
    enc_bytes(e, index, sizeof index);
}

static inline void enc_addresses(struct enc *e)
{
    uint64_t base = e->o.va; /* the lowest relative symbol is _text */

    enc_label(e, &e->addresses);
    for (uint32_t i = 0; i < e->n; i++) {
        const struct enc_symbol *s = &e->sym[i];
        uint32_t v;

        if (e->o.absolute) {
            enc_bytes(e, &s->va, e->o.ptr_size);
            continue;
        }
        if (e->o.order == ENC_7_0)
            v = (uint32_t)(enc_pa(e, s->va) - e->end);
        else if (e->o.percpu)
            v = (uint32_t)(s->absolute ? s->va : base - s->va - 1);
        else
            v = (uint32_t)(s->va - base);
        enc_bytes(e, &v, 4);
    }
    if (!e->o.absolute && e->o.order != ENC_7_0) {
        enc_label(e, &e->base);
        enc_bytes(e, &base, e->o.ptr_size);
    }
}

/* Builds all of it; e->fake.target is the guest. */
static inline void enc_init(struct enc *e, struct enc_options o)
{
    *e = (struct enc){.o = o};
    if (!e->o.ptr_size)
        e->o.ptr_size = 8;
    if (!e->o.va)
        e->o.va = e->o.ptr_size == 8 ? UINT64_C(0xffffffff92000000) : UINT64_C(0xc1000000);
    if (!e->o.functions)
        e->o.functions = 1500;
    e->va_minus_pa = e->o.va - (ENC_GPA + ENC_TEXT);
    e->max = 2 * e->o.functions + 100;
    e->data = ALIGN_UP(ENC_TEXT + 64 + 48 * (uint64_t)e->o.functions, 64 << 10);
    e->tables = e->data + (128 << 10);
    e->ram = e->tables + ALIGN_UP(80 * (uint64_t)e->o.functions, 64 << 10) + (64 << 10);
    e->sym = calloc(e->max, sizeof *e->sym);
    fake_init(&e->fake, e->o.ptr_size == 8 ? "x86_64" : "i386", ENC_GPA, e->ram);
    enc_symbols(e);
    enc_image(e);
    enc_tokens(e);
    e->end = ENC_GPA + e->tables + e->o.pad;
    if (e->o.order < ENC_6_4)
        enc_addresses(e);
    enc_names(e);
    if (e->o.order == ENC_6_2)
        enc_seqs(e);
    enc_token_tables(e);
    if (e->o.order >= ENC_6_4) {
        enc_addresses(e);
        enc_seqs(e);
    }
}

static inline void enc_free(struct enc *e)
{
    fake_free(&e->fake);
    free(e->sym);
    free(e->markers_value);
}

#endif
