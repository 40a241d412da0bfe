/* SPDX-License-Identifier: MIT */
/*
 * A guest made by hand: one stretch of RAM over malloc'd memory (so that ASan sees every byte read
 * past it) and one vCPU with the registers a test gives it.
 *
 *     struct fake f;
 *     fake_init(&f, "riscv64", 0x80000000, 1 << 20);
 *     fake_put64(&f, 0x80001000, 42);
 *     ... f.target ...
 *     fake_free(&f);
 */
#ifndef TESTS_FAKE_TARGET_H
#define TESTS_FAKE_TARGET_H

#include "base/error.h"
#include "base/util.h"
#include "target/target.h"

#include <assert.h>

enum { FAKE_REGS = 32 };

struct fake {
    struct target target;
    struct target_ram ram;
    uint8_t *mem;
    uint64_t next; /* fake_alloc() */
    struct target_reg regs[FAKE_REGS];
    size_t nregs;
    unsigned asked; /* how often for the registers */
};

static inline struct oscope_error *fake_registers(struct target *t, struct target_vcpus *out)
{
    struct fake *f = t->backend;

    f->asked++;
    out->vcpus = calloc(1, sizeof *out->vcpus);
    out->n = 1;
    out->vcpus[0].regs = malloc(sizeof f->regs);
    memcpy(out->vcpus[0].regs, f->regs, sizeof f->regs);
    out->vcpus[0].nregs = f->nregs;
    return NULL;
}

/* Serves RAM whose map a test took away (ram.map = NULL). */
static inline bool fake_read(struct target *t, const struct target_ram *ram, uint64_t off,
                             void *buf, size_t n)
{
    struct fake *f = t->backend;

    memcpy(buf, f->mem + off, n);
    return true;
}

static inline void fake_init(struct fake *f, const char *arch, uint64_t gpa, uint64_t size)
{
    static const struct target_ops ops = {
        .name = "fake", .read = fake_read, .registers = fake_registers};

    *f = (struct fake){.mem = calloc(1, size), .next = gpa};
    f->ram = (struct target_ram){.gpa = gpa, .size = size, .name = "fake", .map = f->mem, .fd = -1};
    f->target = (struct target){.ops = &ops, .backend = f, .arch = arch, .ram = &f->ram, .nram = 1};
}

static inline void fake_free(struct fake *f)
{
    free(f->mem);
}

static inline void fake_put(struct fake *f, uint64_t pa, const void *data, size_t n)
{
    assert(pa >= f->ram.gpa && pa - f->ram.gpa + n <= f->ram.size);
    memcpy(f->mem + (pa - f->ram.gpa), data, n);
}

static inline void fake_put64(struct fake *f, uint64_t pa, uint64_t v)
{
    fake_put(f, pa, &v, sizeof v);
}

static inline void fake_put32(struct fake *f, uint64_t pa, uint32_t v)
{
    fake_put(f, pa, &v, sizeof v);
}

/* The next free aligned stretch of the fake RAM. */
static inline uint64_t fake_alloc(struct fake *f, uint64_t size, uint64_t align)
{
    uint64_t pa = ALIGN_UP(f->next, align);

    f->next = pa + size;
    assert(f->next - f->ram.gpa <= f->ram.size);
    return pa;
}

/* Sets a register of the vCPU. */
static inline void fake_reg(struct fake *f, const char *name, uint64_t value)
{
    size_t i = 0;

    while (i < f->nregs && strcmp(f->regs[i].name, name) != 0)
        i++;
    assert(i < FAKE_REGS);
    str_copy(f->regs[i].name, sizeof f->regs[i].name, name);
    f->regs[i].value = value;
    f->nregs = i < f->nregs ? f->nregs : i + 1;
}

/* The vCPU, borrowing the fake's registers. */
static inline struct target_vcpu fake_vcpu(struct fake *f)
{
    return (struct target_vcpu){.regs = f->regs, .nregs = f->nregs};
}

#endif
