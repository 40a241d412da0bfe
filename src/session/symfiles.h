/* SPDX-License-Identifier: MIT */
/* The symbol files that the user gives with a session. */
#ifndef SESSION_SYMFILES_H
#define SESSION_SYMFILES_H

#include "session/describe.h"

/*
 * Can they be used? Both may be NULL. arch: QEMU's name of the guest's, NULL: not known yet. Says
 * so before a session is made whose every view would fail.
 */
struct oscope_error *symfiles_check(const char *arch, const char *vmlinux, const char *system_map);

/* Puts their absolute paths into d, in place of what it has; NULL leaves that. */
struct oscope_error *symfiles_keep(struct session_desc *d, const char *vmlinux,
                                   const char *system_map);

#endif
