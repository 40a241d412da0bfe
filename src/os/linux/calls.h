/* SPDX-License-Identifier: MIT */
/*
 * Where the kernel's code calls: a function's return is an instruction of whoever called it, the
 * one after the call. A probe there has the result in its register, whichever of its ends the
 * function took.
 */
#ifndef OS_LINUX_CALLS_H
#define OS_LINUX_CALLS_H

#include "base/vec.h"
#include "os/linux/linux.h"

struct call_site {
    uint64_t at;   /* the call instruction (riscv64: the one that jumps) */
    uint64_t back; /* the instruction after it */
    uint64_t to;   /* what is called; 0: told by a register or by memory */
};

typedef VEC(struct call_site) call_sites;

static inline void call_sites_free(call_sites *c)
{
    vec_free(c);
}
#define AUTO_CALLS AUTO(call_sites_free)

/*
 * Appends the calls in [from, to) to out; targets (ntargets > 0): only those that call one of them.
 *
 * Instructions are looked for at every address where one could begin, so that there are some that
 * are none: never executed, and harmless to probes. Ones that the kernel rewrites while it runs
 * are seen as they are now. Known for riscv64 and x86_64. Errors: that memory can't be read; out
 * of memory.
 */
struct oscope_error *linux_calls(struct linux_model *lm, uint64_t from, uint64_t to,
                                 const uint64_t *targets, size_t ntargets,
                                 call_sites *out) WARN_UNUSED;

/* The same in all of the kernel's own text. */
struct oscope_error *linux_callers(struct linux_model *lm, const uint64_t *targets, size_t ntargets,
                                   call_sites *out) WARN_UNUSED;

/* The function of that name from its first byte to the next symbol; false: there is none. */
bool linux_function(const struct linux_model *lm, const char *name, uint64_t *from, uint64_t *to);

#endif
