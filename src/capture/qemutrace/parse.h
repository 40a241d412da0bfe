/* SPDX-License-Identifier: MIT */
/*
 * Lines of QEMU's trace log (trace backend "log"): what stock QEMU itself tells of device accesses,
 * serial ports and virtio disks, for each of its trace points that is switched on.
 *
 *     [TID@SEC.USEC:]NAME ARGUMENTS            with `-msg timestamp=on`, else NAME ARGUMENTS
 *     [YYYY-MM-DDTHH:MM:SS.uuuuuuZ ]NAME ...   the same, of QEMU 11.1
 *
 * TID is the host's thread that did it, the time is gettimeofday()'s, the date in UTC. Sources:
 * QEMU's scripts/tracetool/backend/log.py (the prefix; QEMU 7.0 to 10.0), system/trace-events,
 * hw/char/trace-events, hw/block/trace-events (names and arguments). Seen with QEMU 10.0.2 and
 * 11.1.3 (not PL011's there).
 *
 * The log is hostile: device names in it come from command lines, values from the guest, and lines
 * of others stand between. Nothing outside [line, line + n) is read.
 */
#ifndef CAPTURE_QEMUTRACE_PARSE_H
#define CAPTURE_QEMUTRACE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    QEMUTRACE_NAME = 64,   /* bytes of a device's name with its 0; longer ones are cut */
    QEMUTRACE_LINE = 4096, /* longer lines are not ours */
};

enum qemutrace_kind {
    QEMUTRACE_MMIO,         /* memory_region_ops_read, _write: address, value, size, name, cpu */
    QEMUTRACE_SERIAL,       /* serial_read, _write, a 16550: address (its register), value */
    QEMUTRACE_PL011,        /* pl011_read, _write: the same */
    QEMUTRACE_BLK_ISSUE,    /* virtio_blk_handle_read, _write: device, request, sector, sectors */
    QEMUTRACE_BLK_COMPLETE, /* virtio_blk_req_complete: device, request, status */
};

struct qemutrace_event {
    enum qemutrace_kind kind;
    bool write;
    int32_t cpu;       /* index; -1: no vCPU, or the line does not tell */
    int32_t thread;    /* 0: the line does not tell */
    uint64_t realtime; /* ns since 1970; 0: the line does not tell */
    uint64_t address;  /* MMIO: guest-physical or I/O port; serial: the register's offset */
    uint64_t value;
    uint32_t size; /* of the access, bytes */
    uint32_t sectors;
    uint64_t device, request; /* addresses in QEMU, that tell one from another */
    uint64_t sector;          /* of 512 bytes */
    uint32_t status;          /* virtio's: 0 done, 1 I/O error, 2 not supported */
    char name[QEMUTRACE_NAME];
};

enum qemutrace_line {
    QEMUTRACE_EVENT, /* *out is filled in */
    QEMUTRACE_OTHER, /* of another trace point, or no trace line */
    QEMUTRACE_BAD,   /* of one of ours, but it can't be read */
};

/* One line without its newline. *out is undefined unless QEMUTRACE_EVENT. */
enum qemutrace_line qemutrace_parse(const char *line, size_t n, struct qemutrace_event *out);

#endif
