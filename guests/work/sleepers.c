/* SPDX-License-Identifier: MIT
 * Copyright the oscope authors
 *
 * sleepers N [PREFIX]: N processes that sleep, called PREFIX0, PREFIX1, … (default "sleeper-").
 * Every tenth leads a session of its own, every seventh sleeps in a pipe read instead of pause.
 * Scales to ten thousand: a child touches one page of stack and nothing else.
 */
#include "work.h"

int main(int argc, char **argv)
{
    long count = work_count(argc, argv, 1, 100, 1000000);
    const char *prefix = argc > 2 ? argv[2] : "sleeper-";
    int pipefd[2];
    if (pipe(pipefd))
        work_die("pipe");
    for (long n = 0; n < count; n++) {
        pid_t pid = fork();
        if (pid < 0)
            work_die("fork");
        if (pid > 0)
            continue;
        char comm[16], byte;
        work_name(comm, prefix, (unsigned long)n);
        work_child(comm);
        if (n % 10 == 9)
            setsid();
        if (n % 7 == 6)
            (void)!read(pipefd[0], &byte, 1);
        for (;;)
            pause();
    }
    for (;;)
        pause();
}
