/* SPDX-License-Identifier: MIT */
/*
 * Drawing view models (oscope/view.h) as text or JSON. Renderers compute nothing and trust nothing:
 * every string goes through draw/text.h.
 */
#ifndef DRAW_RENDER_H
#define DRAW_RENDER_H

#include "draw/out.h"
#include "draw/term.h"

#include <oscope/oscope.h>

/* How text shows a view. JSON is the same for all. */
enum render_form {
    RENDER_TABLE,
    RENDER_TREE,  /* table; the column that may be indented gets branches */
    RENDER_INFO,  /* "key: value" lines */
    RENDER_PRINT, /* nested C */
    RENDER_GRID,  /* cells of physical memory as characters */
    RENDER_BT,    /* a heading for each task, then its frames */
    RENDER_DMESG,
    RENDER_MAPS,   /* as /proc/PID/maps */
    RENDER_CHAIN,  /* one address's walk through the page tables */
    RENDER_REPORT, /* several tables with headings, histograms as bars, disks as maps */
    RENDER_GANTT,  /* `report sched`: a line a vCPU */
};

struct render_options {
    enum render_form form;
    bool json;
    bool one_line;             /* JSON: the whole array on one line */
    bool exact;                /* sizes in bytes */
    bool compact;              /* sizes in few cells: "4K" */
    bool no_header;            /* no table head */
    const char *const *names;  /* columns wanted, ends with NULL; NULL: the usual ones */
    const char *const *tables; /* RENDER_REPORT and JSON: tables wanted, ends with NULL; NULL: the
                                * usual ones */
    size_t top;                /* RENDER_REPORT: most rows of a table; 0: all */
    struct term term;
};

/* The view; notes and how consistent it is follow on `notes` (may be the same as o). */
void render_view(struct out *o, struct out *notes, const struct oscope_view *v,
                 const struct render_options *r);

/* The first of r->names that no table of v has, or NULL. */
const char *render_unknown_column(const struct oscope_view *v, const struct render_options *r);

/* ---- between the render_*.c files ---- */

enum { RENDER_COLUMNS_MAX = 64 };

/* One character of a map: `size` units from `start` on; sgr as render_sgr() takes it. */
struct render_cell {
    uint64_t start, size;
    char mark;
    const char *sgr;
};
typedef struct render_cell render_cell_at(const void *arg, size_t i);

/* n cells as lines that fit the terminal, each headed by where it starts (hexadecimal or not). */
void render_cells(struct out *o, size_t n, bool hex, render_cell_at *at, const void *arg,
                  const struct render_options *r);

/* Regions of disks as characters (`report blk`). */
void render_disks(struct out *o, const struct oscope_table *t, const struct render_options *r);

/* The columns to show of t, in order; returns their number. */
size_t render_columns(const struct oscope_table *t, const struct render_options *r,
                      const struct oscope_column *cols[RENDER_COLUMNS_MAX]);
const struct oscope_column *render_column(const struct oscope_table *t, const char *name);
const void *render_row(const struct oscope_table *t, size_t i);

/* Is the column aligned left? */
bool render_left(const struct oscope_column *c);

/* An integer member. *unknown: its value stands for "not known". Signed kinds are sign-extended. */
uint64_t render_uint(const struct oscope_column *c, const void *row, bool *unknown);
/* A text member and its length; NULL when it has none. */
const char *render_chars(const struct oscope_column *c, const void *row, size_t *n);
/* The cell as safe text, nothing padded; returns its width. */
size_t render_cell(struct out *o, const struct oscope_column *c, const void *row,
                   const struct render_options *r);
/* SGR parameters ("32") for a cell that reads s, or NULL. */
const char *render_color(const struct oscope_column *c, const char *s, size_t n);
/* s in that colour if colours are on; sgr may be NULL. */
void render_sgr(struct out *o, const struct render_options *r, const char *sgr, const char *s,
                size_t n);
/* Text with escapes for control characters, cut to `cells` (0: not cut). Returns the cells used. */
size_t render_text_safe(struct out *o, const struct render_options *r, const char *s, size_t cells);
/* "!" torn, "~" retried, a blank, coloured; a blank follows. */
void render_mark(struct out *o, const struct render_options *r, enum oscope_consistency c);
/* Has any row a mark? */
bool render_marked(const struct oscope_table *t);
/* The line that says which columns the terminal has no room for; names: "a, b", "" none. */
void render_left_out(struct out *o, const struct render_options *r, const struct out *names);
/* One more name for that line. */
void render_left_out_add(struct out *names, const char *name);
enum oscope_consistency render_consistency(const struct oscope_table *t, size_t row);

void render_table(struct out *o, const struct oscope_table *t, const struct render_options *r);
void render_json(struct out *o, const struct oscope_view *v, const struct render_options *r);
/* One cell of it. */
void render_json_value(struct out *o, const struct oscope_column *c, const void *row);
void render_info(struct out *o, const struct oscope_table *t, const struct render_options *r);
void render_print(struct out *o, const struct oscope_table *t, const struct render_options *r);
/* The character of an owner of memory, and what it is called for (a legend); NULL allowed. */
char render_owner_mark(const char *owner, const char **meaning);
void render_grid(struct out *o, const struct oscope_table *t, const struct render_options *r);
/* The character of a level of heat (0 to 9). */
char render_heat_mark(unsigned level);
/* A table that is OSCOPE_TABLE_HEATMAP. */
void render_heatmap(struct out *o, const struct oscope_table *t, const struct render_options *r);
/* The cells of `report heat`. */
void render_heat(struct out *o, const struct oscope_table *t, const struct render_options *r);
void render_bt(struct out *o, const struct oscope_table *t, const struct render_options *r);
void render_dmesg(struct out *o, const struct oscope_table *t, const struct render_options *r);
void render_maps(struct out *o, const struct oscope_table *t, const struct render_options *r);
/* Is the table wanted? */
bool render_wanted(const struct oscope_table *t, const struct render_options *r);
void render_report(struct out *o, const struct oscope_view *v, const struct render_options *r);
void render_gantt(struct out *o, const struct oscope_view *v, const struct render_options *r);
void render_chain(struct out *o, const struct oscope_table *t, const struct render_options *r);

#endif
