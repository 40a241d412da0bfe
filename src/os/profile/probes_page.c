/* SPDX-License-Identifier: MIT */
/*
 * Set "kmem" of a kernel that a profile describes: its allocator of pages. A page is given out
 * where that function returns, and given back where the other one is entered: so that it is free
 * before it is another's.
 */
#include "os/profile/probes.h"

enum { PAGE_BYTES = 4096 };

static uint64_t page_bytes(const struct writer *w)
{
    uint64_t size;

    return profile_number(w->pm, KEY_PAGE_SIZE, 0, &size) && size && size <= UINT32_MAX
               ? size
               : PAGE_BYTES;
}

static void put_page(struct writer *w, uint16_t event)
{
    unsigned address =
        site_number(w, event == TRACE_KMEM_MM_PAGE_ALLOC ? KEY_PAGE_RESULT : KEY_PAGE_ADDRESS);

    event_begin(w, event);
    event_put(w, address);
    event_put_number(w, (int64_t)page_bytes(w));
    event_put_current(w);
    event_put_return_address(w);
}

static struct oscope_error *probes_at(struct writer *w, const addresses *at, uint16_t event,
                                      enum profile_key page, enum profile_key functions)
{
    if (!at->len)
        event_missing(w, event, functions);
    else
        TRY(profile_need(w->pm, page, "pages"));
    for (size_t i = 0; i < at->len; i++)
        event_at(w, event, at->data[i], put_page);
    return NULL;
}

struct oscope_error *page_probes(struct writer *w)
{
    AUTO_ADDRESSES addresses given = {0}, back = {0};

    w->added = false;
    if (!profile_value(w->pm, KEY_PAGE_ALLOC) && !profile_value(w->pm, KEY_PAGE_FREE))
        return profile_need(w->pm, KEY_PAGE_ALLOC, "pages");
    TRY(sites_returns(w, KEY_PAGE_ALLOC, &given));
    TRY(sites_entries(w, KEY_PAGE_FREE, &back));
    TRY(probes_at(w, &given, TRACE_KMEM_MM_PAGE_ALLOC, KEY_PAGE_RESULT, KEY_PAGE_ALLOC));
    return probes_at(w, &back, TRACE_KMEM_MM_PAGE_FREE, KEY_PAGE_ADDRESS, KEY_PAGE_FREE);
}
