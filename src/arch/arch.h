/* SPDX-License-Identifier: MIT */
/*
 * What is the same on every machine of an architecture, whichever OS runs: paging modes, register
 * names, frame layout. One folder and one `const struct arch` each, listed in arch/arch.c.
 */
#ifndef ARCH_ARCH_H
#define ARCH_ARCH_H

#include "arch/paging.h"

/* What a trap is about. */
enum arch_trap {
    ARCH_TRAP_OTHER,
    ARCH_TRAP_TIMER,
    ARCH_TRAP_EXTERNAL,  /* a device's interrupt */
    ARCH_TRAP_IPI,       /* another CPU's */
    ARCH_TRAP_INTERRUPT, /* one whose source the architecture does not tell */
    ARCH_TRAP_PAGE_FAULT,
    ARCH_TRAP_SYSCALL,
};

/* Instructions whose first bytes, as a little-endian number, have (bytes & mask) == value. */
struct arch_insn {
    uint64_t mask, value;
    bool waits; /* the CPU goes idle there */
};

/* Another name of a register, as its assembler writes it, and that in struct target_reg. */
struct arch_alias {
    const char *name, *reg;
};

struct arch {
    const char *name;     /* QEMU's target name: "riscv64", "x86_64", "aarch64", "i386" */
    unsigned elf_machine; /* EM_* */
    unsigned ptr_size;    /* bytes */
    const struct paging_mode *const *modes; /* NULL-terminated, most likely first */
    const char *pc, *sp, *fp;               /* register names as in struct target_reg */
    int fp_prev, fp_ret; /* where a frame keeps the caller's fp and the return address, from fp */
    /* Registers of a function's first integer arguments, by the names that GDB and QEMU's plugin
     * interface use; NULL-terminated. NULL: not known. */
    const char *const *args;
    int stack_args; /* or where they lie from sp when it is entered, each as wide as a pointer; 0:
                     * not there */
    /* Those that a probe may read where code executes, by the same names; NULL: not known. */
    const char *const *registers;
    /*
     * The page tables a vCPU uses now, from its registers: *low for the lower half of the address
     * space, *high for the upper (equal where one table serves both). mode NULL: translation off
     * (bare, no MMU). False when registers are missing.
     */
    bool (*paging)(const struct target_vcpu *v, struct paging *low, struct paging *high);
    /* Privilege from the registers: "M", "S", "U", "EL1", "ring 0" ...; never NULL. */
    const char *(*privilege)(const struct target_vcpu *v);
    /* True when that privilege is the user's; false too when not known. */
    bool (*is_user)(const struct target_vcpu *v);
    /* Names of the user's and the kernel's privilege, for arch_privilege(). */
    const char *user_name, *kernel_name;
    /* Arch-specific reading of a raw entry, as text ("V R W A D PBMT=NC"), for pt --pte and --va.
     */
    void (*pte_text)(const struct paging_mode *m, unsigned level, uint64_t raw, char *buf,
                     size_t n);
    /* Traps, as the events trap_entry and trap_exit have them. Name of a cause, NULL if it has
     * none; what it is about; the privilege number of user mode. NULL: traps are not known. */
    const char *(*trap_name)(unsigned cause);
    enum arch_trap (*trap_kind)(unsigned cause);
    unsigned user_level;
    const char *levels[4]; /* names of such numbers; NULL: there is none of that number */
    /*
     * Instructions that every kernel executes often, but not very often: waiting, returning from
     * traps. All of which probes at instructions want are among them. A value {0} ends the list;
     * NULL: not known.
     */
    const struct arch_insn *system;
    const char *cpu_id; /* register that differs from CPU to CPU, as in args; NULL: none can be
                         * read */
    const struct arch_alias *aliases; /* a NULL name ends them; NULL: none */
    const char *link; /* register that holds a function's return address when it is entered; NULL:
                       * it is on the stack */
    const char *attr_note; /* what PTE_ATTR_SHIFT's index means here, one line; NULL: never set */
};

/*
 * Privilege as arch->privilege() or, where the registers do not say (riscv64 under QEMU 10.0), from
 * the page at pc: with translation on, supervisor code never runs from a user page nor user code
 * from another. "?" if neither tells; *user (may be NULL) is set when it is the user's.
 */
const char *arch_privilege(const struct arch *a, const struct target_vcpu *v, struct target *t,
                           bool *user);

/* "timer", "external", "IPI", "interrupt", "page fault", "syscall", "other". */
const char *arch_trap_kind_name(enum arch_trap kind);

/* A register by its name in struct target_reg, by an alias, or as "pc", "sp", "fp". */
bool arch_reg(const struct arch *a, const struct target_vcpu *v, const char *name, uint64_t *out);

/*
 * The architecture of a kernel in an ELF file for that machine, on a machine of the architecture
 * a: a itself, or what a's CPUs execute too (i386 on x86_64). NULL: the file is for another.
 */
const struct arch *arch_of_kernel(const struct arch *a, unsigned machine, unsigned ptr_size);

/* By QEMU target name; NULL if unknown. */
const struct arch *arch_find(const char *name);
const struct arch *arch_by_elf_machine(unsigned machine, unsigned ptr_size);

#endif
