/* SPDX-License-Identifier: MIT */
/*
 * symbols/dwarf and symbols/elfsyms on small C files compiled here and now, by every compiler of
 * the machine that can (gcc, clang, the riscv64 and arm64 cross compilers), as DWARF 4 and 5. What
 * the compiler itself says of a layout (offsetof, sizeof) is stored in the file's data and
 * compared.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/util.h"
#include "symbols/dwarf.h"
#include "symbols/elfsyms.h"

static char dir[] = "/tmp/oscope-test-dwarf-XXXXXX";

static const char source[] =
    "typedef unsigned int u32; typedef unsigned long u64;\n"
    "struct list_head { struct list_head *next, *prev; };\n"
    "enum state { RUNNING, SLEEPING = 2, DEAD = -7 };\n"
    "enum { ANON_ONE = 41, ANON_TWO } anon = ANON_TWO;\n"
    "enum wide { WIDE = 0x123456789abcdef };\n"
    "struct hidden;\n"
    "struct task_struct {\n"
    "  int pid; u32 low : 3, mid : 7, high : 22; char comm[16]; struct list_head tasks;\n"
    "  union { u64 whole; struct { u32 a, b; }; }; enum state state; _Bool on;\n"
    "  int grid[3][5]; const volatile u64 *counter; int (*fn)(int, void *); struct hidden *h;\n"
    "  enum wide wide; double d; void *restrict p; u32 flex[]; };\n"
    "struct task_struct init_task = { .pid = 1 };\n"
    "static struct { int n; } local_only[4]; u64 use(void) { return (u64)&local_only; }\n"
    "extern int declared[]; int *where(void) { return declared; }\n"
    "#define OFF(m) __builtin_offsetof(struct task_struct, m)\n"
    "const u64 answers[] = { sizeof(struct task_struct), OFF(comm), OFF(tasks.prev), OFF(b),\n"
    "  OFF(state), OFF(grid[2][4]), OFF(flex), OFF(wide) };\n"
    "void _text(void) {} void _start(void) {}\n";
static const char second[] =
    "int declared[9]; struct hidden { int x; }; struct hidden hid;\n"
    "static int local_func(void) { return 1; } int (*keep)(void) ="
    " local_func; __attribute__((weak)) int weak_one(void) { return 2; }\n";

static void write_file(const char *name, const char *text)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* Builds dir/out from the sources; false when there is no such compiler. */
static bool compile(const char *cc, const char *flags, const char *out)
{
    char cmd[1024];

    snprintf(cmd, sizeof cmd, "command -v %s >/dev/null 2>&1", cc);
    if (system(cmd))
        return false;
    snprintf(cmd, sizeof cmd,
             "cd %s && %s %s -ffreestanding -fno-pie -nostdlib -static -Wl,--build-id -Wl,-e,_start"
             " a.c b.c -o %s 2>%s.log",
             dir, cc, flags, out, out);
    if (system(cmd))
        fail_msg("'%s' failed: see %s/%s.log", cmd, dir, out);
    return true;
}

static const char *path_of(const char *name)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static int setup(void **state)
{
    if (!mkdtemp(dir))
        return -1;
    write_file("a.c", source);
    write_file("b.c", second);
    return 0;
}

static int teardown(void **state)
{
    char cmd[256];

    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    return system(cmd);
}

static void check(struct oscope_error *err)
{
    if (err)
        fail_msg("%s", err->message);
}

/* The compiler's own answers, read from the file's data through its symbol table. */
static void read_answers(const char *name, uint64_t answers[8])
{
    char cmd[512], line[64];

    snprintf(cmd, sizeof cmd, "readelf -sW %s | awk '$8 == \"answers\" {print $2, $7}'",
             path_of(name));
    FILE *p = popen(cmd, "r");
    assert_non_null(p);
    assert_non_null(fgets(line, sizeof line, p));
    pclose(p);
    uint64_t addr = strtoull(line, NULL, 16), va, off, size;
    snprintf(cmd, sizeof cmd, "readelf -lW %s | awk '$1 == \"LOAD\" {print $3, $2, $5}'",
             path_of(name));
    p = popen(cmd, "r");
    bool found = false;
    while (fgets(line, sizeof line, p)) {
        char *end;
        va = strtoull(line, &end, 0);
        off = strtoull(end, &end, 0);
        size = strtoull(end, &end, 0);
        if (addr < va || addr - va >= size)
            continue;
        int fd = open(path_of(name), O_RDONLY);
        found = pread(fd, answers, 64, (off_t)(off + addr - va)) == 64;
        close(fd);
    }
    pclose(p);
    assert_true(found);
}

static uint64_t offset_of(struct types *ts, const char *path)
{
    struct type_place p;

    if (!types_member(ts, "struct task_struct", path, &p))
        fail_msg("no member '%s'", path);
    return p.offset;
}

static void check_layout(struct types *ts, const uint64_t a[8])
{
    assert_int_equal(types_size(ts, "struct task_struct"), a[0]);
    assert_int_equal(offset_of(ts, "comm"), a[1]);
    assert_int_equal(offset_of(ts, "tasks.prev"), a[2]);
    assert_int_equal(offset_of(ts, "b"), a[3]);
    assert_int_equal(offset_of(ts, "state"), a[4]);
    assert_int_equal(offset_of(ts, "grid[2][4]"), a[5]);
    assert_int_equal(offset_of(ts, "flex"), a[6]);
    assert_int_equal(offset_of(ts, "wide"), a[7]);
}

static void check_members(struct types *ts)
{
    struct type_place p;
    char buf[80];

    assert_true(types_member(ts, "task_struct", "mid", &p));
    assert_int_equal(p.offset * 8 + p.bit_offset, 32 + 3);
    assert_int_equal(p.bit_size, 7);
    assert_int_equal(p.size, 2);
    assert_true(types_member(ts, "task_struct", "comm[2]", &p));
    assert_int_equal(p.type->kind, TYPE_INT);
    assert_true(p.type->is_char);
    assert_true(types_member(ts, "task_struct", "on", &p));
    assert_true(type_strip(p.type)->is_bool);
    assert_true(types_member(ts, "task_struct", "grid", &p));
    assert_string_equal(type_format(p.type, buf, sizeof buf), "int [3][5]");
    assert_int_equal(p.size, 60);
    assert_false(types_member(ts, "task_struct", "grid[3]", &p));
    assert_false(types_member(ts, "task_struct", "grid[0][5]", &p));
    assert_true(types_member(ts, "task_struct", "counter", &p));
    /* gcc writes volatile const, clang const volatile */
    type_format(p.type, buf, sizeof buf);
    assert_true(!strcmp(buf, "volatile const u64 *") || !strcmp(buf, "const volatile u64 *"));
    assert_true(types_member(ts, "task_struct", "fn", &p));
    assert_string_equal(type_format(p.type, buf, sizeof buf), "int (*)()");
    assert_true(types_member(ts, "task_struct", "p", &p));
    assert_string_equal(type_format(p.type, buf, sizeof buf), "void *");
    assert_true(types_member(ts, "task_struct", "d", &p));
    assert_int_equal(p.type->kind, TYPE_FLOAT);
    /* only declared here: the definition of the other unit is found by name */
    assert_true(types_member(ts, "task_struct", "h", &p));
    assert_int_equal(type_ref(p.type)->kind, TYPE_FWD);
    assert_int_equal(types_define(ts, type_ref(p.type))->kind, TYPE_STRUCT);
    assert_int_equal(types_size(ts, "struct hidden"), 4);
}

static void check_names(struct types *ts)
{
    int64_t v;
    char buf[80];

    assert_true(types_enum(ts, "state", "DEAD", &v));
    assert_int_equal(v, -7);
    assert_true(types_enum(ts, NULL, "SLEEPING", &v));
    assert_int_equal(v, 2);
    assert_true(types_enum(ts, NULL, "ANON_TWO", &v));
    assert_int_equal(v, 42);
    assert_true(types_enum(ts, NULL, "WIDE", &v));
    assert_int_equal(v, 0x123456789abcdef);
    assert_false(types_enum(ts, NULL, "NOPE", &v));
    assert_string_equal(type_enum_name(types_find(ts, "enum state"), -7), "DEAD");
    assert_string_equal(type_format(types_variable(ts, "init_task"), buf, sizeof buf),
                        "struct task_struct");
    assert_int_equal(types_variable(ts, "local_only")->count, 4);
    /* the definition, with its bound, wins over the other unit's declaration */
    assert_int_equal(types_variable(ts, "declared")->count, 9);
    assert_null(types_variable(ts, "task_struct"));
    assert_int_equal(types_find(ts, "u64")->kind, TYPE_TYPEDEF);
    assert_int_equal(types_find(ts, "unsigned long")->size, 8);
    assert_null(types_find(ts, "struct nope"));
}

static void check_index(const char *name, const uint64_t answers[8], struct types *ts)
{
    const void *index;
    struct types *again;
    size_t n;

    dwarf_index(ts, &index, &n);
    void *copy = malloc(n);
    memcpy(copy, index, n);
    check(dwarf_open(path_of(name), copy, n, &again));
    check_layout(again, answers);
    check_names(again);
    types_free(again);
    struct oscope_error *err = dwarf_open(path_of(name), copy, n - 8, &again);
    assert_int_equal(err->code, OSCOPE_E_BAD_DATA);
    oscope_error_free(err);
    /* offsets that lead anywhere: no answer or some answer, no crash */
    for (size_t i = 20; i < n; i += 8)
        ((uint32_t *)copy)[i / 4] += 5;
    check(dwarf_open(path_of(name), copy, n, &again));
    types_size(again, "struct task_struct");
    types_variable(again, "init_task");
    types_free(again);
    free(copy);
}

static void test_compilers(void **state)
{
    static const struct {
        const char *cc, *flags;
    } cases[] = {
        {"cc", "-g"},
        {"cc", "-gdwarf-4"},
        {"cc", "-gdwarf-3 -gno-strict-dwarf"},
        {"cc", "-gdwarf-5 -O2"},
        {"cc", "-gdwarf-5 -gz"},
        {"clang", "-gdwarf-5"},
        {"clang", "-gdwarf-4 -O1"},
        {"riscv64-linux-gnu-gcc", "-gdwarf-5"},
        {"aarch64-linux-gnu-gcc", "-gdwarf-4"},
    };
    int compiled = 0;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t answers[8];
        struct types *ts;
        char name[16];
        snprintf(name, sizeof name, "prog%zu", i);
        if (!compile(cases[i].cc, cases[i].flags, name)) {
            print_message("%s is not installed: not tried\n", cases[i].cc);
            continue;
        }
        compiled++;
        print_message("%s %s\n", cases[i].cc, cases[i].flags);
        read_answers(name, answers);
        check(dwarf_open(path_of(name), NULL, 0, &ts));
        check_layout(ts, answers);
        check_members(ts);
        check_names(ts);
        check_index(name, answers, ts);
        types_free(ts);
    }
    assert_true(compiled > 0);
}

static void expect_open_error(const char *path, enum oscope_code code, const char *text)
{
    struct types *ts;
    struct oscope_error *err = dwarf_open(path, NULL, 0, &ts);

    assert_non_null(err);
    assert_int_equal(err->code, code);
    if (!strstr(err->message, text))
        fail_msg("'%s' does not say '%s'", err->message, text);
    oscope_error_free(err);
}

/* Files without DWARF, no ELF files, and DWARF with bytes changed. */
static void test_bad_files(void **state)
{
    struct types *ts;

    assert_true(compile("cc", "-g0", "plain"));
    expect_open_error(path_of("plain"), OSCOPE_E_NOT_FOUND, "no DWARF");
    expect_open_error(path_of("a.c"), OSCOPE_E_NOT_FOUND, "no DWARF");
    expect_open_error(path_of("missing"), OSCOPE_E_IO, "No such file");

    assert_true(compile("cc", "-gdwarf-5", "good"));
    int fd = open(path_of("good"), O_RDONLY);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    size_t n = (size_t)st.st_size;
    uint8_t *bytes = malloc(n), *broken = malloc(n);
    assert_int_equal(read(fd, bytes, n), n);
    close(fd);
    uint64_t seed = 12345;
    for (int round = 0; round < 300; round++) {
        memcpy(broken, bytes, n);
        for (int k = 0; k < 20; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            broken[2048 + (seed >> 33) % (n - 2048)] = (uint8_t)(seed >> 25);
        }
        fd = open(path_of("broken"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        assert_int_equal(write(fd, broken, n), n);
        close(fd);
        struct oscope_error *err = dwarf_open(path_of("broken"), NULL, 0, &ts);
        if (!err) {
            struct type_place p;
            types_member(ts, "struct task_struct", "grid[1][1]", &p);
            types_member(ts, "struct task_struct", "nope", &p);
            types_variable(ts, "declared");
            types_free(ts);
        }
        oscope_error_free(err);
    }
    free(bytes);
    free(broken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compilers),
        cmocka_unit_test(test_bad_files),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
