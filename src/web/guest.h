/* SPDX-License-Identifier: MIT */
/*
 * One guest, live or recorded, as all pages that watch it share it: what they wish is fetched
 * (collect/collect.h), each view becomes a frame once. While nobody watches there is no guest, and
 * then nothing of it is on in the guest. Belongs to the server's thread.
 */
#ifndef WEB_GUEST_H
#define WEB_GUEST_H

#include "web/frame.h"
#include "web/tty.h"

struct guest;

struct guest_options {
    const char *id; /* session, or a recording's folder; copied */
    bool recording;
    const struct oscope_open_options *open; /* of the sessions; stays until guest_close() */
    struct track_stores *stores;            /* recordings' timelines, that guests share */
    int wake;                               /* an eventfd: there is something for guest_poll() */
};

struct oscope_error *guest_open(const struct guest_options *o, struct guest **out);
void guest_close(struct guest *f); /* NULL allowed; may wait for a view that is being made */
const char *guest_id(const struct guest *f);

/* What all pages together wish: views, and sets, bits as in web/message.h; asks: what each of the
 * views is to be of; its console. */
void guest_wish(struct guest *f, uint64_t views, const struct ask asks[WEB_VIEWS], uint64_t sets,
                bool console);
/* Its console; NULL: nobody wished for it so far, or out of memory. */
struct tty *guest_tty(const struct guest *f);
/* As tty_type(), with the ports that it has. */
void guest_type(struct guest *f, struct tty_seat *seat, bool on);
/* Recordings: as collect_seek(). */
void guest_seek(struct guest *f, uint64_t time);

/* Takes what is new. True: something is. */
bool guest_poll(struct guest *f, uint64_t clock);
/* The newest frame of that view; NULL: there is none. The guest's. */
struct frame *guest_frame(const struct guest *f, size_t view);
/* What fetches its views: for the timeline. */
struct collect *guest_collect(const struct guest *f);
/*
 * {"op":"status","guest":G,"sets":[…],"lost_events","lost_packets","behind","busy","ended",
 * "error","notes":[…],"refused":[{"set","why"}…],"span":[FROM,TO,AT]|null}: how it goes with the
 * events; behind in ms. Terminated; the guest's, until the next guest_poll().
 */
const char *guest_status(const struct guest *f);

#endif
