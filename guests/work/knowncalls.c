/* SPDX-License-Identifier: MIT
 * Copyright the oscope authors
 *
 * knowncalls [N]: system calls with data that a test knows, N rounds (default 1). The data's first
 * bytes need every form of escape, it is longer than an event holds, and one read has it lie over
 * the end of a page and another in a huge page, if there are any.
 */
#include "work.h"
#include <sys/socket.h>
#include <sys/syscall.h>

enum { LONG = 100, PAGE = 4096, HUGE_PAGE = 2 << 20 };

static char in[2 * PAGE] __attribute__((aligned(4096)));
static const char data[LONG] = "a\"b\\c\n\t\1"
                               "2\1x\0\0\377"
                               "end of what fits..plus some more";

static void check(long got, long want)
{
    if (got != want)
        work_die("knowncalls");
}

static void file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

    check(write(fd, data, 8), 8);
    check(pwrite(fd, data, sizeof data, 0), LONG);
    check(lseek(fd, 0, SEEK_SET), 0);
    check(read(fd, in, sizeof in), LONG);
    check(pread(fd, in + PAGE - 10, 20, 0), 20);
    check(read(fd, in, 1), 0);
    check(syscall(SYS_pread64, fd, NULL, 4, 0), -1);
    close(fd);
}

static void links(const char *path)
{
    char to[64];

    unlink(path);
    check(symlink("where/it/leads", path), 0);
    check(syscall(SYS_readlinkat, AT_FDCWD, path, to, sizeof to), 14);
    unlink(path);
}

static void sockets(void)
{
    int s[2];

    check(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    check(sendto(s[0], "datagram", 8, 0, NULL, 0), 8);
    check(recvfrom(s[1], in, 8, 0, NULL, NULL), 8);
    close(s[0]);
    close(s[1]);
}

static void huge(const char *path, char *memory)
{
    int fd = open(path, O_RDONLY);

    check(read(fd, memory + PAGE * 3, 16), 16);
    close(fd);
}

int main(int argc, char **argv)
{
    long rounds = work_count(argc, argv, 1, 1, 100000);
    char *map =
        mmap(NULL, 2 * HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *memory = (char *)(((uintptr_t)map + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);

    madvise(memory, HUGE_PAGE, MADV_HUGEPAGE);
    memory[0] = in[0] = in[PAGE] = data[0]; /* there from now on */
    while (rounds--) {
        file("/tmp/knowncalls");
        links("/tmp/knownlink");
        sockets();
        huge("/tmp/knowncalls", memory);
    }
    return 0;
}
