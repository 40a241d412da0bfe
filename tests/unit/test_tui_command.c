/* SPDX-License-Identifier: MIT */
/* tui/: lines typed after `:`, which event sets are on, and why there is nothing to be seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <curses.h>
#include <stdio.h>
#include <string.h>

#include "tui/command.h"
#include "tui/missing.h"

/* ---- lines ---- */

static void type(struct command *c, const char *text)
{
    for (; *text; text++)
        assert_true(command_key(c, (unsigned char)*text));
}

static void run(struct command *c, const char *line)
{
    command_type(c);
    type(c, line);
    assert_true(command_key(c, '\r'));
    assert_false(c->typing);
}

static void test_a_line_is_run(void **state)
{
    struct command c = {0};

    assert_false(command_key(&c, 'q')); /* nothing is shown: not its key */
    run(&c, " :ps -t");
    assert_true(c.open);
    assert_string_equal(c.line, "ps -t");
    assert_false(command_key(&c, 'q'));
    assert_true(command_key(&c, KEY_DOWN));
    assert_true(command_key(&c, 27));
    assert_false(c.open);
    assert_false(command_key(&c, 27));
    command_end(&c);
}

static void test_nothing_is_run(void **state)
{
    struct command c = {0};

    run(&c, "  ");
    assert_false(c.open);
    command_type(&c);
    type(&c, "ps");
    assert_true(command_key(&c, 27));
    assert_false(c.typing || c.open);
    run(&c, "bt 1");
    command_type(&c);
    type(&c, "ps");
    assert_true(command_key(&c, 27)); /* what was shown stays */
    assert_true(c.open);
    assert_string_equal(c.line, "bt 1");
    command_end(&c);
}

static void test_lines_before(void **state)
{
    struct command c = {0};

    run(&c, "ps");
    run(&c, "info");
    run(&c, "info"); /* kept once */
    command_type(&c);
    type(&c, "x");
    command_key(&c, KEY_UP);
    assert_string_equal(c.prompt.text, "info");
    command_key(&c, KEY_UP);
    command_key(&c, KEY_UP); /* there is none before */
    assert_string_equal(c.prompt.text, "ps");
    command_key(&c, KEY_DOWN);
    assert_string_equal(c.prompt.text, "info");
    command_key(&c, KEY_DOWN);
    command_key(&c, KEY_DOWN);
    assert_string_equal(c.prompt.text, "");
    command_end(&c);
}

static void test_more_lines_than_are_kept(void **state)
{
    struct command c = {0};
    char line[16];

    for (int i = 0; i < COMMAND_PAST + 3; i++) {
        snprintf(line, sizeof line, "bt %d", i);
        run(&c, line);
    }
    command_type(&c);
    for (int i = 0; i < 2 * COMMAND_PAST; i++)
        command_key(&c, KEY_UP);
    assert_string_equal(c.prompt.text, "bt 3"); /* the oldest there is */
    command_end(&c);
}

static void test_a_long_line(void **state)
{
    struct command c = {0};

    command_type(&c);
    for (int i = 0; i < 2 * COMMAND_TEXT; i++)
        command_key(&c, 'a');
    command_key(&c, '\r');
    assert_true(strlen(c.line) < COMMAND_TEXT);
    assert_int_equal(strlen(c.line), strlen(c.past[0]));
    command_end(&c);
}

/* ---- sets ---- */

static void test_sets_are_switched(void **state)
{
    static const char *const reports[] = {"locks", "pages", "locks", NULL};
    struct sets on = {.n = 0}, needed = sets_needed(reports), lacking;

    assert_int_equal(needed.n, 2);
    assert_true(sets_has(&needed, "lock") && sets_has(&needed, "kmem"));
    sets_add(&on, "sched");
    sets_add(&on, "lock");
    lacking = sets_lacking(&on, &needed);
    assert_int_equal(lacking.n, 1);
    assert_string_equal(lacking.names[0], "kmem");
    assert_true(sets_toggle(&on, &needed)); /* some were off */
    assert_int_equal(on.n, 3);
    assert_false(sets_toggle(&on, &needed));
    assert_int_equal(on.n, 1); /* others' stay */
    assert_true(sets_has(&on, "sched"));
    assert_int_equal(sets_needed(NULL).n, 0);
}

static void test_sets_without_room(void **state)
{
    static const char *const names[SETS_MAX + 1] = {"a", "b", "c", "d", "e", "f", "g", "h", "i",
                                                    "j", "k", "l", "m", "n", "o", "p", "q"};
    struct sets on = {.n = 0};

    for (int i = 0; i < SETS_MAX; i++)
        assert_true(sets_add(&on, names[i]));
    assert_true(sets_add(&on, "a"));
    assert_false(sets_add(&on, names[SETS_MAX]));
    assert_int_equal(on.n, SETS_MAX);
}

/* ---- why there is nothing ---- */

static void says(const struct missing *m, const char *what)
{
    char text[256];

    missing_text(m, text, sizeof text);
    if (!strstr(text, what))
        fail_msg("%s", text);
}

static void test_why_there_is_nothing(void **state)
{
    static const char *const reports[] = {"locks", NULL};
    struct oscope_error err = {.code = OSCOPE_E_NOT_FOUND, .message = (char *)"no", .hint = NULL};
    struct shot none = {.view = NULL}, failed = {.error = &err};
    struct collect_status st = {.lost_events = 0};
    struct missing m = {.what = "Locks", .status = &st, .events = true};

    m.needed = m.lacking = sets_needed(reports);
    says(&m, "these are off: lock.\nPress e");
    m.shot = &failed;
    says(&m, "Locks: no");
    m.shot = &none;
    st.nrefused = 1;
    st.refused[0].set = "kmem"; /* another one */
    strcpy(st.refused[0].why, "no page");
    m.lacking.n = 0;
    says(&m, "being fetched");
    st.refused[0].set = "lock";
    says(&m, "no page");
    st.nrefused = 0;
    m.recording = true;
    strcpy(st.sets, "sched traps");
    says(&m, "needs: lock.\nIt has: sched traps.");
    m.shot = NULL;
    says(&m, "being fetched");
    strcpy(st.error, "gone");
    says(&m, "gone");
    m.what = "a name that is longer than there is room for";
    char little[16];
    missing_text(&m, little, sizeof little);
    assert_int_equal(strlen(little), sizeof little - 1);
    st.error[0] = '\0';
    m.shot = &none;
    missing_text(&m, little, sizeof little);
    m.recording = false;
    m.lacking.n = 1;
    missing_text(&m, little, sizeof little);
    assert_int_equal(strlen(little), sizeof little - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_line_is_run),     cmocka_unit_test(test_nothing_is_run),
        cmocka_unit_test(test_lines_before),      cmocka_unit_test(test_more_lines_than_are_kept),
        cmocka_unit_test(test_a_long_line),       cmocka_unit_test(test_sets_are_switched),
        cmocka_unit_test(test_sets_without_room), cmocka_unit_test(test_why_there_is_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
