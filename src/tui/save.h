/* SPDX-License-Identifier: MIT */
/* The views on the screen as JSON, in a file: the same numbers, to keep or to send to somebody. */
#ifndef TUI_SAVE_H
#define TUI_SAVE_H

#include <oscope/error.h>
#include <oscope/view.h>

struct collect_status;

/*
 * Writes "oscope-NAME-DATE-TIME.json" in the current directory: an object with "top", what the
 * screen says of itself (events and packets lost since it began, ns behind), and each view by its
 * name, in the form of `-o json`. path: 64 bytes or more, gets its name. OSCOPE_E_IO, OSCOPE_E_BUSY
 * (there is one).
 */
struct oscope_error *save_views(const char *name, const struct collect_status *status,
                                const struct oscope_view *const *views, size_t n, char *path,
                                size_t size);

#endif
