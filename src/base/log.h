/* SPDX-License-Identifier: MIT */
/*
 * Diagnostics for developers, never results; see <oscope/log.h>. With no sink installed a call
 * costs one test.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <oscope/log.h>

void log_at(enum oscope_log_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#define log_warn(...)  log_at(OSCOPE_LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_at(OSCOPE_LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(OSCOPE_LOG_DEBUG, __VA_ARGS__)

#endif
