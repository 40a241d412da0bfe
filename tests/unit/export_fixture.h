/* SPDX-License-Identifier: MIT */
/*
 * A recording with everything that exporters have to do with: all built-in types, system calls, a
 * type with a field of each kind, hostile strings, three vCPUs, and if wanted lost packets. Tests
 * compare what was exported with what the reader delivers of it.
 */
#ifndef EXPORT_FIXTURE_H
#define EXPORT_FIXTURE_H

#include <stdio.h>
#include <sys/stat.h>

#include "analysis/fold.h"
#include "base/clock.h"
#include "fake_trace.h"
#include "trace/record.h"

#include <oscope/export.h>

enum { EXPORT_ENTRY = TRACE_USER_FIRST, EXPORT_LEAVE, EXPORT_KINDS, EXPORT_EMPTY };
#define EXPORT_START   UINT64_C(25833852636242)
#define EXPORT_HOSTILE "a\"b,\\c\r\n\x1b[2J\xff=\xc3\xa9"
/* the same as files have it, before their own quoting */
#define EXPORT_HARMLESS "a\"b,\\c\\x0d\\x0a\\x1b[2J\\xff=\xc3\xa9"

struct export_fixture {
    struct fake_trace f;
    struct trace_recorder *rec;
    struct trace_reader *r;
    char top[32], dir[48], file[48];
    uint8_t *data; /* of the file */
    size_t len;
    uint32_t seed;
    int32_t runs[3];
};

static inline int export_setup(void **state)
{
    struct export_fixture *x = calloc(1, sizeof *x);

    fake_trace_open(&x->f, 3);
    strcpy(x->top, "/tmp/oscope-test-XXXXXX");
    if (!mkdtemp(x->top))
        return -1;
    snprintf(x->dir, sizeof x->dir, "%s/trace", x->top);
    snprintf(x->file, sizeof x->file, "%s/out", x->top);
    x->seed = 1;
    *state = x;
    return 0;
}

static inline int export_teardown(void **state)
{
    struct export_fixture *x = *state;
    char command[80];

    trace_recorder_close(x->rec);
    trace_reader_close(x->r);
    fake_trace_close(&x->f);
    free(x->data);
    snprintf(command, sizeof command, "rm -rf %s", x->top);
    int status = system(command);
    free(x);
    return status;
}

/* ---- making it ---- */

static inline void fixture_types(struct export_fixture *x)
{
    static const struct trace_field entry[] = {{"tid", TRACE_S32, 0, NULL},
                                               {"filename", TRACE_STRING, 255, NULL}};
    static const struct trace_field leave[] = {{"tid", TRACE_S32, 0, NULL},
                                               {"ret", TRACE_S64, 0, NULL}};
    static const struct trace_field kinds[] = {
        {"u8", TRACE_U8, 0, NULL},       {"u16", TRACE_U16, 0, NULL}, {"u32", TRACE_U32, 0, NULL},
        {"u64", TRACE_U64, 0, NULL},     {"s8", TRACE_S8, 0, NULL},   {"s16", TRACE_S16, 0, NULL},
        {"s32", TRACE_S32, 0, NULL},     {"s64", TRACE_S64, 0, NULL}, {"hex", TRACE_HEX, 0, NULL},
        {"text", TRACE_STRING, 64, NULL}};
    static const struct trace_type types[] = {
        {EXPORT_ENTRY, 2, "syscall_entry_openat", "syscalls", NULL, entry},
        {EXPORT_LEAVE, 2, "syscall_exit_openat", "syscalls", NULL, leave},
        {EXPORT_KINDS, ARRAY_SIZE(kinds), "my:kinds", "own", NULL, kinds},
        {EXPORT_EMPTY, 0, "my:empty", "own", NULL, NULL},
    };

    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (trace_schema_add(&x->f.schema, &types[i]))
            abort();
}

/* Bytes of an event, appended field by field. */
struct fields {
    uint8_t bytes[600];
    uint32_t n;
};

static inline void put_int(struct fields *p, uint64_t v, unsigned size)
{
    memcpy(p->bytes + p->n, &v, size);
    p->n += size;
}

static inline void put_str(struct fields *p, const char *s)
{
    memcpy(p->bytes + p->n, s, strlen(s) + 1);
    p->n += (uint32_t)strlen(s) + 1;
}

static inline uint32_t fixture_random(struct export_fixture *x, uint32_t below)
{
    x->seed = x->seed * 1103515245 + 12345;
    return (x->seed >> 8) % below;
}

static inline void fixture_switch(struct export_fixture *x, uint32_t cpu, uint64_t time)
{
    int32_t next = (int32_t)fixture_random(x, 6);
    char a[16], b[16];

    snprintf(a, sizeof a, "task-%d", x->runs[cpu]);
    snprintf(b, sizeof b, "task-%d", next);
    fake_switch(&x->f, cpu, time, next == 5 ? EXPORT_HOSTILE : a, x->runs[cpu], b, next);
    x->runs[cpu] = next;
}

/* The events that the sched set has beside switches. */
static inline uint16_t fixture_task(struct export_fixture *x, struct fields *p, unsigned which)
{
    uint64_t tid = fixture_random(x, 6), thread = fixture_random(x, 2);

    put_str(p, which % 2 ? EXPORT_HOSTILE : "name");
    switch (which % 5) {
    case 0:
    case 1:
        put_int(p, tid, 4);
        put_int(p, 20, 1);
        put_int(p, 1, 2);
        return which % 5 ? TRACE_SCHED_WAKEUP : TRACE_SCHED_WAKING;
    case 2:
        put_int(p, 1, 4);
        put_int(p, 1, 4);
        put_str(p, "child");
        put_int(p, 10 + tid, 4);
        put_int(p, thread ? 1 : 10 + tid, 4);
        return TRACE_SCHED_PROCESS_FORK;
    case 3:
        put_int(p, 10 + tid, 4);
        put_int(p, 10 + tid + thread, 4);
        return TRACE_SCHED_PROCESS_EXEC;
    default:
        put_int(p, tid, 4);
        put_int(p, (uint64_t)-3, 1);
        return TRACE_SCHED_PROCESS_EXIT;
    }
}

/* Traps, waits, system calls: begins and ends in any order. */
static inline uint16_t fixture_slice(struct export_fixture *x, struct fields *p, unsigned which)
{
    switch (which % 6) {
    case 0:
        put_int(p, 3, 4);
        put_int(p, 0x8005, 2);
        put_int(p, fixture_random(x, 2), 1);
        put_int(p, 0xffffffff80001234, 8);
        return TRACE_TRAP_ENTRY;
    case 1:
        put_int(p, 3, 4);
        put_int(p, fixture_random(x, 2), 1);
        put_int(p, 0x1234, 8);
        return TRACE_TRAP_EXIT;
    case 2: return TRACE_VCPU_IDLE;
    case 3: return TRACE_VCPU_RESUME;
    case 4:
        put_int(p, fixture_random(x, 6), 4);
        put_str(p, EXPORT_HOSTILE);
        return EXPORT_ENTRY;
    default:
        put_int(p, fixture_random(x, 6), 4);
        put_int(p, (uint64_t)-2, 8);
        return EXPORT_LEAVE;
    }
}

/* Interrupts, firmware, page faults, registers: likewise. */
static inline uint16_t fixture_more(struct export_fixture *x, struct fields *p, unsigned which)
{
    switch (which) {
    case 0:
        put_int(p, 7, 4);
        put_str(p, EXPORT_HOSTILE);
        put_int(p, 3, 4);
        return TRACE_IRQ_HANDLER_ENTRY;
    case 1:
        put_int(p, 7, 4);
        put_int(p, 1, 4);
        return TRACE_IRQ_HANDLER_EXIT;
    case 2:
    case 3:
        put_int(p, fixture_random(x, 3), 4);
        return which == 2 ? TRACE_IRQ_SOFTIRQ_ENTRY : TRACE_IRQ_SOFTIRQ_EXIT;
    case 4:
        put_int(p, 6, 2);
        put_int(p, fixture_random(x, 2), 1);
        return TRACE_FIRMWARE_ENTRY;
    case 5: put_int(p, 1, 1); return TRACE_FIRMWARE_EXIT;
    case 6:
        put_int(p, fixture_random(x, 6), 4);
        put_str(p, EXPORT_HOSTILE);
        put_int(p, 0x1000, 8);
        put_int(p, 0, 8);
        put_int(p, 0x41, 4);
        for (int i = 0; i < 3; i++)
            put_int(p, 0x1000, 8);
        put_int(p, 2, 1);
        put_str(p, EXPORT_HOSTILE);
        put_int(p, 3, 1);
        for (int i = 0; i < 5; i++)
            put_int(p, 0x1000, 8);
        return TRACE_PAGE_FAULT_ENTRY;
    case 7:
        put_int(p, fixture_random(x, 6), 4);
        put_int(p, 0x1000, 8);
        put_int(p, 0, 4);
        for (int i = 0; i < 5; i++)
            put_int(p, 0x1000, 8);
        return TRACE_PAGE_FAULT_EXIT;
    default: /* a read of a register, by a hostile name */
        put_str(p, "device");
        put_str(p, which == 8 ? EXPORT_HOSTILE : "");
        for (int i = 0; i < 3; i++)
            put_int(p, 0x10, 8);
        put_int(p, 4, 1);
        put_int(p, 0, 1);
        return TRACE_MMIO;
    }
}

static inline uint16_t fixture_own(struct fields *p, unsigned which)
{
    if (which % 2)
        return EXPORT_EMPTY;
    put_int(p, 200, 1);
    put_int(p, 60000, 2);
    put_int(p, 4000000000, 4);
    put_int(p, UINT64_MAX, 8);
    put_int(p, (uint64_t)-100, 1);
    put_int(p, (uint64_t)-30000, 2);
    put_int(p, (uint64_t)-2000000000, 4);
    put_int(p, (uint64_t)INT64_MIN, 8);
    put_int(p, 0xdeadbeef12345678, 8);
    put_str(p, EXPORT_HOSTILE);
    return EXPORT_KINDS;
}

static inline void fixture_events(struct export_fixture *x, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        uint64_t time = EXPORT_START + (uint64_t)i * 1001;
        uint32_t cpu = fixture_random(x, 3), which = fixture_random(x, 16);
        struct fields p = {.n = 0};
        uint16_t id;

        if (which < 4) {
            fixture_switch(x, cpu, time);
            continue;
        }
        if (which < 6)
            id = fixture_task(x, &p, fixture_random(x, 5));
        else
            id = which < 11   ? fixture_slice(x, &p, fixture_random(x, 6))
                 : which < 15 ? fixture_more(x, &p, fixture_random(x, 10))
                              : fixture_own(&p, fixture_random(x, 2));
        fake_trace_event(&x->f, cpu, time, id, p.bytes, p.n);
    }
}

static inline void fixture_open(struct export_fixture *x)
{
    static const struct trace_env env[] = {{"hostname", "guest"},
                                           {"sysname", "Linux"},
                                           {"kernel_release", "6.12.1"},
                                           {"architecture", "riscv64"}};
    const struct trace_rings *rings = &x->f.rings;
    struct trace_recorder_options o = {.dir = x->dir,
                                       .rings = &rings,
                                       .nrings = 1,
                                       .schema = &x->f.schema,
                                       .env = env,
                                       .nenv = ARRAY_SIZE(env),
                                       .from = TRACE_FROM_NOW};

    fixture_types(x);
    trace_clock_host(&o.clock);
    assert_null(trace_recorder_open(&x->rec, &o));
}

static inline void fixture_close(struct export_fixture *x)
{
    assert_null(trace_recorder_stop(x->rec));
    assert_null(trace_reader_open_dir(&x->r, x->dir));
}

/* With losses some packets are overwritten before they are recorded. */
static inline void fixture_fill(struct export_fixture *x, uint32_t events, bool losses)
{
    for (uint32_t i = 0; i < events;) {
        uint32_t n = losses && i % 3000 == 500 ? 5000 : 100;
        fixture_events(x, i, MIN(i + n, events));
        i += n;
        assert_null(trace_recorder_pump(x->rec));
    }
}

static inline void fixture_record(struct export_fixture *x, uint32_t events, bool losses)
{
    fixture_open(x);
    fixture_fill(x, events, losses);
    fixture_close(x);
}

/* ---- exporting it ---- */

static inline struct oscope_export_options fixture_options(struct export_fixture *x,
                                                           const char *format)
{
    return (struct oscope_export_options){
        .dir = x->dir, .format = format, .file = x->file, .fd = -1};
}

/* Reads the file that was written, 0-terminated. */
static inline void fixture_load(struct export_fixture *x)
{
    FILE *f = fopen(x->file, "rb");
    struct stat st;

    assert_non_null(f);
    assert_int_equal(fstat(fileno(f), &st), 0);
    free(x->data);
    x->len = (size_t)st.st_size;
    x->data = malloc(x->len + 1);
    assert_int_equal(fread(x->data, 1, x->len, f), x->len);
    x->data[x->len] = 0;
    fclose(f);
}

static inline struct oscope_export_result fixture_export(struct export_fixture *x,
                                                         const struct oscope_export_options *o)
{
    struct oscope_export_result result;
    struct oscope_error *err = oscope_export(o, &result);

    if (err)
        fail_msg("%s", err->message);
    fixture_load(x);
    assert_int_equal(result.bytes, x->len);
    return result;
}

/* The report's view of modes, of all the reader has; then oscope_view_free(). */
static inline struct oscope_view *modes_view(struct export_fixture *x)
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

static inline const struct oscope_table *view_table(const struct oscope_view *v, const char *name)
{
    for (size_t i = 0; i < v->ntables; i++)
        if (!strcmp(v->tables[i].name, name))
            return &v->tables[i];
    fail_msg("no table %s", name);
    return NULL;
}

static inline bool fixture_is(const struct trace_event *ev, const char *prefix)
{
    return !strncmp(ev->type->name, prefix, strlen(prefix));
}

#endif
