/* SPDX-License-Identifier: MIT */
/* riscv64: satp, privilege, frame layout (psABI with frame pointers: s0 points past ra and s0). */
#include "arch/arches.h"
#include "arch/riscv64/riscv.h"
#include "base/util.h"

#include <elf.h>

static const struct paging_mode *const modes[] = {&riscv_sv57, &riscv_sv48, &riscv_sv39, NULL};

/* satp: MODE 63:60, ASID 59:44, PPN 43:0. */
static bool paging(const struct target_vcpu *v, struct paging *low, struct paging *high)
{
    uint64_t satp;

    *low = *high = (struct paging){0};
    if (!target_reg(v, "satp", &satp))
        return false;
    switch (satp >> 60) {
    case 0: return true;
    case 8: low->mode = &riscv_sv39; break;
    case 9: low->mode = &riscv_sv48; break;
    case 10: low->mode = &riscv_sv57; break;
    default: return false; /* reserved or custom */
    }
    low->root = bits(satp, 43, 0) << 12;
    *high = *low;
    return true;
}

/* `info registers` of QEMU 10.0 prints no privilege; GDB's and the plugin's "priv" does. */
static const char *privilege(const struct target_vcpu *v)
{
    static const char *const names[] = {"U", "S", "?", "M"};
    uint64_t priv;

    return target_reg(v, "priv", &priv) ? names[priv & 3] : "?";
}

static bool is_user(const struct target_vcpu *v)
{
    uint64_t priv;

    return target_reg(v, "priv", &priv) && (priv & 3) == 0;
}

/* RISC-V ABIs Specification, integer calling convention */
/* Integer registers, and control registers that tell about traps (QEMU's gdbstub names). */
static const char *const registers[] = {
    "zero",  "ra",       "sp",      "gp",    "tp",       "t0",      "t1",   "t2",     "fp",
    "s1",    "a0",       "a1",      "a2",    "a3",       "a4",      "a5",   "a6",     "a7",
    "s2",    "s3",       "s4",      "s5",    "s6",       "s7",      "s8",   "s9",     "s10",
    "s11",   "t3",       "t4",      "t5",    "t6",       "pc",      "priv", "satp",   "sstatus",
    "sepc",  "scause",   "stval",   "stvec", "sscratch", "mstatus", "mepc", "mcause", "mtval",
    "mtvec", "mscratch", "mhartid", NULL};
static const char *const args[] = {"a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", NULL};

static const struct arch_alias aliases[] = {
    {"zero", "x0"}, {"ra", "x1"},   {"sp", "x2"},   {"gp", "x3"},  {"tp", "x4"},
    {"t0", "x5"},   {"t1", "x6"},   {"t2", "x7"},   {"s0", "x8"},  {"s1", "x9"},
    {"a0", "x10"},  {"a1", "x11"},  {"a2", "x12"},  {"a3", "x13"}, {"a4", "x14"},
    {"a5", "x15"},  {"a6", "x16"},  {"a7", "x17"},  {"s2", "x18"}, {"s3", "x19"},
    {"s4", "x20"},  {"s5", "x21"},  {"s6", "x22"},  {"s7", "x23"}, {"s8", "x24"},
    {"s9", "x25"},  {"s10", "x26"}, {"s11", "x27"}, {"t3", "x28"}, {"t4", "x29"},
    {"t5", "x30"},  {"t6", "x31"},  {"fp", "x8"},   {0},
};

/* RISC-V Instruction Set Manual, volume I, "RV32/64G Instruction Set Listings": the opcode SYSTEM
 * is ecall, sret, mret, and access to CSRs. */
static const struct arch_insn system_insns[] = {
    {UINT32_MAX, 0x10500073, true}, /* wfi */
    {0x7f, 0x73, false},
    {0},
};

const struct arch arch_riscv64 = {
    .name = "riscv64",
    .elf_machine = EM_RISCV,
    .ptr_size = 8,
    .modes = modes,
    .pc = "pc",
    .sp = "x2",
    .fp = "x8",
    .fp_prev = -16,
    .fp_ret = -8,
    .args = args,
    .aliases = aliases,
    .link = "x1",
    .registers = registers,
    .paging = paging,
    .privilege = privilege,
    .is_user = is_user,
    .user_name = "U",
    .kernel_name = "S",
    .pte_text = riscv_pte_text,
    .trap_name = riscv_trap_name,
    .trap_kind = riscv_trap_kind,
    .user_level = 0,
    .levels = {"U", "S", NULL, "M"},
    .system = system_insns,
    .cpu_id = "mhartid",
};
