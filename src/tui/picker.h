/* SPDX-License-Identifier: MIT */
/* Choosing one of several sessions. */
#ifndef TUI_PICKER_H
#define TUI_PICKER_H

#include <oscope/error.h>

#include <stdbool.h>

/*
 * Shows the sessions there are, on the whole terminal, until one is chosen: *id is the caller's to
 * free; NULL: the user wants none. Errors: no terminal, the sessions can't be listed.
 */
struct oscope_error *tui_pick(bool colors, char **id);

#endif
