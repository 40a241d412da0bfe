/* SPDX-License-Identifier: MIT */
#include "tui/command.h"

#include "base/util.h"
#include "draw/text.h"

#include <curses.h>

_Static_assert((int)COMMAND_TEXT >= (int)PROMPT_TEXT, "a line that was typed has room");

enum { EVERY_MS = 1000 };

void command_end(struct command *c)
{
    out_free(&c->text);
    *c = (struct command){0};
}

/* ---- typing ---- */

void command_type(struct command *c)
{
    c->typing = true;
    c->prompt.text[0] = '\0';
    c->at = c->npast;
}

/* Another of the lines before; behind the newest one: nothing yet. */
static void recall(struct command *c, bool older)
{
    if (older ? !c->at : c->at >= c->npast)
        return;
    c->at = older ? c->at - 1 : c->at + 1;
    str_copy(c->prompt.text, sizeof c->prompt.text, c->at < c->npast ? c->past[c->at] : "");
}

/* The same line twice in a row is kept once. */
static void remember(struct command *c, const char *line)
{
    if (c->npast && !strcmp(c->past[c->npast - 1], line))
        return;
    if (c->npast == COMMAND_PAST)
        memmove(c->past[0], c->past[1], sizeof c->past[0] * --c->npast);
    str_copy(c->past[c->npast++], COMMAND_TEXT, line);
}

static void run(struct command *c)
{
    const char *line = c->prompt.text + strspn(c->prompt.text, " :");

    if (!*line)
        return;
    remember(c, line);
    str_copy(c->line, sizeof c->line, line);
    c->open = true;
    c->pane = (struct pane){0};
}

bool command_key(struct command *c, int key)
{
    if (!c->typing) {
        if (c->open && key == 27) {
            c->open = false;
            return true;
        }
        return c->open && pane_key(&c->pane, key);
    }
    if (key == KEY_UP || key == KEY_DOWN) {
        recall(c, key == KEY_UP);
        return true;
    }
    enum prompt_end end = prompt_key(&c->prompt, key);
    c->typing = end == PROMPT_GOES_ON;
    if (end == PROMPT_DONE)
        run(c);
    return true;
}

void command_draw_prompt(const struct command *c, struct screen *s, struct area a)
{
    int x = screen_print(s, a, 0, 0, theme_ink(ROLE_BOLD), ":");

    prompt_draw(s, a, x, &c->prompt);
}

/* ---- what it shows ---- */

void command_wish(struct tui *t, const struct command *c)
{
    struct ask a = {.slot = SLOT_COMMAND, .every_ms = EVERY_MS};

    memcpy(a.line, c->line, sizeof a.line);
    tui_want(t, &a);
}

/* Its text stays while the view and the room do: a page table may have a hundred thousand lines. */
static void render(struct command *c, const struct screen *s, struct area a,
                   const struct shot *shot)
{
    struct out notes;

    if (c->text_of == shot && c->text_time == shot->time && c->text_w == a.w && c->text_h == a.h)
        return;
    struct render_options r = shot->form->options;
    r.term = pane_options(s, a, r.form).term;
    out_free(&c->text);
    out_init(&c->text, -1);
    out_init(&notes, -1); /* the line below the tab has them */
    render_view(&c->text, &notes, shot->view, &r);
    out_free(&notes);
    c->text_of = shot;
    c->text_time = shot->time;
    c->text_w = a.w;
    c->text_h = a.h;
}

static void draw_line(struct screen *s, struct area a, struct ink ink, const char *text)
{
    pane_put(s, a, 0, 0, a.w, ink, text, strlen(text));
}

void command_draw(struct tui *t, struct command *c, struct area a)
{
    const struct shot *shot = tui_shot(t, SLOT_COMMAND);
    struct screen *s = tui_screen(t);
    struct area head = area_top(&a, 1);

    if (shot && strcmp(shot->ask.line, c->line) != 0)
        shot = NULL; /* of the line before */
    screen_fill(s, head, 0, 0, head.w, theme_ink(ROLE_HEAD), " ");
    screen_print(s, head, 0, MAX(head.w - 28, 0), theme_ink(ROLE_HEAD), "Esc: back   :, Up: again");
    draw_line(s, (struct area){head.y, head.x, 1, MAX(head.w - 30, 0)}, theme_ink(ROLE_HEAD),
              c->line);
    if (tui_is_recording(t)) {
        draw_line(s, area_top(&a, 1), theme_ink(ROLE_BAD),
                  "a recording has no state to look at: only the events of its tabs");
        return;
    }
    if (!shot) {
        draw_line(s, area_top(&a, 1), theme_ink(ROLE_DIM), "being fetched");
        return;
    }
    if (!shot->view && shot->error)
        pane_say(s, a, shot->error->message);
    if (!shot->view || !shot->form)
        return;
    if (shot->error)
        draw_line(s, area_top(&a, 1), theme_ink(ROLE_BAD), shot->error->message);
    render(c, s, a, shot);
    pane_draw(s, a, &c->pane, c->text.buf ? c->text.buf : "", c->text.len);
}
