/* SPDX-License-Identifier: MIT */
/* capture/tcg/plugin.c inside of a QEMU that is made of the functions below: two vCPUs, whose
 * callbacks the tests call. The plugin's state lives as long as the process, as in QEMU. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/util.h"
#include "capture/control.h"
#include "capture/tcg/api.h"
#include "capture/tcg/hooks.h"
#include "capture/tcg/ring.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* Built twice: as a QEMU of an older interface, and as one of version 7. */
#ifndef FAKE_API
#define FAKE_API 4
#endif
enum { ID = 77 }; /* the plugin's */

/* ---- QEMU ---- */

struct qemu_plugin_insn {
    uint64_t vaddr;
    uint8_t bytes[4];
    qemu_plugin_vcpu_udata_cb_t cb;
    void *userdata;
    enum qemu_plugin_cb_flags flags;
    qemu_plugin_vcpu_mem_cb_t mem;
    void *mem_userdata;
};

struct qemu_plugin_tb {
    size_t n;
    struct {
        qemu_plugin_vcpu_udata_cb_t cb;
        void *userdata;
    } begun[2];
    size_t nbegun;
    struct qemu_plugin_insn insns[8];
};

/* A callback, and what it is told of itself. */
struct hooked {
    qemu_plugin_any_cb_t cb;
    void *userdata;
};

static struct {
    struct hooked init, gone, idle, resume, trans, reset;
    struct qemu_plugin_tb tbs[2]; /* of each vCPU */
} qemu;

static void call_vcpu(struct hooked h, unsigned index)
{
    if (FAKE_API < 7)
        ((qemu_plugin_vcpu_simple_cb_t)h.cb)(ID, index);
    else
        ((qemu_plugin_vcpu_udata_cb_t)h.cb)(index, h.userdata);
}

static void call_trans(struct qemu_plugin_tb *tb)
{
    if (!qemu.trans.cb)
        return;
    if (FAKE_API < 7)
        ((qemu_plugin_vcpu_tb_trans_cb_t)qemu.trans.cb)(ID, tb);
    else
        ((void (*)(struct qemu_plugin_tb *, void *))qemu.trans.cb)(tb, qemu.trans.userdata);
}

char *g_array_free(GArray *array, int free_segment)
{
    free(array);
    return NULL;
}

/* Descriptions of registers are longer in some versions. */
struct described {
    qemu_plugin_reg_descriptor first;
    char more[FAKE_API < 7 ? 0 : 8];
};

unsigned g_array_get_element_size(GArray *array)
{
    return sizeof(struct described);
}

GByteArray *g_byte_array_sized_new(unsigned reserved)
{
    GByteArray *a = calloc(1, sizeof *a);

    if (a)
        a->data = malloc(reserved);
    return a;
}

GByteArray *g_byte_array_set_size(GByteArray *array, unsigned length)
{
    array->len = length;
    return array;
}

void qemu_plugin_reset(qemu_plugin_id_t id, qemu_plugin_any_cb_t cb, void *userdata)
{
    assert_null(qemu.reset.cb);
    assert_null(qemu.idle.cb); /* they would be freed while other threads are about to call them */
    assert_null(qemu.resume.cb);
    qemu.reset = (struct hooked){cb, userdata};
}

void qemu_plugin_register_vcpu_init_cb(qemu_plugin_id_t id, qemu_plugin_any_cb_t cb, void *userdata)
{
    qemu.init = (struct hooked){cb, userdata};
}

void qemu_plugin_register_vcpu_exit_cb(qemu_plugin_id_t id, qemu_plugin_any_cb_t cb, void *userdata)
{
    qemu.gone = (struct hooked){cb, userdata};
}

void qemu_plugin_register_vcpu_idle_cb(qemu_plugin_id_t id, qemu_plugin_any_cb_t cb, void *userdata)
{
    qemu.idle = (struct hooked){cb, userdata};
}

void qemu_plugin_register_vcpu_resume_cb(qemu_plugin_id_t id, qemu_plugin_any_cb_t cb,
                                         void *userdata)
{
    qemu.resume = (struct hooked){cb, userdata};
}

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, qemu_plugin_any_cb_t cb,
                                           void *userdata)
{
    qemu.trans = (struct hooked){cb, userdata};
}

void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
                                            qemu_plugin_vcpu_udata_cb_t cb,
                                            enum qemu_plugin_cb_flags flags, void *userdata)
{
    insn->cb = cb;
    insn->userdata = userdata;
    insn->flags = flags;
}

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb)
{
    return tb->n;
}

struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t idx)
{
    return idx < tb->n ? (struct qemu_plugin_insn *)(uintptr_t)&tb->insns[idx] : NULL;
}

size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *dest, size_t len)
{
    memcpy(dest, insn->bytes, MIN(len, sizeof insn->bytes));
    return MIN(len, sizeof insn->bytes);
}

size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn)
{
    return sizeof insn->bytes;
}

uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn)
{
    return insn->vaddr;
}

GArray *qemu_plugin_get_registers(void)
{
    static struct described d[2] = {{.first = {(void *)0x10, "a0", NULL}},
                                    {.first = {(void *)0x11, "a1", NULL}}};
    GArray *a = calloc(1, sizeof *a);

    if (a)
        *a = (GArray){(char *)d, 2};
    return a;
}

int qemu_plugin_read_register(struct qemu_plugin_register *handle, GByteArray *buf)
{
    uint32_t v = (uint32_t)(uintptr_t)handle;

    memcpy(buf->data + buf->len, &v, sizeof v);
    buf->len += sizeof v;
    return sizeof v;
}

bool qemu_plugin_read_memory_vaddr(uint64_t addr, GByteArray *data, size_t len)
{
    g_byte_array_set_size(data, (unsigned)len);
    memset(data->data, 'm', len);
    return addr >= 0x8000;
}

/* Guest RAM at RAM_GPA, at this place in QEMU; virtual addresses are physical ones. */
enum { RAM_GPA = 0x80000000u, RAM_PAGES = 8, MMIO = 0x10000000, ROM = 0x1000 };
static _Alignas(4096) char ram[RAM_PAGES * 4096];

struct qemu_plugin_hwaddr {
    uint64_t pa;
} hwaddr;

void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, qemu_plugin_vcpu_mem_cb_t cb,
                                      enum qemu_plugin_cb_flags flags, enum qemu_plugin_mem_rw rw,
                                      void *userdata)
{
    assert_int_equal(rw, QEMU_PLUGIN_MEM_RW);
    insn->mem = cb;
    insn->mem_userdata = userdata;
}

void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, qemu_plugin_vcpu_udata_cb_t cb,
                                          enum qemu_plugin_cb_flags flags, void *userdata)
{
    assert_true(tb->nbegun < ARRAY_SIZE(tb->begun));
    tb->begun[tb->nbegun].cb = cb;
    tb->begun[tb->nbegun++].userdata = userdata;
}

/* meminfo here: the shift of the size, and 0x80 for stores */
bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t info)
{
    return info & 0x80;
}

unsigned qemu_plugin_mem_size_shift(qemu_plugin_meminfo_t info)
{
    return info & 7;
}

struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(qemu_plugin_meminfo_t info, uint64_t vaddr)
{
    hwaddr.pa = vaddr;
    return vaddr ? &hwaddr : NULL;
}

uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *haddr)
{
    return haddr->pa;
}

void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *insn)
{
    uint64_t offset = insn->vaddr - RAM_GPA;

    return offset < sizeof ram ? ram + offset : NULL;
}

#if FAKE_API >= 7
/* By this the plugin knows the QEMU whose program it is in. */
PLUGIN_EXPORT const char *const version_text = "QEMU emulator version 11.1.3 (Debian)\n";

static struct hooked discon;
static int discon_types;

void qemu_plugin_register_vcpu_discon_cb(qemu_plugin_id_t id, int types, qemu_plugin_any_cb_t cb,
                                         void *userdata)
{
    discon_types = types;
    discon = (struct hooked){cb, userdata};
}
#endif

/* What QEMU does when no vCPU executes. */
static void do_reset(void)
{
    struct hooked h = qemu.reset;
    struct qemu_plugin_tb tbs[2];

    assert_non_null(h.cb);
    memcpy(tbs, qemu.tbs, sizeof tbs);
    memset(&qemu, 0, sizeof qemu);
    memcpy(qemu.tbs, tbs, sizeof tbs);
    if (FAKE_API < 7)
        ((qemu_plugin_simple_cb_t)h.cb)(ID);
    else
        ((void (*)(void *))h.cb)(h.userdata);
}

/* ---- the vCPUs, each with a thread that does what it is told ---- */

static struct worker {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    void (*job)(unsigned index);
} workers[2] = {{.lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER},
                {.lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER}};

static void *work(void *arg)
{
    struct worker *w = arg;

    for (;;) {
        pthread_mutex_lock(&w->lock);
        while (!w->job)
            pthread_cond_wait(&w->cond, &w->lock);
        w->job((unsigned)(w - workers));
        w->job = NULL;
        pthread_cond_broadcast(&w->cond);
        pthread_mutex_unlock(&w->lock);
    }
    return NULL;
}

/* Runs job in the vCPU's thread and waits for its end. */
static void on(unsigned index, void (*job)(unsigned))
{
    struct worker *w = &workers[index];

    pthread_mutex_lock(&w->lock);
    w->job = job;
    pthread_cond_broadcast(&w->cond);
    while (w->job)
        pthread_cond_wait(&w->cond, &w->lock);
    pthread_mutex_unlock(&w->lock);
}

static void begins(unsigned index)
{
    call_vcpu(qemu.init, index);
}

static void idles(unsigned index)
{
    if (qemu.idle.cb)
        call_vcpu(qemu.idle, index);
}

static void resumes(unsigned index)
{
    if (qemu.resume.cb)
        call_vcpu(qemu.resume, index);
}

/* Translates three instructions at 0x4000; the last one is "csrr a0, scause". */
static void translates(unsigned index)
{
    struct qemu_plugin_tb *tb = &qemu.tbs[index];

    *tb = (struct qemu_plugin_tb){.n = 3};
    for (unsigned i = 0; i < 3; i++)
        tb->insns[i].vaddr = 0x4000 + 4 * i;
    memcpy(tb->insns[2].bytes, "\x73\x25\x20\x14", 4);
    call_trans(tb);
}

/* Begins to, but a page fault comes between. */
static void fails_to_translate(unsigned index)
{
    qemu.tbs[index].n = 1;
    qemu.tbs[index].insns[0].vaddr = 0x4ffe;
}

static void executes(unsigned index)
{
    for (size_t i = 0; i < qemu.tbs[index].n; i++)
        if (qemu.tbs[index].insns[i].cb)
            qemu.tbs[index].insns[i].cb(index, qemu.tbs[index].insns[i].userdata);
}

/* ---- oscope ---- */

static struct control *control;
static struct wire_control *shared;

static const struct wire_ring *ring_of(unsigned index)
{
    return (const void *)((const uint8_t *)shared + shared->rings_at + index * shared->ring_stride);
}

static uint64_t fired(unsigned index, unsigned slot)
{
    return atomic_load(&ring_of(index)->counts[slot].fired);
}

/* Publishes a set made by `write` and exchanges it in vCPU 0's idle callback. */
static uint64_t wish(void (*write)(struct probe_set *s))
{
    struct probe_set s;
    uint64_t generation;

    probe_set_init(&s);
    if (write)
        write(&s);
    assert_null(probe_set_finish(&s));
    probe_set_slots(&s, NULL);
    assert_null(control_wish(control, &s, &generation));
    probe_set_free(&s);
    on(0, idles);
    return generation;
}

static void check_settled(uint64_t generation, bool expect)
{
    bool settled;

    assert_null(control_settled(control, generation, &settled));
    assert_int_equal(settled, expect);
}

/* Slot 0: at 0x4004, with a register, memory and a string; 1: each csrr of scause; 2, 3: idling. */
static void probes(struct probe_set *s)
{
    probe_exec(s, "exec", 0x4004);
    unsigned a1 = probe_reg(s, "a1"), at = probe_imm(s, 0x9000);
    probe_event(s, 1);
    probe_put(s, a1, 4);
    probe_put(s, probe_load(s, at, 0, 2), 2);
    probe_put_str(s, at, 3);
    probe_end(s);
    probe_opcode(s, "opcode", 0xfffff07f, 0x14202073);
    probe_event(s, 2);
    probe_put(s, probe_pc(s), 8);
    probe_end(s);
    probe_idle(s, "idle");
    probe_event(s, 3);
    probe_end(s);
    probe_resume(s, "resume");
    probe_event(s, 4);
    probe_put_str(s, probe_imm(s, 0x9000), 3); /* only what is direct is at hand there */
    probe_end(s);
}

static void unknown_register(struct probe_set *s)
{
    probe_exec(s, "x", 0x4004);
    probe_reg(s, "mepc");
    probe_end(s);
}

enum { PACKET = 4096 };

static char direct[8192] = "direct";

static void direct_range(struct probe_set *s)
{
    probe_direct(s, 0x9000, sizeof direct, (uintptr_t)direct);
    probe_resume(s, "resume");
    probe_event(s, 4);
    probe_put_str(s, probe_imm(s, 0x9000), 16);
    probe_end(s);
}

static void wrong_range(struct probe_set *s)
{
    probe_direct(s, 0x9000, 4096, 4096);
}

/* Put together here: this program's own text is looked through, too. */
static int version_of(const char *text)
{
    char all[128];

    snprintf(all, sizeof all, "x QEMU emulator %s", text);
    return hooks_version_of(all, strlen(all));
}

static void knows_versions(void **state)
{
    assert_int_equal(version_of("version 10.0.2 (Debian 1:10.0.2+ds-2)"), 4);
    assert_int_equal(version_of("version 11.0.1"), 4);
    assert_int_equal(version_of("version 11.1.0\n"), 7);
    assert_int_equal(version_of("version 12.0.50 (v12.0.0-1-gabc)"), 7);
    assert_int_equal(version_of("version %d QEMU emulator "), 0);
    assert_int_equal(version_of("version 11."), 0); /* cut off: not guessed */
    assert_int_equal(version_of("version "), 0);
    assert_int_equal(version_of(""), 0);
}

/* ---- the tests, in order: one plugin for all of them ---- */

static void installs(void **state)
{
    qemu_info_t info = {.target_name = "riscv64",
                        .version = {FAKE_API < 7 ? 2 : 7, FAKE_API},
                        .system_emulation = true};
    char arg[32], *argv[] = {arg};
    int fd;

    info.system.smp_vcpus = info.system.max_vcpus = 2;
    assert_int_equal(qemu_plugin_version, FAKE_API); /* chosen before anybody asks */
    assert_null(control_create(2, PACKET, 64, &fd));
    assert_null(control_open(fd, true, &control));
    size_t mapped;
    shared = (struct wire_control *)(uintptr_t)control_mapped(control, &mapped);
    strcpy(arg, "fd=x");
    assert_int_not_equal(qemu_plugin_install(ID, &info, 1, argv), 0);
    assert_int_not_equal(qemu_plugin_install(ID, &info, 0, argv), 0);
    strcpy(arg, "fd=0"); /* no memory file */
    assert_int_not_equal(qemu_plugin_install(ID, &info, 1, argv), 0);
    snprintf(arg, sizeof arg, "fd=%d", fd);
    assert_int_equal(qemu_plugin_install(ID, &info, 1, argv), 0);
    assert_int_equal(atomic_load(&shared->engine), WIRE_ENGINE_READY);
    assert_string_equal(shared->target, "riscv64");
    assert_int_equal(shared->vcpus, 2);
    assert_null(qemu.trans.cb);
    on(0, begins);
    on(1, begins);
    on(1, idles);
    assert_null(qemu.reset.cb); /* nothing is wished for */
}

static void exchanges(void **state)
{
    uint64_t g = wish(probes);

    check_settled(g, false);
    assert_non_null(qemu.reset.cb);
    on(1, idles); /* one reset is enough */
    do_reset();
    check_settled(g, true);
    assert_non_null(qemu.trans.cb);
    on(0, resumes);
    on(1, resumes);
    assert_null(qemu.reset.cb);
}

static void fires(void **state)
{
    const struct qemu_plugin_insn *insns = qemu.tbs[0].insns;
    struct wire_event e;

    on(0, translates);
    assert_null(insns[0].cb);
    assert_non_null(insns[1].cb);
    assert_int_equal(insns[1].flags, QEMU_PLUGIN_CB_R_REGS);
    assert_non_null(insns[2].cb);
    assert_int_equal(insns[2].flags, QEMU_PLUGIN_CB_NO_REGS);
    uint64_t before = atomic_load(&ring_of(0)->position);
    on(0, executes);
    assert_int_equal(fired(0, 0), 1);
    assert_int_equal(fired(0, 1), 1);
    assert_int_equal(fired(1, 0), 0);
    assert_int_equal(atomic_load(&ring_of(0)->counts[0].published), 1);
    const uint8_t *p = (const uint8_t *)ring_of(0) + ALIGN_UP(sizeof(struct wire_ring), WIRE_PAGE);
    p += before;
    memcpy(&e, p, sizeof e);
    assert_int_equal(e.id, 1);
    assert_int_equal(e.flags, 0);
    assert_int_equal(load32(p + sizeof e), 0x11);
    assert_memory_equal(p + sizeof e + 4, "mmmmm", 6);
    p += sizeof e + 10;
    memcpy(&e, p, sizeof e);
    assert_int_equal(e.id, 2);
    assert_int_equal(load64(p + sizeof e), 0x4008);
    on(1, translates);
    on(1, executes);
    assert_int_equal(fired(1, 1), 1);
    on(1, idles);
    on(1, resumes);
    assert_int_equal(atomic_load(&ring_of(1)->counts[3].published), 2);
    assert_int_equal(atomic_load(&ring_of(1)->counts[3].faults), 2);
}

static void refuses(void **state)
{
    bool settled;
    uint64_t g = wish(unknown_register);
    struct oscope_error *err = control_settled(control, g, &settled);

    assert_null(qemu.reset.cb);
    assert_non_null(err);
    assert_string_equal(err->message, "the probe engine: vCPU 0 has no register mepc");
    oscope_error_free(err);
    assert_int_equal(control_in_force(control), g - 1); /* what was in force is */
    err = control_settled(control, wish(wrong_range), &settled);
    assert_non_null(err);
    assert_non_null(strstr(err->message, "not where it was said to be"));
    oscope_error_free(err);
    on(0, executes);
    assert_int_equal(fired(0, 0), 2);
}

/* Lets the time pass after which the engine asks again whether it may stop watching. */
static void wait_and_idle(void)
{
    for (int i = 0; !qemu.reset.cb && i < 2000; i++) {
        nanosleep(&(struct timespec){0, 5000000}, NULL);
        on(1, idles);
    }
    do_reset();
}

static void watches_until_it_is_safe(void **state)
{
    uint64_t g;

    on(0, translates);
    on(1, translates);
    on(1, fails_to_translate);
    g = wish(NULL);
    do_reset();
    check_settled(g, true);
    assert_non_null(qemu.trans.cb); /* vCPU 1 would crash */
    on(0, translates);
    assert_null(qemu.tbs[0].insns[1].cb); /* but nothing is added */
    wait_and_idle();
    assert_non_null(qemu.trans.cb);
    on(1, translates);
    wait_and_idle();
    assert_null(qemu.trans.cb);
    assert_int_equal(control_in_force(control), g);
}

static void direct_memory(void **state)
{
    uint64_t before = atomic_load(&ring_of(0)->counts[0].faults);

    wish(direct_range);
    do_reset();
    assert_null(qemu.trans.cb); /* no probe is at an instruction */
    on(0, resumes);
    /* It begins a packet: those before are of another generation. */
    uint64_t position = atomic_load(&ring_of(0)->position) & ~(uint64_t)(PACKET - 1);
    assert_int_equal(atomic_load(&ring_of(0)->counts[0].faults), before);
    const char *p = (const char *)ring_of(0) + ALIGN_UP(sizeof(struct wire_ring), WIRE_PAGE);
    p += position + sizeof(struct wire_packet);
    assert_string_equal(p + sizeof(struct wire_event), "direct");
}

/* A vCPU that woke while callbacks were taken back: told before what it does next. */
static void wakes_unseen(void **state)
{
    wish(probes);
    do_reset();
    on(1, translates);
    on(1, idles);
    uint64_t before = fired(1, 3);
    wish(probes);
    assert_null(qemu.resume.cb);
    on(1, resumes);
    do_reset();
    on(1, translates);
    assert_int_equal(fired(1, 3), before);
    on(1, executes);
    assert_int_equal(fired(1, 3), before + 1);
    on(1, executes);
    on(1, idles);
    assert_int_equal(fired(1, 3), before + 1);
    on(1, idles); /* and the same without an instruction that was watched */
    assert_int_equal(fired(1, 3), before + 2);
    on(1, resumes);
    assert_int_equal(fired(1, 3), before + 3);
}

/* ---- traps ---- */

static void trap_probes(struct probe_set *s)
{
    probe_trap(s, "interrupts", WIRE_TRAP_INTERRUPT);
    probe_end(s);
    probe_trap(s, "traps", WIRE_TRAP_INTERRUPT | WIRE_TRAP_EXCEPTION);
    probe_event(s, 5);
    probe_put(s, probe_reg(s, "a0"), 4);
    probe_put(s, probe_from(s), 8);
    probe_put(s, probe_to(s), 8);
    probe_end(s);
}

#if FAKE_API < 7
static void traps_are_not_told(void **state)
{
    bool settled;
    struct oscope_error *err = control_settled(control, wish(trap_probes), &settled);

    assert_null(qemu.reset.cb);
    assert_non_null(err);
    assert_non_null(strstr(err->message, "this QEMU does not tell plugins of traps"));
    oscope_error_free(err);
}
#else
static void traps(unsigned index, enum qemu_plugin_discon_type type, uint64_t from, uint64_t to)
{
    ((void (*)(unsigned, enum qemu_plugin_discon_type, uint64_t, uint64_t, void *))discon.cb)(
        index, type, from, to, discon.userdata);
}

static void traps_are_told(void **state)
{
    discon = (struct hooked){0};
    wish(probes);
    do_reset();
    assert_null(discon.cb); /* nobody wants them */
    uint64_t g = wish(trap_probes);
    do_reset();
    check_settled(g, true);
    assert_non_null(discon.cb);
    assert_int_equal(discon_types, QEMU_PLUGIN_DISCON_INTERRUPT | QEMU_PLUGIN_DISCON_EXCEPTION);
    uint64_t interrupts = fired(1, 0), all = fired(1, 1);
    traps(1, QEMU_PLUGIN_DISCON_EXCEPTION, 0, 0x8000); /* a jump to 0: no read has failed */
    assert_int_equal(fired(1, 0), interrupts);
    assert_int_equal(fired(1, 1), all + 1);
    uint64_t position = atomic_load(&ring_of(1)->position) & ~(uint64_t)(PACKET - 1);
    const uint8_t *p = (const uint8_t *)ring_of(1) + ALIGN_UP(sizeof(struct wire_ring), WIRE_PAGE);
    struct wire_event e;
    p += position + sizeof(struct wire_packet);
    memcpy(&e, p, sizeof e);
    assert_int_equal(e.id, 5);
    assert_int_equal(e.flags, 0);
    p += sizeof e;
    assert_int_equal(load32(p), 0x10);
    assert_int_equal(load64(p + 4), 0);
    assert_int_equal(load64(p + 12), 0x8000);
    traps(1, QEMU_PLUGIN_DISCON_INTERRUPT, 0x4000, 0x8000);
    assert_int_equal(fired(1, 0), interrupts + 1);
    assert_int_equal(fired(1, 1), all + 2);
    traps(1, QEMU_PLUGIN_DISCON_HOSTCALL, 0x4000, 0x8000);
    traps(2, QEMU_PLUGIN_DISCON_INTERRUPT, 0x4000, 0x8000); /* a vCPU that we have no ring for */
    assert_int_equal(fired(1, 1), all + 2);
    wish(NULL);
    do_reset();
    traps(1, QEMU_PLUGIN_DISCON_INTERRUPT, 0x4000, 0x8000); /* of a vCPU that was late */
    assert_int_equal(fired(1, 1), all + 2);
}
#endif

/* ---- accesses ---- */

/* Twelve bytes before the end of the RAM's first page: three instructions there, three in the
 * second page. */
static void translates_in_ram(unsigned index)
{
    struct qemu_plugin_tb *tb = &qemu.tbs[index];

    *tb = (struct qemu_plugin_tb){.n = 6};
    for (unsigned i = 0; i < 6; i++)
        tb->insns[i].vaddr = RAM_GPA + 4096 - 12 + 4 * i;
    call_trans(tb);
}

static void begins_block(unsigned index)
{
    const struct qemu_plugin_tb *tb = &qemu.tbs[index];

    for (size_t i = 0; i < tb->nbegun; i++)
        tb->begun[i].cb(index, tb->begun[i].userdata);
}

static void accesses(unsigned index, uint64_t va, unsigned bytes, bool store)
{
    const struct qemu_plugin_insn *insn = &qemu.tbs[index].insns[0];

    insn->mem(index, (unsigned)__builtin_ctz(bytes) | (store ? 0x80 : 0), va, insn->mem_userdata);
}

static void counts(struct probe_set *s)
{
    probe_heat(s, PROBE_HEAT_ALL);
    s->heat_on = true;
    assert_true(probe_ram(s, 0, 4096, 0x7000));
    assert_true(probe_ram(s, RAM_GPA, sizeof ram, (uintptr_t)ram));
}

static void pauses(struct probe_set *s)
{
    counts(s);
    s->heat_on = false;
}

/* The engine's file among our own, or -1. */
static int heat_file(void)
{
    char path[64], link[64] = "";

    for (int fd = 3; fd < 64; fd++) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        if (readlink(path, link, sizeof link - 1) > 0 && strstr(link, WIRE_HEAT_NAME))
            return fd;
    }
    return -1;
}

static struct wire_heat heat_head(int fd)
{
    struct wire_heat w;

    assert_int_equal(pread(fd, &w, sizeof w, 0), sizeof w);
    return w;
}

/* Of page i of the RAM (page 0 of all is that at 0), by one vCPU. */
static void check_page(int fd, unsigned index, unsigned i, uint64_t reads, uint64_t writes,
                       uint64_t execs)
{
    struct wire_heat w = heat_head(fd);
    struct wire_page_heat p;
    uint64_t at = w.shards_at + index * w.shard_stride + (1 + i) * sizeof p;

    assert_int_equal(pread(fd, &p, sizeof p, (off_t)at), sizeof p);
    assert_int_equal(p.reads, reads);
    assert_int_equal(p.writes, writes);
    assert_int_equal(p.execs, execs);
}

static void counts_accesses(void **state)
{
    assert_int_equal(heat_file(), -1);
    wish(counts);
    do_reset();
    int fd = heat_file();
    struct wire_heat w = heat_head(fd);
    assert_int_equal(w.shards, 2);
    assert_int_equal(w.pages, 1 + RAM_PAGES);
    assert_true(w.since != 0 && !w.watched);
    on(0, translates_in_ram);
    on(1, translates_in_ram);
    on(0, begins_block);
    on(0, begins_block);
    on(1, begins_block);
    check_page(fd, 0, 0, 0, 0, 6);
    check_page(fd, 0, 1, 0, 0, 6);
    check_page(fd, 1, 0, 0, 0, 3);
    check_page(fd, 1, 1, 0, 0, 3);
    accesses(0, RAM_GPA + 2 * 4096, 8, false);
    accesses(0, RAM_GPA + 2 * 4096 + 4088, 8, true); /* up to the end of the page */
    accesses(1, RAM_GPA + 2 * 4096, 1, true);
    check_page(fd, 0, 2, 1, 1, 0);
    check_page(fd, 1, 2, 0, 1, 0);
    accesses(0, RAM_GPA + 4 * 4096 - 4, 8, true); /* in two */
    check_page(fd, 0, 3, 0, 1, 0);
    check_page(fd, 0, 4, 0, 1, 0);
    accesses(0, RAM_GPA + sizeof ram - 1, 2, false); /* and beyond the end of RAM */
    check_page(fd, 0, RAM_PAGES - 1, 1, 0, 0);
    accesses(0, MMIO, 4, true);
    accesses(0, ROM, 4, false); /* no RAM */
    accesses(0, 0, 4, false);   /* not in the TLB */
    accesses(0, RAM_GPA - 4, 8, true);
    check_page(fd, 0, 0, 0, 1, 6);
    for (unsigned i = 5; i < RAM_PAGES - 1; i++)
        check_page(fd, 0, i, 0, 0, 0);
    on(0, translates); /* code in no RAM */
    assert_int_equal(qemu.tbs[0].nbegun, 0);
}

static void counts_in_slices(void **state)
{
    int fd = heat_file();

    wish(pauses);
    do_reset();
    assert_int_equal(heat_file(), fd); /* the same file, and its counts */
    check_page(fd, 0, 2, 1, 1, 0);
    struct wire_heat w = heat_head(fd);
    assert_true(!w.since && w.watched && !(w.changing & 1));
    assert_non_null(qemu.trans.cb);
    on(0, translates_in_ram);
    assert_int_equal(qemu.tbs[0].nbegun, 0);
    assert_null(qemu.tbs[0].insns[0].mem);
    wish(counts);
    do_reset();
    on(0, translates_in_ram);
    accesses(0, RAM_GPA + 2 * 4096, 8, false);
    check_page(fd, 0, 2, 2, 1, 0);
    fd = dup(fd);
    wish(NULL);
    do_reset();
    w = heat_head(fd);
    assert_int_equal(atomic_load(&w.closed), 1);
    close(fd);
    assert_int_equal(heat_file(), -1);
    on(0, translates_in_ram);
    assert_null(qemu.tbs[0].insns[0].mem);
}

static void begins_again_as_1(unsigned index)
{
    call_vcpu(qemu.init, 1);
}

static void one_thread_for_two(void **state)
{
    uint64_t g = control_wished(control);
    bool settled;

    call_vcpu(qemu.gone, 1);
    on(0, begins_again_as_1);
    assert_int_equal(atomic_load(&shared->engine), WIRE_ENGINE_REFUSED);
    do_reset(); /* what was in force goes */
    assert_int_equal(control_in_force(control), g);
    uint64_t before = fired(0, 0);
    on(0, resumes);
    assert_int_equal(fired(0, 0), before);
    struct oscope_error *err = control_settled(control, wish(probes), &settled);
    assert_null(qemu.reset.cb);
    assert_non_null(err);
    assert_non_null(strstr(err->message, "multi-threaded"));
    oscope_error_free(err);
    control_close(control);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_versions),
        cmocka_unit_test(installs),
        cmocka_unit_test(exchanges),
        cmocka_unit_test(fires),
        cmocka_unit_test(refuses),
        cmocka_unit_test(watches_until_it_is_safe),
        cmocka_unit_test(direct_memory),
        cmocka_unit_test(wakes_unseen),
#if FAKE_API < 7
        cmocka_unit_test(traps_are_not_told),
#else
        cmocka_unit_test(traps_are_told),
#endif
        cmocka_unit_test(counts_accesses),
        cmocka_unit_test(counts_in_slices),
        cmocka_unit_test(one_thread_for_two),
    };

    for (unsigned i = 0; i < 2; i++)
        pthread_create(&workers[i].thread, NULL, work, &workers[i]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
