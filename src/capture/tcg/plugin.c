/* SPDX-License-Identifier: MIT */
/*
 * The probe engine: a QEMU plugin that runs the probes of a set which oscope wished for through
 * shared memory (capture/wire.h), and publishes their events in a ring for each vCPU.
 *
 *     qemu-system-… -plugin liboscope-tcg.so,fd=N        N: the memory file, inherited
 *
 * With no probes in force, only the beginning and end of vCPUs and of their idling are watched, and
 * translated code is what it would be without the plugin (after the last probe that takes a moment:
 * translator.h). A new wish is noticed when a vCPU goes idle or resumes. That vCPU then asks QEMU
 * for a reset: only inside a vCPU does it flush the translated code. QEMU calls back while no vCPU
 * executes; there the sets are exchanged.
 *
 * Who may use a set when: probes at instructions are in translated code, and that of the old set is
 * gone when its successor comes. An idle callback may run while sets are exchanged; it holds the
 * set it uses, and a set that is held is freed at a later exchange.
 *
 * A reset frees what QEMU keeps of each callback, while other vCPUs' threads may be about to call
 * one for idling (QEMU 10.0.2, plugins/core.c: plugin_vcpu_cb__simple() walks that list without a
 * lock, plugin_unregister_cb__locked() frees at once; seen to crash). All idle and resume callbacks
 * run under QEMU's big lock, a reset does not: so these two are taken back beforehand, in one of
 * them.
 *
 * All that is so under multi-threaded TCG. Where vCPUs share a thread, single.h says what differs.
 */
#include "base/clock.h"
#include "capture/layout.h"
#include "capture/tcg/discon.h"
#include "capture/tcg/heat.h"
#include "capture/tcg/hooks.h"
#include "capture/tcg/single.h"
#include "capture/tcg/sites.h"
#include "capture/tcg/vcpu.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

PLUGIN_EXPORT int qemu_plugin_version = PLUGIN_API;

/* QEMU gives callbacks nothing to find it by. */
static struct engine {
    struct wire_control *shared;
    struct layout layout;
    struct vcpu *vcpus; /* layout.rings */
    _Atomic(struct set *) set;
    _Atomic uint64_t seen; /* newest wish that was looked at */

    pthread_mutex_t lock;                 /* for what follows, and for vCPUs that come and go */
    bool changing;                        /* a reset is under way, `next` comes with it */
    struct set *next;                     /* NULL: none */
    uint64_t next_generation, generation; /* the latter: of the set in force */
    struct vars *vars[WIRE_VARS];         /* made at the first need, never freed */
    struct heat *heat, *next_heat;        /* counters; those that come with `next`, or NULL */
    struct set *dead;                     /* to be freed when nobody holds them */
    bool broken;                          /* no probes will run here */
    bool watched;                         /* translation is */
    uint32_t at_start;                    /* vCPUs */
    int api;                              /* of this QEMU */
    struct single single;
    qemu_plugin_id_t id;

    uint64_t relax_delay;      /* ns */
    _Atomic uint64_t relax_at; /* when to try to watch no more; 0: no need to */
} engine = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local struct vcpu *self; /* the vCPU whose thread this is */

enum { RELAX_FIRST_NS = 20000000, RELAX_DOUBLINGS = 9 }; /* up to 10 s */

/* ---- firing ---- */

/* Keeps the set in force from being freed. */
static struct set *hold(struct vcpu *v)
{
    struct set *s;

    do {
        s = atomic_load(&engine.set);
        atomic_store(&v->held, s);
    } while (s != atomic_load(&engine.set));
    return s;
}

static void fire_chain(struct vcpu *v, enum wire_site site)
{
    const struct set *s = hold(v);

    if (s)
        for (struct point *p = site == WIRE_SITE_IDLE ? s->idle : s->resume; p; p = p->next)
            vcpu_fire(v, p, false);
    atomic_store(&v->held, NULL);
}

/* It does not wait any more. While sets are exchanged nobody tells (reset()). */
static void awake(struct vcpu *v)
{
    if (v->waiting)
        fire_chain(v, WIRE_SITE_RESUME);
    v->waiting = false;
}

/* It executes code of that set. */
static void seen(struct vcpu *v, const struct set *s)
{
    if (v->waiting && engine.single.on)
        single_awake(&engine.single, v, s);
    else if (v->waiting)
        awake(v);
}

static void on_instruction(unsigned index, void *userdata)
{
    const struct point *p = userdata;

    if (index >= engine.layout.rings)
        return;
    struct vcpu *v = &engine.vcpus[index];
    seen(v, p->set);
    vcpu_fire(v, p, true);
}

static void on_trap(qemu_plugin_id_t id, unsigned index, enum qemu_plugin_discon_type type,
                    uint64_t from, uint64_t to)
{
    const struct set *s = atomic_load_explicit(&engine.set, memory_order_acquire);

    if (!s || !s->traps || index >= engine.layout.rings)
        return;
    seen(&engine.vcpus[index], s);
    discon_fire(&engine.vcpus[index], s, type, from, to);
}

/* ---- translation ---- */

static void watch(struct qemu_plugin_insn *insn, struct point *p)
{
    qemu_plugin_register_vcpu_insn_exec_cb(
        insn, on_instruction, p->reads_registers ? QEMU_PLUGIN_CB_R_REGS : QEMU_PLUGIN_CB_NO_REGS,
        p);
}

static void watch_opcode(struct set *s, struct qemu_plugin_insn *insn, uint64_t pc)
{
    uint64_t bytes = 0;
    size_t n = qemu_plugin_insn_size(insn);

    qemu_plugin_insn_data(insn, &bytes, n < sizeof bytes ? n : sizeof bytes);
    for (uint32_t i = 0; i < s->nopcodes; i++) {
        const struct wire_probe *p = &s->wire.probes[s->opcodes[i]];
        if ((bytes & p->mask) == p->value)
            watch(insn, set_place(s, s->opcodes[i], pc));
    }
}

static void look(qemu_plugin_id_t id);

/* Of vCPUs that share a thread: at an instruction where the vCPU goes idle. */
static void on_wait(unsigned index, void *userdata)
{
    const struct set *s = atomic_load(&engine.set);
    struct vcpu *v = s && (s->idle || s->resume) ? single_vcpu(&engine.single) : NULL;

    if (v)
        single_wait(&engine.single, v, s);
}

/* At a system instruction, whose address is userdata. */
static void on_system(unsigned index, void *userdata)
{
    single_stand_still(&engine.single, engine.shared);
    look(engine.id);
    struct set *s = atomic_load_explicit(&engine.set, memory_order_relaxed);
    if (s && engine.single.several)
        single_fire_system(&engine.single, s, (uintptr_t)userdata);
    else if (s && engine.vcpus[0].waiting)
        single_awake(&engine.single, &engine.vcpus[0], s);
}

/* Where a block begins, if there are several. */
static void on_block(unsigned index, void *userdata)
{
    const struct set *s = atomic_load_explicit(&engine.set, memory_order_relaxed);

    if (s && s->translates)
        single_fire(&engine.single, s, (uintptr_t)userdata);
}

static void translate_single(struct qemu_plugin_tb *tb)
{
    const bool several = engine.single.several;
    const enum qemu_plugin_cb_flags flags =
        several ? QEMU_PLUGIN_CB_R_REGS : QEMU_PLUGIN_CB_NO_REGS;
    size_t n = qemu_plugin_tb_n_insns(tb);

    for (size_t i = 0; i < n; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        const struct wire_system *kind = single_system(&engine.single, insn);
        void *pc = (void *)(uintptr_t)qemu_plugin_insn_vaddr(insn);
        if (kind)
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_system, flags, pc);
        if (i == 0 && several)
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_block, flags, pc);
        if (kind && kind->waits)
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_wait, flags, pc);
    }
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    struct set *s = atomic_load_explicit(&engine.set, memory_order_acquire);
    size_t n = s && s->translates ? qemu_plugin_tb_n_insns(tb) : 0;

    if (self)
        translator_note(&self->translator, tb);
    if (engine.single.on)
        translate_single(tb);
    if (engine.single.several && engine.single.on)
        return; /* the set is asked when the code executes */
    if (n && s->wire.heat == WIRE_HEAT_ON)
        heat_watch(engine.heat, tb);
    if (n)
        sites_watch(s, tb);
    for (size_t i = 0; i < n; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        uint64_t pc = qemu_plugin_insn_vaddr(insn);
        for (struct point *p = set_at(s, pc); p; p = p->next)
            watch(insn, p);
        if (s->nopcodes)
            watch_opcode(s, insn, pc);
    }
}

/* ---- exchanging sets ---- */

static void tell(const char *text)
{
    snprintf(engine.shared->error, sizeof engine.shared->error, "%s", text);
}

static void refuse(uint64_t generation, const char *text)
{
    tell(text);
    atomic_store(&engine.shared->refused, generation);
}

/* Can all of a range be read in this process? Its first and last byte are tried: a range is one
 * piece of RAM. */
static bool is_readable(const struct wire_direct *d)
{
    const uint64_t at[2] = {d->hva, d->hva + d->size - 1};

    for (int i = 0; i < 2; i++) {
        char byte;
        struct iovec to = {&byte, 1}, from = {(void *)(uintptr_t)at[i], 1};
        if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) != 1)
            return false;
    }
    uint64_t first = d->hva & ~(uint64_t)(WIRE_PAGE - 1);
    return msync((void *)(uintptr_t)first, d->hva + d->size - first, MS_ASYNC) == 0;
}

/* What this machine lacks for the set: NULL, or text in buf. Under the lock. */
static const char *lacks(const struct set *s, char buf[static 80])
{
    for (uint32_t i = 0; i < s->wire.ndirect; i++)
        if (!is_readable(&s->wire.direct[i]))
            return "a range of guest memory is not where it was said to be";
    for (uint32_t i = 0; i < engine.layout.rings; i++) {
        const char *name = engine.vcpus[i].alive ? vcpu_lacks(&engine.vcpus[i], s) : NULL;
        if (name) {
            snprintf(buf, 80, "vCPU %u has no register %s", i, name);
            return buf;
        }
    }
    const char *why = discon_lacks(s);
    return why ? why : single_lacks(&engine.single, s);
}

/* Makes the wish the next set. Under the lock. False: there is nothing to exchange. */
static bool prepare(uint64_t wish)
{
    const struct wire_set *sets =
        (const void *)((const uint8_t *)engine.shared + engine.layout.sets_at);
    const char *why = NULL;
    char buf[80];

    if (engine.broken) {
        atomic_store(&engine.shared->refused, wish);
        atomic_store(&engine.seen, wish);
        return false;
    }
    struct set *s = set_take(&sets[wish & 1], wish, &why);
    if (!s && !why)
        return false; /* a newer wish is being written: it comes with another idle */
    atomic_store(&engine.seen, wish);
    if (s && (why = lacks(s, buf))) {
        set_free(s);
        s = NULL;
    }
    for (unsigned i = 0; s && i < WIRE_VARS; i++)
        if ((s->vars >> i & 1) && !engine.vars[i] && !(engine.vars[i] = vars_new())) {
            why = "out of memory";
            set_free(s);
            s = NULL;
        }
    if (s && s->wire.heat && !heat_fits(engine.heat, &s->wire) &&
        !(engine.next_heat = heat_new(&s->wire, engine.layout.rings, &why))) {
        set_free(s);
        s = NULL;
    }
    if (!s) {
        refuse(wish, why);
        return false;
    }
    engine.next = s;
    engine.next_generation = wish;
    return true;
}

/* Variables that the set before did not use begin empty. */
static void exchange_vars(const struct set *old, const struct set *new)
{
    unsigned kept = old && new ? old->vars &new->vars : 0;

    for (unsigned i = 0; i < WIRE_VARS; i++)
        if (engine.vars[i] && !(kept >> i & 1))
            vars_clear(engine.vars[i]);
}

/* No translated code is left that counts. */
static void exchange_heat(void)
{
    enum wire_heat_mode mode = engine.next ? engine.next->wire.heat : WIRE_HEAT_OFF;

    heat_switch(engine.heat, false);
    if (engine.next_heat || mode == WIRE_HEAT_OFF) {
        heat_free(engine.heat);
        engine.heat = engine.next_heat;
    }
    engine.next_heat = NULL;
    heat_switch(engine.heat, mode == WIRE_HEAT_ON);
}

static void free_dead(void)
{
    for (struct set **link = &engine.dead, *s; (s = *link);) {
        bool held = false;
        for (uint32_t i = 0; i < engine.layout.rings; i++)
            held |= atomic_load(&engine.vcpus[i].held) == s;
        if (held) {
            link = &s->next_dead;
        } else {
            *link = s->next_dead;
            set_free(s);
        }
    }
}

static void register_callbacks(qemu_plugin_id_t id);

static bool all_clean(void)
{
    bool clean = engine.api <= TRANSLATOR_API;

    for (uint32_t i = 0; i < engine.layout.rings; i++)
        if (engine.vcpus[i].alive)
            clean = clean && translator_is_clean(&engine.vcpus[i].translator);
    return clean;
}

/* Decides whether translation is watched from now on (translator.h), and when to ask again. */
static void watch_or_relax(bool needed)
{
    if (needed && !engine.watched)
        for (uint32_t i = 0; i < engine.layout.rings; i++)
            translator_watch(&engine.vcpus[i].translator);
    if (needed || all_clean())
        engine.watched = needed;
    if (needed || !engine.relax_delay)
        engine.relax_delay = RELAX_FIRST_NS;
    bool wait = engine.watched && !needed;
    atomic_store(&engine.relax_at, wait ? clock_ns() + engine.relax_delay : 0);
    if (wait && engine.relax_delay < (uint64_t)RELAX_FIRST_NS << RELAX_DOUBLINGS)
        engine.relax_delay *= 2;
}

/* The next set is the one that fires from now on. Under the lock; no vCPU executes code with probes
 * of the old one. */
static void exchange(void)
{
    struct set *old = atomic_load(&engine.set);
    if (old != engine.next)
        exchange_vars(old, engine.next);
    exchange_heat();
    atomic_store(&engine.set, engine.next);
    sites_use(engine.next);
    if (old && old != engine.next) {
        old->next_dead = engine.dead;
        engine.dead = old;
    }
    free_dead();
    for (uint32_t i = 0; i < engine.layout.rings; i++)
        if (engine.vcpus[i].alive)
            vcpu_bind(&engine.vcpus[i], engine.next);
    single_forget(&engine.single);
}

/* It is in force: nothing of it is missed any more. Under the lock. */
static void exchanged(void)
{
    engine.generation = engine.next_generation;
    atomic_store(&engine.shared->in_force, engine.generation);
    engine.next = NULL;
    engine.changing = false;
}

/* QEMU calls this when all callbacks and all translated code are gone and no vCPU executes. One may
 * go on at the same time: it must not meet callbacks while the old set is there. */
static void on_reset(qemu_plugin_id_t id)
{
    pthread_mutex_lock(&engine.lock);
    watch_or_relax(engine.single.on || (engine.next && engine.next->translates));
    exchange();
    register_callbacks(id);
    exchanged();
    pthread_mutex_unlock(&engine.lock);
    if (self && !engine.single.on)
        awake(self); /* this is its thread */
}

static bool time_to_relax(void)
{
    uint64_t at = atomic_load_explicit(&engine.relax_at, memory_order_relaxed);

    return at && clock_ns() >= at;
}

/* The same set again. Under the lock. */
static bool prepare_to_relax(void)
{
    engine.next = atomic_load(&engine.set);
    engine.next_generation = engine.generation;
    return true;
}

/* In a callback that holds QEMU's big lock. */
static void reset(qemu_plugin_id_t id)
{
    hook_vcpu(HOOK_VCPU_IDLE, NULL);
    hook_vcpu(HOOK_VCPU_RESUME, NULL);
    hook_reset(on_reset);
}

/* Looks whether something else is wished for than what was looked at last, or whether translation
 * is watched for nothing. In a vCPU only. */
static void look(qemu_plugin_id_t id)
{
    uint64_t wish = atomic_load_explicit(&engine.shared->wish, memory_order_acquire);
    bool go = false;

    if (wish == atomic_load_explicit(&engine.seen, memory_order_relaxed) && !time_to_relax())
        return;
    pthread_mutex_lock(&engine.lock);
    if (!engine.changing)
        go = (wish != atomic_load(&engine.seen) && prepare(wish)) ||
             (time_to_relax() && prepare_to_relax());
    engine.changing |= go;
    if (go && engine.single.on && engine.single.several) {
        exchange(); /* no code depends on the set */
        exchanged();
        go = false;
    }
    pthread_mutex_unlock(&engine.lock);
    if (go)
        reset(id);
}

/* ---- vCPUs ---- */

/* Does another vCPU run in this thread? */
static bool thread_is_shared(const struct vcpu *v)
{
    for (uint32_t i = 0; i < engine.layout.rings; i++)
        if (&engine.vcpus[i] != v && engine.vcpus[i].alive &&
            pthread_equal(engine.vcpus[i].thread, v->thread))
            return true;
    return false;
}

static uint32_t alive_vcpus(void)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < engine.layout.rings; i++)
        n += engine.vcpus[i].alive;
    return n;
}

/* No probes here any more. Under the lock; true: what is in force has to go. */
static bool give_up(const char *text)
{
    engine.broken = true;
    engine.single.on = false;
    tell(text);
    atomic_store(&engine.shared->engine, WIRE_ENGINE_REFUSED);
    if (engine.changing || !atomic_load(&engine.set))
        return false;
    engine.next_generation = engine.generation;
    engine.changing = true;
    return true;
}

static void on_vcpu_init(qemu_plugin_id_t id, unsigned index)
{
    bool go = false;

    if (index >= engine.layout.rings)
        return;
    struct vcpu *v = &engine.vcpus[index];
    pthread_mutex_lock(&engine.lock);
    vcpu_begin(v);
    self = v;
    if (index >= atomic_load(&engine.shared->vcpus)) /* plugged in later */
        atomic_store(&engine.shared->vcpus, index + 1);
    vcpu_bind(v, atomic_load(&engine.set));
    const char *why = single_begin(&engine.single, v);
    if (!why && !engine.single.on && thread_is_shared(v))
        why = "it needs multi-threaded TCG (-accel tcg,thread=multi, no -icount) to tell several "
              "vCPUs apart";
    if (why && !engine.broken)
        go = give_up(why);
    bool all = alive_vcpus() >= engine.at_start;
    pthread_mutex_unlock(&engine.lock);
    if (go)
        reset(id);
    else if (all)
        look(id); /* a set that was wished for before the machine started */
}

static void on_vcpu_exit(qemu_plugin_id_t id, unsigned index)
{
    pthread_mutex_lock(&engine.lock);
    if (index < engine.layout.rings)
        engine.vcpus[index].alive = false;
    pthread_mutex_unlock(&engine.lock);
}

static void on_idle(qemu_plugin_id_t id, unsigned index)
{
    if (index < engine.layout.rings) {
        struct vcpu *v = &engine.vcpus[index];
        translator_idle(&v->translator);
        awake(v);
        fire_chain(v, WIRE_SITE_IDLE);
        v->waiting = true;
    }
    look(id);
}

static void on_resume(qemu_plugin_id_t id, unsigned index)
{
    if (index < engine.layout.rings) {
        translator_resume(&engine.vcpus[index].translator);
        engine.vcpus[index].waiting = true; /* perhaps since before we looked */
        awake(&engine.vcpus[index]);
    }
    look(id);
}

static void register_callbacks(qemu_plugin_id_t id)
{
    hook_vcpu(HOOK_VCPU_INIT, on_vcpu_init);
    hook_vcpu(HOOK_VCPU_EXIT, on_vcpu_exit);
    hook_vcpu(HOOK_VCPU_IDLE, on_idle);
    hook_vcpu(HOOK_VCPU_RESUME, on_resume);
    if (engine.watched || engine.single.on)
        hook_translation(on_translation);
    discon_register(atomic_load(&engine.set), engine.single.several, on_trap);
}

/* ---- loading ---- */

/* Maps the memory file; NULL, or what is wrong with it. */
static const char *map_file(int fd)
{
    const int need = F_SEAL_SHRINK | F_SEAL_GROW;
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);

    if (seals < 0 || (seals & need) != need || fstat(fd, &st) < 0)
        return "not a sealed memory file";
    if (st.st_size < (off_t)sizeof(struct wire_control))
        return "not a memory file of oscope";
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return strerror(errno);
    engine.shared = p;
    fcntl(fd, F_SETFD, FD_CLOEXEC); /* stays open: oscope finds it among QEMU's files */
    return layout_read(&engine.layout, engine.shared, (uint64_t)st.st_size);
}

static bool make_vcpus(void)
{
    const struct layout *l = &engine.layout;
    uint8_t uuid[16];

    engine.vcpus = aligned_alloc(_Alignof(struct vcpu), l->rings * sizeof *engine.vcpus);
    if (!engine.vcpus)
        return false;
    memset(engine.vcpus, 0, l->rings * sizeof *engine.vcpus);
    memcpy(uuid, engine.shared->uuid, sizeof uuid);
    for (uint32_t i = 0; i < l->rings; i++) {
        uint8_t *at = (uint8_t *)engine.shared + l->rings_at + i * l->ring_stride;
        struct wire_ring *shared = (struct wire_ring *)at;
        ring_init(&engine.vcpus[i].ring, shared, at + layout_ring_head(), l->packet_bytes,
                  l->packets, i, uuid);
        engine.vcpus[i].counts = shared->counts;
        engine.vcpus[i].ring.keepers = engine.shared->keepers;
        engine.vcpus[i].vars = engine.vars;
    }
    return true;
}

/* Why the engine can't work in this QEMU, or NULL. */
static const char *unfit(const qemu_info_t *info)
{
    if (!info->system_emulation)
        return "it needs a whole machine, not a single program";
    if (info->system.max_vcpus < 1 || (uint32_t)info->system.max_vcpus > engine.layout.rings)
        return "this machine may have more vCPUs than oscope made room for";
    return NULL;
}

static int complain(const char *text)
{
    fprintf(stderr, "oscope's probe engine: %s\n", text);
    return -1;
}

PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
                                      char **argv)
{
    const char *wrong;
    char *end = NULL;
    long fd = -1;

    if (argc == 1 && !strncmp(argv[0], "fd=", 3))
        fd = strtol(argv[0] + 3, &end, 10);
    if (!end || end == argv[0] + 3 || *end || fd < 0 || fd > INT32_MAX)
        return complain("its one argument is fd=N, a memory file made by oscope");
    if ((wrong = map_file((int)fd)))
        return complain(wrong);
    if (atomic_load(&engine.shared->engine) != WIRE_ENGINE_ABSENT)
        return complain("its memory is in use by another");
    if (!make_vcpus())
        return complain("out of memory");
    single_init(&engine.single, &engine.shared->one_thread, engine.vcpus, engine.layout.rings,
                info->system.max_vcpus);
    sites_init(engine.vcpus, engine.layout.rings, seen);
    engine.id = id;
    engine.at_start = (uint32_t)info->system.smp_vcpus;
    atomic_store(&engine.shared->vcpus, engine.at_start);
    engine.api = info->version.cur;
    hooks_init(id, engine.api);
    engine.shared->api = engine.api;
    snprintf(engine.shared->target, sizeof engine.shared->target, "%s", info->target_name);
    if ((wrong = unfit(info))) {
        tell(wrong);
        atomic_store(&engine.shared->engine, WIRE_ENGINE_REFUSED);
        complain(wrong);
        return 0; /* the guest runs all the same */
    }
    atomic_store(&engine.shared->engine, WIRE_ENGINE_READY);
    register_callbacks(id);
    return 0;
}
