/* SPDX-License-Identifier: MIT */
/* The symbol files that the user gives with a session. */
#ifndef SESSION_SYMFILES_H
#define SESSION_SYMFILES_H

#include "session/describe.h"

#include <oscope/session.h>

/*
 * Can they be used? arch: QEMU's name of the guest's, NULL: not known yet. Says so before a session
 * is made whose every view would fail.
 */
struct oscope_error *symfiles_check(const char *arch, const struct oscope_kernel_files *files);

/* Once the arch is known, of files that are checked already: is the kernel for it? */
struct oscope_error *symfiles_fit(const char *arch, const struct oscope_kernel_files *files);

/* Puts their absolute paths into d, in place of what it has; NULL leaves that. */
struct oscope_error *symfiles_keep(struct session_desc *d, const struct oscope_kernel_files *files);

/* Those that `from` names, else those of d; the strings are the caller's. False: out of memory. */
bool symfiles_copy(const struct session_desc *d, const struct oscope_kernel_files *from,
                   struct oscope_kernel_files *out);
void symfiles_free(struct oscope_kernel_files *files);

#endif
