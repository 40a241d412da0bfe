/* SPDX-License-Identifier: MIT */
/* See sets.h. Trace points: QEMU's system/trace-events, hw/char/trace-events,
 * hw/block/trace-events. */
#include "capture/qemutrace/sets.h"

#include <string.h>

const struct qemutrace_point qemutrace_points[QEMUTRACE_POINTS] = {
    {"memory_region_ops_read", QEMUTRACE_SET_MMIO},
    {"memory_region_ops_write", QEMUTRACE_SET_MMIO},
    {"serial_read", QEMUTRACE_SET_UART},
    {"serial_write", QEMUTRACE_SET_UART},
    {"pl011_read", QEMUTRACE_SET_UART},
    {"pl011_write", QEMUTRACE_SET_UART},
    {"virtio_blk_handle_read", QEMUTRACE_SET_BLK},
    {"virtio_blk_handle_write", QEMUTRACE_SET_BLK},
    {"virtio_blk_req_complete", QEMUTRACE_SET_BLK},
};

unsigned qemutrace_set(const char *name)
{
    if (!strcmp(name, "mmio"))
        return QEMUTRACE_SET_MMIO;
    if (!strcmp(name, "uart"))
        return QEMUTRACE_SET_UART;
    return strcmp(name, "blk") ? 0 : QEMUTRACE_SET_BLK;
}

uint32_t qemutrace_points_of(unsigned sets)
{
    uint32_t points = 0;

    for (unsigned i = 0; i < QEMUTRACE_POINTS; i++)
        if (qemutrace_points[i].set & sets)
            points |= UINT32_C(1) << i;
    return points;
}
