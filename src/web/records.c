/* SPDX-License-Identifier: MIT */
/* See records.h. */
#include "web/records.h"

#include "base/error.h"
#include "base/util.h"
#include "collect/collect.h"
#include "collect/recorder.h"
#include "draw/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

enum { TRIES = 100 };

struct record {
    char *guest; /* NULL: the place is free */
    struct oscope_open_options open;
    struct recorder *recorder; /* NULL: it could not begin, or has ended */
    const char *sets[SETS_MAX];
    size_t nsets;
    struct recorder_status status;
};

struct records {
    const struct oscope_open_options *open;
    struct roster *roster;
    struct record all[RECORDS_MAX];
};

struct records *records_open(const struct oscope_open_options *open, struct roster *roster)
{
    struct records *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->open = open;
    r->roster = roster;
    return r;
}

void records_close(struct records *r)
{
    for (size_t i = 0; r && i < RECORDS_MAX; i++)
        if (r->all[i].recorder)
            recorder_stop(r->all[i].recorder); /* all of them, before the first is waited for */
    for (size_t i = 0; r && i < RECORDS_MAX; i++) {
        recorder_close(r->all[i].recorder);
        free(r->all[i].guest);
    }
    free(r);
}

static struct record *find(const struct records *r, const char *guest)
{
    for (size_t i = 0; i < RECORDS_MAX; i++)
        if (r->all[i].guest && !strcmp(r->all[i].guest, guest))
            return (struct record *)(uintptr_t)&r->all[i];
    return NULL;
}

/* A place for that guest: its own, a free one, or that of one that has ended. */
static struct record *place(struct records *r, const char *guest)
{
    struct record *p = find(r, guest);

    for (size_t i = 0; !p && i < RECORDS_MAX; i++)
        if (!r->all[i].guest)
            p = &r->all[i];
    for (size_t i = 0; !p && i < RECORDS_MAX; i++)
        if (!r->all[i].recorder)
            p = &r->all[i];
    return p;
}

/* A folder that is not there; two may begin in one second. */
static void name_folder(char dir[RECORDER_DIR])
{
    char now[64];
    struct stat st;

    recorder_name_now(now, sizeof now);
    snprintf(dir, RECORDER_DIR, "%s", now);
    for (int i = 2; i < TRIES && !lstat(dir, &st); i++)
        snprintf(dir, RECORDER_DIR, "%s-%d", now, i);
}

void records_start(struct records *r, const char *guest, uint64_t sets)
{
    struct record *p = place(r, guest);
    const char *known[SETS_MAX];
    char dir[RECORDER_DIR];
    char *id;

    if (!p || p->recorder || !(id = strdup(guest)))
        return;
    free(p->guest);
    *p = (struct record){.guest = id, .open = *r->open};
    p->open.session = p->guest;
    for (size_t i = 0, n = collect_known_sets(known); i < n; i++)
        if (sets & BIT(i))
            p->sets[p->nsets++] = known[i];
    name_folder(dir);
    struct oscope_error *err =
        recorder_start(&p->open, p->sets, p->nsets, dir, RECORDS_SIZE, &p->recorder);
    if (err) {
        p->status.state = RECORDER_ENDED;
        str_copy(p->status.error, sizeof p->status.error, err->message);
    }
    oscope_error_free(err);
}

void records_stop(struct records *r, const char *guest)
{
    struct record *p = find(r, guest);

    if (p && p->recorder)
        recorder_stop(p->recorder);
}

bool records_poll(struct records *r)
{
    bool other = false;

    for (size_t i = 0; i < RECORDS_MAX; i++) {
        struct record *p = &r->all[i];
        if (!p->recorder)
            continue;
        uint64_t bytes = p->status.stats.bytes;
        enum recorder_state state = p->status.state;
        recorder_status(p->recorder, &p->status);
        other = other || bytes != p->status.stats.bytes || state != p->status.state;
        if (p->status.state != RECORDER_ENDED)
            continue;
        recorder_close(p->recorder); /* its thread has ended */
        p->recorder = NULL;
        if (!*p->status.error)
            roster_add(r->roster, p->status.dir);
    }
    return other;
}

bool records_write(const struct records *r, const char *guest, struct out *o)
{
    static const char *const states[] = {[RECORDER_OPENING] = "opening",
                                         [RECORDER_RUNS] = "runs",
                                         [RECORDER_STOPPING] = "stopping",
                                         [RECORDER_ENDED] = "ended"};
    const struct record *p = find(r, guest);

    if (!p)
        return false;
    const struct recorder_status *st = &p->status;
    out_str(o, "{\"op\":\"recording\",\"guest\":");
    text_json(o, guest, strlen(guest));
    out_printf(o, ",\"state\":\"%s\",\"dir\":", states[st->state]);
    text_json(o, st->dir, strlen(st->dir));
    out_str(o, ",\"sets\":[");
    for (size_t i = 0; i < p->nsets; i++)
        out_printf(o, "%s\"%s\"", i ? "," : "", p->sets[i]);
    out_printf(o,
               "],\"bytes\":%" PRIu64 ",\"duration\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"error\":",
               st->stats.bytes, st->stats.duration, st->stats.lost + st->stats.dropped);
    text_json(o, st->error, strlen(st->error));
    out_char(o, '}');
    return true;
}
