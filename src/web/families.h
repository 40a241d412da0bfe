/* SPDX-License-Identifier: MIT */
/* What /metrics tells: its families, in the order in which they stand. Names are never changed:
 * dashboards and alerts have them. docs/FLEET.md lists them. */
#ifndef WEB_FAMILIES_H
#define WEB_FAMILIES_H

#include "web/openmetrics.h"

enum family {
    FAMILY_GUEST,
    FAMILY_UP,
    FAMILY_VCPUS,
    FAMILY_RAM,
    FAMILY_SINCE,
    FAMILY_SET_ON,
    FAMILY_LAG,
    FAMILY_LOST_EVENTS,
    FAMILY_LOST_PACKETS,
    FAMILY_MODES,
    FAMILY_SWITCHES,
    FAMILY_TRAPS,
    FAMILY_TRAP_TIME,
    FAMILY_CALLS,
    FAMILY_CALL_ERRORS,
    FAMILY_CALL_TIME,
    FAMILY_FAULTS,
    FAMILY_DISK_REQUESTS,
    FAMILY_DISK_BYTES,
    FAMILY_OWNERS,
    FAMILY_LOOKS,
    FAMILY_LEFT_OUT,
    FAMILY_GUESTS_LEFT_OUT, /* the only one that is of no guest: metrics.c tells it */
    FAMILIES
};

extern const struct openmetrics_family families[FAMILIES];

#endif
