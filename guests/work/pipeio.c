/* SPDX-License-Identifier: MIT
 * Copyright the oscope authors
 *
 * pipeio [PAIRS]: pairs of processes that pass a token through two pipes (default 2 pairs): a
 * context switch each way, with a rest in between so that the machine is not kept busy.
 */
#include "work.h"

static void pass(int in, int out, int rest)
{
    char token[512];
    for (unsigned long n = 0;; n++) {
        ssize_t got = read(in, token, sizeof token);
        if (got <= 0 || write(out, token, (size_t)got) != got)
            _exit(0);
        if (rest && n % 10 == 0)
            work_sleep_ms(20);
    }
}

int main(int argc, char **argv)
{
    long pairs = work_count(argc, argv, 1, 2, 1000);
    for (long p = 0; p < pairs; p++) {
        int to[2], from[2];
        char token[512] = "token";
        if (pipe(to) || pipe(from) || write(to[1], token, sizeof token) < 0)
            work_die("pipe");
        for (int side = 0; side < 2; side++) {
            pid_t pid = fork();
            if (pid < 0)
                work_die("fork");
            if (pid > 0)
                continue;
            char comm[16];
            work_name(comm, side ? "pong-" : "ping-", (unsigned long)p);
            work_child(comm);
            pass(side ? from[0] : to[0], side ? to[1] : from[1], side);
        }
        close(to[0]);
        close(to[1]);
        close(from[0]);
        close(from[1]);
    }
    for (;;)
        pause();
}
