/* SPDX-License-Identifier: MIT */
/*
 * Recognising a Linux kernel in a guest and opening the model.
 *
 * Order: kernel symbol tables by content (symbols/kallsyms.h), page tables that agree with them
 * (place.c), types (BTF in RAM, or DWARF the user gave), layouts (layout.c). Stale kernel images
 * are passed over: the first candidate whose page tables work wins. What was learned goes into the
 * cache (known.c).
 */
#include "os/linux/call_words.h"
#include "os/linux/given.h"
#include "os/linux/known.h"
#include "os/linux/linux.h"
#include "os/linux/place.h"

#include "base/log.h"
#include "symbols/cache.h"
#include "symbols/elfsyms.h"

#include <stdio.h>

enum {
    CANDIDATES_MAX = 8,
    NEAR = 64 << 20, /* of code that is executed: the symbol table of the kernel that it is of */
};

/* ---- small accessors shared by the model's files ---- */

struct oscope_error *linux_need_layout(const struct linux_model *lm, const char *what)
{
    if (lm->has_layout)
        return NULL;
    return error_hint(error_new(OSCOPE_E_UNSUPPORTED, "%s needs the kernel's types: %s", what,
                                lm->missing ? lm->missing : "there are none"),
                      "give an ELF with DWARF: --vmlinux FILE");
}

struct oscope_error *linux_symbol(const struct linux_model *lm, const char *name, uint64_t *addr)
{
    *addr = symtab_addr(lm->base.symtab, name);
    if (*addr)
        return NULL;
    return error_hint(error_new(OSCOPE_E_NOT_FOUND, "the kernel has no symbol '%s'", name), "%s",
                      lm->symbols_partial
                          ? "its symbol table holds functions only: give --vmlinux or --system-map"
                          : "this kernel version or configuration does without it");
}

uint64_t linux_phys_to_virt(const struct linux_model *lm, uint64_t pa)
{
    return lm->has_direct ? pa + lm->direct_base : 0;
}

/* ---- opening ---- */

static void linux_close(struct os_model *m)
{
    struct linux_model *lm = linux_of(m);

    linux_pages_free(lm->pages);
    linux_cfi_free(lm->cfi);
    types_free(lm->btf_types);
    types_free(lm->dwarf_types);
    symtab_free(m->symtab);
    known_close(lm);
    free(lm->btf_copy);
    free(lm->missing);
    free(lm->vmlinux);
    free(lm->cache_dir);
    free(lm->session_dir);
    free(lm);
}

static void close_lm(struct linux_model **lm)
{
    if (*lm)
        linux_close(&(*lm)->base);
}

/* Keeps what `nm` calls text. */
static struct oscope_error *functions_only(struct symimage **image)
{
    struct symimage_builder *b = symimage_builder_new();
    struct symtab *st = symtab_new();
    struct symbol sym;

    if (!b || !st || !symtab_add(st, *image, 0, NULL))
        return error_nomem();
    for (size_t i = 0; i < symtab_count(st); i++)
        if (symtab_at(st, i, &sym) && strchr("tTwW", sym.type) &&
            !symimage_add(b, sym.addr, sym.size, sym.type, false, sym.name, strlen(sym.name)))
            return error_nomem();
    struct oscope_error *err = symimage_finish(b, image);
    symtab_free(st);
    return err;
}

static void set_release(struct linux_model *lm)
{
    if (sscanf(lm->ks.banner, "Linux version %64s", lm->release) != 1)
        lm->release[0] = '\0';
}

/* One candidate: symbols and page tables. */
static struct oscope_error *open_candidate(struct linux_model *lm,
                                           const struct os_open_options *opts)
{
    struct symimage *image = NULL;
    struct oscope_error *err;

    if (!known_load(lm, lm->cache_dir, &image))
        TRY(kallsyms_decode(lm->base.target, &lm->ks, &image));
    if (opts->functions_only)
        TRY(functions_only(&image));
    lm->base.symtab = symtab_new();
    if (!lm->base.symtab) {
        symimage_free(image);
        return error_nomem();
    }
    lm->nsymbols = symimage_count(image);
    lm->kernel_image = image;
    if (!symtab_add(lm->base.symtab, image, lm->ks.text_va, NULL))
        return error_nomem();
    set_release(lm);
    err = linux_place_find(lm);
    if (err) {
        symtab_free(lm->base.symtab);
        lm->base.symtab = NULL;
    }
    return err;
}

/* What of a candidate is worked out once its symbols and page tables are known. */
static void finish_candidate(struct linux_model *lm)
{
    linux_layout_open(lm);
    linux_place_finish(lm);
}

static struct linux_model *new_model(struct target *t, const struct arch *arch,
                                     const struct os_open_options *opts)
{
    struct linux_model *lm = calloc(1, sizeof *lm);

    if (!lm)
        return NULL;
    lm->base = (struct os_model){.ops = &linux_ops, .target = t, .arch = arch};
    lm->vmlinux = opts->vmlinux ? strdup(opts->vmlinux) : NULL;
    lm->session_dir = opts->session_dir ? strdup(opts->session_dir) : NULL;
    if (opts->cache_dir && !opts->functions_only)
        lm->cache_dir = strdup(opts->cache_dir);
    return lm;
}

/* Keeps the likelier of two candidates in *best and closes the other. */
static void keep_better(struct linux_model **best, struct linux_model **lm)
{
    if (*best && (*best)->life >= (*lm)->life) {
        close_lm(lm);
    } else {
        close_lm(best);
        *best = *lm;
    }
    *lm = NULL;
}

/*
 * A candidate is taken at once when a vCPU runs it, or when there is no way to tell and its task
 * list is whole; where this session saw it last (no reset since), its task list alone will do.
 */
static bool surely_runs(struct linux_model *lm, uint64_t hint)
{
    if (lm->ks.tokens_pa == hint && linux_place_whole(lm)) {
        lm->life = LINUX_RUNS;
        return true;
    }
    lm->life = linux_place_life(lm);
    return lm->life >= LINUX_WHOLE;
}

/* While the kernel is being unpacked or loaded its tables are not whole. */
static struct oscope_error *not_whole_yet(struct oscope_error *err, const struct target *t)
{
    if (err->code != OSCOPE_E_BAD_DATA || !t->live)
        return err;
    err->code = OSCOPE_E_NOT_FOUND;
    return error_hint(error_prefix(err, "a Linux kernel in guest RAM can't be read yet"),
                      "is it still being loaded? try again in a moment");
}

/* Goes through the symbol tables in RAM for the kernel that runs: a reboot leaves stale ones. */
static struct oscope_error *find_kallsyms(struct target *t, const struct arch *arch,
                                          const struct os_open_options *opts,
                                          struct linux_model **out)
{
    uint64_t skip[CANDIDATES_MAX], hint = known_hint(opts->session_dir), near = hint;
    bool runs = !hint && linux_place_near(t, arch, &near);
    AUTO(close_lm) struct linux_model *best = NULL;
    struct oscope_error *first = NULL;

    for (size_t n = 0; n < CANDIDATES_MAX; n++) {
        AUTO(close_lm) struct linux_model *lm = new_model(t, arch, opts);
        struct oscope_error *err = lm ? NULL : error_nomem();
        bool located = false;
        if (!err)
            err = kallsyms_locate(t, near, skip, n, &lm->ks);
        if (!err) {
            located = true;
            skip[n] = lm->ks.tokens_pa;
            err = open_candidate(lm, opts);
        }
        if (!err) {
            finish_candidate(lm);
            bool sure = surely_runs(lm, hint);
            if (sure && hint != lm->ks.tokens_pa)
                known_hint_save(opts->session_dir, lm->ks.tokens_pa);
            keep_better(&best, &lm);
            if (sure)
                break;
            continue;
        }
        /* The first candidate's trouble says more than "not found" of the last round. */
        if (first)
            oscope_error_free(err);
        else
            first = err;
        if (!located)
            break;
        log_info("kernel image at 0x%llx passed over: %s", (unsigned long long)skip[n],
                 first->message);
        if (runs && skip[n] - near + NEAR < 2 * (uint64_t)NEAR)
            break; /* it is this one, which is not ready yet */
    }
    if (!best)
        return first ? not_whole_yet(first, t) : error_nomem();
    oscope_error_free(first);
    if (best->life == LINUX_DEAD)
        return error_hint(
            error_new(OSCOPE_E_NOT_FOUND, "%s: no vCPU uses its page tables", best->ks.banner),
            "it is still starting, or is what a reboot left in RAM: try again in a moment");
    *out = best;
    best = NULL;
    return NULL;
}

/* By the kernel's own symbol table, or else by the files the user gave; those win either way. */
static struct oscope_error *find_kernel(struct target *t, const struct arch *arch,
                                        const struct os_open_options *opts,
                                        struct linux_model **out)
{
    AUTO(given_free) struct given given = {0};
    AUTO(close_lm) struct linux_model *lm = NULL;
    struct oscope_error *err;

    TRY(given_open(arch, opts, &given));
    err = find_kallsyms(t, arch, opts, &lm);
    if (err && given.image && err->code == OSCOPE_E_NOT_FOUND) {
        oscope_error_free(err);
        lm = new_model(t, arch, opts);
        err = lm ? given_locate(lm, &given) : error_nomem();
        if (!err) {
            set_release(lm);
            err = linux_place_find(lm);
        }
    } else if (!err && given.image) {
        err = given_use(lm, &given);
    } else if (!err) {
        *out = lm;
        lm = NULL;
        return NULL;
    }
    if (err)
        return err;
    lm->base.kernel.ndirect = 0; /* once more, with the file's symbols */
    finish_candidate(lm);
    lm->life = linux_place_life(lm);
    *out = lm;
    lm = NULL;
    return NULL;
}

static struct oscope_error *linux_open(struct target *t, const struct arch *arch,
                                       const struct os_open_options *opts, struct os_model **out)
{
    struct linux_model *lm;

    TRY(find_kernel(t, arch, opts, &lm));
    lm->kaslr_offset = OSCOPE_UNKNOWN;
    snprintf(lm->recognised, sizeof lm->recognised, "kallsyms in RAM (%s), types: %s",
             lm->ks.layout.name, lm->types_from);
    if (!lm->from_cache)
        known_save(lm, lm->cache_dir);
    *out = &lm->base;
    return NULL;
}

/* The banner is where it was and the first task still is swapper. */
static bool linux_still_there(struct os_model *m)
{
    struct linux_model *lm = linux_of(m);
    struct kallsyms again = lm->ks;
    struct oscope_error *err = kallsyms_relocate(m->target, &again);
    bool same = !err && again.text_va == lm->ks.text_va && strcmp(again.banner, lm->ks.banner) == 0;

    oscope_error_free(err);
    if (lm->session_dir && known_hint(lm->session_dir) != lm->ks.tokens_pa)
        return false; /* the guest was reset, or it was not sure to be this kernel */
    if (lm->has_layout && !linux_place_whole(lm))
        return false; /* found in early boot: there is more to find now, or it is gone */
    if (same && lm->has_layout) {
        char comm[8] = "";
        same = vspace_read(&m->kernel, lm->init_task + lm->layout.task_comm.offset, comm, 7) &&
               strcmp(comm, "swapper") == 0;
    }
    return same;
}

static bool linux_moves(struct os_model *m)
{
    return linux_place_moves(linux_of(m));
}

/* init/version.c */
static bool linux_owns(struct elfsyms *kernel)
{
    return elfsyms_has(kernel, "linux_banner");
}

static void rest(struct os_model *m)
{
    struct linux_model *lm = linux_of(m);

    cache_rest(lm->cache);
    cache_rest(lm->dwarf_cache);
}

const struct os_model_ops linux_ops = {
    .name = "linux",
    .open = linux_open,
    .close = linux_close,
    .owns = linux_owns,
    .still_there = linux_still_there,
    .moves = linux_moves,
    .info = linux_info,
    .types = linux_types,
    .symbols = linux_modules_load,
    .rest = rest,
    .global_type = linux_global_type,
    .per_cpu = linux_per_cpu,
    .tasks = linux_tasks,
    .task = linux_task,
    .task_vspace = linux_task_vspace,
    .vmas = linux_vmas,
    .page_owners = linux_page_owners,
    .buddy = linux_buddy,
    .slabs = linux_slabs,
    .log = linux_log,
    .stack = linux_stack,
    .runs = linux_runs,
    .current = linux_current,
    .probes = linux_probes,
    .trap = linux_trap,
    .call_words = linux_call_words,
    .fault_result = linux_fault_result,
};
