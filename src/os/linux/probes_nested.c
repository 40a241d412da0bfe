/* SPDX-License-Identifier: MIT */
/*
 * riscv64: virtual machines that KVM runs in the guest. KVM enters one at the only sret of
 * __kvm_riscv_switch_to() (arch/riscv/kvm/vcpu_switch.S), having pointed stvec to what follows it,
 * where the trap that ends it arrives. Inside, the machine's own traps and returns use the
 * instructions of any kernel, with registers of the same names; QEMU's register `priv` has the
 * virtualization mode in bit 2 (since 10.0; RISC-V Debug Specification, dcsr.v).
 *
 * All other probes do nothing in VS mode: a kernel inside may be the same image at the same
 * addresses, and its sret is the same instruction in any case.
 *
 * The privilege that a trap into KVM leaves is in hstatus.SPVP, that which sret enters in
 * sstatus.SPP, which in VS mode is that of the machine (Privileged Specification, hypervisor
 * extension).
 */
#include "os/linux/probes.h"

#include <string.h>

#define SWITCH_TO "__kvm_riscv_switch_to"

enum {
    CSRRW_SSCRATCH = 0x14001073,
    CSRRW_SSCRATCH_MASK = 0xfff0707f, /* whatever registers */
    PRIV_VS = 5,
    CODE_MOST = 4096,
};

bool linux_nested_find(struct writer *w, struct os_list *notes, struct linux_nested *out)
{
    uint8_t code[CODE_MOST];
    struct symbol sym;

    if (!symtab_find(w->lm->base.symtab, SWITCH_TO, &sym))
        return false;
    uint64_t size = sym.size < sizeof code ? sym.size : sizeof code;
    if (vspace_read(&w->lm->base.kernel, sym.addr, code, size))
        for (uint64_t i = 0; i + 4 <= size; i += 2) {
            uint32_t insn;
            memcpy(&insn, code + i, sizeof insn);
            if (insn != RISCV_SRET)
                continue;
            out->enter = sym.addr + i;
            out->leave = (out->enter + 4 + 3) & ~UINT64_C(3);
            return true;
        }
    os_list_note(notes, "virtual machines in the guest are not told apart: KVM's switch to them "
                        "is not as expected");
    return false;
}

void linux_nested_guard(struct linux_model *lm, struct probe_set *s)
{
    struct symbol sym;

    if (symtab_find(lm->base.symtab, SWITCH_TO, &sym))
        probe_never_when(s, "priv", PRIV_VS);
}

/* SPP of sstatus, or SPVP of hstatus, which is the same bit. */
static void put_privilege(struct writer *w, const char *reg)
{
    writer_put(w, program_bits(w->set, probe_reg(w->set, reg), RISCV_SPP_SHIFT, 1));
}

/* At instructions of a class, when they execute in VS mode; to NULL: that is the mode from now. */
static void in_machine(struct writer *w, uint64_t mask, uint64_t value, const char *to)
{
    struct probe_set *s = w->set;

    probe_opcode(s, "guest_mode", mask, value);
    unsigned no = probe_jump(s, WIRE_OP_JNE, probe_reg(s, "priv"), probe_imm(s, PRIV_VS));
    writer_begin(w, TRACE_GUEST_MODE);
    if (to)
        put_privilege(w, to);
    else
        writer_put(w, probe_imm(s, 1));
    probe_label(s, no);
    probe_end(s);
}

void linux_nested_probes(struct writer *w, const struct linux_nested *n)
{
    struct probe_set *s = w->set;

    probe_exec(s, "guest_entry", n->enter);
    writer_begin(w, TRACE_GUEST_ENTRY);
    put_privilege(w, "sstatus");
    probe_end(s);

    probe_exec(s, "guest_exit", n->leave);
    unsigned cause = riscv_cause(w->set, "scause", NULL);
    writer_begin(w, TRACE_GUEST_EXIT);
    writer_put(w, cause);
    put_privilege(w, "hstatus");
    probe_end(s);

    probe_never_when(s, NULL, 0); /* these are for what is inside */
    in_machine(w, UINT32_MAX, RISCV_SRET, "sstatus");
    in_machine(w, CSRRW_SSCRATCH_MASK, CSRRW_SSCRATCH, NULL);
    linux_nested_guard(w->lm, s);
}
