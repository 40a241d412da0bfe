/* SPDX-License-Identifier: MIT */
/*
 * The interpreter of the probes' programs: see interp.h. The verifier has proved what is not
 * checked here: numbers of slots, that jumps lead forward, that the event fits its record.
 */
#include "capture/tcg/interp.h"

#include <string.h>

enum {
    CHUNK = 64,         /* bytes of a string read at once */
    GUEST_PAGE = 4096u, /* the smallest: no read of a string goes beyond one */
};

struct run {
    const struct machine *m;
    uint64_t slots[WIRE_SLOTS];
    uint8_t *record;
    uint32_t n; /* bytes of the event so far; 0: none was begun */
    bool fault;
};

static uint64_t load(struct run *r, uint64_t va, unsigned size)
{
    uint64_t v = 0; /* host and guest are little-endian */

    if (r->m->memory(r->m->arg, va, &v, size))
        return v;
    r->fault = true;
    return 0;
}

static uint64_t read_register(struct run *r, uint64_t number)
{
    uint64_t v;

    if (r->m->reg(r->m->arg, (unsigned)number, &v))
        return v;
    r->fault = true;
    return 0;
}

static uint64_t read_value(struct run *r, uint64_t number)
{
    uint64_t v = r->m->values[number];

    r->fault |= number == WIRE_VALUE_INSNS && !v; /* the engine had no room to remember */
    return v;
}

static uint64_t sign_extend(uint64_t v, unsigned size)
{
    unsigned shift = 64 - 8 * size;

    return (uint64_t)((int64_t)(v << shift) >> shift);
}

static void put_memory(struct run *r, uint64_t va, uint32_t n)
{
    uint8_t *to = r->record + r->n;

    r->n += n;
    if (n && !r->m->memory(r->m->arg, va, to, n)) {
        memset(to, 0, n);
        r->fault = true;
    }
}

static void put_string(struct run *r, uint64_t va, uint32_t most)
{
    char *to = (char *)r->record + r->n, *p = to;

    while (most) {
        uint32_t n = GUEST_PAGE - (uint32_t)(va % GUEST_PAGE);
        n = n < CHUNK ? n : CHUNK;
        n = n < most ? n : most;
        if (!r->m->memory(r->m->arg, va, p, n)) {
            r->fault = true;
            break;
        }
        size_t len = strnlen(p, n);
        for (size_t i = 0; i < len; i++)
            if (p[i] < ' ' || p[i] > '~')
                p[i] = '?';
        p += len;
        if (len < n)
            break;
        va += n;
        most -= n;
    }
    *p++ = '\0';
    r->n += (uint32_t)(p - to);
}

/* Byte c as the inside of a string literal, as short as it goes; what follows that, at most 4
 * characters. digit: one stands behind it, and would be taken for a part of a shorter number. */
static char *escape_byte(char *p, uint8_t c, bool digit)
{
    static const char named[] = "\t\n\v\f\r\"\\", names[] = "tnvfr\"\\";
    const char *name = c ? strchr(named, c) : NULL;

    if (!name && c >= ' ' && c <= '~') {
        *p++ = (char)c;
        return p;
    }
    *p++ = '\\';
    if (name) {
        *p++ = names[name - named];
        return p;
    }
    if (c >= 0100 || digit)
        *p++ = (char)('0' + (c >> 6));
    if (c >= 010 || digit)
        *p++ = (char)('0' + (c >> 3 & 7));
    *p++ = (char)('0' + (c & 7));
    return p;
}

/* The n bytes at s, as many of them as fit below `end`: how many these were. */
static uint32_t escape(char **to, const char *end, const uint8_t *s, uint32_t n)
{
    char byte[4];
    uint32_t i = 0;

    for (; i < n; i++) {
        bool digit = i + 1 < n && s[i + 1] >= '0' && s[i + 1] <= '9';
        size_t len = (size_t)(escape_byte(byte, s[i], digit) - byte);
        if (len > (size_t)(end - *to))
            break;
        memcpy(*to, byte, len);
        *to += len;
    }
    return i;
}

/* Data in a second page that can't be read leaves what lies in the first. */
static void put_data(struct run *r, uint64_t va, uint64_t length, uint32_t most)
{
    char *to = (char *)r->record + r->n;
    uint8_t bytes[WIRE_RECORD];
    uint32_t n = length < most ? (uint32_t)length : most;
    uint32_t first = GUEST_PAGE - (uint32_t)(va % GUEST_PAGE);

    first = first < n ? first : n;
    if (first && !r->m->memory(r->m->arg, va, bytes, first)) {
        r->fault = true;
        n = 0;
    } else if (first < n && !r->m->memory(r->m->arg, va + first, bytes + first, n - first)) {
        r->fault = true;
        n = first;
    }
    char *end = to;
    escape(&end, to + 4 * (size_t)most, bytes, n);
    *end++ = '\0';
    r->n += (uint32_t)(end - to);
}

/* Up to `most` bytes of the string at va, as far as it can be read: how many. */
static uint32_t read_string(struct run *r, uint64_t va, uint8_t *to, uint32_t most)
{
    uint32_t n = 0;

    while (n < most) {
        uint32_t part = GUEST_PAGE - (uint32_t)(va % GUEST_PAGE);
        part = part < CHUNK ? part : CHUNK;
        part = part < most - n ? part : most - n;
        if (!r->m->memory(r->m->arg, va, to + n, part)) {
            r->fault = true;
            break;
        }
        uint32_t len = (uint32_t)strnlen((const char *)to + n, part);
        n += len;
        if (len < part)
            break;
        va += part;
    }
    return n;
}

/* The string at va below `end`; false: not all of it fits. */
static bool escape_string(struct run *r, char **to, const char *end, uint64_t va)
{
    uint8_t bytes[WIRE_RECORD];
    uint32_t n = read_string(r, va, bytes, (uint32_t)(end - *to) + 1);

    return escape(to, end, bytes, n) == n;
}

static bool escape_list(struct run *r, char **to, const char *end, uint64_t va)
{
    uint64_t string;

    for (unsigned i = 0; (string = load(r, va, 8)); i++, va += 8) {
        if (end - *to < 5) /* , "" and a character */
            return false;
        if (i)
            *to = mempcpy(*to, ", ", 2);
        *(*to)++ = '"';
        if (!escape_string(r, to, end - 1, string))
            return false;
        *(*to)++ = '"';
    }
    return true;
}

/* A string, or a list of them; room for the backslash is kept. */
static void put_text(struct run *r, uint64_t va, uint32_t most, bool list)
{
    char *to = (char *)r->record + r->n, *p = to, *end = to + (most ? most - 1 : 0);
    bool whole = true;

    if (va)
        whole = list ? escape_list(r, &p, end, va) : escape_string(r, &p, end, va);
    else if (most >= 2)
        p = mempcpy(p, "\\0", 2);
    if (!whole && most)
        *p++ = '\\';
    *p++ = '\0';
    r->n += (uint32_t)(p - to);
}

static void mark_fault(uint8_t *record)
{
    struct wire_event e;

    memcpy(&e, record, sizeof e);
    e.flags = WIRE_EVENT_FAULT;
    memcpy(record, &e, sizeof e);
}

static void begin_event(struct run *r, uint64_t type)
{
    struct wire_event e = {.id = (uint16_t)type};

    memcpy(r->record, &e, sizeof e);
    r->n = sizeof e;
}

/* Little-endian, as the guest. The sizes are told apart so that each is a single store. */
static void put_value(struct run *r, uint64_t v, unsigned size)
{
    uint8_t *to = r->record + r->n;

    switch (size) {
    case 1: *to = (uint8_t)v; break;
    case 2: memcpy(to, &v, 2); break;
    case 4: memcpy(to, &v, 4); break;
    default: memcpy(to, &v, 8); break;
    }
    r->n += size;
}

uint32_t interp_run(const struct wire_insn *code, const struct machine *m,
                    uint8_t record[WIRE_RECORD])
{
    struct run r = {.m = m, .record = record};

    for (const struct wire_insn *i = code; i->op != WIRE_OP_END; i++) {
        uint64_t *d = &r.slots[i->d], s = r.slots[i->s];
        switch (i->op) {
        case WIRE_OP_IMM: *d = i->imm; break;
        case WIRE_OP_REG: *d = read_register(&r, i->imm); break;
        case WIRE_OP_VCPU: *d = m->vcpu; break;
        case WIRE_OP_PC:
            *d = m->pc;
            r.fault |= !m->pc;
            break;
        case WIRE_OP_VALUE: *d = read_value(&r, i->imm); break;
        case WIRE_OP_LOAD: *d = load(&r, s + i->imm, i->size); break;
        case WIRE_OP_SEXT: *d = sign_extend(s, i->size); break;
        case WIRE_OP_ADD: *d += s; break;
        case WIRE_OP_SUB: *d -= s; break;
        case WIRE_OP_MUL: *d *= s; break;
        case WIRE_OP_AND: *d &= s; break;
        case WIRE_OP_OR: *d |= s; break;
        case WIRE_OP_XOR: *d ^= s; break;
        case WIRE_OP_SHL: *d <<= s & 63; break;
        case WIRE_OP_SHR: *d >>= s & 63; break;
        case WIRE_OP_MOV: *d = s; break;
        case WIRE_OP_TABLE: *d = m->tables[i->imm][s < WIRE_TABLE ? s : WIRE_TABLE - 1]; break;
        case WIRE_OP_RECALL: *d = vars_recall(m->vars[i->imm], s); break;
        case WIRE_OP_KEEP: r.fault |= !vars_keep(m->vars[i->imm], *d, s); break;
        case WIRE_OP_JEQ: i += *d == s ? i->imm : 0; break;
        case WIRE_OP_JNE: i += *d != s ? i->imm : 0; break;
        case WIRE_OP_JLT: i += *d < s ? i->imm : 0; break;
        case WIRE_OP_JSLT: i += (int64_t)*d < (int64_t)s ? i->imm : 0; break;
        case WIRE_OP_EVENT: begin_event(&r, i->imm); break;
        case WIRE_OP_EVENT_OF:
            begin_event(&r, i->imm + (s < WIRE_TABLE ? s : WIRE_TABLE - 1));
            break;
        case WIRE_OP_PUT: put_value(&r, s, i->size); break;
        case WIRE_OP_PUT_STR: put_string(&r, s, (uint32_t)i->imm); break;
        case WIRE_OP_PUT_MEM: put_memory(&r, s, (uint32_t)i->imm); break;
        case WIRE_OP_PUT_DATA: put_data(&r, s, *d, (uint32_t)i->imm); break;
        case WIRE_OP_PUT_TEXT: put_text(&r, s, (uint32_t)i->imm, false); break;
        default: put_text(&r, s, (uint32_t)i->imm, true); break; /* WIRE_OP_PUT_LIST */
        }
    }
    if (r.n && r.fault)
        mark_fault(record);
    return r.n;
}
