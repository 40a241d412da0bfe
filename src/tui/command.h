/* SPDX-License-Identifier: MIT */
/*
 * A line typed after `:`, and what it shows in place of the tab: any state command's view, as the
 * command line would write it, made again while it is looked at.
 */
#ifndef TUI_COMMAND_H
#define TUI_COMMAND_H

#include "tui/prompt.h"
#include "tui/tui.h"

enum { COMMAND_PAST = 32 };

struct command {
    bool typing, open; /* the prompt is shown; a view is */
    struct prompt prompt;
    char line[COMMAND_TEXT];               /* whose view is shown */
    char past[COMMAND_PAST][COMMAND_TEXT]; /* lines typed before, the newest last */
    size_t npast, at;                      /* at: which one the prompt has; npast: none */
    struct pane pane;
    struct out text; /* of the view, rendered */
    const struct shot *text_of;
    uint64_t text_time;
    int text_w, text_h;
};

void command_end(struct command *c);

/* `:` was pressed. */
void command_type(struct command *c);
/* False: it is not for the prompt, nor for what is shown. */
bool command_key(struct command *c, int key);

void command_wish(struct tui *t, const struct command *c);
void command_draw(struct tui *t, struct command *c, struct area a);
/* The prompt, in the line at the bottom. */
void command_draw_prompt(const struct command *c, struct screen *s, struct area a);

#endif
