/* SPDX-License-Identifier: MIT */
#include "tui/missing.h"

#include "base/util.h"

#include <stdio.h>

/* What was said when one of the sets could not be had; NULL: they all can. */
static const char *refused(const struct missing *m)
{
    for (size_t i = 0; i < m->status->nrefused; i++)
        if (sets_has(&m->needed, m->status->refused[i].set))
            return m->status->refused[i].why;
    return NULL;
}

static void put_names(char *text, size_t size, const struct sets *sets)
{
    size_t n = strlen(text);

    for (size_t i = 0; i < sets->n && n < size; i++)
        n += (size_t)snprintf(text + n, size - n, " %s", sets->names[i]);
}

/* A recording has what it was made with. */
static void of_recording(const struct missing *m, char *text, size_t size)
{
    snprintf(text, size,
             "%s: the recording was made without the event sets that this needs:", m->what);
    put_names(text, size, &m->needed);
    size_t n = strlen(text);
    if (*m->status->sets)
        snprintf(text + n, size - n, ".\nIt has: %s.", m->status->sets);
}

void missing_text(const struct missing *m, char *text, size_t size)
{
    const struct oscope_error *err = m->shot ? m->shot->error : NULL;

    if (err)
        snprintf(text, size, "%s: %s%s%s", m->what, err->message, err->hint ? "\n" : "",
                 err->hint ? err->hint : "");
    else if (*m->status->error)
        snprintf(text, size, "%s: %s", m->what, m->status->error);
    else if (m->events && refused(m))
        snprintf(text, size, "%s: %s", m->what, refused(m));
    else if (m->events && m->recording && m->shot)
        of_recording(m, text, size);
    else if (m->events && m->lacking.n && !m->recording) {
        snprintf(text, size, "%s: made from events, and these are off:", m->what);
        put_names(text, size, &m->lacking);
        size_t n = strlen(text);
        snprintf(text + n, size - n,
                 ".\nPress e to switch them on. They cost the guest a few percent, and nothing "
                 "when they are off again.");
    } else {
        snprintf(text, size, "%s: being fetched", m->what);
    }
}
