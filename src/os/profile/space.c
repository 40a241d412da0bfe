/* SPDX-License-Identifier: MIT */
/*
 * The address space of a kernel that a profile describes. Its image lies where the ELF file's
 * program headers say; that is checked, for what is executable, byte by byte. All else is found
 * through linear maps the profile names and the page table: the profile's, or one that a vCPU uses
 * in kernel mode, or none (translation off: addresses are physical).
 */
#include "os/profile/profile.h"

enum { CHUNK = 4096 };

/* ---- the image ---- */

static bool same(struct target *t, const struct elf_segment *s)
{
    uint8_t copy[CHUNK];

    for (uint64_t at = 0; at < s->size; at += CHUNK) {
        size_t n = (size_t)MIN((uint64_t)CHUNK, s->size - at);
        const void *p = target_view(t, s->pa + at, n, copy);
        if (!p || memcmp(p, s->bytes + at, n) != 0)
            return false;
    }
    return true;
}

bool profile_in_ram(struct profile_model *pm)
{
    for (size_t i = 0; i < pm->ncode; i++)
        if (!pm->code[i].bytes || !same(pm->base.target, &pm->code[i]))
            return false;
    return pm->ncode > 0;
}

/* Segments that lie in a row, both ways, are one range. */
static void add_image(struct profile_model *pm)
{
    struct vspace *vs = &pm->base.kernel;

    for (size_t i = 0; i < pm->nsegments;) {
        struct elf_segment whole = pm->segments[i++];
        for (; i < pm->nsegments; i++) {
            const struct elf_segment *s = &pm->segments[i];
            if (s->va - s->pa != whole.va - whole.pa || s->va < whole.va ||
                s->va > whole.va + whole.size + (1 << 20))
                break;
            whole.size = MAX(whole.size, s->va + s->size - whole.va);
        }
        vspace_add_direct(vs, whole.va, whole.size, whole.pa);
    }
}

/* ---- page tables ---- */

static const struct paging_mode *mode_named(const struct arch *arch, const char *name)
{
    for (const struct paging_mode *const *m = arch->modes; *m; m++)
        if (!strcasecmp((*m)->name, name))
            return *m;
    return NULL;
}

/* The first that the architecture had. */
static const struct paging_mode *first_mode(const struct arch *arch)
{
    const struct paging_mode *const *m = arch->modes;

    while (m[1])
        m++;
    return *m;
}

/* The mode the profile names, if it does. */
static struct oscope_error *named_mode(struct profile_model *pm, const struct profile_entry *e)
{
    if (!e || (pm->mode = mode_named(pm->base.arch, e->value)))
        return NULL;
    return profile_keep(pm, profile_at(&pm->text, e,
                                       error_new(OSCOPE_E_USAGE, "%s has no paging mode '%s'",
                                                 pm->base.arch->name, e->value)));
}

bool profile_paging(struct profile_model *pm, uint64_t root, struct paging *out)
{
    *out = (struct paging){pm->mode, root};
    return pm->mode && root && target_ram_at(pm->base.target, root);
}

/* Of the vCPUs now: a page table in force, of one in kernel mode if there is one. False: all of
 * them, if their registers can be had, run without. */
static bool used_paging(struct profile_model *pm, struct paging *out, bool *known)
{
    const struct arch *arch = pm->base.arch;
    struct target_vcpus v;
    bool found = false;

    *out = (struct paging){0};
    *known = false;
    struct oscope_error *err = target_registers(pm->base.target, &v);
    if (err) {
        oscope_error_free(err);
        return false;
    }
    for (size_t i = 0; i < v.n; i++) {
        struct paging low, high;
        bool user = false;
        if (!arch->paging(&v.vcpus[i], &low, &high))
            continue;
        *known = true;
        arch_privilege(arch, &v.vcpus[i], pm->base.target, &user);
        if (low.mode && (!found || !user)) {
            *out = low;
            found = true;
        }
    }
    target_vcpus_free(&v);
    return found;
}

/* ---- linear maps ---- */

/* One of three expressions without blanks. */
static struct oscope_error *linear_word(struct profile_model *pm, const char **p, uint64_t *out)
{
    char text[PROFILE_VALUE_MAX + 1];

    *p += strspn(*p, " \t");
    size_t n = strcspn(*p, " \t;");
    if (!n)
        return error_new(OSCOPE_E_USAGE, "'VA PA SIZE' is expected");
    str_copy(text, MIN(n + 1, sizeof text), *p);
    *p += n;
    return profile_once(pm, text, out);
}

/* VA PA SIZE, what a range of the kernel's addresses is mapped to. */
static struct oscope_error *linear_range(struct profile_model *pm, const char **p)
{
    uint64_t va, pa, size;

    TRY(linear_word(pm, p, &va));
    TRY(linear_word(pm, p, &pa));
    TRY(linear_word(pm, p, &size));
    *p += strspn(*p, " \t");
    if (**p && **p != ';')
        return error_new(OSCOPE_E_USAGE, "';' and another range, or nothing, is expected at '%s'",
                         *p);
    if (!size || va + size - 1 < va || pa + size - 1 < pa)
        return error_new(OSCOPE_E_USAGE, "a range of 0x%llx bytes from 0x%llx on is none",
                         (unsigned long long)size, (unsigned long long)va);
    if (!vspace_add_direct(&pm->base.kernel, va, size, pa))
        return error_new(OSCOPE_E_USAGE, "more ranges than the %d there may be, the image included",
                         VSPACE_DIRECT_MAX);
    return NULL;
}

static struct oscope_error *add_linear(struct profile_model *pm)
{
    const struct profile_entry *e = profile_text_find(&pm->text, "memory", "linear");

    for (const char *p = e ? e->value : ""; e; p++) {
        TRY(profile_at(&pm->text, e, linear_range(pm, &p)));
        if (!*p)
            break;
    }
    return NULL;
}

static void add_identity(struct profile_model *pm)
{
    struct target *t = pm->base.target;

    for (size_t i = 0; i < t->nram; i++)
        vspace_add_direct(&pm->base.kernel, t->ram[i].gpa, t->ram[i].size, t->ram[i].gpa);
}

/* Where the profile does not tell them both: as the vCPUs have it now, whose registers take their
 * time to be asked for. */
static void space_by_vcpus(struct profile_model *pm, uint64_t root, bool named)
{
    struct paging used, own;
    bool known, on = used_paging(pm, &used, &known);

    if (!pm->mode)
        pm->mode = used.mode || named ? used.mode : first_mode(pm->base.arch);
    bool told = profile_paging(pm, root, &own);
    if (told)
        used = own;
    /* What a profile does not tell will not be told later. */
    pm->whole = told || !profile_has(pm, KEY_ROOT);
    if (!told && !on && known) /* before a kernel switches translation on, addresses are physical */
        add_identity(pm);
    pm->base.kernel.low = used;
}

struct oscope_error *profile_space(struct profile_model *pm)
{
    const struct profile_entry *e = profile_text_find(&pm->text, "memory", "mode");
    struct vspace *vs = &pm->base.kernel;
    uint64_t root;

    vspace_init(vs, pm->base.target, pm->base.arch, NULL, NULL);
    add_image(pm);
    TRY(profile_keep(pm, add_linear(pm)));
    TRY(named_mode(pm, e));
    profile_number(pm, KEY_ROOT, 0, &root);
    pm->whole = profile_paging(pm, root, &vs->low);
    if (!pm->whole)
        space_by_vcpus(pm, root, e);
    vs->high = vs->low;
    return NULL;
}
