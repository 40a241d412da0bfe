/* SPDX-License-Identifier: MIT */
/*
 * Notes of an ELF core, as far as they hold registers.
 *
 * A note is a header (name size, descriptor size, type), name and descriptor, each padded to four
 * bytes. The register block of NT_PRSTATUS lies at a fixed offset and its order is a table here.
 * What the notes do not carry (satp, TTBR, on x86 without QEMU's note CR3) is simply absent.
 */
#include "target/core.h"

#include "base/util.h"
#include "base/vec.h"

#include <elf.h>
#include <stdio.h>

enum { VCPUS_MAX = 4096, REGS_MAX = 64 };

/* One arch's NT_PRSTATUS: where the registers start, their size and order. */
struct prstatus_layout {
    unsigned machine;
    uint32_t min_size; /* of the descriptor */
    uint32_t offset;
    unsigned reg_size;
    const char *const *names; /* NULL-terminated; "" is skipped */
};

static const char *const riscv_names[] = {
    "pc",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",  "x7",  "x8",  "x9",  "x10",
    "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21",
    "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30", "x31", NULL};

static const char *const aarch64_names[] = {
    "x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",  "x7",  "x8",  "x9",     "x10", "x11",
    "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21",    "x22", "x23",
    "x24", "x25", "x26", "x27", "x28", "x29", "x30", "sp",  "pc",  "pstate", NULL};

static const char *const x86_64_names[] = {"r15",     "r14",     "r13", "r12", "rbp", "rbx", "r11",
                                           "r10",     "r9",      "r8",  "rax", "rcx", "rdx", "rsi",
                                           "rdi",     "",        "rip", "cs",  "rfl", "rsp", "ss",
                                           "fs_base", "gs_base", "ds",  "es",  "fs",  "gs",  NULL};

static const char *const i386_names[] = {"ebx", "ecx", "edx", "esi", "edi", "ebp",
                                         "eax", "ds",  "es",  "fs",  "gs",  "",
                                         "eip", "cs",  "efl", "esp", "ss",  NULL};

/* The first row of the machine whose min_size fits wins, so larger ones come first: QEMU writes the
 * 32-bit block into an x86_64 file while the vCPU is not in long mode. */
static const struct prstatus_layout layouts[] = {
    {EM_RISCV, 112 + 32 * 8, 112, 8, riscv_names},
    {EM_AARCH64, 112 + 34 * 8, 112, 8, aarch64_names},
    {EM_X86_64, 112 + 27 * 8, 112, 8, x86_64_names},
    {EM_X86_64, 72 + 17 * 4, 72, 4, i386_names},
    {EM_386, 112 + 27 * 8, 112, 8, x86_64_names},
    {EM_386, 72 + 17 * 4, 72, 4, i386_names},
};

struct vcpu_list {
    VEC(struct target_vcpu) v;
};

static bool has_reg(const struct target_vcpu *v, const char *name)
{
    uint64_t unused;
    return target_reg(v, name, &unused);
}

/* Adds a register unless the vCPU has it or the table is full (allocated once, REGS_MAX). */
static void put(struct target_vcpu *v, const char *name, uint64_t value)
{
    if (v->nregs >= REGS_MAX || has_reg(v, name))
        return;
    struct target_reg *r = &v->regs[v->nregs++];
    str_copy(r->name, sizeof r->name, name);
    r->value = value;
}

static void put_cpl(struct target_vcpu *v)
{
    uint64_t cs;

    if (target_reg(v, "cs", &cs))
        put(v, "cpl", cs & 3);
}

static bool add_prstatus(struct vcpu_list *list, const uint8_t *desc, uint32_t size,
                         unsigned machine)
{
    const struct prstatus_layout *l = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(layouts) && !l; i++)
        if (layouts[i].machine == machine && size >= layouts[i].min_size)
            l = &layouts[i];
    if (!l || list->v.len >= VCPUS_MAX)
        return true;
    struct target_vcpu v = {.index = (unsigned)list->v.len};
    v.regs = calloc(REGS_MAX, sizeof *v.regs);
    if (!v.regs)
        return false;
    for (unsigned i = 0; l->names[i]; i++)
        if (*l->names[i])
            put(&v, l->names[i], load_uint(desc + l->offset + i * l->reg_size, l->reg_size));
    if (machine == EM_X86_64 || machine == EM_386)
        put_cpl(&v);
    if (!vec_push(&list->v, v)) {
        free(v.regs);
        return false;
    }
    return true;
}

/*
 * QEMUCPUState: u32 version, u32 size; u64 rax rbx rcx rdx rsi rdi rsp rbp r8…r15 rip rflags; then
 * segments of {u32 selector, limit, flags, pad; u64 base}; u64 cr[5]; newer: u64 kernel_gs_base.
 */
static void add_qemu(struct target_vcpu *v, const uint8_t *desc, uint32_t size)
{
    static const char *const gprs[] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi",
                                       "rsp", "rbp", "r8",  "r9",  "r10", "r11",
                                       "r12", "r13", "r14", "r15", "rip", "rfl"};
    static const char *const segs[] = {"cs", "ds",  "es", "fs",  "gs",
                                       "ss", "ldt", "tr", "gdt", "idt"};
    enum { GPR = 8, SEG = GPR + 18 * 8, CR = SEG + 10 * 24, END = CR + 5 * 8 };
    bool long_mode = has_reg(v, "rip");

    if (size < END || load32(desc) != 1)
        return;
    for (unsigned i = 0; long_mode && i < ARRAY_SIZE(gprs); i++)
        put(v, gprs[i], load64(desc + GPR + i * 8));
    for (unsigned i = 0; i < ARRAY_SIZE(segs); i++) {
        const uint8_t *s = desc + SEG + i * 24;
        char name[16];

        put(v, segs[i], load32(s));
        snprintf(name, sizeof name, "%s_base", segs[i]);
        put(v, name, load64(s + 16));
    }
    for (unsigned i = 0; i < 5; i++) {
        char name[] = {'c', 'r', (char)('0' + i), '\0'};
        if (i != 1)
            put(v, name, load64(desc + CR + i * 8));
    }
    if (size >= END + 8)
        put(v, "k_gs_base", load64(desc + END));
    put_cpl(v);
}

struct oscope_error *core_registers(const uint8_t *notes, size_t n, unsigned machine,
                                    struct target_vcpus *out)
{
    struct vcpu_list list = {0};
    size_t nqemu = 0;
    bool x86 = machine == EM_X86_64 || machine == EM_386;

    *out = (struct target_vcpus){0};
    while (n >= 12) {
        uint64_t namesz = load32(notes), descsz = load32(notes + 4);
        uint32_t type = load32(notes + 8);
        uint64_t desc_at = 12 + ALIGN_UP(namesz, 4), end = desc_at + ALIGN_UP(descsz, 4);
        const uint8_t *name = notes + 12;

        if (desc_at > n || descsz > n - desc_at)
            break;
        bool is_core = namesz == 5 && !memcmp(name, "CORE", 5);
        bool is_qemu = namesz == 5 && !memcmp(name, "QEMU", 5);

        if (is_core && type == NT_PRSTATUS) {
            if (!add_prstatus(&list, notes + desc_at, (uint32_t)descsz, machine))
                goto nomem;
        } else if (is_qemu && type == 0 && x86) {
            if (nqemu < list.v.len)
                add_qemu(&list.v.data[nqemu], notes + desc_at, (uint32_t)descsz);
            nqemu++;
        }
        if (end >= n)
            break;
        notes += end, n -= end;
    }
    out->vcpus = list.v.data;
    out->n = list.v.len;
    return NULL;
nomem:
    out->vcpus = list.v.data;
    out->n = list.v.len;
    target_vcpus_free(out);
    return error_nomem();
}
