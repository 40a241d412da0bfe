/* SPDX-License-Identifier: MIT */
/* session/serial: what QEMU 10.0 answers to query-chardev for each kind of -serial. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "session/devices.h"

static void test_which_are_serial_ports(void **state)
{
    static const char words[] = "qemu-system-riscv64\0-chardev\0socket,id=foo,path=/x\0-serial\0"
                                "chardev:foo\0-device\0virtserialport,chardev=agent";

    assert_true(serial_is_port(words, sizeof words, "serial0"));
    assert_true(serial_is_port(words, sizeof words, "serial11"));
    assert_true(serial_is_port(words, sizeof words, "foo"));
    assert_false(serial_is_port(words, sizeof words, "agent"));
    assert_false(serial_is_port(words, sizeof words, "serial0-base"));
    assert_false(serial_is_port(words, sizeof words, "serial"));
    assert_false(serial_is_port(words, sizeof words, "parallel0"));
    assert_true(serial_is_port(NULL, 0, "serial0"));
    assert_false(serial_is_port(NULL, 0, "foo"));
}

static void check(const char *file, const char *kind, const char *path, bool is_free)
{
    struct oscope_serial_port p = {0};

    serial_look(&p, file, getpid());
    assert_string_equal(p.kind, kind);
    assert_string_equal(p.path, path);
    assert_int_equal(p.free, is_free);
    assert_int_equal(p.why == NULL, is_free);
}

static void test_where_they_go(void **state)
{
    char relative[64];

    check("stdio", "terminal", "", false);
    check("mux", "shared", "", false);
    check("vc", "window", "", false);
    check("null", "nothing", "", false);
    check("file", "file", "", false);
    check("disconnected:tcp:127.0.0.1:45999,server=on", "TCP socket", "", false);
    check("disconnected:telnet:127.0.0.1:1,server=on", "telnet", "", false);
    check("something-new", "other", "", false);
    check("", "other", "", false);
    check("disconnected:unix:/tmp/s.sock,server=on", "socket", "/tmp/s.sock", true);
    check("unix:/tmp/s.sock,server=on", "socket", "/tmp/s.sock", false);
    check("disconnected:unix:/tmp/s.sock", "socket", "/tmp/s.sock", false); /* it is the client */
    snprintf(relative, sizeof relative, "/proc/%d/cwd/s.sock", (int)getpid());
    check("disconnected:unix:s.sock,server=on", "socket", relative, true);
}

/* A terminal that somebody has open is not free. */
static void test_ptys(void **state)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    char path[64], file[80];

    if (master < 0 || grantpt(master) || unlockpt(master) || ptsname_r(master, path, sizeof path))
        skip();
    snprintf(file, sizeof file, "pty:%s", path);
    check(file, "pty", path, true);
    struct oscope_serial_port p = {0};
    int slave = open(path, O_RDWR | O_NOCTTY), go[2], ready[2];
    if (pipe(go) || pipe(ready))
        abort();
    pid_t other = fork();
    if (!other) { /* has it open, as a terminal program would */
        char c = write(ready[1], "x", 1) == 1 ? 0 : 1;
        close(go[1]);
        _exit(read(go[0], &c, 1) > 0);
    }
    close(slave);
    char c;
    assert_int_equal(read(ready[0], &c, 1), 1);
    serial_look(&p, file, 1);
    assert_false(p.free);
    assert_non_null(strstr(p.why, "another program"));
    close(go[1]); /* it ends */
    close(go[0]);
    close(ready[0]);
    close(ready[1]);
    close(master);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_which_are_serial_ports),
        cmocka_unit_test(test_where_they_go),
        cmocka_unit_test(test_ptys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
