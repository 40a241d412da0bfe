/* SPDX-License-Identifier: MIT */
/*
 * A subscription whose broker dies at the worst moment. A process of its own is the client; the
 * test plays the broker, and has the client stand still while it does what must come first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "fake_session.h"
#include "base/util.h"
#include "session/private.h"
#include "session/runtime.h"
#include "session/sock.h"
#include "session/subscription.h"
#include "target/target.h"

static const char ENDED[] = "the session's broker process has ended";

struct fixture {
    char *id, *dir;
    int listening, link; /* link: to the client; -1: none */
    pid_t client;
};

/* The client: opens, then looks whether all is well, `checks` times. Ends with 0 when all went
 * well, with 1 when there was no broker as it opened, else with 2. */
__attribute__((noreturn)) static void client(const struct fixture *f, unsigned checks)
{
    static const char *const sets[] = {"mmio"};
    struct session_private own = {0};
    struct target target = {.live = true};
    struct oscope_session s = {.dir = f->dir, .target = &target, .own = &own};
    struct subscription sub = {0};

    describe(&own.desc, f->id, getpid());
    close(f->listening);
    struct oscope_error *err = subscription_open(&sub, &s, sets, 1);
    if (err)
        _exit(err->code == OSCOPE_E_GONE && !strcmp(err->message, ENDED) ? 1 : 2);
    for (unsigned i = 0; i < checks; i++) {
        /* at its own pace: each look is later than the one before, and finds the link closed */
        while (!broker_hung_up(&sub.link))
            usleep(1000);
        err = subscription_check(&sub, sub.checked + UINT64_C(10000000000));
        if (err)
            _exit(2);
    }
    subscription_close(&sub);
    _exit(0);
}

static void begin(struct fixture *f, unsigned checks)
{
    *f = (struct fixture){.link = -1};
    assert_null(runtime_create(NULL, &f->id, &f->dir));
    f->listening = sock_listen(f->dir, "broker.sock");
    assert_true(f->listening >= 0);
    f->client = fork();
    if (!f->client)
        client(f, checks);
}

/* Waits for the client's next request, which must be for trace points. */
static void expect_request(struct fixture *f)
{
    struct pollfd p = {.fd = f->listening, .events = POLLIN};
    char line[256];

    if (f->link < 0) {
        assert_int_equal(poll(&p, 1, 10000), 1);
        f->link = accept(f->listening, NULL, NULL);
        assert_true(f->link >= 0);
    }
    p.fd = f->link;
    for (size_t n = 0; !n || line[n - 1] != '\n'; line[n] = '\0') {
        assert_int_equal(poll(&p, 1, 10000), 1);
        ssize_t got = recv(f->link, line + n, sizeof line - 1 - n, 0);
        assert_true(got > 0);
        n += (size_t)got;
    }
    assert_non_null(strstr(line, "\"trace\""));
}

static void say(const struct fixture *f, const char *answer)
{
    assert_int_equal(send(f->link, answer, strlen(answer), MSG_NOSIGNAL), strlen(answer));
}

static void tell_log(const struct fixture *f, const char *name)
{
    char answer[512];

    snprintf(answer, sizeof answer,
             "{\"ok\":true,\"log\":\"%s/%s\",\"at\":0,\"threads\":[],\"map\":\"\"}\n", f->dir,
             name);
    say(f, answer);
}

static void make_log(const struct fixture *f, const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", f->dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static void die(struct fixture *f)
{
    close(f->link);
    f->link = -1;
}

/* Answers, and is dead before the client has read that: the log is gone, too. */
static void answer_and_die(struct fixture *f)
{
    int status;

    assert_int_equal(kill(f->client, SIGSTOP), 0);
    assert_int_equal(waitpid(f->client, &status, WUNTRACED), f->client);
    assert_true(WIFSTOPPED(status));
    tell_log(f, "taken-away.log");
    die(f);
    assert_int_equal(kill(f->client, SIGCONT), 0);
}

/* How the client ended. */
static int end(struct fixture *f)
{
    int status = -1;

    for (int i = 0; i < 1000 && waitpid(f->client, &status, WNOHANG) == 0; i++)
        usleep(10000);
    kill(f->client, SIGKILL);
    if (f->link >= 0)
        close(f->link);
    close(f->listening);
    runtime_remove(f->dir);
    free(f->id);
    free(f->dir);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Nothing is wrong with the log, but there is no broker. */
static void test_dies_while_it_opens(void **state)
{
    struct fixture f;

    begin(&f, 0);
    expect_request(&f);
    answer_and_die(&f);
    assert_int_equal(end(&f), 1);
}

/* Events go on with the next broker, whatever befell the ones between. */
static void test_dies_as_it_takes_over(void **state)
{
    struct fixture f;
    char c;

    begin(&f, 4);
    make_log(&f, "first.log");
    expect_request(&f);
    tell_log(&f, "first.log");
    die(&f);
    expect_request(&f);
    answer_and_die(&f);
    expect_request(&f); /* the second broker's QEMU is busy */
    say(&f, "{\"ok\":false,\"code\":10,\"error\":\"QEMU did not answer\"}\n");
    assert_int_equal(recv(f.link, &c, 1, 0), 0); /* it is not left at that */
    die(&f);
    make_log(&f, "third.log");
    expect_request(&f);
    tell_log(&f, "third.log");
    die(&f);
    expect_request(&f);
    tell_log(&f, "third.log");
    assert_int_equal(end(&f), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dies_while_it_opens),
        cmocka_unit_test(test_dies_as_it_takes_over),
    };

    return cmocka_run_group_tests(tests, make_root, remove_root);
}
