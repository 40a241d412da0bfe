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
#include "capture/tcg/ring.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

/* ---- QEMU ---- */

struct qemu_plugin_insn {
    uint64_t vaddr;
    uint8_t bytes[4];
    qemu_plugin_vcpu_udata_cb_t cb;
    void *userdata;
    enum qemu_plugin_cb_flags flags;
};

struct qemu_plugin_tb {
    size_t n;
    struct qemu_plugin_insn insns[8];
};

static struct {
    qemu_plugin_vcpu_simple_cb_t init, gone, idle, resume;
    qemu_plugin_vcpu_tb_trans_cb_t trans;
    qemu_plugin_simple_cb_t reset;
    struct qemu_plugin_tb tbs[2]; /* of each vCPU */
} qemu;

char *g_array_free(GArray *array, int free_segment)
{
    free(array);
    return NULL;
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

void qemu_plugin_reset(qemu_plugin_id_t id, qemu_plugin_simple_cb_t cb)
{
    assert_null(qemu.reset);
    assert_null(qemu.idle); /* they would be freed while other threads are about to call them */
    assert_null(qemu.resume);
    qemu.reset = cb;
}

void qemu_plugin_register_vcpu_init_cb(qemu_plugin_id_t id, qemu_plugin_vcpu_simple_cb_t cb)
{
    qemu.init = cb;
}

void qemu_plugin_register_vcpu_exit_cb(qemu_plugin_id_t id, qemu_plugin_vcpu_simple_cb_t cb)
{
    qemu.gone = cb;
}

void qemu_plugin_register_vcpu_idle_cb(qemu_plugin_id_t id, qemu_plugin_vcpu_simple_cb_t cb)
{
    qemu.idle = cb;
}

void qemu_plugin_register_vcpu_resume_cb(qemu_plugin_id_t id, qemu_plugin_vcpu_simple_cb_t cb)
{
    qemu.resume = cb;
}

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, qemu_plugin_vcpu_tb_trans_cb_t cb)
{
    qemu.trans = cb;
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
    static qemu_plugin_reg_descriptor d[2] = {{(void *)0x10, "a0", NULL},
                                              {(void *)0x11, "a1", NULL}};
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

/* What QEMU does when no vCPU executes. */
static void do_reset(void)
{
    qemu_plugin_simple_cb_t cb = qemu.reset;
    struct qemu_plugin_tb tbs[2];

    assert_non_null(cb);
    memcpy(tbs, qemu.tbs, sizeof tbs);
    memset(&qemu, 0, sizeof qemu);
    memcpy(qemu.tbs, tbs, sizeof tbs);
    cb(1);
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
    qemu.init(1, index);
}

static void idles(unsigned index)
{
    if (qemu.idle)
        qemu.idle(1, index);
}

static void resumes(unsigned index)
{
    if (qemu.resume)
        qemu.resume(1, index);
}

/* Translates three instructions at 0x4000; the last one is "csrr a0, scause". */
static void translates(unsigned index)
{
    struct qemu_plugin_tb *tb = &qemu.tbs[index];

    *tb = (struct qemu_plugin_tb){.n = 3};
    for (unsigned i = 0; i < 3; i++)
        tb->insns[i].vaddr = 0x4000 + 4 * i;
    memcpy(tb->insns[2].bytes, "\x73\x25\x20\x14", 4);
    if (qemu.trans)
        qemu.trans(1, tb);
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

/* ---- the tests, in order: one plugin for all of them ---- */

static void installs(void **state)
{
    qemu_info_t info = {.target_name = "riscv64", .version = {2, 4}, .system_emulation = true};
    char arg[32], *argv[] = {arg};
    int fd;

    info.system.smp_vcpus = info.system.max_vcpus = 2;
    assert_int_equal(qemu_plugin_version, 4);
    assert_null(control_create(2, PACKET, 64, &fd));
    assert_null(control_open(fd, true, &control));
    size_t mapped;
    shared = (struct wire_control *)(uintptr_t)control_mapped(control, &mapped);
    strcpy(arg, "fd=x");
    assert_int_not_equal(qemu_plugin_install(1, &info, 1, argv), 0);
    assert_int_not_equal(qemu_plugin_install(1, &info, 0, argv), 0);
    strcpy(arg, "fd=0"); /* no memory file */
    assert_int_not_equal(qemu_plugin_install(1, &info, 1, argv), 0);
    snprintf(arg, sizeof arg, "fd=%d", fd);
    assert_int_equal(qemu_plugin_install(1, &info, 1, argv), 0);
    assert_int_equal(atomic_load(&shared->engine), WIRE_ENGINE_READY);
    assert_string_equal(shared->target, "riscv64");
    assert_int_equal(shared->vcpus, 2);
    assert_null(qemu.trans);
    on(0, begins);
    on(1, begins);
    on(1, idles);
    assert_null(qemu.reset); /* nothing is wished for */
}

static void exchanges(void **state)
{
    uint64_t g = wish(probes);

    check_settled(g, false);
    assert_non_null(qemu.reset);
    on(1, idles); /* one reset is enough */
    do_reset();
    check_settled(g, true);
    assert_non_null(qemu.trans);
    on(0, resumes);
    on(1, resumes);
    assert_null(qemu.reset);
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

    assert_null(qemu.reset);
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
    for (int i = 0; !qemu.reset && i < 2000; i++) {
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
    assert_non_null(qemu.trans); /* vCPU 1 would crash */
    on(0, translates);
    assert_null(qemu.tbs[0].insns[1].cb); /* but nothing is added */
    wait_and_idle();
    assert_non_null(qemu.trans);
    on(1, translates);
    wait_and_idle();
    assert_null(qemu.trans);
    assert_int_equal(control_in_force(control), g);
}

static void direct_memory(void **state)
{
    uint64_t before = atomic_load(&ring_of(0)->counts[0].faults);

    wish(direct_range);
    do_reset();
    assert_null(qemu.trans); /* no probe is at an instruction */
    on(0, resumes);
    /* It begins a packet: those before are of another generation. */
    uint64_t position = atomic_load(&ring_of(0)->position) & ~(uint64_t)(PACKET - 1);
    assert_int_equal(atomic_load(&ring_of(0)->counts[0].faults), before);
    const char *p = (const char *)ring_of(0) + ALIGN_UP(sizeof(struct wire_ring), WIRE_PAGE);
    p += position + sizeof(struct wire_packet);
    assert_string_equal(p + sizeof(struct wire_event), "direct");
}

static void begins_again_as_1(unsigned index)
{
    qemu.init(1, 1);
}

static void one_thread_for_two(void **state)
{
    uint64_t g = control_wished(control);
    bool settled;

    qemu.gone(1, 1);
    on(0, begins_again_as_1);
    assert_int_equal(atomic_load(&shared->engine), WIRE_ENGINE_REFUSED);
    do_reset(); /* what was in force goes */
    assert_int_equal(control_in_force(control), g);
    uint64_t before = fired(0, 0);
    on(0, resumes);
    assert_int_equal(fired(0, 0), before);
    struct oscope_error *err = control_settled(control, wish(probes), &settled);
    assert_null(qemu.reset);
    assert_non_null(err);
    assert_non_null(strstr(err->message, "multi-threaded"));
    oscope_error_free(err);
    control_close(control);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(installs),
        cmocka_unit_test(exchanges),
        cmocka_unit_test(fires),
        cmocka_unit_test(refuses),
        cmocka_unit_test(watches_until_it_is_safe),
        cmocka_unit_test(direct_memory),
        cmocka_unit_test(one_thread_for_two),
    };

    for (unsigned i = 0; i < 2; i++)
        pthread_create(&workers[i].thread, NULL, work, &workers[i]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
