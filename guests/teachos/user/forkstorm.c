/* SPDX-License-Identifier: MIT */
/* forkstorm [N [AT_ONCE]]: N children (100), 8 at a time, each of which becomes `true`. */
#include "user.h"

int main(const char *args)
{
    char first[16];
    const char *rest = word(args, first, sizeof(first));
    unsigned n = number(first, 100), at_once = number(rest, 8), started = 0;
    int failed = 0;
    for (unsigned running = 0; started < n || running; running--) {
        for (; started < n && running < at_once; running++, started++)
            if (spawn("true", "") < 0) {
                printf("forkstorm: no process left\n");
                return 1;
            }
        failed += wait_for(1);
    }
    printf("forkstorm: %u children, %d failed, %lu pages free\n", started, failed, freemem());
    return failed != 0;
}
