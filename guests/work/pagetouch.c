/* SPDX-License-Identifier: MIT
 * Copyright the oscope authors
 *
 * pagetouch PAGES ROUNDS FILE: memory accesses that are known exactly. Maps twice as many pages,
 * locked, and writes to FILE its process id, then the physical address of each. On SIGUSR1 it
 * stores one byte in each of the first PAGES and loads it twice, ROUNDS times, and leaves the
 * others alone; then it adds "done" to FILE and sits still.
 */
#include "work.h"

static volatile sig_atomic_t go;

static void on_signal(int sig)
{
    go = sig;
}

static void put_number(int fd, unsigned long n)
{
    char text[24];
    size_t at = sizeof text;

    text[--at] = '\n';
    do
        text[--at] = (char)('0' + n % 10);
    while (n /= 10);
    (void)!write(fd, text + at, sizeof text - at);
}

/* From /proc/self/pagemap: bits 0-54 of an entry are the frame (Documentation/admin-guide/mm). */
static unsigned long physical(int pagemap, const volatile char *p, size_t page)
{
    uint64_t entry = 0;

    if (pread(pagemap, &entry, sizeof entry, (off_t)((uintptr_t)p / page * sizeof entry)) !=
        sizeof entry)
        work_die("pagemap");
    return (entry & ((UINT64_C(1) << 55) - 1)) * page;
}

int main(int argc, char **argv)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t n = (size_t)work_count(argc, argv, 1, 16, 4096);
    long rounds = work_count(argc, argv, 2, 1000, 100000000);
    int out = open(argc > 3 ? argv[3] : "/tmp/pagetouch", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    int pagemap = open("/proc/self/pagemap", O_RDONLY);
    volatile char *p =
        mmap(NULL, 2 * n * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (out < 0 || pagemap < 0 || p == MAP_FAILED)
        work_die("pagetouch");
    madvise((void *)p, 2 * n * page, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < 2 * n; i++)
        p[i * page] = (char)i;
    mlock((void *)p, 2 * n * page);
    signal(SIGUSR1, on_signal);
    put_number(out, (unsigned long)getpid());
    for (size_t i = 0; i < 2 * n; i++)
        put_number(out, physical(pagemap, p + i * page, page));
    while (!go)
        pause();
    for (long r = 0; r < rounds; r++)
        for (size_t i = 0; i < n; i++) {
            p[i * page] = (char)r;
            (void)p[i * page];
            (void)p[i * page];
        }
    (void)!write(out, "done\n", 5);
    for (;;)
        pause();
}
