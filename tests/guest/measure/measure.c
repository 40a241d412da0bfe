/* SPDX-License-Identifier: MIT */
/*
 * A QEMU plugin of the tests, which knows nothing of oscope: it counts the guest's instructions and
 * hashes where in their pages they lie, in the order in which they execute, on whichever vCPU; at
 * the instruction that powers the machine off it writes both, and a hash of RAM.
 *
 *     -plugin liboscope-measure.so,ram=FILE,out=FILE
 *
 * ram is the file that backs the guest's RAM (memory-backend-file, share=on). Needs -icount or
 * thread=single: there is one counter, and one thread for all vCPUs then. It is loaded into the
 * runs with oscope and into those without, so that they can be compared at the same instruction:
 * after the power-off a guest runs on until QEMU's main loop ends it, and how far depends on the
 * host.
 *
 * Where in their pages: code that is mapped twice is translated once, and the plugin is told the
 * address of the first time. Which one that is depends on when QEMU drops translated code.
 *
 * Powering off: on riscv64's virt, a 32-bit store to the test device (QEMU
 * hw/misc/sifive_test.c). On x86, "out" with SLP_EN to ACPI's PM1a control
 * register (q35: port 0x604; hw/acpi/core.c).
 */
#include "capture/tcg/hooks.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

PLUGIN_EXPORT int qemu_plugin_version = PLUGIN_API;

#define SIFIVE_TEST UINT64_C(0x100000)

enum { PAGE = 4096, PM1A_CONTROL = 0x604, SLP_EN = 0x2000 };

static struct {
    const char *ram, *out;
    bool x86, done;
    uint64_t insns, path;
    struct qemu_plugin_register *rax, *rdx;
    GByteArray *bytes;
} measure;

/* ---- the end ---- */

/* FNV-1a, of words: not against anybody, only to tell apart. */
static uint64_t hash(uint64_t h, uint64_t v)
{
    return (h ^ v) * UINT64_C(0x100000001b3);
}

static uint64_t hash_ram(void)
{
    int fd = open(measure.ram, O_RDONLY | O_CLOEXEC);
    struct stat st;
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    if (fd < 0 || fstat(fd, &st) < 0)
        return 0;
    const uint64_t *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (p == MAP_FAILED)
        return 0;
    for (size_t i = 0; i < (size_t)st.st_size / sizeof *p; i++)
        h = hash(h, p[i]);
    munmap((void *)p, (size_t)st.st_size);
    return h;
}

static void power_off(void)
{
    FILE *f = measure.done ? NULL : fopen(measure.out, "we");

    measure.done = true;
    if (!f)
        return;
    fprintf(f, "instructions %llu\npath %016llx\nram %016llx\n", (unsigned long long)measure.insns,
            (unsigned long long)measure.path, (unsigned long long)hash_ram());
    fclose(f);
}

static void on_store(unsigned index, qemu_plugin_meminfo_t info, uint64_t va, void *userdata)
{
    const struct qemu_plugin_hwaddr *at = qemu_plugin_get_hwaddr(info, va);

    (void)index, (void)userdata;
    if (at && qemu_plugin_hwaddr_is_io(at) && qemu_plugin_hwaddr_phys_addr(at) == SIFIVE_TEST)
        power_off();
}

static uint64_t value_of(struct qemu_plugin_register *r)
{
    uint64_t v = 0;

    measure.bytes->len = 0;
    if (r && qemu_plugin_read_register(r, measure.bytes) && measure.bytes->len == sizeof v)
        memcpy(&v, measure.bytes->data, sizeof v);
    return v;
}

static void on_out(unsigned index, void *userdata)
{
    (void)index, (void)userdata;
    if ((value_of(measure.rdx) & 0xffff) == PM1A_CONTROL && value_of(measure.rax) & SLP_EN)
        power_off();
}

/* ---- on the way ---- */

static void on_instruction(unsigned index, void *userdata)
{
    (void)index;
    measure.insns++;
    measure.path = hash(measure.path, (uintptr_t)userdata);
}

/* Could it be the one that powers off? */
static void watch_end(struct qemu_plugin_insn *insn)
{
    uint8_t b[2] = {0};

    qemu_plugin_insn_data(insn, b, sizeof b);
    if (!measure.x86) { /* sw, c.sw */
        if ((b[0] & 0x7f) == 0x23 ? (b[1] & 0x70) == 0x20 : (b[0] & 3) == 0 && b[1] >> 5 == 6)
            qemu_plugin_register_vcpu_mem_cb(insn, on_store, QEMU_PLUGIN_CB_NO_REGS,
                                             QEMU_PLUGIN_MEM_W, NULL);
        return;
    }
    if (b[0] == 0xef || (b[0] == 0x66 && b[1] == 0xef))
        qemu_plugin_register_vcpu_insn_exec_cb(insn, on_out, QEMU_PLUGIN_CB_R_REGS, NULL);
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        uint64_t at = qemu_plugin_insn_vaddr(insn) % PAGE;
        qemu_plugin_register_vcpu_insn_exec_cb(insn, on_instruction, QEMU_PLUGIN_CB_NO_REGS,
                                               (void *)(uintptr_t)at);
        watch_end(insn);
    }
}

static void on_vcpu_init(qemu_plugin_id_t id, unsigned index)
{
    GArray *names = qemu_plugin_get_registers();
    size_t size = names ? g_array_get_element_size(names) : 0;

    (void)id, (void)index;
    for (unsigned i = 0; names && i < names->len; i++) {
        const qemu_plugin_reg_descriptor *d = (const void *)(names->data + i * size);
        if (!strcmp(d->name, "rax"))
            measure.rax = d->handle;
        else if (!strcmp(d->name, "rdx"))
            measure.rdx = d->handle;
    }
    if (names)
        g_array_free(names, 1);
}

PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
                                      char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (!strncmp(argv[i], "ram=", 4))
            measure.ram = strdup(argv[i] + 4);
        else if (!strncmp(argv[i], "out=", 4))
            measure.out = strdup(argv[i] + 4);
    }
    measure.bytes = g_byte_array_sized_new(64);
    measure.x86 = !strcmp(info->target_name, "x86_64");
    if (!measure.ram || !measure.out || !measure.bytes)
        return -1;
    hooks_init(id, info->version.cur);
    hook_vcpu(HOOK_VCPU_INIT, on_vcpu_init);
    hook_translation(on_translation);
    return 0;
}
