/* SPDX-License-Identifier: MIT */
/* Probes that have the same form under every kernel: see programs.h. */
#include "os/programs.h"

#include "trace/events.h"

unsigned program_bits(struct probe_set *s, unsigned slot, unsigned shift, uint64_t mask)
{
    unsigned mark = probe_mark(s), k = probe_imm(s, shift);

    if (shift)
        probe_alu(s, WIRE_OP_SHR, slot, k);
    probe_imm_into(s, k, mask);
    probe_alu(s, WIRE_OP_AND, slot, k);
    probe_release(s, mark);
    return slot;
}

unsigned program_vcpu_key(struct probe_set *s)
{
    unsigned key = probe_vcpu(s), mark = probe_mark(s);

    probe_alu(s, WIRE_OP_ADD, key, probe_imm(s, 1));
    probe_release(s, mark);
    return key;
}

void program_vcpus(struct probe_set *s)
{
    probe_idle(s, "vcpu_idle");
    probe_event(s, TRACE_VCPU_IDLE);
    probe_end(s);
    probe_resume(s, "vcpu_resume");
    probe_event(s, TRACE_VCPU_RESUME);
    probe_end(s);
}
