/* SPDX-License-Identifier: MIT */
/*
 * Registers behind an index: what a data port is depends on what the index port was set to last.
 * The I/O APIC's, the PC's clock, PCI's configuration mechanism 1.
 */
#ifndef CAPTURE_QEMUTRACE_INDIRECT_H
#define CAPTURE_QEMUTRACE_INDIRECT_H

#include "capture/qemutrace/devices.h"

/* What the index ports were set to. Zeroed: not known, also to be done when accesses were missed. A
 * guest holds a lock from setting an index to using it; one of each kind of device is kept. */
struct qemutrace_indices {
    struct qemutrace_index {
        bool known;
        uint32_t value;
    } ioapic, rtc, pci;
};

/* As qemutrace_register(), of an access that wrote (or read) `value`; keeps indices up to date. */
void qemutrace_register_next(struct qemutrace_indices *x, const struct qemutrace_access *a,
                             uint64_t value, char name[QEMUTRACE_REGISTER]);

#endif
