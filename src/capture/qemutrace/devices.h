/* SPDX-License-Identifier: MIT */
/*
 * Names of registers of common devices, by QEMU's name of the device's memory region. Known so far:
 * 16550 and PL011 serial ports, PLIC, ACLINT, virtio-mmio and virtio-pci, MSI-X tables, the
 * goldfish RTC, PCI configuration space (ECAM and ports), HPET, I/O APIC, local APIC and messages
 * to it, the PC's 8259s, 8254, clock, keyboard controller, power management and fw_cfg. What a data
 * port is that has an index port beside it: indirect.h. devices.c names the specification of each.
 */
#ifndef CAPTURE_QEMUTRACE_DEVICES_H
#define CAPTURE_QEMUTRACE_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { QEMUTRACE_REGISTER = 32 };

struct qemutrace_access {
    const char *device; /* QEMU's name */
    uint64_t offset;    /* in the device */
    bool write;
    bool vcpu; /* by a vCPU; else by a device */
};

/* Writes the register's name, "" if it is not known, with its 0. */
void qemutrace_register(const struct qemutrace_access *a, char name[QEMUTRACE_REGISTER]);

#endif
