/* SPDX-License-Identifier: MIT */
/*
 * Symbols of loaded modules (kernel/module/kallsyms.c): each struct module keeps an ELF symbol
 * table of what stays resident. Loaded only when a command wants symbols of any address: `ps` does
 * without.
 */
#include "os/linux/linux.h"

#include "base/hash.h"
#include "base/log.h"

#include <ctype.h>
#include <elf.h>

enum {
    MODULES_MAX = 4096,
    MODULE_SYMBOLS_MAX = 1 << 18,
    MODULE_STRTAB_MAX = 16 << 20,
    MODULE_STATE_UNFORMED = 3, /* include/linux/module.h enum module_state */
};

/* The module's tables, copied so that they stand still. */
struct module_tables {
    Elf64_Sym *syms;
    char *types; /* one letter a symbol, or NULL (kernels before 5.2 put it into st_info) */
    char *strtab;
    size_t nsyms, strtab_size;
};

static void free_tables(struct module_tables *t)
{
    free(t->syms);
    free(t->types);
    free(t->strtab);
}

static void *copy_out(struct linux_model *lm, uint64_t va, size_t n)
{
    void *p = malloc(n + 1);

    if (p && !vspace_read(&lm->base.kernel, va, p, n)) {
        free(p);
        return NULL;
    }
    if (p)
        ((char *)p)[n] = '\0';
    return p;
}

/* The string table has no stored size: as far as the symbols' names reach, plus the last name. */
static size_t strtab_reach(struct linux_model *lm, const struct module_tables *t, uint64_t strtab)
{
    char last[512];
    uint32_t top = 0;

    for (size_t i = 0; i < t->nsyms; i++)
        top = MAX(top, load32(&t->syms[i].st_name));
    if (top > MODULE_STRTAB_MAX)
        return 0;
    int len = vspace_str(&lm->base.kernel, strtab + top, last, sizeof last);
    return len < 0 ? 0 : (size_t)top + (size_t)len + 1;
}

static bool read_tables(struct linux_model *lm, uint64_t module, struct module_tables *t)
{
    const struct layout *l = &lm->layout;
    uint64_t kallsyms, syms, strtab, types, count;

    if (!linux_pointer(lm, module, l->module_kallsyms, &kallsyms) ||
        !linux_pointer(lm, kallsyms, l->mod_kallsyms_symtab, &syms) ||
        !linux_pointer(lm, kallsyms, l->mod_kallsyms_strtab, &strtab) ||
        !linux_field(lm, kallsyms, l->mod_kallsyms_count, &count))
        return false;
    if (count == 0 || count > MODULE_SYMBOLS_MAX)
        return false;
    t->nsyms = count;
    t->syms = copy_out(lm, syms, count * sizeof *t->syms);
    if (!t->syms)
        return false;
    if (linux_pointer(lm, kallsyms, l->mod_kallsyms_types, &types))
        t->types = copy_out(lm, types, count);
    t->strtab_size = strtab_reach(lm, t, strtab);
    t->strtab = t->strtab_size ? copy_out(lm, strtab, t->strtab_size) : NULL;
    return t->strtab != NULL;
}

/* ---- exported symbols: shown by a capital letter (kernel/module/kallsyms.c is_exported()) ---- */

static uint64_t export_key(uint64_t value, const char *name)
{
    return fnv1a(FNV_INIT ^ value, name, strlen(name));
}

/* An address in a struct kernel_symbol: absolute, or relative to where it stands. */
static bool export_address(struct linux_model *lm, uint64_t at, struct layout_field f,
                           uint64_t *out)
{
    if (!linux_field(lm, at, f, out))
        return false;
    if (f.size == 4)
        *out = at + f.offset + (uint64_t)(int64_t)(int32_t)*out;
    return true;
}

static void add_exports(struct linux_model *lm, uint64_t module, struct layout_field table,
                        struct layout_field count, struct hash *exports)
{
    uint64_t at, n, value, name_va;
    char name[512];

    if (!linux_pointer(lm, module, table, &at) || !linux_field(lm, module, count, &n))
        return;
    for (n = MIN(n, (uint64_t)MODULE_SYMBOLS_MAX); n; n--, at += lm->layout.size.export)
        if (!export_address(lm, at, lm->layout.export_value, &value) ||
            !export_address(lm, at, lm->layout.export_name, &name_va) ||
            vspace_str(&lm->base.kernel, name_va, name, sizeof name) <= 0 ||
            !hash_put(exports, export_key(value, name), 0, NULL))
            return;
}

static void mark_exported(struct linux_model *lm, uint64_t module, struct module_tables *t)
{
    const struct layout *l = &lm->layout;
    AUTO(hash_free) struct hash exports = {0};

    add_exports(lm, module, l->module_exports, l->module_nexports, &exports);
    /* Kernels up to 6.1 count plain exports only, 6.12 and later GPL ones too (seen
     * on 5.10, 6.1, 6.12 and 7.2; in between, the module layout of 6.4 is taken for the border). */
    if (l->enums.MOD_TEXT.present)
        add_exports(lm, module, l->module_gpl_exports, l->module_ngpl_exports, &exports);
    for (size_t i = 0; t->types && i < t->nsyms; i++) {
        uint32_t name = load32(&t->syms[i].st_name);
        bool exported =
            exports.len && name < t->strtab_size &&
            hash_get(&exports, export_key(load64(&t->syms[i].st_value), t->strtab + name));
        t->types[i] = (char)(exported ? toupper((unsigned char)t->types[i])
                                      : tolower((unsigned char)t->types[i]));
    }
}

static struct symimage *build_image(const struct module_tables *t, bool labels)
{
    struct symimage *image = NULL;
    struct oscope_error *err =
        symimage_from_elf_syms(t->syms, t->nsyms * sizeof *t->syms, 8, t->strtab, t->strtab_size,
                               t->types, t->types ? t->nsyms : 0, labels, &image);

    if (err)
        log_info("module symbols: %s", err->message);
    oscope_error_free(err);
    return image;
}

static void load(struct linux_model *lm, uint64_t module, bool labels)
{
    struct module_tables t = {0};
    char name[64];

    if (vspace_str(&lm->base.kernel, module + lm->layout.module_name.offset, name, sizeof name) >
            0 &&
        read_tables(lm, module, &t)) {
        mark_exported(lm, module, &t);
        struct symimage *image = build_image(&t, labels);
        if (image)
            symtab_add(lm->base.symtab, image, 0, name);
    }
    free_tables(&t);
}

static void load_names(struct linux_model *lm, uint64_t module)
{
    load(lm, module, false);
}

static void load_labels(struct linux_model *lm, uint64_t module)
{
    load(lm, module, true);
}

/* Calls fn (may be NULL) for each live module; returns how many there are. */
static uint64_t each_module(struct linux_model *lm, void (*fn)(struct linux_model *, uint64_t))
{
    const struct layout *l = &lm->layout;
    uint64_t head = symtab_addr(lm->base.symtab, "modules"), at = head, n = 0;

    if (!head || !lm->has_layout || !l->module_list.present || !l->module_name.present)
        return 0;
    while (n < MODULES_MAX && linux_pointer(lm, at, l->list_next, &at) && at != head) {
        uint64_t module = at - l->module_list.offset, state = 0;
        if (!linux_field(lm, module, l->module_state, &state) || state == MODULE_STATE_UNFORMED)
            continue;
        n++;
        if (fn)
            fn(lm, module);
    }
    return n;
}

uint64_t linux_modules_count(struct linux_model *lm)
{
    return each_module(lm, NULL);
}

struct oscope_error *linux_modules_load(struct os_model *m, bool all)
{
    struct linux_model *lm = linux_of(m);

    if (!lm->modules_loaded)
        each_module(lm, load_names);
    lm->modules_loaded = true;
    if (all && !lm->labels_loaded)
        each_module(lm, load_labels);
    lm->labels_loaded = lm->labels_loaded || all;
    return NULL;
}
