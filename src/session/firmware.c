/* SPDX-License-Identifier: MIT */
/* Whether a BIOS runs: see firmware.h. */
#include "session/firmware.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CR0_PG UINT64_C(0x80000000)

bool firmware_matters(const char *arch)
{
    return arch && (!strcmp(arch, "x86_64") || !strcmp(arch, "i386"));
}

bool firmware_runs(const char *registers)
{
    /* A vCPU's text has HLT first, then CR0. */
    for (const char *p = registers; (p = strstr(p, "HLT="));) {
        bool halted = p[4] == '1';
        const char *next = strstr(p + 4, "HLT="), *cr0 = strstr(p, "CR0=");
        if (!halted && cr0 && (!next || cr0 < next) && !(strtoull(cr0 + 4, NULL, 16) & CR0_PG))
            return true;
        p += 4;
    }
    return false;
}
