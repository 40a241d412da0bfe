/* SPDX-License-Identifier: MIT */
/*
 * What a kernel takes traps for, as a text that goes into recordings: "32 timer; 46 external disk;
 * 64 syscall", the cause as events have it, a kind and a name that may be missing. A recording's
 * text is anybody's: what is wrong in it names nothing.
 */
#ifndef OS_TRAP_NAMES_H
#define OS_TRAP_NAMES_H

#include "arch/arch.h"

enum { TRAP_NAME_MAX = 32 };

struct trap_name {
    enum arch_trap kind;
    char name[TRAP_NAME_MAX]; /* "": none */
};

/* False: the text (may be NULL) does not tell of that cause. */
bool trap_names_find(const char *text, unsigned cause, struct trap_name *out);

/* One "KIND [NAME]"; false: it is none. */
bool trap_names_parse(const char *text, size_t n, struct trap_name *out);

#endif
