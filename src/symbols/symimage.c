/* SPDX-License-Identifier: MIT */
/*
 * Symbol images: one position-independent block that is built once, written to disk as it is, and
 * used from a mapping without any work at opening.
 *
 *     header | u64 addr[n] | u32 size[n] (optional) | u32 name[n] | u32 order[n] |
 *     u32 bucket[buckets + 1] | u8 type[n] | names, each terminated
 *
 * Symbols are in index order (see symimage.h). The name index is a hash table in compressed-row
 * form: the indices of all symbols whose name falls into bucket b are order[bucket[b]] …
 * order[bucket[b + 1] - 1], rising, so that symbols of one name come in address order.
 *
 * Invariants: symimage_over() checks the header, that the arrays fit, and that the block's last
 * byte ends a name, and nothing else; so each access checks the index or offset it just loaded, and
 * a damaged block gives wrong answers or none, never a fault.
 */
#include "symbols/symimage.h"

#include "base/hash.h"
#include "base/util.h"

#include <sys/mman.h>

enum {
    TYPE_ABSOLUTE = 0x80,               /* bit in type[] */
    NAME_ROOM = SYMIMAGE_NAME_MAX + 33, /* what symimage_name_space() promises */
    NAMES_MAX = 1 << 30,
    BLOCK_PAGE = 4096,
};

static const char image_magic[8] = "oscosym";
enum { IMAGE_VERSION = 1 };

struct header {
    char magic[8];
    uint32_t version;
    uint32_t count, absolute; /* symbols, absolute ones among them */
    uint32_t buckets;         /* a power of two */
    uint32_t has_sizes;
    uint32_t names_len;
    uint64_t total;    /* bytes of the block */
    uint64_t checksum; /* FNV-1a of the header up to here */
};

struct symimage {
    const struct header *h; /* the block; fields below are copies that were checked */
    size_t total;
    uint32_t count, absolute, buckets, names_len;
    const uint64_t *addr;
    const uint32_t *size, *name, *order, *bucket;
    const uint8_t *type;
    const char *names;
    void *owned;      /* the block when this image frees it … */
    size_t owned_map; /* … by munmap() of so many bytes if not 0 */
};

static uint64_t header_checksum(const struct header *h)
{
    return fnv1a(FNV_INIT, h, offsetof(struct header, checksum));
}

/* Hash of a name, part of the format: a change needs a new IMAGE_VERSION. */
static uint32_t name_hash(const char *s, size_t n)
{
    uint64_t h = n * UINT64_C(0x9e3779b97f4a7c15), w;

    for (; n >= 8; s += 8, n -= 8) {
        h = (h ^ load64(s)) * UINT64_C(0xd6e8feb86659fd93);
        h ^= h >> 32;
    }
    w = 0;
    memcpy(&w, s, n);
    h = (h ^ w) * UINT64_C(0xd6e8feb86659fd93);
    h ^= h >> 32;
    h *= UINT64_C(0xd6e8feb86659fd93);
    return (uint32_t)(h >> 32);
}

/* Bytes of a block; the caps keep it far from overflow. */
static size_t block_size(const struct symimage *img, bool has_sizes)
{
    return sizeof(struct header) + (has_sizes ? 21 : 17) * (size_t)img->count +
           4 * ((size_t)img->buckets + 1) + img->names_len;
}

/* Points the arrays of img into its block. */
static void lay_out(struct symimage *img, const uint8_t *block, bool has_sizes)
{
    size_t n = img->count, at = sizeof(struct header);

    img->addr = (const uint64_t *)(block + at), at += 8 * n;
    img->size = has_sizes ? (const uint32_t *)(block + at) : NULL, at += has_sizes ? 4 * n : 0;
    img->name = (const uint32_t *)(block + at), at += 4 * n;
    img->order = (const uint32_t *)(block + at), at += 4 * n;
    img->bucket = (const uint32_t *)(block + at), at += 4 * ((size_t)img->buckets + 1);
    img->type = block + at, at += n;
    img->names = (const char *)(block + at);
}

/* ---- reading ---- */

struct oscope_error *symimage_over(const void *block, size_t n, struct symimage **out)
{
    struct header h;

    if (n < sizeof h || (uintptr_t)block % _Alignof(struct header))
        return error_new(OSCOPE_E_BAD_DATA, "symbol image: too short or not aligned");
    memcpy(&h, block, sizeof h);
    if (memcmp(h.magic, image_magic, sizeof h.magic) || h.version != IMAGE_VERSION)
        return error_new(OSCOPE_E_BAD_DATA, "symbol image: not one of this version");
    if (h.checksum != header_checksum(&h) || h.count > SYMIMAGE_COUNT_MAX || h.absolute > h.count ||
        !h.buckets || (h.buckets & (h.buckets - 1)) || h.buckets > SYMIMAGE_COUNT_MAX)
        return error_new(OSCOPE_E_BAD_DATA, "symbol image: damaged header");
    struct symimage *img = calloc(1, sizeof *img);
    if (!img)
        return error_nomem();
    *img = (struct symimage){.h = block,
                             .count = h.count,
                             .absolute = h.absolute,
                             .buckets = h.buckets,
                             .names_len = h.names_len};
    img->total = block_size(img, h.has_sizes);
    if (img->total == h.total && img->total <= n) {
        lay_out(img, block, h.has_sizes);
        if (!img->count || (img->names_len && !img->names[img->names_len - 1])) {
            *out = img;
            return NULL;
        }
    }
    free(img);
    return error_new(OSCOPE_E_BAD_DATA, "symbol image: cut short or damaged");
}

const void *symimage_bytes(const struct symimage *img, size_t *n)
{
    *n = img->total;
    return img->h;
}

size_t symimage_count(const struct symimage *img)
{
    return img->count;
}

size_t symimage_absolute(const struct symimage *img)
{
    return img->absolute;
}

bool symimage_has_sizes(const struct symimage *img)
{
    return img->size != NULL;
}

void symimage_free(struct symimage *img)
{
    if (!img)
        return;
    if (img->owned_map)
        munmap(img->owned, img->owned_map);
    else
        free(img->owned);
    free(img);
}

uint64_t symimage_addr(const struct symimage *img, size_t i)
{
    return i < img->count ? img->addr[i] : 0;
}

bool symimage_at(const struct symimage *img, size_t i, struct symimage_entry *out)
{
    if (i >= img->count)
        return false;
    uint32_t name = img->name[i];
    if (name >= img->names_len)
        return false;
    *out = (struct symimage_entry){.addr = img->addr[i],
                                   .size = img->size ? img->size[i] : 0,
                                   .name = img->names + name,
                                   .type = (char)(img->type[i] & ~TYPE_ABSOLUTE),
                                   .absolute = i < img->absolute};
    return true;
}

/* First index in [lo, hi) whose address (signed, or unsigned for absolute ones) is above addr. */
static size_t upper(const struct symimage *img, size_t lo, size_t hi, uint64_t addr, uint64_t flip)
{
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if ((img->addr[mid] ^ flip) <= (addr ^ flip))
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

size_t symimage_upper(const struct symimage *img, uint64_t addr)
{
    return upper(img, img->absolute, img->count, addr, BIT(63));
}

size_t symimage_next_addr(const struct symimage *img, size_t i)
{
    size_t end = i < img->absolute ? img->absolute : img->count;

    /* runs of one address are short, or else found by halving: no caller can be made quadratic */
    for (size_t k = i + 1; k < end && k < i + 8; k++)
        if (img->addr[k] != img->addr[i])
            return k;
    if (i + 8 >= end)
        return end;
    return upper(img, i + 8, end, img->addr[i], i < img->absolute ? 0 : BIT(63));
}

bool symimage_find(const struct symimage *img, const char *name, size_t len, uint32_t *slot,
                   size_t *index)
{
    if (!img->count || len > SYMIMAGE_NAME_MAX)
        return false;
    uint32_t b = name_hash(name, len) & (img->buckets - 1);
    uint32_t from = img->bucket[b], to = img->bucket[b + 1];

    if (to > img->count)
        return false;
    for (uint32_t k = MAX(from, *slot); k < to; k++) {
        uint32_t i = img->order[k], at;

        if (i >= img->count || (at = img->name[i]) >= img->names_len)
            continue;
        if (img->names_len - at > len && !memcmp(img->names + at, name, len) &&
            !img->names[at + len]) {
            *slot = k + 1;
            *index = i;
            return true;
        }
    }
    *slot = to;
    return false;
}

/* ---- building ---- */

/*
 * The builder's arrays lie in one region of memory in the very layout of a block for `cap` symbols,
 * so that a source which reserves the right number (kallsyms) is not copied at the end. Regions are
 * mapped with room to spare: what is never touched costs nothing. While building, order[] holds
 * the hashes of the names.
 */
struct symimage_builder {
    struct symimage img; /* layout over the region; img.count is the capacity */
    uint8_t *region;
    size_t region_size;
    size_t count, names_len, names_cap;
    bool sized;
};

enum { HUGE_PAGE = 2 << 20, SMALL_BLOCK = 256 << 10 };

/* Zeroed pages; large ones are huge if the host allows, as first touches dominate the cost. */
static void *region_map(size_t size)
{
    size_t slack = size >= HUGE_PAGE ? HUGE_PAGE : 0;
    uint8_t *p = mmap(NULL, size + slack, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED)
        return NULL;
    if (slack) {
        size_t before = (size_t)(ALIGN_UP((uintptr_t)p, HUGE_PAGE) - (uintptr_t)p);

        if (before)
            munmap(p, before);
        if (slack - before)
            munmap(p + before + size, slack - before);
        p += before;
        madvise(p, size, MADV_HUGEPAGE);
    }
    return p;
}

struct symimage_builder *symimage_builder_new(void)
{
    return calloc(1, sizeof(struct symimage_builder));
}

void symimage_builder_free(struct symimage_builder *b)
{
    if (!b)
        return;
    if (b->region)
        munmap(b->region, b->region_size);
    free(b);
}

static uint32_t bucket_count(size_t n)
{
    uint32_t buckets = 1;

    while (buckets < n / 2)
        buckets *= 2;
    return buckets;
}

/* Moves the builder's arrays to a layout for cap >= count symbols, which may overlap the old one.
 */
static void move_arrays(struct symimage_builder *b, const struct symimage *to)
{
    const struct symimage *from = &b->img;
    size_t n = b->count;

    memmove((void *)to->addr, from->addr, 8 * n);
    if (to->size && from->size)
        memmove((void *)to->size, from->size, 4 * n);
    memmove((void *)to->name, from->name, 4 * n);
    memmove((void *)to->order, from->order, 4 * n);
    memmove((void *)to->type, from->type, n);
    memmove((void *)to->names, from->names, b->names_len);
}

static bool resize(struct symimage_builder *b, size_t cap, size_t names_cap, bool sized)
{
    struct symimage next = {.count = (uint32_t)cap, .buckets = bucket_count(cap)};
    size_t size = ALIGN_UP(block_size(&next, sized) + names_cap, BLOCK_PAGE);
    uint8_t *region = region_map(size);

    if (!region)
        return false;
    lay_out(&next, region, sized);
    if (b->region) {
        move_arrays(b, &next);
        munmap(b->region, b->region_size);
    }
    b->img = next;
    b->region = region;
    b->region_size = size;
    b->names_cap = names_cap;
    b->sized = sized;
    return true;
}

bool symimage_reserve(struct symimage_builder *b, size_t n, size_t names_len)
{
    if (n > SYMIMAGE_COUNT_MAX - b->count || names_len > NAMES_MAX - b->names_len)
        return false;
    return resize(b, b->count + n, b->names_len + names_len + NAME_ROOM, b->sized);
}

char *symimage_name_space(struct symimage_builder *b)
{
    size_t names = b->names_len + NAME_ROOM, cap = b->img.count;

    if (unlikely(b->count >= cap || names > b->names_cap)) {
        if (b->count >= SYMIMAGE_COUNT_MAX || names > NAMES_MAX)
            return NULL;
        if (b->count >= cap)
            cap = MIN(MAX(2 * cap, (size_t)256), (size_t)SYMIMAGE_COUNT_MAX);
        if (!resize(b, cap, names > b->names_cap ? 2 * names + 8192 : b->names_cap, b->sized))
            return NULL;
    }
    return (char *)b->img.names + b->names_len;
}

bool symimage_commit(struct symimage_builder *b, uint64_t addr, uint64_t size, char type,
                     bool absolute, size_t name_len)
{
    if (name_len > SYMIMAGE_NAME_MAX || b->count >= b->img.count ||
        b->names_len + name_len >= b->names_cap)
        return false;
    if (unlikely(size && !b->sized) && !resize(b, b->img.count, b->names_cap, true))
        return false;
    char *name = (char *)b->img.names + b->names_len;
    name[name_len] = '\0';
    ((uint32_t *)b->img.name)[b->count] = (uint32_t)b->names_len;
    ((uint32_t *)b->img.order)[b->count] = name_hash(name, name_len);
    if (b->sized)
        ((uint32_t *)b->img.size)[b->count] = (uint32_t)MIN(size, (uint64_t)UINT32_MAX);
    b->names_len += name_len + 1;
    b->count++;
    ((uint8_t *)b->img.type)[b->count - 1] = (uint8_t)(type & 0x7f);
    symimage_set(b, b->count - 1, addr, absolute);
    return true;
}

void symimage_set(struct symimage_builder *b, size_t i, uint64_t addr, bool absolute)
{
    if (i >= b->count)
        return;
    uint8_t *type = (uint8_t *)&b->img.type[i];
    ((uint64_t *)b->img.addr)[i] = addr;
    *type = (uint8_t)((*type & 0x7f) | (absolute ? TYPE_ABSOLUTE : 0));
}

bool symimage_add(struct symimage_builder *b, uint64_t addr, uint64_t size, char type,
                  bool absolute, const char *name, size_t name_len)
{
    char *to = name_len <= SYMIMAGE_NAME_MAX ? symimage_name_space(b) : NULL;

    if (!to)
        return false;
    /* a resize for the first size moves the name with the others only once it is counted */
    if (size && !b->sized) {
        if (!resize(b, b->img.count, b->names_cap, true))
            return false;
        to = (char *)b->img.names + b->names_len;
    }
    memcpy(to, name, name_len);
    /* a NUL inside would make the name unfindable */
    return symimage_commit(b, addr, size, type, absolute, strnlen(to, name_len));
}

/* Sort key: absolute symbols first, then by address; relocated ones by signed address. */
struct sort_entry {
    uint64_t key;
    uint32_t index;
    uint8_t kind; /* 0 absolute, 1 relocated */
};

static struct sort_entry sort_entry(const struct symimage_builder *b, uint32_t i)
{
    bool absolute = b->img.type[i] & TYPE_ABSOLUTE;

    return (struct sort_entry){b->img.addr[i] ^ (absolute ? 0 : BIT(63)), i, !absolute};
}

static bool sorted(const struct symimage_builder *b)
{
    struct sort_entry prev = {0};

    for (uint32_t i = 0; i < b->count; i++) {
        struct sort_entry e = sort_entry(b, i);

        if (e.kind < prev.kind || (e.kind == prev.kind && e.key < prev.key))
            return false;
        prev = e;
    }
    return true;
}

enum { DIGIT_BITS = 11, DIGITS = 6, DIGIT_VALUES = 1 << DIGIT_BITS };

static unsigned digit(const struct sort_entry *e, unsigned p)
{
    return p == DIGITS ? e->kind : e->key >> (DIGIT_BITS * p) & (DIGIT_VALUES - 1);
}

/* Stable radix sort by kind and key; digits that are the same everywhere cost nothing. Returns the
 * one of a and b that holds the result; at: room for the counts. */
static struct sort_entry *radix_sort(struct sort_entry *a, struct sort_entry *b, size_t n,
                                     uint32_t (*at)[DIGIT_VALUES])
{
    for (size_t i = 0; i < n; i++)
        for (unsigned p = 0; p <= DIGITS; p++)
            at[p][digit(&a[i], p)]++;
    for (unsigned p = 0; p <= DIGITS; p++) {
        if (n && at[p][digit(&a[0], p)] == n)
            continue;
        for (uint32_t k = 0, sum = 0; k < DIGIT_VALUES; k++) {
            uint32_t here = at[p][k];
            at[p][k] = sum;
            sum += here;
        }
        for (size_t i = 0; i < n; i++)
            b[at[p][digit(&a[i], p)]++] = a[i];
        struct sort_entry *swap = a;
        a = b;
        b = swap;
    }
    return a;
}

/* Brings an array of n elements of `each` bytes (1, 4, 8) into the order of e. */
static void permute(const void *array, size_t each, const struct sort_entry *e, size_t n,
                    void *scratch)
{
    for (size_t i = 0; i < n; i++) {
        if (each == 8)
            ((uint64_t *)scratch)[i] = ((const uint64_t *)array)[e[i].index];
        else if (each == 4)
            ((uint32_t *)scratch)[i] = ((const uint32_t *)array)[e[i].index];
        else
            ((uint8_t *)scratch)[i] = ((const uint8_t *)array)[e[i].index];
    }
    memcpy((void *)array, scratch, n * each);
}

/* Brings the symbols into index order; names stay where they are. */
static bool sort_symbols(struct symimage_builder *b)
{
    size_t n = b->count;
    AUTO_FREE struct sort_entry *one = malloc(n * sizeof *one), *two = malloc(n * sizeof *two);
    AUTO_FREE uint32_t(*counts)[DIGIT_VALUES] = calloc(DIGITS + 1, sizeof *counts);

    if (!one || !two || !counts)
        return false;
    for (uint32_t i = 0; i < n; i++)
        one[i] = sort_entry(b, i);
    const struct sort_entry *e = radix_sort(one, two, n, counts);
    void *scratch = e == one ? two : one;
    permute(b->img.addr, 8, e, n, scratch);
    permute(b->img.name, 4, e, n, scratch);
    permute(b->img.order, 4, e, n, scratch);
    permute(b->img.type, 1, e, n, scratch);
    if (b->sized)
        permute(b->img.size, 4, e, n, scratch);
    return true;
}

/* Counting sort of the indices by bucket; hash: of each symbol's name. */
static void fill_index(const struct symimage *img, const uint32_t *hash)
{
    uint32_t *bucket = (uint32_t *)img->bucket, *order = (uint32_t *)img->order;
    uint32_t mask = img->buckets - 1;

    memset(bucket, 0, 4 * ((size_t)img->buckets + 1));
    for (uint32_t i = 0; i < img->count; i++)
        bucket[hash[i] & mask]++;
    for (uint32_t k = 0, sum = 0; k <= img->buckets; k++) {
        sum += bucket[k];
        bucket[k] = sum; /* the bucket's end; counted down to its start below */
    }
    for (uint32_t i = img->count; i-- > 0;)
        order[--bucket[hash[i] & mask]] = i;
}

static void fill_header(struct symimage *img, bool sized)
{
    struct header *h = img->owned;

    img->h = h;
    *h = (struct header){.version = IMAGE_VERSION,
                         .count = img->count,
                         .absolute = img->absolute,
                         .buckets = img->buckets,
                         .has_sizes = sized,
                         .names_len = img->names_len,
                         .total = img->total};
    memcpy(h->magic, image_magic, sizeof h->magic);
    h->checksum = header_checksum(h);
}

/* Lets img own the region, or a copy when it is small. */
static bool take_region(struct symimage_builder *b, struct symimage *img)
{
    if (img->total < SMALL_BLOCK) {
        img->owned = malloc(img->total);
        if (!img->owned)
            return false;
        memcpy(img->owned, b->region, img->total);
    } else {
        size_t keep = ALIGN_UP(img->total, BLOCK_PAGE);

        if (keep < b->region_size)
            munmap(b->region + keep, b->region_size - keep);
        img->owned = b->region;
        img->owned_map = keep;
        b->region = NULL;
    }
    lay_out(img, img->owned, b->sized);
    return true;
}

static struct oscope_error *finish(struct symimage_builder *b, struct symimage **out)
{
    if ((!b->region && !resize(b, 0, 0, false)) || (!sorted(b) && !sort_symbols(b)))
        return error_nomem();
    AUTO_FREE uint32_t *hash = malloc(4 * MAX(b->count, (size_t)1));
    AUTO_FREE struct symimage *img = calloc(1, sizeof *img);
    if (!img || !hash)
        return error_nomem();
    memcpy(hash, b->img.order, 4 * b->count);
    img->count = (uint32_t)b->count;
    img->names_len = (uint32_t)b->names_len;
    img->buckets = bucket_count(b->count);
    img->total = block_size(img, b->sized);
    while (img->absolute < img->count && b->img.type[img->absolute] & TYPE_ABSOLUTE)
        img->absolute++;
    /* each array's place for count symbols is at or below that for the capacity */
    lay_out(img, b->region, b->sized);
    if (img->count != b->img.count)
        move_arrays(b, img);
    if (!take_region(b, img))
        return error_nomem();
    fill_index(img, hash);
    fill_header(img, b->sized);
    *out = img;
    img = NULL;
    return NULL;
}

struct oscope_error *symimage_finish(struct symimage_builder *b, struct symimage **out)
{
    struct oscope_error *err = finish(b, out);

    symimage_builder_free(b);
    return err;
}
