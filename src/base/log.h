/* SPDX-License-Identifier: MIT */
/*
 * Diagnostics for developers (OSCOPE_LOG=debug in the environment), never results. The library is
 * silent unless asked: log_set() installs a sink; with none installed a call costs one test.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_WARN, LOG_INFO, LOG_DEBUG };

typedef void (*log_sink_fn)(enum log_level level, const char *line, void *arg);

/* sink NULL switches logging off. Process-wide on purpose: it carries no session state. */
void log_set(log_sink_fn sink, void *arg, enum log_level most);
void log_at(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_warn(...)  log_at(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)

#endif
