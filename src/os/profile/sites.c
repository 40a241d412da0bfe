/* SPDX-License-Identifier: MIT */
/*
 * Places in the kernel's code: those that a profile gives by expressions, and those that are looked
 * for in a function, which is gone through from its first instruction on. Encodings of riscv64: The
 * RISC-V Instruction Set Manual, volume I, "RV64I"
 * (stores, JALR) and "C" (C.SW, C.SD, C.JR).
 */
#include "os/profile/sites.h"

#include "base/util.h"

#include <string.h>

enum { FUNCTION_MAX = 64 << 10 };

/* As QEMU's gdbstub names them. */
static const char *const abi_names[32] = {"zero", "ra", "sp",  "gp",  "tp", "t0", "t1", "t2",
                                          "fp",   "s1", "a0",  "a1",  "a2", "a3", "a4", "a5",
                                          "a6",   "a7", "s2",  "s3",  "s4", "s5", "s6", "s7",
                                          "s8",   "s9", "s10", "s11", "t3", "t4", "t5", "t6"};

struct oscope_error *sites_of(struct profile_model *pm, enum profile_key key, addresses *out)
{
    const struct access_env env = {.vs = &pm->base.kernel};
    uint64_t at;

    for (size_t i = 0; i < pm->nsites; i++)
        if (pm->sites[i].key == key && access_eval(&pm->sites[i].at, &env, &at) == ACCESS_OK &&
            at && !vec_push(out, at))
            return error_nomem();
    return NULL;
}

/* ---- going through a function ---- */

/* Called with each instruction, n bytes; false: out of memory. */
typedef bool insn_fn(void *arg, uint64_t at, const uint8_t *code, size_t n);

/* Machine code of an architecture: how long an instruction is (0: not known), whether it returns
 * from its function, where it jumps to without a condition, whether it stores to what a register
 * points at (see sites.h). */
struct code {
    const char *arch;
    unsigned (*length)(const uint8_t *code, size_t n);
    bool (*is_return)(const uint8_t *code, size_t n);
    bool (*is_jump)(const uint8_t *code, size_t n, int64_t *to);
    bool (*is_store)(const uint8_t *code, size_t n, struct site_store *out, uint64_t *offset,
                     unsigned *size);
};

static const struct code *code_of(const struct profile_model *pm);

/* What is not found is noted. */
static struct oscope_error *function(struct writer *w, const struct code *how,
                                     const struct symbol *sym, insn_fn *fn, void *arg)
{
    AUTO_FREE uint8_t *code = NULL;
    size_t n = (size_t)sym->size;

    if (!sym->size || sym->size > FUNCTION_MAX) {
        os_list_note(w->notes, "the symbols do not tell how long function %s is", sym->name);
        return NULL;
    }
    if (!(code = malloc(n)))
        return error_nomem();
    if (!vspace_read(&w->pm->base.kernel, sym->addr, code, n)) {
        os_list_note(w->notes, "the code of function %s can't be read", sym->name);
        return NULL;
    }
    for (size_t i = 0, size; i < n; i += size) {
        if (!(size = how->length(code + i, n - i))) {
            os_list_note(w->notes, "the code of function %s is not known from 0x%llx on", sym->name,
                         (unsigned long long)(sym->addr + i));
            break;
        }
        if (!fn(arg, sym->addr + i, code + i, size))
            return error_nomem();
    }
    return NULL;
}

static struct oscope_error *functions(struct writer *w, enum profile_key key, insn_fn *fn,
                                      void *arg)
{
    const struct code *how = code_of(w->pm);
    const char *p = profile_value(w->pm, key);
    size_t n;

    if (!p)
        return NULL;
    if (!how) {
        os_list_note(w->notes, "%s: code of %s is not known to oscope", profile_key_name(key),
                     w->pm->base.arch->name);
        return NULL;
    }
    for (const char *word; (word = profile_word(&p, &n));) {
        struct symbol sym;
        if (profile_function(w->pm, word, n, &sym))
            TRY(function(w, how, &sym, fn, arg));
    }
    return NULL;
}

/* ---- riscv64 ---- */

static unsigned riscv_length(const uint8_t *code, size_t n)
{
    unsigned size = (code[0] & 3) == 3 ? 4 : 2;

    return size <= n ? size : 0;
}

/* The unused half of a short one is 0. */
static uint32_t riscv_insn(const uint8_t *code, size_t n)
{
    return n == 4 ? load32(code) : load16(code);
}

static bool riscv_is_return(const uint8_t *code, size_t n)
{
    enum { RET = 0x00008067, C_RET = 0x8082 };
    uint32_t insn = riscv_insn(code, n);

    return insn == RET || insn == C_RET;
}

static int64_t sign_extend(uint64_t v, unsigned bits)
{
    return (int64_t)(v << (64 - bits)) >> (64 - bits);
}

/* jal zero and c.j. */
static bool riscv_is_jump(const uint8_t *code, size_t n, int64_t *to)
{
    enum { JAL_ZERO = 0x6f, JAL_MASK = 0xfff, C_J = 0xa001, C_MASK = 0xe003 };
    uint32_t i = riscv_insn(code, n);

    if (n == 4 && (i & JAL_MASK) == JAL_ZERO) {
        *to = sign_extend((i >> 31) << 20 | (i >> 12 & 0xff) << 12 | (i >> 20 & 1) << 11 |
                              (i >> 21 & 0x3ff) << 1,
                          21);
        return true;
    }
    if (n != 2 || (i & C_MASK) != C_J)
        return false;
    *to = sign_extend((i >> 12 & 1) << 11 | (i >> 11 & 1) << 4 | (i >> 9 & 3) << 8 |
                          (i >> 8 & 1) << 10 | (i >> 7 & 1) << 6 | (i >> 6 & 1) << 7 |
                          (i >> 3 & 7) << 1 | (i >> 2 & 1) << 5,
                      12);
    return true;
}

struct store {
    uint64_t offset;
    unsigned size, object, value; /* registers by their number */
};

static bool decode_store(uint32_t insn, struct store *s)
{
    enum { STORE = 0x23, C_SW = 0xc000, C_SD = 0xe000, C_MASK = 0xe003 };

    if ((insn & 0x7f) == STORE && (insn >> 12 & 7) <= 3) {
        uint32_t imm = (insn >> 25) << 5 | (insn >> 7 & 31);
        *s = (struct store){.offset = (uint64_t)((int64_t)((uint64_t)imm << 52) >> 52),
                            .size = 1U << (insn >> 12 & 7),
                            .object = insn >> 15 & 31,
                            .value = insn >> 20 & 31};
        return true;
    }
    bool word = (insn & C_MASK) == C_SW;
    if (!word && (insn & C_MASK) != C_SD)
        return false;
    uint32_t high = word ? (insn >> 5 & 1) << 6 | (insn >> 6 & 1) << 2 : (insn >> 5 & 3) << 6;
    *s = (struct store){.offset = (insn >> 10 & 7) << 3 | high,
                        .size = word ? 4 : 8,
                        .object = 8 + (insn >> 7 & 7),
                        .value = 8 + (insn >> 2 & 7)};
    return true;
}

static bool riscv_is_store(const uint8_t *code, size_t n, struct site_store *out, uint64_t *offset,
                           unsigned *size)
{
    struct store s;

    if (!decode_store(riscv_insn(code, n), &s))
        return false;
    *out = (struct site_store){.object = abi_names[s.object],
                               .value = s.value ? abi_names[s.value] : NULL};
    *offset = s.offset;
    *size = s.size;
    return true;
}

static const struct code codes[] = {
    {"riscv64", riscv_length, riscv_is_return, riscv_is_jump, riscv_is_store},
    {"i386", sites_x86_insn, sites_x86_return, sites_x86_jump, sites_x86_store},
};

static const struct code *code_of(const struct profile_model *pm)
{
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        if (!strcmp(codes[i].arch, pm->base.arch->name))
            return &codes[i];
    return NULL;
}

/* ---- returns ---- */

struct wanted {
    const struct code *how;
    const struct symtab *symbols;
    addresses *returns;
    bool jumps;    /* those count that end the function as another's call would */
    size_t unseen; /* such as do not */
    uint64_t offset;
    unsigned size;
    site_stores *stores;
};

/* A function's last call may be a jump to the first instruction of another one, which returns in
 * its place. Parts of a function that compilers put elsewhere have names with a point. */
static bool leaves(const struct wanted *want, uint64_t at, const uint8_t *code, size_t n)
{
    struct symbol here, there;
    uint64_t offset;
    int64_t to;

    return want->how->is_jump(code, n, &to) &&
           symtab_lookup(want->symbols, at + (uint64_t)to, &there, &offset) && !offset &&
           symtab_lookup(want->symbols, at, &here, &offset) && here.addr != there.addr &&
           !strchr(there.name, '.');
}

static bool take_return(void *arg, uint64_t at, const uint8_t *code, size_t n)
{
    struct wanted *want = arg;

    if (want->how->is_return(code, n))
        return vec_push(want->returns, at);
    if (!leaves(want, at, code, n))
        return true;
    want->unseen += !want->jumps;
    return !want->jumps || vec_push(want->returns, at);
}

static struct oscope_error *returns(struct writer *w, enum profile_key key, bool jumps,
                                    addresses *out)
{
    struct wanted want = {
        .how = code_of(w->pm), .symbols = w->pm->base.symtab, .returns = out, .jumps = jumps};
    size_t before = out->len;

    TRY(functions(w, key, take_return, &want));
    if (profile_value(w->pm, key) && out->len == before)
        os_list_note(w->notes, "%s: no return is found in these functions", profile_key_name(key));
    else if (want.unseen)
        os_list_note(w->notes, "%s: where these functions end by a jump to another one is not seen",
                     profile_key_name(key));
    return NULL;
}

struct oscope_error *sites_returns(struct writer *w, enum profile_key key, addresses *out)
{
    return returns(w, key, false, out);
}

struct oscope_error *sites_ends(struct writer *w, enum profile_key key, addresses *out)
{
    return returns(w, key, true, out);
}

/* ---- stores ---- */

static bool take_store(void *arg, uint64_t at, const uint8_t *code, size_t n)
{
    struct wanted *want = arg;
    struct site_store s;
    uint64_t offset;
    unsigned size;

    if (!want->how->is_store(code, n, &s, &offset, &size) || offset != want->offset ||
        size != want->size)
        return true;
    s.at = at;
    return vec_push(want->stores, s);
}

struct oscope_error *sites_stores(struct writer *w, enum profile_key key, uint64_t offset,
                                  unsigned size, site_stores *out)
{
    struct wanted want = {.how = code_of(w->pm), .offset = offset, .size = size, .stores = out};

    TRY(functions(w, key, take_store, &want));
    if (!out->len)
        os_list_note(w->notes, "%s: no store to a task's state is found in these functions",
                     profile_key_name(key));
    return NULL;
}
