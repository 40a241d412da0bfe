/* SPDX-License-Identifier: MIT */
/*
 * Reports over a moving window (<oscope/monitor.h>) as a script on standard input asks for them:
 *
 *     monitor_views live SESSION WINDOW        monitor_views trace DIR WINDOW
 *
 *     sets [SET …]       these are on
 *     want [REPORT …]    these are kept
 *     read SECONDS       live: reads on
 *     seek SECONDS       recordings: to so long after the first event
 *     view REPORT [TABLE …]    prints it as JSON, on one line; null: it is not kept
 *     notes, lost, span
 *     cost               prints how much CPU this process took since the last time, in percent
 *
 * Each command answers with one line: what it prints, "ok", or "error …".
 */
#include "base/clock.h"
#include "base/error.h"
#include "base/util.h"
#include "draw/render.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum { WORDS = 32, LINE = 4096 };

struct script {
    struct oscope_session *session;
    struct oscope_monitor *monitor;
    uint64_t wall, cpu; /* ns, as of the last `cost` */
};

static uint64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static struct oscope_error *show(struct script *s, const char *report, const char *const *tables)
{
    struct oscope_view *view;
    struct out o;

    TRY(oscope_monitor_view(s->monitor, report, &view));
    if (!view) {
        puts("null");
        return NULL;
    }
    out_init(&o, -1);
    render_view(&o, &o, view,
                &(struct render_options){
                    .json = true, .one_line = true, .tables = tables[0] ? tables : NULL});
    out_char(&o, '\0');
    printf("%s", o.buf);
    out_free(&o);
    oscope_view_free(view);
    return NULL;
}

static void tell_notes(struct script *s)
{
    const char *const *notes;
    size_t n = oscope_monitor_notes(s->monitor, &notes);

    printf("notes");
    for (size_t i = 0; i < n; i++)
        printf("%s %s", i ? ";" : "", notes[i]);
    putchar('\n');
}

static struct oscope_error *act(struct script *s, const char *const *words, size_t n)
{
    struct oscope_monitor *m = s->monitor;
    uint64_t a = 0, b = 0;

    if (!strcmp(words[0], "view") && n > 1)
        return show(s, words[1], words + 2);
    if (!strcmp(words[0], "notes")) {
        tell_notes(s);
        return NULL;
    }
    if (!strcmp(words[0], "lost") || !strcmp(words[0], "span")) {
        (words[0][0] == 'l' ? oscope_monitor_lost : oscope_monitor_span)(m, &a, &b);
        printf("%" PRIu64 " %" PRIu64 "\n", a, b);
        return NULL;
    }
    if (!strcmp(words[0], "cost")) {
        uint64_t wall = clock_ns(), cpu = cpu_ns();
        printf("%.1f\n", 100.0 * (double)(cpu - s->cpu) / (double)(wall - s->wall));
        s->wall = wall;
        s->cpu = cpu;
        return NULL;
    }
    double seconds = n > 1 ? strtod(words[1], NULL) : 0;
    if (!strcmp(words[0], "sets"))
        TRY(oscope_monitor_sets(m, words + 1, n - 1));
    else if (!strcmp(words[0], "want"))
        TRY(oscope_monitor_want(m, words + 1, n - 1));
    else if (!strcmp(words[0], "read"))
        TRY(oscope_monitor_read(m, (uint64_t)(seconds * 1e9), NULL, NULL));
    else if (!strcmp(words[0], "seek")) {
        oscope_monitor_span(m, &a, &b);
        TRY(oscope_monitor_seek(m, a + (uint64_t)(seconds * 1e9), NULL, NULL));
    } else {
        return error_new(OSCOPE_E_USAGE, "no command '%s'", words[0]);
    }
    puts("ok");
    return NULL;
}

static void obey(struct script *s)
{
    char line[LINE];

    while (fgets(line, sizeof line, stdin)) {
        const char *words[WORDS + 1] = {NULL};
        size_t n = 0;
        for (char *p = line, *word; n < WORDS && (word = strsep(&p, " \n"));)
            if (*word)
                words[n++] = word;
        if (!n)
            continue;
        struct oscope_error *err = act(s, words, n);
        if (err)
            printf("error %s\n", err->message);
        oscope_error_free(err);
        fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    struct script s = {.wall = clock_ns(), .cpu = cpu_ns()};
    bool live = argc == 4 && !strcmp(argv[1], "live");

    if (argc != 4 || (!live && strcmp(argv[1], "trace") != 0))
        return 2;
    struct oscope_monitor_options o = {.dir = live ? NULL : argv[2],
                                       .window = (uint64_t)(strtod(argv[3], NULL) * 1e9)};
    struct oscope_open_options opts = {.session = argv[2]};
    struct oscope_error *err = live ? oscope_session_open(&opts, &s.session) : NULL;
    if (!err)
        err = oscope_monitor_open(s.session, &o, &s.monitor);
    if (err)
        fprintf(stderr, "monitor_views: %s\n", err->message);
    else
        obey(&s);
    oscope_monitor_close(s.monitor);
    oscope_session_close(s.session);
    int status = err ? 1 : 0;
    oscope_error_free(err);
    return status;
}
