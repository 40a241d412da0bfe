/* SPDX-License-Identifier: MIT */
/*
 * From a command to its view on the screen: opens the session, makes the view once or every
 * --watch seconds, renders it. The session stays open between rounds, so a round costs what
 * reading costs.
 *
 * Signals: with --watch or --pause, SIGINT and friends are blocked and waited for between rounds,
 * never taken in the middle of one, so a guest that was stopped for a look always runs on.
 */
#include "cli/cmd.h"
#include "draw/text.h"
#include "collect/collect.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct show {
    struct cli *c;
    const struct cmd_view *v;
    struct render_options r;
    double every; /* seconds, 0: once */
    bool redraw;  /* on a terminal, in place */
    struct oscope_session *session;
    struct out out, notes;
    char *columns; /* what r.names points into */
    const char *names[RENDER_COLUMNS_MAX + 1];
    size_t rounds;
};

/* ---- options ---- */

static int show_columns(struct show *s, const char *list)
{
    size_t n = 0;

    s->columns = strdup(list);
    if (!s->columns)
        return cli_failed(s->c, "out of memory");
    for (char *p = s->columns, *word; (word = strsep(&p, ","));) {
        while (*word == ' ')
            word++;
        for (size_t end = strlen(word); end && word[end - 1] == ' ';)
            word[--end] = '\0';
        if (!*word)
            return cli_usage(s->c, "--columns: names with commas between them, not '%s'", list);
        if (n == RENDER_COLUMNS_MAX)
            return cli_usage(s->c, "--columns: too many");
        for (char *q = word; *q; q++)
            if (*q >= 'A' && *q <= 'Z')
                *q += 'a' - 'A'; /* as the heads are written */
        for (size_t i = 0; i < n; i++)
            if (!strcmp(s->names[i], word))
                return cli_usage(s->c, "--columns: duplicate column '%s'", word);
        s->names[n++] = word;
    }
    s->r.names = s->names;
    return CLI_OK;
}

static int show_options(struct show *s)
{
    const char *o, *when = cli_option(s->c, "color");
    enum term_color color = COLOR_AUTO;

    if (when && !strcmp(when, "always"))
        color = COLOR_ALWAYS;
    else if (when && !strcmp(when, "never"))
        color = COLOR_NEVER;
    else if (when && strcmp(when, "auto"))
        return cli_usage(s->c, "--color: auto, always or never, not '%s'", when);
    if ((o = cli_option(s->c, "output"))) {
        s->r.json = !strcmp(o, "json");
        if (!s->r.json && strcmp(o, "text"))
            return cli_usage(s->c, "--output: text or json, not '%s'", o);
    }
    s->every = s->v->every;
    if ((o = cli_option(s->c, "watch")) && !text_seconds(o, &s->every))
        return cli_usage(s->c, "--watch: seconds from 0.001 on, not '%s'", o);
    if ((o = cli_option(s->c, "columns"))) {
        int status = show_columns(s, o);
        if (status)
            return status;
    }
    term_init(&s->r.term, STDOUT_FILENO, color);
    s->r.form = s->v->form;
    s->r.tables = s->v->tables;
    s->r.top = s->v->top;
    s->r.no_header = cli_option(s->c, "no-header") != NULL;
    s->r.exact = cli_option(s->c, "bytes") != NULL;
    s->r.one_line = s->every > 0;
    s->redraw = s->every > 0 && s->r.term.tty && !s->r.json && !s->v->append;
    return CLI_OK;
}

/* ---- several views shown as one ---- */

struct show_views {
    struct oscope_view *v[256], *one; /* one: what is shown */
    size_t n;
    struct oscope_view merged;
    struct oscope_table table;
    const char *notes[64];
};

static void show_free(struct show_views *views)
{
    for (size_t i = 0; i < views->n; i++)
        oscope_view_free(views->v[i]);
    if (views->one == &views->merged)
        free(views->table.rows);
}

/* How many columns text shows. */
static size_t show_shown(const struct oscope_column *c)
{
    size_t n = 0;

    for (; c->name; c++)
        n += !(c->flags & OSCOPE_COL_JSON_ONLY);
    return n;
}

/* The rows of all in one table: they have the same columns, of which some views show more (an
 * address of `sym` its offset). Strings stay with their views. */
static bool show_merge(struct show_views *views)
{
    struct oscope_view *m = &views->merged;
    size_t rows = 0, at = 0;

    views->one = views->v[0];
    if (views->n == 1)
        return true;
    *m = *views->v[0];
    views->table = *m->tables;
    for (size_t i = 0; i < views->n; i++) {
        const struct oscope_view *v = views->v[i];
        rows += v->tables[0].nrows;
        if (show_shown(v->tables[0].columns) > show_shown(views->table.columns))
            views->table.columns = v->tables[0].columns;
        if (v->consistency > m->consistency)
            m->consistency = v->consistency;
    }
    char *all = calloc(rows ? rows : 1, views->table.row_size);
    if (!all)
        return false;
    m->nnotes = 0;
    for (size_t i = 0; i < views->n; i++) {
        const struct oscope_view *v = views->v[i];
        size_t n = v->tables[0].nrows * views->table.row_size;
        if (n)
            memcpy(all + at, v->tables[0].rows, n);
        at += n;
        for (size_t k = 0; k < v->nnotes && m->nnotes < 64; k++)
            views->notes[m->nnotes++] = v->notes[k];
    }
    views->table.rows = all;
    views->table.nrows = rows;
    m->tables = &views->table;
    m->ntables = 1;
    m->notes = views->notes;
    views->one = m;
    return true;
}

/* ---- one round ---- */

static size_t show_lines(const struct out *screen)
{
    size_t n = 0;

    for (size_t i = 0; i < screen->len; i++)
        n += screen->buf[i] == '\n';
    return n;
}

/* What was rendered in memory goes to the terminal: from the top, no line left over, no flicker.
 * The last line is left to the shell's prompt; the one before says how much did not fit. */
static void show_redraw(struct show *s, struct out *screen)
{
    size_t lines = 0, all = show_lines(screen);
    size_t room = s->r.term.height > 1 ? (size_t)s->r.term.height - 1 : 0;
    size_t shown = all > room && room ? room - 1 : room;

    out_str(&s->out, s->rounds ? "\033[H" : "\033[H\033[2J");
    for (size_t at = 0; at < screen->len && lines < shown; lines++) {
        const char *p = screen->buf + at, *end = memchr(p, '\n', screen->len - at);
        size_t n = end ? (size_t)(end - p) : screen->len - at;
        out_mem(&s->out, p, n);
        out_str(&s->out, "\033[K\n");
        at += n + 1;
    }
    if (lines < all && room)
        out_printf(&s->out, "%s %zu more lines\033[K\n", s->r.term.utf8 ? "\xe2\x80\xa6" : "...",
                   all - lines);
    out_str(&s->out, "\033[J");
}

static int show_unknown_column(struct show *s, const struct oscope_view *v, const char *name)
{
    struct out known;

    out_init(&known, -1);
    for (size_t k = 0; k < v->ntables; k++)
        for (const struct oscope_column *c = v->tables[k].columns; c->name; c++) {
            if (known.len)
                out_str(&known, ", ");
            out_str(&known, c->name);
        }
    out_char(&known, '\0');
    int status =
        cli_usage(s->c, "unknown column '%s' (known: %s)", name, known.buf ? known.buf : "");
    out_free(&known);
    return status;
}

static size_t show_rows(const struct oscope_view *v)
{
    size_t n = 0;

    for (size_t k = 0; k < v->ntables; k++)
        n += v->tables[k].nrows;
    return n;
}

static void show_draw(struct show *s, const struct oscope_view *v)
{
    struct out screen;

    if (s->v->append && !show_rows(v) && s->rounds)
        return;
    if (!s->redraw) {
        if (s->rounds && !s->v->append && !s->r.json)
            out_char(&s->out, '\n');
        bool together = s->r.term.tty && !s->r.json;
        render_view(&s->out, together ? &s->out : &s->notes, v, &s->r);
        return;
    }
    term_size(&s->r.term, STDOUT_FILENO);
    out_init(&screen, -1);
    render_view(&screen, &screen, v, &s->r);
    show_redraw(s, &screen);
    out_free(&screen);
}

static int show_round(struct show *s)
{
    struct show_views *views = calloc(1, sizeof *views);
    size_t count = s->v->count ? s->v->count : 1;
    struct oscope_error *err = NULL;
    int status = CLI_OK;

    if (!views)
        return cli_failed(s->c, "out of memory");
    for (size_t i = 0; i < count && !err; i++) {
        err = s->v->make(s->session, s->v->arg, i, &views->v[views->n]);
        if (!err)
            views->n++;
    }
    if (err) {
        status = cli_error(s->c, err);
    } else if (!show_merge(views)) {
        status = cli_failed(s->c, "out of memory");
    } else {
        const char *unknown = render_unknown_column(views->one, &s->r);
        const char *bad = s->v->check ? s->v->check(views->one, s->v->arg) : NULL;
        if (unknown) {
            status = show_unknown_column(s, views->one, unknown);
        } else {
            if (!bad || show_rows(views->one))
                show_draw(s, views->one);
            out_flush(&s->out);
            out_flush(&s->notes);
            if (bad)
                status = cli_failed(s->c, "%s", bad);
        }
    }
    s->rounds++;
    show_free(views);
    free(views);
    return status;
}

/* ---- rounds ---- */

static void show_signals(sigset_t *set)
{
    static const int list[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

    sigemptyset(set);
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        sigaddset(set, list[i]);
}

/* Waits until *next; false when the user wants to stop. */
static bool show_wait(struct timespec *next, double every, const sigset_t *set)
{
    struct timespec now, left;
    int64_t step = (int64_t)(every * 1e9), ns;

    ns = next->tv_nsec + step;
    next->tv_sec += ns / 1000000000;
    next->tv_nsec = ns % 1000000000;
    for (;;) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        ns = (int64_t)(next->tv_sec - now.tv_sec) * 1000000000 + next->tv_nsec - now.tv_nsec;
        if (ns < 0) { /* a round took longer than the interval: go on from now */
            *next = now;
            ns = 0;
        }
        left = (struct timespec){ns / 1000000000, ns % 1000000000};
        int sig = sigtimedwait(set, NULL, &left);
        if (sig == SIGTSTP) {
            raise(SIGSTOP);
            continue;
        }
        if (sig > 0)
            return false;
        if (errno != EINTR)
            return true;
    }
}

static int show_rounds(struct show *s)
{
    struct timespec next;
    sigset_t set, old;
    int status;

    show_signals(&set);
    bool blocked = s->every > 0 || cli_option(s->c, "pause");
    if (blocked)
        sigprocmask(SIG_BLOCK, &set, &old);
    clock_gettime(CLOCK_MONOTONIC, &next);
    do
        status = show_round(s);
    while (status == CLI_OK && s->every > 0 && !s->out.error &&
           (!s->v->more || s->v->more(s->v->arg)) && show_wait(&next, s->every, &set));
    if (blocked)
        sigprocmask(SIG_SETMASK, &old, NULL);
    return status;
}

/* The reader of our pipe has gone: end as if the signal had been taken. */
static int show_finish(struct show *s, int status)
{
    int error = s->out.error;

    if (error == EPIPE) {
        signal(SIGPIPE, SIG_DFL);
        raise(SIGPIPE);
    }
    if (error)
        return cli_failed(s->c, "cannot write the output: %s", strerror(error));
    return status;
}

/* ---- on the live screen ---- */

/* How it is drawn there; takes the columns' names over. */
static struct command_form *show_form(struct show *s)
{
    struct command_form *f = calloc(1, sizeof *f);

    if (!f)
        return NULL;
    f->options = s->r;
    f->columns = s->columns;
    s->columns = NULL;
    if (s->r.names) {
        memcpy(f->names, s->names, sizeof f->names);
        f->options.names = f->names;
    }
    return f;
}

static int show_look(struct show *s)
{
    struct cli_look *look = s->c->look;
    struct oscope_view *view;

    if (s->v->count > 1)
        return cli_usage(s->c, "one at a time, here");
    struct oscope_error *err = s->v->make(look->session, s->v->arg, 0, &view);
    if (err)
        return cli_error(s->c, err);
    const char *unknown = render_unknown_column(view, &s->r);
    const char *bad = !unknown && s->v->check ? s->v->check(view, s->v->arg) : NULL;
    int status = unknown ? show_unknown_column(s, view, unknown)
                 : bad   ? cli_failed(s->c, "%s", bad)
                         : CLI_OK;
    if (unknown || (bad && !show_rows(view)) || !(look->form = show_form(s)))
        oscope_view_free(view);
    else
        look->view = view;
    return status;
}

int cmd_show(struct cli *c, const struct cmd_view *v)
{
    struct show s = {.c = c, .v = v};
    int status = show_options(&s);

    if (!status && c->look)
        status = show_look(&s);
    if (status || c->look) {
        free(s.columns);
        return status;
    }
    signal(SIGPIPE, SIG_IGN);
    out_init(&s.out, STDOUT_FILENO);
    out_init(&s.notes, STDERR_FILENO);
    status = cli_open(c, v->no_session ? NULL : &s.session);
    if (!status)
        status = show_rounds(&s);
    if (s.session)
        oscope_session_close(s.session);
    out_free(&s.notes);
    status = show_finish(&s, status);
    out_free(&s.out);
    free(s.columns);
    return status;
}
