/* SPDX-License-Identifier: MIT */
/*
 * Opens the page in the desktop's browser. Arguments of a program can be read by all users, so the
 * URL is in none: the browser is given a file that only its owner can read, and which sends it on.
 */
#ifndef WEB_OPENER_H
#define WEB_OPENER_H

#include <oscope/error.h>

/* Starts xdg-open, if there is one. *file: to be given to opener_done(), NULL: there is none.
 * Errors: the file can't be made. */
struct oscope_error *opener_open(const char *url, char **file);
/* The URL was used, or is no longer of use: removes and frees the file. NULL allowed. */
void opener_done(char *file);

#endif
