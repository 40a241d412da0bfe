/* SPDX-License-Identifier: MIT */
/*
 * Names of Rust: namespaces make paths, and what lazy_static! declares is a hidden variable.
 *
 * `lazy_static! { static ref NAME: T = ...; }` makes a variable LAZY in a function of NAME's Deref.
 * Only its linkage name says whose it is, in either of rustc's manglings ("legacy", and RFC 2603's
 * "v0"). Paths are cut at DWARF_PATH_MAX, depth is bounded.
 */
#include "symbols/dwarf_impl.h"

#include "base/util.h"

#include <ctype.h>
#include <stdio.h>

enum { DEPTH_MAX = 24, CHILDREN_MAX = 1 << 20, PARTS_MAX = 32 };

const char *dwarf_rust_last(const char *path)
{
    const char *last = path;
    int depth = 0;

    for (const char *p = path; *p; p++) {
        depth += *p == '<';
        depth -= *p == '>' && p > path && p[-1] != '-';
        if (!depth && p[0] == ':' && p[1] == ':')
            last = p + 2;
    }
    return last;
}

bool dwarf_static_address(Dwarf_Die *die, uint64_t *out)
{
    Dwarf_Attribute a;
    Dwarf_Op *ops;
    size_t n;

    if (!dwarf_attr_integrate(die, DW_AT_location, &a) || dwarf_getlocation(&a, &ops, &n) ||
        n != 1 || ops[0].atom != DW_OP_addr)
        return false;
    *out = ops[0].number;
    return true;
}

/* ---- lazy_static ---- */

/* "_ZN71_$LT$os..task..NAME$u20$as$u20$core..ops..deref..Deref$GT$5deref11__stability4LAZY17h…E" */
static bool lazy_of_legacy(const char *mangled, char *path, size_t n)
{
    const char *from = strstr(mangled, "$LT$");
    const char *to = from ? strstr(from, "$u20$as$u20$core..ops..deref..Deref") : NULL;
    size_t len = 0;

    if (!to || !strstr(to, "11__stability4LAZY"))
        return false;
    for (from += strlen("$LT$"); from < to && len + 1 < n; from++)
        path[len++] = *from == '.' ? ':' : *from;
    path[len] = '\0';
    return len > 0;
}

/* "_RNvNvNvXs_NtCs…_2os4taskNtB4_4NAMENtNtNtCs…_4core3ops5deref5Deref5deref11___stability4LAZY":
 * the identifiers in front of core's are the path. */
static bool lazy_of_v0(const char *mangled, char *path, size_t n)
{
    static const char *const tail[] = {"core",  "ops",         "deref", "Deref",
                                       "deref", "__stability", "LAZY"};
    const char *part[PARTS_MAX];
    size_t size[PARTS_MAX], parts = 0, len = 0;

    for (const char *p = mangled + 2; *p && parts < PARTS_MAX;) {
        if (*p == 's' || *p == 'B') { /* a disambiguator or back reference: base 62, "_" */
            p += strcspn(p, "_");
            p += *p == '_';
        } else if (isdigit((unsigned char)*p)) {
            char *end;
            size_t k = strtoul(p, &end, 10);
            p = end + (*end == '_');
            if (!k || k > strlen(p))
                return false;
            part[parts] = p;
            size[parts++] = k;
            p += k;
        } else {
            p++;
        }
    }
    if (parts <= ARRAY_SIZE(tail))
        return false;
    for (size_t i = parts - ARRAY_SIZE(tail), k = 0; i < parts; i++, k++)
        if (strlen(tail[k]) != size[i] || memcmp(part[i], tail[k], size[i]) != 0)
            return false;
    for (size_t i = 0; i < parts - ARRAY_SIZE(tail) && len < n; i++)
        len +=
            (size_t)snprintf(path + len, n - len, "%s%.*s", i ? "::" : "", (int)size[i], part[i]);
    return len < n;
}

bool dwarf_rust_lazy(Dwarf_Die *die, char *path, size_t n)
{
    const char *own = dwarf_diename(die), *mangled;
    Dwarf_Attribute a;

    if (!own || strcmp(own, "LAZY") != 0 || !dwarf_attr(die, DW_AT_linkage_name, &a) ||
        !(mangled = dwarf_formstring(&a)))
        return false;
    return !strncmp(mangled, "_R", 2) ? lazy_of_v0(mangled, path, n)
                                      : lazy_of_legacy(mangled, path, n);
}

/* ---- units ---- */

struct walk {
    dwarf_rust_fn fn;
    void *arg;
    char path[DWARF_PATH_MAX];
};

static enum dwarf_name_kind kind_of(unsigned tag)
{
    switch (tag) {
    case DW_TAG_structure_type: return DWARF_STRUCT;
    case DW_TAG_union_type: return DWARF_UNION;
    case DW_TAG_enumeration_type: return DWARF_ENUM;
    case DW_TAG_base_type: return DWARF_BASE;
    case DW_TAG_variable: return DWARF_VARIABLE;
    default: return 0;
    }
}

/* Declarations, and variables that lie nowhere or hold nothing (what lazy_static declares), are not
 * worth a name. */
static bool defines(Dwarf_Die *die, enum dwarf_name_kind kind)
{
    Dwarf_Attribute a;
    Dwarf_Die type;
    uint64_t where;

    if (kind != DWARF_VARIABLE)
        return !dwarf_flag(die, DW_AT_declaration);
    return dwarf_static_address(die, &where) && dwarf_attr(die, DW_AT_type, &a) &&
           dwarf_formref_die(&a, &type) && dwarf_bytesize(&type) != 0;
}

static bool walk_children(struct walk *w, Dwarf_Die *parent, size_t len, unsigned depth);

static bool walk_die(struct walk *w, Dwarf_Die *die, size_t len, unsigned depth)
{
    unsigned tag = (unsigned)dwarf_tag(die);
    enum dwarf_name_kind kind = kind_of(tag);
    const char *name = dwarf_diename(die), *sep = len ? "::" : "";
    char lazy[DWARF_PATH_MAX];

    if (!name || (!kind && tag != DW_TAG_namespace) || (kind && !defines(die, kind)))
        return true;
    if (kind == DWARF_VARIABLE && dwarf_rust_lazy(die, lazy, sizeof lazy))
        return w->fn(w->arg, kind, lazy, dwarf_rust_last(lazy), die);
    int n = snprintf(w->path + len, sizeof w->path - len, "%s%s", sep, name);
    if (n < 0 || (size_t)n >= sizeof w->path - len)
        return true;
    if (!kind)
        return walk_children(w, die, len + (size_t)n, depth + 1);
    return w->fn(w->arg, kind, w->path, w->path + len + strlen(sep), die);
}

static bool walk_children(struct walk *w, Dwarf_Die *parent, size_t len, unsigned depth)
{
    Dwarf_Die child;

    if (depth > DEPTH_MAX || dwarf_child(parent, &child))
        return true;
    for (int i = 0; i < CHILDREN_MAX; i++) {
        if (!walk_die(w, &child, len, depth))
            return false;
        w->path[len] = '\0';
        if (dwarf_siblingof(&child, &child))
            break;
    }
    return true;
}

bool dwarf_rust_scan(Dwarf_Die *unit, dwarf_rust_fn fn, void *arg)
{
    struct walk w = {.fn = fn, .arg = arg};

    return walk_children(&w, unit, 0, 0);
}
