/* SPDX-License-Identifier: MIT */
/*
 * `report sched`: a Gantt chart that follows the newest time until one moves in it. Then the whole
 * tab stands still (it keeps its shot) while the guest and the other tabs go on; End follows again.
 * `report locks`: lists beside it.
 */
#include "tui/bars.h"
#include "tui/gantt.h"
#include "tui/report_page.h"
#include "tui/tabs.h"

#include "base/util.h"
#include "draw/text.h"

#include <curses.h>
#include <stdio.h>

enum side { SIDE_LATENCY, SIDE_WAKERS, SIDE_ALL_WAKERS, SIDES };
enum { COMM = 24, WIDE = 130, SIDE_CELLS = 30, LIST_LEAST = 5, STAMP = 32 };

/* Sub-views: the chart, then what is known of locks. */
enum { CHART, FIRST_LOCKS };
static const struct report_table locks[] = {
    {"Locks", "locks", "locks", sizeof(struct oscope_lock_row), "", "lock", "no lock was taken"},
    {"Kinds of locks", "locks", "classes", sizeof(struct oscope_lock_class), "", NULL,
     "no lock was taken"},
    {"Waits", "locks", "waiters", sizeof(struct oscope_lock_waiter), "-waits", NULL,
     "nobody waits for a lock"},
    {"Orders", "locks", "inversions", sizeof(struct oscope_lock_inversion), "", NULL,
     "no two locks were taken in both orders, in this time"},
};
static const struct report_alarm deadlocks = {"locks", "deadlocks",
                                              sizeof(struct oscope_lock_deadlock),
                                              " DEADLOCK: each waits for the next one's lock "};
static const char *const names[] = {"Chart", "Locks", "Kinds of locks", "Waits", "Orders", NULL};

struct scheduler {
    struct subs subs;
    struct report_page locks;
    int top; /* line of the screen where the tab begins */
    struct gantt gantt;
    struct list list;
    enum side side;
    struct shot *kept; /* what stands still; NULL: the newest is shown */
    uint64_t moment;   /* recordings: looked at when one moved in the chart last */
    struct area chart, tasks;
};

static void scheduler_begin(struct tui *t, void *state)
{
    struct scheduler *v = state;

    gantt_begin(&v->gantt);
    v->list.key = "tid";
    snprintf(v->list.sort, sizeof v->list.sort, "-run");
    report_page_begin(&v->locks, locks, ARRAY_SIZE(locks));
}

static void scheduler_end(struct tui *t, void *state)
{
    struct scheduler *v = state;

    tui_drop(t, v->kept);
    list_free(&v->list);
    report_page_end(&v->locks);
}

static const char *const *scheduler_reports(struct tui *t, void *state)
{
    static const char *const chart[] = {"sched", NULL}, *const of_locks[] = {"locks", NULL};

    return ((struct scheduler *)state)->subs.at == CHART ? chart : of_locks;
}

static void scheduler_wish(struct tui *t, void *state)
{
    struct scheduler *v = state;

    tui_want_report(t, v->subs.at == CHART ? "sched" : "locks");
    if (v->kept)
        tui_use(t, "sched", v->kept);
}

/* ---- what is shown ---- */

static bool data_of(struct tui *t, const struct shot *shot, struct gantt_data *d)
{
    const struct oscope_table *slices =
        tui_table(shot, "slices", sizeof(struct oscope_sched_slice));
    const struct oscope_table *interval =
        tui_table(shot, "interval", sizeof(struct oscope_report_interval));
    const struct oscope_table *cpus = tui_table(shot, "cpus", sizeof(struct oscope_sched_cpu));

    if (!slices || !interval || !interval->nrows || !cpus)
        return false;
    const struct oscope_report_interval *i = interval->rows;
    *d = (struct gantt_data){.slices = slices->rows,
                             .n = slices->nrows,
                             .start = i->start,
                             .end = i->end,
                             .last = tui_status(t)->span_to,
                             .zero = tui_is_recording(t) ? tui_status(t)->span_from : i->end,
                             .vcpus = (uint32_t)cpus->nrows};
    return true;
}

/* The task of the list's row is the one that the chart shows. */
static const struct oscope_sched_task *selected(const struct scheduler *v, const struct shot *shot)
{
    const struct oscope_table *tasks = tui_table(shot, "tasks", sizeof(struct oscope_sched_task));

    return tasks ? list_row(&v->list, tasks) : NULL;
}

/* Live what was moved in stands still; a recording is read elsewhere. */
static void after_move(struct tui *t, struct scheduler *v, const struct gantt_data *d)
{
    struct gantt *g = &v->gantt;

    if (!tui_is_recording(t)) {
        if (!g->follow && !v->kept)
            v->kept = tui_keep(t, tui_report(t, "sched"));
        return;
    }
    const struct collect_status *st = tui_status(t);
    uint64_t last = st->span_to - MIN(st->span_to, g->span);
    g->from = MAX(st->span_from, MIN(g->from, last));
    g->cursor = MAX(g->from, MIN(g->cursor, g->from + g->span - 1));
    uint64_t right = g->from + g->span;
    if (!g->follow && (g->from < d->start || right > d->end) && right != st->at)
        tui_seek(t, right);
    v->moment = tui_moment(t);
}

static void follow(struct tui *t, struct scheduler *v)
{
    tui_drop(t, v->kept);
    v->kept = NULL;
    v->gantt.follow = true;
}

/* Another tab, or key, went to another moment: the chart goes there, too. */
static void check_moment(struct tui *t, struct scheduler *v)
{
    if (tui_is_recording(t) && tui_moment(t) != v->moment)
        v->gantt.follow = true;
}

/* ---- lines ---- */

static void add_time(struct out *o, uint64_t ns)
{
    text_fine(o, ns);
}

static void add_task(struct out *o, const char *comm, int32_t tid, bool utf8)
{
    if (!tid) {
        out_str(o, "idle");
        return;
    }
    text_safe(o, comm, strnlen(comm, COMM), utf8);
    out_printf(o, "/%s", oscope_thread_text(tid, (char[24]){0}));
}

static void draw_head(struct tui *t, const struct scheduler *v, const struct gantt_data *d,
                      struct area a)
{
    struct screen *s = tui_screen(t);
    struct out o;
    int x;

    out_init(&o, -1);
    text_fine(&o, v->gantt.span);
    out_str(&o, " of ");
    text_fine(&o, d->end - MIN(d->end, d->start));
    out_char(&o, '\0');
    x = screen_print(s, a, 0, 0, theme_ink(ROLE_BOLD), "cpu  %s  ", o.buf ? o.buf : "");
    if (v->gantt.follow)
        x += screen_print(s, a, 0, x, theme_ink(ROLE_GOOD),
                          tui_is_recording(t) ? "at the moment" : "newest");
    else
        x += screen_print(s, a, 0, x, theme_ink(ROLE_WARN),
                          tui_is_recording(t) ? "moved" : "stands still");
    screen_print(s, a, 0, x, theme_ink(ROLE_DIM), "  %s",
                 v->gantt.follow ? "arrows, [ ]: stop and look  + -: zoom"
                                 : "End: goes on  + -: zoom");
    out_free(&o);
}

/* What the cursor is on. */
static void draw_cursor(struct tui *t, const struct scheduler *v, const struct gantt_data *d,
                        struct area a)
{
    const struct oscope_sched_slice *s = gantt_at(&v->gantt, d);
    bool utf8 = screen_utf8(tui_screen(t));
    struct out o;

    out_init(&o, -1);
    out_printf(&o, "cpu %u: ", v->gantt.cpu);
    if (!s) {
        out_str(&o, "what ran at the cursor is not known, or not kept");
    } else {
        add_task(&o, s->comm, s->tid, utf8);
        out_str(&o, " from ");
        if (s->since < 0)
            out_char(&o, '-');
        add_time(&o, (uint64_t)(s->since < 0 ? -s->since : s->since));
        out_str(&o, " for ");
        add_time(&o, s->duration);
        out_printf(&o, "%s%s", s->state ? ", left as " : ", still", s->state ? s->state : "");
        if (s->latency != OSCOPE_UNKNOWN) {
            out_str(&o, "; ran ");
            add_time(&o, s->latency);
            out_str(&o, " after being woken");
        }
        if (s->woken_by >= 0) {
            out_str(&o, " by ");
            add_task(&o, s->woken_comm, s->woken_by, utf8);
        }
    }
    screen_put(tui_screen(t), a, 0, 0, a.w, theme_ink(ROLE_TEXT), o.buf ? o.buf : "", o.len);
    out_free(&o);
}

/* ---- beside the tasks ---- */

static void draw_latency(struct tui *t, const struct shot *shot, struct area a)
{
    const struct oscope_table *bins =
        tui_table(shot, "latency", sizeof(struct oscope_histogram_bin));
    struct screen *s = tui_screen(t);
    struct area head = area_top(&a, 1);

    screen_fill(s, head, 0, 0, head.w, theme_ink(ROLE_HEAD), " ");
    screen_print(s, head, 0, 0, theme_ink(ROLE_HEAD), "WOKEN -> RUNS      s: wakers");
    if (!bins || !bins->nrows) {
        screen_print(s, a, 0, 0, theme_ink(ROLE_DIM), "nobody was woken");
        return;
    }
    const struct oscope_histogram_bin *b = bins->rows;
    size_t skip = bins->nrows > (size_t)MAX(a.h, 0) ? bins->nrows - (size_t)MAX(a.h, 0) : 0;
    uint64_t most = 1;
    for (size_t i = 0; i < bins->nrows; i++)
        most = MAX(most, b[i].count);
    for (size_t i = skip; i < bins->nrows; i++) {
        struct out o;
        char count[16];
        int y = (int)(i - skip), w = MAX(a.w - 17, 1);
        out_init(&o, -1);
        text_fine(&o, b[i].low);
        int used = (int)o.len;
        screen_put(s, a, y, MAX(0, 8 - used), 8, theme_ink(ROLE_TEXT), o.buf ? o.buf : "", o.len);
        hbar_draw(s, a, y, 9, w, theme_ink(ROLE_USER), (double)b[i].count / (double)most);
        screen_print(s, a, y, a.w - 6, theme_ink(ROLE_TEXT), "%6s",
                     short_number((double)b[i].count, count));
        out_free(&o);
    }
}

static bool of_task(const struct oscope_sched_waker *w, const struct oscope_sched_task *task)
{
    return !task || w->tid == task->tid || w->waker_tid == task->tid;
}

/* Who woke whom, most often first; of a task, or of all. */
static void draw_wakers(struct tui *t, const struct shot *shot,
                        const struct oscope_sched_task *task, struct area a)
{
    const struct oscope_table *wakers =
        tui_table(shot, "wakers", sizeof(struct oscope_sched_waker));
    const struct oscope_sched_waker *w = wakers ? wakers->rows : NULL;
    struct screen *s = tui_screen(t);
    struct area head = area_top(&a, 1);
    bool utf8 = screen_utf8(s);
    struct out o;
    int y = 0;

    screen_fill(s, head, 0, 0, head.w, theme_ink(ROLE_HEAD), " ");
    screen_print(s, head, 0, 0, theme_ink(ROLE_HEAD), "COUNT WHO WOKE WHOM%s",
                 task ? " (this task)" : "");
    out_init(&o, -1);
    for (size_t i = 0; w && i < wakers->nrows && y < a.h; i++) {
        char count[16];
        if (!of_task(&w[i], task))
            continue;
        o.len = 0;
        add_task(&o, w[i].waker_comm, w[i].waker_tid, utf8);
        out_str(&o, utf8 ? " \xe2\x86\x92 " : " > ");
        add_task(&o, w[i].comm, w[i].tid, utf8);
        screen_print(s, a, y, 0, theme_ink(ROLE_TEXT), "%5s",
                     short_number((double)w[i].count, count));
        screen_put(s, a, y++, 6, a.w - 6, theme_ink(ROLE_TEXT), o.buf ? o.buf : "", o.len);
    }
    if (!y)
        screen_print(s, a, 0, 0, theme_ink(ROLE_DIM), "nobody");
    out_free(&o);
}

static void draw_below(struct tui *t, struct scheduler *v, const struct shot *shot, struct area a)
{
    const struct oscope_table *tasks = tui_table(shot, "tasks", sizeof(struct oscope_sched_task));
    bool both = a.w >= WIDE;
    int side = MAX(SIDE_CELLS, both ? a.w / 4 : v->side == SIDE_LATENCY ? a.w / 3 : a.w / 2);

    if (!tasks)
        return;
    struct area left = area_left(&a, a.w - (both ? 2 : 1) * (side + 1));
    struct render_options o = pane_options(tui_screen(t), left, RENDER_TABLE);
    o.names = (const char *const[]){"tid",     "comm",        "run",         "share",
                                    "wait",    "latency_avg", "latency_max", "slices",
                                    "wakeups", "migrations",  NULL};
    v->tasks = left;
    list_draw(tui_screen(t), left, &v->list, shot->view, tasks, &o);
    const struct oscope_sched_task *task = v->side == SIDE_ALL_WAKERS ? NULL : selected(v, shot);
    area_left(&a, 1);
    struct area first = area_left(&a, side);
    if (both || v->side == SIDE_LATENCY)
        draw_latency(t, shot, first);
    else
        draw_wakers(t, shot, task, first);
    area_left(&a, 1);
    if (both)
        draw_wakers(t, shot, task, a);
}

static void scheduler_draw(struct tui *t, void *state, struct area a)
{
    struct scheduler *v = state;
    const struct shot *shot = tui_report(t, "sched");
    struct gantt_data d;

    v->top = a.y;
    subs_draw(tui_screen(t), &a, &v->subs, names, NULL);
    if (v->subs.at != CHART) {
        size_t i = (size_t)v->subs.at - FIRST_LOCKS;
        report_page_draw(t, a, &v->locks, &locks[i], i, &deadlocks);
        return;
    }
    if (tui_missing(t, a, shot, "Scheduler") || !data_of(t, shot, &d))
        return;
    check_moment(t, v);
    const struct oscope_sched_task *task = selected(v, shot);
    v->gantt.selected = task ? task->tid : 0;
    int lines =
        (int)MIN(d.vcpus, (uint32_t)MAX(a.h - 2 - GANTT_BELOW - MAX(a.h / 3, LIST_LEAST), 1));
    struct area head = area_top(&a, 1);
    v->chart = area_top(&a, lines + GANTT_BELOW);
    struct area cursor = area_top(&a, 1);
    gantt_draw(tui_screen(t), v->chart, &v->gantt, &d);
    draw_head(t, v, &d, head);
    draw_cursor(t, v, &d, cursor);
    draw_below(t, v, shot, a);
}

/* ---- keys ---- */

static void select_at_cursor(struct scheduler *v, const struct gantt_data *d)
{
    const struct oscope_sched_slice *s = gantt_at(&v->gantt, d);

    if (s && s->tid)
        list_select(&v->list, (uint64_t)(int64_t)s->tid);
}

static void switch_of(struct tui *t, struct scheduler *v, const struct gantt_data *d, int key)
{
    bool task = key == '[' || key == ']', back = key == '[' || key == '{';

    if (task && !v->gantt.selected)
        return;
    if (!gantt_switch(&v->gantt, d, task ? v->gantt.selected : 0, back))
        tui_say(t, "no switch %s it%s", back ? "before" : "after",
                back ? ", of those that are kept" : " yet");
}

static bool move_key(struct tui *t, struct scheduler *v, const struct gantt_data *d, int key)
{
    struct gantt *g = &v->gantt;

    switch (key) {
    case '+':
    case '=': gantt_zoom(g, d, false); break;
    case '-': gantt_zoom(g, d, true); break;
    case KEY_LEFT: gantt_move(g, d, -1); break;
    case KEY_RIGHT: gantt_move(g, d, 1); break;
    case 'b': gantt_move(g, d, -g->cells / 2); break;
    case 'f': gantt_move(g, d, g->cells / 2); break;
    case 'k': g->cpu -= g->cpu > 0; return true;
    case 'j': g->cpu += g->cpu + 1 < d->vcpus; return true;
    case '[':
    case ']':
    case '{':
    case '}': switch_of(t, v, d, key); break;
    case KEY_HOME: gantt_go(g, d->start, g->cpu); break;
    default: return false;
    }
    after_move(t, v, d);
    return true;
}

static bool scheduler_key(struct tui *t, void *state, int key)
{
    struct scheduler *v = state;
    const struct shot *shot = tui_report(t, "sched");
    struct gantt_data d;

    if (subs_key(&v->subs, names, key))
        return true;
    if (v->subs.at != CHART)
        return false;
    switch (key) {
    case KEY_SLEFT: return list_key(&v->list, KEY_LEFT);
    case KEY_SRIGHT: return list_key(&v->list, KEY_RIGHT);
    case 's': v->side = (v->side + 1) % SIDES; return true;
    case KEY_END: follow(t, v); return true;
    default: break;
    }
    if (!shot || !shot->view || !data_of(t, shot, &d))
        return false;
    if (key == '\r' || key == '\n' || key == KEY_ENTER) {
        select_at_cursor(v, &d);
        return true;
    }
    return move_key(t, v, &d, key);
}

static struct list *scheduler_list(struct tui *t, void *state)
{
    struct scheduler *v = state;

    return v->subs.at == CHART ? &v->list : &v->locks.lists[v->subs.at - FIRST_LOCKS];
}

static bool scheduler_click(struct tui *t, void *state, int y, int x)
{
    struct scheduler *v = state;
    const struct shot *shot = tui_report(t, "sched");
    struct gantt_data d;

    if (subs_click(&v->subs, y, x))
        return true;
    if (v->subs.at != CHART)
        return list_click(scheduler_list(t, v), y - 1 - v->locks.body, x);
    if (!shot || !shot->view || !data_of(t, shot, &d))
        return false;
    if (gantt_click(&v->gantt, y - (v->chart.y - v->top), x)) {
        after_move(t, v, &d);
        select_at_cursor(v, &d);
        return true;
    }
    return x < v->tasks.w && list_click(&v->list, y - (v->tasks.y - v->top), x);
}

static const struct tui_help help[] = {
    {"v, V", "the chart; locks: each, by kind, who waits for whom, taken in both orders"},
    {"left, right", "move the cursor, and at the edge the chart: it stands still then"},
    {"b, f", "the same by half a screen"},
    {"Home, End", "to the oldest that is kept; follow the newest time again"},
    {"+, -", "zoom"},
    {"[, ]", "the selected task's switch before the cursor, after it"},
    {"{, }", "any switch on the cursor's vCPU"},
    {"j, k", "the cursor's vCPU; a click puts the cursor there"},
    {"Enter", "select the task at the cursor"},
    {"up, down", "select a task: it is white in the chart"},
    {"s", "beside the tasks: latency, the task's wakers, all wakers"},
    {"S-left, S-right", "the list's columns"},
    {NULL, NULL},
};

const struct tab tab_scheduler = {
    .name = "Scheduler",
    .reports_now = scheduler_reports,
    .help = help,
    .state_size = sizeof(struct scheduler),
    .begin = scheduler_begin,
    .end = scheduler_end,
    .wish = scheduler_wish,
    .draw = scheduler_draw,
    .key = scheduler_key,
    .click = scheduler_click,
    .list = scheduler_list,
};
