/* SPDX-License-Identifier: MIT */
/*
 * Several reports from one source of events, over a window that moves: see <oscope/monitor.h>.
 *
 * Live, each report is a window (window.h). Of a recording it is one fold that reads the stretch of
 * time anew at each seek.
 */
#include "analysis/monitor.h"

#include "analysis/window.h"
#include "base/clock.h"
#include "session/events.h"

#include <stdio.h>
#include <time.h>

enum {
    BINS = 50, /* of counts over time in a window; two windows must fit */
    WAIT_MS = 50,
};
#define WINDOW_NS (5 * UINT64_C(1000000000))
#define REST_NS   UINT64_C(1000000000) /* memory is given back to the host so often */

/* A report, by its place in fold_table. */
struct kept {
    const struct fold_ops *ops;
    bool wanted;
    struct window w; /* closed: it is not kept; of a recording it does not move */
    uint64_t read;   /* recordings, `whole`: it has all events up to here */
};

struct oscope_monitor {
    struct oscope_session *session; /* NULL: a recording */
    struct source source;
    bool open; /* the source is */
    uint64_t window, slices, rows;
    struct kept *kept; /* by fold_table; and one more, while there is a narrow one */
    size_t nkept, nreports;
    char *task;              /* that the narrow one is of; NULL: there is none */
    VEC(struct fold *) fed;  /* all folds there are */
    uint64_t mark;           /* at the first event from then on some fold begins or ends */
    struct trace_stats past; /* of sources before this one */
    bool nomem;
    VEC(char *) own; /* notes about sets that can't be had */
    VEC(const char *) notes;
    uint64_t refreshed; /* ns; when tasks were asked for */
    uint64_t rested;    /* ns; when memory was given back to the host */
    const struct monitor_tap *tap;
};

/* ---- losses ---- */

static struct trace_stats stats_now(const struct oscope_monitor *m)
{
    if (!m->open)
        return m->past;
    struct trace_stats st = source_stats(&m->source);
    return window_stats_add(st, &m->past);
}

/* ---- which folds there are ---- */

/* After each change of them. */
static struct oscope_error *list_folds(struct oscope_monitor *m)
{
    m->fed.len = 0;
    m->mark = UINT64_MAX;
    for (size_t i = 0; i < m->nkept; i++) {
        const struct kept *k = &m->kept[i];
        if (k->w.fold && !vec_push(&m->fed, k->w.fold))
            return error_nomem();
        if (k->w.next && !vec_push(&m->fed, k->w.next))
            return error_nomem();
        m->mark = MIN(m->mark, window_mark(&k->w));
    }
    return NULL;
}

static void drop(struct kept *k)
{
    window_close(&k->w);
    k->read = 0;
}

static struct oscope_error *make_fold(struct oscope_monitor *m, const struct kept *k,
                                      const struct fold_options *interval, struct fold **out)
{
    struct fold_options o = *interval;

    o.slices = (size_t)MIN(k->ops->chart ? m->slices : m->rows, (uint64_t)SOURCE_SLICES_MAX);
    o.fixed = true;
    o.bin = MAX(m->window / BINS, (uint64_t)1);
    o.task = k == &m->kept[m->nreports] ? m->task : NULL;
    return source_fold(&m->source, k->ops, &o, out);
}

/* Names for a fold that begins without any. */
static void refresh(struct oscope_monitor *m)
{
    uint64_t now = clock_ns();

    if (now - m->refreshed < MIN(m->window, WINDOW_NS))
        return;
    m->refreshed = now;
    source_refresh_tasks(&m->source);
}

struct making {
    struct oscope_monitor *m;
    const struct kept *k;
};

/* Live: one that counts from then on. */
static struct oscope_error *make_live(void *arg, uint64_t from, struct fold **out)
{
    struct making *x = arg;
    struct fold_options o = {.from = from, .to = UINT64_MAX, .cpu = -1};

    refresh(x->m);
    return make_fold(x->m, x->k, &o, out);
}

static bool ready(const struct oscope_monitor *m, const struct kept *k)
{
    size_t n = 0, on = 0;

    if (!m->open)
        return false;
    for (; k->ops->sets[n]; n++)
        on += source_has_set(&m->source, k->ops->sets[n]);
    return k->ops->any || (m->session ? on == n : on > 0);
}

/* Live: folds of reports that are wanted and can be had, of no others. */
static struct oscope_error *keep(struct oscope_monitor *m)
{
    for (size_t i = 0; i < m->nkept; i++) {
        struct kept *k = &m->kept[i];
        bool is_kept = k->wanted && ready(m, k);
        if (!is_kept)
            drop(k);
        if (!is_kept || k->w.fold || !m->session)
            continue;
        struct making x = {m, k};
        struct trace_stats st = stats_now(m);
        bool moves = !k->ops->whole && m->window != OSCOPE_MONITOR_ALL;
        TRY(window_open(&k->w, m->window, MAX(m->source.start, m->source.end), moves, &st,
                        make_live, &x));
    }
    return list_folds(m);
}

/* All events before `time` are given, none of it or later. */
static struct oscope_error *turn(struct oscope_monitor *m, uint64_t time)
{
    struct trace_stats st = stats_now(m);

    for (size_t i = 0; i < m->nkept; i++) {
        struct kept *k = &m->kept[i];
        struct making x = {m, k};
        if (k->w.fold)
            TRY(window_turn(&k->w, time, &st, make_live, &x));
    }
    return list_folds(m);
}

static void move_on(struct oscope_monitor *m, uint64_t time)
{
    struct oscope_error *err = turn(m, time);

    m->nomem = m->nomem || err;
    oscope_error_free(err);
}

static void take(void *arg, const struct trace_event *ev)
{
    struct oscope_monitor *m = arg;

    if (m->tap)
        m->tap->take(m->tap->arg, ev);
    if (unlikely(ev->time >= m->mark))
        move_on(m, ev->time);
    for (size_t i = 0; i < m->fed.len; i++)
        fold_event(m->fed.data[i], ev);
}

/* ---- notes ---- */

static void free_notes(struct oscope_monitor *m)
{
    for (size_t i = 0; i < m->own.len; i++)
        free(m->own.data[i]);
    m->own.len = 0;
}

static void note(struct oscope_monitor *m, const char *set, const struct oscope_error *err)
{
    char *text = NULL;

    if (asprintf(&text, SESSION_REFUSED "%s", set, err->message) < 0)
        return;
    if (!vec_push(&m->own, text))
        free(text);
}

size_t oscope_monitor_notes(const struct oscope_monitor *m, const char *const **notes)
{
    struct oscope_monitor *own = (struct oscope_monitor *)(uintptr_t)m; /* the list is a cache */
    const char *const *said = NULL;
    size_t n = m->open ? source_notes(&m->source, &said) : 0;

    own->notes.len = 0;
    for (size_t i = 0; i < m->own.len + n; i++)
        if (!vec_push(&own->notes, i < m->own.len ? m->own.data[i] : said[i - m->own.len]))
            break;
    *notes = m->notes.data;
    return m->notes.len;
}

const char *oscope_monitor_why_not(const struct oscope_monitor *m, const char *set)
{
    const char *const *notes;
    char begin[64];
    size_t n = oscope_monitor_notes(m, &notes);

    snprintf(begin, sizeof begin, SESSION_REFUSED, set);
    for (size_t i = 0; i < n && !oscope_monitor_has_set(m, set); i++)
        if (!strncmp(notes[i], begin, strlen(begin)))
            return notes[i];
    return NULL;
}

/* ---- sets ---- */

/* Is it not the whole that went wrong, but some set? */
static bool of_a_set(const struct oscope_error *err)
{
    return err->code == OSCOPE_E_UNSUPPORTED || err->code == OSCOPE_E_NOT_FOUND;
}

/* The sets that can be had; the error of the last one if none can. */
static struct oscope_error *open_some(struct oscope_monitor *m, const char *const *sets, size_t n,
                                      struct source *src)
{
    AUTO_FREE const char **had = calloc(MAX(n, (size_t)1), sizeof *had);
    struct oscope_error *last = NULL;
    size_t nhad = 0;

    if (!had)
        return error_nomem();
    for (size_t i = 0; i < n; i++) {
        struct oscope_error *err = source_open_live(src, m->session, &sets[i], 1, true);
        source_close(src);
        if (!err) {
            had[nhad++] = sets[i];
            continue;
        }
        note(m, sets[i], err);
        oscope_error_free(last);
        last = err;
        if (!of_a_set(err))
            return last;
    }
    if (!nhad)
        return last;
    oscope_error_free(last);
    return source_open_live(src, m->session, had, nhad, true);
}

static struct oscope_error *open_sets(struct oscope_monitor *m, const char *const *sets, size_t n,
                                      struct source *src)
{
    struct oscope_error *err = source_open_live(src, m->session, sets, n, true);

    if (!err || n < 2 || !of_a_set(err))
        return err;
    oscope_error_free(err);
    source_close(src);
    return open_some(m, sets, n, src);
}

/* Reads what the source before has up to where the new one begins, and goes over to that. */
static void exchange(struct oscope_monitor *m, const struct source *new)
{
    struct source_sink sink = {.take = take, .arg = m};
    uint64_t until = new ? new->start : clock_ns();

    if (m->open) {
        oscope_error_free(source_read(&m->source, until, &sink)); /* its sets go off anyway */
        m->past = stats_now(m);
        m->open = false;
        for (size_t i = 0; i < m->fed.len; i++)
            fold_gap(m->fed.data[i], MAX(m->source.end, until));
        if (m->tap)
            m->tap->end(m->tap->arg, MAX(m->source.end, until));
        source_close(&m->source);
    }
    if (new)
        m->source = *new;
    m->open = new != NULL;
    if (m->tap && m->open)
        m->tap->begin(m->tap->arg, &m->source);
}

struct oscope_error *oscope_monitor_sets(struct oscope_monitor *m, const char *const *sets,
                                         size_t n)
{
    struct source new = {0};

    if (!m->session)
        return error_new(OSCOPE_E_USAGE, "the sets of a recording are as they were");
    free_notes(m);
    struct oscope_error *err = n ? open_sets(m, sets, n, &new) : NULL;
    if (err) {
        source_close(&new);
        return err;
    }
    exchange(m, n ? &new : NULL);
    return keep(m);
}

bool oscope_monitor_has_set(const struct oscope_monitor *m, const char *set)
{
    return m->open && source_has_set(&m->source, set);
}

/* ---- reports ---- */

const char *const *oscope_monitor_needs(const char *report)
{
    static const char *const none[] = {NULL};
    const struct fold_ops *ops = fold_find(report);

    return !ops ? NULL : ops->any ? none : ops->sets;
}

static struct kept *find(struct oscope_monitor *m, const char *report)
{
    for (size_t i = 0; i < m->nreports; i++)
        if (!strcmp(m->kept[i].ops->name, report))
            return &m->kept[i];
    return NULL;
}

struct oscope_error *oscope_monitor_want(struct oscope_monitor *m, const char *const *reports,
                                         size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!find(m, reports[i]))
            return fold_unknown(reports[i]);
    for (size_t i = 0; i < m->nreports; i++)
        m->kept[i].wanted = false;
    for (size_t i = 0; i < n; i++)
        find(m, reports[i])->wanted = true;
    return keep(m);
}

static struct oscope_error *view_of(struct oscope_monitor *m, const struct kept *k,
                                    struct oscope_view **out)
{
    if (!k->w.fold)
        return NULL;
    struct trace_stats st = window_stats_since(stats_now(m), &k->w.at);
    source_tell(&m->source, k->w.fold);
    return fold_view(k->w.fold, m->source.end, &st, out);
}

struct oscope_error *oscope_monitor_view(struct oscope_monitor *m, const char *report,
                                         struct oscope_view **out)
{
    const struct kept *k = find(m, report);

    *out = NULL;
    return k ? view_of(m, k, out) : fold_unknown(report);
}

struct oscope_error *oscope_monitor_narrow(struct oscope_monitor *m, const char *report,
                                           const char *task)
{
    const struct kept *of = report ? find(m, report) : NULL;
    struct kept *k = &m->kept[m->nreports];
    char *copy = NULL;

    if (report && !of)
        return fold_unknown(report);
    if (report && !(copy = strdup(task)))
        return error_nomem();
    drop(k);
    free(m->task);
    m->task = copy;
    *k = (struct kept){.ops = of ? of->ops : NULL, .wanted = of != NULL};
    m->nkept = m->nreports + (of != NULL);
    return keep(m);
}

struct oscope_error *oscope_monitor_narrow_view(struct oscope_monitor *m, struct oscope_view **out)
{
    *out = NULL;
    return m->task ? view_of(m, &m->kept[m->nreports], out) : NULL;
}

/* ---- who else wants the events ---- */

void monitor_tap(struct oscope_monitor *m, const struct monitor_tap *tap)
{
    m->tap = m->session ? tap : NULL;
    if (m->tap && m->open)
        m->tap->begin(m->tap->arg, &m->source);
}

uint64_t monitor_settled(const struct oscope_monitor *m)
{
    return m->session && m->open ? m->source.end : 0;
}

uint64_t monitor_started(const struct oscope_monitor *m)
{
    return m->session && m->open ? session_events_started(m->source.live) : 0;
}

/* ---- reading ---- */

/* Nothing is on. */
static void wait(uint64_t ns, bool (*stop)(void *arg), void *arg)
{
    uint64_t end = clock_ns() + ns, now;

    while ((now = clock_ns()) < end && !(stop && stop(arg))) {
        uint64_t some = MIN(end - now, WAIT_MS * UINT64_C(1000000));
        nanosleep(&(struct timespec){0, (long)some}, NULL);
    }
}

static bool counted(const struct oscope_monitor *m)
{
    for (size_t i = 0; i < m->nkept; i++)
        if (m->kept[i].w.fold && m->kept[i].ops->counted)
            return true;
    return false;
}

struct oscope_error *oscope_monitor_read(struct oscope_monitor *m, uint64_t ns,
                                         bool (*stop)(void *arg), void *arg)
{
    struct source_sink sink = {.take = take, .arg = m, .stop = stop, .stop_arg = arg};

    if (!m->session)
        return error_new(OSCOPE_E_USAGE, "a recording has a time to seek, not one that goes on");
    if (!m->open) {
        wait(ns, stop, arg);
        return NULL;
    }
    /* Who took longer over the last view has more to catch up with. */
    uint64_t end = MAX(m->source.end + ns, clock_ns());
    TRY(source_read(&m->source, end, &sink));
    if (counted(m))
        source_read_last(&m->source, &sink);
    if (m->source.end >= m->mark)
        move_on(m, m->source.end);
    if (m->source.end - m->rested >= REST_NS) {
        source_rest(&m->source);
        m->rested = m->source.end;
    }
    if (m->nomem)
        return error_nomem();
    return m->source.ended ? error_new(OSCOPE_E_GONE, "the guest has ended") : NULL;
}

/* ---- recordings ---- */

void oscope_monitor_span(const struct oscope_monitor *m, uint64_t *from, uint64_t *to)
{
    struct oscope_monitor *own = (struct oscope_monitor *)(uintptr_t)m; /* its reader moves */

    *from = *to = 0;
    if (m->session || m->source.start == UINT64_MAX)
        return;
    *from = m->source.start;
    *to = source_last_time(&own->source);
}

/* One that has a meaning from the recording's beginning on only: goes on, or begins again. */
static struct oscope_error *seek_whole(struct oscope_monitor *m, struct kept *k, uint64_t time,
                                       struct source_sink *sink)
{
    struct fold_options o = {.to = UINT64_MAX, .cpu = -1};

    if (k->w.fold && time < k->read)
        drop(k);
    if (k->w.fold) {
        source_go_on(&m->source, k->read + 1);
    } else {
        source_seek(&m->source, m->source.start, time, &o);
        k->w.at = stats_now(m);
        TRY(make_fold(m, k, &o, &k->w.fold));
    }
    k->w.fold->o.to = time;
    m->fed.len = 0;
    if (!vec_push(&m->fed, k->w.fold))
        return error_nomem();
    TRY(source_read(&m->source, time, sink));
    k->read = m->source.ended ? time : k->w.fold->now;
    return NULL;
}

struct oscope_error *oscope_monitor_seek(struct oscope_monitor *m, uint64_t time,
                                         bool (*stop)(void *arg), void *arg)
{
    struct source_sink sink = {.take = take, .arg = m, .stop = stop, .stop_arg = arg};
    struct fold_options o = {.to = UINT64_MAX, .cpu = -1};

    if (m->session)
        return error_new(OSCOPE_E_USAGE, "a running guest has no time to seek");
    uint64_t start = m->source.start;
    time = start == UINT64_MAX ? time : MAX(time, start);
    m->mark = UINT64_MAX;
    for (size_t i = 0; i < m->nkept && start != UINT64_MAX; i++)
        if (m->kept[i].wanted && m->kept[i].ops->whole && ready(m, &m->kept[i]))
            TRY(seek_whole(m, &m->kept[i], time, &sink));
    source_seek(&m->source, MAX(time - MIN(time, m->window), start), time, &o);
    m->source.end = 0;
    m->fed.len = 0;
    for (size_t i = 0; i < m->nkept; i++) {
        struct kept *k = &m->kept[i];
        if (!k->wanted || k->ops->whole || !ready(m, k))
            continue;
        drop(k);
        k->w.at = stats_now(m);
        TRY(make_fold(m, k, &o, &k->w.fold));
        if (!vec_push(&m->fed, k->w.fold))
            return error_nomem();
    }
    return source_read(&m->source, time, &sink);
}

void oscope_monitor_lost(const struct oscope_monitor *m, uint64_t *events, uint64_t *packets)
{
    struct trace_stats st = stats_now(m);

    *events = st.discarded;
    *packets = st.lost + st.damaged;
}

uint64_t oscope_monitor_behind(const struct oscope_monitor *m)
{
    uint64_t now = clock_ns();

    return m->session && m->open ? now - MIN(now, m->source.end) : 0;
}

/* ---- opening ---- */

struct oscope_error *oscope_monitor_open(struct oscope_session *s,
                                         const struct oscope_monitor_options *o,
                                         struct oscope_monitor **out)
{
    size_t n = 0;

    *out = NULL;
    if (!o->dir && !s)
        return error_new(OSCOPE_E_USAGE, "neither a recording nor a session");
    struct oscope_monitor *m = calloc(1, sizeof *m);
    if (!m)
        return error_nomem();
    *m = (struct oscope_monitor){.session = o->dir ? NULL : s,
                                 .window = o->window ? o->window : WINDOW_NS,
                                 .slices = o->slices,
                                 .rows = o->rows ? o->rows : o->slices,
                                 .mark = UINT64_MAX};
    while (fold_table[n])
        n++;
    struct oscope_error *err = (m->kept = calloc(n + 1, sizeof *m->kept)) ? NULL : error_nomem();
    for (; m->kept && m->nkept < n; m->nkept++)
        m->kept[m->nkept].ops = fold_table[m->nkept];
    m->nreports = m->nkept;
    if (!err && o->dir) {
        err = source_open_recording(&m->source, o->dir);
        m->open = true;
    }
    if (err)
        oscope_monitor_close(m);
    else
        *out = m;
    return err;
}

void oscope_monitor_close(struct oscope_monitor *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->nkept; i++)
        drop(&m->kept[i]);
    if (m->open)
        source_close(&m->source);
    free_notes(m);
    vec_free(&m->own);
    vec_free(&m->notes);
    vec_free(&m->fed);
    free(m->task);
    free(m->kept);
    free(m);
}
