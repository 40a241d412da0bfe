/* SPDX-License-Identifier: MIT */
/*
 * g gives the general registers at once, others are asked for one by one, so only those are that
 * somebody looks at. Names are the stub's, brought to those that target.h promises: RISC-V's by the
 * ABI become x0 to x31, x86's flags "rfl".
 */
#include "target/gdb_regs.h"

#include "base/log.h"
#include "base/util.h"
#include "base/vec.h"

#include <stdio.h>

enum { THREADS_MAX = 1024, ROUNDS_MAX = 2 * THREADS_MAX, G_MAX = 64 << 10 };

/* ---- what is known of each arch ---- */

struct default_reg {
    const char *name;
    uint32_t num, bits;
};

struct gdb_arch {
    const char *name;
    const char *const *gdb_names;     /* <architecture>; NULL ends */
    const char *core;                 /* feature that only this one has; NULL: see has_reg */
    const char *has_reg;              /* or a register */
    const char *const *wanted;        /* what is asked for with p; NULL ends */
    const struct default_reg *layout; /* without a description; a name with '%' is 31 of them */
};

/* The RISC-V privileged specification's supervisor and machine CSRs, and GDB's "priv". */
static const char *const riscv_wanted[] = {
    "satp", "sstatus", "sepc",    "scause",  "stval", "stvec", "sscratch", "sie",
    "sip",  "mstatus", "mepc",    "mcause",  "mtval", "mtvec", "mscratch", "mie",
    "mip",  "mhartid", "medeleg", "mideleg", "priv",  NULL,
};
static const char *const x86_wanted[] = {
    "cr0", "cr2", "cr3", "cr4", "cr8", "efer", "fs_base", "gs_base", "k_gs_base", NULL,
};
static const char *const arm_wanted[] = {
    "sctlr",     "sctlr_el1", "ttbr0_el1", "ttbr1_el1", "tcr_el1", "vbar_el1",
    "tpidr_el0", "tpidr_el1", "sp_el0",    "sp_el1",    "elr_el1", "spsr_el1",
    "esr_el1",   "far_el1",   "mair_el1",  NULL,
};

/* Numbers of GDB's own: gdb/riscv-tdep.h (CSR n is 65 + n), gdb/amd64-tdep.h, gdb/i386-tdep.h,
 * gdb/aarch64-tdep.h. */
static const struct default_reg riscv_layout[] = {
    {"x%u", 0, 64},
    {"pc", 32, 64},
    {"sstatus", 65 + 0x100, 64},
    {"stvec", 65 + 0x105, 64},
    {"sscratch", 65 + 0x140, 64},
    {"sepc", 65 + 0x141, 64},
    {"scause", 65 + 0x142, 64},
    {"stval", 65 + 0x143, 64},
    {"satp", 65 + 0x180, 64},
    {"mhartid", 65 + 0xf14, 64},
    {"priv", 4161, 64},
    {0},
};
static const struct default_reg amd64_layout[] = {
    {"rax", 0, 64},  {"rbx", 1, 64},  {"rcx", 2, 64},     {"rdx", 3, 64},  {"rsi", 4, 64},
    {"rdi", 5, 64},  {"rbp", 6, 64},  {"rsp", 7, 64},     {"r8", 8, 64},   {"r9", 9, 64},
    {"r10", 10, 64}, {"r11", 11, 64}, {"r12", 12, 64},    {"r13", 13, 64}, {"r14", 14, 64},
    {"r15", 15, 64}, {"rip", 16, 64}, {"eflags", 17, 32}, {"cs", 18, 32},  {"ss", 19, 32},
    {"ds", 20, 32},  {"es", 21, 32},  {"fs", 22, 32},     {"gs", 23, 32},  {0},
};
static const struct default_reg i386_layout[] = {
    {"eax", 0, 32},
    {"ecx", 1, 32},
    {"edx", 2, 32},
    {"ebx", 3, 32},
    {"esp", 4, 32},
    {"ebp", 5, 32},
    {"esi", 6, 32},
    {"edi", 7, 32},
    {"eip", 8, 32},
    {"eflags", 9, 32},
    {"cs", 10, 32},
    {"ss", 11, 32},
    {"ds", 12, 32},
    {"es", 13, 32},
    {"fs", 14, 32},
    {"gs", 15, 32},
    {0},
};
static const struct default_reg arm_layout[] = {
    {"x%u", 0, 64}, {"sp", 31, 64}, {"pc", 32, 64}, {"cpsr", 33, 32}, {0},
};

static const char *const riscv_names[] = {"riscv:rv64", NULL};
static const char *const amd64_names[] = {"i386:x86-64", "i386:x86-64:intel", NULL};
static const char *const i386_names[] = {"i386", "i386:intel", NULL};
static const char *const arm_names[] = {"aarch64", NULL};

/* The order matters for stubs that do not name the architecture: rip before eip. */
static const struct gdb_arch archs[] = {
    {"riscv64", riscv_names, "org.gnu.gdb.riscv.cpu", NULL, riscv_wanted, riscv_layout},
    {"x86_64", amd64_names, NULL, "rip", x86_wanted, amd64_layout},
    {"i386", i386_names, NULL, "eip", x86_wanted, i386_layout},
    {"aarch64", arm_names, "org.gnu.gdb.aarch64.core", NULL, arm_wanted, arm_layout},
};

static const struct gdb_arch *arch_named(const char *name)
{
    for (size_t i = 0; name && i < ARRAY_SIZE(archs); i++)
        if (!strcmp(archs[i].name, name))
            return &archs[i];
    return NULL;
}

static const struct gdb_reg *reg_named(const struct gdb_regs *r, const char *name)
{
    vec_each (const struct gdb_reg, reg, &r->v)
        if (!strcmp(reg->name, name))
            return reg;
    return NULL;
}

static bool listed(const char *const *list, const char *name)
{
    for (; *list; list++)
        if (!strcmp(*list, name))
            return true;
    return false;
}

/* By name, or by what only this architecture has. RISC-V of 32 bits has the same features. */
const char *gdb_regs_arch(const struct gdb_regs *r)
{
    const struct gdb_reg *pc = reg_named(r, "pc");

    for (size_t i = 0; i < ARRAY_SIZE(archs); i++) {
        const struct gdb_arch *a = &archs[i];
        bool fits =
            (a->core && !strcmp(r->core, a->core)) || (a->has_reg && reg_named(r, a->has_reg));

        if (r->arch[0] ? listed(a->gdb_names, r->arch) ||
                             (fits && !strcmp(r->arch, "riscv")) /* any width */
                       : fits) {
            bool narrow = a->layout == riscv_layout && pc && pc->bytes != 8;
            return narrow ? NULL : a->name;
        }
    }
    return NULL;
}

/* ---- learning ---- */

static struct oscope_error *fetch(void *arg, const char *annex, char **text, size_t *n)
{
    return gdb_transfer(arg, "features", annex, GDB_XML_MAX, text, n);
}

static struct oscope_error *use_default(const struct gdb_arch *a, struct gdb_regs *out)
{
    for (const struct default_reg *d = a->layout; d->name; d++) {
        bool several = strchr(d->name, '%') != NULL;
        /* those before the next entry's number */
        for (uint32_t k = 0; k < (several ? d[1].num - d->num : 1); k++) {
            char name[16];

            snprintf(name, sizeof name, "x%u", (unsigned)k);
            if (!gdb_regs_add(out, several ? name : d->name, d->num + k, d->bits))
                return error_nomem();
        }
    }
    gdb_regs_finish(out);
    return NULL;
}

struct oscope_error *gdb_regs_learn(struct gdb_link *l, const char *arch, struct gdb_regs *out,
                                    const char **found)
{
    struct oscope_error *err = NULL;

    *out = (struct gdb_regs){0};
    *found = arch;
    if (gdb_link_features(l)->target_xml)
        err = gdb_xml_target(fetch, l, out);
    if (err && err->code == OSCOPE_E_NOT_FOUND && !out->v.len) {
        oscope_error_free(err);
        err = NULL;
    }
    TRY(err);
    if (out->v.len) {
        const char *said = gdb_regs_arch(out);
        if (!said && !arch)
            return error_hint(
                error_new(OSCOPE_E_UNSUPPORTED,
                          "the GDB stub's target has the architecture "
                          "'%.31s', which oscope does not know",
                          out->arch[0] ? out->arch : out->core),
                "riscv64, x86_64, i386 and aarch64 are; --arch says which if the stub does not");
        *found = said ? said : arch;
        return NULL;
    }
    const struct gdb_arch *a = arch_named(arch);
    if (!a)
        return error_hint(
            error_new(OSCOPE_E_UNSUPPORTED, "the GDB stub does not describe its registers"),
            "say which architecture it is: --arch riscv64, x86_64, i386 or aarch64");
    return use_default(a, out);
}

/* ---- names ---- */

/* RISC-V ELF psABI, "Register Convention". */
static const char *const riscv_abi[32] = {
    "zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
    "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
    "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};

static void set_name(char out[16], const char *name, const char *arch)
{
    if (!strcmp(arch, "riscv64")) {
        unsigned x = 0;
        while (x < 32 && strcmp(riscv_abi[x], name) != 0)
            x++;
        if (!strcmp(name, "fp"))
            x = 8;
        if (x < 32) {
            snprintf(out, 16, "x%u", x);
            return;
        }
    } else if (!strcmp(name, "eflags")) {
        name = !strcmp(arch, "i386") ? "efl" : "rfl";
    } else if (!strcmp(name, "cpsr") && !strcmp(arch, "aarch64")) {
        name = "pstate";
    }
    str_copy(out, 16, name);
}

/* ---- reading ---- */

#define ANY_THREAD "0"

struct reading {
    struct gdb_link *l;
    const struct gdb_regs *regs;
    const struct gdb_arch *arch;
    const char *arch_name;
    uint8_t *g;  /* G_MAX */
    char *known; /* of each byte of g: 1 if the stub knows it */
    size_t ng;
};

struct reg_list {
    VEC(struct target_reg) v;
};

/* "xx" stands for a byte of a register that the stub does not know. */
static bool decode_g(struct reading *r, const char *text, size_t n)
{
    if (n % 2 || n / 2 > G_MAX)
        return false;
    for (size_t i = 0; i < n / 2; i++) {
        r->known[i] = text[2 * i] != 'x';
        if (r->known[i] && gdb_hex(text + 2 * i, 2, r->g + i, 1) != 1)
            return false;
    }
    r->ng = n / 2;
    return true;
}

static struct oscope_error *read_g(struct reading *r)
{
    const char *text;
    size_t n;

    r->ng = 0;
    TRY(gdb_request(r->l, "g", &text, &n));
    if (gdb_answered(text, n) && !decode_g(r, text, n))
        return error_new(OSCOPE_E_BAD_DATA, "the GDB stub's answer with registers is no hex");
    return NULL;
}

/* One register by its number; *have is false when the stub does not give it. */
static struct oscope_error *read_p(struct reading *r, const struct gdb_reg *reg, uint64_t *value,
                                   bool *have)
{
    uint8_t bytes[8] = {0};
    char payload[24];
    const char *text;
    size_t n;

    snprintf(payload, sizeof payload, "p%x", (unsigned)reg->num);
    TRY(gdb_request(r->l, payload, &text, &n));
    *have = gdb_answered(text, n) && gdb_hex(text, n, bytes, sizeof bytes) > 0;
    *value = load64(bytes);
    return NULL;
}

static struct oscope_error *read_one(struct reading *r, const struct gdb_reg *reg,
                                     struct reg_list *out)
{
    enum { GENERAL = 34 }; /* numbers below: asked for if g does not hold them */
    struct target_reg one = {.value = 0};
    bool have = (uint64_t)reg->at + reg->bytes <= r->ng;

    if (reg->bytes > 8)
        return NULL;
    if (have) {
        uint8_t bytes[8] = {0};
        have = !memchr(r->known + reg->at, 0, reg->bytes);
        memcpy(bytes, r->g + reg->at, reg->bytes);
        one.value = load64(bytes);
    } else if (reg->num < GENERAL || (r->arch && listed(r->arch->wanted, reg->name))) {
        TRY(read_p(r, reg, &one.value, &have));
    }
    set_name(one.name, reg->name, r->arch_name);
    return have && !vec_push(&out->v, one) ? error_nomem() : NULL;
}

/* QEMU says of a vCPU "CPU#0 [running]" or "[halted ]". */
static struct oscope_error *read_halted(struct reading *r, const char *id, bool *halted)
{
    char payload[GDB_THREAD_ID + 24], words[128];
    const char *text;
    size_t n;

    snprintf(payload, sizeof payload, "qThreadExtraInfo,%s", id);
    TRY(gdb_request(r->l, payload, &text, &n));
    long len = gdb_answered(text, n) ? gdb_hex(text, n, (uint8_t *)words, sizeof words - 1) : -1;
    words[MAX(len, 0)] = '\0';
    *halted = strstr(words, "[halted") != NULL;
    return NULL;
}

static struct oscope_error *read_thread(struct reading *r, const char *id, struct target_vcpu *out)
{
    char payload[GDB_THREAD_ID + 4];
    struct reg_list list = {0};
    struct oscope_error *err = NULL;
    const char *text;
    size_t n;

    snprintf(payload, sizeof payload, "Hg%s", id);
    TRY(gdb_request(r->l, payload, &text, &n));
    /* A stub without threads may not know the request. */
    if (strcmp(text, "OK") != 0 && (n || strcmp(id, ANY_THREAD) != 0))
        return error_new(OSCOPE_E_BAD_DATA, "the GDB stub does not let thread %s be chosen", id);
    TRY(read_halted(r, id, &out->halted));
    TRY(read_g(r));
    vec_each (const struct gdb_reg, reg, &r->regs->v)
        if (!err)
            err = read_one(r, reg, &list);
    out->regs = list.v.data;
    out->nregs = list.v.len;
    if (!err && !out->nregs)
        err = error_new(OSCOPE_E_BAD_DATA, "the GDB stub gives no registers of thread %s", id);
    return err;
}

struct thread {
    char id[GDB_THREAD_ID];
};

struct threads {
    VEC(struct thread) v;
};

/* Adds the ids of one answer; *more: another is to be asked for. */
static struct oscope_error *add_threads(const char *text, struct threads *out, bool *more)
{
    const char *p = text + 1;
    struct thread t = {""};

    *more = text[0] == 'm';
    while (*more && gdb_next_thread(&p, t.id)) {
        if (out->v.len == THREADS_MAX)
            return error_new(OSCOPE_E_BAD_DATA, "the GDB stub names over %d threads", THREADS_MAX);
        if (!vec_push(&out->v, t))
            return error_nomem();
    }
    return *more && *p ? error_new(OSCOPE_E_BAD_DATA, "the GDB stub's list of threads is no list")
                       : NULL;
}

static struct oscope_error *list_threads(struct gdb_link *l, struct threads *out)
{
    const char *ask = "qfThreadInfo";
    bool more = true;

    for (int i = 0; more; i++) {
        const char *text;
        size_t n;

        if (i == ROUNDS_MAX)
            return error_new(OSCOPE_E_BAD_DATA, "the GDB stub's list of threads does not end");
        TRY(gdb_request(l, ask, &text, &n));
        TRY(add_threads(text, out, &more));
        ask = "qsThreadInfo";
    }
    /* A stub that knows no threads has one. */
    const struct thread any = {ANY_THREAD};
    return out->v.len || vec_push(&out->v, any) ? NULL : error_nomem();
}

static struct oscope_error *read_all(struct reading *r, const struct threads *threads,
                                     struct target_vcpus *out)
{
    out->vcpus = calloc(threads->v.len, sizeof *out->vcpus);
    if (!out->vcpus)
        return error_nomem();
    for (; out->n < threads->v.len; out->n++) {
        out->vcpus[out->n].index = (unsigned)out->n;
        struct oscope_error *err = read_thread(r, threads->v.data[out->n].id, &out->vcpus[out->n]);
        if (err) {
            out->n++; /* its registers are freed, too */
            return err;
        }
    }
    return NULL;
}

struct oscope_error *gdb_regs_read(struct gdb_link *l, const struct gdb_regs *regs,
                                   const char *arch, struct target_vcpus *out)
{
    struct reading r = {.l = l, .regs = regs, .arch = arch_named(arch), .arch_name = arch};
    struct threads threads = {0};

    *out = (struct target_vcpus){0};
    r.g = malloc(G_MAX);
    r.known = malloc(G_MAX);
    struct oscope_error *err = r.g && r.known ? list_threads(l, &threads) : error_nomem();
    if (!err)
        err = read_all(&r, &threads, out);
    if (err)
        target_vcpus_free(out);
    vec_free(&threads.v);
    free(r.g);
    free(r.known);
    return err;
}
