/* SPDX-License-Identifier: MIT */
#include "tui/source.h"

#include "base/clock.h"
#include "base/util.h"
#include "draw/text.h"
#include "tui/theme.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- what a view is made of ---- */

static const struct made {
    const char *what, *from;
} made[SLOT_REPORTS] = {
    [SLOT_INFO] = {"info", "structures in guest memory, symbols, what QEMU says of the machine"},
    [SLOT_TASKS] = {"tasks", "the OS's task structures in guest memory"},
    [SLOT_THREADS] = {"threads", "the OS's task structures in guest memory"},
    [SLOT_MEMORY] = {"memory by owner", "the OS's page descriptors in guest memory"},
    [SLOT_BUDDY] = {"buddy lists", "the OS's zones in guest memory"},
    [SLOT_SLABS] = {"slab caches", "the OS's slab caches in guest memory"},
    [SLOT_MAP] = {"map of memory", "the OS's page descriptors in guest memory"},
    [SLOT_PAGE] = {"a page", "its descriptor, the page tables of the kernel and of all processes"},
    [SLOT_VM] = {"memory areas", "the OS's areas and page tables in guest memory"},
    [SLOT_PT] = {"page table", "page tables in guest memory"},
    [SLOT_CHAIN] = {"walk", "page tables in guest memory"},
    [SLOT_STACK] = {"stack", "the task's kernel stack in guest memory, registers of its vCPU"},
    [SLOT_DMESG] = {"kernel log", "the OS's log buffer in guest memory"},
    [SLOT_DEVICES] = {"devices", "the guest's device tree and the machine map of QEMU"},
    [SLOT_PLIC] = {"PLIC", "the device's registers, read where reading changes nothing"},
    [SLOT_ACLINT] = {"ACLINT", "the device's registers, read where reading changes nothing"},
    [SLOT_APIC] = {"APIC", "what QEMU's monitor says of the device"},
    [SLOT_COMMAND] = {"command", "what that command reads, see its manual page"},
    [SLOT_SERIAL] = {"serial ports", "what QEMU says of its character devices"},
};

static void put_text(struct out *o, const char *text, bool utf8)
{
    text_safe(o, text, strlen(text), utf8);
}

static void put_head(struct out *o, const struct source *w, bool utf8)
{
    const struct oscope_view *v = w->shot ? w->shot->view : NULL;
    const struct ask *a = w->shot && !w->report ? &w->shot->ask : w->ask;

    out_str(o, "\033[1m");
    if (w->report)
        out_printf(o, "report %s", w->report);
    else
        out_str(o, made[a->slot].what ? made[a->slot].what : "view");
    out_str(o, "\033[m");
    if (v && !w->report)
        out_printf(o, " (%s)", v->name);
    if (!w->report && (a->slot == SLOT_VM || a->slot == SLOT_PT || a->slot == SLOT_CHAIN ||
                       a->slot == SLOT_STACK))
        out_printf(o, a->pid < 0 ? ", of the kernel" : ", of PID %d", a->pid);
    if (!w->report && a->slot == SLOT_COMMAND) {
        out_str(o, ": ");
        put_text(o, a->line, utf8);
    }
    if (!w->report && (a->slot == SLOT_CHAIN || a->slot == SLOT_PAGE))
        out_printf(o, ", 0x%" PRIx64, a->va);
    out_char(o, '\n');
}

static void put_from(struct out *o, const struct source *w)
{
    out_str(o, "  from  ");
    if (w->report) {
        const char *const *needs = oscope_monitor_needs(w->report);
        out_str(o, "events, sets:");
        for (; needs && *needs; needs++)
            out_printf(o, " %s", *needs);
    } else {
        out_str(o, made[w->ask->slot].from ? made[w->ask->slot].from : "the guest");
    }
    out_char(o, '\n');
}

static void put_when(struct out *o, const struct source *w, uint64_t now)
{
    out_str(o, "  made  ");
    text_fine(o, now > w->shot->time ? now - w->shot->time : 0);
    out_str(o, " ago, it took ");
    text_fine(o, w->shot->took);
    if (!w->report && w->ask->every_ms)
        out_printf(o, "; again every %u ms", w->ask->every_ms);
    out_char(o, '\n');
}

/* How consistent it is, in words. */
static void put_view(struct out *o, const struct oscope_view *v, bool utf8)
{
    static const char *const words[] = {
        [OSCOPE_CONSISTENT] = "consistent",
        [OSCOPE_RETRIED] = "\033[33mretried\033[m: some of it contradicted itself, and was read "
                           "again until it did not",
        [OSCOPE_TORN] = "\033[31mtorn\033[m: some of it still contradicts itself; rows with ! are "
                        "partial",
    };

    out_printf(o, "  good  %s\n", words[MIN((unsigned)v->consistency, OSCOPE_TORN)]);
    out_str(o, "  rows ");
    for (size_t i = 0; i < v->ntables; i++)
        out_printf(o, " %s %zu", v->tables[i].name, v->tables[i].nrows);
    out_char(o, '\n');
    for (size_t i = 0; i < v->nnotes; i++) {
        out_str(o, "  \033[33mnote\033[m  ");
        put_text(o, v->notes[i], utf8);
        out_char(o, '\n');
    }
}

static void put_source(struct out *o, const struct source *w, uint64_t now, bool utf8)
{
    put_head(o, w, utf8);
    put_from(o, w);
    if (!w->shot) {
        out_str(o, "  not there yet\n\n");
        return;
    }
    if (w->shot->view || w->shot->error)
        put_when(o, w, now);
    if (w->shot->view)
        put_view(o, w->shot->view, utf8);
    else if (!w->shot->error)
        out_str(o, "  its sets are not all on\n");
    if (w->shot->error) {
        out_str(o, "  \033[31merror\033[m ");
        put_text(o, w->shot->error->message, utf8);
        out_char(o, '\n');
    }
    out_char(o, '\n');
}

static void put_status(struct out *o, const struct collect_status *st, bool utf8)
{
    out_printf(o, "\033[1mevents\033[m\n  lost  %" PRIu64 " events, %" PRIu64 " packets\n",
               st->lost_events, st->lost_packets);
    for (size_t i = 0; i < st->nnotes; i++) {
        out_str(o, "  \033[33mnote\033[m  ");
        put_text(o, st->notes[i], utf8);
        out_char(o, '\n');
    }
    if (*st->error) {
        out_str(o, "  \033[31merror\033[m ");
        put_text(o, st->error, utf8);
        out_char(o, '\n');
    }
}

void source_text(struct out *o, const struct source *sources, size_t n,
                 const struct collect_status *st, uint64_t now, bool utf8)
{
    bool events = false;

    for (size_t i = 0; i < n; i++) {
        put_source(o, &sources[i], now, utf8);
        events = events || sources[i].report;
    }
    if (events || st->nnotes || *st->error)
        put_status(o, st, utf8);
}

/* ---- the line ---- */

/* The first note, or what is said of a view that is torn; NULL: nothing. *n: how many there are. */
static const char *first_note(const struct source *sources, size_t nsources, size_t *n)
{
    const char *first = NULL;

    *n = 0;
    for (size_t i = 0; i < nsources; i++) {
        const struct oscope_view *v = sources[i].shot ? sources[i].shot->view : NULL;
        if (!v)
            continue;
        if (v->nnotes && !first)
            first = v->notes[0];
        *n += v->nnotes;
        if (v->nnotes || v->consistency != OSCOPE_TORN)
            continue;
        first = first ? first : "some of this contradicts itself: rows with ! are partial";
        ++*n;
    }
    return first;
}

bool source_has_note(const struct source *sources, size_t n)
{
    size_t notes;

    return first_note(sources, n, &notes) != NULL;
}

void source_note(struct screen *s, struct area a, const struct source *sources, size_t n)
{
    char more[48] = "  i: source";
    struct out o, cut;
    size_t notes;
    const char *first = first_note(sources, n, &notes);

    if (!first || a.h < 1)
        return;
    if (notes > 1)
        snprintf(more, sizeof more, "  +%zu more, i: all", notes - 1);
    int room = a.w - (int)strlen(more) - 2;
    out_init(&o, -1);
    out_init(&cut, -1);
    put_text(&o, first, screen_utf8(s));
    text_cut(&cut, o.buf ? o.buf : "", o.len, (size_t)MAX(room, 8), screen_utf8(s));
    int x = screen_print(s, a, 0, 0, theme_ink(ROLE_WARN), "! ");
    x += screen_put(s, a, 0, x, a.w, theme_ink(ROLE_TEXT), cut.buf ? cut.buf : "", cut.len);
    screen_print(s, a, 0, x, theme_ink(ROLE_DIM), "%s", more);
    out_free(&o);
    out_free(&cut);
}

/* ---- the box ---- */

static void draw_frame(struct screen *s, struct area a)
{
    static const char *const lines[2][6] = {{"+", "+", "+", "+", "-", "|"},
                                            {"\xe2\x94\x8c", "\xe2\x94\x90", "\xe2\x94\x94",
                                             "\xe2\x94\x98", "\xe2\x94\x80", "\xe2\x94\x82"}};
    const char *const *l = lines[screen_utf8(s)];
    struct ink ink = theme_ink(ROLE_KERNEL);

    for (int y = 0; y < a.h; y++) {
        bool top = !y, bottom = y == a.h - 1;
        screen_fill(s, a, y, 0, 1, ink, top ? l[0] : bottom ? l[2] : l[5]);
        screen_fill(s, a, y, 1, a.w - 2, ink, top || bottom ? l[4] : " ");
        screen_fill(s, a, y, a.w - 1, 1, ink, top ? l[1] : bottom ? l[3] : l[5]);
    }
    screen_print(s, a, 0, 2, theme_ink(ROLE_BOLD), " Where the numbers are from ");
    screen_print(s, a, a.h - 1, 2, theme_ink(ROLE_DIM), " arrows: scroll   any other key: back ");
}

void source_draw(struct screen *s, struct area a, struct pane *p, const struct source *sources,
                 size_t n, const struct collect_status *st)
{
    int margin = a.w > 100 ? (a.w - 92) / 2 : 2;
    struct area box = {a.y + (a.h > 12), a.x + margin, a.h - 2 * (a.h > 12), a.w - 2 * margin};
    struct text_lines form = {.width = (size_t)MAX(box.w - 4, 10), .at = 0, .indent = 8};
    struct out o, lines;

    out_init(&o, -1);
    out_init(&lines, -1);
    source_text(&o, sources, n, st, clock_ns(), screen_utf8(s));
    for (size_t i = 0; i < o.len;) {
        const char *end = memchr(o.buf + i, '\n', o.len - i);
        size_t len = end ? (size_t)(end - o.buf) - i : o.len - i;
        text_wrap(&lines, o.buf + i, len, &form);
        out_char(&lines, '\n');
        i += len + 1;
    }
    draw_frame(s, box);
    pane_draw(s, (struct area){box.y + 1, box.x + 2, box.h - 2, box.w - 4}, p,
              lines.buf ? lines.buf : "", lines.len);
    out_free(&o);
    out_free(&lines);
}
