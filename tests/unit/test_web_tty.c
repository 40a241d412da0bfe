/* SPDX-License-Identifier: MIT */
/* A guest's console for pages: what each is told, and typing into a socket that this test serves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "web/assets.h"
#include "web/tty.h"

#include "base/util.h"
#include "draw/out.h"

#include <jansson.h>
#include <oscope/devices.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

const struct asset assets[] = {{0}};

/* A console whose guest is this test, behind a socket. */
struct fixture {
    char dir[40];
    struct sockaddr_un addr;
    int server, wake, fd;
    struct oscope_open_options open;
    struct oscope_serial_port port;
    struct oscope_table ports;
    struct tty *tty;
};

static void begin(struct fixture *f)
{
    *f = (struct fixture){.addr.sun_family = AF_UNIX, .fd = -1};
    strcpy(f->dir, "/tmp/oscope-tty-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->addr.sun_path, sizeof f->addr.sun_path, "%s/s", f->dir);
    f->server = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(f->server, (struct sockaddr *)&f->addr, sizeof f->addr), 0);
    assert_int_equal(listen(f->server, 1), 0);
    f->wake = eventfd(0, 0);
    f->port.kind = "socket";
    f->port.free = true;
    str_copy(f->port.path, sizeof f->port.path, f->addr.sun_path);
    f->ports = (struct oscope_table){.rows = &f->port, .nrows = 1, .row_size = sizeof f->port};
    assert_null(tty_open(&f->open, NULL, f->wake, &f->tty));
}

static void end(struct fixture *f)
{
    tty_close(f->tty);
    close(f->fd);
    close(f->server);
    close(f->wake);
    unlink(f->addr.sun_path);
    rmdir(f->dir);
}

/* The page's next message; NULL: there is none. */
static json_t *next(struct fixture *f, struct tty_seat *seat)
{
    json_error_t error;
    struct out o;

    out_init(&o, -1);
    json_t *j = NULL;
    if (tty_next(f->tty, seat, "g", &o)) {
        j = json_loadb(o.buf, o.len, JSON_ALLOW_NUL, &error);
        if (!j)
            fail_msg("%s: %.*s", error.text, (int)o.len, o.buf);
        assert_string_equal(json_string_value(json_object_get(j, "guest")), "g");
    }
    out_free(&o);
    return j;
}

static void expect_typing(struct fixture *f, struct tty_seat *seat, bool on, const char *why)
{
    json_t *j = next(f, seat);

    assert_string_equal(json_string_value(json_object_get(j, "op")), "typing");
    assert_int_equal(json_is_true(json_object_get(j, "on")), on);
    assert_non_null(strstr(json_string_value(json_object_get(j, "why")), why));
    json_decref(j);
}

/* Waits until n bytes that the guest sent have come, and gives what the page is told of them. */
static char *told(struct fixture *f, struct tty_seat *seat, size_t n, bool again)
{
    struct out all;
    size_t have = 0;
    bool began = false;

    out_init(&all, -1);
    while (have < n) { /* the test's own limit ends it */
        json_t *j = next(f, seat);
        if (!j) {
            poll(NULL, 0, 1);
            continue;
        }
        const json_t *text = json_object_get(j, "text");
        began = began || json_is_true(json_object_get(j, "again"));
        out_mem(&all, json_string_value(text), json_string_length(text));
        for (size_t i = 0; i < json_string_length(text); i++) /* characters, not bytes of UTF-8 */
            have += ((unsigned char)json_string_value(text)[i] & 0xc0) != 0x80;
        json_decref(j);
    }
    assert_int_equal(began, again);
    out_char(&all, '\0');
    assert_int_equal(all.error, 0);
    return all.buf;
}

static void test_typing(void **state)
{
    struct tty_seat seat = {.on = true}, other = {.on = true}, silent = {.on = false};
    struct fixture f;
    char got[16];

    begin(&f);
    tty_keys(f.tty, &seat, "x", 1); /* it does not type: nobody connects */
    tty_type(f.tty, &seat, true, NULL);
    expect_typing(&f, &seat, false, "not known yet");
    tty_type(f.tty, &seat, true, &(struct oscope_table){.rows = &f.port});
    expect_typing(&f, &seat, false, "no serial port is free");
    tty_type(f.tty, &silent, true, &f.ports); /* it does not even look */
    assert_false(silent.types);

    tty_type(f.tty, &seat, true, &f.ports);
    expect_typing(&f, &seat, true, "");
    f.fd = accept(f.server, NULL, NULL);
    tty_keys(f.tty, &other, "bad", 3); /* another page's */
    tty_keys(f.tty, &seat, "ls\r", 3);
    assert_int_equal(recv(f.fd, got, 3, MSG_WAITALL), 3);
    assert_memory_equal(got, "ls\r", 3);

    assert_int_equal(write(f.fd, "\"a\\\033[m\n\0\x7f\xc3\xa4\xff", 12), 12);
    AUTO_FREE char *text = told(&f, &seat, 12, true);
    assert_memory_equal(text, "\"a\\\033[m\n", 8);
    AUTO_FREE char *same = told(&f, &other, 12, true); /* each page gets all */
    assert_string_equal(same, text);
    assert_true(tty_poll(f.tty));
    assert_false(tty_poll(f.tty));
    assert_null(next(&f, &seat));

    /* both type; when the last one leaves, the connection ends */
    tty_type(f.tty, &other, true, NULL);
    expect_typing(&f, &other, true, "");
    tty_leave(f.tty, &seat);
    assert_false(seat.on || seat.types);
    tty_keys(f.tty, &other, "o", 1);
    assert_int_equal(recv(f.fd, got, 1, MSG_WAITALL), 1);
    tty_type(f.tty, &other, false, NULL);
    expect_typing(&f, &other, false, "");
    assert_int_equal(recv(f.fd, got, 1, 0), 0);
    end(&f);
}

static void test_the_other_end_goes(void **state)
{
    struct tty_seat seat = {.on = true};
    struct fixture f;
    uint64_t n;

    begin(&f);
    tty_type(f.tty, &seat, true, &f.ports);
    expect_typing(&f, &seat, true, "");
    json_decref(next(&f, &seat)); /* an empty screen */
    f.fd = accept(f.server, NULL, NULL);
    close(f.fd);
    f.fd = -1;
    assert_int_equal(read(f.wake, &n, sizeof n), sizeof n);
    expect_typing(&f, &seat, false, "closed the connection");
    assert_false(seat.types);
    end(&f);
}

/* Who reads late gets what is still kept, and is told to begin anew. */
static void test_a_slow_page(void **state)
{
    struct tty_seat seat = {.on = true};
    struct fixture f;
    size_t much = 3 * TTY_KEPT;
    AUTO_FREE char *bytes = malloc(much);

    begin(&f);
    tty_type(f.tty, &seat, true, &f.ports);
    expect_typing(&f, &seat, true, "");
    f.fd = accept(f.server, NULL, NULL);
    assert_int_equal(write(f.fd, "first", 5), 5);
    free(told(&f, &seat, 5, true));
    for (size_t i = 0; i < much; i++)
        bytes[i] = (char)('a' + i % 26);
    for (size_t at = 0; at < much;) {
        ssize_t some = write(f.fd, bytes + at, much - at);
        assert_true(some > 0);
        at += (size_t)some;
    }
    for (struct tty_seat late = {.on = true};; late = (struct tty_seat){.on = true}) {
        AUTO_FREE char *text = told(&f, &late, 1, true); /* until all of it has come */
        if (late.at + TTY_KEPT - strlen(text) == 5 + much)
            break;
    }
    AUTO_FREE char *text = told(&f, &seat, TTY_KEPT, true);
    assert_int_equal(strlen(text), TTY_KEPT);
    assert_memory_equal(text, bytes + much - TTY_KEPT, TTY_KEPT);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_typing),
        cmocka_unit_test(test_the_other_end_goes),
        cmocka_unit_test(test_a_slow_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
