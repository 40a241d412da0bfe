/* SPDX-License-Identifier: MIT */
/*
 * Probe sets of anybody: the verifier reads any of them without harm, and a program that it accepts
 * ends and stays within its record, whatever the guest's memory holds. The input is a probe's site
 * and slot, the code, and the guest's memory; half of the inputs are bent towards what is allowed,
 * or few programs would ever run.
 */
#include "fuzz.h"

#include "base/util.h"
#include "capture/tcg/interp.h"
#include "probe/verify.h"

enum { CODE = 24, GUARD = 64 };

static struct wire_set set;

struct guest {
    const uint8_t *bytes;
    size_t n;
    unsigned reads;
};

static bool read_register(void *arg, unsigned number, uint64_t *value)
{
    if (number >= set.nregisters)
        abort();
    *value = number;
    return number % 2;
}

static bool read_memory(void *arg, uint64_t va, void *out, size_t n)
{
    struct guest *g = arg;

    if (!n || n > WIRE_RECORD || ++g->reads > 64 * WIRE_PROGRAM)
        abort();
    for (size_t i = 0; i < n; i++) /* written even if it fails then */
        ((uint8_t *)out)[i] = g->n ? g->bytes[(va + i) % g->n] : 0;
    return va % 16 != 15;
}

/* Probes that the verifier may accept, if their programs are. */
static void bend(const uint8_t head[8])
{
    set.probes[0] = (struct wire_probe){.site = head[5] % WIRE_SITE_COUNT,
                                        .count = set.ncode,
                                        .address = head[2],
                                        .value = head[3] + 1,
                                        .mask = head[4] % 3 + 1};
    for (uint32_t i = 0; i < set.ncode; i++) {
        struct wire_insn *c = &set.code[i];
        c->op %= WIRE_OP_COUNT;
        c->d %= WIRE_SLOTS;
        c->s %= WIRE_SLOTS;
        c->size = (uint8_t)(1 << (c->size & 3));
        c->imm_high = 0;
        if (c->op == WIRE_OP_END && i % 3)
            c->op = i == 1 ? WIRE_OP_EVENT : WIRE_OP_PUT;
        if (c->op == WIRE_OP_REG)
            c->imm %= 4;
        else if (c->op == WIRE_OP_VALUE)
            c->imm = set.probes[0].site == WIRE_SITE_BLOCK  ? WIRE_VALUE_INSNS
                     : set.probes[0].site == WIRE_SITE_TRAP ? WIRE_VALUE_FROM + c->imm % 2
                                                            : c->imm % WIRE_VALUE_INSNS;
        else if (c->op == WIRE_OP_TABLE)
            c->imm %= 2;
        else if (c->op == WIRE_OP_RECALL || c->op == WIRE_OP_KEEP)
            c->imm %= WIRE_VARS;
        else if (c->op >= WIRE_OP_JEQ && c->op <= WIRE_OP_JSLT)
            c->imm %= 4;
        else if (c->op >= WIRE_OP_EVENT)
            c->imm %= 200;
    }
    if (set.ncode)
        set.code[set.ncode - 1].op = WIRE_OP_END;
}

static void run(const uint8_t *memory, size_t n)
{
    static uint8_t record[WIRE_RECORD + GUARD];
    struct guest g = {memory, n, 0};
    static struct vars *vars[WIRE_VARS];
    static const uint64_t access[WIRE_VALUE_INSNS] = {1, 8, 1,
                                                      2}; /* and no number of instructions */
    static const uint64_t trap[WIRE_VALUE_COUNT] = {[WIRE_VALUE_FROM] = 4, [WIRE_VALUE_TO] = 8};
    static uint64_t block[WIRE_VALUE_COUNT] = {[WIRE_VALUE_INSNS] = 3};
    struct machine m = {.arg = &g,
                        .values = set.probes[0].site == WIRE_SITE_MEMORY  ? access
                                  : set.probes[0].site == WIRE_SITE_BLOCK ? block
                                  : set.probes[0].site == WIRE_SITE_TRAP  ? trap
                                                                          : NULL,
                        .reg = read_register,
                        .memory = read_memory,
                        .tables = set.tables,
                        .vars = vars};

    for (unsigned i = 0; i < WIRE_VARS; i++)
        if (!vars[i])
            vars[i] = vars_new();

    memset(record, 0xee, sizeof record);
    uint32_t bytes = interp_run(set.code + set.probes[0].first, &m, record);
    if (bytes > WIRE_RECORD || (bytes && bytes < sizeof(struct wire_event)))
        abort();
    for (size_t i = WIRE_RECORD; i < sizeof record; i++)
        if (record[i] != 0xee)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t head[8] = {0};
    size_t n = MIN(size, sizeof head);

    memcpy(head, data, n);
    data += n;
    size -= n;
    memset(&set, 0, offsetof(struct wire_set, code));
    set.nprobes = 1;
    set.nregisters = head[0] % 8;
    set.ncode = (uint32_t)MIN(size / sizeof *set.code, (size_t)CODE);
    set.ndirect = head[1] % 2;
    set.ntables = 2;
    set.direct[0] = (struct wire_direct){head[2], head[3], head[4]};
    for (uint32_t i = 0; i < set.nregisters; i++)
        set.registers[i][0] = 'r';
    memcpy(set.code, data, set.ncode * sizeof *set.code);
    set.probes[0] =
        (struct wire_probe){.site = head[5], .slot = head[6], .first = head[7] % 4, .count = 8};
    if (head[0] & 0x80)
        bend(head);
    if (!verify_set(&set))
        run(data, size);
    return 0;
}
