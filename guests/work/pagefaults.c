/* SPDX-License-Identifier: MIT
 * Copyright the oscope authors
 *
 * pagefaults [N]: page faults whose number and addresses are known beforehand, N (default 64) of
 * each kind, at BASE, in the order: writes to fresh pages ("pf-anon", at BASE), reads of a file's
 * pages in the page cache ("pf-file"), a child's writes to pages that it shares with its parent
 * ("pf-cow", at BASE). Then a child that writes where nothing is ("pf-segv", at NOTHING) and one
 * that writes to a page it may only read ("pf-ro", at BASE). Prints nothing; status 0 if all of
 * that came out as it should.
 */
#include "work.h"

#define BASE    ((char *)0x1000000000)
#define NOTHING ((char *)0x2000000000)

static char *map(size_t size, int prot, int flags, int fd)
{
    char *p = mmap(BASE, size, prot, flags | MAP_FIXED_NOREPLACE, fd, 0);
    if (p != BASE)
        work_die("mmap");
    madvise(p, size, MADV_NOHUGEPAGE);
    return p;
}

static void touch(char *p, size_t size, size_t page)
{
    for (size_t i = 0; i < size; i += page)
        ((volatile char *)p)[i] = 1;
}

static int ended(pid_t child)
{
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child)
        work_die("fork");
    return status;
}

static void read_file(size_t size, size_t page)
{
    char name[] = "/tmp/pagefaults-XXXXXX";
    int fd = mkstemp(name);
    if (fd < 0 || ftruncate(fd, (off_t)size))
        work_die(name);
    for (size_t i = 0; i < size; i += page)
        if (pwrite(fd, "oscope", 6, (off_t)i) != 6)
            work_die(name);
    char *p = map(size, PROT_READ, MAP_SHARED, fd);
    for (size_t i = 0; i < size; i += page)
        (void)((volatile char *)p)[i];
    munmap(p, size);
    unlink(name);
    close(fd);
}

int main(int argc, char **argv)
{
    int rw = PROT_READ | PROT_WRITE, anon = MAP_PRIVATE | MAP_ANONYMOUS;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t size = (size_t)work_count(argc, argv, 1, 64, 1 << 20) * page;

    prctl(PR_SET_NAME, "pf-file");
    read_file(size, page);
    prctl(PR_SET_NAME, "pf-anon");
    char *p = map(size, rw, anon, -1);
    touch(p, size, page);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_NAME, "pf-cow");
        touch(p, size, page);
        _exit(0);
    }
    if (ended(child))
        return 1;
    child = fork();
    if (child == 0) {
        prctl(PR_SET_NAME, "pf-segv");
        *(volatile char *)NOTHING = 1;
        _exit(0);
    }
    int status = ended(child);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSEGV)
        return 2;
    child = fork();
    if (child == 0) {
        prctl(PR_SET_NAME, "pf-ro");
        mprotect(p, size, PROT_READ);
        *(volatile char *)p = 1;
        _exit(0);
    }
    status = ended(child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV ? 0 : 3;
}
