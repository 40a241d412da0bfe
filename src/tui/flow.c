/* SPDX-License-Identifier: MIT */
#include "tui/flow.h"

#include "base/util.h"
#include "draw/text.h"

#include <inttypes.h>
#include <stdio.h>

/* Texts of the guest and numbers, as bold or plain pieces of a line; returns the next column. */
static int put_text(struct screen *s, struct area a, int y, int x, struct ink ink, const char *text)
{
    return x + pane_put(s, a, y, x, a.w, ink, text, strlen(text));
}

static int put_time(struct screen *s, struct area a, int y, int x, int w, uint64_t ns)
{
    struct out o;

    out_init(&o, -1);
    if (ns == OSCOPE_UNKNOWN)
        out_char(&o, '?');
    else
        text_fine(&o, ns);
    int n = (int)text_width(o.buf ? o.buf : "", o.len);
    screen_put(s, a, y, x + MAX(0, w - n), w,
               theme_ink(ns == OSCOPE_UNKNOWN ? ROLE_DIM : ROLE_BOLD), o.buf ? o.buf : "", o.len);
    out_free(&o);
    return x + w;
}

/* ---- interrupts ---- */

/* What happens, and the hop that leads to it. */
static const struct step {
    const char *what;
    const char *hop; /* NULL: the first */
    size_t offset;   /* of the hop's duration */
} steps[] = {
    {"it is raised", NULL, 0},
    {"the vCPU traps", "pending", offsetof(struct oscope_irqflow_row, pending)},
    {"it claims the interrupt from the PLIC", "claim", offsetof(struct oscope_irqflow_row, claim)},
    {"the handler begins", "entry", offsetof(struct oscope_irqflow_row, entry)},
    {"the handler ends", "handler", offsetof(struct oscope_irqflow_row, handler)},
    {"the controller is told (PLIC complete, APIC EOI)", "complete",
     offsetof(struct oscope_irqflow_row, complete)},
};

static uint64_t duration_of(const struct oscope_irqflow_row *row, size_t offset)
{
    uint64_t v;

    memcpy(&v, (const char *)row + offset, sizeof v);
    return v;
}

static const char *how_of(const struct oscope_table *hops, int32_t irq, const char *name,
                          const char *hop)
{
    const struct oscope_irqflow_hop *h = hops ? hops->rows : NULL;

    for (size_t i = 0; h && i < hops->nrows; i++)
        if (h[i].irq == irq && !strcmp(h[i].hop, hop) && !strcmp(h[i].name, name))
            return h[i].how;
    return NULL;
}

/* Not all interrupts come by a PLIC: a step that none of this line takes is none. */
static bool takes(const struct oscope_irqflow_row *row, const struct step *step,
                  const struct oscope_table *hops)
{
    return !step->hop || strcmp(step->hop, "claim") != 0 ||
           duration_of(row, step->offset) != OSCOPE_UNKNOWN ||
           how_of(hops, row->irq, row->name, step->hop);
}

static void draw_hop(struct screen *s, struct area a, int y, const struct oscope_irqflow_row *row,
                     const struct step *step, const struct oscope_table *hops, uint64_t longest)
{
    uint64_t ns = duration_of(row, step->offset);
    const char *how = how_of(hops, row->irq, row->name, step->hop);
    bool guess = how && !strcmp(how, "inferred");

    screen_print(s, a, y, 2, theme_ink(ROLE_DIM), "%s", screen_utf8(s) ? "\xe2\x94\x82" : "|");
    screen_print(s, a, y, 4, INK_PLAIN, "%s", step->hop);
    put_time(s, a, y, 13, 9, ns);
    screen_print(s, a, y, 24, theme_ink(guess ? ROLE_WARN : ROLE_DIM), "%s",
                 ns == OSCOPE_UNKNOWN ? "not seen"
                 : guess              ? "inferred"
                 : how                ? how
                                      : "");
    int room = a.w - 36;
    if (ns == OSCOPE_UNKNOWN || !longest || room < 4)
        return;
    int n = (int)((double)ns / (double)longest * room + 0.5);
    screen_fill(s, a, y, 35, MAX(n, 1), screen_colors(s) ? theme_fill(ROLE_KERNEL) : INK_PLAIN,
                screen_colors(s) ? " " : "#");
}

int flow_interrupt(struct screen *s, struct area a, const struct oscope_irqflow_row *row,
                   const struct oscope_table *hops)
{
    uint64_t longest = 0;
    int y = 0, x;

    if (row->irq >= 0)
        x = screen_print(s, a, y, 0, theme_ink(ROLE_BOLD), "interrupt %d ", row->irq);
    else
        x = screen_print(s, a, y, 0, theme_ink(ROLE_BOLD), "vector ");
    x = put_text(s, a, y, x, theme_ink(ROLE_BOLD), row->name);
    screen_print(s, a, y++, x, theme_ink(ROLE_DIM), " on vCPU %u at %" PRIu64 ".%06" PRIu64,
                 row->cpu, row->time / 1000000000, row->time / 1000 % 1000000);
    y++;
    for (size_t i = 1; i < ARRAY_SIZE(steps); i++) {
        uint64_t ns = duration_of(row, steps[i].offset);
        longest = ns == OSCOPE_UNKNOWN ? longest : MAX(longest, ns);
    }
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        if (!takes(row, &steps[i], hops))
            continue;
        if (steps[i].hop)
            draw_hop(s, a, y++, row, &steps[i], hops, longest);
        x = screen_print(s, a, y, 0, theme_ink(ROLE_BOLD), "  %s %s",
                         screen_utf8(s) ? "\xe2\x97\x8f" : "*", steps[i].what);
        if (!i)
            screen_print(s, a, y, x, theme_ink(row->raised ? ROLE_WARN : ROLE_DIM), "%s",
                         !row->raised                      ? ": by what and when is not told"
                         : !strcmp(row->raised, "ipi")     ? " by another vCPU (IPI), inferred"
                         : !strcmp(row->raised, "message") ? " by a device (message), inferred"
                                                           : "");
        y++;
    }
    y++;
    screen_print(s, a, y, 4, INK_PLAIN, "back");
    put_time(s, a, y, 13, 9, row->back);
    screen_print(s, a, y++, 24, theme_ink(ROLE_DIM), "from the trap to the return from it");
    return y;
}

/* ---- page faults ---- */

static void put_entry(struct screen *s, struct area a, int y, int x, struct ink ink, uint64_t v)
{
    if (v == OSCOPE_UNKNOWN)
        screen_print(s, a, y, x, theme_ink(ROLE_DIM), "not seen");
    else if (!v)
        screen_print(s, a, y, x, theme_ink(ROLE_DIM), "0");
    else
        screen_print(s, a, y, x, ink, "0x%016" PRIx64, v);
}

static int draw_entries(struct screen *s, struct area a, int y, const struct oscope_fault_row *row)
{
    static const char *const levels[] = {"pgd", "p4d", "pud", "pmd", "pte"};

    screen_fill(s, a, y, 0, a.w, theme_ink(ROLE_HEAD), " ");
    screen_print(s, a, y, 0, theme_ink(ROLE_HEAD), "LEVEL");
    screen_print(s, a, y, 8, theme_ink(ROLE_HEAD), "ENTRY BEFORE");
    screen_print(s, a, y++, 30, theme_ink(ROLE_HEAD), "AND AFTER");
    for (size_t i = 0; i < ARRAY_SIZE(levels); i++, y++) {
        uint64_t before = row->before[i], after = row->after[i];
        bool changed = after != OSCOPE_UNKNOWN && before != after;
        screen_print(s, a, y, 0, INK_PLAIN, "%s", levels[i]);
        put_entry(s, a, y, 8, INK_PLAIN, before);
        put_entry(s, a, y, 30, changed ? theme_ink(ROLE_WARN) : INK_PLAIN, after);
        if (changed)
            screen_print(s, a, y, 50, theme_ink(ROLE_WARN), "changed");
    }
    return y;
}

int flow_fault(struct screen *s, struct area a, const struct oscope_fault_row *row,
               const char *symbol)
{
    int y = 0, x;

    x = screen_print(s, a, y, 0, theme_ink(ROLE_BOLD), "%s fault of %d ",
                     row->kind ? row->kind : "unfinished", row->tid);
    x = put_text(s, a, y, x, theme_ink(ROLE_BOLD), row->comm);
    x += screen_print(s, a, y, x, INK_PLAIN, " at 0x%" PRIx64 " (%s%s%s), ", row->address,
                      row->access ? row->access : "", row->access ? " from " : "from ",
                      row->from ? row->from : "?");
    put_time(s, a, y++, x, 8, row->duration);
    screen_print(s, a, y, 0, theme_ink(ROLE_DIM), "area   ");
    x = put_text(s, a, y, 8, INK_PLAIN, *row->area ? row->area : "none: nothing lies there");
    x = put_text(s, a, y, x + 1, INK_PLAIN, row->perms);
    if (row->vma_start != OSCOPE_UNKNOWN)
        screen_print(s, a, y, x + 1, INK_PLAIN, "0x%" PRIx64 "-0x%" PRIx64, row->vma_start,
                     row->vma_end);
    screen_print(s, a, ++y, 0, theme_ink(ROLE_DIM), "code");
    if (row->ip == OSCOPE_UNKNOWN)
        screen_print(s, a, y, 8, theme_ink(ROLE_DIM), "not known");
    else
        x = 8 + screen_print(s, a, y, 8, INK_PLAIN, "0x%" PRIx64 " ", row->ip);
    if (row->ip != OSCOPE_UNKNOWN && symbol && *symbol)
        put_text(s, a, y, x, INK_PLAIN, symbol);
    screen_print(s, a, ++y, 0, theme_ink(ROLE_DIM), "result");
    x = row->result_text ? put_text(s, a, y, 8, INK_PLAIN, row->result_text)
                         : 8 + screen_print(s, a, y, 8, INK_PLAIN, "0x%x", row->result);
    screen_print(s, a, y++, x, INK_PLAIN, ", tried %u time%s", row->tries,
                 row->tries == 1 ? "" : "s");
    y++;
    return draw_entries(s, a, y, row);
}
