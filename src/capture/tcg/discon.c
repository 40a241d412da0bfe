/* SPDX-License-Identifier: MIT */
/* Traps, as QEMU itself tells of them: see discon.h. No lock is taken, nothing is allocated. */
#include "capture/tcg/discon.h"

enum { ALL = WIRE_TRAP_INTERRUPT | WIRE_TRAP_EXCEPTION };

_Static_assert((int)WIRE_TRAP_INTERRUPT == (int)QEMU_PLUGIN_DISCON_INTERRUPT &&
                   (int)WIRE_TRAP_EXCEPTION == (int)QEMU_PLUGIN_DISCON_EXCEPTION,
               "the same bits");

void discon_register(const struct set *s, bool all, qemu_plugin_vcpu_discon_cb_t cb)
{
    unsigned kinds = all ? ALL : s ? s->trap_kinds : 0;

    if (kinds)
        hook_discon(kinds, cb);
}

const char *discon_lacks(const struct set *s)
{
    return s->trap_kinds && !hooks_have_discon()
               ? "this QEMU does not tell plugins of traps: QEMU 11.1 and newer do"
               : NULL;
}

void discon_fire(struct vcpu *v, const struct set *s, enum qemu_plugin_discon_type type,
                 uint64_t from, uint64_t to)
{
    const uint64_t values[WIRE_VALUE_COUNT] = {[WIRE_VALUE_FROM] = from, [WIRE_VALUE_TO] = to};

    v->locked = true;
    for (const struct point *p = s->traps; p; p = p->next)
        if (p->traps & (unsigned)type)
            vcpu_fire_at(v, p, to, values);
    v->locked = false;
}
