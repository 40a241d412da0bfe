/* SPDX-License-Identifier: MIT */
/*
 * Events of a running guest, as they happen, or of a recording. Asking for a guest's event sets
 * switches their probes on; closing switches them off again, unless somebody else wants them.
 */
#ifndef OSCOPE_EVENTS_H
#define OSCOPE_EVENTS_H

#include <oscope/error.h>
#include <oscope/interval.h>
#include <oscope/session.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum oscope_field_kind {
    OSCOPE_FIELD_UINT, /* value.u */
    OSCOPE_FIELD_INT,  /* value.i */
    OSCOPE_FIELD_HEX,  /* value.u, an address or bits */
    OSCOPE_FIELD_TEXT, /* value.text, printable ASCII */
};

struct oscope_field {
    const char *name; /* static */
    enum oscope_field_kind kind;
    union {
        uint64_t u;
        int64_t i;
        const char *text; /* until the next event is asked for */
    } value;
    /* "name" or "name+0x12 [module]" of what lies at an address of code; NULL: the field is none,
     * or it is not known. Until the next event is asked for. */
    const char *symbol;
    /* What the number stands for: "S", "WRITE|USER", "load page fault"; a text as its reader knows
     * it: "NULL", a socket's address. NULL: nothing, or it is not known. Until the next event is
     * asked for. */
    const char *meaning;
    const char *detail; /* the same in a sentence, or NULL: "No such file or directory" */
    bool cut;           /* text: the first bytes of more */
    bool later; /* address of data that the call gives when it returns, in a field of that name */
    bool inner; /* told by the meaning of a field before it, too */
};

enum { OSCOPE_FIELDS_MAX = 32 };
#define OSCOPE_CPU_NONE UINT32_MAX

struct oscope_event {
    uint64_t time;    /* ns, CLOCK_MONOTONIC of the host that captured it */
    uint32_t cpu;     /* index of the vCPU, OSCOPE_CPU_NONE: in a thread of a device */
    const char *name; /* static */
    bool final;       /* a system call that does not return */
    bool partial;     /* a field's memory could not be read; such a field is 0 or empty */
    size_t nfields;
    struct oscope_field fields[OSCOPE_FIELDS_MAX];
};

struct oscope_events;

/*
 * Switches on n sets ("sched", or "all") and reads on from this moment. The session must stay open
 * longer, as must the sets' names. mmio, uart and blk are told by QEMU itself, in `attach`
 * sessions, too; the others need the probe engine,
 * and a kernel, for which this call waits as the session's options say. Errors: a set that is not
 * known, a guest without a probe engine (a core, KVM, one that `oscope run` did not start), each
 * with what would help. What can't be had of a set is told by oscope_events_notes().
 */
struct oscope_error *oscope_events_open(struct oscope_session *s, const char *const *sets, size_t n,
                                        struct oscope_events **out);
void oscope_events_close(struct oscope_events *e); /* NULL allowed */

/*
 * The events of a recording's folder, of n sets (0: all it has), in the order of time. It can be
 * read with all that is here: oscope_events_next() never waits, its *event is NULL where the
 * interval ends, and OSCOPE_E_GONE is the recording's own end. Errors: OSCOPE_E_NOT_FOUND (no
 * recording, no such set in it), OSCOPE_E_BAD_DATA, OSCOPE_E_UNSUPPORTED, OSCOPE_E_IO.
 */
struct oscope_error *oscope_events_open_recording(const char *dir, const char *const *sets,
                                                  size_t n, const struct oscope_interval *i,
                                                  struct oscope_events **out);
/* Recordings: the interval ends before that moment from now on, ns of its clock. */
void oscope_events_until(struct oscope_events *e, uint64_t time);

/*
 * Gives only events for which an expression holds from now on: "event=sched_switch,next_comm~sh",
 * "ret<0", "prev_tid|next_tid=17"; oscope-events(1) describes it. OSCOPE_E_USAGE.
 */
struct oscope_error *oscope_events_filter(struct oscope_events *e, const char *expr);

/* One line each; they live as long as e. */
size_t oscope_events_notes(const struct oscope_events *e, const char *const **notes);

/*
 * The next event of all vCPUs, in the order of time. *event NULL without an error: none came within
 * timeout_ms. It is valid until the next call. OSCOPE_E_GONE: the guest has ended, and all it left
 * was given.
 */
struct oscope_error *oscope_events_next(struct oscope_events *e, int timeout_ms,
                                        const struct oscope_event **event);

/* Events that are known to be lost so far: overwritten before they were read, or without room. */
void oscope_events_lost(const struct oscope_events *e, uint64_t *events, uint64_t *packets);

#ifdef __cplusplus
}
#endif
#endif
