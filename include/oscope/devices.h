/* SPDX-License-Identifier: MIT */
/*
 * Devices: rows of the reports about what the guest does with them (`report mmio`, `uart`, `blk`:
 * oscope/report.h), and views of the state that they are in (`dev`).
 *
 * Their columns' documentation is in docs/JSON.md.
 */
#ifndef OSCOPE_DEVICES_H
#define OSCOPE_DEVICES_H

#include <oscope/session.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- reports ---- */

/* `report mmio`: totals of a device */
struct oscope_mmio_device {
    char device[64];
    uint64_t base;
    uint64_t reads, writes;
    uint64_t read_bytes, write_bytes;
    uint64_t outside;
    uint32_t registers;
    double rate, share;
};

/* `report mmio`: one register, one direction, one size */
struct oscope_mmio_register {
    char device[64];
    uint64_t base;
    char name[32];
    const char *access;
    uint8_t size;
    uint64_t count;
    double rate;
    uint64_t value;
    uint64_t address, offset;
    uint64_t bytes;
    uint64_t first, last;
    uint32_t cpu;
};

/* `report mmio`: one access */
struct oscope_mmio_access {
    uint64_t time;
    uint32_t cpu;
    char device[64];
    char name[32];
    const char *access;
    uint8_t size;
    uint64_t value;
    uint64_t address;
};

/* `report uart`: one direction of one kind of port */
struct oscope_uart_port {
    char device[16];
    const char *direction;
    uint64_t bytes, lines;
    double rate;
    uint64_t first, last;
};

/* `report uart`: a line of text */
struct oscope_uart_line {
    uint64_t time, duration;
    char device[16];
    const char *direction;
    uint64_t bytes;
    const char *end;
    char text[232];
};

/* `report blk`: one direction of a disk */
struct oscope_blk_disk {
    uint64_t dev;
    uint32_t disk;
    const char *access;
    uint64_t requests, completed, errors, unfinished;
    uint64_t bytes;
    double iops, throughput;
    uint64_t avg, max;
    uint32_t depth;
};

/* `report blk`: a stretch of a disk */
struct oscope_blk_region {
    uint32_t disk;
    uint64_t first, sectors;
    uint64_t reads, writes;
    uint64_t read_bytes, write_bytes;
    uint64_t bytes, disk_bytes;
};

/* `report blk`: a request */
struct oscope_blk_request {
    uint64_t time;
    uint32_t cpu;
    uint32_t disk;
    const char *access;
    uint64_t sector;
    uint32_t sectors;
    uint64_t latency;
    const char *result;
};

/* ---- state: `dev` ---- */

/*
 * The state of interrupt controllers and timers, read without side effects. what: "plic", "aclint"
 * or "apic"; or "serial": where the serial ports go; NULL: the machine's devices. all: what is
 * masked or unused, too. Errors: OSCOPE_E_NOT_FOUND (this machine has none), OSCOPE_E_UNSUPPORTED
 * (a dump).
 */
struct oscope_error *oscope_view_dev(struct oscope_session *s, const char *what, bool all,
                                     struct oscope_view **out);

/* `dev`: a range of the machine that is a device's */
struct oscope_dev_range {
    char device[64];
    const char *space;
    uint64_t first, size;
    const char *view;
};

/* `dev plic` */
struct oscope_plic_context {
    uint64_t plic;
    uint32_t context;
    uint64_t hart;
    const char *mode;
    uint32_t threshold;
    uint32_t enabled, pending;
    const char *sources;
    enum oscope_consistency consistency;
};
struct oscope_plic_source {
    uint64_t plic;
    uint32_t source;
    const char *name;
    uint32_t priority;
    bool pending;
    const char *contexts;
    enum oscope_consistency consistency;
};

/* `dev aclint` */
struct oscope_aclint_clock {
    uint64_t base;
    uint64_t mtime, frequency;
    uint64_t time;
    uint64_t next_hart, next;
};
struct oscope_aclint_hart {
    uint64_t base;
    uint64_t hart;
    uint64_t mtimecmp;
    const char *timer;
    uint64_t due;
    uint64_t msip;
    const char *pending, *enabled;
};

/* `dev apic` */
struct oscope_apic_local {
    uint32_t cpu;
    bool enabled;
    uint32_t tpr, ppr, spurious;
    const char *serving, *pending;
    const char *timer;
    uint32_t timer_vector;
    bool timer_masked;
    uint64_t initial, current, divide;
    uint64_t due;
};
struct oscope_apic_lvt {
    uint32_t cpu;
    const char *name;
    uint32_t vector;
    const char *delivery, *trigger, *polarity;
    bool masked;
    uint64_t raw;
};
struct oscope_apic_pin {
    uint32_t ioapic, pin;
    bool pending, remote_irr;
    bool masked;
    uint32_t vector;
    const char *delivery;
    uint32_t dest;
    const char *dest_mode, *trigger, *polarity;
    uint64_t raw;
};
struct oscope_apic_pic {
    uint32_t pic;
    uint64_t irr, imr, isr;
    uint32_t base;
};

/* `dev serial`: a serial port of the guest, and what QEMU connects it to */
struct oscope_serial_port {
    char label[32];
    const char *kind;
    char path[256];
    bool free;
    const char *why;
};

#ifdef __cplusplus
}
#endif
#endif
