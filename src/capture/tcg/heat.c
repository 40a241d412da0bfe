/* SPDX-License-Identifier: MIT */
/*
 * Counting accesses: see heat.h. Each vCPU writes its own shard, so that counting needs neither
 * locks nor atomic additions. (Where one thread runs all vCPUs, and the index is that of another
 * one, sums over the shards are right all the same.)
 *
 * What QEMU's callbacks do not see is not counted: the walks of page tables, what devices read and
 * write, and accesses for which a helper uses the host's address directly (riscv64's vector
 * instructions, cache-line zeroing).
 */
#include "capture/tcg/heat.h"

#include "base/clock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    LENGTH_BITS = 12, /* of a block, in what its callback is given: 512 instructions at most */
    LENGTH_MASK = (1 << LENGTH_BITS) - 1,
};

struct range {
    uint64_t gpa, hva, size, first; /* first: index of its first page */
};

struct heat {
    struct wire_heat *shared;
    size_t bytes;
    int fd;
    uint32_t nranges, nshards;
    struct range ranges[WIRE_RAM];
    struct shard {
        _Alignas(64) struct wire_page_heat *pages;
        uint32_t last; /* the range that the last access lay in */
    } shards[];
};

/* Callbacks of blocks are given a page and a number, and no room is left for this. Changes only
 * while no vCPU executes. */
static struct heat *counting;

/* ---- the file ---- */

static uint64_t page_up(uint64_t n)
{
    return (n + WIRE_PAGE - 1) & ~(uint64_t)(WIRE_PAGE - 1);
}

static bool make_file(struct heat *h, const struct wire_heat *head)
{
    h->fd = memfd_create(WIRE_HEAT_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (h->fd < 0 || ftruncate(h->fd, (off_t)head->bytes) < 0 ||
        fcntl(h->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0)
        return false;
    void *p = mmap(NULL, head->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, h->fd, 0);
    if (p == MAP_FAILED)
        return false;
    h->shared = p;
    h->bytes = head->bytes;
    memcpy(p, head, sizeof *head);
    return true;
}

struct heat *heat_new(const struct wire_set *s, uint32_t shards, const char **why)
{
    struct wire_heat head = {
        .magic = WIRE_HEAT_MAGIC, .version = WIRE_VERSION, .shards = shards, .nram = s->nram};
    size_t size = (sizeof(struct heat) + shards * sizeof(struct shard) + 63) & ~(size_t)63;
    struct heat *h = aligned_alloc(64, size);

    *why = "no memory for counters of accesses";
    if (!h)
        return NULL;
    memset(h, 0, size);
    h->fd = -1;
    h->nranges = s->nram;
    h->nshards = shards;
    memcpy(head.ram, s->ram, s->nram * sizeof *s->ram);
    for (uint32_t i = 0; i < s->nram; i++) {
        const struct wire_ram *r = &s->ram[i];
        h->ranges[i] = (struct range){r->gpa, r->hva, r->size, head.pages};
        head.pages += r->size / WIRE_PAGE;
    }
    head.shards_at = page_up(sizeof head);
    head.shard_stride = page_up(head.pages * sizeof(struct wire_page_heat));
    head.bytes = head.shards_at + shards * head.shard_stride; /* 2^37 bytes for each of 2^9 */
    if (!make_file(h, &head)) {
        heat_free(h);
        return NULL;
    }
    for (uint32_t i = 0; i < shards; i++)
        h->shards[i].pages =
            (void *)((uint8_t *)h->shared + head.shards_at + i * head.shard_stride);
    return h;
}

void heat_free(struct heat *h)
{
    if (!h)
        return;
    if (counting == h)
        counting = NULL;
    if (h->shared) {
        atomic_store(&h->shared->closed, 1);
        munmap(h->shared, h->bytes);
    }
    if (h->fd >= 0)
        close(h->fd);
    free(h);
}

bool heat_fits(const struct heat *h, const struct wire_set *s)
{
    if (!h || h->nranges != s->nram)
        return false;
    for (uint32_t i = 0; i < h->nranges; i++)
        if (h->ranges[i].gpa != s->ram[i].gpa || h->ranges[i].hva != s->ram[i].hva ||
            h->ranges[i].size != s->ram[i].size)
            return false;
    return true;
}

void heat_switch(struct heat *h, bool on)
{
    uint64_t now = clock_ns();

    counting = on ? h : NULL;
    if (!h)
        return;
    struct wire_heat *w = h->shared;
    uint64_t since = atomic_load(&w->since);
    atomic_fetch_add(&w->changing, 1);
    if (since)
        atomic_store(&w->watched, atomic_load(&w->watched) + (now - since));
    atomic_store(&w->since, on ? now : 0);
    atomic_fetch_add(&w->changing, 1);
}

/* ---- counting ---- */

static void add(_Atomic uint64_t *counter, uint64_t n)
{
    /* there is one writer */
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

/* The counters of the page at pa; NULL: it is in none of the ranges. */
static struct wire_page_heat *page_at(const struct heat *h, struct shard *s, uint64_t pa)
{
    const struct range *r = &h->ranges[s->last];

    if (pa - r->gpa < r->size)
        return &s->pages[r->first + (pa - r->gpa) / WIRE_PAGE];
    for (uint32_t i = 0; i < h->nranges; i++) {
        r = &h->ranges[i];
        if (pa - r->gpa >= r->size)
            continue;
        s->last = i;
        return &s->pages[r->first + (pa - r->gpa) / WIRE_PAGE];
    }
    return NULL;
}

static void count(const struct heat *h, struct shard *s, qemu_plugin_meminfo_t info, uint64_t va)
{
    const struct qemu_plugin_hwaddr *at = qemu_plugin_get_hwaddr(info, va);

    if (!at)
        return;
    /* Device registers lie in none of the ranges. */
    struct wire_page_heat *page = page_at(h, s, qemu_plugin_hwaddr_phys_addr(at));
    if (page)
        add(qemu_plugin_mem_is_store(info) ? &page->writes : &page->reads, 1);
}

static void on_access(unsigned index, qemu_plugin_meminfo_t info, uint64_t va, void *userdata)
{
    struct heat *h = userdata;
    uint64_t left = WIRE_PAGE - va % WIRE_PAGE;

    if (index >= h->nshards)
        return;
    count(h, &h->shards[index], info, va);
    if (left < 64 && left < UINT64_C(1) << qemu_plugin_mem_size_shift(info))
        count(h, &h->shards[index], info, va + left);
}

static void on_block(unsigned index, void *userdata)
{
    struct heat *h = counting;
    uint64_t what = (uintptr_t)userdata;

    if (h && index < h->nshards)
        add(&h->shards[index].pages[what >> LENGTH_BITS].execs, what & LENGTH_MASK);
}

/* ---- translation ---- */

/* The index of the page that holds an instruction; false: none of the ranges does. */
static bool page_of_code(const struct heat *h, const struct qemu_plugin_insn *insn, uint64_t *page)
{
    uint64_t hva = (uintptr_t)qemu_plugin_insn_haddr(insn);

    for (uint32_t i = 0; hva && i < h->nranges; i++) {
        const struct range *r = &h->ranges[i];
        if (hva - r->hva < r->size) {
            *page = r->first + (hva - r->hva) / WIRE_PAGE;
            return true;
        }
    }
    return false;
}

/* n instructions of the block lie in the page that has `first`. */
static void watch_block(struct heat *h, struct qemu_plugin_tb *tb,
                        const struct qemu_plugin_insn *first, uint64_t n)
{
    uint64_t page;

    if (page_of_code(h, first, &page))
        qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, QEMU_PLUGIN_CB_NO_REGS,
                                             (void *)(uintptr_t)(page << LENGTH_BITS | n));
}

void heat_watch(struct heat *h, struct qemu_plugin_tb *tb)
{
    size_t n = qemu_plugin_tb_n_insns(tb), begun = 0;
    struct qemu_plugin_insn *first = NULL;

    if (!h)
        return;
    for (size_t i = 0; i < n && i < LENGTH_MASK; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        /* One callback for both: of two, QEMU 9.1 called both at each access (`rw && cb->rw`). */
        qemu_plugin_register_vcpu_mem_cb(insn, on_access, QEMU_PLUGIN_CB_NO_REGS,
                                         QEMU_PLUGIN_MEM_RW, h);
        if (first &&
            qemu_plugin_insn_vaddr(insn) / WIRE_PAGE != qemu_plugin_insn_vaddr(first) / WIRE_PAGE) {
            watch_block(h, tb, first, i - begun);
            first = NULL;
        }
        if (!first) {
            first = insn;
            begun = i;
        }
    }
    if (first)
        watch_block(h, tb, first, (n <= LENGTH_MASK ? n : LENGTH_MASK) - begun);
}
