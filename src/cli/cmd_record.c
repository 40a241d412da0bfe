/* SPDX-License-Identifier: MIT */
/* oscope record: events of a running guest into a folder. */
#include "cli/cmd_table.h"
#include "draw/text.h"

#include <oscope/record.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct cli_option record_options[] = {
    CLI_SESSION_OPTION,
    {"output", 'o', "DIR", false, "the folder to make (default: oscope-DATE-TIME)", NULL},
    {"for", 0, "SEC", false, "stop after that many seconds", NULL},
    {"size", 0, "BYTES", false, "stop when the recording has so many (K, M, G: binary)", NULL},
    {"ring", 0, "BYTES", false, "keep only the last so many: the oldest go (K, M, G: binary)",
     NULL},
    {"compress", 'z', NULL, false, "compress with zstd; `zstd -d` undoes it", NULL},
    {"on-full", 0, "HOW", false,
     "when the guest is faster than the disk: overwrite the oldest events (default), drop the "
     "newest, or wait: the guest does",
     "overwrite drop wait"},
    CLI_WAIT_OPTION,
    CLI_NO_CACHE_OPTION,
    {0},
};

enum { RECORD_SETS_MAX = 16, RECORD_STEP_MS = 50, RECORD_RING_LEAST = 1 << 20 };

struct record {
    struct cli *c;
    struct oscope_session *session;
    struct oscope_recording *recording;
    char dir[4096];
    struct oscope_recording_options options;
    double seconds; /* 0: no end */
    size_t notes;   /* told so far */
};

static double record_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void record_notes(struct record *r)
{
    const char *const *notes;
    size_t n = oscope_recording_notes(r->recording, &notes);

    while (r->notes < n)
        fprintf(stderr, "note: %s\n", notes[r->notes++]);
}

static bool record_is_full(const struct record *r)
{
    return oscope_recording_stats(r->recording).full;
}

/* Until a signal, the end of the time, the size or the guest. NULL: as it should. */
static struct oscope_error *record_loop(struct record *r, double begin, const sigset_t *signals,
                                        const char **why)
{
    double end = begin + r->seconds;

    for (;;) {
        int wait = RECORD_STEP_MS;
        if (r->seconds > 0 && end - record_now() < wait * 1e-3)
            wait = end > record_now() ? (int)((end - record_now()) * 1e3) : 0;
        struct oscope_error *err = oscope_recording_step(r->recording, wait);
        record_notes(r);
        if (err && err->code == OSCOPE_E_GONE) {
            *why = "; the guest has ended";
            oscope_error_free(err);
            return NULL;
        }
        if (err)
            return err;
        if (record_is_full(r) || (r->seconds > 0 && record_now() >= end) ||
            sigtimedwait(signals, NULL, &(struct timespec){0}) > 0)
            return NULL;
    }
}

static void record_summary(const struct record *r, double seconds, const char *why)
{
    struct oscope_recording_stats st = oscope_recording_stats(r->recording);
    struct out o;

    out_init(&o, STDERR_FILENO);
    out_printf(&o, "%s: ", r->dir);
    text_bytes(&o, st.bytes, false);
    out_printf(&o, ", %.1f s", seconds);
    if (st.lost || st.dropped)
        out_printf(&o, "; LOST: %" PRIu64 " packets overwritten, %" PRIu64 " events without room",
                   st.lost, st.dropped);
    else
        out_str(&o, ", nothing lost");
    if (st.full)
        out_str(&o, "; it has its size");
    if (st.beyond)
        out_printf(&o, ", %" PRIu64 " packets after that are not in it, or not to their end",
                   st.beyond);
    out_printf(&o, "%s\n", why);
    out_flush(&o);
    out_free(&o);
}

static int record_sets(struct record *r, const char *const *sets, size_t n)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    const char *why = "";
    sigset_t set, old;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaddset(&set, signals[i]);
    sigprocmask(SIG_BLOCK, &set, &old);
    struct oscope_error *err =
                            oscope_recording_open(r->session, sets, n, &r->options, &r->recording),
                        *end;
    if (!err) {
        /* Events come since the sets are on; what had to be written beside them took a while. */
        double begin = record_now() - (double)oscope_recording_stats(r->recording).duration * 1e-9;
        record_notes(r);
        err = record_loop(r, begin, &set, &why);
        end = oscope_recording_stop(r->recording); /* whatever happened: what is left */
        if (err)
            oscope_error_free(end);
        else
            err = end;
        record_summary(r, record_now() - begin, why);
        oscope_recording_close(r->recording);
    }
    sigprocmask(SIG_SETMASK, &old, NULL);
    return err ? cli_error(r->c, err) : CLI_OK;
}

static bool record_on_full(const char *text, enum oscope_on_full *out)
{
    static const char *const names[] = {[OSCOPE_FULL_OVERWRITE] = "overwrite",
                                        [OSCOPE_FULL_DROP] = "drop",
                                        [OSCOPE_FULL_WAIT] = "wait"};

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!strcmp(text, names[i])) {
            *out = (enum oscope_on_full)i;
            return true;
        }
    return false;
}

static int record_options_read(struct record *r)
{
    const char *o;
    time_t now = time(NULL);
    struct tm tm;

    if ((o = cli_option(r->c, "for")) && !text_seconds(o, &r->seconds))
        return cli_usage(r->c, "--for: seconds from 0.001 on, not '%s'", o);
    if ((o = cli_option(r->c, "size")) && (!text_size(o, &r->options.size) || !r->options.size))
        return cli_usage(r->c, "--size: a number of bytes such as 500M, not '%s'", o);
    if ((o = cli_option(r->c, "on-full")) && !record_on_full(o, &r->options.on_full))
        return cli_usage(r->c, "--on-full: overwrite, drop or wait, not '%s'", o);
    if ((o = cli_option(r->c, "ring")) &&
        (!text_size(o, &r->options.ring) || r->options.ring < RECORD_RING_LEAST))
        return cli_usage(r->c, "--ring: a number of bytes from 1M on, not '%s'", o);
    if (r->options.ring && r->options.size)
        return cli_usage(r->c, "--ring and --size exclude each other");
    r->options.compress = cli_option(r->c, "compress") != NULL;
    r->options.dir = r->dir;
    if ((o = cli_option(r->c, "output")))
        snprintf(r->dir, sizeof r->dir, "%s", o);
    else if (localtime_r(&now, &tm))
        strftime(r->dir, sizeof r->dir, "oscope-%Y%m%d-%H%M%S", &tm);
    return *r->dir ? CLI_OK : cli_usage(r->c, "--output: a folder's name is missing");
}

static int record_run(struct cli *c)
{
    static const char *const usual[] = {"sched"};
    struct record r = {.c = c};
    int status = record_options_read(&r);

    if (status)
        return status;
    status = cli_open(c, &r.session);
    if (status)
        return status;
    const char *sets[RECORD_SETS_MAX];
    size_t n = cli_words(c, sets, RECORD_SETS_MAX);
    status = record_sets(&r, n ? sets : usual, n ? n : 1);
    oscope_session_close(r.session);
    return status;
}

const struct cmd_entry cmd_record = {
    .name = "record",
    .group = "The guest",
    .args = "[SET...]",
    .summary = "record events in a folder, a CTF trace",
    .options = record_options,
    .least = 0,
    .most = RECORD_SETS_MAX,
    .run = record_run,
};
