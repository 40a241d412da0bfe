/* SPDX-License-Identifier: MIT */
/*
 * Probes of traps and privilege, for kernels of any make. What happens at a trap is
 * the architecture's to say (entry.h); where the kernel is entered is told by the profile, or by
 * the trap vectors of the vCPUs at the time of asking. Returns are instructions of their own kind.
 */
#include "os/profile/entry.h"

#include <string.h>

/* Sets "modes" and "traps" have the same probes: where both are wanted, once is enough. x86 has 256
 * entries, and the programs of a set are limited. */
static bool are_there(const struct probe_set *s, uint64_t at)
{
    for (size_t i = 0; i < s->probes.len; i++)
        if (s->probes.data[i].site == WIRE_SITE_EXEC && s->probes.data[i].address == at &&
            !strcmp(s->names.data[i].text, "trap_entry"))
            return true;
    return false;
}

/* ---- the sets ---- */

struct oscope_error *entry_traps(struct writer *w)
{
    AUTO_ENTRIES entries at = {0};

    TRY(entry_places(w, "traps", &at));
    const struct entry_ops *ops = entry_of(w->pm);
    if (are_there(w->set, at.data[0].at))
        return NULL;
    vec_each (struct entry, e, &at) {
        probe_exec(w->set, "trap_entry", e->at);
        ops->trap(w, e);
        probe_end(w->set);
    }
    probe_opcode(w->set, "trap_exit", ops->return_mask, ops->return_value);
    ops->leave(w);
    probe_end(w->set);
    if (!knows_current(w))
        os_list_note(w->notes, "whose traps they are is not known: %s",
                     profile_key_name(KEY_CURRENT));
    return NULL;
}

struct oscope_error *entry_modes(struct writer *w)
{
    const struct entry_ops *ops;

    TRY(entry_need(w, "modes", &ops));
    program_vcpus(w->set);
    if (ops->firmware)
        TRY(ops->firmware(w));
    return entry_traps(w);
}
