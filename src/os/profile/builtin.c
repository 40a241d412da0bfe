/* SPDX-License-Identifier: MIT */
/* Profiles that are part of oscope; their texts are in profiles/. */
#include "os/profile/builtin.h"

#include <string.h>

static const struct profile_builtin *find(const char *name)
{
    for (const struct profile_builtin *b = profile_builtins; b->name; b++)
        if (!strcmp(b->name, name))
            return b;
    return NULL;
}

bool profile_is_builtin(const char *name)
{
    return find(name) != NULL;
}

struct oscope_error *profile_text_open(const char *name, struct profile_text *out)
{
    const struct profile_builtin *b = find(name);

    return b ? profile_text_parse(b->name, b->text, strlen(b->text), out)
             : profile_text_read(name, out);
}
