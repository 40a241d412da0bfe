/* SPDX-License-Identifier: MIT */
/* System calls as events: see callevents.h. */
#include "os/profile/callevents.h"

#include "base/util.h"

#include <stdlib.h>
#include <string.h>

enum {
    TEXT_MOST = 256,
    DATA_TEXT = 4 * ARCH_SYSCALL_DATA, /* WIRE_OP_PUT_DATA */
};

/* ---- event types ---- */

/* What the arguments are in the event that begins: only the first two can be strings or data. */
static enum arch_arg_kind kind_at(const struct arch_syscall_args *a, unsigned i)
{
    switch (a->args[i].kind) {
    case ARCH_ARG_TEXT: return i > 1 ? ARCH_ARG_HEX : ARCH_ARG_TEXT;
    case ARCH_ARG_DATA: return i > 1 ? ARCH_ARG_HEX : ARCH_ARG_DATA;
    case ARCH_ARG_INT:
    case ARCH_ARG_UINT: return a->args[i].kind;
    default: return ARCH_ARG_HEX;
    }
}

static enum trace_kind trace_kind_of(enum arch_arg_kind kind)
{
    switch (kind) {
    case ARCH_ARG_INT: return TRACE_S32;
    case ARCH_ARG_UINT: return TRACE_U64;
    case ARCH_ARG_TEXT:
    case ARCH_ARG_DATA: return TRACE_STRING;
    default: return TRACE_HEX;
    }
}

struct oscope_error *call_add_types(struct trace_schema *s, unsigned nr, const char *name,
                                    const struct arch_syscall_args *args)
{
    struct trace_field fields[ARCH_SYSCALL_ARGS];
    const struct trace_field back = {"ret", TRACE_S64, 0, "what it returned"};

    for (unsigned i = 0; i < args->n; i++) {
        enum trace_kind kind = trace_kind_of(kind_at(args, i));
        fields[i] = (struct trace_field){args->args[i].name, kind,
                                         kind == TRACE_STRING ? TEXT_MOST : 0, NULL};
        if (kind_at(args, i) == ARCH_ARG_DATA)
            fields[i] = (struct trace_field){args->args[i].name, kind, DATA_TEXT,
                                             "the first of the bytes, as in C"};
    }
    return syscall_types_add(s, nr, name, (struct syscall_fields){fields, args->n},
                             (struct syscall_fields){&back, 1});
}

/* ---- the program ---- */

/*
 * What the program needs to know of a call's arguments: bits 0 to 2 how many, then two bits for
 * each, the first lowest: 0: 8 bytes, 1: 4 bytes, 2: a string, 3: data as long as the next says.
 */
enum { KINDS_SHIFT = 3, COUNT_MASK = 7, KIND_DATA = 3 };

static uint16_t class_of(const struct arch_syscall_args *args)
{
    unsigned class = args->n;
    for (unsigned i = 0; i < args->n; i++) {
        enum arch_arg_kind kind = kind_at(args, i);
        unsigned bits = kind == ARCH_ARG_INT    ? 1
                        : kind == ARCH_ARG_TEXT ? 2
                        : kind == ARCH_ARG_DATA ? KIND_DATA
                                                : 0;
        class |= bits << (KINDS_SHIFT + 2 * i);
    }
    return (uint16_t) class;
}

/* ---- places of numbers ---- */

static int ascending(const void *a, const void *b)
{
    const unsigned *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* The next block of numbers, from the one at *i on, that has at most `room` places. */
static struct call_block next_block(const unsigned *sorted, size_t n, unsigned room, size_t *i)
{
    enum { GAP = 64 }; /* between two numbers of a block */
    struct call_block b = {.first = sorted[*i]};

    while (*i < n && sorted[*i] - b.first < room &&
           (!b.n || sorted[*i] - (b.first + b.n - 1) <= GAP))
        b.n = sorted[(*i)++] - b.first + 1;
    return b;
}

bool call_map_make(const unsigned *numbers, size_t n, struct call_map *out)
{
    AUTO_FREE unsigned *sorted = calloc(n + 1, sizeof *sorted);
    size_t i = 0;

    *out = (struct call_map){.above = CALL_UNKNOWN};
    if (!sorted)
        return false;
    memcpy(sorted, numbers, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, ascending);
    while (i < n && sorted[i] < CALL_UNKNOWN)
        i++;
    unsigned least = i ? sorted[i - 1] + 1 : 0; /* the first place that is free */
    while (i < n && out->nblocks < CALL_BLOCKS && out->above > least) {
        struct call_block b = next_block(sorted, n, out->above - least, &i);
        out->above = b.at = out->above - b.n;
        out->blocks[out->nblocks++] = b;
    }
    return i == n;
}

unsigned call_map_place(const struct call_map *m, uint64_t number)
{
    for (unsigned i = 0; i < m->nblocks; i++)
        if (number - m->blocks[i].first < m->blocks[i].n)
            return m->blocks[i].at + (unsigned)(number - m->blocks[i].first);
    return number < m->above ? (unsigned)number : CALL_UNKNOWN;
}

/* The same in a program, in a new slot. */
static unsigned put_place(struct probe_set *s, const struct call_map *m, unsigned raw)
{
    unsigned place = probe_imm(s, 0), mark = probe_mark(s);

    probe_mov(s, place, raw);
    if (!m->nblocks)
        return place;
    unsigned n = probe_imm(s, m->above), k = probe_imm(s, 0), done[CALL_BLOCKS + 1];
    done[CALL_BLOCKS] = probe_jump(s, WIRE_OP_JLT, raw, n);
    for (unsigned i = 0; i < m->nblocks; i++) {
        const struct call_block *b = &m->blocks[i];
        probe_mov(s, place, raw);
        probe_imm_into(s, k, b->first);
        probe_alu(s, WIRE_OP_SUB, place, k);
        probe_imm_into(s, n, b->n);
        probe_imm_into(s, k, b->at);
        unsigned other = probe_jump(s, WIRE_OP_JLT, n, place);
        unsigned end = probe_jump(s, WIRE_OP_JEQ, n, place);
        probe_alu(s, WIRE_OP_ADD, place, k);
        done[i] = probe_jump(s, WIRE_OP_JEQ, raw, raw);
        probe_label(s, other);
        probe_label(s, end);
    }
    probe_imm_into(s, place, CALL_UNKNOWN);
    for (unsigned i = 0; i < m->nblocks; i++)
        probe_label(s, done[i]);
    probe_label(s, done[CALL_BLOCKS]);
    probe_release(s, mark);
    return place;
}

void call_tables_init(struct call_tables *t, const struct call_map *map)
{
    struct arch_syscall_args args;

    t->map = *map;

    arch_syscall_args("unknown", &args);
    for (unsigned i = 0; i < ARCH_SYSCALLS; i++) {
        t->numbers.values[i] = CALL_UNKNOWN;
        t->classes.values[i] = class_of(&args);
    }
}

void call_tables_set(struct call_tables *t, unsigned place, const struct arch_syscall_args *args)
{
    t->numbers.values[place] = (uint16_t)place;
    t->classes.values[place] = class_of(args);
}

/* Puts argument i, by its kind; c->three is KIND_DATA, too. */
static void put_argument(struct probe_set *s, const struct call *c, const struct call_source *from,
                         unsigned i)
{
    unsigned string = 0, after_string = 0, data = 0, after_data = 0;
    bool special = i < 2; /* it can be a string or data */

    probe_alu(s, WIRE_OP_SUB, c->count, c->one);
    from->argument(from->arg, s, c->value, i);
    probe_mov(s, c->kind, c->kinds);
    probe_alu(s, WIRE_OP_AND, c->kind, c->three);
    probe_alu(s, WIRE_OP_SHR, c->kinds, c->two);
    unsigned narrow = probe_jump(s, WIRE_OP_JEQ, c->kind, c->one);
    if (special) {
        string = probe_jump(s, WIRE_OP_JEQ, c->kind, c->two);
        data = probe_jump(s, WIRE_OP_JEQ, c->kind, c->three);
    }
    probe_put(s, c->value, 8);
    unsigned after = probe_jump(s, WIRE_OP_JEQ, c->zero, c->zero);
    if (special) {
        probe_label(s, string);
        probe_put_text(s, c->value, TEXT_MOST);
        after_string = probe_jump(s, WIRE_OP_JEQ, c->zero, c->zero);
        probe_label(s, data);
        from->argument(from->arg, s, c->kind, i + 1);
        probe_put_data(s, c->value, c->kind, ARCH_SYSCALL_DATA);
        after_data = probe_jump(s, WIRE_OP_JEQ, c->zero, c->zero);
    }
    probe_label(s, narrow);
    probe_put(s, c->value, 4);
    probe_label(s, after);
    if (special) {
        probe_label(s, after_string);
        probe_label(s, after_data);
    }
}

void call_constants(struct probe_set *s, struct call *c)
{
    c->zero = probe_imm(s, 0);
    c->one = probe_imm(s, 1);
    c->two = probe_imm(s, 2);
    c->three = probe_imm(s, KINDS_SHIFT);
}

void call_put(struct probe_set *s, struct call *c, const struct call_tables *t, unsigned variable,
              const struct call_source *from)
{
    unsigned last = probe_imm(s, CALL_UNKNOWN), nr = put_place(s, &t->map, c->raw),
             mark = probe_mark(s);

    probe_mov(s, nr, probe_table(s, &t->numbers, nr));
    unsigned done[ARCH_SYSCALL_ARGS];
    probe_release(s, mark);

    probe_event_of(s, CALL_ENTRY_FIRST, nr);
    from->put_id(from->arg, s, c->task);
    unsigned known = probe_jump(s, WIRE_OP_JNE, nr, last);
    probe_put(s, c->raw, 8);
    probe_label(s, known);
    c->kinds = probe_table(s, &t->classes, nr);
    probe_alu(s, WIRE_OP_ADD, nr, c->one);
    probe_keep(s, variable, c->task, nr);
    c->count = last; /* these two slots have done their duty */
    c->kind = nr;
    probe_imm_into(s, c->count, COUNT_MASK);
    probe_alu(s, WIRE_OP_AND, c->count, c->kinds);
    probe_alu(s, WIRE_OP_SHR, c->kinds, c->three);
    c->value = c->raw;
    for (unsigned i = 0; i < ARCH_SYSCALL_ARGS; i++) {
        done[i] = probe_jump(s, WIRE_OP_JEQ, c->count, c->zero);
        put_argument(s, c, from, i);
    }
    for (unsigned i = 0; i < ARCH_SYSCALL_ARGS; i++)
        probe_label(s, done[i]);
}
