/* SPDX-License-Identifier: MIT */
/*
 * A probe set as JSON, for the way from a client to the broker.
 *
 *     {"registers":["a0", …], "direct":[["va","size","hva"], …], "tables":["…"],
 *      "heat":10000, "ram":[["gpa","size","hva"], …], "moves":true,
 *      "probes":[{"name":"sched_switch","os":true,"site":0,"address":"…","mask":"…","value":"…",
 *                 "code":"…"}, …]}
 *
 * Numbers of 64 bits are hexadecimal strings, code is wire_insn structures in hexadecimal.
 */
#ifndef SESSION_PROBES_JSON_H
#define SESSION_PROBES_JSON_H

#include "os/model.h"
#include "probe/build.h"

#include <jansson.h>

/* What the broker lists beside probes, by numbers behind those of enum wire_site. */
enum { PROBE_SITE_ACCESS = WIRE_SITE_COUNT, PROBE_SITE_POINT };

/* A new reference, or NULL when out of memory. */
json_t *probes_to_json(const struct probe_set *s);

/* Fills out (initialised here, freed by the caller also on error). Structure and limits are
 * checked, programs are not: the verifier does that. OSCOPE_E_BAD_DATA. */
struct oscope_error *probes_from_json(const json_t *json, struct probe_set *out) WARN_UNUSED;

/* names: of disabled probes, as the broker answers a subscription. Notes those that s has. */
void probes_note_disabled(const json_t *names, const struct probe_set *s, struct os_list *notes);

#endif
