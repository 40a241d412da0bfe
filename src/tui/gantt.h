/* SPDX-License-Identifier: MIT */
/*
 * Which task each vCPU ran, over time: a window of slices (`report sched`, table "slices") that
 * zooms and pans, with a cursor in time and on a vCPU. Nothing of what is shown is computed here
 * but where it lies: what a cell stands for is what most of its time went to.
 *
 * A task has a mark (and so a colour) of its own while it is to be seen, and keeps it until another
 * one needs it.
 */
#ifndef TUI_GANTT_H
#define TUI_GANTT_H

#include "tui/screen.h"

#include <oscope/report.h>

/* What a cell may stand for: a task by its mark, or one of these. */
enum {
    GANTT_MARKS = 62,
    GANTT_OTHERS = GANTT_MARKS, /* a task that found no mark */
    GANTT_IDLE,
    GANTT_UNKNOWN, /* between two slices: events are missing */
    GANTT_NOTHING, /* not kept, or not yet */
    GANTT_KINDS,
};

/* The slices, by start. */
struct gantt_data {
    const struct oscope_sched_slice *slices;
    size_t n;
    uint64_t start, end; /* of the interval they are of */
    uint64_t last;       /* one may move on until then: beyond end, if more can be had */
    uint64_t zero;       /* the axis counts from there */
    uint32_t vcpus;
};

struct gantt_mark {
    int32_t tid;   /* 0: free */
    uint64_t run;  /* of the window shown, ns */
    uint64_t seen; /* when it was shown last, counted in drawings */
    char comm[24];
};

struct gantt {
    uint64_t from, span; /* what is shown, ns */
    uint64_t cursor;     /* ns */
    uint32_t cpu;        /* of the cursor */
    int32_t selected;    /* thread id, 0: none */
    bool follow;         /* the right end is the newest time, and the cursor is there */
    /* of gantt.c */
    uint32_t top;    /* first vCPU shown */
    int cells, rows; /* for time, and for vCPUs, as of the last drawing */
    uint64_t drawings;
    struct gantt_mark marks[GANTT_MARKS];
};

/* ---- moving ---- */

void gantt_begin(struct gantt *g);
/* Makes what it shows fit what there is; cells: for time, rows: for vCPUs. */
void gantt_fit(struct gantt *g, const struct gantt_data *d, int cells, int rows);
/* Twice as much per cell (out), or half. The cursor stays in its cell. */
void gantt_zoom(struct gantt *g, const struct gantt_data *d, bool out);
/* Moves the cursor by cells, the window with it when it would leave it; ends following. */
void gantt_move(struct gantt *g, const struct gantt_data *d, int cells);
/* Puts the cursor there, and the window if need be. */
void gantt_go(struct gantt *g, uint64_t time, uint32_t cpu);
/* To the beginning of the slice before or after the cursor: of the task (tid > 0; on any vCPU), or
 * (0) of any on the cursor's vCPU. False: there is none. */
bool gantt_switch(struct gantt *g, const struct gantt_data *d, int32_t tid, bool back);

/* The slice at the cursor; NULL: not known. */
const struct oscope_sched_slice *gantt_at(const struct gantt *g, const struct gantt_data *d);

/* ---- what cells stand for ---- */

struct gantt_cell {
    uint8_t left, right; /* kinds; what is on its left and right side */
    uint8_t eighths;     /* of it that are left's: 1 to 8 */
    uint8_t little;      /* a task that ran in it and is neither; GANTT_NOTHING: none */
    uint32_t whole;      /* 1 + the slice that fills it and more; 0: none does */
};

/* Gives tasks in the window their marks. */
void gantt_mark(struct gantt *g, const struct gantt_data *d);
/* The kind of a task's cells. */
unsigned gantt_kind(const struct gantt *g, int32_t tid);
/* g->rows lines of g->cells cells at out, from vCPU g->top on. False: no memory. */
bool gantt_raster(const struct gantt *g, const struct gantt_data *d, struct gantt_cell *out);

/* ---- drawing ---- */

/* Lines above and below those of vCPUs, and cells before those of time. */
enum { GANTT_BELOW = 2, GANTT_HEAD = 5 };

/* In the area: lines of vCPUs, an axis, the marks' names. */
void gantt_draw(struct screen *s, struct area a, struct gantt *g, const struct gantt_data *d);
/* What the cell at a click stands for goes to the cursor. False: it is none. */
bool gantt_click(struct gantt *g, int y, int x);

/* A task's ink (filled: as a colour behind), by kind; and its mark. */
struct ink gantt_ink(const struct gantt *g, unsigned kind, bool filled);
char gantt_letter(unsigned kind);

#endif
