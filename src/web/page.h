/* SPDX-License-Identifier: MIT */
/*
 * The pages that are open, and the guests they watch: what a page wishes, what it has got, and what
 * it is to be told next. Nothing is queued: a page that reads slowly is told of the newest frame
 * when it can read again, and what was between is never written. Knows no HTTP library. One thread.
 */
#ifndef WEB_PAGE_H
#define WEB_PAGE_H

#include "draw/out.h"

#include <oscope/session.h>

struct pages; /* all of them */
struct page;

struct pages_options {
    const char *const *sessions, *const *recordings; /* as roster_open() */
    const struct oscope_open_options *open;          /* of the sessions */
    int wake;                                        /* eventfd: pages_poll() has something to do */
    bool no_console; /* guests' consoles are neither shown nor typed into */
};

struct oscope_error *pages_open(const struct pages_options *o, struct pages **out);
void pages_close(struct pages *all); /* after its pages; NULL allowed */

enum { PAGES_MAX = 32 };
/* One more page; NULL: too many, or out of memory. */
struct page *page_open(struct pages *all);
/* What only it wished for is switched off. */
void page_close(struct page *p);

/* The page says: n bytes. NULL, or why it is to be hung up on, a static line. */
const char *page_hear(struct page *p, const char *text, size_t n);
enum page_message { PAGE_NONE, PAGE_TEXT, PAGE_BINARY };
/* Appends the next message for it, if there is one now. */
enum page_message page_next(struct page *p, struct out *o);

/* Is there a recording of that name? */
bool pages_recording(struct pages *all, const char *id);

/* Takes what is new of the guests. True: there may be messages. */
bool pages_poll(struct pages *all);

#endif
