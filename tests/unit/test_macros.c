/* SPDX-License-Identifier: MIT */
/* symbols/macros and dwarf_macros: bodies as numbers, blocks, and macros of small C files that are
 * compiled here and now. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/util.h"
#include "symbols/dwarf.h"
#include "symbols/macros.h"

/* ---- bodies ---- */

static bool other(void *arg, const char *name, int64_t *out)
{
    *out = 7;
    return !strcmp(name, "SEVEN");
}

static void is(const char *body, int64_t value)
{
    int64_t v;

    if (!macros_eval(NULL, body, other, NULL, &v))
        fail_msg("'%s' is no number", body);
    assert_int_equal(v, value);
}

static void is_none(const char *body)
{
    int64_t v;

    if (macros_eval(NULL, body, other, NULL, &v))
        fail_msg("'%s' is %lld", body, (long long)v);
}

static void bodies(void **state)
{
    is("12", 12);
    is("0x1fUL", 0x1f);
    is(" ( 010 ) ", 8);
    is("-(3)", -3);
    is("- -3", 3);
    is("'a'", 'a');
    is("1 << 3 + 1", 16);
    is("(1<<3)|1", 9);
    is("6 ^ 3 & 1", 7);
    is("2+3*4-1", 13);
    is("20 / 3 % 4", 2);
    is("0x80000000L + 128*1024*1024", 0x88000000);
    is("SEVEN * 2", 14);
    is("0xffffffffffffffff", -1);
    is("-8 >> 1", -4);
}

static void no_numbers(void **state)
{
    static const char *const bodies_[] = {"",        "x",
                                          "1 +",     "(1",
                                          "1)",      "1 2",
                                          "1.5",     "0x",
                                          "1a",      "~0",
                                          "(int)3",  "1 / 0",
                                          "1 % 0",   "1 << 64",
                                          "1 << -1", "1 && 1",
                                          "1 || 1",  "'ab'",
                                          "'\\n'",   "1 < 2",
                                          "'",       "''",
                                          "f(1)",    "SEVEN(1)",
                                          "a.b",     "-0x8000000000000000 / -1"};

    for (size_t i = 0; i < ARRAY_SIZE(bodies_); i++)
        is_none(bodies_[i]);
}

/* ---- blocks ---- */

static struct macros *block(const char *const *definitions, unsigned *units)
{
    struct macros_builder b = {0};

    for (; *definitions; definitions++)
        macros_add(&b, units ? *units++ : 1, 10, *definitions);
    struct macros *m = macros_finish(&b, 1234);
    assert_non_null(m);
    assert_ptr_equal(macros_of(m, macros_bytes(m), 1234), m);
    return m;
}

static bool value(const struct macros *m, const char *name, int64_t *out)
{
    const char *body = macros_body(m, name);

    return body && macros_eval(m, body, NULL, NULL, out);
}

static void lookups(void **state)
{
    static const char *const d[] = {"B A + 1", "A 5",         "F(x) x",      "TEXT \"5\"",
                                    "EMPTY",   "LOOP1 LOOP2", "LOOP2 LOOP1", "C (B)",
                                    "A 6",     "LIST 1, 2",   NULL};
    struct macros *m = block(d, NULL);
    int64_t v;

    assert_true(value(m, "C", &v));
    assert_int_equal(v, 7); /* within a unit the last one counts */
    assert_false(value(m, "LOOP1", &v));
    assert_null(macros_body(m, "F"));
    assert_null(macros_body(m, "TEXT"));
    assert_null(macros_body(m, "EMPTY"));
    assert_null(macros_body(m, "LIST"));
    assert_null(macros_body(m, ""));
    assert_null(macros_body(m, "ZZ"));
    assert_false(value(m, "OPENS", &v));
    free(m);
}

/* A macro that doubles what it stands for at each step: as many steps as there is patience for. */
static void bounded(void **state)
{
    struct macros_builder b = {0};
    char text[64];
    int64_t v;

    for (int i = 0; i < 30; i++) {
        snprintf(text, sizeof text, "M%d M%d + M%d", i, i + 1, i + 1);
        macros_add(&b, 1, 1, text);
    }
    macros_add(&b, 1, 1, "M30 1");
    struct macros *m = macros_finish(&b, 0);
    assert_false(value(m, "M0", &v));
    assert_true(value(m, "M26", &v));
    assert_int_equal(v, 16);
    char deep[200];
    memset(deep, '(', 100), memset(deep + 100, ')', 99), deep[199] = '\0';
    is_none(deep);
    free(m);
}

/* What units have in different ways is nobody's. */
static void several_units(void **state)
{
    static const char *const d[] = {"A 1", "A 1", "B 1", "B 2", "B 1", "C 1", NULL};
    unsigned units[] = {1, 2, 1, 2, 3, 3};
    struct macros *m = block(d, units);

    assert_non_null(macros_body(m, "A"));
    assert_null(macros_body(m, "B"));
    assert_non_null(macros_body(m, "C"));
    assert_int_equal(macros_count(m), 2);
    free(m);
}

static void count_names(void *arg, const char *name, const char *body)
{
    strcat(arg, name);
    strcat(arg, " ");
}

static void prefixes(void **state)
{
    static const char *const d[] = {"SYS_b 2", "SYS_a 1", "SYT 9", "SY 8", "SYS_ 7", NULL};
    struct macros *m = block(d, NULL);
    char names[100] = "";

    macros_each(m, "SYS_", count_names, names);
    assert_string_equal(names, "SYS_ SYS_a SYS_b ");
    *names = '\0';
    macros_each(m, "T", count_names, names);
    assert_string_equal(names, "");
    free(m);
}

static void broken_blocks(void **state)
{
    static const char *const d[] = {"A 1", "B 2", NULL};
    struct macros *m = block(d, NULL);
    size_t n = macros_bytes(m);
    uint8_t *copy = aligned_alloc(64, 128);

    assert_true(n <= 128);
    for (size_t i = 0; i <= n; i++)
        assert_true((macros_of(m, i, 1234) != NULL) == (i == n));
    assert_null(macros_of(m, n, 1235));
    for (size_t i = 0; i < n * 8; i++) { /* a bit wrong: refused, or as good as any */
        memcpy(copy, m, n);
        copy[i / 8] ^= (uint8_t)(1 << i % 8);
        const struct macros *bad = macros_of(copy, n, 1234);
        char names[300] = "";
        if (bad)
            macros_each(bad, "", count_names, names);
    }
    free(copy);
    free(m);
}

/* ---- of files ---- */

static char dir[] = "/tmp/oscope-test-macros-XXXXXX";

static const char header[] =
    "#ifndef H\n#define H\n#define SYS_fork 1\n#define SYS_exit (SYS_fork + 1)\n"
    "#define __NR_x 0x10\nenum base { BASE = 40 };\n#define OVER (BASE + 2)\n"
    "#define MAX(a, b) ((a) > (b) ? (a) : (b))\n#endif\n";
static const char one[] = "#include \"h.h\"\n#define MINE 3\n#define DIFFERENT 1\n"
                          "enum base a = BASE; void _start(void) {}\n";
static const char two[] = "#include \"h.h\"\n#define DIFFERENT 2\nint b = SYS_exit;\n";

static void write_file(const char *name, const char *text)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static struct types *compiled(const char *cc, const char *flags)
{
    static char cmd[600];
    struct types *ts;

    snprintf(cmd, sizeof cmd, "command -v %s >/dev/null 2>&1", cc);
    if (system(cmd))
        return NULL;
    snprintf(cmd, sizeof cmd,
             "cd %s && %s %s -DLINE=77 -ffreestanding -fno-pie -nostdlib -static -Wl,-e,_start a.c "
             "b.c -o out 2>log",
             dir, cc, flags);
    if (system(cmd))
        fail_msg("'%s' failed", cmd);
    snprintf(cmd, sizeof cmd, "%s/out", dir);
    assert_null(dwarf_open(cmd, NULL, 0, &ts));
    return ts;
}

static void list(void *arg, const char *name, int64_t v, bool plain)
{
    char text[64];

    snprintf(text, sizeof text, "%s=%lld%s ", name, (long long)v, plain ? "" : "*");
    strcat(arg, text);
}

static void check_file(struct types *ts)
{
    char text[300] = "";
    int64_t v;

    assert_true(types_macro(ts, "MINE", &v));
    assert_int_equal(v, 3);
    assert_true(types_macro(ts, "OVER", &v)); /* through an enumerator */
    assert_int_equal(v, 42);
    assert_true(types_constant(ts, "BASE", &v));
    assert_true(types_constant(ts, "__NR_x", &v));
    assert_int_equal(v, 16);
    assert_true(types_macro(ts, "LINE", &v));
    assert_false(types_macro(ts, "DIFFERENT", &v));
    assert_false(types_macro(ts, "H", &v));
    assert_false(types_macro(ts, "MAX", &v));
    assert_false(types_macro(ts, "__STDC__", &v)); /* the compiler's own */
    assert_false(types_macro(ts, "linux", &v));
    assert_true(types_each_macro(ts, "SYS_", list, text));
    assert_string_equal(text, "SYS_exit=2* SYS_fork=1 ");
}

static void files(void **state)
{
    static const char *const how[][2] = {{"gcc", "-g3 -gdwarf-5"},
                                         {"gcc", "-g3 -gdwarf-4"},
                                         {"gcc", "-g3 -gdwarf-4 -gstrict-dwarf"},
                                         {"gcc", "-g3 -m32"},
                                         {"riscv64-linux-gnu-gcc", "-g3"},
                                         {"clang", "-gdwarf-4 -fdebug-macro"}};

    for (size_t i = 0; i < ARRAY_SIZE(how); i++) {
        struct types *ts = compiled(how[i][0], how[i][1]);
        if (!ts)
            continue;
        check_file(ts);
        types_free(ts);
    }
}

/* The block does as well as the file; another file's does not count. */
static void cached(void **state)
{
    struct types *ts = compiled("cc", "-g3"), *again;
    const void *data;
    size_t n;
    char path[256], text[64] = "";

    assert_true(dwarf_macros(ts, &data, &n));
    void *kept = aligned_alloc(64, ALIGN_UP(n, 64));
    memcpy(kept, data, n);
    types_free(ts);
    snprintf(path, sizeof path, "%s/out", dir);
    assert_null(dwarf_open(path, NULL, 0, &again));
    dwarf_macros_use(again, kept, n);
    assert_true(dwarf_macros(again, &data, &n));
    assert_ptr_equal(data, kept);
    check_file(again);
    types_free(again);
    assert_null(dwarf_open(path, NULL, 0, &again));
    dwarf_macros_use(again, kept, n - 1);
    check_file(again);
    types_free(again);
    ts = compiled("cc", "-g");
    dwarf_macros_use(ts, kept, n);
    assert_false(types_each_macro(ts, "SYS_", list, text));
    types_free(ts);
    free(kept);
}

static int setup(void **state)
{
    if (!mkdtemp(dir))
        return -1;
    write_file("h.h", header);
    write_file("a.c", one);
    write_file("b.c", two);
    return 0;
}

static int teardown(void **state)
{
    char cmd[128];

    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    return system(cmd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies),        cmocka_unit_test(no_numbers),
        cmocka_unit_test(lookups),       cmocka_unit_test(bounded),
        cmocka_unit_test(several_units), cmocka_unit_test(prefixes),
        cmocka_unit_test(broken_blocks), cmocka_unit_test(files),
        cmocka_unit_test(cached),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
