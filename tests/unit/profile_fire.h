/* SPDX-License-Identifier: MIT */
/*
 * Probes of the kernel of profile_fixture.h: an event set's programs, verified, and run by the
 * engine's interpreter at an address, with registers that the test sets.
 */
#ifndef TESTS_PROFILE_FIRE_H
#define TESTS_PROFILE_FIRE_H

#include "capture/tcg/interp.h"
#include "probe/verify.h"
#include "profile_fixture.h"
#include "trace/schema.h"

static uint64_t rdi, rax, rsp;
static const struct probe_set *running; /* whose registers these are */

static inline bool fake_register(void *arg, unsigned number, uint64_t *value)
{
    const char *name = running->registers[number];

    *value = !strcmp(name, "rdi") ? rdi : !strcmp(name, "rax") ? rax : rsp;
    return !strcmp(name, "rdi") || !strcmp(name, "rax") || !strcmp(name, "rsp");
}

static inline bool fake_memory(void *arg, uint64_t va, void *out, size_t n)
{
    return vspace_read(&x.m->kernel, va, out, n);
}

/* What the probe of that name, the n-th there, puts into an event; its bytes, 0: none. */
static inline int fire(struct probe_set *s, const char *name, uint64_t address, uint8_t *record)
{
    static struct wire_set wire;
    struct machine m = {.pc = address,
                        .vcpu = 0,
                        .reg = fake_register,
                        .memory = fake_memory,
                        .tables = wire.tables};

    running = s;
    memset(&wire, 0, sizeof wire);
    probe_set_write(s, &wire);
    assert_null(verify_set(&wire));
    for (size_t i = 0; i < s->probes.len; i++)
        if (!strcmp(s->names.data[i].text, name) && s->probes.data[i].address == address)
            return (int)interp_run(wire.code + wire.probes[i].first, &m, record);
    fail_msg("no probe %s at 0x%llx", name, (unsigned long long)address);
    return 0;
}

static inline struct oscope_error *probes(const char *set, struct probe_set *s,
                                          struct os_list *notes)
{
    struct trace_schema schema;

    probe_set_init(s);
    trace_schema_init(&schema);
    assert_null(trace_schema_add_builtin(&schema));
    os_list_init(notes, 1);
    struct oscope_error *err = x.m->ops->probes(x.m, set, s, &schema, notes);
    if (!err)
        err = probe_set_finish(s);
    trace_schema_free(&schema);
    return err;
}

#endif
