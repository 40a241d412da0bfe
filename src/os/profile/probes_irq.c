/* SPDX-License-Identifier: MIT */
/*
 * Set "irq" of a kernel that a profile describes: where it begins to serve a device's interrupt,
 * whose number an expression tells there, and where it has done so. The number is kept by vCPU in
 * between: handlers are not interrupted by others. Names of numbers: [irqs].
 */
#include "os/profile/probes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VAR_IRQ = 6 /* those before are other files' */, NAME_MOST = 23, HANDLED = 1 };

/* The name that the profile has for the number in a slot; else "irq". */
static void put_name(struct writer *w, unsigned number)
{
    struct probe_set *s = w->set;
    unsigned done[PROFILE_IRQS_MAX], n = 0, k = probe_imm(s, 0);

    vec_each (struct profile_entry, e, &w->pm->text.entries) {
        if (strcmp(e->section, "irqs") != 0 || n == PROFILE_IRQS_MAX)
            continue;
        probe_imm_into(s, k, strtoull(e->key, NULL, 0));
        unsigned other = probe_jump(s, WIRE_OP_JNE, number, k);
        probe_put_chars(s, e->value, NAME_MOST);
        done[n++] = probe_jump(s, WIRE_OP_JEQ, k, k);
        probe_label(s, other);
    }
    probe_put_chars(s, "irq", NAME_MOST);
    for (unsigned i = 0; i < n; i++)
        probe_label(s, done[i]);
    w->field++;
}

static void irq_entry(struct writer *w, uint16_t event)
{
    struct probe_set *s = w->set;
    unsigned number = site_number(w, KEY_IRQ_NUMBER), zero = probe_imm(s, 0);
    unsigned none = probe_jump(s, WIRE_OP_JEQ, number, zero);

    event_begin(w, event);
    event_put(w, number);
    put_name(w, number);
    event_put(w, number);
    probe_alu(s, WIRE_OP_ADD, number, probe_imm(s, 1));
    probe_keep(s, VAR_IRQ, program_vcpu_key(s), number);
    probe_label(s, none);
}

static void irq_exit(struct writer *w, uint16_t event)
{
    struct probe_set *s = w->set;
    unsigned key = program_vcpu_key(s), number = probe_recall(s, VAR_IRQ, key);
    unsigned zero = probe_imm(s, 0);
    unsigned none = probe_jump(s, WIRE_OP_JEQ, number, zero), one = probe_imm(s, HANDLED);

    probe_keep(s, VAR_IRQ, key, zero);
    probe_alu(s, WIRE_OP_SUB, number, one);
    event_begin(w, event);
    event_put(w, number);
    event_put(w, one);
    probe_label(s, none);
}

static struct oscope_error *places(struct writer *w, enum profile_key at, enum profile_key returns,
                                   uint16_t event, void (*write)(struct writer *w, uint16_t event))
{
    AUTO_ADDRESSES addresses found = {0};

    TRY(sites_of(w->pm, at, &found));
    TRY(returns == KEY_IRQ_END_RETURNS ? sites_ends(w, returns, &found)
                                       : sites_returns(w, returns, &found));
    for (size_t i = 0; i < found.len; i++)
        event_at(w, event, found.data[i], write);
    if (!found.len)
        event_missing(w, event, at);
    return NULL;
}

struct oscope_error *irq_probes(struct writer *w)
{
    w->added = false;
    TRY(profile_need(w->pm, KEY_IRQ_NUMBER, "interrupts of devices"));
    TRY(places(w, KEY_IRQ_AT, KEY_IRQ_RETURNS, TRACE_IRQ_HANDLER_ENTRY, irq_entry));
    TRY(places(w, KEY_IRQ_END, KEY_IRQ_END_RETURNS, TRACE_IRQ_HANDLER_EXIT, irq_exit));
    return w->added ? NULL
                    : error_new(OSCOPE_E_UNSUPPORTED,
                                "no event of set 'irq' can be had: profile %s does not say where",
                                w->pm->name);
}
