/* SPDX-License-Identifier: MIT */
/*
 * Reading a QEMU command line, as far as needed: what memory the guest gets, where QMP listens.
 */
#ifndef SESSION_CMDLINE_H
#define SESSION_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RAM that can be given a shared backend without changing the guest: its size and the name that the
 * machine uses for it by default, so that saved states stay compatible. */
struct cmdline_ram {
    uint64_t size;
    const char *id;
};

/*
 * True when the command line's RAM is understood and nothing in it speaks about memory backends.
 * argv[0] must be qemu-system-ARCH; machines not in the table give false.
 */
bool cmdline_ram(char *const argv[], struct cmdline_ram *out);

/* Size in `-m`'s argument ("2G", "512", "size=2G,maxmem=8G"); 0 when not understood. */
uint64_t cmdline_memory(const char *value);

/* Is the guest run by something else than TCG (-accel kvm, -enable-kvm, -machine accel=…)? */
bool cmdline_accelerated(char *const argv[]);

/* Do all vCPUs share one thread (-icount, -accel tcg,thread=single)? */
bool cmdline_one_thread(char *const argv[]);

/* Is there an option of that name ("msg" for -msg and --msg)? */
bool cmdline_has(char *const argv[], const char *option);

/* The file of -kernel; NULL: there is none. */
const char *cmdline_kernel(char *const argv[]);

bool cmdline_daemonizes(char *const argv[]);

/*
 * Paths of the QMP sockets a command line asks for (-qmp, -qmp-pretty, -mon with a socket chardev).
 * Up to max of them, allocated; returns their number. *other is set when QMP listens on something
 * else (TCP, stdio, an inherited descriptor).
 */
size_t cmdline_qmp_paths(char *const argv[], char **paths, size_t max, bool *other);

#endif
