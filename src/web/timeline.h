/* SPDX-License-Identifier: MIT */
/*
 * The timeline (analysis/tracks.h) as one page sees it: which lanes and names it knows, and what it
 * asks for. Nothing is queued: of each kind of question only the newest is answered, when the page
 * can read; what takes long (selections, searches) in a thread of the store's, so that nobody else
 * waits for it.
 *
 *     {"op":"lanes","guest":G,"n":VERSION,"base":VERSION|null,"span":[FROM,TO],"dropped":SLICES,
 *      "busy":BOOL,"end":NS,"notes":[…],"lanes":[{"id","kind","name","cpu","tid","comm","depth",
 *      "busy"}…]}                      counters: and "unit","source","place","level"
 *
 * Without a base these are all lanes: those that the page had and that are not among them are gone.
 * With a base: lanes that are new, or others than in that version. busy: a recording is being read,
 * whose last event is at "end".
 *
 *     {"op":"names","guest":G,"base":K,"names":[TEXT…]}      numbered from K on
 *     {"op":"selected","guest":G,"seq":SEQ,"from":NS,"to":NS,"tables":[{"name","cut","columns":[…],
 *      "rows":[[…]…]}…]}
 *     {"op":"found","guest":G,"seq":SEQ,"lane":ID|null,"start":NS,"duration":NS,"depth":N,
 *      "class":N,"open":BOOL,"name":N}
 *
 * A window is answered by a binary message, little-endian:
 *
 *     u8 'T', u8 1, u16 0, u32 seq, u64 from, u64 to, u64 unit (ns), u32 lanes, u32 arrows
 *     each lane:  u32 id, u32 n, n × u32 start, n × u32 duration, n × u32 name, n × u32 info
 *     each arrow: u32 id, u32 lane, u32 time, u32 lane, u32 time      (times cut to the window)
 *
 * with items as struct track_item has them, of counters as tracks_look_counter() says.
 */
#ifndef WEB_TIMELINE_H
#define WEB_TIMELINE_H

#include "collect/collect.h"
#include "draw/out.h"
#include "web/message.h"
#include "web/page.h"

struct timeline;

/* Of that store; both stay until timeline_free(). NULL: out of memory. */
struct timeline *timeline_new(struct tracks *k, struct queries *q);
/* Does not wait for answers that are being made. NULL is allowed. */
void timeline_free(struct timeline *t);

/* The page asks: MESSAGE_WINDOW, _SELECT or _FIND. */
void timeline_hear(struct timeline *t, const struct message *m);

/* Whether there may be something for the page by now. */
bool timeline_due(const struct timeline *t, const struct collect_reading *r, uint64_t clock);
/* Appends the next message. */
enum page_message timeline_next(struct timeline *t, const char *guest,
                                const struct collect_reading *r, uint64_t clock, struct out *o);

#endif
