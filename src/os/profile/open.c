/* SPDX-License-Identifier: MIT */
/*
 * Opening the model of a kernel that a profile describes: the ELF file the user gave, its DWARF (by
 * way of the cache of indices), the profile: the user's, or the first built-in one that fits.
 */
#include "os/profile/profile.h"

#include "base/hash.h"
#include "base/log.h"
#include "symbols/cache.h"
#include "symbols/dwarf.h"

#include <stdio.h>
#include <sys/stat.h>

/* ---- DWARF, whose index is kept on disk ---- */

/* Kernels of this kind have no build-id as a rule: the file's name, size and time. */
static uint64_t cache_key(const char *path)
{
    struct stat st;

    if (stat(path, &st))
        return 0;
    int64_t what[] = {st.st_size, st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (int64_t)st.st_ino};
    return fnv1a(fnv1a(FNV_INIT, path, strlen(path)), what, sizeof what);
}

enum { INDEX, MACROS, SECTIONS };
static const char *const sections[] = {[INDEX] = "dwarf-index", [MACROS] = "dwarf-macros"};

static void keep_dwarf(struct types *ts, const char *cache_dir, uint64_t key)
{
    struct cache_section s[SECTIONS] = {{.name = sections[INDEX]}, {.name = sections[MACROS]}};

    dwarf_index(ts, &s[INDEX].data, &s[INDEX].n);
    if (dwarf_macros(ts, &s[MACROS].data, &s[MACROS].n))
        cache_put(cache_dir, key, s, SECTIONS);
}

static struct oscope_error *open_dwarf(struct profile_model *pm, const char *cache_dir)
{
    const char *path = elfsyms_dwarf_path(pm->elf);
    size_t n = 0;

    if (!path)
        return error_hint(error_new(OSCOPE_E_NOT_FOUND, "'%s' has no DWARF", pm->vmlinux),
                          "build the kernel with -g");
    uint64_t key = cache_dir ? cache_key(path) : 0;
    pm->cache = key ? cache_open(cache_dir, key) : NULL;
    const void *index = pm->cache ? cache_section(pm->cache, sections[INDEX], &n) : NULL;
    struct oscope_error *err = index ? dwarf_open(path, index, n, &pm->dwarf) : NULL;
    if (index && !err) {
        index = cache_section(pm->cache, sections[MACROS], &n);
        dwarf_macros_use(pm->dwarf, index, n);
        return NULL;
    }
    oscope_error_free(err); /* another version's index */
    TRY(dwarf_open(path, NULL, 0, &pm->dwarf));
    if (key && !index)
        keep_dwarf(pm->dwarf, cache_dir, key);
    return NULL;
}

/* ---- which profile ---- */

static struct oscope_error *choose(struct profile_model *pm, const char *given)
{
    if (given) {
        TRY(profile_text_open(given, &pm->text));
        return profile_keep(pm, profile_check_arch(&pm->text, pm->base.arch));
    }
    for (const struct profile_builtin *b = profile_builtins; b->name; b++) {
        struct oscope_error *err = profile_text_parse(b->name, b->text, strlen(b->text), &pm->text);
        if (err || profile_fits(&pm->text, pm->base.arch, pm->base.symtab)) {
            pm->builtin = true;
            return err;
        }
        profile_text_free(&pm->text);
    }
    return NULL;
}

static struct oscope_error *name_it(struct profile_model *pm)
{
    const struct profile_entry *e = profile_text_find(&pm->text, "profile", "name");

    pm->name = strdup(e ? e->value : pm->text.entries.len ? "profile" : "unknown");
    return pm->name ? NULL : error_nomem();
}

/* ---- opening ---- */

void profile_close(struct os_model *m)
{
    struct profile_model *pm = profile_of(m);

    vec_each (struct oscope_error *, e, &pm->wrong)
        oscope_error_free(*e);
    vec_free(&pm->wrong);
    profile_memory_free(pm);
    vec_free(&pm->calls);
    types_free(pm->dwarf);
    oscope_error_free(pm->no_dwarf);
    symtab_free(m->symtab);
    cache_close(pm->cache);
    elfsyms_free(pm->elf);
    profile_text_free(&pm->text);
    free(pm->trap_names);
    free(pm->name);
    free(pm->vmlinux);
    free(pm);
}

static struct oscope_error *open_elf(struct profile_model *pm)
{
    return pm->elf ? NULL : elfsyms_open(pm->vmlinux, &pm->elf);
}

static struct oscope_error *open_symbols(struct profile_model *pm)
{
    struct symimage *image;

    TRY(open_elf(pm));
    const struct arch *arch =
        arch_of_kernel(pm->base.arch, elfsyms_machine(pm->elf), elfsyms_ptr_size(pm->elf));
    if (!arch)
        return error_new(OSCOPE_E_USAGE, "'%s' is not for %s", pm->vmlinux, pm->base.arch->name);
    pm->base.arch = arch;
    TRY(elfsyms_image(pm->elf, &image));
    pm->nsymbols = symimage_count(image);
    pm->base.symtab = symtab_new();
    if (!pm->base.symtab) {
        symimage_free(image);
        return error_nomem();
    }
    return symtab_add(pm->base.symtab, image, 0, NULL) ? NULL : error_nomem();
}

struct oscope_error *profile_guess_arch(struct profile_model *pm)
{
    TRY(open_elf(pm));
    pm->base.arch = arch_by_elf_machine(elfsyms_machine(pm->elf), elfsyms_ptr_size(pm->elf));
    return pm->base.arch
               ? NULL
               : error_new(OSCOPE_E_UNSUPPORTED,
                           "'%s' is for an architecture that oscope does not know", pm->vmlinux);
}

struct oscope_error *profile_open_files(struct profile_model *pm, const char *cache_dir)
{
    TRY(open_symbols(pm));
    pm->nsegments = elfsyms_segments(pm->elf, pm->segments, PROFILE_SEGMENTS_MAX);
    pm->ncode = elfsyms_code(pm->elf, pm->code, PROFILE_SEGMENTS_MAX);
    pm->no_dwarf = open_dwarf(pm, cache_dir);
    if (pm->no_dwarf)
        log_info("%s", pm->no_dwarf->message);
    pm->base.types = pm->dwarf;
    return NULL;
}

/* All that needs no guest. */
static struct oscope_error *open_text(struct profile_model *pm, const char *cache_dir,
                                      const char *profile)
{
    TRY(profile_open_files(pm, cache_dir));
    TRY(choose(pm, profile));
    TRY(name_it(pm));
    return profile_compile(pm);
}

static struct oscope_error *try(struct profile_model *pm, const char *profile)
{
    TRY(profile_guess_arch(pm));
    return open_text(pm, NULL, profile);
}

struct oscope_error *profile_try(const char *vmlinux, const char *profile)
{
    struct profile_model *pm = calloc(1, sizeof *pm);

    if (!pm)
        return error_nomem();
    pm->base.ops = &profile_ops;
    pm->vmlinux = strdup(vmlinux);
    struct oscope_error *err = pm->vmlinux ? try(pm, profile) : error_nomem();
    profile_close(&pm->base);
    return err;
}

static struct oscope_error *open_all(struct profile_model *pm, const struct os_open_options *opts)
{
    TRY(open_text(pm, opts->cache_dir, opts->profile));
    if (!profile_in_ram(pm))
        return error_hint(
            error_new(OSCOPE_E_NOT_FOUND, "the code of '%s' is not in guest RAM", pm->vmlinux),
            "is it the kernel that the guest runs, and is it loaded yet?");
    return profile_space(pm);
}

static struct oscope_error *profile_open(struct target *t, const struct arch *arch,
                                         const struct os_open_options *opts, struct os_model **out)
{
    if (!opts->vmlinux)
        return opts->profile
                   ? error_hint(error_new(OSCOPE_E_USAGE, "a profile needs the kernel's ELF file"),
                                "give it with --vmlinux FILE")
                   : NULL;
    struct profile_model *pm = calloc(1, sizeof *pm);
    if (!pm)
        return error_nomem();
    pm->base = (struct os_model){.ops = &profile_ops, .target = t, .arch = arch};
    pm->machine = arch;
    pm->lenient = opts->lenient;
    pm->vmlinux = strdup(opts->vmlinux);
    struct oscope_error *err = pm->vmlinux ? open_elf(pm) : error_nomem();
    bool other = !err && !opts->profile && os_known_kernel(pm->elf);
    if (!err && !other)
        err = open_all(pm, opts);
    if (err || other)
        profile_close(&pm->base);
    else
        *out = &pm->base;
    return err;
}

/* The code lies where it did, and there is no page table to be found that was not there before. */
static bool profile_still_there(struct os_model *m)
{
    struct profile_model *pm = profile_of(m);

    return pm->whole && profile_in_ram(pm);
}

/* It lies where the ELF file says. */
static bool profile_moves(struct os_model *m)
{
    (void)m;
    return false;
}

/* ---- what it says of itself ---- */

static struct oscope_error *profile_types(struct os_model *m, struct types **out)
{
    struct profile_model *pm = profile_of(m);

    *out = m->types;
    return m->types ? NULL : error_new(OSCOPE_E_NOT_FOUND, "%s", pm->no_dwarf->message);
}

static struct oscope_error *profile_info(struct os_model *m, struct oscope_info *info,
                                         struct os_list *list)
{
    struct profile_model *pm = profile_of(m);
    const struct paging *pg = &m->kernel.low;
    struct os_list tasks;

    info->os = arena_strdup(&list->strings, pm->name);
    info->recognised = arena_printf(&list->strings, "%s%s, symbols of %s",
                                    !pm->text.entries.len ? "no profile fits"
                                    : pm->builtin         ? "built-in profile "
                                                          : "profile ",
                                    pm->text.entries.len ? pm->text.file : "", pm->vmlinux);
    info->paging = pg->mode ? pg->mode->name : "off";
    info->root = pg->mode ? pg->root : OSCOPE_UNKNOWN;
    info->uptime = info->kaslr_offset = OSCOPE_UNKNOWN;
    info->symbols = pm->nsymbols;
    info->types = pm->dwarf ? arena_printf(&list->strings, "DWARF of %s", pm->vmlinux) : "none";
    info->confidence = pm->whole ? "high: the file's code is in RAM"
                                 : "medium: the kernel's page table is not there (yet)";
    info->tasks = info->threads = OSCOPE_UNKNOWN;
    os_list_init(&tasks, sizeof(struct oscope_task));
    struct oscope_error *err = profile_tasks(m, false, &tasks);
    if (!err)
        info->tasks = info->threads = tasks.n;
    oscope_error_free(err);
    os_list_free(&tasks);
    return NULL;
}

static const char *profile_trap_names(const struct os_model *m)
{
    return ((const struct profile_model *)m)->trap_names;
}

const struct os_model_ops profile_ops = {
    .name = "profile",
    .open = profile_open,
    .close = profile_close,
    .still_there = profile_still_there,
    .moves = profile_moves,
    .info = profile_info,
    .types = profile_types,
    .tasks = profile_tasks,
    .task = profile_task,
    .task_vspace = profile_task_vspace,
    .page_owners = profile_page_owners,
    .page_notes = profile_page_notes,
    .check = profile_check,
    .log = profile_log,
    .stack = profile_stack,
    .runs = profile_runs,
    .current = profile_current,
    .probes = profile_probes,
    .trap_names = profile_trap_names,
    .call_words = profile_call_words,
};
