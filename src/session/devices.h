/* SPDX-License-Identifier: MIT */
/*
 * State of devices: what the broker asks QEMU for, and how clients ask the broker. Nothing of it
 * changes the guest: registers are read through target/peek.h alone.
 */
#ifndef SESSION_DEVICES_H
#define SESSION_DEVICES_H

#include <oscope/devices.h>

#include "session/session.h"
#include "target/mtree.h"
#include "target/peek.h"

#include <jansson.h>

/*
 * ---- the broker's side ----
 *
 *     {"op":"peek","reads":[[address,size,count],…]}   {"values":[[…],…]}
 *     {"op":"apic"}     {"pic":"…","lapics":["…",…]}, as the monitor prints them; lapics is empty
 * on a machine that has none
 *     {"op":"disks"}    {"disks":[bytes,…]}: of drives that have a medium
 *     {"op":"chardevs"} {"chardevs":[["serial0","pty:/dev/pts/3"],…]}: label and file name
 */
bool devices_knows(const char *op);
/* Fills in the answer; devices_knows(op). */
struct oscope_error *devices_answer(struct qmp *q, const char *op, const json_t *request,
                                    json_t *out) WARN_UNUSED;

/* ---- the client's; OSCOPE_E_UNSUPPORTED for a dump ---- */

/* The machine's devices; the caller frees *out with mtree_devices_free(). */
struct oscope_error *session_devices(struct oscope_session *s,
                                     struct mtree_devices *out) WARN_UNUSED;
/* Reads registers, one read after another; values of all reads one after another go to out. */
struct oscope_error *session_peek(struct oscope_session *s, const struct peek *reads, size_t n,
                                  uint64_t *out) WARN_UNUSED;
/* *answer to "apic" is the caller's. */
struct oscope_error *session_apic(struct oscope_session *s, json_t **answer) WARN_UNUSED;
/* Bytes of the guest's only disk; 0: it has none, or several, or QEMU does not tell. */
uint64_t session_only_disk(struct oscope_session *s);

/* Where the guest's serial ports go. Rows: struct oscope_serial_port, whose texts are static. */
struct oscope_error *session_serial(struct oscope_session *s, struct os_list *l) WARN_UNUSED;
/* Its parts. Is the character device `label` a serial port? words: QEMU's command line, n bytes,
 * each word ended by 0; or NULL. */
bool serial_is_port(const char *words, size_t n, const char *label);
/* What QEMU's name of a character device tells of it. */
void serial_look(struct oscope_serial_port *p, const char *file, pid_t qemu);

#endif
