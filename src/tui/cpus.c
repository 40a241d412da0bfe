/* SPDX-License-Identifier: MIT */
#include "tui/cpus.h"

#include "base/util.h"
#include "tui/bars.h"

static const struct mode {
    const char *name;
    size_t share; /* offset in struct oscope_modes_cpu */
    enum role role;
    char mark;
} modes[] = {
    {"firmware", offsetof(struct oscope_modes_cpu, firmware_share), ROLE_FIRMWARE, 'f'},
    {"kernel", offsetof(struct oscope_modes_cpu, kernel_share), ROLE_KERNEL, 'k'},
    {"user", offsetof(struct oscope_modes_cpu, user_share), ROLE_USER, 'u'},
    {"guest kernel", offsetof(struct oscope_modes_cpu, guest_kernel_share), ROLE_GUEST_KERNEL, 'K'},
    {"guest user", offsetof(struct oscope_modes_cpu, guest_user_share), ROLE_GUEST_USER, 'U'},
    {"idle", offsetof(struct oscope_modes_cpu, idle_share), ROLE_IDLE, '.'},
    {"unknown", offsetof(struct oscope_modes_cpu, unknown_share), ROLE_UNKNOWN, '?'},
};
enum { MODES = ARRAY_SIZE(modes) };

static double share_of(const struct oscope_modes_cpu *c, size_t i)
{
    double v;

    memcpy(&v, (const char *)c + modes[i].share, sizeof v);
    return v;
}

static void draw_legend(struct screen *s, struct area a, const struct oscope_modes_cpu *c, size_t n)
{
    int x = 5;

    for (size_t i = 0; i < MODES; i++) {
        bool any = false;
        for (size_t k = 0; k < n; k++)
            any = any || share_of(&c[k], i) > 0;
        if (!any)
            continue;
        char mark[2] = {screen_colors(s) ? ' ' : modes[i].mark, '\0'};
        screen_fill(s, a, 0, x, 1, screen_colors(s) ? theme_fill(modes[i].role) : INK_PLAIN, mark);
        x += 2;
        x += screen_print(s, a, 0, x, theme_ink(ROLE_DIM), "%s", modes[i].name) + 2;
    }
}

enum { NUMBERS = 37, BAR_LEAST = 10, HISTORY_MOST = 100 };

/* What a bin went to most, and how high its column is: all that was not idle. */
static double busiest(const struct oscope_modes_bin *b, enum role *role)
{
    const double shares[] = {b->firmware_share, b->kernel_share, b->user_share,
                             b->guest_kernel_share, b->guest_user_share};
    double sum = 0, most = -1;

    for (size_t i = 0; i < ARRAY_SIZE(shares); i++) { /* in the order of modes[] */
        sum += shares[i];
        if (shares[i] > most) {
            most = shares[i];
            *role = modes[i].role;
        }
    }
    return b->unknown_share > 50 ? -1 : sum;
}

/* The last bins of that vCPU. */
static void draw_history(struct tui *t, struct area a, int y, int x, int w, uint32_t cpu)
{
    const struct oscope_table *bins =
        tui_table(tui_report(t, "modes"), "bins", sizeof(struct oscope_modes_bin));
    const struct oscope_modes_bin *b = bins ? bins->rows : NULL;
    struct screen *s = tui_screen(t);

    for (size_t i = bins ? bins->nrows : 0; i-- && w > 0;) {
        enum role role = ROLE_IDLE;
        if (b[i].cpu != cpu)
            continue;
        double high = busiest(&b[i], &role);
        w--;
        if (high < 0)
            screen_fill(s, a, y, x + w, 1, theme_ink(ROLE_UNKNOWN), "?");
        else
            spark_draw(s, a, y, x + w, 1, theme_ink(role), &high, 1, 100);
    }
}

static void draw_cpu(struct tui *t, struct area a, int y, const struct oscope_modes_cpu *c)
{
    struct screen *s = tui_screen(t);
    struct bar_part parts[MODES];
    int room = a.w - 6 - NUMBERS - 1, w = MAX(room / 2, BAR_LEAST);

    w = MAX(w, room - HISTORY_MOST);
    for (size_t i = 0; i < MODES; i++)
        parts[i] = (struct bar_part){share_of(c, i), theme_fill(modes[i].role), modes[i].mark};
    screen_print(s, a, y, 0, theme_ink(ROLE_BOLD), "%3u ", c->cpu);
    screen_print(s, a, y, 4, theme_ink(ROLE_DIM), "[");
    bar_draw(s, a, y, 5, w, parts, MODES);
    screen_print(s, a, y, 5 + w, theme_ink(ROLE_DIM), "]");
    screen_print(s, a, y, 7 + w, INK_PLAIN, "us%6.1f ke%6.1f fw%6.1f id%6.1f", c->user_share,
                 c->kernel_share, c->firmware_share, c->idle_share);
    draw_history(t, a, y, 6 + w + NUMBERS, room - w, c->cpu);
}

void cpus_draw(struct tui *t, struct area *a)
{
    const struct shot *shot = tui_report(t, "modes");
    const struct oscope_table *cpus = tui_table(shot, "cpus", sizeof(struct oscope_modes_cpu));

    if (!cpus) {
        struct area box = area_top(a, 5);
        tui_missing(t, box, shot, "What the vCPUs do");
        return;
    }
    int n = (int)MIN(cpus->nrows, (size_t)MAX(a->h / 3, 1));
    struct area box = area_top(a, n + 1);
    draw_legend(tui_screen(t), box, cpus->rows, cpus->nrows);
    if ((size_t)n < cpus->nrows)
        screen_print(tui_screen(t), box, 0, box.w - 24, theme_ink(ROLE_WARN),
                     "the first %d of %zu vCPUs", n, cpus->nrows);
    for (int i = 0; i < n; i++)
        draw_cpu(t, box, i + 1, (const struct oscope_modes_cpu *)cpus->rows + i);
}
