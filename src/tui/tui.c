/* SPDX-License-Identifier: MIT */
/*
 * The loop of the live screen: wait for keys or news, draw a frame, at most FRAMES a second. All
 * numbers come from shots (collect/collect.h); a frame draws from those that were there when it
 * began.
 */
#include "tui/tui.h"
#include "tui/inside.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/util.h"

#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>

enum { FRAME_MS = 100, TICK_MS = 1000 };

/* Set by signals, read by the loop; there is one screen a process. */
static volatile sig_atomic_t ended_by;

static void on_signal(int signal)
{
    ended_by = signal;
}

static void tell_tabs(struct tui *t)
{
    for (size_t i = 0; i < TABS; i++)
        if (tabs[i]->changed)
            tabs[i]->changed(t, t->states[i]);
}

/* ---- the loop ---- */

/* Waits for keys, news, or a tick; false: a signal. */
static void wait_for(struct tui *t, uint64_t drawn)
{
    struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                            {.fd = t->wake, .events = POLLIN}};
    uint64_t news;

    poll(fds, 2, TICK_MS);
    if (fds[0].revents & (POLLHUP | POLLERR))
        t->quit = true; /* the terminal is gone */
    if (fds[0].revents & POLLIN)
        return;
    ssize_t ignored = fds[1].revents & POLLIN ? read(t->wake, &news, sizeof news) : 0;
    (void)ignored;
    uint64_t since = (clock_ns() - drawn) / 1000000;
    if (since < FRAME_MS && !ended_by) /* news come in swarms; keys do not wait for them */
        poll(fds, 1, (int)(FRAME_MS - since));
}

static struct oscope_error *loop(struct tui *t)
{
    tell_tabs(t); /* of sets that are on from the start */
    while (!t->quit && !ended_by) {
        uint64_t drawn = clock_ns();
        int key;
        frame_draw(t);
        wait_for(t, drawn);
        while (!t->quit && (key = screen_key(t->screen)) >= 0) {
            keys_take(t, key);
            tell_tabs(t);
        }
    }
    return NULL;
}

static struct oscope_error *begin(struct tui *t)
{
    struct collect_options co = {
        .open = t->o.open, .dir = t->o.dir, .command = t->o.command, .wake = t->wake};

    for (size_t i = 0; i < TABS; i++) {
        if (!(t->states[i] = calloc(1, MAX(tabs[i]->state_size, (size_t)1))))
            return error_nomem();
        if (tabs[i]->begin)
            tabs[i]->begin(t, t->states[i]);
    }
    for (size_t i = 0; t->o.sets && t->o.sets[i]; i++)
        sets_add(&t->sets, t->o.sets[i]);
    TRY(screen_open(t->o.colors, &t->screen));
    TRY(collect_open(&co, &t->collect));
    if (t->sets.n)
        collect_sets(t->collect, t->sets.names, t->sets.n);
    return NULL;
}

static void end(struct tui *t)
{
    for (size_t i = 0; i < SLOTS && t->collect; i++)
        shot_drop(t->collect, t->shots[i]);
    command_end(&t->command);
    screen_close(t->screen);            /* what follows may have to finish something first */
    for (size_t i = 0; i < TABS; i++) { /* while there are shots that they may have kept */
        if (t->states[i] && tabs[i]->end)
            tabs[i]->end(t, t->states[i]);
        free(t->states[i]);
    }
    collect_close(t->collect);
}

struct oscope_error *tui_run(const struct tui_options *o)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    AUTO_CLOSE int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct sigaction old[ARRAY_SIZE(signals)];
    struct tui *t = calloc(1, sizeof *t);

    if (!t || wake < 0) {
        free(t);
        return wake < 0 ? error_errno(errno, "eventfd") : error_nomem();
    }
    *t = (struct tui){.o = *o, .wake = wake, .tab = tabs[0]};
    ended_by = 0;
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        sigaction(signals[i], &(struct sigaction){.sa_handler = on_signal}, &old[i]);
    struct oscope_error *err = begin(t);
    if (!err)
        err = loop(t);
    end(t);
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        sigaction(signals[i], &old[i], NULL);
    free(t);
    if (!err && ended_by)
        raise(ended_by); /* the caller's shell is to know */
    return err;
}
