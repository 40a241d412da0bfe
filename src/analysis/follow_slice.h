/* SPDX-License-Identifier: MIT */
/* Parts of following a recording that follow.c puts together; not for formats. */
#ifndef ANALYSIS_FOLLOW_SLICE_H
#define ANALYSIS_FOLLOW_SLICE_H

#include "analysis/follow.h"

/* ---- slices (follow_slice.c) ---- */

/* An event of one of the kinds that are slices. */
void slice_step(struct follow *f, struct follow_cpu *cpu, uint64_t time,
                const struct follow_type *type, const struct trace_event *ev);
/* Another task runs: what can't be interrupted by that is over. */
void slice_switch(struct follow *f, struct follow_cpu *cpu, uint64_t time);
/* Nothing is open on that vCPU from now on. */
void slice_close_all(struct follow *f, struct follow_cpu *cpu, uint64_t time);
/* Nor on that thread. */
void slice_close_thread(struct follow *f, struct follow_cpu *cpu, struct follow_thread *t,
                        uint64_t time);

/* ---- interrupts (follow_flow.c) ---- */

/* Each fills in hop and returns it, or NULL: what it is about is no part of an interrupt. */

/* A trap begins; frame is its own. Tells what was held for it. */
const struct follow_hop *flow_trap(struct follow *f, struct follow_cpu *cpu, uint64_t time,
                                   struct follow_frame *frame, struct follow_hop *hop);
/* Firmware begins, for that cause. */
const struct follow_hop *flow_firmware(struct follow_cpu *cpu, uint64_t time, unsigned cause,
                                       struct follow_hop *hop);
/* The trap ends. */
const struct follow_hop *flow_trap_end(struct follow_cpu *cpu, const struct follow_frame *frame,
                                       struct follow_hop *hop);
/* A handler begins; source: the number that its controller may have told. */
const struct follow_hop *flow_handler(struct follow_cpu *cpu, uint32_t source,
                                      struct follow_hop *hop);
/* A device is accessed: told now, or held. */
void flow_mmio(struct follow *f, struct follow_cpu *cpu, uint64_t time,
               const struct follow_type *type, const struct trace_event *ev);
/* Tells what waits for a trap, if it did so for long, or anyway. */
void flow_release(struct follow *f, struct follow_cpu *cpu, uint64_t time, bool anyway);
/* Events of cpu are missing. */
void flow_forget(struct follow *f, struct follow_cpu *cpu);

#endif
