/* SPDX-License-Identifier: MIT */
/*
 * The guest's serial console: its screen, the kernel's log, the bytes. Typing into it is a mode of
 * its own, which nothing but Ctrl-] leaves; the connection is opened when the user asks for it.
 */
#include "tui/console.h"
#include "tui/subs.h"
#include "tui/tabs.h"
#include "tui/terminal.h"

#include "base/util.h"
#include "draw/text.h"

#include <curses.h>
#include <stdio.h>

enum sub { SCREEN_SUB, LOG, BYTES, SUBS };
static const char *const names[SUBS + 1] = {"Screen", "Kernel log", "Bytes", NULL};

enum { LEAVE = 29 /* Ctrl-] */, LOG_LEAST = 6 /* lines below the screen that a log is worth */ };

struct console_tab {
    struct subs subs;
    struct console *console; /* opened when it is first wanted */
    bool typing;
    int back; /* lines scrolled back */
    struct pane log, bytes;
};

static void console_begin(struct tui *t, void *state)
{
    struct console_tab *v = state;

    v->log.follow = v->bytes.follow = true;
}

static void console_end(struct tui *t, void *state)
{
    console_close(((struct console_tab *)state)->console);
}

static const char *const uart[] = {"uart", NULL};

static const char *const *console_reports(struct tui *t, void *state)
{
    return ((struct console_tab *)state)->subs.at == LOG ? NULL : uart;
}

/* Of a recording the screen is what all that the guest sent before that moment has made of it. */
static void console_wish(struct tui *t, void *state)
{
    struct console_tab *v = state;

    if (tui_is_recording(t)) {
        tui_want_report(t, "uart");
        if (v->console)
            console_span(v->console, tui_status(t)->span_from, tui_status(t)->at + 1);
        return;
    }
    tui_want(t, &(struct ask){.slot = SLOT_SERIAL, .every_ms = 2000});
    tui_want(t, &(struct ask){.slot = SLOT_DMESG, .every_ms = 1000});
}

static bool console_open_once(struct tui *t, struct console_tab *v)
{
    if (!v->console) {
        struct oscope_error *err =
            console_open(tui_session(t), tui_recording(t), tui_wake(t), &v->console);
        if (err)
            tui_say(t, "%s", err->message);
        oscope_error_free(err);
    }
    return v->console != NULL;
}

static void stop_typing(struct tui *t, struct console_tab *v)
{
    if (!v->typing)
        return;
    v->typing = false;
    screen_raw(tui_screen(t), false);
    console_disconnect(v->console);
}

/* The console is listened to while its set is on, so that it is all there when one comes back. */
static void console_changed(struct tui *t, void *state)
{
    struct console_tab *v = state;
    bool shown = tui_is_shown(t, &tab_console);
    bool on = tui_is_recording(t) ? shown : tui_is_on(t, "uart");

    if (!shown)
        stop_typing(t, v);
    if (v->console)
        console_hold(v->console, tui_is_paused(t) && !v->typing);
    if ((on && console_open_once(t, v)) || v->console)
        console_want(v->console, on);
}

/* ---- typing ---- */

static const struct oscope_serial_port *free_port(struct tui *t)
{
    return serial_free_port(
        tui_table(tui_shot(t, SLOT_SERIAL), "ports", sizeof(struct oscope_serial_port)));
}

static void start_typing(struct tui *t, struct console_tab *v)
{
    const struct oscope_serial_port *port = free_port(t);

    if (!tui_console_input(t) || !port || !console_open_once(t, v))
        return; /* the line below says why */
    struct oscope_error *err = console_connect(v->console, port);
    if (err) {
        tui_say(t, "%s", err->message);
        oscope_error_free(err);
        return;
    }
    v->typing = true;
    v->back = 0;
    v->subs.at = SCREEN_SUB;
    screen_raw(tui_screen(t), true);
}

/* How one types, or why one can't. */
static void draw_typing(struct tui *t, const struct console_tab *v, struct area a)
{
    const struct shot *shot = tui_shot(t, SLOT_SERIAL);
    const struct oscope_table *table = tui_table(shot, "ports", sizeof(struct oscope_serial_port));
    const struct oscope_serial_port *port = free_port(t);
    struct screen *s = tui_screen(t);
    struct out o;

    if (v->typing) {
        struct ink ink = theme_fill(ROLE_GUEST_KERNEL);
        screen_fill(s, a, 0, 0, a.w, ink, " ");
        screen_print(s, a, 0, 0, ink,
                     " TYPING INTO THE GUEST: every key goes there. Ctrl-] leaves.");
        return;
    }
    out_init(&o, -1);
    if (!tui_console_input(t)) {
        out_str(&o, "no typing: --no-console-input");
    } else if (tui_is_recording(t)) {
        out_str(&o, "no typing into a recording");
    } else if (port) {
        out_printf(&o, "t: type into the guest, by its %s ", port->kind);
        text_safe(&o, port->path, strlen(port->path), screen_utf8(s));
    } else if (table && table->nrows) {
        const struct oscope_serial_port *p = table->rows;
        out_str(&o, "no typing: ");
        text_safe(&o, p->label, strlen(p->label), screen_utf8(s));
        out_printf(&o, ": %s", p->why ? p->why : "");
    } else if (shot && shot->error) {
        out_str(&o, "no typing: ");
        text_safe(&o, shot->error->message, strlen(shot->error->message), screen_utf8(s));
    } else if (table) {
        out_str(&o, "no typing: no serial port");
    }
    screen_put(s, a, 0, 0, a.w, theme_ink(ROLE_DIM), o.buf ? o.buf : "", o.len);
    o.len = 0;
    if (!port && table && tui_console_input(t))
        out_str(&o,
                "   start QEMU with -serial unix:PATH,server=on,wait=off or -serial pty to type "
                "here");
    screen_put(s, a, 1, 0, a.w, theme_ink(ROLE_DIM), o.buf ? o.buf : "", o.len);
    out_free(&o);
}

/* ---- drawing ---- */

static void draw_log(struct tui *t, struct console_tab *v, struct area a)
{
    const struct shot *shot = tui_shot(t, SLOT_DMESG);
    struct render_options o = pane_options(tui_screen(t), a, RENDER_DMESG);

    if (tui_is_recording(t))
        screen_print(tui_screen(t), a, 1, 1, INK_PLAIN, "A recording has no kernel log.");
    else if (!tui_missing(t, a, shot, "Kernel log"))
        pane_view(tui_screen(t), a, &v->log, shot->view, &o);
}

/* What went wrong with the events, off the area's bottom. */
static void draw_status(struct tui *t, struct console_tab *v, struct area *a)
{
    struct stream_status st = {0};

    if (v->console)
        console_status(v->console, &st);
    if (!*st.error && !st.lost)
        return;
    struct area line = area_bottom(a, 1);
    screen_print(tui_screen(t), line, 0, 0, theme_ink(ROLE_WARN), "%s%s",
                 *st.error ? "" : "bytes may be missing: events were lost", st.error);
}

static void draw_screen(struct tui *t, struct console_tab *v, struct area a)
{
    struct screen *s = tui_screen(t);
    struct area foot = area_bottom(&a, v->typing || free_port(t) ? 1 : 2);

    draw_typing(t, v, foot);
    if (tui_is_recording(t) && tui_missing(t, a, tui_report(t, "uart"), "The console"))
        return;
    if (v->typing && !console_connected(v->console)) {
        stop_typing(t, v);
        tui_say(t, "the guest's side has closed the connection");
    }
    draw_status(t, v, &a);
    if (!v->typing && (!v->console || !console_any(v->console))) {
        if (tui_is_recording(t))
            screen_print(s, a, 1, 1, INK_PLAIN,
                         "The guest's serial port has sent nothing up to that moment.");
        else if (!tui_is_on(t, "uart"))
            tui_missing(t, a, NULL, "The console");
        else
            screen_print(s, a, 1, 1, INK_PLAIN,
                         "Nothing yet. What the guest's serial port sends from now on comes here.");
        return;
    }
    struct area screen = a;
    if (a.h - TERMINAL_ROWS - 1 >= LOG_LEAST)
        screen = area_top(&a, TERMINAL_ROWS);
    console_draw(s, screen, v->console, &v->back);
    if (v->back)
        screen_print(s, screen, 0, MAX(0, a.w - 22), theme_ink(ROLE_WARN), " %d lines back ",
                     v->back);
    if (screen.h != a.h || screen.y != a.y) {
        struct area head = area_top(&a, 1);
        screen_fill(s, head, 0, 0, head.w, theme_ink(ROLE_HEAD), " ");
        screen_print(s, head, 0, 0, theme_ink(ROLE_HEAD), "KERNEL LOG");
        draw_log(t, v, a);
    }
}

static void console_draw_tab(struct tui *t, void *state, struct area a)
{
    struct console_tab *v = state;

    subs_draw(tui_screen(t), &a, &v->subs, names, v->typing ? "Ctrl-] leaves" : NULL);
    if (v->subs.at == SCREEN_SUB) {
        draw_screen(t, v, a);
    } else if (v->subs.at == LOG) {
        draw_log(t, v, a);
    } else if (tui_is_recording(t) &&
               tui_missing(t, a, tui_report(t, "uart"), "Bytes of the console")) {
        return;
    } else if (!v->console || !(tui_is_recording(t) || tui_is_on(t, "uart"))) {
        tui_missing(t, a, NULL, "Bytes of the console");
    } else {
        draw_status(t, v, &a);
        console_draw_bytes(tui_screen(t), a, v->console, &v->bytes);
    }
}

/* ---- keys ---- */

static bool scroll_back(struct console_tab *v, int key)
{
    switch (key) {
    case KEY_UP: v->back++; return true;
    case KEY_DOWN: v->back--; return true;
    case KEY_PPAGE: v->back += TERMINAL_ROWS / 2; return true;
    case KEY_NPAGE: v->back -= TERMINAL_ROWS / 2; return true;
    case KEY_HOME: v->back = TERMINAL_KEPT; return true;
    case KEY_END:
    case 'G': v->back = 0; return true;
    default: return false;
    }
}

static bool console_key_tab(struct tui *t, void *state, int key)
{
    struct console_tab *v = state;

    if (v->typing) {
        if (key == LEAVE)
            stop_typing(t, v);
        else if (!console_key(v->console, key))
            tui_say(t, "the guest does not take keys so fast");
        return true;
    }
    if (subs_key(&v->subs, names, key))
        return true;
    if (key == 't') {
        start_typing(t, v);
        return true;
    }
    if (v->subs.at == SCREEN_SUB)
        return scroll_back(v, key);
    return pane_key(v->subs.at == LOG ? &v->log : &v->bytes, key);
}

static bool console_grabs(struct tui *t, void *state)
{
    return ((struct console_tab *)state)->typing;
}

static bool console_click(struct tui *t, void *state, int y, int x)
{
    struct console_tab *v = state;

    return !v->typing && subs_click(&v->subs, y, x);
}

static const struct tui_help help[] = {
    {"v, V", "the console's screen, the kernel's log, bytes both ways"},
    {"t", "type into the guest: all keys go there until Ctrl-]"},
    {"arrows, PgUp, G", "scroll back; G, End: to the end again"},
    {NULL, NULL},
};

const struct tab tab_console = {
    .name = "Console",
    .reports_now = console_reports,
    .help = help,
    .state_size = sizeof(struct console_tab),
    .begin = console_begin,
    .end = console_end,
    .wish = console_wish,
    .draw = console_draw_tab,
    .key = console_key_tab,
    .click = console_click,
    .changed = console_changed,
    .grabs = console_grabs,
};
