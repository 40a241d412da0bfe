/* SPDX-License-Identifier: MIT */
/*
 * Asking a session's broker. Protocol: one JSON object per line each way, in order.
 *
 *     {"op":"status"}      {"ok":true,"running":true,"resets":0, …}
 *     {"op":"registers"}   {"ok":true,"text":"CPU#0 …","threads":[123,124]}
 *     {"op":"pause"} {"op":"resume"} {"op":"detach"} {"op":"hello"}
 *     errors:              {"ok":false,"code":N,"error":"…","hint":"…"}
 *
 * A pause belongs to the connection that asked for it: when that ends, so does the pause.
 */
#ifndef SESSION_CLIENT_H
#define SESSION_CLIENT_H

#include "base/error.h"

#include <jansson.h>

enum { BROKER_TIMEOUT_MS = 6000 };

/* A connection, made at the first call. */
struct broker_link {
    const char *dir; /* session folder; must outlive the link */
    int fd;          /* -1: not connected */
};

/*
 * Sends {"op":op} and waits for the answer; *out (may be NULL) is the caller's. OSCOPE_E_GONE when
 * no broker answers, with a hint; otherwise what the broker reports.
 */
struct oscope_error *broker_call(struct broker_link *link, const char *op, int timeout_ms,
                                 json_t **out);
void broker_hang_up(struct broker_link *link);

#endif
