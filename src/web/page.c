/* SPDX-License-Identifier: MIT */
/* See page.h. */
#include "web/page.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/util.h"
#include "web/closing.h"
#include "web/guest.h"
#include "web/hello.h"
#include "web/message.h"
#include "web/records.h"
#include "web/roster.h"
#include "web/timeline.h"

enum { WATCHES_MAX = 16 }; /* guests of one page */

struct watch {
    struct guest *guest;
    uint64_t views, sets;
    struct web_args args;
    uint32_t as;                   /* message.h */
    struct frame *sent[WEB_VIEWS]; /* shares */
    char *status;                  /* sent last */
    char *record;                  /* likewise, of its recording */
    struct tty_seat seat;          /* at its console */
    struct timeline *timeline;     /* while it is among the views */
};

struct page {
    struct pages *all;
    bool greeted;
    unsigned roster; /* version sent */
    struct watch watches[WATCHES_MAX];
    size_t nwatches;
    size_t turn; /* the view that is looked at first */
};

struct pages {
    struct pages_options o;
    struct roster *roster;
    struct records *records;
    struct closing *closing;     /* guests that nobody watches any more */
    struct track_stores *stores; /* recordings' timelines */
    struct page *pages[PAGES_MAX];
    size_t n;
};

struct oscope_error *pages_open(const struct pages_options *o, struct pages **out)
{
    struct pages *all = calloc(1, sizeof *all);

    *out = NULL;
    if (!all)
        return error_nomem();
    all->o = *o;
    struct oscope_error *err = NULL;
    if (!(all->closing = closing_new()) || !(all->stores = track_stores_new()))
        err = error_nomem();
    else
        err = roster_open(o->sessions, o->recordings, o->wake, &all->roster);
    if (!err && !(all->records = records_open(o->open, all->roster)))
        err = error_nomem();
    if (err)
        pages_close(all);
    else
        *out = all;
    return err;
}

void pages_close(struct pages *all)
{
    if (!all)
        return;
    records_close(all->records);
    roster_close(all->roster);
    closing_end(all->closing);
    track_stores_free(all->stores);
    free(all);
}

/* ---- guests ---- */

/* Can one guest serve both watches? Each view is of one thing, and one report of one task. */
static bool agree(const struct watch *a, const struct watch *b)
{
    for (size_t i = 0; i < WEB_VIEWS; i++)
        for (size_t k = 0; k < WEB_VIEWS; k++) {
            const struct web_view *v = &web_views[i], *w = &web_views[k];
            if (!(a->views & BIT(i)) || !(b->views & BIT(k)) ||
                web_view_slot(v) != web_view_slot(w))
                continue;
            struct ask x = web_view_ask(v, &a->args), y = web_view_ask(w, &b->args);
            if (!ask_equal(&x, &y))
                return false;
        }
    return true;
}

/* Can that guest serve the watch (a page's, or one to be), and what others watch of it? */
static bool serves(const struct pages *all, const struct guest *guest, const struct watch *watch)
{
    for (size_t i = 0; i < all->n; i++)
        for (size_t k = 0; k < all->pages[i]->nwatches; k++) {
            const struct watch *w = &all->pages[i]->watches[k];
            if (w->guest == guest && w != watch && !agree(w, watch))
                return false;
        }
    return true;
}

/* A guest of that id that others watch and that can serve this watch, too; NULL: there is none.
 * Recordings are not shared, but for their timeline's store: each page looks at a moment of its
 * own.
 */
static struct guest *shared_guest(const struct pages *all, const char *id,
                                  const struct watch *watch)
{
    for (size_t i = 0; i < all->n; i++)
        for (size_t k = 0; k < all->pages[i]->nwatches; k++) {
            struct guest *guest = all->pages[i]->watches[k].guest;
            if (!strcmp(guest_id(guest), id) && serves(all, guest, watch))
                return guest;
        }
    return NULL;
}

/* What all pages wish of it together. False: nobody watches it. */
static bool wish(const struct pages *all, struct guest *guest)
{
    struct ask asks[WEB_VIEWS] = {0};
    uint64_t views = 0, sets = 0;
    bool watched = false, console = false;

    for (size_t i = 0; i < all->n; i++)
        for (size_t k = 0; k < all->pages[i]->nwatches; k++) {
            const struct watch *w = &all->pages[i]->watches[k];
            if (w->guest != guest)
                continue;
            watched = true;
            for (size_t v = 0; v < WEB_VIEWS; v++)
                if (w->views & BIT(v))
                    asks[v] = web_view_ask(&web_views[v], &w->args);
            views |= w->views;
            sets |= w->sets;
            console = console || w->seat.on;
        }
    if (watched)
        guest_wish(guest, views, asks, sets, console);
    return watched;
}

static struct watch *find_watch(struct page *p, const char *id)
{
    for (size_t i = 0; i < p->nwatches; i++)
        if (!strcmp(guest_id(p->watches[i].guest), id))
            return &p->watches[i];
    return NULL;
}

/* A guest for that watch: one that others have, or a new one. NULL: there is none. */
static struct guest *get_guest(struct pages *all, const char *id, const struct watch *watch)
{
    struct guest *guest = NULL;
    bool recording;

    if (!roster_has(all->roster, id, &recording))
        return NULL;
    if (!recording && (guest = shared_guest(all, id, watch)))
        return guest;
    struct guest_options o = {.id = id,
                              .recording = recording,
                              .open = all->o.open,
                              .stores = all->stores,
                              .wake = all->o.wake};
    /* no memory, no thread: it is as if it were not there */
    oscope_error_free(guest_open(&o, &guest));
    return guest;
}

/* The page's watch of that guest, a new one if need be. NULL: there is no such guest. */
static struct watch *get_watch(struct page *p, const char *id)
{
    struct watch *w = find_watch(p, id), fresh = {0};

    if (w || p->nwatches == WATCHES_MAX || !(fresh.guest = get_guest(p->all, id, &fresh)))
        return w;
    w = &p->watches[p->nwatches++];
    *w = fresh;
    return w;
}

static void close_guest(void *guest)
{
    guest_close(guest);
}

/* A watch of that guest has changed, or ended: what the others wish of it; it goes with the last.
 */
static void settle(const struct pages *all, struct guest *guest)
{
    if (!wish(all, guest))
        closing_begin(all->closing, close_guest, guest);
}

/* The page watches other views, or with other arguments: what it has of those is of no use. If
 * others' wishes are not to be had with its own, it gets another guest. */
static void change_watch(struct page *p, struct watch *w, const struct message *m)
{
    struct guest *old = w->guest, *other;

    for (size_t i = 0; i < WEB_VIEWS; i++) {
        struct ask before = web_view_ask(&web_views[i], &w->args);
        struct ask now = web_view_ask(&web_views[i], &m->args);
        if (ask_equal(&before, &now))
            continue;
        frame_drop(w->sent[i]);
        w->sent[i] = NULL;
    }
    w->views = m->views;
    w->args = m->args;
    w->as = m->as;
    if (serves(p->all, old, w) || !(other = get_guest(p->all, guest_id(old), w)))
        return;
    struct tty_seat seat = {.on = w->seat.on, .dirty = w->seat.types}; /* typing ends: it is told */
    if (guest_tty(old))
        tty_leave(guest_tty(old), &w->seat);
    for (size_t i = 0; i < WEB_VIEWS; i++) { /* the old one's, which may be closed now */
        frame_drop(w->sent[i]);
        w->sent[i] = NULL;
    }
    timeline_free(w->timeline); /* another store */
    w->timeline = NULL;
    w->guest = other;
    w->seat = seat;
    settle(p->all, old);
}

static void drop_watch(struct page *p, size_t i)
{
    struct watch *w = &p->watches[i];
    struct guest *guest = w->guest;

    if (guest_tty(guest))
        tty_leave(guest_tty(guest), &w->seat);
    for (size_t k = 0; k < WEB_VIEWS; k++)
        frame_drop(w->sent[k]);
    free(w->status);
    free(w->record);
    timeline_free(w->timeline);
    *w = p->watches[--p->nwatches];
    settle(p->all, guest);
}

/* ---- pages ---- */

struct page *page_open(struct pages *all)
{
    struct page *p = all->n < PAGES_MAX ? calloc(1, sizeof *p) : NULL;

    if (!p)
        return NULL;
    p->all = all;
    all->pages[all->n++] = p;
    roster_watch(all->roster, true);
    return p;
}

void page_close(struct page *p)
{
    struct pages *all = p->all;
    size_t i = 0;

    while (p->nwatches)
        drop_watch(p, p->nwatches - 1);
    while (all->pages[i] != p)
        i++;
    all->pages[i] = all->pages[--all->n];
    roster_watch(all->roster, all->n != 0);
    free(p);
}

static void switch_console(struct watch *w, bool on)
{
    if (!on && guest_tty(w->guest))
        tty_leave(guest_tty(w->guest), &w->seat);
    w->seat.on = on;
}

static const char *parse(const struct pages *all, const char *text, size_t n, struct message *m)
{
    const char *wrong = message_parse(text, n, m);
    uint64_t tells = message_set("uart") | message_set("mmio"); /* each access to its registers */

    if (wrong || !all->o.no_console)
        return wrong;
    if (m->op == MESSAGE_RECORD && m->sets && !(m->sets & ~tells))
        return "consoles are switched off";
    m->views = web_views_without_console(m->views);
    m->sets &= ~tells;
    return m->op == MESSAGE_CONSOLE || m->op == MESSAGE_TYPE || m->op == MESSAGE_KEYS_TYPED
               ? "consoles are switched off"
               : NULL;
}

static void watch_timeline(struct watch *w)
{
    if (!(w->views & BIT(WEB_TIMELINE))) {
        timeline_free(w->timeline);
        w->timeline = NULL;
    } else if (!w->timeline) {
        struct collect *c = guest_collect(w->guest);
        w->timeline =
            timeline_new(collect_tracks(c), collect_queries(c)); /* no memory: it stays empty */
    }
}

const char *page_hear(struct page *p, const char *text, size_t n)
{
    struct message m;
    const char *wrong = parse(p->all, text, n, &m);

    if (wrong)
        return wrong;
    bool leaves = m.op == MESSAGE_WATCH && !m.views;
    bool knows = leaves || m.op > MESSAGE_SEEK; /* the timeline is asked of those it watches */
    struct watch *w = knows ? find_watch(p, m.guest) : get_watch(p, m.guest);
    if (!w) /* it has gone since the page was told of it */
        return NULL;
    if (leaves) {
        drop_watch(p, (size_t)(w - p->watches));
        return NULL;
    }
    switch (m.op) {
    case MESSAGE_WATCH:
        change_watch(p, w, &m);
        watch_timeline(w);
        break;
    case MESSAGE_SETS: w->sets = m.sets; break;
    case MESSAGE_SEEK: guest_seek(w->guest, m.time); return NULL;
    case MESSAGE_RECORD:
        if (m.sets)
            records_start(p->all->records, m.guest, m.sets);
        else
            records_stop(p->all->records, m.guest);
        return NULL;
    case MESSAGE_CONSOLE: switch_console(w, m.on); break;
    case MESSAGE_TYPE: guest_type(w->guest, &w->seat, m.on); return NULL;
    case MESSAGE_KEYS_TYPED:
        if (guest_tty(w->guest))
            tty_keys(guest_tty(w->guest), &w->seat, m.keys, m.nkeys);
        return NULL;
    default: /* of the timeline */
        if (w->timeline)
            timeline_hear(w->timeline, &m);
        return NULL;
    }
    wish(p->all, w->guest);
    return NULL;
}

bool pages_recording(struct pages *all, const char *id)
{
    bool recording;

    return roster_has(all->roster, id, &recording) && recording;
}

static bool timeline_is_due(const struct watch *w, uint64_t now)
{
    struct collect *c = guest_collect(w->guest);
    struct collect_reading r;

    collect_reading(c, &r);
    return timeline_due(w->timeline, &r, now);
}

bool pages_poll(struct pages *all)
{
    uint64_t now = clock_ns();
    bool other = records_poll(all->records);

    for (size_t i = 0; i < all->n; i++) {
        struct page *p = all->pages[i];
        other = other || p->roster != roster_write(all->roster, NULL);
        for (size_t k = 0; k < p->nwatches; k++) {
            const struct watch *w = &p->watches[k];
            other = guest_poll(w->guest, now) || other;
            other = other || (w->timeline && timeline_is_due(w, now));
        }
    }
    return other;
}

/* ---- what it is told ---- */

static bool next_status(struct watch *w, struct out *o)
{
    const char *now = guest_status(w->guest);

    if (!*now || (w->status && !strcmp(w->status, now)))
        return false;
    free(w->status);
    w->status = strdup(now);
    out_str(o, now);
    return true;
}

static bool next_record(const struct pages *all, struct watch *w, struct out *o)
{
    struct out now;

    out_init(&now, -1);
    bool other = records_write(all->records, guest_id(w->guest), &now);
    out_char(&now, '\0');
    if (!other || now.error || (w->record && !strcmp(w->record, now.buf))) {
        out_free(&now);
        return false;
    }
    out_str(o, now.buf);
    free(w->record);
    w->record = now.buf;
    return true;
}

static bool next_console(struct watch *w, struct out *o)
{
    struct tty *tty = guest_tty(w->guest);

    return tty && tty_next(tty, &w->seat, guest_id(w->guest), o);
}

static bool next_frame(struct watch *w, size_t i, struct out *o)
{
    struct frame *now = w->views & BIT(i) ? guest_frame(w->guest, i) : NULL, *sent = w->sent[i];
    struct frame_head head = {guest_id(w->guest), &web_views[i], w->as};

    if (now == sent)
        return false;
    if (now)
        frame_write(o, &head, sent, now, clock_ns());
    else
        frame_write_none(o, &head);
    w->sent[i] = now ? frame_share(now) : NULL;
    frame_drop(sent);
    return true;
}

static enum page_message next_timeline(struct page *p, struct out *o)
{
    enum page_message what = PAGE_NONE;

    for (size_t i = 0; i < p->nwatches && !what; i++) {
        const struct watch *w = &p->watches[i];
        struct collect *c = guest_collect(w->guest);
        struct collect_reading r;
        if (!w->timeline)
            continue;
        collect_reading(c, &r);
        what = timeline_next(w->timeline, guest_id(w->guest), &r, clock_ns(), o);
    }
    return what;
}

enum page_message page_next(struct page *p, struct out *o)
{
    unsigned version;

    if (!p->greeted) {
        hello_write(o, !p->all->o.no_console);
        p->greeted = true;
        return PAGE_TEXT;
    }
    if ((version = roster_write(p->all->roster, NULL)) != p->roster) {
        p->roster = roster_write(p->all->roster, o);
        return PAGE_TEXT;
    }
    for (size_t i = 0; i < p->nwatches; i++)
        if (next_status(&p->watches[i], o))
            return PAGE_TEXT;
    for (size_t i = 0; i < p->nwatches; i++)
        if (next_record(p->all, &p->watches[i], o) || next_console(&p->watches[i], o))
            return PAGE_TEXT;
    enum page_message what = next_timeline(p, o);
    if (what)
        return what;
    for (size_t i = 0; i < p->nwatches * WEB_VIEWS; i++) {
        size_t at = p->turn++ % (p->nwatches * WEB_VIEWS);
        if (next_frame(&p->watches[at / WEB_VIEWS], at % WEB_VIEWS, o))
            return PAGE_TEXT;
    }
    return PAGE_NONE;
}
