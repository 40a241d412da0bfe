/* SPDX-License-Identifier: MIT */
/*
 * Where the kernel lies: pairing the addresses of the symbol table with physical memory, and the
 * proof that they were decoded rightly.
 *
 * Tables with virtual addresses: the banner text ("Linux version …") is in the same image, so its
 * page offset is known and one place in each page needs looking at, from the tables outward; the
 * second banner ("%s version %s …") must then lie at its distance. Kernels without data symbols
 * (KALLSYMS_ALL=n): the code that functions begin with (profiling nops, stack set-up, landing pads)
 * is much the same everywhere, so at the right distance the functions' first words agree, at wrong
 * ones they don't.
 *
 * Tables relative to their own slots (7.0) give physical addresses, checked by the banner; the
 * virtual address comes from init_task, which points to itself, or else from a vote: each word that
 * looks like a kernel pointer, paired with every function whose address agrees in the low bits,
 * names a distance. Either way pointers to functions must be found that agree; some are remembered.
 */
#include "symbols/kallsyms_impl.h"

#include "base/hash.h"
#include "base/util.h"

static const char banner_start[] = "Linux version ";       /* init/version.c: linux_banner */
static const char proc_banner_start[] = "%s version %s ("; /* linux_proc_banner */

enum { PLACE_ALIGN = 64 << 10 }; /* VA and PA of the image agree modulo this (2 MiB in practice) */

static bool text_at(struct target *t, uint64_t pa, const char *text, size_t len)
{
    char buf[32];

    return len <= sizeof buf && target_read(t, pa, buf, len) && !memcmp(buf, text, len);
}

bool kbanner_read(struct target *t, uint64_t pa, char *buf, size_t n)
{
    size_t len = 0;

    /* up to n - 1 bytes, fewer at the end of RAM */
    for (; len < n - 1; len++)
        if (!target_read(t, pa + len, buf + len, 1) || !buf[len] || buf[len] == '\n')
            break;
    buf[len] = '\0';
    for (size_t i = 0; i < len; i++)
        if ((uint8_t)buf[i] < ' ' || buf[i] == 0x7f)
            return false;
    return len > strlen(banner_start) && !memcmp(buf, banner_start, strlen(banner_start));
}

/* ---- virtual addresses known ---- */

static bool banner_pair(struct kwin *w, uint64_t pa, uint64_t va, uint64_t proc_va)
{
    return text_at(w->target, pa, banner_start, strlen(banner_start)) &&
           (!proc_va ||
            text_at(w->target, pa + (proc_va - va), proc_banner_start, strlen(proc_banner_start)));
}

static bool by_banner(struct kwin *w, const struct ktokens *tok, uint64_t va, uint64_t proc_va,
                      struct kplace *out)
{
    uint64_t first = ALIGN_DOWN(tok->pa, TARGET_PAGE_SIZE) + va % TARGET_PAGE_SIZE;
    uint64_t end = w->base + w->size;
    uint64_t below = first > w->base ? first - w->base : 0, above = end > first ? end - first : 0;

    for (uint64_t d = 0; d <= MAX(below, above); d += TARGET_PAGE_SIZE) {
        uint64_t pa = first - d;
        bool found = d <= below && banner_pair(w, pa, va, proc_va);

        if (!found && d && d < above) {
            pa = first + d;
            found = banner_pair(w, pa, va, proc_va);
        }
        if (found) {
            out->banner_pa = pa;
            out->va_minus_pa = va - pa;
            return true;
        }
    }
    return false;
}

enum { FUNCS = 256 };

/*
 * How many of the n functions begin with the most common first word when the image lies at
 * delta = VA - PA. Filler (zeros, traps, nops of one byte) does not count.
 */
static unsigned entry_score(struct kwin *w, const uint64_t *va, unsigned n, uint64_t delta)
{
    struct {
        uint32_t word;
        unsigned count;
    } seen[FUNCS];
    unsigned nseen = 0, best = 0;

    for (unsigned i = 0; i < n; i++) {
        const uint8_t *p = kwin_ptr(w, va[i] - delta, 4);
        if (!p)
            continue;
        uint32_t word = load32(p);
        unsigned k = 0;
        if (!word || word == 0xcccccccc || word == 0x90909090 || word == UINT32_MAX)
            continue;
        while (k < nseen && seen[k].word != word)
            k++;
        if (k == nseen)
            seen[nseen].word = word, seen[nseen++].count = 0;
        best = MAX(best, ++seen[k].count);
    }
    return best;
}

/* Up to max functions, spread over the table. */
static unsigned sample_functions(const struct kaddrs *a, const char *types, uint64_t *out,
                                 unsigned max)
{
    unsigned n = 0;
    uint32_t step = a->count / max + 1;
    bool absolute;

    for (uint32_t i = 0; i < a->count && n < max; i += step) {
        uint32_t k = i;

        while (k < a->count && k < i + step && types[k] != 't' && types[k] != 'T')
            k++;
        if (k < a->count && k < i + step) {
            uint64_t v = kaddrs_at(a, k, &absolute);
            if (!absolute)
                out[n++] = v;
        }
    }
    return n;
}

static bool by_function_entries(struct kwin *w, const struct ktokens *tok, const struct kaddrs *a,
                                const char *types, uint64_t text_va, struct kplace *out)
{
    uint64_t va[FUNCS], best_delta = 0;
    unsigned n = sample_functions(a, types, va, FUNCS), best = 0, second = 0;

    if (n < 32)
        return false;
    uint64_t low = text_va % PLACE_ALIGN;
    uint64_t from = ALIGN_DOWN(w->base, PLACE_ALIGN) + low;
    for (uint64_t pa = from; pa < w->base + w->size; pa += PLACE_ALIGN) {
        uint64_t delta = text_va - pa;

        /* a look at a few first: most distances are plainly wrong */
        if (pa < w->base || entry_score(w, va, 32, delta) < 6)
            continue;
        unsigned score = entry_score(w, va, n, delta);
        if (score > best)
            second = best, best = score, best_delta = delta;
        else
            second = MAX(second, score);
    }
    if (best < n / 4 || best < second + second / 2)
        return false;
    out->va_minus_pa = best_delta;
    return true;
}

/* The banner nearest to the tables, where no symbol tells its place. */
static bool banner_scan(struct kwin *w, const struct ktokens *tok, uint64_t *pa)
{
    const uint8_t *p = kwin_ptr(w, w->base, w->size);
    size_t len = strlen(banner_start), here = tok->pa - w->base, at = 0;
    uint64_t best = UINT64_MAX;
    const uint8_t *hit;

    while (p && at + len <= w->size && (hit = memmem(p + at, w->size - at, banner_start, len))) {
        size_t off = (size_t)(hit - p);
        uint64_t distance = off < here ? here - off : off - here;

        if (distance < best) {
            best = distance;
            *pa = w->base + off;
        }
        at = off + len;
    }
    return best != UINT64_MAX;
}

/* ---- physical addresses known ---- */

enum { INIT_TASK_LOOK = 8192, VOTERS = 4096, VOTES = 1 << 14 };

/* Functions by the low bits of their address, chained. */
struct low_bits {
    uint64_t pa[VOTERS];
    uint16_t next[VOTERS], head[PLACE_ALIGN / 2]; /* index + 1 */
    unsigned n;
};

static void index_low_bits(struct low_bits *lb)
{
    for (unsigned i = 0; i < lb->n; i++) {
        uint16_t *h = &lb->head[lb->pa[i] % PLACE_ALIGN / 2];

        lb->next[i] = *h;
        *h = (uint16_t)(i + 1);
    }
}

typedef bool (*vote_fn)(uint64_t word_pa, uint64_t delta, uint64_t target_pa, void *arg);

/* Calls fn for each pair of a kernel pointer in [from, to) and a function it may point to. */
static void each_vote(struct kwin *w, const struct low_bits *lb, unsigned ptr_size, uint64_t from,
                      uint64_t to, vote_fn fn, void *arg)
{
    enum { BLOCK = 64 << 10 };

    for (uint64_t block = ALIGN_UP(from, BLOCK); block + BLOCK <= to; block += BLOCK) {
        const uint8_t *p = kwin_ptr(w, block, BLOCK);
        if (!p)
            return;
        for (size_t at = 0; at < BLOCK; at += ptr_size) {
            uint64_t v = load_uint(p + at, ptr_size);
            if (likely(!kernel_va(v, ptr_size)) || v % 2)
                continue;
            for (unsigned i = lb->head[v % PLACE_ALIGN / 2]; i; i = lb->next[i - 1])
                if (v % PLACE_ALIGN == lb->pa[i - 1] % PLACE_ALIGN &&
                    !fn(block + at, v - lb->pa[i - 1], lb->pa[i - 1], arg))
                    return;
        }
    }
}

/* One voice for each pointer value: a thousand pointers to one string would outvote functions. */
struct ballot {
    struct hash counts, seen;
    unsigned votes;
};

static bool count_vote(uint64_t word_pa, uint64_t delta, uint64_t target_pa, void *arg)
{
    struct ballot *b = arg;
    bool fresh;

    /* delta and target make the pointer's value: a pair once */
    if (!hash_put(&b->seen, target_pa * UINT64_C(0x9e3779b97f4a7c15) ^ delta, 1, &fresh))
        return false;
    if (!fresh)
        return true;
    uint64_t *n = hash_get(&b->counts, delta);
    if (n)
        ++*n;
    else if (!hash_put(&b->counts, delta, 1, NULL))
        return false;
    return ++b->votes < VOTES;
}

/* Keeps a few words that voted for the winner, far from one another. */
static bool keep_pointer(uint64_t word_pa, uint64_t delta, uint64_t target_pa, void *arg)
{
    struct kplace *out = arg;

    if (delta != out->va_minus_pa ||
        (out->npointers && word_pa - out->pointers[out->npointers - 1].word_pa < TARGET_PAGE_SIZE))
        return true;
    out->pointers[out->npointers].word_pa = word_pa;
    out->pointers[out->npointers].target_pa = target_pa;
    return ++out->npointers < ARRAY_SIZE(out->pointers);
}

/* init_task is its own parent, real parent and group leader: three equal words that point to it. */
static bool by_init_task(struct kwin *w, uint64_t pa, unsigned ptr_size, uint64_t *delta)
{
    const uint8_t *p = kwin_ptr(w, pa, INIT_TASK_LOOK);
    uint64_t seen[16];
    unsigned count[16], n = 0;

    for (size_t at = 0; p && at < INIT_TASK_LOOK; at += ptr_size) {
        uint64_t v = load_uint(p + at, ptr_size);
        unsigned k = 0;

        if (!kernel_va(v, ptr_size) || (v - pa) % PLACE_ALIGN)
            continue;
        while (k < n && seen[k] != v)
            k++;
        if (k == n && n < ARRAY_SIZE(seen))
            seen[n] = v, count[n++] = 0;
        if (k < n && ++count[k] == 3) {
            *delta = v - pa;
            return true;
        }
    }
    return false;
}

static bool by_vote(struct kwin *w, const struct low_bits *lb, unsigned ptr_size, uint64_t from,
                    uint64_t to, struct kplace *out)
{
    struct ballot ballot = {0};
    uint64_t best = 0, second = 0;

    each_vote(w, lb, ptr_size, from, to, count_vote, &ballot);
    for (size_t i = 0; i < ballot.counts.cap; i++) {
        const struct hash_slot *s = &ballot.counts.slots[i];

        if (!s->used)
            continue;
        if (s->value > best) {
            second = best, best = s->value;
            out->va_minus_pa = s->key;
        } else {
            second = MAX(second, s->value);
        }
    }
    hash_free(&ballot.counts);
    hash_free(&ballot.seen);
    return best >= 8 && best >= 2 * second;
}

static bool by_pointers(struct kwin *w, const struct ktokens *tok, const struct kaddrs *a,
                        const struct kspecial *sp, const char *types, struct kplace *out)
{
    AUTO_FREE struct low_bits *lb = calloc(1, sizeof *lb);
    bool absolute;

    if (!lb)
        return false;
    lb->n = sample_functions(a, types, lb->pa, VOTERS);
    index_low_bits(lb);
    /* the tables end the read-only data: before them lie constant structs full of functions */
    uint64_t end = w->base + w->size, near = 16 << 20;
    uint64_t from = tok->pa - MIN(near, tok->pa - w->base);
    uint64_t to = tok->pa + MIN(near, end - tok->pa);
    if (sp->init_task == KSYM_NONE ||
        !by_init_task(w, kaddrs_at(a, sp->init_task, &absolute), a->ptr_size, &out->va_minus_pa)) {
        if (!by_vote(w, lb, a->ptr_size, from, to, out))
            return false;
    }
    /* the words to remember are the proof too */
    each_vote(w, lb, a->ptr_size, from, to, keep_pointer, out);
    return out->npointers == ARRAY_SIZE(out->pointers);
}

/* ---- */

struct oscope_error *kplace_find(struct kwin *w, const struct ktokens *tok, const struct kaddrs *a,
                                 const struct kspecial *sp, const char *types, struct kplace *out)
{
    bool absolute, ok;
    uint32_t text = sp->text != KSYM_NONE    ? sp->text
                    : sp->stext != KSYM_NONE ? sp->stext
                                             : sp->first_text;

    *out = (struct kplace){0};
    if (text == KSYM_NONE)
        return error_new(OSCOPE_E_BAD_DATA, "kallsyms: no symbol of code in the table");
    uint64_t text_addr = kaddrs_at(a, text, &absolute);
    bool banner = sp->banner != KSYM_NONE;
    uint64_t banner_addr = banner ? kaddrs_at(a, sp->banner, &absolute) : 0;
    uint64_t proc_addr =
        sp->proc_banner != KSYM_NONE ? kaddrs_at(a, sp->proc_banner, &absolute) : 0;

    if (a->kind == KADDR_SLOT) {
        if (banner && !banner_pair(w, banner_addr, banner_addr, proc_addr))
            return error_new(OSCOPE_E_BAD_DATA, "kallsyms: linux_banner is not where the table "
                                                "says");
        out->banner_pa = banner_addr;
        ok = (banner || banner_scan(w, tok, &out->banner_pa)) &&
             by_pointers(w, tok, a, sp, types, out);
        out->text_va = text_addr + out->va_minus_pa;
    } else {
        ok = banner ? by_banner(w, tok, banner_addr, proc_addr, out)
                    : by_function_entries(w, tok, a, types, text_addr, out) &&
                          banner_scan(w, tok, &out->banner_pa);
        out->text_va = text_addr;
    }
    if (!ok || !target_ram_at(w->target, out->text_va - out->va_minus_pa))
        return error_new(OSCOPE_E_BAD_DATA,
                         "kallsyms: found the table, but not where its kernel lies in RAM");
    return NULL;
}
