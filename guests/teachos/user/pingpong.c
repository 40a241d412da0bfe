/* SPDX-License-Identifier: MIT */
/* pingpong [N]: two processes send N messages (200) back and forth. */
#include "user.h"

int main(const char *args)
{
    unsigned n = number(args, 200), wrong = 0;
    uint64_t value = 0;
    int first = getpid(), second = fork_named("pong");
    if (second < 0)
        return 1;
    if (second == 0) {
        for (unsigned i = 0; i < n; i++) {
            receive(&value);
            send(first, value + 1);
        }
        exit(0);
    }
    for (unsigned i = 0; i < n; i++) {
        send(second, 2 * (uint64_t)i);
        wrong += receive(&value) != second || value != 2 * (uint64_t)i + 1;
    }
    printf("pingpong: %u messages, %u wrong\n", 2 * n, wrong);
    return (wait_for(1) || wrong) ? 1 : 0;
}
