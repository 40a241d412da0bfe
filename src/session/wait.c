/* SPDX-License-Identifier: MIT */
/* Waiting for a kernel: see wait.h. */
#include "session/wait.h"

#include "base/clock.h"
#include "base/util.h"
#include "session/private.h"
#include "target/hostproc.h"

#define YOUNG_NS (UINT64_C(30) * 1000000000)

/* Does a vCPU execute in the upper half of the address space? *told: the registers tell. */
static bool in_upper_half(struct oscope_session *s, bool *told)
{
    struct target_vcpus vcpus;
    struct paging low, high;
    uint64_t pc;
    bool found = false;

    *told = false;
    struct oscope_error *err = s->arch ? target_registers(s->target, &vcpus)
                                       : error_new(OSCOPE_E_UNSUPPORTED, "no registers");
    if (err) {
        oscope_error_free(err);
        return false;
    }
    for (size_t i = 0; i < vcpus.n && !found; i++) {
        if (!target_reg(&vcpus.vcpus[i], s->arch->pc, &pc))
            continue;
        *told = true;
        found = pc >> 63 && s->arch->paging(&vcpus.vcpus[i], &low, &high) && high.mode;
    }
    target_vcpus_free(&vcpus);
    return found;
}

bool wait_is_due(struct wait *w, struct oscope_session *s, uint64_t now)
{
    bool told;

    if (now - w->looked < WAIT_LOOK_NS)
        return false;
    w->looked = now;
    s->own->silent = false;
    bool runs = in_upper_half(s, &told);
    if (!runs && now - w->sought < WAIT_BLIND_NS)
        return false;
    w->blind = told && !runs;
    w->seen = runs;
    w->sought = now;
    return true;
}

/* Until when to wait, ns. */
static uint64_t wait_limit(const struct oscope_session *s, const struct control *control,
                           uint64_t now)
{
    uint64_t started, limit;

    if (s->opts.wait == OSCOPE_WAIT_NOT)
        return 0;
    if (s->opts.wait)
        return __builtin_add_overflow(now, s->opts.wait, &limit) ? UINT64_MAX : limit;
    control_start(control, &started);
    return started ? started + YOUNG_NS : 0;
}

static bool goes_on(const struct oscope_session *s, const char *line)
{
    const struct session_desc *d = &s->own->desc;

    return host_alive(d->pid, d->start_time) &&
           (!s->opts.waiting || s->opts.waiting(s->opts.waiting_arg, line));
}

struct oscope_error *wait_for_os(struct oscope_session *s, const struct control *control,
                                 struct os_model **out)
{
    struct wait w = {.sought = clock_ns()};
    struct oscope_error *err = session_os(s, out);
    uint64_t now, limit = wait_limit(s, control, clock_ns());
    const char *line = "waiting for the guest's kernel";

    while (err && err->code == OSCOPE_E_NOT_FOUND && (now = clock_ns()) < limit &&
           goes_on(s, line)) {
        struct timespec t = {0, WAIT_LOOK_NS};
        line = NULL;
        if (wait_is_due(&w, s, now)) {
            target_refresh(s->target);
            oscope_error_free(err);
            err = session_os(s, out);
        }
        if (err)
            nanosleep(&t, NULL);
    }
    return err;
}
