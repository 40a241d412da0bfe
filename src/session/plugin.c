/* SPDX-License-Identifier: MIT */
/* The plugin on QEMU's command line: see plugin.h. */
#include "session/plugin.h"

#include "arch/arch.h"
#include "base/util.h"
#include "session/cmdline.h"

#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLUGIN_NAME "liboscope-tcg.so"

bool plugin_file(char *path, size_t n)
{
    static const char installed[] = OSCOPE_PLUGIN_DIR "/" PLUGIN_NAME;
    char exe[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 1);

    exe[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(exe, '/');
    if (slash) {
        *slash = '\0';
        if ((size_t)snprintf(path, n, "%s/../capture/tcg/" PLUGIN_NAME, exe) < n &&
            access(path, R_OK) == 0)
            return !strchr(path, ',');
    }
    if (sizeof installed > n)
        return false;
    memcpy(path, installed, sizeof installed);
    return access(path, R_OK) == 0 && !strchr(path, ',');
}

/* The file that execvp() would run. */
static bool in_path(const char *command, char *path, size_t n)
{
    const char *dirs = getenv("PATH");

    if (strchr(command, '/'))
        return (size_t)snprintf(path, n, "%s", command) < n;
    while (dirs && *dirs) {
        size_t len = strcspn(dirs, ":");
        if (len && (size_t)snprintf(path, n, "%.*s/%s", (int)len, dirs, command) < n &&
            access(path, X_OK) == 0)
            return true;
        dirs += len + (dirs[len] == ':');
    }
    return false;
}

static bool section_has(Elf *elf, Elf_Scn *section, const GElf_Shdr *head, const char *name)
{
    Elf_Data *data = elf_getdata(section, NULL);
    size_t n = data && head->sh_entsize ? head->sh_size / head->sh_entsize : 0;
    GElf_Sym sym;

    for (size_t i = 0; i < n && i <= INT_MAX && gelf_getsym(data, (int)i, &sym); i++) {
        const char *text = elf_strptr(elf, head->sh_link, sym.st_name);
        if (text && sym.st_shndx != SHN_UNDEF && !strcmp(text, name))
            return true;
    }
    return false;
}

/* Does an ELF program export that function to what it loads? */
static bool exports(const char *path, const char *name)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool found = false;
    GElf_Shdr head;

    if (fd < 0 || elf_version(EV_CURRENT) == EV_NONE)
        return false;
    Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    for (Elf_Scn *s = NULL; elf && !found && (s = elf_nextscn(elf, s));)
        found = gelf_getshdr(s, &head) && head.sh_type == SHT_DYNSYM &&
                section_has(elf, s, &head, name);
    elf_end(elf);
    return found;
}

#define QEMU_PREFIX "qemu-system-"

/* QEMU's name of the architecture, in a command line; NULL: it is no QEMU. */
static const char *target_name(char *const argv[])
{
    const char *base = strrchr(argv[0], '/');

    base = base ? base + 1 : argv[0];
    return strncmp(base, QEMU_PREFIX, sizeof QEMU_PREFIX - 1) != 0 ? NULL
                                                                   : base + sizeof QEMU_PREFIX - 1;
}

bool plugin_one_thread(char *const argv[], struct wire_one_thread *how)
{
    const char *target = target_name(argv);
    const struct arch *arch = target && cmdline_one_thread(argv) ? arch_find(target) : NULL;

    *how = (struct wire_one_thread){0};
    if (!arch || !arch->system)
        return false;
    for (const struct arch_insn *i = arch->system; i->mask && how->nsystem < WIRE_SYSTEM; i++)
        how->system[how->nsystem++] = (struct wire_system){i->mask, i->value, i->waits};
    if (arch->cpu_id)
        str_copy(how->identity, sizeof how->identity, arch->cpu_id);
    return true;
}

bool plugin_fits(char *const argv[], const char **why)
{
    char path[PATH_MAX];

    if (!target_name(argv))
        *why = "the command is no qemu-system-ARCH";
    else if (cmdline_accelerated(argv))
        *why = "the guest is not emulated (TCG)";
    else if (!in_path(argv[0], path, sizeof path) ||
             !exports(path, "qemu_plugin_read_memory_vaddr"))
        *why = "this QEMU has no plugin interface, or one older than QEMU 10.0's";
    else
        return true;
    return false;
}
