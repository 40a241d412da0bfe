/* SPDX-License-Identifier: MIT */
/* The QMP client against scripted servers: what each would say is in the socket beforehand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <sys/socket.h>

#include "base/util.h"
#include "expect_error.h"
#include "target/qmp.h"

#define GREETING                                                                                   \
    "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 2, \"minor\": 0, \"major\": 10}, "             \
    "\"package\": \"\"}, \"capabilities\": [\"oob\"]}}\r\n"
#define AGREED "{\"return\": {}, \"id\": 1}\r\n"

struct script {
    int fd; /* the server's end */
    struct qmp *q;
};

static struct oscope_error *begin(struct script *s, const char *text)
{
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    s->fd = pair[1];
    s->q = NULL;
    assert_int_equal(write(pair[1], text, strlen(text)), strlen(text));
    return qmp_open_fd(pair[0], 100, &s->q);
}

static void say(struct script *s, const char *text)
{
    assert_int_equal(write(s->fd, text, strlen(text)), strlen(text));
}

/* All that the client sent; terminated. */
static const char *heard(struct script *s)
{
    static char buf[4096];
    ssize_t n = recv(s->fd, buf, sizeof buf - 1, MSG_DONTWAIT);

    buf[n > 0 ? n : 0] = '\0';
    return buf;
}

static void end(struct script *s)
{
    qmp_close(s->q);
    close(s->fd);
}

static void test_negotiates(void **state)
{
    struct script s;

    assert_null(begin(&s, GREETING AGREED));
    assert_string_equal(qmp_version(s.q), "10.0.2");
    assert_int_equal(qmp_peer_pid(s.q), getpid());
    assert_string_equal(heard(&s), "{\"execute\":\"qmp_capabilities\",\"id\":1}\n");
    end(&s);
}

static void test_no_greeting_means_busy(void **state)
{
    struct script s;

    assert_error(begin(&s, ""), OSCOPE_E_BUSY, "another client holds this QMP socket");
    close(s.fd);
}

static void test_not_qmp(void **state)
{
    static const char *const texts[] = {"login: \r\n", "{\"hello\": 1}\r\n", "[1]\n", "{]\n"};
    struct script s;

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        assert_error(begin(&s, texts[i]), OSCOPE_E_BAD_DATA, "does not speak QMP");
        close(s.fd);
    }
}

static void test_answers_and_events_mix(void **state)
{
    struct script s;
    json_t *ret;

    assert_null(begin(&s, GREETING "{\"event\": \"RESET\", \"data\": {}}\r\n" AGREED));
    say(&s, "{\"timestamp\": {}, \"event\": \"STOP\"}\r\n"
            "{\"return\": \"late\", \"id\": 1}\r\n" /* of a command that timed out */
            "{\"return\": {\"running\": true}, \"id\": 2}\r\n"
            "{\"event\": \"RESUME\"}\r\n{\"event\": \"SHUT");
    assert_null(qmp_query(s.q, "query-status", &ret));
    assert_true(json_is_true(json_object_get(ret, "running")));
    json_decref(ret);
    assert_int_equal(qmp_events(s.q)->reset, 1);
    assert_int_equal(qmp_events(s.q)->stop, 1);
    assert_null(qmp_drain(s.q));
    assert_int_equal(qmp_events(s.q)->resume, 1);
    say(&s, "DOWN\"}\r\n{\"event\": \"RTC_CHANGE\"}\r\n");
    assert_null(qmp_drain(s.q));
    assert_int_equal(qmp_events(s.q)->shutdown, 1);
    shutdown(s.fd, SHUT_WR);
    assert_error(qmp_drain(s.q), OSCOPE_E_GONE, "closed");
    end(&s);
}

static void test_refusal_and_hmp(void **state)
{
    struct script s;
    char *text;

    assert_null(begin(&s, GREETING AGREED));
    heard(&s);
    say(&s, "{\"id\": 2, \"error\": {\"class\": \"GenericError\", \"desc\": \"not now\"}}\r\n");
    assert_error(qmp_query(s.q, "query-name", NULL), OSCOPE_E_UNSUPPORTED, "not now");
    heard(&s);
    say(&s, "{\"return\": \"CPU#0\\r\\n\", \"id\": 3}\r\n");
    assert_null(qmp_hmp(s.q, "info registers -a", &text));
    assert_string_equal(text, "CPU#0\r\n");
    free(text);
    assert_non_null(strstr(heard(&s), "\"command-line\":\"info registers -a\""));
    close(s.fd);
    s.fd = -1;
    assert_error(qmp_query(s.q, "query-name", NULL), OSCOPE_E_GONE, "closed");
    qmp_close(s.q);
}

/* Nothing that writes leaves this client. */
static void test_only_reading_commands(void **state)
{
    static const char *const writing[] = {
        "quit",
        "stop",
        "cont",
        "system_reset",
        "system_powerdown",
        "migrate",
        "memsave",
        "pmemsave",
        "device_add",
        "qom-set",
        "human-monitor-command",
        "query-status ",
        "",
        "dump-guest-memory",
        "input-send-event",
        "set_link",
        "QUERY-STATUS",
    };
    static const char *const writing_lines[] = {
        "quit",
        "info registers",
        "info registers -a; quit",
        "info registers -a\nquit",
        "x/1 0",
        "gpa2hva",
        "gpa2hva 0x",
        "gpa2hva 0x10 x",
        "gpa2hva 10",
        "gpa2hva 0x10\nquit",
        "gpa2hva 0x11112222333344445",
        "xp 0x1",
        "",
        "stop",
        "o /b 0x80 1",
    };
    struct script s;
    char *text;

    assert_null(begin(&s, GREETING AGREED));
    heard(&s);
    for (size_t i = 0; i < ARRAY_SIZE(writing); i++) {
        assert_false(qmp_allowed(writing[i]));
        assert_error(qmp_query(s.q, writing[i], NULL), OSCOPE_E_UNSUPPORTED, "not on the list");
    }
    for (size_t i = 0; i < ARRAY_SIZE(writing_lines); i++)
        assert_error(qmp_hmp(s.q, writing_lines[i], &text), OSCOPE_E_UNSUPPORTED,
                     "not on the list");
    assert_string_equal(heard(&s), "");
    assert_true(qmp_allowed("query-status"));
    assert_true(qmp_hmp_allowed("info mtree -f"));
    assert_true(qmp_hmp_allowed("gpa2hva 0xffffffff80000000"));

    say(&s, "{\"return\": {}, \"id\": 2}\r\n{\"return\": {}, \"id\": 3}\r\n");
    assert_null(qmp_set_running(s.q, false));
    assert_string_equal(heard(&s), "{\"execute\":\"stop\",\"id\":2}\n");
    assert_null(qmp_set_running(s.q, true));
    assert_string_equal(heard(&s), "{\"execute\":\"cont\",\"id\":3}\n");
    end(&s);
}

static void note_begin(void *ctx)
{
    strcat(ctx, "(");
}

static void note_end(void *ctx)
{
    strcat(ctx, ")");
}

static void test_around(void **state)
{
    struct script s;
    char noted[16] = "", *text;
    bool known, on;

    assert_null(begin(&s, GREETING AGREED));
    qmp_set_around(s.q, &(struct qmp_around){note_begin, note_end, noted});
    say(&s, "{\"return\": {}, \"id\": 2}\r\n{\"return\": \"\", \"id\": 3}\r\n"
            "{\"return\": [], \"id\": 4}\r\n{\"return\": {}, \"id\": 5}\r\n");
    assert_null(qmp_query(s.q, "query-status", NULL));
    assert_string_equal(noted, "()");
    assert_null(qmp_hmp(s.q, "info mtree -f", &text));
    free(text);
    assert_null(qmp_trace_get(s.q, "serial_read", &known, &on));
    assert_string_equal(noted, "()()()");
    assert_null(qmp_set_running(s.q, false));
    assert_string_equal(noted, "()()()");
    qmp_set_timeout(s.q, 10);
    assert_error(qmp_query(s.q, "query-status", NULL), OSCOPE_E_TIMEOUT, "query-status");
    assert_string_equal(noted, "()()()()");
    end(&s);
}

/* Trace points: only what can be one name, or one path, is ever sent. */
static void test_trace_points(void **state)
{
    static const char *const points[] = {"", "*", "memory_*", "a b", "a,b", "Serial_read", "a\n"};
    static const char *const paths[] = {"",         "/tmp/a b",     "/tmp/%d",
                                        "/tmp/\"a", "/tmp/a\nquit", "a;b"};
    struct script s;
    bool known, on;

    assert_null(begin(&s, GREETING AGREED));
    heard(&s);
    for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
        assert_error(qmp_trace_set(s.q, points[i], true), OSCOPE_E_USAGE, "trace point");
        assert_error(qmp_trace_get(s.q, points[i], &known, &on), OSCOPE_E_USAGE, "trace point");
    }
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        assert_error(qmp_log_file(s.q, paths[i]), OSCOPE_E_USAGE, "can't be told");
    assert_string_equal(heard(&s), "");
    assert_false(qmp_allowed("trace-event-set-state"));
    assert_false(qmp_hmp_allowed("logfile /tmp/x"));

    say(&s, "{\"return\": [{\"name\": \"a_1\", \"state\": \"enabled\"}], \"id\": 2}\r\n"
            "{\"error\": {\"desc\": \"unknown event\"}, \"id\": 3}\r\n"
            "{\"return\": {}, \"id\": 4}\r\n"
            "{\"return\": \"\", \"id\": 5}\r\n"
            "{\"return\": \"Error opening logfile /x: No such file\\r\\n\", \"id\": 6}\r\n");
    assert_null(qmp_trace_get(s.q, "a_1", &known, &on));
    assert_true(known && on);
    assert_null(qmp_trace_get(s.q, "b", &known, &on));
    assert_false(known || on);
    assert_null(qmp_trace_set(s.q, "a_1", false));
    assert_null(qmp_log_file(s.q, "/run/x-1.log"));
    assert_error(qmp_log_file(s.q, "/x"), OSCOPE_E_IO, "No such file");
    assert_non_null(strstr(heard(&s), "\"command-line\":\"logfile /run/x-1.log\""));
    end(&s);
}

static void test_long_answer(void **state)
{
    struct script s;
    enum { N = 100000 }; /* several reads, and longer than the first buffer */
    AUTO_FREE char *big = malloc(N + 64);
    char *text;

    assert_null(begin(&s, GREETING AGREED));
    int n = sprintf(big, "{\"id\": 2, \"return\": \"");
    memset(big + n, 'x', N);
    strcpy(big + n + N, "\"}\r\n");
    say(&s, big);
    assert_null(qmp_hmp(s.q, "info mtree -f", &text));
    assert_int_equal(strlen(text), N);
    free(text);
    end(&s);
}

static void test_connect_errors(void **state)
{
    struct qmp *q;
    char path[200];

    assert_error(qmp_connect("/nonexistent/qmp.sock", 100, &q), OSCOPE_E_NOT_FOUND,
                 "/nonexistent/qmp.sock");
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_error(qmp_connect(path, 100, &q), OSCOPE_E_USAGE, "too long");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_negotiates),      cmocka_unit_test(test_no_greeting_means_busy),
        cmocka_unit_test(test_not_qmp),         cmocka_unit_test(test_answers_and_events_mix),
        cmocka_unit_test(test_refusal_and_hmp), cmocka_unit_test(test_only_reading_commands),
        cmocka_unit_test(test_trace_points),    cmocka_unit_test(test_long_answer),
        cmocka_unit_test(test_connect_errors),  cmocka_unit_test(test_around),
    };
    return cmocka_run_group_tests_name("qmp", tests, NULL, NULL);
}
