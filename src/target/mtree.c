/* SPDX-License-Identifier: MIT */
/*
 * QEMU prints one block per flat view:
 *
 *     FlatView #3
 *      AS "memory", root: system
 *      AS "cpu-memory-0", root: system
 *      Root memory region: system
 *       0000000000100000-000000001fffffff (prio 0, ram): pc.ram @0000000000100000 KVM
 *
 * A range of kind `rom` counts as RAM when the same view shows the same region as `ram`: that is
 * how the PC machines write-protect their BIOS shadow.
 */
#include "target/mtree.h"

#include "base/util.h"
#include "base/vec.h"

#include <inttypes.h>
#include <stdio.h>

enum { RANGES_MAX = 65536, DEVICES_MAX = 4096 };

struct range {
    struct mtree_ram ram;
    bool rom;
};

struct ranges {
    VEC(struct range) v;
};

/* Memory that belongs to a device although QEMU prints it as RAM. `*` stands for any text. */
static const char *const device_memory[] = {
    "*vram*", "*.rom", "*.bios", "*flash*",   "*BAR*",
    "ramfb*", "*qxl*", "tpm-*",  "*ivshmem*", "*mrom*",
};

static bool glob_match(const char *p, const char *s)
{
    for (; *p; p++, s++) {
        if (*p == '*') {
            for (; *s; s++)
                if (glob_match(p + 1, s))
                    return true;
            return glob_match(p + 1, s);
        }
        if (*p != *s)
            return false;
    }
    return !*s;
}

static bool is_device_memory(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(device_memory); i++)
        if (glob_match(device_memory[i], name))
            return true;
    return false;
}

/* One line "  first-last (prio N, kind): name @offset". */
static bool parse_line(const char *line, size_t len, struct mtree_ram *out, char kind[16])
{
    char buf[256];
    uint64_t first, last;
    int at = 0;

    if (len >= sizeof buf)
        return false;
    memcpy(buf, line, len);
    buf[len] = '\0';
    if (sscanf(buf, " %16" SCNx64 "-%16" SCNx64 " (prio %*d, %15[a-z/]): %n", &first, &last, kind,
               &at) < 3 ||
        !at || last < first || last - first == UINT64_MAX)
        return false;
    char *name = buf + at;
    char *offset = strstr(name, " @");
    *out = (struct mtree_ram){.gpa = first, .size = last - first + 1};
    if (offset) {
        out->offset = strtoull(offset + 2, NULL, 16);
        *offset = '\0';
    }
    size_t n = strlen(name); /* an accelerator's mark may follow: "pc.ram KVM" */
    if (n > 4 && !strcmp(name + n - 4, " KVM"))
        name[n - 4] = '\0';
    str_copy(out->name, sizeof out->name, name);
    return true;
}

/* True when it is RAM or ROM. */
static bool parse_range(const char *line, size_t len, struct range *out)
{
    char kind[16];

    *out = (struct range){0};
    if (!parse_line(line, len, &out->ram, kind))
        return false;
    out->rom = !strcmp(kind, "rom");
    return out->rom || !strcmp(kind, "ram");
}

static const char *next_line(const char *p)
{
    const char *nl = strchr(p, '\n');
    return nl ? nl + 1 : p + strlen(p);
}

static bool starts_with(const char *p, const char *word)
{
    return !strncmp(p, word, strlen(word));
}

/* The first line of the flat view that has this address space; NULL if none. */
static const char *find_view(const char *text, const char *space)
{
    const char *view = NULL;

    for (const char *p = text; *p; p = next_line(p)) {
        if (starts_with(p, "FlatView #"))
            view = p;
        if (view && starts_with(p, " AS \"") && starts_with(p + 5, space) &&
            p[5 + strlen(space)] == '"')
            return view;
    }
    return NULL;
}

static bool is_ram_elsewhere(const struct ranges *all, const char *name)
{
    vec_each (const struct range, r, &all->v)
        if (!r->rom && !strcmp(r->ram.name, name))
            return true;
    return false;
}

/* Sorted already, as QEMU prints a flat view in rising order; anything else is refused. */
static struct oscope_error *join(const struct ranges *all, struct mtree *out)
{
    out->ram = calloc(MAX(all->v.len, (size_t)1), sizeof *out->ram);
    if (!out->ram)
        return error_nomem();
    vec_each (const struct range, r, &all->v) {
        struct mtree_ram *last = out->nram ? &out->ram[out->nram - 1] : NULL;

        if (is_device_memory(r->ram.name) || (r->rom && !is_ram_elsewhere(all, r->ram.name)))
            continue;
        if (last && r->ram.gpa < last->gpa + last->size)
            return error_new(OSCOPE_E_BAD_DATA, "QEMU's memory map is not in rising order");
        if (last && last->gpa + last->size == r->ram.gpa && !strcmp(last->name, r->ram.name) &&
            last->offset + last->size == r->ram.offset)
            last->size += r->ram.size;
        else
            out->ram[out->nram++] = r->ram;
    }
    if (!out->nram)
        return error_new(OSCOPE_E_BAD_DATA, "QEMU's memory map shows no RAM");
    return NULL;
}

struct oscope_error *mtree_parse(const char *text, struct mtree *out)
{
    struct ranges all = {0};
    struct oscope_error *err = NULL;
    const char *view = find_view(text, "cpu-memory-0");

    *out = (struct mtree){0};
    if (!view)
        view = find_view(text, "memory");
    if (!view)
        return error_new(OSCOPE_E_BAD_DATA, "QEMU's memory map shows no view of vCPU 0");
    for (const char *p = next_line(view); *p && !starts_with(p, "FlatView #") && !err;) {
        const char *next = next_line(p);
        size_t len = (size_t)(next - p);
        struct range r;

        while (len && (p[len - 1] == '\n' || p[len - 1] == '\r'))
            len--;
        if (parse_range(p, len, &r) && (all.v.len >= RANGES_MAX || !vec_push(&all.v, r)))
            err = error_nomem();
        p = next;
    }
    if (!err)
        err = join(&all, out);
    vec_free(&all.v);
    if (err)
        mtree_free(out);
    return err;
}

/* Adds the devices of a flat view. */
static void add_devices(const char *view, bool ports, struct mtree_devices *out)
{
    for (const char *p = next_line(view); *p && !starts_with(p, "FlatView #"); p = next_line(p)) {
        size_t len = (size_t)(next_line(p) - p);
        struct mtree_ram r;
        char kind[16];

        while (len && (p[len - 1] == '\n' || p[len - 1] == '\r'))
            len--;
        if (!parse_line(p, len, &r, kind) || strcmp(kind, "i/o") != 0 || out->n == DEVICES_MAX)
            continue;
        struct mtree_device *d = &out->devices[out->n++];
        *d = (struct mtree_device){r.gpa, r.size, r.offset, ports, ""};
        str_copy(d->name, sizeof d->name, r.name);
    }
}

struct oscope_error *mtree_parse_devices(const char *text, struct mtree_devices *out)
{
    const char *view = find_view(text, "cpu-memory-0"), *ports = find_view(text, "I/O");

    *out = (struct mtree_devices){0};
    if (!view)
        view = find_view(text, "memory");
    if (!view)
        return error_new(OSCOPE_E_BAD_DATA, "QEMU's memory map shows no view of vCPU 0");
    out->devices = calloc(DEVICES_MAX, sizeof *out->devices);
    if (!out->devices)
        return error_nomem();
    add_devices(view, false, out);
    if (ports)
        add_devices(ports, true, out);
    return NULL;
}

void mtree_devices_free(struct mtree_devices *d)
{
    free(d->devices);
    *d = (struct mtree_devices){0};
}

void mtree_free(struct mtree *m)
{
    free(m->ram);
    *m = (struct mtree){0};
}

uint64_t mtree_parse_hva(const char *text)
{
    const char *is = starts_with(text, "Host virtual address") ? strstr(text, " is 0x") : NULL;

    return is ? strtoull(is + 6, NULL, 16) : 0;
}
