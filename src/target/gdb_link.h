/* SPDX-License-Identifier: MIT */
/*
 * A connection to a GDB stub. The target stands still while it lasts: stubs stop it when a client
 * comes (those that do not are told to), and the end of the connection lets it run on.
 *
 * QEMU leaves a guest stopped for good when its client vanishes, and keeps the addressing mode that
 * it was switched to. So it is not this process that ends a connection but a child of it, the
 * guard (target/gdb_guard.h): that does the same when this process is killed.
 */
#ifndef TARGET_GDB_LINK_H
#define TARGET_GDB_LINK_H

#include "base/error.h"
#include "target/gdb_packet.h"

struct gdb_link;

/*
 * Connects to address ("HOST:PORT", ":PORT", "[::1]:PORT", or the path of a Unix socket), learns
 * what the stub can do, and sees to it that the target is stopped. stay: it is not resumed at the
 * end. Errors: OSCOPE_E_USAGE (no address), OSCOPE_E_IO (nobody listens), OSCOPE_E_TIMEOUT (no
 * answer: another client may hold the stub), OSCOPE_E_BAD_DATA, OSCOPE_E_GONE.
 */
struct oscope_error *gdb_link_open(const char *address, bool stay, struct gdb_link **out);

/* Looks whether that is an address at all. */
struct oscope_error *gdb_address_check(const char *address);

const struct gdb_features *gdb_link_features(const struct gdb_link *l);

/*
 * Sends payload, which must be one that gdb_allowed() allows, and waits for the answer: *text is
 * valid until the next request, has *n bytes and a 0 behind. An answer that is an error ("E01") or
 * empty (not supported) is handed out like any other. After an error from here (no answer in time,
 * damaged, connection lost) every further request fails with the same.
 */
struct oscope_error *gdb_request(struct gdb_link *l, const char *payload, const char **text,
                                 size_t *n) WARN_UNUSED;

/* The error of a connection that failed, NULL if it has not. */
struct oscope_error *gdb_link_trouble(const struct gdb_link *l);

/* What a request whose answer is text gives when it is refused or not known: false. */
bool gdb_answered(const char *text, size_t n);

/*
 * Reads a document by "qXfer:OBJECT:read:ANNEX:…"; *text is the caller's, with a 0 behind.
 * OSCOPE_E_NOT_FOUND: the stub has none; OSCOPE_E_BAD_DATA: longer than max.
 */
struct oscope_error *gdb_transfer(struct gdb_link *l, const char *object, const char *annex,
                                  size_t max, char **text, size_t *n) WARN_UNUSED;

/* Makes m read physical addresses, as QEMU's stub can; *yes: it does now. */
struct oscope_error *gdb_physical(struct gdb_link *l, bool *yes) WARN_UNUSED;

/*
 * Ends the connection: what was switched is switched back, the target runs on (but with `stay`).
 * An error when the stub did not confirm that. NULL is allowed.
 */
struct oscope_error *gdb_link_close(struct gdb_link *l);

#endif
