/* SPDX-License-Identifier: MIT */
/*
 * export/perfetto.c: what was written, taken apart by a decoder of this file's own (numbers of
 * fields from Perfetto's protos/perfetto/trace) and compared with the recording.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "export/proto.h"
#include "export/text.h"
#include "export_fixture.h"

enum { NOBODY = INT32_MAX, TRACKS = 4096, CPUS = 3 };

/* ---- decoding ---- */

struct msg {
    const uint8_t *p, *end;
};

struct field {
    unsigned n, wire;
    uint64_t v;   /* wire 0 */
    struct msg m; /* wire 2 */
};

static uint64_t varint(struct msg *m)
{
    uint64_t v = 0;

    for (unsigned shift = 0;; shift += 7) {
        assert_true(m->p < m->end && shift < 70);
        v |= shift < 64 ? (uint64_t)(*m->p & 0x7f) << shift : 0;
        if (!(*m->p++ & 0x80))
            return v;
    }
}

static bool next(struct msg *m, struct field *f)
{
    if (m->p == m->end)
        return false;
    uint64_t tag = varint(m);
    *f = (struct field){.n = (unsigned)(tag >> 3), .wire = tag & 7};
    assert_true(f->n > 0 && f->wire <= 2);
    if (f->wire == 1) { /* fixed64 */
        assert_true(m->end - m->p >= 8);
        memcpy(&f->v, m->p, 8);
        m->p += 8;
        return true;
    }
    uint64_t v = varint(m);
    if (f->wire == 0) {
        f->v = v;
        return true;
    }
    assert_true(v <= (uint64_t)(m->end - m->p));
    f->m = (struct msg){m->p, m->p + v};
    m->p += v;
    return true;
}

/* The only field of that number, or all 0 (n too). */
static struct field get(struct msg m, unsigned n)
{
    struct field f, found = {0};

    while (next(&m, &f))
        if (f.n == n) {
            assert_int_equal(found.n, 0);
            found = f;
        }
    return found;
}

static bool has(struct msg m, unsigned n)
{
    struct field f;

    while (next(&m, &f))
        if (f.n == n)
            return true;
    return false;
}

static int64_t integer(struct msg m, unsigned n)
{
    return (int64_t)get(m, n).v;
}

static void is_text(struct msg m, unsigned n, const char *raw)
{
    char text[1200];
    struct field f = get(m, n);

    export_text(text, sizeof text, raw, SIZE_MAX);
    assert_int_equal(f.wire, 2);
    assert_int_equal(f.m.end - f.m.p, strlen(text));
    assert_memory_equal(f.m.p, text, strlen(text));
}

static void test_proto(void **state)
{
    uint8_t buf[64];
    struct proto p = {buf, 0, sizeof buf, false};
    static const uint8_t expected[] = {
        0x08, 0x96, 0x01,                                    /* 1: 150, as in the specification */
        0x12, 0x07, 't',  'e',  's',  't',  'i',  'n',  'g', /* 2: "testing" */
        0x1a, 0x83, 0x00, 0x08, 0x96, 0x01,                  /* 3: {1: 150}, its length padded */
        0xd0, 0x07, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, /* 122: -2 */
    };

    (void)state;
    proto_uint(&p, 1, 150);
    proto_bytes(&p, 2, "testing", 7);
    size_t at = proto_open(&p, 3);
    proto_uint(&p, 1, 150);
    proto_close(&p, at);
    proto_int(&p, 122, -2);
    assert_int_equal(p.len, sizeof expected);
    assert_memory_equal(buf, expected, sizeof expected);
    proto_bytes(&p, 1, expected, 40);
    assert_true(p.full);
    assert_int_equal(p.len, sizeof expected);
}

/* ---- what was exported ---- */

struct seen_event {
    uint64_t time;
    uint32_t cpu;
    struct msg m;    /* of the ftrace event */
    unsigned type;   /* its number in FtraceEvent */
    uint32_t common; /* FtraceEvent.pid */
};

struct seen {
    struct seen_event *events; /* ftrace's, in the order of each CPU */
    size_t n;
    struct seen_event *points; /* TrackEvents with an event's fields, likewise */
    size_t npoints;
    uint64_t uuid[TRACKS], depth[TRACKS], time[TRACKS];
    bool counter[TRACKS];
    uint64_t counts, irqs[CPUS], softirqs[CPUS];
    size_t ntracks;
    uint8_t names[EXPORT_EMPTY + 8]; /* EventName iids that were interned */
    uint64_t lost_bundles, lost_points, entries, overrun, newtasks, forks;
    bool system, clocks;
};

static size_t track(struct seen *s, uint64_t uuid)
{
    for (size_t i = 0; i < s->ntracks; i++)
        if (s->uuid[i] == uuid)
            return i;
    fail_msg("a track that was not described");
    return 0;
}

static void see_descriptor(struct seen *s, struct msg m)
{
    struct field thread = get(m, 4);

    assert_true(s->ntracks < TRACKS);
    s->counter[s->ntracks] = get(m, 8).n;
    s->uuid[s->ntracks++] = (uint64_t)integer(m, 1);
    assert_true(get(m, 2).n || (get(thread.m, 1).n && get(thread.m, 2).n));
    if (get(m, 5).n)
        track(s, (uint64_t)integer(m, 5));
}

static void see_interned(struct seen *s, struct msg m)
{
    struct field f;

    while (next(&m, &f))
        if (f.n == 2)
            s->names[integer(f.m, 1)] = 1;
}

static void see_track_event(struct seen *s, uint64_t time, struct msg m)
{
    size_t t = track(s, (uint64_t)integer(m, 11));
    int64_t type = integer(m, 9);
    bool fields = has(m, 4) || has(m, 10);

    assert_true(type >= 1 && type <= 4);
    assert_int_equal(type == 4, s->counter[t]);
    if (type == 4) {
        struct field value = get(m, 44);
        double percent;
        memcpy(&percent, &value.v, sizeof percent);
        assert_true(value.wire == 1 && percent >= 0 && percent <= 100);
        s->counts++;
        return;
    }
    if (type == 2)
        assert_true(s->depth[t]-- > 0);
    s->depth[t] += type == 1;
    assert_true(time >= s->time[t]);
    s->time[t] = time;
    assert_true(type == 2 || !!get(m, 23).n != !!get(m, 10).n);
    if (get(m, 10).n)
        assert_int_equal(s->names[integer(m, 10)], 1);
    struct field name = get(m, 23);
    if (name.n && name.m.end - name.m.p == 11 && !memcmp(name.m.p, "events lost", 11))
        s->lost_points++;
    else if (type == 1 || type == 3 || fields)
        s->points[s->npoints++] = (struct seen_event){.time = time, .m = m, .type = (unsigned)type};
}

static void see_bundle(struct seen *s, struct msg m)
{
    struct field f, e;
    struct field cpu = get(m, 1);

    assert_true(cpu.n && cpu.v < CPUS);
    s->lost_bundles += get(m, 3).v;
    while (next(&m, &f)) {
        if (f.n != 2)
            continue;
        struct seen_event *ev = &s->events[s->n++];
        struct msg event = f.m;
        *ev = (struct seen_event){.time = get(event, 1).v, .cpu = (uint32_t)cpu.v};
        assert_int_equal(get(event, 2).n, 2); /* Perfetto gives the file up without it */
        ev->common = (uint32_t)get(event, 2).v;
        while (next(&event, &e))
            if (e.wire == 2) {
                ev->m = e.m;
                ev->type = e.n;
            }
        s->newtasks += ev->type == 235;
        s->irqs[cpu.v] += ev->type == 36;
        s->softirqs[cpu.v] += ev->type == 24;
        if (ev->type == 37)
            assert_true(s->irqs[cpu.v]-- > 0);
        if (ev->type == 25)
            assert_true(s->softirqs[cpu.v]-- > 0);
        /* beside sched_process_fork; and what is on other tracks, too */
        s->n -=
            ev->type == 235 || ev->type == 36 || ev->type == 37 || ev->type == 24 || ev->type == 25;
    }
}

static void see_stats(struct seen *s, struct msg m)
{
    struct msg cpu = get(m, 2).m;

    if (integer(m, 1) == 2) {
        s->entries += (uint64_t)integer(cpu, 2);
        s->overrun += (uint64_t)integer(cpu, 3);
    } else {
        assert_int_equal(integer(cpu, 2), 0);
    }
}

static void see_system(struct seen *s, struct msg m)
{
    s->system = true;
    is_text(m, 17, "guest");
    is_text(get(m, 1).m, 1, "Linux");
    is_text(get(m, 1).m, 3, "6.12.1");
    is_text(get(m, 1).m, 4, "riscv64");
}

static void see(struct export_fixture *x, struct seen *s)
{
    struct msg file = {x->data, x->data + x->len};
    struct field packet, f;

    /* none takes fewer bytes than 8 */
    s->events = calloc(x->len / 8, sizeof *s->events);
    s->points = calloc(x->len / 8, sizeof *s->points);
    while (next(&file, &packet)) {
        uint64_t time = get(packet.m, 8).v;
        assert_int_equal(packet.n, 1);
        assert_int_equal(get(packet.m, 10).v, 1);
        while (next(&packet.m, &f)) {
            if (f.wire != 2)
                continue;
            switch (f.n) {
            case 1: see_bundle(s, f.m); break;
            case 2:
            case 6: s->clocks |= f.n == 6; break;
            case 11: see_track_event(s, time, f.m); break;
            case 12: see_interned(s, f.m); break;
            case 34: see_stats(s, f.m); break;
            case 45: see_system(s, f.m); break;
            case 60: see_descriptor(s, f.m); break;
            default: fail_msg("packet with field %u", f.n);
            }
        }
    }
    assert_true(s->system && s->clocks);
}

/* ---- comparing ---- */

static void same_switch(const struct seen_event *e, const struct trace_event *ev)
{
    is_text(e->m, 1, trace_event_str(ev, 0));
    assert_int_equal(integer(e->m, 2), trace_event_s64(ev, 1));
    assert_int_equal(integer(e->m, 3), trace_event_s64(ev, 2) + 100);
    assert_int_equal(integer(e->m, 4), trace_event_s64(ev, 3));
    is_text(e->m, 5, trace_event_str(ev, 4));
    assert_int_equal(integer(e->m, 6), trace_event_s64(ev, 5));
    assert_int_equal(integer(e->m, 7), trace_event_s64(ev, 6) + 100);
    assert_int_equal(e->common, trace_event_s64(ev, 1));
}

static void same_task(const struct seen_event *e, const struct trace_event *ev)
{
    static const struct {
        const char *name;
        unsigned type;
        struct {
            unsigned field; /* in the message; 0: no more */
            int from;       /* in the event */
            int more;
        } is[4];
    } types[] = {
        {"sched_waking", 20, {{1, 0, 0}, {2, 1, 0}, {3, 2, 100}, {5, 3, 0}}},
        {"sched_wakeup", 17, {{1, 0, 0}, {2, 1, 0}, {3, 2, 100}, {5, 3, 0}}},
        {"sched_process_fork", 239, {{1, 0, 0}, {2, 1, 0}, {3, 3, 0}, {4, 4, 0}}},
        {"sched_process_exec", 237, {{1, 0, 0}, {2, 1, 0}, {3, 2, 0}}},
        {"sched_process_exit", 238, {{1, 0, 0}, {2, 1, 0}, {4, 2, 100}}},
    };

    for (size_t t = 0; t < ARRAY_SIZE(types); t++) {
        if (strcmp(types[t].name, ev->type->name) != 0)
            continue;
        assert_int_equal(e->type, types[t].type);
        for (int i = 0; i < 4 && types[t].is[i].field; i++) {
            unsigned from = (unsigned)types[t].is[i].from, field = types[t].is[i].field;
            if (ev->type->fields[from].kind == TRACE_STRING)
                is_text(e->m, field, trace_event_str(ev, from));
            else
                assert_int_equal(integer(e->m, field),
                                 trace_event_s64(ev, from) + types[t].is[i].more);
        }
        return;
    }
    fail_msg("%s among the ftrace events", ev->type->name);
}

/* A CPU's events have the recording's order; between them only what closes a gap. */
struct lane {
    size_t at; /* next of s->events to look at */
    uint64_t time;
    bool known;
    int64_t runs;
    uint64_t made; /* switches that no event says */
};

static const struct seen_event *lane_next(struct seen *s, struct lane *l, uint32_t cpu)
{
    for (; l->at < s->n; l->at++) {
        const struct seen_event *e = &s->events[l->at];
        if (e->cpu != cpu)
            continue;
        assert_true(e->time >= l->time);
        l->time = e->time;
        if (e->type != 4) {
            assert_int_equal(e->common, l->known ? l->runs : NOBODY);
            break;
        }
        assert_true(!l->known || integer(e->m, 2) == l->runs);
        l->known = true;
        l->runs = integer(e->m, 6);
        if (integer(e->m, 2) != NOBODY && integer(e->m, 6) != NOBODY)
            break;
        l->made++;
    }
    return l->at < s->n ? &s->events[l->at++] : NULL;
}

static const char *slice_name(const struct trace_event *ev)
{
    static const struct {
        const char *type, *name;
    } names[] = {
        {"trap", "supervisor timer interrupt"},
        {"syscall", "openat"},
        {"vcpu", "idle"},
        {"firmware", "firmware: store/AMO address misaligned"},
        {"irq_handler", "irq 7 " EXPORT_HOSTILE},
        {"page_fault", "page fault: write heap"},
    };
    static const char *const softirqs[] = {"softirq hi", "softirq timer", "softirq net_tx"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (fixture_is(ev, names[i].type))
            return names[i].name;
    return softirqs[trace_event_u64(ev, 0)];
}

/* The fields of an event as annotations. */
static void same_point(const struct seen_event *e, const struct trace_event *ev)
{
    static const unsigned value[TRACE_KINDS] = {3, 3, 3, 3, 4, 4, 4, 4, 7, 6};
    struct msg m = e->m;
    unsigned i = 0;
    struct field f;

    assert_int_equal(e->time, ev->time);
    while (next(&m, &f)) {
        if (f.n != 4 || has(f.m, 10)) /* has a name of its own */
            continue;
        assert_true(i < ev->type->nfields);
        assert_int_equal(integer(f.m, 1), (uint64_t)ev->type->id * TRACE_FIELDS + i + 1);
        enum trace_kind kind = ev->type->fields[i].kind;
        if (kind == TRACE_STRING)
            is_text(f.m, value[kind], trace_event_str(ev, i));
        else
            assert_true(get(f.m, value[kind]).n &&
                        integer(f.m, value[kind]) == trace_event_s64(ev, i));
        i++;
    }
    assert_int_equal(i, ev->type->nfields);
    if (e->type == 3 && fixture_is(ev, "mmio"))
        is_text(e->m, 23, *trace_event_str(ev, 1) ? "read " EXPORT_HOSTILE : "read 0x10");
    else if (e->type == 3)
        assert_int_equal(integer(e->m, 10), ev->type->id + 1u);
    if (e->type == 1)
        is_text(e->m, 23, slice_name(ev));
}

/* Ends of vcpu_resume have no fields, so that they look as if no event said them. */
static bool bare_end(const struct trace_event *ev, const struct seen *s, size_t at)
{
    return fixture_is(ev, "vcpu_resume") &&
           (at == s->npoints || s->points[at].time != ev->time || s->points[at].type != 3);
}

static void perfetto_check(struct export_fixture *x, bool losses)
{
    struct oscope_export_options o = fixture_options(x, "perfetto");
    struct seen *s = calloc(1, sizeof *s);
    struct lane lanes[CPUS] = {{0}};
    const struct trace_event *ev;
    uint64_t gaps = 0, n = 0, forks = 0, made = 0;
    size_t at = 0;

    fixture_record(x, 14000, losses);
    struct oscope_export_result result = fixture_export(x, &o);
    see(x, s);
    while ((ev = trace_reader_next(x->r))) {
        n++;
        gaps += ev->gap;
        forks += fixture_is(ev, "sched_process_fork");
        if (fixture_is(ev, "sched")) {
            const struct seen_event *e = lane_next(s, &lanes[ev->cpu], ev->cpu);
            assert_non_null(e);
            assert_int_equal(e->time, ev->time);
            if (fixture_is(ev, "sched_switch"))
                same_switch(e, ev);
            else
                same_task(e, ev);
        } else if (!bare_end(ev, s, at)) {
            assert_true(at < s->npoints);
            same_point(&s->points[at++], ev);
        }
    }
    for (uint32_t cpu = 0; cpu < CPUS; cpu++) {
        assert_null(lane_next(s, &lanes[cpu], cpu));
        made += lanes[cpu].made;
    }
    assert_int_equal(at, s->npoints);
    assert_int_equal(result.events, n);
    assert_int_equal(s->entries, n);
    assert_int_equal(s->newtasks, forks);
    assert_true(s->counts > 0);
    assert_int_equal(s->lost_points, gaps);
    assert_int_equal(s->overrun, trace_reader_stats(x->r).lost);
    if (losses)
        assert_true(gaps > 2 && made > gaps && s->lost_bundles > 0);
    else
        assert_true(gaps == 0 && made == 0 && s->lost_bundles == 0);
    free(s->events);
    free(s->points);
    free(s);
}

static void test_perfetto(void **state)
{
    perfetto_check(*state, false);
}

static void test_perfetto_lost(void **state)
{
    perfetto_check(*state, true);
}

/* ---- what no guest of ours writes ---- */

static void put_type(struct export_fixture *x, uint16_t id, const char *name, enum trace_kind kind)
{
    const struct trace_field field = {"tid", kind, kind == TRACE_STRING ? 8 : 0, NULL};
    const struct trace_type type = {id, 1, name, NULL, NULL, &field};

    assert_null(trace_schema_add(&x->f.schema, &type));
}

/* Overwrites a field of the header of each packet of a vCPU's file. */
static void patch(struct export_fixture *x, const char *channel, size_t at, uint32_t value)
{
    char path[96];

    snprintf(path, sizeof path, "%s/%s", x->dir, channel);
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    long size = ftell(f);
    for (long i = 0; i < size; i += FAKE_PACKET) {
        fseek(f, i + (long)at, SEEK_SET);
        assert_int_equal(fwrite(&value, sizeof value, 1, f), 1);
    }
    fclose(f);
}

/*
 * Types that have the names of known ones but not their fields, and vCPUs with numbers beyond all
 * bounds (Perfetto gives a file up for an ftrace event of CPU 1024) become points.
 */
static void test_strange(void **state)
{
    struct export_fixture *x = *state;
    struct oscope_export_options o = fixture_options(x, "perfetto");
    struct seen *s = calloc(1, sizeof *s);
    uint64_t beyond = 0, expected = 0;
    const struct trace_event *ev;

    put_type(x, EXPORT_EMPTY + 1, "syscall_entry_", TRACE_STRING);
    put_type(x, EXPORT_EMPTY + 2, "syscall_exit_dup", TRACE_STRING);
    put_type(x, EXPORT_EMPTY + 3, "syscall_entry_dup", TRACE_U8);
    fixture_open(x);
    fixture_fill(x, 3000, false);
    for (uint16_t i = 1; i <= 3; i++)
        fake_trace_event(&x->f, 0, EXPORT_START + 4000000 + i, EXPORT_EMPTY + i, "7", 2 - i / 3);
    assert_null(trace_recorder_stop(x->rec));
    patch(x, "channel_2", offsetof(struct wire_packet, cpu_id), 4000000000);
    assert_null(trace_reader_open_dir(&x->r, x->dir));
    while ((ev = trace_reader_next(x->r)))
        expected += ev->cpu == 4000000000;
    assert_int_equal(trace_reader_stats(x->r).damaged, 0);
    assert_true(fixture_export(x, &o).events > 3000);
    see(x, s); /* all bundles are of CPUs that there are */
    for (size_t i = 0; i < s->npoints; i++) {
        struct msg m = s->points[i].m;
        struct field f;
        while (next(&m, &f))
            beyond += f.n == 4 && has(f.m, 10) && integer(f.m, 3) == 4000000000;
    }
    assert_true(expected > 500);
    assert_int_equal(beyond, expected);
    free(s->events);
    free(s->points);
    free(s);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, export_setup, export_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_proto),
        TEST(test_perfetto),
        TEST(test_perfetto_lost),
        TEST(test_strange),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
