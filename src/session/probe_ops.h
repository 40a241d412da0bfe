/* SPDX-License-Identifier: MIT */
/*
 * What clients ask the broker about probes: wanting a set as long as they are connected
 * ("subscribe"), the list of what is wanted ("probes"), and changes that outlast them: a set that
 * stands until it is removed ("enable", "remove"), probes that are left out ("disable").
 */
#ifndef SESSION_PROBE_OPS_H
#define SESSION_PROBE_OPS_H

#include "session/broker.h"

#include <jansson.h>

/*
 * {"set":{…},"resets":N} (probes_json.h), answered by {"settled":bool,"disabled":["name",…]}:
 * probes, of whoever's set, that are left out. The set was written when the guest had been reset so
 * often (control_start()): probes of a kernel that may have moved since are not taken.
 */
struct oscope_error *probe_ops_subscribe(struct broker *b, const struct broker_client *c,
                                         const json_t *request, json_t *out) WARN_UNUSED;

/* Answers {"probes":[{…}],"settled":bool,"now":ns}: what is wanted; in force unless settled is
 * false. */
struct oscope_error *probe_ops_list(struct broker *b, json_t *out) WARN_UNUSED;

/*
 * {"name":"…"}; "enable" may bring a "set" too, which then stands. Answers {"settled":bool}.
 * Errors: OSCOPE_E_NOT_FOUND (nothing of that name).
 */
struct oscope_error *probe_ops_change(struct broker *b, const char *op, const json_t *request,
                                      json_t *out) WARN_UNUSED;

/* Makes true what is wanted now; later, if that can't be (firmware.h): settled is false then. */
struct oscope_error *probe_ops_enforce(struct broker *b, bool *settled) WARN_UNUSED;

/* Does what was put off, if it can be now; how long until the next try, ms, -1: no need. */
int probe_ops_due(struct broker *b);

/* Begins or ends a slice of the time in which accesses are counted, if one is due (session/duty.h).
 * Nobody waits until it has. */
void probe_ops_flip(struct broker *b);

/* The client has gone: what it wanted goes too. */
void probe_ops_forget(struct broker *b, const struct broker_client *c);

/* The guest was reset: some probes are of the kernel before, see engine_reset(). */
void probe_ops_reset(struct broker *b);

#endif
