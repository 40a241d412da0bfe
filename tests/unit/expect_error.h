/* SPDX-License-Identifier: MIT */
/* What a test expects of an error value; it is freed. */
#ifndef EXPECT_ERROR_H
#define EXPECT_ERROR_H

#include <oscope/error.h>

#include <string.h>

/* An error of that code, whose message has that part. */
static inline void assert_error(struct oscope_error *err, enum oscope_code code, const char *part)
{
    assert_non_null(err);
    if (err->code != code || !strstr(err->message, part))
        fail_msg("error %d: %s", err->code, err->message);
    oscope_error_free(err);
}

static inline void assert_ok(struct oscope_error *err)
{
    if (err)
        fail_msg("%s", err->message);
}

#endif
