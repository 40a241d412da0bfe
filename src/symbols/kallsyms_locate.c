/* SPDX-License-Identifier: MIT */
/*
 * Finding the kallsyms token table in guest RAM by content.
 *
 * The table holds 256 strings, and those of the characters '0' … '9' are (in every kernel: digits
 * occur in symbols) the characters themselves, so that the 20 bytes "0\0" "1\0" … "9\0" occur. Any
 * 20 bytes hold the 4 bytes at some 16-byte boundary, so one 32-bit word in 16 bytes needs looking
 * at: the scan is bound by memory, not by instructions. What the filter lets through is checked
 * against the table's own index, which leaves true token tables only.
 */
#include "symbols/kallsyms_impl.h"

#include "base/hash.h"
#include "base/util.h"

#include <sys/mman.h>

enum {
    SCAN_CHUNK = 2 << 20,  /* read at a time where RAM has no map, */
    SCAN_FIRST = 64 << 10, /* at first: what is looked for may lie just there */
    TOKENS_BEFORE = 8 << 10, /* room for the tokens of bytes 0 … 0x2f; 48 × ~20 bytes in practice */
    TOKENS_AFTER = 24 << 10,
    KEY_TAIL = 4 << 10, /* bytes before the table that are hashed: markers or seqs, names */
    WINDOW_CHUNK = 64 << 10,
    MAX_CHECKS = 20000,
    SAMPLE_STRIDE = 32 << 10,
    NEAR_BEFORE = 2 << 20, /* of the tokens before a place in the address table, at most */
    NEAR_AFTER = 8 << 20,  /* behind it */
};

/* ---- window ---- */

struct oscope_error *kwin_open(struct kwin *w, struct target *t, uint64_t pa, uint64_t before,
                               uint64_t after)
{
    const struct target_ram *r = target_ram_at(t, pa);
    uint64_t lo, hi, at, s, e;

    *w = (struct kwin){.target = t};
    if (!r)
        return error_new(OSCOPE_E_FAULT, "physical address 0x%llx is not RAM",
                         (unsigned long long)pa);
    lo = pa - MIN(before, pa - r->gpa);
    hi = pa + MIN(after, r->gpa + r->size - pa);
    w->base = hi;
    for (at = lo; at < hi && target_extent(t, at, &s, &e) && s < hi; at = e) {
        if (s > at && s > pa)
            break;
        if (s > at || w->base == hi)
            w->base = s;
        w->size = MIN(e, hi) - w->base;
    }
    if (w->base > pa || w->size <= pa - w->base)
        return error_new(OSCOPE_E_FAULT, "no populated RAM at physical address 0x%llx",
                         (unsigned long long)pa);
    w->direct = target_ptr(t, w->base, w->size);
    if (w->direct)
        return NULL;
    w->copy = mmap(NULL, w->size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    w->have = calloc(w->size / WINDOW_CHUNK / 64 + 1, sizeof *w->have);
    if (w->copy == MAP_FAILED || !w->have) {
        if (w->copy == MAP_FAILED)
            w->copy = NULL;
        kwin_close(w);
        return error_nomem();
    }
    return NULL;
}

void kwin_close(struct kwin *w)
{
    if (w->copy)
        munmap(w->copy, w->size);
    free(w->have);
    *w = (struct kwin){0};
}

const uint8_t *kwin_ptr(struct kwin *w, uint64_t pa, size_t n)
{
    if (pa < w->base || pa - w->base > w->size || n > w->size - (pa - w->base))
        return NULL;
    uint64_t off = pa - w->base;
    if (w->direct)
        return w->direct + off;
    for (uint64_t c = off / WINDOW_CHUNK; n && c <= (off + n - 1) / WINDOW_CHUNK; c++) {
        uint64_t at = c * WINDOW_CHUNK;

        if (w->have[c / 64] & BIT(c % 64))
            continue;
        if (!target_read(w->target, w->base + at, w->copy + at,
                         (size_t)MIN((uint64_t)WINDOW_CHUNK, w->size - at)))
            return NULL;
        w->have[c / 64] |= BIT(c % 64);
    }
    return w->copy + off;
}

/* ---- tokens ---- */

void ktokens_free(struct ktokens *tok)
{
    free(tok->text);
    tok->text = NULL;
}

static const char digits[20] = "0\0001\0002\0003\0004\0005\0006\0007\0008\0009";

/* Start of token 1, from the place of token '0' in buf; 0 if there are not enough terminators. */
static size_t second_token(const uint8_t *buf, size_t zero)
{
    size_t at = zero, nuls = 0;

    /* token k ends with a NUL, so that of tokens 0 … 47 the 48th NUL back ends token 0 */
    while (at > 0) {
        if (buf[at - 1] == 0 && ++nuls == 0x30)
            return at;
        at--;
    }
    return 0;
}

/*
 * Checks the index at idx against the tokens that start in buf: offsets from token 1 on, whose
 * start is known. *first: length of token 0 with its NUL.
 */
static bool index_fits(const uint8_t *idx, const uint8_t *buf, size_t one, size_t zero,
                       size_t *first)
{
    size_t at = one;

    *first = load16(idx + 2);
    if (load16(idx) || !*first || *first > one)
        return false;
    for (unsigned i = 1; i < 256; i++) {
        if (load16(idx + 2 * i) != at - one + *first)
            return false;
        if (i == '0' && at != zero)
            return false;
        at += strlen((const char *)buf + at) + 1;
    }
    return true;
}

/* Copies the tokens; the caller has checked that all 256 end before buf does. */
static bool copy_tokens(struct ktokens *out, const uint8_t *buf, size_t size)
{
    out->size = (uint32_t)size;
    out->text = calloc(1, size + KTOKEN_FAST);
    if (!out->text)
        return false;
    memcpy(out->text, buf, size);
    uint32_t at = 0;
    for (unsigned i = 0; i < 256; i++) {
        out->offset[i] = at;
        out->len[i] = (uint16_t)strlen(out->text + at);
        at += out->len[i] + 1u;
    }
    return true;
}

bool ktokens_read(struct target *t, uint64_t digits_pa, struct ktokens *out)
{
    struct kwin w;
    struct oscope_error *err = kwin_open(&w, t, digits_pa, TOKENS_BEFORE, TOKENS_AFTER);
    bool ok = false;

    *out = (struct ktokens){0};
    if (err) {
        oscope_error_free(err);
        return false;
    }
    /* a private copy: what is checked must stay what it was; one NUL more ends every strlen() */
    AUTO_FREE uint8_t *buf = malloc(w.size + 1);
    const uint8_t *ram = kwin_ptr(&w, w.base, w.size);
    size_t zero = digits_pa - w.base, end = zero, n = w.size, one, first;
    if (!buf || !ram || n - zero < sizeof digits)
        goto out;
    memcpy(buf, ram, n);
    buf[n] = 0;
    if (memcmp(buf + zero, digits, sizeof digits) || !(one = second_token(buf, zero)))
        goto out;
    for (unsigned i = 0x30; i < 256; i++)
        if ((end += strlen((char *)buf + end) + 1) > n)
            goto out;
    /* the index follows, aligned to 8 (64-bit, up to 6.x) or 4 */
    for (size_t idx = end; idx <= end + 7 && idx + 512 <= n; idx++) {
        if ((w.base + idx) % 4 || !index_fits(buf + idx, buf, one, zero, &first))
            continue;
        out->pa = w.base + one - first;
        out->end = w.base + end;
        out->index_pa = w.base + idx;
        ok = copy_tokens(out, buf + one - first, end - one + first) && out->offset[1] == first &&
             out->offset['0'] == zero - one + first;
        break;
    }
out:
    if (!ok)
        ktokens_free(out);
    kwin_close(&w);
    return ok;
}

bool ktokens_at(struct target *t, uint64_t pa, struct ktokens *out)
{
    char buf[TOKENS_BEFORE];
    size_t at = 0;

    *out = (struct ktokens){0};
    if (!target_read(t, pa, buf, sizeof buf))
        return false;
    for (unsigned i = 0; i < 0x30; i++) {
        const char *nul = memchr(buf + at, 0, sizeof buf - at);
        if (!nul)
            return false;
        at = (size_t)(nul - buf) + 1;
    }
    if (!ktokens_read(t, pa + at, out))
        return false;
    if (out->pa != pa)
        ktokens_free(out);
    return out->text != NULL;
}

/*
 * Tokens, and the bytes before them: these belong to the markers or to the sequence numbers, which
 * depend on all names, and hold no address. What follows may be moved by KASLR.
 */
uint64_t ktokens_key(struct target *t, const struct ktokens *tok)
{
    uint64_t key = fnv1a(FNV_INIT, tok->text, tok->size);
    uint8_t tail[KEY_TAIL];

    if (tok->pa >= KEY_TAIL && target_read(t, tok->pa - KEY_TAIL, tail, sizeof tail))
        key = fnv1a(key, tail, sizeof tail);
    return key;
}

/* ---- scan ---- */

/* Whether the 4 bytes look like "d\0e\0" or "\0d\0e", d and e from 0x30 … 0x3f. */
static inline unsigned digit_word(uint32_t w)
{
    return (unsigned)((w & 0xfff0fff0) == 0x00300030) | (unsigned)((w & 0xf0fff0ff) == 0x30003000);
}

struct scan {
    struct target *t;
    const uint64_t *skip;
    size_t nskip;
    struct kallsyms *ks;
    unsigned checks; /* left: a guest that fills its RAM with digits must not stall us */
    uint8_t *chunk;  /* buffer for RAM without a map, made when needed */
};

/* Checks the word found at pa; true when a token table was found there. */
static bool check_hit(struct scan *sc, uint64_t pa, uint32_t word)
{
    unsigned odd = (word & 0xff) == 0;
    unsigned digit = (word >> (8 * odd)) & 0x0f;
    uint64_t at = pa + odd - 2 * digit;
    char text[sizeof digits];
    struct ktokens tok;

    if (digit > 8 || pa + odd < 2 * digit || !target_read(sc->t, at, text, sizeof text) ||
        memcmp(text, digits, sizeof text) || !sc->checks || !sc->checks-- ||
        !ktokens_read(sc->t, at, &tok))
        return false;
    bool fresh = true;
    for (size_t i = 0; i < sc->nskip; i++)
        fresh &= sc->skip[i] != tok.pa;
    if (fresh) {
        sc->ks->tokens_pa = tok.pa;
        sc->ks->key = ktokens_key(sc->t, &tok);
    }
    ktokens_free(&tok);
    return fresh;
}

static bool scan_bytes(struct scan *sc, const uint8_t *p, uint64_t pa, size_t n)
{
    size_t i = 0;

    for (; i + 64 <= n; i += 64) {
        uint32_t a = load32(p + i), b = load32(p + i + 16), c = load32(p + i + 32),
                 d = load32(p + i + 48);

        if (likely(!(digit_word(a) | digit_word(b) | digit_word(c) | digit_word(d))))
            continue;
        /* the loop above is for speed; here each word is loaded again */
        for (size_t k = i; k < i + 64; k += 16) {
            uint32_t w = load32(p + k);

            if (digit_word(w) && check_hit(sc, pa + k, w))
                return true;
        }
    }
    return false;
}

/* Scans populated RAM in [from, to). */
static bool scan_range(struct scan *sc, uint64_t from, uint64_t to)
{
    uint64_t s, e;

    for (uint64_t at = from; at < to && target_extent(sc->t, at, &s, &e) && s < to; at = e) {
        e = MIN(e, to);
        const uint8_t *p = target_ptr(sc->t, s, e - s);
        if (p) {
            if (scan_bytes(sc, p, s, e - s))
                return true;
            continue;
        }
        if (!sc->chunk && !(sc->chunk = malloc(SCAN_CHUNK)))
            return false;
        for (size_t n, chunk = SCAN_FIRST; s < e; s += n, chunk = MIN(2 * chunk, SCAN_CHUNK)) {
            n = (size_t)MIN((uint64_t)chunk, e - s);
            if (target_read(sc->t, s, sc->chunk, n) && scan_bytes(sc, sc->chunk, s, n))
                return true;
        }
    }
    return false;
}

/*
 * Whether 16 words look like a stretch of the address table: rising by small steps (symbols sorted
 * by address; -4 for two at one address in per-slot tables), or falling in the same way (amd64 with
 * absolute per-CPU symbols).
 */
static bool offsets_line(const uint8_t *p)
{
    uint32_t words[16];
    int up = 1, down = 1, steps = 0;

    memcpy(words, p, sizeof words);
    for (unsigned i = 1; i < 16 && (up | down); i++) {
        int32_t d = (int32_t)(words[i] - words[i - 1]);

        up &= d >= -4 && d < 1 << 16;
        down &= d <= 4 && d > -(1 << 16);
        steps += d != 0;
    }
    int32_t sum = (int32_t)(words[15] - words[0]);
    return steps >= 6 && ((up && sum >= 64) || (down && sum <= -64));
}

static bool offsets_line_at(struct target *t, uint64_t pa)
{
    uint8_t scratch[64];
    const uint8_t *p = target_view(t, pa, sizeof scratch, scratch);

    return p && offsets_line(p);
}

/*
 * The table of addresses is hundreds of KiB long and lies beside the tokens: looking at one line in
 * 32 KiB finds it, and saves reading all of RAM where KASLR put the kernel high. Only places that
 * look right are scanned; what this misses (small kernels, odd layouts) the full scan finds.
 */
static bool scan_samples(struct scan *sc, uint64_t from, uint64_t to)
{
    uint64_t s, e, done = 0;
    uint8_t scratch[64];

    for (uint64_t at = from; at < to && target_extent(sc->t, at, &s, &e) && s < to; at = e) {
        const struct target_ram *r = target_ram_at(sc->t, s);
        uint64_t stride = r && r->map ? SAMPLE_STRIDE : 4 * SAMPLE_STRIDE; /* a read costs more */

        e = MIN(e, to);
        for (uint64_t pa = ALIGN_UP(s, stride); pa < e && e - pa >= sizeof scratch; pa += stride) {
            const uint8_t *p = target_view(sc->t, pa, sizeof scratch, scratch);

            if (likely(!p || !offsets_line(p)))
                continue;
            /* sorted numbers are common; sorted numbers for pages on end are not */
            if (!offsets_line_at(sc->t, pa + 4096) && !offsets_line_at(sc->t, pa - 4096))
                continue;
            /* tokens end just before the table (from 6.4), or come after it and the names */
            uint64_t lo = pa - MIN(pa, (uint64_t)NEAR_BEFORE);
            if (scan_range(sc, MAX(lo, done), pa + NEAR_AFTER))
                return true;
            done = MAX(done, pa + NEAR_AFTER);
        }
    }
    return false;
}

struct oscope_error *kallsyms_locate(struct target *t, uint64_t hint, const uint64_t *skip,
                                     size_t nskip, struct kallsyms *ks)
{
    struct scan sc = {t, skip, nskip, ks, MAX_CHECKS, NULL};

    *ks = (struct kallsyms){0};
    hint = ALIGN_DOWN(hint, TARGET_PAGE_SIZE);
    bool found = (hint && scan_range(&sc, hint, hint + SCAN_CHUNK)) ||
                 scan_samples(&sc, hint, UINT64_MAX) || scan_samples(&sc, 0, hint) ||
                 scan_range(&sc, hint, UINT64_MAX) || scan_range(&sc, 0, hint);
    free(sc.chunk);
    if (found)
        return NULL;
    return error_hint(
        error_new(OSCOPE_E_NOT_FOUND, "no kernel symbol table (kallsyms) in guest RAM"),
        "the guest may still be in its firmware, run another system, or have a kernel without "
        "CONFIG_KALLSYMS");
}
