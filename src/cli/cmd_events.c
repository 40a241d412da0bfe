/* SPDX-License-Identifier: MIT */
/* oscope events: what the guest does, live or of a recording, one line an event. */
#include "draw/calls.h"
#include "cli/cmd_table.h"
#include "draw/text.h"

#include <oscope/events.h>

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const struct cli_option events_options[] = {
    CLI_SESSION_OPTION,
    CLI_TRACE_OPTION,
    CLI_FROM_OPTION,
    CLI_TO_OPTION,
    {"output", 'o', "text|json", false, "text, or JSON: one object a line", "text json"},
    {"filter", 0, "EXPR", false, "only events that match, e.g. 'event=sched_switch,next_comm~sh'",
     NULL},
    {"for", 0, "SEC", false, "running guests: stop after that many seconds", NULL},
    {"count", 'n', "N", false, "stop after that many events", NULL},
    CLI_WAIT_OPTION,
    CLI_NO_CACHE_OPTION,
    {0},
};

enum { EVENTS_SETS_MAX = 16, EVENTS_WAIT_MS = 100, EVENTS_WIDE = 100 };

struct events {
    struct cli *c;
    struct oscope_session *session;
    struct oscope_events *stream;
    const char *dir; /* a recording; NULL: live */
    struct oscope_interval interval;
    struct out out;
    struct calls calls;
    bool json, utf8;
    uint64_t most, shown;
    double seconds;                     /* 0: no end */
    uint64_t lost_events, lost_packets; /* told so far */
    size_t notes;
};

/* ---- one event ---- */

static void events_field(struct events *ev, const struct oscope_field *f)
{
    struct out *o = &ev->out;

    out_str(o, f->name);
    out_char(o, '=');
    if (f->meaning && !strchr(f->meaning, ' ')) {
        out_str(o, f->meaning);
        return;
    }
    calls_value(&ev->calls, f, "");
    if (f->symbol || f->meaning) {
        out_str(o, " (");
        text_safe(o, f->symbol ? f->symbol : f->meaning, strlen(f->symbol ? f->symbol : f->meaning),
                  ev->utf8);
        out_char(o, ')');
    }
}

static void events_text(struct events *ev, const struct oscope_event *e)
{
    struct out *o = &ev->out;

    if (calls_event(&ev->calls, e))
        return;
    calls_prefix(&ev->calls, e);
    out_printf(o, "%s:", e->name);
    for (size_t i = 0; i < e->nfields; i++) {
        out_char(o, ' ');
        events_field(ev, &e->fields[i]);
    }
    out_str(o, e->partial ? " (partial)\n" : "\n");
}

static void events_json(struct events *ev, const struct oscope_event *e)
{
    struct out *o = &ev->out;

    out_printf(o, "{\"time\":%" PRIu64 ",\"cpu\":", e->time);
    if (e->cpu == OSCOPE_CPU_NONE)
        out_str(o, "null");
    else
        out_dec(o, e->cpu);
    out_printf(o, ",\"event\":\"%s\"", e->name);
    for (size_t i = 0; i < e->nfields; i++) {
        const struct oscope_field *f = &e->fields[i];
        out_printf(o, ",\"%s\":", f->name);
        if (f->kind == OSCOPE_FIELD_TEXT) {
            text_json(o, f->value.text, strlen(f->value.text));
        } else {
            const char *quote = f->kind == OSCOPE_FIELD_HEX ? "\"" : "";
            out_str(o, quote);
            calls_value(&ev->calls, f, "");
            out_str(o, quote);
            if (f->symbol) {
                out_printf(o, ",\"%s_symbol\":", f->name);
                text_json(o, f->symbol, strlen(f->symbol));
            }
        }
    }
    out_printf(o, ",\"partial\":%s}\n", e->partial ? "true" : "false");
}

/* ---- the stream ---- */

static void events_note(struct events *ev, const char *text)
{
    calls_break(&ev->calls);
    out_flush(&ev->out);
    fprintf(stderr, "note: %s\n", text);
}

/* Losses are told where they happened, between the lines. */
static void events_losses(struct events *ev)
{
    uint64_t events, packets;
    char text[160];

    oscope_events_lost(ev->stream, &events, &packets);
    if (events == ev->lost_events && packets == ev->lost_packets)
        return;
    snprintf(text, sizeof text,
             "%" PRIu64 " events found no room and %" PRIu64 " packets were lost since the last "
             "such note%s",
             events - ev->lost_events, packets - ev->lost_packets,
             ev->dir ? "" : ": the guest was faster than this command");
    ev->lost_events = events;
    ev->lost_packets = packets;
    calls_forget(&ev->calls);
    events_note(ev, text);
}

static void events_notes(struct events *ev)
{
    const char *const *notes;
    size_t n = oscope_events_notes(ev->stream, &notes);

    while (ev->notes < n)
        events_note(ev, notes[ev->notes++]);
}

static double events_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool events_stopped(const sigset_t *set)
{
    return sigtimedwait(set, NULL, &(struct timespec){0}) > 0;
}

static int events_loop(struct events *ev, const sigset_t *set)
{
    double end = events_now() + ev->seconds;
    const struct oscope_event *e;

    for (;;) {
        struct oscope_error *err = oscope_events_next(ev->stream, 0, &e);
        if (!err && !e) { /* nothing more for now: show what there is, then wait */
            out_flush(&ev->out);
            err = oscope_events_next(ev->stream, EVENTS_WAIT_MS, &e);
        }
        if (err && err->code == OSCOPE_E_GONE) {
            events_losses(ev);
            if (!ev->dir)
                events_note(ev, err->message);
            oscope_error_free(err);
            return CLI_OK;
        }
        if (err)
            return cli_error(ev->c, err);
        if (!e && ev->dir)
            return CLI_OK;
        events_losses(ev);
        events_notes(ev);
        if (e) {
            if (ev->json)
                events_json(ev, e);
            else
                events_text(ev, e);
            ev->shown++;
        }
        if (ev->out.error || (ev->most && ev->shown == ev->most) ||
            (ev->seconds > 0 && events_now() >= end) || events_stopped(set))
            return CLI_OK;
    }
}

static int events_stream(struct events *ev, const char *const *sets, size_t n)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    sigset_t set, old;

    struct oscope_error *err =
        ev->dir ? oscope_events_open_recording(ev->dir, sets, n, &ev->interval, &ev->stream)
                : oscope_events_open(ev->session, sets, n, &ev->stream);
    if (err)
        return cli_error(ev->c, err);
    events_notes(ev);
    const char *filter = cli_option(ev->c, "filter");
    ev->calls.whole = !filter;
    if (filter && (err = oscope_events_filter(ev->stream, filter))) {
        oscope_events_close(ev->stream);
        return cli_error(ev->c, err);
    }
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaddset(&set, signals[i]);
    sigprocmask(SIG_BLOCK, &set, &old);
    int status = events_loop(ev, &set);
    sigprocmask(SIG_SETMASK, &old, NULL);
    calls_finish(&ev->calls);
    oscope_events_close(ev->stream);
    out_flush(&ev->out);
    return status;
}

static int events_options_read(struct events *ev)
{
    const char *o;

    ev->dir = cli_option(ev->c, "trace");
    int status = cli_live_or_recorded(ev->c);
    if (status)
        return status;
    if (!cli_interval(ev->c, "to", &ev->interval))
        return CLI_USAGE;
    if ((o = cli_option(ev->c, "output"))) {
        ev->json = !strcmp(o, "json");
        if (!ev->json && strcmp(o, "text") != 0)
            return cli_usage(ev->c, "--output: text or json, not '%s'", o);
    }
    if ((o = cli_option(ev->c, "for")) && !text_seconds(o, &ev->seconds))
        return cli_usage(ev->c, "--for: seconds from 0.001 on, not '%s'", o);
    return cli_count(ev->c, "count", UINT64_MAX, &ev->most) ? CLI_OK : CLI_USAGE;
}

static int events_run(struct cli *c)
{
    static const char *const usual[] = {"sched"};
    struct events ev = {.c = c};
    struct term term;
    int status = events_options_read(&ev);

    if (status)
        return status;
    term_init(&term, STDOUT_FILENO, COLOR_NEVER);
    ev.utf8 = term.utf8;
    signal(SIGPIPE, SIG_IGN);
    out_init(&ev.out, STDOUT_FILENO);
    ev.calls = (struct calls){
        .out = &ev.out, .utf8 = ev.utf8, .narrow = term.width && term.width < EVENTS_WIDE};
    status = ev.dir ? CLI_OK : cli_open(c, &ev.session);
    const char *sets[EVENTS_SETS_MAX];
    size_t n = cli_words(c, sets, EVENTS_SETS_MAX);
    if (!status)
        status = events_stream(&ev, n ? sets : usual, n || ev.dir ? n : 1);
    if (ev.session)
        oscope_session_close(ev.session);
    int error = ev.out.error;
    out_free(&ev.out);
    calls_free(&ev.calls);
    if (error == EPIPE) {
        signal(SIGPIPE, SIG_DFL);
        raise(SIGPIPE);
    }
    return error ? cli_failed(c, "cannot write the output: %s", strerror(error)) : status;
}

const struct cmd_entry cmd_events = {
    .name = "events",
    .group = "The guest",
    .args = "[SET...]",
    .summary = "what the guest does, live or from a recording, one line an event",
    .options = events_options,
    .least = 0,
    .most = EVENTS_SETS_MAX,
    .run = events_run,
};
