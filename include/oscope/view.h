/* SPDX-License-Identifier: MIT */
/*
 * View models: what every face (text, JSON, screens, exporters) renders and none computes.
 *
 * A view is one or more tables; a table is an array of plain structs and a description of their
 * members, so that one renderer serves all views. All memory of a view belongs to it:
 * oscope_view_free().
 */
#ifndef OSCOPE_VIEW_H
#define OSCOPE_VIEW_H

#include <oscope/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How good an answer is that was read from a guest which runs on meanwhile. */
enum oscope_consistency {
    OSCOPE_CONSISTENT, /* checks held at the first reading (or the guest stood still) */
    OSCOPE_RETRIED,    /* checks held after reading again */
    OSCOPE_TORN,       /* still contradicts itself: partial */
};

enum oscope_kind {
    OSCOPE_UINT, /* unsigned of 1, 2, 4, 8 bytes, decimal */
    OSCOPE_INT,  /* signed of 1, 2, 4, 8 bytes, decimal */
    OSCOPE_HEX, /* unsigned, 0x…; JSON: a string "0x…" (64-bit values do not fit JSON numbers) */
    OSCOPE_BYTES,       /* unsigned, bytes; text: KiB, MiB … */
    OSCOPE_DURATION,    /* unsigned, ns; text: seconds, h:mm:ss */
    OSCOPE_BOOLEAN,     /* bool */
    OSCOPE_TEXT,        /* const char *, may be NULL */
    OSCOPE_CHARS,       /* char[size], terminated */
    OSCOPE_REAL,        /* double */
    OSCOPE_CONSISTENCY, /* enum oscope_consistency */
};

/* Numbers that are not known: text "-", JSON null. (In narrower members: the same value truncated.)
 */
#define OSCOPE_UNKNOWN UINT64_MAX

enum oscope_column_flag {
    OSCOPE_COL_JSON_ONLY = 1 << 0, /* text shows it only when named with --columns */
    OSCOPE_COL_LEFT = 1 << 1,      /* left-aligned (texts are anyway) */
    OSCOPE_COL_ELASTIC = 1 << 2,   /* may be cut to fit the terminal's width */
    OSCOPE_COL_INDENT = 1 << 3,    /* text: a tree is drawn here, by the table's column "depth" */
    OSCOPE_COL_NEGATIVE = 1 << 4,  /* OSCOPE_INT: -1 is a value; not known is the lowest one */
    OSCOPE_COL_FINE = 1 << 5,      /* OSCOPE_DURATION: text as "12.3us", for short ones */
    OSCOPE_COL_STAMP = 1 << 6,     /* OSCOPE_UINT, ns: text as "seconds.nanoseconds" */
    OSCOPE_COL_THREAD = 1 << 8,    /* OSCOPE_INT: id of a thread, see OSCOPE_THREAD in rows.h */
    OSCOPE_COL_SPARSE = 1 << 7, /* numbers: text leaves it out when none is known (REAL: all 0) */
};

/* What stands for "not known" in a column of that size (bytes) and those flags, as it is stored. */
static inline uint64_t oscope_unknown(unsigned flags, size_t size)
{
    unsigned shift = 64 - 8 * (unsigned)size;

    return flags & OSCOPE_COL_NEGATIVE ? UINT64_C(1) << 63 >> shift : OSCOPE_UNKNOWN >> shift;
}

struct oscope_column {
    const char *name; /* JSON field; text head is its upper case. NULL ends the array */
    enum oscope_kind kind;
    size_t offset, size; /* of the member in the row */
    unsigned flags;      /* enum oscope_column_flag */
    const char *doc;     /* one line for the reference page: meaning and unit */
};

#define OSCOPE_COLUMN(type, member, kind, flags, doc)                                              \
    {                                                                                              \
#member, kind, offsetof(type, member), sizeof(((type *)0)->member), flags, doc             \
    }

enum oscope_table_flag {
    OSCOPE_TABLE_JSON_ONLY = 1 << 0, /* text shows it only when it is asked for */
    OSCOPE_TABLE_NEWEST = 1 << 1,    /* text that has not room for all rows shows the last ones */
    OSCOPE_TABLE_HEATMAP = 1 << 2,   /* rows begin with a struct oscope_histogram_bin of many
                                      * histograms, by name: text shows each as one line */
};

struct oscope_table {
    const char *name; /* "tasks", "regions" … */
    const struct oscope_column *columns;
    size_t row_size;
    void *rows;
    size_t nrows;
    unsigned flags; /* enum oscope_table_flag */
};

struct oscope_view {
    const char *name; /* the command that shows it */
    const struct oscope_table *tables;
    size_t ntables;
    enum oscope_consistency consistency; /* the worst of the rows */
    const char *const *notes;            /* what is missing or doubtful and why, one line each */
    size_t nnotes;
    void *memory;  /* private */
    uint64_t made; /* ns, CLOCK_MONOTONIC, when */
};

/* Frees the view and all it points to; NULL is allowed. */
void oscope_view_free(struct oscope_view *view);

/*
 * Which rows of a table to show in which order: *order (the caller's, to be freed) has *n indices
 * of rows. sort: a column, "-column" for descending; NULL: as they are. filter: terms as of `ps
 * --filter`, or a word that must occur in one of the row's texts; NULL: all. OSCOPE_E_USAGE: one of
 * them makes no sense.
 */
struct oscope_error *oscope_table_order(const struct oscope_table *t, const char *sort,
                                        const char *filter, uint32_t **order, size_t *n);

/* What the tables of every view are made of, for reference pages. */
struct oscope_view_doc {
    const char *command; /* "ps", "mem --buddy" */
    const struct oscope_column *columns;
};
const struct oscope_view_doc *oscope_view_docs(size_t *n);

/* "consistent", "retried", "torn". */
const char *oscope_consistency_name(enum oscope_consistency c);

#ifdef __cplusplus
}
#endif
#endif
