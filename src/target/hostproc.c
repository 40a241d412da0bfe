/* SPDX-License-Identifier: MIT */
/*
 * Reading /proc/PID. The process may end at any moment; each function then says "gone" in its way.
 */
#include "target/hostproc.h"

#include "base/util.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

/* Reads a small /proc file; returns its length, -1 on error. Always terminated. */
static ssize_t slurp(const char *path, char *buf, size_t n)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, buf, n - 1);

    buf[len > 0 ? len : 0] = '\0';
    return len;
}

/* State (one letter) and start time; false: there is no such thing. */
static bool read_stat(const char *path, char *state, unsigned long long *start)
{
    char buf[1024];

    if (slurp(path, buf, sizeof buf) <= 0)
        return false;
    const char *p = strrchr(buf, ')'); /* the command's name may hold anything */
    return p && sscanf(p + 1,
                       " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
                       "%*d %llu",
                       state, start) == 2;
}

uint64_t host_start_time(pid_t pid)
{
    char path[64], state;
    unsigned long long start;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (!read_stat(path, &state, &start))
        return 0;
    return state == 'Z' || state == 'X' ? 0 : start;
}

bool host_sleeps(pid_t pid)
{
    char path[64], state;
    unsigned long long start;

    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)pid, (int)pid);
    return read_stat(path, &state, &start) && state == 'S';
}

uint64_t host_start_ns(pid_t pid)
{
    uint64_t ticks = host_start_time(pid);
    struct timespec boot, mono;
    long hz = sysconf(_SC_CLK_TCK);

    if (!ticks || hz <= 0)
        return 0;
    /* /proc counts the time in which the host was suspended, CLOCK_MONOTONIC does not. */
    clock_gettime(CLOCK_BOOTTIME, &boot);
    clock_gettime(CLOCK_MONOTONIC, &mono);
    uint64_t asleep = (uint64_t)(boot.tv_sec - mono.tv_sec) * 1000000000 +
                      (uint64_t)(boot.tv_nsec - mono.tv_nsec);
    return ticks * (1000000000 / (uint64_t)hz) - asleep;
}

bool host_alive(pid_t pid, uint64_t start_time)
{
    return start_time && host_start_time(pid) == start_time;
}

pid_t host_process_of(pid_t tid)
{
    char path[64], buf[1024];
    int tgid;

    snprintf(path, sizeof path, "/proc/%d/status", (int)tid);
    if (slurp(path, buf, sizeof buf) <= 0)
        return 0;
    const char *p = strstr(buf, "\nTgid:");
    return p && sscanf(p + 6, "%d", &tgid) == 1 ? tgid : 0;
}

void host_comm(pid_t pid, char *buf, size_t n)
{
    char path[64], exe[512];

    /* The program's file name is longer than the 15 bytes that comm keeps. */
    snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    ssize_t len = readlink(path, exe, sizeof exe - 1);
    if (len > 0) {
        exe[len] = '\0';
        char *base = strrchr(exe, '/');
        base[strcspn(base, " ")] = '\0'; /* " (deleted)" after an upgrade */
        str_copy(buf, n, base + 1);
        return;
    }

    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    slurp(path, buf, n);
    buf[strcspn(buf, "\n")] = '\0';
}

/* Checks one line of maps against the next byte looked for; false: it contradicts a shared file. */
static void follow(struct host_mapping *m, bool first, bool shared, uint64_t dev, uint64_t ino,
                   uint64_t offset, uint64_t done)
{
    if (first)
        *m = (struct host_mapping){shared && ino, dev, ino, offset};
    else if (!shared || dev != m->dev || ino != m->ino || offset != m->offset + done)
        m->shared = false;
}

struct oscope_error *host_mapping(pid_t pid, uint64_t hva, uint64_t size, struct host_mapping *out)
{
    char path[64], line[512];
    uint64_t at = hva, end = hva + size;

    *out = (struct host_mapping){0};
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return host_explain(error_errno(errno, "read the memory map of process %d", (int)pid), pid);
    while (at < end && fgets(line, sizeof line, f)) {
        uint64_t start, stop, offset, ino;
        unsigned major, minor;
        char perm[5];
        bool whole = strchr(line, '\n') != NULL;

        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64, &start, &stop,
                   perm, &offset, &major, &minor, &ino) == 7 &&
            start <= at && at < stop && perm[0] == 'r') {
            follow(out, at == hva, perm[3] == 's', makedev(major, minor), ino,
                   offset + (at - start), at - hva);
            at = stop;
        }
        while (!whole && fgets(line, sizeof line, f)) /* the rest of a long path */
            whole = strchr(line, '\n') != NULL;
    }
    fclose(f);
    if (at < end)
        return error_new(OSCOPE_E_BAD_DATA,
                         "process %d does not hold the guest's RAM where QEMU says it is",
                         (int)pid);
    return NULL;
}

int host_find_fd(pid_t pid, uint64_t dev, uint64_t ino)
{
    char path[64];
    int found = -1;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *d = opendir(path);
    if (!d)
        return -1;
    for (struct dirent *e; found < 0 && (e = readdir(d));) {
        struct stat st;

        if (e->d_name[0] != '.' && fstatat(dirfd(d), e->d_name, &st, 0) == 0 &&
            S_ISREG(st.st_mode) && st.st_ino == ino && st.st_dev == dev)
            found = atoi(e->d_name);
    }
    closedir(d);
    return found;
}

struct oscope_error *host_explain(struct oscope_error *err, pid_t pid)
{
    char path[64], buf[16];
    struct stat st;

    if (!err || err->code != OSCOPE_E_PERMISSION)
        return err;
    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    if (stat(path, &st) == 0 && st.st_uid != geteuid())
        return error_hint(err, "process %d belongs to user %u: run oscope as that user or as root",
                          (int)pid, (unsigned)st.st_uid);
    if (slurp("/proc/sys/kernel/yama/ptrace_scope", buf, sizeof buf) > 0 && buf[0] != '0')
        return error_hint(err,
                          "kernel.yama.ptrace_scope=%c forbids it: start the guest with `oscope "
                          "run`, or run oscope as root, or set it to 0",
                          buf[0]);
    return error_hint(err, "run oscope as root, or start the guest with `oscope run`");
}
