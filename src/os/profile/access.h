/* SPDX-License-Identifier: MIT */
/*
 * Expressions of a profile, made ready to be evaluated often: member paths have become offsets, and
 * what is left is a short straight program for a stack of numbers. The same program serves the
 * state plane (access_eval()) and is turned into probes' programs (probes.c).
 *
 * A name in an expression is, in this order: `$name`, a register; `task`, the task in question, and
 * `cpu`, the vCPU's number, where there is one; a member of the task; an enumerator; a symbol, with
 * its type where the DWARF knows it. `.` goes through pointers as `->` does, and through wrappers
 * (wrap.h) where the member is not their own; where a number is wanted of one, it is that of what
 * is in it: of Rust's Arc<T> the address of T.
 */
#ifndef OS_PROFILE_ACCESS_H
#define OS_PROFILE_ACCESS_H

#include "arch/vspace.h"
#include "symbols/expr.h"
#include "symbols/symtab.h"
#include "symbols/types.h"

enum { ACCESS_CODE_MAX = 40, ACCESS_STACK = 8, ACCESS_REGISTERS = 4, ACCESS_NULL_PAGE = 4096 };

enum access_op {
    ACCESS_IMM,   /* push imm */
    ACCESS_TASK,  /* push the task's address */
    ACCESS_CPU,   /* push the vCPU's number */
    ACCESS_REG,   /* push register number imm of the access */
    ACCESS_LOAD,  /* top = size bytes at top + imm */
    ACCESS_ADDI,  /* top += imm */
    ACCESS_SCALE, /* top *= imm */
    ACCESS_BOUND, /* fails unless top < imm */
    ACCESS_BITS,  /* top = size bits of top, from bit imm on */
    ACCESS_IS,    /* fails (ACCESS_NULL) unless the size bytes at top + imm are value */
    ACCESS_ISNT,  /* ... unless they are something else */
    ACCESS_ABOVE, /* ... unless they are more than value */
    ACCESS_VALID, /* ... if top is in the first or last page: a pointer to nothing */
    ACCESS_ADD,   /* the two on top become one, from here on */
    ACCESS_SUB,
    ACCESS_SHL,
    ACCESS_SHR,
};

struct access_insn {
    uint8_t op, size;
    bool is_signed;
    uint64_t imm, value;
};

struct access {
    struct access_insn code[ACCESS_CODE_MAX];
    unsigned n; /* 0: there is no such expression */
    char registers[ACCESS_REGISTERS][12];
    unsigned nregisters;
    const struct type *type; /* of what it yields; NULL: a mere number */
    bool object;             /* what it yields is the address of an object of that type */
    uint64_t size;           /* of that object, bytes */
};

/* What names may mean. */
struct access_scope {
    struct types *types;
    const struct symtab *symtab;
    const struct arch *arch;
    const struct type *task; /* NULL: no task is in question */
    bool cpu, registers;     /* there is a vCPU; and its registers are at hand */
};

enum access_want {
    ACCESS_NUMBER, /* a number, enum or pointer; of an array its address */
    ACCESS_OBJECT, /* the address of an object */
};

/* Compiles an expression. OSCOPE_E_USAGE and OSCOPE_E_NOT_FOUND say what is wrong with it; nothing
 * of text is kept. */
struct oscope_error *access_compile(const struct access_scope *scope, const char *text,
                                    enum access_want want, struct access *out) WARN_UNUSED;

/* Of what an evaluation is. vcpu may be NULL: there are no registers. */
struct access_env {
    struct vspace *vs;
    uint64_t task;
    unsigned cpu;
    const struct target_vcpu *vcpu;
};

enum access_status {
    ACCESS_OK,
    ACCESS_NULL,    /* a null pointer is on the way: there is no such thing */
    ACCESS_NOT_RAM, /* something on the way can't be read */
    ACCESS_BEYOND,  /* an index lies outside of its array */
    ACCESS_NO_REG,  /* the vCPU has no register of that name, or there is no vCPU */
};
/* "a null pointer is on the way" ... */
const char *access_status_text(enum access_status s);

/* *out is 0 unless ACCESS_OK. */
enum access_status access_eval(const struct access *a, const struct access_env *env, uint64_t *out);

#endif
