/* SPDX-License-Identifier: MIT */
/* See families.h. */
#include "web/families.h"

#define GAUGE(unit, name, help)                                                                    \
    {                                                                                              \
        name, OPENMETRICS_GAUGE, unit, help                                                        \
    }
#define COUNTER(unit, name, help)                                                                  \
    {                                                                                              \
        name, OPENMETRICS_COUNTER, unit, help                                                      \
    }

const struct openmetrics_family families[FAMILIES] = {
    [FAMILY_GUEST] = {"oscope_guest", OPENMETRICS_INFO, "", "What the guest is."},
    [FAMILY_UP] = GAUGE("", "oscope_guest_up", "1: the guest can be looked at; 0: it has ended."),
    [FAMILY_VCPUS] = GAUGE("", "oscope_guest_vcpus", "vCPUs of the guest."),
    [FAMILY_RAM] = GAUGE("bytes", "oscope_guest_ram_bytes", "RAM of the guest."),
    [FAMILY_SINCE] = GAUGE("seconds", "oscope_watch_start_timestamp_seconds",
                           "When this guest's counters began at 0, Unix time."),
    [FAMILY_SET_ON] =
        GAUGE("", "oscope_set_on", "1: that event set is on in the guest; 0: it can not be had."),
    [FAMILY_LAG] = GAUGE("seconds", "oscope_lag_seconds",
                         "How far what was read of the events is behind the guest."),
    [FAMILY_LOST_EVENTS] =
        COUNTER("", "oscope_lost_events", "Events for which there was no room; no count has them."),
    [FAMILY_LOST_PACKETS] =
        COUNTER("", "oscope_lost_packets", "Packets of events that were overwritten, or damaged."),
    [FAMILY_MODES] = COUNTER("seconds", "oscope_mode_seconds", "Time of a vCPU by what it did."),
    [FAMILY_SWITCHES] = COUNTER("", "oscope_context_switches", "Context switches on a vCPU."),
    [FAMILY_TRAPS] = COUNTER("", "oscope_traps", "Traps by cause: interrupts and exceptions."),
    [FAMILY_TRAP_TIME] =
        COUNTER("seconds", "oscope_trap_seconds",
                "Time until tasks went on after traps of that cause, those that did."),
    [FAMILY_CALLS] = COUNTER("", "oscope_syscalls", "System calls that began, by name."),
    [FAMILY_CALL_ERRORS] =
        COUNTER("", "oscope_syscall_errors", "System calls that returned an error, by name."),
    [FAMILY_CALL_TIME] = COUNTER("seconds", "oscope_syscall_seconds",
                                 "Time that system calls took which returned, sleep included."),
    [FAMILY_FAULTS] = COUNTER("", "oscope_page_faults", "Page faults that were served, by kind."),
    [FAMILY_DISK_REQUESTS] =
        COUNTER("", "oscope_disk_requests", "Requests that the guest issued to a virtio disk."),
    [FAMILY_DISK_BYTES] = COUNTER("bytes", "oscope_disk_bytes", "Bytes in these requests."),
    [FAMILY_OWNERS] = GAUGE("bytes", "oscope_memory_owner_bytes",
                            "Physical memory of the guest by what it is used for."),
    [FAMILY_LOOKS] = COUNTER("", "oscope_memory_looks",
                             "Looks at guest memory by consistency; torn ones are partial."),
    [FAMILY_LEFT_OUT] = GAUGE("", "oscope_series_left_out",
                              "Series that are not told because the guest has too many of them."),
    [FAMILY_GUESTS_LEFT_OUT] = GAUGE("", "oscope_guests_left_out",
                                     "Guests that are there, of which no other metric tells."),
};
