/* SPDX-License-Identifier: MIT */
#include "session/symfiles.h"

#include "arch/arch.h"
#include "base/util.h"
#include "os/profile/builtin.h"
#include "symbols/elfsyms.h"
#include "symbols/sysmap.h"

#include <errno.h>

/* Is the kernel of that arch? NULL: whichever it is. */
static struct oscope_error *check_arch(const struct elfsyms *es, const char *arch_name,
                                       const char *path)
{
    const struct arch *arch = arch_name ? arch_find(arch_name) : NULL;

    if (!arch || arch_of_kernel(arch, elfsyms_machine(es), elfsyms_ptr_size(es)))
        return NULL;
    return error_new(OSCOPE_E_USAGE, "'%s' is not for %s", path, arch->name);
}

static struct oscope_error *check_vmlinux(const char *arch, const char *path)
{
    struct elfsyms *es;

    TRY(elfsyms_open(path, &es));
    struct oscope_error *err = check_arch(es, arch, path);
    if (!err && !elfsyms_has_symbols(es))
        err = error_hint(error_new(OSCOPE_E_USAGE, "'%s' has no symbols: it is stripped", path),
                         "give the kernel's ELF file with symbols");
    elfsyms_free(es);
    return err;
}

static struct oscope_error *check_map(const char *path)
{
    struct symimage *image;
    uint64_t text;

    TRY(sysmap_open(path, &image, &text));
    symimage_free(image);
    return NULL;
}

static struct oscope_error *check_profile(const struct oscope_kernel_files *files)
{
    struct profile_text text;

    if (files->vmlinux)
        return profile_try(files->vmlinux, files->profile);
    TRY(profile_text_open(files->profile, &text));
    profile_text_free(&text);
    return NULL;
}

struct oscope_error *symfiles_fit(const char *arch, const struct oscope_kernel_files *files)
{
    return files->vmlinux ? check_vmlinux(arch, files->vmlinux) : NULL;
}

struct oscope_error *symfiles_check(const char *arch, const struct oscope_kernel_files *files)
{
    TRY(symfiles_fit(arch, files));
    if (files->profile)
        TRY(check_profile(files));
    return files->system_map ? check_map(files->system_map) : NULL;
}

static struct oscope_error *keep(char **field, const char *path)
{
    if (!path)
        return NULL;
    char *real = realpath(path, NULL);
    if (!real)
        return error_errno(errno, "'%s'", path);
    free(*field);
    *field = real;
    return NULL;
}

/* A built-in profile goes by its name. */
static struct oscope_error *keep_profile(char **field, const char *name)
{
    if (!name || !profile_is_builtin(name))
        return keep(field, name);
    free(*field);
    return (*field = strdup(name)) ? NULL : error_nomem();
}

struct oscope_error *symfiles_keep(struct session_desc *d, const struct oscope_kernel_files *files)
{
    TRY(keep(&d->vmlinux, files->vmlinux));
    TRY(keep(&d->system_map, files->system_map));
    return keep_profile(&d->profile, files->profile);
}

static bool copy(const char **out, const char *given, const char *kept)
{
    const char *from = given ? given : kept;

    return !from || (*out = strdup(from));
}

bool symfiles_copy(const struct session_desc *d, const struct oscope_kernel_files *from,
                   struct oscope_kernel_files *out)
{
    *out = (struct oscope_kernel_files){0};
    return copy(&out->vmlinux, from->vmlinux, d->vmlinux) &&
           copy(&out->system_map, from->system_map, d->system_map) &&
           copy(&out->profile, from->profile, d->profile);
}

void symfiles_free(struct oscope_kernel_files *files)
{
    free((char *)files->vmlinux);
    free((char *)files->system_map);
    free((char *)files->profile);
    *files = (struct oscope_kernel_files){0};
}
