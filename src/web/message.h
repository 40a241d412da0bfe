/* SPDX-License-Identifier: MIT */
/*
 * What a page may say: JSON objects, one a WebSocket message, of at most MESSAGE_MAX bytes.
 *
 *     {"op":"watch","guest":ID,"views":[NAME…]}  these views of that guest, and no others of it
 *     {"op":"sets","guest":ID,"sets":[NAME…]}    these event sets on, as far as this page wishes
 *     {"op":"seek","guest":ID,"time":NS}         of a recording: look at that moment
 *     {"op":"console","guest":ID,"on":BOOL}      tell what its serial console shows (web/tty.h), or
 * not
 *     {"op":"type","guest":ID,"on":BOOL}         this page types there, or no longer
 *     {"op":"keys","guest":ID,"bytes":HEX}       bytes for the guest, two hexadecimal digits each
 */
#ifndef WEB_MESSAGE_H
#define WEB_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MESSAGE_MAX = 4096, MESSAGE_GUEST = 256, MESSAGE_KEYS = 1024 };

enum message_op {
    MESSAGE_WATCH,
    MESSAGE_SETS,
    MESSAGE_SEEK,
    MESSAGE_CONSOLE,
    MESSAGE_TYPE,
    MESSAGE_KEYS_TYPED,
};

struct message {
    enum message_op op;
    char guest[MESSAGE_GUEST];
    uint64_t views; /* WATCH: bits by number in web_views[] */
    uint64_t sets;  /* SETS: bits by number in collect_known_sets() */
    uint64_t time;  /* SEEK: ns of the recording's clock */
    bool on;        /* CONSOLE, TYPE */
    char keys[MESSAGE_KEYS];
    size_t nkeys;
};

/* NULL, or what is wrong with the n bytes: a static line. Then *out means nothing. */
const char *message_parse(const char *text, size_t n, struct message *out);

#endif
