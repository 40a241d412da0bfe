/* SPDX-License-Identifier: MIT */
/*
 * Recordings that pages begin: of each guest one at a time, in a folder named by the time in the
 * folder that the server was started in. It goes on until a page ends it, the guest ends, or the
 * server; then it is among the guests (roster.h). Belongs to the server's thread.
 *
 * {"op":"recording","guest":G,"state":"opening"|"runs"|"stopping"|"ended","dir":D,"sets":[…],
 * "bytes":N,"duration":NS,"lost":N,"error":TEXT}: of the one that is made, or was last.
 */
#ifndef WEB_RECORDS_H
#define WEB_RECORDS_H

#include "web/roster.h"

#include <oscope/session.h>

/* Bytes of events in one: a page that went, and forgot it, must not fill the disk. */
#define RECORDS_SIZE (UINT64_C(4) << 30)

struct records;

enum { RECORDS_MAX = 8 /* guests */ };

/* open, of the sessions, and the roster stay until records_close(). NULL: out of memory. */
struct records *records_open(const struct oscope_open_options *open, struct roster *roster);
/* Ends all, properly. NULL allowed. */
void records_close(struct records *r);

/* sets: bits by number in collect_known_sets(). Nothing, if one of that guest is being made. */
void records_start(struct records *r, const char *guest, uint64_t sets);
void records_stop(struct records *r, const char *guest);

/* Looks after them; true: something is new. */
bool records_poll(struct records *r);
/* Appends what is to be said of that guest's; false: there is none. */
bool records_write(const struct records *r, const char *guest, struct out *o);

#endif
