/* SPDX-License-Identifier: MIT */
/*
 * A running QEMU. Each region is reached in one of two ways:
 *
 * mapped   QEMU has it as a shared mapping of a file it keeps open (memfd, /dev/shm, a file): the
 *          same file is opened read-only through /proc/PID/fd/N and mapped PROT_READ. Touching a
 *          hole would allocate the page on the host, so a page is asked about with SEEK_DATA before
 *          its first use, and its neighbours with mincore(); pages found populated are remembered.
 * copied   anything else: bytes are copied out of the process (target/remote.c).
 *
 * The memory of a PID that was reused is never read: the file is checked by device and inode, the
 * process by its start time.
 */
#include "target/live.h"

#include "base/util.h"
#include "target/hostproc.h"
#include "target/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>

struct live {
    pid_t pid;
    struct oscope_error *(*registers)(void *arg, struct target_vcpus *out);
    struct oscope_error *(*pause)(void *arg, bool stop);
    void *arg;
    struct remote *remote;   /* NULL while every region is mapped */
    struct live_file *files; /* per region */
};

struct live_file {
    blkcnt_t blocks; /* as fstat() last said */
    bool residency;  /* mincore() tells the truth about it */
};

/* ---- mapped regions ---- */

static void mark_populated(const struct target_ram *r, uint64_t start, uint64_t end)
{
    uint64_t page = start >> TARGET_PAGE_SHIFT, last = (end + TARGET_PAGE_SIZE - 1) >> 12;

    while (page < last) {
        if (page % 64 == 0 && last - page >= 64) {
            r->populated[page / 64] = ~UINT64_C(0);
            page += 64;
        } else {
            r->populated[page / 64] |= BIT(page % 64);
            page++;
        }
    }
}

/* mincore() calls every page resident to those who neither own the file nor may write to it
 * (can_do_mincore() in mm/mincore.c), to keep the page cache of others secret. */
static bool residency_told(int fd)
{
    return !faccessat(fd, "", W_OK, AT_EMPTY_PATH | AT_EACCESS);
}

/*
 * Marks the resident pages around one that is populated: guests keep their data close together, so
 * one call saves many. What is resident is populated; the rest may be swapped out. The page is
 * touched first: the fault maps its resident neighbours too (fault_around_bytes, mm/memory.c, 64
 * KiB), and those mincore() tells at once.
 */
static void mark_resident(const struct target_ram *r, uint64_t page)
{
    enum { AROUND = 16 };
    unsigned char resident[AROUND];
    uint64_t first = ALIGN_DOWN(page, AROUND);
    uint64_t n = MIN((r->size >> TARGET_PAGE_SHIFT) - first, (uint64_t)AROUND), bits = 0;
    char *map = (char *)(uintptr_t)r->map;

    (void)*(volatile char *)(map + (page << TARGET_PAGE_SHIFT));
    if (mincore(map + (first << TARGET_PAGE_SHIFT), n << TARGET_PAGE_SHIFT, resident))
        return;
    for (unsigned i = 0; i < n; i++)
        bits |= (uint64_t)(resident[i] & 1) << i;
    r->populated[first / 64] |= bits << first % 64;
}

static bool live_probe(struct target *t, const struct target_ram *r, uint64_t page)
{
    const struct live *l = t->backend;
    off_t at = (off_t)(r->fd_offset + (page << TARGET_PAGE_SHIFT));
    off_t data = lseek(r->fd, at, SEEK_DATA);

    if (data < 0 || data >= at + TARGET_PAGE_SIZE)
        return false;
    if (l->files[r - t->ram].residency)
        mark_resident(r, page);
    return true;
}

static bool mapped_extent(const struct target_ram *r, uint64_t off, uint64_t *start, uint64_t *end)
{
    off_t data = lseek(r->fd, (off_t)(r->fd_offset + off), SEEK_DATA);
    if (data < 0 || (uint64_t)data - r->fd_offset >= r->size)
        return false;
    off_t hole = lseek(r->fd, data, SEEK_HOLE);
    *start = (uint64_t)data - r->fd_offset;
    *end = hole > data ? MIN(r->size, (uint64_t)hole - r->fd_offset) : r->size;
    mark_populated(r, *start, *end);
    return true;
}

static bool live_extent(struct target *t, const struct target_ram *r, uint64_t off, uint64_t *start,
                        uint64_t *end)
{
    struct live *l = t->backend;

    return r->map ? mapped_extent(r, off, start, end)
                  : remote_extent(l->remote, r, off, start, end);
}

static bool live_read(struct target *t, const struct target_ram *r, uint64_t off, void *buf,
                      size_t n)
{
    struct live *l = t->backend;

    return remote_read(l->remote, r, off, buf, n, t->epoch);
}

/*
 * Pages are forgotten when the host gave some back (ballooning, MADV_REMOVE): the file's block
 * count has fallen. Short of that a page that was populated stays so.
 */
static void live_refresh(struct target *t)
{
    struct live *l = t->backend;

    for (size_t i = 0; i < t->nram; i++) {
        struct target_ram *r = &t->ram[i];
        struct stat st;

        if (!r->map || fstat(r->fd, &st) < 0)
            continue;
        if (st.st_blocks < l->files[i].blocks)
            memset(r->populated, 0, remote_bitmap_bytes(r->size));
        l->files[i].blocks = st.st_blocks;
    }
}

static struct oscope_error *live_registers(struct target *t, struct target_vcpus *out)
{
    struct live *l = t->backend;

    if (!l->registers)
        return error_new(OSCOPE_E_UNSUPPORTED, "this guest's registers can't be read");
    return l->registers(l->arg, out);
}

static struct oscope_error *live_pause(struct target *t, bool stop)
{
    struct live *l = t->backend;

    if (!l->pause)
        return error_new(OSCOPE_E_UNSUPPORTED, "this guest can't be paused");
    return l->pause(l->arg, stop);
}

static void live_close(struct target *t)
{
    struct live *l = t->backend;

    for (size_t i = 0; i < t->nram; i++) {
        if (t->ram[i].map)
            munmap((void *)(uintptr_t)t->ram[i].map, t->ram[i].size);
        if (t->ram[i].fd >= 0)
            close(t->ram[i].fd);
    }
    remote_close(l->remote);
    free(l->files);
    free(l);
}

static const struct target_ops live_ops = {
    .name = "qemu",
    .read = live_read,
    .extent = live_extent,
    .probe = live_probe,
    .refresh = live_refresh,
    .registers = live_registers,
    .pause = live_pause,
    .close = live_close,
};

/* ---- opening ---- */

struct oscope_error *live_resolve(pid_t pid, struct live_region *r)
{
    struct host_mapping m;

    r->fd = -1;
    TRY(host_mapping(pid, r->hva, r->size, &m));
    if (m.shared)
        r->fd = host_find_fd(pid, m.dev, m.ino);
    r->dev = m.dev;
    r->ino = m.ino;
    r->offset = m.offset;
    return NULL;
}

/* Maps the shared file behind a region; false: reach it in another way. */
static bool map_region(pid_t pid, const struct live_region *from, struct target_ram *r,
                       struct live_file *file)
{
    char path[64];
    struct stat st;
    struct statfs fs;

    if (from->fd < 0)
        return false;
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, from->fd);
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_dev != from->dev ||
        st.st_ino != from->ino)
        return false;
    /* hugetlbfs calls the whole file data, so holes could not be told from pages there */
    if (fstatfs(fd, &fs) < 0 || fs.f_type == HUGETLBFS_MAGIC)
        return false;
    if ((uint64_t)st.st_size < from->offset || (uint64_t)st.st_size - from->offset < from->size)
        return false;
    void *map =
        mmap(NULL, from->size, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd, (off_t)from->offset);
    if (map == MAP_FAILED)
        return false;
    r->map = map;
    r->fd = fd;
    r->fd_offset = from->offset;
    *file = (struct live_file){.blocks = st.st_blocks, .residency = residency_told(fd)};
    fd = -1;
    return true;
}

static int by_gpa(const void *a, const void *b)
{
    const struct live_region *x = a, *y = b;
    return (x->gpa > y->gpa) - (x->gpa < y->gpa);
}

static struct oscope_error *check_regions(const struct live_desc *desc)
{
    if (!desc->nregions)
        return error_new(OSCOPE_E_BAD_DATA, "the session has no RAM regions");
    qsort(desc->regions, desc->nregions, sizeof *desc->regions, by_gpa);
    for (size_t i = 0; i < desc->nregions; i++) {
        const struct live_region *r = &desc->regions[i];

        if (!r->size || r->size > UINT64_MAX - r->gpa || r->size > UINT64_MAX - r->hva ||
            ((r->gpa | r->size | r->hva | r->offset) & (TARGET_PAGE_SIZE - 1)) ||
            (i && r->gpa < r[-1].gpa + r[-1].size))
            return error_new(OSCOPE_E_BAD_DATA, "the session's RAM regions contradict each other");
    }
    return NULL;
}

static struct oscope_error *add_regions(struct target *t, const struct live_desc *desc)
{
    struct live *l = t->backend;

    for (size_t i = 0; i < desc->nregions; i++) {
        const struct live_region *from = &desc->regions[i];
        struct target_ram *r = &t->ram[t->nram++];

        *r = (struct target_ram){.gpa = from->gpa, .size = from->size, .hva = from->hva, .fd = -1};
        str_copy(r->name, sizeof r->name, from->name);
        r->populated = calloc(1, remote_bitmap_bytes(r->size));
        if (!r->populated)
            return error_nomem();
        if (!map_region(desc->pid, from, r, &l->files[i]) && !l->remote)
            TRY(remote_open(desc->pid, &l->remote));
    }
    return NULL;
}

struct oscope_error *target_open_live(const struct live_desc *desc, struct target **out)
{
    if (!host_alive(desc->pid, desc->start_time))
        return error_new(OSCOPE_E_GONE, "QEMU (process %d) has ended", (int)desc->pid);
    TRY(check_regions(desc));

    struct target *t = calloc(1, sizeof *t);
    struct live *l = calloc(1, sizeof *l);
    if (!t || !l) {
        free(t);
        free(l);
        return error_nomem();
    }
    *l = (struct live){desc->pid, desc->registers, desc->pause, desc->arg, NULL, NULL};
    t->ops = &live_ops;
    t->backend = l;
    t->arch = desc->arch;
    t->live = true;
    t->ram = calloc(desc->nregions, sizeof *t->ram);
    l->files = calloc(desc->nregions, sizeof *l->files);
    struct oscope_error *err = t->ram && l->files ? add_regions(t, desc) : error_nomem();
    /* Between the check above and opening its files the PID may have changed hands. */
    if (!err && !host_alive(desc->pid, desc->start_time))
        err = error_new(OSCOPE_E_GONE, "QEMU (process %d) has ended", (int)desc->pid);
    if (err) {
        target_close(t);
        return err;
    }
    *out = t;
    return NULL;
}
