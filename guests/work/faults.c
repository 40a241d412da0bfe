/* SPDX-License-Identifier: MIT
 * Copyright the oscope authors
 *
 * faults [hold]: a process with every common kind of mapping: anonymous, file-backed private and
 * shared, copy-on-write after a fork, write-protected, inaccessible, shared memory, advised for
 * huge pages, locked, with holes in what is resident. Then it keeps faulting pages in and out;
 * with `hold` it sits still, so that what it looks like can be compared at leisure.
 */
#include "work.h"

#define KB 1024UL
#define MB (1024UL * KB)

static long page;

static char *map(size_t size, int prot, int flags, int fd)
{
    char *p = mmap(NULL, size, prot, flags, fd, 0);
    if (p == MAP_FAILED)
        work_die("mmap");
    return p;
}

static void touch(char *p, size_t size, size_t step)
{
    for (size_t i = 0; i < size; i += step)
        p[i] = (char)(i / step + 1);
}

static int file_of(size_t size)
{
    char name[] = "/tmp/faults-XXXXXX";
    int fd = mkstemp(name);
    if (fd < 0 || ftruncate(fd, (off_t)size))
        work_die(name);
    for (size_t i = 0; i < size; i += 4 * KB)
        (void)!pwrite(fd, "oscope", 6, (off_t)i);
    return fd;
}

int main(int argc, char **argv)
{
    int rw = PROT_READ | PROT_WRITE, anon = MAP_PRIVATE | MAP_ANONYMOUS;
    int hold = argc > 1 && !strcmp(argv[1], "hold");
    page = sysconf(_SC_PAGESIZE);
    size_t pg = (size_t)page;

    char *plain = map(4 * MB, rw, anon, -1);
    touch(plain, 2 * MB, pg); /* the other half stays unpopulated */
    char *sparse = map(1 * MB, rw, anon | MAP_NORESERVE, -1);
    touch(sparse, 1 * MB, 16 * pg);
    char *guarded = map(64 * KB, rw, anon, -1);
    touch(guarded, 64 * KB, pg);
    mprotect(guarded + 16 * KB, 16 * KB, PROT_READ);
    mprotect(guarded + 32 * KB, 16 * KB, PROT_NONE);
    char *code = map(16 * KB, rw, anon, -1);
    touch(code, 16 * KB, pg);
    mprotect(code, 16 * KB, PROT_READ | PROT_EXEC);

    int fd = file_of(512 * KB);
    volatile char *private_file = map(512 * KB, rw, MAP_PRIVATE, fd);
    for (size_t i = 0; i < 256 * KB; i += pg)
        (void)private_file[i];
    private_file[0] = 'c'; /* one private copy among shared file pages */
    char *shared_file = map(512 * KB, rw, MAP_SHARED, fd);
    touch(shared_file, 128 * KB, pg);
    char *shared = map(1 * MB, rw, MAP_SHARED | MAP_ANONYMOUS, -1);
    touch(shared, 512 * KB, pg);
    int mfd = memfd_create("faults-memfd", MFD_CLOEXEC);
    if (mfd >= 0 && !ftruncate(mfd, 256 * KB))
        touch(map(256 * KB, rw, MAP_SHARED, mfd), 128 * KB, pg);

    char *huge = map(8 * MB, rw, anon, -1);
    madvise(huge, 8 * MB, MADV_HUGEPAGE);
    touch(huge, 5 * MB, pg);
    char *locked = map(64 * KB, rw, anon, -1);
    mlock(locked, 64 * KB);
    char *heap = malloc(200 * KB);
    if (heap)
        touch(heap, 200 * KB, pg);
    char *zero = map(64 * KB, PROT_READ, anon, -1);
    for (size_t i = 0; i < 64 * KB; i += pg)
        (void)*(volatile char *)(zero + i); /* the zero page */

    pid_t child = fork();
    if (child == 0) { /* shares all that copy-on-write, and copies a little */
        work_child("faults-cow");
        touch(plain, 256 * KB, pg);
        for (;;)
            pause();
    }
    while (hold)
        pause();
    for (unsigned long n = 0;; n++) {
        char *p = map(512 * KB, rw, anon, -1);
        touch(p, 512 * KB, pg);
        munmap(p, 512 * KB);
        madvise(plain + 1 * MB, 256 * KB, MADV_DONTNEED);
        touch(plain + 1 * MB, 256 * KB, pg);
        mprotect(guarded + 48 * KB, 16 * KB, n % 2 ? rw : PROT_READ);
        work_sleep_ms(100);
    }
}
