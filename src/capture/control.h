/* SPDX-License-Identifier: MIT */
/*
 * oscope's end of the memory file that it shares with the probe engine inside QEMU
 * (capture/wire.h): making it, opening it (the broker to write wishes, everybody else to read), and
 * telling the engine which probes are wished for.
 */
#ifndef CAPTURE_CONTROL_H
#define CAPTURE_CONTROL_H

#include "base/error.h"
#include "capture/wire.h"
#include "probe/build.h"

#include <stdbool.h>
#include <stddef.h>

/* Name of the file as /proc/PID/fd tells it: "/memfd:" CONTROL_NAME " (deleted)". */
#define CONTROL_NAME "oscope-events"

struct control;

/*
 * Makes a memory file for so many vCPUs and rings of packets * packet_bytes bytes for each, and
 * seals its size. What is never written takes no memory of the host. *fd is close-on-exec and the
 * caller's. Errors: OSCOPE_E_USAGE (numbers that wire.h does not allow), OSCOPE_E_IO.
 */
struct oscope_error *control_create(uint32_t vcpus, uint32_t packet_bytes, uint32_t packets,
                                    int *fd) WARN_UNUSED;

/*
 * Before QEMU starts: says how the engine works if all vCPUs share a thread. They stand still from
 * the first on until still_until (control_stand_still()). Error: OSCOPE_E_IO.
 */
struct oscope_error *control_one_thread(int fd, const struct wire_one_thread *how,
                                        uint64_t still_until) WARN_UNUSED;

/*
 * Maps the file, writable for the broker only. It may be hostile: it must be sealed and its parts
 * must lie within it, else OSCOPE_E_BAD_DATA. fd stays the caller's and may be closed at once.
 */
struct oscope_error *control_open(int fd, bool write, struct control **out) WARN_UNUSED;
void control_close(struct control *c); /* NULL is allowed */

/* The file; its parts lie within *mapped bytes, if their numbers did not change since. */
const struct wire_control *control_mapped(const struct control *c, size_t *mapped);

/* The same, of one that was opened to be written, and where its parts lie. */
struct layout;
struct wire_control *control_writable(const struct control *c, const struct layout **layout);

/* Gives back to the host what reading has mapped of it; the next reads map it again. */
void control_rest(const struct control *c);

/* Generation of the set wished for last; 0: none ever was. */
uint64_t control_wished(const struct control *c);

/*
 * Publishes a finished set as the wish; it comes in force when a vCPU next goes idle (QMP stop and
 * cont see to that). *generation is its number. Errors: OSCOPE_E_USAGE (the verifier says no;
 * nothing was published), OSCOPE_E_NOMEM.
 */
struct oscope_error *control_wish(struct control *c, const struct probe_set *set,
                                  uint64_t *generation) WARN_UNUSED;

/* The guest was started at this time (ns, CLOCK_MONOTONIC; 0: not known), or reset. */
void control_tell_start(struct control *c, uint64_t started, bool reset);
/* How often a broker saw it reset; *started: when it was last, or was started; 0: not known. */
uint64_t control_start(const struct control *c, uint64_t *started);

/* What the probe in a slot did, on all vCPUs together, since the engine began. */
struct control_counts {
    uint64_t fired, published, faults, dropped, timed, cost; /* as in struct wire_count */
};
struct control_counts control_counts(const struct control *c, uint32_t slot);

/* Do all vCPUs share a thread? Then they find a wish by themselves. */
bool control_has_one_thread(const struct control *c);

/*
 * vCPUs that share a thread stand still, between two instructions, until then (ns, CLOCK_MONOTONIC;
 * 0: they go on). control_stands_still: one does, for that reason.
 */
bool control_can_stand_still(const struct control *c); /* several do, and are told apart */
void control_stand_still(struct control *c, uint64_t until);
bool control_stands_still(const struct control *c);

/* Generation of the set in force; 0: none. */
uint64_t control_in_force(const struct control *c);

/*
 * Is that generation, or a newer one, in force on every vCPU? OSCOPE_E_UNSUPPORTED: the engine
 * refused it, or can't work with this machine; the message is the engine's.
 */
struct oscope_error *control_settled(const struct control *c, uint64_t generation,
                                     bool *settled) WARN_UNUSED;

#endif
