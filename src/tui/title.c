/* SPDX-License-Identifier: MIT */
#include "tui/title.h"

#include "base/util.h"
#include "draw/text.h"
#include "tui/pane.h"
#include "tui/theme.h"

#include <stdio.h>

/* What of the guest is worth the room: architecture, kernel, vCPUs. */
static void put_guest(struct screen *s, struct area a, int x, const struct oscope_info *i)
{
    const char *kernel = i->release ? i->release : i->os ? i->os : "";
    struct ink ink = theme_ink(ROLE_TITLE);

    x += screen_print(s, a, 0, x, ink, "%s ", i->arch ? i->arch : "");
    x += pane_put(s, a, 0, x, a.w, ink, kernel, strlen(kernel));
    screen_print(s, a, 0, x, ink, ", %u vCPU%s", i->vcpus, i->vcpus == 1 ? "" : "s");
}

void title_draw(struct screen *s, struct area a, const struct title *v)
{
    const struct collect_status *st = v->status;
    struct ink ink = theme_ink(ROLE_TITLE);
    char right[96];

    screen_fill(s, a, 0, 0, a.w, ink, " ");
    int n = snprintf(right, sizeof right, "%s%s%s%s ", v->records ? "REC " : "",
                     v->paused ? "PAUSED " : "", st->ended ? "GUEST ENDED " : "",
                     st->busy ? "busy " : "");
    if (st->lost_events || st->lost_packets)
        n += snprintf(right + n, sizeof right - (size_t)n, "LOST %llu events, %llu packets ",
                      (unsigned long long)st->lost_events, (unsigned long long)st->lost_packets);
    int x = 1 + screen_print(s, a, 0, 1, ink, "oscope  %s", v->name);
    if (v->info)
        put_guest(s, a, x + 2, v->info);
    int at = a.w - (int)text_width(right, (size_t)MAX(n, 0));
    screen_print(s, a, 0, MAX(at, 0), ink, "%s", right);
}
