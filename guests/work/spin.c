/* SPDX-License-Identifier: MIT
 * Copyright the oscope authors
 *
 * spin [SECONDS]: keeps one CPU busy in user mode, for ever or for a time, and calls the kernel
 * now and then. The task that is running whenever one looks.
 */
#include "work.h"

int main(int argc, char **argv)
{
    time_t end = argc > 1 ? time(NULL) + work_count(argc, argv, 1, 1, 1000000) : 0;
    for (volatile unsigned long n = 0;; n++)
        if (n % 1000000 == 0 && end && time(NULL) >= end)
            return 0;
}
