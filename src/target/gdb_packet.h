/* SPDX-License-Identifier: MIT */
/*
 * The GDB remote serial protocol as bytes: framing, checksums, what may be sent, and the few texts
 * that answers are made of. Pure functions; whatever a stub sends is checked and bounded here.
 *
 * Source: "Debugging with GDB", appendix "GDB Remote Serial Protocol" (Overview, Packets, General
 * Query Packets).
 */
#ifndef TARGET_GDB_PACKET_H
#define TARGET_GDB_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    GDB_REQUEST_MAX = 400, /* bytes of a request that is sent, without framing */
    GDB_FRAME_MAX = 2 * GDB_REQUEST_MAX + 4,
    GDB_PACKET_MAX = 256 << 10, /* of an answer: what a stub may call its packet size */
    GDB_THREAD_ID = 40,         /* a thread id as text, with its 0 */
};

/* ---- packets ---- */

/* Writes $payload#cs, escaped, to out (GDB_FRAME_MAX bytes); its length, 0 if it is too long. */
size_t gdb_frame(const char *payload, char *out);

/* What gdb_decode() met. */
enum gdb_event {
    GDB_MORE,    /* all bytes taken, no packet has ended */
    GDB_PACKET,  /* d->buf holds d->len bytes of payload and a 0 behind */
    GDB_DAMAGED, /* a packet whose checksum or encoding is wrong */
    GDB_LONG,    /* a packet that does not fit the buffer; it is skipped */
    GDB_ACK,     /* '+' */
    GDB_NAK,     /* '-' */
};

/* Decodes a stream of bytes: escapes and run lengths are undone, notifications left out. */
struct gdb_decoder {
    char *buf; /* the caller's, cap bytes, at least 2 */
    size_t cap, len;
    int state;
    uint8_t sum, want;
    bool notification, damaged, too_long;
};

void gdb_decoder_init(struct gdb_decoder *d, char *buf, size_t cap);
/* Takes bytes until something is complete; *used is how many. */
enum gdb_event gdb_decode(struct gdb_decoder *d, const char *p, size_t n, size_t *used);

/* ---- what may be sent ---- */

/*
 * True for the requests that read, and for those that switch the connection itself (no
 * acknowledgements; QEMU's physical addressing) or end it. Nothing else ever goes out: no write of
 * memory or registers, no step, no breakpoint, no monitor command.
 */
bool gdb_allowed(const char *payload);

/* ---- answers ---- */

/* Hex digits to bytes: how many bytes, or -1 when it is not hex, odd, or more than max. */
long gdb_hex(const char *text, size_t n, uint8_t *out, size_t max);

/* What qSupported told. */
struct gdb_features {
    size_t packet_size; /* 0: not told; else from 64 to GDB_PACKET_MAX */
    bool no_ack, target_xml, memory_map;
};
void gdb_parse_supported(const char *text, struct gdb_features *out);

/*
 * Takes the next thread id of "m1,2,3" (at *p, moved on) to id; false at the end of the list or
 * when what is there is no id: digits and 'a' to 'f', "-", "." and a "p" in front.
 */
bool gdb_next_thread(const char **p, char id[GDB_THREAD_ID]);

/* Is this "E" and two digits, or "E." and a text? */
bool gdb_is_error(const char *text, size_t n);

/* The answer to "?": S05, T05thread:1; or (gone) W00, X09. */
enum gdb_stop { GDB_STOP_NO, GDB_STOP_YES, GDB_STOP_GONE };
enum gdb_stop gdb_stop_kind(const char *text, size_t n);

#endif
