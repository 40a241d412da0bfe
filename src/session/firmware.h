/* SPDX-License-Identifier: MIT */
/*
 * When probe sets must not be exchanged: while an x86 machine's BIOS runs. Its option ROM writes to
 * a port at which QEMU makes all vCPUs do something and waits for it, in the middle of guest code
 * (10.0.2, hw/i386/kvmvapic.c: vapic_write() to run_on_cpu()); a plugin's reset in another vCPU
 * waits meanwhile until no vCPU executes. Both wait for ever then, and the guest with them (seen: 1
 * of 10 reboots of an amd64 guest with 2 vCPUs, with sets on).
 */
#ifndef SESSION_FIRMWARE_H
#define SESSION_FIRMWARE_H

#include <stdbool.h>

/* Are there machines of that architecture (QEMU's name) that must not be disturbed? Asking is not
 * free: registers are text, of all vCPUs. */
bool firmware_matters(const char *arch);

/* Does a vCPU that is not halted run without paging, by the text of "info registers -a"? Of other
 * architectures' text: no. */
bool firmware_runs(const char *registers);

#endif
