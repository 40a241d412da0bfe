/* SPDX-License-Identifier: MIT */
/*
 * An open session inside the library: the target, the arch, and (found at first need) the OS model.
 */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include <oscope/session.h>

#include "os/model.h"

struct trace_task;

struct oscope_session {
    char *id;
    char *guest; /* for people: "qemu-system-riscv64 (pid 123)" or a file name */
    char *dir;   /* runtime directory, NULL for a core opened by path */
    struct target *target;
    const struct arch *arch;       /* NULL: unknown architecture */
    struct os_model *os;           /* see session_os() */
    bool lenient;                  /* as in struct os_open_options: of models opened from now on */
    struct oscope_error *os_error; /* why there is none */
    struct oscope_open_options opts; /* strings owned here */
    struct session_private *own;     /* of session/ alone: description, link to the broker */
};

/*
 * The OS model, looked for now if need be (or again after a reboot). Errors: no OS recognised, with
 * why and what would help. The model belongs to the session.
 */
struct oscope_error *session_os(struct oscope_session *s, struct os_model **out);

/* Rows: struct oscope_session_row, of this user's sessions. */
struct oscope_error *session_list(struct os_list *list);

/* The tasks that there are now, none if it is not known how the kernel keeps them; the caller frees
 * *out. */
struct oscope_error *session_tasks(struct oscope_session *s, struct trace_task **out, size_t *n);

/* Rows: struct oscope_probe, those in force. Symbols are left to whoever has them. */
struct oscope_error *session_probes(struct oscope_session *s, struct os_list *list);

/* Brackets a view: refreshes caches and stops the guest when the user asked for that; at the end
 * the guest goes on and what is doubtful about the whole target becomes a note of the list. */
struct oscope_error *session_begin(struct oscope_session *s);
void session_end(struct oscope_session *s, struct os_list *list);

#endif
