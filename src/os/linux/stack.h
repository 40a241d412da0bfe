/* SPDX-License-Identifier: MIT */
/*
 * What the unwinders share. An unwind is a state (pc, sp, fp and where the stack ends) that a step
 * function moves one frame up; stack.c drives it and makes rows.
 *
 * Stack contents are hostile: every read is checked to lie on the stack in use, frames must move
 * up within one stack, changes of stack and frames are counted.
 */
#ifndef OS_LINUX_STACK_H
#define OS_LINUX_STACK_H

#include "os/linux/linux.h"

enum { STACK_FRAMES_MAX = 256, STACK_SWITCHES_MAX = 8, STACK_MODULES_MAX = 4096 };

/* ---- kernel text: stack_text.c ---- */

struct stack_module {
    uint64_t text, text_size;
    uint64_t orc_ip, orc, orc_count; /* 0: none */
};

struct stack_text {
    struct linux_model *lm;
    uint64_t core[2], init[2], head[2]; /* [start, end); head: start-up code before core */
    bool loaded;                        /* modules[] is filled */
    struct stack_module *modules;
    size_t nmodules;
};

void stack_text_init(struct stack_text *t, struct linux_model *lm);
void stack_text_free(struct stack_text *t);
/* Is va in the text of the kernel or of a module? */
bool stack_is_text(struct stack_text *t, uint64_t va);
bool stack_is_core_text(const struct stack_text *t, uint64_t va);
/* Code whose memory is freed once the kernel has booted. */
bool stack_is_init_text(const struct stack_text *t, uint64_t va);
/* Start-up code: the outermost frames of the idle tasks. */
bool stack_is_head_text(const struct stack_text *t, uint64_t va);
/* May the return address va, outside of all text, lie in generated code (BPF, trampolines)? True
 * if it follows a call instruction and its page is executable. A guess at best. */
bool stack_is_generated(struct linux_model *lm, uint64_t va);
/* The module whose text holds va, or NULL. Valid until stack_text_free(). */
const struct stack_module *stack_module_at(struct stack_text *t, uint64_t va);
/* Size of a kernel stack (THREAD_SIZE): a power of two. */
uint64_t stack_size(struct linux_model *lm);
/* "name+0x12 [module]" of a return address (which may lie behind its function) or of an exact pc;
 * returns buf. */
const char *stack_symbol(struct linux_model *lm, uint64_t pc, bool exact, char *buf, size_t n);

/* ---- one unwind ---- */

enum unwind_result {
    UNWIND_FRAME, /* pc, sp, fp are the caller's */
    UNWIND_END,   /* this was the outermost frame */
    UNWIND_LOST,  /* no way on; `lost` says why */
};

struct unwind {
    struct linux_model *lm;
    struct stack_text *text;
    const struct target_vcpu *vcpu; /* registers of the innermost frame, NULL: a sleeping task */
    uint64_t task_lo, task_hi;      /* the task's stack */
    uint64_t lo, hi;                /* the stack in use: the task's, or a window of another */
    unsigned switches;
    uint64_t pc, sp, fp;
    bool exact;          /* pc was interrupted or saved there: not a return address */
    bool first;          /* innermost frame: registers are vcpu's */
    bool racing;         /* the registers are of a guest that has run on since */
    uint64_t regs;       /* pt_regs that describes this frame, 0: none */
    bool full_regs;      /* all of it, not only the part that the CPU pushes */
    uint64_t prev_regs;  /* full pt_regs of the frame before a partial one */
    uint64_t entry_regs; /* riscv64: this frame is trap entry code, its pt_regs lie here */
    bool guess;          /* from here on frames are not certain */
    bool orc_renumbered; /* the kernel's ORC registers have the numbers of 7.2 */
    const char *method;
    char lost[112];
};

/* n bytes at va on the stack in use? Moves to another stack when va lies there. */
bool unwind_on_stack(struct unwind *u, uint64_t va, uint64_t n);
/* A word of the stack. */
bool unwind_word(struct unwind *u, uint64_t va, uint64_t *out);
/* Field of a pt_regs on the stack. */
bool unwind_regs_field(struct unwind *u, uint64_t regs, struct layout_field f, uint64_t *out);
/* Takes over the caller's values; LOST if they do not move up. */
enum unwind_result unwind_move(struct unwind *u, uint64_t pc, uint64_t sp, uint64_t fp);
enum unwind_result unwind_lost(struct unwind *u, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Is sp on the task's kernel stack (its end included)? */
bool stack_holds(struct linux_model *lm, const struct oscope_task *task, uint64_t sp);

/* One frame up by frame pointers. stack_fp.c */
enum unwind_result stack_fp_step(struct unwind *u);
/* An arm64 return address without its pointer authentication code. */
uint64_t stack_strip_pac(const struct linux_model *lm, uint64_t pc);

/* True if this kernel has ORC tables that can be used; readies u for them. orc.c */
bool stack_orc_start(struct unwind *u);
/* One frame up by ORC. */
enum unwind_result stack_orc_step(struct unwind *u);

/*
 * The next word at or above *sp on the task's stack that is a return address behind a call
 * instruction: sets *pc, and *sp to the word behind it. False at the top. stack_scan.c
 */
bool stack_scan_next(struct unwind *u, uint64_t *sp, uint64_t *pc);
/* Is the instruction before ret a call? */
bool stack_follows_call(struct linux_model *lm, uint64_t ret);

#endif
