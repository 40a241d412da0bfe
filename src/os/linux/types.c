/* SPDX-License-Identifier: MIT */
/*
 * The kernel's types: BTF in RAM (CONFIG_DEBUG_INFO_BTF), or DWARF of the ELF file the user gave.
 * Layouts come from BTF where there is some, because it is there at once; what people ask to print
 * comes from DWARF if it was given, because that knows the types of all variables too.
 */
#include "os/linux/known.h"
#include "os/linux/linux.h"
#include "os/linux/place.h"

#include "base/log.h"
#include "symbols/btf.h"
#include "symbols/dwarf.h"
#include "symbols/elfsyms.h"

#include <stdio.h>

enum { BTF_MAX = 64 << 20 };

/* Do its strings look like a base's (Documentation/bpf/btf.rst: the first is empty, all end with a
 * 0)? Of a copy that is scattered over pages, as in the page cache, they hardly do. */
static bool has_strings(const struct linux_model *lm, uint64_t pa, const struct btf_extent *e)
{
    char first[2] = {0}, last = 1;

    return e->strings_size > sizeof first &&
           target_read(lm->base.target, pa + e->strings, first, sizeof first) &&
           target_read(lm->base.target, pa + e->strings + e->strings_size - 1, &last, 1) &&
           !first[0] && first[1] && !last;
}

/*
 * The kernel's BTF by its header, for symbol tables without __start_BTF: the largest there is where
 * the image is. That of modules, or a copy of it, may lie there, too, in what the kernel has freed
 * of itself after its start.
 */
static bool scan_btf(struct linux_model *lm, uint64_t *va, size_t *size)
{
    uint64_t start, end;
    unsigned char head[64];
    struct btf_extent e;

    *size = 1 << 16;
    *va = 0;
    linux_place_image(lm, &start, &end);
    /* .BTF is aligned to 4 bytes at least (include/asm-generic/vmlinux.lds.h) */
    for (uint64_t pa = ALIGN_UP(start, 4); pa + sizeof head <= end; pa += 4) {
        const unsigned char *p = target_view(lm->base.target, pa, sizeof head, head);
        if (!p || load16(p) != 0xeb9f)
            continue;
        memcpy(head, p, sizeof head);
        if (btf_measure(head, sizeof head, &e) && e.size > *size && e.size < BTF_MAX &&
            has_strings(lm, pa, &e)) {
            *va = pa + lm->ks.va_minus_pa;
            *size = e.size;
        }
    }
    return *va != 0;
}

static struct oscope_error *find_btf(struct linux_model *lm, uint64_t *va, size_t *size)
{
    uint64_t end = symtab_addr(lm->base.symtab, "__stop_BTF");

    *va = symtab_addr(lm->base.symtab, "__start_BTF");
    if ((!*va || !end) && scan_btf(lm, va, size))
        return NULL;
    if (!*va || !end)
        return error_new(OSCOPE_E_NOT_FOUND, "the kernel carries no BTF (CONFIG_DEBUG_INFO_BTF)");
    if (end <= *va || end - *va > BTF_MAX)
        return error_new(OSCOPE_E_BAD_DATA, "the kernel's BTF has an impossible size");
    *size = end - *va;
    return NULL;
}

/* The kernel's BTF in RAM, copied so that it stands still. */
static struct oscope_error *copy_btf(struct linux_model *lm, void **data, size_t *size)
{
    uint64_t va;

    TRY(find_btf(lm, &va, size));
    *data = malloc(*size);
    if (!*data)
        return error_nomem();
    /* Part of the image: contiguous in physical memory. */
    if (target_read(lm->base.target, va - lm->ks.va_minus_pa, *data, *size))
        return NULL;
    free(*data);
    return error_new(OSCOPE_E_FAULT, "the kernel's BTF at 0x%llx can't be read",
                     (unsigned long long)va);
}

/* Makes lm->btf_types ready. */
static struct oscope_error *open_btf(struct linux_model *lm)
{
    unsigned ptr_size = lm->base.arch->ptr_size;
    size_t n = 0;

    if (lm->btf_types)
        return NULL;
    if (!lm->btf) {
        TRY(copy_btf(lm, &lm->btf_copy, &n));
        lm->btf = lm->btf_copy;
        lm->btf_size = n;
    }
    if (lm->btf_index) {
        struct oscope_error *err = btf_open_indexed(lm->btf, lm->btf_size, ptr_size, lm->btf_index,
                                                    lm->btf_index_size, &lm->btf_types);
        if (!err)
            return NULL;
        oscope_error_free(err); /* another version's index */
    }
    return btf_open(lm->btf, lm->btf_size, NULL, ptr_size, &lm->btf_types);
}

/* Makes lm->dwarf_types ready if the user gave a file that has DWARF. */
static struct oscope_error *open_dwarf(struct linux_model *lm)
{
    struct elfsyms *es;

    if (lm->dwarf_types)
        return NULL;

    TRY(elfsyms_open(lm->vmlinux, &es));
    const char *path = elfsyms_dwarf_path(es);
    struct oscope_error *err =
        path ? known_dwarf_open(lm, es, path, &lm->dwarf_types)
             : error_new(OSCOPE_E_NOT_FOUND, "'%s' has no DWARF", lm->vmlinux);
    elfsyms_free(es);
    return err;
}

struct oscope_error *linux_types(struct os_model *m, struct types **out)
{
    struct linux_model *lm = linux_of(m);

    if (!m->types && lm->vmlinux) {
        struct oscope_error *err = open_dwarf(lm);
        if (err)
            log_info("%s", err->message);
        oscope_error_free(err);
        m->types = lm->dwarf_types;
    }
    if (!m->types) {
        TRY(open_btf(lm));
        m->types = lm->btf_types;
    }
    *out = m->types;
    return NULL;
}

void linux_layout_open(struct linux_model *lm)
{
    struct oscope_error *err = NULL;
    const char *source = "BTF in RAM";

    if (!lm->has_layout) {
        struct types *types;
        err = open_btf(lm);
        types = lm->btf_types;
        if (err && lm->vmlinux) {
            source = "DWARF";
            oscope_error_free(err);
            err = open_dwarf(lm);
            types = lm->dwarf_types;
        }
        if (!err)
            err = layout_resolve(types, &lm->layout);
        lm->has_layout = !err;
    }
    snprintf(lm->types_from, sizeof lm->types_from, "%s", lm->has_layout ? source : "none");
    if (err)
        lm->missing = strdup(err->message);
    oscope_error_free(err);
}
