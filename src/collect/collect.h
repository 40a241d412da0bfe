/* SPDX-License-Identifier: MIT */
/*
 * What fetches the views that are drawn, in threads of its own: drawing never waits for a guest,
 * and a slow terminal never keeps anybody from reading events. One thread asks for states
 * (structures in guest memory), one reads events. Each has a session of its own.
 *
 * The drawing thread says what it wants and takes the newest of it: a shot. What it wants may
 * change at any moment; a shot says what it is of.
 */
#ifndef COLLECT_COLLECT_H
#define COLLECT_COLLECT_H

#include "draw/render.h"

#include <oscope/monitor.h>
#include <oscope/oscope.h>

/* Where the newest view of a kind is kept. Reports follow: SLOT_REPORTS + i is the i-th of
 * oscope_report_kind(). */
enum slot {
    SLOT_INFO,
    SLOT_TASKS,
    SLOT_THREADS,
    SLOT_MEMORY,
    SLOT_BUDDY,
    SLOT_SLABS,
    SLOT_MAP,  /* of physical memory */
    SLOT_PAGE, /* who maps one page of it */
    SLOT_VM,
    SLOT_PT,
    SLOT_CHAIN, /* one address's walk */
    SLOT_STACK,
    SLOT_DMESG,
    SLOT_DEVICES,
    SLOT_PLIC,
    SLOT_ACLINT,
    SLOT_APIC,
    SLOT_SERIAL,  /* where serial ports go */
    SLOT_COMMAND, /* of a line that the user typed */
    SLOT_NARROW,  /* a report of one task: collect_narrow(); its ask has pid and line, the report */
    SLOT_CALLS,   /* single system calls: lastcalls.h has them; its ask has pid, 0: of all */
    SLOT_REPORTS,
    SLOTS = SLOT_REPORTS + 24
};

/* How the view of a command line is to be drawn. */
struct command_form {
    struct render_options options;             /* term: to be set */
    const char *names[RENDER_COLUMNS_MAX + 1]; /* options.names */
    char *columns;                             /* that these point into */
};

enum { COMMAND_TEXT = 256 };

/* A wish for a state. */
struct ask {
    enum slot slot;
    unsigned every_ms;
    int32_t pid;             /* VM, PT, CHAIN, STACK; -1 as there */
    uint64_t va;             /* CHAIN; PAGE: physical */
    uint64_t from, to;       /* PT, MAP */
    uint32_t cells;          /* MAP */
    bool tree;               /* TASKS, THREADS */
    char line[COMMAND_TEXT]; /* COMMAND */
};
enum { ASKS_MAX = SLOT_NARROW }; /* one of each state */

/* Do both ask for the same, however often? */
bool ask_equal(const struct ask *a, const struct ask *b);

/* A view, or why there is none. Shared: collect_take() gives a share, shot_drop() takes it back. */
struct shot {
    struct oscope_view *view;   /* NULL: */
    struct oscope_error *error; /* this is why, or NULL: the report's sets are off */
    uint64_t time;              /* ns, CLOCK_MONOTONIC, when it was made */
    uint64_t took;              /* ns, making it */
    struct ask ask;             /* what was asked for; its slot */
    struct command_form *form;  /* COMMAND, with a view; else NULL */
    int shares;                 /* of collect.c alone */
};

struct collect;
struct queries;
struct tracks;

/* Timelines of recordings, which those who watch the same one share: each reads all of it once. */
struct track_stores;
struct track_stores *track_stores_new(void);         /* NULL: out of memory */
void track_stores_free(struct track_stores *all);    /* after all who share; NULL allowed */
size_t track_stores_count(struct track_stores *all); /* that there are now */

struct collect_options {
    const struct oscope_open_options *open; /* session; its strings stay until collect_close() */
    const char *dir;                        /* of a recording, in place of a session */
    /* Makes the view of a line: sets out's view, error (both: what is to be said of the view) and
     * form. In the thread that asks for states; NULL: none is asked for. */
    void (*command)(const char *line, struct oscope_session *s, struct shot *out);
    int wake; /* a descriptor (eventfd) that is written to when something is new */
    /* Live, for who wants sums alone: reports count from when their sets were on and keep next to
     * no single rows; only those that are asked for are kept. */
    bool totals;
    struct track_stores *stores; /* NULL: its timeline is shared with nobody */
    /* Live: views are made at multiples of this on the host's clock, ns, so that what one reader
     * is shown changes at once, not bit by bit; 0: each as soon as is of use. */
    uint64_t pause;
};

/*
 * For a program that keeps them open: views come and go, some times a second, from several threads.
 * What they leave behind is to go back to the system: by default malloc() comes to keep tens of
 * megabytes for the next ones.
 */
void collect_thrift(void);

/* Starts the threads. The session is opened in these: what is wrong with it is told by shots. */
struct oscope_error *collect_open(const struct collect_options *o, struct collect **out);
void collect_close(struct collect *c); /* NULL allowed; may wait for a view that is being made */

/* From now on these states, and no others. */
void collect_ask(struct collect *c, const struct ask *asks, size_t n);
/* Which event sets are on (live); names are static text. */
/* So much time reports of events show, before the moment that is looked at. */
#define COLLECT_WINDOW_NS UINT64_C(5000000000)

enum { SETS_MAX = 16 };
void collect_sets(struct collect *c, const char *const *sets, size_t n);
/* All sets that reports are made from, each once. Their number; names are static text. */
size_t collect_known_sets(const char *sets[SETS_MAX]);
/* Of which reports views are made: bits by number. All whose sets are on are kept. */
void collect_reports(struct collect *c, uint64_t which);
/* And of that report (NULL: of none) a view of one task; its name is static text. */
void collect_narrow(struct collect *c, const char *report, int32_t tid);
/* Recordings: look at the time before that moment, ns of its clock. */
void collect_seek(struct collect *c, uint64_t time);

/*
 * The timeline is made while it is wished for: of a live guest from the events of the sets that are
 * on, and forgotten when nobody wishes for it any more; of a recording once, from all its events,
 * in a thread of its own, and for all who share it.
 */
void collect_timeline(struct collect *c, bool on);
/* It: to be asked with its lock (analysis/tracks.h). Never NULL, until collect_close(). */
struct tracks *collect_tracks(struct collect *c);
/* Who answers questions to it that take long (collect/queries.h); likewise. */
struct queries *collect_queries(struct collect *c);
/* How it goes with it. */
struct collect_reading {
    bool busy;       /* a recording is being read, up to `to` */
    uint64_t to;     /* its last event, ns; live: 0 */
    char error[256]; /* "" none */
};
void collect_reading(struct collect *c, struct collect_reading *out);

/* The newest of that slot; NULL: none yet. */
struct shot *collect_take(struct collect *c, enum slot slot);
struct shot *shot_share(struct collect *c, struct shot *shot);
void shot_drop(struct collect *c, struct shot *shot); /* NULL allowed */

/* How it goes with the events. */
struct collect_status {
    uint64_t lost_events, lost_packets;
    uint64_t behind;                 /* ns, as of oscope_monitor_behind() */
    uint64_t span_from, span_to, at; /* recordings: where it begins, ends, and we look; else 0 */
    char sets[160];                  /* recordings: that it was made with, as far as known */
    bool busy;                       /* sets or the moment are being changed */
    bool ended;                      /* the guest has */
    char error[256];                 /* "" none */
    char notes[4][160];
    size_t nnotes;
    struct {
        const char *set;
        char why[200];
    } refused[SETS_MAX]; /* sets that were asked for and can't be had */
    size_t nrefused;
};
void collect_status(struct collect *c, struct collect_status *out);

#endif
