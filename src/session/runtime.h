/* SPDX-License-Identifier: MIT */
/*
 * The runtime directory: one folder per session under ${XDG_RUNTIME_DIR}/oscope, else under
 * /tmp/oscope-UID/oscope, all of it 0700 and ours.
 *
 *     ID/session.json   what the session is (session/describe.h); appears last, when it is usable
 *     ID/qmp.sock       QEMU's socket for us (`run`)
 *     ID/broker.sock    the broker's (session/broker.h)
 *     ID/...            what an OS model remembers about this guest
 */
#ifndef SESSION_RUNTIME_H
#define SESSION_RUNTIME_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The runtime directory, made if it is missing; *out is the caller's. OSCOPE_E_PERMISSION when
 * something in its place is a symlink, belongs to somebody else, or is open to others.
 */
struct oscope_error *runtime_base(char **out);

/* Letters, digits, '-', '_' and '.', at most 32 and not first a '.'. */
bool runtime_valid_id(const char *id);

/* "base/id"; the caller's. Does not check that it exists. */
struct oscope_error *runtime_dir(const char *id, char **out);

/*
 * Makes the folder of a new session: under `name`, or the lowest free number. *id and *dir are the
 * caller's. OSCOPE_E_BUSY: the name is taken.
 */
struct oscope_error *runtime_create(const char *name, char **id, char **dir);

/* What tells a folder from one that has its name later; 0: there is none. */
uint64_t runtime_mark(const char *dir);

/* Removes a session's folder and the files in it. */
void runtime_remove(const char *dir);

/* Removes all but QEMU's own socket, so that the guest can still be attached to. */
void runtime_forget(const char *dir);

/* Ids of the sessions there are, numbers first and in order. Also removes what is left of sessions
 * whose QEMU has ended. The caller frees with runtime_ids_free(). */
struct runtime_ids {
    char **ids;
    size_t n;
};
struct oscope_error *runtime_ids(struct runtime_ids *out);
void runtime_ids_free(struct runtime_ids *l);

#endif
