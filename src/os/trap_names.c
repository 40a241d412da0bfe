/* SPDX-License-Identifier: MIT */
/* What traps are for, from a text: see trap_names.h. */
#include "os/trap_names.h"

#include "base/util.h"

#include <ctype.h>

static const struct {
    const char *word;
    enum arch_trap kind;
} kinds[] = {
    {"timer", ARCH_TRAP_TIMER},      {"external", ARCH_TRAP_EXTERNAL},
    {"ipi", ARCH_TRAP_IPI},          {"interrupt", ARCH_TRAP_INTERRUPT},
    {"fault", ARCH_TRAP_PAGE_FAULT}, {"syscall", ARCH_TRAP_SYSCALL},
    {"other", ARCH_TRAP_OTHER},
};

static bool is_name(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)s[i]) && !strchr(" _-/#", s[i]))
            return false;
    return n < TRAP_NAME_MAX;
}

bool trap_names_parse(const char *text, size_t n, struct trap_name *out)
{
    size_t word = 0;

    while (word < n && text[word] != ' ')
        word++;
    size_t from = word;
    while (from < n && text[from] == ' ')
        from++;
    while (n > from && text[n - 1] == ' ')
        n--;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (strlen(kinds[i].word) != word || memcmp(kinds[i].word, text, word) != 0)
            continue;
        out->kind = kinds[i].kind;
        if (!is_name(text + from, n - from))
            return false;
        memcpy(out->name, text + from, n - from);
        out->name[n - from] = '\0';
        return true;
    }
    return false;
}

bool trap_names_find(const char *text, unsigned cause, struct trap_name *out)
{
    for (const char *p = text; p && *p; p++) {
        char *end;
        p += strspn(p, " ");
        size_t n = strcspn(p, ";");
        if (isdigit((unsigned char)*p) && strtoul(p, &end, 10) == cause && *end == ' ')
            return trap_names_parse(end + 1, n - (size_t)(end + 1 - p), out);
        p += n;
        if (!*p)
            break;
    }
    return false;
}
