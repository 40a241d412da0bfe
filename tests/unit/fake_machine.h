/* SPDX-License-Identifier: MIT */
/*
 * A machine with two vCPUs under multi-threaded TCG and the probe engine in it: fake_qemu.h with a
 * thread for each vCPU, which does what it is told. The engine's state lives as long as the
 * process, as in QEMU, so a test program's tests run in order, on one machine.
 */
#ifndef FAKE_MACHINE_H
#define FAKE_MACHINE_H

#include "fake_qemu.h"

#include "capture/control.h"

enum { MACHINE_PACKET = 4096, MACHINE_PC = 0x4000 };

extern struct control *control;
extern struct wire_control *shared;
extern struct qemu_plugin_tb tbs[2]; /* the last block of each vCPU */

/* Starts the threads. */
void machine_begin(void);
/* Makes the memory file; its descriptor. */
int machine_share(void);
int machine_install(const char *arg); /* what qemu_plugin_install() says */
/* All of it, and both vCPUs run. */
void machine_start(void **state);

/* Runs job in the vCPU's thread and waits for its end. */
void on(unsigned index, void (*job)(unsigned));

/* Jobs: */
void begins(unsigned index);
void idles(unsigned index);
void resumes(unsigned index);
/* Translates three instructions at MACHINE_PC; the last one is "csrr a0, scause". */
void translates(unsigned index);
/* Twelve bytes before the end of the RAM's first page: three instructions there, three in the
 * second page. */
void translates_in_ram(unsigned index);
/* Begins to, but a page fault comes between. */
void fails_to_translate(unsigned index);
void executes(unsigned index);

/* Publishes a set made by `write` (NULL: none) and lets vCPU 0 go idle, where it is looked for. */
uint64_t wish(void (*write)(struct probe_set *s));
/* The same, and it comes in force. */
uint64_t put_in_force(void (*write)(struct probe_set *s));

const struct wire_ring *ring_of(unsigned index);
uint64_t fired(unsigned index, unsigned slot);
/* What lies at that position in its ring. */
const uint8_t *ring_at(unsigned index, uint64_t position);

#endif
