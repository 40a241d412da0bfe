/* SPDX-License-Identifier: MIT
 * Copyright the oscope authors
 *
 * fileio [DIR]: two processes write, read back, rename and remove files in one directory
 * (default /tmp), so that the page cache grows and shrinks and a directory's lock is contended.
 */
#include "work.h"
#include <stdio.h>

static char buf[64 * 1024];

static void round_of(unsigned long self, unsigned long n)
{
    char name[16], other[16];
    work_name(name, self ? "b-" : "a-", n % 16);
    work_name(other, self ? "y-" : "x-", n % 16);
    int fd = open(name, O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return;
    for (int i = 0; i < 8; i++)
        if (write(fd, buf, sizeof buf) < 0)
            break;
    lseek(fd, 0, SEEK_SET);
    while (read(fd, buf, sizeof buf) > 0)
        ;
    if (n % 8 == 0)
        fsync(fd);
    close(fd);
    rename(name, other);
    if (n % 3 == 0)
        unlink(other);
}

int main(int argc, char **argv)
{
    if (chdir(argc > 1 ? argv[1] : "/tmp"))
        work_die("chdir");
    pid_t child = fork();
    if (child == 0)
        work_child("fileio-2");
    for (unsigned long n = 0;; n++) {
        round_of(child == 0, n);
        work_sleep_ms(50);
    }
}
