/* SPDX-License-Identifier: MIT */
/* sleepers [N [MS]]: N processes (20) that sleep for MS milliseconds (an hour): a process table in
 * which nothing changes. */
#include "user.h"

int main(const char *args)
{
    char first[16];
    const char *rest = word(args, first, sizeof(first));
    unsigned n = number(first, 20), ms = number(rest, 3600000), i = 0;
    for (; i < n; i++) {
        int pid = fork_named("sleeper");
        if (pid < 0)
            break;
        if (pid == 0) {
            sleep(ms);
            exit(0);
        }
    }
    printf("sleepers: %u sleep\n", i);
    return wait_for(-1);
}
