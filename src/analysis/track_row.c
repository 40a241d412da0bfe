/* SPDX-License-Identifier: MIT */
/* See track_row.h. Times have 48 bits, which last for three days: 32 and 16 in columns of their
 * own. */
#include "analysis/track_row.h"

#include "base/util.h"

enum {
    KIND_SHIFT = 24,
    WHOLE_SHIFT = 28,
    SHARE = 64, /* of the memory is for one chunk, at most */
};

struct track_chunk {
    uint32_t cap, len;
    /* Columns of cap elements behind the struct, in this order. */
    uint32_t *start, *duration; /* the lower 32 bits */
    uint32_t *word;             /* name, kind, whole */
    uint16_t *start_high, *duration_high;
    uint8_t *longest; /* of each whole block, cap / TRACK_BLOCK of them */
};

static size_t chunk_bytes(uint32_t cap)
{
    return sizeof(struct track_chunk) + cap * (3 * sizeof(uint32_t) + 2 * sizeof(uint16_t)) +
           cap / TRACK_BLOCK;
}

static struct track_chunk *chunk_new(uint32_t cap)
{
    struct track_chunk *c = malloc(chunk_bytes(cap));

    if (!c)
        return NULL;
    c->cap = cap;
    c->len = 0;
    c->start = (uint32_t *)(c + 1);
    c->duration = c->start + cap;
    c->word = c->duration + cap;
    c->start_high = (uint16_t *)(c->word + cap);
    c->duration_high = c->start_high + cap;
    c->longest = (uint8_t *)(c->duration_high + cap);
    return c;
}

static inline uint64_t start_of(const struct track_chunk *c, uint32_t i)
{
    return (uint64_t)c->start_high[i] << 32 | c->start[i];
}

static inline uint64_t duration_of(const struct track_chunk *c, uint32_t i)
{
    return (uint64_t)c->duration_high[i] << 32 | c->duration[i];
}

/* FOREVER and more for one that is open. */
static inline uint64_t end_of(const struct track_chunk *c, uint32_t i)
{
    return start_of(c, i) + duration_of(c, i);
}

static void set_duration(struct track_chunk *c, uint32_t i, uint64_t duration)
{
    c->duration[i] = (uint32_t)duration;
    c->duration_high[i] = (uint16_t)(duration >> 32);
}

static void get(const struct track_chunk *c, uint32_t i, struct track_slice *out)
{
    uint32_t w = c->word[i];

    *out = (struct track_slice){.start = start_of(c, i),
                                .duration = duration_of(c, i),
                                .name = w % TRACK_NAMES,
                                .kind = w >> KIND_SHIFT & 15,
                                .whole = w >> WHOLE_SHIFT & 1};
}

/* ---- appending ---- */

/* The slices of the last block have ended; the next ones will be of another. */
static void end_block(struct track_chunk *c)
{
    uint32_t first = c->len - TRACK_BLOCK, best = first;

    for (uint32_t i = first + 1; i < c->len; i++)
        if (duration_of(c, i) > duration_of(c, best))
            best = i;
    c->longest[first / TRACK_BLOCK] = (uint8_t)(best - first);
}

void *track_memory_place(struct track_memory *m, void *list, uint32_t n, uint32_t *cap,
                         uint32_t first, size_t bytes)
{
    uint32_t places = n < *cap ? *cap : MAX(*cap * 2, first);
    size_t more = (places - *cap) * sizeof(void *);

    if (bytes + more > m->most - MIN(m->used, m->most))
        return NULL;
    if (!more)
        return list;
    list = realloc(list, places * sizeof(void *));
    if (list) {
        m->used += more;
        *cap = places;
    }
    return list;
}

static struct track_chunk *last_chunk(const struct track_row *r)
{
    return r->nchunks ? r->chunks[r->nchunks - 1] : NULL;
}

static struct track_chunk *add_chunk(struct track_row *r, struct track_memory *m)
{
    const struct track_chunk *before = last_chunk(r);
    uint32_t cap = before ? MIN(before->cap * 2, (uint32_t)TRACK_CHUNK) : TRACK_CHUNK_FIRST;
    while (cap > TRACK_CHUNK_FIRST && chunk_bytes(cap) > m->most / SHARE)
        cap /= 2;
    struct track_chunk **places =
        track_memory_place(m, r->chunks, r->nchunks, &r->cap, 1, chunk_bytes(cap));
    if (!places)
        return NULL;
    r->chunks = places;
    struct track_chunk *c = chunk_new(cap);
    if (!c)
        return NULL;
    m->used += chunk_bytes(cap);
    return r->chunks[r->nchunks++] = c;
}

bool track_row_add(struct track_row *r, struct track_memory *m, struct track_slice s)
{
    struct track_chunk *c = last_chunk(r);

    if (c && c->len && c->len % TRACK_BLOCK == 0)
        end_block(c);
    if (!c || c->len == c->cap) {
        c = add_chunk(r, m);
        if (!c)
            return false;
    }
    uint32_t i = c->len++;
    c->start[i] = (uint32_t)s.start;
    c->start_high[i] = (uint16_t)(s.start >> 32);
    set_duration(c, i, s.duration);
    c->word[i] = s.name | (uint32_t)s.kind << KIND_SHIFT | (uint32_t)s.whole << WHOLE_SHIFT;
    r->open = s.duration == TRACK_FOREVER;
    m->slices++;
    return true;
}

void track_row_close(struct track_row *r, uint64_t time, bool whole)
{
    struct track_chunk *c = last_chunk(r);

    set_duration(c, c->len - 1, time - start_of(c, c->len - 1));
    c->word[c->len - 1] |= (uint32_t)whole << WHOLE_SHIFT;
    r->open = false;
}

bool track_row_last(const struct track_row *r, struct track_slice *out)
{
    const struct track_chunk *c = last_chunk(r);

    if (c)
        get(c, c->len - 1, out);
    return c != NULL;
}

void track_row_rename(struct track_row *r, uint32_t name, uint8_t kind)
{
    struct track_chunk *c = last_chunk(r);
    uint32_t *w = &c->word[c->len - 1];

    *w = name | (uint32_t)kind << KIND_SHIFT | (*w & 1U << WHOLE_SHIFT);
}

void track_row_renumber(struct track_row *r, const uint32_t *map)
{
    for (uint32_t k = 0; k < r->nchunks; k++) {
        uint32_t *word = r->chunks[k]->word;
        for (uint32_t i = 0; i < r->chunks[k]->len; i++)
            word[i] = map[word[i] % TRACK_NAMES] | (word[i] & ~(TRACK_NAMES - 1));
    }
}

uint64_t track_row_end(const struct track_row *r)
{
    const struct track_chunk *c = last_chunk(r);

    if (!c)
        return 0;
    return r->open ? start_of(c, c->len - 1) : end_of(c, c->len - 1);
}

/* ---- taking away ---- */

static void drop_chunk(struct track_chunk *c, struct track_memory *m)
{
    m->used -= chunk_bytes(c->cap);
    m->slices -= c->len;
    free(c);
}

void track_row_pop(struct track_row *r, struct track_memory *m)
{
    struct track_chunk *c = last_chunk(r);

    c->len--;
    m->slices--;
    r->open = false; /* the ones before have ended */
    if (c->len)
        return;
    r->nchunks--;
    drop_chunk(c, m);
}

void track_row_prune(struct track_row *r, struct track_memory *m, uint64_t time)
{
    uint32_t n = 0;

    while (n < r->nchunks && end_of(r->chunks[n], r->chunks[n]->len - 1) <= time)
        drop_chunk(r->chunks[n++], m);
    r->nchunks -= n;
    if (n)
        memmove(r->chunks, r->chunks + n, r->nchunks * sizeof *r->chunks);
}

void track_row_free(struct track_row *r, struct track_memory *m)
{
    for (uint32_t i = 0; i < r->nchunks; i++)
        drop_chunk(r->chunks[i], m);
    m->used -= r->cap * sizeof *r->chunks;
    free(r->chunks);
    *r = (struct track_row){0};
}

/* ---- looking ---- */

/* Slices do not overlap, so what holds for one holds for all behind it. */
static inline bool reaches(const struct track_chunk *c, uint32_t i, uint64_t time)
{
    return start_of(c, i) >= time || end_of(c, i) > time;
}

struct track_at track_row_seek(const struct track_row *r, uint64_t time)
{
    uint32_t low = 0, high = r->nchunks;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (reaches(r->chunks[middle], r->chunks[middle]->len - 1, time))
            high = middle;
        else
            low = middle + 1;
    }
    struct track_at at = {.chunk = low};
    if (low == r->nchunks)
        return at;
    for (low = 0, high = r->chunks[at.chunk]->len - 1; low < high;) {
        uint32_t middle = low + (high - low) / 2;
        if (reaches(r->chunks[at.chunk], middle, time))
            high = middle;
        else
            low = middle + 1;
    }
    at.i = low;
    return at;
}

bool track_row_get(const struct track_row *r, struct track_at at, struct track_slice *out)
{
    if (at.chunk >= r->nchunks)
        return false;
    get(r->chunks[at.chunk], at.i, out);
    return true;
}

struct track_at track_row_next(const struct track_row *r, struct track_at at)
{
    if (at.chunk < r->nchunks && ++at.i >= r->chunks[at.chunk]->len)
        at = (struct track_at){.chunk = at.chunk + 1};
    return at;
}

struct track_at track_row_skip(const struct track_row *r, struct track_at at)
{
    at.i += TRACK_BLOCK - 1;
    return track_row_next(r, at);
}

bool track_row_back(const struct track_row *r, struct track_at *at)
{
    if (at->i) {
        at->i--;
        return true;
    }
    if (!at->chunk)
        return false;
    at->chunk--;
    at->i = r->chunks[at->chunk]->len - 1;
    return true;
}

bool track_row_block(const struct track_row *r, struct track_at at, uint64_t limit, uint64_t *end,
                     struct track_slice *longest)
{
    if (at.i % TRACK_BLOCK || at.chunk >= r->nchunks)
        return false;
    const struct track_chunk *c = r->chunks[at.chunk];
    uint32_t behind = at.i + TRACK_BLOCK;
    bool ended = at.chunk + 1 < r->nchunks ? behind <= c->len : behind < c->len;
    if (!ended || (*end = end_of(c, behind - 1)) > limit)
        return false;
    get(c, at.i + c->longest[at.i / TRACK_BLOCK], longest);
    return true;
}
