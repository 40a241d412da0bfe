/* SPDX-License-Identifier: MIT */
/* Guest memory that programs of probes read without page tables: see direct.h. */
#include "os/direct.h"

#include "base/util.h"
#include "target/target.h"

void os_direct(const struct vspace *vs, struct probe_set *out)
{
    for (unsigned i = 0; i < vs->ndirect; i++)
        for (size_t k = 0; k < vs->target->nram; k++) {
            const struct vspace_direct *d = &vs->direct[i];
            const struct target_ram *r = &vs->target->ram[k];
            uint64_t from = MAX(d->pa, r->gpa), to = MIN(d->pa + d->size, r->gpa + r->size);
            if (r->hva && from < to)
                probe_direct(out, d->va + (from - d->pa), to - from, r->hva + (from - r->gpa));
        }
}
