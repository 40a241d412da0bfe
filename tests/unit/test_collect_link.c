/* SPDX-License-Identifier: MIT */
/* collect/link: a socket and a pty, whose other end is this test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "collect/link.h"

struct taken {
    pthread_mutex_t lock;
    pthread_cond_t more;
    char bytes[256];
    size_t n;
    bool closed;
};

static void take(void *arg, const char *bytes, size_t n)
{
    struct taken *t = arg;

    pthread_mutex_lock(&t->lock);
    memcpy(t->bytes + t->n, bytes, n < sizeof t->bytes - t->n ? n : sizeof t->bytes - t->n);
    t->n += n;
    t->closed = t->closed || !n;
    pthread_cond_signal(&t->more);
    pthread_mutex_unlock(&t->lock);
}

static void wait_for(struct taken *t, size_t n, bool closed)
{
    pthread_mutex_lock(&t->lock);
    while (t->n < n || t->closed != closed)
        pthread_cond_wait(&t->more, &t->lock); /* the test's own limit ends it */
    pthread_mutex_unlock(&t->lock);
}

/* Bytes both ways between fd and the link. */
static void talk(int fd, struct link *l, struct taken *t)
{
    char got[64];
    size_t n = 0;

    assert_int_equal(write(fd, "login: ", 7), 7);
    wait_for(t, 7, false);
    assert_memory_equal(t->bytes, "login: ", 7);
    assert_true(link_send(l, "root\r\003", 6));
    while (n < 6) {
        ssize_t some = read(fd, got + n, sizeof got - n);
        assert_true(some > 0);
        n += (size_t)some;
    }
    assert_memory_equal(got, "root\r\003", 6);
}

static void test_a_socket(void **state)
{
    struct taken t = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, "", 0, false};
    char dir[] = "/tmp/oscope-link-XXXXXX";
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct link *l;

    assert_non_null(mkdtemp(dir));
    snprintf(addr.sun_path, sizeof addr.sun_path, "%s/s", dir);
    struct link_options o = {.path = addr.sun_path, .take = take, .arg = &t};
    struct oscope_error *err = link_open(&o, &l); /* there is none yet */
    assert_non_null(err);
    oscope_error_free(err);
    int server = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(server, (struct sockaddr *)&addr, sizeof addr), 0);
    assert_int_equal(listen(server, 1), 0);
    assert_null(link_open(&o, &l));
    int fd = accept(server, NULL, NULL);
    talk(fd, l, &t);
    close(fd);
    wait_for(&t, 7, true);
    assert_false(link_send(l, "x", 1)); /* not to whoever comes next */
    link_close(l);
    close(server);
    unlink(addr.sun_path);
    rmdir(dir);
}

static void test_a_pty(void **state)
{
    struct taken t = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, "", 0, false};
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    char path[64];
    struct link *l;

    if (master < 0 || grantpt(master) || unlockpt(master) || ptsname_r(master, path, sizeof path))
        skip();
    struct link_options o = {.path = path, .pty = true, .take = take, .arg = &t};
    assert_null(link_open(&o, &l));
    talk(master, l, &t); /* raw: CR and Ctrl-C are bytes */
    link_close(l);
    close(master);
    o.path = "/dev/null";
    struct oscope_error *err = link_open(&o, &l);
    assert_non_null(err);
    assert_non_null(strstr(err->message, "no terminal"));
    oscope_error_free(err);
}

/* What nobody reads is not kept without bound. */
static void test_a_full_queue(void **state)
{
    struct taken t = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, "", 0, false};
    char bytes[LINK_QUEUE + 1] = "", path[] = "/tmp/oscope-link-full";
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct link *l;

    snprintf(addr.sun_path, sizeof addr.sun_path, "%s-%d", path, (int)getpid());
    struct link_options o = {.path = addr.sun_path, .take = take, .arg = &t};
    int server = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(server, (struct sockaddr *)&addr, sizeof addr), 0);
    assert_int_equal(listen(server, 1), 0);
    assert_null(link_open(&o, &l));
    assert_false(link_send(l, bytes, sizeof bytes));
    size_t refused = 0; /* 100 MB are more than a socket and the queue hold */
    for (int i = 0; i < 100000; i++)
        refused += !link_send(l, bytes, 1024);
    assert_true(refused > 0);
    link_close(l); /* does not wait for them */
    close(server);
    unlink(addr.sun_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_socket),
        cmocka_unit_test(test_a_pty),
        cmocka_unit_test(test_a_full_queue),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
