/* SPDX-License-Identifier: MIT */
/* Profiles that are part of oscope. */
#ifndef OS_PROFILE_BUILTIN_H
#define OS_PROFILE_BUILTIN_H

#include "os/profile/text.h"

struct profile_builtin {
    const char *name, *text;
};
extern const struct profile_builtin profile_builtins[]; /* ends with a NULL name */

bool profile_is_builtin(const char *name);

/* The built-in one of that name, else the file. */
struct oscope_error *profile_text_open(const char *name, struct profile_text *out) WARN_UNUSED;

/* Is it right for that kernel, as far as that can be told without a guest? Its first error. */
struct oscope_error *profile_try(const char *vmlinux, const char *profile) WARN_UNUSED;

#endif
