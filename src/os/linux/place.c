/* SPDX-License-Identifier: MIT */
/*
 * Finding page-table root, linear map and per-CPU areas of a kernel whose symbols are known.
 *
 * The kernel image is contiguous in physical memory, so before any page table is known a symbol's
 * physical address is its VA minus va_minus_pa. A candidate root counts when it translates
 * well-known symbols to just these addresses: a stale image or a table not yet set up fails that.
 */
#include "os/linux/place.h"
#include "os/linux/vmcoreinfo.h"

#include "base/log.h"

#include <elf.h>

/* Names of the kernel's own root table, by kernel age and arch. */
static const char *const root_symbols[] = {
    "init_top_pgt",    /* x86_64 */
    "swapper_pg_dir",  /* riscv64, arm64, i386 */
    "init_level4_pgt", /* x86_64 before 4.13 */
};

/* Symbols whose translation is checked: data and text. */
static const char *const anchors[] = {"init_task", "linux_banner", "_text", "_stext", "_etext"};

static uint64_t image_pa(const struct linux_model *lm, uint64_t va)
{
    return va - lm->ks.va_minus_pa;
}

static bool root_works(const struct linux_model *lm, const struct paging *pg)
{
    unsigned good = 0;

    for (size_t i = 0; i < ARRAY_SIZE(anchors); i++) {
        struct mapping map;
        struct symbol sym;
        if (!symtab_find(lm->base.symtab, anchors[i], &sym))
            continue;
        if (!paging_translate(pg, lm->base.target, sym.addr, &map) ||
            map.pa + (sym.addr - map.va) != image_pa(lm, sym.addr)) {
            /* _etext may be the first byte after the mapping; text alone may be unmapped by nothing
             * else. */
            if (strcmp(anchors[i], "_etext") == 0)
                continue;
            return false;
        }
        good++;
    }
    return good >= 1;
}

static bool try_root(struct linux_model *lm, uint64_t root, struct paging *pg)
{
    for (const struct paging_mode *const *m = lm->base.arch->modes; *m; m++) {
        *pg = (struct paging){.mode = *m, .root = root};
        if (root_works(lm, pg))
            return true;
    }
    return false;
}

/*
 * The table a vCPU uses, if it maps this kernel. On x86 a CPU in user mode has the user half of a
 * pair of tables, which lacks the kernel: the kernel's is the even one (arch/x86/mm/pti.c).
 */
static bool vcpu_root(const struct linux_model *lm, const struct target_vcpu *v, struct paging *pg,
                      bool *readable)
{
    struct paging low;

    if (!lm->base.arch->paging(v, &low, pg))
        return false;
    *readable = true;
    if (!pg->mode) /* translation is off */
        return false;
    if (root_works(lm, pg))
        return true;
    pg->root &= ~(uint64_t)TARGET_PAGE_SIZE;
    return lm->base.arch->elf_machine == EM_X86_64 && root_works(lm, pg);
}

/* The first vCPU's table that maps this kernel. *readable: any vCPU told which table it uses. */
static bool root_from_registers(const struct linux_model *lm, struct paging *pg, bool *readable)
{
    struct target_vcpus vcpus;
    struct oscope_error *err = target_registers(lm->base.target, &vcpus);
    bool found = false;

    *readable = false;
    if (err) {
        log_info("registers: %s", err->message);
        oscope_error_free(err);
        return false;
    }
    for (size_t i = 0; i < vcpus.n && !found; i++)
        found = vcpu_root(lm, &vcpus.vcpus[i], pg, readable);
    target_vcpus_free(&vcpus);
    return found;
}

bool linux_place_near(struct target *t, const struct arch *arch, uint64_t *pa)
{
    struct target_vcpus vcpus;
    struct paging low, high;
    struct mapping map;
    uint64_t pc;
    bool found = false;
    struct oscope_error *err =
        t->live ? target_registers(t, &vcpus) : error_new(OSCOPE_E_UNSUPPORTED, "no vCPU runs");

    if (err) {
        oscope_error_free(err);
        return false;
    }
    for (size_t i = 0; i < vcpus.n && !found; i++) {
        const struct target_vcpu *v = &vcpus.vcpus[i];
        found = target_reg(v, arch->pc, &pc) && pc >> 63 && arch->paging(v, &low, &high) &&
                high.mode && paging_canonical(high.mode, pc) &&
                paging_translate(&high, t, pc, &map);
        if (found)
            *pa = map.pa + (pc - map.va);
    }
    target_vcpus_free(&vcpus);
    return found;
}

void linux_place_image(const struct linux_model *lm, uint64_t *start, uint64_t *end)
{
    enum { IMAGE_GUESS = 96 << 20, IMAGE_MAX = 512 << 20 };
    uint64_t last = symtab_addr(lm->base.symtab, "_end");

    *start = image_pa(lm, lm->ks.text_va);
    *end = *start + IMAGE_GUESS;
    if (last > lm->ks.text_va && last - lm->ks.text_va < IMAGE_MAX)
        *end = image_pa(lm, last);
}

static bool count_mapping(const struct mapping *m, uint64_t raw, uint64_t entry_pa, void *arg)
{
    return ++*(size_t *)arg < 1 << 16;
}

/*
 * Last resort: each page of the image as a root. Tables from early boot map the image too, but
 * little else: the one that maps most is the kernel's own.
 */
static bool root_from_image(struct linux_model *lm, struct paging *pg)
{
    uint64_t start, end;
    size_t most = 0;

    linux_place_image(lm, &start, &end);
    for (uint64_t pa = ALIGN_DOWN(start, TARGET_PAGE_SIZE); pa < end; pa += TARGET_PAGE_SIZE) {
        struct paging candidate;
        size_t n = 0;
        bool truncated;
        if (!try_root(lm, pa, &candidate))
            continue;
        paging_visit(&candidate, lm->base.target, UINT64_C(1) << 63, UINT64_MAX, 1 << 20,
                     count_mapping, &n, &truncated);
        if (n > most) {
            most = n;
            *pg = candidate;
        }
    }
    return most > 0;
}

static struct oscope_error *not_running(const struct linux_model *lm)
{
    const struct target *t = lm->base.target;
    struct oscope_error *err =
        error_new(OSCOPE_E_NOT_FOUND, "Linux %s is in guest RAM, but its page tables do not map it",
                  lm->release);

    if (t->truncated)
        return error_hint(
            err, "the dump is truncated, they are likely in the part that is missing: dump again");
    if (!t->live)
        return error_hint(err, "was the dump taken before the kernel ran?");
    return error_hint(err,
                      "the kernel is in guest RAM but does not run yet: wait until it has booted");
}

struct oscope_error *linux_place_find(struct linux_model *lm)
{
    struct os_model *m = &lm->base;
    struct paging pg;
    bool found = false, known = false, readable;

    for (size_t i = 0; i < ARRAY_SIZE(root_symbols) && !found; i++) {
        uint64_t va = symtab_addr(m->symtab, root_symbols[i]);
        known = known || va;
        found = va && try_root(lm, image_pa(lm, va), &pg);
    }
    lm->init_task = symtab_addr(m->symtab, "init_task");
    lm->symbols_partial = !known; /* no CONFIG_KALLSYMS_ALL: functions only */
    if (!found && lm->symbols_partial)
        found = root_from_registers(lm, &pg, &readable) || root_from_image(lm, &pg);
    if (!found)
        return not_running(lm);
    /* One table serves both halves but on arm64, where TTBR0 belongs to the task. */
    struct paging none = {0};
    vspace_init(&m->kernel, m->target, m->arch, pg.mode->high_half ? &none : &pg, &pg);
    lm->kernel_min = UINT64_MAX << (pg.mode->va_bits - (pg.mode->high_half ? 0 : 1));
    return NULL;
}

/* ---- init_task without its symbol ---- */

/* A task at va called swapper/0 whose list links back to it. */
static bool is_init_task(struct linux_model *lm, uint64_t va)
{
    const struct layout *l = &lm->layout;
    uint64_t pid, next, back, node = va + l->task_tasks.offset;

    return linux_field(lm, va, l->task_pid, &pid) && pid == 0 &&
           linux_pointer(lm, node, l->list_next, &next) &&
           linux_pointer(lm, next, l->list_prev, &back) && back == node;
}

void linux_place_init_task(struct linux_model *lm)
{
    static const char names[][10] = {"swapper/0", "swapper"};
    enum { CHUNK = 1 << 20 };
    uint64_t start, end;
    AUTO_FREE char *buf = malloc(CHUNK + 16);

    if (lm->init_task || !lm->has_layout || !buf)
        return;
    linux_place_image(lm, &start, &end);
    for (uint64_t pa = start; pa < end; pa += CHUNK) {
        size_t n = MIN((uint64_t)CHUNK + 16, end - pa);
        if (!target_read(lm->base.target, pa, buf, n))
            continue;
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
            size_t len = strlen(names[i]) + 1;
            const char *at = buf, *hit;
            while ((hit = memmem(at, n - (size_t)(at - buf), names[i], len))) {
                uint64_t va =
                    pa + (uint64_t)(hit - buf) + lm->ks.va_minus_pa - lm->layout.task_comm.offset;
                if (is_init_task(lm, va)) {
                    lm->init_task = va;
                    return;
                }
                at = hit + 1;
            }
        }
    }
}

/* ---- linear map ---- */

/* How many of a region's sampled pages va = pa + base maps rightly; -1: one maps somewhere else. */
static int linear_samples(struct linux_model *lm, const struct target_ram *ram, uint64_t base)
{
    enum { SAMPLES = 32 };
    struct paging *pg = &lm->base.kernel.high;
    int good = 0;

    for (unsigned i = 0; i <= SAMPLES; i++) {
        uint64_t off = i == SAMPLES ? ram->size - 1 : ram->size / SAMPLES * i;
        uint64_t pa = ALIGN_DOWN(ram->gpa + off, TARGET_PAGE_SIZE);
        struct mapping map;
        if (!paging_canonical(pg->mode, pa + base) ||
            !paging_translate(pg, lm->base.target, pa + base, &map))
            continue;
        if (map.pa + (pa + base - map.va) != pa)
            return -1;
        good++;
    }
    return good;
}

/* The first task's list link is a slab object, and slab objects live in the linear map. */
static bool linear_anchor(struct linux_model *lm, uint64_t *va, uint64_t *pa)
{
    uint64_t next;

    if (!linux_pointer(lm, lm->init_task + lm->layout.task_tasks.offset, lm->layout.list_next,
                       &next))
        return false;
    if (next == lm->init_task + lm->layout.task_tasks.offset)
        return false; /* still alone: early boot */
    *va = next;
    return vspace_translate(&lm->base.kernel, next, pa);
}

static void find_linear_map(struct linux_model *lm)
{
    struct target *t = lm->base.target;
    uint64_t va, pa;

    if (!lm->init_task || !linear_anchor(lm, &va, &pa))
        return;
    uint64_t base = va - pa;
    for (size_t i = 0; i < t->nram; i++) {
        const struct target_ram *ram = &t->ram[i];
        if (linear_samples(lm, ram, base) <= 0)
            continue;
        lm->direct_base = base;
        lm->has_direct = true;
        if (!vspace_add_direct(&lm->base.kernel, ram->gpa + base, ram->size, ram->gpa))
            break;
    }
}

/* The image's own mapping, checked at both ends and in between. */
static void find_image_map(struct linux_model *lm)
{
    uint64_t start = lm->ks.text_va, end = symtab_addr(lm->base.symtab, "_end");
    struct paging *pg = &lm->base.kernel.high;

    if (end <= start || end - start > UINT64_C(512) << 20)
        return;
    for (uint64_t va = start; va < end; va += UINT64_C(1) << 20) {
        struct mapping map;
        if (paging_translate(pg, lm->base.target, va, &map) &&
            map.pa + (va - map.va) != image_pa(lm, va))
            return;
    }
    vspace_add_direct(&lm->base.kernel, start, end - start, image_pa(lm, start));
}

/* ---- per-CPU areas ---- */

static void find_percpu(struct linux_model *lm)
{
    struct vspace *vs = &lm->base.kernel;
    uint64_t offsets = symtab_addr(lm->base.symtab, "__per_cpu_offset"), value;
    uint64_t ids = symtab_addr(lm->base.symtab, "nr_cpu_ids");
    uint32_t n = 1;

    if (!offsets) { /* one CPU: per-CPU variables are plain ones; or the symbol is not there */
        lm->ncpus = lm->symbols_partial ? 0 : 1;
        lm->percpu[0] = 0;
        return;
    }
    if (!ids || !vspace_u32(vs, ids, &n) || n == 0 || n > LINUX_CPUS_MAX)
        n = MIN(LINUX_CPUS_MAX, 64u);
    for (lm->ncpus = 0; lm->ncpus < n; lm->ncpus++) {
        unsigned size = lm->base.arch->ptr_size;
        if (!vspace_uint(vs, offsets + (uint64_t)lm->ncpus * size, size, &value))
            break;
        lm->percpu[lm->ncpus] = value;
    }
}

void linux_place_finish(struct linux_model *lm)
{
    /* The linear map first: most of what walks read lies there. */
    linux_place_init_task(lm);
    if (lm->has_layout)
        find_linear_map(lm);
    find_image_map(lm);
    find_percpu(lm);
}

/* ---- does it run? ---- */

bool linux_place_whole(struct linux_model *lm)
{
    const struct layout *l = &lm->layout;
    uint64_t node = lm->init_task + l->task_tasks.offset, next, back;

    return lm->has_direct && linux_pointer(lm, node, l->list_next, &next) &&
           linux_pointer(lm, next, l->list_prev, &back) && back == node;
}

enum linux_life linux_place_life(struct linux_model *lm)
{
    struct paging pg;
    bool readable, whole = linux_place_whole(lm);

    if (root_from_registers(lm, &pg, &readable))
        return LINUX_RUNS;
    if (readable)
        return whole ? LINUX_IDLE : LINUX_DEAD;
    return whole ? LINUX_WHOLE : LINUX_UNKNOWN;
}

/* ---- KASLR ---- */

uint64_t linux_place_kaslr(struct linux_model *lm)
{
    uint64_t start = symtab_addr(lm->base.symtab, "_start");
    int64_t value;

    /* riscv tells where _start was linked to, the others the offset itself (in hex without 0x). */
    if (start && vmcoreinfo_number(lm, "NUMBER(KERNEL_LINK_ADDR)", &value))
        return start - (uint64_t)value;
    if (vmcoreinfo_hex(lm, "KERNELOFFSET", &value))
        return (uint64_t)value;
    return OSCOPE_UNKNOWN;
}

/*
 * Before the note is written there is only where kernels are linked to: KERNEL_LINK_ADDR of
 * arch/riscv/include/asm/pgtable.h, the usual PHYSICAL_START of arch/x86/Kconfig above
 * __START_KERNEL_map.
 */
bool linux_place_moves(struct linux_model *lm)
{
    uint64_t offset = linux_place_kaslr(lm);

    if (offset != OSCOPE_UNKNOWN)
        return offset != 0;
    if (!strcmp(lm->base.arch->name, "riscv64"))
        return symtab_addr(lm->base.symtab, "_start") != UINT64_C(0xffffffff80000000);
    return strcmp(lm->base.arch->name, "x86_64") != 0 ||
           symtab_addr(lm->base.symtab, "_text") != UINT64_C(0xffffffff81000000);
}
