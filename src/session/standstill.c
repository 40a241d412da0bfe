/* SPDX-License-Identifier: MIT */
/* A guest that stands still around commands: see standstill.h. All waits are bounded. */
#include "session/standstill.h"

#include "base/deadline.h"
#include "target/hostproc.h"

#include <unistd.h>

enum {
    LONGEST_MS = 2000, /* the engine goes on by itself then */
    STILL_MS = 100,    /* until the guest stands */
    SILENT_MS = 2,     /* ... when it did not before */
    ASLEEP_MS = 50,    /* until QEMU's main loop sleeps again */
    NAP_US = 20,
};

static void stand_still(void *ctx)
{
    struct standstill *s = ctx;
    uint64_t limit = deadline_in(s->silent ? SILENT_MS : STILL_MS);

    control_stand_still(s->control, deadline_in(LONGEST_MS));
    while (!control_stands_still(s->control) && clock_ns() < limit)
        usleep(NAP_US);
    s->silent = !control_stands_still(s->control);
}

static void go_on(void *ctx)
{
    struct standstill *s = ctx;
    uint64_t limit = deadline_in(ASLEEP_MS);

    while (!host_sleeps(s->pid) && clock_ns() < limit)
        usleep(NAP_US);
    control_stand_still(s->control, 0);
}

void standstill_begin(struct standstill *s, struct control *c, struct qmp *q, pid_t pid)
{
    *s = (struct standstill){.control = c, .pid = pid};
    if (!control_can_stand_still(c))
        return;
    qmp_set_around(q, &(struct qmp_around){.begin = stand_still, .end = go_on, .ctx = s});
    go_on(s);
}
