/* SPDX-License-Identifier: MIT */
/* export/chrome.c: what was written, parsed, and compared with the recording and the report of
 * modes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>

#include "export/text.h"
#include "export_fixture.h"

static const char *phase(const json_t *e)
{
    return json_string_value(json_object_get(e, "ph"));
}

static json_int_t number(const json_t *e, const char *key)
{
    const json_t *v = json_object_get(e, key);

    assert_true(json_is_integer(v));
    return json_integer_value(v);
}

static void arg_is(const json_t *args, const struct trace_event *ev, unsigned i)
{
    const struct trace_field *f = &ev->type->fields[i];
    const json_t *v = json_object_get(args, f->name);
    char text[1200];

    if (json_is_integer(v)) {
        assert_true(json_integer_value(v) == trace_event_s64(ev, i));
        return;
    }
    assert_true(json_is_string(v));
    if (f->kind == TRACE_STRING)
        export_text(text, sizeof text, trace_event_str(ev, i), SIZE_MAX);
    else if (trace_kind_signed(f->kind))
        snprintf(text, sizeof text, "%lld", (long long)trace_event_s64(ev, i));
    else
        snprintf(text, sizeof text, f->kind == TRACE_HEX ? "0x%llx" : "%llu",
                 (unsigned long long)trace_event_u64(ev, i));
    assert_string_equal(json_string_value(v), text);
}

/* Slices of a row: begins and ends nest, and on a CPU's row nothing overlaps. */
struct row {
    json_int_t pid, tid;
    double end;
    int depth;
};

static struct row *row_of(struct row rows[64], json_int_t pid, json_int_t tid)
{
    for (int i = 0; i < 64; i++) {
        if (rows[i].tid == tid && rows[i].pid == pid && rows[i].end >= 0)
            return &rows[i];
        if (rows[i].end < 0) {
            rows[i] = (struct row){pid, tid, 0, 0};
            return &rows[i];
        }
    }
    fail_msg("too many rows");
    return NULL;
}

/* The events of the file that the recording's events gave, in order; losses; slices of CPUs. */
struct chrome_seen {
    uint64_t runs, lost, matched, flows;
    uint8_t flow[1 << 16]; /* by id: 1 begun, 2 over */
    struct {
        double time, percent[5], us[5]; /* of the last value; what all before it make */
        bool told;
    } modes[3];
};

static const char *const mode_names[5] = {"not known", "kernel", "user", "idle", "firmware"};

/* A value ends at `time`. */
static void counter_until(struct chrome_seen *seen, uint32_t cpu, double time)
{
    for (int i = 0; i < 5 && seen->modes[cpu].told; i++)
        seen->modes[cpu].us[i] +=
            (time - seen->modes[cpu].time) * seen->modes[cpu].percent[i] / 100;
    seen->modes[cpu].time = time;
}

static void chrome_counter(struct chrome_seen *seen, const json_t *e, double time)
{
    uint32_t cpu = (uint32_t)json_integer_value(json_object_get(e, "tid"));
    double sum = 0;

    assert_true(cpu < 3);
    counter_until(seen, cpu, time);
    seen->modes[cpu].told = true;
    for (int i = 0; i < 5; i++) {
        const json_t *v = json_object_get(json_object_get(e, "args"), mode_names[i]);
        assert_true(json_is_real(v));
        sum += seen->modes[cpu].percent[i] = json_real_value(v);
    }
    assert_true(sum > 99.95 && sum < 100.05);
}

/* It begins once and ends once, and there is nothing of it before and after. */
static void chrome_flow(struct chrome_seen *seen, const json_t *e)
{
    json_int_t id = number(e, "id");

    assert_true(id > 0 && id < (json_int_t)sizeof seen->flow);
    uint8_t *flow = &seen->flow[id];
    assert_int_equal(*flow, *phase(e) != 's');
    *flow = *phase(e) == 'f' ? 2 : 1;
    seen->flows += *phase(e) == 's';
}

static void chrome_event(struct chrome_seen *seen, struct row rows[64], const json_t *e,
                         struct trace_reader *r, const struct trace_event **ev)
{
    const json_t *args = json_object_get(e, "args"), *name = json_object_get(e, "name");
    double ts = json_number_value(json_object_get(e, "ts"));
    struct row *row = row_of(rows, number(e, "pid"), number(e, "tid"));

    if (*phase(e) == 'M')
        return;
    if (*phase(e) == 'C') {
        chrome_counter(seen, e, ts);
        return;
    }
    if (*phase(e) == 's' || *phase(e) == 't' || *phase(e) == 'f') {
        chrome_flow(seen, e);
        return;
    }
    if (*phase(e) == 'X' && row->pid == 0) {
        assert_true(ts >= row->end - 0.0005);
        row->end = ts + json_number_value(json_object_get(e, "dur"));
        seen->runs++;
        return;
    }
    row->depth += *phase(e) == 'B' ? 1 : *phase(e) == 'E' ? -1 : 0;
    assert_true(row->depth >= 0);
    if (!json_object_size(args)) { /* a loss, or an end that no event says */
        seen->lost += *phase(e) == 'i';
        return;
    }
    while (*ev && fixture_is(*ev, "sched_switch"))
        *ev = trace_reader_next(r);
    assert_non_null(*ev);
    assert_true(ts * 1000 > (double)(*ev)->time - 1 && ts * 1000 < (double)(*ev)->time + 1);
    assert_int_equal(number(args, "vcpu"), (*ev)->cpu);
    if (*phase(e) == 'i')
        assert_string_equal(json_string_value(name), (*ev)->type->name);
    else if (*phase(e) == 'B' && fixture_is(*ev, "syscall"))
        assert_string_equal(json_string_value(name), "openat");
    else if (*phase(e) == 'B' && fixture_is(*ev, "trap"))
        assert_string_equal(json_string_value(name), "supervisor timer interrupt");
    for (unsigned i = 0; i < (*ev)->type->nfields; i++)
        arg_is(args, *ev, i);
    seen->matched++;
    *ev = trace_reader_next(r);
}

/* Without losses each switch to a task makes a slice, unless to the idle task. */
static uint64_t chrome_expect(struct export_fixture *x, uint64_t *events, uint64_t *gaps)
{
    const struct trace_event *ev;
    uint64_t runs = 0;

    while ((ev = trace_reader_next(x->r))) {
        *gaps += ev->gap;
        if (fixture_is(ev, "sched_switch"))
            runs += trace_event_s64(ev, 5) != 0;
        else
            ++*events;
    }
    trace_reader_seek(x->r, 0);
    return runs;
}

/* Values are hundredths of percents, and lack only what is before the first window told. */
static void counters_like_report(struct export_fixture *x, struct chrome_seen *seen)
{
    struct oscope_view *v = modes_view(x);
    const struct oscope_report_interval *all = view_table(v, "interval")->rows;
    const struct oscope_modes_cpu *row = view_table(v, "cpus")->rows;

    assert_int_equal(view_table(v, "cpus")->nrows, 3);
    for (uint32_t cpu = 0; cpu < 3; cpu++) {
        const uint64_t ns[5] = {row[cpu].unknown, row[cpu].kernel, row[cpu].user, row[cpu].idle,
                                row[cpu].firmware == OSCOPE_UNKNOWN ? 0 : row[cpu].firmware};
        assert_true(seen->modes[cpu].told);
        counter_until(seen, cpu, (double)(EXPORT_START + all->duration) / 1000);
        for (int i = 0; i < 5; i++) {
            double off = seen->modes[cpu].us[i] * 1000 - (double)ns[i];
            assert_true(off < 0.0002 * (double)all->duration + 20000);
            assert_true(off > -0.0002 * (double)all->duration - 20000);
        }
    }
    oscope_view_free(v);
}

static void chrome_check(struct export_fixture *x, bool losses)
{
    struct oscope_export_options o = fixture_options(x, "chrome");
    uint64_t events = 0, gaps = 0;
    struct chrome_seen seen = {0};
    struct row rows[64];
    json_error_t error;
    size_t i;
    json_t *e;

    fixture_record(x, 14000, losses);
    struct oscope_export_result result = fixture_export(x, &o);
    json_t *all = json_loadb((char *)x->data, x->len, JSON_REJECT_DUPLICATES, &error);
    if (!all)
        fail_msg("line %d: %s", error.line, error.text);
    uint64_t runs = chrome_expect(x, &events, &gaps);
    const struct trace_event *ev = trace_reader_next(x->r);
    for (i = 0; i < 64; i++)
        rows[i].end = -1;
    json_array_foreach(json_object_get(all, "traceEvents"), i, e)
        chrome_event(&seen, rows, e, x->r, &ev);
    while (ev && fixture_is(ev, "sched_switch"))
        ev = trace_reader_next(x->r);
    assert_null(ev);
    assert_int_equal(seen.matched, events);
    assert_int_equal(seen.lost, gaps);
    assert_true(gaps > 0 || !losses);
    if (!losses)
        assert_int_equal(seen.runs, runs);
    assert_true(seen.flows > 0);
    counters_like_report(x, &seen);
    const json_t *other = json_object_get(all, "otherData");
    assert_int_equal(number(other, "events"), result.events);
    assert_int_equal(number(other, "packets_lost"), result.lost);
    assert_string_equal(json_string_value(json_object_get(other, "hostname")), "guest");
    json_decref(all);
}

static void test_chrome(void **state)
{
    chrome_check(*state, false);
}

static void test_chrome_lost(void **state)
{
    chrome_check(*state, true);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, export_setup, export_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_chrome),
        TEST(test_chrome_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
