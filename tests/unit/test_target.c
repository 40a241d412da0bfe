/* SPDX-License-Identifier: MIT */
/*
 * target/: cores (segments that overlap, fall short, are cut off; notes) and live memory, with this
 * test process in the role of QEMU.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/util.h"
#include "elf_core.h"
#include "target/core.h"
#include "target/hostproc.h"
#include "target/live.h"
#include "target/remote.h"

static struct elf_core core;

static struct target *open_core(void)
{
    struct target *t = NULL;
    struct oscope_error *err = core_open_memory(core.bytes, core.size, &t);

    if (err)
        fail_msg("%s", err->message);
    return t;
}

static void assert_refused(enum oscope_code code, const char *part)
{
    struct target *t = NULL;
    struct oscope_error *err = core_open_memory(core.bytes, core.size, &t);

    assert_non_null(err);
    assert_int_equal(err->code, code);
    assert_non_null(strstr(err->message, part));
    oscope_error_free(err);
}

static uint8_t byte_at(struct target *t, uint64_t pa)
{
    uint8_t b = 0xee;

    assert_true(target_read(t, pa, &b, 1));
    return b;
}

/* ---- cores ---- */

static void test_core_reads_segments(void **state)
{
    uint8_t buf[16];

    elf_core_init(&core, EM_RISCV);
    elf_core_load(&core, 0x80000000, 4096, 4096, 'b');
    elf_core_load(&core, 0x1000, 8192, 8192, 'a');
    struct target *t = open_core();
    assert_string_equal(t->arch, "riscv64");
    assert_false(t->live);
    assert_false(t->truncated);
    assert_int_equal(t->nram, 2);
    assert_true(t->ram[0].gpa == 0x1000);
    assert_true(target_ram_total(t) == 12288);
    assert_int_equal(byte_at(t, 0x2fff), 'a');
    assert_int_equal(byte_at(t, 0x80000000), 'b');
    assert_int_equal(*(const uint8_t *)target_ptr(t, 0x80000fff, 1), 'b');

    assert_null(target_ptr(t, 0x80000fff, 2)); /* one byte past the end */
    assert_null(target_ptr(t, 0x80000000, SIZE_MAX));
    assert_null(target_ptr(t, 0xfff, 1));
    assert_false(target_read(t, 0x2ff8, buf, 16));
    assert_false(target_read(t, UINT64_MAX - 3, buf, 16));
    assert_null(target_view(t, 0x2ff8, 16, buf));
    assert_null(target_ram_at(t, 0x3000));
    target_close(t);
}

static void test_core_adjacent_segments_join(void **state)
{
    uint8_t buf[4];

    elf_core_init(&core, EM_X86_64);
    elf_core_load(&core, 0x1000, 4096, 4096, 'a');
    elf_core_load(&core, 0x2000, 4096, 4096, 'b');
    struct target *t = open_core();
    assert_int_equal(t->nram, 1);
    assert_non_null(target_ptr(t, 0x1ffe, 4));
    assert_true(target_read(t, 0x1ffe, buf, 4));
    assert_memory_equal(buf, "aabb", 4);
    target_close(t);
}

static void test_core_overlaps_first_wins(void **state)
{
    uint64_t end = 0;

    elf_core_init(&core, EM_X86_64);
    elf_core_load(&core, 0x3000, 0x1000, 0x1000, 'x'); /* inside the next */
    elf_core_load(&core, 0x1000, 0x3000, 0x3000, 'a');
    elf_core_load(&core, 0x2000, 0x3000, 0x3000, 'b'); /* sticks out */
    struct target *t = open_core();
    for (size_t i = 0; i < t->nram; i++) {
        assert_true(t->ram[i].gpa >= end);
        end = t->ram[i].gpa + t->ram[i].size;
    }
    assert_true(end == 0x5000);
    assert_true(target_ram_total(t) == 0x4000);
    assert_int_equal(byte_at(t, 0x3800), 'a');
    assert_int_equal(byte_at(t, 0x4000), 'b');
    target_close(t);
}

static void test_core_short_segment_ends_in_zeros(void **state)
{
    uint64_t start, end;
    uint8_t buf[4];

    elf_core_init(&core, EM_AARCH64);
    elf_core_load(&core, 0x40000000, 4096, 16384, 'a');
    elf_core_load(&core, 0x40002000, 4096, 4096, 'b'); /* data beats another segment's zeros */
    struct target *t = open_core();
    assert_false(t->truncated);
    assert_true(target_ram_total(t) == 16384);
    assert_true(target_read(t, 0x40000ffe, buf, 4));
    assert_memory_equal(buf, "aa\0\0", 4);
    assert_int_equal(byte_at(t, 0x40002000), 'b');
    assert_int_equal(byte_at(t, 0x40003fff), 0);
    assert_null(target_ptr(t, 0x40001000, 1));
    /* scans see the two pages with data only */
    assert_true(target_extent(t, 0, &start, &end));
    assert_true(start == 0x40000000 && end == 0x40001000);
    assert_true(target_extent(t, end, &start, &end));
    assert_true(start == 0x40002000 && end == 0x40003000);
    assert_false(target_extent(t, end, &start, &end));
    target_close(t);
}

static void test_core_cut_off_is_usable(void **state)
{
    elf_core_init(&core, EM_RISCV);
    elf_core_load(&core, 0x1000, 4096, 4096, 'a');
    elf_core_load(&core, 0x10000, 8192, 8192, 'b');
    elf_core_load(&core, 0x20000, 4096, 4096, 'c');
    core.size -= 4096 + 4096 + 10;
    struct target *t = open_core();
    assert_true(t->truncated);
    assert_int_equal(byte_at(t, 0x1fff), 'a');
    assert_int_equal(byte_at(t, 0x10000 + 4085), 'b');
    uint8_t b;
    assert_false(target_read(t, 0x10000 + 4086, &b, 1)); /* no invented zeros */
    assert_false(target_read(t, 0x20000, &b, 1));
    target_close(t);

    core.size = ELF_CORE_DATA;
    assert_refused(OSCOPE_E_BAD_DATA, "cut off");
}

static void test_core_refuses_what_is_none(void **state)
{
    elf_core_init(&core, EM_RISCV);
    assert_refused(OSCOPE_E_BAD_DATA, "no memory segments");
    core.bytes[EI_DATA] = ELFDATA2MSB;
    assert_refused(OSCOPE_E_UNSUPPORTED, "big-endian");
    core.bytes[0] = 'x';
    assert_refused(OSCOPE_E_BAD_DATA, "not an ELF file");
    memcpy(core.bytes, "KDUMP   ", 8);
    assert_refused(OSCOPE_E_UNSUPPORTED, "compressed kdump");
    core.size = 3;
    assert_refused(OSCOPE_E_BAD_DATA, "not an ELF file");

    elf_core_init(&core, EM_S390);
    elf_core_load(&core, 0x1000, 4096, 4096, 'a');
    assert_refused(OSCOPE_E_UNSUPPORTED, "machine 22");
    elf_core_init(&core, EM_X86_64);
    elf_core_load(&core, 0x1000, 16, 16, 'a');
    core.bytes[offsetof(Elf64_Ehdr, e_type)] = ET_EXEC;
    assert_refused(OSCOPE_E_BAD_DATA, "not a core");
    elf_core_init(&core, EM_X86_64);
    for (int i = 0; i < 4; i++) /* gdb's generate-core-file: p_paddr 0 throughout */
        elf_core_load(&core, 0, 16, 16, 'a');
    assert_refused(OSCOPE_E_BAD_DATA, "core of a process");
}

/* Numbers that wrap around must not get a region outside the file. */
static void test_core_hostile_numbers(void **state)
{
    elf_core_init(&core, EM_RISCV);
    elf_core_load(&core, 0x1000, 4096, 4096, 'a');
    elf_core_phdr(&core, (Elf64_Phdr){.p_type = PT_LOAD,
                                      .p_offset = UINT64_MAX - 8,
                                      .p_paddr = 0x100000,
                                      .p_filesz = 4096,
                                      .p_memsz = 4096});
    elf_core_phdr(&core, (Elf64_Phdr){.p_type = PT_LOAD,
                                      .p_offset = ELF_CORE_DATA,
                                      .p_paddr = UINT64_MAX - 4096,
                                      .p_filesz = UINT64_MAX,
                                      .p_memsz = UINT64_MAX});
    elf_core_phdr(&core, (Elf64_Phdr){.p_type = PT_NOTE, .p_offset = 70, .p_filesz = UINT64_MAX});
    struct target *t = open_core();
    assert_true(t->truncated);
    for (size_t i = 0; i < t->nram; i++) {
        const struct target_ram *r = &t->ram[i];
        assert_true(r->size <= UINT64_MAX - r->gpa);
        if (r->map)
            assert_true(r->map >= core.bytes && r->map + r->size <= core.bytes + core.size);
    }
    struct target_vcpus v;
    oscope_error_free(target_registers(t, &v));
    target_vcpus_free(&v);
    target_close(t);
}

static void test_core_file_that_shrinks(void **state)
{
    char path[] = "/tmp/oscope-test-core-XXXXXX";
    struct target *t;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    elf_core_init(&core, EM_RISCV);
    elf_core_load(&core, 0x1000, 4096, 4096, 'a');
    elf_core_load(&core, 0x10000, 4096, 4096, 'b');
    assert_int_equal(write(fd, core.bytes, core.size), core.size);
    assert_null(target_open_core(path, &t));
    assert_int_equal(byte_at(t, 0x10000), 'b');
    assert_int_equal(ftruncate(fd, (off_t)core.size - 4096), 0);
    target_refresh(t);
    assert_true(t->truncated);
    assert_null(target_ptr(t, 0x10000, 1));
    assert_int_equal(byte_at(t, 0x1000), 'a');
    target_close(t);
    close(fd);
    unlink(path);

    struct oscope_error *err = target_open_core("/tmp", &t);
    assert_int_equal(err->code, OSCOPE_E_USAGE);
    oscope_error_free(err);
    err = target_open_core("/nonexistent/core", &t);
    assert_non_null(strstr(err->message, "/nonexistent/core"));
    oscope_error_free(err);
}

/* ---- notes ---- */

static void assert_reg(const struct target_vcpu *v, const char *name, uint64_t want)
{
    uint64_t got;

    if (!target_reg(v, name, &got))
        fail_msg("no register %s", name);
    assert_true(got == want);
}

static void test_notes_riscv64(void **state)
{
    uint8_t notes[2048], desc[376] = {0};
    struct target_vcpus v;
    size_t n = 0;

    for (uint64_t cpu = 0; cpu < 2; cpu++) {
        for (uint64_t i = 0; i < 32; i++)
            memcpy(desc + 112 + i * 8, &(uint64_t){cpu * 1000 + i}, 8);
        n += elf_core_put_note(notes + n, "CORE", NT_PRSTATUS, desc, sizeof desc);
        n += elf_core_put_note(notes + n, "VMCOREINFO", 0, "x=1\n", 4);
    }
    assert_null(core_registers(notes, n, EM_RISCV, &v));
    assert_int_equal(v.n, 2);
    assert_reg(&v.vcpus[1], "pc", 1000);
    assert_reg(&v.vcpus[1], "x2", 1002);
    assert_reg(&v.vcpus[1], "x31", 1031);
    assert_false(target_reg(&v.vcpus[0], "satp", &(uint64_t){0}));
    target_vcpus_free(&v);

    /* cut anywhere: no more vCPUs than whole notes */
    for (size_t cut = 0; cut < n; cut++) {
        uint8_t *copy = malloc(cut + 1); /* exact size, for ASan */
        memcpy(copy, notes, cut);
        assert_null(core_registers(copy, cut, EM_RISCV, &v));
        assert_true(v.n <= 2);
        target_vcpus_free(&v);
        free(copy);
    }
}

static void test_notes_x86_with_qemu(void **state)
{
    uint8_t notes[2048], prstatus[336] = {0}, qemu[440] = {0};
    struct target_vcpus v;

    memcpy(prstatus + 112 + 16 * 8, &(uint64_t){0xffffffff81000000}, 8); /* rip */
    memcpy(prstatus + 112 + 17 * 8, &(uint64_t){0x33}, 8);               /* cs */
    memcpy(prstatus + 112 + 19 * 8, &(uint64_t){0x7ffe0000}, 8);         /* rsp */
    memcpy(qemu, (uint32_t[]){1, sizeof qemu}, 8);
    memcpy(qemu + 8 + 18 * 8 + 4 * 24 + 16, &(uint64_t){0xffff888000000000}, 8); /* gs base */
    memcpy(qemu + 8 + 18 * 8 + 10 * 24 + 3 * 8, &(uint64_t){0x1234000}, 8);      /* cr3 */
    memcpy(qemu + 8 + 18 * 8 + 10 * 24 + 5 * 8, &(uint64_t){0x77}, 8);
    size_t n = elf_core_put_note(notes, "CORE", NT_PRSTATUS, prstatus, sizeof prstatus);
    n += elf_core_put_note(notes + n, "QEMU", 0, qemu, sizeof qemu);
    assert_null(core_registers(notes, n, EM_X86_64, &v));
    assert_int_equal(v.n, 1);
    assert_reg(&v.vcpus[0], "rip", 0xffffffff81000000);
    assert_reg(&v.vcpus[0], "rsp", 0x7ffe0000);
    assert_reg(&v.vcpus[0], "cpl", 3);
    assert_reg(&v.vcpus[0], "cr3", 0x1234000);
    assert_reg(&v.vcpus[0], "k_gs_base", 0x77);
    target_vcpus_free(&v);
}

static void test_notes_aarch64_and_i386(void **state)
{
    uint8_t notes[1024], desc[392] = {0};
    struct target_vcpus v;

    memcpy(desc + 112 + 31 * 8, &(uint64_t){0xdead0}, 8);
    memcpy(desc + 112 + 33 * 8, &(uint64_t){0x3c5}, 8);
    size_t n = elf_core_put_note(notes, "CORE", NT_PRSTATUS, desc, 392);
    assert_null(core_registers(notes, n, EM_AARCH64, &v));
    assert_reg(&v.vcpus[0], "sp", 0xdead0);
    assert_reg(&v.vcpus[0], "pstate", 0x3c5);
    target_vcpus_free(&v);

    memset(desc, 0, sizeof desc);
    memcpy(desc + 72 + 12 * 4, &(uint32_t){0xc0100000}, 4); /* eip */
    n = elf_core_put_note(notes, "CORE", NT_PRSTATUS, desc, 144);
    assert_null(core_registers(notes, n, EM_386, &v));
    assert_reg(&v.vcpus[0], "eip", 0xc0100000);
    assert_false(target_reg(&v.vcpus[0], "rip", &(uint64_t){0}));
    target_vcpus_free(&v);
}

/* ---- live: this process plays QEMU ---- */

enum { PAGES = 4096 };
#define RAM_SIZE ((uint64_t)PAGES << TARGET_PAGE_SHIFT)

static struct target *open_self(struct live_region *regions, size_t n)
{
    struct live_desc desc = {.pid = getpid(),
                             .start_time = host_start_time(getpid()),
                             .arch = "riscv64",
                             .regions = regions,
                             .nregions = n};
    struct target *t = NULL;

    for (size_t i = 0; i < n; i++)
        assert_null(live_resolve(getpid(), &regions[i]));
    assert_null(target_open_live(&desc, &t));
    return t;
}

/* Guest RAM for the tests: pages 0, 7, 8 and the last are populated. */
static uint8_t *make_ram(int fd)
{
    uint8_t *ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE,
                        fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);

    assert_true(ram != MAP_FAILED);
    assert_int_equal(madvise(ram, RAM_SIZE, MADV_NOHUGEPAGE), 0);
    ram[0] = 1;
    memset(ram + 7 * 4096, 7, 2 * 4096);
    ram[RAM_SIZE - 1] = 9;
    return ram;
}

static void check_ram(struct target *t, uint64_t gpa, uint8_t *ram)
{
    uint64_t start, end;
    uint8_t buf[3 * 4096];
    static uint8_t all[PAGES * 4096];

    assert_true(target_extent(t, gpa, &start, &end));
    assert_true(start == gpa && end == gpa + 4096);
    assert_true(target_extent(t, end, &start, &end));
    assert_true(start == gpa + 7 * 4096 && end == gpa + 9 * 4096);
    assert_true(target_extent(t, gpa + 8 * 4096 + 5, &start, &end));
    assert_true(start == gpa + 8 * 4096 + 5 && end == gpa + 9 * 4096);
    assert_true(target_extent(t, end, &start, &end));
    assert_true(start == gpa + RAM_SIZE - 4096 && end == gpa + RAM_SIZE);
    assert_true(target_read(t, gpa + 6 * 4096 + 100, buf, sizeof buf));
    for (size_t i = 0; i < sizeof buf; i++)
        assert_int_equal(buf[i], i >= 3996 && i < 3996 + 8192 ? 7 : 0);
    assert_true(target_read(t, gpa, all, RAM_SIZE));
    assert_int_equal(all[0], 1);
    assert_int_equal(all[RAM_SIZE - 1], 9);
    assert_false(target_read(t, gpa + RAM_SIZE - 1, buf, 2));

    /* a page that comes later is found */
    assert_int_equal(byte_at(t, gpa + 100 * 4096), 0);
    ram[100 * 4096] = 42;
    target_refresh(t);
    assert_int_equal(byte_at(t, gpa + 100 * 4096), 42);
    assert_true(target_extent(t, gpa + 9 * 4096, &start, &end));
    assert_true(start == gpa + 100 * 4096);
    ram[100 * 4096] = 43;
    target_refresh(t);
    assert_int_equal(byte_at(t, gpa + 100 * 4096), 43);
}

static unsigned present_pages(const uint8_t *ram)
{
    static uint64_t entries[PAGES];
    unsigned n = 0;
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

    assert_int_equal(pread(fd, entries, sizeof entries, (off_t)((uintptr_t)ram / 4096 * 8)),
                     sizeof entries);
    close(fd);
    for (unsigned i = 0; i < PAGES; i++)
        n += entries[i] >> 63;
    return n;
}

static void test_live_shared_memory(void **state)
{
    int fd = memfd_create("oscope-test", MFD_CLOEXEC);
    struct stat before, after;

    assert_int_equal(ftruncate(fd, RAM_SIZE), 0);
    uint8_t *ram = make_ram(fd);
    struct live_region r = {.gpa = 0x80000000, .size = RAM_SIZE, .hva = (uintptr_t)ram};
    struct target *t = open_self(&r, 1);
    assert_int_equal(r.fd, fd);
    assert_non_null(t->ram[0].map);
    assert_true(t->live);
    check_ram(t, 0x80000000, ram);

    /* every page looked at, no hole filled */
    fstat(fd, &before);
    for (uint64_t p = 0; p < RAM_SIZE; p += 4096)
        target_ptr(t, 0x80000000 + p, 4096);
    fstat(fd, &after);
    assert_int_equal(before.st_blocks, after.st_blocks);
    assert_int_equal(before.st_blocks, 5 * 8);
    assert_null(target_ptr(t, 0x80000000 + 8 * 4096, 8192));
    assert_non_null(target_ptr(t, 0x80000000 + 7 * 4096, 8192));

    /* what looking has mapped is given back, and there again at the next look */
    uint8_t byte;
    assert_true(present_pages(t->ram[0].map) >= 5);
    target_rest(t);
    assert_int_equal(present_pages(t->ram[0].map), 0);
    assert_true(target_read(t, 0x80000000 + 7 * 4096, &byte, 1));
    assert_int_equal(byte, ram[7 * 4096]);
    assert_true(present_pages(t->ram[0].map) > 0);

    /* a page given back to the host is not brought back by looking */
    assert_int_equal(madvise(ram + 7 * 4096, 4096, MADV_REMOVE), 0);
    target_refresh(t);
    assert_null(target_ptr(t, 0x80000000 + 7 * 4096, 1));
    fstat(fd, &after);
    assert_int_equal(after.st_blocks, 4 * 8);
    target_close(t);
    munmap(ram, RAM_SIZE);
    close(fd);
}

static void test_live_private_memory(void **state)
{
    uint8_t *ram = make_ram(-1);
    struct live_region r = {.gpa = 0x1000, .size = RAM_SIZE, .hva = (uintptr_t)ram};
    struct target *t = open_self(&r, 1);

    assert_int_equal(r.fd, -1);
    assert_null(t->ram[0].map);
    assert_null(target_ptr(t, 0x1000, 1));
    check_ram(t, 0x1000, ram);
    assert_int_equal(present_pages(ram), 5);

    /* within an epoch the cache answers */
    assert_int_equal(byte_at(t, 0x1000), 1);
    ram[0] = 2;
    assert_int_equal(byte_at(t, 0x1000), 1);
    target_refresh(t);
    assert_int_equal(byte_at(t, 0x1000), 2);
    target_close(t);
    munmap(ram, RAM_SIZE);
}

/* Kernels before 6.7 have no PAGEMAP_SCAN: the other way must give the same extents. */
static void test_live_extents_without_scan(void **state)
{
    uint8_t *ram = make_ram(-1);
    struct remote *rm;
    struct target_ram r = {.gpa = 0, .size = RAM_SIZE, .hva = (uintptr_t)ram, .fd = -1};
    uint64_t start, end;

    r.populated = calloc(1, remote_bitmap_bytes(RAM_SIZE));
    assert_null(remote_open(getpid(), &rm));
    remote_disable_scan(rm);
    assert_true(remote_extent(rm, &r, 0, &start, &end));
    assert_true(start == 0 && end == 4096);
    assert_true(remote_extent(rm, &r, 4096, &start, &end));
    assert_true(start == 7 * 4096 && end == 9 * 4096);
    assert_true(remote_extent(rm, &r, end, &start, &end));
    assert_true(start == RAM_SIZE - 4096 && end == RAM_SIZE);
    assert_false(remote_extent(rm, &r, 9 * 4096, &start, &end) && start < RAM_SIZE - 4096);
    remote_close(rm);
    free(r.populated);
    munmap(ram, RAM_SIZE);
}

static void test_live_two_regions(void **state)
{
    int fd = memfd_create("oscope-test", MFD_CLOEXEC);
    uint8_t buf[8];

    assert_int_equal(ftruncate(fd, RAM_SIZE), 0);
    uint8_t *ram = make_ram(fd), *other = make_ram(-1);
    /* one file cut in two around a hole, as on a PC; and memory of another kind right behind */
    struct live_region r[] = {
        {.gpa = 0x200000, .size = RAM_SIZE, .hva = (uintptr_t)other},
        {.gpa = 0, .size = 8 * 4096, .hva = (uintptr_t)ram},
        {.gpa = 0x100000, .size = RAM_SIZE - 8 * 4096, .hva = (uintptr_t)ram + 8 * 4096},
    };
    r[2].size = 0x100000;
    struct target *t = open_self(r, 3);
    assert_int_equal(t->nram, 3);
    assert_true(t->ram[1].fd_offset == 8 * 4096);
    assert_int_equal(byte_at(t, 0x100000), 7);
    assert_null(target_ram_at(t, 8 * 4096));
    memset(ram + 8 * 4096 + 0x100000 - 4, 'x', 4);
    memset(other, 'y', 4);
    assert_true(target_read(t, 0x1ffffc, buf, 8)); /* mapped, then copied */
    assert_memory_equal(buf, "xxxxyyyy", 8);
    target_close(t);
    munmap(ram, RAM_SIZE);
    munmap(other, RAM_SIZE);
    close(fd);
}

static void test_live_refuses(void **state)
{
    struct live_region r = {.gpa = 0, .size = 8192, .hva = 0x10000};
    struct live_desc desc = {.pid = getpid(),
                             .start_time = host_start_time(getpid()) + 1,
                             .arch = "riscv64",
                             .regions = &r,
                             .nregions = 1};
    struct target *t;

    /* not mapped there */
    struct oscope_error *err = live_resolve(getpid(), &r);
    assert_int_equal(err->code, OSCOPE_E_BAD_DATA);
    oscope_error_free(err);
    /* the PID has changed hands */
    err = target_open_live(&desc, &t);
    assert_int_equal(err->code, OSCOPE_E_GONE);
    oscope_error_free(err);
    desc.start_time--;
    r.size = 8191;
    err = target_open_live(&desc, &t);
    assert_int_equal(err->code, OSCOPE_E_BAD_DATA);
    oscope_error_free(err);
    assert_true(host_start_time(0x7ffffffe) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_core_reads_segments),
        cmocka_unit_test(test_core_adjacent_segments_join),
        cmocka_unit_test(test_core_overlaps_first_wins),
        cmocka_unit_test(test_core_short_segment_ends_in_zeros),
        cmocka_unit_test(test_core_cut_off_is_usable),
        cmocka_unit_test(test_core_refuses_what_is_none),
        cmocka_unit_test(test_core_hostile_numbers),
        cmocka_unit_test(test_core_file_that_shrinks),
        cmocka_unit_test(test_notes_riscv64),
        cmocka_unit_test(test_notes_x86_with_qemu),
        cmocka_unit_test(test_notes_aarch64_and_i386),
        cmocka_unit_test(test_live_shared_memory),
        cmocka_unit_test(test_live_private_memory),
        cmocka_unit_test(test_live_extents_without_scan),
        cmocka_unit_test(test_live_two_regions),
        cmocka_unit_test(test_live_refuses),
    };
    return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
