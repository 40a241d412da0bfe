/* SPDX-License-Identifier: MIT */
/* tui/terminal: the guest's console as a screen; hostile bytes stay in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <curses.h>
#include <locale.h>
#include <stdio.h>

#include "fake_screen.h"
#include "tui/terminal.h"

static const struct area all = {0, 0, TERMINAL_ROWS, TERMINAL_COLUMNS};

static void say(struct terminal *t, const char *text)
{
    terminal_write(t, text, strlen(text));
}

static void check_row(const struct terminal *t, int y, const char *want)
{
    char text[TERMINAL_COLUMNS * 4 + 8];

    terminal_text(t, y, text, sizeof text);
    assert_string_equal(text, want);
}

static void check_taken(struct terminal *t, const char *want)
{
    char bytes[64];
    size_t n = terminal_take(t, bytes, sizeof bytes);

    assert_int_equal(n, strlen(want));
    assert_memory_equal(bytes, want, n);
}

static void test_text_stands_where_it_was_put(void **state)
{
    struct terminal *t = terminal_new();

    say(t, "one\r\ntwo \033[31mred\033[m\r\n\033[5;10Hhere");
    check_row(t, 0, "one");
    check_row(t, 1, "two red");
    check_row(t, 4, "         here");
    say(t, "\033[2J");
    check_row(t, 1, "");
    terminal_free(t);
}

/* Bytes come one by one: a character of several is whole again. */
static void test_characters_in_pieces(void **state)
{
    struct terminal *t = terminal_new();
    const char text[] = "a\xc3\xa9\xe2\x94\x80\xf0\x9f\x98\x80z";

    for (const char *p = text; *p; p++)
        terminal_write(t, p, 1);
    check_row(t, 0, text);
    terminal_free(t);
}

static void test_lines_that_leave_are_kept(void **state)
{
    struct terminal *t = terminal_new();
    struct screen *s = fake_screen(0, true);
    char line[32];
    int back = 0;

    for (int i = 0; i < 100; i++) {
        snprintf(line, sizeof line, "line %d\r\n", i);
        say(t, line);
    }
    check_row(t, 0, "line 77");
    check_row(t, -1, "line 76");
    check_row(t, -77, "line 0");
    terminal_draw(s, all, t, &back, false);
    assert_string_equal(fake_row(s, 0), "line 77");
    back = 10;
    terminal_draw(s, all, t, &back, false);
    assert_int_equal(back, 10);
    assert_string_equal(fake_row(s, 0), "line 67");
    back = 100000; /* to the beginning, no further */
    terminal_draw(s, all, t, &back, false);
    assert_int_equal(back, 77);
    assert_string_equal(fake_row(s, 0), "line 0");
    for (int i = 0; i < 3 * TERMINAL_KEPT; i++)
        say(t, "more\r\n");
    back = 100000;
    terminal_draw(s, all, t, &back, false);
    assert_int_equal(back, TERMINAL_KEPT);
    terminal_free(t);
}

/* Fewer lines than a terminal has: those around the cursor, and what came before. */
static void test_a_low_area_shows_the_end(void **state)
{
    struct terminal *t = terminal_new();
    struct screen *s = fake_screen(0, true);
    struct area low = {0, 0, 5, 40};
    int back = 0, x;

    say(t, "1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7");
    terminal_draw(s, low, t, &back, true);
    assert_string_equal(fake_row(s, 0), "3");
    assert_string_equal(fake_row(s, 4), "7");
    assert_int_equal(fake_cursor(s, &x), 4);
    assert_int_equal(x, 1);
    terminal_free(t);
}

static void test_what_a_terminal_must_not_show(void **state)
{
    struct terminal *t = terminal_new();
    struct screen *s = fake_screen(0, true);
    int back = 0;

    say(t, "a\xe2\x80\xae"
           "b\xe2\x80\x8b"
           "c\xc2\x9bz"); /* turns text round; has no width; C1's CSI */
    terminal_draw(s, all, t, &back, false);
    const char *row = fake_row(s, 0); /* the fake ends the test when a byte is not safe */
    assert_null(strstr(row, "\xe2\x80\xae"));
    s = fake_screen(0, false);
    say(t, "\r\n\xe2\x94\x8c\xe2\x94\x80\xe2\x94\x90\xc3\xa9");
    terminal_draw(s, all, t, &back, false);
    assert_string_equal(fake_row(s, 1), "+-+?");
    terminal_free(t);
}

static void test_keys(void **state)
{
    struct terminal *t = terminal_new();

    terminal_key(t, 'x');
    check_taken(t, "x");
    terminal_key(t, 3);
    check_taken(t, "\003");
    terminal_key(t, KEY_UP);
    check_taken(t, "\033[A");
    terminal_key(t, KEY_BACKSPACE);
    check_taken(t, "\x7f");
    say(t, "\033[?1h"); /* applications' cursor keys */
    terminal_key(t, KEY_UP);
    check_taken(t, "\033OA");
    check_taken(t, "");
    terminal_free(t);
}

/* What the guest asks its terminal; and if nobody takes the answers, they do not grow. */
static void test_answers(void **state)
{
    struct terminal *t = terminal_new();
    char bytes[64];
    size_t all_bytes = 0, n;

    say(t, "ab\033[6n");
    check_taken(t, "\033[1;3R");
    for (int i = 0; i < 10000; i++)
        say(t, "\033[6n");
    while ((n = terminal_take(t, bytes, sizeof bytes)))
        all_bytes += n;
    assert_in_range(all_bytes, 1, 4096);
    terminal_free(t);
}

static void test_huge_numbers(void **state)
{
    struct terminal *t = terminal_new();
    static const char *const hostile[] = {
        "\033[2147483647;2147483647H",
        "\033[99999999999999999999A",
        "\033[2147483647@",
        "\033[2147483647P",
        "\033[2147483647L",
        "\033[2147483647M",
        "\033[2147483647S",
        "\033[2147483647T",
        "\033[2147483647X",
        "\033[2147483647b",
        "\033[2147483647;1r",
        "\033[0;0r",
        "\033]0;",
        "\033P",
        "\033[?1049h\033[?1049l",
        "\033#8\033[!p\033c",
    };

    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        say(t, "text\r\n");
        say(t, hostile[i]);
    }
    say(t, "\033\\\033c\033[Hstill here");
    check_row(t, 0, "still here");
    terminal_free(t);
}

/* What would end libvterm, or keep it for ever: libvterm 0.1.4 writes over its heap, or does not
 * return. */
static void test_sequences_that_libvterm_must_not_see(void **state)
{
    struct terminal *t = terminal_new();

    say(t, "\033[b"            /* repeats nothing yet */
           "\xcc\x81\033[5b"); /* a combining character, without width */
    say(t, "\033[");
    for (int i = 0; i < 100000; i++)
        say(t, i & 1 ? ";" : "1");
    say(t, "m\033[H");
    for (int i = 0; i < 17; i++)
        say(t, "\033[1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1m");
    say(t, "\033[2J\033[12345678Cstill here");
    check_row(t, 0, "still here");
    terminal_free(t);
}

static void test_repetition(void **state)
{
    struct terminal *t = terminal_new();

    say(t, "a-\033[4b+\r\n\xc3\xa9\033[9b|\r\n*\033[0b\033[b");
    check_row(t, 0, "a-----+");
    check_row(t, 1, "\xc3\xa9|"); /* of an ASCII character only */
    check_row(t, 2, "***");
    terminal_free(t);
}

/* A title, a device's string, one that nobody ends: no byte of them is shown, and the next line is.
 */
static void test_control_strings_are_left_out(void **state)
{
    struct terminal *t = terminal_new();

    say(t, "a\033]0;title\007b\033P$qm\033\\c\033_x\033[31md\033]2;unfinished\r\nnext");
    check_row(t, 0, "abcd");
    check_row(t, 1, "next");
    say(t, "\033 [x\033(Bz\033[3\xc3\xa9mw");
    check_row(t, 1, "nextxz\xc3\xa9mw");
    terminal_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_stands_where_it_was_put),
        cmocka_unit_test(test_characters_in_pieces),
        cmocka_unit_test(test_lines_that_leave_are_kept),
        cmocka_unit_test(test_a_low_area_shows_the_end),
        cmocka_unit_test(test_what_a_terminal_must_not_show),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_huge_numbers),
        cmocka_unit_test(test_sequences_that_libvterm_must_not_see),
        cmocka_unit_test(test_repetition),
        cmocka_unit_test(test_control_strings_are_left_out),
    };

    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
