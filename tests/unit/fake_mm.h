/* SPDX-License-Identifier: MIT */
/*
 * Layouts of made-up memory-management structures over fake_linux.h: maple trees with few slots a
 * node, VMAs, files and dentries, struct page, zones, slab caches. Offsets differ from any kernel's
 * on purpose.
 */
#ifndef TESTS_FAKE_MM_H
#define TESTS_FAKE_MM_H

#include "fake_linux.h"

#define FAKE_ENUM(v)                                                                               \
    (struct layout_enum)                                                                           \
    {                                                                                              \
        .value = (v), .present = 1                                                                 \
    }

enum { LEAF_SLOTS = 4, ARANGE_SLOTS = 3, MT_LEAF = 1, MT_RANGE = 2, MT_ARANGE = 3 };

static inline void fake_maple_layout(struct layout *l)
{
    l->mt_root = fake_field(8, 8);
    l->mr64_parent = fake_field(0, 8);
    l->mr64_pivot = fake_field(8, 8 * (LEAF_SLOTS - 1));
    l->mr64_slot = fake_field(32, 8 * LEAF_SLOTS);
    l->ma64_parent = fake_field(0, 8);
    l->ma64_pivot = fake_field(8, 8 * (ARANGE_SLOTS - 1));
    l->ma64_slot = fake_field(24, 8 * ARANGE_SLOTS);
    l->enums.maple_leaf_64 = FAKE_ENUM(MT_LEAF);
    l->enums.maple_range_64 = FAKE_ENUM(MT_RANGE);
    l->enums.maple_arange_64 = FAKE_ENUM(MT_ARANGE);
}

/* A node at va (256-aligned): n slots, of which slot i ends at ends[i]; the last end is implied
 * when it does not fit into the pivots. Returns the pointer to put into the parent. */
static inline uint64_t fake_maple_node(struct fake_linux *f, uint64_t va, unsigned type, unsigned n,
                                       const uint64_t *ends, const uint64_t *slots)
{
    unsigned pivots = (type == MT_ARANGE ? ARANGE_SLOTS : LEAF_SLOTS) - 1;
    uint64_t slot_at = va + (type == MT_ARANGE ? 24 : 32);

    fake_put(f, va, FAKE_VA + 1); /* some parent */
    for (unsigned i = 0; i < n; i++) {
        if (i < pivots)
            fake_put(f, va + 8 + i * 8, ends[i]);
        fake_put(f, slot_at + i * 8, slots[i]);
    }
    return va | (uint64_t)type << 3 | 4;
}

/* The value of ma_root for a tree whose root node is this. */
static inline uint64_t fake_maple_root(uint64_t enode)
{
    return (enode & ~UINT64_C(4)) | 2;
}

static inline void fake_vma_layout(struct layout *l)
{
    fake_maple_layout(l);
    l->size.vma = 0x60;
    l->vma_start = fake_field(0x00, 8);
    l->vma_end = fake_field(0x08, 8);
    l->vma_next = fake_field(0x10, 8);
    l->vma_flags = fake_field(0x18, 8);
    l->vma_pgoff = fake_field(0x20, 8);
    l->vma_file = fake_field(0x28, 8);
    l->vma_ops = fake_field(0x30, 8);
    l->vma_private = fake_field(0x38, 8);
    l->vma_anon_name = fake_field(0x40, 8);
    l->anon_name_text = fake_field(4, 0);
    l->vm_ops_name = fake_field(8, 8);
    l->special_name = fake_field(0, 8);
    l->mm_map_count = fake_field(0x20, 4);
    l->mm_start_brk = fake_field(0x28, 8);
    l->mm_brk = fake_field(0x30, 8);
    l->mm_start_stack = fake_field(0x38, 8);
    l->mm_pgd = fake_field(0x40, 8);
    l->task_mm = fake_field(0x10, 8);

    l->file_mnt = fake_field(0x08, 8);
    l->file_dentry = fake_field(0x10, 8);
    l->file_inode = fake_field(0x18, 8);
    l->inode_ino = fake_field(0x00, 8);
    l->inode_sb = fake_field(0x08, 8);
    l->sb_dev = fake_field(0x10, 4);
    l->dentry_parent = fake_field(0x00, 8);
    l->dentry_name = fake_field(0x08, 8);
    l->dentry_len = fake_field(0x10, 4);
    l->dentry_op = fake_field(0x18, 8);
    l->dentry_hashed = fake_field(0x20, 8);
    l->dentry_op_dname = fake_field(0x10, 8);
    l->mount_parent = fake_field(0x00, 8);
    l->mount_mountpoint = fake_field(0x08, 8);
    l->mount_mnt = fake_field(0x10, 16);
    l->vfsmount_root = fake_field(0x08, 8);
}

/* struct page of 64 bytes with the kernel's members in other places. */
enum {
    PAGE_BYTES = 64,
    PAGE_AT_FLAGS = 0,
    PAGE_AT_COMPOUND = 8,
    PAGE_AT_MAPPING = 16,
    PAGE_AT_PRIVATE = 24,
    PAGE_AT_TYPE = 32,
    PAGE_AT_LRU = 40,
    FLAG_SLAB = 7,
    FLAG_RESERVED = 9,
    ORDERS = 5,
};

static inline void fake_page_layout(struct layout *l)
{
    l->size.page = PAGE_BYTES;
    l->page_flags = fake_field(PAGE_AT_FLAGS, 8);
    l->page_compound = fake_field(PAGE_AT_COMPOUND, 8);
    l->page_compound.which = 1;
    l->page_mapping = fake_field(PAGE_AT_MAPPING, 8);
    l->page_private = fake_field(PAGE_AT_PRIVATE, 8);
    l->page_type = fake_field(PAGE_AT_TYPE, 4);
    l->page_lru = fake_field(PAGE_AT_LRU, 16);
    l->list_next = fake_field(0, 8);
    l->enums.PG_reserved = FAKE_ENUM(FLAG_RESERVED);
    l->enums.PGTY_buddy = FAKE_ENUM(0xf0);
    l->enums.PGTY_table = FAKE_ENUM(0xf2);
    l->enums.PGTY_slab = FAKE_ENUM(0xf5);
    l->size.mem_section = 16;
    l->section_map = fake_field(8, 8);

    l->size.zone = 0x200;
    l->size.free_area = 24;
    l->zone_free_area = fake_field(0x20, 24 * ORDERS);
    l->free_area_nr = fake_field(16, 8);
    l->zone_vm_stat = fake_field(0x100, 64);
    l->zone_managed = fake_field(0x08, 8);
    l->zone_present = fake_field(0x10, 8);
    l->zone_name = fake_field(0x00, 8);
    l->zone_pageset = fake_field(0x18, 8);
    l->pcp_count = fake_field(0, 4);
    l->pcp_lists = fake_field(16, 16 * 6);
    l->node_zones = fake_field(0x40, 0x200 * 2);
    l->enums.NR_FREE_PAGES = FAKE_ENUM(1);
    l->enums.MIGRATE_PCPTYPES = FAKE_ENUM(3);
}

/* Slab caches of two nodes at most, as from 7.1 on a pair of pointers each. */
enum {
    CACHE_AT_NAME = 0,
    CACHE_AT_FLAGS = 8,
    CACHE_AT_LIST = 0x10,
    CACHE_AT_SIZE = 0x20,
    CACHE_AT_OBJECT_SIZE = 0x24,
    CACHE_AT_OO = 0x28,
    CACHE_AT_REFCOUNT = 0x2c,
    CACHE_AT_NODE = 0x38,
    CACHE_NODE_STRIDE = 16,
    CNODE_AT_NR_PARTIAL = 0,
    CNODE_AT_PARTIAL = 8,
    CNODE_AT_SLABS = 0x18,
    CNODE_AT_OBJECTS = 0x20,
    SLAB_BYTES = 0x30,
    SLAB_AT_CACHE = 8,
    SLAB_AT_LIST = 0x10,
    SLAB_AT_COUNTS = 0x20,
};

static inline void fake_slab_layout(struct layout *l)
{
    l->list_next = fake_field(0, 8);
    l->list_prev = fake_field(8, 8);
    l->cache_name = fake_field(CACHE_AT_NAME, 8);
    l->cache_flags = fake_field(CACHE_AT_FLAGS, 4);
    l->cache_list = fake_field(CACHE_AT_LIST, 16);
    l->cache_size = fake_field(CACHE_AT_SIZE, 4);
    l->cache_object_size = fake_field(CACHE_AT_OBJECT_SIZE, 4);
    l->cache_oo = fake_field(CACHE_AT_OO, 4);
    l->cache_refcount = fake_field(CACHE_AT_REFCOUNT, 4);
    l->cache_nodes = fake_field(CACHE_AT_NODE - 8, 2 * CACHE_NODE_STRIDE);
    l->cache_node = fake_field(CACHE_AT_NODE, 8);
    l->cache_node_next = fake_field(CACHE_AT_NODE + CACHE_NODE_STRIDE, 8);
    l->cache_node_nr_partial = fake_field(CNODE_AT_NR_PARTIAL, 8);
    l->cache_node_partial = fake_field(CNODE_AT_PARTIAL, 16);
    l->cache_node_slabs = fake_field(CNODE_AT_SLABS, 8);
    l->cache_node_objects = fake_field(CNODE_AT_OBJECTS, 8);
    l->slab_cache = fake_field(SLAB_AT_CACHE, 8);
    l->slab_list = fake_field(SLAB_AT_LIST, 16);
    l->slab_inuse = fake_bits(SLAB_AT_COUNTS, 4, 0, 16);
    l->slab_objects = fake_bits(SLAB_AT_COUNTS, 4, 16, 15);
    l->enums.SLAB_RECLAIM_ACCOUNT = FAKE_ENUM(3);
    l->enums.SLAB_ACCOUNT = FAKE_ENUM(5);
}

#endif
