/* SPDX-License-Identifier: MIT */
/* syscalls [N]: a known number of calls: N (1000) times getpid, N/2 uptime, N/10 yield. */
#include "user.h"

int main(const char *args)
{
    unsigned n = number(args, 1000);
    int pid = getpid(), wrong = 0; /* one of the N */
    for (unsigned i = 1; i < n; i++)
        wrong += getpid() != pid;
    for (unsigned i = 0; i < n / 2; i++)
        uptime();
    for (unsigned i = 0; i < n / 10; i++)
        yield();
    printf("syscalls: %u getpid, %u uptime, %u yield, %d wrong\n", n, n / 2, n / 10, wrong);
    return wrong != 0;
}
