/* SPDX-License-Identifier: MIT */
/*
 * What a page may say: JSON objects, one a WebSocket message, of at most MESSAGE_MAX bytes.
 *
 *     {"op":"watch","guest":ID,"views":[NAME…]}  these views of that guest, and no others of it
 *     {"op":"sets","guest":ID,"sets":[NAME…]}    these event sets on, as far as this page wishes
 *     {"op":"seek","guest":ID,"time":NS}         of a recording: look at that moment
 */
#ifndef WEB_MESSAGE_H
#define WEB_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MESSAGE_MAX = 4096, MESSAGE_GUEST = 256 };

enum message_op { MESSAGE_WATCH, MESSAGE_SETS, MESSAGE_SEEK };

struct message {
    enum message_op op;
    char guest[MESSAGE_GUEST];
    uint64_t views; /* WATCH: bits by number in web_views[] */
    uint64_t sets;  /* SETS: bits by number in collect_known_sets() */
    uint64_t time;  /* SEEK: ns of the recording's clock */
};

/* NULL, or what is wrong with the n bytes: a static line. Then *out means nothing. */
const char *message_parse(const char *text, size_t n, struct message *out);

#endif
