/* SPDX-License-Identifier: MIT */
/*
 * A QEMU that runs all vCPUs in one thread: -icount, and -accel tcg,thread=single. Three things are
 * different there (QEMU 10.0.2, accel/tcg/tcg-accel-ops-rr.c and plugin-gen.c):
 *
 *  - No vCPU tells when it goes idle or resumes. So the engine looks for wishes at system
 *    instructions, which oscope says (wire_one_thread): a callback stays at them, and that is all
 *    that stays when a machine with one vCPU has no probes. That a vCPU goes idle is seen where it
 *    begins to wait; that it resumed, at the next thing that is seen of it.
 *
 *  - Callbacks tell the vCPU that translated the code. With several, the one that executes is found
 *    by a register that differs, and by nothing else.
 *
 *  - A reset makes every vCPU leave its turn. With one vCPU nothing comes of it. With several, all
 *    later turns are cut at other places, and the guest is not the one that it would be without
 *    oscope. So there is no reset with several: each block of code has a callback at its beginning
 *    and one at each system instruction, from the start, which ask the set in force what is to be
 *    done. Probes at addresses work where a block begins: where code is jumped to.
 */
#ifndef CAPTURE_TCG_SINGLE_H
#define CAPTURE_TCG_SINGLE_H

#include "capture/tcg/set.h"
#include "capture/tcg/vcpu.h"

struct single {
    bool on;      /* all vCPUs share a thread */
    bool several; /* ... and there are more than one */
    uint32_t nsystem;
    struct wire_system system[WIRE_SYSTEM];
    char identity[WIRE_NAME];
    struct vcpu *vcpus;
    uint32_t nvcpus;
    uint32_t last;    /* the vCPU that was found last */
    uint32_t waiting; /* how many vCPUs wait */
};

/* Takes over what oscope says about n vCPUs, of which at most `most` will run. */
void single_init(struct single *s, const struct wire_one_thread *shared, struct vcpu *vcpus,
                 uint32_t n, int most);

/* A vCPU has begun; in the thread. NULL, or why it can't be told from the others. */
const char *single_begin(struct single *s, struct vcpu *v);

/* Which kind of system instruction; NULL: it is none. */
const struct wire_system *single_system(const struct single *s,
                                        const struct qemu_plugin_insn *insn);

/* The vCPU that executes, in a callback that reads registers; NULL: it can't be told. */
struct vcpu *single_vcpu(struct single *s);

/* Why a set can't work, or NULL. */
const char *single_lacks(const struct single *s, const struct set *set);

/* With several vCPUs, in their callbacks: fires the probes at pc, or those at the system
 * instruction there. */
void single_fire(struct single *s, const struct set *set, uint64_t pc);
void single_fire_system(struct single *s, struct set *set, uint64_t pc);

/* With several vCPUs, in a callback at an instruction: nothing goes on while oscope wants it so. */
void single_stand_still(const struct single *s, struct wire_control *shared);

/* v begins to wait, or there is something else to be seen of it. */
void single_wait(struct single *s, struct vcpu *v, const struct set *set);
void single_awake(struct single *s, struct vcpu *v, const struct set *set);
/* Nobody knows who waits: the set is another. */
void single_forget(struct single *s);

#endif
