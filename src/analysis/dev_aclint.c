/* SPDX-License-Identifier: MIT */
/*
 * `dev aclint`: the machine's clock (mtime), each hart's deadline (mtimecmp) and software interrupt
 * (msip), and what the hart itself says is pending and enabled (mip, mie). RISC-V ACLINT
 * specification 1.0-rc4, chapters 2 and 3; QEMU has mtime at the end of the timer's range.
 *
 * mtime is read after the deadlines: one that is shown as passed has passed.
 */
#include "analysis/dev.h"

#include "analysis/columns.h"
#include "base/util.h"

#include <stdio.h>

#define CLOCK(member, kind, flags, doc)                                                            \
    OSCOPE_COLUMN(struct oscope_aclint_clock, member, kind, flags, doc)
const struct oscope_column aclint_clock_columns[] = {
    CLOCK(base, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY, "address of the timer"),
    CLOCK(mtime, OSCOPE_UINT, 0, "the clock's ticks"),
    CLOCK(frequency, OSCOPE_UINT, 0, "ticks a second; null: the device tree does not tell"),
    CLOCK(time, OSCOPE_DURATION, 0, "the same as time"),
    CLOCK(next_hart, OSCOPE_UINT, 0, "whose deadline is the next; null: nobody's"),
    CLOCK(next, OSCOPE_DURATION, OSCOPE_COL_FINE, "until then, ns"),
    {0},
};

#define HART(member, kind, flags, doc)                                                             \
    OSCOPE_COLUMN(struct oscope_aclint_hart, member, kind, flags, doc)
const struct oscope_column aclint_hart_columns[] = {
    HART(base, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY, "address of the timer"),
    HART(hart, OSCOPE_UINT, 0, "the hart's id"),
    HART(mtimecmp, OSCOPE_HEX, 0,
         "its deadline, in ticks of mtime; null: never, all its bits are 1"),
    HART(timer, OSCOPE_TEXT, 0, "runs, passed, or never (all bits are 1); null: not known"),
    HART(due, OSCOPE_DURATION, OSCOPE_COL_FINE,
         "until the deadline, ns; null: it has passed, or never comes, or the clock's frequency is "
         "not known"),
    HART(msip, OSCOPE_UINT, 0, "1: its software interrupt is raised"),
    HART(pending, OSCOPE_TEXT, 0, "interrupts in the hart's mip; null: not known"),
    HART(enabled, OSCOPE_TEXT, 0, "interrupts in the hart's mie; null: not known"),
    {0},
};

enum { MTIME = 0x7ff8, HARTS_MAX = 512, CAUSE_TIMER = 7 };

/* RISC-V privileged architecture, "mip and mie". */
static const char *const interrupts[64] = {
    [1] = "SSIP", [2] = "VSSIP",  [3] = "MSIP",  [5] = "STIP",   [6] = "VSTIP",   [7] = "MTIP",
    [9] = "SEIP", [10] = "VSEIP", [11] = "MEIP", [12] = "SGEIP", [13] = "LCOFIP",
};

static const char *interrupt_names(uint64_t bits, char enable, struct arena *strings)
{
    char text[128];
    size_t used = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < 64 && used + 16 < sizeof text; i++) {
        if (!(bits >> i & 1) || !interrupts[i])
            continue;
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? " " : "",
                                 interrupts[i]);
        if (enable)
            text[used - 1] = enable; /* SSIP is SSIE in mie */
    }
    return arena_strdup(strings, text);
}

/* The harts' own word, by mhartid. */
static void ask_hart(const struct target_vcpus *vcpus, struct oscope_aclint_hart *row,
                     struct arena *strings)
{
    for (size_t i = 0; i < vcpus->n; i++) {
        uint64_t hart, mip, mie;
        const struct target_vcpu *v = &vcpus->vcpus[i];
        if (!target_reg(v, "mhartid", &hart) || hart != row->hart || !target_reg(v, "mip", &mip) ||
            !target_reg(v, "mie", &mie))
            continue;
        row->pending = interrupt_names(mip, 0, strings);
        row->enabled = interrupt_names(mie, 'E', strings);
    }
}

static uint64_t to_ns(uint64_t ticks, uint64_t frequency)
{
    return frequency ? (uint64_t)((__uint128_t)ticks * 1000000000 / frequency) : OSCOPE_UNKNOWN;
}

/* One timer and the harts that it has. */
struct timer {
    const struct mtree_device *at, *swi; /* swi NULL: none */
    const struct dev_tree *tree;
    const struct target_vcpus *vcpus;
    uint64_t harts[HARTS_MAX], msip[HARTS_MAX], mtimecmp[HARTS_MAX];
    size_t nharts;
    uint64_t mtime;
    bool mute; /* QEMU can't be asked for mtimecmp */
};

/* The device tree lists a timer's harts in the order of its registers; else the first is hart 0. */
static void find_harts(struct timer *t)
{
    const struct dev_tree_controller *c = dev_tree_at(t->tree, t->at->gpa);

    if (!c)
        c = dev_tree_at(t->tree, t->at->gpa + MTIME);
    for (size_t i = 0; c && i < c->contexts.len && t->nharts < HARTS_MAX; i++)
        if (c->contexts.data[i].cause == CAUSE_TIMER)
            t->harts[t->nharts++] = c->contexts.data[i].hart;
    for (size_t i = 0; !c && i < t->vcpus->n && i < HARTS_MAX; i++)
        t->harts[t->nharts++] = i;
}

static struct oscope_error *read_timer(struct oscope_session *s, struct timer *t)
{
    uint64_t values[2 * HARTS_MAX + 1];
    struct peek reads[3];
    unsigned harts = (unsigned)t->nharts;
    size_t n = 0;

    if (t->swi)
        reads[n++] = (struct peek){t->swi->gpa, 4, harts};
    if (!t->mute)
        reads[n++] = (struct peek){t->at->gpa, 8, harts};
    reads[n++] = (struct peek){t->at->gpa + MTIME, 8, 1};
    TRY(session_peek(s, reads, n, values));
    for (unsigned i = 0; i < harts; i++) {
        t->msip[i] = t->swi ? values[i] & 1 : OSCOPE_UNKNOWN;
        t->mtimecmp[i] = t->mute ? OSCOPE_UNKNOWN : values[(t->swi ? harts : 0) + i];
    }
    t->mtime = values[((t->swi ? 1 : 0) + (t->mute ? 0 : 1)) * harts];
    return NULL;
}

static struct oscope_error *timer_rows(const struct timer *t, struct os_list *clocks,
                                       struct os_list *harts)
{
    struct oscope_aclint_clock *clock = os_list_add(clocks);
    uint64_t frequency = t->tree->timebase, next = UINT64_MAX;

    if (!clock)
        return error_nomem();
    *clock = (struct oscope_aclint_clock){.base = t->at->gpa,
                                          .mtime = t->mtime,
                                          .frequency = frequency ? frequency : OSCOPE_UNKNOWN,
                                          .time = to_ns(t->mtime, frequency),
                                          .next_hart = OSCOPE_UNKNOWN,
                                          .next = OSCOPE_UNKNOWN};
    for (size_t i = 0; i < t->nharts; i++) {
        struct oscope_aclint_hart *row = os_list_add(harts);
        uint64_t at = t->mtimecmp[i];
        bool runs = at != UINT64_MAX && at > t->mtime;
        if (!row)
            return error_nomem();
        *row = (struct oscope_aclint_hart){.base = t->at->gpa,
                                           .hart = t->harts[i],
                                           .mtimecmp = at,
                                           .timer = t->mute            ? NULL
                                                    : at == UINT64_MAX ? "never"
                                                    : runs             ? "runs"
                                                                       : "passed",
                                           .due = runs ? to_ns(at - t->mtime, frequency)
                                                       : OSCOPE_UNKNOWN,
                                           .msip = t->msip[i]};
        ask_hart(t->vcpus, row, &harts->strings);
        if (runs && at < next) {
            next = at;
            clock->next_hart = row->hart;
            clock->next = row->due;
        }
    }
    return NULL;
}

/* The software interrupts that belong to a timer: right before it. */
static const struct mtree_device *swi_before(const struct mtree_devices *map, size_t i)
{
    const struct mtree_device *s = i ? &map->devices[i - 1] : NULL;

    return s && !strcmp(s->name, "riscv.aclint.swi") && s->gpa + s->size == map->devices[i].gpa
               ? s
               : NULL;
}

static struct oscope_error *one_timer(struct dev *d, size_t i, const struct dev_tree *tree,
                                      const struct target_vcpus *vcpus, struct os_list *clocks,
                                      struct os_list *harts)
{
    AUTO_FREE struct timer *t = calloc(1, sizeof *t);

    if (!t)
        return error_nomem();
    t->at = &d->map.devices[i];
    t->swi = swi_before(&d->map, i);
    t->tree = tree;
    t->vcpus = vcpus;
    find_harts(t);
    if (!t->nharts)
        return NULL;
    /* riscv_aclint_mtimer_read() of QEMU 10 looks such a hart's deadline up behind its table's end.
     */
    t->mute = t->harts[0] != 0;
    if (t->mute)
        os_list_note(clocks, "deadlines of harts of further sockets are left out: QEMU does not "
                             "tell them rightly");
    TRY(read_timer(d->session, t));
    return timer_rows(t, clocks, harts);
}

struct oscope_error *dev_aclint(struct dev *d)
{
    struct os_list *clocks =
        dev_table(d, "clock", aclint_clock_columns, sizeof(struct oscope_aclint_clock));
    struct os_list *harts =
        dev_table(d, "harts", aclint_hart_columns, sizeof(struct oscope_aclint_hart));
    AUTO(target_vcpus_free) struct target_vcpus vcpus = {0};
    struct oscope_error *err = NULL;
    struct dev_tree tree = {0};

    TRY(target_registers(d->session->target, &vcpus));
    for (size_t i = 0; i < d->map.n && !err; i++) {
        if (strcmp(d->map.devices[i].name, "riscv.aclint.mtimer") != 0)
            continue;
        if (!tree.found)
            err = dev_tree_find(d->session->target, d->map.devices[i].gpa, &tree);
        if (!err)
            err = one_timer(d, i, &tree, &vcpus, clocks, harts);
    }
    if (!tree.found)
        os_list_note(clocks, "no device tree of this machine was found in RAM: the clock's "
                             "frequency is not known, and harts are numbered from 0");
    if (tree.sstc)
        os_list_note(clocks, "these harts have timers of their own (stimecmp, Sstc), which the "
                             "kernel may use instead: QEMU's monitor does not show them");
    dev_tree_free(&tree);
    return err;
}
