/* SPDX-License-Identifier: MIT */
/* symbols/elfsyms and symbols/sysmap: small programs linked here and now, text files, wrong files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <stdio.h>

#include "base/util.h"
#include "symbols/elfsyms.h"
#include "symbols/sysmap.h"

static char dir[] = "/tmp/oscope-test-elfsyms-XXXXXX";
static char path_buf[512];

static const char *path_of(const char *name)
{
    snprintf(path_buf, sizeof path_buf, "%s/%s", dir, name);
    return path_buf;
}

static void write_bytes(const char *name, const void *data, size_t n)
{
    FILE *f = fopen(path_of(name), "w");

    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    fclose(f);
}

static void write_text(const char *name, const char *text)
{
    write_bytes(name, text, strlen(text));
}

static void shell(const char *fmt, const char *arg)
{
    char cmd[1024], full[1200];

    snprintf(cmd, sizeof cmd, fmt, arg);
    snprintf(full, sizeof full, "cd %s && %s", dir, cmd);
    if (system(full))
        fail_msg("'%s' failed", full);
}

/* A "kernel" whose addresses are a 64-bit kernel's, with per-CPU data linked at 0. */
static const char kernel[] =
    "int counter = 3, zeroed; const char banner[] = \"Linux\"; static int hidden_one = 4;\n"
    "__attribute__((section(\".data..percpu\"))) int cpu_number = 1;\n"
    "__attribute__((weak)) int weak_one(void) { return 1; }\n"
    "static int helper(void) { return hidden_one; } int (*keep)(void) = helper;\n"
    "void _start(void) {}\n"
    "__asm__(\".globl CONSTANT\\nCONSTANT = 77\\n\");\n";
static const char script[] = "SECTIONS {\n"
                             "  .data..percpu 0x0 : { *(.data..percpu) }\n"
                             "  . = 0xffffffff81000000; _text = .; .text : { *(.text*) }\n"
                             "  .rodata : { *(.rodata*) } .note : { *(.note.gnu.*) }\n"
                             "  .data : { *(.data) } .bss : { *(.bss) }\n"
                             "  /DISCARD/ : { *(.eh_frame) *(.comment) }\n}\n";

static int setup(void **state)
{
    if (!mkdtemp(dir))
        return -1;
    write_text("k.c", kernel);
    write_text("k.lds", script);
    write_text("user.c", "void _start(void) {}\n");
    shell("cc %s -ffreestanding -nostdlib -static -fno-pie -no-pie -mcmodel=large"
          " -Wl,--build-id,-T,k.lds k.c -o vmlinux 2>ld.log",
          "-g");
    shell("cc %s -ffreestanding -nostdlib -static user.c -o user", "");
    return 0;
}

static int teardown(void **state)
{
    shell("rm -rf %s", dir);
    return 0;
}

static void check(struct oscope_error *err)
{
    if (err)
        fail_msg("%s", err->message);
}

static void expect_symbol(const struct symtab *st, const char *name, char type, uint64_t addr)
{
    struct symbol s;

    if (!symtab_find(st, name, &s))
        fail_msg("no symbol '%s'", name);
    assert_int_equal(s.type, type);
    if (addr)
        assert_int_equal(s.addr, addr);
}

static void test_vmlinux(void **state)
{
    const uint64_t moved = 0x12000000, text = 0xffffffff81000000;
    struct elfsyms *es;
    struct symimage *img;
    struct symbol s;
    uint64_t addr, off;
    size_t n;

    check(elfsyms_open(path_of("vmlinux"), &es));
    assert_int_equal(elfsyms_ptr_size(es), 8);
    assert_non_null(elfsyms_build_id(es, &n));
    assert_int_equal(n, 20);
    assert_true(elfsyms_text(es, &addr));
    assert_int_equal(addr, text);
    assert_string_equal(elfsyms_dwarf_path(es), path_of("vmlinux"));
    check(elfsyms_image(es, &img));
    struct symtab *st = symtab_new();
    assert_true(symtab_add(st, img, moved, NULL));
    expect_symbol(st, "_text", 'T', text + moved);
    expect_symbol(st, "_start", 'T', 0);
    expect_symbol(st, "helper", 't', 0);
    expect_symbol(st, "weak_one", 'W', 0);
    expect_symbol(st, "counter", 'D', 0);
    expect_symbol(st, "hidden_one", 'd', 0);
    expect_symbol(st, "zeroed", 'B', 0);
    expect_symbol(st, "banner", 'R', 0);
    expect_symbol(st, "CONSTANT", 'A', 77);  /* absolute: not moved */
    expect_symbol(st, "cpu_number", 'D', 0); /* an offset: not moved either */
    assert_true(symtab_find(st, "cpu_number", &s) && s.addr < 4096);
    assert_int_equal(s.size, 4);
    assert_true(symtab_find(st, "helper", &s));
    assert_true(symtab_lookup(st, s.addr + 2, &s, &off));
    assert_string_equal(s.name, "helper");
    assert_int_equal(off, 2);
    symtab_free(st);
    elfsyms_free(es);
}

/* Stripped files are completed by the separate debug file of the same build, and by no other. */
static void test_separate_debug_file(void **state)
{
    struct elfsyms *es;
    struct symimage *img;
    uint64_t addr;

    shell("mkdir -p a/.debug b/.debug && cp vmlinux a/.debug/k.debug && cp vmlinux a/k &&"
          " (cd a && objcopy --add-gnu-debuglink=.debug/k.debug k && strip %s k)",
          "--keep-section=.gnu_debuglink");
    check(elfsyms_open(path_of("a/k"), &es));
    assert_true(elfsyms_text(es, &addr));
    assert_non_null(strstr(elfsyms_dwarf_path(es), "a/.debug/k.debug"));
    check(elfsyms_image(es, &img));
    assert_true(symimage_count(img) > 8);
    symimage_free(img);
    elfsyms_free(es);

    /* by build-id */
    shell("set -e; cp vmlinux b/k; strip b/k; id=$(readelf -n b/k | sed -n 's/.*Build ID: //p');"
          " mkdir -p b/.build-id/%s$(echo $id | cut -c1-2);"
          " cp vmlinux b/.build-id/$(echo $id | cut -c1-2)/$(echo $id | cut -c3-).debug",
          "");
    check(elfsyms_open(path_of("b/k"), &es));
    assert_non_null(strstr(elfsyms_dwarf_path(es), "b/.build-id/"));
    elfsyms_free(es);

    /* another build's file in that place */
    shell("set -e; sed 's/counter = 3/counter = 5/' k.c > k2.c; cc -g -ffreestanding -nostdlib"
          " -static -fno-pie -no-pie -mcmodel=large -Wl,--build-id,-T,k.lds k2.c -o a/.debug/%s"
          " 2>ld2.log",
          "k.debug");
    check(elfsyms_open(path_of("a/k"), &es));
    assert_null(elfsyms_dwarf_path(es));
    struct oscope_error *err = elfsyms_image(es, &img);
    assert_int_equal(err->code, OSCOPE_E_NOT_FOUND);
    assert_non_null(strstr(err->message, "no symbol table"));
    assert_non_null(err->hint);
    oscope_error_free(err);
    elfsyms_free(es);
}

static void expect_error(const char *name, enum oscope_code code, const char *text)
{
    struct elfsyms *es;
    struct symimage *img;
    struct oscope_error *err = elfsyms_open(path_of(name), &es);

    if (!err) {
        err = elfsyms_image(es, &img);
        elfsyms_free(es);
    }
    assert_non_null(err);
    assert_int_equal(err->code, code);
    if (!strstr(err->message, text))
        fail_msg("'%s' does not say '%s'", err->message, text);
    assert_null(strchr(err->message, '\n'));
    oscope_error_free(err);
}

static void test_wrong_files(void **state)
{
    uint8_t image[1024] = {'M', 'Z'};
    Elf64_Ehdr core = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                       .e_type = ET_CORE,
                       .e_version = EV_CURRENT,
                       .e_ehsize = sizeof core};

    expect_error("missing", OSCOPE_E_IO, "No such file");
    expect_error("", OSCOPE_E_BAD_DATA, "not a regular file");
    expect_error("k.c", OSCOPE_E_BAD_DATA, "not an ELF file");
    write_bytes("Image", image, sizeof image);
    expect_error("Image", OSCOPE_E_BAD_DATA, "boot image");
    memcpy(image + 0x202, "HdrS", 4);
    write_bytes("bzImage", image, sizeof image);
    expect_error("bzImage", OSCOPE_E_BAD_DATA, "bzImage");
    write_bytes("core", &core, sizeof core);
    expect_error("core", OSCOPE_E_BAD_DATA, "core dump");
    core.e_type = ET_REL;
    write_bytes("mod.ko", &core, sizeof core);
    expect_error("mod.ko", OSCOPE_E_BAD_DATA, "module");
    core.e_ident[EI_DATA] = ELFDATA2MSB;
    write_bytes("big", &core, sizeof core);
    expect_error("big", OSCOPE_E_UNSUPPORTED, "big-endian");
}

/* What is loaded, what of it is code, and that the bytes are the file's. */
static void test_parts(void **state)
{
    struct elf_segment parts[8];
    struct elfsyms *es;
    bool entry = false;

    check(elfsyms_open(path_of("user"), &es));
    assert_true(elfsyms_has_symbols(es));
    assert_true(elfsyms_has(es, "_start"));
    assert_false(elfsyms_has(es, "_star"));
    size_t n = elfsyms_segments(es, parts, 8);
    assert_true(n >= 1);
    assert_int_equal(elfsyms_segments(es, parts, 1), 1);
    n = elfsyms_code(es, parts, 8);
    assert_true(n >= 1);
    for (size_t i = 0; i < n; i++) {
        assert_non_null(parts[i].bytes);
        entry |= parts[i].size > 0;
    }
    assert_true(entry);
    elfsyms_free(es);
}

static void test_system_map(void **state)
{
    struct symimage *img;
    uint64_t text;

    write_text("System.map", "0000000000000000 D __per_cpu_start\n"
                             "0000000000021a40 D runqueues\n"
                             "ffffffff81000000 T _stext\n"
                             "ffffffff81000000 T _text\n"
                             "ffffffff81000010 t helper\r\n"
                             "ffffffffc0000000 t in_module\t[ext4]\n"
                             "\n"
                             "ffffffff82000000 A last");
    check(sysmap_open(path_of("System.map"), &img, &text));
    assert_int_equal(text, 0xffffffff81000000);
    assert_int_equal(symimage_count(img), 6);
    struct symtab *st = symtab_new();
    assert_true(symtab_add(st, img, 0x1000, NULL));
    expect_symbol(st, "helper", 't', 0xffffffff81001010);
    expect_symbol(st, "runqueues", 'D', 0x21a40);
    expect_symbol(st, "last", 'A', 0xffffffff82000000);
    assert_int_equal(symtab_addr(st, "in_module"), 0);
    symtab_free(st);
}

static void test_wrong_maps(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"#!/bin/sh\n", "line 1 "},
        {"ffffffff81000000 T _text\nffffffff8100 T\n", "line 2 "},
        {"ffffffff81000000 T _text extra words\n", "line 1 "},
        {"ffffffff81000000T _text\n", "line 1 "},
        {"fffffffff81000000 T _text\n", "line 1 "}, /* 17 digits */
        {"ffffffff81000000 T main\n", "no symbol _text"},
        {"0000000000000000 T _text\n0000000000000000 T x\n", "all addresses are zero"},
        {"", "no symbol _text"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct symimage *img;
        uint64_t text;
        write_text("map", cases[i].text);
        struct oscope_error *err = sysmap_open(path_of("map"), &img, &text);
        assert_non_null(err);
        assert_int_equal(err->code, OSCOPE_E_BAD_DATA);
        if (!strstr(err->message, cases[i].says))
            fail_msg("'%s' does not say '%s'", err->message, cases[i].says);
        oscope_error_free(err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vmlinux),     cmocka_unit_test(test_separate_debug_file),
        cmocka_unit_test(test_wrong_files), cmocka_unit_test(test_parts),
        cmocka_unit_test(test_system_map),  cmocka_unit_test(test_wrong_maps),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
