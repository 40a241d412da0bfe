/* SPDX-License-Identifier: MIT */
/* What traps are called, and what they are about: by who knows best of kernel, OS, architecture. */
#ifndef ANALYSIS_TRAP_WORDS_H
#define ANALYSIS_TRAP_WORDS_H

#include "arch/arch.h"

struct os_model_ops;

/* Each NULL: not known. */
struct trap_words {
    const struct arch *arch;
    const struct os_model_ops *os;
    const char *names; /* of the kernel itself: os/trap_names.h */
};

enum { TRAP_NAME = 64 };

/* ARCH_TRAP_OTHER if nobody knows. */
enum arch_trap trap_words_kind(const struct trap_words *w, unsigned cause);
/* The cause's name; buf if it had to be made. Never NULL. */
const char *trap_words_name(const struct trap_words *w, unsigned cause, char buf[TRAP_NAME]);

#endif
