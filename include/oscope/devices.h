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
    const char *direction;
    uint64_t requests, completed, errors, unfinished;
    uint64_t bytes;
    double iops, throughput;
    uint64_t latency_avg, latency_max;
    uint32_t depth_max;
};

/* `report blk`: a stretch of a disk */
struct oscope_blk_region {
    uint32_t disk;
    uint64_t first, sectors;
    uint64_t reads, writes;
    uint64_t read_bytes, write_bytes;
};

/* `report blk`: a request */
struct oscope_blk_request {
    uint64_t time;
    uint32_t cpu;
    uint32_t disk;
    const char *direction;
    uint64_t sector;
    uint32_t sectors;
    uint64_t latency;
    const char *result;
};

#ifdef __cplusplus
}
#endif
#endif
