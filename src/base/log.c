/* SPDX-License-Identifier: MIT */
/* Log lines to whoever installed a sink. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

static struct {
    oscope_log_fn sink;
    void *arg;
    enum oscope_log_level most;
} state;

void oscope_log_to(oscope_log_fn sink, void *arg, enum oscope_log_level most)
{
    state.arg = arg;
    state.most = most;
    state.sink = sink;
}

void log_at(enum oscope_log_level level, const char *fmt, ...)
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
