/* SPDX-License-Identifier: MIT */
/* os/profile/text: lines, sections, comments, and what is said of wrong ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>

#include "base/near.h"
#include "base/util.h"
#include "os/profile/builtin.h"

static struct profile_text parsed;

static void parse(const char *text)
{
    struct oscope_error *err = profile_text_parse("p", text, strlen(text), &parsed);

    if (err)
        fail_msg("%s", err->message);
}

static void value_is(const char *section, const char *key, const char *value, unsigned line)
{
    const struct profile_entry *e = profile_text_find(&parsed, section, key);

    assert_non_null(e);
    assert_string_equal(e->value, value);
    assert_int_equal(e->line, line);
}

static void test_values(void **state)
{
    parse("# first\n\n[task]\nid = pid  # its number\r\nname=\tname\t# tab\nlist =\n   a +\n"
          "\tb  # c\n[states]\nA.B-1:2 = x # y\nempty=\n#[gone]\n[task]\nlast = 1 = 2");
    assert_int_equal(parsed.entries.len, 6);
    value_is("task", "id", "pid", 4);
    value_is("task", "name", "name", 5);
    value_is("task", "list", "a + b", 6);
    value_is("states", "A.B-1:2", "x # y", 10);
    value_is("states", "empty", "", 11);
    value_is("task", "last", "1 = 2", 14);
    assert_null(profile_text_find(&parsed, "states", "id"));
    profile_text_free(&parsed);
}

static void test_wrong(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"id = pid\n", "p:1: a '[SECTION]' must come first"},
        {"[task]\nid\n", "p:2: 'KEY = VALUE' or '[SECTION]' expected"},
        {"[task]\n= x\n", "p:2: a key has letters, digits, '_', '-', '.' and ':' only"},
        {"[task]\na b = x\n", "p:2: a key has letters, digits, '_', '-', '.' and ':' only"},
        {"[task\n", "p:1: a section is '[NAME]'"},
        {"\n[]\n", "p:2: a section is '[NAME]'"},
        {"[a b]\n", "p:1: a section is '[NAME]'"},
        {"  more\n", "p:1: an indented line goes on with a value, and there is none"},
        {"[task]\nid = a\n\n[task]\nid = b\n", "p:5: 'id' of [task] stands in line 2 already"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct oscope_error *err =
            profile_text_parse("p", cases[i].text, strlen(cases[i].text), &parsed);
        assert_non_null(err);
        assert_string_equal(err->message, cases[i].message);
        assert_int_equal(err->code, OSCOPE_E_USAGE);
        oscope_error_free(err);
    }
    struct oscope_error *err = profile_text_parse("p", "[a]\nb = \0\n", 10, &parsed);
    assert_string_equal(err->message, "p:2: a zero byte: this is no text");
    oscope_error_free(err);
}

static void refused(const char *text, size_t n, const char *message)
{
    struct oscope_error *err = profile_text_parse("p", text, n, &parsed);

    assert_non_null(err);
    assert_string_equal(err->message, message);
    oscope_error_free(err);
}

/* What is too long is refused, whatever it is. */
static void test_bounds(void **state)
{
    size_t n = PROFILE_BYTES_MAX + 1;
    AUTO_FREE char *text = malloc(n);

    memset(text, '\n', n);
    refused(text, n, "'p' is too large for a profile");
    refused(text, PROFILE_LINES_MAX + 1, "p:2049: too many lines");
    memcpy(text, "[a]\nb=", 6);
    memset(text + 6, 'x', n - 6);
    refused(text, PROFILE_VALUE_MAX + 8, "p:2: the line is too long");
    refused(text, n - 1, "p:2: the line is too long");
    for (size_t i = 4; i + 5 < PROFILE_BYTES_MAX; i += 5)
        memcpy(text + i, i == 4 ? "b = x" : "\n xxx", 5);
    refused(text, 8000, "p:514: the value is too long");
}

static void test_files(void **state)
{
    char dir[] = "/tmp/oscope-test-profile-XXXXXX", path[64];

    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/fifo", dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    struct oscope_error *err = profile_text_read(path, &parsed); /* does not wait for a writer */
    assert_non_null(strstr(err->message, "is no profile: no file"));
    oscope_error_free(err);
    unlink(path);
    err = profile_text_read(path, &parsed);
    assert_non_null(strstr(err->message, "No such file"));
    oscope_error_free(err);
    rmdir(dir);
}

static void test_builtins(void **state)
{
    for (const struct profile_builtin *b = profile_builtins; b->name; b++) {
        struct oscope_error *err = profile_text_open(b->name, &parsed);
        assert_null(err);
        assert_true(profile_is_builtin(b->name));
        assert_string_equal(profile_text_find(&parsed, "profile", "name")->value, b->name);
        assert_non_null(profile_text_find(&parsed, "profile", "symbols"));
        profile_text_free(&parsed);
    }
    assert_false(profile_is_builtin("none of that name"));
}

static const char *near_of(const char *word, const char *const *candidates)
{
    struct near n = {.word = word};

    for (; *candidates; candidates++)
        near_try(&n, *candidates);
    return n.found;
}

static void test_near(void **state)
{
    static const char *const words[] = {"pagetable", "parent", "name", "id", NULL};

    assert_string_equal(near_of("page-table", words), "pagetable");
    assert_string_equal(near_of("Pagetabel", words), "pagetable");
    assert_string_equal(near_of("parnt", words), "parent");
    assert_string_equal(near_of("nam", words), "name");
    assert_null(near_of("xy", words));
    assert_null(near_of("stack", words));
    assert_null(near_of("", words));
    char longer[300];
    memset(longer, 'p', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_null(near_of(longer, words));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),   cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_bounds),   cmocka_unit_test(test_files),
        cmocka_unit_test(test_builtins), cmocka_unit_test(test_near),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
