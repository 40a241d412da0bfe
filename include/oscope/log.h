/* SPDX-License-Identifier: MIT */
/*
 * Diagnostics for developers of oscope and of programs that use it. The library is silent unless a
 * sink is installed.
 */
#ifndef OSCOPE_LOG_H
#define OSCOPE_LOG_H

#ifdef __cplusplus
extern "C" {
#endif

enum oscope_log_level { OSCOPE_LOG_WARN, OSCOPE_LOG_INFO, OSCOPE_LOG_DEBUG };

/* line has no newline and lives as long as the call. */
typedef void (*oscope_log_fn)(enum oscope_log_level level, const char *line, void *arg);

/*
 * Sends lines up to level `most` to sink; NULL switches logging off. Process-wide on purpose: it
 * carries no session's state. Call it before sessions are opened.
 */
void oscope_log_to(oscope_log_fn sink, void *arg, enum oscope_log_level most);

#ifdef __cplusplus
}
#endif
#endif
