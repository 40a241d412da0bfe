/* SPDX-License-Identifier: MIT */
/*
 * QEMU's option syntax: "-name value" or "--name value"; values are comma-separated, "key=value" or
 * bare, a comma in a value is doubled. When something is not understood the answer is "don't know",
 * and the guest is started as the user wrote it.
 */
#include "session/cmdline.h"

#include "base/util.h"

#include <ctype.h>
#include <stdio.h>

/* Name of the default RAM region by target and machine (mc->default_ram_id in QEMU's hw/) of
 * machines whose RAM may be replaced and defaults to 128 MiB. */
static const struct machine_row {
    const char *target;  /* after "qemu-system-" */
    const char *machine; /* whole name, or up to '*' */
    const char *ram_id;
    bool is_default; /* used when the command line names no machine */
} machines[] = {
    {"x86_64", "pc", "pc.ram", true},
    {"x86_64", "pc-*", "pc.ram", false},
    {"x86_64", "q35", "pc.ram", false},
    {"x86_64", "microvm", "microvm.ram", false},
    {"i386", "pc", "pc.ram", true},
    {"i386", "pc-*", "pc.ram", false},
    {"i386", "q35", "pc.ram", false},
    {"i386", "microvm", "microvm.ram", false},
    {"riscv64", "virt", "riscv_virt_board.ram", false},
    {"aarch64", "virt", "mach-virt.ram", false},
    {"aarch64", "virt-*", "mach-virt.ram", false},
};

static const uint64_t default_memory = UINT64_C(128) << 20;

/* The option's name if arg is that option, with one dash or two. */
static bool is_option(const char *arg, const char *name)
{
    if (arg[0] != '-')
        return false;
    arg += arg[1] == '-' ? 2 : 1;
    return !strcmp(arg, name);
}

/* Copies the next comma-separated element, undoubling commas; returns where the next one starts or
 * NULL at the end. */
static const char *next_element(const char *p, char *buf, size_t n)
{
    size_t len = 0;

    for (; *p; p++) {
        if (*p == ',') {
            if (p[1] != ',')
                break;
            p++;
        }
        if (len < n - 1)
            buf[len++] = *p;
    }
    buf[len] = '\0';
    return *p ? p + 1 : NULL;
}

/* Value of key in "a,key=value,…"; false if it is not there. */
static bool element(const char *value, const char *key, char *buf, size_t n)
{
    char e[512];
    size_t klen = strlen(key);

    for (const char *p = value; p;) {
        p = next_element(p, e, sizeof e);
        if (!strncmp(e, key, klen) && e[klen] == '=') {
            str_copy(buf, n, e + klen + 1);
            return true;
        }
    }
    return false;
}

uint64_t cmdline_memory(const char *value)
{
    char first[64], size[64];
    char *end;
    unsigned shift = 20; /* a bare number counts megabytes */

    next_element(value, first, sizeof first);
    if (!element(value, "size", size, sizeof size)) {
        if (strchr(first, '='))
            return 0;
        str_copy(size, sizeof size, first);
    }
    if (!isdigit((unsigned char)size[0]))
        return 0;
    unsigned long long number = strtoull(size, &end, 10);
    switch (tolower((unsigned char)*end)) {
    case '\0': break;
    case 'b': shift = 0, end++; break;
    case 'k': shift = 10, end++; break;
    case 'm': shift = 20, end++; break;
    case 'g': shift = 30, end++; break;
    case 't': shift = 40, end++; break;
    default: return 0;
    }
    if (*end || !number || number > (UINT64_MAX >> 1 >> shift))
        return 0;
    return (uint64_t)number << shift;
}

/* Machine type in -machine's value, if it names one. */
static bool machine_type(const char *value, char *buf, size_t n)
{
    char first[64];

    if (element(value, "type", buf, n))
        return true;
    next_element(value, first, sizeof first);
    if (!first[0] || strchr(first, '='))
        return false;
    str_copy(buf, n, first);
    return true;
}

static const struct machine_row *find_machine(const char *target, const char *machine)
{
    for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
        const struct machine_row *m = &machines[i];
        size_t n = strcspn(m->machine, "*");

        if (strcmp(m->target, target) != 0)
            continue;
        if (machine ? !strncmp(m->machine, machine, n) && (m->machine[n] || !machine[n])
                    : m->is_default)
            return m;
    }
    return NULL;
}

/* Options after which RAM is left alone: the user chose a backend, or a saved state is loaded. */
static bool forbids_backend(const char *arg, const char *value)
{
    static const char *const names[] = {"mem-path",   "mem-prealloc", "numa",
                                        "readconfig", "incoming",     "loadvm"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (is_option(arg, names[i]))
            return true;
    bool object = is_option(arg, "object"),
         machine = is_option(arg, "machine") || is_option(arg, "M");
    return value &&
           ((object && strstr(value, "memory-backend")) ||
            (machine && (strstr(value, "memory-backend") || strstr(value, "confidential"))));
}

bool cmdline_ram(char *const argv[], struct cmdline_ram *out)
{
    const char *base = strrchr(argv[0], '/');
    char machine[64] = "";
    uint64_t size = default_memory;

    base = base ? base + 1 : argv[0];
    if (strncmp(base, "qemu-system-", 12) != 0)
        return false;
    for (size_t i = 1; argv[i]; i++) {
        const char *value = argv[i + 1];

        if (forbids_backend(argv[i], value))
            return false;
        if (is_option(argv[i], "append") && value)
            i++;
        else if (is_option(argv[i], "m"))
            size = value ? cmdline_memory(value) : 0;
        else if ((is_option(argv[i], "machine") || is_option(argv[i], "M")) && value)
            machine_type(value, machine, sizeof machine);
    }
    const struct machine_row *m = find_machine(base + 12, machine[0] ? machine : NULL);
    if (!m || !size || size % (1 << 20))
        return false;
    *out = (struct cmdline_ram){size, m->ram_id};
    return true;
}

bool cmdline_accelerated(char *const argv[])
{
    for (size_t i = 1; argv[i]; i++) {
        const char *value = argv[i + 1];
        char e[64];

        if (is_option(argv[i], "enable-kvm"))
            return true;
        if (!value)
            continue;
        if (is_option(argv[i], "append")) {
            i++;
        } else if (is_option(argv[i], "accel")) {
            next_element(value, e, sizeof e);
            if (strcmp(e, "tcg") != 0 && strcmp(e, "help") != 0)
                return true;
        } else if ((is_option(argv[i], "machine") || is_option(argv[i], "M")) &&
                   element(value, "accel", e, sizeof e) && strncmp(e, "tcg", 3) != 0) {
            return true;
        }
    }
    return false;
}

bool cmdline_one_thread(char *const argv[])
{
    for (size_t i = 1; argv[i]; i++) {
        const char *value = argv[i + 1];
        char e[64];

        if (is_option(argv[i], "icount"))
            return true;
        if (value && is_option(argv[i], "append"))
            i++;
        else if (value && is_option(argv[i], "accel") && element(value, "thread", e, sizeof e) &&
                 !strcmp(e, "single"))
            return true;
    }
    return false;
}

bool cmdline_has(char *const argv[], const char *option)
{
    for (size_t i = 1; argv[0] && argv[i]; i++)
        if (is_option(argv[i], option))
            return true;
    return false;
}

const char *cmdline_kernel(char *const argv[])
{
    const char *kernel = NULL;

    for (size_t i = 1; argv[0] && argv[i] && argv[i + 1]; i++) {
        if (is_option(argv[i], "kernel"))
            kernel = argv[++i]; /* the last one counts */
        else if (is_option(argv[i], "append"))
            i++;
    }
    return kernel;
}

bool cmdline_daemonizes(char *const argv[])
{
    for (size_t i = 1; argv[i]; i++)
        if (is_option(argv[i], "daemonize"))
            return true;
    return false;
}

/* ---- QMP sockets ---- */

/* The socket path of chardev `id`. */
static bool chardev_path(char *const argv[], const char *id, char *buf, size_t n)
{
    for (size_t i = 1; argv[i] && argv[i + 1]; i++) {
        char e[128];

        if (!is_option(argv[i], "chardev"))
            continue;
        next_element(argv[i + 1], e, sizeof e);
        if (!strcmp(e, "socket") && element(argv[i + 1], "id", e, sizeof e) && !strcmp(e, id))
            return element(argv[i + 1], "path", buf, n);
    }
    return false;
}

/* 1: *buf is a path; 0: not QMP; -1: QMP, but not on a path. */
static int qmp_path(char *const argv[], size_t i, char *buf, size_t n)
{
    const char *value = argv[i + 1];
    char e[128], id[128];

    if (is_option(argv[i], "qmp") || is_option(argv[i], "qmp-pretty")) {
        next_element(value, buf, n);
        if (strncmp(buf, "unix:", 5) != 0)
            return -1;
        memmove(buf, buf + 5, strlen(buf + 5) + 1);
        return 1;
    }
    if (!is_option(argv[i], "mon") || !element(value, "mode", e, sizeof e) ||
        strcmp(e, "control") != 0)
        return 0;
    if (!element(value, "chardev", id, sizeof id))
        next_element(value, id, sizeof id);
    return chardev_path(argv, id, buf, n) ? 1 : -1;
}

size_t cmdline_qmp_paths(char *const argv[], char **paths, size_t max, bool *other)
{
    size_t n = 0;

    *other = false;
    for (size_t i = 1; argv[0] && argv[i] && argv[i + 1] && n < max; i++) {
        char path[512];
        int found = qmp_path(argv, i, path, sizeof path);

        if (found < 0)
            *other = true;
        if (found > 0 && (paths[n] = strdup(path)))
            n++;
    }
    return n;
}
