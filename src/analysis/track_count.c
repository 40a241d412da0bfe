/* SPDX-License-Identifier: MIT */
/* See track_count.h. An addition is a number of 7 bits a byte, the lower ones first: ns since the
 * one before it (of a chunk's first: 0); then its amount, likewise, if the counter has amounts. Of
 * levels these are 0, -1, 1, -2 … */
#include "analysis/track_count.h"

#include "base/util.h"

enum {
    NUMBER = 10, /* bytes of one, at most */
    SHARE = 64,  /* of the memory is for one chunk, at most */
};

struct track_count_chunk {
    uint64_t first, last; /* times of its additions */
    uint64_t before;      /* what was added before it, */
    uint64_t moment;      /* and that sum's moment */
    uint32_t n;           /* additions */
    uint16_t cap, len;    /* bytes */
    uint8_t bytes[];
};

static unsigned put_number(uint8_t *p, uint64_t v)
{
    unsigned n = 0;

    for (; v > 0x7f; v >>= 7)
        p[n++] = (uint8_t)(v | 0x80);
    p[n++] = (uint8_t)v;
    return n;
}

static inline uint64_t fold_sign(uint64_t v)
{
    return v << 1 ^ (v >> 63 ? UINT64_MAX : 0);
}

static inline uint64_t unfold_sign(uint64_t v)
{
    return v >> 1 ^ (v & 1 ? UINT64_MAX : 0);
}

static inline uint64_t get_number(const struct track_count_chunk *k, uint32_t *at)
{
    uint64_t v = 0;

    for (unsigned shift = 0; *at < k->len; shift += 7) {
        uint8_t b = k->bytes[(*at)++];
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80))
            break;
    }
    return v;
}

static struct track_count_chunk *last_chunk(const struct track_count *c)
{
    return c->nchunks ? c->chunks[c->nchunks - 1] : NULL;
}

static size_t chunk_bytes(uint32_t cap)
{
    return sizeof(struct track_count_chunk) + cap;
}

static struct track_count_chunk *add_chunk(struct track_count *c, struct track_memory *m,
                                           uint64_t time)
{
    const struct track_count_chunk *before = last_chunk(c);
    uint32_t cap =
        before ? MIN(before->cap * 2U, (uint32_t)TRACK_COUNT_CHUNK) : TRACK_COUNT_CHUNK_FIRST;
    while (cap > TRACK_COUNT_CHUNK_FIRST && chunk_bytes(cap) > m->most / SHARE)
        cap /= 2;
    struct track_count_chunk **places =
        track_memory_place(m, c->chunks, c->nchunks, &c->cap, 4, chunk_bytes(cap));
    if (!places)
        return NULL;
    c->chunks = places;
    struct track_count_chunk *k = malloc(chunk_bytes(cap));
    if (!k)
        return NULL;
    *k = (struct track_count_chunk){
        .first = time, .last = time, .before = c->total, .moment = c->moment, .cap = (uint16_t)cap};
    m->used += chunk_bytes(cap);
    return c->chunks[c->nchunks++] = k;
}

static void drop_chunk(struct track_count_chunk *k, struct track_memory *m)
{
    m->used -= chunk_bytes(k->cap);
    free(k);
}

bool track_count_add(struct track_count *c, struct track_memory *m, uint64_t time, uint64_t amount)
{
    struct track_count_chunk *k = last_chunk(c);
    uint8_t bytes[2 * NUMBER];
    uint64_t written = c->level ? fold_sign(amount) : amount;
    unsigned n = put_number(bytes, k ? time - k->last : 0);

    if (c->amounts)
        n += put_number(bytes + n, written);
    if (unlikely(!k || n > (unsigned)(k->cap - k->len))) {
        if (!(k = add_chunk(c, m, time)))
            return false;
        n = put_number(bytes, 0);
        if (c->amounts)
            n += put_number(bytes + n, written);
    }
    memcpy(k->bytes + k->len, bytes, n);
    k->len = (uint16_t)(k->len + n);
    k->last = time;
    k->n++;
    c->total += amount;
    c->moment += c->level ? amount * time : 0;
    return true;
}

uint64_t track_count_end(const struct track_count *c)
{
    return c->nchunks ? last_chunk(c)->last : 0;
}

/* ---- places ---- */

/* What comes at that place, which moves behind it. False: the chunk's end. */
static inline bool step(const struct track_count *c, const struct track_count_chunk *k,
                        struct track_count_at *at)
{
    if (at->byte >= k->len)
        return false;
    at->time = at->byte ? at->time : k->first;
    at->time += get_number(k, &at->byte);
    uint64_t amount = c->amounts ? get_number(k, &at->byte) : 1;
    if (c->level) {
        amount = unfold_sign(amount);
        at->moment += amount * at->time;
    }
    at->sum += amount;
    return true;
}

/* The last chunk from `low` on that begins before that time, else `low`. */
static uint32_t chunk_before(const struct track_count *c, uint32_t low, uint64_t time)
{
    uint32_t high = c->nchunks, hop = 1;

    while (hop < high - MIN(low, high) && c->chunks[low + hop]->first < time) {
        low += hop; /* it is near, as a rule */
        hop *= 2;
    }
    high = MIN(high, low + hop);
    while (high > low + 1) {
        uint32_t middle = low + (high - low) / 2;
        if (c->chunks[middle]->first < time)
            low = middle;
        else
            high = middle;
    }
    return low;
}

uint64_t track_count_seek(const struct track_count *c, struct track_count_at *at, uint64_t time)
{
    struct track_count_at next;

    if (!c->nchunks)
        return c->total;
    uint32_t chunk = chunk_before(c, at->chunk, time);
    if (chunk != at->chunk)
        *at = (struct track_count_at){.chunk = chunk};
    const struct track_count_chunk *k = c->chunks[chunk];
    for (next = *at; step(c, k, &next) && next.time < time;)
        *at = next;
    return k->before + at->sum;
}

uint64_t track_count_integral(const struct track_count *c, struct track_count_at *at, uint64_t time)
{
    uint64_t level = track_count_seek(c, at, time);

    return time * level - (c->nchunks ? c->chunks[at->chunk]->moment + at->moment : c->moment);
}

bool track_count_next(const struct track_count *c, const struct track_count_at *at, uint64_t *time)
{
    struct track_count_at next = *at;

    while (next.chunk < c->nchunks) {
        if (step(c, c->chunks[next.chunk], &next)) {
            *time = next.time;
            return true;
        }
        next = (struct track_count_at){.chunk = next.chunk + 1};
    }
    return false;
}

/* ---- what goes ---- */

bool track_count_cut(struct track_count *c, struct track_memory *m, uint64_t time, unsigned most)
{
    uint32_t keep = c->nchunks;
    uint64_t later = 0;

    while (keep && c->chunks[keep - 1]->first > time && later <= most)
        later += c->chunks[--keep]->n;
    if (later > most)
        return false;
    struct track_count_at at = {.chunk = keep ? keep - 1 : 0}, next = at;
    struct track_count_chunk *k = keep ? c->chunks[keep - 1] : NULL;
    uint32_t n = 0;
    for (; k && step(c, k, &next) && next.time <= time; n++)
        at = next;
    if (later + (k ? k->n - n : 0) > most)
        return false;
    while (c->nchunks > keep) {
        c->total = c->chunks[c->nchunks - 1]->before;
        c->moment = c->chunks[c->nchunks - 1]->moment;
        drop_chunk(c->chunks[--c->nchunks], m);
    }
    if (k) {
        c->total = k->before + at.sum;
        c->moment = k->moment + at.moment;
        k->len = (uint16_t)at.byte;
        k->last = at.time;
        k->n = n;
    }
    return true;
}

void track_count_prune(struct track_count *c, struct track_memory *m, uint64_t time)
{
    uint32_t n = 0;

    while (n < c->nchunks && c->chunks[n]->last < time)
        drop_chunk(c->chunks[n++], m);
    if (!n)
        return;
    c->nchunks -= n;
    memmove(c->chunks, c->chunks + n, c->nchunks * sizeof(void *));
}

void track_count_free(struct track_count *c, struct track_memory *m)
{
    while (c->nchunks)
        drop_chunk(c->chunks[--c->nchunks], m);
    m->used -= c->cap * sizeof(void *);
    free(c->chunks);
    *c = (struct track_count){.amounts = c->amounts, .level = c->level};
}
