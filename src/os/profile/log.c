/* SPDX-License-Identifier: MIT */
/*
 * The log of a kernel that a profile describes: a ring of characters and a counter of those written
 * since the start, so that character n lies at n modulo the ring's size. Its lines are the records;
 * a line's number is that of its first character.
 *
 * The kernel writes on meanwhile. The counter is read again after the characters: what lies more
 * than the ring's size behind it may have been overwritten, and does not count. As a kernel counts
 * what it has written already, the same goes for some more characters.
 */
#include "os/profile/profile.h"

enum { RING_MAX = 64 << 20, LINE_MAX_BYTES = 4096, AHEAD_MAX = 1024 };

struct ring {
    uint64_t at, size;
    uint64_t begin, end; /* characters to look at */
    char *text;          /* a copy of the whole ring */
};

static struct oscope_error *read_ring(struct profile_model *pm, struct ring *r)
{
    uint64_t after;

    r->size = pm->access[KEY_LOG_TEXT].size;
    if (!r->size || r->size > RING_MAX)
        return error_new(OSCOPE_E_BAD_DATA, "the log's size of %llu bytes is none that can be",
                         (unsigned long long)r->size);
    if (!(r->text = malloc(r->size)))
        return error_nomem();
    if (!profile_number(pm, KEY_LOG_TEXT, 0, &r->at) ||
        !profile_number(pm, KEY_LOG_END, 0, &r->end) ||
        !vspace_read(&pm->base.kernel, r->at, r->text, r->size) ||
        !profile_number(pm, KEY_LOG_END, 0, &after))
        return error_new(OSCOPE_E_FAULT, "the kernel's log can't be read");
    uint64_t newest = MAX(after, r->end);
    uint64_t kept = r->size;
    if (target_moves(pm->base.target))
        kept -= MIN((uint64_t)AHEAD_MAX, r->size / 8);
    r->begin = newest > kept ? newest - kept : 0;
    r->end = MAX(r->end, r->begin);
    return NULL;
}

static struct oscope_error *add_line(struct ring *r, uint64_t from, uint64_t to,
                                     struct os_list *list)
{
    struct oscope_log_record *row = os_list_add(list);
    char line[LINE_MAX_BYTES];
    size_t n = 0;

    if (!row)
        return error_nomem();
    for (uint64_t i = from; i < to && n < sizeof line; i++) {
        char c = r->text[i % r->size];
        if (c && c != '\r')
            line[n++] = c;
    }
    *row = (struct oscope_log_record){.seq = from,
                                      .time = OSCOPE_UNKNOWN,
                                      .level = UINT8_MAX,
                                      .facility = UINT8_MAX,
                                      .caller = UINT32_MAX};
    row->text = arena_strndup(&list->strings, line, n);
    return row->text ? NULL : error_nomem();
}

/* Lines that have ended. The first of a ring that has gone round began before. */
static struct oscope_error *add_lines(struct ring *r, uint64_t wanted, struct os_list *list)
{
    uint64_t from = r->begin;
    bool whole = from == 0;

    for (uint64_t i = r->begin; i < r->end; i++) {
        if (r->text[i % r->size] != '\n')
            continue;
        if (whole && from >= wanted)
            TRY(add_line(r, from, i, list));
        whole = true;
        from = i + 1;
    }
    return NULL;
}

struct oscope_error *profile_log(struct os_model *m, uint64_t from, struct os_list *list)
{
    struct profile_model *pm = profile_of(m);
    struct ring r = {0};

    TRY(profile_need(pm, KEY_LOG_TEXT, "log"));
    TRY(profile_need(pm, KEY_LOG_END, "log"));
    struct oscope_error *err = read_ring(pm, &r);
    if (!err)
        err = add_lines(&r, from, list);
    free(r.text);
    return err;
}
