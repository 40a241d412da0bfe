/* SPDX-License-Identifier: MIT */
/*
 * `info registers -a` prints "CPU#N" and then, by target, either pairs of name and value in columns
 * (riscv64) or NAME=VALUE (x86, arm), where spaces may stand before "=" and in front of a value.
 * Unknown lines are skipped: new QEMU versions add some.
 */
#include "target/registers.h"

#include "base/util.h"
#include "base/vec.h"

#include <ctype.h>
#include <stdio.h>

enum { VCPUS_MAX = 4096, REGS_MAX = 256 };

struct reg_list {
    VEC(struct target_reg) v;
};

struct vcpu_list {
    VEC(struct target_vcpu) v;
};

/* Adds a register under its name in lower case, cut at '/'; "x01" becomes "x1". */
static bool put(struct reg_list *regs, const char *name, size_t len, uint64_t value)
{
    struct target_reg r = {.value = value};
    size_t n = 0;

    for (size_t i = 0; i < len && name[i] != '/' && n < sizeof r.name - 1; i++) {
        char c = (char)tolower((unsigned char)name[i]);
        bool leading_zero = c == '0' && n == 1 && r.name[0] == 'x' && i + 1 < len &&
                            isdigit((unsigned char)name[i + 1]);
        if (!leading_zero)
            r.name[n++] = c;
    }
    return !n || regs->v.len >= REGS_MAX || vec_push(&regs->v, r);
}

/* A run of hexadecimal digits that ends at a blank or the end; returns its end or NULL. */
static const char *parse_hex(const char *p, const char *end, uint64_t *value)
{
    const char *start = p;
    uint64_t v = 0;

    for (; p < end && isxdigit((unsigned char)*p); p++) {
        int c = tolower((unsigned char)*p);
        v = v << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    if (p == start || p - start > 16 || (p < end && !isspace((unsigned char)*p)))
        return NULL;
    *value = v;
    return p;
}

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && isspace((unsigned char)*p))
        p++;
    return p;
}

/* ---- riscv64: "name value name value …", and " V      =   0" ---- */

static bool riscv_line(struct reg_list *regs, const char *p, const char *end)
{
    for (;;) {
        uint64_t value;

        p = skip_blanks(p, end);
        const char *name = p;
        while (p < end && !isspace((unsigned char)*p) && *p != '=')
            p++;
        size_t len = (size_t)(p - name);
        p = skip_blanks(p, end);
        if (p < end && *p == '=')
            p = skip_blanks(p + 1, end);
        if (!len || !(p = parse_hex(p, end, &value)))
            return true;
        /* f0…f31: floating point; fcsr and friends stay */
        bool floating = name[0] == 'f' && len > 1 && isdigit((unsigned char)name[1]);
        if (!floating && !put(regs, name, len, value))
            return false;
    }
}

/* ---- x86, aarch64: "NAME=value", "NAME =value" ---- */

static bool is_segment(const char *name, size_t len)
{
    static const char *const names[] = {"ES", "CS", "SS", "DS", "FS", "GS", "LDT", "TR"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strlen(names[i]) == len && !memcmp(names[i], name, len))
            return true;
    return false;
}

static bool put_base(struct reg_list *regs, const char *name, size_t len, uint64_t value)
{
    char base[16];
    int n = snprintf(base, sizeof base, "%.*s_base", (int)len, name);

    return put(regs, base, (size_t)n, value);
}

static bool is_vector(const char *name, size_t len)
{
    static const char *const prefixes[] = {"FPR", "XMM",   "YMM",    "ZMM",  "FCW", "FSW",
                                           "FTW", "MXCSR", "Opmask", "FPCR", "FPSR"};

    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
        if (len >= strlen(prefixes[i]) && !memcmp(name, prefixes[i], strlen(prefixes[i])))
            return true;
    return len == 3 && (name[0] == 'Q' || name[0] == 'Z' || name[0] == 'P') &&
           isdigit((unsigned char)name[1]) && isdigit((unsigned char)name[2]);
}

static bool equals_line(struct reg_list *regs, const char *line, const char *end)
{
    for (const char *p = line; (p = memchr(p, '=', (size_t)(end - p)));) {
        const char *name_end = p, *value_at = skip_blanks(p + 1, end), *after;
        uint64_t value, base;

        while (name_end > line && name_end[-1] == ' ')
            name_end--;
        const char *name = name_end;
        while (name > line && (isalnum((unsigned char)name[-1]) || name[-1] == '_'))
            name--;
        size_t len = (size_t)(name_end - name);
        p++;
        if (!len || is_vector(name, len) || !(after = parse_hex(value_at, end, &value)))
            continue;
        if (len == 3 && (!memcmp(name, "GDT", 3) || !memcmp(name, "IDT", 3))) {
            if (!put_base(regs, name, len, value))
                return false;
            continue;
        }
        if (!put(regs, name, len, value))
            return false;
        /* Limit and attributes follow, the latter as "DPL=0": not registers. */
        if (is_segment(name, len))
            return !parse_hex(skip_blanks(after, end), end, &base) ||
                   put_base(regs, name, len, base);
    }
    return true;
}

/* ---- 32-bit programs of a 64-bit guest ---- */

/*
 * QEMU prints the registers that the vCPU's mode has: EIP, ESP … and R15, R13 … while a 64-bit CPU
 * runs 32-bit code (a program, x86's firmware). Those get the names they have in 64-bit mode.
 */
static void name_as_64_bit(struct reg_list *regs, const char *arch)
{
    static const struct {
        const char *arch, *narrow, *name;
    } names[] = {
        {"x86_64", "eax", "rax"}, {"x86_64", "ebx", "rbx"},   {"x86_64", "ecx", "rcx"},
        {"x86_64", "edx", "rdx"}, {"x86_64", "esi", "rsi"},   {"x86_64", "edi", "rdi"},
        {"x86_64", "ebp", "rbp"}, {"x86_64", "esp", "rsp"},   {"x86_64", "eip", "rip"},
        {"x86_64", "efl", "rfl"}, {"aarch64", "r11", "x29"},  {"aarch64", "r13", "sp"},
        {"aarch64", "r15", "pc"}, {"aarch64", "psr", "cpsr"},
    };

    for (size_t i = 0; i < regs->v.len; i++)
        for (size_t k = 0; k < ARRAY_SIZE(names); k++)
            if (!strcmp(names[k].arch, arch) && !strcmp(names[k].narrow, regs->v.data[i].name))
                memcpy(regs->v.data[i].name, names[k].name, strlen(names[k].name) + 1);
}

/* ---- the whole text ---- */

/* Closes the vCPU whose registers were collected. */
static bool finish(struct vcpu_list *list, struct reg_list *regs, const char *arch, unsigned index)
{
    name_as_64_bit(regs, arch);
    struct target_vcpu v = {.index = index, .regs = regs->v.data, .nregs = regs->v.len};
    uint64_t hlt;

    if (target_reg(&v, "hlt", &hlt))
        v.halted = hlt != 0;
    if (!vec_push(&list->v, v))
        return false;
    *regs = (struct reg_list){0};
    return true;
}

static bool parse_text(const char *text, const char *arch, struct vcpu_list *list,
                       struct reg_list *regs)
{
    bool open = false, riscv = !strncmp(arch, "riscv", 5);
    unsigned index = 0;

    for (const char *p = text; *p;) {
        const char *end = strchrnul(p, '\n');

        if (!strncmp(p, "CPU#", 4)) {
            if (open && !finish(list, regs, arch, index))
                return false;
            if (list->v.len >= VCPUS_MAX)
                return true;
            open = true;
            index = (unsigned)strtoul(p + 4, NULL, 10);
        } else if (open) {
            if (!(riscv ? riscv_line(regs, p, end) : equals_line(regs, p, end)))
                return false;
        }
        p = *end ? end + 1 : end;
    }
    return !open || finish(list, regs, arch, index);
}

struct oscope_error *registers_parse(const char *text, const char *arch, struct target_vcpus *out)
{
    struct vcpu_list list = {0};
    struct reg_list regs = {0};

    bool ok = parse_text(text, arch, &list, &regs);
    vec_free(&regs.v);
    out->vcpus = list.v.data;
    out->n = list.v.len;
    if (ok && out->n)
        return NULL;
    target_vcpus_free(out);
    return ok ? error_new(OSCOPE_E_BAD_DATA, "QEMU's register dump names no vCPU") : error_nomem();
}
