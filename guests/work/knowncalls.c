/* SPDX-License-Identifier: MIT
 * Copyright the oscope authors
 *
 * knowncalls [N]: system calls with data that a test knows, N rounds (default 1). The data's first
 * bytes need every form of escape, it is longer than an event holds, and one read has it lie over
 * the end of a page and another in a huge page, if there are any. Programs are run and sockets
 * connected in vain: it is the arguments that matter.
 */
#include "work.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>

enum { LONG = 100, PAGE = 4096, HUGE_PAGE = 2 << 20, PATH_CUT = 300 };

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

/* Names longer than what an event holds, and just as long. */
static void long_names(void)
{
    char path[PATH_CUT + 1];

    memset(path, 'x', PATH_CUT);
    path[PATH_CUT] = '\0';
    check(open(path, O_RDONLY), -1);
    path[255] = '\0';
    check(open(path, O_RDONLY), -1);
    path[0] = '\n'; /* takes two characters */
    check(open(path, O_RDONLY), -1);
}

static void two_names(int fd)
{
    static const char odd[] = "/tmp/a \"b\"\\\n\1"
                              "2\377";

    unlink(odd);
    unlink("/tmp/known2");
    unlink("/tmp/known3");
    check(symlinkat("to\\there", AT_FDCWD, odd), 0);
    check(syscall(SYS_renameat2, AT_FDCWD, odd, AT_FDCWD, "/tmp/known2", 0), 0);
    check(linkat(AT_FDCWD, "/tmp/known2", AT_FDCWD, "/tmp/known3", 0), 0);
    check(syscall(SYS_mount, "none", "/no/such/place", "tmpfs", MS_RDONLY, NULL), -1);
    check(syscall(SYS_utimensat, fd, NULL, NULL, 0), 0);
}

static void programs(void)
{
    char text[PATH_CUT + 1];
    char *const some[] = {"arg 0", "a\"b\n", "", NULL};
    char *const big[] = {"sh", "-c", text, "more", NULL};
    char *many[60];

    memset(text, 'y', PATH_CUT);
    text[PATH_CUT] = '\0';
    for (unsigned i = 0; i < sizeof many / sizeof many[0]; i++)
        many[i] = "abc";
    many[sizeof many / sizeof many[0] - 1] = NULL;
    check(execve("/no/such/file", some, NULL), -1);
    check(execve("/no/such/file", big, NULL), -1);
    check(execve("/no/such/file", many, NULL), -1);
    check(syscall(SYS_execveat, -1, "no/such/file", some + 1, NULL, 0), -1);
}

static void vectors(const char *path)
{
    struct iovec two[] = {{(char *)data, 8}, {(char *)data + 8, 24}}, one = {(char *)data, LONG};
    struct iovec into[] = {{in, 10}, {in + PAGE, LONG}}, large = {in, 2 * PAGE};
    struct msghdr out = {.msg_iov = two, .msg_iovlen = 2}, back = {.msg_iov = &large};
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600), s[2];

    check(writev(fd, two, 2), 32);
    check(pwritev(fd, &one, 1, 0), LONG);
    check(lseek(fd, 0, SEEK_SET), 0);
    check(readv(fd, into, 2), LONG);
    check(readv(fd, into, 2), 0);
    check(preadv(fd, &large, 1, 0), LONG);
    check(syscall(SYS_writev, fd, NULL, 0), 0);
    two_names(fd);
    close(fd);
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    check(sendmsg(s[0], &out, 0), 32);
    back.msg_iovlen = 1;
    check(recvmsg(s[1], &back, 0), 32);
    close(s[0]);
    close(s[1]);
}

static void addresses(void)
{
    struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(80)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(443)};
    struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/tmp/known \"socket\""};
    struct sockaddr_un abstract = {.sun_family = AF_UNIX, .sun_path = "\0known"};
    unsigned named = offsetof(struct sockaddr_un, sun_path) + 6;

    inet_pton(AF_INET, "192.0.2.17", &in4.sin_addr);
    inet_pton(AF_INET6, "2001:db8::1", &in6.sin6_addr);
    check(connect(-1, (void *)&in4, sizeof in4), -1);
    check(connect(-1, (void *)&in6, sizeof in6), -1);
    check(connect(-1, (void *)&un, sizeof un), -1);
    check(bind(-1, (void *)&abstract, named), -1);
    check(sendto(-1, "datagram", 8, 0, (void *)&in4, sizeof in4), -1);
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
        vectors("/tmp/knownvector");
        long_names();
        programs();
        addresses();
        huge("/tmp/knowncalls", memory);
    }
    return 0;
}
