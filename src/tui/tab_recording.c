/* SPDX-License-Identifier: MIT */
/*
 * Of a running guest: makes a recording, of sets chosen here. Of a recording: where in it we look;
 * all tabs show that moment.
 */
#include "tui/bars.h"
#include "tui/prompt.h"
#include "collect/recorder.h"
#include "tui/tabs.h"

#include "base/error.h"
#include "base/util.h"
#include "draw/text.h"

#include <curses.h>
#include <stdio.h>
#include <time.h>

enum asks { ASKS_NOTHING, ASKS_DIR, ASKS_TIME };
enum { TEXT = PROMPT_TEXT, STEP_USUAL = 2, LABEL = 11 };

static const struct {
    uint64_t ns;
    const char *name;
} steps[] = {{1000000, "1ms"},
             {10000000, "10ms"},
             {100000000, "100ms"},
             {1000000000, "1s"},
             {10000000000, "10s"}};

struct recording {
    const char *sets[SETS_MAX];
    size_t nsets, cursor;
    bool chosen[SETS_MAX];
    bool changed;   /* the choice is the user's, not what is on */
    char dir[TEXT]; /* "": by the time */
    enum asks asks;
    struct prompt prompt;
    struct recorder *recorder;
    size_t step;
};

static void recording_begin(struct tui *t, void *state)
{
    struct recording *r = state;

    r->nsets = collect_known_sets(r->sets);
    r->step = STEP_USUAL;
}

static void recording_end(struct tui *t, void *state)
{
    recorder_close(((struct recording *)state)->recorder);
}

static void recording_wish(struct tui *t, void *state)
{
    if (tui_is_recording(t))
        tui_want_report(t, "rates");
}

static bool is_running(struct recording *r)
{
    struct recorder_status st = {.state = RECORDER_ENDED};

    if (r->recorder)
        recorder_status(r->recorder, &st);
    return st.state != RECORDER_ENDED;
}

bool recording_runs(struct tui *t)
{
    struct recording *r = tui_state(t, &tab_recording);

    return r && is_running(r);
}

/* ---- lines ---- */

/* Moves on by a line; label may be "". */
static void line(struct tui *t, struct area *a, enum role role, const char *label, const char *text,
                 size_t n)
{
    struct screen *s = tui_screen(t);
    struct area l = area_top(a, 1);

    screen_print(s, l, 0, 1, theme_ink(ROLE_DIM), "%s", label);
    pane_put(s, l, 0, 1 + LABEL, l.w, theme_ink(role), text, n);
}

static void line_of(struct tui *t, struct area *a, enum role role, const char *label, struct out *o)
{
    line(t, a, role, label, o->buf ? o->buf : "", o->len);
    o->len = 0;
}

static void draw_prompt(struct tui *t, const struct recording *r, const char *label, struct area *a)
{
    struct area l = area_top(a, 1);

    screen_print(tui_screen(t), l, 0, 1, theme_ink(ROLE_BOLD), "%s", label);
    prompt_draw(tui_screen(t), l, 1 + LABEL, &r->prompt);
}

static void draw_notes(struct tui *t, struct area *a, const char notes[][160], size_t n)
{
    for (size_t i = 0; i < n; i++)
        line(t, a, ROLE_WARN, i ? "" : "notes", notes[i], strlen(notes[i]));
}

/* ---- making one ---- */

/* Until the user chooses: those that are on. */
static void follow_sets(struct tui *t, struct recording *r)
{
    size_t n;
    const char *const *on = tui_sets(t, &n);

    for (size_t i = 0; i < r->nsets && !r->changed; i++) {
        r->chosen[i] = false;
        for (size_t k = 0; k < n; k++)
            r->chosen[i] = r->chosen[i] || !strcmp(on[k], r->sets[i]);
    }
}

/* Which reports can be made from it. */
static void add_uses(struct out *o, const char *set)
{
    const char *name, *summary;
    bool any = false;

    for (size_t i = 0; oscope_report_kind(i, &name, &summary); i++)
        for (const char *const *n = oscope_monitor_needs(name); n && *n; n++)
            if (!strcmp(*n, set)) {
                out_printf(o, "%s%s", any ? ", " : "for report ", name);
                any = true;
                break;
            }
}

static void draw_sets(struct tui *t, const struct recording *r, struct area *a)
{
    struct screen *s = tui_screen(t);
    struct area box = area_top(a, (int)r->nsets);
    int top = MAX(0, MIN((int)r->cursor - box.h + 1, (int)r->nsets - box.h));
    struct out o;

    out_init(&o, -1);
    for (int y = 0; y < box.h && top + y < (int)r->nsets; y++) {
        size_t i = (size_t)(top + y);
        bool here = i == r->cursor;
        struct ink ink = theme_ink(here ? ROLE_SELECTED : r->chosen[i] ? ROLE_BOLD : ROLE_TEXT);
        if (here)
            screen_fill(s, box, y, 1, box.w - 1, ink, " ");
        screen_print(s, box, y, 1, here ? ink : theme_ink(ROLE_DIM), "%s", y || top ? "" : "sets");
        int x = screen_print(s, box, y, 1 + LABEL, ink, "[%c] %-10s", r->chosen[i] ? 'x' : ' ',
                             r->sets[i]);
        o.len = 0;
        add_uses(&o, r->sets[i]);
        screen_put(s, box, y, 1 + LABEL + x + 1, box.w, here ? ink : theme_ink(ROLE_DIM),
                   o.buf ? o.buf : "", o.len);
    }
    out_free(&o);
}

static const char *state_name(const struct recorder_status *st)
{
    switch (st->state) {
    case RECORDER_OPENING: return "is being switched on";
    case RECORDER_RUNS: return "RECORDING        r: stop";
    case RECORDER_STOPPING: return "what is left is being written";
    default: return *st->error ? "failed" : st->gone ? "ended with the guest" : "complete";
    }
}

static void draw_numbers(struct tui *t, const struct recorder_status *st, struct area *a)
{
    const struct oscope_recording_stats *n = &st->stats;
    struct out o;

    out_init(&o, -1);
    text_bytes(&o, n->bytes, false);
    if (st->state == RECORDER_RUNS) {
        out_str(&o, ", ");
        text_bytes(&o, (uint64_t)n->rate, false);
        out_str(&o, "/s");
    }
    line_of(t, a, ROLE_TEXT, "size", &o);
    text_duration(&o, n->duration);
    line_of(t, a, ROLE_TEXT, "time", &o);
    if (n->lost || n->dropped)
        out_printf(&o, "%llu packets overwritten, %llu events without room",
                   (unsigned long long)n->lost, (unsigned long long)n->dropped);
    else
        out_str(&o, "nothing");
    line_of(t, a, n->lost || n->dropped ? ROLE_BAD : ROLE_GOOD, "lost", &o);
    out_free(&o);
}

static void draw_recorder(struct tui *t, const struct recording *r, struct area *a)
{
    struct recorder_status st;
    struct out o;

    recorder_status(r->recorder, &st);
    out_init(&o, -1);
    line(t, a, ROLE_TEXT, "folder", st.dir, strlen(st.dir));
    out_str(&o, state_name(&st));
    line_of(t, a,
            *st.error                    ? ROLE_BAD
            : st.state == RECORDER_ENDED ? ROLE_GOOD
                                         : ROLE_WARN,
            "state", &o);
    out_free(&o);
    if (*st.error)
        line(t, a, ROLE_BAD, "why", st.error, strlen(st.error));
    draw_numbers(t, &st, a);
    draw_notes(t, a, st.notes, st.nnotes);
    if (st.state == RECORDER_ENDED && !*st.error)
        line(t, a, ROLE_DIM, "", "look at it: oscope top -t, oscope report -t, oscope export", 58);
}

static void draw_live(struct tui *t, struct recording *r, struct area a)
{
    char now[TEXT];

    follow_sets(t, r);
    area_top(&a, 1);
    if (r->recorder) {
        struct area top = area_top(&a, 9);
        draw_recorder(t, r, &top);
    }
    if (is_running(r))
        return;
    if (r->asks == ASKS_DIR) {
        draw_prompt(t, r, "folder:", &a);
    } else {
        recorder_name_now(now, TEXT);
        const char *dir = *r->dir ? r->dir : now;
        line(t, &a, ROLE_TEXT, r->recorder ? "the next" : "folder", dir, strlen(dir));
    }
    line(t, &a, ROLE_DIM, "", "r: record now   d: another folder   space: choose a set", 55);
    area_top(&a, 1);
    draw_sets(t, r, &a);
}

static void start(struct tui *t, struct recording *r)
{
    const char *sets[SETS_MAX];
    char dir[TEXT];
    size_t n = 0;

    follow_sets(t, r); /* the page may not have been drawn yet */
    for (size_t i = 0; i < r->nsets; i++)
        if (r->chosen[i])
            sets[n++] = r->sets[i];
    if (!n) {
        tui_say(t, "no set is chosen: space chooses the one under the cursor");
        return;
    }
    recorder_name_now(dir, TEXT);
    if (*r->dir)
        memcpy(dir, r->dir, sizeof dir);
    recorder_close(r->recorder); /* it has ended */
    struct oscope_error *err = recorder_start(tui_session(t), sets, n, dir, 0, &r->recorder);
    if (err)
        tui_say(t, "%s", err->message);
    oscope_error_free(err);
    r->dir[0] = '\0'; /* it exists from now on */
}

/* ---- looking at one ---- */

static void draw_place(struct tui *t, const struct collect_status *st, struct area *a)
{
    struct screen *s = tui_screen(t);
    struct area l = area_top(a, 2);
    int w = l.w - LABEL - 4;
    double all = (double)(st->span_to - st->span_from);
    int x = all > 0 ? (int)((double)(st->at - st->span_from) / all * (w - 1)) : 0;

    screen_fill(s, l, 0, 1 + LABEL, w, theme_ink(ROLE_DIM), screen_utf8(s) ? "\xe2\x94\x80" : "-");
    screen_print(s, l, 0, 1 + LABEL + MAX(0, MIN(x, w - 1)), theme_ink(ROLE_CHOSEN), "%s",
                 screen_utf8(s) ? "\xe2\x97\x86" : "#");
}

static void add_moment(struct out *o, const struct collect_status *st, uint64_t time)
{
    text_fine(o, time - st->span_from);
    out_printf(o, "  (@%llu.%09llu)", (unsigned long long)(time / 1000000000),
               (unsigned long long)(time % 1000000000));
}

/* How much there is of what, where we look. */
static void draw_rates(struct tui *t, struct area *a)
{
    const struct oscope_table *sets =
        tui_table(tui_report(t, "rates"), "sets", sizeof(struct oscope_rate_set));
    const struct oscope_rate_set *r = sets ? sets->rows : NULL;
    char rate[16], peak[16];
    struct out o;

    out_init(&o, -1);
    for (size_t i = 0; r && i < sets->nrows; i++) {
        out_printf(&o, "%-10s %5s events/s, at most %s", r[i].set, short_number(r[i].rate, rate),
                   short_number(r[i].peak, peak));
        line_of(t, a, ROLE_TEXT, i ? "" : "here", &o);
    }
    out_free(&o);
}

static void draw_recording(struct tui *t, const struct recording *r, struct area a)
{
    const struct collect_status *st = tui_status(t);
    struct out o;

    out_init(&o, -1);
    area_top(&a, 1);
    if (!st->span_to) {
        const char *why = *st->error ? st->error : st->busy ? "being opened" : "it has no events";
        line(t, &a, *st->error ? ROLE_BAD : ROLE_TEXT, "recording", why, strlen(why));
        return;
    }
    line(t, &a, ROLE_TEXT, "made of", st->sets, strlen(st->sets));
    add_moment(&o, st, st->span_from);
    line_of(t, &a, ROLE_TEXT, "begins", &o);
    add_moment(&o, st, st->span_to);
    line_of(t, &a, ROLE_TEXT, "ends", &o);
    add_moment(&o, st, st->at);
    out_str(&o, st->busy ? "  being read" : "");
    line_of(t, &a, ROLE_BOLD, "we look at", &o);
    draw_place(t, st, &a);
    out_printf(&o, "%s (+ -)   page: the %s before that moment, which reports show",
               steps[r->step].name, "5s");
    line_of(t, &a, ROLE_TEXT, "step", &o);
    if (r->asks == ASKS_TIME)
        draw_prompt(t, r, "go to:", &a);
    else
        line(t, &a, ROLE_DIM, "go to", "g: a time (2.5, 250ms after the beginning, @1234.5)", 51);
    area_top(&a, 1);
    draw_rates(t, &a);
    draw_notes(t, &a, st->notes, st->nnotes);
    out_free(&o);
}

static void seek_by(struct tui *t, uint64_t ns, bool back)
{
    uint64_t at = tui_moment(t);

    tui_seek(t, back ? at - MIN(at, ns) : at + MIN(ns, UINT64_MAX - at));
}

void recording_step(struct tui *t, int key)
{
    const struct recording *r = tui_state(t, &tab_recording);
    bool page = key == '(' || key == ')';

    if (!tui_is_recording(t))
        tui_say(t, "that is for recordings: oscope top -t DIR");
    else
        seek_by(t, page ? COLLECT_WINDOW_NS : steps[r->step].ns, key == ',' || key == '(');
}

static void seek_to(struct tui *t, const char *text)
{
    const struct collect_status *st = tui_status(t);
    struct text_moment m;

    if (!text_moment(text, &m))
        tui_say(t, "%s", TEXT_MOMENT_FORM);
    else if (m.absolute)
        tui_seek(t, m.ns);
    else
        tui_seek(t, st->span_from + MIN(m.ns, UINT64_MAX - st->span_from));
}

/* ---- keys ---- */

static void ask(struct recording *r, enum asks asks)
{
    r->asks = asks;
    r->prompt.text[0] = '\0';
    if (asks == ASKS_DIR && *r->dir)
        memcpy(r->prompt.text, r->dir, sizeof r->dir);
    else if (asks == ASKS_DIR)
        recorder_name_now(r->prompt.text, TEXT);
}

static void asked_key(struct tui *t, struct recording *r, int key)
{
    enum prompt_end end = prompt_key(&r->prompt, key);

    if (end == PROMPT_DONE && r->asks == ASKS_DIR)
        memcpy(r->dir, r->prompt.text, sizeof r->dir);
    else if (end == PROMPT_DONE)
        seek_to(t, r->prompt.text);
    if (end != PROMPT_GOES_ON)
        r->asks = ASKS_NOTHING;
}

static bool live_key(struct tui *t, struct recording *r, int key)
{
    bool runs = is_running(r);

    switch (key) {
    case 'r':
        if (runs)
            recorder_stop(r->recorder);
        else
            start(t, r);
        return true;
    case 'd':
        if (!runs)
            ask(r, ASKS_DIR);
        return true;
    case KEY_UP: r->cursor -= r->cursor > 0; return true;
    case KEY_DOWN: r->cursor += r->cursor + 1 < r->nsets; return true;
    case ' ':
        if (!runs && r->cursor < r->nsets) {
            r->changed = true;
            r->chosen[r->cursor] = !r->chosen[r->cursor];
        }
        return true;
    default: return false;
    }
}

static bool recorded_key(struct tui *t, struct recording *r, int key)
{
    switch (key) {
    case KEY_LEFT: recording_step(t, ','); return true;
    case KEY_RIGHT: recording_step(t, '.'); return true;
    case KEY_PPAGE: recording_step(t, '('); return true;
    case KEY_NPAGE: recording_step(t, ')'); return true;
    case KEY_HOME: tui_seek(t, 0); return true;
    case KEY_END: tui_seek(t, UINT64_MAX); return true;
    case 'g': ask(r, ASKS_TIME); return true;
    case '-': r->step -= r->step > 0; return true;
    case '+':
    case '=': r->step += r->step + 1 < ARRAY_SIZE(steps); return true;
    default: return false;
    }
}

static bool recording_key(struct tui *t, void *state, int key)
{
    struct recording *r = state;

    if (r->asks) {
        asked_key(t, r, key);
        return true;
    }
    return tui_is_recording(t) ? recorded_key(t, r, key) : live_key(t, r, key);
}

static void recording_draw(struct tui *t, void *state, struct area a)
{
    if (tui_is_recording(t))
        draw_recording(t, state, a);
    else
        draw_live(t, state, a);
}

static const struct tui_help help[] = {
    {"r", "running guest: record the sets chosen, or stop"},
    {"up, down, space", "running guest: choose sets; at first those that are on"},
    {"d", "running guest: the folder's name"},
    {"left, right (, .)", "recording: a step back or on; , and . do so in every tab"},
    {"PgUp, PgDn (( ))", "recording: a page back or on; ( and ) do so in every tab"},
    {"+, -", "recording: longer or shorter steps"},
    {"Home, End", "recording: its beginning, its end"},
    {"g", "recording: go to a time"},
    {NULL, NULL},
};

const struct tab tab_recording = {
    .name = "Recording",
    .help = help,
    .state_size = sizeof(struct recording),
    .begin = recording_begin,
    .end = recording_end,
    .wish = recording_wish,
    .draw = recording_draw,
    .key = recording_key,
};
