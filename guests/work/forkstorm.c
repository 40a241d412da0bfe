/* SPDX-License-Identifier: MIT
 * Copyright the oscope authors
 *
 * forkstorm [RATE]: RATE forks a second (default 20, 0 = as many as the machine can). Every
 * second child also execs. What a task list must survive: tasks that come and go while it walks.
 */
#include "work.h"

int main(int argc, char **argv)
{
    long rate = argc > 1 && !strcmp(argv[1], "0") ? 0 : work_count(argc, argv, 1, 20, 100000);
    for (unsigned long n = 0;; n++) {
        pid_t pid = fork();
        if (pid == 0) {
            char comm[16];
            work_name(comm, "storm-", n % 1000);
            work_child(comm);
            if (n % 2)
                execl("/bin/true", "true", (char *)NULL);
            _exit(0);
        }
        if (pid < 0)
            work_sleep_ms(10);
        /* Leave up to eight of them around: some run, some are zombies. */
        if (n >= 8)
            waitpid(-1, NULL, 0);
        if (rate)
            usleep((useconds_t)(1000000 / rate));
    }
}
