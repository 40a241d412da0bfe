/* SPDX-License-Identifier: MIT */
/*
 * export/: files and their failures, times, CSV and Chrome's JSON, read back with a parser of their
 * own and compared with the recording.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "export/text.h"
#include "export_fixture.h"

static void fails(const struct oscope_export_options *o, enum oscope_code code)
{
    struct oscope_export_result result;
    struct oscope_error *err = oscope_export(o, &result);

    assert_non_null(err);
    assert_int_equal(err->code, code);
    assert_null(strchr(err->message, '\n'));
    oscope_error_free(err);
}

static bool exists(const struct export_fixture *x, const char *suffix)
{
    char path[64];

    snprintf(path, sizeof path, "%s%s", x->file, suffix);
    return access(path, F_OK) == 0;
}

static void text_is(const char *in, size_t cap, const char *expected)
{
    char out[64];

    memset(out, 'x', sizeof out);
    assert_int_equal(export_text(out, cap, in, SIZE_MAX), strlen(expected));
    assert_string_equal(out, expected);
}

static void test_text(void **state)
{
    (void)state;
    text_is("", 8, "");
    text_is("plain", 64, "plain");
    text_is(EXPORT_HOSTILE, 64, EXPORT_HARMLESS);
    text_is("\xc2\x85\xc2\xa0", 64, "\\xc2\\x85\xc2\xa0");            /* C1 */
    text_is("\xc0\xaf\xe0\x80\xaf", 64, "\\xc0\\xaf\\xe0\\x80\\xaf"); /* overlong */
    text_is("\xed\xa0\x80", 64, "\\xed\\xa0\\x80");                   /* surrogate */
    text_is("\xf4\x8f\xbf\xbf\xf4\x90\x80\x80", 64, "\xf4\x8f\xbf\xbf\\xf4\\x90\\x80\\x80");
    text_is("\xf0\x9f\x90\xa7 \xe2\x82", 64, "\xf0\x9f\x90\xa7 \\xe2\\x82");
    text_is("0123456789", 8, "0123456");
    text_is("01234\x7f", 8, "01234"); /* no half escapes */
    text_is("\xe2\x82\xac\xe2\x82\xac", 6, "\xe2\x82\xac");
    char out[8];
    assert_int_equal(export_text(out, sizeof out, "abc", 2), 2);
}

/* ---- files ---- */

static void test_usage(void **state)
{
    struct export_fixture *x = *state;
    struct oscope_export_options o = fixture_options(x, "csv");

    fails(&o, OSCOPE_E_NOT_FOUND);
    fixture_record(x, 10, false);
    o.event = "no_such";
    fails(&o, OSCOPE_E_NOT_FOUND);
    o.event = "sched_switch";
    o.format = "perfetto";
    fails(&o, OSCOPE_E_USAGE);
    o = fixture_options(x, "nonsense");
    fails(&o, OSCOPE_E_USAGE);
    o.format = "csv";
    o.file = x->top;
    fails(&o, OSCOPE_E_USAGE);
    o.file = "/no/such/place";
    fails(&o, OSCOPE_E_IO);
    assert_false(exists(x, "") || exists(x, ".part"));
    for (size_t i = 0; (o.format = oscope_export_format_name(i)); i++) {
        struct oscope_export_options again = fixture_options(x, o.format);
        assert_non_null(oscope_export_format_doc(i));
        assert_int_equal(fixture_export(x, &again).events, 10);
    }
    assert_false(exists(x, ".part"));
}

static bool stop(void *arg)
{
    return ++*(int *)arg > 0;
}

/* Neither an interrupt nor a full disk leaves anything, or harms what was there. */
static void test_failures(void **state)
{
    struct export_fixture *x = *state;
    struct rlimit old, small = {300, 300};
    int asked = 0;

    fixture_record(x, 70000, false);
    for (size_t i = 0; oscope_export_format_name(i); i++) {
        struct oscope_export_options o = fixture_options(x, oscope_export_format_name(i));
        FILE *f = fopen(x->file, "w");
        fputs("before", f);
        fclose(f);
        o.cancelled = stop;
        o.arg = &asked;
        fails(&o, OSCOPE_E_GONE);
        o.cancelled = NULL;
        signal(SIGXFSZ, SIG_IGN);
        getrlimit(RLIMIT_FSIZE, &old);
        small.rlim_max = old.rlim_max;
        setrlimit(RLIMIT_FSIZE, &small);
        fails(&o, OSCOPE_E_IO);
        setrlimit(RLIMIT_FSIZE, &old);
        fixture_load(x);
        assert_string_equal((char *)x->data, "before");
        assert_false(exists(x, ".part"));
    }
    assert_int_equal(asked, 4);
}

/* What is no file is written as it is; so is a descriptor, which stays open. */
static void test_places(void **state)
{
    struct export_fixture *x = *state;
    struct oscope_export_options o = fixture_options(x, "chrome");
    struct oscope_export_result to_file, to_null, to_fd;

    fixture_record(x, 500, false);
    to_file = fixture_export(x, &o);
    o.file = "/dev/null";
    assert_null(oscope_export(&o, &to_null));
    assert_int_equal(to_null.bytes, to_file.bytes);
    o.file = NULL;
    o.fd = open(x->file, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_null(oscope_export(&o, &to_fd));
    assert_int_equal(close(o.fd), 0);
    assert_int_equal(to_fd.bytes, to_file.bytes);
    fixture_load(x);
    assert_int_equal(x->len, to_file.bytes);
}

/* ---- CSV ---- */

/* The next cell of RFC 4180 text, in out; what ends it: ',' or '\n'. */
static char csv_cell(const char **s, char *out, size_t cap)
{
    bool quoted = **s == '"';
    size_t n = 0;

    *s += quoted;
    for (;; (*s)++) {
        if (quoted && **s == '"' && *++*s != '"')
            quoted = false;
        if (!quoted && (**s == ',' || **s == '\r'))
            break;
        assert_true(**s && **s != '\n' && **s != '\r');
        assert_true(quoted || **s != '"' || (*s)[-1] == '"');
        assert_true(n + 1 < cap);
        out[n++] = **s;
    }
    out[n] = 0;
    if (*(*s)++ == ',')
        return ',';
    assert_int_equal(*(*s)++, '\n');
    return '\n';
}

static void csv_expect(const char **s, const char *expected, char end)
{
    char cell[1200];

    assert_int_equal(csv_cell(s, cell, sizeof cell), end);
    assert_string_equal(cell, expected);
}

static void csv_expect_number(const char **s, uint64_t v, char end)
{
    char text[24];

    snprintf(text, sizeof text, "%llu", (unsigned long long)v);
    csv_expect(s, text, end);
}

static void csv_expect_value(const char **s, const struct trace_event *ev, unsigned i, char end)
{
    char text[1200];
    enum trace_kind kind = ev->type->fields[i].kind;

    if (kind == TRACE_STRING)
        export_text(text, sizeof text, trace_event_str(ev, i), SIZE_MAX);
    else if (trace_kind_signed(kind))
        snprintf(text, sizeof text, "%lld", (long long)trace_event_s64(ev, i));
    else
        snprintf(text, sizeof text, kind == TRACE_HEX ? "0x%llx" : "%llu",
                 (unsigned long long)trace_event_u64(ev, i));
    csv_expect(s, text, end);
}

static void test_csv(void **state)
{
    struct export_fixture *x = *state;
    struct oscope_export_options o = fixture_options(x, "csv");
    const struct trace_event *ev;
    uint64_t n = 0, gaps = 0;

    fixture_record(x, 20000, true);
    struct oscope_export_result result = fixture_export(x, &o);
    const char *s = (char *)x->data, *head = "n,time,cpu,gap,partial,event,field,value\r\n";
    assert_int_equal(strncmp(s, head, strlen(head)), 0);
    s += strlen(head);
    while ((ev = trace_reader_next(x->r))) {
        n++;
        gaps += ev->gap;
        for (unsigned i = 0; i < MAX(ev->type->nfields, 1); i++) {
            csv_expect_number(&s, n, ',');
            csv_expect_number(&s, ev->time, ',');
            csv_expect_number(&s, ev->cpu, ',');
            csv_expect_number(&s, ev->gap, ',');
            csv_expect(&s, "0", ',');
            csv_expect(&s, ev->type->name, ',');
            csv_expect(&s, ev->type->nfields ? ev->type->fields[i].name : "", ',');
            if (ev->type->nfields)
                csv_expect_value(&s, ev, i, '\n');
            else
                csv_expect(&s, "", '\n');
        }
    }
    assert_int_equal(*s, 0);
    assert_int_equal(result.events, n);
    assert_true(gaps > 2);
    assert_true(result.lost > 0);
    assert_int_equal(result.lost, trace_reader_stats(x->r).lost);
}

static void test_csv_event(void **state)
{
    struct export_fixture *x = *state;
    struct oscope_export_options o = fixture_options(x, "csv");
    bool gap[3] = {false};
    const struct trace_event *ev;
    uint64_t n = 0;

    fixture_record(x, 20000, true);
    o.event = "my:kinds";
    struct oscope_export_result result = fixture_export(x, &o);
    const char *s = (char *)x->data,
               *head = "time,cpu,gap,partial,u8,u16,u32,u64,s8,s16,s32,s64,hex,text\r\n";
    assert_int_equal(strncmp(s, head, strlen(head)), 0);
    s += strlen(head);
    while ((ev = trace_reader_next(x->r))) {
        gap[ev->cpu] |= ev->gap;
        if (strcmp(ev->type->name, o.event) != 0)
            continue;
        n++;
        csv_expect_number(&s, ev->time, ',');
        csv_expect_number(&s, ev->cpu, ',');
        csv_expect_number(&s, gap[ev->cpu], ',');
        csv_expect(&s, "0", ',');
        for (unsigned i = 0; i < ev->type->nfields; i++)
            csv_expect_value(&s, ev, i, i + 1u < ev->type->nfields ? ',' : '\n');
        gap[ev->cpu] = false;
    }
    assert_int_equal(*s, 0);
    assert_true(n > 100);
    assert_int_equal(result.events, n);
}

/* The time of the first and of the last event in a CSV file, and how many there are. */
static uint64_t csv_times(struct export_fixture *x, uint64_t *first, uint64_t *last)
{
    const char *s = strchr((char *)x->data, '\n') + 1;
    char cell[1200];
    uint64_t n = 0;

    while (*s) {
        csv_cell(&s, cell, sizeof cell);
        if (strtoull(cell, NULL, 10) != n) {
            n++;
            csv_cell(&s, cell, sizeof cell);
            *last = strtoull(cell, NULL, 10);
            if (n == 1)
                *first = *last;
        }
        while (csv_cell(&s, cell, sizeof cell) != '\n')
            ;
    }
    return n;
}

static void test_times(void **state)
{
    struct export_fixture *x = *state;
    uint64_t first = 0, last = 0;

    fixture_record(x, 5000, false);
    for (int relative = 0; relative < 2; relative++) {
        uint64_t base = relative ? 0 : EXPORT_START;
        struct oscope_export_options o = fixture_options(x, "csv");
        o.interval.from = base + 1001 * 1000;
        o.interval.from_absolute = o.interval.to_absolute = !relative;
        assert_int_equal(fixture_export(x, &o).events, 4000);
        assert_int_equal(csv_times(x, &first, &last), 4000);
        assert_int_equal(first, EXPORT_START + 1001 * 1000);
        o.interval.to = base + 1001 * 2000;
        assert_int_equal(fixture_export(x, &o).events, 1000);
        assert_int_equal(csv_times(x, &first, &last), 1000);
        assert_int_equal(last, EXPORT_START + 1001 * 1999);
        o.interval.from = 0;
        assert_int_equal(fixture_export(x, &o).events, 2000);
        o.interval.to++;
        assert_int_equal(fixture_export(x, &o).events, 2001);
        o.interval.to = 1;
        o.interval.to_absolute = true;
        assert_int_equal(fixture_export(x, &o).events, 0);
    }
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, export_setup, export_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        TEST(test_usage),
        TEST(test_failures),
        TEST(test_places),
        TEST(test_csv),
        TEST(test_csv_event),
        TEST(test_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
