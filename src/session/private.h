/* SPDX-License-Identifier: MIT */
/* The part of an open session that only session/ looks into. */
#ifndef SESSION_PRIVATE_H
#define SESSION_PRIVATE_H

#include "session/client.h"
#include "session/describe.h"
#include "session/session.h"

struct session_private {
    struct session_desc desc;
    struct broker_link link;
    bool paused;
    int lock;    /* of a GDB target while it is paused, else -1 */
    bool silent; /* registers were asked for in vain during this view */
};

/*
 * An error for a session that has no QEMU behind it: of a dump with dump_text, of a GDB stub that
 * it has no `what`.
 */
struct oscope_error *session_need_qemu(const struct oscope_session *s, const char *dump_text,
                                       const char *what) WARN_UNUSED;

/* ---- GDB stubs (gdb.c) ---- */

struct oscope_error *session_open_gdb(struct oscope_session *s);
/* Takes turns with other commands of the session, then connects, which stops the target. */
struct oscope_error *session_gdb_begin(struct oscope_session *s);
/* Disconnects; what the user should know becomes notes of list. */
void session_gdb_end(struct oscope_session *s, struct os_list *list);

#endif
