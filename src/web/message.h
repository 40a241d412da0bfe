/* SPDX-License-Identifier: MIT */
/*
 * What a page may say: JSON objects, one a WebSocket message, of at most MESSAGE_MAX bytes.
 *
 *     {"op":"watch","guest":ID,"views":[NAME…],"args":ARGS,"as":N}
 *                                                these views of that guest, and no others of it
 *     {"op":"sets","guest":ID,"sets":[NAME…]}    these event sets on, as far as this page wishes
 *     {"op":"record","guest":ID,"sets":[NAME…]}  begin a recording of these sets; none: end it
 *     {"op":"seek","guest":ID,"time":NS}         of a recording: look at that moment
 *     {"op":"console","guest":ID,"on":BOOL}      tell what its serial console shows (tty.h), or not
 *     {"op":"type","guest":ID,"on":BOOL}         this page types there, or no longer
 *     {"op":"keys","guest":ID,"bytes":HEX}       bytes for the guest, two hexadecimal digits each
 *
 * ARGS, where views take any (web/views.h): {"pid":N,"tid":N,"va":"0x…","pa":"0x…","from":"0x…",
 * "to":"0x…","cells":N,"tree":true}, addresses as text because JSON's numbers lose bits. A view is
 * given those that it takes. N, a number that the messages about views repeat ("as"), so that the
 * page knows with which arguments they were made; 0 unless given.
 *
 * Of the timeline (timeline.h has the answers), SEQ a number of the page's, times ns of the events'
 * clock:
 *
 *     {"op":"window","guest":ID,"seq":SEQ,"from":NS,"to":NS,"width":PIXELS,"lanes":[ID…]}
 *     {"op":"select","guest":ID,"seq":SEQ,"from":NS,"to":NS}
 *     {"op":"find","guest":ID,"seq":SEQ,"text":TEXT,"from":NS,"back":BOOL,"lane":ID|null}
 */
#ifndef WEB_MESSAGE_H
#define WEB_MESSAGE_H

#include "web/views.h"

enum {
    MESSAGE_MAX = 4096,
    MESSAGE_GUEST = 256,
    MESSAGE_LANES = 256,     /* of a window */
    MESSAGE_WIDTH = 8192,    /* pixels */
    MESSAGE_CELLS = 1 << 18, /* pixels of all lanes of a window together */
    MESSAGE_TEXT = 128,      /* bytes to be found */
    MESSAGE_KEYS = 1024,     /* bytes typed */
};

enum message_op {
    MESSAGE_WATCH,
    MESSAGE_SETS,
    MESSAGE_SEEK,
    MESSAGE_RECORD,
    MESSAGE_CONSOLE,
    MESSAGE_TYPE,
    MESSAGE_KEYS_TYPED,
    MESSAGE_WINDOW,
    MESSAGE_SELECT,
    MESSAGE_FIND,
};

struct message {
    enum message_op op;
    char guest[MESSAGE_GUEST];
    uint64_t views;                /* WATCH: bits by number in web_views[] */
    struct web_args args;          /* WATCH */
    uint32_t as;                   /* WATCH */
    uint64_t sets;                 /* SETS, RECORD: bits by number in collect_known_sets() */
    uint64_t time;                 /* SEEK: ns of the recording's clock */
    uint32_t seq;                  /* WINDOW, SELECT, FIND */
    uint64_t from, to;             /* WINDOW, SELECT: from < to; FIND: from */
    uint32_t width;                /* WINDOW; not 0 */
    uint32_t lanes[MESSAGE_LANES]; /* WINDOW; FIND: one, or none */
    size_t nlanes;
    bool back;               /* FIND */
    char text[MESSAGE_TEXT]; /* FIND */
    bool on;                 /* CONSOLE, TYPE */
    char keys[MESSAGE_KEYS]; /* KEYS_TYPED */
    size_t nkeys;
};

/* NULL, or what is wrong with the n bytes: a static line. Then *out means nothing. */
const char *message_parse(const char *text, size_t n, struct message *out);
/* That event set as a bit, as in messages; 0: there is none. */
uint64_t message_set(const char *name);

#endif
