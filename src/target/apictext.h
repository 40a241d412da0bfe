/* SPDX-License-Identifier: MIT */
/*
 * What QEMU's monitor prints of the PC's interrupt controllers: `info lapic`
 * (x86_cpu_dump_local_apic_state() in target/i386/cpu-apic.c) and `info pic`
 * (hw/intc/ioapic_common.c, i8259_common.c). Seen with QEMU 10.0.2. Other versions may print
 * anything: what is not understood is left out.
 */
#ifndef TARGET_APICTEXT_H
#define TARGET_APICTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { APIC_LVTS = 8, APIC_PINS = 240, APIC_IOAPICS = 8, APIC_PICS = 4 };

/* Bit v: vector v. */
struct apic_vectors {
    uint64_t bits[4];
};

struct apic_local {
    uint32_t cpu;
    struct {
        char name[8]; /* "LVTT", "LVT0" … */
        uint32_t value;
    } lvt[APIC_LVTS];
    size_t nlvt;
    uint32_t divide, initial, current; /* the timer's */
    uint32_t spiv, tpr, ppr;
    bool enabled;
    struct apic_vectors isr, irr;
};

/* False when it is not the state of a local APIC. */
bool apic_parse_local(const char *text, struct apic_local *out);

struct apic_pins {
    uint32_t index;                  /* of the I/O APIC, as QEMU counts */
    uint64_t redirection[APIC_PINS]; /* entries: Intel 82093AA, 3.2.4 */
    size_t npins;
    struct apic_vectors irr; /* bit i: pin i has a request */
};

struct apic_pic {
    uint32_t index, irr, imr, isr, base; /* i8259 */
};

struct apic_machine {
    struct apic_pins io[APIC_IOAPICS];
    struct apic_pic pic[APIC_PICS];
    size_t nio, npic;
};

void apic_parse_machine(const char *text, struct apic_machine *out);

static inline bool apic_has(const struct apic_vectors *v, unsigned i)
{
    return v->bits[i / 64 % 4] >> (i % 64) & 1;
}

#endif
