/* SPDX-License-Identifier: MIT */
#include "tui/terminal.h"

#include "base/util.h"
#include "draw/text.h"
#include "tui/terminal_filter.h"

#include <curses.h>
#include <vterm.h>

enum { ANSWER_MAX = 4096 };

struct cell {
    uint32_t character; /* 0: blank; */
    int32_t fg, bg;
    uint8_t attr;  /* enum ink_attr */
    uint8_t width; /* 0: the right half of the one before */
};

typedef struct cell row[TERMINAL_COLUMNS];

struct terminal {
    VTerm *vt;
    VTermScreen *screen;
    struct terminal_filter filter;
    row *kept; /* ring of the lines that left the screen */
    uint64_t left;
    bool hidden; /* the cursor */
    char answer[ANSWER_MAX];
    size_t answered;
};

/* ---- what libvterm tells ---- */

static int32_t color_of(const struct terminal *t, VTermColor c, bool background)
{
    if (background ? VTERM_COLOR_IS_DEFAULT_BG(&c) : VTERM_COLOR_IS_DEFAULT_FG(&c))
        return INK_DEFAULT;
    vterm_screen_convert_color_to_rgb(t->screen, &c);
    return c.rgb.red << 16 | c.rgb.green << 8 | c.rgb.blue;
}

static struct cell cell_of(const struct terminal *t, const VTermScreenCell *c)
{
    unsigned attr = (c->attrs.bold ? INK_BOLD : 0) | (c->attrs.underline ? INK_UNDERLINE : 0) |
                    (c->attrs.reverse ? INK_REVERSE : 0);

    /* libvterm marks the right half of a wide character with all bits set */
    bool right = c->chars[0] == UINT32_MAX;
    return (struct cell){.character = right ? 0 : c->chars[0],
                         .fg = color_of(t, c->fg, false),
                         .bg = color_of(t, c->bg, true),
                         .attr = (uint8_t)attr,
                         .width = right ? 0 : (uint8_t)MAX(1, MIN((int)c->width, 2))};
}

static int on_line_out(int n, const VTermScreenCell *cells, void *user)
{
    struct terminal *t = user;
    row *to = &t->kept[t->left++ % TERMINAL_KEPT];

    memset(to, 0, sizeof *to);
    for (int i = 0; i < MIN(n, (int)TERMINAL_COLUMNS); i++)
        (*to)[i] = cell_of(t, &cells[i]);
    return 1;
}

static int on_property(VTermProp property, VTermValue *value, void *user)
{
    struct terminal *t = user;

    if (property == VTERM_PROP_CURSORVISIBLE)
        t->hidden = !value->boolean;
    return 1;
}

static void on_answer(const char *bytes, size_t n, void *user)
{
    struct terminal *t = user;

    if (n > sizeof t->answer - t->answered)
        return; /* nobody takes them */
    memcpy(t->answer + t->answered, bytes, n);
    t->answered += n;
}

static const VTermScreenCallbacks callbacks = {
    .settermprop = on_property,
    .sb_pushline = on_line_out,
};

/* ---- life ---- */

struct terminal *terminal_new(void)
{
    struct terminal *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->kept = calloc(TERMINAL_KEPT, sizeof *t->kept);
    t->vt = vterm_new(TERMINAL_ROWS, TERMINAL_COLUMNS);
    if (!t->kept || !t->vt) {
        terminal_free(t);
        return NULL;
    }
    vterm_set_utf8(t->vt, 1);
    vterm_output_set_callback(t->vt, on_answer, t);
    t->screen = vterm_obtain_screen(t->vt);
    vterm_screen_set_callbacks(t->screen, &callbacks, t);
    vterm_screen_enable_altscreen(t->screen, 1);
    vterm_screen_reset(t->screen, 1);
    return t;
}

void terminal_free(struct terminal *t)
{
    if (!t)
        return;
    if (t->vt)
        vterm_free(t->vt);
    free(t->kept);
    free(t);
}

void terminal_reset(struct terminal *t)
{
    static const char cancel = 0x18; /* the sequence that was begun */

    vterm_input_write(t->vt, &cancel, 1);
    vterm_screen_reset(t->screen, 1);
    t->filter = (struct terminal_filter){0};
    t->left = 0;
    t->answered = 0;
    t->hidden = false;
}

void terminal_write(struct terminal *t, const char *bytes, size_t n)
{
    char to[1024];
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        if (len > sizeof to - TERMINAL_FILTERED) {
            vterm_input_write(t->vt, to, len);
            len = 0;
        }
        len += terminal_filter(&t->filter, bytes[i], to + len);
    }
    vterm_input_write(t->vt, to, len);
}

/* ---- drawing ---- */

static struct cell cell_at(const struct terminal *t, int y, int x)
{
    VTermScreenCell c;

    if (y < 0)
        return t->kept[(t->left - (uint64_t)-y) % TERMINAL_KEPT][x];
    if (!vterm_screen_get_cell(t->screen, (VTermPos){.row = y, .col = x}, &c))
        return (struct cell){.fg = INK_DEFAULT, .bg = INK_DEFAULT, .width = 1};
    return cell_of(t, &c);
}

static size_t encode(uint32_t c, char to[4])
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; c >>= 6)
        to[i] = (char)(0x80 | (c & 0x3f));
    to[0] = (char)((0xf0 << (4 - n)) | c);
    return n;
}

/* Lines of boxes, for terminals that have ASCII only (Unicode, "Box Drawing"). */
static char plain(uint32_t c)
{
    if (c == 0x2500 || c == 0x2501 || c == 0x2550)
        return '-';
    if (c == 0x2502 || c == 0x2503 || c == 0x2551)
        return '|';
    return c >= 0x2500 && c < 0x2580 ? '+' : '?';
}

/* o: to work in. */
static void draw_cell(struct screen *s, struct area a, int y, int x, const struct cell *c,
                      struct out *o)
{
    struct ink ink = {c->fg, c->bg, c->attr, c->attr};
    char bytes[4], other;

    if (!c->width)
        return;
    size_t n = encode(c->character ? c->character : ' ', bytes);
    o->len = 0;
    if (text_safe(o, bytes, n, screen_utf8(s)) == c->width) {
        screen_put(s, a, y, x, c->width, ink, o->buf ? o->buf : "", o->len);
    } else { /* nothing that may be shown as it is */
        other = plain(c->character);
        screen_put(s, a, y, x, 1, ink, &other, 1);
    }
}

static int rows_kept(const struct terminal *t)
{
    return (int)MIN(t->left, (uint64_t)TERMINAL_KEPT);
}

static bool row_is_blank(const struct terminal *t, int y)
{
    for (int x = 0; x < TERMINAL_COLUMNS; x++) {
        struct cell c = cell_at(t, y, x);
        if ((c.character && c.character != ' ') || c.bg != INK_DEFAULT)
            return false;
    }
    return true;
}

void terminal_draw(struct screen *s, struct area a, const struct terminal *t, int *back,
                   bool cursor)
{
    VTermPos at;
    int end = TERMINAL_ROWS;
    struct out o;

    vterm_state_get_cursorpos(vterm_obtain_state(t->vt), &at);
    /* blank lines below the cursor go first when there is not room for all */
    while (end > at.row + 1 && end > a.h && row_is_blank(t, end - 1))
        end--;
    if (cursor && at.row < end - a.h) /* where one types is seen in any case */
        end = at.row + MAX(a.h, 1);
    *back = MAX(0, MIN(*back, rows_kept(t) + end - a.h));
    end -= *back;
    int from = MAX(end - a.h, -rows_kept(t));
    out_init(&o, -1);
    for (int y = from; y < end; y++)
        for (int x = 0; x < MIN(a.w, (int)TERMINAL_COLUMNS); x++) {
            struct cell c = cell_at(t, y, x);
            draw_cell(s, a, y - from, x, &c, &o);
        }
    out_free(&o);
    if (cursor && !t->hidden && at.row >= from && at.row < end)
        screen_cursor(s, a.y + at.row - from, a.x + MIN(at.col, a.w - 1));
}

void terminal_text(const struct terminal *t, int y, char *to, size_t n)
{
    size_t used = 0, end = 0;

    for (int x = 0; x < TERMINAL_COLUMNS && used + 5 < n; x++) {
        struct cell c = cell_at(t, y, x);
        if (!c.width)
            continue;
        used += encode(c.character ? c.character : ' ', to + used);
        end = c.character && c.character != ' ' ? used : end;
    }
    to[end] = '\0';
}

/* ---- keys ---- */

void terminal_key(struct terminal *t, int key)
{
    static const struct {
        int key;
        VTermKey vkey;
    } keys[] = {
        {KEY_UP, VTERM_KEY_UP},        {KEY_DOWN, VTERM_KEY_DOWN},
        {KEY_LEFT, VTERM_KEY_LEFT},    {KEY_RIGHT, VTERM_KEY_RIGHT},
        {KEY_HOME, VTERM_KEY_HOME},    {KEY_END, VTERM_KEY_END},
        {KEY_IC, VTERM_KEY_INS},       {KEY_DC, VTERM_KEY_DEL},
        {KEY_PPAGE, VTERM_KEY_PAGEUP}, {KEY_NPAGE, VTERM_KEY_PAGEDOWN},
        {KEY_ENTER, VTERM_KEY_ENTER},
    };
    char byte = (char)key;

    if (key >= 0 && key < 256) { /* as it came: a control character, or a piece of UTF-8 */
        on_answer(&byte, 1, t);
        return;
    }
    if (key == KEY_BACKSPACE) {
        byte = 0x7f;
        on_answer(&byte, 1, t);
        return;
    }
    if (key == KEY_BTAB)
        vterm_keyboard_key(t->vt, VTERM_KEY_TAB, VTERM_MOD_SHIFT);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (keys[i].key == key)
            vterm_keyboard_key(t->vt, keys[i].vkey, VTERM_MOD_NONE);
    for (int i = 1; i <= 12; i++)
        if (key == KEY_F(i))
            vterm_keyboard_key(t->vt, (VTermKey)VTERM_KEY_FUNCTION(i), VTERM_MOD_NONE);
}

size_t terminal_take(struct terminal *t, char *to, size_t n)
{
    n = MIN(n, t->answered);
    memcpy(to, t->answer, n);
    memmove(t->answer, t->answer + n, t->answered - n);
    t->answered -= n;
    return n;
}
