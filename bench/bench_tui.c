/* SPDX-License-Identifier: MIT */
/*
 * How long the live screen takes to draw a list of tasks: a view made by hand, on a terminal whose
 * other end is read by a second process. Frames of a list that scrolls, of one that is new every
 * time (sorted, filtered, as a tree), and of the tab's widgets.
 *
 *     bench_tui [TASKS [FRAMES]]
 */
#include "analysis/columns.h"
#include "base/clock.h"
#include "base/util.h"
#include "tui/grid.h"
#include "tui/list.h"
#include "tui/pane.h"
#include "tui/ptmap.h"

#include <oscope/oscope.h>

#include <curses.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

struct bench {
    struct screen *s;
    struct oscope_view view[2]; /* two, so that one is new */
    struct oscope_table table[2];
    size_t n, frames;
    FILE *results;
};

static bool make(struct bench *b)
{
    for (int k = 0; k < 2; k++) {
        struct oscope_task *tasks = calloc(b->n, sizeof *tasks);
        if (!tasks)
            return false;
        for (size_t i = 0; i < b->n; i++) {
            tasks[i] = (struct oscope_task){.pid = (int32_t)i + 1,
                                            .tgid = (int32_t)i + 1,
                                            .tid = (int32_t)i + 1,
                                            .ppid = (int32_t)(i / 7),
                                            .state = i % 5 ? "S" : "R",
                                            .cpu = (int32_t)(i % 8),
                                            .prio = 20,
                                            .time = i * 12345678,
                                            .rss = (i * 7919 % 1000) << 12,
                                            .depth = (uint16_t)(i % 6)};
            snprintf(tasks[i].comm, sizeof tasks[i].comm, "task-%zu/%zu", i, i * 31 % 97);
        }
        b->table[k] = (struct oscope_table){"tasks", ps_columns, sizeof *tasks, tasks, b->n, 0};
        b->view[k] = (struct oscope_view){.name = "ps", .tables = &b->table[k], .ntables = 1};
    }
    return true;
}

/* Draws `frames` frames; step moves the cursor, fresh: each is of another view. */
static void frames(struct bench *b, const char *name, struct list *l, long step, bool fresh)
{
    struct area a = screen_area(b->s);
    struct render_options o = pane_options(b->s, a, RENDER_TABLE);
    uint64_t began = clock_ns();

    for (size_t i = 0; i < b->frames; i++) {
        size_t k = fresh ? i % 2 : 0;
        for (long n = 0; n < step; n++)
            list_key(l, KEY_DOWN);
        if (l->cursor + 1 >= b->n)
            list_key(l, KEY_HOME);
        screen_clear(b->s);
        list_draw(b->s, a, l, &b->view[k], &b->table[k], &o);
        screen_flush(b->s);
    }
    double ms = (double)(clock_ns() - began) / 1e6 / (double)b->frames;
    fprintf(b->results, "%-34s %8.3f ms a frame, %8.0f frames a second\n", name, ms, 1000 / ms);
}

static struct grid_cell cell(const void *arg, size_t i)
{
    static const char *const owners[] = {"free", "slab", "anon", "file", "kernel"};

    return (struct grid_cell){i << 12, 1 << 12, theme_owner(owners[i * 7 / 3 % 5]), 'x'};
}

static void widgets(struct bench *b)
{
    struct area a = screen_area(b->s);
    AUTO_FREE struct oscope_region *r = calloc(b->n, sizeof *r);
    struct grid g = {0};
    struct ptmap p = {0};

    for (size_t i = 0; r && i < b->n; i++)
        r[i] = (struct oscope_region){
            .start = i << 16, .end = (i << 16) + 0x8000, .size = 0x8000, .perm = "RW-U---"};
    uint64_t began = clock_ns();
    for (size_t i = 0; i < b->frames; i++) {
        screen_clear(b->s);
        grid_draw(b->s, a, &g, 9, b->n, cell, NULL);
        grid_key(&g, KEY_RIGHT);
        screen_flush(b->s);
    }
    double ms = (double)(clock_ns() - began) / 1e6 / (double)b->frames;
    fprintf(b->results, "%-34s %8.3f ms a frame\n", "map of memory, as many cells", ms);
    began = clock_ns();
    for (size_t i = 0; r && i < b->frames; i++) {
        screen_clear(b->s);
        ptmap_draw(b->s, a, &p, r, b->n, i * 61 % b->n);
        screen_flush(b->s);
    }
    ms = (double)(clock_ns() - began) / 1e6 / (double)b->frames;
    fprintf(b->results, "%-34s %8.3f ms a frame\n", "page table, as many regions", ms);
    grid_free(&g);
}

static int draw(struct bench *b)
{
    struct list scroll = {.key = "tid"}, page = {.key = "tid"}, fresh = {.key = "tid"},
                sorted = {.key = "tid", .sort = "-time"},
                filtered = {.key = "tid", .sort = "-rss", .filter = "task-1"},
                only = {.key = "tid", .only = "state=R"}, tree = {.key = "tid", .tree = true};
    struct oscope_error *err = screen_open(true, &b->s);

    if (err || !make(b)) {
        fprintf(b->results, "%s\n", err ? err->message : "out of memory");
        return 1;
    }
    frames(b, "one row on", &scroll, 1, false);
    frames(b, "pages on", &page, 50, false);
    frames(b, "new every frame", &fresh, 1, true);
    frames(b, "new, sorted", &sorted, 1, true);
    frames(b, "new, filtered and sorted", &filtered, 1, true);
    frames(b, "new, of one tab's filter", &only, 1, true);
    frames(b, "new, as a tree", &tree, 1, true);
    widgets(b);
    screen_close(b->s);
    return 0;
}

int main(int argc, char **argv)
{
    struct bench b = {.n = argc > 1 ? strtoul(argv[1], NULL, 0) : 10000,
                      .frames = argc > 2 ? strtoul(argv[2], NULL, 0) : 300,
                      .results = stderr};
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    char text[4096];
    int status = 1;

    if (!b.n || !b.frames || master < 0 || grantpt(master) || unlockpt(master))
        return 1;
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    ioctl(slave, TIOCSWINSZ, &(struct winsize){.ws_row = 60, .ws_col = 200});
    setenv("TERM", "xterm-256color", 0);
    pid_t child = fork();
    if (!child) {
        close(master);
        dup2(slave, STDIN_FILENO);
        dup2(slave, STDOUT_FILENO);
        _exit(draw(&b));
    }
    close(slave);
    while (child > 0 && read(master, text, sizeof text) > 0)
        ;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
