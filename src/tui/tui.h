/* SPDX-License-Identifier: MIT */
/*
 * The live screen (`oscope top`): tabs that draw views. A tab is one file tab_NAME.c with one
 * `const struct tab`, and a row in tabs[]. It says what it wants to see (states and reports), and
 * draws what is there; it computes no number of its own.
 */
#ifndef TUI_TUI_H
#define TUI_TUI_H

#include "collect/collect.h"
#include "tui/list.h"
#include "tui/pane.h"
#include "tui/theme.h"

struct tui;

/* A key of a tab, as `?` shows it. */
struct tui_help {
    const char *keys, *what;
};

struct tab {
    const char *name;
    const char *const *reports; /* that it shows; NULL ends, or NULL: none. Their event sets are
                                 * what `e` switches */
    /* The same, if it depends on what of the tab is shown; NULL: `reports` it is. */
    const char *const *(*reports_now)(struct tui *t, void *state);
    const struct tui_help *help;               /* its own keys; keys NULL ends */
    size_t state_size;                         /* of tui_state(), zeroed at first */
    void (*begin)(struct tui *t, void *state); /* NULL: nothing to be done */
    void (*end)(struct tui *t, void *state);   /* NULL: nothing */
    /* Adds what it wants (tui_want()). Called before each drawing. */
    void (*wish)(struct tui *t, void *state);
    void (*draw)(struct tui *t, void *state, struct area a);
    /* False: not its key. */
    bool (*key)(struct tui *t, void *state, int key);
    /* A click in its area; NULL: none. */
    bool (*click)(struct tui *t, void *state, int y, int x);
    /* The list that `/`, `\` and sorting are for; NULL: none. */
    struct list *(*list)(struct tui *t, void *state);
    /* For tabs with a thread of their own: told after each key, whichever tab is shown, when event
     * sets may have been switched, or another tab shown. NULL: nothing to be done. */
    void (*changed)(struct tui *t, void *state);
    /* Gets all keys, those of other things too, while it says so; NULL: never. */
    bool (*grabs)(struct tui *t, void *state);
};

extern const struct tab *const tabs[];
enum { TABS = 9 };

/* ---- for tabs ---- */

/* Wants a state, or a report by name, from now until the next drawing's wishes. */
void tui_want(struct tui *t, const struct ask *a);
void tui_want_report(struct tui *t, const char *name);

/* And one of a single task, at SLOT_NARROW, whose shot's ask.pid says of which. */
void tui_want_narrow(struct tui *t, const char *name, int32_t tid);

/*
 * The newest shot, as it was when this frame began (while paused: when that began). NULL: there is
 * none yet. It lives until the frame ends, or longer.
 */
const struct shot *tui_shot(struct tui *t, enum slot slot);
const struct shot *tui_report(struct tui *t, const char *name);

/* A table of the shot's view; NULL: it has none of that name, or another row size. */
const struct oscope_table *tui_table(const struct shot *shot, const char *name, size_t row_size);

/*
 * Says in the area why there is nothing to see: an error, sets that are off and with which key they
 * are switched on, or that it is being fetched. True: it did, the shot has no view.
 */
bool tui_missing(struct tui *t, struct area a, const struct shot *shot, const char *what);

/* A share of a shot that outlives the frame; the tab gives it back, at the latest in end(). */
struct shot *tui_keep(struct tui *t, const struct shot *shot);
void tui_drop(struct tui *t, struct shot *shot); /* NULL allowed */
/* From wish(): in this frame that one, which was kept, is the report's newest shot. */
void tui_use(struct tui *t, const char *report, struct shot *kept);

/* How it goes with the events, as of this frame. */
const struct collect_status *tui_status(const struct tui *t);
/* Recordings: the moment that was sought last, be it in this frame. */
uint64_t tui_moment(struct tui *t);
/* The recording's folder; NULL: live. */
const char *tui_recording(const struct tui *t);
/* Recordings: from where on reports of that moment show what happened. */
uint64_t tui_page(const struct tui *t);
/* Recordings: all tabs show that moment from now on, ns of its clock; within the recording. */
void tui_seek(struct tui *t, uint64_t time);

/* Which event sets are on (live). */
const char *const *tui_sets(const struct tui *t, size_t *n);

struct screen *tui_screen(const struct tui *t);
bool tui_is_recording(const struct tui *t);
/* The screen stands still: a tab's own threads' news are not to be drawn either. */
bool tui_is_paused(const struct tui *t);
bool tui_is_shown(const struct tui *t, const struct tab *tab);
/* Are all sets on that the report needs? (Of a recording: yes.) */
bool tui_is_on(const struct tui *t, const char *report);

/* For threads of a tab's own: how to open the session, and a descriptor (eventfd) to be written to
 * when something is new. Both stay until the tab's end(). */
const struct oscope_open_options *tui_session(const struct tui *t);
int tui_wake(const struct tui *t);
/* May the user type into the guest? */
bool tui_console_input(const struct tui *t);

/* One line for the user, at the bottom for some seconds. */
void tui_say(struct tui *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Shows another tab; its state is that of tui_state(). */
void tui_show(struct tui *t, const struct tab *tab);
void *tui_state(struct tui *t, const struct tab *tab);

/* ---- for the command ---- */

struct tui_options {
    const struct oscope_open_options *open;
    const char *dir;         /* of a recording, or NULL */
    const char *name;        /* of the session, for the title */
    const char *const *sets; /* to switch on at once, NULL ends */
    bool colors;
    bool no_console_input; /* nothing is typed into the guest */
    /* As in struct collect_options. */
    void (*command)(const char *line, struct oscope_session *s, struct shot *out);
};

/* Runs until the user has had enough. Errors: no terminal, no memory. */
struct oscope_error *tui_run(const struct tui_options *o);

#endif
