/* SPDX-License-Identifier: MIT */
/*
 * Memory management of a hostile guest: the input is 16 KiB of its RAM. With the layouts of
 * fake_mm.h and a task, its mm, the sections and the zones at fixed places, the VMAs are read
 * through a maple tree and through the list, with their paths and resident pages, then page owners,
 * per-CPU lists and buddy counts, and slab caches. The page tables lie in the input too.
 */
#include "fuzz.h"

#include "../unit/fake_mm.h"
#include "os/linux/maple.h"

enum { RAM = 16 << 10 };

static bool rising(uint64_t first, uint64_t last, uint64_t entry, void *arg)
{
    uint64_t *next = arg; /* 0: nothing yet, else the last index seen + 1, or all ones at the top */

    if (last < first || (*next && first < *next) || (entry & 3))
        abort();
    *next = last == UINT64_MAX ? last : last + 1;
    return true;
}

static void vmas(struct fake_linux *f)
{
    struct oscope_task task = {.pid = 1, .address = FAKE_VA + 0x100, .mm = FAKE_VA + 0x200};
    struct os_list list;

    os_list_init(&list, sizeof(struct oscope_vma));
    oscope_error_free(linux_vmas(&f->lm.base, &task, &list));
    const struct oscope_vma *rows = list.rows;
    for (size_t i = 0; i < list.n; i++)
        if (rows[i].start >= rows[i].end || !rows[i].path ||
            (i && rows[i].start < rows[i - 1].end) ||
            (rows[i].resident != OSCOPE_UNKNOWN && rows[i].resident > rows[i].size))
            abort();
    os_list_free(&list);
}

static void memory(struct fake_linux *f)
{
    static const uint64_t from[] = {0, 1, 5, 1 << 15, (2 << 15) - 40, UINT64_C(1) << 40};
    uint8_t owners[128];
    struct os_list list;

    for (size_t i = 0; i < ARRAY_SIZE(from); i++) {
        memset(owners, 0xee, sizeof owners);
        struct oscope_error *err = linux_page_owners(&f->lm.base, from[i], 100, owners);
        for (size_t k = 0; k < sizeof owners; k++)
            if (!err && (k < 100 ? owners[k] >= OS_OWNER_COUNT : owners[k] != 0xee))
                abort();
        oscope_error_free(err);
    }
    os_list_init(&list, sizeof(struct oscope_buddy));
    oscope_error_free(linux_buddy(&f->lm.base, &list));
    os_list_free(&list);
}

static void slabs(struct fake_linux *f)
{
    struct os_list list;

    os_list_init(&list, sizeof(struct oscope_slab));
    oscope_error_free(linux_slabs(&f->lm.base, &list));
    const struct oscope_slab *rows = list.rows;
    for (size_t i = 0; i < list.n; i++)
        if (!rows[i].name || !rows[i].flags ||
            (rows[i].objects == OSCOPE_UNKNOWN) != (rows[i].active == OSCOPE_UNKNOWN) ||
            rows[i].active > rows[i].objects || rows[i].consistency > OSCOPE_TORN)
            abort();
    os_list_free(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const functions[] = {"simple_dname", "anon_inodefs_dname", "pipefs_dname",
                                            "special_mapping_name", "gate_vma_name"};
    struct fake_linux f;
    struct maple_layout ml;
    const char *missing;
    uint64_t root, next = 0;

    fake_open(&f, "x86_64", RAM);
    memcpy(f.bytes, data, MIN(size, (size_t)RAM));
    fake_vma_layout(&f.lm.layout);
    fake_page_layout(&f.lm.layout);
    fake_slab_layout(&f.lm.layout);
    f.lm.layout.mm_mt = fake_field(0x60, 16);
    f.lm.layout.mm_mmap = fake_field(0x00, 8);
    f.lm.ncpus = 2;
    f.lm.percpu[0] = FAKE_VA;
    f.lm.percpu[1] = FAKE_VA + 0x400;
    f.lm.base.kernel.high.root = 0x2000;
    fake_symbol(&f, "mem_section", FAKE_VA + 0x40);
    fake_symbol(&f, "node_data", FAKE_VA + 0x48);
    fake_symbol(&f, "slab_caches", FAKE_VA + 0x58);
    fake_symbol(&f, "nr_node_ids", FAKE_VA + 0x70);
    fake_symbol(&f, "gate_vma", FAKE_VA + 0x80);
    fake_symbol(&f, "vsyscall_mode", FAKE_VA + 0x50);
    for (unsigned i = 0; i < ARRAY_SIZE(functions); i++)
        fake_symbol(&f, functions[i], FAKE_VA + 0x3000 + i * 0x10);
    if (fake_ready(&f)) {
        maple_layout_from(&f.lm.layout, 8, &ml, &missing);
        memcpy(&root, f.bytes + 0x268, sizeof root);
        maple_walk(&f.lm.base.kernel, &ml, root, 5000, rising, &next);
        vmas(&f);
        f.lm.layout.mm_mt.present = 0;
        vmas(&f);
        memory(&f);
        slabs(&f);
    }
    linux_pages_free(f.lm.pages);
    fake_close(&f);
    return 0;
}
