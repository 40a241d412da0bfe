/* SPDX-License-Identifier: MIT */
/*
 * The ELF core reader. Input: a file. Whatever regions come out must lie in the file, be in order
 * and answer reads in all the ways there are.
 */
#include "fuzz.h"

#include "base/util.h"
#include "target/core.h"

enum { READS = 64 };

#define CHECK(x)                                                                                   \
    do {                                                                                           \
        if (!(x))                                                                                  \
            __builtin_trap();                                                                      \
    } while (0)

static volatile unsigned sum;

static void check_region(struct target *t, const struct target_ram *r, const uint8_t *data,
                         size_t size)
{
    uint8_t buf[64];
    size_t n = (size_t)MIN(r->size, (uint64_t)sizeof buf);

    CHECK(r->size && r->size <= UINT64_MAX - r->gpa);
    if (r->map) {
        CHECK(r->map >= data && r->size <= size && r->map + r->size <= data + size);
        const uint8_t *p = target_ptr(t, r->gpa, r->size);
        CHECK(p == r->map);
        sum += p[0] + p[r->size - 1];
    } else {
        CHECK(!target_ptr(t, r->gpa, 1));
    }
    CHECK(target_ram_at(t, r->gpa) == r && target_ram_at(t, r->gpa + r->size - 1) == r);
    CHECK(target_read(t, r->gpa, buf, n));
    CHECK(target_read(t, r->gpa + r->size - n, buf, n));
    CHECK(!target_ptr(t, r->gpa, r->size + 1));
    target_read(t, r->gpa + r->size - 1, buf, sizeof buf); /* may go on in the next region */
}

static void check_extents(struct target *t)
{
    uint64_t start, end, at = 0;

    for (unsigned i = 0; i < READS && target_extent(t, at, &start, &end); i++) {
        CHECK(start >= at && end > start);
        CHECK(target_ptr(t, start, end - start));
        at = end;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct target *t;
    struct target_vcpus v;
    uint64_t end = 0;
    struct oscope_error *err = core_open_memory(data, size, &t);

    if (err) {
        CHECK(err->message && !strchr(err->message, '\n'));
        oscope_error_free(err);
        return 0;
    }
    CHECK(t->nram > 0 && t->arch);
    for (size_t i = 0; i < t->nram; i++) {
        CHECK(i == 0 || t->ram[i].gpa >= end);
        end = t->ram[i].gpa + t->ram[i].size;
        if (i < READS)
            check_region(t, &t->ram[i], data, size);
    }
    check_extents(t);
    target_refresh(t);
    oscope_error_free(target_registers(t, &v));
    for (size_t i = 0; i < v.n; i++)
        for (size_t k = 0; k < v.vcpus[i].nregs; k++)
            CHECK(memchr(v.vcpus[i].regs[k].name, 0, sizeof v.vcpus[i].regs[k].name));
    target_vcpus_free(&v);
    target_close(t);
    return 0;
}
