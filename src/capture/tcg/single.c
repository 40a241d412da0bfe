/* SPDX-License-Identifier: MIT */
/*
 * All vCPUs in one thread: see single.h. There is no other thread in which callbacks run, so what
 * is in force may be exchanged in any of them, and nothing here is shared.
 */
#include "capture/tcg/single.h"

#include "base/clock.h"

#include <string.h>
#include <time.h>

enum { PAGE = 4096 }; /* the smallest of the guests */

void single_init(struct single *s, const struct wire_one_thread *shared, struct vcpu *vcpus,
                 uint32_t n, int most)
{
    struct wire_one_thread how;

    memcpy(&how, shared, sizeof how);
    *s = (struct single){.vcpus = vcpus, .nvcpus = n};
    s->nsystem = how.nsystem < WIRE_SYSTEM ? how.nsystem : WIRE_SYSTEM;
    s->on = s->nsystem > 0;
    s->several = s->on && most > 1;
    memcpy(s->system, how.system, sizeof s->system);
    memcpy(s->identity, how.identity, sizeof s->identity - 1);
}

/* ---- which vCPU ---- */

const char *single_begin(struct single *s, struct vcpu *v)
{
    if (!s->on || !s->several)
        return NULL;
    if (!s->identity[0])
        return "vCPUs of this architecture can't be told apart when they share a thread (-icount, "
               "thread=single): it needs multi-threaded TCG, or one vCPU";
    if (!vcpu_identify(v, s->identity))
        return "vCPUs share a thread (-icount, thread=single) and do not say which one they are";
    for (uint32_t i = 0; i < s->nvcpus; i++) {
        const struct vcpu *other = &s->vcpus[i];
        if (other == v || !other->alive)
            continue;
        if (!pthread_equal(other->thread, v->thread))
            return "this QEMU was started with vCPUs in one thread, but has several";
        if (other->identity == v->identity)
            return "two vCPUs that share a thread say that they are the same one";
    }
    return NULL;
}

struct vcpu *single_vcpu(struct single *s)
{
    struct vcpu *v = &s->vcpus[s->several ? s->last : 0];
    uint64_t id;

    if (!s->several)
        return v;
    if (!vcpu_read_identity(v, &id))
        return NULL;
    if (v->identity == id && v->alive)
        return v;
    for (uint32_t i = 0; i < s->nvcpus; i++)
        if (s->vcpus[i].alive && s->vcpus[i].identity == id) {
            s->last = i;
            return &s->vcpus[i];
        }
    return NULL;
}

/* ---- system instructions ---- */

const struct wire_system *single_system(const struct single *s, const struct qemu_plugin_insn *insn)
{
    uint64_t bytes = 0;
    size_t n = qemu_plugin_insn_size(insn);

    qemu_plugin_insn_data(insn, &bytes, n < sizeof bytes ? n : sizeof bytes);
    for (uint32_t i = 0; i < s->nsystem; i++)
        if ((bytes & s->system[i].mask) == s->system[i].value)
            return &s->system[i];
    return NULL;
}

/* Are all instructions that the probe wants system instructions of one kind? */
static bool covers(const struct single *s, const struct wire_probe *p)
{
    for (uint32_t i = 0; i < s->nsystem; i++)
        if ((p->mask & s->system[i].mask) == s->system[i].mask &&
            (p->value & s->system[i].mask) == s->system[i].value)
            return true;
    return false;
}

const char *single_lacks(const struct single *s, const struct set *set)
{
    if (s->several && set->wire.heat)
        return "accesses to memory can be told apart by vCPU only under multi-threaded TCG (no "
               "-icount, no thread=single)";
    if (s->several && (set->memory || set->blocks))
        return "probes at accesses to memory or at blocks of code need multi-threaded TCG (no "
               "-icount, no thread=single), or one vCPU: the one that executes is not told";
    for (uint32_t i = 0; s->several && i < set->nopcodes; i++)
        if (!covers(s, &set->wire.probes[set->opcodes[i]]))
            return "probes at such instructions need multi-threaded TCG (no -icount, no "
                   "thread=single), or one vCPU";
    return NULL;
}

/* ---- firing ---- */

void single_fire(struct single *s, const struct set *set, uint64_t pc)
{
    const struct point *p = set_at(set, pc);
    struct vcpu *v = p ? single_vcpu(s) : NULL;

    if (!v)
        return;
    single_awake(s, v, set);
    for (; p; p = p->next)
        vcpu_fire(v, p, true);
}

/* The first bytes of the instruction that v executes; 0 where its page ends. */
static uint64_t bytes_at(struct vcpu *v, uint64_t pc)
{
    size_t n = PAGE - pc % PAGE;
    uint64_t bytes = 0;

    n = n < sizeof bytes ? n : sizeof bytes;
    if (!qemu_plugin_read_memory_vaddr(pc, v->bytes, n))
        return 0;
    memcpy(&bytes, v->bytes->data, n);
    if (n < sizeof bytes && qemu_plugin_read_memory_vaddr(pc + n, v->bytes, sizeof bytes - n))
        memcpy((char *)&bytes + n, v->bytes->data, sizeof bytes - n);
    return bytes;
}

void single_fire_system(struct single *s, struct set *set, uint64_t pc)
{
    struct vcpu *v = set->nopcodes || (s->waiting && set->resume) ? single_vcpu(s) : NULL;

    if (!v)
        return;
    single_awake(s, v, set);
    uint64_t bytes = set->nopcodes ? bytes_at(v, pc) : 0;
    for (uint32_t i = 0; i < set->nopcodes; i++) {
        const struct wire_probe *p = &set->wire.probes[set->opcodes[i]];
        if ((bytes & p->mask) == p->value)
            vcpu_fire(v, set_place(set, set->opcodes[i], pc), true);
    }
}

void single_stand_still(const struct single *s, struct wire_control *shared)
{
    uint64_t until = atomic_load_explicit(&shared->still_until, memory_order_relaxed);
    const struct timespec nap = {.tv_nsec = 20000};

    if (!until || !s->several)
        return;
    atomic_store(&shared->still, until);
    while (atomic_load(&shared->still_until) == until && clock_ns() < until)
        nanosleep(&nap, NULL);
    atomic_store(&shared->still, 0);
    atomic_compare_exchange_strong(&shared->still_until, &until, 0); /* nobody came to say so */
}

void single_wait(struct single *s, struct vcpu *v, const struct set *set)
{
    if (v->waiting)
        return;
    v->waiting = true;
    s->waiting++;
    for (const struct point *p = set->idle; p; p = p->next)
        vcpu_fire(v, p, false);
}

void single_awake(struct single *s, struct vcpu *v, const struct set *set)
{
    if (!v->waiting)
        return;
    v->waiting = false;
    s->waiting--;
    for (const struct point *p = set->resume; p; p = p->next)
        vcpu_fire(v, p, false);
}

void single_forget(struct single *s)
{
    for (uint32_t i = 0; s->waiting && i < s->nvcpus; i++)
        s->vcpus[i].waiting = false;
    s->waiting = 0;
}
