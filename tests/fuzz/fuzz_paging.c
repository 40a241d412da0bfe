/* SPDX-License-Identifier: MIT */
/*
 * Page walks over hostile tables. Input: a byte that picks the mode, a root and a VA (8 bytes
 * each), then RAM from physical address 0 on, repeated to fill it. Besides not crashing: walks
 * visit in rising order and inside the window, agree with translate and chain, and stay bounded.
 */
#include "fuzz.h"

#include "analysis/pt.h"
#include "arch/vspace.h"
#include "../unit/fake_target.h"

enum { RAM_SIZE = 128 << 10, ENTRIES = 20000, CHECKED = 64 };

#define CHECK(x)                                                                                   \
    do {                                                                                           \
        if (!(x))                                                                                  \
            __builtin_trap();                                                                      \
    } while (0)

struct check {
    const struct paging *pg;
    struct target *t;
    uint64_t from, to, next;
    unsigned n;
    bool any;
};

static bool on_leaf(const struct mapping *m, uint64_t raw, uint64_t entry_pa, void *arg)
{
    struct check *c = arg;
    struct paging_step steps[PAGING_MAX_LEVELS];
    struct mapping again;
    uint64_t last = m->va + (m->size - 1);

    CHECK(m->size && last >= m->va);
    CHECK(last >= c->from && m->va <= c->to);
    CHECK(!c->any || m->va >= c->next);
    c->any = true;
    c->next = m->va + m->size;
    CHECK(m->page_size >= m->size && (m->page_size & (m->page_size - 1)) == 0);
    if (c->n++ >= CHECKED)
        return true;
    CHECK(paging_translate(c->pg, c->t, last, &again));
    CHECK(!memcmp(&again, m, sizeof again));
    unsigned n = paging_chain(c->pg, c->t, m->va, steps);
    CHECK(n == m->level + 1);
    CHECK(steps[n - 1].entry_pa == entry_pa && steps[n - 1].pte.raw == raw);
    return true;
}

static bool skip(const struct paging_run *run, void *arg)
{
    CHECK(run->n && run->unit);
    return true;
}

static const struct paging_mode *pick(uint8_t byte, const struct arch **arch)
{
    static const char *const names[] = {"riscv64", "x86_64", "aarch64", "i386"};
    unsigned n = 0;

    *arch = arch_find(names[byte & 3]);
    while ((*arch)->modes[n])
        n++;
    const struct paging_mode *m = (*arch)->modes[(byte >> 2 & 31) % n];
    return byte & 0x80 && m->other_half ? m->other_half : m;
}

static void check_rows(const struct arch *arch, const struct paging *pg, struct target *t,
                       uint64_t va)
{
    struct pt_tables tables = {.low = *pg, .high = *pg};
    struct os_list l;

    os_list_init(&l, sizeof(struct oscope_region));
    oscope_error_free(pt_regions(arch, t, &tables, va, va | 0xffffff, va & 1, &l));
    const struct oscope_region *r = l.rows;
    for (size_t i = 1; i < l.n; i++)
        CHECK(r[i].start >= r[i - 1].end && r[i].size);
    os_list_free(&l);
    os_list_init(&l, sizeof(struct oscope_pte_step));
    oscope_error_free(pt_steps(arch, t, &tables, va, &l));
    os_list_free(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct arch *arch;
    struct paging pg;
    struct fake f;
    struct vspace vs;
    struct paging_step steps[PAGING_MAX_LEVELS];
    struct mapping m;
    uint8_t buf[10000];

    if (size < 18)
        return 0;
    pg.mode = pick(data[0], &arch);
    pg.root = load64(data + 1);
    uint64_t va = load64(data + 9);
    data += 17, size -= 17;
    fake_init(&f, arch->name, 0, RAM_SIZE);
    for (size_t off = 0; off < RAM_SIZE; off += size)
        memcpy(f.mem + off, data, MIN(size, RAM_SIZE - off));

    if (paging_translate(&pg, &f.target, va, &m))
        CHECK(va - m.va < m.size);
    CHECK(paging_chain(&pg, &f.target, va, steps) <= pg.mode->levels);
    for (unsigned i = 0; i < 4; i++) {
        struct check c = {.pg = &pg, .t = &f.target, .from = i & 1 ? va : 0, .to = UINT64_MAX};
        struct paging_walk w = {.from = c.from,
                                .to = c.to,
                                .max_entries = ENTRIES,
                                .leaf = on_leaf,
                                .repeat = i & 2 ? skip : NULL,
                                .arg = &c};
        paging_walk(&pg, &f.target, &w);
        CHECK(w.entries <= ENTRIES);
    }
    vspace_init(&vs, &f.target, arch, &pg, &pg);
    (void)vspace_read(&vs, va, buf, sizeof buf);
    (void)vspace_str(&vs, va, (char *)buf, 300);
    (void)vspace_view(&vs, va, 8, buf);
    (void)vspace_ptr(&vs, va, 5000);
    check_rows(arch, &pg, &f.target, va);
    fake_free(&f);
    return 0;
}
