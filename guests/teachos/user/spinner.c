/* SPDX-License-Identifier: MIT */
/* spinner [N [MS]]: N processes (2) that compute for MS milliseconds (1000). */
#include "user.h"

int main(const char *args)
{
    char first[16];
    const char *rest = word(args, first, sizeof(first));
    unsigned n = number(first, 2), ms = number(rest, 1000);
    for (unsigned i = 0; i < n; i++)
        if (fork_named("spinner/child") == 0) {
            spin(ms);
            exit(0);
        }
    int failed = wait_for(-1);
    printf("spinner: %u computed for %u ms each\n", n, ms);
    return failed;
}
