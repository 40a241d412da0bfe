/* SPDX-License-Identifier: MIT */
/* The text that is scraped, and counters that never go back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_session.h"
#include "session/runtime.h"
#include "web/assets.h"
#include "web/ledger.h"
#include "web/meter.h"
#include "web/metrics.h"

#include "base/util.h"

#include <oscope/oscope.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const struct asset assets[] = {{0}};

static struct out o;

static int begin(void **state)
{
    out_init(&o, -1);
    return 0;
}

static int end(void **state)
{
    out_free(&o);
    return 0;
}

/* All that was written, as a string. */
static const char *text(void)
{
    out_char(&o, '\0');
    assert_int_equal(o.error, 0);
    return o.buf;
}

static void test_text(void **state)
{
    openmetrics_begin(&o, &families[FAMILY_MODES]);
    openmetrics_sample(&o, &families[FAMILY_MODES], "guest=\"g\"", 1000000001);
    openmetrics_begin(&o, &families[FAMILY_RAM]);
    openmetrics_sample(&o, &families[FAMILY_RAM], "guest=\"g\"", UINT64_MAX);
    openmetrics_begin(&o, &families[FAMILY_GUEST]);
    openmetrics_sample(&o, &families[FAMILY_GUEST], "guest=\"g\"", 1);
    openmetrics_end(&o);
    assert_string_equal(text(), "# TYPE oscope_mode_seconds counter\n"
                                "# UNIT oscope_mode_seconds seconds\n"
                                "# HELP oscope_mode_seconds Time of a vCPU by what it did.\n"
                                "oscope_mode_seconds_total{guest=\"g\"} 1.000000001\n"
                                "# TYPE oscope_guest_ram_bytes gauge\n"
                                "# UNIT oscope_guest_ram_bytes bytes\n"
                                "# HELP oscope_guest_ram_bytes RAM of the guest.\n"
                                "oscope_guest_ram_bytes{guest=\"g\"} 18446744073709551615\n"
                                "# TYPE oscope_guest info\n"
                                "# HELP oscope_guest What the guest is.\n"
                                "oscope_guest_info{guest=\"g\"} 1\n"
                                "# EOF\n");
}

/* OpenMetrics 1.0: a unit is the name's last part; a counter's and an info's name lack theirs. */
static void test_families(void **state)
{
    for (size_t i = 0; i < FAMILIES; i++) {
        const struct openmetrics_family *f = &families[i];
        size_t name = strlen(f->name), unit = strlen(f->unit);
        assert_non_null(f->help);
        assert_null(strpbrk(f->help, "\\\"\n"));
        assert_int_equal(strncmp(f->name, "oscope_", 7), 0);
        assert_int_equal(strspn(f->name, "abcdefghijklmnopqrstuvwxyz_"), name);
        if (unit)
            assert_true(name > unit + 1 && f->name[name - unit - 1] == '_' &&
                        !strcmp(f->name + name - unit, f->unit));
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(f->name, families[k].name);
    }
}

/* What the guest wrote can't end a label, a line, or be no UTF-8. */
static void test_labels(void **state)
{
    char endless[1000];

    openmetrics_label(&o, "a", "x\"} 1\n# EOF\n\\");
    openmetrics_label(&o, "b", "\xff\xc3\xa4\x1b[0m");
    openmetrics_label(&o, "c", NULL);
    openmetrics_label_number(&o, "d", 7);
    assert_string_equal(text(),
                        "a=\"x\\\"} 1\\\\x0a# EOF\\\\x0a\\\\\",b=\"\\\\xff\xc3\xa4\\\\x1b[0m\","
                        "c=\"\",d=\"7\"");
    o.len = 0;
    memset(endless, 'x', sizeof endless);
    endless[sizeof endless - 1] = '\0';
    openmetrics_label(&o, "a", endless);
    assert_int_equal(o.len, strlen("a=\"\"") + OPENMETRICS_VALUE);
}

static const char *written(struct ledger *l, enum family family)
{
    o.len = 0;
    ledger_write(l, family, &o);
    return text();
}

static void test_counters_never_go_back(void **state)
{
    struct ledger *l = ledger_new();

    ledger_begin(l);
    ledger_count(l, FAMILY_CALLS, "n=\"a\"", 1, 10);
    assert_string_equal(written(l, FAMILY_CALLS), "oscope_syscalls_total{n=\"a\"} 10\n");
    ledger_count(l, FAMILY_CALLS, "n=\"a\"", 1, 8); /* it was taken back */
    assert_string_equal(written(l, FAMILY_CALLS), "oscope_syscalls_total{n=\"a\"} 10\n");
    ledger_count(l, FAMILY_CALLS, "n=\"a\"", 1, 12);
    assert_string_equal(written(l, FAMILY_CALLS), "oscope_syscalls_total{n=\"a\"} 12\n");
    ledger_count(l, FAMILY_CALLS, "n=\"a\"", 2, 3); /* counted anew */
    ledger_count(l, FAMILY_CALLS, "n=\"a\"", 2, 4);
    assert_string_equal(written(l, FAMILY_CALLS), "oscope_syscalls_total{n=\"a\"} 16\n");
    ledger_count(l, FAMILY_CALLS, "n=\"a\"", 3, 20); /* anew, and more than before at once */
    ledger_begin(l);                                 /* a counter stays that is not told */
    assert_string_equal(written(l, FAMILY_CALLS), "oscope_syscalls_total{n=\"a\"} 36\n");
    assert_string_equal(written(l, FAMILY_CALL_ERRORS), "");
    ledger_free(l);
}

static void test_gauges_are_of_now(void **state)
{
    struct ledger *l = ledger_new();

    ledger_begin(l);
    ledger_set(l, FAMILY_OWNERS, "o=\"a\"", 10);
    ledger_set(l, FAMILY_OWNERS, "o=\"b\"", 20);
    ledger_begin(l);
    ledger_set(l, FAMILY_OWNERS, "o=\"b\"", 5);
    assert_string_equal(written(l, FAMILY_OWNERS), "oscope_memory_owner_bytes{o=\"b\"} 5\n");
    ledger_free(l);
}

/* A guest that makes names up fills neither our memory nor that of who scrapes. */
static void test_series_are_bounded(void **state)
{
    struct ledger *l = ledger_new();
    char label[32];

    for (int round = 0; round < 2; round++) {
        ledger_begin(l);
        for (unsigned i = 0; i < 3 * LEDGER_MOST; i++) {
            snprintf(label, sizeof label, "n=\"%u\"", i);
            ledger_count(l, FAMILY_CALLS, label, 1, i);
        }
        assert_int_equal(ledger_left_out(l), 2 * LEDGER_MOST);
        ledger_count(l, FAMILY_TRAPS, "n=\"0\"", 1, 1); /* other families have their own room */
        assert_int_equal(ledger_left_out(l), 2 * LEDGER_MOST);
    }
    size_t lines = 0;
    for (const char *at = written(l, FAMILY_CALLS); (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines, LEDGER_MOST);
    ledger_free(l);
}

static void test_reports(void **state)
{
    static const char *const wrong[] = {
        "",          ",",          "sched,",      ",sched", "nothing", "sched,,modes",
        "all,sched", "none,sched", "sched modes", "SCHED"};
    uint64_t some = 0, all;
    size_t n = 0;

    while (meter_reports[n])
        n++;
    assert_true(meter_parse("all", &all));
    assert_int_equal(all, BIT(n) - 1);
    assert_true(meter_parse("none", &some));
    assert_int_equal(some, 0);
    assert_true(meter_parse("sched,modes", &some));
    assert_int_equal(some, 3);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(meter_parse(wrong[i], &some));
}

/* Nobody has scraped, and there is nothing to scrape: no thread waits for anything. */
static void test_nothing_there(void **state)
{
    static const char *const sessions[] = {"no-such-session", NULL}, *const none[] = {NULL};
    struct oscope_open_options open = {.wait = OSCOPE_WAIT_NOT};
    struct metrics *m;

    assert_null(metrics_open(
        &(struct metrics_options){
            .sessions = sessions, .recordings = none, .open = &open, .linger = 1000000000},
        &m));
    metrics_scrape(m, &o);
    assert_string_equal(text(), "# EOF\n");
    metrics_close(m);
}

/* Three guests, of which two are told: so is that one is not. */
static void test_too_many_guests(void **state)
{
    static const char *const none[] = {NULL};
    const char *left_out = "oscope_guests_left_out 1\n";
    struct oscope_open_options open = {.wait = OSCOPE_WAIT_NOT};
    struct metrics_options options = {.sessions = none,
                                      .recordings = none,
                                      .open = &open,
                                      .linger = UINT64_C(60000000000),
                                      .guests = 2};
    char *id[3], *dir[3];
    struct session_desc d;
    struct metrics *m;

    for (int i = 0; i < 3; i++) {
        assert_null(runtime_create(NULL, &id[i], &dir[i]));
        describe(&d, id[i], getpid());
        assert_null(session_desc_save(dir[i], &d));
        session_desc_free(&d);
    }
    assert_null(metrics_open(&options, &m));
    for (int i = 0; i < 600; i++) { /* the thread looks once a second */
        o.len = 0;
        metrics_scrape(m, &o);
        if (strstr(text(), left_out))
            break;
        usleep(50000);
    }
    const char *at = strstr(o.buf, left_out);
    assert_non_null(at);
    assert_string_equal(at + strlen(left_out), "# EOF\n");
    int told = 0;
    for (at = o.buf; (at = strstr(at, "oscope_guest_up{")); at++)
        told++;
    assert_int_equal(told, 2);
    metrics_close(m);
    for (int i = 0; i < 3; i++) {
        assert_null(oscope_detach(id[i]));
        free(id[i]);
        free(dir[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_text, begin, end),
        cmocka_unit_test(test_families),
        cmocka_unit_test_setup_teardown(test_labels, begin, end),
        cmocka_unit_test_setup_teardown(test_counters_never_go_back, begin, end),
        cmocka_unit_test_setup_teardown(test_gauges_are_of_now, begin, end),
        cmocka_unit_test_setup_teardown(test_series_are_bounded, begin, end),
        cmocka_unit_test(test_reports),
        cmocka_unit_test_setup_teardown(test_nothing_there, begin, end),
        cmocka_unit_test_setup_teardown(test_too_many_guests, begin, end),
    };

    return cmocka_run_group_tests(tests, make_root, remove_root);
}
