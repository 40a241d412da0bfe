/* SPDX-License-Identifier: MIT */
#include "tui/area.h"

#include "base/util.h"

struct area area_top(struct area *a, int n)
{
    n = MAX(0, MIN(n, a->h));
    struct area top = {a->y, a->x, n, a->w};

    a->y += n;
    a->h -= n;
    return top;
}

struct area area_bottom(struct area *a, int n)
{
    n = MAX(0, MIN(n, a->h));
    a->h -= n;
    return (struct area){a->y + a->h, a->x, n, a->w};
}

struct area area_left(struct area *a, int n)
{
    n = MAX(0, MIN(n, a->w));
    struct area left = {a->y, a->x, a->h, n};

    a->x += n;
    a->w -= n;
    return left;
}
