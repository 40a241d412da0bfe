/* SPDX-License-Identifier: MIT */
/*
 * Expressions of profiles on a made-up kernel whose RAM the input's tail has scribbled over. Input:
 * as of fixture_open_input(); its first byte: bit 0 an object is wanted, bit 1 no task, bit 2 no
 * vCPU, bits 3-7 the vCPU's number.
 */
#include "fuzz.h"

#include "../unit/print_fixture.h"
#include "os/profile/access.h"

static void run(struct fixture *f, unsigned how, const char *text)
{
    struct target_reg reg = {.name = "x10", .value = fixture_task(1)};
    struct target_vcpu vcpu = {.regs = &reg, .nregs = 1};
    const struct access_scope scope = {.types = f->types,
                                       .symtab = f->os.symtab,
                                       .arch = f->os.arch,
                                       .task = how & 2 ? NULL : types_find(f->types, "struct task"),
                                       .cpu = !(how & 4),
                                       .registers = !(how & 4)};
    const struct access_env env = {.vs = &f->os.kernel,
                                   .task = fixture_task(0),
                                   .cpu = how >> 3,
                                   .vcpu = how & 4 ? NULL : &vcpu};
    struct access a;
    uint64_t v;

    struct oscope_error *err =
        access_compile(&scope, text, how & 1 ? ACCESS_OBJECT : ACCESS_NUMBER, &a);
    if (err) {
        if (a.n || !err->message[0])
            abort();
        oscope_error_free(err);
        return;
    }
    if (!a.n || a.n > ACCESS_CODE_MAX || a.nregisters > ACCESS_REGISTERS ||
        (access_eval(&a, &env, &v) != ACCESS_OK && v))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fixture f;
    char *text = fixture_open_input(&f, data, size);

    if (!text)
        return 0;
    run(&f, data[0], text);
    fixture_close(&f);
    free(text);
    return 0;
}
