/* SPDX-License-Identifier: MIT */
/*
 * Kernel structure layouts in the form the walks use: plain offsets, resolved once per kernel build
 * from its types and kept in the on-disk cache as one block.
 */
#ifndef OS_LINUX_LAYOUT_H
#define OS_LINUX_LAYOUT_H

#include "symbols/types.h"

struct layout_field {
    uint32_t offset;   /* bytes from the start of the type */
    uint16_t size;     /* bytes, 0xffff if larger; of the storage unit for a bit-field */
    uint8_t bit, bits; /* bit-field: first bit and width within the storage unit; bits 0: none */
    uint8_t present;
    uint8_t which; /* index of the alternative that matched */
};

/* Sizes of types: X(id, "type", need). */
#define LAYOUT_SIZES(X)                                                                            \
    X(task, "task_struct", REQUIRED)                                                               \
    X(mm, "mm_struct", REQUIRED)                                                                   \
    X(page, "page", OPTIONAL)                                                                      \
    X(vma, "vm_area_struct", OPTIONAL)                                                             \
    X(export, "kernel_symbol", OPTIONAL)                                                           \
    X(module, "module", OPTIONAL)                                                                  \
    X(zone, "zone", OPTIONAL)                                                                      \
    X(free_area, "free_area", OPTIONAL)                                                            \
    X(mem_section, "mem_section", OPTIONAL)                                                        \
    X(elf_sym, "elf64_sym", OPTIONAL)                                                              \
    X(printk_info, "printk_info", OPTIONAL)                                                        \
    X(prb_desc, "prb_desc", OPTIONAL)                                                              \
    X(orc_entry, "orc_entry", OPTIONAL)                                                            \
    X(pt_regs, "pt_regs", OPTIONAL)                                                                \
    X(maple_node, "maple_node", OPTIONAL)                                                          \
    X(inactive_frame, "inactive_task_frame", OPTIONAL)

/* Values of enumerators: X(id, "enum" or NULL, "ENUMERATOR"); .present tells if there is one. */
#define LAYOUT_ENUMS(X)                                                                            \
    X(PG_locked, "pageflags", "PG_locked")                                                         \
    X(PG_lru, "pageflags", "PG_lru")                                                               \
    X(PG_slab, "pageflags", "PG_slab")                                                             \
    X(PG_reserved, "pageflags", "PG_reserved")                                                     \
    X(PG_head, "pageflags", "PG_head")                                                             \
    X(PG_swapbacked, "pageflags", "PG_swapbacked")                                                 \
    X(PGTY_buddy, "pagetype", "PGTY_buddy")                                                        \
    X(PGTY_offline, "pagetype", "PGTY_offline")                                                    \
    X(PGTY_table, "pagetype", "PGTY_table")                                                        \
    X(PGTY_slab, "pagetype", "PGTY_slab")                                                          \
    X(NR_FREE_PAGES, "zone_stat_item", "NR_FREE_PAGES")                                            \
    X(MM_FILEPAGES, NULL, "MM_FILEPAGES")                                                          \
    X(MM_ANONPAGES, NULL, "MM_ANONPAGES")                                                          \
    X(MM_SHMEMPAGES, NULL, "MM_SHMEMPAGES")                                                        \
    X(MOD_TEXT, "mod_mem_type", "MOD_TEXT")                                                        \
    X(PGTY_large_kmalloc, "pagetype", "PGTY_large_kmalloc")                                        \
    X(PG_buddy_old, "pagetype", "PG_buddy")                                                        \
    X(PG_table_old, "pagetype", "PG_table")                                                        \
    X(PG_slab_old, "pagetype", "PG_slab")                                                          \
    X(PAGE_TYPE_BASE, "pagetype", "PAGE_TYPE_BASE")                                                \
    X(maple_leaf_64, "maple_type", "maple_leaf_64")                                                \
    X(maple_range_64, "maple_type", "maple_range_64")                                              \
    X(maple_arange_64, "maple_type", "maple_arange_64")                                            \
    X(MIGRATE_PCPTYPES, "migratetype", "MIGRATE_PCPTYPES")                                         \
    X(SLAB_RED_ZONE, "_slab_flag_bits", "_SLAB_RED_ZONE")                                          \
    X(SLAB_POISON, "_slab_flag_bits", "_SLAB_POISON")                                              \
    X(SLAB_HWCACHE_ALIGN, "_slab_flag_bits", "_SLAB_HWCACHE_ALIGN")                                \
    X(SLAB_CACHE_DMA, "_slab_flag_bits", "_SLAB_CACHE_DMA")                                        \
    X(SLAB_STORE_USER, "_slab_flag_bits", "_SLAB_STORE_USER")                                      \
    X(SLAB_TYPESAFE_BY_RCU, "_slab_flag_bits", "_SLAB_TYPESAFE_BY_RCU")                            \
    X(SLAB_ACCOUNT, "_slab_flag_bits", "_SLAB_ACCOUNT")                                            \
    X(SLAB_RECLAIM_ACCOUNT, "_slab_flag_bits", "_SLAB_RECLAIM_ACCOUNT")

struct layout_enum {
    int64_t value;
    uint8_t present;
};

struct layout {
    uint64_t
        version; /* LAYOUT_VERSION and a hash of the table: a cache from another build is ignored */
    struct {
#define X(id, type, path, need) struct layout_field id;
#include "os/linux/layout_table.h"
#undef X
    };
    struct {
#define X(id, type, need) uint32_t id;
        LAYOUT_SIZES(X)
#undef X
    } size;
    struct {
#define X(id, enum_name, enumerator) struct layout_enum id;
        LAYOUT_ENUMS(X)
#undef X
    } enums;
};

/* Hash of the tables above: what layout.version must be. */
uint64_t layout_version(void);

/* Fills l from the kernel's types. A missing REQUIRED row is an error that names it. */
struct oscope_error *layout_resolve(struct types *ts, struct layout *l);

/*
 * Loads field f from an object whose bytes are at p (n of them are readable). Zero-extends;
 * bit-fields are extracted. 0 when the field is absent or out of bounds.
 */
static inline uint64_t layout_get(const void *p, size_t n, struct layout_field f);
/* As layout_get(), sign-extended. */
static inline int64_t layout_get_signed(const void *p, size_t n, struct layout_field f);

/* ---- */

#include "base/util.h"

static inline uint64_t layout_get(const void *p, size_t n, struct layout_field f)
{
    if (!f.present || f.size > 8 || (uint64_t)f.offset + f.size > n)
        return 0;
    uint64_t v = load_uint((const char *)p + f.offset, f.size);
    return f.bits ? bits(v, f.bit + f.bits - 1u, f.bit) : v;
}

static inline int64_t layout_get_signed(const void *p, size_t n, struct layout_field f)
{
    unsigned width = f.bits ? f.bits : f.size * 8u;
    uint64_t v = layout_get(p, n, f);

    return width && width < 64 ? (int64_t)(v << (64 - width)) >> (64 - width) : (int64_t)v;
}

#endif
