/* SPDX-License-Identifier: MIT */
/* Firing a probe on a vCPU: see vcpu.h. No lock is taken and nothing is allocated here. */
#include "capture/tcg/vcpu.h"

#include "base/clock.h"

#include <string.h>

enum {
    TIMED_EVERY = 64,      /* of the times that a probe fires, one is timed */
    TIMED_FIRST = 4,       /* not the first: nothing it needs is at hand then */
    TIMED_MOST_NS = 50000, /* what took longer was interrupted on the host */
    CLOCK_TRIES = 64,
};

/* ---- registers by name ---- */

static struct qemu_plugin_register *find_register(const struct vcpu *v, const char *name)
{
    size_t size = v->names ? g_array_get_element_size(v->names) : 0;

    for (unsigned i = 0; size && i < v->names->len; i++) {
        const qemu_plugin_reg_descriptor *d = (const void *)(v->names->data + i * size);
        if (d->name && !strcmp(d->name, name))
            return d->handle;
    }
    return NULL;
}

/* What two looks at the clock, one after the other, tell that lies between them. */
static uint64_t clock_cost(void)
{
    uint64_t least = UINT64_MAX;

    for (int i = 0; i < CLOCK_TRIES; i++) {
        uint64_t begin = clock_ns(), n = clock_ns() - begin;
        least = n < least ? n : least;
    }
    return least;
}

void vcpu_begin(struct vcpu *v)
{
    if (!v->bytes)
        v->bytes = g_byte_array_sized_new(WIRE_RECORD);
    if (v->names)
        g_array_free(v->names, 1);
    v->names = qemu_plugin_get_registers();
    v->thread = pthread_self();
    v->alive = true;
    v->clock_cost = clock_cost();
    translator_begin(&v->translator);
}

void vcpu_bind(struct vcpu *v, const struct set *s)
{
    memset(v->registers, 0, sizeof v->registers);
    for (uint32_t i = 0; s && i < s->wire.nregisters; i++)
        v->registers[i] = find_register(v, s->wire.registers[i]);
}

const char *vcpu_lacks(const struct vcpu *v, const struct set *s)
{
    for (uint32_t i = 0; i < s->wire.nregisters; i++)
        if (!find_register(v, s->wire.registers[i]))
            return s->wire.registers[i];
    return NULL;
}

/* ---- reading ---- */

struct access {
    struct vcpu *vcpu;
    const struct set *set;
    bool executing;
};

static bool read_handle(struct vcpu *v, struct qemu_plugin_register *handle, uint64_t *value)
{
    GByteArray *bytes = v->bytes;

    *value = 0;
    if (!handle)
        return false;
    g_byte_array_set_size(bytes, 0);
    qemu_plugin_read_register(handle, bytes);
    if (!bytes->len)
        return false;
    memcpy(value, bytes->data, bytes->len < sizeof *value ? bytes->len : sizeof *value);
    return true;
}

static bool read_register(void *arg, unsigned number, uint64_t *value)
{
    const struct access *a = arg;

    return read_handle(a->vcpu, a->vcpu->registers[number], value);
}

bool vcpu_identify(struct vcpu *v, const char *name)
{
    v->identifier = find_register(v, name);
    return read_handle(v, v->identifier, &v->identity);
}

bool vcpu_read_identity(struct vcpu *v, uint64_t *value)
{
    return read_handle(v, v->identifier, value);
}

static bool read_memory(void *arg, uint64_t va, void *out, size_t n)
{
    const struct access *a = arg;
    const struct wire_set *w = &a->set->wire;

    for (uint32_t i = 0; i < w->ndirect; i++) {
        const struct wire_direct *d = &w->direct[i];
        uint64_t offset = va - d->va;
        if (offset < d->size && n <= d->size - offset) {
            memcpy(out, (const void *)(uintptr_t)(d->hva + offset), n);
            return true;
        }
    }
    if (!a->executing || !qemu_plugin_read_memory_vaddr(va, a->vcpu->bytes, n))
        return false;
    memcpy(out, a->vcpu->bytes->data, n);
    return true;
}

/* ---- firing ---- */

static uint64_t add(_Atomic uint64_t *counter, uint64_t n)
{
    uint64_t before = atomic_load_explicit(counter, memory_order_relaxed);

    atomic_store_explicit(counter, before + n, memory_order_relaxed); /* there is one writer */
    return before;
}

/* Where a probe fires. */
struct occasion {
    uint64_t pc;
    const uint64_t *values;
    bool executing;
};

static void fire(struct vcpu *v, const struct point *p, struct wire_count *count,
                 const struct occasion *o)
{
    struct access a = {v, p->set, o->executing};
    struct machine m = {.pc = o->pc,
                        .vcpu = v->ring.cpu,
                        .values = o->values,
                        .arg = &a,
                        .reg = read_register,
                        .memory = read_memory,
                        .tables = p->set->wire.tables,
                        .vars = v->vars};
    struct wire_event e;

    uint32_t n = interp_run(p->code, &m, v->record);
    if (!n)
        return;
    memcpy(&e, v->record, sizeof e);
    /* Who recorded what another set published begins where its own does. */
    if (v->generation != p->set->wire.generation) {
        v->generation = p->set->wire.generation;
        ring_cut(&v->ring);
    }
    v->ring.may_wait = o->executing && !v->locked; /* else QEMU's big lock is held */
    if (!ring_put(&v->ring, v->record, n, clock_ns())) {
        add(&count->dropped, 1);
        return;
    }
    add(&count->published, 1);
    if (e.flags & WIRE_EVENT_FAULT)
        add(&count->faults, 1);
}

static void count_and_fire(struct vcpu *v, const struct point *p, const struct occasion *o)
{
    struct wire_count *count = &v->counts[p->slot];

    if (add(&count->fired, 1) % TIMED_EVERY != TIMED_FIRST) {
        fire(v, p, count, o);
        return;
    }
    uint64_t begin = clock_ns();
    v->ring.waited = 0;
    fire(v, p, count, o);
    uint64_t took = clock_ns() - begin - v->ring.waited;
    if (took > TIMED_MOST_NS)
        return;
    add(&count->cost, took > v->clock_cost ? took - v->clock_cost : 0);
    add(&count->timed, 1);
}

void vcpu_fire(struct vcpu *v, const struct point *p, bool executing)
{
    const struct occasion o = {.pc = p->pc, .executing = executing};

    count_and_fire(v, p, &o);
}

void vcpu_fire_at(struct vcpu *v, const struct point *p, uint64_t pc, const uint64_t *values)
{
    const struct occasion o = {.pc = pc, .values = values, .executing = true};

    count_and_fire(v, p, &o);
}
