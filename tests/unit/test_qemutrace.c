/* SPDX-License-Identifier: MIT */
/* Lines of QEMU 10.0.2's trace log (data/qemutrace-*), following the log, and events from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/util.h"
#include "capture/qemutrace/devices.h"
#include "capture/qemutrace/indirect.h"
#include "capture/qemutrace/map.h"
#include "capture/qemutrace/sets.h"
#include "session/feed.h"
#include "trace/reader.h"

/* ---- lines ---- */

/* Parses each line of a recorded file; returns how many are events. */
static size_t parse_file(const char *name, struct qemutrace_event *out, size_t most)
{
    char path[512], line[1024];
    const char *dir = getenv("OSCOPE_TESTDATA");
    size_t n = 0;

    snprintf(path, sizeof path, "%s/%s", dir ? dir : "data", name);
    FILE *f = fopen(path, "r");
    if (!f)
        fail_msg("no %s", path);
    while (fgets(line, sizeof line, f)) {
        struct qemutrace_event e;
        enum qemutrace_line got = qemutrace_parse(line, strcspn(line, "\n"), &e);
        assert_int_not_equal(got, QEMUTRACE_BAD);
        if (got == QEMUTRACE_EVENT && n < most)
            out[n++] = e;
    }
    fclose(f);
    return n;
}

static void test_lines_of_riscv64(void **state)
{
    struct qemutrace_event e[16];

    assert_int_equal(parse_file("qemutrace-riscv64.txt", e, 16), 10); /* of 11 lines */
    assert_int_equal(e[0].kind, QEMUTRACE_MMIO);
    assert_true(e[0].write);
    assert_int_equal(e[0].thread, 31828);
    assert_int_equal(e[0].realtime, UINT64_C(1795245435050300000));
    assert_int_equal(e[0].cpu, 1);
    assert_int_equal(e[0].address, 0x2000004);
    assert_int_equal(e[0].value, 0);
    assert_int_equal(e[0].size, 4);
    assert_string_equal(e[0].name, "riscv.aclint.swi");
    assert_false(e[1].write);
    assert_int_equal(e[1].value, 0x21);
    assert_int_equal(e[4].kind, QEMUTRACE_SERIAL);
    assert_int_equal(e[4].address, 1);
    assert_int_equal(e[4].value, 7);
    assert_int_equal(e[4].cpu, -1);
    assert_false(e[5].write);
    assert_int_equal(e[8].kind, QEMUTRACE_BLK_ISSUE);
    assert_int_equal(e[8].request, UINT64_C(0x55f694be6900));
    assert_int_equal(e[8].sectors, 8);
    assert_int_equal(e[9].kind, QEMUTRACE_BLK_COMPLETE);
    assert_int_equal(e[9].request, e[8].request);
    assert_int_equal(e[9].status, 0);
}

/* Of QEMU 11.1.3: another time, no thread, other words at the serial port. */
static void test_lines_with_dates(void **state)
{
    struct qemutrace_event e[8];

    assert_int_equal(parse_file("qemutrace-riscv64-iso.txt", e, 8), 5); /* of 6 lines */
    assert_int_equal(e[0].kind, QEMUTRACE_MMIO);
    assert_int_equal(e[0].realtime, UINT64_C(1795267404528100000));
    assert_int_equal(e[0].thread, 0);
    assert_int_equal(e[0].address, 0x10000001);
    assert_int_equal(e[1].kind, QEMUTRACE_SERIAL);
    assert_true(e[1].write);
    assert_int_equal(e[1].address, 1);
    assert_int_equal(e[1].value, 0);
    assert_false(e[2].write);
    assert_int_equal(e[2].address, 5);
    assert_int_equal(e[2].value, 0x60);
    assert_int_equal(e[3].kind, QEMUTRACE_BLK_ISSUE);
    assert_int_equal(e[3].sectors, 8);
    assert_int_equal(e[4].kind, QEMUTRACE_BLK_COMPLETE);
    assert_int_equal(e[4].request, e[3].request);
}

static void test_dates(void **state)
{
    static const struct {
        const char *date;
        uint64_t seconds;
    } table[] = {
        {"1970-01-01T00:00:00", 0},
        {"2028-02-29T23:59:59", 1835481599},
        {"2100-03-01T00:00:00", 4107542400}, /* which is no leap year */
        {"2001-01-01T01:01:01", 978310861},
    };
    struct qemutrace_event e;
    char line[100];

    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        snprintf(line, sizeof line, "%s.000001Z serial_read [0x00] -> 0x00", table[i].date);
        assert_int_equal(qemutrace_parse(line, strlen(line), &e), QEMUTRACE_EVENT);
        assert_int_equal(e.realtime, table[i].seconds * 1000000000 + 1000);
    }
}

static void test_lines_of_others(void **state)
{
    struct qemutrace_event e[16];

    assert_int_equal(parse_file("qemutrace-x86_64.txt", e, 16), 8);
    assert_string_equal(e[0].name, "hpet");
    assert_int_equal(e[2].cpu, -1); /* a device's message, recorded without a time */
    assert_int_equal(e[2].realtime, 0);
    assert_int_equal(e[2].thread, 0);
    assert_int_equal(e[5].kind, QEMUTRACE_PL011);
    assert_int_equal(e[6].value, 0x4d);
    assert_true(e[6].write);
}

static enum qemutrace_line parse(const char *line, struct qemutrace_event *e)
{
    return qemutrace_parse(line, strlen(line), e);
}

static void test_broken_lines(void **state)
{
    static const char *const other[] = {
        "",
        "1@2.3",
        "riscv_trap hart:0, async:1, cause:5",
        "serial_reading x",
        "qemu-system-riscv64: warning: serial_read ",
        "12@99999999999999999999.1:serial_read read addr 0x00 val 0x00",
        "1@1.1000000:serial_read read addr 0x00 val 0x00",
        "2026-13-21T13:23:24.528100Z serial_read [0x00] -> 0x00",
        "2026-1-021T13:23:24.528100Z serial_read [0x00] -> 0x00",
        "2026-11-21T13:23:24.528100Zserial_read [0x00] -> 0x00",
        "2026-11-21T13:23:24.528100",
    };
    static const char *const bad[] = {
        "serial_read write addr 0x00 val 0x00",
        "serial_write write addr 0x val 0x00",
        "serial_write [0x00] -> 0x00",
        "serial_read [0x00 -> 0x00",
        "serial_read [0x00] -> ",
        "serial_write write addr 0x10000000000000000 val 0x00",
        "memory_region_ops_read cpu 0 mr 0x1 addr 0x1 value 0x1 size 4 name 'x",
        "memory_region_ops_read cpu 0 mr 0x1 addr 0x1 value 0x1 size 4 name ",
        "memory_region_ops_read cpu 70000 mr 0x1 addr 0x1 value 0x1 size 4 name 'x'",
        "memory_region_ops_read cpu -2 mr 0x1 addr 0x1 value 0x1 size 4 name 'x'",
        "virtio_blk_handle_read vdev 0x1 req 0x2 sector 18446744073709551616 nsectors 8",
        "virtio_blk_handle_read vdev 0x1 req 0x2 sector 1 nsectors 4294967296",
    };
    struct qemutrace_event e;
    char name[200];

    for (size_t i = 0; i < ARRAY_SIZE(other); i++)
        assert_int_equal(parse(other[i], &e), QEMUTRACE_OTHER);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(parse(bad[i], &e), QEMUTRACE_BAD);
    assert_int_equal(qemutrace_parse("serial_read read addr 0x00 val 0x0\0",
                                     sizeof "serial_read read addr 0x00 val 0x0", &e),
                     QEMUTRACE_BAD);
    /* a name with quotes in it, and one that is too long */
    assert_int_equal(
        parse("memory_region_ops_read cpu 0 mr (nil) addr 0x1 value 0x1 size 4 name 'it's'", &e),
        QEMUTRACE_EVENT);
    assert_string_equal(e.name, "it's");
    snprintf(name, sizeof name,
             "memory_region_ops_read cpu 0 mr 0x1 addr 0x1 value 0x1 size 4 name '%0100d'", 7);
    assert_int_equal(parse(name, &e), QEMUTRACE_EVENT);
    assert_int_equal(strlen(e.name), QEMUTRACE_NAME - 1);
}

/* ---- registers ---- */

static void assert_register(const char *device, uint64_t offset, bool write, const char *want)
{
    struct qemutrace_access a = {device, offset, write, true};
    char name[QEMUTRACE_REGISTER];

    qemutrace_register(&a, name);
    assert_string_equal(name, want);
}

static void test_registers(void **state)
{
    assert_register("serial", 0, false, "RBR");
    assert_register("serial", 0, true, "THR");
    assert_register("serial", 9, true, "");
    assert_register("pl011", 0x18, false, "FR");
    assert_register("riscv.sifive.plic", 4 * 33, true, "priority[33]");
    assert_register("riscv.sifive.plic", 0x1004, false, "pending[1]");
    assert_register("riscv.sifive.plic", 0x2084, true, "enable[1][1]");
    assert_register("riscv.sifive.plic", 0x201000, true, "threshold[1]");
    assert_register("riscv.sifive.plic", 0x201004, false, "claim[1]");
    assert_register("riscv.sifive.plic", 0x201004, true, "complete[1]");
    assert_register("riscv.sifive.plic", 0x201008, true, "");
    assert_register("riscv.sifive.plic", UINT64_C(1) << 40, true, "");
    assert_register("riscv.aclint.swi", 4, true, "msip[1]");
    assert_register("riscv.aclint.mtimer", 12, true, "mtimecmp[1].high");
    assert_register("riscv.aclint.mtimer", 0x7ff8, false, "mtime");
    assert_register("virtio-mmio", 0x50, true, "QueueNotify");
    assert_register("virtio-pci-common-virtio-blk", 0x14, true, "device_status");
    assert_register("virtio-pci-notify-virtio-blk", 8, true, "notify[2]");
    assert_register("goldfish_rtc", 4, false, "TIME_HIGH");
    assert_register("pcie-mmcfg-mmio", 0xfa010, false, "00:1f.2+010");
    assert_register("hpet", 0xf0, false, "MAIN_CNT");
    assert_register("hpet", 0x12c, true, "T1_COMP.high");
    assert_register("ioapic", 0x10, true, "IOWIN");
    assert_register("apic-msi", 0xb0, true, "EOI");
    assert_register("apic-msi", 0x210, false, "IRR[1]");
    assert_register("apic-msi", 0x2004, true, "message[2]");
    assert_register("virtio-mmio", 0x104, false, "config+0x4");
    assert_register("virtio-pci-device-virtio-blk", 0, false, "config+0x0");
    assert_register("msix-table", 0x1c, true, "entry[1].control");
    assert_register("pit", 3, true, "control");
    assert_register("pic", 1, true, "IMR_or_ICW2_4");
    assert_register("i8042-cmd", 0, false, "status");
    assert_register("pci-conf-idx", 0, true, "CONFIG_ADDRESS");
    assert_register("fwcfg.ctl", 0, true, "selector");
    assert_register("acpi-tmr", 0, false, "PM_TMR");
    assert_register("a device that nobody knows", 0, true, "");
}

static void assert_next(struct qemutrace_indices *x, const char *device, uint64_t offset,
                        bool write, uint64_t value, const char *want)
{
    struct qemutrace_access a = {device, offset, write, true};
    char name[QEMUTRACE_REGISTER];

    qemutrace_register_next(x, &a, value, name);
    assert_string_equal(name, want);
}

/* What lies behind an index port is named by what that was set to. */
static void test_registers_behind_an_index(void **state)
{
    struct qemutrace_indices x = {0};

    assert_next(&x, "ioapic", 0x10, false, 0, "IOWIN"); /* not known yet */
    assert_next(&x, "ioapic", 0x00, true, 0x01, "IOREGSEL");
    assert_next(&x, "ioapic", 0x10, false, 0, "IOAPICVER");
    assert_next(&x, "ioapic", 0x00, true, 0x19, "IOREGSEL");
    assert_next(&x, "ioapic", 0x10, true, 0, "redirection[4].high");
    assert_next(&x, "ioapic", 0x00, true, 0x08, "IOREGSEL");
    assert_next(&x, "ioapic", 0x10, true, 0, "IOWIN"); /* there is none */
    assert_next(&x, "rtc", 1, false, 0, "data");
    assert_next(&x, "rtc-index", 0, true, 0x8d, "index");
    assert_next(&x, "rtc", 1, false, 0, "D");
    assert_next(&x, "rtc-index", 0, true, 0x33, "index");
    assert_next(&x, "rtc", 1, true, 0, "nvram[0x33]");
    assert_next(&x, "pci-conf-idx", 0, true, 0x8000fa04, "CONFIG_ADDRESS");
    assert_next(&x, "pci-conf-data", 2, false, 0, "00:1f.2+006");
    assert_next(&x, "pci-conf-idx", 0, true, 0x04, "CONFIG_ADDRESS"); /* switched off */
    assert_next(&x, "pci-conf-data", 2, false, 0, "CONFIG_DATA");
    assert_next(&x, "ioapic", 0x40, true, 0, "EOI");
}

static const char map_text[] =
    "FlatView #0\n AS \"memory\", root: system\n Root memory region: system\n"
    "  0000000000000000-00000000000effff (prio 0, ram): pc.ram @0000000000000000 KVM\n"
    "  0000000002000000-0000000002003fff (prio 0, i/o): riscv.aclint.swi\r\n"
    "  0000000010000000-0000000010000007 (prio 0, i/o): serial\n"
    "  00000000febf0180-00000000febf03ff (prio 1, i/o): vga.mmio @0000000000000180\n"
    "\nFlatView #1\n AS \"I/O\", root: io\n"
    "  00000000000003f8-00000000000003ff (prio 0, i/o): serial\n"
    "  ffffffffffffffff-0000000000000000 (prio 0, i/o): upside down\n";

static void test_map(void **state)
{
    struct qemutrace_map *m = qemutrace_map_new(map_text);
    uint64_t offset;

    for (int again = 0; again < 2; again++) {
        assert_true(qemutrace_map_offset(m, "serial", 0x10000005, &offset));
        assert_int_equal(offset, 5);
        assert_true(qemutrace_map_offset(m, "serial", 0x3f9, &offset));
        assert_int_equal(offset, 1);
        assert_true(qemutrace_map_offset(m, "vga.mmio", 0xfebf0188, &offset));
        assert_int_equal(offset, 0x188);
        assert_true(qemutrace_map_offset(m, "riscv.aclint.swi", 0x2000004, &offset));
        assert_false(qemutrace_map_offset(m, "serial", 0x2000004, &offset));
        assert_false(qemutrace_map_offset(m, "pc.ram", 0x1000, &offset));
    }
    qemutrace_map_free(m);
    m = qemutrace_map_new("");
    assert_false(qemutrace_map_offset(m, "serial", 0, &offset));
    qemutrace_map_free(m);
}

static void test_sets(void **state)
{
    assert_int_equal(qemutrace_set("mmio"), QEMUTRACE_SET_MMIO);
    assert_int_equal(qemutrace_set("sched"), 0);
    assert_int_equal(qemutrace_points_of(0), 0);
    assert_int_equal(qemutrace_points_of(QEMUTRACE_SET_MMIO), 3);
    assert_int_equal(qemutrace_points_of(QEMUTRACE_SET_ALL), (1u << QEMUTRACE_POINTS) - 1);
}

/* ---- the log ---- */

struct log {
    char dir[64], path[96];
    int fd; /* as QEMU has it: no O_APPEND */
    time_t second;
};

static int log_setup(void **state)
{
    struct log *l = calloc(1, sizeof *l);

    str_copy(l->dir, sizeof l->dir, "/tmp/oscope-test-XXXXXX");
    assert_non_null(mkdtemp(l->dir));
    snprintf(l->path, sizeof l->path, "%s/trace-1-1.log", l->dir);
    assert_null(qemutrace_log_create(l->path));
    l->fd = open(l->path, O_WRONLY | O_TRUNC);
    assert_true(l->fd >= 0);
    l->second = time(NULL) - 1;
    *state = l;
    return 0;
}

static int log_teardown(void **state)
{
    struct log *l = *state;

    close(l->fd);
    unlink(l->path);
    rmdir(l->dir);
    free(l);
    return 0;
}

/* As QEMU would: second 1000 stands for the one before the test began. */
static void say(const struct log *l, const char *text)
{
    for (const char *at; (at = strstr(text, "@1000.")); text = at + 6)
        assert_true(dprintf(l->fd, "%.*s@%lld.", (int)(at - text), text, (long long)l->second) > 0);
    assert_int_equal(write(l->fd, text, strlen(text)), strlen(text));
}

static void test_following(void **state)
{
    const struct log *l = *state;
    struct qemutrace_source *s;
    struct qemutrace_event e;

    assert_null(qemutrace_source_open(l->path, 0, &s));
    assert_false(qemutrace_source_next(s, &e));
    say(l, "serial_write write addr 0x00 val 0x41\nsomething else\nserial_wri");
    assert_true(qemutrace_source_next(s, &e));
    assert_int_equal(e.value, 0x41);
    assert_false(qemutrace_source_next(s, &e));
    say(l, "te write addr 0x00 val 0x42\nserial_write nonsense\n");
    assert_true(qemutrace_source_next(s, &e));
    assert_int_equal(e.value, 0x42);
    assert_false(qemutrace_source_next(s, &e));
    struct qemutrace_stats st = qemutrace_source_stats(s);
    assert_int_equal(st.events, 2);
    assert_int_equal(st.other, 1);
    assert_int_equal(st.bad, 1);
    assert_int_equal(st.lost, 0);
    qemutrace_source_close(s);
}

/* A line without an end must not fill our memory, nor hide what follows. */
static void test_endless_line(void **state)
{
    const struct log *l = *state;
    struct qemutrace_source *s;
    struct qemutrace_event e;
    char filler[4096];

    memset(filler, 'x', sizeof filler - 1);
    filler[sizeof filler - 1] = '\0';
    assert_null(qemutrace_source_open(l->path, 0, &s));
    for (int i = 0; i < 100; i++)
        say(l, filler);
    assert_false(qemutrace_source_next(s, &e));
    say(l, "\nserial_write write addr 0x00 val 0x43\n");
    assert_true(qemutrace_source_next(s, &e));
    assert_int_equal(e.value, 0x43);
    qemutrace_source_close(s);
}

/* The log is kept small; who is too slow learns how much is missing and goes on with whole lines.
 */
static void test_trimming(void **state)
{
    const struct log *l = *state;
    struct qemutrace_source *s;
    struct qemutrace_event e;
    struct stat st;
    uint64_t next = 0, seen = 0;
    char line[64];

    assert_null(qemutrace_source_open(l->path, 0, &s));
    for (unsigned i = 0; i < 10000; i++) {
        snprintf(line, sizeof line, "serial_write write addr 0x00 val 0x%x\n", i);
        say(l, line);
        if (i == 100)
            for (; qemutrace_source_next(s, &e); seen++)
                assert_int_equal(e.value, next++);
    }
    assert_int_equal(seen, 101);
    qemutrace_log_trim(l->path, 64 << 10);
    assert_int_equal(stat(l->path, &st), 0);
    assert_true((uint64_t)st.st_blocks * 512 <= (64 << 10) + 2 * 4096);
    for (; qemutrace_source_next(s, &e); seen++) {
        assert_true(e.value >= next); /* none twice, none out of order */
        assert_true(seen == 101 || e.value == next);
        next = e.value + 1;
    }
    assert_int_equal(next, 10000);
    assert_true(seen > 1000 && seen < 2000);
    struct qemutrace_stats stats = qemutrace_source_stats(s);
    assert_int_equal(stats.bad, 0);
    assert_true(stats.lost > 300000 && stats.lost < (uint64_t)st.st_size - (64 << 10) + 4096);
    say(l, "serial_write write addr 0x00 val 0x7\n"); /* and the writer noticed nothing */
    assert_true(qemutrace_source_next(s, &e));
    assert_int_equal(e.value, 7);
    qemutrace_source_close(s);
}

/* ---- events ---- */

struct rig {
    struct feed *feed;
    struct trace_schema schema;
    struct trace_reader *reader;
};

static void rig_open(struct rig *r, const struct log *l, unsigned sets)
{
    static const struct feed_cpu cpus[] = {{0, 100}, {1, 101}};
    struct feed_options o = {
        .log = l->path, .sets = sets, .map = map_text, .cpus = cpus, .ncpus = 2};

    trace_schema_init(&r->schema);
    assert_null(trace_schema_add_builtin(&r->schema));
    assert_null(feed_open(&o, &r->feed));
    assert_null(
        trace_reader_open_rings(&r->reader, feed_rings(r->feed), &r->schema, TRACE_FROM_NOW));
}

static void rig_close(struct rig *r)
{
    trace_reader_close(r->reader);
    feed_close(r->feed);
    trace_schema_free(&r->schema);
}

static const struct trace_event *next_event(struct rig *r, const char *name)
{
    const struct trace_event *ev = trace_reader_next(r->reader);

    assert_non_null(ev);
    assert_string_equal(ev->type->name, name);
    return ev;
}

static uint64_t value(const struct trace_event *ev, const char *field)
{
    int i = trace_field_index(ev->type, field);

    assert_true(i >= 0);
    return trace_event_u64(ev, (unsigned)i);
}

static void pump(struct rig *r)
{
    feed_pump(r->feed);
    trace_reader_poll(r->reader, UINT64_MAX);
}

static void test_mmio_events(void **state)
{
    const struct log *l = *state;
    struct rig r;

    rig_open(&r, l, QEMUTRACE_SET_MMIO);
    say(l, "100@1000.000001:memory_region_ops_write cpu 0 mr 0x1 addr 0x2000004 value 0x1 size 4 "
           "name 'riscv.aclint.swi'\n"
           "101@1000.000003:memory_region_ops_read cpu 1 mr 0x1 addr 0x3fd value 0x60 size 1 name "
           "'serial'\n"
           "99@1000.000005:memory_region_ops_write cpu -1 mr 0x1 addr 0xfee02004 value 0x24 size 4 "
           "name 'apic-msi'\n"
           "100@1000.000006:serial_write write addr 0x00 val 0x41\n");
    pump(&r);
    const struct trace_event *ev = next_event(&r, "mmio");
    uint64_t time = ev->time;
    assert_int_equal(ev->cpu, 0);
    assert_string_equal(trace_event_str(ev, 0), "riscv.aclint.swi");
    assert_string_equal(trace_event_str(ev, 1), "msip[1]");
    assert_int_equal(value(ev, "address"), 0x2000004);
    assert_int_equal(value(ev, "offset"), 4);
    assert_int_equal(value(ev, "value"), 1);
    assert_int_equal(value(ev, "size"), 4);
    assert_int_equal(value(ev, "write"), 1);
    ev = next_event(&r, "mmio");
    assert_int_equal(ev->cpu, 1);
    assert_int_equal(ev->time - time, 2000);
    assert_string_equal(trace_event_str(ev, 1), "LSR");
    assert_false(feed_lacks_times(r.feed));
    /* where no such device is mapped: partial, and a new map is asked for */
    ev = next_event(&r, "mmio");
    assert_int_equal(ev->cpu, TRACE_CPU_NONE);
    assert_int_equal(ev->flags, WIRE_EVENT_FAULT);
    assert_true(feed_needs_map(r.feed));
    feed_set_map(r.feed, "  fee00000-feefffff (prio 4096, i/o): apic-msi\n");
    assert_false(feed_needs_map(r.feed));
    say(l, "memory_region_ops_write cpu -1 mr 0x1 addr 0xfee02004 value 0x24 size 4 name "
           "'apic-msi'\n");
    pump(&r);
    ev = next_event(&r, "mmio");
    assert_string_equal(trace_event_str(ev, 1), "message[2]");
    assert_int_equal(ev->flags, 0);
    assert_true(feed_lacks_times(r.feed));
    assert_true(ev->time <= clock_ns());
    assert_null(trace_reader_next(r.reader)); /* uart was not asked for */
    rig_close(&r);
}

static void test_uart_events(void **state)
{
    const struct log *l = *state;
    struct rig r;

    rig_open(&r, l, QEMUTRACE_SET_UART);
    say(l, "100@1000.000001:serial_write write addr 0x00 val 0x41\n"
           "100@1000.000001:serial_write write addr 0x03 val 0x83\n" /* DLAB: a divisor */
           "100@1000.000001:serial_write write addr 0x00 val 0x01\n"
           "100@1000.000001:serial_write write addr 0x03 val 0x03\n"
           "100@1000.000001:serial_write write addr 0x04 val 0x10\n" /* the port talks to itself */
           "100@1000.000001:serial_write write addr 0x00 val 0x02\n"
           "100@1000.000001:serial_write write addr 0x04 val 0x0b\n"
           "100@1000.000001:serial_read read addr 0x05 val 0x60\n" /* nothing there */
           "100@1000.000001:serial_read read addr 0x00 val 0x41\n"
           "100@1000.000001:serial_read read addr 0x05 val 0x61\n"
           "101@1000.000001:serial_read read addr 0x00 val 0x42\n"
           "100@1000.000001:pl011_write addr 0x000 value 0x00000143 reg DR\n"
           "100@1000.000001:pl011_read addr 0x018 value 0x00000090 reg FR\n");
    pump(&r);
    const struct trace_event *ev = next_event(&r, "uart_tx");
    assert_string_equal(trace_event_str(ev, 0), "16550");
    assert_int_equal(value(ev, "byte"), 0x41);
    assert_int_equal(ev->cpu, 0);
    ev = next_event(&r, "uart_rx");
    assert_int_equal(value(ev, "byte"), 0x42);
    ev = next_event(&r, "uart_tx"); /* the same microsecond, another vCPU: in order of lines */
    assert_string_equal(trace_event_str(ev, 0), "pl011");
    assert_int_equal(value(ev, "byte"), 0x43);
    assert_null(trace_reader_next(r.reader));
    assert_int_equal(trace_reader_stats(r.reader).late, 0);
    rig_close(&r);
}

static void test_blk_events(void **state)
{
    const struct log *l = *state;
    struct rig r;

    rig_open(&r, l, QEMUTRACE_SET_BLK);
    say(l, "9@1000.000001:virtio_blk_handle_read vdev 0x10 req 0x20 sector 8 nsectors 16\n"
           "9@1000.000004:virtio_blk_handle_write vdev 0x10 req 0x30 sector 0 nsectors 1\n"
           "9@1000.000011:virtio_blk_req_complete vdev 0x10 req 0x20 status 0\n"
           "9@1000.000012:virtio_blk_req_complete vdev 0x10 req 0x30 status 1\n"
           "9@1000.000013:virtio_blk_req_complete vdev 0x10 req 0x30 status 0\n");
    pump(&r);
    const struct trace_event *ev = next_event(&r, "block_rq_issue");
    assert_int_equal(ev->cpu, TRACE_CPU_NONE);
    assert_int_equal(value(ev, "sector"), 8);
    assert_int_equal(value(ev, "nr_sector"), 16);
    assert_int_equal(value(ev, "write"), 0);
    ev = next_event(&r, "block_rq_issue");
    assert_int_equal(value(ev, "write"), 1);
    ev = next_event(&r, "block_rq_complete");
    assert_int_equal(value(ev, "request"), 0x20);
    assert_int_equal(value(ev, "nr_sector"), 16);
    assert_int_equal(value(ev, "latency"), 10000);
    assert_int_equal(value(ev, "error"), 0);
    ev = next_event(&r, "block_rq_complete");
    assert_int_equal(value(ev, "error"), 1);
    assert_int_equal(value(ev, "write"), 1);
    assert_int_equal(ev->flags, 0);
    ev = next_event(&r, "block_rq_complete"); /* of which no issue was seen */
    assert_int_equal(ev->flags, WIRE_EVENT_FAULT);
    assert_int_equal(value(ev, "nr_sector"), 0);
    rig_close(&r);
}

/* More than the rings hold at once, and a change of the log: nothing is lost on the way. */
static void test_many_events(void **state)
{
    const struct log *l = *state;
    struct rig r;
    uint64_t want = 0;
    char line[80];

    rig_open(&r, l, QEMUTRACE_SET_UART);
    for (unsigned i = 0; i < 200000; i++) {
        snprintf(line, sizeof line, "100@1000.%06u:serial_write write addr 0x00 val 0x%x\n", i / 2,
                 i & 0xff);
        say(l, line);
    }
    for (size_t got = 1; got;) {
        const struct trace_event *ev;
        pump(&r);
        for (got = 0; (ev = trace_reader_next(r.reader)); got++)
            assert_int_equal(value(ev, "byte"), want++ & 0xff);
    }
    assert_int_equal(want, 200000);
    struct trace_stats st = trace_reader_stats(r.reader);
    assert_int_equal(st.lost + st.damaged + st.discarded + st.late, 0);
    assert_int_equal(feed_lost(r.feed), 0);
    assert_null(feed_switch(r.feed, l->path, (uint64_t)lseek(l->fd, 0, SEEK_CUR)));
    say(l, "serial_write write addr 0x00 val 0x7\n");
    pump(&r);
    assert_int_equal(value(next_event(&r, "uart_tx"), "byte"), 7);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_of_riscv64),
        cmocka_unit_test(test_lines_of_others),
        cmocka_unit_test(test_lines_with_dates),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_broken_lines),
        cmocka_unit_test(test_registers),
        cmocka_unit_test(test_registers_behind_an_index),
        cmocka_unit_test(test_map),
        cmocka_unit_test(test_sets),
        cmocka_unit_test_setup_teardown(test_following, log_setup, log_teardown),
        cmocka_unit_test_setup_teardown(test_endless_line, log_setup, log_teardown),
        cmocka_unit_test_setup_teardown(test_trimming, log_setup, log_teardown),
        cmocka_unit_test_setup_teardown(test_mmio_events, log_setup, log_teardown),
        cmocka_unit_test_setup_teardown(test_uart_events, log_setup, log_teardown),
        cmocka_unit_test_setup_teardown(test_blk_events, log_setup, log_teardown),
        cmocka_unit_test_setup_teardown(test_many_events, log_setup, log_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
