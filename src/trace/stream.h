/* SPDX-License-Identifier: MIT */
/*
 * One stream of a reader: packets from a ring or a file, one at a time in private memory. A source
 * says where the next bytes come from; the reader walks the events and merges.
 */
#ifndef TRACE_STREAM_H
#define TRACE_STREAM_H

#include "trace/packet.h"

struct stream_file {
    int fd;
    unsigned piece; /* its number */
    bool packed;    /* trace/packed.h */
    uint64_t size;
};

struct stream {
    struct trace_event ev; /* the next one, if have */
    bool have;
    bool dry;   /* nothing more, with rings until the next poll */
    bool gap;   /* the next event comes after a loss */
    bool ahead; /* ev does: counted in the reader's gaps */
    bool bad;   /* the rest of this packet is damaged */
    struct packet_cursor c;
    uint8_t *buf;
    size_t cap;
    struct trace_stats stats; /* packets, lost, discarded, damaged */
    bool discarded_known;
    uint64_t discarded_last; /* as the last packet's header said */

    /* ring */
    struct trace_rings rings; /* of which it is one */
    uint32_t ring;
    uint64_t n;     /* number of the packet in buf, or to be read */
    uint32_t got;   /* its bytes in buf */
    bool closed;    /* all of it is */
    uint64_t limit; /* the ring's position when polled */
    uint32_t skip;  /* events before this offset are not delivered */
    uint64_t discarded_base;

    /* file */
    struct stream_file *files; /* of which fd is the one being read; they follow each other */
    size_t nfiles, file;
    struct packer *packer; /* for compressed ones; made at the first need */
    uint8_t *frame;        /* a compressed packet */
    size_t frame_cap;
    int fd;
    bool packed;
    uint64_t at, size; /* next packet; file */
    size_t chunk;      /* bytes to read first: a packet, if they are all alike */
    bool cut;          /* the file has not all of this packet */
    uint64_t from;     /* events before this time are not delivered */
    uint32_t cpus;     /* that there are; 0: not known */
    bool seq_known;
    uint64_t seq;     /* of the last packet */
    uint64_t unknown; /* packets since then whose headers were damaged */
};

/* What follows is unreadable: counted once a packet. */
void stream_damage(struct stream *s);

/* Notes the discarded events that a packet's header tells of. */
void stream_discarded(struct stream *s, uint64_t count);

/*
 * Makes the cursor see bytes that it didn't: more of the packet, or the next one. False: there are
 * none, and the stream is dry.
 */
bool ring_more(struct stream *s, const struct trace_rings *rings);
bool folder_more(struct stream *s, const uint8_t uuid[16]);

/* Goes to the first packet that has events of that time or later. */
void folder_seek(struct stream *s, uint64_t time, const uint8_t uuid[16]);

/*
 * The recording in dir: its metadata's text, 0-terminated (the caller frees it), and a stream for
 * each of its channels, in order of their numbers (the caller closes them with folder_close() and
 * frees them). Outputs are set on errors, too.
 */
struct oscope_error *folder_open(const char *dir, char **text, size_t *len, struct stream **streams,
                                 size_t *nstreams) WARN_UNUSED;
void folder_close(struct stream *s);

/* When the first packet begins of a channel whose earlier ones were removed; else 0. Before
 * anything was read. */
uint64_t folder_cut(struct stream *s, const uint8_t uuid[16]);

#endif
