/* SPDX-License-Identifier: MIT */
/*
 * Writing probes: a set that grows probe by probe, and a small assembler for their programs
 * (capture/wire.h has the instructions). Mistakes and limits mark the set as failed and are told
 * once, by probe_set_finish(), so that the code that writes probes stays straight.
 */
#ifndef PROBE_BUILD_H
#define PROBE_BUILD_H

#include "base/error.h"
#include "base/vec.h"
#include "capture/wire.h"

#include <stdbool.h>

/* What a probe is to the user: the name of the event type it publishes. */
struct probe_name {
    char text[48];
    bool os; /* written for the kernel that runs: probe_of_os() */
};

enum { PROBE_HEAT_ALL = 1000000 };

struct probe_table {
    uint16_t values[WIRE_TABLE];
};

struct probe_set {
    VEC(struct wire_probe) probes;
    VEC(struct probe_name) names; /* of probes */
    VEC(struct wire_insn) code;
    VEC(struct wire_direct) direct;
    VEC(struct probe_table) tables;
    VEC(struct wire_ram) ram; /* of which accesses are counted */
    unsigned heat;            /* in what share of the time, PROBE_HEAT_ALL: always; 0: never */
    bool heat_on;             /* now is such a time */
    char registers[WIRE_REGISTERS][WIRE_NAME];
    unsigned nregisters;
    bool of_os; /* probe_of_os() */
    bool moves; /* their kernel may lie elsewhere after a reset of the guest: those go then */
    bool open;  /* a program is being written */
    const char *guard; /* probe_never_when(): a register; NULL: none */
    uint64_t guard_value;
    unsigned guarded;           /* the jump of the program that is being written */
    unsigned next;              /* its next unused slot */
    struct oscope_error *error; /* the first mistake */
};

void probe_set_init(struct probe_set *s);
void probe_set_free(struct probe_set *s);

/* Guest memory at [va, va + size) lies at hva in the process that runs the probes. */
void probe_direct(struct probe_set *s, uint64_t va, uint64_t size, uint64_t hva);

/* Counts accesses to guest memory (wire.h, struct wire_heat) in such a share of the time. Guest RAM
 * at [gpa, gpa + size), which lies at hva, is counted; false: there are too many ranges. */
void probe_heat(struct probe_set *s, unsigned share);
bool probe_ram(struct probe_set *s, uint64_t gpa, uint64_t size, uint64_t hva);

/*
 * Are probes that are begun from now on of the kernel that runs now, by its addresses and types?
 * Then they are wrong for another. Those at WIRE_SITE_IDLE and WIRE_SITE_RESUME never are.
 */
void probe_of_os(struct probe_set *s, bool os);

/* Begins a probe at the instruction at va, or at each whose first bytes match; name is copied. */
void probe_exec(struct probe_set *s, const char *name, uint64_t va);
void probe_opcode(struct probe_set *s, const char *name, uint64_t mask, uint64_t value);
void probe_idle(struct probe_set *s, const char *name);
void probe_resume(struct probe_set *s, const char *name);
/* At accesses (enum wire_access, or both) to [va, va + size); where blocks of code in it begin. */
void probe_memory(struct probe_set *s, const char *name, uint64_t va, uint64_t size,
                  unsigned accesses);
void probe_block(struct probe_set *s, const char *name, uint64_t va, uint64_t size);
/* Where a vCPU takes a trap of one of those kinds (a set of enum wire_trap). */
void probe_trap(struct probe_set *s, const char *name, unsigned kinds);

/* Probes at instructions that are begun from now on do nothing where that register (which outlives
 * the set's writing) has that value. reg NULL: all do what they are for. */
void probe_never_when(struct probe_set *s, const char *reg, uint64_t value);

/* Values of the probe that is being written: each returns the slot that holds it. */
unsigned probe_slot(struct probe_set *s); /* one that nothing was put into */
unsigned probe_imm(struct probe_set *s, uint64_t v);
unsigned probe_reg(struct probe_set *s, const char *name); /* a guest register */
unsigned probe_pc(struct probe_set *s);
unsigned probe_vcpu(struct probe_set *s);
unsigned probe_value(struct probe_set *s, enum wire_value value); /* of what happened at the site */
/* size bytes of guest memory at slot + offset; load_signed: sign-extended. */
unsigned probe_load(struct probe_set *s, unsigned slot, uint64_t offset, unsigned size);
unsigned probe_load_signed(struct probe_set *s, unsigned slot, uint64_t offset, unsigned size);
/* d = d op s, with one of WIRE_OP_ADD … WIRE_OP_SHR; returns d. */
unsigned probe_alu(struct probe_set *s, enum wire_op op, unsigned d, unsigned slot);

/* d = what is in slot; returns d. */
unsigned probe_mov(struct probe_set *s, unsigned d, unsigned slot);

/* The same into a slot that has done its duty: a program has few. */
void probe_reg_into(struct probe_set *s, unsigned slot, const char *name);
void probe_imm_into(struct probe_set *s, unsigned slot, uint64_t v);
void probe_load_into(struct probe_set *s, unsigned to, unsigned slot, uint64_t offset,
                     unsigned size);
/* The lowest size bytes of slot, sign-extended, in place. */
void probe_sext(struct probe_set *s, unsigned slot, unsigned size);
void probe_vcpu_into(struct probe_set *s, unsigned slot);
/* Slots that were handed out since probe_mark() are free again: they hold nothing of use. */
unsigned probe_mark(const struct probe_set *s);
void probe_release(struct probe_set *s, unsigned mark);
/* The table's value at the number in slot; its last one beyond. Tables are copied, equal ones once.
 */
unsigned probe_table(struct probe_set *s, const struct probe_table *t, unsigned slot);
/* What a variable (below WIRE_VARS) has under a key: see WIRE_OP_KEEP. */
unsigned probe_recall(struct probe_set *s, unsigned var, unsigned key);
void probe_keep(struct probe_set *s, unsigned var, unsigned key, unsigned value);

/* Jumps forward to where the label is set if (a op b), op one of WIRE_OP_JEQ … WIRE_OP_JSLT. */
unsigned probe_jump(struct probe_set *s, enum wire_op op, unsigned a, unsigned b);
void probe_label(struct probe_set *s, unsigned jump);

/* The event: its type, then its fields in order. */
void probe_event(struct probe_set *s, uint16_t id);
/* Type id + what is in slot, at most WIRE_TABLE - 1. */
void probe_event_of(struct probe_set *s, uint16_t id, unsigned slot);
void probe_put(struct probe_set *s, unsigned slot, unsigned size);
void probe_put_str(struct probe_set *s, unsigned slot, unsigned most);
/* The same of a string that is known here, cut to most bytes. */
void probe_put_chars(struct probe_set *s, const char *text, unsigned most);
void probe_put_mem(struct probe_set *s, unsigned slot, unsigned n);
/* The bytes at the address in slot, as many as `length` (a slot) has, at most `most`, as text. */
void probe_put_data(struct probe_set *s, unsigned slot, unsigned length, unsigned most);
/* The string at the address in slot, or those that the array there points at, as text of at most
 * `most` characters (WIRE_OP_PUT_TEXT, WIRE_OP_PUT_LIST). */
void probe_put_text(struct probe_set *s, unsigned slot, unsigned most);
void probe_put_list(struct probe_set *s, unsigned slot, unsigned most);
/* Ends the program, and the probe. */
void probe_end(struct probe_set *s);

/* The first mistake made, or NULL: the set can be used. */
struct oscope_error *probe_set_finish(struct probe_set *s) WARN_UNUSED;

/* merge.c: index in s of the probe that does the same as number k of another set, or s's number of
 * probes. */
size_t probe_set_find(const struct probe_set *s, const struct probe_set *other, size_t k);
/* Takes out what probe_of_os() says, and with it `direct`. False: there was none. */
bool probe_set_drop_os(struct probe_set *s);
/* Adds the probes of another finished set that are not there yet. */
struct oscope_error *probe_set_add(struct probe_set *into,
                                   const struct probe_set *from) WARN_UNUSED;
/* Gives each probe its slot: that of the same probe in the set before (may be NULL), or a free one.
 */
void probe_set_slots(struct probe_set *s, const struct probe_set *before);

/* Writes a finished set into shared memory (all but the generation). */
void probe_set_write(const struct probe_set *s, struct wire_set *out);

#endif
