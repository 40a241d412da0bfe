/* SPDX-License-Identifier: MIT */
/*
 * Many histograms at a glance (`report syscalls`): one line a histogram, one column (of a few equal
 * characters) a power of two, however fine the bins are, the denser the more of that line's are
 * there. Lines come in the table's order, which says what matters most. Colours say the same once
 * more.
 */
#include "draw/render.h"

#include <stdio.h>

static const char map_marks[] = " .:-=+*#%@";
static const char *const map_sgr[] = {NULL, "34", "34", "36", "32", "32", "33", "33", "31", "1;31"};
enum {
    MAP_LEVELS = 10,
    MAP_WIDTH = 80, /* if it is not a terminal's */
    MAP_NAME = 24,  /* most cells of a name */
    MAP_CELLS = 3,  /* most characters of a bin */
    MAP_LABEL = 5,  /* every so many bins one is labelled: 1us, 32us, 1ms … */
};

/* A line: rows of one name, which are neighbours. */
struct map_line {
    size_t from, n; /* rows */
    const char *name;
    uint64_t count;
};

struct map {
    const struct oscope_table *t;
    const struct render_options *r;
    unsigned first, last; /* bins of all lines */
    size_t name, count;   /* cells */
    size_t cell;          /* characters of a bin */
};

static unsigned map_bin(const struct oscope_histogram_bin *b)
{
    return b->low ? 63 - (unsigned)__builtin_clzll(b->low) : 0;
}

static const struct oscope_histogram_bin *map_row(const struct oscope_table *t, size_t i)
{
    return render_row(t, i);
}

/* The line that begins at row *i, which moves on to the next; false: there is none. */
static bool map_next(const struct oscope_table *t, size_t *i, struct map_line *line)
{
    if (*i >= t->nrows)
        return false;
    *line = (struct map_line){.from = *i, .name = map_row(t, *i)->name};
    for (; *i < t->nrows && !strcmp(map_row(t, *i)->name, line->name); ++*i) {
        line->count += map_row(t, *i)->count;
        line->n++;
    }
    return true;
}

static void map_measure(struct map *m)
{
    size_t around, width = m->r->term.width ? (size_t)m->r->term.width : MAP_WIDTH;
    struct map_line line;
    struct out text;

    m->first = 63;
    m->name = strlen("NAME");
    m->count = strlen("COUNT");
    out_init(&text, -1);
    for (size_t i = 0, n = 0; (!m->r->top || n < m->r->top) && map_next(m->t, &i, &line); n++) {
        unsigned low = map_bin(map_row(m->t, line.from));
        unsigned high = map_bin(map_row(m->t, line.from + line.n - 1));
        m->first = low < m->first ? low : m->first;
        m->last = high > m->last ? high : m->last;
        text.len = 0;
        size_t name = render_text_safe(&text, m->r, line.name, MAP_NAME);
        size_t count = (size_t)snprintf(NULL, 0, "%llu", (unsigned long long)line.count);
        m->name = name > m->name ? name : m->name;
        m->count = count > m->count ? count : m->count;
    }
    out_free(&text);
    around = m->name + strlen("  |") + strlen("|  ") + m->count;
    size_t room = width > around ? width - around : 0, bins = m->last - m->first + 1;
    m->cell = room / bins < 1 ? 1 : room / bins > MAP_CELLS ? MAP_CELLS : room / bins;
}

/* 2^bin ns to the nearest round number: 2^10 ns is 1 us and a bit. */
static int map_label(char *to, size_t size, unsigned bin)
{
    static const char *const units[] = {"ns", "us", "ms", "s"};
    unsigned unit = bin / 10 < 3 ? bin / 10 : 3;

    return snprintf(to, size, "%llu%s", 1ULL << (bin - unit * 10), units[unit]);
}

static void map_head(struct out *o, const struct map *m)
{
    size_t end = (size_t)(m->last - m->first + 1) * m->cell, at = 0;
    char label[24];
    struct out line;

    out_init(&line, -1);
    out_str(&line, "NAME");
    out_fill(&line, ' ', m->name - strlen("NAME") + strlen("  |"));
    for (unsigned bin = m->first; bin <= m->last; bin++) {
        size_t place = (size_t)(bin - m->first) * m->cell;
        if (bin % MAP_LABEL || place < at)
            continue;
        size_t n = (size_t)map_label(label, sizeof label, bin);
        if (place + n > end + strlen("| "))
            continue;
        out_fill(&line, ' ', place - at);
        out_str(&line, label);
        at = place + n;
    }
    out_fill(&line, ' ', end + strlen("|  ") + m->count - strlen("COUNT") - at);
    out_str(&line, "COUNT");
    render_sgr(o, m->r, "1", line.buf, line.len);
    out_char(o, '\n');
    out_free(&line);
}

static unsigned map_level(uint64_t part, uint64_t whole)
{
    double share = whole ? (double)part / (double)whole : 0;
    unsigned level = part ? 1 + (unsigned)(share * (MAP_LEVELS - 1)) : 0;

    return level < MAP_LEVELS ? level : MAP_LEVELS - 1;
}

static void map_draw(struct out *o, const struct map *m, const struct map_line *line)
{
    size_t used = render_text_safe(o, m->r, line->name, MAP_NAME), k = 0;

    out_fill(o, ' ', m->name - used);
    out_str(o, "  |");
    for (unsigned bin = m->first; bin <= m->last; bin++) {
        uint64_t count = 0;
        for (; k < line->n && map_bin(map_row(m->t, line->from + k)) <= bin; k++)
            count += map_row(m->t, line->from + k)->count;
        unsigned level = map_level(count, line->count);
        char marks[MAP_CELLS];
        memset(marks, map_marks[level], m->cell);
        render_sgr(o, m->r, map_sgr[level], marks, m->cell);
    }
    out_printf(o, "|  %*llu\n", (int)m->count, (unsigned long long)line->count);
}

void render_heatmap(struct out *o, const struct oscope_table *t, const struct render_options *r)
{
    struct map m = {.t = t, .r = r};
    struct map_line line;
    size_t i = 0, n = 0;

    if (!t->nrows)
        return;
    map_measure(&m);
    if (!r->no_header)
        map_head(o, &m);
    for (; (!r->top || n < r->top) && map_next(t, &i, &line); n++)
        map_draw(o, &m, &line);
    size_t more = 0;
    while (map_next(t, &i, &line))
        more++;
    if (more)
        out_printf(o, "%s %zu more (--top)\n", r->term.utf8 ? "\xe2\x80\xa6" : "...", more);
    if (!r->no_header)
        out_str(o, "blank none, . few, @ nearly all of that line's\n");
}
