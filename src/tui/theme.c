/* SPDX-License-Identifier: MIT */
#include "tui/theme.h"

#include "base/util.h"

/* Okabe and Ito, "Color Universal Design" (2008), made somewhat lighter for dark screens. */
enum {
    ORANGE = 0xe69f00,
    SKY = 0x56b4e9,
    GREEN = 0x2bb58a,
    YELLOW = 0xf0e442,
    BLUE = 0x3d8fd1,
    VERMILION = 0xe5692a,
    PURPLE = 0xcc79a7,
    GREY = 0x8a8a8a,
    DARK = 0x3a3a3a,
    WHITE = 0xffffff,
    BLACK = 0x000000,
};
#define NONE INK_DEFAULT

static const struct ink roles[ROLES] = {
    [ROLE_TEXT] = {NONE, NONE, 0, 0},
    [ROLE_DIM] = {GREY, NONE, 0, 0},
    [ROLE_BOLD] = {NONE, NONE, INK_BOLD, INK_BOLD},
    [ROLE_TITLE] = {BLACK, SKY, INK_BOLD, INK_REVERSE | INK_BOLD},
    [ROLE_TAB] = {NONE, DARK, 0, 0},
    [ROLE_TAB_ON] = {BLACK, GREEN, INK_BOLD, INK_REVERSE},
    [ROLE_HEAD] = {BLACK, GREEN, 0, INK_REVERSE},
    [ROLE_SORTED] = {BLACK, SKY, INK_BOLD, INK_REVERSE | INK_BOLD | INK_UNDERLINE},
    [ROLE_SELECTED] = {BLACK, SKY, 0, INK_REVERSE},
    [ROLE_MATCH] = {BLACK, YELLOW, 0, INK_UNDERLINE | INK_BOLD},
    [ROLE_KEY] = {NONE, NONE, INK_BOLD, INK_BOLD},
    [ROLE_LABEL] = {BLACK, SKY, 0, INK_REVERSE},
    [ROLE_GOOD] = {GREEN, NONE, 0, 0},
    [ROLE_WARN] = {ORANGE, NONE, INK_BOLD, INK_BOLD},
    [ROLE_BAD] = {VERMILION, NONE, INK_BOLD, INK_BOLD | INK_REVERSE},
    [ROLE_KERNEL] = {VERMILION, NONE, 0, INK_BOLD},
    [ROLE_USER] = {GREEN, NONE, 0, 0},
    [ROLE_FIRMWARE] = {PURPLE, NONE, 0, INK_BOLD},
    [ROLE_GUEST_KERNEL] = {ORANGE, NONE, 0, INK_BOLD},
    [ROLE_GUEST_USER] = {YELLOW, NONE, 0, 0},
    [ROLE_IDLE] = {GREY, NONE, 0, INK_DIM},
    [ROLE_UNKNOWN] = {GREY, NONE, INK_DIM, INK_DIM},
    [ROLE_CURSOR] = {BLACK, WHITE, INK_BOLD, INK_REVERSE},
    [ROLE_PERM_X] = {VERMILION, NONE, 0, INK_BOLD},
    [ROLE_PERM_W] = {GREEN, NONE, 0, 0},
    [ROLE_PERM_R] = {SKY, NONE, 0, 0},
    [ROLE_CHOSEN] = {WHITE, NONE, INK_BOLD, INK_BOLD | INK_REVERSE},
};

struct ink theme_ink(enum role r)
{
    return roles[r];
}

struct ink theme_fill(enum role r)
{
    struct ink i = roles[r];

    return (struct ink){BLACK, i.fg < 0 ? GREY : i.fg, 0, INK_REVERSE};
}

struct ink theme_hue(unsigned i)
{
    static const int32_t hues[THEME_HUES] = {SKY,      ORANGE,    GREEN,    PURPLE,
                                             YELLOW,   VERMILION, BLUE,     0x9fd86b,
                                             0xd0a0f0, 0xffc58a,  0x66d9d0, 0xff9aa2};

    return (struct ink){hues[i % THEME_HUES], NONE, 0, i % 2 ? INK_BOLD : 0};
}

static int mix(int a, int b, double share)
{
    return a + (int)((b - a) * share);
}

struct ink theme_heat(double share)
{
    /* dark blue, purple, orange, yellow: grows lighter all the way */
    static const int32_t stops[] = {0x30406a, 0x7b4bb0, 0xd8586b, 0xf59a3c, 0xfdf3a0};
    double at = MAX(0.0, MIN(share, 1.0)) * (ARRAY_SIZE(stops) - 1);
    size_t i = MIN((size_t)at, ARRAY_SIZE(stops) - 2);
    int32_t rgb = 0;

    for (int shift = 16; shift >= 0; shift -= 8)
        rgb |= mix((stops[i] >> shift) & 0xff, (stops[i + 1] >> shift) & 0xff, at - (double)i)
               << shift;
    return (struct ink){rgb, NONE, 0, share > 0.5 ? INK_BOLD : 0};
}

struct ink theme_owner(const char *owner)
{
    static const struct {
        const char *owner;
        int32_t color;
    } owners[] = {{"free", 0x4a4a4a},      {"slab", ORANGE},       {"pagetable", PURPLE},
                  {"anon", GREEN},         {"file", SKY},          {"kernel", BLUE},
                  {"reserved", VERMILION}, {"unmanaged", 0x2a2a2a}};

    for (size_t i = 0; owner && i < ARRAY_SIZE(owners); i++)
        if (!strcmp(owner, owners[i].owner))
            return (struct ink){owners[i].color, NONE, 0, 0};
    return (struct ink){YELLOW, NONE, 0, 0};
}

struct ink theme_sgr(const char *p, size_t n)
{
    /* 30 to 37, as roles of this theme rather than as the terminal's own */
    static const int32_t colors[8] = {GREY, VERMILION, GREEN, YELLOW, BLUE, PURPLE, SKY, NONE};
    struct ink ink = INK_PLAIN;

    for (size_t i = 0; i < n;) {
        int v = 0;
        for (; i < n && p[i] >= '0' && p[i] <= '9'; i++)
            v = v * 10 + (p[i] - '0');
        i++;
        if (v == 1)
            ink.attr |= INK_BOLD, ink.mono |= INK_BOLD;
        else if (v == 2)
            ink.fg = GREY, ink.mono |= INK_DIM;
        else if (v == 7)
            ink.attr |= INK_REVERSE, ink.mono |= INK_REVERSE;
        else if (v >= 30 && v <= 37)
            ink.fg = colors[v - 30];
    }
    return ink;
}
