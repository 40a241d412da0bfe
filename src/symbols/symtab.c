/* SPDX-License-Identifier: MIT */
/*
 * The symbol table of a guest: images (kernel, modules) with the offset at which each is loaded,
 * and lookups over all of them. Also makes images from the ELF symbols that the kernel keeps for
 * its modules.
 *
 * An image is searched by its own (link-time) addresses: a run-time address minus the load offset,
 * modulo 2^64. Tables number a few hundred at most and are walked; inside one all is O(log n) or
 * O(1).
 */
#include "symbols/symimage.h"

#include "base/util.h"
#include "base/vec.h"

#include <elf.h>
#include <stdio.h>

struct table {
    struct symimage *img;
    uint64_t load_offset;
    char *module;     /* NULL: the kernel */
    size_t first;     /* symbols in the tables before */
    int64_t from, to; /* span of the relocated symbols, image addresses, inclusive */
};

struct symtab {
    VEC(struct table) tables;
    size_t count;
};

enum {
    PAGE = 4096,
    SPAN_MAX = 64 << 20, /* no kernel object is larger: what is further away is not its neighbour */
    ALIASES_MAX = 64,    /* symbols of one address that are looked at for a size */
    TRIED_MAX = 32,      /* symbols before an address that are tried for covering it */
};

struct symtab *symtab_new(void)
{
    return calloc(1, sizeof(struct symtab));
}

void symtab_free(struct symtab *st)
{
    if (!st)
        return;
    vec_each (struct table, t, &st->tables) {
        symimage_free(t->img);
        free(t->module);
    }
    vec_free(&st->tables);
    free(st);
}

bool symtab_add(struct symtab *st, struct symimage *img, uint64_t load_offset, const char *module)
{
    struct table t = {.img = img, .load_offset = load_offset, .first = st->count, .from = 1};
    size_t n = symimage_count(img);
    struct symimage_entry last;

    if (n > symimage_absolute(img) && symimage_at(img, n - 1, &last)) {
        t.from = (int64_t)symimage_addr(img, symimage_absolute(img));
        t.to = (int64_t)last.addr;
        uint64_t span = MAX(last.size, (uint64_t)PAGE);
        t.to = (int64_t)MIN((uint64_t)INT64_MAX - (uint64_t)t.to, span) + t.to;
    }
    if (module && !(t.module = strdup(module)))
        goto fail;
    if (!vec_push(&st->tables, t))
        goto fail;
    st->count += n;
    return true;
fail:
    free(t.module);
    symimage_free(img);
    return false;
}

void symtab_move(struct symtab *st, uint64_t delta)
{
    vec_each (struct table, t, &st->tables)
        t->load_offset += delta;
}

bool symbol_is_mapping(const char *name)
{
    return name[0] == '$' || (name[0] == '.' && name[1] == 'L') ||
           (name[0] == 'L' && name[1] == '0');
}

/* Distance from a symbol to the next one that is one; 0 if there is none in reach. */
static uint64_t to_next(const struct symimage *img, size_t i)
{
    bool absolute = i < symimage_absolute(img);
    size_t end = absolute ? symimage_absolute(img) : symimage_count(img);
    uint64_t from = symimage_addr(img, i);
    struct symimage_entry e;

    i = symimage_next_addr(img, i);
    for (unsigned tries = 0; i < end && tries < 256; tries++, i++)
        if (!symimage_at(img, i, &e) || !symbol_is_mapping(e.name))
            break;
    uint64_t n = i < end ? symimage_addr(img, i) - from : 0;
    return n <= SPAN_MAX ? n : 0;
}

/* The greatest size that a symbol at the very address of symbol i has, 0 if none. */
static uint64_t size_of_alias(const struct symimage *img, size_t i)
{
    size_t absolute = symimage_absolute(img);
    size_t lo = i < absolute ? 0 : absolute, hi = i < absolute ? absolute : symimage_count(img);
    uint64_t addr = symimage_addr(img, i), size = 0;
    struct symimage_entry e;

    lo = i - lo > ALIASES_MAX ? i - ALIASES_MAX : lo;
    hi = hi - i > ALIASES_MAX ? i + ALIASES_MAX : hi;
    while (i > lo && symimage_addr(img, i - 1) == addr)
        i--;
    for (; i < hi && symimage_at(img, i, &e) && e.addr == addr; i++)
        if (!symbol_is_mapping(e.name))
            size = MAX(size, e.size);
    return size;
}

/*
 * How many bytes symbol i covers. When the source gives no size: that of an alias, else up to the
 * next symbol, but not across gaps: in a module not beyond the page, as its sections lie apart, nor
 * where no next one is near. *known: whether that is its size or only a bound.
 */
static uint64_t extent(const struct table *t, size_t i, const struct symimage_entry *e, bool *known)
{
    uint64_t at = e->absolute ? e->addr : e->addr + t->load_offset, page = PAGE - at % PAGE, n;

    *known = true;
    if (e->size)
        return e->size;
    if (symimage_has_sizes(t->img) && (n = size_of_alias(t->img, i)))
        return n;
    n = to_next(t->img, i);
    if (n && (!t->module || n <= page))
        return n;
    *known = false;
    return page;
}

static bool get(const struct table *t, size_t i, struct symbol *out)
{
    struct symimage_entry e;
    bool known;

    if (!symimage_at(t->img, i, &e))
        return false;
    uint64_t size = extent(t, i, &e, &known);
    *out = (struct symbol){.addr = e.absolute ? e.addr : e.addr + t->load_offset,
                           .size = known ? size : 0,
                           .name = e.name,
                           .module = t->module,
                           .type = e.type};
    return true;
}

/* ---- by name ---- */

bool symtab_find_next(const struct symtab *st, const char *name, struct symtab_cursor *c,
                      struct symbol *out)
{
    const char *colon = strchr(name, ':'), *plain = colon ? colon + 1 : name;
    size_t mod_len = colon ? (size_t)(colon - name) : 0;

    for (; c->table < st->tables.len; c->table++, c->slot = 0) {
        const struct table *t = &st->tables.data[c->table];
        bool here =
            t->module && colon && strlen(t->module) == mod_len && !memcmp(t->module, name, mod_len);
        const char *want = here ? plain : name;
        size_t i;

        if (symimage_find(t->img, want, strlen(want), &c->slot, &i) && get(t, i, out))
            return true;
    }
    return false;
}

bool symtab_find(const struct symtab *st, const char *name, struct symbol *out)
{
    return symtab_find_next(st, name, &(struct symtab_cursor){0}, out);
}

uint64_t symtab_addr(const struct symtab *st, const char *name)
{
    struct symbol s;

    return symtab_find(st, name, &s) ? s.addr : 0;
}

/* ---- by address ---- */

/*
 * The index of the symbol of t that covers the image address rel. A sized symbol that ends before
 * rel does not cover it, but one before it may (a big object with labels inside): some are tried.
 * One without size ends where the next symbol begins, so only the last before rel can be it.
 */
static bool covering(const struct table *t, uint64_t rel, size_t *index)
{
    const struct symimage *img = t->img;
    size_t lo = symimage_absolute(img), i = symimage_upper(img, rel), found = SIZE_MAX;
    uint64_t last = 0; /* address of the last symbol before rel */
    unsigned tried = 0;
    struct symimage_entry e;
    bool known;

    for (unsigned steps = 0; i > lo && steps < 65536 && tried < TRIED_MAX; steps++) {
        if (!symimage_at(img, --i, &e) || symbol_is_mapping(e.name) || !e.name[0])
            continue;
        if (found != SIZE_MAX && e.addr != symimage_addr(img, found))
            break;
        last = tried ? last : e.addr;
        /* aliases: the first wins */
        if (e.size
                ? rel - e.addr < e.size
                : found != SIZE_MAX || (e.addr == last && rel - e.addr < extent(t, i, &e, &known)))
            found = i;
        tried += found == SIZE_MAX;
    }
    *index = found;
    return found != SIZE_MAX;
}

bool symtab_lookup(const struct symtab *st, uint64_t addr, struct symbol *out, uint64_t *off)
{
    uint64_t best = UINT64_MAX;

    vec_each (const struct table, t, &st->tables) {
        uint64_t rel = addr - t->load_offset;
        size_t i;

        if ((int64_t)rel < t->from || (int64_t)rel > t->to || !covering(t, rel, &i))
            continue;
        uint64_t o = rel - symimage_addr(t->img, i);
        /* o > addr: the symbol lies beyond the end of the address space */
        if (o < best && o <= addr && get(t, i, out))
            best = o;
    }
    if (best == UINT64_MAX)
        return false;
    *off = best;
    return true;
}

size_t symtab_count(const struct symtab *st)
{
    return st->count;
}

bool symtab_at(const struct symtab *st, size_t i, struct symbol *out)
{
    size_t lo = 0, hi = st->tables.len;

    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;

        if (st->tables.data[mid].first <= i)
            lo = mid;
        else
            hi = mid;
    }
    return i < st->count && get(&st->tables.data[lo], i - st->tables.data[lo].first, out);
}

const char *symtab_format(const struct symtab *st, uint64_t addr, char *buf, size_t n)
{
    struct symbol s;
    uint64_t off;

    if (!symtab_lookup(st, addr, &s, &off)) {
        snprintf(buf, n, "0x%llx", (unsigned long long)addr);
        return buf;
    }
    char plus[32] = "";
    if (off)
        snprintf(plus, sizeof plus, "+0x%llx", (unsigned long long)off);
    snprintf(buf, n, "%s%s%s%s%s", s.name, plus, s.module ? " [" : "", s.module ? s.module : "",
             s.module ? "]" : "");
    return buf;
}

/* ---- module symbols ---- */

struct oscope_error *symimage_from_elf_syms(const void *syms, size_t nbytes, unsigned ptr_size,
                                            const char *strtab, size_t strtab_len,
                                            const char *types, size_t ntypes, bool labels,
                                            struct symimage **out)
{
    size_t each = ptr_size == 8 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
    struct symimage_builder *b = symimage_builder_new();

    if (!b)
        return error_nomem();
    /* most names are there once: no growing (where they are not, it grows; too many fail below) */
    symimage_reserve(b, MIN(nbytes / each, (size_t)SYMIMAGE_COUNT_MAX), strtab_len);
    for (size_t i = 0; i < nbytes / each; i++) {
        Elf64_Sym s;

        if (ptr_size == 8) {
            memcpy(&s, (const char *)syms + i * each, sizeof s);
        } else {
            Elf32_Sym s32;
            memcpy(&s32, (const char *)syms + i * each, sizeof s32);
            s = (Elf64_Sym){.st_name = s32.st_name,
                            .st_shndx = s32.st_shndx,
                            .st_value = s32.st_value,
                            .st_size = s32.st_size};
        }
        if (s.st_shndx == SHN_UNDEF || s.st_name >= strtab_len)
            continue;
        const char *name = strtab + s.st_name;
        size_t len = strnlen(name, strtab_len - s.st_name);
        /* a name that runs off the table's end is no name */
        if (!len || len == strtab_len - s.st_name || len > SYMIMAGE_NAME_MAX ||
            labels != symbol_is_mapping(name))
            continue;
        char type = types && i < ntypes && types[i] > ' ' && types[i] < 0x7f ? types[i] : '?';
        /* per-CPU data: st_value is an offset, or a template's address (simplify_symbols()) */
        bool absolute = s.st_shndx == SHN_ABS || type == 'a' || type == 'A';
        if (!symimage_add(b, s.st_value, s.st_size, type, absolute, name, len)) {
            symimage_builder_free(b);
            return error_nomem();
        }
    }
    return symimage_finish(b, out);
}
