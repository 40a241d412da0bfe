/* SPDX-License-Identifier: MIT */
/*
 * A made-up kernel to print from: RAM at FIX_VA, types in a BTF blob, symbols, a model that knows
 * the types of two globals. For test_print_expr.c, fuzz_print_expr.c and fuzz_profile_access.c.
 */
#ifndef TESTS_PRINT_FIXTURE_H
#define TESTS_PRINT_FIXTURE_H

#include "analysis/print.h"
#include "btf_blob.h"
#include "symbols/btf.h"

enum { FIX_SIZE = 1 << 16, FIX_TASK = 0x1000, FIX_TASK_SIZE = 256, FIX_TASKS = 4 };
#define FIX_VA UINT64_C(0xffffffff80000000)

/* Offsets in struct task. */
enum {
    FIX_PID = 0,
    FIX_FLAGS = 4, /* three bit-fields: 3, 5, 24 bits, the last signed */
    FIX_COMM = 8,
    FIX_LINK = 24, /* struct list_head */
    FIX_STATE = 40,
    FIX_MODE = 44,   /* enum of single bits */
    FIX_MM = 48,     /* struct mm * */
    FIX_FN = 56,     /* int (*)(void) */
    FIX_NAME = 64,   /* char * */
    FIX_GRID = 72,   /* int [6] */
    FIX_ON = 96,     /* bool */
    FIX_RATIO = 104, /* double */
    FIX_UNION = 112, /* anonymous: u64 whole; int half */
    FIX_WIDE = 128,  /* unsigned __int128 */
    FIX_MMS = 144,   /* struct mm [2], 16 bytes each */
    FIX_TAIL = 176,  /* int [] */
};

/* struct node: a parent's kids are linked by their kin; a to d are other lists. */
enum { FIX_NODE = 0x3000, FIX_NODE_SIZE = 160, FIX_KIDS = 120, FIX_KIN = 136, FIX_ID = 152 };

struct fixture {
    struct target target;
    struct target_ram ram;
    uint8_t *bytes;
    struct blob blob;
    struct os_model os;
    struct types *types;
};

static inline const char *fixture_global(struct os_model *m, const char *symbol)
{
    if (!strcmp(symbol, "init_task"))
        return "struct task";
    if (!strcmp(symbol, "banner"))
        return "const char []";
    return !strcmp(symbol, "all_tasks") ? "struct list_head" : NULL;
}

static inline void fixture_types(struct blob *b)
{
    blob_init(b);
    uint32_t i = blob_int(b, "int", 4, 1), u64 = blob_int(b, "long unsigned int", 8, 0);
    uint32_t u32 = blob_int(b, "unsigned int", 4, 0), c = blob_int(b, "char", 1, 1);
    uint32_t boolean = blob_int(b, "_Bool", 1, 4), w = blob_int(b, "unsigned __int128", 16, 0);
    uint32_t d = blob_type(b, BTF_FLOAT, false, 0, "double", 8);
    uint32_t comm = blob_array(b, c, 16), grid = blob_array(b, i, 6), tail = blob_array(b, i, 0);
    uint32_t list = blob_type(b, BTF_STRUCT, false, 2, "list_head", 16);
    blob_member(b, "next", list + 1, 0);
    blob_member(b, "prev", list + 1, 64);
    blob_type(b, BTF_PTR, false, 0, "", list);
    uint32_t state = blob_type(b, BTF_ENUM, true, 2, "state", 4);
    blob_value(b, "RUNNING", 0);
    blob_value(b, "DEAD", (uint32_t)-2);
    uint32_t mode = blob_type(b, BTF_ENUM, false, 3, "mode", 4);
    blob_value(b, "READ", 1);
    blob_value(b, "WRITE", 2);
    blob_value(b, "EXEC", 4);
    uint32_t mm = blob_type(b, BTF_STRUCT, false, 2, "mm", 16);
    blob_member(b, "pgd", u64, 0);
    blob_member(b, "users", i, 64);
    uint32_t fwd = blob_type(b, BTF_FWD, false, 0, "mm", 0);
    uint32_t mmp = blob_type(b, BTF_PTR, false, 0, "", fwd), mms = blob_array(b, mm, 2);
    uint32_t proto = blob_type(b, BTF_FUNC_PROTO, false, 0, "", i);
    uint32_t fn = blob_type(b, BTF_PTR, false, 0, "", proto);
    uint32_t str = blob_type(b, BTF_PTR, false, 0, "", c);
    uint32_t anon = blob_type(b, BTF_UNION, false, 2, "", 8);
    blob_member(b, "whole", u64, 0);
    blob_member(b, "half", i, 0);
    uint32_t task = b->next_id;
    blob_type(b, BTF_TYPEDEF, false, 0, "task_t", task + 1);
    blob_type(b, BTF_STRUCT, true, 18, "task", FIX_TASK_SIZE);
    blob_member(b, "pid", i, 0);
    blob_member(b, "low", u32, 3u << 24 | FIX_FLAGS * 8);
    blob_member(b, "mid", u32, 5u << 24 | (FIX_FLAGS * 8 + 3));
    blob_member(b, "high", i, 24u << 24 | (FIX_FLAGS * 8 + 8));
    blob_member(b, "comm", comm, FIX_COMM * 8);
    blob_member(b, "link", list, FIX_LINK * 8);
    blob_member(b, "state", state, FIX_STATE * 8);
    blob_member(b, "mode", mode, FIX_MODE * 8);
    blob_member(b, "mm", mmp, FIX_MM * 8);
    blob_member(b, "fn", fn, FIX_FN * 8);
    blob_member(b, "name", str, FIX_NAME * 8);
    blob_member(b, "grid", grid, FIX_GRID * 8);
    blob_member(b, "on", boolean, FIX_ON * 8);
    blob_member(b, "ratio", d, FIX_RATIO * 8);
    blob_member(b, "", anon, FIX_UNION * 8);
    blob_member(b, "wide", w, FIX_WIDE * 8);
    blob_member(b, "mms", mms, FIX_MMS * 8);
    blob_member(b, "tail", tail, FIX_TAIL * 8);
    blob_int(b, "long int", 8, 1);
    blob_type(b, BTF_STRUCT, false, 7, "node", FIX_NODE_SIZE);
    blob_member(b, "a", list, 0);
    blob_member(b, "b", list, 24 * 8);
    blob_member(b, "c", list, 56 * 8);
    blob_member(b, "d", list, 88 * 8);
    blob_member(b, "kids", list, FIX_KIDS * 8);
    blob_member(b, "kin", list, FIX_KIN * 8);
    blob_member(b, "id", i, FIX_ID * 8);
    blob_finish(b);
}

static inline uint64_t fixture_task(unsigned i)
{
    return FIX_VA + FIX_TASK + i * FIX_TASK_SIZE;
}

static inline void fixture_put(struct fixture *f, uint64_t va, uint64_t v, size_t n)
{
    memcpy(f->bytes + (va - FIX_VA), &v, n);
}

/* Links the tasks in a ring; head: with all_tasks as its head, else without one. */
static inline void fixture_link(struct fixture *f, bool head)
{
    uint64_t nodes[FIX_TASKS + 1];
    size_t n = 0;

    if (head)
        nodes[n++] = FIX_VA + 0x500;
    for (unsigned i = 0; i < FIX_TASKS; i++)
        nodes[n++] = fixture_task(i) + FIX_LINK;
    for (size_t i = 0; i < n; i++) {
        fixture_put(f, nodes[i], nodes[(i + 1) % n], 8);
        fixture_put(f, nodes[i] + 8, nodes[(i + n - 1) % n], 8);
    }
}

/* A ring of n nodes. */
static inline void fixture_ring(struct fixture *f, const uint64_t *nodes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        fixture_put(f, nodes[i], nodes[(i + 1) % n], 8);
        fixture_put(f, nodes[i] + 8, nodes[(i + n - 1) % n], 8);
    }
}

static inline uint64_t fixture_node(unsigned i)
{
    return FIX_VA + FIX_NODE + i * FIX_NODE_SIZE;
}

/* Node 0 and its kids, nodes 1 and 2; all other lists are empty heads. */
static inline void fixture_nodes(struct fixture *f)
{
    static const unsigned lists[] = {0, 24, 56, 88, FIX_KIDS, FIX_KIN};

    for (unsigned i = 0; i < 3; i++) {
        fixture_put(f, fixture_node(i) + FIX_ID, 10 + i, 4);
        for (size_t k = 0; k < ARRAY_SIZE(lists); k++)
            fixture_ring(f, &(uint64_t){fixture_node(i) + lists[k]}, 1);
    }
    fixture_ring(f,
                 (uint64_t[]){fixture_node(0) + FIX_KIDS, fixture_node(1) + FIX_KIN,
                              fixture_node(2) + FIX_KIN},
                 3);
}

static inline void fixture_memory(struct fixture *f)
{
    uint64_t t = fixture_task(0);
    double ratio = 0.25;

    fixture_put(f, t + FIX_FLAGS, 5 | 17 << 3 | (uint32_t)-9 << 8, 4);
    fixture_put(f, t + FIX_STATE, (uint32_t)-2, 4);
    fixture_put(f, t + FIX_MODE, 5, 4);
    fixture_put(f, t + FIX_MM, FIX_VA + 0x600, 8);
    fixture_put(f, FIX_VA + 0x600, 0x12345000, 8);
    fixture_put(f, FIX_VA + 0x608, 7, 4);
    fixture_put(f, t + FIX_FN, FIX_VA + 0x104, 8);
    fixture_put(f, t + FIX_NAME, FIX_VA + 0x700, 8);
    memcpy(f->bytes + 0x700, "a \"quoted\"\n\x01 text", 17);
    for (unsigned i = 0; i < 6; i++)
        fixture_put(f, t + FIX_GRID + 4 * i, i < 4 ? 3 : i, 4);
    fixture_put(f, t + FIX_ON, 1, 1);
    memcpy(f->bytes + FIX_TASK + FIX_RATIO, &ratio, 8);
    fixture_put(f, t + FIX_UNION, 0x1122334455667788, 8);
    fixture_put(f, t + FIX_WIDE, 1, 8);
    fixture_put(f, t + FIX_WIDE + 8, 2, 8);
    for (unsigned i = 0; i < FIX_TASKS; i++) {
        fixture_put(f, fixture_task(i), i + 1, 4);
        memcpy(f->bytes + FIX_TASK + i * FIX_TASK_SIZE + FIX_COMM, "task-", 5);
        f->bytes[FIX_TASK + i * FIX_TASK_SIZE + FIX_COMM + 5] = (uint8_t)('0' + i);
    }
    memcpy(f->bytes + 0x800, "version 1", 10);
    fixture_nodes(f);
    fixture_link(f, false);
}

/* False: out of memory. */
static inline bool fixture_open(struct fixture *f)
{
    static const struct os_model_ops ops = {.name = "fake", .global_type = fixture_global};
    static const struct {
        const char *name;
        uint64_t va;
        char type;
    } symbols[] = {
        {"do_it", FIX_VA + 0x100, 'T'},        {"next_fn", FIX_VA + 0x140, 'T'},
        {"mystery", FIX_VA + 0x400, 'D'},      {"all_tasks", FIX_VA + 0x500, 'D'},
        {"other", FIX_VA + 0x510, 'D'},        {"init_task", FIX_VA + FIX_TASK, 'D'},
        {"banner", FIX_VA + 0x800, 'R'},       {"behind.isra.0", FIX_VA + 0x2000, 'D'},
        {"elsewhere", FIX_VA + FIX_SIZE, 'D'},
    };
    struct symimage_builder *b = symimage_builder_new();
    struct symimage *img = NULL;

    *f = (struct fixture){.bytes = calloc(1, FIX_SIZE)};
    f->ram = (struct target_ram){.gpa = 0x1000, .size = FIX_SIZE, .map = f->bytes, .fd = -1};
    f->target = (struct target){.arch = "riscv64", .ram = &f->ram, .nram = 1};
    struct os_model *m = &f->os;
    *m = (struct os_model){.ops = &ops, .target = &f->target, .arch = arch_find("riscv64")};
    struct paging none = {0};
    vspace_init(&m->kernel, &f->target, m->arch, &none, &none);
    vspace_add_direct(&m->kernel, FIX_VA, FIX_SIZE, 0x1000);
    fixture_types(&f->blob);
    struct oscope_error *err =
        btf_open(f->blob.bytes, f->blob.len, NULL, m->arch->ptr_size, &f->types);
    m->types = f->types;
    for (size_t i = 0; i < ARRAY_SIZE(symbols); i++)
        symimage_add(b, symbols[i].va, 0, symbols[i].type, false, symbols[i].name,
                     strlen(symbols[i].name));
    if (!err)
        err = symimage_finish(b, &img);
    m->symtab = symtab_new();
    bool ok = !err && f->bytes && m->symtab && symtab_add(m->symtab, img, 0, NULL);
    oscope_error_free(err);
    fixture_memory(f);
    return ok;
}

static inline void fixture_close(struct fixture *f)
{
    symtab_free(f->os.symtab);
    types_free(f->types);
    free(f->bytes);
}

/*
 * For harnesses: a fixture and an expression (freed by the caller) of an input, which is a byte of
 * the harness's own, the expression up to a zero byte, and triples (u16 offset, u8 value) for the
 * RAM. NULL: it is too short or too long.
 */
static inline char *fixture_open_input(struct fixture *f, const uint8_t *data, size_t size)
{
    if (size < 2 || size > 4096)
        return NULL;
    size_t len = strnlen((const char *)data + 1, size - 1);
    char *text = malloc(len + 1);
    if (!text || !fixture_open(f))
        abort();
    memcpy(text, data + 1, len);
    text[len] = '\0';
    fixture_link(f, size & 1);
    for (size_t i = len + 2; i + 3 <= size; i += 3)
        f->bytes[load16(data + i)] = data[i + 2];
    return text;
}

#endif
