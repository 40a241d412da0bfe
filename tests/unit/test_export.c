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
#include <jansson.h>
#include <signal.h>
#include <sys/resource.h>

#include "analysis/fold.h"
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
        o.from = (struct oscope_export_time){true, relative, base + 1001 * 1000};
        assert_int_equal(fixture_export(x, &o).events, 4000);
        assert_int_equal(csv_times(x, &first, &last), 4000);
        assert_int_equal(first, EXPORT_START + 1001 * 1000);
        o.until = (struct oscope_export_time){true, relative, base + 1001 * 2000};
        assert_int_equal(fixture_export(x, &o).events, 1000);
        assert_int_equal(csv_times(x, &first, &last), 1000);
        assert_int_equal(last, EXPORT_START + 1001 * 1999);
        o.from.given = false;
        assert_int_equal(fixture_export(x, &o).events, 2000);
        o.until.ns++;
        assert_int_equal(fixture_export(x, &o).events, 2001);
        o.until.ns = 0;
        assert_int_equal(fixture_export(x, &o).events, 0);
    }
}

/* ---- Chrome ---- */

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
        seen->flows += *phase(e) == 's' ? 1 : 0;
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

/* The report's view of modes, of all the reader has. */
static struct oscope_view *modes_view(struct export_fixture *x)
{
    const struct fold_options o = {.to = UINT64_MAX, .cpu = -1, .arch = arch_find("riscv64")};
    struct trace_stats stats = {0};
    struct oscope_view *view = NULL;
    const struct trace_event *ev;
    struct fold *f = NULL;

    assert_null(fold_open(fold_find("modes"), &o, &f));
    trace_reader_seek(x->r, 0);
    while ((ev = trace_reader_next(x->r)))
        fold_event(f, ev);
    assert_null(fold_view(f, f->now, &stats, &view));
    fold_close(f);
    trace_reader_seek(x->r, 0);
    return view;
}

static const struct oscope_table *view_table(const struct oscope_view *v, const char *name)
{
    for (size_t i = 0; i < v->ntables; i++)
        if (!strcmp(v->tables[i].name, name))
            return &v->tables[i];
    fail_msg("no table %s", name);
    return NULL;
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

/* ---- folded ---- */

struct stacks {
    uint64_t all, kernel, user, idle, firmware; /* ns of a task */
};

/* Lines are what flamegraph.pl takes: frames, a space, a number. Sums of what begins so. */
static struct stacks folded_sum(const struct export_fixture *x, const char *task)
{
    static const char *const modes[4] = {"kernel", "user", "idle", "firmware"};
    struct stacks sum = {0};
    uint64_t *parts[4] = {&sum.kernel, &sum.user, &sum.idle, &sum.firmware};

    for (const char *s = (const char *)x->data; *s;) {
        const char *end = strchr(s, '\n'), *space = end;
        assert_non_null(end);
        while (*--space != ' ')
            assert_true(space > s && *space >= '0' && *space <= '9');
        const char *mode = memchr(s, ';', (size_t)(space - s));
        assert_non_null(mode);
        uint64_t ns = strtoull(space + 1, NULL, 10);
        bool wanted = (size_t)(mode - s) == strlen(task) && !memcmp(s, task, strlen(task));
        sum.all += wanted ? ns : 0;
        for (int i = 0; i < 4 && wanted; i++) {
            size_t n = strlen(modes[i]);
            if (!memcmp(mode + 1, modes[i], n) && (mode[n + 1] == ';' || mode[n + 1] == ' '))
                *parts[i] += ns;
        }
        s = end + 1;
    }
    return sum;
}

static void folded_check(struct export_fixture *x, bool losses)
{
    struct oscope_export_options o = fixture_options(x, "folded");
    uint64_t known = 0;

    fixture_record(x, 14000, losses);
    assert_string_equal(fixture_export(x, &o).note, "");
    struct oscope_view *v = modes_view(x);
    const struct oscope_table *tasks = view_table(v, "tasks");
    const struct oscope_modes_task *row = tasks->rows;
    for (size_t i = 0; i < tasks->nrows; i++) {
        char name[64], comm[48];
        export_text(comm, sizeof comm, row[i].tid ? row[i].comm : "idle", SIZE_MAX);
        for (char *s = comm; *s; s++)
            *s = *s == ';' ? ':' : *s;
        if (row[i].tid < 0)
            strcpy(name, "(not known)");
        else
            snprintf(name, sizeof name, "%s-%d", *comm ? comm : "?", row[i].tid);
        struct stacks sum = folded_sum(x, name);
        assert_int_equal(sum.kernel, row[i].kernel);
        assert_int_equal(sum.user, row[i].user);
        assert_int_equal(sum.idle, row[i].idle);
        assert_int_equal(sum.firmware, row[i].firmware == OSCOPE_UNKNOWN ? 0 : row[i].firmware);
        known += sum.kernel;
    }
    assert_true(tasks->nrows >= 6 && known > 0);
    assert_non_null(strstr((char *)x->data, ";kernel;openat"));
    assert_non_null(strstr((char *)x->data, ";supervisor timer interrupt"));
    assert_non_null(strstr((char *)x->data, ";irq 7 a\"b,\\c\\x0d\\x0a"));
    oscope_view_free(v);
}

static void test_folded(void **state)
{
    folded_check(*state, false);
}

static void test_folded_lost(void **state)
{
    folded_check(*state, true);
}

/* What a recording without traps tells is who ran; the rest is noted. */
static void test_folded_sched(void **state)
{
    struct export_fixture *x = *state;
    struct oscope_export_options o = fixture_options(x, "folded");

    fixture_open(x);
    fake_switch(&x->f, 0, EXPORT_START, "a;b\nc", 7, "x y", 8);
    fake_switch(&x->f, 0, EXPORT_START + 1000, "x y", 8, "a;b\nc", 7);
    fake_switch(&x->f, 0, EXPORT_START + 1500, "a;b\nc", 7, "idle", 0);
    fixture_close(x);
    assert_non_null(strstr(fixture_export(x, &o).note, "no events of: modes, traps;"));
    assert_string_equal((char *)x->data, "x y-8;not known 1000\na:b\\x0ac-7;not known 500\n");
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
        TEST(test_chrome),
        TEST(test_chrome_lost),
        TEST(test_folded),
        TEST(test_folded_lost),
        TEST(test_folded_sched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
