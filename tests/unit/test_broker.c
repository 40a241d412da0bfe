/* SPDX-License-Identifier: MIT */
/* The broker, which serves clients with a scripted QEMU behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/util.h"
#include "fake_session.h"
#include "session/broker.h"
#include "session/client.h"
#include "session/probes_json.h"
#include "session/runtime.h"

struct fixture {
    char *id, *dir;
    pid_t broker, qemu; /* qemu: a process that only exists */
    int qmp;            /* our end: we play QEMU */
    FILE *from;
    bool running;
    unsigned stops, conts;
};

/* Answers one command of the broker as QEMU would; false when it hung up. */
static bool play_qemu(struct fixture *f)
{
    char line[1024], text[256];
    int id = 0;

    if (!fgets(line, sizeof line, f->from))
        return false;
    const char *at = strstr(line, "\"id\":");
    if (at)
        id = atoi(at + 5);
    const char *ret = "{}";
    if (strstr(line, "\"query-status\"")) {
        ret = f->running ? "{\"running\": true}" : "{\"running\": false}";
    } else if (strstr(line, "\"stop\"")) {
        f->running = false, f->stops++;
    } else if (strstr(line, "\"cont\"")) {
        f->running = true, f->conts++;
    } else if (strstr(line, "info registers -a")) {
        ret = "\"CPU#0\\r\\n pc       0000000080000000\\r\\n\"";
    } else if (strstr(line, "query-cpus-fast")) {
        ret = "[{\"cpu-index\": 0, \"thread-id\": 77}]";
    }
    int n = snprintf(text, sizeof text, "{\"return\": %s, \"id\": %d}\r\n", ret, id);
    return send(f->qmp, text, (size_t)n, MSG_NOSIGNAL) == n;
}

static void broker_main(struct fixture *f, int fd)
{
    struct session_desc d;
    struct broker b;
    struct qmp *q;
    sigset_t old;
    int sigfd, pidfd = pidfd_open(f->qemu, 0);

    close(f->qmp);
    describe(&d, f->id, f->qemu);
    oscope_error_free(session_desc_save(f->dir, &d));
    struct oscope_error *err = qmp_open_fd(fd, 2000, &q);
    if (!err)
        err = broker_signals(&sigfd, &old);
    if (!err)
        err = broker_open(&b, f->dir, &d, q, pidfd, sigfd, 0);
    if (err)
        _exit(2);
    enum broker_end end = broker_serve(&b);
    broker_close(&b);
    session_desc_free(&d);
    free(f->id);
    free(f->dir);
    _exit(end == BROKER_QEMU_ENDED ? 10 : 11);
}

static void begin_with(struct fixture *f, int engine)
{
    static const char greeting[] =
        "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 2, \"minor\": 0, \"major\": 10}}}}\r\n";
    char path[256];
    int pair[2];

    *f = (struct fixture){.running = true};
    assert_null(runtime_create(NULL, &f->id, &f->dir));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    f->qmp = pair[1];
    f->qemu = fork();
    if (!f->qemu) {
        close(pair[0]);
        close(pair[1]);
        pause(); /* it has the engine's file open */
        _exit(0);
    }
    f->broker = fork();
    if (!f->broker)
        broker_main(f, pair[0]);
    close(pair[0]);
    if (engine >= 0)
        close(engine);
    f->from = fdopen(f->qmp, "r");
    assert_int_equal(write(f->qmp, greeting, sizeof greeting - 1), sizeof greeting - 1);
    assert_true(play_qemu(f)); /* qmp_capabilities */
    snprintf(path, sizeof path, "%s/broker.sock", f->dir);
    for (int i = 0; i < 500 && access(path, F_OK) < 0; i++)
        usleep(10000);
}

static void begin(struct fixture *f)
{
    begin_with(f, -1);
}

/* With the memory that a probe engine would share; none is there. */
static void begin_with_engine(struct fixture *f)
{
    int fd;

    assert_null(control_create(1, WIRE_PAGE, 4, &fd));
    begin_with(f, fd);
}

static int end(struct fixture *f)
{
    int status = -1;

    for (int i = 0; i < 500 && waitpid(f->broker, &status, WNOHANG) == 0; i++)
        usleep(10000);
    if (status == -1)
        kill(f->broker, SIGKILL);
    kill(f->qemu, SIGKILL);
    waitpid(f->qemu, NULL, 0);
    fclose(f->from);
    runtime_remove(f->dir);
    free(f->id);
    free(f->dir);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Asks the broker in a process of its own while this one plays QEMU; true when it answered well. */
static pid_t ask(struct fixture *f, const char *op, int linger_fd)
{
    pid_t pid = fork();

    if (pid)
        return pid;
    struct broker_link link = {f->dir, -1};
    json_t *answer = NULL;
    char c;
    struct oscope_error *err = broker_call(&link, op, 3000, &answer);
    bool ok = !err;

    if (ok && !strcmp(op, "registers"))
        ok = strstr(json_string_value(json_object_get(answer, "text")), "CPU#0") != NULL;
    if (ok && linger_fd >= 0) /* holds the connection until told to end */
        ok = read(linger_fd, &c, 1) >= 0;
    _exit(ok ? 0 : 1);
}

static bool well(pid_t pid)
{
    int status;

    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status);
}

static void test_broker_answers(void **state)
{
    struct fixture f;

    begin(&f);
    assert_true(well(ask(&f, "hello", -1)));
    pid_t p = ask(&f, "status", -1);
    assert_true(play_qemu(&f));
    assert_true(well(p));
    p = ask(&f, "registers", -1);
    assert_true(play_qemu(&f));
    assert_true(play_qemu(&f));
    assert_true(well(p));
    assert_false(well(ask(&f, "quit", -1))); /* not a request, and it lives on */
    assert_false(well(ask(&f, "resume", -1)));
    assert_true(well(ask(&f, "detach", -1)));
    assert_int_equal(end(&f), 11);
    assert_int_equal(f.stops + f.conts, 0);
}

static void test_broker_ends_with_qemu(void **state)
{
    struct fixture f;

    begin(&f);
    kill(f.qemu, SIGKILL);
    assert_int_equal(end(&f), 10);
}

static void test_pause_is_counted_and_dies_with_its_client(void **state)
{
    struct fixture f;
    int hold[2];

    begin(&f);
    assert_int_equal(pipe2(hold, O_CLOEXEC), 0);
    pid_t a = ask(&f, "pause", hold[0]);
    assert_true(play_qemu(&f)); /* query-status */
    assert_true(play_qemu(&f)); /* stop */
    assert_false(f.running);
    usleep(100000);                 /* the answer is out, a sits in read() */
    pid_t b = ask(&f, "pause", -1); /* a second pause asks QEMU nothing, and ends at once */
    assert_true(well(b));
    assert_false(f.running);
    assert_int_equal(f.stops, 1);
    kill(a, SIGKILL); /* the last holder dies without a word */
    waitpid(a, NULL, 0);
    assert_true(play_qemu(&f)); /* cont */
    assert_true(f.running);
    assert_int_equal(f.conts, 1);

    /* a guest that the user stopped stays stopped */
    f.running = false;
    a = ask(&f, "pause", -1);
    assert_true(play_qemu(&f)); /* query-status */
    assert_true(well(a));
    assert_true(well(ask(&f, "detach", -1)));
    assert_int_equal(end(&f), 11);
    assert_int_equal(f.stops, 1);
    assert_int_equal(f.conts, 1);
    close(hold[0]);
    close(hold[1]);
}

static void test_broker_survives_bad_clients(void **state)
{
    struct fixture f;
    struct broker_link link;
    static const char *const bad[] = {"\n", "{}\n", "[1,2\n", "{\"op\": 7}\n"};
    enum { TOO_MUCH = 3 << 20 };
    char *big = malloc(TOO_MUCH);

    assert_non_null(big);
    begin(&f);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        link = (struct broker_link){f.dir, -1};
        assert_null(broker_call(&link, "hello", 3000, NULL));
        assert_int_equal(write(link.fd, bad[i], strlen(bad[i])), strlen(bad[i]));
        char answer[256];
        ssize_t n = recv(link.fd, answer, sizeof answer - 1, 0);
        assert_true(n > 0);
        answer[n] = '\0';
        assert_non_null(strstr(answer, "\"ok\":false"));
        broker_hang_up(&link);
    }
    link = (struct broker_link){f.dir, -1};
    assert_null(broker_call(&link, "hello", 3000, NULL));
    memset(big, 'x', TOO_MUCH); /* a line without end: dropped */
    for (ssize_t n = 0, sent = 0; sent >= 0 && n < TOO_MUCH; n += sent)
        sent = send(link.fd, big + n, (size_t)(TOO_MUCH - n), MSG_NOSIGNAL);
    free(big);
    assert_error(broker_call(&link, "hello", 3000, NULL), OSCOPE_E_GONE, "broker");
    broker_hang_up(&link);
    assert_true(well(ask(&f, "hello", -1)));
    kill(f.broker, SIGTERM);
    assert_int_equal(end(&f), 11);
}

static void test_no_broker(void **state)
{
    char *id, *dir;

    assert_null(runtime_create(NULL, &id, &dir));
    struct broker_link link = {dir, -1};
    struct oscope_error *err = broker_call(&link, "hello", 1000, NULL);
    assert_non_null(strstr(err->hint, "oscope attach"));
    assert_error(err, OSCOPE_E_GONE, "broker");
    runtime_remove(dir);
    free(id);
    free(dir);
}

/* ---- a reset of the guest ---- */

static bool qemu_is_asked(struct fixture *f, int ms)
{
    struct pollfd p = {.fd = f->qmp, .events = POLLIN};

    return poll(&p, 1, ms) > 0;
}

/* The guest is stopped and runs on, with the new set. */
static void expect_exchange(struct fixture *f)
{
    unsigned stops = f->stops;

    for (int i = 0; i < 3; i++) { /* query-status, stop, cont */
        assert_true(qemu_is_asked(f, 5000));
        assert_true(play_qemu(f));
    }
    assert_int_equal(f->stops, stops + 1);
    assert_true(f->running);
}

/* A set of a kernel's probe, one of none, and one where a vCPU goes idle. */
static json_t *three_probes(bool moves)
{
    struct probe_set s;

    probe_set_init(&s);
    probe_direct(&s, 0x1000, 0x1000, 0x7000);
    probe_of_os(&s, true);
    probe_exec(&s, "kernel", 0xffffffff80001000);
    probe_end(&s);
    probe_idle(&s, "idle");
    probe_end(&s);
    probe_of_os(&s, false);
    probe_exec(&s, "anywhere", 0x2000);
    probe_end(&s);
    s.moves = moves;
    assert_null(probe_set_finish(&s));
    json_t *set = probes_to_json(&s);
    probe_set_free(&s);
    return set;
}

/* Wants it as long as hold_fd stays open, in a process of its own; makes it stand if it has a name.
 */
static pid_t want(struct fixture *f, json_t *set, uint64_t resets, const char *name, int hold_fd)
{
    json_t *request = json_pack("{s:s,s:o,s:I,s:s*}", "op", name ? "enable" : "subscribe", "set",
                                set, "resets", (json_int_t)resets, "name", name);
    pid_t pid = fork();

    assert_non_null(request);
    if (!pid) {
        struct broker_link link = {f->dir, -1};
        json_t *answer = NULL;
        char c;
        struct oscope_error *err = broker_request(&link, request, 5000, &answer);
        _exit(err || read(hold_fd, &c, 1) < 0);
    }
    json_decref(request);
    expect_exchange(f);
    return pid;
}

/* Names of what is wished for, in order. */
static void expect_probes(struct fixture *f, const char *expect)
{
    struct broker_link link = {f->dir, -1};
    json_t *answer, *probe;
    char names[256] = "";
    size_t i;

    assert_null(broker_call(&link, "probes", 5000, &answer));
    json_array_foreach(json_object_get(answer, "probes"), i, probe)
    {
        strcat(names, json_string_value(json_object_get(probe, "name")));
        strcat(names, " ");
    }
    assert_string_equal(names, expect);
    json_decref(answer);
    broker_hang_up(&link);
}

static void reset(struct fixture *f)
{
    static const char event[] = "{\"event\": \"RESET\", \"data\": {\"guest\": true, \"reason\": "
                                "\"guest-reset\"}, \"timestamp\": {\"seconds\": 1, "
                                "\"microseconds\": 2}}\r\n";

    assert_int_equal(send(f->qmp, event, sizeof event - 1, MSG_NOSIGNAL), sizeof event - 1);
}

/* A client dies, and what it wanted goes. */
static void leave(struct fixture *f, pid_t client)
{
    kill(client, SIGKILL);
    waitpid(client, NULL, 0);
    expect_exchange(f);
}

static void finish(struct fixture *f, pid_t client)
{
    leave(f, client);
    expect_probes(f, "");
    assert_true(well(ask(f, "detach", -1)));
    assert_int_equal(end(f), 11);
}

/* A kernel that may lie elsewhere: its probes go at once, the others stay; and come if they were
 * written since. */
static void test_a_reset_withdraws_what_moves(void **state)
{
    struct fixture f;
    int hold[2];

    begin_with_engine(&f);
    assert_int_equal(pipe2(hold, O_CLOEXEC), 0);
    pid_t a = want(&f, three_probes(true), 0, NULL, hold[0]);
    expect_probes(&f, "kernel idle anywhere ");
    reset(&f);
    expect_exchange(&f);
    expect_probes(&f, "idle anywhere ");
    reset(&f); /* there is nothing left to be withdrawn */
    assert_false(qemu_is_asked(&f, 300));
    pid_t b = want(&f, three_probes(true), 1, NULL, hold[0]); /* written before that */
    expect_probes(&f, "idle anywhere ");
    leave(&f, b);
    b = want(&f, three_probes(true), 2, NULL, hold[0]);
    expect_probes(&f, "idle anywhere kernel ");
    leave(&f, b);
    finish(&f, a);
    close(hold[0]);
    close(hold[1]);
}

/* One that lies where it was linked to is followed by itself. */
static void test_a_reset_leaves_what_does_not_move(void **state)
{
    struct fixture f;
    int hold[2];

    begin_with_engine(&f);
    assert_int_equal(pipe2(hold, O_CLOEXEC), 0);
    pid_t a = want(&f, three_probes(false), 0, NULL, hold[0]);
    reset(&f);
    assert_false(qemu_is_asked(&f, 300));
    expect_probes(&f, "kernel idle anywhere ");
    pid_t b = want(&f, three_probes(false), 0, NULL, hold[0]);
    expect_probes(&f, "kernel idle anywhere ");
    leave(&f, b);
    finish(&f, a);
    close(hold[0]);
    close(hold[1]);
}

/* What stands and is of a kernel goes as a whole, wherever that lies; what is of none stays. */
static void test_a_reset_removes_what_stands(void **state)
{
    struct probe_set none;
    struct fixture f;
    int hold[2];

    begin_with_engine(&f);
    assert_int_equal(pipe2(hold, O_CLOEXEC), 0);
    close(hold[1]); /* nobody need wait */
    assert_true(well(want(&f, three_probes(false), 0, "kernels", hold[0])));
    probe_set_init(&none);
    probe_exec(&none, "firmware", 0x80000000);
    probe_end(&none);
    assert_true(well(want(&f, probes_to_json(&none), 0, "none", hold[0])));
    probe_set_free(&none);
    expect_probes(&f, "kernel idle anywhere firmware ");
    reset(&f);
    expect_exchange(&f);
    expect_probes(&f, "firmware ");
    assert_true(well(ask(&f, "detach", -1)));
    assert_int_equal(end(&f), 11);
    close(hold[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_broker_answers),
        cmocka_unit_test(test_broker_ends_with_qemu),
        cmocka_unit_test(test_pause_is_counted_and_dies_with_its_client),
        cmocka_unit_test(test_broker_survives_bad_clients),
        cmocka_unit_test(test_no_broker),
        cmocka_unit_test(test_a_reset_withdraws_what_moves),
        cmocka_unit_test(test_a_reset_leaves_what_does_not_move),
        cmocka_unit_test(test_a_reset_removes_what_stands),
    };
    return cmocka_run_group_tests_name("broker", tests, make_root, remove_root);
}
