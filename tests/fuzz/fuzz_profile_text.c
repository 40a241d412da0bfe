/* SPDX-License-Identifier: MIT */
/* A profile's text: any bytes. What was taken must be found again, and errors must name a line. */
#include "fuzz.h"

#include "base/near.h"
#include "base/util.h"
#include "os/profile/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct profile_text t;
    struct near near = {.word = "pagetable"};
    struct oscope_error *err = profile_text_parse("p", (const char *)data, size, &t);

    if (err) {
        if (strncmp(err->message, "p:", 2) && size <= PROFILE_BYTES_MAX)
            abort();
        oscope_error_free(err);
        return 0;
    }
    vec_each (struct profile_entry, e, &t.entries) {
        if (profile_text_find(&t, e->section, e->key) != e || !e->line ||
            strlen(e->value) > PROFILE_VALUE_MAX)
            abort();
        near_try(&near, e->key);
    }
    profile_text_free(&t);
    return 0;
}
