/* SPDX-License-Identifier: MIT */
/*
 * State of devices: what the broker asks QEMU for, and how clients ask the broker. Nothing of it
 * changes the guest: registers are read through target/peek.h alone.
 */
#ifndef SESSION_DEVICES_H
#define SESSION_DEVICES_H

#include "session/session.h"
#include "target/mtree.h"
#include "target/peek.h"

#include <jansson.h>

/* ---- the broker's side: each fills in the answer ---- */

/* {"op":"peek","reads":[[address,size,count],…]}: {"values":[[…],…]} */
struct oscope_error *devices_peek(struct qmp *q, const json_t *request, json_t *out) WARN_UNUSED;
/* {"op":"apic"}: {"pic":"…","lapics":["…",…]}, as the monitor prints them; none on a machine that
 * has none. */
struct oscope_error *devices_apic(struct qmp *q, json_t *out) WARN_UNUSED;
/* {"op":"disks"}: {"disks":[bytes,…]}: drives that have a medium */
struct oscope_error *devices_disks(struct qmp *q, json_t *out) WARN_UNUSED;

/* ---- the client's; OSCOPE_E_UNSUPPORTED for a dump ---- */

/* The machine's devices; the caller frees *out with mtree_devices_free(). */
struct oscope_error *session_devices(struct oscope_session *s,
                                     struct mtree_devices *out) WARN_UNUSED;
/* Reads registers, one read after another; values of all reads one after another go to out. */
struct oscope_error *session_peek(struct oscope_session *s, const struct peek *reads, size_t n,
                                  uint64_t *out) WARN_UNUSED;
/* *answer is the caller's, as devices_apic() fills it in. */
struct oscope_error *session_apic(struct oscope_session *s, json_t **answer) WARN_UNUSED;
/* Bytes of the guest's only disk; 0: it has none, or several, or QEMU does not tell. */
uint64_t session_only_disk(struct oscope_session *s);

#endif
