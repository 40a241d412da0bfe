/* SPDX-License-Identifier: MIT */
/*
 * System.map: "ffffffff81000000 T _text". Read whole, checked line by line.
 */
#include "symbols/sysmap.h"

#include "base/util.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { SYSMAP_MAX = 512 << 20, NAME_MAX_BYTES = 512 };

struct map_line {
    uint64_t addr;
    char type;
    const char *name;
    size_t name_len;
    bool in_module;
};

/* Parses [p, end); false if it is no such line. */
static bool parse_line(const char *p, const char *end, struct map_line *l)
{
    int digits = 0;

    *l = (struct map_line){0};
    for (; p < end && isxdigit((unsigned char)*p); p++, digits++)
        l->addr = l->addr << 4 | (uint64_t)(*p <= '9' ? *p - '0' : (*p | 32) - 'a' + 10);
    if (digits < 1 || digits > 16 || end - p < 4 || p[0] != ' ' || p[2] != ' ')
        return false;
    l->type = p[1];
    if (!isgraph((unsigned char)l->type))
        return false;
    l->name = p + 3;
    for (p += 3; p < end && isgraph((unsigned char)*p);)
        p++;
    l->name_len = (size_t)(p - l->name);
    if (p < end && *p == '\t')
        l->in_module = true;
    else if (p < end && *p != '\r')
        return false;
    return l->name_len && l->name_len < NAME_MAX_BYTES;
}

static struct oscope_error *read_whole(const char *path, char **text, size_t *n)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;

    if (fd < 0)
        return error_errno(errno, "open '%s'", path);
    if (fstat(fd, &st) || !S_ISREG(st.st_mode))
        return error_new(OSCOPE_E_BAD_DATA, "'%s' is not a regular file", path);
    if (st.st_size > SYSMAP_MAX)
        return error_new(OSCOPE_E_BAD_DATA, "'%s' is too large for a System.map", path);
    char *buf = malloc((size_t)st.st_size + 1);
    if (!buf)
        return error_nomem();
    size_t len = 0;
    ssize_t got = 0;
    while (len < (size_t)st.st_size && (got = read(fd, buf + len, (size_t)st.st_size - len)) > 0)
        len += (size_t)got;
    if (got < 0) {
        free(buf);
        return error_errno(errno, "read '%s'", path);
    }
    *text = buf;
    *n = len;
    return NULL;
}

typedef bool (*line_fn)(const struct map_line *l, void *arg);

static struct oscope_error *each_line(const char *path, const char *text, size_t n, line_fn fn,
                                      void *arg)
{
    size_t number = 1;

    for (const char *p = text, *end = text + n; p < end; number++) {
        const char *eol = memchr(p, '\n', (size_t)(end - p));
        struct map_line l;
        if (!eol)
            eol = end;
        if (eol > p && !parse_line(p, eol, &l))
            return error_hint(error_new(OSCOPE_E_BAD_DATA,
                                        "'%s' is not a System.map: line %zu is not "
                                        "'ADDRESS LETTER NAME'",
                                        path, number),
                              "System.map-RELEASE lies in /boot or in the kernel's build folder");
        if (eol > p && !fn(&l, arg))
            return error_new(OSCOPE_E_NOMEM, "'%s': out of memory or too many symbols", path);
        p = eol + 1;
    }
    return NULL;
}

struct text_search {
    uint64_t addr;
    bool found, any;
};

static bool look_for_text(const struct map_line *l, void *arg)
{
    struct text_search *s = arg;
    bool first = l->name_len == 5 && !memcmp(l->name, "_text", 5);

    if (first || (!s->found && l->name_len == 6 && !memcmp(l->name, "_stext", 6))) {
        s->addr = l->addr;
        s->found = true;
    }
    s->any |= l->addr != 0;
    return true;
}

struct adding {
    struct symimage_builder *builder;
    uint64_t text;
};

static bool add_line(const struct map_line *l, void *arg)
{
    struct adding *a = arg;
    /* As for an ELF file: the lower half of a 64-bit kernel's numbers is not moved with it. */
    bool absolute = l->type == 'a' || l->type == 'A' || ((a->text >> 63) && !(l->addr >> 63));

    return l->in_module ||
           symimage_add(a->builder, l->addr, 0, l->type, absolute, l->name, l->name_len);
}

struct oscope_error *sysmap_open(const char *path, struct symimage **out, uint64_t *text)
{
    AUTO_FREE char *buf = NULL;
    struct text_search search = {0};
    size_t n = 0;

    TRY(read_whole(path, &buf, &n));
    TRY(each_line(path, buf, n, look_for_text, &search));
    if (search.found && !search.any)
        return error_hint(error_new(OSCOPE_E_BAD_DATA, "'%s': all addresses are zero", path),
                          "read /proc/kallsyms as root, or with kernel.kptr_restrict=0");
    if (!search.found)
        return error_new(OSCOPE_E_BAD_DATA,
                         "'%s' has no symbol _text: not the System.map of a kernel", path);
    struct adding a = {symimage_builder_new(), search.addr};
    if (!a.builder)
        return error_nomem();
    struct oscope_error *err = each_line(path, buf, n, add_line, &a);
    if (err) {
        symimage_builder_free(a.builder);
        return err;
    }
    *text = search.addr;
    return symimage_finish(a.builder, out);
}
