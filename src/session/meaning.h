/* SPDX-License-Identifier: MIT */
/* What the numbers of an event stand for, in words. */
#ifndef SESSION_MEANING_H
#define SESSION_MEANING_H

#include "os/model.h"
#include "trace/reader.h"

#include <oscope/events.h>

/*
 * Sets meaning, cut and later of the fields of `to`, which has those of `from`. os may be NULL:
 * what is the OS's or the architecture's has no name then. Texts lie in buf; those that find no
 * room are left out.
 */
void meaning_fill(struct oscope_event *to, const struct trace_event *from,
                  const struct os_model *os, char *buf, size_t room);

#endif
