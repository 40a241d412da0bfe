/* SPDX-License-Identifier: MIT */
/* Log lines to whoever installed a sink. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

static struct {
    log_sink_fn sink;
    void *arg;
    enum log_level most;
} state;

void log_set(log_sink_fn sink, void *arg, enum log_level most)
{
    state.arg = arg;
    state.most = most;
    state.sink = sink;
}

void log_at(enum log_level level, const char *fmt, ...)
{
    char line[512];
    va_list ap;

    if (!state.sink || level > state.most)
        return;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    state.sink(level, line, state.arg);
}
