/* SPDX-License-Identifier: MIT */
/*
 * Where user mode and traps enter a kernel, and where it leaves: what is the architecture's to say
 * and no kernel's. The sets of traps, page faults and system calls are written with it.
 */
#ifndef OS_PROFILE_ENTRY_H
#define OS_PROFILE_ENTRY_H

#include "os/profile/probes.h"

/* An instruction that is the first after a trap. */
struct entry {
    uint64_t at;
    int vector; /* x86: of the only kind of trap that comes here */
};
typedef VEC(struct entry) entries;

static inline void entries_free(entries *e)
{
    vec_free(e);
}
#define AUTO_ENTRIES AUTO(entries_free)

/*
 * Of one architecture. Functions that yield a slot (or write an event) do so for the probe that is
 * being written, at an entry (e), at an instruction that returns from a trap, or at one that calls.
 */
struct entry_ops {
    const char *arch;
    const char *table; /* what points at the entries, for messages: "stvec" */

    /* Where it is entered by what the profile says; by what the machine's registers say now. */
    enum profile_key key;
    struct oscope_error *(*told)(struct writer *w, entries *out);
    struct oscope_error *(*find)(struct writer *w, entries *out);
    /* Time in machine mode; NULL: there is none. */
    struct oscope_error *(*firmware)(struct writer *w);

    void (*trap)(struct writer *w, const struct entry *e); /* the event */
    /* May a page fault come there? */
    bool (*may_fault)(const struct entry *e);
    /* Puts FAULT_* into the slot flags, which is 0; *other: a jump that is taken where it is none,
     * which is left alone where all are. */
    void (*fault)(struct writer *w, unsigned flags, unsigned *other);
    unsigned (*fault_address)(struct writer *w);
    unsigned (*fault_pc)(struct writer *w);

    uint64_t return_mask, return_value;  /* the instruction: see probe_opcode() */
    void (*leave)(struct writer *w);     /* the event trap_exit */
    unsigned (*stays)(struct writer *w); /* not 0: it returns to the kernel */

    /* The instruction by which user mode calls; false: the profile does not say which. */
    bool (*call)(const struct writer *w, uint64_t *mask, uint64_t *value);
    unsigned (*calls)(struct writer *w); /* not 0: it is not user mode that does */
    const char *call_number;             /* registers */
    const char *call_args[ARCH_SYSCALL_ARGS];
    const char *call_result;
    const char *space; /* register that differs from page table to page table */
};

enum { NO_JUMP = -1U };
enum { FAULT_WRITE = 0x1, FAULT_USER = 0x40, FAULT_INSTRUCTION = 0x100 }; /* page_fault_entry */

extern const struct entry_ops entry_riscv64, entry_i386;

/* NULL: not known of this kernel's architecture. */
const struct entry_ops *entry_of(const struct profile_model *pm);
/* The same; an error, about `what`. */
struct oscope_error *entry_need(const struct writer *w, const char *what,
                                const struct entry_ops **out) WARN_UNUSED;
/* Where the kernel is entered; an error, about `what`, if that is not known. */
struct oscope_error *entry_places(struct writer *w, const char *what, entries *out) WARN_UNUSED;

#endif
