/* SPDX-License-Identifier: MIT */
/* Symbol files given by the user: checking that they fit, and finding a kernel with their help. */
#include "os/linux/given.h"

#include "symbols/elfsyms.h"
#include "symbols/sysmap.h"

#include <elf.h>
#include <stdio.h>

enum { NOTES_MAX = 1 << 16 };

static void close_elf(struct elfsyms **es)
{
    elfsyms_free(*es);
}

static struct oscope_error *open_vmlinux(const struct arch *arch, const char *path, struct given *g)
{
    AUTO(close_elf) struct elfsyms *es = NULL;
    const uint8_t *id;

    TRY(elfsyms_open(path, &es));
    if (elfsyms_machine(es) != arch->elf_machine)
        return error_new(OSCOPE_E_USAGE, "'%s' is not for %s", path, arch->name);
    if (!elfsyms_text(es, &g->text))
        return error_hint(error_new(OSCOPE_E_USAGE, "'%s' has no symbol _text", path),
                          "is it stripped? give the file with symbols");
    id = elfsyms_build_id(es, &g->build_id_n);
    g->build_id_n = MIN(g->build_id_n, sizeof g->build_id);
    if (id)
        memcpy(g->build_id, id, g->build_id_n);
    return elfsyms_image(es, &g->image);
}

struct oscope_error *given_open(const struct arch *arch, const struct os_open_options *opts,
                                struct given *g)
{
    *g = (struct given){0};
    g->path = opts->vmlinux ? opts->vmlinux : opts->system_map;
    if (opts->vmlinux)
        return open_vmlinux(arch, opts->vmlinux, g);
    if (opts->system_map)
        return sysmap_open(opts->system_map, &g->image, &g->text);
    return NULL;
}

void given_free(struct given *g)
{
    symimage_free(g->image);
    g->image = NULL;
}

/* ---- does it fit? ---- */

/* NT_GNU_BUILD_ID among the kernel's ELF notes in RAM; 0 bytes if there is none. */
static size_t guest_build_id(struct linux_model *lm, uint8_t *id, size_t max)
{
    uint64_t start = symtab_addr(lm->base.symtab, "__start_notes");
    uint64_t end = symtab_addr(lm->base.symtab, "__stop_notes");
    AUTO_FREE uint8_t *notes = NULL;

    if (!start || end <= start || end - start > NOTES_MAX || !(notes = malloc(end - start)) ||
        !vspace_read(&lm->base.kernel, start, notes, end - start))
        return 0;
    size_t n = end - start;
    for (size_t at = 0; at + sizeof(Elf64_Nhdr) <= n;) {
        uint64_t name = load32(notes + at), desc = load32(notes + at + 4);
        uint32_t type = load32(notes + at + 8);
        uint64_t body = at + sizeof(Elf64_Nhdr) + ALIGN_UP(name, 4);
        if (name > n || desc > n || body + desc > n)
            return 0;
        if (type == NT_GNU_BUILD_ID && name == 4 &&
            memcmp(notes + at + sizeof(Elf64_Nhdr), "GNU", 4) == 0 && desc <= max) {
            memcpy(id, notes + body, desc);
            return desc;
        }
        at = body + ALIGN_UP(desc, 4);
    }
    return 0;
}

/* By build-id where both have one, else by a symbol that both must place alike. */
static bool fits(struct linux_model *lm, const struct given *g, const struct symtab *st)
{
    uint8_t id[sizeof g->build_id];
    size_t n = g->build_id_n ? guest_build_id(lm, id, sizeof id) : 0;

    if (n)
        return n == g->build_id_n && memcmp(id, g->build_id, n) == 0;
    uint64_t ours = symtab_addr(st, "schedule");
    return ours && ours == symtab_addr(lm->base.symtab, "schedule");
}

/* A symtab of the file alone, loaded so that its _text lies at text_va. */
static struct symtab *given_symtab(struct given *g, uint64_t text_va)
{
    struct symtab *st = symtab_new();
    struct symimage *image = g->image;

    if (!st)
        return NULL;
    g->image = NULL;
    if (symtab_add(st, image, text_va - g->text, NULL)) /* takes the image in any case */
        return st;
    symtab_free(st);
    return NULL;
}

struct oscope_error *given_use(struct linux_model *lm, struct given *g)
{
    size_t n = symimage_count(g->image);
    struct symtab *st = given_symtab(g, lm->ks.text_va);

    if (!st)
        return error_nomem();
    if (!fits(lm, g, st)) {
        symtab_free(st);
        return error_hint(error_new(OSCOPE_E_USAGE, "'%s' is not the guest's kernel", g->path),
                          "the guest runs %s", lm->ks.banner);
    }
    symtab_free(lm->base.symtab);
    lm->base.symtab = st;
    lm->kernel_image = NULL;
    lm->nsymbols = n;
    return NULL;
}

/* ---- a kernel without a symbol table of its own ---- */

/* The next banner in RAM at or after *pa; false if there is none. */
static bool next_banner(struct target *t, uint64_t *pa, char *text, size_t n)
{
    static const char key[] = "Linux version ";
    enum { CHUNK = 1 << 20 };
    AUTO_FREE char *buf = malloc(CHUNK + 64);
    uint64_t start, end;

    while (buf && target_extent(t, *pa, &start, &end)) {
        size_t len = (size_t)MIN((uint64_t)CHUNK + sizeof key, end - start);
        const char *p = target_view(t, start, len, buf);
        const char *hit = p ? memmem(p, len, key, sizeof key - 1) : NULL;
        if (hit) {
            *pa = start + (uint64_t)(hit - p);
            memset(text, 0, n);
            target_read(t, *pa, text, MIN(n - 1, (size_t)(end - *pa)));
            text[strcspn(text, "\n")] = '\0';
            return true;
        }
        *pa = start + MIN((uint64_t)CHUNK, end - start);
    }
    return false;
}

/* A kernel mapping of the banner that makes all symbols fall into place. */
struct search {
    struct linux_model *lm;
    uint64_t banner, banner_pa; /* link-time VA and PA */
    struct paging pg;
    bool found;
};

static bool try_mapping(const struct mapping *m, uint64_t raw, uint64_t entry_pa, void *arg)
{
    struct search *s = arg;
    struct mapping map;

    if (s->banner_pa - m->pa >= m->size)
        return true;
    uint64_t offset = m->va + (s->banner_pa - m->pa) - s->banner; /* KASLR, if this is the image */
    uint64_t task = symtab_addr(s->lm->base.symtab, "init_task");
    uint64_t text = symtab_addr(s->lm->base.symtab, "_stext");
    uint64_t va_minus_pa = m->va - m->pa;
    if (offset & (TARGET_PAGE_SIZE - 1) || !task || !text ||
        !paging_translate(&s->pg, s->lm->base.target, task + offset, &map) ||
        map.va - map.pa != va_minus_pa ||
        !paging_translate(&s->pg, s->lm->base.target, text + offset, &map) ||
        map.va - map.pa != va_minus_pa || !(map.flags & PTE_X)) /* the linear map has it too */
        return true;
    s->lm->ks.va_minus_pa = va_minus_pa;
    s->lm->ks.text_va = offset; /* of _text once its link-time address is added */
    s->found = true;
    return false;
}

static bool try_banner(struct search *s)
{
    static const char *const roots[] = {"init_top_pgt", "swapper_pg_dir"};

    for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
        uint64_t root = symtab_addr(s->lm->base.symtab, roots[i]);
        if (!root)
            continue;
        for (const struct paging_mode *const *m = s->lm->base.arch->modes; *m; m++) {
            bool truncated;
            s->pg = (struct paging){.mode = *m, .root = root - s->banner + s->banner_pa};
            paging_visit(&s->pg, s->lm->base.target, UINT64_C(1) << 63, UINT64_MAX, 0, try_mapping,
                         s, &truncated);
            if (s->found)
                return true;
        }
    }
    return false;
}

struct oscope_error *given_locate(struct linux_model *lm, struct given *g)
{
    struct search s = {.lm = lm};
    char banner[sizeof lm->ks.banner] = "";
    size_t n = symimage_count(g->image);

    lm->base.symtab = given_symtab(g, g->text);
    if (!lm->base.symtab)
        return error_nomem();
    lm->nsymbols = n;
    s.banner = symtab_addr(lm->base.symtab, "linux_banner");
    for (uint64_t pa = 0; s.banner && next_banner(lm->base.target, &pa, banner, sizeof banner);
         pa++) {
        s.banner_pa = pa;
        if (!try_banner(&s))
            continue;
        memcpy(lm->ks.banner, banner, sizeof banner);
        symtab_move(lm->base.symtab, lm->ks.text_va);
        lm->ks.text_va += g->text;
        snprintf(lm->ks.layout.name, sizeof lm->ks.layout.name, "none");
        return NULL;
    }
    return error_hint(
        error_new(OSCOPE_E_NOT_FOUND, "no kernel in guest RAM fits the symbols of '%s'", g->path),
        "%s", banner[0] ? banner : "there is no Linux banner in guest RAM either");
}
