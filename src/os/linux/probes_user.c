/* SPDX-License-Identifier: MIT */
/*
 * The user's memory at a riscv64 kernel's sret: supervisor mode may not look into pages of user
 * mode there (sstatus.SUM is 0), and a debugger's read, which is what a probe has, goes by the same
 * rule. So the program walks the page table in force by itself, and takes the page's place in the
 * kernel's linear map. The walk has a step for each level, since programs have no loops; what it
 * finds is checked by where it leads: outside of the linear map nothing can be read.
 */
#include "os/linux/probes.h"

enum {
    VALID = 1,
    PAGE = 4096,
    PPN_SHIFT = 12,
    PTE_PPN_SHIFT = 2, /* to the left: from where an entry has its PPN to an address */
};

#define SATP_PPN   ((UINT64_C(1) << 44) - 1)
#define PTE_PPN    UINT64_C(0x3ffffffffffc00) /* Privileged Specification, "Sv39" to "Sv57" */
#define PTE_KIND   UINT64_C(0xf)              /* V R W X: only V: the next table */
#define ENTRY_MASK UINT64_C(0xff8)            /* 8 times an index of 9 bits */
#define NOWHERE    (UINT64_C(1) << 62)        /* no canonical address: can't be read */

static const struct paging_mode *user_mode(const struct linux_model *lm)
{
    return lm->base.kernel.high.mode;
}

bool linux_riscv_user(const struct linux_model *lm)
{
    const struct paging_mode *m = user_mode(lm);

    return lm->has_direct && m && m->pte_size == 8 && m->levels >= 3;
}

/* An entry in `table` becomes the physical address that it points at. */
static void follow(struct probe_set *s, const struct user_slots *u)
{
    probe_alu(s, WIRE_OP_AND, u->table, u->ppn);
    probe_alu(s, WIRE_OP_SHL, u->table, u->two);
}

/* From the table at the physical address `table`: the leaf for the address, and into `below` the
 * mask of the bits below what it maps. The jump that is returned leads from an entry that is none.
 */
static unsigned walk(struct writer *w, const struct user_slots *u)
{
    const struct paging_mode *m = user_mode(w->lm);
    unsigned leaf[PAGING_MAX_LEVELS];
    struct probe_set *s = w->set;

    for (unsigned l = 0; l < m->levels; l++) {
        probe_mov(s, u->at, u->address);
        probe_imm_into(s, u->shift, m->shift[l] - 3u);
        probe_alu(s, WIRE_OP_SHR, u->at, u->shift);
        probe_alu(s, WIRE_OP_AND, u->at, u->index);
        probe_alu(s, WIRE_OP_ADD, u->at, u->table);
        probe_load_into(s, u->table, u->at, w->lm->direct_base, 8);
        probe_imm_into(s, u->below, (UINT64_C(1) << m->shift[l]) - 1);
        if (l + 1 == m->levels)
            break;
        probe_mov(s, u->at, u->table);
        probe_alu(s, WIRE_OP_AND, u->at, u->kind);
        leaf[l] = probe_jump(s, WIRE_OP_JNE, u->at, u->one);
        follow(s, u);
    }
    for (unsigned l = 0; l + 1 < m->levels; l++)
        probe_label(s, leaf[l]);
    probe_mov(s, u->at, u->table);
    probe_alu(s, WIRE_OP_AND, u->at, u->one);
    return probe_jump(s, WIRE_OP_JNE, u->at, u->one);
}

/* Data goes to the end of its page: the next one lies elsewhere. */
static void within_page(struct probe_set *s, const struct user_slots *u, unsigned length,
                        unsigned most)
{
    probe_imm_into(s, u->at, most);
    unsigned less = probe_jump(s, WIRE_OP_JLT, length, u->at);
    probe_mov(s, length, u->at);
    probe_label(s, less);
    probe_imm_into(s, u->at, PAGE - 1);
    probe_alu(s, WIRE_OP_AND, u->at, u->address);
    probe_imm_into(s, u->shift, PAGE);
    probe_alu(s, WIRE_OP_SUB, u->shift, u->at);
    unsigned fits = probe_jump(s, WIRE_OP_JLT, length, u->shift);
    unsigned just = probe_jump(s, WIRE_OP_JEQ, length, u->shift);
    probe_mov(s, length, u->shift);
    probe_imm_into(s, u->at, NOWHERE);
    probe_load_into(s, u->at, u->at, 0, 1); /* marks the event */
    probe_label(s, just);
    probe_label(s, fits);
}

void writer_user_slots(struct writer *w, struct user_slots *u, unsigned at, unsigned table)
{
    struct probe_set *s = w->set;

    u->address = probe_slot(s);
    u->at = at;
    u->table = table;
    if (!entry_riscv(w->lm))
        return;
    u->shift = probe_slot(s);
    u->index = probe_slot(s);
    u->kind = probe_slot(s);
    u->ppn = probe_slot(s);
    u->two = probe_slot(s);
    u->below = probe_slot(s);
}

/* The user's address becomes the kernel's, or one that can't be read. */
static void translate(struct writer *w, const struct user_slots *u)
{
    struct probe_set *s = w->set;

    probe_imm_into(s, u->two, PTE_PPN_SHIFT);
    probe_imm_into(s, u->index, ENTRY_MASK);
    probe_imm_into(s, u->kind, PTE_KIND);
    probe_imm_into(s, u->ppn, PTE_PPN);
    probe_reg_into(s, u->table, "satp");
    probe_imm_into(s, u->shift, SATP_PPN);
    probe_alu(s, WIRE_OP_AND, u->table, u->shift);
    probe_imm_into(s, u->shift, PPN_SHIFT);
    probe_alu(s, WIRE_OP_SHL, u->table, u->shift);
    unsigned none = walk(w, u);
    follow(s, u);
    probe_alu(s, WIRE_OP_AND, u->address, u->below);
    probe_alu(s, WIRE_OP_ADD, u->address, u->table);
    probe_imm_into(s, u->shift, w->lm->direct_base);
    probe_alu(s, WIRE_OP_ADD, u->address, u->shift);
    unsigned there = probe_jump(s, WIRE_OP_JEQ, u->one, u->one);
    probe_label(s, none);
    probe_imm_into(s, u->address, NOWHERE);
    probe_label(s, there);
}

void writer_riscv_user(struct writer *w, const struct user_slots *u, unsigned size)
{
    struct probe_set *s = w->set;

    probe_imm_into(s, u->at, PAGE - 1);
    probe_alu(s, WIRE_OP_AND, u->at, u->address);
    probe_imm_into(s, u->shift, PAGE - size);
    unsigned beyond = probe_jump(s, WIRE_OP_JLT, u->shift, u->at);
    translate(w, u);
    unsigned there = probe_jump(s, WIRE_OP_JEQ, u->one, u->one);
    probe_label(s, beyond);
    probe_imm_into(s, u->address, NOWHERE);
    probe_label(s, there);
}

void writer_put_riscv_user(struct writer *w, const struct user_slots *u, unsigned length,
                           unsigned most)
{
    within_page(w->set, u, length, most);
    translate(w, u);
    probe_put_data(w->set, u->address, length, most);
}
