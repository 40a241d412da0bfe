/* SPDX-License-Identifier: MIT */
/*
 * The first message to a page:
 * {"op":"hello","views":[{"name","needs":[SET…]|null,"takes":[ARG…],"source"}…]}: which views there
 * are, the event sets that they need (null: made of guest memory alone), the arguments that they
 * take (message.h), and where their numbers come from, for who points at one.
 */
#ifndef WEB_HELLO_H
#define WEB_HELLO_H

#include "draw/out.h"

void hello_write(struct out *o);

#endif
