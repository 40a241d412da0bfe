/* SPDX-License-Identifier: MIT */
/* Errors as values: construction, context, release. */
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char nomem_text[] = "out of memory";
static struct oscope_error nomem_error = {OSCOPE_E_NOMEM, nomem_text, NULL};

void oscope_error_free(struct oscope_error *err)
{
    if (!err || err == &nomem_error)
        return;
    free(err->message);
    free(err->hint);
    free(err);
}

struct oscope_error *error_nomem(void)
{
    return &nomem_error;
}

static struct oscope_error *error_take(enum oscope_code code, char *message)
{
    struct oscope_error *err = message ? calloc(1, sizeof *err) : NULL;

    if (!err) {
        free(message);
        return &nomem_error;
    }
    err->code = code;
    err->message = message;
    return err;
}

static char *format_va(const char *fmt, va_list ap)
{
    char *text;

    return vasprintf(&text, fmt, ap) < 0 ? NULL : text;
}

struct oscope_error *error_new(enum oscope_code code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = format_va(fmt, ap);
    va_end(ap);
    return error_take(code, text);
}

struct oscope_error *error_errno(int errnum, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = format_va(fmt, ap), *full = NULL;
    va_end(ap);
    if (text && asprintf(&full, "%s: %s", text, strerror(errnum)) < 0)
        full = NULL;
    free(text);
    if (errnum == ENOMEM)
        return error_take(OSCOPE_E_NOMEM, full);
    return error_take(errnum == EACCES || errnum == EPERM ? OSCOPE_E_PERMISSION : OSCOPE_E_IO,
                      full);
}

struct oscope_error *error_hint(struct oscope_error *err, const char *fmt, ...)
{
    if (!err || err == &nomem_error)
        return err;
    va_list ap;
    va_start(ap, fmt);
    char *text = format_va(fmt, ap);
    va_end(ap);
    if (text) {
        free(err->hint);
        err->hint = text;
    }
    return err;
}

struct oscope_error *error_prefix(struct oscope_error *err, const char *fmt, ...)
{
    char *full = NULL;

    if (!err || err == &nomem_error)
        return err;
    va_list ap;
    va_start(ap, fmt);
    char *text = format_va(fmt, ap);
    va_end(ap);
    if (text && asprintf(&full, "%s: %s", text, err->message) >= 0) {
        free(err->message);
        err->message = full;
    }
    free(text);
    return err;
}
