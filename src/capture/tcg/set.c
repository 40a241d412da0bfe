/* SPDX-License-Identifier: MIT */
/*
 * A probe set made ready for the translator: see set.h. Points of places are made while code is
 * translated, by all vCPUs, under a lock; a probe that fires sees only its point.
 */
#include "capture/tcg/set.h"

#include "probe/verify.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    ACCESS_MOST = 128, /* bytes: no access of QEMU has more (MO_1024) */
    PLACES_BUCKETS = 1 << 14,
    PLACES_MAX = 1 << 18, /* the guest decides how many there are: 32 MiB at most */
};

struct place {
    struct point point;
    struct place *next;
    uint32_t probe;
};

struct places {
    pthread_mutex_t lock;
    uint32_t n;
    struct place *buckets[PLACES_BUCKETS];
};

static uint32_t hash(uint64_t x)
{
    return (uint32_t)((x * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

/* ---- taking over ---- */

static bool asks(const struct wire_set *w, const struct wire_probe *p, enum wire_value value)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (w->code[p->first + i].op == WIRE_OP_VALUE && w->code[p->first + i].imm == value)
            return true;
    return false;
}

static bool uses(const struct wire_set *w, const struct wire_probe *p, uint8_t op)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (w->code[p->first + i].op == op)
            return true;
    return false;
}

static uint8_t vars_used(const struct wire_set *w)
{
    uint8_t used = 0;

    for (uint32_t i = 0; i < w->ncode; i++)
        if (w->code[i].op == WIRE_OP_RECALL || w->code[i].op == WIRE_OP_KEEP)
            used |= (uint8_t)(1U << w->code[i].imm % WIRE_VARS); /* all of the code was verified,
                                                                  * or belongs to no probe */
    return used;
}

static void chain(struct point **head, struct point *p)
{
    while (*head)
        head = &(*head)->next;
    *head = p;
}

static void add_address(struct set *s, struct point *p)
{
    uint32_t i = hash(p->pc) & s->mask;

    while (s->addresses[i] && s->addresses[i]->pc != p->pc)
        i = (i + 1) & s->mask;
    chain(&s->addresses[i], p);
}

/* An access that begins below the range may reach into it. */
static void add_memory(struct set *s, struct point *p)
{
    const struct wire_probe *probe = p->probe;
    uint64_t below = probe->address < ACCESS_MOST - 1 ? probe->address : ACCESS_MOST - 1;

    p->low = probe->address - below;
    p->most = below + (probe->value - 1);
    p->reads_data = asks(&s->wire, probe, WIRE_VALUE_DATA);
    s->accesses |= (unsigned)probe->mask;
    s->access_registers |= p->reads_registers;
    chain(&s->memory, p);
}

static void add_probe(struct set *s, uint32_t i)
{
    const struct wire_probe *probe = &s->wire.probes[i];
    struct point *p = &s->points[i];

    *p = (struct point){.set = s,
                        .code = s->wire.code + probe->first,
                        .probe = probe,
                        .slot = probe->slot,
                        .reads_registers = uses(&s->wire, probe, WIRE_OP_REG)};
    switch (probe->site) {
    case WIRE_SITE_EXEC:
        p->pc = probe->address;
        add_address(s, p);
        break;
    case WIRE_SITE_OPCODE: s->opcodes[s->nopcodes++] = i; break;
    case WIRE_SITE_IDLE: chain(&s->idle, p); break;
    case WIRE_SITE_RESUME: chain(&s->resume, p); break;
    case WIRE_SITE_MEMORY: add_memory(s, p); break;
    case WIRE_SITE_TRAP:
        p->traps = (uint8_t)probe->mask;
        s->trap_kinds |= p->traps;
        chain(&s->traps, p);
        break;
    default: chain(&s->blocks, p); break;
    }
    s->translates |= probe->site != WIRE_SITE_IDLE && probe->site != WIRE_SITE_RESUME &&
                     probe->site != WIRE_SITE_TRAP;
}

static bool prepare(struct set *s)
{
    uint32_t n = s->wire.nprobes;

    for (s->mask = 1; s->mask <= 2 * n;)
        s->mask *= 2;
    s->addresses = calloc(s->mask, sizeof *s->addresses);
    s->mask--;
    s->points = calloc(n + 1, sizeof *s->points);
    s->opcodes = calloc(n + 1, sizeof *s->opcodes);
    s->places = calloc(1, sizeof *s->places);
    if (!s->addresses || !s->points || !s->opcodes || !s->places)
        return false;
    pthread_mutex_init(&s->places->lock, NULL);
    s->vars = vars_used(&s->wire);
    s->translates = s->wire.heat != WIRE_HEAT_OFF; /* also paused: it is about to go on */
    for (uint32_t i = 0; i < n; i++)
        add_probe(s, i);
    return true;
}

/* Copies it as it was at one moment; false: it is not of that generation (any more). */
static bool copy(struct wire_set *to, const struct wire_set *shared, uint64_t generation)
{
    if (__atomic_load_n(&shared->generation, __ATOMIC_ACQUIRE) != generation)
        return false;
    memcpy(to, shared, sizeof *to);
    atomic_thread_fence(memory_order_acquire);
    return __atomic_load_n(&shared->generation, __ATOMIC_RELAXED) == generation;
}

struct set *set_take(const struct wire_set *shared, uint64_t generation, const char **why)
{
    struct set *s = calloc(1, sizeof *s);

    *why = s ? NULL : "out of memory";
    if (!s)
        return NULL;
    if (!copy(&s->wire, shared, generation) || (*why = verify_set(&s->wire))) {
        set_free(s);
        return NULL;
    }
    s->wire.generation = generation;
    if (prepare(s))
        return s;
    *why = "out of memory";
    set_free(s);
    return NULL;
}

void set_free(struct set *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; s->places && i < PLACES_BUCKETS; i++)
        while (s->places->buckets[i]) {
            struct place *p = s->places->buckets[i];
            s->places->buckets[i] = p->next;
            free(p);
        }
    free(s->places);
    free(s->addresses);
    free(s->points);
    free(s->opcodes);
    free(s);
}

/* ---- the translator's questions ---- */

struct point *set_at(const struct set *s, uint64_t pc)
{
    uint32_t i = hash(pc) & s->mask;

    while (s->addresses[i] && s->addresses[i]->pc != pc)
        i = (i + 1) & s->mask;
    return s->addresses[i];
}

/* Under the lock. */
static struct point *find_place(struct set *s, uint32_t probe, uint64_t pc, uint32_t n)
{
    struct place **bucket = &s->places->buckets[hash(pc + n) % PLACES_BUCKETS];
    struct place *p = *bucket;

    while (p && (p->point.pc != pc || p->point.insns != n || p->probe != probe))
        p = p->next;
    if (p)
        return &p->point;
    if (s->places->n == PLACES_MAX || !(p = malloc(sizeof *p)))
        return NULL;
    *p = (struct place){.point = s->points[probe], .next = *bucket, .probe = probe};
    p->point.pc = pc;
    p->point.insns = n;
    *bucket = p;
    s->places->n++;
    return &p->point;
}

static struct point *place(struct set *s, uint32_t probe, uint64_t pc, uint32_t n)
{
    pthread_mutex_lock(&s->places->lock);
    struct point *p = find_place(s, probe, pc, n);
    pthread_mutex_unlock(&s->places->lock);
    return p ? p : &s->points[probe];
}

struct point *set_place(struct set *s, uint32_t probe, uint64_t pc)
{
    if (!uses(&s->wire, &s->wire.probes[probe], WIRE_OP_PC))
        return &s->points[probe];
    return place(s, probe, pc, 0);
}

struct point *set_block(struct set *s, struct point *p, uint64_t pc, uint32_t n)
{
    if (!uses(&s->wire, p->probe, WIRE_OP_PC))
        pc = 0;
    if (!asks(&s->wire, p->probe, WIRE_VALUE_INSNS))
        n = 0;
    return pc || n ? place(s, (uint32_t)(p - s->points), pc, n) : p;
}
