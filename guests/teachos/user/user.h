/* SPDX-License-Identifier: MIT */
/* What a program of teachos has: the system calls (abi.h says what each does), and a few functions.
 * A program begins with `int main(const char *args)`: its arguments as one string. */
#ifndef TEACHOS_USER_H
#define TEACHOS_USER_H

#include <stdint.h>

#include "../abi.h"
#include "../lib.h"

int fork(void);
void exit(int status) __attribute__((noreturn));
int wait(int *status);
int exec(const char *name, const char *args);
int getpid(void);
int kill(int pid);
void sleep(unsigned ms);
void yield(void);
void *sbrk(unsigned long bytes);
int read(char *to, unsigned size);
int write(const char *from, unsigned size);
int lock(unsigned number);
int unlock(unsigned number);
int send(int pid, uint64_t value);
int receive(uint64_t *value);
int priority(unsigned level);
int setname(const char *name);
uint64_t uptime(void);
unsigned cpus(void);
uint64_t freemem(void);
int bootargs(char *to, unsigned size);
int report(enum report what);
int trouble(enum trouble what, bool on);
void tally(unsigned n);
void poweroff(bool reboot) __attribute__((noreturn));

/* One write for all of it, so that lines of several processes do not mix; up to 160 bytes. */
void printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The number that s begins with; otherwise what it is when there is none. */
unsigned number(const char *s, unsigned otherwise);
/* Copies the first word of s; returns where the next one begins. Words end at a blank or a comma.
 */
const char *word(const char *s, char *to, unsigned size);
/* fork() and exec(): the pid. */
int spawn(const char *name, const char *args);
/* fork() and setname(): 0 in the child. */
int fork_named(const char *name);
/* Waits for n children, or for all with n < 0; how many ended with a status that is not 0. */
int wait_for(int n);
/* Keeps the CPU busy: for that long by the clock; for that much work, whenever it gets the CPU. */
void spin(unsigned ms);
void compute(unsigned units);

#endif
