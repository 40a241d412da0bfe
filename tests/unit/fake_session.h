/* SPDX-License-Identifier: MIT */
/* A runtime directory and a session's description made by hand, for tests of session/. */
#ifndef FAKE_SESSION_H
#define FAKE_SESSION_H

#include "expect_error.h"
#include "session/describe.h"
#include "target/hostproc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline void describe(struct session_desc *d, const char *id, pid_t pid)
{
    *d = (struct session_desc){.id = strdup(id),
                               .kind = strdup("run"),
                               .pid = pid,
                               .start_time = host_start_time(pid),
                               .arch = strdup("riscv64"),
                               .name = strdup("a \"guest\""),
                               .qmp = strdup("/nonexistent/qmp.sock"),
                               .version = strdup("10.0.2"),
                               .created = 1234567,
                               .regions = calloc(2, sizeof *d->regions),
                               .nregions = 2};
    d->regions[0] = (struct live_region){.gpa = 0x80000000,
                                         .size = 0x1000,
                                         .hva = 0x7fffffffe000,
                                         .name = "ram",
                                         .fd = 8,
                                         .dev = 1,
                                         .ino = UINT64_C(1) << 40,
                                         .offset = 0x2000};
    d->regions[1] = (struct live_region){.gpa = 0x100000000, .size = 0x2000, .fd = -1};
}

/* The runtime directory, for groups of tests. */
static char root[] = "/tmp/oscope-test-XXXXXX";

static inline int make_root(void **state)
{
    if (!mkdtemp(root))
        return -1;
    return setenv("XDG_RUNTIME_DIR", root, 1);
}

static inline int remove_root(void **state)
{
    char base[64];

    snprintf(base, sizeof base, "%s/oscope", root);
    rmdir(base);
    return rmdir(root);
}

#endif
