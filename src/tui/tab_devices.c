/* SPDX-License-Identifier: MIT */
/*
 * Devices: their registers by how often they are used, the single accesses, the state of interrupt
 * controllers and timers, disks as maps, lines through serial ports.
 */
#include "tui/diskmap.h"
#include "tui/report_page.h"
#include "tui/tabs.h"

#include "base/util.h"

#include <curses.h>
#include <stdio.h>

enum sub { REGISTERS, ACCESSES, CONTROLLERS, DISKS, SERIAL, SUBS };
static const char *const names[SUBS + 1] = {"Registers", "Accesses", "Controllers",
                                            "Disks",     "Serial",   NULL};

/* What each sub-view shows; CONTROLLERS: states. */
static const struct report_table subs[SUBS] = {
    [REGISTERS] = {"Registers", "mmio", "registers", sizeof(struct oscope_mmio_register), "", NULL,
                   NULL},
    [ACCESSES] = {"Accesses", "mmio", "accesses", sizeof(struct oscope_mmio_access), "-time",
                  "time", NULL},
    [CONTROLLERS] = {"Controllers", NULL, NULL, 0, "", NULL, NULL},
    [DISKS] = {"Disks", "blk", "requests", sizeof(struct oscope_blk_request), "-time", "time",
               NULL},
    [SERIAL] = {"Serial", "uart", "lines", sizeof(struct oscope_uart_line), "-time", "time", NULL},
};

static const struct controller {
    const char *view; /* as struct oscope_dev_range has it */
    const char *title;
    enum slot slot;
} controllers[] = {
    {"plic", "PLIC", SLOT_PLIC},
    {"aclint", "ACLINT", SLOT_ACLINT},
    {"apic", "APIC", SLOT_APIC},
};

enum { FRESH_MS = 500 };

struct devices {
    struct subs subs;
    struct report_page page;
    const char *reports[2]; /* of what is shown, then NULL */
    struct pane pane;
};

static void devices_begin(struct tui *t, void *state)
{
    struct devices *v = state;

    report_page_begin(&v->page, subs, SUBS);
}

static void devices_end(struct tui *t, void *state)
{
    struct devices *v = state;

    report_page_end(&v->page);
}

static const char *const *devices_reports(struct tui *t, void *state)
{
    struct devices *v = state;

    v->reports[0] = subs[v->subs.at].report;
    return v->reports[0] ? v->reports : NULL;
}

/* ---- interrupt controllers and timers ---- */

static bool machine_has(const struct shot *devices, const char *view)
{
    const struct oscope_table *t = tui_table(devices, "devices", sizeof(struct oscope_dev_range));
    const struct oscope_dev_range *r = t ? t->rows : NULL;

    for (size_t i = 0; r && i < t->nrows; i++)
        if (r[i].view && !strcmp(r[i].view, view))
            return true;
    return false;
}

static void devices_wish(struct tui *t, void *state)
{
    int at = ((struct devices *)state)->subs.at;

    if (at != CONTROLLERS) {
        tui_want_report(t, subs[at].report);
        return;
    }
    tui_want(t, &(struct ask){.slot = SLOT_DEVICES, .every_ms = 5000});
    for (size_t i = 0; i < ARRAY_SIZE(controllers); i++)
        if (machine_has(tui_shot(t, SLOT_DEVICES), controllers[i].view))
            tui_want(t, &(struct ask){.slot = controllers[i].slot, .every_ms = 500});
}

static void add_error(struct out *o, const struct render_options *r, const char *title,
                      const struct oscope_error *err)
{
    out_printf(o, "%s: ", title);
    render_text_safe(o, r, err ? err->message : "being fetched", 0);
    out_char(o, '\n');
}

static void draw_controllers(struct tui *t, struct devices *v, struct area a)
{
    const struct shot *devices = tui_shot(t, SLOT_DEVICES);
    struct screen *s = tui_screen(t);
    struct render_options r = pane_options(s, a, RENDER_REPORT);
    struct out o;

    if (tui_is_recording(t)) {
        screen_print(s, a, 1, 1, INK_PLAIN, "A recording has no state of devices.");
        return;
    }
    if (tui_missing(t, a, devices, "Devices"))
        return;
    out_init(&o, -1);
    for (size_t i = 0; i < ARRAY_SIZE(controllers); i++) {
        const struct shot *shot = tui_shot(t, controllers[i].slot);
        if (!machine_has(devices, controllers[i].view))
            continue;
        if (o.len)
            out_char(&o, '\n');
        if (!shot || !shot->view)
            add_error(&o, &r, controllers[i].title, shot ? shot->error : NULL);
        else
            render_view(&o, &o, shot->view, &r);
    }
    if (!o.len)
        out_str(&o, "This machine has no PLIC, ACLINT or APIC. `oscope dev` shows what it has.\n");
    pane_draw(s, a, &v->pane, o.buf ? o.buf : "", o.len);
    out_free(&o);
}

/* ---- disks ---- */

static void draw_disks(struct tui *t, struct area *a, const struct shot *shot)
{
    const struct oscope_table *interval =
        tui_table(shot, "interval", sizeof(struct oscope_report_interval));
    const struct oscope_report_interval *i = interval && interval->nrows ? interval->rows : NULL;
    struct diskmap d = {
        .map = tui_table(shot, "map", sizeof(struct oscope_blk_region)),
        .requests = tui_table(shot, "requests", sizeof(struct oscope_blk_request)),
        .since = i ? i->end - MIN(i->end, FRESH_MS * UINT64_C(1000000)) : UINT64_MAX,
    };
    struct area box = *a;

    box.h = a->h * 2 / 3;
    if (d.map && d.map->nrows)
        area_top(a, MIN(diskmap_draw(tui_screen(t), box, &d) + 1, box.h));
}

/* ---- drawing ---- */

static void devices_draw(struct tui *t, void *state, struct area a)
{
    struct devices *v = state;
    struct screen *s = tui_screen(t);
    int at = v->subs.at, h = a.h;

    subs_draw(s, &a, &v->subs, names, NULL);
    if (at == CONTROLLERS) {
        draw_controllers(t, v, a);
        return;
    }
    const struct shot *shot = tui_report(t, subs[at].report);
    const struct oscope_table *table = report_page_rows(t, &subs[at]);
    if (tui_missing(t, a, shot, names[at]) || !table)
        return;
    subs_report(s, &a, shot->view);
    if (at == DISKS)
        draw_disks(t, &a, shot);
    if (subs[at].key)
        subs_newest(&v->page.lists[at], subs[at].key);
    v->page.body = h - a.h;
    struct render_options o = pane_options(s, a, RENDER_TABLE);
    list_draw(s, a, &v->page.lists[at], shot->view, table, &o);
}

/* ---- keys ---- */

static bool devices_key(struct tui *t, void *state, int key)
{
    struct devices *v = state;

    if (subs_key(&v->subs, names, key))
        return true;
    return v->subs.at == CONTROLLERS && pane_key(&v->pane, key);
}

static struct list *devices_list(struct tui *t, void *state)
{
    struct devices *v = state;

    return v->subs.at == CONTROLLERS ? NULL : &v->page.lists[v->subs.at];
}

static bool devices_click(struct tui *t, void *state, int y, int x)
{
    struct devices *v = state;
    struct list *l = devices_list(t, v);

    return subs_click(&v->subs, y, x) || (l && list_click(l, y - v->page.body, x));
}

static const struct tui_help help[] = {
    {"v, V", "registers, accesses, interrupt controllers and timers, disks, serial ports"},
    {NULL, NULL},
};

const struct tab tab_devices = {
    .name = "Devices",
    .reports_now = devices_reports,
    .help = help,
    .state_size = sizeof(struct devices),
    .begin = devices_begin,
    .end = devices_end,
    .wish = devices_wish,
    .draw = devices_draw,
    .key = devices_key,
    .click = devices_click,
    .list = devices_list,
};
