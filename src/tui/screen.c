/* SPDX-License-Identifier: MIT */
/*
 * See screen.h. Inks become pairs of ncurses when they are first drawn; a table keeps which. When
 * the process dies of a signal, the terminal is put right with nothing but write() and
 * tcsetattr(), from strings made ready before.
 */
#include "tui/screen.h"

#include "base/error.h"
#include "base/util.h"
#include "draw/text.h"
#include "tui/truecolor.h"

#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

/* Of <term.h>, whose other names are not wanted here. */
char *tigetstr(const char *name);

enum { PAIRS = 1024, KEY_DELAY_MS = 25 };

struct screen {
    int colors;
    bool utf8;
    int npairs, most;
    bool full; /* some found no place: starts anew with the next frame */
    struct pair {
        int32_t fg, bg;
        short used; /* number of the pair, 0: free */
    } pairs[PAIRS];
};

/* ---- the way back ---- */

/* Read by a signal handler: written before it is installed, and not afterwards. */
static struct termios saved_termios;
static char saved_text[256];
static volatile sig_atomic_t saved_length;

static const int fatal_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS};

static void restore_raw(int signal)
{
    ssize_t ignored = write(STDOUT_FILENO, saved_text, (size_t)saved_length);

    (void)ignored;
    tcsetattr(STDIN_FILENO, TCSANOW, &saved_termios);
    raise(signal); /* SA_RESETHAND: does now what it does */
}

/* Without its padding ("$<2>"), which is for terminals of old. */
static void save_string(const char *s)
{
    if (!s || s == (char *)-1) /* NOLINT: what tigetstr() gives */
        return;
    for (; *s && (size_t)saved_length < sizeof saved_text; s++) {
        const char *end = s[0] == '$' && s[1] == '<' ? strchr(s, '>') : NULL;
        if (end)
            s = end;
        else
            saved_text[saved_length++] = *s;
    }
}

static void save_way_back(void)
{
    static const char *const names[] = {"sgr0", "cnorm", "rmkx", "rmcup"};

    saved_length = 0;
    save_string("\033[?1006;1002;1000l"); /* mouse */
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        save_string(tigetstr(names[i]));
    for (size_t i = 0; i < ARRAY_SIZE(fatal_signals); i++)
        sigaction(fatal_signals[i],
                  &(struct sigaction){.sa_handler = restore_raw, .sa_flags = (int)SA_RESETHAND},
                  NULL);
}

/* ---- opening ---- */

static int colors_of_terminal(bool wanted)
{
    if (!wanted || !has_colors() || start_color() == ERR)
        return 0;
    use_default_colors();
    return COLORS >= 1 << 24 ? 1 << 24 : COLORS >= 256 ? 256 : COLORS >= 16 ? 16 : 8;
}

struct oscope_error *screen_open(bool colors, struct screen **out)
{
    *out = NULL;
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return error_hint(error_new(OSCOPE_E_USAGE, "this is not a terminal"),
                          "`oscope report` and `oscope ps --watch 1` need none");
    struct screen *s = calloc(1, sizeof *s);
    if (!s)
        return error_nomem();
    setlocale(LC_CTYPE, "");
    s->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
    tcgetattr(STDIN_FILENO, &saved_termios);
    struct truecolor all = {0};
    const char *name = colors ? truecolor_begin(&all) : NULL;
    SCREEN *term = name ? newterm(name, stdout, stdin) : NULL;
    truecolor_end(&all);
    if (!term)
        term = newterm(NULL, stdout, stdin);
    if (!term) {
        free(s);
        return error_new(OSCOPE_E_UNSUPPORTED, "the terminal '%s' is not known or too simple",
                         getenv("TERM") ? getenv("TERM") : "");
    }
    set_escdelay(KEY_DELAY_MS);
    s->colors = colors_of_terminal(colors);
    s->most = s->colors ? MIN(COLOR_PAIRS, PAIRS / 2) : 0;
    save_way_back();
    cbreak();
    noecho();
    nonl();
    intrflush(stdscr, FALSE);
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    leaveok(stdscr, FALSE);
    curs_set(0);
    mousemask(BUTTON1_PRESSED | BUTTON1_CLICKED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
    mouseinterval(0);
    *out = s;
    return NULL;
}

void screen_close(struct screen *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(fatal_signals); i++)
        sigaction(fatal_signals[i], &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    mousemask(0, NULL);
    curs_set(1);
    endwin();
    free(s);
}

struct area screen_area(const struct screen *s)
{
    return (struct area){0, 0, LINES, COLS};
}

bool screen_utf8(const struct screen *s)
{
    return s->utf8;
}

int screen_colors(const struct screen *s)
{
    return s->colors;
}

/* ---- inks ---- */

static int component(int32_t rgb, int shift)
{
    return (rgb >> shift) & 0xff;
}

/* The nearest of xterm's 6x6x6 cube and its greys (xterm's 256colres.h), from 16 on. */
static int nearest_256(int32_t rgb)
{
    static const int steps[] = {0, 95, 135, 175, 215, 255};
    int index = 16, r = component(rgb, 16), g = component(rgb, 8), b = component(rgb, 0);

    if (abs(r - g) < 12 && abs(g - b) < 12 && r > 8 && r < 238)
        return 232 + MIN((r - 8 + 5) / 10, 23);
    for (int shift = 16, unit = 36; shift >= 0; shift -= 8, unit /= 6) {
        int v = component(rgb, shift), best = 0;
        for (int i = 1; i < 6; i++)
            if (abs(v - steps[i]) < abs(v - steps[best]))
                best = i;
        index += best * unit;
    }
    return index;
}

static int nearest_8(int32_t rgb, int colors)
{
    int r = component(rgb, 16), g = component(rgb, 8), b = component(rgb, 0);
    int high = MAX(r, MAX(g, b)), cut = high / 2 + 1;

    if (high < 0x38)
        return colors >= 16 && high > 0x18 ? 8 : 0;
    int index = (r >= cut) | (g >= cut) << 1 | (b >= cut) << 2;
    if (index == 7 && high < 0x98)
        return colors >= 16 ? 8 : 7;
    return index + (colors >= 16 && high > 0xd0 ? 8 : 0);
}

static int color_of(const struct screen *s, int32_t rgb)
{
    if (rgb < 0)
        return -1;
    if (s->colors > 256)
        return rgb;
    return s->colors == 256 ? nearest_256(rgb) : nearest_8(rgb, s->colors);
}

/* The pair of two colours, made when it is new; 0 if there is no room for another. */
static int pair_of(struct screen *s, int32_t fg, int32_t bg)
{
    uint32_t i = ((uint32_t)fg * 0x9e3779b1u ^ (uint32_t)bg * 0x85ebca6bu) >> 22;

    if (fg < 0 && bg < 0)
        return 0;
    for (;; i = (i + 1) % PAIRS) {
        struct pair *p = &s->pairs[i % PAIRS];
        if (p->used && p->fg == fg && p->bg == bg)
            return p->used;
        if (p->used)
            continue;
        if (s->npairs + 1 >= s->most) {
            s->full = true;
            return 0;
        }
        *p = (struct pair){fg, bg, (short)++s->npairs};
        init_extended_pair(p->used, color_of(s, fg), color_of(s, bg));
        return p->used;
    }
}

static void use_ink(struct screen *s, struct ink ink)
{
    unsigned attr = s->colors ? ink.attr : ink.mono;
    int pair = s->colors ? pair_of(s, ink.fg, ink.bg) : 0;

    attr_t a = (attr & INK_BOLD ? A_BOLD : 0) | (attr & INK_DIM ? A_DIM : 0) |
               (attr & INK_REVERSE ? A_REVERSE : 0) | (attr & INK_UNDERLINE ? A_UNDERLINE : 0);
    attr_set(a, 0, &pair);
}

/* ---- drawing ---- */

/* The text within `cells` cells of which `skip` are cut in front: where it begins and how long it
 * is in bytes. Returns the cells that are left. */
static int clip(const char *text, size_t n, int skip, int cells, size_t *from, size_t *bytes)
{
    size_t at = 0;
    int used = 0;

    *from = *bytes = 0;
    for (int before = 0; at < n;) {
        uint32_t cp;
        size_t len = text_utf8(text + at, n - at, &cp);
        len = len ? len : 1;
        int w = (int)text_width(text + at, len);
        if (before < skip) {
            before += w;
            at += len;
            *from = at;
            continue;
        }
        if (used + w > cells)
            break;
        used += w;
        at += len;
        *bytes = at - *from;
    }
    return used;
}

int screen_put(struct screen *s, struct area a, int y, int x, int cells, struct ink ink,
               const char *text, size_t n)
{
    size_t from, bytes;
    int skip = x < 0 ? -x : 0;

    if (y < 0 || y >= a.h || x >= a.w || !n)
        return 0;
    int used = clip(text, n, skip, MIN(cells - skip, a.w - x - skip), &from, &bytes);
    if (used <= 0)
        return 0;
    use_ink(s, ink);
    mvaddnstr(a.y + y, a.x + x + skip, text + from, (int)bytes);
    return used;
}

int screen_print(struct screen *s, struct area a, int y, int x, struct ink ink, const char *fmt,
                 ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return screen_put(s, a, y, x, a.w, ink, text, (size_t)MAX(0, MIN(n, (int)sizeof text - 1)));
}

void screen_fill(struct screen *s, struct area a, int y, int x, int cells, struct ink ink,
                 const char *character)
{
    cells = MIN(cells, a.w - x);
    if (y < 0 || y >= a.h || x < 0)
        return;
    use_ink(s, ink);
    for (int i = 0; i < cells; i++)
        mvaddstr(a.y + y, a.x + x + i, character);
}

void screen_clear(struct screen *s)
{
    if (s->full) {
        memset(s->pairs, 0, sizeof s->pairs);
        s->npairs = 0;
        s->full = false;
        clearok(stdscr, TRUE); /* what stands there has other colours now */
    }
    use_ink(s, INK_PLAIN);
    erase();
}

void screen_flush(struct screen *s)
{
    refresh();
}

void screen_redraw(struct screen *s)
{
    clearok(curscr, TRUE);
}

void screen_cursor(struct screen *s, int y, int x)
{
    curs_set(y >= 0);
    if (y >= 0)
        move(y, x);
}

/* ---- keys ---- */

void screen_raw(struct screen *s, bool on)
{
    if (on) {
        raw();
    } else {
        noraw();
        cbreak();
    }
}

int screen_key(struct screen *s)
{
    int key = getch();

    return key == ERR ? -1 : key;
}

bool screen_mouse(struct screen *s, struct screen_mouse *out)
{
    MEVENT e;

    if (getmouse(&e) != OK)
        return false;
    *out = (struct screen_mouse){.y = e.y,
                                 .x = e.x,
                                 .press = e.bstate & (BUTTON1_PRESSED | BUTTON1_CLICKED),
                                 .up = e.bstate & BUTTON4_PRESSED,
                                 .down = e.bstate & BUTTON5_PRESSED};
    return out->press || out->up || out->down;
}
