/* SPDX-License-Identifier: MIT */
/* See guest.h. */
#include "web/guest.h"

#include "base/error.h"
#include "base/util.h"
#include "collect/lastcalls.h"
#include "draw/text.h"

#include <inttypes.h>

/* A page changes at multiples of it on the host's clock, live: figures are to be read, and each
 * change costs the browser a picture, however little of it is another. */
#define FRAME_NS UINT64_C(500000000)
#define CALLS_NS UINT64_C(1000000000) /* of single calls, which are many */

struct guest {
    char *id;
    bool recording;
    struct oscope_open_options open;
    struct collect *collect;
    struct tty *tty;         /* once somebody has looked at it */
    struct lastcalls *calls; /* likewise */
    int wake;
    uint64_t views, sets;
    struct ask asks[WEB_VIEWS]; /* of the views */
    bool calls_on;              /* they are read */
    uint64_t calls_version;     /* that their frame shows */
    struct frame *frames[WEB_VIEWS];
    const char *narrow; /* report, of one task: or NULL */
    int32_t narrow_tid;
    uint64_t made; /* frames so far */
    struct out status;
    uint64_t status_time;
};

struct oscope_error *guest_open(const struct guest_options *o, struct guest **out)
{
    struct guest *f = calloc(1, sizeof *f);

    *out = NULL;
    if (!f || !(f->id = strdup(o->id))) {
        free(f);
        return error_nomem();
    }
    f->recording = o->recording;
    f->open = *o->open;
    f->wake = o->wake;
    f->open.session = o->recording ? NULL : f->id;
    out_init(&f->status, -1);
    struct oscope_error *err =
        collect_open(&(struct collect_options){.open = &f->open,
                                               .dir = o->recording ? f->id : NULL,
                                               .wake = o->wake,
                                               .stores = o->stores,
                                               .pause = FRAME_NS},
                     &f->collect);
    if (err)
        guest_close(f);
    else
        *out = f;
    return err;
}

void guest_close(struct guest *f)
{
    if (!f)
        return;
    tty_close(f->tty);
    lastcalls_close(f->calls);
    collect_close(f->collect);
    for (size_t i = 0; i < WEB_VIEWS; i++)
        frame_drop(f->frames[i]);
    out_free(&f->status);
    free(f->id);
    free(f);
}

const char *guest_id(const struct guest *f)
{
    return f->id;
}

/* ---- wishes ---- */

/* The report of one task that is wished for; NULL: none. */
static void wish_narrow(struct guest *f, const struct ask *ask)
{
    const char *report = NULL;

    for (size_t i = 0; ask && i < WEB_VIEWS; i++)
        if (web_views[i].report && !strcmp(web_views[i].report, ask->line))
            report = web_views[i].report; /* static text */
    int32_t tid = report ? ask->pid : 0;
    if (report == f->narrow && tid == f->narrow_tid)
        return;
    f->narrow = report;
    f->narrow_tid = tid;
    collect_narrow(f->collect, report, tid);
}

static void wish_views(struct guest *f)
{
    struct ask asks[ASKS_MAX];
    const struct ask *narrow = NULL;
    uint64_t reports = 0;
    size_t n = 0;

    for (size_t i = 0; i < WEB_VIEWS; i++) {
        if (!(f->views & BIT(i)))
            continue;
        if (web_views[i].timeline || web_views[i].calls)
            continue;
        if (web_view_narrowed(&web_views[i]))
            narrow = &f->asks[i];
        else if (web_views[i].report)
            reports |= BIT(f->asks[i].slot - SLOT_REPORTS);
        else if (n < ASKS_MAX)
            asks[n++] = f->asks[i];
    }
    collect_ask(f->collect, asks, n);
    collect_reports(f->collect, reports);
    wish_narrow(f, narrow);
    collect_timeline(f->collect, f->views & BIT(WEB_TIMELINE));
}

static size_t set_names(uint64_t sets, const char *out[SETS_MAX])
{
    const char *known[SETS_MAX];
    size_t n = 0, all = collect_known_sets(known);

    for (size_t i = 0; i < all; i++)
        if (sets & BIT(i))
            out[n++] = known[i];
    return n;
}

/* Live events are listened to while their set is on: looking alone switches nothing on. */
static bool has_set(const struct guest *f, const char *set)
{
    const char *names[SETS_MAX];
    bool has = f->recording;

    for (size_t i = set_names(f->sets, names); i--;)
        has = has || !strcmp(names[i], set);
    return has;
}

static void wish_calls(struct guest *f)
{
    const struct ask *ask = NULL;

    for (size_t i = 0; i < WEB_VIEWS; i++)
        if (web_views[i].calls && f->views & BIT(i))
            ask = &f->asks[i];
    if (ask && !f->calls)
        oscope_error_free(
            lastcalls_open(&f->open, f->recording ? f->id : NULL, f->wake, &f->calls));
    f->calls_on = ask && has_set(f, "syscalls");
    if (f->calls)
        lastcalls_want(f->calls, f->calls_on, ask ? ask->pid : 0);
}

static void wish_console(struct guest *f, bool on)
{
    if (on && !f->tty)
        oscope_error_free(tty_open(&f->open, f->recording ? f->id : NULL, f->wake, &f->tty));
    if (f->tty)
        tty_want(f->tty, on && has_set(f, "uart"));
}

/* What there is of a view is of what it is to be of. */
static bool same_asks(const struct guest *f, uint64_t views, const struct ask *asks)
{
    for (size_t i = 0; i < WEB_VIEWS; i++)
        if (views & BIT(i) && !ask_equal(&f->asks[i], &asks[i]))
            return false;
    return true;
}

void guest_wish(struct guest *f, uint64_t views, const struct ask asks[WEB_VIEWS], uint64_t sets,
                bool console)
{
    const char *names[SETS_MAX];

    if (views != f->views || !same_asks(f, views, asks)) {
        for (size_t i = 0; i < WEB_VIEWS; i++)
            if (!(views & BIT(i)) || !ask_equal(&f->asks[i], &asks[i])) {
                frame_drop(f->frames[i]);
                f->frames[i] = NULL;
            }
        memcpy(f->asks, asks, sizeof f->asks);
        f->views = views;
        wish_views(f);
    }
    if (sets != f->sets) {
        f->sets = sets;
        collect_sets(f->collect, names, set_names(sets, names));
    }
    wish_console(f, console);
    wish_calls(f);
    f->status_time = 0;
}

void guest_seek(struct guest *f, uint64_t time)
{
    if (f->recording)
        collect_seek(f->collect, time);
    f->status_time = 0;
}

struct tty *guest_tty(const struct guest *f)
{
    return f->tty;
}

void guest_type(struct guest *f, struct tty_seat *seat, bool on)
{
    struct shot *shot = collect_take(f->collect, SLOT_SERIAL);
    const struct oscope_table *ports = shot && shot->view ? &shot->view->tables[0] : NULL;

    if (ports && (!shot->view->ntables || ports->row_size != sizeof(struct oscope_serial_port)))
        ports = NULL;
    if (f->tty)
        tty_type(f->tty, seat, on, ports);
    shot_drop(f->collect, shot);
}

/* ---- what is new ---- */

static void put_list(struct out *o, const char *name, const char *const *texts, size_t n)
{
    out_printf(o, ",\"%s\":[", name);
    for (size_t i = 0; i < n; i++) {
        out_str(o, i ? "," : "");
        text_json(o, texts[i], strlen(texts[i]));
    }
    out_char(o, ']');
}

static void put_refused(struct out *o, const struct collect_status *st)
{
    out_str(o, ",\"refused\":[");
    for (size_t i = 0; i < st->nrefused; i++) {
        out_printf(o, "%s{\"set\":\"%s\",\"why\":", i ? "," : "", st->refused[i].set);
        text_json(o, st->refused[i].why, strlen(st->refused[i].why));
        out_char(o, '}');
    }
    out_char(o, ']');
}

static void put_status(struct out *o, const struct guest *f, const struct collect_status *st)
{
    const char *sets[SETS_MAX], *notes[ARRAY_SIZE(st->notes)];

    for (size_t i = 0; i < st->nnotes; i++)
        notes[i] = st->notes[i];
    out_str(o, "{\"op\":\"status\",\"guest\":");
    text_json(o, f->id, strlen(f->id));
    put_list(o, "sets", sets, set_names(f->sets, sets));
    out_printf(o, ",\"lost_events\":%" PRIu64 ",\"lost_packets\":%" PRIu64 ",\"behind\":%" PRIu64,
               st->lost_events, st->lost_packets, st->behind / 1000000);
    out_printf(o, ",\"busy\":%s,\"ended\":%s,\"error\":", st->busy ? "true" : "false",
               st->ended ? "true" : "false");
    text_json(o, st->error, strlen(st->error));
    put_list(o, "notes", notes, st->nnotes);
    put_refused(o, st);
    if (f->recording)
        out_printf(o, ",\"span\":[%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]}", st->span_from,
                   st->span_to, st->at);
    else
        out_str(o, ",\"span\":null}");
    out_char(o, '\0');
}

static bool poll_status(struct guest *f, uint64_t clock)
{
    struct collect_status st;
    struct out now;

    if (clock / FRAME_NS == f->status_time / FRAME_NS)
        return false;
    collect_status(f->collect, &st);
    if (f->tty && f->recording && st.span_to) /* all that was sent up to the moment that is shown */
        tty_span(f->tty, st.span_from, st.at + 1);
    if (f->calls && f->recording && st.span_to) /* as the reports beside them */
        lastcalls_span(f->calls, MAX(st.at - MIN(st.at, COLLECT_WINDOW_NS), st.span_from),
                       st.at + 1);
    out_init(&now, -1);
    put_status(&now, f, &st);
    if (now.error || (f->status.buf && !strcmp(now.buf, f->status.buf))) {
        out_free(&now);
        return false;
    }
    f->status_time = clock;
    out_free(&f->status);
    f->status = now;
    return true;
}

/* In place of what was there before. */
static bool replace(struct guest *f, size_t view, struct frame *frame)
{
    bool other = frame || f->frames[view];

    frame_drop(f->frames[view]);
    f->frames[view] = frame;
    return other;
}

static bool poll_calls(struct guest *f, size_t i, uint64_t clock)
{
    struct frame *old = f->frames[i];
    struct shot shot = {.time = clock, .ask = f->asks[i]};
    uint64_t version = f->calls ? lastcalls_version(f->calls) : 0;
    uint64_t turn = f->recording ? FRAME_NS : CALLS_NS;

    if (!f->calls || !f->calls_on)
        return replace(f, i, NULL);
    if (old && (version == f->calls_version || clock / turn == frame_time(old) / turn))
        return false;
    shot.error = lastcalls_view(f->calls, &shot.view);
    struct frame *made =
        shot.view || shot.error ? frame_make(&web_views[i], &shot, ++f->made) : NULL;
    f->calls_version = version;
    oscope_view_free(shot.view);
    oscope_error_free(shot.error);
    return made && replace(f, i, made);
}

static bool poll_view(struct guest *f, size_t i, uint64_t clock)
{
    struct frame *old = f->frames[i];

    if (!(f->views & BIT(i)))
        return replace(f, i, NULL);
    if (web_views[i].calls)
        return poll_calls(f, i, clock);
    struct shot *shot = collect_take(f->collect, f->asks[i].slot);
    bool none = !shot || (!shot->view && !shot->error) || !ask_equal(&shot->ask, &f->asks[i]);
    bool other = false;
    if (none)
        other = replace(f, i, NULL);
    else if (!old || shot->time != frame_time(old)) {
        struct frame *made = frame_make(&web_views[i], shot, ++f->made);
        other = made && replace(f, i, made);
    }
    shot_drop(f->collect, shot);
    return other;
}

bool guest_poll(struct guest *f, uint64_t clock)
{
    bool other = poll_status(f, clock);

    other = (f->tty && tty_poll(f->tty)) || other;

    for (size_t i = 0; i < WEB_VIEWS; i++)
        if (!web_views[i].timeline)
            other = poll_view(f, i, clock) || other;
    return other;
}

struct frame *guest_frame(const struct guest *f, size_t view)
{
    return f->frames[view];
}

struct collect *guest_collect(const struct guest *f)
{
    return f->collect;
}

const char *guest_status(const struct guest *f)
{
    return f->status.buf ? f->status.buf : "";
}
