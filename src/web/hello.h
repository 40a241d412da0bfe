/* SPDX-License-Identifier: MIT */
/*
 * The first message to a page: {"op":"hello","console":BOOL,"exports":[{"to","title","doc"}…],
 * "views":[{"name","needs":[SET…]|null,"takes":[ARG…],"source"}…]}: whether consoles are shown, as
 * what recordings can be downloaded (/export?guest=ID&to=TO),
 * which views there are, the event sets that they need (null: made of guest memory alone), the
 * arguments that they take (message.h), and where their numbers come from, for who points at one.
 */
#ifndef WEB_HELLO_H
#define WEB_HELLO_H

#include "draw/out.h"

/* console: guests' consoles are shown; else no view that has them is told of. */
void hello_write(struct out *o, bool console);

#endif
