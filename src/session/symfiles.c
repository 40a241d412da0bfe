/* SPDX-License-Identifier: MIT */
#include "session/symfiles.h"

#include "arch/arch.h"
#include "base/util.h"
#include "symbols/elfsyms.h"
#include "symbols/sysmap.h"

#include <errno.h>

static struct oscope_error *check_vmlinux(const char *arch_name, const char *path)
{
    const struct arch *arch = arch_name ? arch_find(arch_name) : NULL;
    struct elfsyms *es;
    uint64_t text;

    TRY(elfsyms_open(path, &es));
    bool fits = !arch || elfsyms_machine(es) == arch->elf_machine, whole = elfsyms_text(es, &text);
    elfsyms_free(es);
    if (!fits)
        return error_new(OSCOPE_E_USAGE, "'%s' is not for %s", path, arch->name);
    if (!whole)
        return error_hint(
            error_new(OSCOPE_E_USAGE, "'%s' has no symbol _text: no kernel, or stripped", path),
            "give the kernel's ELF file with symbols");
    return NULL;
}

static struct oscope_error *check_map(const char *path)
{
    struct symimage *image;
    uint64_t text;

    TRY(sysmap_open(path, &image, &text));
    symimage_free(image);
    return NULL;
}

struct oscope_error *symfiles_check(const char *arch, const char *vmlinux, const char *system_map)
{
    if (vmlinux)
        TRY(check_vmlinux(arch, vmlinux));
    return system_map ? check_map(system_map) : NULL;
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

struct oscope_error *symfiles_keep(struct session_desc *d, const char *vmlinux,
                                   const char *system_map)
{
    TRY(keep(&d->vmlinux, vmlinux));
    return keep(&d->system_map, system_map);
}
