/* SPDX-License-Identifier: MIT */
/* See fake_machine.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_machine.h"

#include "base/util.h"

#include <pthread.h>
#include <stdio.h>

struct control *control;
struct wire_control *shared;
struct qemu_plugin_tb tbs[2];

/* ---- the vCPUs' threads ---- */

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

void on(unsigned index, void (*job)(unsigned))
{
    struct worker *w = &workers[index];

    pthread_mutex_lock(&w->lock);
    w->job = job;
    pthread_cond_broadcast(&w->cond);
    while (w->job)
        pthread_cond_wait(&w->cond, &w->lock);
    pthread_mutex_unlock(&w->lock);
}

void begins(unsigned index)
{
    fake_call(qemu.init, index);
}

void idles(unsigned index)
{
    if (qemu.idle.cb)
        fake_call(qemu.idle, index);
}

void resumes(unsigned index)
{
    if (qemu.resume.cb)
        fake_call(qemu.resume, index);
}

static struct qemu_plugin_tb *translate(unsigned index, uint64_t pc, unsigned n)
{
    struct qemu_plugin_tb *tb = &tbs[index];

    *tb = (struct qemu_plugin_tb){.n = n};
    for (unsigned i = 0; i < n; i++)
        tb->insns[i].vaddr = pc + 4 * i;
    return tb;
}

void translates(unsigned index)
{
    struct qemu_plugin_tb *tb = translate(index, MACHINE_PC, 3);

    memcpy(tb->insns[2].bytes, "\x73\x25\x20\x14", 4);
    fake_translate(tb);
}

void translates_in_ram(unsigned index)
{
    struct qemu_plugin_tb *tb = translate(index, RAM_GPA + 4096 - 12, 6);

    fake_translate(tb);
}

void fails_to_translate(unsigned index)
{
    tbs[index].n = 1;
    tbs[index].insns[0].vaddr = 0x4ffe;
}

void executes(unsigned index)
{
    for (size_t i = 0; i < tbs[index].n; i++)
        fake_execute(&tbs[index].insns[i], index);
}

/* ---- the machine ---- */

static unsigned read_register(unsigned number, uint8_t *out)
{
    uint32_t v = 0x10 + number;

    memcpy(out, &v, sizeof v);
    return sizeof v;
}

static bool read_memory(uint64_t va, uint8_t *out, size_t n)
{
    memset(out, 'm', n);
    return va >= 0x8000;
}

void machine_begin(void)
{
    qemu.must_take_back = true;
    qemu.registers[0] = "a0";
    qemu.registers[1] = "a1";
    qemu.read_register = read_register;
    qemu.read_memory = read_memory;
    for (unsigned i = 0; i < 2; i++)
        pthread_create(&workers[i].thread, NULL, work, &workers[i]);
}

int machine_share(void)
{
    size_t mapped;
    int fd;

    assert_null(control_create(2, MACHINE_PACKET, 64, &fd));
    assert_null(control_open(fd, true, &control));
    shared = (struct wire_control *)(uintptr_t)control_mapped(control, &mapped);
    return fd;
}

int machine_install(const char *text)
{
    qemu_info_t info = {.target_name = "riscv64",
                        .version = {FAKE_API < 7 ? 2 : 7, FAKE_API},
                        .system_emulation = true};
    char arg[32], *argv[] = {arg};

    info.system.smp_vcpus = info.system.max_vcpus = 2;
    snprintf(arg, sizeof arg, "%s", text);
    return qemu_plugin_install(FAKE_ID, &info, *arg ? 1 : 0, argv);
}

void machine_start(void **state)
{
    char arg[32];

    snprintf(arg, sizeof arg, "fd=%d", machine_share());
    assert_int_equal(machine_install(arg), 0);
    on(0, begins);
    on(1, begins);
}

uint64_t wish(void (*write)(struct probe_set *s))
{
    uint64_t generation = fake_wish(control, write);

    on(0, idles);
    return generation;
}

uint64_t put_in_force(void (*write)(struct probe_set *s))
{
    uint64_t g = wish(write);

    fake_reset();
    assert_int_equal(control_in_force(control), g);
    return g;
}

const struct wire_ring *ring_of(unsigned index)
{
    return (const void *)((const uint8_t *)shared + shared->rings_at + index * shared->ring_stride);
}

uint64_t fired(unsigned index, unsigned slot)
{
    return atomic_load(&ring_of(index)->counts[slot].fired);
}

const uint8_t *ring_at(unsigned index, uint64_t position)
{
    return (const uint8_t *)ring_of(index) + ALIGN_UP(sizeof(struct wire_ring), WIRE_PAGE) +
           position % (64 * MACHINE_PACKET);
}
