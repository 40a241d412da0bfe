/* SPDX-License-Identifier: MIT */
/*
 * Read with expat. An included file is parsed where it is included, because a register without a
 * number has the one after its predecessor's. Files include each other in a circle only until the
 * depth ends. A document that declares an entity is refused: none of GDB's does.
 */
#include "target/gdb_xml.h"

#include "base/util.h"

#include <ctype.h>
#include <expat.h>
#include <limits.h>
#include <stdio.h>

enum { DEPTH_MAX = 8, FILES_MAX = 64, REG_BITS_MAX = 1 << 16 };

struct description {
    gdb_fetch_fn fetch;
    void *arg;
    struct gdb_regs *out;
    uint32_t next; /* number of the next register that does not say its own */
    unsigned depth, files;
    size_t bytes;
};

struct file {
    XML_Parser parser; /* first: on_entity() */
    struct description *d;
    bool in_architecture;
    struct oscope_error *err;
};

/* ---- shared ---- */

static const char *attribute(const XML_Char **attrs, const char *name)
{
    for (; *attrs; attrs += 2)
        if (!strcmp(attrs[0], name))
            return attrs[1];
    return NULL;
}

/* Decimal or 0x…; false when it is no number. */
static bool number(const char *text, uint64_t *out)
{
    char *end;

    if (!text || !isdigit((unsigned char)*text))
        return false;
    *out = strtoull(text, &end, 0);
    return !*end && *out != ULLONG_MAX;
}

/* The user data of both parsers begins with the parser. */
static void on_entity(void *user, const XML_Char *name, int is_parameter, const XML_Char *value,
                      int len, const XML_Char *base, const XML_Char *system,
                      const XML_Char *public_id, const XML_Char *notation)
{
    XML_StopParser(*(XML_Parser *)user, XML_FALSE);
}

static struct oscope_error *not_xml(XML_Parser p, const char *what)
{
    return error_new(OSCOPE_E_BAD_DATA, "%.60s of the GDB stub, line %lu: %s", what,
                     (unsigned long)XML_GetCurrentLineNumber(p),
                     XML_ErrorString(XML_GetErrorCode(p)));
}

/* ---- registers ---- */

bool gdb_regs_add(struct gdb_regs *r, const char *name, uint32_t num, uint32_t bits)
{
    struct gdb_reg reg = {.num = num, .bytes = (bits + 7) / 8};

    for (size_t i = 0; i < sizeof reg.name - 1 && name[i]; i++)
        reg.name[i] = (char)tolower((unsigned char)name[i]);
    return r->v.len < GDB_REGS_MAX && vec_push(&r->v, reg);
}

static int by_number(const void *a, const void *b)
{
    const struct gdb_reg *x = a, *y = b;

    return (x->num > y->num) - (x->num < y->num);
}

void gdb_regs_finish(struct gdb_regs *r)
{
    uint32_t at = 0;
    size_t kept = 0;

    if (r->v.len)
        qsort(r->v.data, r->v.len, sizeof *r->v.data, by_number);
    for (size_t i = 0; i < r->v.len; i++) {
        struct gdb_reg reg = r->v.data[i];

        if (kept && r->v.data[kept - 1].num == reg.num)
            continue;
        reg.at = at;
        at += reg.bytes; /* at most REGS_MAX times 8 KiB */
        r->v.data[kept++] = reg;
    }
    r->v.len = kept;
}

void gdb_regs_free(struct gdb_regs *r)
{
    vec_free(&r->v);
}

static struct oscope_error *add_reg(struct description *d, const XML_Char **attrs)
{
    const char *name = attribute(attrs, "name"), *regnum = attribute(attrs, "regnum");
    uint64_t bits, num = d->next;

    if (!name || !*name || !number(attribute(attrs, "bitsize"), &bits) || !bits ||
        bits > REG_BITS_MAX)
        return error_new(OSCOPE_E_BAD_DATA, "the GDB stub describes a register without a size");
    if ((regnum && !number(regnum, &num)) || num >= UINT32_MAX)
        return error_new(OSCOPE_E_BAD_DATA,
                         "the GDB stub gives register '%.24s' the number '%.24s'", name,
                         regnum ? regnum : "");
    if (!gdb_regs_add(d->out, name, (uint32_t)num, (uint32_t)bits))
        return error_new(OSCOPE_E_BAD_DATA, "the GDB stub describes over %d registers",
                         GDB_REGS_MAX);
    d->next = (uint32_t)num + 1;
    return NULL;
}

static void note_feature(struct gdb_regs *r, const char *name)
{
    size_t n = name ? strlen(name) : 0;

    if (!r->core[0] && n > 5 && (!strcmp(name + n - 5, ".core") || !strcmp(name + n - 4, ".cpu")))
        str_copy(r->core, sizeof r->core, name);
}

static struct oscope_error *read_file(struct description *d, const char *annex);

static void on_start(void *user, const XML_Char *name, const XML_Char **attrs)
{
    struct file *f = user;
    struct description *d = f->d;

    if (f->err)
        return;
    if (!strcmp(name, "reg")) {
        f->err = add_reg(d, attrs);
    } else if (!strcmp(name, "feature")) {
        note_feature(d->out, attribute(attrs, "name"));
    } else if (!strcmp(name, "xi:include")) {
        const char *href = attribute(attrs, "href");
        f->err = href ? read_file(d, href) : NULL;
    }
    f->in_architecture = !strcmp(name, "architecture");
    if (f->err)
        XML_StopParser(f->parser, XML_FALSE);
}

static void on_end(void *user, const XML_Char *name)
{
    ((struct file *)user)->in_architecture = false;
}

static void on_text(void *user, const XML_Char *text, int n)
{
    const struct file *f = user;
    char *arch = f->d->out->arch;
    size_t len = strlen(arch);

    for (int i = 0; f->in_architecture && i < n && len < sizeof f->d->out->arch - 1; i++)
        if (!isspace((unsigned char)text[i]))
            arch[len++] = text[i];
    arch[len] = '\0';
}

static struct oscope_error *parse_file(struct description *d, const char *annex, const char *text,
                                       size_t n)
{
    struct file f = {.d = d, .parser = XML_ParserCreate(NULL)};

    if (!f.parser)
        return error_nomem();
    XML_SetUserData(f.parser, &f);
    XML_SetElementHandler(f.parser, on_start, on_end);
    XML_SetCharacterDataHandler(f.parser, on_text);
    XML_SetEntityDeclHandler(f.parser, on_entity);
    if (XML_Parse(f.parser, text, (int)n, XML_TRUE) != XML_STATUS_OK && !f.err)
        f.err = not_xml(f.parser, annex);
    XML_ParserFree(f.parser);
    return f.err;
}

static struct oscope_error *read_file(struct description *d, const char *annex)
{
    AUTO_FREE char *text = NULL;
    size_t n;

    if (d->depth >= DEPTH_MAX || d->files >= FILES_MAX)
        return error_new(OSCOPE_E_BAD_DATA, "the GDB stub's description includes file after file");
    d->files++;
    TRY(d->fetch(d->arg, annex, &text, &n));
    d->bytes += n;
    if (d->bytes > GDB_XML_MAX)
        return error_new(OSCOPE_E_BAD_DATA, "the GDB stub's description is over %d bytes",
                         GDB_XML_MAX);
    d->depth++;
    struct oscope_error *err = parse_file(d, annex, text, n);
    d->depth--;
    return err;
}

struct oscope_error *gdb_xml_target(gdb_fetch_fn fetch, void *arg, struct gdb_regs *out)
{
    struct description d = {.fetch = fetch, .arg = arg, .out = out};

    *out = (struct gdb_regs){0};
    TRY(read_file(&d, "target.xml"));
    gdb_regs_finish(out);
    return NULL;
}

/* ---- memory map ---- */

struct map {
    XML_Parser parser; /* first: on_entity() */
    struct gdb_ram *out;
    size_t n;
};

static void map_start(void *user, const XML_Char *name, const XML_Char **attrs)
{
    struct map *m = user;
    const char *type = attribute(attrs, "type");
    uint64_t start, size;

    if (strcmp(name, "memory") != 0 || !type || strcmp(type, "ram") != 0 || m->n == GDB_RAM_MAX ||
        !number(attribute(attrs, "start"), &start) || !number(attribute(attrs, "length"), &size))
        return;
    if (size && size <= UINT64_MAX - start)
        m->out[m->n++] = (struct gdb_ram){start, size};
}

struct oscope_error *gdb_xml_memory(const char *text, size_t len, struct gdb_ram *out, size_t *n)
{
    struct map m = {.parser = XML_ParserCreate(NULL), .out = out};
    struct oscope_error *err = NULL;

    *n = 0;
    if (!m.parser)
        return error_nomem();
    XML_SetUserData(m.parser, &m);
    XML_SetStartElementHandler(m.parser, map_start);
    XML_SetEntityDeclHandler(m.parser, on_entity);
    if (len > GDB_XML_MAX)
        err =
            error_new(OSCOPE_E_BAD_DATA, "the GDB stub's memory map is over %d bytes", GDB_XML_MAX);
    else if (XML_Parse(m.parser, text, (int)len, XML_TRUE) != XML_STATUS_OK)
        err = not_xml(m.parser, "the memory map");
    XML_ParserFree(m.parser);
    *n = err ? 0 : m.n;
    return err;
}
