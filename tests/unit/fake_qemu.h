/* SPDX-License-Identifier: MIT */
/*
 * A QEMU made of functions, in which tests load the probe engine: what the engine calls of QEMU and
 * GLib, and the state that tests look at and change. What differs between machines (registers,
 * guest memory) are hooks.
 */
#ifndef FAKE_QEMU_H
#define FAKE_QEMU_H

#include "capture/control.h"
#include "capture/tcg/api.h"

/* Built twice: as a QEMU of an older interface, and as one of version 7. */
#ifndef FAKE_API
#define FAKE_API 4
#endif
enum { FAKE_ID = 77 }; /* the plugin's */

enum { FAKE_CALLBACKS = 4, FAKE_INSNS = 8 };

struct fake_callback {
    qemu_plugin_vcpu_udata_cb_t cb;
    void *userdata;
    enum qemu_plugin_cb_flags flags;
};

struct qemu_plugin_insn {
    uint64_t vaddr;
    uint8_t bytes[4];
    struct fake_callback cbs[FAKE_CALLBACKS]; /* before it executes */
    unsigned n;
    struct {
        qemu_plugin_vcpu_mem_cb_t cb;
        void *userdata;
        enum qemu_plugin_cb_flags flags;
        enum qemu_plugin_mem_rw rw;
    } mem[FAKE_CALLBACKS]; /* after each access */
    unsigned nmem;
};

struct qemu_plugin_tb {
    size_t n;
    struct qemu_plugin_insn insns[FAKE_INSNS];
    struct fake_callback begun[FAKE_CALLBACKS]; /* where it begins */
    unsigned nbegun;
};

/* Guest RAM at RAM_GPA, at this place in QEMU; virtual addresses are physical ones. */
enum { RAM_GPA = 0x80000000u, RAM_PAGES = 8 };
extern char fake_ram[RAM_PAGES * 4096];

/* A callback, and what it is told of itself. */
struct fake_hook {
    qemu_plugin_any_cb_t cb;
    void *userdata;
};

struct fake_qemu {
    struct fake_hook init, gone, idle, resume, trans, reset;
    struct fake_hook discon; /* of version 7, and the kinds of traps that it is told of */
    int discon_types;
    bool must_take_back; /* idle and resume callbacks are taken back before a reset */

    const char *registers[2]; /* their names; NULL: no more. Number 0 has the handle 0x10 */
    /* The bytes of one, appended to at most 8; 0: it can't be read. */
    unsigned (*read_register)(unsigned number, uint8_t *out);
    bool (*read_memory)(uint64_t va, uint8_t *out, size_t n);
    bool no_accesses; /* the engine must not ask about them */
    uint64_t data;    /* of the next access */
};
extern struct fake_qemu qemu;

/* Calls a callback of vCPUs, the one for a translation (if there is one), the one for traps. */
void fake_call(struct fake_hook h, unsigned vcpu);
void fake_translate(struct qemu_plugin_tb *tb);
void fake_trap(unsigned vcpu, enum qemu_plugin_discon_type type, uint64_t from, uint64_t to);

/* What QEMU does when no vCPU executes: drops all callbacks and calls the one of the reset. That of
 * traps stays: a vCPU may be late. */
void fake_reset(void);

/* Wishes for the set that `write` writes (NULL: an empty one); its generation. */
uint64_t fake_wish(struct control *control, void (*write)(struct probe_set *s));

/* An instruction's callbacks, and those where a block begins. */
void fake_execute(const struct qemu_plugin_insn *insn, unsigned vcpu);
void fake_begin_block(const struct qemu_plugin_tb *tb, unsigned vcpu);
/* Its callbacks after an access of so many bytes, a power of two. */
void fake_access(const struct qemu_plugin_insn *insn, unsigned vcpu, uint64_t va, unsigned bytes,
                 bool store);
void fake_store(const struct qemu_plugin_insn *insn, unsigned vcpu, uint64_t va, unsigned bytes,
                uint64_t data);

#endif
