/* SPDX-License-Identifier: MIT */
/*
 * Several users' probe sets as one. Two probes are the same when name, site and program are: such a
 * probe fires once, whoever asked for it. A probe that stays keeps its slot, and with it its
 * counts.
 */
#include "probe/build.h"

#include "base/util.h"

#include <string.h>

/* The number of a register in a set, added when it is new; false: no room. */
static bool register_number(struct probe_set *s, const char *name, uint64_t *number)
{
    for (unsigned i = 0; i < s->nregisters; i++)
        if (strcmp(s->registers[i], name) == 0) {
            *number = i;
            return true;
        }
    if (s->nregisters == WIRE_REGISTERS)
        return false;
    str_copy(s->registers[s->nregisters], WIRE_NAME, name);
    *number = s->nregisters++;
    return true;
}

/* The same for a table. */
static bool table_number(struct probe_set *s, const struct probe_table *t, uint64_t *number)
{
    for (size_t i = 0; i < s->tables.len; i++)
        if (memcmp(&s->tables.data[i], t, sizeof *t) == 0) {
            *number = i;
            return true;
        }
    *number = s->tables.len;
    return s->tables.len < WIRE_TABLES && vec_push(&s->tables, *t);
}

/* Do probe a of one set and probe b of another do the same, registers compared by name? */
static bool same(const struct probe_set *x, size_t a, const struct probe_set *y, size_t b)
{
    const struct wire_probe *p = &x->probes.data[a], *q = &y->probes.data[b];

    if (strcmp(x->names.data[a].text, y->names.data[b].text) != 0 || p->site != q->site ||
        p->address != q->address || p->mask != q->mask || p->value != q->value ||
        p->count != q->count)
        return false;
    for (uint32_t i = 0; i < p->count; i++) {
        struct wire_insn m = x->code.data[p->first + i], n = y->code.data[q->first + i];
        if (m.op == WIRE_OP_REG && n.op == WIRE_OP_REG) {
            if (strcmp(x->registers[m.imm], y->registers[n.imm]) != 0)
                return false;
            m.imm = n.imm = 0;
        }
        if (m.op == WIRE_OP_TABLE && n.op == WIRE_OP_TABLE) {
            if (memcmp(&x->tables.data[m.imm], &y->tables.data[n.imm], sizeof *x->tables.data) != 0)
                return false;
            m.imm = n.imm = 0;
        }
        if (memcmp(&m, &n, sizeof m) != 0)
            return false;
    }
    return true;
}

static struct oscope_error *add_probe(struct probe_set *into, const struct probe_set *from,
                                      size_t k)
{
    struct wire_probe p = from->probes.data[k];
    uint32_t first = (uint32_t)into->code.len;

    if (into->probes.len == WIRE_PROBES || into->code.len + p.count > WIRE_CODE)
        return error_new(OSCOPE_E_UNSUPPORTED, "the probes of all users together are too many");
    for (uint32_t i = 0; i < p.count; i++) {
        struct wire_insn insn = from->code.data[p.first + i];
        if (insn.op == WIRE_OP_REG && !register_number(into, from->registers[insn.imm], &insn.imm))
            return error_new(OSCOPE_E_UNSUPPORTED,
                             "the probes of all users read more than %d registers", WIRE_REGISTERS);
        if (insn.op == WIRE_OP_TABLE &&
            !table_number(into, &from->tables.data[insn.imm], &insn.imm))
            return error_new(OSCOPE_E_UNSUPPORTED,
                             "the probes of all users need more than %d tables", WIRE_TABLES);
        if (!vec_push(&into->code, insn))
            return error_nomem();
    }
    p.first = first;
    p.slot = UINT32_MAX;
    if (!vec_push(&into->probes, p) || !vec_push(&into->names, from->names.data[k]))
        return error_nomem();
    return NULL;
}

static bool has_direct(const struct probe_set *s, const struct wire_direct *d)
{
    for (size_t i = 0; i < s->direct.len; i++)
        if (!memcmp(&s->direct.data[i], d, sizeof *d))
            return true;
    return false;
}

size_t probe_set_find(const struct probe_set *s, const struct probe_set *other, size_t k)
{
    size_t i = 0;

    while (i < s->probes.len && !same(s, i, other, k))
        i++;
    return i;
}

bool probe_set_drop_os(struct probe_set *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->probes.len; i++)
        if (!s->names.data[i].os) {
            s->probes.data[n] = s->probes.data[i];
            s->names.data[n++] = s->names.data[i];
        }
    bool any = n < s->probes.len;
    s->probes.len = s->names.len = n;
    if (any)
        s->direct.len = 0;
    return any;
}

struct oscope_error *probe_set_add(struct probe_set *into, const struct probe_set *from)
{
    for (size_t k = 0; k < from->probes.len; k++)
        if (probe_set_find(into, from, k) == into->probes.len)
            TRY(add_probe(into, from, k));
    for (size_t i = 0; i < from->direct.len && into->direct.len < WIRE_DIRECT; i++)
        if (!has_direct(into, &from->direct.data[i]) &&
            !vec_push(&into->direct, from->direct.data[i]))
            return error_nomem();
    for (size_t i = 0; from->heat && i < from->ram.len; i++)
        if (!probe_ram(into, from->ram.data[i].gpa, from->ram.data[i].size, from->ram.data[i].hva))
            return error_new(OSCOPE_E_UNSUPPORTED, "the sets of all users together count accesses "
                                                   "in too many ranges of RAM");
    if (from->heat > into->heat)
        into->heat = from->heat;
    return NULL;
}

void probe_set_slots(struct probe_set *s, const struct probe_set *before)
{
    uint8_t used[WIRE_PROBES] = {0};
    uint32_t next = 0;

    for (size_t k = 0; before && k < before->probes.len; k++)
        used[before->probes.data[k].slot % WIRE_PROBES] = 1;
    for (size_t i = 0; i < s->probes.len; i++) {
        s->probes.data[i].slot = UINT32_MAX;
        for (size_t k = 0; before && k < before->probes.len; k++)
            if (same(s, i, before, k))
                s->probes.data[i].slot = before->probes.data[k].slot;
    }
    /* First slots that nobody had a moment ago, then any that is left. */
    for (size_t i = 0; i < s->probes.len; i++) {
        if (s->probes.data[i].slot != UINT32_MAX)
            continue;
        while (next < WIRE_PROBES && used[next])
            next++;
        if (next == WIRE_PROBES) {
            memset(used, 0, sizeof used);
            for (size_t k = 0; k < s->probes.len; k++)
                if (s->probes.data[k].slot != UINT32_MAX)
                    used[s->probes.data[k].slot] = 1;
            for (next = 0; used[next];)
                next++;
        }
        s->probes.data[i].slot = next;
        used[next] = 1;
    }
}
