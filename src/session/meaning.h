/* SPDX-License-Identifier: MIT */
/* What the numbers of an event stand for, in words. */
#ifndef SESSION_MEANING_H
#define SESSION_MEANING_H

#include "os/model.h"
#include "trace/reader.h"

#include <oscope/events.h>

/*
 * Sets meaning, detail, cut, later and inner of the fields of `to`, which has those of `from`, and
 * final. Of os only ops and arch are used; NULL: what is theirs has no name. trap_names: the
 * kernel's own (os/trap_names.h), or NULL. Texts lie in buf; those that find no room are left out.
 */
void meaning_fill(struct oscope_event *to, const struct trace_event *from,
                  const struct os_model *os, const char *trap_names, char *buf, size_t room);

#endif
