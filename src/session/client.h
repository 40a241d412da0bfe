/* SPDX-License-Identifier: MIT */
/*
 * Asking a session's broker. Protocol: one JSON object per line each way, in order.
 *
 *     {"op":"status"}      {"ok":true,"running":true,"resets":0, …}
 *     {"op":"registers"}   {"ok":true,"text":"CPU#0 …","threads":[123,124]}
 *     {"op":"subscribe","set":{…}}   {"ok":true,"settled":true,
 *                                   "disabled":["sched_waking", …]}   (probes_json.h)
 *     {"op":"probes"}      {"ok":true,"settled":true,"probes":[{"name":"sched_switch", …}]}
 *     {"op":"enable","name":"sched","set":{…}} {"op":"disable","name":…} {"op":"remove","name":…}
 *     {"op":"trace","sets":3}   {"ok":true,"log":"…/trace-1-1.log","at":0,"threads":[…],"map":"…"}
 *     {"op":"map"}         {"ok":true,"map":"FlatView #0 …"}         (info mtree -f)
 *     {"op":"peek","reads":[[4096,4,1]]} {"op":"apic"} {"op":"disks"} {"op":"chardevs"}
 *                                                             (session/devices.h)
 *     {"op":"pause"} {"op":"resume"} {"op":"detach"} {"op":"hello"}
 *     errors:              {"ok":false,"code":N,"error":"…","hint":"…"}
 *
 * A pause belongs to the connection that asked for it: when that ends, so does the pause. So do
 * the probes of a subscription and the sets of QEMU's own trace points (bits of enum
 * qemutrace_set), which the next one on the same connection replaces.
 */
#ifndef SESSION_CLIENT_H
#define SESSION_CLIENT_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>

/* More than twice what the broker waits for QEMU. */
enum { BROKER_TIMEOUT_MS = 10000 };

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
/* The same with a whole request; req stays the caller's. */
struct oscope_error *broker_request(struct broker_link *link, const json_t *req, int timeout_ms,
                                    json_t **out);
void broker_hang_up(struct broker_link *link);
/* Has the broker closed the connection? */
bool broker_hung_up(const struct broker_link *link);
/* What a call says when no broker answers. */
struct oscope_error *error_broker_ended(void);

#endif
