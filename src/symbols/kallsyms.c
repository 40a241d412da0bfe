/* SPDX-License-Identifier: MIT */
/*
 * Decoding the kernel's symbol table from guest RAM into a symimage, and finding a known one again.
 *
 * Order of work: tokens (copied and checked), names and markers, all names decoded into a builder,
 * then one row after the other of the layout table until one gives addresses that rise and whose
 * linux_banner is the banner. Only then are addresses put into the builder, relative to _text, so
 * that the image is the same at every boot of that build.
 */
#include "symbols/kallsyms_impl.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/util.h"

enum {
    /* the largest configurations (allyesconfig) have ~10 MB of names */
    WINDOW_BEFORE = 96 << 20,
    WINDOW_AFTER = 96 << 20,
};

/* ---- names ---- */

/* Tokens laid out for fast expansion: 16 bytes are copied for a token whatever its length. */
struct expander {
    const struct ktokens *tok;
    struct {
        char text[KTOKEN_FAST];
    } fast[256];
};

static void expander_init(struct expander *ex, const struct ktokens *tok)
{
    ex->tok = tok;
    for (unsigned i = 0; i < 256; i++)
        memcpy(ex->fast[i].text, tok->text + tok->offset[i], KTOKEN_FAST);
}

/*
 * Appends the n tokens at p to the `at` bytes already in out, which holds SYMIMAGE_NAME_MAX + 1
 * bytes and 32 to scribble on. Returns the length, SIZE_MAX when it is too long.
 */
static inline size_t expand(const struct expander *ex, const uint8_t *p, size_t n, char *out,
                            size_t at)
{
    for (size_t i = 0; i < n; i++) {
        unsigned k = p[i];
        size_t len = ex->tok->len[k];

        memcpy(out + at, ex->fast[k].text, KTOKEN_FAST);
        if (unlikely(len > KTOKEN_FAST)) {
            if (len > SYMIMAGE_NAME_MAX - at)
                return SIZE_MAX;
            memcpy(out + at, ex->tok->text + ex->tok->offset[k], len);
        }
        at += len;
        if (unlikely(at > SYMIMAGE_NAME_MAX))
            return SIZE_MAX;
    }
    return at;
}

static void note_special(struct kspecial *sp, uint32_t i, char type, const char *name, size_t len)
{
    static const struct {
        const char *name;
        size_t place;
    } known[] = {
        {"_text", offsetof(struct kspecial, text)},
        {"_stext", offsetof(struct kspecial, stext)},
        {"init_task", offsetof(struct kspecial, init_task)},
        {"linux_banner", offsetof(struct kspecial, banner)},
        {"linux_proc_banner", offsetof(struct kspecial, proc_banner)},
    };

    if ((type == 't' || type == 'T') && sp->first_text == KSYM_NONE)
        sp->first_text = i;
    if (name[0] != '_' && name[0] != 'l' && name[0] != 'i')
        return;
    for (size_t k = 0; k < ARRAY_SIZE(known); k++) {
        uint32_t *p = (uint32_t *)((char *)sp + known[k].place);

        if (*p == KSYM_NONE && strlen(known[k].name) == len && !memcmp(name, known[k].name, len))
            *p = i;
    }
}

/* Decodes all names into b, with address 0; types[i] gets each symbol's letter. */
static struct oscope_error *decode_names(struct kwin *w, const struct ktokens *tok,
                                         const struct knames *n, struct symimage_builder *b,
                                         char *types, struct kspecial *sp)
{
    uint64_t room = n->names_end - n->names_pa;
    const uint8_t *p = kwin_ptr(w, n->names_pa, room);
    struct expander ex;
    size_t at = 0, head = 0;

    expander_init(&ex, tok);
    *sp = (struct kspecial){KSYM_NONE, KSYM_NONE, KSYM_NONE, KSYM_NONE, KSYM_NONE, KSYM_NONE};
    if (!p || !symimage_reserve(b, n->count, 8 * room))
        return error_nomem();
    for (uint32_t i = 0; i < n->count; i++) {
        size_t clen = kname_len(p + at, room - at, n->byte_lengths, &head);
        char *name = symimage_name_space(b);

        if (!clen || !name)
            return clen ? error_nomem()
                        : error_new(OSCOPE_E_BAD_DATA, "kallsyms: names end too soon");
        /* the type letter is the first character of the first token */
        const uint8_t *c = p + at + head;
        unsigned k = c[0];
        size_t first = tok->len[k];
        if (!first || first - 1 > SYMIMAGE_NAME_MAX)
            return error_new(OSCOPE_E_BAD_DATA, "kallsyms: a symbol without type");
        types[i] = tok->text[tok->offset[k]];
        memcpy(name, tok->text + tok->offset[k] + 1, first - 1);
        size_t len = expand(&ex, c + 1, clen - 1, name, first - 1);
        if (len == SIZE_MAX)
            return error_new(OSCOPE_E_BAD_DATA, "kallsyms: a name is too long");
        note_special(sp, i, types[i], name, len);
        if (!symimage_commit(b, 0, 0, types[i], false, len))
            return error_nomem();
        at += head + clen;
    }
    return NULL;
}

/* ---- the whole ---- */

/* Finds the row of addresses that proves right. */
static struct oscope_error *find_addresses(struct kwin *w, const struct ktokens *tok,
                                           const struct knames *names, const char *types,
                                           const struct kspecial *sp, unsigned ptr_size,
                                           struct kaddrs *a, struct kplace *place)
{
    struct oscope_error *why = NULL;

    for (unsigned r = 0; r < kaddr_nrows; r++) {
        if (!kaddrs_try(w, tok, names, &kaddr_rows[r], ptr_size, a))
            continue;
        oscope_error_free(why);
        why = kplace_find(w, tok, a, sp, types, place);
        if (!why)
            return NULL;
        log_debug("kallsyms: layout '%s' refused: %s", kaddr_rows[r].name, why->message);
    }
    if (why)
        return why;
    return error_new(OSCOPE_E_BAD_DATA,
                     "kallsyms: %u names found, but no table of addresses that fits them",
                     names->count);
}

static void fill_layout(struct kallsyms *ks, const struct ktokens *tok, const struct knames *n,
                        const struct kaddrs *a, const struct kspecial *sp,
                        const struct kplace *place)
{
    struct kallsyms_layout *l = &ks->layout;

    *l = (struct kallsyms_layout){
        .count = n->count,
        .names = (int64_t)(n->names_pa - tok->pa),
        .markers = (int64_t)(n->markers_pa - tok->pa),
        .offsets = (int64_t)(a->table_pa - tok->pa),
        .relative_base = a->base_pa ? (int64_t)(a->base_pa - tok->pa) : 0,
        .banner = (int64_t)(place->banner_pa - tok->pa),
        .text = (int64_t)(place->text_va - place->va_minus_pa - tok->pa),
        .text_index = sp->text != KSYM_NONE    ? sp->text
                      : sp->stext != KSYM_NONE ? sp->stext
                                               : sp->first_text,
        .absolute_percpu = a->percpu,
        .per_slot = a->kind == KADDR_SLOT,
        .absolute = a->kind == KADDR_ABSOLUTE,
        .ptr_size = (uint8_t)a->ptr_size,
        .npointers = (uint8_t)place->npointers,
        .banner_hash = fnv1a(FNV_INIT, ks->banner, strlen(ks->banner)),
    };
    str_copy(l->name, sizeof l->name, a->row->name);
    for (unsigned i = 0; i < place->npointers; i++) {
        l->pointers[i].word = (int64_t)(place->pointers[i].word_pa - tok->pa);
        l->pointers[i].target = (int64_t)(place->pointers[i].target_pa - tok->pa);
    }
}

static struct oscope_error *decode_into(struct kwin *w, const struct ktokens *tok,
                                        struct kallsyms *ks, struct symimage_builder *b)
{
    unsigned ptr_size = !strcmp(w->target->arch, "i386") ? 4 : 8;
    struct knames names;
    struct kspecial sp;
    struct kaddrs a;
    struct kplace place;

    TRY(knames_find(w, tok, &names));
    AUTO_FREE char *types = malloc(names.count);
    if (!types)
        return error_nomem();
    TRY(decode_names(w, tok, &names, b, types, &sp));
    TRY(find_addresses(w, tok, &names, types, &sp, ptr_size, &a, &place));
    if (!kbanner_read(w->target, place.banner_pa, ks->banner, sizeof ks->banner))
        return error_new(OSCOPE_E_BAD_DATA, "kallsyms: the kernel's banner is damaged");
    ks->text_va = place.text_va;
    ks->va_minus_pa = place.va_minus_pa;
    fill_layout(ks, tok, &names, &a, &sp, &place);
    if (!kaddrs_sample(w->target, ks, &ks->layout.addresses_hash))
        return error_new(OSCOPE_E_BAD_DATA, "kallsyms: the address table can't be read");
    uint64_t text = a.kind == KADDR_SLOT ? place.text_va - place.va_minus_pa : place.text_va;
    for (uint32_t i = 0; i < names.count; i++) {
        bool absolute;
        uint64_t addr = kaddrs_at(&a, i, &absolute);

        symimage_set(b, i, absolute ? addr : addr - text, absolute);
    }
    return NULL;
}

struct oscope_error *kallsyms_decode(struct target *t, struct kallsyms *ks, struct symimage **image)
{
    struct symimage_builder *b = symimage_builder_new();
    struct ktokens tok = {0};
    struct kwin w = {0};
    struct oscope_error *err = b ? NULL : error_nomem();

    if (!err)
        err = kwin_open(&w, t, ks->tokens_pa, WINDOW_BEFORE, WINDOW_AFTER);
    if (!err && !ktokens_at(t, ks->tokens_pa, &tok))
        err = error_new(OSCOPE_E_BAD_DATA, "kallsyms: no token table at physical 0x%llx (any more)",
                        (unsigned long long)ks->tokens_pa);
    if (!err)
        err = decode_into(&w, &tok, ks, b);
    if (!err)
        err = symimage_finish(b, image);
    else
        symimage_builder_free(b);
    ktokens_free(&tok);
    kwin_close(&w);
    return err;
}

/* ---- a kernel seen before ---- */

/* text_va of a kernel whose tables hold no virtual address: what the remembered words say. */
static bool text_from_pointers(struct target *t, const struct kallsyms *ks, uint64_t *text_va)
{
    const struct kallsyms_layout *l = &ks->layout;
    unsigned n = MIN((unsigned)l->npointers, (unsigned)ARRAY_SIZE(l->pointers));

    for (unsigned i = 0; i < n; i++) {
        uint8_t buf[8];

        if (!target_read(t, ks->tokens_pa + (uint64_t)l->pointers[i].word, buf, l->ptr_size))
            return false;
        uint64_t v =
            load_uint(buf, l->ptr_size) - (uint64_t)l->pointers[i].target + (uint64_t)l->text;
        if (i && v != *text_va)
            return false;
        *text_va = v;
    }
    return n >= 2;
}

static bool text_from_table(struct target *t, const struct kallsyms *ks, uint64_t *text_va)
{
    const struct kallsyms_layout *l = &ks->layout;
    enum kaddr_kind kind = l->absolute ? KADDR_ABSOLUTE : KADDR_BASE;
    size_t width = kaddr_width(kind, l->ptr_size);
    uint8_t base[8] = {0}, slot[8];
    bool absolute;

    if (!target_read(t, ks->tokens_pa + (uint64_t)l->offsets + (uint64_t)l->text_index * width,
                     slot, width) ||
        (kind == KADDR_BASE &&
         !target_read(t, ks->tokens_pa + (uint64_t)l->relative_base, base, l->ptr_size)))
        return false;
    *text_va = kaddr_of(kind, l->absolute_percpu, l->ptr_size, load_uint(base, l->ptr_size), 0,
                        slot, &absolute);
    return !absolute;
}

struct oscope_error *kallsyms_relocate(struct target *t, struct kallsyms *ks)
{
    const struct kallsyms_layout *l = &ks->layout;
    uint64_t hash, text_va = 0;

    if ((l->ptr_size != 4 && l->ptr_size != 8) || l->text_index >= l->count)
        return error_new(OSCOPE_E_BAD_DATA, "kallsyms: damaged layout");
    if (!kbanner_read(t, ks->tokens_pa + (uint64_t)l->banner, ks->banner, sizeof ks->banner) ||
        fnv1a(FNV_INIT, ks->banner, strlen(ks->banner)) != l->banner_hash)
        return error_new(OSCOPE_E_BAD_DATA, "kallsyms: another kernel than the one remembered");
    if (!kaddrs_sample(t, ks, &hash) || hash != l->addresses_hash)
        return error_new(OSCOPE_E_BAD_DATA, "kallsyms: another build than the one remembered");
    if (!(l->per_slot ? text_from_pointers(t, ks, &text_va) : text_from_table(t, ks, &text_va)) ||
        !kernel_va(text_va, l->ptr_size))
        return error_new(OSCOPE_E_BAD_DATA, "kallsyms: can't tell where the kernel runs");
    ks->text_va = text_va;
    ks->va_minus_pa = text_va - (ks->tokens_pa + (uint64_t)l->text);
    return NULL;
}
