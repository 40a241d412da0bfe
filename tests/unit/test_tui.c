/* SPDX-License-Identifier: MIT */
/*
 * tui/: no sequence of keys and sizes ends the screen, but the keys that do; and it is left with
 * the terminal as it was. On a recording with hostile texts and losses, on several terminals.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

#include "export_fixture.h"
#include "tui/tui.h"

enum { KEYS = 400, PATIENCE_MS = 60000 };

struct terminal {
    pid_t child;
    int fd;
    uint32_t seed;
    char last[4096]; /* the end of what came */
    size_t n;
};

static void run(const struct export_fixture *x, const char *term, const char *locale, bool colors)
{
    struct oscope_open_options open = {0};

    setenv("TERM", term, 1);
    setenv("LC_ALL", locale, 1);
    if (chdir(x->top) < 0) /* `w` writes files */
        exit(1);
    struct oscope_error *err =
        tui_run(&(struct tui_options){.open = &open, .dir = x->dir, .name = "x", .colors = colors});
    int status = err != NULL;
    oscope_error_free(err);
    exit(status);
}

static void start(struct terminal *t, const struct export_fixture *x, const char *term,
                  const char *locale, bool colors)
{
    struct winsize size = {.ws_row = 24, .ws_col = 80};

    *t = (struct terminal){.seed = 1};
    t->child = forkpty(&t->fd, NULL, NULL, &size);
    assert_true(t->child >= 0);
    if (!t->child)
        run(x, term, locale, colors);
}

/* Reads what comes within ms; false: the other side is closed. */
static bool drain(struct terminal *t, int ms)
{
    struct pollfd p = {.fd = t->fd, .events = POLLIN};
    char buf[4096];

    while (poll(&p, 1, ms) > 0) {
        ssize_t n = read(t->fd, buf, sizeof buf);
        if (n <= 0)
            return false;
        size_t keep = MIN((size_t)n, sizeof t->last / 2), old = MIN(t->n, sizeof t->last / 2);
        memmove(t->last, t->last + t->n - old, old);
        memcpy(t->last + old, buf + n - keep, keep);
        t->n = old + keep;
        ms = 0;
    }
    return true;
}

static void press(struct terminal *t, const char *keys)
{
    assert_int_equal(write(t->fd, keys, strlen(keys)), (ssize_t)strlen(keys));
}

static uint32_t any(struct terminal *t, uint32_t below)
{
    t->seed = t->seed * 1664525 + 1013904223;
    return (t->seed >> 8) % below;
}

static void resize(struct terminal *t)
{
    static const unsigned short sizes[][2] = {{24, 80}, {1, 1},   {5, 20}, {50, 200},
                                              {10, 40}, {2, 300}, {100, 8}};
    size_t i = any(t, ARRAY_SIZE(sizes));

    ioctl(t->fd, TIOCSWINSZ, &(struct winsize){.ws_row = sizes[i][0], .ws_col = sizes[i][1]});
}

/* Not those that end it. */
static void press_any(struct terminal *t)
{
    static const char *const words[] = {
        "\033[A",  "\033[B",   "\033[C",   "\033[D",   "\033OA",  "\033OB",    "\033[5~",
        "\033[6~", "\033[H",   "\033[F",   "\033[Z",   "\033OP",  "\033OQ",    "\033OR",
        "\033OS",  "\033[15~", "\033[17~", "\033[18~", "\033[3~", "\033[M !!", "\033[M 0%",
        "\r",      "\t",       "\033",     "\177",     "\014",    "\033[M `%", "\033[Ma0%",
        "comm~a",  "pid>1",    "\xc3\xa9", "\xff",     "\025",    "\033[200~", "99999999999",
    };
    char letter[2] = {(char)(' ' + any(t, 95)), '\0'};

    if (*letter == 'q')
        return;
    if (any(t, 12) == 0)
        resize(t);
    else
        press(t, any(t, 3) ? letter : words[any(t, ARRAY_SIZE(words))]);
}

/* Its exit status; -1: a signal ended it. */
static int leave(struct terminal *t)
{
    uint64_t began = clock_ns(), next = began;
    bool escape = true;
    int status;

    while (clock_ns() - began < PATIENCE_MS * UINT64_C(1000000)) {
        pid_t gone = waitpid(t->child, &status, WNOHANG);
        assert_true(gone >= 0);
        if (gone) {
            close(t->fd);
            return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        }
        if (clock_ns() >= next) { /* out of a prompt, or a page, and then for good */
            ssize_t ignored = write(t->fd, escape ? "\033" : "q", 1);
            (void)ignored;
            escape = !escape;
            next = clock_ns() + 200 * UINT64_C(1000000);
        }
        if (!drain(t, 20))
            nanosleep(&(struct timespec){0, 5000000}, NULL); /* its end has closed */
    }
    kill(t->child, SIGKILL);
    waitpid(t->child, &status, 0);
    fail_msg("it does not end: %.*s", (int)t->n, t->last);
    return -1;
}

static void check(struct export_fixture *x, const char *term, const char *locale, bool colors,
                  uint32_t seed)
{
    struct terminal t;

    start(&t, x, term, locale, colors);
    t.seed = seed;
    for (uint64_t began = clock_ns(); !t.n;) {
        assert_true(clock_ns() - began < PATIENCE_MS * UINT64_C(1000000));
        drain(&t, 50);
    }
    for (int i = 0; i < KEYS; i++) {
        press_any(&t);
        if (i % 8 == 0 && !drain(&t, 10))
            fail_msg("%s %s seed %u: it ended at key %d: %.*s", term, locale, seed, i, (int)t.n,
                     t.last);
    }
    int status = leave(&t);
    if (status)
        fail_msg("%s %s seed %u: status %d: %.*s", term, locale, seed, status, (int)t.n, t.last);
}

static void test_keys_of_all_kinds(void **state)
{
    struct export_fixture *x = *state;

    fixture_record(x, 20000, true);
    check(x, "xterm-256color", "C.UTF-8", true, 1);
    check(x, "xterm", "C.UTF-8", true, 2);
    check(x, "xterm-256color", "C", true, 3);
    check(x, "vt100", "C", true, 4);
    check(x, "xterm-256color", "C.UTF-8", false, 5);
}

static void test_a_recording_of_nothing(void **state)
{
    struct export_fixture *x = *state;

    fixture_record(x, 0, false);
    check(x, "xterm-256color", "C.UTF-8", true, 6);
}

static void test_no_terminal(void **state)
{
    struct oscope_open_options open = {0};
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (!child) {
        int null = openat(AT_FDCWD, "/dev/null", O_RDWR);
        dup2(null, 0);
        struct oscope_error *err = tui_run(&(struct tui_options){.open = &open, .name = "x"});
        _exit(err && err->code == OSCOPE_E_USAGE ? 7 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_keys_of_all_kinds, export_setup, export_teardown),
        cmocka_unit_test_setup_teardown(test_a_recording_of_nothing, export_setup, export_teardown),
        cmocka_unit_test(test_no_terminal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
