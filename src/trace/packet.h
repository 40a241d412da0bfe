/* SPDX-License-Identifier: MIT */
/*
 * One packet in private memory: its header checked, its events walked. Shared by readers and the
 * recorder; nothing here trusts a byte of the packet.
 */
#ifndef TRACE_PACKET_H
#define TRACE_PACKET_H

#include "trace/reader.h"

enum {
    PACKET_MAX = 16 << 20, /* bytes of a packet in a recording */
};

#define PACKET_MAGIC UINT32_C(0xC1FC1FC1) /* CTF 1.8, section 5.1 */

struct packet_cursor {
    const uint8_t *bytes; /* of the packet, from its header on */
    uint32_t at, end;     /* next event; end of what is there */
    uint32_t cpu;
    uint64_t time;     /* of the last event */
    uint64_t time_end; /* no event is later */
};

enum packet_step {
    PACKET_EVENT,
    PACKET_END, /* nothing more there */
    PACKET_BAD, /* what follows is no event; so is the rest of the packet */
};

/* Whether a packet of this trace begins here. */
bool packet_is_one(const struct wire_packet *p, const uint8_t uuid[16]);

/* Whether a closed packet's sizes and times are possible: content <= size <= most, in bytes. */
bool packet_is_closed(const struct wire_packet *p, uint64_t most);

/* At the packet's first event; time_end is UINT64_MAX while the packet is open. */
void packet_begin(struct packet_cursor *c, const uint8_t *bytes, uint32_t end, uint64_t time_end);

/* Fills ev from the next event (all but stream and gap), or leaves the cursor where it is. */
enum packet_step packet_next(struct packet_cursor *c, const struct trace_schema *schema,
                             struct trace_event *ev);

#endif
