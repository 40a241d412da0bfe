/* SPDX-License-Identifier: MIT */
/* The on-disk cache: round trip, damage, folders that can't be used, eviction, several writers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/util.h"
#include "symbols/cache.h"

static char root[64], dir[96]; /* root exists, dir = root/a/b does not at first */

static int setup(void **state)
{
    snprintf(root, sizeof root, "/tmp/oscope-test-cache-XXXXXX");
    if (!mkdtemp(root))
        return -1;
    snprintf(dir, sizeof dir, "%s/a/b", root);
    return 0;
}

static int teardown(void **state)
{
    char cmd[256];

    snprintf(cmd, sizeof cmd, "rm -rf %s", root);
    return system(cmd);
}

/* Files in the folder; the last one's path is left in path. */
static unsigned files(char *path, size_t n)
{
    DIR *d = opendir(dir);
    unsigned count = 0;
    const struct dirent *e;

    while (d && (e = readdir(d))) {
        if (e->d_name[0] == '.' && (!e->d_name[1] || e->d_name[1] == '.'))
            continue;
        count++;
        snprintf(path, n, "%s/%s", dir, e->d_name);
    }
    if (d)
        closedir(d);
    return count;
}

static char big[100000]; /* filled by main() */

static bool put(uint64_t key)
{
    const struct cache_section s[] = {
        {"layout", "12345", 5}, {"symbols", big, sizeof big}, {"empty", "", 0}};

    return cache_put(dir, key, s, ARRAY_SIZE(s));
}

static void test_round_trip(void **state)
{
    struct stat st;
    size_t n;

    assert_null(cache_open(dir, 1));
    assert_true(put(1));
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    struct cache *c = cache_open(dir, 1);
    assert_non_null(c);
    const void *p = cache_section(c, "layout", &n);
    assert_int_equal(n, 5);
    assert_memory_equal(p, "12345", 5);
    p = cache_section(c, "symbols", &n);
    assert_int_equal(n, sizeof big);
    assert_memory_equal(p, big, n);
    assert_int_equal((uintptr_t)p % 64, 0);
    assert_non_null(cache_section(c, "empty", &n));
    assert_int_equal(n, 0);
    assert_null(cache_section(c, "nothing", &n));
    /* replaced under an open reader: it keeps what it has */
    const struct cache_section other = {"layout", "67890", 5};
    assert_true(cache_put(dir, 1, &other, 1));
    assert_memory_equal(cache_section(c, "layout", &n), "12345", 5);
    cache_close(c);
    c = cache_open(dir, 1);
    assert_memory_equal(cache_section(c, "layout", &n), "67890", 5);
    assert_null(cache_section(c, "symbols", &n));
    cache_close(c);
    assert_null(cache_open(dir, 2));
    cache_close(NULL);
}

static void test_limits(void **state)
{
    struct cache_section s[CACHE_SECTIONS_MAX + 1];

    for (size_t i = 0; i < ARRAY_SIZE(s); i++)
        s[i] = (struct cache_section){"x", "y", 1};
    assert_false(cache_put(dir, 1, s, ARRAY_SIZE(s)));
    assert_true(cache_put(dir, 1, s, CACHE_SECTIONS_MAX));
    s[0].name = "a name that is much too long";
    assert_false(cache_put(dir, 1, s, 1));
    assert_true(cache_put(dir, 1, s, 0));
    struct cache *c = cache_open(dir, 1);
    assert_non_null(c);
    cache_close(c);
}

static void flip(const char *path, off_t at)
{
    int fd = open(path, O_RDWR);
    char b;

    assert_int_equal(pread(fd, &b, 1, at), 1);
    b ^= 0x10;
    assert_int_equal(pwrite(fd, &b, 1, at), 1);
    close(fd);
}

/* Any damage at either end, or a cut: a miss, and the file is gone. */
static void test_damage(void **state)
{
    char path[400];
    struct stat st;

    assert_true(put(3));
    assert_int_equal(files(path, sizeof path), 1);
    assert_int_equal(stat(path, &st), 0);
    /* bytes of the header, of the first section, of the big one's start and end */
    static const off_t places[] = {0, 8, 12, 16, 24, 32, 40, 64, 72, 80, 700, 776};
    off_t ends[] = {st.st_size - 40, st.st_size - 95};
    for (size_t i = 0; i < ARRAY_SIZE(places) + ARRAY_SIZE(ends); i++) {
        assert_true(put(3));
        files(path, sizeof path);
        flip(path, i < ARRAY_SIZE(places) ? places[i] : ends[i - ARRAY_SIZE(places)]);
        assert_null(cache_open(dir, 3));
        assert_int_equal(files(path, sizeof path), 0);
    }
    for (off_t size = 0; size < st.st_size; size += 9973) {
        assert_true(put(3));
        files(path, sizeof path);
        assert_int_equal(truncate(path, size), 0);
        assert_null(cache_open(dir, 3));
        assert_int_equal(files(path, sizeof path), 0);
    }
    /* as after a host crash: the size is right, the data never came */
    assert_true(put(3));
    files(path, sizeof path);
    int fd = open(path, O_RDWR);
    char zeros[4096] = {0};
    assert_int_equal(pwrite(fd, zeros, sizeof zeros, st.st_size - 4096), (ssize_t)sizeof zeros);
    assert_int_equal(pwrite(fd, zeros, sizeof zeros, 1500), (ssize_t)sizeof zeros);
    close(fd);
    assert_null(cache_open(dir, 3));
}

static void test_folders_that_are_not_ours_alone(void **state)
{
    assert_true(put(4));
    assert_int_equal(chmod(dir, 0770), 0);
    assert_null(cache_open(dir, 4));
    assert_false(put(4));
    assert_int_equal(chmod(dir, 0700), 0);
    struct cache *c = cache_open(dir, 4);
    assert_non_null(c);
    cache_close(c);
    assert_false(cache_put("/proc/no/such/place", 4, NULL, 0));
    assert_null(cache_open("/proc/no/such/place", 4));
    /* a link in the file's place is not followed */
    char path[400], to[500];
    assert_int_equal(files(path, sizeof path), 1);
    snprintf(to, sizeof to, "%s/elsewhere", root);
    assert_int_equal(rename(path, to), 0);
    assert_int_equal(symlink(to, path), 0);
    assert_null(cache_open(dir, 4));
}

/* Old files go first, used ones stay, the new one is never the victim. */
static void test_eviction(void **state)
{
    char path[400];

    assert_true(put(10));
    assert_int_equal(files(path, sizeof path), 1);
    const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
    assert_true(put(11));
    /* a big old stranger of our kind: sparse, so that it costs nothing */
    char stranger[400];
    snprintf(stranger, sizeof stranger, "%s/%016x-%08x.oscope", dir, 1, 2);
    int fd = open(stranger, O_CREAT | O_RDWR, 0600);
    assert_int_equal(ftruncate(fd, (off_t)CACHE_TOTAL_MAX + 1), 0);
    const struct timespec older[2] = {{.tv_sec = 900}, {.tv_sec = 900}};
    futimens(fd, older);
    close(fd);
    /* a temporary file that a killed writer left, and something that is not ours */
    char temp[400], other[400];
    snprintf(temp, sizeof temp, "%s/.tmp-1-1", dir);
    fd = open(temp, O_CREAT | O_RDWR, 0600);
    futimens(fd, old);
    close(fd);
    snprintf(other, sizeof other, "%s/README", dir);
    close(open(other, O_CREAT | O_RDWR, 0600));
    assert_true(put(12));
    assert_int_equal(access(stranger, F_OK), -1);
    assert_int_equal(access(temp, F_OK), -1);
    assert_int_equal(access(other, F_OK), 0);
    for (uint64_t key = 10; key <= 12; key++) {
        struct cache *c = cache_open(dir, key);
        assert_non_null(c);
        cache_close(c);
    }
    /* key 10 was used just now: its time is no longer the old one */
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_mtim.tv_sec > 1000);
}

static void test_concurrent_writers(void **state)
{
    enum { WRITERS = 6 };
    pid_t pids[WRITERS];
    char path[400];

    for (int w = 0; w < WRITERS; w++) {
        pids[w] = fork();
        if (pids[w])
            continue;
        AUTO_FREE char *data = malloc(200000);
        memset(data, 'a' + w, 200000);
        const struct cache_section s = {"same", data, 200000};
        for (int i = 0; i < 30; i++)
            if (!cache_put(dir, 20, &s, 1))
                _exit(1);
        _exit(0);
    }
    for (int i = 0; i < 200; i++) {
        struct cache *c = cache_open(dir, 20);
        size_t n;
        if (!c)
            continue;
        const char *p = cache_section(c, "same", &n);
        assert_int_equal(n, 200000);
        for (size_t k = 0; k < n; k += 997)
            assert_int_equal(p[k], p[0]);
        cache_close(c);
    }
    for (int w = 0; w < WRITERS; w++) {
        int status;
        assert_int_equal(waitpid(pids[w], &status, 0), pids[w]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(files(path, sizeof path), 1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    memset(big, 'x', sizeof big);
    const struct CMUnitTest tests[] = {
        TEST(test_round_trip), TEST(test_limits),
        TEST(test_damage),     TEST(test_folders_that_are_not_ours_alone),
        TEST(test_eviction),   TEST(test_concurrent_writers),
    };
    return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
