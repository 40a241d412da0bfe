/* SPDX-License-Identifier: MIT */
/*
 * The guest's RAM from the text of QEMU's `info mtree -f`.
 */
#ifndef TARGET_MTREE_H
#define TARGET_MTREE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RAM at guest-physical [gpa, gpa + size): bytes from `offset` of QEMU's memory region `name`. */
struct mtree_ram {
    uint64_t gpa, size, offset;
    char name[64];
};

struct mtree {
    struct mtree_ram *ram; /* sorted by gpa, not overlapping, contiguous ranges joined */
    size_t nram;
};

/*
 * Takes RAM from the flat view that vCPU 0 sees ("cpu-memory-0", else "memory"). Left out: device
 * memory (frame buffers, BARs), ROM and flash; ROM that shadows part of a RAM region (the PC's BIOS
 * area) stays in. OSCOPE_E_BAD_DATA when the text has no such view or no RAM. The caller frees
 * *out with mtree_free(). Format: mtree_print_flatview() in QEMU's system/memory.c.
 */
struct oscope_error *mtree_parse(const char *text, struct mtree *out);
void mtree_free(struct mtree *m);

/* A range of the machine that is a device's: memory-mapped registers, or I/O ports. */
struct mtree_device {
    uint64_t gpa, size; /* where it lies; a port's number is its address */
    uint64_t offset;    /* of its first byte in the device */
    bool ports;
    char name[64]; /* QEMU's name of the memory region */
};

struct mtree_devices {
    struct mtree_device *devices; /* memory first, by address; at most 4096 */
    size_t n;
};

/* What vCPU 0 sees of devices, and the I/O ports if the machine has any. The caller frees *out
 * with mtree_devices_free(). */
struct oscope_error *mtree_parse_devices(const char *text, struct mtree_devices *out) WARN_UNUSED;
void mtree_devices_free(struct mtree_devices *d);

/* The number after "is " in what `gpa2hva` answers; 0 when it found no RAM there. */
uint64_t mtree_parse_hva(const char *text);

#endif
