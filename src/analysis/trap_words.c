/* SPDX-License-Identifier: MIT */
/* See trap_words.h. */
#include "analysis/trap_words.h"

#include "os/model.h"
#include "os/trap_names.h"

#include <stdio.h>

static bool os_trap(const struct trap_words *w, unsigned cause, struct os_trap *out)
{
    return w->os && w->arch && w->os->trap && w->os->trap(w->arch, cause, out);
}

enum arch_trap trap_words_kind(const struct trap_words *w, unsigned cause)
{
    struct os_trap own;
    struct trap_name named;

    if (trap_names_find(w->names, cause, &named))
        return named.kind;
    if (os_trap(w, cause, &own))
        return own.kind;
    return w->arch && w->arch->trap_kind ? w->arch->trap_kind(cause) : ARCH_TRAP_OTHER;
}

const char *trap_words_name(const struct trap_words *w, unsigned cause, char buf[TRAP_NAME])
{
    const struct arch *a = w->arch;
    struct os_trap own = {0};
    struct trap_name named;

    if (trap_names_find(w->names, cause, &named)) {
        snprintf(buf, TRAP_NAME, "%s",
                 named.name[0] ? named.name : arch_trap_kind_name(named.kind));
        return buf;
    }
    if (os_trap(w, cause, &own) && own.name)
        return own.name;
    const char *name = a && a->trap_name ? a->trap_name(cause) : NULL;
    if (name)
        return name;
    bool interrupt = a && a->trap_kind && a->trap_kind(cause) == ARCH_TRAP_INTERRUPT;
    snprintf(buf, TRAP_NAME, "%s %u", interrupt ? "interrupt" : "cause",
             interrupt ? cause & 0x7fff : cause);
    return buf;
}
