/* SPDX-License-Identifier: MIT */
/* Events about traps made by hand, for tests of folds: see fake_fold.h. */
#ifndef FAKE_TRAPS_H
#define FAKE_TRAPS_H

#include "fake_fold.h"

enum { U = 0, K = 1, ECALL = 8, LOAD_FAULT = 13, TIMER = 0x8005, IPI = 0x8001 };

static inline void open_fold(struct fake_fold *x, const struct fold_ops *ops, const char *arch)
{
    struct fold_options o = {.to = UINT64_MAX, .cpu = -1, .slices = 100, .arch = arch_find(arch)};

    fake_fold_open(x, ops, &o);
}

static inline void trap(struct fake_fold *x, uint32_t cpu, uint64_t time, int32_t tid, int cause,
                        int from)
{
    bool exception = cause < 32 && cause != 8;

    FAKE_GIVE(x, exception ? "trap_entry_exception" : "trap_entry", cpu, time, FAKE_N(tid),
              FAKE_N(cause), FAKE_N(from), FAKE_N(0x1000), FAKE_N(0), FAKE_N(0x2000));
}

static inline void ret(struct fake_fold *x, uint32_t cpu, uint64_t time, int32_t tid, int to)
{
    FAKE_GIVE(x, "trap_exit", cpu, time, FAKE_N(tid), FAKE_N(to), FAKE_N(0x1000));
}

static inline void idle(struct fake_fold *x, uint32_t cpu, uint64_t time)
{
    FAKE_GIVE(x, "vcpu_idle", cpu, time, FAKE_N(0));
}

static inline void resume(struct fake_fold *x, uint32_t cpu, uint64_t time)
{
    FAKE_GIVE(x, "vcpu_resume", cpu, time, FAKE_N(0));
}

#endif
