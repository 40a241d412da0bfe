/* SPDX-License-Identifier: MIT */
/*
 * Several reports of one guest at once, from one stream of events, over a stretch of time that
 * moves along: what a screen shows that stays open. Live and from a recording alike.
 *
 * Reports are those of <oscope/report.h>, and their views the same. Live each covers the last
 * `window` to 2 * `window` ns (less, when it was asked for later than that), of a recording the
 * `window` that was sought; its table "interval" says which. Reports that make no sense from a
 * middle on (boot) cover all that was read, of a recording all from its beginning on. Counts over
 * time (tables "rates" of traps, "bins" of modes and rates) are in bins of window / 50 ns that
 * begin at multiples of that, so that they stay where they are from view to view; the first and the
 * last are cut to the interval. A monitor belongs to one thread, as its session does.
 */
#ifndef OSCOPE_MONITOR_H
#define OSCOPE_MONITOR_H

#include <oscope/error.h>
#include <oscope/session.h>
#include <oscope/view.h>

#ifdef __cplusplus
extern "C" {
#endif

struct oscope_monitor;

/* A window as long as there is time: reports count from when they began on and never anew. */
#define OSCOPE_MONITOR_ALL UINT64_MAX

struct oscope_monitor_options {
    const char *dir; /* of a recording; NULL: the session's guest, live */
    uint64_t window; /* ns; 0: 5 s; OSCOPE_MONITOR_ALL: it does not move */
    uint64_t slices; /* most slices that a report keeps which is a picture over time; 0: 65536 */
    uint64_t rows;   /* most single traps, calls, bytes, … that others keep, the last ones; 0: the
                      * same */
};

/* s may be NULL with a recording. Nothing is switched on yet. Errors: as of oscope_report_open().
 */
struct oscope_error *oscope_monitor_open(struct oscope_session *s,
                                         const struct oscope_monitor_options *o,
                                         struct oscope_monitor **out);
void oscope_monitor_close(struct oscope_monitor *m); /* NULL allowed */

/*
 * Live: these n sets of events are on from now on, and no others ("heat" may have its share of the
 * time, as for oscope_events_open()). Reports whose sets were on before and are still lose nothing
 * but what happened meanwhile (a gap of each vCPU, which they count, and after which they know what
 * runs from its next event on only). Sets that can't be had are left out, each with a note; an
 * error only when nothing changed. No sets: none is on. Waits for a kernel as the session's options
 * say. The names need not stay.
 */
struct oscope_error *oscope_monitor_sets(struct oscope_monitor *m, const char *const *sets,
                                         size_t n);

/* Is that set on? Of recordings: was it, as far as known. */
bool oscope_monitor_has_set(const struct oscope_monitor *m, const char *set);

/* Which sets the report needs: their names, ends with NULL; none: it takes whatever there is
 * (rates). NULL: there is no such report. */
const char *const *oscope_monitor_needs(const char *report);

/*
 * Which reports are kept (those of which all sets are on; others wait for that). Reports that were
 * kept before go on. Of a recording one of a report's sets is enough, and the view's notes say what
 * did not come; the reports have something to show from the next seek on. OSCOPE_E_USAGE: there is
 * no such report, and all is as before.
 */
struct oscope_error *oscope_monitor_want(struct oscope_monitor *m, const char *const *reports,
                                         size_t n);

/*
 * One report more: the named one, of one task alone (as of struct oscope_report_options), beside
 * that of all. It begins now. report NULL: no longer. The names need not stay. Errors: no such
 * report.
 */
struct oscope_error *oscope_monitor_narrow(struct oscope_monitor *m, const char *report,
                                           const char *task);
/* Its view; as oscope_monitor_view(). */
struct oscope_error *oscope_monitor_narrow_view(struct oscope_monitor *m, struct oscope_view **out);

/*
 * Live: reads the events of the next ns, or, if more time than that has passed since the last call,
 * all up to now; as oscope_report_read(). With no sets on it only waits. OSCOPE_E_GONE: the guest
 * has ended, and what it left was read.
 */
struct oscope_error *oscope_monitor_read(struct oscope_monitor *m, uint64_t ns,
                                         bool (*stop)(void *arg), void *arg);

/* Recordings: where it begins and ends, ns of its clock; 0 and 0: it has no events. */
void oscope_monitor_span(const struct oscope_monitor *m, uint64_t *from, uint64_t *to);

/*
 * Recordings: reads what the reports need for the stretch [time - window, time] (ns of its clock).
 * Views are as those of oscope_report_open() of that stretch. When stop ended it early they are of
 * what was read.
 */
struct oscope_error *oscope_monitor_seek(struct oscope_monitor *m, uint64_t time,
                                         bool (*stop)(void *arg), void *arg);

/*
 * The report's view as of now; the caller's. *out NULL without an error: it is not kept, or some of
 * its sets is off. What oscope_monitor_notes() has is not among the view's notes.
 */
struct oscope_error *oscope_monitor_view(struct oscope_monitor *m, const char *report,
                                         struct oscope_view **out);

/* Lost so far, of all that was read: events without room, packets. The views' tables "interval"
 * have what was lost in their time. */
void oscope_monitor_lost(const struct oscope_monitor *m, uint64_t *events, uint64_t *packets);

/* Live: how far what was read is behind the guest, ns. Recordings, and while nothing is on: 0. */
uint64_t oscope_monitor_behind(const struct oscope_monitor *m);

/* What can't be had of the sets, and what happened since; one line each, until the next call. */
size_t oscope_monitor_notes(const struct oscope_monitor *m, const char *const **notes);
/* That of these which says why a set can't be had, as long; NULL: it can, or was not asked for. */
const char *oscope_monitor_why_not(const struct oscope_monitor *m, const char *set);

#ifdef __cplusplus
}
#endif
#endif
