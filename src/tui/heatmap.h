/* SPDX-License-Identifier: MIT */
/* Histograms one below the other (a table that is OSCOPE_TABLE_HEATMAP): a line each, a column a
 * power of two, hotter where more of that line's are. */
#ifndef TUI_HEATMAP_H
#define TUI_HEATMAP_H

#include "tui/screen.h"

#include <oscope/report.h>

enum { HEATMAP_NAME = 64 };

struct heatmap {
    char name[HEATMAP_NAME]; /* of the line with the cursor, once it was moved; "": the first */
    /* of heatmap.c */
    int top, height;
    long move; /* lines that the cursor is to move at the next drawing */
};

/*
 * t's rows are struct oscope_histogram_bin, those of a name side by side. number(arg, name, text):
 * what stands at the end of the line, in `number_width` cells.
 */
struct heatmap_numbers {
    void (*number)(const void *arg, const char *name, char text[64]);
    const void *arg;
    int width;
    const char *head;
};
void heatmap_draw(struct screen *s, struct area a, struct heatmap *h, const struct oscope_table *t,
                  const struct heatmap_numbers *numbers);
bool heatmap_key(struct heatmap *h, int key);

#endif
