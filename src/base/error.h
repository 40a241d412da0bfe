/* SPDX-License-Identifier: MIT */
/*
 * Making and passing on errors inside the library; the type is public, see <oscope/error.h>.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <oscope/error.h>

#include <stdarg.h>

#define WARN_UNUSED __attribute__((warn_unused_result))

/* A new error; never returns NULL (out of memory yields a static error that free ignores). */
struct oscope_error *error_new(enum oscope_code code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3))) WARN_UNUSED;

/* As error_new(), with ": strerror(errnum)" added; EACCES and EPERM give OSCOPE_E_PERMISSION. */
struct oscope_error *error_errno(int errnum, const char *fmt, ...)
    __attribute__((format(printf, 2, 3))) WARN_UNUSED;

struct oscope_error *error_nomem(void) WARN_UNUSED;

/* Sets the hint (replacing an older one) and returns err. */
struct oscope_error *error_hint(struct oscope_error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3))) WARN_UNUSED;

/* Puts "text: " in front of the message and returns err; NULL stays NULL. */
struct oscope_error *error_prefix(struct oscope_error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3))) WARN_UNUSED;

/* Returns from the calling function when expr yields an error. */
#define TRY(expr)                                                                                  \
    do {                                                                                           \
        struct oscope_error *try_err_ = (expr);                                                    \
        if (try_err_)                                                                              \
            return try_err_;                                                                       \
    } while (0)

#endif
