/* SPDX-License-Identifier: MIT */
/* cli/: what views look like, with hostile strings, narrow terminals, unknown values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <stdio.h>

#include "draw/render.h"
#include "draw/text.h"

/* ---- text ---- */

static void check_safe(const char *in, size_t n, const char *want, size_t cells, bool utf8)
{
    struct out o;

    out_init(&o, -1);
    assert_int_equal(text_safe(&o, in, n, utf8), cells);
    out_char(&o, '\0');
    assert_string_equal(o.buf, want);
    out_free(&o);
}

static void test_guest_text_is_shown_not_obeyed(void **state)
{
    check_safe("plain", 5, "plain", 5, true);
    check_safe("a\033[2Jb", 6, "a\\x1b[2Jb", 9, true);
    check_safe("\r\n\t\x7f", 4, "\\x0d\\x0a\\x09\\x7f", 16, true);
    check_safe("\xc3\xa9", 2, "\xc3\xa9", 1, true);
    check_safe("\xc3\xa9", 2, "\\xc3\\xa9", 8, false);
    check_safe("\xff\xc3", 2, "\\xff\\xc3", 8, true);
    check_safe("\xc2\x9b", 2, "\\xc2\\x9b", 8, true);           /* C1: CSI */
    check_safe("\xe2\x80\xae", 3, "\\xe2\\x80\\xae", 12, true); /* right-to-left override */
    check_safe("\xc0\xaf", 2, "\\xc0\\xaf", 8, true);           /* overlong */
    check_safe("\xed\xa0\x80", 3, "\\xed\\xa0\\x80", 12, true); /* surrogate */
    check_safe("\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80", 16, true); /* > U+10FFFF */
    check_safe("a\0b", 3, "a\\x00b", 6, true);
}

static void check_cut(const char *in, size_t cells, bool utf8, const char *want)
{
    struct out o;

    out_init(&o, -1);
    text_cut(&o, in, strlen(in), cells, utf8);
    out_char(&o, '\0');
    assert_string_equal(o.buf, want);
    out_free(&o);
}

static void test_cutting(void **state)
{
    check_cut("abcdef", 6, true, "abcdef");
    check_cut("abcdef", 5, true, "abcd\xe2\x80\xa6");
    check_cut("abcdef", 5, false, "abcd~");
    check_cut("abcdef", 1, false, "~");
    check_cut("abcdef", 0, false, "");
    check_cut("\xc3\xa9\xc3\xa9\xc3\xa9", 2, true, "\xc3\xa9\xe2\x80\xa6");
    check_cut("", 0, true, "");
}

static void test_cutting_the_front(void **state)
{
    static const char *const want[] = {"", "~", "~f", "~ef", "~def", "~cdef", "abcdef", "abcdef"};

    for (size_t cells = 0; cells < 8; cells++) {
        struct out o;
        out_init(&o, -1);
        assert_int_equal(text_cut_front(&o, "abcdef", 6, cells, false), strlen(want[cells]));
        out_char(&o, '\0');
        assert_string_equal(o.buf, want[cells]);
        out_free(&o);
    }
}

static void check_wrap(const char *in, size_t width, size_t at, size_t indent, const char *want)
{
    struct out o;

    out_init(&o, -1);
    text_wrap(&o, in, strlen(in), &(struct text_lines){width, at, indent});
    out_char(&o, '\0');
    assert_string_equal(o.buf, want);
    out_free(&o);
}

static void test_wrapping(void **state)
{
    check_wrap("one two  three", 0, 0, 0, "one two  three");
    check_wrap("one two  three", 8, 0, 0, "one two\nthree");
    check_wrap("one two three", 13, 0, 2, "one two three");
    check_wrap("one two three", 12, 0, 2, "one two\n  three");
    check_wrap("one two", 8, 6, 0, "\none two");
    check_wrap("abcdefghij k", 4, 0, 0, "abcd\nefgh\nij k");
    check_wrap("\033[1mone\033[0m two", 7, 0, 0, "\033[1mone\033[0m two");
    check_wrap("", 5, 0, 0, "");
}

static void check_json(const char *in, size_t n, const char *want)
{
    struct out o;
    json_error_t error;

    out_init(&o, -1);
    text_json(&o, in, n);
    out_char(&o, '\0');
    assert_string_equal(o.buf, want);
    json_t *parsed = json_loads(o.buf, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    assert_non_null(parsed);
    json_decref(parsed);
    out_free(&o);
}

static void test_json_strings(void **state)
{
    check_json("plain", 5, "\"plain\"");
    check_json("a\"b\\c", 5, "\"a\\\"b\\\\c\"");
    check_json("\033\n", 2, "\"\\u001b\\u000a\"");
    check_json("\xff\xc3\xa9\xc3", 4, "\"\\\\xff\xc3\xa9\\\\xc3\"");
    check_json("\0", 1, "\"\\u0000\"");
    check_json("", 0, "\"\"");
    for (int b = 0; b < 256; b++) { /* any two bytes make valid JSON */
        char in[2] = {(char)b, (char)(b * 7 + 3)};
        struct out o;
        out_init(&o, -1);
        text_json(&o, in, 2);
        json_t *parsed = json_loadb(o.buf, o.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        assert_non_null(parsed);
        json_decref(parsed);
        out_free(&o);
    }
}

static void check_number_text(void (*fn)(struct out *, uint64_t), uint64_t v, const char *want)
{
    struct out o;

    out_init(&o, -1);
    fn(&o, v);
    out_char(&o, '\0');
    assert_string_equal(o.buf, want);
    out_free(&o);
}

static void human(struct out *o, uint64_t v)
{
    text_bytes(o, v, false);
}

static void brief(struct out *o, uint64_t v)
{
    text_bytes_short(o, v, false);
}

static void test_sizes_and_times(void **state)
{
    check_number_text(human, 0, "0");
    check_number_text(human, 1, "0.0 KiB");
    check_number_text(human, 4096, "4.0 KiB");
    check_number_text(human, 1536, "1.5 KiB");
    check_number_text(human, (1 << 20) - 1, "1.0 MiB");
    check_number_text(human, 1048524, "1023.9 KiB");
    check_number_text(human, 1048525, "1.0 MiB");
    check_number_text(human, (UINT64_C(6) << 30) - (8 << 20), "6.0 GiB");
    check_number_text(human, 1 << 20, "1.0 MiB");
    check_number_text(human, UINT64_C(3) << 30, "3.0 GiB");
    check_number_text(human, UINT64_MAX - 1, "16.0 EiB");
    check_number_text(brief, 0, "0");
    check_number_text(brief, 4096, "4K");
    check_number_text(brief, 1536, "1.5K");
    check_number_text(brief, 100 << 10, "100K");
    check_number_text(brief, (1 << 20) - 1, "1M");
    check_number_text(brief, UINT64_C(1023) << 20, "1023M");
    check_number_text(brief, UINT64_C(1) << 30, "1G");
    check_number_text(brief, UINT64_MAX - 1, "16E");
    check_number_text(text_duration, 0, "0:00.000");
    check_number_text(text_duration, UINT64_C(61234567890), "1:01.234");
    check_number_text(text_duration, UINT64_C(3599999999999), "59:59.999");
    check_number_text(text_duration, UINT64_C(3600000000000), "1:00:00");
    check_number_text(text_duration, UINT64_C(90061000000000), "1d 01:01:01");
    check_number_text(out_hex, 0, "0x0");
    check_number_text(out_hex, UINT64_MAX, "0xffffffffffffffff");
    check_number_text(out_dec, UINT64_MAX, "18446744073709551615");
}

/* ---- tables ---- */

struct row {
    int32_t pid;
    uint8_t small;
    uint64_t size, address, time;
    double share;
    bool flag;
    char comm[16];
    const char *text;
    uint16_t depth;
    uint8_t consistency;
};

#define COL(member, kind, flags) OSCOPE_COLUMN(struct row, member, kind, flags, "doc")
static const struct oscope_column columns[] = {
    COL(pid, OSCOPE_INT, 0),
    COL(small, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY),
    COL(size, OSCOPE_BYTES, 0),
    COL(address, OSCOPE_HEX, OSCOPE_COL_JSON_ONLY),
    COL(time, OSCOPE_DURATION, OSCOPE_COL_JSON_ONLY),
    COL(share, OSCOPE_REAL, OSCOPE_COL_JSON_ONLY),
    COL(flag, OSCOPE_BOOLEAN, OSCOPE_COL_JSON_ONLY),
    COL(comm, OSCOPE_CHARS, OSCOPE_COL_INDENT),
    COL(text, OSCOPE_TEXT, OSCOPE_COL_ELASTIC),
    COL(depth, OSCOPE_UINT, OSCOPE_COL_JSON_ONLY),
    COL(consistency, OSCOPE_CONSISTENCY, OSCOPE_COL_JSON_ONLY),
    {0},
};

static struct row rows[] = {
    {1, 7, 4096, 0x8000, 1000, 12.5, true, "init", "/sbin/init", 0, OSCOPE_CONSISTENT},
    {-1, 255, OSCOPE_UNKNOWN, OSCOPE_UNKNOWN, OSCOPE_UNKNOWN, NAN, false, "e\033v\xff", NULL, 1,
     OSCOPE_CONSISTENT},
    {42, 0, 1 << 20, UINT64_MAX - 1, 0, 0, false, "exactly16bytes!!", "a rather long text", 1,
     OSCOPE_CONSISTENT},
};

static void draw(const struct render_options *r, size_t nrows, char *buf, size_t n)
{
    struct oscope_table t = {"rows", columns, sizeof rows[0], rows, nrows};
    static const char *const notes[] = {"something is \033missing"};
    struct oscope_view v = {"test", &t, 1, OSCOPE_CONSISTENT, notes, 1, NULL};
    struct out o, extra;

    out_init(&o, -1);
    out_init(&extra, -1);
    render_view(&o, r->term.tty ? &o : &extra, &v, r);
    assert_true(o.len < n);
    memcpy(buf, o.buf ? o.buf : "", o.len);
    buf[o.len] = '\0';
    if (!r->term.tty) {
        assert_true(extra.len > 20);
        assert_null(memchr(extra.buf, '\033', extra.len));
    }
    out_free(&o);
    out_free(&extra);
}

static void check(const struct render_options *r, const char *want)
{
    char buf[4096];

    draw(r, 3, buf, sizeof buf);
    assert_string_equal(buf, want);
}

static void test_table(void **state)
{
    check(&(struct render_options){0}, "PID     SIZE  COMM              TEXT\n"
                                       "  1  4.0 KiB  init              /sbin/init\n"
                                       "  -        -  e\\x1bv\\xff        -\n"
                                       " 42  1.0 MiB  exactly16bytes!!  a rather long text\n");
    check(&(struct render_options){.no_header = true,
                                   .exact = true,
                                   .names = (const char *const[]){"size", "small", "pid", NULL}},
          "   4096  7   1\n"
          "      -  -   -\n"
          "1048576  0  42\n");
}

static void test_narrow_terminals(void **state)
{
    struct render_options r = {.term = {.tty = true, .utf8 = true, .width = 44, .height = 24}};

    check(&r, "PID     SIZE  COMM              TEXT\n"
              "  1  4.0 KiB  init              /sbin/init\n"
              "  -        -  e\\x1bv\\xff        -\n"
              " 42  1.0 MiB  exactly16bytes!!  a rather lo\xe2\x80\xa6\n"
              "note: something is \\x1bmissing\n");
    r.term.width = 20; /* whole columns go; the elastic one stays */
    r.term.utf8 = false;
    check(&r, "PID TEXT\n"
              "  1 /sbin/init\n"
              "  - -\n"
              " 42 a rather long t~\n"
              "columns not shown:\n"
              "  size, comm;\n"
              "  --columns or a\n"
              "  wider terminal\n"
              "note: something is\n"
              "  \\x1bmissing\n");
    for (int width = 1; width < 60; width++) {
        char buf[4096];
        r.term.width = width;
        draw(&r, 3, buf, sizeof buf);
        for (char *line = buf; *line; line = strchr(line, '\n') + 1)
            assert_true(strcspn(line, "\n") <= (size_t)width);
    }
}

static void test_tree_branches(void **state)
{
    struct render_options r = {.form = RENDER_TREE,
                               .names = (const char *const[]){"pid", "comm", NULL}};

    check(&r, "PID  COMM\n"
              "  1  init\n"
              "  -  |- e\\x1bv\\xff\n"
              " 42  `- exactly16bytes!!\n");
    r.term.utf8 = true;
    check(&r, "PID  COMM\n"
              "  1  init\n"
              "  -  \xe2\x94\x9c\xe2\x94\x80 e\\x1bv\\xff\n"
              " 42  \xe2\x94\x94\xe2\x94\x80 exactly16bytes!!\n");
}

static void test_marks_only_when_needed(void **state)
{
    char buf[4096];
    struct render_options r = {.term = {.tty = true, .width = 80, .height = 24},
                               .names = (const char *const[]){"pid", NULL}};

    rows[0].consistency = OSCOPE_TORN;
    rows[1].consistency = OSCOPE_RETRIED;
    draw(&r, 3, buf, sizeof buf);
    rows[0].consistency = rows[1].consistency = OSCOPE_CONSISTENT;
    assert_string_equal(buf, "  PID\n!   1\n~   -\n   42\n1 row torn, 1 retried\n"
                             "note: something is \\x1bmissing\n");
}

static void test_json(void **state)
{
    check(
        &(struct render_options){.json = true},
        "[\n"
        "{\"pid\":1,\"small\":7,\"size\":4096,\"address\":\"0x8000\",\"time\":1000,\"share\":12.5,"
        "\"flag\":true,\"comm\":\"init\",\"text\":\"/sbin/init\",\"depth\":0,"
        "\"consistency\":\"consistent\"},\n"
        "{\"pid\":null,\"small\":null,\"size\":null,\"address\":null,\"time\":null,\"share\":null,"
        "\"flag\":false,\"comm\":\"e\\u001bv\\\\xff\",\"text\":null,\"depth\":1,"
        "\"consistency\":\"consistent\"},\n"
        "{\"pid\":42,\"small\":0,\"size\":1048576,\"address\":\"0xfffffffffffffffe\",\"time\":0,"
        "\"share\":0,\"flag\":false,\"comm\":\"exactly16bytes!!\",\"text\":\"a rather long text\","
        "\"depth\":1,\"consistency\":\"consistent\"}\n"
        "]\n");
    check(
        &(struct render_options){
            .json = true, .one_line = true, .names = (const char *const[]){"pid", NULL}},
        "[{\"pid\":1,\"consistency\":\"consistent\"},{\"pid\":null,\"consistency\":\"consistent\"},"
        "{\"pid\":42,\"consistency\":\"consistent\"}]\n");
    char buf[64];
    draw(&(struct render_options){.json = true}, 0, buf, sizeof buf);
    assert_string_equal(buf, "[]\n");
}

static void test_unknown_columns_are_named(void **state)
{
    struct oscope_table t = {"rows", columns, sizeof rows[0], rows, 0};
    struct oscope_view v = {"test", &t, 1, OSCOPE_CONSISTENT, NULL, 0, NULL};
    struct render_options r = {.names = (const char *const[]){"pid", "foo", NULL}};

    assert_string_equal(render_unknown_column(&v, &r), "foo");
    r.names = (const char *const[]){"pid", "comm", NULL};
    assert_null(render_unknown_column(&v, &r));
}

/* ---- special forms ---- */

static void check_form(enum render_form form, const struct oscope_column *cols, void *data,
                       size_t size, size_t n, const char *want)
{
    struct oscope_table t = {"t", cols, size, data, n};
    struct oscope_view v = {"test", &t, 1, OSCOPE_CONSISTENT, NULL, 0, NULL};
    struct render_options r = {.form = form};
    struct out o;

    out_init(&o, -1);
    render_view(&o, &o, &v, &r);
    out_char(&o, '\0');
    assert_string_equal(o.buf, want);
    out_free(&o);
}

static const struct oscope_column no_columns[] = {{0}};

/* A form on a terminal; no line may be wider, in any width. */
static void check_narrow(enum render_form form, const struct oscope_column *cols, void *data,
                         size_t size, size_t n, int width, const char *want)
{
    struct oscope_table t = {"t", cols, size, data, n};
    struct oscope_view v = {"test", &t, 1, OSCOPE_CONSISTENT, NULL, 0, NULL};
    struct render_options r = {.form = form, .term = {.tty = true, .height = 24}};
    struct out o;

    out_init(&o, -1);
    r.term.width = width;
    render_view(&o, &o, &v, &r);
    out_char(&o, '\0');
    assert_string_equal(o.buf, want);
    for (r.term.width = 30; r.term.width < 130; r.term.width++) {
        o.len = 0;
        render_view(&o, &o, &v, &r);
        out_char(&o, '\0');
        for (const char *s = o.buf; *s; s += strcspn(s, "\n") + 1)
            assert_true(strcspn(s, "\n") <= (size_t)r.term.width);
    }
    out_free(&o);
}

static void test_print_form(void **state)
{
    struct oscope_value v[] = {
        {"t", "struct task", 0x1000, "", 0, "t", true, 0},
        {"t.pid", "int", 0x1000, "1", 1, "pid", false, 0},
        {"t.a", "int [2]", 0x1008, "", 1, "a", true, 0},
        {"t.a[0]", "int", 0x1008, "5", 2, "[0]", false, 0},
        {"t.e", "struct e", 0x1010, "", 1, "e", true, 0},
        {"t.s", "char [4]", 0x1010, "\"x\033\"", 1, "s", false, 0},
        {"t.jump", "int", 0x1010, "2", 9, "jump", false, 0}, /* a depth nobody opened */
    };

    check_form(RENDER_PRINT, no_columns, v, sizeof v[0], 7,
               "struct task t = { /* 0x1000 */\n"
               "  .pid = 1,\n"
               "  .a = {\n"
               "    [0] = 5,\n"
               "  },\n"
               "  .e = {},\n"
               "  .s = \"x\\x1b\",\n"
               "  .jump = 2,\n"
               "}\n");
    check_form(RENDER_PRINT, no_columns, &v[1], sizeof v[0], 0, "");
    v[1].depth = 0;
    check_form(RENDER_PRINT, no_columns, &v[1], sizeof v[0], 1, "int t.pid = 1\n");
}

static void test_dmesg_form(void **state)
{
    struct oscope_log_record l[] = {
        {0, 0, 5, 0, 0, "Linux version", 0},
        {1, UINT64_C(12345678901234), 3, 0, 0, "two\nlines\n", 0},
        {2, 1000, 6, 0, 0, "\033]0;\ttitle\a", 0},
        {3, 1000, 6, 0, 0, NULL, 0},
    };

    check_form(RENDER_DMESG, no_columns, l, sizeof l[0], 4,
               "[    0.000000] Linux version\n"
               "[12345.678901] two\n"
               "[12345.678901] lines\n"
               "[    0.000001] \\x1b]0;\ttitle\\x07\n"
               "[    0.000001] \n");
}

static void test_bt_form(void **state)
{
    struct oscope_frame f[] = {
        {1, 1, "init", "sleeping", 0, 0xffffffff80001000, 0, "schedule+0x34", "fp", false, NULL, 0},
        {1, 1, "init", "sleeping", 1, 0xffffffff80002000, 0, "do_wait+0x10", "scan", true, NULL, 0},
        {7, 5, "th", "user mode", 0, 0, 0, "", "", false, NULL, OSCOPE_TORN},
    };

    check_form(RENDER_BT, no_columns, f, sizeof f[0], 3,
               "PID 1 (init), sleeping\n"
               "#0   0xffffffff80001000 schedule+0x34\n"
               "#1   0xffffffff80002000 ? do_wait+0x10\n"
               "\n"
               "PID 7 of 5 (th), user mode\n");
}

static void test_maps_form(void **state)
{
    struct oscope_vma v[] = {
        {0x10000, 0x11000, "r-xp", 0, "fe:01", 131, 4096, 4096, 0, 4096, 0, "/bin/sh", 0},
        {0x7fff00000000, 0x7fff00021000, "rw-p", 0, "00:00", 0, 0x21000, 8192, 8192, OSCOPE_UNKNOWN,
         0, "[stack]", 0},
    };

    check_form(RENDER_MAPS, no_columns, v, sizeof v[0], 2,
               "ADDRESS                   PERM OFFSET   DEV   INODE   RESIDENT       ANON       "
               "FILE  PATH\n"
               "00010000-00011000         r-xp 00000000 fe:01   131    4.0 KiB          0    "
               "4.0 KiB  /bin/sh\n"
               "7fff00000000-7fff00021000 rw-p 00000000 00:00     0    8.0 KiB    8.0 KiB          "
               "-  [stack]\n");
}

static void test_maps_on_narrow_terminals(void **state)
{
    struct oscope_vma v[] = {
        {0x7fff00000000, 0x7fff00021000, "r-xp", 0, "fe:01", 131, 0x21000, 0x21000, 0, 0x21000, 0,
         "/usr/lib/x86_64-linux-gnu/libc.so.6", 0},
    };

    check_narrow(RENDER_MAPS, no_columns, v, sizeof v[0], 1, 80,
                 "ADDRESS                   PERM OFFSET   DEV   INODE  RES ANON FILE PATH\n"
                 "7fff00000000-7fff00021000 r-xp 00000000 fe:01   131 132K    0 132K "
                 "~nu/libc.so.6\n");
    check_narrow(RENDER_MAPS, no_columns, v, sizeof v[0], 1, 40,
                 "ADDRESS                   PERM PATH\n"
                 "7fff00000000-7fff00021000 r-xp ~ibc.so.6\n"
                 "columns not shown: inode, device,\n"
                 "  offset, file, anon, resident;\n"
                 "  --columns or a wider terminal\n");
}

static void test_chain_wraps_at_words(void **state)
{
    struct oscope_pte_step s[] = {
        {2, 511, 0x81fca000, 0x81fcaff8, 0x20000401, "table", 0x80001000, OSCOPE_UNKNOWN, "V", 0},
        {1, 8, 0x80001000, 0x80001040, 0x200800ef, "leaf", 0x80200000, 2 << 20, "V R X G A D", 0},
    };

    check_narrow(RENDER_CHAIN, no_columns, s, sizeof s[0], 2, 60,
                 "level 2  table 0x81fca000 [511] = 0x0000000020000401  table\n"
                 "         -> 0x80001000  V\n"
                 "  level 1  table 0x80001000 [8] = 0x00000000200800ef  leaf\n"
                 "           -> 0x80200000, 2.0 MiB  V R X G A D\n");
}

static void test_grid_form(void **state)
{
    struct oscope_mem_cell c[66];

    for (int i = 0; i < 66; i++)
        c[i] = (struct oscope_mem_cell){.start = (uint64_t)i << 16,
                                        .bytes = 1 << 16,
                                        .end = (uint64_t)(i + 1) << 16,
                                        .owner = i == 1 ? "slab" : "free",
                                        .share = 100};
    c[65].start += 1 << 30; /* a hole */
    c[65].end += 1 << 30;
    check_narrow(RENDER_GRID, no_columns, c, sizeof c[0], 3, 32,
                 "0x0     |.s.|\none cell = 64 KiB:  . free\n  s slab\n");
    /* 64 cells fit on a standard terminal */
    check_narrow(RENDER_GRID, no_columns, c, sizeof c[0], 66, 80,
                 "0x0        |.s..............................................................|\n"
                 "0x400000   |.|\n"
                 "0x40410000 |.|\n"
                 "one cell = 64 KiB:  . free  s slab\n");
    check_form(RENDER_GRID, no_columns, c, sizeof c[0], 66,
               "0x0        |.s..............................................................|\n"
               "0x400000   |.|\n"
               "0x40410000 |.|\n"
               "one cell = 64 KiB:  . free  s slab\n");
}

/* A full disk is an error, not silence; memory stays small. */
static void test_output_errors_are_kept(void **state)
{
    struct out o;
    FILE *full = fopen("/dev/full", "w");

    if (!full)
        skip();
    out_init(&o, fileno(full));
    for (int i = 0; i < 100000; i++)
        out_str(&o, "0123456789");
    assert_false(out_flush(&o));
    assert_int_equal(o.error, ENOSPC);
    assert_true(o.cap < 1 << 20);
    out_free(&o);
    fclose(full);
}

int main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guest_text_is_shown_not_obeyed),
        cmocka_unit_test(test_cutting),
        cmocka_unit_test(test_cutting_the_front),
        cmocka_unit_test(test_wrapping),
        cmocka_unit_test(test_maps_on_narrow_terminals),
        cmocka_unit_test(test_chain_wraps_at_words),
        cmocka_unit_test(test_json_strings),
        cmocka_unit_test(test_sizes_and_times),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_narrow_terminals),
        cmocka_unit_test(test_tree_branches),
        cmocka_unit_test(test_marks_only_when_needed),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_unknown_columns_are_named),
        cmocka_unit_test(test_print_form),
        cmocka_unit_test(test_dmesg_form),
        cmocka_unit_test(test_bt_form),
        cmocka_unit_test(test_maps_form),
        cmocka_unit_test(test_grid_form),
        cmocka_unit_test(test_output_errors_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
