/* SPDX-License-Identifier: MIT */
/* An event as clients are given it (<oscope/events.h>): what its fields are, and stand for. */
#ifndef SESSION_EVENT_FIELDS_H
#define SESSION_EVENT_FIELDS_H

#include "os/model.h"
#include "symbols/symtab.h"
#include "trace/reader.h"

#include <oscope/events.h>

enum { EVENT_SYMBOL_MAX = 160, EVENT_MEANINGS_MAX = 4096 };

/* Whose kernel it is; each may be NULL: then less has a name. */
struct event_words {
    const struct os_model *os;   /* of which ops and arch are used */
    const struct symtab *symtab; /* of the kernel that runs then */
    const char *trap_names;      /* os/trap_names.h */
};

struct event_fields {
    struct oscope_event event;
    char *text;                        /* the event's strings, made printable */
    char symbol[EVENT_SYMBOL_MAX];     /* of an address in it */
    char meanings[EVENT_MEANINGS_MAX]; /* of its numbers */
};

/* OSCOPE_E_NOMEM */
struct oscope_error *event_fields_init(struct event_fields *f) WARN_UNUSED;
void event_fields_free(struct event_fields *f);

/* Everything in `from` is hostile. The answer is good until the next call. */
const struct oscope_event *event_fields_fill(struct event_fields *f, const struct trace_event *from,
                                             const struct event_words *w);

#endif
