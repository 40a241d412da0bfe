/* SPDX-License-Identifier: MIT */
#include "tui/picker.h"

#include "base/error.h"
#include "base/util.h"
#include "tui/list.h"
#include "tui/pane.h"
#include "tui/theme.h"

#include <curses.h>
#include <oscope/oscope.h>
#include <poll.h>
#include <signal.h>

enum { LOOK_MS = 1000 };

static volatile sig_atomic_t picker_ended;

static void picker_signal(int signal)
{
    picker_ended = signal;
}

struct picker {
    struct screen *screen;
    struct list list;
    struct oscope_view *view; /* the sessions */
    bool done;
    char *id;
};

static void picker_draw(struct picker *p)
{
    struct area a = screen_area(p->screen);
    struct render_options o = pane_options(p->screen, a, RENDER_TABLE);

    screen_clear(p->screen);
    struct area title = area_top(&a, 1), foot = area_bottom(&a, 1);
    screen_fill(p->screen, title, 0, 0, a.w, theme_ink(ROLE_TITLE), " ");
    screen_print(p->screen, title, 0, 1, theme_ink(ROLE_TITLE), "oscope: which session?");
    screen_print(p->screen, foot, 0, 0, theme_ink(ROLE_DIM), "arrows  Enter: look at it  q: quit");
    list_draw(p->screen, a, &p->list, p->view, &p->view->tables[0], &o);
    screen_flush(p->screen);
}

static void picker_choose(struct picker *p)
{
    const struct oscope_session_row *row = list_row(&p->list, &p->view->tables[0]);

    if (row && row->id && (p->id = strdup(row->id)))
        p->done = true;
}

static void picker_key(struct picker *p, int key)
{
    struct screen_mouse m;

    switch (key) {
    case '\r':
    case '\n':
    case KEY_ENTER: picker_choose(p); break;
    case 'q':
    case 27:
    case KEY_F(10): p->done = true; break;
    case KEY_MOUSE:
        if (screen_mouse(p->screen, &m) && m.press && list_click(&p->list, m.y - 1, m.x))
            break;
        break;
    case KEY_RESIZE: screen_redraw(p->screen); break;
    default: list_key(&p->list, key); break;
    }
}

static struct oscope_error *picker_loop(struct picker *p)
{
    while (!p->done && !picker_ended) {
        struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
        struct oscope_view *v;
        int key;
        TRY(oscope_view_list(&v));
        oscope_view_free(p->view);
        p->view = v;
        picker_draw(p);
        poll(&in, 1, LOOK_MS);
        if (in.revents & (POLLHUP | POLLERR))
            return NULL;
        while (!p->done && (key = screen_key(p->screen)) >= 0)
            picker_key(p, key);
    }
    return NULL;
}

struct oscope_error *tui_pick(bool colors, char **id)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct sigaction old[ARRAY_SIZE(signals)];
    struct picker p = {0};

    *id = NULL;
    p.list.key = "pid";
    picker_ended = 0;
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        sigaction(signals[i], &(struct sigaction){.sa_handler = picker_signal}, &old[i]);
    struct oscope_error *err = screen_open(colors, &p.screen);
    if (!err)
        err = picker_loop(&p);
    screen_close(p.screen);
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        sigaction(signals[i], &old[i], NULL);
    oscope_view_free(p.view);
    list_free(&p.list);
    *id = p.id;
    if (!err && picker_ended)
        raise(picker_ended);
    return err;
}
