/* SPDX-License-Identifier: MIT */
/*
 * Cache files: header with a table of sections, then the sections at 64-byte boundaries.
 *
 * A file is written under a temporary name and renamed, so that no reader sees half of one. What
 * can still go wrong is told at opening without reading the file: the header has a checksum, the
 * total must be the file's size, and each section carries a hash of its two ends (a crash of the
 * host may leave a renamed file full of zeros). The name holds the key and the build of oscope that
 * wrote it, so that builds with other structs never see each other's files.
 */
#include "symbols/cache.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/util.h"
#include "symbols/cache_version.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

static const char file_magic[8] = "oscache";

enum {
    FORMAT = 1,
    ALIGNMENT = 64,
    ENDS = 64, /* bytes at each end of a section that its hash covers */
    STALE_TEMP = 3600,
};

#define SUFFIX      ".oscope"
#define TEMP_PREFIX ".tmp-"

struct section_entry {
    char name[CACHE_NAME_MAX];
    uint64_t off, size, ends_hash;
};

struct file_header {
    char magic[8];
    uint32_t format, nsections;
    uint64_t key, build, total;
    struct section_entry sections[CACHE_SECTIONS_MAX];
    uint64_t checksum; /* FNV-1a of all before */
};

struct cache {
    const uint8_t *map;
    size_t size;
    struct file_header h; /* a checked copy */
};

/* ---- which oscope this is ---- */

/* Hashes the build-id of the object that this code is in; stops there. */
static int hash_build_id(struct dl_phdr_info *info, size_t size, void *arg)
{
    uintptr_t here = (uintptr_t)&hash_build_id;
    bool mine = false;

    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        mine |= p->p_type == PT_LOAD && here - (info->dlpi_addr + p->p_vaddr) < p->p_memsz;
    }
    for (unsigned i = 0; mine && i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        const uint8_t *at = (const uint8_t *)(info->dlpi_addr + p->p_vaddr);
        size_t left = p->p_type == PT_NOTE ? p->p_memsz : 0;

        while (left >= sizeof(ElfW(Nhdr))) {
            ElfW(Nhdr) n;
            memcpy(&n, at, sizeof n);
            size_t len = sizeof n + ALIGN_UP(n.n_namesz, 4) + ALIGN_UP(n.n_descsz, 4);
            if (len > left)
                break;
            if (n.n_type == NT_GNU_BUILD_ID && n.n_namesz == 4 &&
                !memcmp(at + sizeof n, "GNU", 4)) {
                uint64_t *hash = arg;
                *hash = fnv1a(*hash, at + sizeof n + 4, n.n_descsz);
            }
            at += len;
            left -= len;
        }
    }
    return mine;
}

static uint64_t this_build(void)
{
    uint64_t hash = fnv1a(FNV_INIT, OSCOPE_VERSION, strlen(OSCOPE_VERSION));

    dl_iterate_phdr(hash_build_id, &hash);
    return hash;
}

/* ---- files ---- */

static void file_name(char *buf, size_t n, uint64_t key, uint64_t build)
{
    snprintf(buf, n, "%016llx-%08x" SUFFIX, (unsigned long long)key, (unsigned)build);
}

static uint64_t header_checksum(const struct file_header *h)
{
    return fnv1a(FNV_INIT, h, offsetof(struct file_header, checksum));
}

static uint64_t ends_hash(const void *data, size_t n)
{
    const uint8_t *p = data;
    size_t part = MIN(n, (size_t)ENDS);
    uint64_t h = fnv1a(FNV_INIT, &n, sizeof n);

    return part ? fnv1a(fnv1a(h, p, part), p + n - part, part) : h;
}

/* The folder, if it is ours alone; -1 and a line in the log if it can't be used. */
static int open_dir(const char *dir)
{
    struct stat st;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return -1;
    if (fstat(fd, &st) || st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH)) {
        log_warn("cache folder %s is not used: others may write to it", dir);
        close(fd);
        return -1;
    }
    return fd;
}

/* mkdir -p with 0700 for what is missing. */
static void make_dir(const char *dir)
{
    char path[PATH_MAX];

    if (strlen(dir) >= sizeof path)
        return;
    str_copy(path, sizeof path, dir);
    for (char *p = path + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        mkdir(path, 0700);
        *p = '/';
    }
    mkdir(path, 0700);
}

static bool header_fits(const struct file_header *h, uint64_t key, uint64_t build, size_t size)
{
    if (memcmp(h->magic, file_magic, sizeof h->magic) || h->format != FORMAT || h->key != key ||
        h->build != build || h->total != size || h->nsections > CACHE_SECTIONS_MAX ||
        h->checksum != header_checksum(h))
        return false;
    for (uint32_t i = 0; i < h->nsections; i++) {
        const struct section_entry *s = &h->sections[i];

        if (s->off % ALIGNMENT || s->off > size || s->size > size - s->off ||
            !memchr(s->name, 0, sizeof s->name))
            return false;
    }
    return true;
}

static bool sections_fit(const struct cache *c)
{
    for (uint32_t i = 0; i < c->h.nsections; i++) {
        const struct section_entry *s = &c->h.sections[i];

        if (ends_hash(c->map + s->off, s->size) != s->ends_hash)
            return false;
    }
    return true;
}

struct cache *cache_open(const char *dir, uint64_t key)
{
    AUTO_CLOSE int dfd = open_dir(dir);
    char name[64];
    struct stat st;
    uint64_t build = this_build();

    if (dfd < 0)
        return NULL;
    file_name(name, sizeof name, key, build);
    AUTO_CLOSE int fd = openat(dfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    struct cache *c = calloc(1, sizeof *c);
    if (!c || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_uid != geteuid()) {
        free(c);
        return NULL;
    }
    c->size = (size_t)st.st_size;
    if (pread(fd, &c->h, sizeof c->h, 0) == (ssize_t)sizeof c->h &&
        header_fits(&c->h, key, build, c->size)) {
        c->map = mmap(NULL, c->size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (c->map == MAP_FAILED)
            c->map = NULL;
    }
    if (!c->map || !sections_fit(c)) {
        log_info("cache file %s/%s is damaged: removed", dir, name);
        unlinkat(dfd, name, 0);
        cache_close(c);
        return NULL;
    }
    /* the time of last use, for eviction; may fail on a read-only file system */
    const struct timespec now[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_NOW}};
    futimens(fd, now);
    return c;
}

void cache_rest(struct cache *c)
{
    if (c && c->map)
        madvise((void *)(uintptr_t)c->map, c->size, MADV_DONTNEED);
}

const void *cache_section(const struct cache *c, const char *name, size_t *n)
{
    for (uint32_t i = 0; i < c->h.nsections; i++) {
        if (!strcmp(c->h.sections[i].name, name)) {
            *n = (size_t)c->h.sections[i].size;
            return c->map + c->h.sections[i].off;
        }
    }
    return NULL;
}

void cache_close(struct cache *c)
{
    if (!c)
        return;
    if (c->map)
        munmap((void *)c->map, c->size);
    free(c);
}

/* ---- eviction ---- */

static bool ends_with(const char *s, const char *suffix)
{
    size_t n = strlen(s), k = strlen(suffix);

    return n >= k && !strcmp(s + n - k, suffix);
}

/* One pass over the folder: sums up its files, removes stale temporary ones, names the oldest. */
static uint64_t survey(DIR *d, const char *keep, char *oldest, size_t n)
{
    struct timespec age = {0};
    uint64_t total = 0;
    time_t now = time(NULL);
    const struct dirent *e;

    oldest[0] = '\0';
    rewinddir(d);
    while ((e = readdir(d))) {
        bool temp = !strncmp(e->d_name, TEMP_PREFIX, strlen(TEMP_PREFIX));
        struct stat st;

        if ((!temp && !ends_with(e->d_name, SUFFIX)) ||
            fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
            continue;
        if (temp) {
            if (now - st.st_mtime > STALE_TEMP)
                unlinkat(dirfd(d), e->d_name, 0);
            continue;
        }
        total += (uint64_t)st.st_size;
        if (!strcmp(e->d_name, keep))
            continue;
        if (!oldest[0] || st.st_mtim.tv_sec < age.tv_sec ||
            (st.st_mtim.tv_sec == age.tv_sec && st.st_mtim.tv_nsec < age.tv_nsec)) {
            age = st.st_mtim;
            str_copy(oldest, n, e->d_name);
        }
    }
    return total;
}

static void evict(int dfd, const char *keep, uint64_t most)
{
    int fd = fcntl(dfd, F_DUPFD_CLOEXEC, 0);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    char oldest[NAME_MAX + 1];

    if (!d) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (unsigned i = 0; i < 10000 && survey(d, keep, oldest, sizeof oldest) > most; i++) {
        if (!oldest[0] || unlinkat(dfd, oldest, 0))
            break;
        log_debug("cache: %s removed to make room", oldest);
    }
    closedir(d);
}

/* ---- writing ---- */

static bool write_all(int fd, const void *data, size_t n)
{
    const uint8_t *p = data;

    while (n) {
        ssize_t k = write(fd, p, n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return false;
        p += k, n -= (size_t)k;
    }
    return true;
}

static bool fill_header(struct file_header *h, uint64_t key, const struct cache_section *sections,
                        size_t n)
{
    uint64_t at = ALIGN_UP(sizeof *h, ALIGNMENT);

    *h = (struct file_header){
        .format = FORMAT, .nsections = (uint32_t)n, .key = key, .build = this_build()};
    memcpy(h->magic, file_magic, sizeof h->magic);
    for (size_t i = 0; i < n; i++) {
        struct section_entry *s = &h->sections[i];

        if (strlen(sections[i].name) >= sizeof s->name || sections[i].n > CACHE_TOTAL_MAX)
            return false;
        str_copy(s->name, sizeof s->name, sections[i].name);
        s->off = at;
        s->size = sections[i].n;
        s->ends_hash = ends_hash(sections[i].data, sections[i].n);
        at = ALIGN_UP(at + s->size, ALIGNMENT);
    }
    h->total = at;
    h->checksum = header_checksum(h);
    return at <= CACHE_TOTAL_MAX;
}

static bool write_file(int fd, const struct file_header *h, const struct cache_section *sections)
{
    static const uint8_t zeros[ALIGNMENT];
    size_t at = sizeof *h;

    if (!write_all(fd, h, sizeof *h))
        return false;
    for (uint32_t i = 0; i < h->nsections; i++) {
        size_t gap = (size_t)h->sections[i].off - at;

        if (!write_all(fd, zeros, gap) || !write_all(fd, sections[i].data, sections[i].n))
            return false;
        at += gap + sections[i].n;
    }
    return write_all(fd, zeros, (size_t)h->total - at);
}

bool cache_put(const char *dir, uint64_t key, const struct cache_section *sections, size_t n)
{
    struct file_header h;
    char name[64], temp[128];

    if (n > CACHE_SECTIONS_MAX || !fill_header(&h, key, sections, n))
        return false;
    make_dir(dir);
    AUTO_CLOSE int dfd = open_dir(dir);
    if (dfd < 0) {
        log_info("no cache: folder %s can't be used: %s", dir, strerror(errno));
        return false;
    }
    file_name(name, sizeof name, key, h.build);
    /* pid and time make the name this writer's own; O_EXCL makes sure */
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    snprintf(temp, sizeof temp, TEMP_PREFIX "%d-%lld%09ld", (int)getpid(), (long long)ts.tv_sec,
             ts.tv_nsec);
    AUTO_CLOSE int fd =
        openat(dfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        log_info("no cache: can't write to folder %s: %s", dir, strerror(errno));
        return false;
    }
    if (!write_file(fd, &h, sections) || renameat(dfd, temp, dfd, name)) {
        log_info("no cache: writing to folder %s failed: %s", dir, strerror(errno));
        unlinkat(dfd, temp, 0);
        return false;
    }
    evict(dfd, name, CACHE_TOTAL_MAX);
    return true;
}
