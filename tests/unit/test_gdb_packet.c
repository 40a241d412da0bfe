/* SPDX-License-Identifier: MIT */
/* The GDB protocol as bytes, a stub's documents, ranges of RAM; test_gdb.c has the stub. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/util.h"
#include "expect_error.h"
#include "target/gdb.h"
#include "target/gdb_packet.h"
#include "target/gdb_regs.h"

/* ---- frames ---- */

static void test_frame(void **state)
{
    char out[GDB_FRAME_MAX + 1];

    out[gdb_frame("g", out)] = '\0';
    assert_string_equal(out, "$g#67");
    out[gdb_frame("m80000000,10", out)] = '\0';
    assert_string_equal(out, "$m80000000,10#82");
    /* '}' and the byte xored with 0x20, both in the sum */
    out[gdb_frame("a#}", out)] = '\0';
    assert_string_equal(out, "$a}\x03}]#bb");

    char longest[GDB_REQUEST_MAX + 2];
    memset(longest, '#', sizeof longest);
    longest[GDB_REQUEST_MAX] = '\0';
    assert_int_equal(gdb_frame(longest, out), GDB_FRAME_MAX);
    longest[GDB_REQUEST_MAX] = '#';
    longest[GDB_REQUEST_MAX + 1] = '\0';
    assert_int_equal(gdb_frame(longest, out), 0);
}

/* What comes of text, given in pieces of `step` bytes: a letter an event, payloads in [ ]. */
static const char *decoded(const char *text, size_t n, size_t step, size_t cap)
{
    static char out[512];
    char *buf = malloc(cap); /* exact, for ASan */
    struct gdb_decoder d;
    size_t len = 0;

    gdb_decoder_init(&d, buf, cap);
    for (size_t at = 0, used; at < n; at += used) {
        enum gdb_event e = gdb_decode(&d, text + at, MIN(step, n - at), &used);
        assert_true(used <= step);
        if (e == GDB_PACKET)
            len += (size_t)snprintf(out + len, sizeof out - len, "[%s]", buf);
        else if (e != GDB_MORE)
            out[len++] = e == GDB_DAMAGED ? 'd' : e == GDB_LONG ? 'l' : e == GDB_ACK ? '+' : '-';
    }
    out[len] = '\0';
    free(buf);
    return out;
}

static void expect(const char *text, const char *want)
{
    for (size_t step = 1; step < 8; step++)
        assert_string_equal(decoded(text, strlen(text), step, 64), want);
}

static void test_decode(void **state)
{
    expect("+$OK#9a", "+[OK]");
    expect("$#00-$OK#9A", "[]-[OK]");
    expect("$OK#9b$OK#9a", "d[OK]");
    expect("$OK#zz", "d");
    expect("noise$OK#9a", "[OK]");
    expect("$a}\x03}]#bb", "[a#}]");
    expect("$}#7d", "d");        /* an escape of nothing */
    expect("$0* #7a", "[0000]"); /* the example of GDB's manual */
    expect("$0*!1#ac", "[000001]");
    expect("$* #4a", "d");     /* repeats nothing */
    expect("$0*\x1f#79", "d"); /* repeats 2 times: not to be sent */
    expect("%Stop:T05#cc$OK#9a", "[OK]");
    expect("%Stop:T05#00+$OK#9a", "+[OK]"); /* its checksum is nobody's business */
    expect("$lost$OK#9a", "[OK]");
}

static void test_decode_long(void **state)
{
    static const char bomb[] = "$0*~*~*~#c4$OK#9a";

    assert_string_equal(decoded(bomb, sizeof bomb - 1, 3, 8), "l[OK]");
    assert_string_equal(decoded("$1234567#6c", 11, 2, 8), "[1234567]");
    assert_string_equal(decoded("$12345678#a4", 12, 2, 8), "l");
}

/* ---- what may be sent ---- */

static void test_allowed(void **state)
{
    static const char *const yes[] = {
        "?",
        "g",
        "p1c1",
        "m80000000,800",
        "Hg1",
        "Hgp1.-1",

        "qfThreadInfo",
        "qsThreadInfo",
        "qThreadExtraInfo,p1.2",
        "qSupported:xmlRegisters=i386",
        "qC",
        "qXfer:features:read:target.xml:0,ffb",
        "qXfer:memory-map:read::0,100",
        "QStartNoAckMode",
        "qqemu.PhyMemMode",
        "Qqemu.PhyMemMode:1",
        "D",
        "D;1",
    };
    static const char *const no[] = {
        "",
        "G00",
        "P1=00",
        "M0,1:00",
        "X0,1:a",
        "c",
        "C05",
        "s",
        "S05",
        "k",
        "vKill;1",
        "vCont;c",
        "vCont;s",
        "vRun",
        "vFlashWrite:0:a",
        "Z0,0,4",
        "z0,0,4",
        "R00",
        "r",
        "bc",
        "i",
        "qRcmd,696e666f",
        "monitor",
        "Hc1",
        "Hg-1",
        "Hg",
        "Hg1;k",
        "p",
        "p1=00",
        "p1;k",
        "m",
        "m0",
        "m0,",
        "m0,1:00",
        "m0,1;M0,1:00",
        "mzz,1",
        "m00000000000000000,1",
        "QPassSignals:05",
        "Qqemu.PhyMemMode:2",
        "Qqemu.sstep=1",
        "qXfer:features:write:target.xml:0:a",
        "qXfer:features:read:target.xml",
        "qXfer:features:read:a:0,1:x",
        "D1",
        "D;",
        "D;1;2",
        "gg",
        "??",
        "!",
        "vFile:open:a,0,0",
        "QStartNoAckMode:",
    };

    for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
        if (!gdb_allowed(yes[i]))
            fail_msg("'%s' is not allowed", yes[i]);
    for (size_t i = 0; i < ARRAY_SIZE(no); i++)
        if (gdb_allowed(no[i]))
            fail_msg("'%s' is allowed", no[i]);
}

/* ---- answers ---- */

static void test_hex(void **state)
{
    uint8_t out[2] = {0};

    assert_int_equal(gdb_hex("0aFf", 4, out, 2), 2);
    assert_int_equal(out[0], 0x0a);
    assert_int_equal(out[1], 0xff);
    assert_int_equal(gdb_hex("", 0, out, 2), 0);
    assert_int_equal(gdb_hex("0", 1, out, 2), -1);
    assert_int_equal(gdb_hex("0g", 2, out, 2), -1);
    assert_int_equal(gdb_hex("000000", 6, out, 2), -1);
}

static void test_supported(void **state)
{
    struct gdb_features f;

    gdb_parse_supported("PacketSize=1000;qXfer:features:read+;vContSupported+", &f);
    assert_int_equal(f.packet_size, 0x1000);
    assert_true(f.target_xml && !f.no_ack && !f.memory_map);
    gdb_parse_supported("QStartNoAckMode+;qXfer:memory-map:read+;qXfer:features:read-", &f);
    assert_true(f.no_ack && f.memory_map && !f.target_xml && f.packet_size == 0);
    gdb_parse_supported("PacketSize=ffffffffffffffffffff", &f);
    assert_int_equal(f.packet_size, GDB_PACKET_MAX);
    gdb_parse_supported("PacketSize=0", &f);
    assert_int_equal(f.packet_size, 64);
    gdb_parse_supported("PacketSize=;;;", &f);
    assert_int_equal(f.packet_size, 0);
}

static void test_threads(void **state)
{
    const char *p = "1,p2.-1,ff";
    char id[GDB_THREAD_ID];

    assert_true(gdb_next_thread(&p, id));
    assert_string_equal(id, "1");
    assert_true(gdb_next_thread(&p, id));
    assert_string_equal(id, "p2.-1");
    assert_true(gdb_next_thread(&p, id));
    assert_string_equal(id, "ff");
    assert_false(gdb_next_thread(&p, id));
    assert_string_equal(p, "");
    static const char *const bad[] = {
        "", ",", "p", ",,1", "1;2", "-1x", "1111111111111111111111111111111111111111"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        p = bad[i];
        assert_false(gdb_next_thread(&p, id));
    }
}

static void test_stop(void **state)
{
    assert_int_equal(gdb_stop_kind("T05thread:1;", 12), GDB_STOP_YES);
    assert_int_equal(gdb_stop_kind("S05", 3), GDB_STOP_YES);
    assert_int_equal(gdb_stop_kind("W00", 3), GDB_STOP_GONE);
    assert_int_equal(gdb_stop_kind("X0b", 3), GDB_STOP_GONE);
    assert_int_equal(gdb_stop_kind("OK", 2), GDB_STOP_NO);
    assert_int_equal(gdb_stop_kind("Txx", 3), GDB_STOP_NO);
    assert_true(gdb_is_error("E14", 3) && gdb_is_error("E.why", 5));
    assert_false(gdb_is_error("E1", 2) || gdb_is_error("E1414", 5) || gdb_is_error("", 0));
}

/* ---- documents ---- */

/* Pairs of name and text; NULL ends. */
static struct oscope_error *fetch(void *arg, const char *annex, char **text, size_t *n)
{
    for (const char *const *file = arg; *file; file += 2) {
        if (strcmp(file[0], annex) != 0)
            continue;
        *n = strlen(file[1]);
        *text = strdup(file[1]);
        return *text ? NULL : error_nomem();
    }
    return error_new(OSCOPE_E_NOT_FOUND, "no '%s'", annex);
}

static const char *arch_of(const char *description)
{
    const char *const files[] = {"target.xml", description, NULL};
    struct gdb_regs r;

    assert_ok(gdb_xml_target(fetch, (void *)files, &r));
    const char *arch = gdb_regs_arch(&r);
    gdb_regs_free(&r);
    return arch;
}

static void test_description(void **state)
{
    static const char *const files[] = {
        "target.xml",
        "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target>"
        "<architecture>riscv:rv64</architecture><xi:include href=\"b.xml\"/>"
        "<feature name=\"org.gnu.gdb.riscv.cpu\"><reg name=\"A\" "
        "bitsize=\"64\"/></feature></target>",
        "b.xml",
        "<feature name=\"x\"><reg name=\"last\" bitsize=\"32\" regnum=\"0x1000\"/>"
        "<reg name=\"zero\" bitsize=\"64\" regnum=\"0\"/><reg name=\"one\" bitsize=\"80\"/>"
        "<reg name=\"again\" bitsize=\"64\" regnum=\"1\"/></feature>",
        NULL,
    };
    struct gdb_regs r;

    assert_ok(gdb_xml_target(fetch, (void *)files, &r));
    assert_int_equal(r.v.len, 4);
    /* sorted by number; a number given twice counts once; A follows what was included */
    assert_string_equal(r.v.data[0].name, "zero");
    assert_int_equal(r.v.data[1].num, 1);
    assert_string_equal(r.v.data[2].name, "a");
    assert_int_equal(r.v.data[2].num, 2);
    assert_int_equal(r.v.data[3].num, 0x1000);
    assert_int_equal(r.v.data[3].bytes, 4);
    assert_string_equal(r.arch, "riscv:rv64");
    assert_string_equal(r.core, "org.gnu.gdb.riscv.cpu");
    gdb_regs_free(&r);
}

static void test_arch(void **state)
{
    assert_string_equal(arch_of("<t><architecture> riscv:rv64 </architecture></t>"), "riscv64");
    assert_string_equal(arch_of("<t><architecture>i386:x86-64</architecture></t>"), "x86_64");
    assert_string_equal(arch_of("<t><architecture>i386</architecture></t>"), "i386");
    assert_string_equal(arch_of("<t><architecture>aarch64</architecture></t>"), "aarch64");
    assert_null(arch_of("<t><architecture>riscv:rv32</architecture></t>"));
    assert_null(arch_of("<t><architecture>powerpc</architecture></t>"));
    /* those that do not name it */
    assert_string_equal(arch_of("<t><reg name=\"rip\" bitsize=\"64\"/></t>"), "x86_64");
    assert_string_equal(arch_of("<t><reg name=\"eip\" bitsize=\"32\"/></t>"), "i386");
    assert_string_equal(arch_of("<t><feature name=\"org.gnu.gdb.aarch64.core\"/></t>"), "aarch64");
    assert_string_equal(arch_of("<t><feature name=\"org.gnu.gdb.riscv.cpu\">"
                                "<reg name=\"pc\" bitsize=\"64\"/></feature></t>"),
                        "riscv64");
    assert_null(arch_of("<t><feature name=\"org.gnu.gdb.riscv.cpu\">"
                        "<reg name=\"pc\" bitsize=\"32\"/></feature></t>"));
}

static void refuses(const char *description, const char *part)
{
    const char *const files[] = {"target.xml", description, NULL};
    struct gdb_regs r;

    assert_error(gdb_xml_target(fetch, (void *)files, &r), OSCOPE_E_BAD_DATA, part);
    gdb_regs_free(&r);
}

static void test_bad_descriptions(void **state)
{
    refuses("<target><xi:include href=\"target.xml\"/></target>", "file after file");
    refuses("<target>", "no element found");
    refuses("<target><reg name=\"a\"/></target>", "without a size");
    refuses("<target><reg name=\"a\" bitsize=\"0\"/></target>", "without a size");
    refuses("<target><reg name=\"a\" bitsize=\"99999999\"/></target>", "without a size");
    refuses("<target><reg name=\"a\" bitsize=\"8\" regnum=\"-1\"/></target>", "the number '-1'");
    refuses("<target><reg name=\"a\" bitsize=\"8\" regnum=\"4294967295\"/></target>", "the number");
    refuses("<!DOCTYPE t [<!ENTITY a \"b\">]><t>&a;</t>", "parsing aborted");
}

static void test_memory_map(void **state)
{
    static const char map[] = "<memory-map><memory type=\"rom\" start=\"0\" length=\"0x1000\"/>"
                              "<memory type=\"ram\" start=\"0x80000000\" length=\"0x8000000\"/>"
                              "<memory type=\"ram\" start=\"0xffffffffffff0000\" "
                              "length=\"0x10001\"/><memory type=\"ram\" start=\"x\" length=\"1\"/>"
                              "</memory-map>";
    struct gdb_ram ram[GDB_RAM_MAX];
    size_t n;

    assert_ok(gdb_xml_memory(map, sizeof map - 1, ram, &n));
    assert_int_equal(n, 1);
    assert_int_equal(ram[0].start, 0x80000000);
    assert_int_equal(ram[0].size, 0x8000000);
    assert_error(gdb_xml_memory("<", 1, ram, &n), OSCOPE_E_BAD_DATA, "memory map");
}

/* ---- ranges of RAM ---- */

static void test_ranges(void **state)
{
    struct gdb_range r;
    bool linear;

    assert_ok(gdb_range_parse("0x80000000:512M", &r, &linear));
    assert_true(r.pa == 0x80000000 && r.size == 512 << 20 && !linear);
    assert_ok(gdb_range_parse("1M:0x1000@0xffffffff80000000", &r, &linear));
    assert_true(r.pa == 1 << 20 && r.size == 0x1000 && linear && r.va == 0xffffffff80000000);
    static const char *const bad[] = {"",      "1",    "1:",    ":1",   "1:0",  "1:2x",
                                      "1:2:3", "1:2@", "1:2@z", "-1:2", "1:-2", "0:99999999999T",
                                      "a:1"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_error(gdb_range_parse(bad[i], &r, &linear), OSCOPE_E_USAGE, "range of RAM");

    struct gdb_range two[] = {{0x4000, 0x1000, 0}, {0x1000, 0x2000, 0}};
    assert_ok(gdb_ranges_check(two, 2));
    assert_int_equal(two[0].pa, 0x1000);
    two[0].size = 0x4000;
    assert_error(gdb_ranges_check(two, 2), OSCOPE_E_USAGE, "given twice");
    two[0].size = 0x10;
    assert_error(gdb_ranges_check(two, 2), OSCOPE_E_USAGE, "page");
    two[0] = (struct gdb_range){UINT64_MAX - 0xfff, 0x2000, 0};
    assert_error(gdb_ranges_check(two, 2), OSCOPE_E_USAGE, "page");
}

/* The window of the VGA, cut out of whatever covers it. */
static void cut(uint64_t pa, uint64_t size, const char *want)
{
    struct gdb_range *r = malloc(sizeof *r);
    char text[128] = "";
    size_t n = 1, len = 0;

    *r = (struct gdb_range){pa, size, 0xffff000000000000 + pa};
    assert_ok(gdb_ranges_cut(&r, &n));
    for (size_t i = 0; i < n; i++) {
        assert_true(r[i].va == 0xffff000000000000 + r[i].pa);
        len += (size_t)snprintf(text + len, sizeof text - len, "%llx-%llx ",
                                (unsigned long long)r[i].pa,
                                (unsigned long long)(r[i].pa + r[i].size));
    }
    assert_string_equal(text, want);
    free(r);
}

static void test_window(void **state)
{
    cut(0, 0x200000, "0-a0000 100000-200000 ");
    cut(0, 0xa0000, "0-a0000 ");
    cut(0x100000, 0x1000, "100000-101000 ");
    cut(0xb0000, 0x1000, "");
    cut(0xb0000, 0x60000, "100000-110000 ");
    cut(0x90000, 0x20000, "90000-a0000 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame),
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_decode_long),
        cmocka_unit_test(test_allowed),
        cmocka_unit_test(test_hex),
        cmocka_unit_test(test_supported),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_description),
        cmocka_unit_test(test_arch),
        cmocka_unit_test(test_bad_descriptions),
        cmocka_unit_test(test_memory_map),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_window),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
