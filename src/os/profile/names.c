/* SPDX-License-Identifier: MIT */
/*
 * Functions by the names that people know. Rust's have their path in the symbol table, mangled, and
 * behind it a hash that differs from build to build: os::task::exit is _ZN2os4task4exit17h<hash>E
 * (the "legacy" scheme: compiler/rustc_symbol_mangling/src/legacy.rs of rust-lang/rust).
 */
#include "os/profile/names.h"

#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 256, HASH = 16 };

/* "_ZN2os4task4exit17h" of "os::task::exit"; 0: that is no path. */
static size_t mangle(const char *path, char *out)
{
    size_t at = (size_t)snprintf(out, NAME_BYTES, "_ZN"), parts = 0;

    for (const char *next; *path; path = next, parts++) {
        const char *end = strstr(path, "::");
        size_t n = end ? (size_t)(end - path) : strlen(path);
        next = end ? end + 2 : path + n;
        if (!n || at + n + 16 > NAME_BYTES)
            return 0;
        at += (size_t)snprintf(out + at, NAME_BYTES - at, "%zu%.*s", n, (int)n, path);
    }
    return parts < 2 ? 0 : at + (size_t)snprintf(out + at, NAME_BYTES - at, "17h");
}

bool profile_symbol(const struct symtab *st, const char *name, struct symbol *out)
{
    char prefix[NAME_BYTES];
    size_t n = 0;

    if (symtab_find(st, name, out))
        return true;
    if (strstr(name, "::"))
        n = mangle(name, prefix);
    for (size_t i = 0; n && i < symtab_count(st); i++)
        if (symtab_at(st, i, out) && !strncmp(out->name, prefix, n) &&
            strlen(out->name) == n + HASH + 1)
            return true;
    return false;
}
