/* SPDX-License-Identifier: MIT */
/*
 * Profiles: how a kernel that is no Linux keeps its tasks, as a short text (oscope-profile(1)).
 */
#ifndef OSCOPE_PROFILE_H
#define OSCOPE_PROFILE_H

#include <oscope/session.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Proposes a profile for the kernel in an ELF file, by what its DWARF looks like. No guest is
 * needed. Each line says in a comment how sure it is and what else was considered. *text is the
 * caller's, freed with free(). OSCOPE_E_NOT_FOUND: nothing in it looks like a table of tasks.
 */
struct oscope_error *oscope_profile_propose(const char *vmlinux, char **text);

/* Name and text of built-in profile i; NULL: there are no more. Static. */
const char *oscope_profile_name(size_t i);
const char *oscope_profile_text(size_t i);

/* What a line of a profile yields now. `profile check` */
struct oscope_profile_line {
    uint32_t line;
    const char *section, *key;
    const char *expression; /* its text */
    const char *result;     /* "ok", "nothing", "error" */
    uint64_t value;         /* of an expression about the machine; OSCOPE_UNKNOWN: none */
    uint64_t count;         /* tasks, vCPUs or pages that it yielded something of */
    uint64_t of;            /* that it was asked for */
    const char *detail;     /* first values, or what is wrong */
    uint8_t consistency;
};

/*
 * Runs the session's profile against its guest, line by line. Other than in all other views, lines
 * that are wrong are rows, not an error.
 */
struct oscope_error *oscope_view_profile_check(struct oscope_session *s, struct oscope_view **out);

#ifdef __cplusplus
}
#endif
#endif
